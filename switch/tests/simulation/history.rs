//! What terminals asked for and what they were told: the client's side of the story.

use std::collections::{BTreeMap, BTreeSet};

use domain::terms::{BatchNo, CardId, Stan, TerminalId};
use domain::txn::{TxnKey, TxnKind};
use loadtest::terminal::{Slip, Totals};

use super::plan::Micros;
use super::tally::Counts;

/// A sale, void, refund or inquiry that a terminal sent at least once.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: TxnKey,
    pub kind: TxnKind,
    pub card: CardId,
    pub fen: i64,
    /// When it was sent first.
    pub sent: Micros,
    pub told: Told,
}

/// What the terminal was told.
#[derive(Clone, Debug)]
pub enum Told {
    Nothing,
    Approved { at: Micros, rrn: String, auth: Option<String>, balance: Option<i64>, fen: i64 },
    Refused { at: Micros, code: [u8; 2], rrn: String, auth: Option<String> },
}

/// A reversal that was answered.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The place of what it undoes among what was asked.
    pub asked: usize,
    pub code: [u8; 2],
}

impl Undone {
    /// True if the terminal was told that nothing stands any more.
    pub const fn is_done(&self) -> bool {
        matches!(&self.code, b"00" | b"25")
    }
}

/// A settlement that was answered with a comparison.
#[derive(Clone, Debug)]
pub struct Settled {
    pub terminal: TerminalId,
    pub batch: BatchNo,
    pub is_balanced: bool,
}

/// A slip in a cardholder's hand: what a refund may name.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub slip: Slip,
    pub merchant: [u8; 15],
    /// Place of the card in the cast.
    pub card: usize,
}

/// Everything that all terminals know.
#[derive(Debug, Default)]
pub struct History {
    pub asked: Vec<Asked>,
    pub undone: Vec<Undone>,
    pub settled: Vec<Settled>,
    pub receipts: Vec<Receipt>,
    /// The totals that a terminal sent first to settle a batch.
    pub claims: BTreeMap<(TerminalId, BatchNo), Totals>,
    /// Batches whose slips the terminal cannot be sure of: there is an outcome it never learned.
    pub doubts: BTreeSet<(TerminalId, BatchNo)>,
    /// Batches that changed after their totals were sent, because no answer came and business went
    /// on, and those with a slip that the host was told of and refused.
    pub restated: BTreeSet<(TerminalId, BatchNo)>,
    pub answers: Counts,
    /// What no terminal should ever meet.
    pub complaints: Vec<String>,
}

impl History {
    /// Notes that a batch has a slip more or less.
    pub fn note_slip(&mut self, terminal: TerminalId, batch: BatchNo) {
        if self.claims.contains_key(&(terminal, batch)) {
            self.restated.insert((terminal, batch));
        }
    }
}

/// Returns the key of a terminal's request.
pub fn key_of(terminal: loadtest::TerminalId, batch: loadtest::BatchNo, stan: u32) -> TxnKey {
    TxnKey {
        terminal: TerminalId(terminal.0),
        batch: batch_of(batch),
        stan: Stan::new(stan).unwrap(),
    }
}

pub fn batch_of(batch: loadtest::BatchNo) -> BatchNo {
    BatchNo::new(batch.get()).unwrap()
}
