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
    across: Across,
}

/// What is folded across the shards, in the order of the journal.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Across {
    batches: BTreeMap<TerminalId, Batches>,
    /// Balances of the general ledger beside the purses of cards.
    ledger: BTreeMap<LedgerAccount, Amount>,
}

impl Across {
    /// Takes in the next entry of the journal, whatever its shard.
    pub fn apply(&mut self, event: &Event) {
        for Posting { account, amount, .. } in event.postings() {
            if !matches!(account, LedgerAccount::Purse(..)) {
                let balance = self.ledger.entry(account).or_default();
                *balance = balance.plus(amount);
            }
        }
        fold_batches(&mut self.batches, event);
    }
}

impl Default for Books {
    fn default() -> Self {
        Self { shards: ShardNo::all().map(Shard::new).collect(), across: Across::default() }
    }
}

impl Books {
    /// Puts books together, or returns `None` unless there is each shard once, in their order.
    #[must_use]
    pub fn of(shards: Vec<Shard>, across: Across) -> Option<Self> {
        let are_all = shards.iter().map(Shard::no).eq(ShardNo::all());
        are_all.then_some(Self { shards, across })
    }

    /// Returns what is folded across the shards.
    #[must_use]
    pub const fn across(&self) -> &Across {
        &self.across
    }

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
        (self.shards, self.across.batches)
    }

    /// Returns the batches of a terminal.
    #[must_use]
    pub fn batches(&self, terminal: TerminalId) -> Option<&Batches> {
        self.across.batches.get(&terminal)
    }

    /// Returns the balances of the general ledger beside the purses of cards.
    pub fn ledger(&self) -> impl Iterator<Item = (LedgerAccount, Amount)> + '_ {
        self.across.ledger.iter().map(|(&account, &balance)| (account, balance))
    }

    /// Returns the sum of every account of the general ledger in `unit`, purses included. Zero,
    /// if the books balance.
    #[must_use]
    pub fn imbalance(&self, unit: Unit) -> Amount {
        let counter_legs = self
            .across
            .ledger
            .iter()
            .filter(|(account, _)| account.unit() == unit)
            .map(|(_, &balance)| balance);
        let purses = self.shards.iter().flat_map(Shard::accounts_unordered).map(|(_, account)| {
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
        self.across.apply(event);
        self.shards.get_mut(shard.index()).expect("there is a shard for every number").apply(event);
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
