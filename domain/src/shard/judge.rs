//! Whether a card may do what a request asks, and what that moves.

use super::Shard;
use super::command::{NewPin, Request};
use super::original::Found;
use crate::faults::{self, Fault};
use crate::issuing::{Account, CardStatus, Right, Terms};
use crate::ledger::{Parts, Purse};
use crate::risk::{self, Ask, Debit, Enough, PinFact};
use crate::terms::{Amount, Refusal};
use crate::txn::{Action, TxnKind};

/// What an approved request moves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    /// What moves or is set aside, purse by purse.
    pub(super) parts: Parts,
    /// What suspense bears, or gets back.
    pub(super) suspense: Amount,
    /// What is set aside again.
    pub(super) held: Parts,
}

impl Moved {
    pub(super) fn of(parts: Parts) -> Self {
        Self { parts, ..Self::default() }
    }
}

impl Shard {
    pub(super) fn judge(
        &self,
        account: &Account,
        request: &Request,
        original: Option<Found<'_>>,
    ) -> Result<Moved, Refusal> {
        let found = |shard: &Self| shard.check_original(request, original);
        match request.kind {
            TxnKind::Sale => self.sale(account, request),
            TxnKind::PointsSale => {
                self.check(account, request, Debit::Points(request.amount))?;
                Ok(Moved::of(Parts::only(Purse::Points, request.amount)))
            }
            TxnKind::Inquiry | TxnKind::PointsInquiry | TxnKind::Verification => {
                self.check(account, request, Debit::None).map(|()| Moved::default())
            }
            TxnKind::PreAuth => self.pre_authorise(account, request, original),
            TxnKind::PreAuthVoid => {
                may_take_back(account, request.pin)?;
                self.free(account, request, found(self)?)
            }
            TxnKind::Completion => {
                may_take_back(account, request.pin)?;
                self.complete(account, request, found(self)?)
            }
            TxnKind::CompletionAdvice => self.complete(account, request, found(self)?),
            TxnKind::OfflineSale | TxnKind::ECash => take_in(account, request),
            TxnKind::Adjustment => adjust(account, request, found(self)?),
            TxnKind::Void | TxnKind::PointsVoid | TxnKind::CompletionVoid => {
                may_take_back(account, request.pin)?;
                self.void(account, request, found(self)?)
            }
            TxnKind::Refund => {
                may_take_back(account, request.pin)?;
                self.refund(account, request, found(self)?)
            }
            TxnKind::TopUp => {
                self.check(account, request, Debit::None)?;
                load(account, request, found(self)?)
            }
            TxnKind::TopUpConfirm => self.confirm_load(account, request, found(self)?),
            TxnKind::Activation => self.activate(account, request),
            TxnKind::PinChange => self.change_pin(account, request),
            TxnKind::ScriptNotice => Ok(Moved::default()),
        }
    }

    /// Asks the checks of the one table.
    pub(super) fn check(
        &self,
        account: &Account,
        request: &Request,
        debit: Debit,
    ) -> Result<(), Refusal> {
        let kind = request.kind;
        // Who activates or loads a card need not know its PIN.
        let pin_is_waived = request.by_mail
            || matches!(
                kind,
                TxnKind::Verification
                    | TxnKind::TopUp
                    | TxnKind::TopUpConfirm
                    | TxnKind::Activation
            );
        let ask = Ask {
            pin: request.pin,
            pin_is_waived,
            debit,
            rights: [kind.right(), request.by_mail.then_some(Right::MailOrder)],
            merchant: request.traits,
            date: self.date,
        };
        risk::first_refusal(account, &ask).map_or(Ok(()), Err)
    }

    fn sale(&self, account: &Account, request: &Request) -> Result<Moved, Refusal> {
        let takes_part = request.takes_part && account.terms.rights.grant(Right::Partial);
        let enough = if takes_part { Enough::Part } else { Enough::All };
        self.check(account, request, Debit::Money(request.amount, enough))?;
        let order = account.terms.draw.iter().copied();
        let available = account.balances.available();
        if takes_part {
            return Ok(Moved::of(available.draw_up_to(order, request.amount).0));
        }
        available.draw(order, request.amount).map(Moved::of).ok_or(Refusal::InsufficientFunds)
    }

    /// A card that was sold comes into use. What it may spend then is noted: a reversal takes the
    /// card out of use again only as long as that is so.
    fn activate(&self, account: &Account, request: &Request) -> Result<Moved, Refusal> {
        match account.status {
            CardStatus::Sold => {}
            CardStatus::Active => return Err(Refusal::CardIsActive),
            CardStatus::Frozen | CardStatus::Lost | CardStatus::Cancelled => {
                return Err(account.status.refusal().unwrap_or(Refusal::CardNotActive));
            }
        }
        let active = Account { status: CardStatus::Active, ..account.clone() };
        self.check(&active, request, Debit::None)?;
        Ok(Moved::of(account.balances.available()))
    }

    fn change_pin(&self, account: &Account, request: &Request) -> Result<Moved, Refusal> {
        self.check(account, request, Debit::None)?;
        match (request.pin, request.new_pin) {
            (PinFact::Right, Some(NewPin::Fit(_))) => Ok(Moved::default()),
            (PinFact::Right, Some(NewPin::Unfit) | None) => Err(Refusal::UnfitPin),
            (PinFact::Absent | PinFact::Wrong, _) => Err(Refusal::PinMissing),
        }
    }

    /// The terminal heard nothing of a top-up and says it once more: the cash is in the till. What
    /// was loaded stays as it is; what was not, is now.
    fn confirm_load(
        &self,
        account: &Account,
        request: &Request,
        (key, verification): Found<'_>,
    ) -> Result<Moved, Refusal> {
        let follower = verification.follower.and_then(|key| self.txns.get(&key));
        match follower {
            Some(top_up) if top_up.amount == request.amount => Ok(Moved::default()),
            Some(_) => Err(Refusal::AmountDiffers),
            None => {
                self.check(account, request, Debit::None)?;
                load(account, request, (key, verification))
            }
        }
    }
}

/// Takes in what was approved without asking: the card pays what it has, suspense bears the rest.
fn take_in(account: &Account, request: &Request) -> Result<Moved, Refusal> {
    if !request.amount.is_positive() || request.amount > Amount::MESSAGE_MAX {
        return Err(Refusal::InvalidAmount);
    }
    // Who sells without asking has the limit of the product. What a chip paid happened, but no
    // purse may hold more than the law lets the largest card hold.
    let is_of_chip = request.kind == TxnKind::ECash;
    let most = if is_of_chip { Terms::CAP_NAMED } else { account.terms.transaction_max };
    if request.amount > most {
        return Err(Refusal::AmountLimit);
    }
    let order = account.terms.draw.iter().copied();
    let (parts, suspense) = account.balances.available().draw_up_to(order, request.amount);
    Ok(Moved { parts, suspense, ..Moved::default() })
}

/// Another amount for a sale of the open batch. More is drawn from the card, and borne by
/// suspense where it is not there; less goes back the way it came.
fn adjust(account: &Account, request: &Request, (key, sale): Found<'_>) -> Result<Moved, Refusal> {
    sale.state.after(Action::Change)?;
    if key.batch != request.key.batch {
        return Err(Refusal::OriginalOutOfReach);
    }
    if sale.is_refunded {
        return Err(Refusal::OriginalRefunded);
    }
    if !request.amount.is_positive() {
        return Err(Refusal::InvalidAmount);
    }
    if request.amount > percent_of(sale.approved, account.terms.tip_percent, sale.approved) {
        return Err(Refusal::AboveOriginal);
    }
    let (worth, order) = (sale.worth(), account.terms.draw.iter().copied());
    if request.amount >= worth {
        let more = request.amount.minus(worth);
        let (parts, suspense) = account.balances.available().draw_up_to(order, more);
        return Ok(Moved { parts, suspense, ..Moved::default() });
    }
    let less = worth.minus(request.amount);
    let from_suspense = sale.suspense.min(less);
    let (back, _rest) = sale.parts.draw_up_to(order.rev(), less.minus(from_suspense));
    let parts = Parts::default().minus(&back);
    Ok(Moved { parts, suspense: from_suspense.negated(), ..Moved::default() })
}

/// Returns `base` and `percent` of `amount` more, or all there can be where that is too much.
pub(super) fn percent_of(amount: Amount, percent: u16, base: Amount) -> Amount {
    let part = amount.fen().saturating_mul(i64::from(percent)).wrapping_div(100);
    base.checked_add(Amount::from_fen(part)).unwrap_or(Amount::MESSAGE_MAX)
}

/// Money comes onto the card, as far as its terms allow.
fn load(
    account: &Account,
    request: &Request,
    (_key, verification): Found<'_>,
) -> Result<Moved, Refusal> {
    verification.state.after(Action::Use)?;
    if !request.amount.is_positive() {
        return Err(Refusal::InvalidAmount);
    }
    if request.amount > room(account) {
        return Err(Refusal::BalanceCap);
    }
    Ok(Moved::of(Parts::only(Purse::Main, request.amount)))
}

/// Returns how much may be loaded onto a card.
pub(super) fn room(account: &Account) -> Amount {
    account.terms.cap().minus(account.balances.ledger().money()).max(Amount::ZERO)
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
                | Refusal::CardIsActive
                | Refusal::CardLost
                | Refusal::CardFrozen
                | Refusal::CardCancelled
                | Refusal::CardExpired
                | Refusal::PinTriesExceeded
                | Refusal::TerminalMayNot
                | Refusal::ClockDiffers,
            ),
        ) => None,
        // What does not look at the PIN opens no card that is closed to all PINs.
        (PinFact::Right, _) => (1..Terms::PIN_TRIES).contains(&account.wrong_pins).then_some(0),
        (PinFact::Wrong | PinFact::Absent, _) => None,
    }
}
