//! The checks a request must pass, in their order.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

mod fixtures;
mod script;

use std::sync::Arc;

use domain::issuing::{
    Acceptance, AcceptanceRule, Account, CardStatus, MerchantTraits, PinPolicy, Right, Rights,
    Terms,
};
use domain::risk::{self, Ask, Debit, Enough, PinFact};
use domain::shard::{Event, Shard};
use domain::terms::{Amount, Expiry, ShardNo};
use script::check;

/// Changes a card and what is asked of it, so that the check refuses with `refusal`.
fn provoke(refusal: &str, account: &mut Account, ask: &mut Ask) {
    match refusal {
        "CardNotActive" => account.status = CardStatus::Sold,
        "CardLost" => account.status = CardStatus::Lost,
        "CardFrozen" => account.status = CardStatus::Frozen,
        "CardCancelled" => account.status = CardStatus::Cancelled,
        "CardExpired" => account.expiry = Expiry::from_yymm(2610).unwrap(),
        "PinTriesExceeded" => account.wrong_pins = Terms::PIN_TRIES,
        "WrongPin" => ask.pin = PinFact::Wrong,
        "PinMissing" => Arc::make_mut(&mut account.terms).pin = PinPolicy::Always,
        "CardMayNot" => ask.rights[1] = Some(Right::MailOrder),
        "MerchantNotAccepted" => {
            let terms = Arc::make_mut(&mut account.terms);
            terms.acceptance = Acceptance([AcceptanceRule::Brand(7)].into());
        }
        "InvalidAmount" => ask.debit = Debit::Money(Amount::ZERO, Enough::All),
        "AmountLimit" => {
            Arc::make_mut(&mut account.terms).transaction_max = Amount::from_fen(50);
        }
        "InsufficientFunds" => ask.debit = Debit::Money(Amount::from_fen(101), Enough::All),
        other => panic!("nothing provokes {other}"),
    }
}

/// Provokes all refusals named, on a card of 100 fen that may do everything, and returns the
/// one that wins.
fn winner(refusals: &[&str]) -> Option<String> {
    let card = fixtures::cards_of(ShardNo(0)).next().unwrap();
    let mut shard = Shard::new(ShardNo(0));
    shard.apply(&Event::CardIssued(Box::new(fixtures::card(card, fixtures::purses(100, 0)))));
    let mut account = shard.account(card).unwrap().clone();
    Arc::make_mut(&mut account.terms).rights = Rights::ALL.without(Right::MailOrder);
    let mut ask = Ask {
        pin: PinFact::Absent,
        pin_is_waived: false,
        debit: Debit::Money(Amount::from_fen(100), Enough::All),
        rights: [Some(Right::Sale), None],
        merchant: MerchantTraits::default(),
        date: script::first_date(),
    };
    refusals.iter().for_each(|refusal| provoke(refusal, &mut account, &mut ask));
    risk::first_refusal(&account, &ask).map(|refusal| format!("{refusal:?}"))
}

#[test]
fn of_two_checks_that_refuse_the_earlier_wins() {
    assert_eq!(winner(&[]), None);
    let table = "
        CardNotActive     CardExpired
        CardLost          PinTriesExceeded
        CardFrozen        WrongPin
        CardCancelled     PinMissing
        CardLost          InvalidAmount
        CardFrozen        AmountLimit
        CardNotActive     InsufficientFunds
        CardExpired       PinTriesExceeded
        CardExpired       WrongPin
        CardExpired       PinMissing
        CardExpired       InvalidAmount
        CardExpired       AmountLimit
        CardExpired       InsufficientFunds
        PinTriesExceeded  WrongPin
        PinTriesExceeded  PinMissing
        PinTriesExceeded  InvalidAmount
        PinTriesExceeded  AmountLimit
        PinTriesExceeded  InsufficientFunds
        WrongPin          InvalidAmount
        WrongPin          AmountLimit
        WrongPin          InsufficientFunds
        PinMissing        InvalidAmount
        PinMissing        AmountLimit
        PinMissing        InsufficientFunds
        AmountLimit       InsufficientFunds
        CardFrozen        CardMayNot
        CardExpired       MerchantNotAccepted
        PinTriesExceeded  CardMayNot
        WrongPin          CardMayNot
        PinMissing        CardMayNot
        PinMissing        MerchantNotAccepted
        CardMayNot        MerchantNotAccepted
        CardMayNot        InvalidAmount
        CardMayNot        AmountLimit
        CardMayNot        InsufficientFunds
        MerchantNotAccepted InvalidAmount
        MerchantNotAccepted AmountLimit
        MerchantNotAccepted InsufficientFunds
    ";
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let pair: Vec<_> = row.split_whitespace().collect();
        for alone in &pair {
            assert_eq!(winner(&[alone]).as_deref(), Some(*alone), "{row}");
        }
        assert_eq!(winner(&pair).as_deref(), Some(pair[0]), "{row}");
    }
}

#[test]
fn of_two_reasons_to_give_nothing_back_the_earlier_wins() {
    check(
        "
        card A main=10000
        card B main=10000
        card X main=100 status=Cancelled
        sale 1 A 1000                              | ok
        sale 2 A 1000                              | ok
        void 3 A 1000 of=2                         | ok
        sale 4 A 1000                              | ok
        refund 1 A 10 of=T1/1/4 at=T2              | ok
        sale 5 A 60000                             | -InsufficientFunds

        void 10 X 1 of=1 pin=wrong                 | -CardCancelled
        void 11 A 1 of=99 pin=wrong                | -WrongPin
        void 12 B 1 of=1 rrn=2                     | -CardDiffers
        void 13 A 1 of=1 rrn=2 merchant=M2         | -OriginalNotFound
        void 14 A 1 of=3 merchant=M2               | -MerchantDiffers
        void 15 A 1 of=1/3 batch=2                 | -OriginalOutOfReach
        void 16 A 1 of=1/2 batch=2                 | -OriginalOutOfReach
        void 17 A 1 of=2                           | -OriginalVoided
        void 18 A 1 of=5                           | -OriginalRefused
        void 19 A 1 of=4                           | -OriginalRefunded
        void 20 A 1 of=1                           | -AmountDiffers

        refund 21 A 0 of=2                         | -OriginalVoided
        refund 22 A 0 of=1                         | -OriginalOutOfReach
        refund 23 A 0 of=T1/1/1 at=T2 rrn=2        | -OriginalNotFound

        reverse 2 B 1 as=void                      | -OriginalNotFound
        reverse 2 A 1 as=void                      | -OriginalOutOfReach
        reverse 2 A 1                              | -AmountDiffers
        reverse 5 A 1                              | -AmountDiffers
        reverse 4 A 1000                           | -OriginalRefunded
        close 1                                    | ok
        reverse 2 A 1000 batch=1                   | -OriginalVoided
        reverse 4 A 1000 batch=1                   | -OriginalRefunded
        date 2027-01-01
        refund 24 A 0 of=1/1                       | -RefundTooLate
        ",
    );
}
