//! What terminals saw against what the host's journal says.
//!
//! The rules are those of a client-side history check: an answer is a promise, silence is none.
//!
//! | rule | says |
//! | --- | --- |
//! | I1 | an answered approval has exactly one approved entry, of the same kind, amount and reference |
//! | I2 | an answered refusal has no approved entry, or one that is reversed |
//! | I3 | a request without answer has one approved entry at most, and nothing is approved that no terminal asked for |
//! | I6 | what a terminal was told is reversed has no effect; what it was not, has |

mod bulk;

use std::collections::BTreeMap;
use std::fmt;

pub use bulk::{Slip, Slips, Verdict};

use crate::fen::Fen;
use crate::ids::{BatchNo, Stan, TerminalId};
use crate::terminal::{Reply, SlipKind};

/// What makes a transaction this one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The terminal.
    pub terminal: TerminalId,
    /// Its batch.
    pub batch: BatchNo,
    /// Its trace number.
    pub stan: Stan,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.terminal, self.batch, self.stan)
    }
}

/// What a terminal knows of one of its transactions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Which.
    pub key: Key,
    /// What it is for.
    pub kind: SlipKind,
    /// The amount that was asked for, or approved if it was less.
    pub amount: Fen,
    /// What the terminal was told.
    pub told: Told,
    /// The reference of the answer, if one came.
    pub rrn: Option<String>,
    /// What it knows of a reversal.
    pub reversal: Reversal,
}

/// What a terminal was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Told {
    /// Yes.
    Approved,
    /// No.
    Refused,
    /// Nothing.
    Nothing,
}

/// What a terminal knows of the reversal of a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reversal {
    /// It sent none.
    None,
    /// It sent one and was told that nothing is left to undo.
    Confirmed,
    /// It sent one, or may have, and does not know what became of it.
    Unknown,
}

/// What terminals saw, transaction by transaction.
#[derive(Clone, Debug, Default)]
pub struct History(BTreeMap<Key, Seen>);

impl History {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A transaction is sent. Nothing is known of it until an answer is noted, and a repeat changes
    /// nothing.
    pub fn asked(&mut self, key: Key, kind: SlipKind, amount: Fen) {
        self.0.entry(key).or_insert(Seen {
            key,
            kind,
            amount,
            told: Told::Nothing,
            rrn: None,
            reversal: Reversal::Unknown,
        });
    }

    /// A transaction was answered in a way the terminal believes.
    pub fn told(&mut self, key: Key, reply: &Reply) {
        let Some(seen) = self.0.get_mut(&key) else { return };
        if reply.is_success() {
            seen.told = Told::Approved;
            seen.amount = reply.amount.unwrap_or(seen.amount);
            seen.rrn.clone_from(&reply.rrn);
        } else {
            seen.told = Told::Refused;
        }
        seen.reversal = Reversal::None;
    }

    /// A reversal of the transaction is sent, or owed.
    pub fn reversing(&mut self, key: Key) {
        if let Some(seen) = self.0.get_mut(&key) {
            seen.reversal = Reversal::Unknown;
        }
    }

    /// A reversal of the transaction was answered: nothing is left to undo.
    pub fn reversed(&mut self, key: Key) {
        if let Some(seen) = self.0.get_mut(&key) {
            seen.reversal = Reversal::Confirmed;
        }
    }

    /// What is known, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.0.values()
    }
}

/// One transaction of the host's journal, in plain terms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Which.
    pub key: Key,
    /// What it is for.
    pub kind: SlipKind,
    /// Its amount.
    pub amount: Fen,
    /// True if it was approved.
    pub approved: bool,
    /// True if it was reversed.
    pub reversed: bool,
    /// Its reference, if the journal gives it.
    pub rrn: Option<String>,
}

/// What does not agree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// I1: an answered approval is not in the journal.
    #[error("I1: {0} was approved and the journal does not have it")]
    Lost(Key),
    /// I1: an answered approval is in the journal with other content.
    #[error("I1: {0} differs from the journal in its {1}")]
    Differs(Key, &'static str),
    /// More than one approved entry for one transaction.
    #[error("I1, I3: {0} is approved {1} times in the journal")]
    Twice(Key, usize),
    /// I2: an answered refusal has an effect.
    #[error("I2: {0} was refused and has an effect")]
    Applied(Key),
    /// I3: an approved entry that no terminal asked for.
    #[error("I3: {0} is approved and no terminal asked for it")]
    NobodyAsked(Key),
    /// I6: a terminal was told that it is undone, and it has an effect.
    #[error("I6: {0} was reversed and has an effect")]
    NotReversed(Key),
    /// I6: no terminal reversed it, and it is undone.
    #[error("I6: {0} is undone and its terminal did not reverse it")]
    ReversedUnasked(Key),
}

/// Compares what terminals saw with the journal. `journal` may hold refused entries and entries
/// of other terminals; only those of terminals in `seen` are looked at.
#[must_use]
pub fn compare(seen: &[Seen], journal: &[Entry]) -> Vec<Violation> {
    let mut approved: BTreeMap<Key, Vec<&Entry>> = BTreeMap::new();
    for entry in journal.iter().filter(|entry| entry.approved) {
        approved.entry(entry.key).or_default().push(entry);
    }
    let mut violations = Vec::new();
    for one in seen {
        let entries = approved.remove(&one.key).unwrap_or_default();
        violations.extend(judge(one, &entries));
    }
    let is_ours = |key: &Key| seen.iter().any(|one| one.key.terminal == key.terminal);
    violations
        .extend(approved.keys().filter(|key| is_ours(key)).copied().map(Violation::NobodyAsked));
    violations
}

/// Compares one transaction with the approved entries the journal has of it.
fn judge(seen: &Seen, entries: &[&Entry]) -> Option<Violation> {
    let key = seen.key;
    let entry = match entries {
        [] if seen.told == Told::Approved && seen.reversal == Reversal::None => {
            return Some(Violation::Lost(key));
        }
        [] => return None,
        [entry] => entry,
        many => return Some(Violation::Twice(key, many.len())),
    };
    if seen.reversal == Reversal::Confirmed && !entry.reversed {
        return Some(Violation::NotReversed(key));
    }
    match seen.told {
        Told::Refused => (!entry.reversed).then_some(Violation::Applied(key)),
        Told::Nothing => None,
        Told::Approved if entry.reversed && seen.reversal == Reversal::None => {
            Some(Violation::ReversedUnasked(key))
        }
        Told::Approved => {
            let has_other_rrn = matches!((&seen.rrn, &entry.rrn), (Some(a), Some(b)) if a != b);
            let differs = [
                (seen.kind.booked_as() != entry.kind.booked_as(), "kind"),
                (seen.amount != entry.amount, "amount"),
                (has_other_rrn, "reference"),
            ];
            let first = differs.into_iter().find_map(|(differs, what)| differs.then_some(what));
            first.map(|what| Violation::Differs(key, what))
        }
    }
}
