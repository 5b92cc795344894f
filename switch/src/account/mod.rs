//! Accounts: the shards of one core, decided, committed, answered.

mod accounts;
mod actor;
mod desk;
mod intake;
mod pressure;

pub use accounts::{Accounts, NotDecided};
pub use actor::{AccountActor, Envelope, Inbox, Look, ReplyTo};
pub use desk::{Answered, Desk};
pub use intake::{Intake, Put};
pub use pressure::Pressure;
