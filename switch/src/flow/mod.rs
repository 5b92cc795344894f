//! The way of a request, as a story: gather the facts, have the shard decide, tell the terminal.
//!
//! [`gather`] reads, verifies and routes, and changes nothing. What it returns is either an
//! answer, or a question for a shard and what it takes to [`tell`] its answer. In between, the
//! account actor decides and commits.

mod card;
mod care;
mod gather;
mod settle;
mod tell;

use std::sync::Arc;

use domain::shard::Command;
use domain::terms::{ShardNo, TerminalId};
use keys::WorkingKeys;

pub use gather::gather;
pub use tell::{tell, turn_away};

use crate::facts::{Guard, TerminalEntry};
use crate::message::matrix::Row;
use crate::message::response::ResponseCode;

/// What follows from a request.
pub enum Step {
    /// An answer at once: nothing was asked of a shard.
    Answer(Outgoing),
    /// A question for a shard.
    Ask(Asked),
    /// Something of the terminal is in flight that must end first: gather again in a moment.
    Later,
    /// No answer: it is not a request, or nobody could be addressed. Why, for the log.
    Drop(&'static str),
}

/// A frame to send.
pub struct Outgoing {
    /// The frame.
    pub bytes: Vec<u8>,
    /// The code it carries, if any.
    pub code: Option<ResponseCode>,
}

/// A question for a shard.
pub struct Asked {
    /// The shard.
    pub shard: ShardNo,
    /// The command.
    pub command: Command,
    /// What is kept while it is on its way.
    pub guard: Guard,
    /// What it takes to tell the answer.
    pub tell: Tell,
}

/// What it takes to tell a terminal the answer of a shard, beside the request as it came.
pub struct Tell {
    row: &'static Row,
    terminal: TerminalId,
    entry: Arc<TerminalEntry>,
    /// The keys the request was signed with sign the answer.
    keys: Option<Arc<WorkingKeys>>,
    /// F62 of the answer: fresh working keys, or a new master key.
    f62: Option<Vec<u8>>,
    /// When the request came, in microseconds.
    arrived: u64,
}
