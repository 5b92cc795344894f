//! Money and slips at the end: what each sale comes to, and whether terminal and books agree.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::{LedgerAccount, Unit};
use domain::shard::{BatchEvent, Event};
use domain::terms::{BatchNo, TerminalId};
use domain::txn::{Closing, TxnKey, TxnKind, TxnState};

use super::answers::transacted;
use super::{Audit, Violation, ensure};
use crate::history::{History, Told, Undone};

impl Audit {
    /// Checks what the merchant has of each sale in the end: all of it less what was refunded, or
    /// nothing.
    pub(super) fn check_sales(&self) -> Result<(), Violation> {
        // The sale that a void or refund belongs to.
        let mut roots: BTreeMap<TxnKey, TxnKey> = BTreeMap::new();
        let mut paid: BTreeMap<TxnKey, i64> = BTreeMap::new();
        let mut refunded: BTreeMap<TxnKey, i64> = BTreeMap::new();
        for entry in &self.entries {
            let key = match &entry.event {
                Event::Transacted(t) if t.outcome.is_ok() && t.kind != TxnKind::Inquiry => {
                    roots.insert(t.key, t.original.unwrap_or(t.key));
                    if let (TxnKind::Refund, Some(sale)) = (t.kind, t.original) {
                        *refunded.entry(sale).or_default() += t.amount.fen();
                    }
                    t.key
                }
                Event::Reversed(r) => r.key,
                _ => continue,
            };
            let root = *roots.get(&key).unwrap();
            for posting in entry.event.postings() {
                if matches!(posting.account, LedgerAccount::Merchant(_)) {
                    assert_eq!(posting.unit, Unit::Fen);
                    *paid.entry(root).or_default() += posting.amount.fen();
                }
            }
        }
        for (key, paid) in paid {
            let place = self.by_key[&key]
                .iter()
                .find(|&&at| transacted(&self.entries[at]).is_some_and(|t| t.outcome.is_ok()));
            let entry = &self.entries[*place.unwrap()];
            // What is past use was right while it was remembered.
            let Some(txn) = self.books.shard(entry.shard).txn(&key) else { continue };
            let refunded = refunded.get(&key).copied().unwrap_or_default();
            let expected = match txn.state {
                TxnState::Approved => txn.amount.fen() - refunded,
                _ => 0,
            };
            let is_right = paid == expected && expected >= 0;
            ensure(is_right, "I6, I9", || {
                format!("the merchant has {paid} of {txn:?}, of which {refunded} was refunded")
            })?;
        }
        Ok(())
    }

    /// Checks that a terminal which is sure of a batch has the slips that the books have, and that
    /// its settlement balanced.
    pub(super) fn check_beliefs(&self, history: &History) -> Result<(), Violation> {
        let is_done = |undone: &&Undone| undone.is_done();
        let undone: BTreeSet<_> =
            history.undone.iter().filter(is_done).map(|undone| undone.asked).collect();
        let mut believed: BTreeMap<(TerminalId, BatchNo), BTreeSet<_>> = BTreeMap::new();
        for (place, asked) in history.asked.iter().enumerate() {
            if asked.kind == TxnKind::Inquiry {
                continue;
            }
            let slips = believed.entry((asked.key.terminal, asked.key.batch)).or_default();
            if matches!(asked.told, Told::Approved { .. }) && !undone.contains(&place) {
                slips.insert((asked.key, asked.kind, asked.fen));
            }
        }
        for ((terminal, batch), slips) in believed {
            if history.doubts.contains(&(terminal, batch)) {
                continue;
            }
            let booked = self.standing(terminal, batch).map(|t| (t.key, t.kind, t.amount.fen()));
            let booked: BTreeSet<_> = booked.collect();
            ensure(booked == slips, "I12", || {
                let (ours, theirs): (Vec<_>, Vec<_>) =
                    (booked.difference(&slips).collect(), slips.difference(&booked).collect());
                format!("{terminal} {batch}: only in the books {ours:?}, only on slips {theirs:?}")
            })?;
        }
        for ((terminal, batch), &place) in &self.closed {
            let closing = closing_of(&self.entries[place].event).unwrap();
            let at = (*terminal, *batch);
            let is_sure = !history.doubts.contains(&at) && !history.restated.contains(&at);
            let is_right = closing.is_balanced() || !is_sure;
            ensure(is_right, "I12", || format!("{terminal} {batch} differs: {closing:?}"))?;
        }
        for settled in &history.settled {
            let place = self.closed.get(&(settled.terminal, settled.batch));
            let closing = place.and_then(|&place| closing_of(&self.entries[place].event));
            let is_right =
                closing.is_some_and(|closing| closing.is_balanced() == settled.is_balanced);
            ensure(is_right, "I12", || format!("told otherwise: {settled:?} of {closing:?}"))?;
        }
        Ok(())
    }
}

fn closing_of(event: &Event) -> Option<&Closing> {
    match event {
        Event::Batch { event: BatchEvent::Closed { closing, .. }, .. } => Some(closing),
        _ => None,
    }
}
