//! What a reversal would do.

use super::command::{Decision, Detail, Reversal};
use super::judge::Moved;
use super::original::Found;
use super::{Event, Reversed, Shard};
use crate::faults::{self, Fault};
use crate::issuing::{Account, CardStatus};
use crate::ledger::{Parts, Purse};
use crate::terms::{Amount, Refusal, Timestamp};
use crate::txn::{Action, Txn, TxnKind, TxnState};

impl Shard {
    /// Undoes a transaction; bars it, if it has not come yet.
    pub(super) fn reverse(&self, reversal: &Reversal, now: Timestamp) -> Decision {
        let Some(txn) = self.txns.get(&reversal.key) else {
            let answer = self.answer(Err(Refusal::OriginalNotFound), now, Detail::Plain);
            let Reversal { key, kind, card, .. } = *reversal;
            // What a card of another shard did is not here to be barred.
            let event = (card.shard() == self.no).then_some(Event::Barred {
                key,
                kind,
                card: Some(card),
                at: now,
            });
            return Decision { answer, event };
        };
        match self.judge_reversal(txn, reversal) {
            Err(refusal) => {
                // Nothing to give back is what the terminal wants to hear of a refused original,
                // and of one that is undone already.
                let is_settled =
                    matches!(refusal, Refusal::OriginalReversed | Refusal::OriginalRefused);
                let verdict = if is_settled { Ok(()) } else { Err(refusal) };
                Decision { answer: self.answer_of(txn, verdict, Detail::Plain), event: None }
            }
            Ok(moved) => {
                let event = Event::Reversed(Reversed {
                    key: reversal.key,
                    kind: txn.kind,
                    card: txn.card,
                    merchant: txn.merchant,
                    parts: moved.parts,
                    suspense: moved.suspense,
                    held: moved.held,
                    at: now,
                    date: self.date,
                });
                let answer = self.answer_of(txn, Ok(()), Detail::Plain);
                Decision { answer, event: Some(event) }
            }
        }
    }

    fn judge_reversal(&self, txn: &Txn, reversal: &Reversal) -> Result<Moved, Refusal> {
        let is_the_one = txn.card == reversal.card && txn.merchant == reversal.merchant;
        if txn.state == TxnState::Barred || !is_the_one {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.kind != reversal.kind || !txn.kind.is_reversible() {
            return Err(Refusal::OriginalOutOfReach);
        }
        // A terminal that heard of a partial approval may name what was approved.
        if ![txn.amount, txn.approved].contains(&reversal.amount) {
            return Err(Refusal::AmountDiffers);
        }
        if txn.state != TxnState::Reversed || !faults::is_planted(Fault::ReversalTwice) {
            txn.state.after(Action::Reverse)?;
        }
        if txn.is_refunded {
            return Err(Refusal::OriginalRefunded);
        }
        if !reversal.batch_is_open {
            return Err(Refusal::OriginalOutOfReach);
        }
        let account = self.accounts.get(&txn.card).ok_or(Refusal::UnknownCard)?;
        self.undoing(account, (reversal.key, txn))
    }

    /// Returns what it takes to undo a transaction that stands.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds are not reversible")]
    fn undoing(&self, account: &Account, (key, txn): Found<'_>) -> Result<Moved, Refusal> {
        match txn.kind {
            TxnKind::Sale | TxnKind::PointsSale | TxnKind::Completion => {
                let held = self.held_again(account, (key, txn));
                Ok(Moved { parts: txn.parts, suspense: txn.suspense, held })
            }
            TxnKind::Void | TxnKind::PointsVoid | TxnKind::CompletionVoid => {
                self.pay_again(account, txn)
            }
            TxnKind::PreAuth => self.unhold(account, txn),
            TxnKind::PreAuthVoid => {
                let pre_auth = txn.original.and_then(|key| self.txns.get(&key));
                let pre_auth = pre_auth.ok_or(Refusal::OriginalNotFound)?;
                pre_auth.state.after(Action::Unvoid)?;
                let order = account.terms.draw.iter().copied();
                let wanted = pre_auth.parts.money();
                let (held, _short) = account.balances.available().draw_up_to(order, wanted);
                Ok(Moved { held, ..Moved::default() })
            }
            TxnKind::Activation => {
                let is_untouched = account.status == CardStatus::Active
                    && account.balances.available() == txn.parts;
                is_untouched.then(Moved::default).ok_or(Refusal::OriginalOutOfReach)
            }
            _ => Err(Refusal::OriginalOutOfReach),
        }
    }

    /// What it takes to make a sale live again that `void` undid. The card pays what it has;
    /// suspense bears the rest, because the merchant's slip stands.
    fn pay_again(&self, account: &Account, void: &Txn) -> Result<Moved, Refusal> {
        let sale = void.original.and_then(|key| self.txns.get(&key));
        let sale = sale.ok_or(Refusal::OriginalNotFound)?;
        sale.state.after(Action::Unvoid)?;
        let mut available = account.balances.available();
        if void.kind == TxnKind::PointsVoid {
            let points = available.of(Purse::Points).min(void.amount);
            let parts = Parts::only(Purse::Points, points);
            return Ok(Moved { parts, suspense: void.amount.minus(points), ..Moved::default() });
        }
        // What the void of a completion set aside again is for the completion, unless another has
        // used it meanwhile.
        if let Some(pre_auth) = self.pre_auth_of(sale).filter(|p| p.state == TxnState::Approved) {
            available = available.plus(&account.balances.held(self.hold_of(pre_auth)));
        }
        let order = account.terms.draw.iter().copied();
        let (parts, suspense) = available.draw_up_to(order, void.amount);
        Ok(Moved { parts, suspense, ..Moved::default() })
    }

    /// Frees what a pre-authorisation set aside, or what an addition added to it.
    fn unhold(&self, account: &Account, txn: &Txn) -> Result<Moved, Refusal> {
        let Some(first) = txn.original else {
            return Ok(Moved::of(account.balances.held(self.hold_of(txn))));
        };
        let first = self.txns.get(&first).ok_or(Refusal::OriginalNotFound)?;
        match first.state {
            TxnState::Used => Err(Refusal::OriginalUsed),
            TxnState::Approved => {
                // Of what is set aside, no more may be left than was authorised without it.
                let held = account.balances.held(self.hold_of(first));
                let authorised = first.parts.money().minus(txn.parts.money());
                let order = account.terms.draw.iter().rev().copied();
                let (freed, _rest) =
                    held.draw_up_to(order, held.money().minus(authorised).max(Amount::ZERO));
                Ok(Moved::of(freed))
            }
            // It is free already.
            TxnState::Voided
            | TxnState::Reversed
            | TxnState::Expired
            | TxnState::Refused(_)
            | TxnState::Barred => Ok(Moved::default()),
        }
    }
}
