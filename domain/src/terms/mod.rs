//! The words of the trade: money, numbers that name things, dates.

mod amount;
mod date;
mod ids;
mod pan;
mod refusal;

pub use amount::Amount;
pub use date::{BusinessDate, Expiry, Timestamp};
pub use ids::{AuthCode, BatchNo, CardId, MerchantId, Rrn, ShardNo, Stan, TerminalId};
pub use pan::{NotAPan, Pan};
pub use refusal::Refusal;

/// How many logical shards the accounts and terminals are spread over. Fixed for the life of a
/// journal: it is part of every retrieval reference number.
pub const SHARDS: usize = 256;
