//! Loads for cash: verification, top-up and confirmation in every order, as tables.
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

use script::check;

#[test]
fn a_verification_says_how_much_may_be_loaded() {
    check(
        "
        card A main=40000
        card G named main=40000
        card N main=100 without=topup
        card L main=100 status=Lost
        card S main=100 status=Sold
        card P main=100 pin=always
        card K main=120000 anyway
        verification 1 A               | ok noted detail=room:60000
        verification 1 A               | again detail=room:60000
        verification 2 G               | ok detail=room:460000
        verification 3 N               | -CardMayNot
        verification 4 L               | -CardLost
        verification 5 S               | -CardNotActive
        verification 6 P               | ok
        verification 7 A pin=wrong     | -WrongPin A.pins=1
        verification 8 K               | ok detail=room:0
        verification 9 nobody          | -UnknownCard
        top-up 10 A 60000 of=1         | ok
        verification 1 A               | again detail=room:0
        reverse 2 G 0 as=verification  | -OriginalOutOfReach quiet
        reverse 11 A 0 as=verification | -OriginalNotFound noted
        verification 11 A              | -OriginalReversed quiet
        ",
    );
}

#[test]
fn a_top_up_follows_its_verification() {
    check(
        "
        card A main=1000 bonus=100
        card B main=1000
        card X main=1000 expiry=2611
        verification 1 A                | ok detail=room:98900
        top-up 2 A 500 of=99            | -OriginalNotFound A=1100
        top-up 3 A 500 of=1 rrn=none    | -OriginalNotFound A=1100
        top-up 4 A 500 of=1 at=T2       | -OriginalNotFound A=1100
        top-up 5 A 500 of=1 merchant=M2 | -MerchantDiffers A=1100
        top-up 6 B 500 of=1             | -CardDiffers B=1000
        top-up 7 B 500                  | -OriginalNotFound B=1000
        top-up 8 A 0 of=1               | -InvalidAmount A=1100
        top-up 9 A -5 of=1              | -InvalidAmount A=1100
        top-up 10 A 98901 of=1          | -BalanceCap A=1100
        top-up 11 A 999999999999 of=1   | -BalanceCap A=1100
        top-up 12 A 98900 of=1          | ok noted A.main=99900 A.bonus=100 M1.loads=-98900 M1=0 detail=98900+0 approved=98900 left=100000 T1.totals=0/0/0/0
        top-up 12 A 98900 of=1          | again A=100000
        top-up 12 A 98901 of=1          | -DuplicateDiffers quiet
        top-up 13 A 1 of=1              | -OriginalUsed A=100000
        reverse 12 A 98900 as=top-up    | -OriginalOutOfReach quiet A=100000
        reverse 14 A 5 as=top-up        | -OriginalNotFound noted
        top-up 14 A 5 of=1              | -OriginalReversed quiet
        sale 15 A 100                   | ok A.bonus=0
        top-up 16 A 5 of=15             | -OriginalOutOfReach
        void 17 A 98900 of=12           | -OriginalOutOfReach
        refund 18 A 5 of=T1/1/12 at=T2  | -OriginalNotFound
        verification 20 X               | ok
        verification 21 B               | ok
        date 2026-12-01
        top-up 22 X 5 of=20             | -CardExpired
        top-up 23 B 5 of=21 pin=wrong   | -WrongPin B=1000
        date 2026-12-03
        top-up 24 B 5 of=21             | -OriginalNotFound
        ",
    );
}

#[test]
fn a_confirmation_after_the_top_up_moves_nothing() {
    check(
        "
        card A main=1000
        verification 1 A                  | ok
        top-up 2 A 500 of=1               | ok A=1500
        top-up-confirm 3 A 501 of=1       | -AmountDiffers A=1500
        top-up-confirm 4 A 500 of=1       | ok noted A=1500 M1.loads=-500 approved=500 detail=0+0 left=1500
        top-up-confirm 4 A 500 of=1       | again A=1500
        top-up-confirm 5 A 500 of=1       | ok A=1500
        top-up-confirm 2 A 500 of=1       | again A=1500 approved=500 detail=500+0
        top-up-confirm 2 A 501 of=1       | -DuplicateDiffers quiet
        sale 6 A 1500                     | ok A=0
        top-up-confirm 7 A 500 of=1       | ok A=0 left=0
        reverse 4 A 500 as=top-up-confirm | -OriginalOutOfReach quiet
        reverse 8 A 500 as=top-up-confirm | -OriginalNotFound noted
        top-up-confirm 8 A 500 of=1       | -OriginalReversed quiet
        ",
    );
}

#[test]
fn a_confirmation_of_a_lost_top_up_loads() {
    check(
        "
        card A main=1000
        card B main=1000
        verification 1 A                         | ok
        top-up-confirm 2 A 98999 of=1 rrn=none   | -OriginalNotFound
        top-up-confirm 3 A 99001 of=1            | -BalanceCap A=1000
        top-up-confirm 4 A 0 of=1                | -InvalidAmount A=1000
        top-up-confirm 5 A 500 of=1              | ok noted A=1500 M1.loads=-500 detail=500+0
        top-up-confirm 5 A 500 of=1              | again A=1500
        top-up-confirm 6 A 500 of=1              | ok A=1500
        top-up-confirm 7 A 400 of=1              | -AmountDiffers A=1500
        top-up 8 A 500 of=1                      | -OriginalUsed A=1500
        top-up-confirm 9 A 500 of=99             | -OriginalNotFound
        top-up-confirm 10 B 500 of=1             | -CardDiffers
        top-up-confirm 11 A 500 of=1 merchant=M2 | -MerchantDiffers

        verification 20 B                        | ok
        top-up-confirm 21 B 500 of=20            | ok B=1500
        top-up 21 B 500 of=20                    | -DuplicateDiffers quiet B=1500
        ",
    );
}

#[test]
fn a_confirmation_under_the_number_of_a_refused_top_up_is_refused() {
    check(
        "
        card A main=100000
        verification 1 A            | ok detail=room:0
        top-up 2 A 500 of=1         | -BalanceCap A=100000
        top-up-confirm 2 A 500 of=1 | -BalanceCap quiet A=100000
        sale 3 A 500                | ok A=99500
        top-up-confirm 2 A 500 of=1 | -BalanceCap quiet A=99500
        top-up-confirm 4 A 500 of=1 | ok A=100000
        ",
    );
}
