//! Test secrets: a terminal's master key and a card's PIN.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::ids::NotAnId;

/// A terminal master key in clear, as a key loader has it. Wiped when dropped; `Debug` hides it.
#[derive(Clone, Eq, PartialEq)]
pub struct Tmk(Zeroizing<Vec<u8>>);

impl Tmk {
    /// Takes the key's bytes. Whether their number fits the algorithm shows when they are used.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Hexadecimal digits of 16 or 24 bytes.
impl FromStr for Tmk {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let wrong = NotAnId("a terminal master key is 32 or 48 hexadecimal digits");
        let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
        const_hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong)?;
        if matches!(bytes.len(), 16 | 24) { Ok(Self(bytes)) } else { Err(wrong) }
    }
}

impl fmt::Debug for Tmk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tmk(..)")
    }
}

impl<'de> Deserialize<'de> for Tmk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A PIN in clear, as a cardholder knows it. Wiped when dropped; `Debug` hides it.
#[derive(Clone, Eq, PartialEq)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// A PIN of the same length that is not this one.
    #[must_use]
    pub fn other(&self) -> Self {
        let other = |digit: char| if digit == '9' { '0' } else { '9' };
        Self(Zeroizing::new(self.0.chars().map(other).collect()))
    }
}

impl FromStr for Pin {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let is_pin = (4..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_pin {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(NotAnId("a PIN has 4 to 12 digits"))
        }
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What stands for the holder of a card that is not there: the number on its back, the end of an
/// identity number. At most 20 printable characters, wiped when dropped; `Debug` hides it.
#[derive(Clone, Eq, PartialEq)]
pub struct HolderCheck(Zeroizing<String>);

impl HolderCheck {
    /// The characters.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Nothing.
impl Default for HolderCheck {
    fn default() -> Self {
        Self(Zeroizing::new(String::new()))
    }
}

impl FromStr for HolderCheck {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if is_short_text(text) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(NotAnId("what stands for the holder has at most 20 printable characters"))
        }
    }
}

impl fmt::Debug for HolderCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HolderCheck(..)")
    }
}

/// The identity document of somebody who puts cash on a card: its type, two digits, and its number,
/// at most 20 printable characters. `Debug` hides it.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct IdDocument(Option<(String, String)>);

impl IdDocument {
    /// Field 62 of a top-up: 22 characters, spaces if nobody showed one.
    pub(crate) fn field(&self) -> String {
        let (class, number) = self.0.as_ref().map_or(("", ""), |(class, number)| (class, number));
        format!("{class:<2}{number:<20}")
    }
}

/// Type and number with a colon between, such as `01:110101199001011234`.
impl FromStr for IdDocument {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let wrong = NotAnId("a document is two digits, a colon and at most 20 characters");
        let (class, number) = text.split_once(':').ok_or(wrong)?;
        let is_class = class.len() == 2 && class.bytes().all(|byte| byte.is_ascii_digit());
        if !is_class || number.is_empty() || !is_short_text(number) {
            return Err(wrong);
        }
        Ok(Self(Some((class.to_owned(), number.to_owned()))))
    }
}

impl fmt::Debug for IdDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdDocument(..)")
    }
}

fn is_short_text(text: &str) -> bool {
    text.len() <= 20 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
