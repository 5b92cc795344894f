//! All shards together, and what is folded across them.
//!
//! A running node spreads the shards over its actors. Recovery, snapshots and audits hold them
//! as one [`Books`], folded from the same entries in journal order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{LedgerAccount, Posting, Unit};
use crate::shard::{BatchEvent, Event, Shard};
use crate::terms::{Amount, BatchNo, ShardNo, TerminalId};
use crate::txn::{Batches, Slip, TxnKind};

/// The state that a journal amounts to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Books {
    shards: Vec<Shard>,
    batches: BTreeMap<TerminalId, Batches>,
    /// Balances of the general ledger beside the purses of cards.
    ledger: BTreeMap<LedgerAccount, Amount>,
}

/// An entry that does not fit the books it comes to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// The legs of the entry do not sum to zero.
    #[error("the postings of the entry sum to {0} fen, not to nothing")]
    Unbalanced(i64),
    /// A settlement counted other totals than the slips amount to.
    #[error("the settlement of terminal {terminal} counted other totals than its slips amount to")]
    Miscounted {
        /// The terminal.
        terminal: TerminalId,
    },
    /// A purse would hold less than nothing.
    #[error("a purse would hold less than nothing")]
    Overdrawn,
    /// The entry undoes or belongs to something the books do not know.
    #[error("the entry refers to something the books do not know")]
    Unfounded,
    /// A transaction was entered twice.
    #[error("the transaction of terminal {terminal} is entered twice")]
    Doubled {
        /// The terminal.
        terminal: TerminalId,
    },
}

impl Default for Books {
    fn default() -> Self {
        Self {
            shards: ShardNo::all().map(Shard::new).collect(),
            batches: BTreeMap::new(),
            ledger: BTreeMap::new(),
        }
    }
}

impl Books {
    /// Returns a shard.
    ///
    /// # Panics
    /// Never: there is one for every number.
    #[must_use]
    pub fn shard(&self, no: ShardNo) -> &Shard {
        self.shards.get(no.index()).expect("there is a shard for every number")
    }

    /// Returns all shards, by number.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// Gives up the books for their shards and the batches by terminal.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Shard>, BTreeMap<TerminalId, Batches>) {
        (self.shards, self.batches)
    }

    /// Returns the batches of a terminal.
    #[must_use]
    pub fn batches(&self, terminal: TerminalId) -> Option<&Batches> {
        self.batches.get(&terminal)
    }

    /// Returns the balances of the general ledger beside the purses of cards.
    pub fn ledger(&self) -> impl Iterator<Item = (LedgerAccount, Amount)> + '_ {
        self.ledger.iter().map(|(&account, &balance)| (account, balance))
    }

    /// Returns the sum of every account of the general ledger in `unit`, purses included. Zero,
    /// if the books balance.
    #[must_use]
    pub fn imbalance(&self, unit: Unit) -> Amount {
        let counter_legs = self
            .ledger
            .iter()
            .filter(|(account, _)| {
                (**account == LedgerAccount::PointsGranted) == (unit == Unit::Points)
            })
            .map(|(_, &balance)| balance);
        let purses = self.shards.iter().flat_map(Shard::accounts).map(|(_, account)| {
            let ledger = account.balances.ledger();
            match unit {
                Unit::Fen => ledger.money(),
                Unit::Points => ledger.of(crate::ledger::Purse::Points),
            }
        });
        counter_legs.chain(purses).fold(Amount::ZERO, Amount::plus)
    }

    /// Takes in the next entry of `shard`.
    ///
    /// # Panics
    /// As [`Shard::apply`].
    pub fn apply(&mut self, shard: ShardNo, event: &Event) {
        for Posting { account, amount, .. } in event.postings() {
            if !matches!(account, LedgerAccount::Purse(..)) {
                let balance = self.ledger.entry(account).or_default();
                *balance = balance.plus(amount);
            }
        }
        self.shards.get_mut(shard.index()).expect("there is a shard for every number").apply(event);
        fold_batches(&mut self.batches, event);
    }

    /// Says whether the next entry of `shard` may be taken in.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn inspect(&self, shard: ShardNo, event: &Event) -> Result<(), Violation> {
        let shard = self.shard(shard);
        for unit in [Unit::Fen, Unit::Points] {
            let legs = event.postings();
            let sum = legs.iter().filter(|p| p.unit == unit).map(|p| p.amount.fen()).sum::<i64>();
            if sum != 0 {
                return Err(Violation::Unbalanced(sum));
            }
        }
        for posting in event.postings() {
            if let LedgerAccount::Purse(card, purse) = posting.account
                && let Some(account) = shard.account(card)
                && account.balances.ledger().of(purse).plus(posting.amount) < Amount::ZERO
            {
                return Err(Violation::Overdrawn);
            }
        }
        self.inspect_references(shard, event)
    }

    fn inspect_references(&self, shard: &Shard, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Transacted(t) if t.kind != TxnKind::Inquiry => {
                if shard.txn(&t.key).is_some() {
                    return Err(Violation::Doubled { terminal: t.key.terminal });
                }
                let is_founded = match (t.kind, t.outcome) {
                    (TxnKind::Void | TxnKind::Refund, Ok(_)) => {
                        t.original.is_some_and(|key| shard.txn(&key).is_some())
                    }
                    _ => true,
                };
                is_founded.then_some(()).ok_or(Violation::Unfounded)
            }
            Event::Reversed(r) => match shard.txn(&r.key) {
                Some(txn) if txn.state == crate::txn::TxnState::Approved => Ok(()),
                Some(_) | None => Err(Violation::Unfounded),
            },
            Event::Barred { key, card: None, .. } => {
                shard.terminal(key.terminal).map(|_| ()).ok_or(Violation::Unfounded)
            }
            Event::SignedOn { terminal, .. } | Event::SignedOff { terminal, .. } => {
                shard.terminal(*terminal).map(|_| ()).ok_or(Violation::Unfounded)
            }
            Event::Batch { terminal, event } => {
                let known = shard.terminal(*terminal).ok_or(Violation::Unfounded)?;
                if let BatchEvent::Closed { closing, .. } = event {
                    let open = self.batches.get(terminal).map(|batches| &batches.open);
                    let totals = open.map(crate::txn::OpenBatch::totals).unwrap_or_default();
                    if totals != closing.counted || closing.batch != known.open_batch {
                        return Err(Violation::Miscounted { terminal: *terminal });
                    }
                }
                Ok(())
            }
            Event::Transacted(_)
            | Event::CardIssued(_)
            | Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::Barred { .. } => Ok(()),
        }
    }
}

/// Takes the slips of `event` into the batches of its terminal.
fn fold_batches(batches: &mut BTreeMap<TerminalId, Batches>, event: &Event) {
    let Some(terminal) = terminal_of(event) else { return };
    let entry = batches.entry(terminal).or_insert_with(|| Batches::starting_at(BatchNo::FIRST));
    entry.absorb(event);
}

/// Returns the terminal whose batches `event` changes.
#[must_use]
pub const fn terminal_of(event: &Event) -> Option<TerminalId> {
    match event {
        Event::Transacted(t) => Some(t.key.terminal),
        Event::Reversed(r) => Some(r.key.terminal),
        Event::TerminalRegistered { terminal, .. } | Event::Batch { terminal, .. } => {
            Some(*terminal)
        }
        Event::CardIssued(_)
        | Event::CutOff(_)
        | Event::Barred { .. }
        | Event::SignedOn { .. }
        | Event::SignedOff { .. } => None,
    }
}

impl Batches {
    /// Takes in what a durable entry means for the batches of its terminal.
    pub fn absorb(&mut self, event: &Event) {
        match event {
            Event::Transacted(t) if t.outcome.is_ok() && t.kind != TxnKind::Inquiry => {
                let slip = Slip { kind: t.kind, card: t.card, amount: t.amount, reversed: false };
                self.add(&t.key, slip);
            }
            Event::Reversed(r) => self.reverse(&r.key),
            Event::Batch { event: BatchEvent::Closed { next, .. }, .. } => self.close(*next),
            Event::Transacted(_)
            | Event::CardIssued(_)
            | Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::Barred { .. }
            | Event::SignedOn { .. }
            | Event::SignedOff { .. }
            | Event::Batch { .. } => {}
        }
    }
}
