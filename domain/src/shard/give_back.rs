//! What gives back what a card paid: voids and refunds.

use super::Shard;
use super::command::Request;
use super::judge::Moved;
use super::original::Found;
use crate::issuing::{Account, Right};
use crate::ledger::Parts;
use crate::terms::Refusal;
use crate::txn::Action;

impl Shard {
    /// Undoes a sale, points sale or completion of the open batch, whole.
    pub(super) fn void(
        &self,
        account: &Account,
        request: &Request,
        (key, original): Found<'_>,
    ) -> Result<Moved, Refusal> {
        if key.batch != request.key.batch {
            return Err(Refusal::OriginalOutOfReach);
        }
        original.state.after(Action::Void)?;
        if original.is_refunded {
            return Err(Refusal::OriginalRefunded);
        }
        if original.worth() != request.amount {
            return Err(Refusal::AmountDiffers);
        }
        let held = self.held_again(account, (key, original));
        Ok(Moved { parts: original.parts, suspense: original.suspense, held })
    }

    /// Returns what an undone completion leaves set aside for its pre-authorisation: as much of it
    /// as the card still has.
    pub(super) fn held_again(&self, account: &Account, (key, completion): Found<'_>) -> Parts {
        let Some(pre_auth) = self.pre_auth_used_by(&key, completion) else {
            return Parts::default();
        };
        let order = account.terms.draw.iter().copied();
        let available = account.balances.available().plus(&completion.parts);
        available.draw_up_to(order, pre_auth.parts.money()).0
    }

    /// Gives money of an earlier batch or terminal back, in part or whole.
    pub(super) fn refund(
        &self,
        account: &Account,
        request: &Request,
        (key, original): Found<'_>,
    ) -> Result<Moved, Refusal> {
        if !account.terms.rights.grant(Right::Refund) {
            return Err(Refusal::CardMayNot);
        }
        original.state.after(Action::Refund)?;
        if key.terminal == request.key.terminal && key.batch == request.key.batch {
            return Err(Refusal::OriginalOutOfReach);
        }
        let age = self.date.days_since(original.date);
        if account.terms.refund_days != 0 && age > i64::from(account.terms.refund_days) {
            return Err(Refusal::RefundTooLate);
        }
        if !request.amount.is_positive() {
            return Err(Refusal::InvalidAmount);
        }
        // What suspense bore was paid for the cardholder, so it goes back first.
        let suspense = original.suspense.min(request.amount);
        // Real money comes back before what was given on top: the other way than it was drawn.
        let order = account.terms.draw.iter().rev().copied();
        let parts = original
            .parts
            .minus(&original.refunded)
            .draw(order, request.amount.minus(suspense))
            .ok_or(Refusal::AmountDiffers)?;
        let balance = account.balances.ledger().money();
        match balance.checked_add(parts.money()) {
            Some(sum) if sum <= account.terms.cap() => {
                Ok(Moved { parts, suspense, ..Moved::default() })
            }
            Some(_) | None => Err(Refusal::BalanceCap),
        }
    }
}
