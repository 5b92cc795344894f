//! Terminal batches: the slips of a terminal between two settlements, and their totals.
//!
//! The slips of one terminal lie in the shards of many cards. This is their projection by
//! terminal, folded from the same entries; it is only ever fed with entries that are durable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Side, TxnKey, TxnKind};
use crate::terms::{Amount, BatchNo, CardId, Stan};

/// Sums and counts as F48 of a settlement carries them.
///
/// A voided sale stays in debit and its void counts in credit; a reversed transaction counts
/// nowhere; where the others count, [`TxnKind::side`] says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of what the merchant gets.
    pub debit: Amount,
    /// Number of transactions in it.
    pub debit_count: u32,
    /// Sum of what the merchant gives back.
    pub credit: Amount,
    /// Number of transactions in it.
    pub credit_count: u32,
}

impl Totals {
    fn count(&mut self, kind: TxnKind, amount: Amount) {
        match kind.side() {
            Some(Side::Debit) => {
                self.debit = self.debit.plus(amount);
                self.debit_count = self.debit_count.saturating_add(1);
            }
            Some(Side::Credit) => {
                self.credit = self.credit.plus(amount);
                self.credit_count = self.credit_count.saturating_add(1);
            }
            None => {}
        }
    }
}

/// One approved transaction of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Slip {
    /// What it is.
    pub kind: TxnKind,
    /// The card.
    pub card: CardId,
    /// The amount that was approved, as changed since.
    pub amount: Amount,
    /// True if it was reversed, and so counts nowhere.
    pub reversed: bool,
}

/// A batch that takes slips.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct OpenBatch {
    /// Its number.
    pub number: BatchNo,
    /// Its slips by trace number.
    pub slips: BTreeMap<Stan, Slip>,
}

impl OpenBatch {
    /// Returns an empty batch.
    #[must_use]
    pub const fn new(number: BatchNo) -> Self {
        Self { number, slips: BTreeMap::new() }
    }

    /// Returns the totals of its slips.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.slips.values().filter(|s| !s.reversed).for_each(|s| totals.count(s.kind, s.amount));
        totals
    }

    /// Returns the slips that count, as a terminal uploads them.
    pub fn counted(&self) -> impl Iterator<Item = (Stan, Amount)> + '_ {
        self.slips
            .iter()
            .filter(|(_, slip)| !slip.reversed && slip.kind.side().is_some())
            .map(|(&stan, slip)| (stan, slip.amount))
    }
}

/// How an uploaded batch differs from the books.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Difference {
    /// In the books, not in the upload.
    Missing(Stan),
    /// In the upload, not in the books.
    Foreign(Stan),
    /// In both, with different amounts.
    Amount(Stan),
}

/// The batches of one terminal: the open one, and the one before, which an upload may still
/// explain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Batches {
    /// The batch that takes slips.
    pub open: OpenBatch,
    /// The batch that was closed last.
    pub closed: Option<OpenBatch>,
}

impl Batches {
    /// Returns the batches of a terminal that begins with `number`.
    #[must_use]
    pub const fn starting_at(number: BatchNo) -> Self {
        Self { open: OpenBatch::new(number), closed: None }
    }

    /// Takes in the slip of `key`. One of a batch that is no longer here is left out.
    pub fn add(&mut self, key: &TxnKey, slip: Slip) {
        if let Some(batch) = self.batch_mut(key.batch) {
            batch.slips.insert(key.stan, slip);
        }
    }

    /// Gives the slip of `key` another amount.
    pub fn change(&mut self, key: &TxnKey, amount: Amount) {
        if let Some(slip) = self.batch_mut(key.batch).and_then(|b| b.slips.get_mut(&key.stan)) {
            slip.amount = amount;
        }
    }

    /// Marks the slip of `key` as reversed.
    pub fn reverse(&mut self, key: &TxnKey) {
        if let Some(slip) = self.batch_mut(key.batch).and_then(|b| b.slips.get_mut(&key.stan)) {
            slip.reversed = true;
        }
    }

    /// Closes the open batch and opens `next`.
    pub fn close(&mut self, next: BatchNo) {
        self.closed = Some(std::mem::replace(&mut self.open, OpenBatch::new(next)));
    }

    fn batch_mut(&mut self, number: BatchNo) -> Option<&mut OpenBatch> {
        if self.open.number == number {
            return Some(&mut self.open);
        }
        self.closed.as_mut().filter(|batch| batch.number == number)
    }
}
