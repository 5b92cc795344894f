//! The quick way through the fields of a message.
//!
//! Nearly all messages have nothing wrong with them. The quick way finds where each field stands and
//! gathers, without a branch, whether any digit anywhere is wrong; if one is, [`crate::Message`] goes
//! through the message again in the slow way, which knows every rule and says what is wrong.

use crate::field::{Content, Encoding, Format, Justify, Prefix, characters};

/// Bit 0 of every half byte.
const NIBBLES: u64 = 0x1111_1111_1111_1111;
/// `0` in every byte.
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// The upper half of every byte.
const UPPER: u64 = 0xF0F0_F0F0_F0F0_F0F0;

/// In place of a shift: the length is in characters.
const SPELLED: u8 = u8::MAX;

/// A layout as the quick way takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The layout itself.
    pub(crate) format: Format,
    /// 1 if two digits share a byte.
    packed: u8,
    /// Bytes of the length.
    prefix: u8,
    /// Bits of the first two bytes that do not belong to a length in BCD, or [`SPELLED`].
    shift: u8,
    /// The content is digits.
    pub(crate) is_numeric: bool,
    /// The digits stand after the filler, if their count is odd.
    pub(crate) is_right: bool,
    /// Half bytes that must be 0 in the last eight bytes of content, the last byte uppermost.
    clear: u64,
    /// Turned over before content is checked, so that digits in characters become 0 to 9.
    flip: u64,
    /// Ones where 13, the separator, is right although it is more than nine.
    track: u64,
}

/// A length read from a message.
pub(crate) struct Stated {
    /// Bytes it takes.
    pub(crate) prefix: u32,
    /// Digits or bytes that follow.
    pub(crate) units: u16,
    /// 0 if it is right.
    pub(crate) doubts: u64,
}

impl Plan {
    pub(crate) fn new(format: &Format) -> Self {
        let is_spelled = format.is_numeric() && format.encoding == Encoding::Ascii;
        let (flip, mut clear) = if is_spelled { (ZEROS, UPPER) } else { (0, 0) };
        if format.is_packed() && format.is_fixed() && !format.max.is_multiple_of(2) {
            // The filler of a fixed field has a rule of its own, of which the quick way knows only
            // that it may be 0.
            clear = match (format.justify, format.bytes(format.max)) {
                (_, 9..) => u64::MAX,
                (Justify::Left, _) => 0x0F << 56,
                (Justify::Right, bytes) => {
                    0xF0_u64.wrapping_shl(8_u32.wrapping_sub(u32::from(bytes)).wrapping_mul(8))
                }
            };
        }
        Self {
            format: *format,
            packed: u8::from(format.is_packed()),
            prefix: format.prefix.bytes().to_le_bytes()[0],
            shift: match format.prefix {
                Prefix::Bcd2 => 8,
                Prefix::None | Prefix::Bcd3 => 0,
                Prefix::Ascii2 | Prefix::Ascii3 => SPELLED,
            },
            is_numeric: format.is_numeric(),
            is_right: format.justify == Justify::Right,
            clear,
            flip,
            track: if format.content == Content::Track { NIBBLES } else { 0 },
        }
    }

    /// Says whether the length is stated in the message.
    #[inline]
    pub(crate) fn is_variable(&self) -> bool {
        self.prefix != 0
    }

    /// Reads the length in front of `rest`; `None` if it is not there.
    #[inline]
    pub(crate) fn stated(&self, rest: &[u8]) -> Option<Stated> {
        if self.shift == SPELLED {
            return self.spelled(rest);
        }
        let two = match rest {
            [a, b, ..] => u16::from_be_bytes([*a, *b]),
            [a] if self.shift != 0 => u16::from_be_bytes([*a, 0]),
            _ => return None,
        };
        let word = two.wrapping_shr(u32::from(self.shift));
        let units = two_digits(word >> 8).wrapping_mul(100).wrapping_add(two_digits(word & 0xFF));
        let doubts = over_nine(u64::from(word)) | u64::from(units > self.format.max);
        Some(Stated { prefix: u32::from(self.prefix), units, doubts })
    }

    /// Reads a length in characters.
    #[cold]
    fn spelled(&self, rest: &[u8]) -> Option<Stated> {
        let units = characters(rest.get(..usize::from(self.prefix))?).ok()?;
        let doubts = u64::from(units > self.format.max);
        Some(Stated { prefix: u32::from(self.prefix), units, doubts })
    }

    /// Says whether two digits share a byte.
    #[inline]
    pub(crate) fn is_packed(&self) -> bool {
        self.packed != 0
    }

    /// Bytes that so many digits or bytes take.
    #[inline]
    pub(crate) fn bytes(&self, units: u16) -> u32 {
        u32::from(units).wrapping_add(u32::from(self.packed)).wrapping_shr(u32::from(self.packed))
    }

    /// Marks what may be wrong with the digits of the first `bytes` of `after`; 0 if nothing is.
    #[inline]
    pub(crate) fn doubts(&self, after: &[u8], bytes: u32) -> u64 {
        if bytes > 8 || self.track != 0 {
            return self.doubts_beyond(after, bytes);
        }
        let Some(eight) = after.first_chunk::<8>() else {
            return self.doubts_beyond(after, bytes);
        };
        // What does not belong to the content is shifted out. Nothing is if there is no content; then
        // the slow way has to find out that there was nothing to doubt.
        let spare = 8_u32.wrapping_sub(bytes).wrapping_mul(8);
        let word = (u64::from_le_bytes(*eight) ^ self.flip).wrapping_shl(spare);
        over_nine(word) | (word & self.clear)
    }

    /// As above, for tracks, for content of more than eight bytes, and near the end of a message.
    #[inline(never)]
    fn doubts_beyond(&self, after: &[u8], bytes: u32) -> u64 {
        let Some(mut content) = usize::try_from(bytes).ok().and_then(|bytes| after.get(..bytes))
        else {
            return u64::MAX;
        };
        let mut doubts = 0;
        while let Some((eight, rest)) = content.split_first_chunk::<8>() {
            doubts |= self.doubts_about(u64::from_le_bytes(*eight) ^ self.flip);
            content = rest;
        }
        let mut last = 0;
        for byte in content {
            last = (last >> 8) | (u64::from(*byte) << 56);
        }
        let spare = 64_usize.wrapping_sub(content.len().wrapping_mul(8));
        let flip = self.flip.wrapping_shl(u32::try_from(spare).unwrap_or_default());
        doubts | if content.is_empty() { 0 } else { self.doubts_about(last ^ flip) }
    }

    fn doubts_about(&self, word: u64) -> u64 {
        let separators = (word >> 3) & (word >> 2) & !(word >> 1) & word;
        (over_nine(word) & !(separators & self.track)) | (word & self.clear)
    }
}

/// The number that the two digits of a byte make.
#[inline]
const fn two_digits(byte: u16) -> u16 {
    byte.wrapping_sub((byte >> 4).wrapping_mul(6))
}

/// Marks each half byte that is more than nine: bit 3 and one of the bits 2 and 1 are set.
#[inline]
pub(crate) const fn over_nine(word: u64) -> u64 {
    (word >> 3) & ((word >> 2) | (word >> 1)) & NIBBLES
}
