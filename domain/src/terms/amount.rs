//! Money in minor units.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in fen (1/100 yuan), or of points in whole points. May be negative in a
/// posting; a balance never is.
///
/// Arithmetic is checked: nothing wraps. F4 carries twelve digits, so every amount of a message
/// fits with room for nine thousand million of them.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most that one message can carry: twelve digits of F4.
    pub const MESSAGE_MAX: Self = Self(999_999_999_999);

    /// Returns `fen` as an amount.
    #[must_use]
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// Returns the amount in fen.
    #[must_use]
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Returns the sum, or `None` beyond the range of 64 bits.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Returns the difference, or `None` beyond the range of 64 bits.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// Returns the sum. For amounts whose bounds were checked when they came in.
    ///
    /// # Panics
    /// If the sum leaves 64 bits: books that large are corrupt, and must not serve.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.checked_add(other).expect("amounts of one book stay within 64 bits")
    }

    /// Returns the difference. See [`Amount::plus`].
    ///
    /// # Panics
    /// If the difference leaves 64 bits.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.checked_sub(other).expect("amounts of one book stay within 64 bits")
    }

    /// Returns the amount with the other sign.
    ///
    /// # Panics
    /// For the smallest 64-bit value, which no book holds.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::ZERO.minus(self)
    }

    /// True for zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for Amount {
    /// Writes yuan with two decimals: `-12.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        let (yuan, rest) = (fen.wrapping_div(100), fen.wrapping_rem(100));
        write!(f, "{sign}{yuan}.{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_yuan_and_fen() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (-1205, "-12.05"), (999_999, "9999.99")] {
            assert_eq!(Amount::from_fen(fen).to_string(), text);
        }
    }

    #[test]
    fn never_wraps() {
        assert_eq!(Amount::from_fen(i64::MAX).checked_add(Amount::from_fen(1)), None);
        assert_eq!(Amount::from_fen(i64::MIN).checked_sub(Amount::from_fen(1)), None);
    }
}
