//! Accounts: the shards of one core, decided, committed, answered.

mod accounts;
mod actor;
mod desk;

pub use accounts::{Accounts, NotDecided};
pub use actor::{AccountActor, Committed, Envelope, Inbox, ReplyTo};
pub use desk::{Answered, Desk};
