//! The checks a request must pass, in one order.
//!
//! The first check that refuses wins. Before these stand the ones that need no card, in the
//! switch: format, message code, terminal, merchant, BIN.
//!
//! | rank | check | refuses with |
//! |---|---|---|
//! | 1 | state of the card | not active, frozen, lost, cancelled |
//! | 2 | expiry | expired |
//! | 3 | PIN tries | PIN tries exceeded |
//! | 4 | PIN | wrong PIN, PIN missing |
//! | 5 | amount | invalid amount, amount limit |
//! | 6 | balance | insufficient funds |

use crate::issuing::{Account, Terms};
use crate::terms::{Amount, BusinessDate, Refusal};

/// What the key side found out about the PIN of a request. The shard alone decides what becomes
/// of it, because the count of tries is part of the account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PinFact {
    /// The request carries no PIN.
    Absent,
    /// The PIN is that of the card.
    Right,
    /// The PIN, its block or its binding to the card is wrong.
    Wrong,
}

/// What is asked of a card, as far as the checks need it.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// What was found out about the PIN.
    pub pin: PinFact,
    /// The amount that leaves the card; `None` where none moves or it comes back.
    pub debit: Option<Amount>,
    /// The business date of the shard.
    pub date: BusinessDate,
}

type Check = fn(&Account, &Ask) -> Option<Refusal>;

/// The checks in their order; see the module's table.
#[rustfmt::skip]
pub static ORDER: &[(&str, Check)] = &[
    ("state of the card", |account, _ask| account.status.refusal()),
    ("expiry",            |account, ask| account.expiry.is_over_on(ask.date).then_some(Refusal::CardExpired)),
    ("PIN tries",         |account, _ask| (account.wrong_pins >= Terms::PIN_TRIES).then_some(Refusal::PinTriesExceeded)),
    ("PIN",               pin),
    ("amount",            amount),
    ("balance",           balance),
];

/// Returns the refusal of the first check that refuses.
#[must_use]
pub fn first_refusal(account: &Account, ask: &Ask) -> Option<Refusal> {
    ORDER.iter().find_map(|(_name, check)| check(account, ask))
}

fn pin(account: &Account, ask: &Ask) -> Option<Refusal> {
    match ask.pin {
        PinFact::Right => None,
        PinFact::Wrong => Some(Refusal::WrongPin),
        PinFact::Absent => {
            let debit = ask.debit.unwrap_or(Amount::ZERO);
            account.terms.pin.demands(debit).then_some(Refusal::PinMissing)
        }
    }
}

fn amount(account: &Account, ask: &Ask) -> Option<Refusal> {
    match ask.debit {
        Some(debit) if !debit.is_positive() => Some(Refusal::InvalidAmount),
        Some(debit) if debit > account.terms.transaction_max => Some(Refusal::AmountLimit),
        Some(_) | None => None,
    }
}

fn balance(account: &Account, ask: &Ask) -> Option<Refusal> {
    let debit = ask.debit?;
    let order = account.terms.draw.iter().copied();
    account.balances.available().draw(order, debit).is_none().then_some(Refusal::InsufficientFunds)
}
