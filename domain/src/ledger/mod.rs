//! Double-entry bookkeeping: purses, postings, holds.
//!
//! Money moves by postings only. The postings of one entry sum to zero in each unit, so a book
//! that is the sum of its entries balances at every moment.

mod balances;
mod posting;

pub use balances::{Balances, Hold, Parts, Purse, PurseOrder};
pub use posting::{LedgerAccount, Posting, Postings, Unit};
