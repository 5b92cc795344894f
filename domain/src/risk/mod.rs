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
//! | 5 | rights of the product | card may not |
//! | 6 | acceptance | merchant not accepted |
//! | 7 | amount of one transaction | invalid amount, amount limit |
//! | 8 | amount and count of day and month | amount limit, count limit |
//! | 9 | balance | insufficient funds |

use crate::issuing::{Account, MerchantTraits, Right, Terms};
use crate::ledger::Purse;
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

/// What leaves the card, or is set aside on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Debit {
    /// Nothing: something is asked, or comes in.
    None,
    /// This money, or as much of it as there is if a part will do.
    Money(Amount, Enough),
    /// This many points.
    Points(Amount),
}

/// How much of an amount must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Enough {
    /// All of it.
    All,
    /// Any of it.
    Part,
}

/// What is asked of a card, as far as the checks need it.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// What was found out about the PIN.
    pub pin: PinFact,
    /// Whether a PIN may be missing, whatever the product says.
    pub pin_is_waived: bool,
    /// What leaves the card.
    pub debit: Debit,
    /// What the product must let its cards do.
    pub rights: [Option<Right>; 2],
    /// The merchant.
    pub merchant: MerchantTraits,
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
    ("rights",            rights),
    ("acceptance",        |account, ask| (!account.terms.acceptance.admits(&ask.merchant)).then_some(Refusal::MerchantNotAccepted)),
    ("amount",            amount),
    ("day and month",     day_and_month),
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
        PinFact::Absent if ask.pin_is_waived => None,
        PinFact::Absent => {
            let debit = match ask.debit {
                Debit::Money(amount, _) => amount,
                Debit::Points(_) | Debit::None => Amount::ZERO,
            };
            account.terms.pin.demands(debit).then_some(Refusal::PinMissing)
        }
    }
}

fn rights(account: &Account, ask: &Ask) -> Option<Refusal> {
    let mut needed = ask.rights.iter().flatten();
    needed.any(|&right| !account.terms.rights.grant(right)).then_some(Refusal::CardMayNot)
}

fn amount(account: &Account, ask: &Ask) -> Option<Refusal> {
    match ask.debit {
        Debit::Money(debit, _) | Debit::Points(debit) if !debit.is_positive() => {
            Some(Refusal::InvalidAmount)
        }
        Debit::Money(debit, _) if debit > account.terms.transaction_max => {
            Some(Refusal::AmountLimit)
        }
        Debit::Money(..) | Debit::Points(_) | Debit::None => None,
    }
}

fn day_and_month(account: &Account, ask: &Ask) -> Option<Refusal> {
    match ask.debit {
        Debit::Money(debit, _) => {
            let held = account.balances.held_in_all();
            account.spent.refusal(&account.terms.limits, ask.date, debit, held)
        }
        Debit::Points(_) | Debit::None => None,
    }
}

fn balance(account: &Account, ask: &Ask) -> Option<Refusal> {
    let available = account.balances.available();
    let is_enough = match ask.debit {
        Debit::None => true,
        Debit::Points(points) => available.of(Purse::Points) >= points,
        Debit::Money(debit, enough) => {
            let order = account.terms.draw.iter().copied();
            match enough {
                Enough::All => available.draw(order, debit).is_some(),
                Enough::Part => available.draw_up_to(order, debit).0.money().is_positive(),
            }
        }
    };
    (!is_enough).then_some(Refusal::InsufficientFunds)
}
