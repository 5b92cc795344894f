//! What a reversal would do.

use super::command::{Decision, Detail, Reversal};
use super::judge::Moved;
use super::{Event, Reversed, Shard};
use crate::faults::{self, Fault};
use crate::terms::{Refusal, Timestamp};
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
        if txn.kind != reversal.kind {
            return Err(Refusal::OriginalOutOfReach);
        }
        if txn.amount != reversal.amount {
            return Err(Refusal::AmountDiffers);
        }
        if txn.state != TxnState::Reversed || !faults::is_planted(Fault::ReversalTwice) {
            txn.state.after(Action::Reverse)?;
        }
        if txn.is_refunded() {
            return Err(Refusal::OriginalRefunded);
        }
        if !reversal.batch_is_open {
            return Err(Refusal::OriginalOutOfReach);
        }
        match txn.kind {
            TxnKind::Sale => Ok(Moved { parts: txn.parts, suspense: txn.suspense }),
            TxnKind::Void => self.pay_again(txn),
            TxnKind::Refund | TxnKind::Inquiry => Err(Refusal::OriginalOutOfReach),
        }
    }

    /// What it takes to make the sale live again that `void` undid. The card pays what it has;
    /// suspense bears the rest, because the merchant's slip stands.
    fn pay_again(&self, void: &Txn) -> Result<Moved, Refusal> {
        let sale = void.original.and_then(|key| self.txns.get(&key));
        let sale = sale.ok_or(Refusal::OriginalNotFound)?;
        sale.state.after(Action::Unvoid)?;
        let account = self.accounts.get(&void.card).ok_or(Refusal::UnknownCard)?;
        let order = account.terms.draw.iter().copied();
        let (parts, suspense) = account.balances.available().draw_up_to(order, sale.amount);
        Ok(Moved { parts, suspense })
    }
}
