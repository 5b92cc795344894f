//! What an entry about a card must be.

use super::{Rule, Violation};
use crate::issuing::{Account, CardStatus, Right};
use crate::ledger::{Parts, Purse};
use crate::shard::{Reversed, Shard, Transacted};
use crate::terms::{Amount, Rrn};
use crate::txn::{Txn, TxnKey, TxnKind, TxnState, worth_of};

/// Checks an entry of a transaction that was decided.
pub(super) fn check_transacted(shard: &Shard, t: &Transacted) -> Result<(), Violation> {
    (t.date == shard.date()).or(Violation::Misdated)?;
    let doubled = Violation::Doubled { terminal: t.key.terminal };
    shard.txn(&t.key).is_none().or(doubled)?;
    if let Some(wrong_pins) = t.wrong_pins {
        let account = shard.account(t.card).ok_or(Violation::Unfounded)?;
        let is_counted = wrong_pins == 0 || wrong_pins == account.wrong_pins.saturating_add(1);
        is_counted.or(Violation::Misstated)?;
    }
    let changes_pin = t.kind == TxnKind::PinChange && t.outcome.is_ok();
    (t.new_pin.is_some() == changes_pin).or(Violation::Misstated)?;
    let holds_again = t.kind == TxnKind::CompletionVoid && t.outcome.is_ok();
    (holds_again || t.held == Parts::default()).or(Violation::Misstated)?;
    let Ok(parts) = t.outcome else { return t.suspense.is_zero().or(Violation::Misstated) };
    let account = shard.account(t.card).ok_or(Violation::Unfounded)?;
    let case = Case { shard, account, t, parts };
    match t.kind {
        TxnKind::Inquiry
        | TxnKind::PointsInquiry
        | TxnKind::Verification
        | TxnKind::PinChange
        | TxnKind::ScriptNotice => case.moves_nothing(),
        TxnKind::Activation => {
            let is_noted = parts == account.balances.available()
                && t.suspense.is_zero()
                && t.original.is_none();
            (is_noted && account.status == CardStatus::Sold).or(Violation::Misstated)
        }
        TxnKind::Sale | TxnKind::PointsSale => case.sells(),
        TxnKind::OfflineSale | TxnKind::ECash => case.takes_in(),
        TxnKind::PreAuth => case.sets_aside(),
        TxnKind::PreAuthVoid => case.frees(),
        TxnKind::Completion | TxnKind::CompletionAdvice => case.completes(),
        TxnKind::Adjustment => case.adjusts(),
        TxnKind::Void | TxnKind::PointsVoid | TxnKind::CompletionVoid => case.voids(),
        TxnKind::Refund => case.refunds(),
        TxnKind::TopUp | TxnKind::TopUpConfirm => case.loads(),
    }
}

/// Returns what a pre-authorisation still sets aside.
fn held(shard: &Shard, account: &Account, pre_auth: &Txn) -> Parts {
    account.balances.held(Rrn::of(shard.no(), pre_auth.seq).number)
}

/// An approved transaction, and the books it comes to.
struct Case<'c> {
    shard: &'c Shard,
    account: &'c Account,
    t: &'c Transacted,
    parts: Parts,
}

impl Case<'_> {
    /// Returns what moves, and what suspense bears of it.
    fn worth(&self) -> Amount {
        worth_of(self.t.kind, &self.parts).plus(self.t.suspense)
    }

    /// Returns the original, which must be of the same card and merchant, and fit.
    fn original(&self) -> Result<(TxnKey, &Txn), Violation> {
        let key = self.t.original.ok_or(Violation::Unfounded)?;
        let txn = self.shard.txn(&key).ok_or(Violation::Unfounded)?;
        let is_fit = self.t.kind.belongs_to(txn.kind)
            && txn.card == self.t.card
            && txn.merchant == self.t.merchant
            && (txn.kind != TxnKind::PreAuth || txn.original.is_none());
        is_fit.or(Violation::Unfounded).map(|()| (key, txn))
    }

    fn is_covered(&self, by: &Parts) -> Result<(), Violation> {
        by.cover(&self.parts).or(Violation::Overdrawn)
    }

    fn moves_nothing(&self) -> Result<(), Violation> {
        let moves_nothing = self.parts == Parts::default() && self.t.suspense.is_zero();
        (moves_nothing && self.t.original.is_none()).or(Violation::Misstated)
    }

    fn sells(&self) -> Result<(), Violation> {
        let is_stated = self.t.suspense.is_zero() && self.t.original.is_none();
        let (asked, moved) = (self.t.amount, self.worth());
        let is_part = || {
            let order = self.account.terms.draw.iter().copied();
            let available = self.account.balances.available();
            let (all, _missing) = available.draw_up_to(order, asked);
            self.t.kind == TxnKind::Sale
                && self.account.terms.rights.grant(Right::Partial)
                && moved.is_positive()
                && self.parts == all
        };
        (is_stated && (moved == asked || is_part())).or(Violation::Misstated)?;
        self.is_covered(&self.account.balances.available())
    }

    fn takes_in(&self) -> Result<(), Violation> {
        let is_stated = self.worth() == self.t.amount && self.t.original.is_none();
        is_stated.or(Violation::Misstated)?;
        self.is_covered(&self.account.balances.available())
    }

    fn sets_aside(&self) -> Result<(), Violation> {
        if self.t.original.is_some() {
            (self.original()?.1.state == TxnState::Approved).or(Violation::Unfounded)?;
        }
        let is_stated = self.parts.money() == self.t.amount
            && self.parts.of(Purse::Points).is_zero()
            && self.t.suspense.is_zero();
        is_stated.or(Violation::Misstated)?;
        self.is_covered(&self.account.balances.available())
    }

    fn frees(&self) -> Result<(), Violation> {
        let (_key, pre_auth) = self.original()?;
        (pre_auth.state == TxnState::Approved).or(Violation::Unfounded)?;
        let is_stated = self.t.amount == pre_auth.parts.money()
            && self.parts == held(self.shard, self.account, pre_auth)
            && self.t.suspense.is_zero();
        is_stated.or(Violation::Misstated)
    }

    fn completes(&self) -> Result<(), Violation> {
        let (_key, pre_auth) = self.original()?;
        let is_advice = self.t.kind.is_advice();
        let is_live = pre_auth.state == TxnState::Approved
            || (is_advice && pre_auth.state == TxnState::Expired);
        is_live.or(Violation::Unfounded)?;
        let is_stated = self.worth() == self.t.amount && (is_advice || self.t.suspense.is_zero());
        is_stated.or(Violation::Misstated)?;
        let held = held(self.shard, self.account, pre_auth);
        self.is_covered(&self.account.balances.available().plus(&held))
    }

    fn adjusts(&self) -> Result<(), Violation> {
        let (key, sale) = self.original()?;
        let is_live = sale.state == TxnState::Approved
            && !sale.is_refunded
            && (key.terminal, key.batch) == (self.t.key.terminal, self.t.key.batch);
        is_live.or(Violation::Unfounded)?;
        let after = sale.worth().checked_add(self.worth());
        let is_stated = self.t.amount.is_positive() && after == Some(self.t.amount);
        is_stated.or(Violation::Misstated)?;
        let back = Parts::default().minus(&self.parts);
        let is_covered = self.account.balances.available().cover(&self.parts)
            || (sale.parts.cover(&back) && self.t.suspense.negated() <= sale.suspense);
        is_covered.or(Violation::Overdrawn)
    }

    /// A void gives back all of its original.
    fn voids(&self) -> Result<(), Violation> {
        let (key, original) = self.original()?;
        let is_live = original.state == TxnState::Approved && !original.is_refunded;
        is_live.or(Violation::Unfounded)?;
        let is_stated = (key.terminal, key.batch) == (self.t.key.terminal, self.t.key.batch)
            && self.parts == original.parts
            && self.t.suspense == original.suspense
            && self.t.amount == original.worth();
        is_stated.or(Violation::Misstated)?;
        let pre_auth = used_by(self.shard, &key, original);
        check_held(self.account, pre_auth, &self.parts, &self.t.held)
    }

    /// A refund gives back what its original leaves to give.
    fn refunds(&self) -> Result<(), Violation> {
        let (_key, original) = self.original()?;
        (original.state == TxnState::Approved).or(Violation::Unfounded)?;
        let is_stated = original.parts.minus(&original.refunded).cover(&self.parts)
            && self.t.suspense <= original.suspense
            && self.t.amount == self.worth();
        is_stated.or(Violation::Misstated)
    }

    fn loads(&self) -> Result<(), Violation> {
        let (_key, verification) = self.original()?;
        let top_up = verification.follower.and_then(|key| self.shard.txn(&key));
        let is_told_again = self.t.kind == TxnKind::TopUpConfirm
            && top_up.is_some_and(|top_up| top_up.amount == self.t.amount);
        let is_live = verification.state == TxnState::Approved;
        (is_live || is_told_again).or(Violation::Unfounded)?;
        let expected =
            if is_told_again { Parts::default() } else { Parts::only(Purse::Main, self.t.amount) };
        let after = self.account.balances.ledger().money().checked_add(expected.money());
        let is_stated = self.parts == expected
            && self.t.suspense.is_zero()
            && (is_told_again || after.is_some_and(|after| after <= self.account.terms.cap()));
        is_stated.or(Violation::Misstated)
    }
}

/// Returns the pre-authorisation that this completion used up.
fn used_by<'s>(shard: &'s Shard, key: &TxnKey, completion: &Txn) -> Option<&'s Txn> {
    let first = completion.original.and_then(|key| shard.txn(&key))?;
    let is_used = first.kind == TxnKind::PreAuth
        && first.state == TxnState::Used
        && first.follower == Some(*key);
    is_used.then_some(first)
}

/// Checks what is set aside again for a pre-authorisation: all of it, or as much as the card has
/// once `back` is there.
fn check_held(
    account: &Account,
    pre_auth: Option<&Txn>,
    back: &Parts,
    held: &Parts,
) -> Result<(), Violation> {
    let available = account.balances.available().plus(back);
    let wanted = pre_auth.map_or(Amount::ZERO, |first| first.parts.money());
    let order = account.terms.draw.iter().copied();
    let (there_is, _missing) = available.draw_up_to(order, wanted);
    let is_stated = held.of(Purse::Points).is_zero() && held.money() == there_is.money();
    is_stated.or(Violation::Misstated)?;
    available.cover(held).or(Violation::Overdrawn)
}

/// Checks an entry of a transaction that was undone.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is reversible and left is a void")]
pub(super) fn check_reversed(shard: &Shard, r: &Reversed) -> Result<(), Violation> {
    (r.date == shard.date()).or(Violation::Misdated)?;
    let txn = shard.txn(&r.key).ok_or(Violation::Unfounded)?;
    let is_same = txn.kind == r.kind && txn.card == r.card && txn.merchant == r.merchant;
    let is_alive = txn.state == TxnState::Approved && !txn.is_refunded;
    (is_same && is_alive && r.kind.is_reversible()).or(Violation::Unfounded)?;
    let account = shard.account(r.card).ok_or(Violation::Unfounded)?;
    let available = account.balances.available();
    let original = txn.original.and_then(|key| shard.txn(&key));
    let holds_again = matches!(r.kind, TxnKind::Completion | TxnKind::PreAuthVoid);
    (holds_again || r.held == Parts::default()).or(Violation::Misstated)?;
    match r.kind {
        TxnKind::Sale | TxnKind::PointsSale | TxnKind::Completion => {
            (r.parts == txn.parts && r.suspense == txn.suspense).or(Violation::Misstated)?;
            check_held(account, used_by(shard, &r.key, txn), &r.parts, &r.held)
        }
        TxnKind::PreAuth => {
            let held = held(shard, account, original.unwrap_or(txn));
            // Of an addition, as much as is then set aside beyond what is still authorised.
            let left = original.map_or(Amount::ZERO, |first| {
                first.parts.money().minus(txn.parts.money()).max(Amount::ZERO)
            });
            let freed = held.money().minus(left).max(Amount::ZERO);
            let is_stated = held.cover(&r.parts) && r.parts.money() == freed;
            (is_stated && r.suspense.is_zero()).or(Violation::Misstated)
        }
        TxnKind::PreAuthVoid => {
            let is_voided = original.is_some_and(|first| first.state == TxnState::Voided);
            is_voided.or(Violation::Unfounded)?;
            (r.parts == Parts::default() && r.suspense.is_zero()).or(Violation::Misstated)?;
            check_held(account, original, &Parts::default(), &r.held)
        }
        TxnKind::Activation => {
            let moves_nothing = r.parts == Parts::default() && r.suspense.is_zero();
            (moves_nothing && account.status == CardStatus::Active).or(Violation::Misstated)
        }
        _ => {
            let sale = original.filter(|sale| sale.state == TxnState::Voided);
            let sale = sale.ok_or(Violation::Unfounded)?;
            let worth = worth_of(r.kind, &r.parts).plus(r.suspense);
            (worth == txn.amount).or(Violation::Misstated)?;
            let pre_auth = sale.original.and_then(|key| shard.txn(&key));
            let held = pre_auth.filter(|p| p.state == TxnState::Approved);
            let held = held.map(|p| self::held(shard, account, p)).unwrap_or_default();
            available.plus(&held).cover(&r.parts).or(Violation::Overdrawn)
        }
    }
}
