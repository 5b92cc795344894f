//! Where a card number belongs: card ranges, issuers, and the longest prefix that decides.
//!
//! Rows come from a person's table ([`Bin`], [`Issuer`]). [`Table::new`] checks them against each
//! other and lays them out flat; [`Table::route`] is then one binary search. The crate knows no
//! link, timer or balance.

mod error;
mod row;
mod table;

pub use error::TableError;
pub use row::{Bin, Issuer, IssuerCode, IssuerKind, Prefix};
pub use table::{Nested, Route, Table};
