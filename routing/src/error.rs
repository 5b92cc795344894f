//! Why rows do not make a table.

use crate::{Bin, IssuerCode};

/// Why rows do not make a table. Row numbers count from one, in the order given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Two issuers have the same code.
    #[error("issuer rows {first} and {second} are both {code}")]
    IssuerTwice {
        /// The code.
        code: IssuerCode,
        /// The row that came first.
        first: usize,
        /// The row that came later.
        second: usize,
    },
    /// Two ranges are the same numbers, so neither is the longer prefix.
    #[error("bin rows {first} and {second} are both {bin}")]
    BinTwice {
        /// The range.
        bin: Bin,
        /// The row that came first.
        first: usize,
        /// The row that came later.
        second: usize,
    },
    /// A range belongs to an issuer that has no row.
    #[error("bin row {row} belongs to issuer {code}, which has no row")]
    NoSuchIssuer {
        /// The row of the range.
        row: usize,
        /// The issuer it names.
        code: IssuerCode,
    },
    /// A length that no card number has.
    #[error("bin row {row}: a card number has 12 to 19 digits, not {pan_length}")]
    PanLength {
        /// The row of the range.
        row: usize,
        /// Its length.
        pan_length: u8,
    },
}

impl TableError {
    /// True if the fault lies with an issuer's row, false if with a range's.
    #[must_use]
    pub const fn is_of_issuer(&self) -> bool {
        matches!(self, Self::IssuerTwice { .. })
    }

    /// Returns the row at fault, counted from one: the later of two.
    #[must_use]
    pub const fn row(&self) -> usize {
        match self {
            Self::IssuerTwice { second, .. } | Self::BinTwice { second, .. } => *second,
            Self::NoSuchIssuer { row, .. } | Self::PanLength { row, .. } => *row,
        }
    }
}
