//! The rows a person writes.

use std::fmt;

/// The code of an institution (ISO 8583-1:1987, fields 32 and 100): 1 to 11 digits. Leading zeros
/// count.
#[derive(Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct IssuerCode {
    digits: [u8; 11],
    length: u8,
}

impl IssuerCode {
    /// Returns the code if `text` is 1 to 11 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = [0; 11];
        let text = text.as_bytes();
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        digits.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { digits, length: u8::try_from(text.len()).ok()? })
    }

    /// Returns the digits as ASCII.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// The first digits of a card number, 2 to 12 of them (ISO/IEC 7812-1: the issuer identification
/// number has 8, formerly 6; issuers cut finer ranges with more).
#[derive(Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Prefix {
    number: u64,
    length: u8,
}

impl Prefix {
    /// The most digits a prefix may have. No card number is shorter.
    pub const LENGTH_MAX: u8 = 12;

    /// Returns the prefix if `text` is 2 to 12 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = u8::try_from(text.len()).ok()?;
        if !(2..=Self::LENGTH_MAX).contains(&length) || !text.bytes().all(|d| d.is_ascii_digit()) {
            return None;
        }
        Some(Self { number: text.parse().ok()?, length })
    }

    /// Returns how many digits it has.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Returns the first number of twelve digits that begins with it, and the first beyond.
    pub(crate) fn range(self) -> std::ops::Range<u64> {
        let scale = 10_u64.pow(u32::from(Self::LENGTH_MAX.saturating_sub(self.length)));
        let start = self.number.saturating_mul(scale);
        start..start.saturating_add(scale)
    }
}

/// Whose cards an institution issues.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum IssuerKind {
    /// Ours: the account is in this system.
    Own,
    /// Another institution's, reached over a line.
    Partner,
}

/// An institution that issues cards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer {
    /// Its code.
    pub code: IssuerCode,
    /// Its name.
    pub name: String,
    /// Whose cards it issues.
    pub kind: IssuerKind,
    /// False while its cards are not taken.
    pub enabled: bool,
}

/// A range of card numbers: those of one length with one prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Bin {
    /// How the numbers begin.
    pub prefix: Prefix,
    /// How many digits they have: 12 to 19.
    pub pan_length: u8,
    /// Who issues them.
    pub issuer: IssuerCode,
}

impl fmt::Display for IssuerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().iter().try_for_each(|&digit| write!(f, "{}", char::from(digit)))
    }
}

impl fmt::Debug for IssuerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.number, width = usize::from(self.length))
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Bin {
    /// Writes `621214 (19 digits)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} digits)", self.prefix, self.pan_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_count() {
        let short = IssuerCode::parse("3010000").unwrap();
        assert_ne!(IssuerCode::parse("03010000"), Some(short));
        assert_eq!(IssuerCode::parse("03010000").unwrap().to_string(), "03010000");
        assert_eq!(Prefix::parse("0062").unwrap().to_string(), "0062");
    }

    #[test]
    fn what_is_no_code_or_prefix_is_refused() {
        for wrong in ["", "123456789012", "12a", "１２"] {
            assert_eq!(IssuerCode::parse(wrong), None, "{wrong}");
        }
        for wrong in ["", "6", "6212142000000", "62a", "+62"] {
            assert_eq!(Prefix::parse(wrong), None, "{wrong}");
        }
    }
}
