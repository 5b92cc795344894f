//! Pre-authorisations: money that is set aside, and what becomes of it.

use super::Shard;
use super::command::Request;
use super::judge::{Moved, percent_of};
use super::original::Found;
use crate::issuing::Account;
use crate::risk::{Debit, Enough};
use crate::terms::{Amount, BusinessDate, Refusal};
use crate::txn::{Action, Txn, TxnKey, TxnKind, TxnState};

impl Shard {
    /// Sets money aside; with an original, more of it for that one.
    pub(super) fn pre_authorise(
        &self,
        account: &Account,
        request: &Request,
        original: Option<Found<'_>>,
    ) -> Result<Moved, Refusal> {
        self.check(account, request, Debit::Money(request.amount, Enough::All))?;
        if request.original.is_some() {
            let (_key, first) = self.check_original(request, original)?;
            first.state.after(Action::Change)?;
        }
        let order = account.terms.draw.iter().copied();
        let parts = account.balances.available().draw(order, request.amount);
        Ok(Moved::of(parts.ok_or(Refusal::InsufficientFunds)?))
    }

    /// Frees all that a pre-authorisation set aside.
    pub(super) fn free(
        &self,
        account: &Account,
        request: &Request,
        (_key, pre_auth): Found<'_>,
    ) -> Result<Moved, Refusal> {
        pre_auth.state.after(Action::Void)?;
        if request.amount != pre_auth.parts.money() {
            return Err(Refusal::AmountDiffers);
        }
        Ok(Moved::of(account.balances.held(self.hold_of(pre_auth))))
    }

    /// Takes what was set aside, and up to the product's percentage more if the card has it. The
    /// rest of what was set aside is free again. What an advice cannot find, suspense bears.
    pub(super) fn complete(
        &self,
        account: &Account,
        request: &Request,
        (_key, pre_auth): Found<'_>,
    ) -> Result<Moved, Refusal> {
        let is_advice = request.kind.is_advice();
        // The goods were handed over on that word, however late it is told.
        if !(is_advice && pre_auth.state == TxnState::Expired) {
            pre_auth.state.after(Action::Use)?;
        }
        if !request.amount.is_positive() {
            return Err(Refusal::InvalidAmount);
        }
        let authorised = pre_auth.parts.money();
        if request.amount > percent_of(authorised, account.terms.completion_percent, Amount::ZERO) {
            return Err(Refusal::AboveOriginal);
        }
        let order = || account.terms.draw.iter().copied();
        let held = account.balances.held(self.hold_of(pre_auth));
        let (from_held, rest) = held.draw_up_to(order(), request.amount);
        let (from_free, short) = account.balances.available().draw_up_to(order(), rest);
        if short.is_positive() && !is_advice {
            return Err(Refusal::InsufficientFunds);
        }
        let parts = from_held.plus(&from_free);
        Ok(Moved { parts, suspense: short, ..Moved::default() })
    }

    /// Returns the pre-authorisation of a completion.
    pub(super) fn pre_auth_of(&self, completion: &Txn) -> Option<&Txn> {
        let is_one = matches!(completion.kind, TxnKind::Completion | TxnKind::CompletionAdvice);
        self.txns.get(&completion.original.filter(|_| is_one)?)
    }

    /// Returns the pre-authorisation that this very completion has used up. Another may have used
    /// it meanwhile.
    pub(super) fn pre_auth_used_by(&self, key: &TxnKey, completion: &Txn) -> Option<&Txn> {
        self.pre_auth_of(completion).filter(|pre_auth| is_used_by(pre_auth, key))
    }

    /// Returns the pre-authorisations whose time is over on `date`, in no order. Two of one card
    /// may have the same authorisation code, so they are not looked for by that.
    pub(super) fn expired_on(&self, date: BusinessDate) -> impl Iterator<Item = (&TxnKey, &Txn)> {
        self.txns.rows().filter(move |(_key, txn)| {
            txn.state == TxnState::Approved
                && is_first(txn)
                && date.days_since(txn.date) > self.hold_days(txn)
        })
    }

    /// Returns how many days after its date a pre-authorisation may still be referred to.
    pub(super) fn hold_days(&self, txn: &Txn) -> i64 {
        let days = self.accounts.get(&txn.card).map_or(0, |account| account.terms.hold_days);
        if is_first(txn) { i64::from(days) } else { 0 }
    }
}

/// True for a pre-authorisation that has a hold of its own: it adds to no other.
fn is_first(txn: &Txn) -> bool {
    txn.kind == TxnKind::PreAuth && txn.original.is_none()
}

/// True if it was this completion that used the pre-authorisation up.
pub(super) fn is_used_by(pre_auth: &Txn, completion: &TxnKey) -> bool {
    pre_auth.state == TxnState::Used && pre_auth.follower.as_ref() == Some(completion)
}
