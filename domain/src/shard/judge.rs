//! Whether a card may do what a request asks, and what that moves.

use super::Shard;
use super::command::{Original, Request};
use crate::faults::{self, Fault};
use crate::issuing::{Account, CardStatus, Terms};
use crate::ledger::Parts;
use crate::risk::{self, Ask, PinFact};
use crate::terms::{Amount, AuthCode, Refusal, Rrn};
use crate::txn::{Action, Txn, TxnKey, TxnKind, TxnState};

/// What an approved request moves.
pub(super) struct Moved {
    pub(super) parts: Parts,
    pub(super) suspense: Amount,
}

/// The transaction that a void or refund belongs to.
type Found<'t> = (TxnKey, &'t Txn);

impl Shard {
    /// Returns the transaction that a void or refund names, if it is remembered here.
    pub(super) fn original_of(&self, request: &Request) -> Option<Found<'_>> {
        let said = request.original?;
        let key = match request.kind {
            TxnKind::Void => {
                TxnKey { terminal: request.key.terminal, batch: said.batch?, stan: said.stan? }
            }
            TxnKind::Refund => {
                *self.sales.get(&said.rrn.filter(|rrn| rrn.shard == self.no)?.number)?
            }
            TxnKind::Sale | TxnKind::Inquiry => return None,
        };
        self.txns.get(&key).map(|txn| (key, txn))
    }

    pub(super) fn judge(
        &self,
        account: &Account,
        request: &Request,
        original: Option<Found<'_>>,
    ) -> Result<Moved, Refusal> {
        match request.kind {
            TxnKind::Sale => self.debit(account, request.pin, Some(request.amount)),
            TxnKind::Inquiry => self.debit(account, request.pin, None),
            TxnKind::Void => {
                may_take_back(account, request.pin)?;
                void(request, self.check_original(request, original)?)
            }
            TxnKind::Refund => {
                may_take_back(account, request.pin)?;
                self.refund(account, request, self.check_original(request, original)?)
            }
        }
    }

    fn debit(
        &self,
        account: &Account,
        pin: PinFact,
        debit: Option<Amount>,
    ) -> Result<Moved, Refusal> {
        let ask = Ask { pin, debit, date: self.date };
        if let Some(refusal) = risk::first_refusal(account, &ask) {
            return Err(refusal);
        }
        let order = account.terms.draw.iter().copied();
        let parts = account.balances.available().draw(order, debit.unwrap_or_default());
        Ok(Moved { parts: parts.ok_or(Refusal::InsufficientFunds)?, suspense: Amount::ZERO })
    }

    /// Checks that the original is there and is the one the request means.
    fn check_original<'t>(
        &self,
        request: &Request,
        original: Option<Found<'t>>,
    ) -> Result<Found<'t>, Refusal> {
        let said = request.original.unwrap_or_default();
        let not_found =
            if said.other_card { Refusal::CardDiffers } else { Refusal::OriginalNotFound };
        // What was barred never happened.
        let happened = original.filter(|(_key, txn)| txn.state != TxnState::Barred);
        let (key, txn) = happened.ok_or(not_found)?;
        if txn.card != request.card {
            return Err(Refusal::CardDiffers);
        }
        if !self.is_meant(&said, (key, txn)) {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.merchant != request.merchant {
            return Err(Refusal::MerchantDiffers);
        }
        if txn.kind != TxnKind::Sale {
            return Err(Refusal::OriginalOutOfReach);
        }
        Ok((key, txn))
    }

    /// True if everything that was said of the original is so.
    fn is_meant(&self, said: &Original, (key, txn): Found<'_>) -> bool {
        said.rrn == Some(Rrn::of(self.no, txn.seq))
            && said.auth.is_none_or(|auth| auth == AuthCode::of(self.no, txn.seq))
            && said.stan.is_none_or(|stan| stan == key.stan)
            && said.batch.is_none_or(|batch| batch == key.batch)
    }

    fn refund(
        &self,
        account: &Account,
        request: &Request,
        (key, original): Found<'_>,
    ) -> Result<Moved, Refusal> {
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
        let order = account.terms.draw.iter().rev().copied();
        let parts = original
            .parts
            .minus(&original.refunded)
            .draw(order, request.amount.minus(suspense))
            .ok_or(Refusal::AmountDiffers)?;
        let balance = account.balances.ledger().money();
        match balance.checked_add(parts.money()) {
            Some(sum) if sum <= account.terms.cap() => Ok(Moved { parts, suspense }),
            Some(_) | None => Err(Refusal::BalanceCap),
        }
    }
}

fn void(request: &Request, (key, original): Found<'_>) -> Result<Moved, Refusal> {
    if key.batch != request.key.batch {
        return Err(Refusal::OriginalOutOfReach);
    }
    original.state.after(Action::Void)?;
    if original.is_refunded() {
        return Err(Refusal::OriginalRefunded);
    }
    if original.amount != request.amount {
        return Err(Refusal::AmountDiffers);
    }
    Ok(Moved { parts: original.parts, suspense: original.suspense })
}

/// Checks what a card must pass to take money back: it exists to be paid, and a PIN that comes
/// is right. A lost, frozen or expired card keeps what is given back.
fn may_take_back(account: &Account, pin: PinFact) -> Result<(), Refusal> {
    if account.status == CardStatus::Cancelled {
        return Err(Refusal::CardCancelled);
    }
    match pin {
        PinFact::Absent => Ok(()),
        PinFact::Right | PinFact::Wrong if account.wrong_pins >= Terms::PIN_TRIES => {
            Err(Refusal::PinTriesExceeded)
        }
        PinFact::Right => Ok(()),
        PinFact::Wrong => Err(Refusal::WrongPin),
    }
}

/// Returns the count of wrong PINs after this request, where the request changes it. Only a
/// request that got as far as the PIN check does.
pub(super) fn wrong_pins_after(
    account: &Account,
    pin: PinFact,
    refusal: Option<Refusal>,
) -> Option<u8> {
    match (pin, refusal) {
        (PinFact::Wrong, _) if faults::is_planted(Fault::PinTriesForgotten) => None,
        (PinFact::Wrong, Some(Refusal::WrongPin)) => Some(account.wrong_pins.saturating_add(1)),
        (
            PinFact::Right,
            Some(
                Refusal::UnknownCard
                | Refusal::CardNotActive
                | Refusal::CardLost
                | Refusal::CardFrozen
                | Refusal::CardCancelled
                | Refusal::CardExpired
                | Refusal::PinTriesExceeded,
            ),
        ) => None,
        (PinFact::Right, _) => (account.wrong_pins > 0).then_some(0),
        (PinFact::Wrong | PinFact::Absent, _) => None,
    }
}
