//! Who and what a message names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that does not name what it should. Does not repeat it, because it may be a card number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnId(pub(crate) &'static str);

/// Gives a fixed-length field of printable ASCII its type.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $length:literal, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $length]);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes: [u8; $length] =
                    text.as_bytes().try_into().map_err(|_| NotAnId($wrong))?;
                let is_printable = bytes.iter().all(u8::is_ascii_graphic);
                if is_printable { Ok(Self(bytes)) } else { Err(NotAnId($wrong)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(str::from_utf8(&self.0).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

text_id!(
    /// A terminal (field 41): eight characters.
    TerminalId,
    8,
    "a terminal has eight printable characters"
);
text_id!(
    /// A merchant (field 42): fifteen characters.
    MerchantId,
    15,
    "a merchant has fifteen printable characters"
);

/// Gives a number of six digits, zero excepted, its type.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(u32);

        impl $name {
            /// The first.
            pub const FIRST: Self = Self(1);

            /// Takes a number from 1 to 999999; `None` for another.
            #[must_use]
            pub const fn new(number: u32) -> Option<Self> {
                if matches!(number, 1..=999_999) { Some(Self(number)) } else { None }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The next; after 999999 comes 1.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 >= 999_999 { Self::FIRST } else { Self(self.0.saturating_add(1)) }
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let is_number = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                let number = if is_number { text.parse().ok() } else { None };
                number.and_then(Self::new).ok_or(NotAnId($wrong))
            }
        }

        /// Six digits.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:06}", self.0)
            }
        }
    };
}

counter!(
    /// A trace number (field 11): 1 to 999999, then 1 again.
    Stan,
    "a trace number is 1 to 999999"
);
counter!(
    /// The number of a terminal batch (field 60.2): 1 to 999999, then 1 again.
    BatchNo,
    "a batch number is 1 to 999999"
);

/// A card number of 12 to 19 digits. The check digit is not checked, so that a terminal can be
/// made to send a wrong one.
///
/// `Debug` and `Display` show the first six and the last four digits (PCI DSS 4.0, 3.4.1).
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CardNumber(Box<str>);

impl CardNumber {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The number with the check digit that makes it right (ISO/IEC 7812-1, annex B), given all
    /// digits before it.
    ///
    /// # Errors
    /// [`NotAnId`] unless there are 11 to 18 digits.
    pub fn with_check_digit(payload: &str) -> Result<Self, NotAnId> {
        let doubled = |(place, digit): (usize, u8)| {
            let value = u32::from(digit & 0x0F);
            match (place % 2, value) {
                (0, 5..) => value.saturating_mul(2).saturating_sub(9),
                (0, _) => value.saturating_mul(2),
                _ => value,
            }
        };
        let sum: u32 = payload.bytes().rev().enumerate().map(doubled).sum();
        let check = 10_u32.saturating_sub(sum % 10) % 10;
        format!("{payload}{check}").parse()
    }
}

impl FromStr for CardNumber {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let is_number = (12..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_number {
            Ok(Self(text.into()))
        } else {
            Err(NotAnId("a card number has 12 to 19 digits"))
        }
    }
}

impl fmt::Display for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.len().saturating_sub(10);
        let shown = |(place, digit): (usize, char)| {
            let is_hidden = (6..hidden.saturating_add(6)).contains(&place);
            if is_hidden { '*' } else { digit }
        };
        f.pad(&self.0.chars().enumerate().map(shown).collect::<String>())
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last month in which a card is good (field 14): `YYMM`. `Debug` hides it.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct Expiry([u8; 4]);

impl Expiry {
    /// The four digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl FromStr for Expiry {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let wrong = NotAnId("an expiry date is YYMM");
        let digits: [u8; 4] = text.as_bytes().try_into().map_err(|_| wrong)?;
        let is_month = matches!(&digits, [_, _, b'0', b'1'..=b'9'] | [_, _, b'1', b'0'..=b'2']);
        let is_year = matches!(&digits, [b'0'..=b'9', b'0'..=b'9', _, _]);
        if is_month && is_year { Ok(Self(digits)) } else { Err(wrong) }
    }
}

/// The four digits, for a file; a log has no use for them.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expiry(..)")
    }
}

/// In files, what is read from text and shown as text. A card number is written in full, since the
/// file has to give it back.
macro_rules! serde_as_text {
    ($name:ident, $write:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&$name) -> String = $write;
                serializer.serialize_str(&write(self))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(TerminalId, |id| id.to_string());
serde_as_text!(MerchantId, |id| id.to_string());
serde_as_text!(Stan, |stan| stan.to_string());
serde_as_text!(BatchNo, |batch| batch.to_string());
serde_as_text!(CardNumber, |card| card.digits().to_owned());
serde_as_text!(Expiry, |expiry| expiry.to_string());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_masked_wherever_it_is_shown() {
        let card: CardNumber = "6212142000000000012".parse().unwrap();
        assert_eq!(format!("{card} {card:?}"), "621214*********0012 621214*********0012");
    }

    #[test]
    fn the_check_digit_is_luhns() {
        for whole in ["6212142000000000012", "6225000000000014", "79927398713"] {
            let (payload, _) = whole.split_at(whole.len() - 1);
            match CardNumber::with_check_digit(payload) {
                Ok(card) => assert_eq!(card.digits(), whole),
                Err(_) => assert!(whole.len() < 12),
            }
        }
    }

    #[test]
    fn counters_wrap_past_zero() {
        assert_eq!(Stan::new(999_999).unwrap().next(), Stan::FIRST);
        assert_eq!(Stan::new(0), None);
        assert_eq!("0".parse::<Stan>().ok(), None);
        assert_eq!("+1".parse::<Stan>().ok(), None);
        assert_eq!("000007".parse::<BatchNo>().unwrap().to_string(), "000007");
    }

    #[test]
    fn an_expiry_has_a_month() {
        for (text, is_one) in [("2912", true), ("2913", false), ("2900", false), ("291", false)] {
            assert_eq!(text.parse::<Expiry>().is_ok(), is_one, "{text}");
        }
    }
}
