//! Money as the wire carries it.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in fen, the hundredth of a yuan. Never negative.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fen(pub u64);

/// The largest amount that field 4 can carry: twelve digits.
pub const FEN_MAX: u64 = 999_999_999_999;

/// Text that is not an amount.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an amount is written in yuan with two decimals, such as 60.00")]
pub struct NotAnAmount;

impl Fen {
    /// The sum, which stays at the largest number rather than wrap.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or `None` if `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
}

/// Digits, a point, two digits; nothing else. A number without decimals is refused because it may
/// be meant in fen.
impl FromStr for Fen {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (yuan, fen) = text.split_once('.').ok_or(NotAnAmount)?;
        let are_digits = [yuan, fen].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let is_padded = yuan.len() > 1 && yuan.starts_with('0');
        if yuan.is_empty() || fen.len() != 2 || !are_digits || is_padded {
            return Err(NotAnAmount);
        }
        let yuan: u64 = yuan.parse().map_err(|_| NotAnAmount)?;
        let fen: u64 = fen.parse().map_err(|_| NotAnAmount)?;
        let amount = yuan.checked_mul(100).and_then(|sum| sum.checked_add(fen));
        amount.filter(|amount| *amount <= FEN_MAX).map(Self).ok_or(NotAnAmount)
    }
}

/// In yuan, with two decimals.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Self::plus)
    }
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_strictly() {
        for (text, fen) in [("60.00", 6000), ("0.01", 1), ("9999999999.99", FEN_MAX)] {
            assert_eq!(text.parse(), Ok(Fen(fen)), "{text}");
            assert_eq!(Fen(fen).to_string(), text);
        }
        let wrong = [
            "",
            "60",
            "60.0",
            "60.000",
            ".50",
            "-1.00",
            "+1.00",
            "1,000.00",
            " 1.00",
            "01.00",
            "1.0a",
            "10000000000.00",
            "99999999999999999999.00",
            "６０.00",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Fen>(), Err(NotAnAmount), "{text}");
        }
    }
}
