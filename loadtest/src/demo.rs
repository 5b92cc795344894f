//! A shop's day: every transaction a terminal can make, and what goes wrong on such a day, played
//! over TCP against a host that serves the programme of a kit.
//!
//! Each row says what is expected of it. Balances are asked for on a terminal of its own, so the
//! terminals of the day see nothing but the day.

mod afternoon;
mod cast;
mod day;
mod mishaps;
mod trade;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::audit::Seen;
use crate::code::Code;
use crate::ids::TerminalId;
use crate::kit::Kit;
use crate::station::StationError;

pub use cast::Missing;

/// How long a terminal of the demonstration waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One step of the day.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What happens.
    pub what: &'static str,
    /// The same in Chinese.
    pub what_zh: &'static str,
    /// The terminal.
    pub terminal: TerminalId,
    /// Message type of the request.
    pub mti: String,
    /// Processing code (field 3) of the request, if it has one.
    pub processing: Option<String>,
    /// Response code (field 39) of the answer, if it has one.
    pub code: Option<Code>,
    /// What came, in words.
    pub meaning: String,
    /// The same in Chinese.
    pub meaning_zh: String,
    /// What should come.
    pub expected: String,
    /// True if it did, and the card has what it should have.
    pub ok: bool,
    /// What the card may spend afterwards, in fen.
    pub balance_fen: Option<i64>,
    /// What it should, in fen.
    pub expected_balance_fen: Option<i64>,
    /// What is wrong, beside a code that is not the expected one.
    pub fault: Option<String>,
}

/// The whole day.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its steps.
    pub rows: Vec<Row>,
    /// What the terminals saw of their sales, voids and refunds, for the audit.
    pub seen: Vec<Seen>,
}

impl Report {
    /// True if every row came out as expected.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.rows.iter().all(|row| row.ok)
    }
}

/// Why the day could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The kit lacks a terminal or card that the day needs.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A step failed other than by a response code.
    #[error("{what}: {error}")]
    Step {
        /// The step.
        what: &'static str,
        /// Why.
        error: StationError,
    },
}

/// Plays the day against the host at `address`. Takes some seconds.
///
/// # Errors
/// If the kit lacks something, or the host cannot be reached or does not answer. What it answers
/// is no error, but a row.
pub fn run(address: SocketAddr, kit: &Kit) -> Result<Report, DemoError> {
    let cast = cast::Cast::of(kit)?;
    let mut day = day::Day::begin(address, &cast)?;
    trade::opening(&mut day, &cast)?;
    trade::morning(&mut day, &cast)?;
    let original = trade::undoing(&mut day, &cast)?;
    trade::refunding(&mut day, &cast, &original)?;
    afternoon::holding(&mut day, &cast)?;
    afternoon::telling(&mut day, &cast)?;
    afternoon::loading(&mut day, &cast)?;
    afternoon::points(&mut day, &cast)?;
    afternoon::combining(&mut day, &cast)?;
    afternoon::caring(&mut day, &cast)?;
    mishaps::cards(&mut day, &cast)?;
    mishaps::lines(&mut day, &cast)?;
    mishaps::codes(&mut day, &cast)?;
    trade::closing(&mut day)?;
    Ok(day.end())
}
