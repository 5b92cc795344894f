//! The rules of money, as tables.
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

use domain::shard::{Command, Event, Request, Reversal, Shard};
use domain::terms::{Amount, BatchNo, BusinessDate, Refusal, ShardNo, Stan, Timestamp};
use domain::txn::{TxnKey, TxnKind};
use script::check;

#[test]
fn a_sale_takes_money_once() {
    check(
        "
        card A main=10000
        sale 1 A 6000            | ok A=4000 M1=6000 detail=6000+0
        sale 2 A 4001            | -InsufficientFunds A=4000
        sale 3 A 0               | -InvalidAmount
        sale 4 A -1              | -InvalidAmount
        sale 5 A 90001           | -AmountLimit A=4000
        sale 6 A 999999999999    | -AmountLimit A=4000
        sale 7 nobody 1          | -UnknownCard noted
        sale 8 A 4000 at=T3      | ok A=0 M1=6000 M2=4000
        sale 9 A 1               | -InsufficientFunds A=0
        card B main=90000
        sale 10 B 90000          | ok B=0
        ",
    );
}

#[test]
fn a_copy_is_answered_as_the_first_was() {
    check(
        "
        card A main=10000
        card B main=10000
        sale 1 A 6000             | ok A=4000
        sale 1 A 6000             | again A=4000
        sale 1 A 6001             | -DuplicateDiffers quiet A=4000
        sale 1 B 6000             | -DuplicateDiffers quiet B=10000
        sale 1 A 6000 merchant=M2 | -DuplicateDiffers quiet A=4000
        inquiry 1 A               | -DuplicateDiffers quiet
        refund 1 A 6000 of=1      | -DuplicateDiffers quiet A=4000
        sale 1 A 6000 at=T2       | -InsufficientFunds
        sale 1 A 3000 at=T3       | ok A=1000
        sale 2 A 5000             | -InsufficientFunds
        void 3 A 6000 of=1        | ok A=7000
        sale 2 A 5000             | again A=7000
        sale 1 A 6000             | again A=7000
        void 3 A 6000 of=1        | again A=7000
        void 3 A 6000 of=2        | -DuplicateDiffers quiet
        reverse 3 A 6000 as=void  | ok A=1000
        void 3 A 6000 of=1        | -OriginalReversed quiet A=1000
        sale 1 A 6000             | again A=1000
        inquiry 4 A               | ok noted detail=1000/1000
        inquiry 4 A               | ok noted detail=1000/1000
        sale 4 A 100              | ok A=900
        inquiry 4 A               | -DuplicateDiffers quiet
        ",
    );
}

#[test]
fn a_request_of_a_closed_batch_can_only_be_a_repeat() {
    check(
        "
        card A main=10000
        sale 1 A 6000                     | ok noted A=4000
        sale 2 A 9000                     | -InsufficientFunds noted A=4000
        sale 1 A 6000 closed              | ok quiet A=4000
        sale 2 A 9000 closed              | -InsufficientFunds quiet A=4000
        sale 3 A 100 closed               | -BatchDiffers quiet A=4000
        sale 3 A 100                      | ok noted A=3900
        ",
    );
}

#[test]
fn a_void_undoes_a_sale_of_the_open_batch() {
    check(
        "
        card A main=10000
        card B main=10000
        card Z elsewhere main=10000
        sale 1 A 6000                     | ok A=4000 M1=6000
        void 2 A 6000 of=7                | -OriginalNotFound A=4000
        void 3 A 6000 of=1 rrn=none       | -OriginalNotFound A=4000
        void 4 A 6000 of=1 rrn=2          | -OriginalNotFound A=4000
        void 5 A 6000 of=1 badauth        | -OriginalNotFound A=4000
        void 6 A 6000 of=1 at=T2          | -OriginalNotFound A=4000
        void 7 B 6000 of=1                | -CardDiffers A=4000 B=10000
        void 8 Z 6000 of=1 othercard      | -CardDiffers A=4000 Z=10000
        void 9 Z 6000 of=1                | -OriginalNotFound A=4000 Z=10000
        void 10 A 5999 of=1               | -AmountDiffers A=4000
        void 11 A 6000 of=1 merchant=M2   | -MerchantDiffers A=4000
        void 12 A 6000 of=12              | -OriginalNotFound A=4000
        void 13 A 6000 of=10              | -OriginalOutOfReach A=4000
        void 14 A 6000 of=1               | ok A=10000 M1=0 detail=6000+0
        void 15 A 6000 of=1               | -OriginalVoided A=10000
        void 16 A 6000 of=14              | -OriginalOutOfReach A=10000
        refund 17 A 6000 of=1 at=T2       | -OriginalNotFound A=10000
        refund 18 A 6000 of=T1/1/1 at=T2  | -OriginalVoided A=10000
        sale 19 A 20000                   | -InsufficientFunds
        void 20 A 20000 of=19             | -OriginalRefused A=10000
        sale 21 A 100                     | ok A=9900
        close 1                           | ok
        void 22 A 100 of=1/21             | -OriginalOutOfReach A=9900
        void 23 A 100 of=1/21 batch=1     | ok A=10000
        ",
    );
}

#[test]
fn refunds_return_a_sale_up_to_its_amount() {
    check(
        "
        card A main=10000
        card B main=10000
        sale 1 A 6000                        | ok A=4000 M1=6000
        sale 2 A 4000                        | ok A=0
        refund 3 A 100 of=1                  | -OriginalOutOfReach A=0
        refund 1 A 100 of=T1/1/1 at=T2       | ok A=100 M1=9900
        void 4 A 6000 of=1                   | -OriginalRefunded A=100
        reverse 1 A 6000                     | -OriginalRefunded quiet A=100
        close 1                              | ok
        refund 5 A 1900 of=1/1               | ok A=2000 M1=8000 detail=1900+0
        refund 5 A 1900 of=1/1               | again A=2000
        refund 6 A 4001 of=1/1               | -AmountDiffers A=2000
        refund 7 A 0 of=1/1                  | -InvalidAmount A=2000
        refund 8 A -5 of=1/1                 | -InvalidAmount A=2000
        refund 9 A 999999999999 of=1/1       | -AmountDiffers A=2000
        refund 10 B 4000 of=1/1              | -CardDiffers A=2000 B=10000
        refund 11 A 4000 of=T1/1/1 at=T3     | -MerchantDiffers A=2000
        refund 12 A 4000 of=1/1              | ok A=6000 M1=4000
        refund 13 A 1 of=1/1                 | -AmountDiffers A=6000
        refund 14 A 1900 of=5                | -OriginalNotFound A=6000
        reverse 12 A 4000 as=refund          | -OriginalOutOfReach quiet A=6000
        refund 15 A 4000 of=1/2 rrn=1        | -OriginalNotFound A=6000
        refund 16 A 4000 of=1/2              | ok A=10000 M1=0
        ",
    );
}

#[test]
fn a_refund_comes_in_time_and_below_the_ceiling() {
    check(
        "
        card A main=10000 days=3
        card C main=10000 days=0
        sale 1 A 1000               | ok
        sale 2 A 1000               | ok
        sale 1 C 1000 at=T2         | ok
        close 1                     | ok
        date 2026-11-25
        refund 3 A 1000 of=1/1      | ok A=9000
        date 2026-11-26
        refund 4 A 1000 of=1/2      | -RefundTooLate A=9000
        date 2026-12-05
        refund 5 A 1000 of=1/2      | -RefundTooLate A=9000
        date 2026-12-06
        refund 6 A 1000 of=1/2      | -OriginalNotFound A=9000
        refund 7 C 1000 of=T2/1/1   | ok C=10000

        card D main=100001          | -BalanceCap
        card E main=100000
        card F named main=500001    | -BalanceCap
        card G named main=250000 bonus=250000
        card H main=90000 bonus=10001 | -BalanceCap
        card I main=100 held=101    | -InvalidAmount
        card J main=-1              | -InvalidAmount
        card K main=120000 anyway
        sale 20 K 40000             | ok K=80000
        close 2                     | ok
        refund 21 K 20001 of=2/20   | -BalanceCap K=80000
        refund 22 K 20000 of=2/20   | ok K=100000
        refund 23 K 1 of=2/20       | -BalanceCap K=100000
        ",
    );
}

#[test]
fn a_reversal_undoes_what_nobody_saw() {
    check(
        "
        card A main=10000
        card B main=10000
        reverse 1 A 6000              | -OriginalNotFound noted
        reverse 1 A 6000              | -OriginalNotFound quiet
        sale 1 A 6000                 | -OriginalReversed quiet A=10000
        sale 1 A 7000                 | -OriginalReversed quiet A=10000
        sale 1 B 6000                 | -DuplicateDiffers quiet B=10000
        void 9 A 6000 of=1            | -OriginalNotFound A=10000
        sale 2 A 6000                 | ok A=4000 M1=6000
        reverse 2 A 5999              | -AmountDiffers quiet A=4000
        reverse 2 A 6001              | -AmountDiffers quiet A=4000
        reverse 2 A 6000 merchant=M2  | -OriginalNotFound quiet A=4000
        reverse 2 B 6000              | -OriginalNotFound quiet A=4000 B=10000
        reverse 2 A 6000 as=void      | -OriginalOutOfReach quiet A=4000
        reverse 2 A 6000              | ok noted A=10000 M1=0
        reverse 2 A 6000              | ok quiet A=10000 M1=0
        sale 2 A 6000                 | -OriginalReversed quiet A=10000
        void 3 A 6000 of=2            | -OriginalReversed A=10000
        refund 3 A 6000 of=T1/1/2 at=T2 | -OriginalReversed A=10000
        sale 4 A 10001                | -InsufficientFunds
        reverse 4 A 10001             | ok quiet A=10000
        sale 4 A 10001                | again
        sale 5 A 100                  | ok
        void 6 A 100 of=5             | ok
        reverse 5 A 100               | -OriginalVoided quiet A=10000
        sale 7 A 100                  | ok
        refund 1 A 40 of=T1/1/7 at=T2 | ok
        reverse 7 A 100               | -OriginalRefunded quiet A=9940
        sale 8 A 100                  | ok A=9840
        inquiry 10 A                  | ok
        reverse 10 A 0 as=inquiry     | -OriginalNotFound noted
        inquiry 10 A                  | -OriginalReversed quiet
        reverse 11 A 0 as=inquiry     | -OriginalNotFound noted
        sale 11 A 100                 | -OriginalReversed quiet A=9840
        reverse 12 nobody 5           | -OriginalNotFound noted
        sale 12 nobody 5              | -OriginalReversed quiet
        reverse 13 A 50 as=refund     | -OriginalNotFound noted
        refund 13 A 50 of=T1/1/7      | -OriginalReversed quiet A=9840
        close 1                       | ok
        reverse 8 A 100 batch=1       | -OriginalOutOfReach quiet A=9840
        reverse 2 A 6000 batch=1      | ok quiet A=9840
        reverse 4 A 10001 batch=1     | ok quiet A=9840
        ",
    );
}

#[test]
fn a_reversed_void_makes_the_sale_live_again() {
    check(
        "
        card A main=10000
        sale 1 A 6000             | ok A=4000 M1=6000
        void 2 A 6000 of=1        | ok A=10000 M1=0
        reverse 2 A 5000 as=void  | -AmountDiffers quiet
        reverse 2 A 6000          | -OriginalOutOfReach quiet
        reverse 2 A 6000 as=void  | ok A=4000 M1=6000
        reverse 2 A 6000 as=void  | ok quiet A=4000 M1=6000
        void 3 A 6000 of=1        | ok A=10000 M1=0
        reverse 2 A 6000 as=void  | ok quiet A=10000 M1=0
        reverse 3 A 6000 as=void  | ok A=4000 M1=6000
        reverse 1 A 6000          | ok A=10000 M1=0
        reverse 3 A 6000 as=void  | ok quiet A=10000
        void 4 A 6000 of=1        | -OriginalReversed A=10000
        void 5 A 6000 of=99       | -OriginalNotFound
        reverse 5 A 6000 as=void  | ok quiet A=10000
        ",
    );
}

#[test]
fn suspense_bears_what_a_card_no_longer_has() {
    check(
        "
        card A main=10000
        sale 1 A 6000             | ok A=4000
        void 2 A 6000 of=1        | ok A=10000 M1=0
        sale 3 A 9000             | ok A=1000 M1=9000
        reverse 2 A 6000 as=void  | ok A=0 M1=15000 suspense=-5000
        sale 4 A 1                | -InsufficientFunds A=0
        void 5 A 6000 of=1        | ok A=1000 M1=9000 suspense=0 detail=1000+0
        reverse 5 A 6000 as=void  | ok A=0 M1=15000 suspense=-5000
        void 6 A 9000 of=3        | ok A=9000 M1=6000
        reverse 1 A 6000          | ok A=10000 M1=0 suspense=0
        reverse 1 A 6000          | ok quiet A=10000 suspense=0

        sale 11 A 6000            | ok
        void 12 A 6000 of=11      | ok A=10000
        sale 13 A 9000            | ok A=1000
        reverse 12 A 6000 as=void | ok A=0 M1=15000 suspense=-5000
        refund 1 A 2000 of=T1/1/11 at=T2 | ok A=0 M1=13000 suspense=-3000 detail=0+0
        void 14 A 6000 of=11      | -OriginalRefunded
        reverse 11 A 6000         | -OriginalRefunded
        close 1                   | ok
        refund 15 A 3500 of=1/11  | ok A=500 M1=9500 suspense=0 detail=500+0
        refund 16 A 501 of=1/11   | -AmountDiffers
        refund 17 A 500 of=1/11   | ok A=1000 M1=9000
        refund 18 A 1 of=1/11     | -AmountDiffers
        ",
    );
}

#[test]
fn held_money_is_owned_but_not_spent() {
    check(
        "
        card A main=10000 bonus=500 held=7000
        inquiry 1 A              | ok detail=3500/10500
        sale 2 A 3501            | -InsufficientFunds A.free=3500
        sale 3 A 3500            | ok A.free=0 A=7000 detail=3000+500
        void 4 A 3500 of=3       | ok A.free=3500
        sale 5 A 3400            | ok A.free=100
        reverse 4 A 3500 as=void | ok A.free=0 A=7000 suspense=-3400

        card B main=100 bonus=100 heldbonus=90
        sale 6 B 111             | -InsufficientFunds B.free=110
        sale 7 B 60              | ok B.main=50 B.bonus=90 detail=50+10
        ",
    );
}

#[test]
fn bonus_pays_first_and_main_comes_back_first() {
    check(
        "
        card A main=1000 bonus=1000
        sale 1 A 2000            | ok A=0 detail=1000+1000
        close 1                  | ok
        refund 2 A 1500 of=1/1   | ok A.main=1000 A.bonus=500 detail=1000+500
        refund 3 A 500 of=1/1    | ok A.main=1000 A.bonus=1000 detail=0+500

        sale 4 A 1200            | ok A.main=800 A.bonus=0 detail=200+1000
        void 5 A 1200 of=4       | ok A.main=1000 A.bonus=1000
        sale 6 A 1500            | ok A.main=500 A.bonus=0
        reverse 5 A 1200 as=void | ok A.main=0 A.bonus=0 suspense=-700
        void 7 A 1500 of=6       | ok A.main=500 A.bonus=1000
        reverse 4 A 1200         | ok A.main=1000 A.bonus=1000 suspense=0
        ",
    );
}

#[test]
fn wrong_pins_are_counted_once_and_forgiven_by_a_right_one() {
    check(
        "
        card A main=10000 pin=always
        sale 1 A 10              | -PinMissing A.pins=0
        sale 2 A 10 pin=wrong    | -WrongPin A.pins=1
        sale 2 A 10 pin=wrong    | again A.pins=1
        sale 2 A 10 pin=right    | again A.pins=1
        inquiry 3 A pin=wrong    | -WrongPin A.pins=2
        sale 4 A 99999 pin=right | -AmountLimit A.pins=0
        sale 5 A 10 pin=wrong    | -WrongPin A.pins=1
        void 6 A 10 of=5 pin=wrong | -WrongPin A.pins=2
        sale 7 A 0 pin=wrong     | -WrongPin A.pins=3
        sale 8 A 10 pin=right    | -PinTriesExceeded A.pins=3 A=10000
        sale 9 A 10 pin=wrong    | -PinTriesExceeded A.pins=3
        inquiry 10 A pin=right   | -PinTriesExceeded A.pins=3
        refund 11 A 10 of=5 pin=right | -PinTriesExceeded A.pins=3

        card B main=10000 pin=500
        sale 21 B 500            | ok
        sale 22 B 501            | -PinMissing
        sale 23 B 501 pin=right  | ok
        inquiry 24 B             | ok

        card C main=10000 status=Frozen
        sale 31 C 10 pin=wrong   | -CardFrozen C.pins=0
        ",
    );
}

#[test]
fn a_card_that_may_not_pay_may_still_be_paid() {
    check(
        "
        card L main=100 status=Lost
        card S main=100 status=Sold
        card F main=100 status=Frozen
        card C main=100 status=Cancelled
        card X main=100 expiry=2610
        card N main=100 expiry=2611
        sale 1 L 1               | -CardLost
        sale 2 S 1               | -CardNotActive
        sale 3 F 1               | -CardFrozen
        sale 4 C 1               | -CardCancelled
        sale 5 X 1               | -CardExpired
        inquiry 6 L              | -CardLost
        sale 7 N 1               | ok
        void 8 C 1 of=7          | -CardCancelled
        void 9 F 1 of=7          | -CardDiffers
        date 2026-12-01
        sale 10 N 1              | -CardExpired
        void 11 N 1 of=7         | ok N=100
        ",
    );
}

#[test]
fn what_nothing_refers_to_is_forgotten_and_no_date_goes_back() {
    check(
        "
        card A main=10000
        sale 1 A 6000                    | ok A=4000
        sale 2 A 5000                    | -InsufficientFunds
        sale 3 A 100                     | ok
        void 4 A 100 of=3                | ok
        reverse 5 A 100                  | -OriginalNotFound noted
        date 2026-12-02
        date 2026-11-01
        inquiry 9 A                      | ok date=20261202
        sale 2 A 5000                    | again
        sale 3 A 100                     | again
        sale 5 A 100                     | -OriginalReversed quiet
        reverse 4 A 100 as=void          | ok A=3900
        void 6 A 100 of=3                | ok A=4000
        date 2026-12-03
        sale 1 A 6000                    | again A=4000
        reverse 2 A 5000                 | -OriginalNotFound noted
        void 7 A 100 of=3                | -OriginalNotFound
        void 6 A 100 of=3                | again A=4000
        date 2026-12-22
        close 1                          | ok
        refund 8 A 6000 of=1/1           | ok A=10000
        ",
    );
}

#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    let card = fixtures::cards_of(ShardNo(0)).next().unwrap();
    let mut shard = Shard::new(ShardNo(0));
    shard.apply(&Event::CardIssued(Box::new(fixtures::card(card, fixtures::purses(90_000, 0)))));
    shard.apply(&Event::CutOff(script::first_date()));
    let mut sizes = Vec::new();
    for year in [2028, 2029, 2030] {
        let asked = [(TxnKind::Sale, 10), (TxnKind::PreAuth, 20), (TxnKind::Sale, 90_001)];
        for (number, (kind, fen)) in (1..).zip(asked) {
            let key = TxnKey {
                terminal: fixtures::terminal(1),
                batch: BatchNo::FIRST,
                stan: Stan::new(number).unwrap(),
            };
            let asked = fixtures::request(key, kind, card);
            let request = Request { amount: Amount::from_fen(fen), ..asked };
            let decision = shard.decide(&Command::Transact(request), Timestamp(1));
            shard.apply(&decision.event.unwrap());
        }
        assert_eq!(shard.txns().len(), 3);
        shard.apply(&Event::CutOff(BusinessDate::new(year, 2, 1).unwrap()));
        assert_eq!(shard.txns().len(), 0);
        sizes.push(postcard::to_stdvec(&shard).unwrap().len());
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[test]
fn a_card_of_another_shard_is_not_barred_here() {
    let card = fixtures::cards_of(ShardNo(1)).next().unwrap();
    let key = TxnKey {
        terminal: fixtures::terminal(1),
        batch: BatchNo::FIRST,
        stan: Stan::new(1).unwrap(),
    };
    let reversal = |card| {
        let (kind, amount) = (TxnKind::Sale, Amount::from_fen(1));
        let merchant = fixtures::merchant(1);
        Command::Reverse(Reversal { key, kind, card, merchant, amount, batch_is_open: true })
    };
    let here = Shard::new(ShardNo(0)).decide(&reversal(card), Timestamp(1));
    assert_eq!((here.answer.verdict, here.event), (Err(Refusal::OriginalNotFound), None));
    let at_home = Shard::new(ShardNo(1)).decide(&reversal(card), Timestamp(1));
    assert!(at_home.event.is_some());
}
