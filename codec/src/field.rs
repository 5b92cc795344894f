//! How one field is laid out on the wire.

use std::fmt;

use crate::digits;
use crate::error::Fault;

/// A field's number: 2 to 128; 0 stands for the message type and 1 for the bitmap.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FieldNo(pub u8);

impl From<u8> for FieldNo {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl fmt::Display for FieldNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a field holds (the attribute letters of ISO 8583-1:1987, 4.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
pub enum Content {
    /// Decimal digits.
    #[serde(rename = "n")]
    Digits,
    /// Track 2 or 3: digits and separators.
    #[serde(rename = "z")]
    Track,
    /// Letters, digits and, for `ans`, anything else, in the link's character set.
    #[serde(rename = "an", alias = "ans")]
    Text,
    /// Any bytes.
    #[serde(rename = "b")]
    Binary,
    /// BER-TLV objects.
    #[serde(rename = "tlv")]
    Tlv,
}

/// How digits are written, be they content or a length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Two digits a byte.
    Bcd,
    /// One character a digit.
    Ascii,
}

/// The side on which the digits of an odd count stand, in BCD.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Justify {
    /// Digits first, filler in the last half of the last byte.
    Left,
    /// Filler in the first half of the first byte, then the digits.
    Right,
}

/// What stands before the content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prefix {
    /// Nothing: the length is fixed.
    None,
    /// LLVAR, one byte of BCD.
    Bcd2,
    /// LLLVAR, two bytes of BCD.
    Bcd3,
    /// LLVAR, two characters.
    Ascii2,
    /// LLLVAR, three characters.
    Ascii3,
}

impl Prefix {
    /// Bytes it takes.
    #[must_use]
    #[inline]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Bcd2 => 1,
            Self::Bcd3 | Self::Ascii2 => 2,
            Self::Ascii3 => 3,
        }
    }

    /// The longest length it can state.
    #[must_use]
    pub const fn max(self) -> u16 {
        match self {
            Self::None => u16::MAX,
            Self::Bcd2 | Self::Ascii2 => 99,
            // Two bytes of BCD could state 9999, but LLLVAR means three digits.
            Self::Bcd3 | Self::Ascii3 => 999,
        }
    }
}

/// How much of a field a person may see without a reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// All of it.
    Clear,
    /// The first six and the last four digits (PCI DSS 4.0, 3.4.1).
    MaskPan,
    /// Nothing but its length.
    Hide,
}

/// The layout of one field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Format {
    /// What it holds.
    pub content: Content,
    /// How its digits are written; text and binary fields do not care.
    pub encoding: Encoding,
    /// What stands before it.
    pub prefix: Prefix,
    /// Its exact length if there is no prefix, else its longest: digits for `n` and `z`, otherwise
    /// bytes.
    pub max: u16,
    /// Where the digits stand if their count is odd.
    pub justify: Justify,
}

impl Format {
    /// Says whether two digits share a byte.
    #[must_use]
    #[inline]
    pub const fn is_packed(&self) -> bool {
        matches!(self.encoding, Encoding::Bcd) && self.is_numeric()
    }

    /// Says whether the content is digits (or digits and separators).
    #[must_use]
    #[inline]
    pub const fn is_numeric(&self) -> bool {
        matches!(self.content, Content::Digits | Content::Track)
    }

    /// Says whether the length is always the same.
    #[must_use]
    #[inline]
    pub const fn is_fixed(&self) -> bool {
        matches!(self.prefix, Prefix::None)
    }

    /// Bytes that `units` digits or bytes take.
    #[must_use]
    #[inline]
    pub const fn bytes(&self, units: u16) -> u16 {
        if self.is_packed() { units.div_ceil(2) } else { units }
    }

    /// Reads the length in front of `rest`: how many bytes it takes, and how many units follow.
    pub(crate) fn measure(&self, rest: &[u8]) -> Result<(u16, u16), Fault> {
        let (bytes, units) = match self.prefix {
            Prefix::None => return Ok((0, self.max)),
            Prefix::Bcd2 => match rest {
                [a, ..] => (1, decimal_byte(*a)?),
                [] => return Err(Fault::Short { needed: 1, left: 0 }),
            },
            Prefix::Bcd3 => match rest {
                [a, b, ..] => {
                    (2, decimal_byte(*a)?.wrapping_mul(100).wrapping_add(decimal_byte(*b)?))
                }
                _ => return Err(short(2, rest)),
            },
            Prefix::Ascii2 => match rest {
                [a, b, ..] => (2, characters(&[*a, *b])?),
                _ => return Err(short(2, rest)),
            },
            Prefix::Ascii3 => match rest {
                [a, b, c, ..] => (3, characters(&[*a, *b, *c])?),
                _ => return Err(short(3, rest)),
            },
        };
        if units > self.max {
            return Err(Fault::TooLong { got: units, max: self.max });
        }
        Ok((bytes, units))
    }

    /// Says whether `content` is what the field may hold, or at which of its bytes it is not.
    pub(crate) fn check(&self, content: &[u8], units: u16) -> Result<(), (u16, Fault)> {
        match (self.content, self.encoding) {
            (Content::Text | Content::Binary | Content::Tlv, _) => Ok(()),
            (Content::Digits, Encoding::Bcd) => digits::check_packed(self, content, units),
            (Content::Track, Encoding::Bcd) => digits::check_packed(self, content, units),
            (Content::Digits, Encoding::Ascii) => {
                digits::check_characters(content, |byte| byte.is_ascii_digit())
            }
            (Content::Track, Encoding::Ascii) => digits::check_characters(content, |byte| {
                byte.is_ascii_digit() || matches!(byte, b'=' | b'D')
            }),
        }
    }
}

/// The two digits of a BCD length byte.
fn decimal_byte(byte: u8) -> Result<u16, Fault> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    if high > 9 || low > 9 {
        return Err(Fault::LengthNotDecimal(byte));
    }
    Ok(u16::from(high).wrapping_mul(10).wrapping_add(u16::from(low)))
}

/// The digits of a length written in characters.
pub(crate) fn characters(prefix: &[u8]) -> Result<u16, Fault> {
    prefix.iter().try_fold(0_u16, |sum, byte| {
        if !byte.is_ascii_digit() {
            return Err(Fault::LengthNotDecimal(*byte));
        }
        Ok(sum.wrapping_mul(10).wrapping_add(u16::from(*byte & 0x0F)))
    })
}

fn short(needed: u16, rest: &[u8]) -> Fault {
    Fault::Short { needed, left: u16::try_from(rest.len()).unwrap_or(u16::MAX) }
}
