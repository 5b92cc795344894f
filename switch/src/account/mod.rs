//! Accounts: shards that are decided, committed, answered.

mod accounts;
mod actor;
mod bell;
mod desk;
mod intake;
mod pressure;

pub use accounts::{Accounts, NotDecided};
pub use actor::{AccountActor, Envelope, ReplyTo};
pub use desk::{Answered, Desk};
pub use pressure::{Depth, Pressure, Turn};
