//! All shards together, and what is folded across them.
//!
//! A running node spreads the shards over its actors. Recovery, snapshots and audits hold them
//! as one [`Books`], folded from the same entries in journal order.

mod inspect;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use inspect::Violation;

use crate::ledger::{LedgerAccount, Posting, Purse, Unit};
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
            .filter(|(account, _)| account.unit() == unit)
            .map(|(_, &balance)| balance);
        let purses = self.shards.iter().flat_map(Shard::accounts).map(|(_, account)| {
            let ledger = account.balances.ledger();
            match unit {
                Unit::Fen => ledger.money(),
                Unit::Points => ledger.of(Purse::Points),
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
        | Event::SignedOff { .. }
        | Event::Cared { .. } => None,
    }
}

impl Batches {
    /// Takes in what a durable entry means for the batches of its terminal.
    pub fn absorb(&mut self, event: &Event) {
        match event {
            Event::Transacted(t) if t.outcome.is_ok() && !t.kind.is_inquiry() => {
                let amount = t.approved();
                let slip = Slip { kind: t.kind, card: t.card, amount, reversed: false };
                self.add(&t.key, slip);
                if let (TxnKind::Adjustment, Some(original)) = (t.kind, &t.original) {
                    self.change(original, amount);
                }
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
            | Event::Batch { .. }
            | Event::Cared { .. } => {}
        }
    }
}
