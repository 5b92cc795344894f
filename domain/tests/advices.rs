//! What was approved without asking, and sales that get another amount, as tables.
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
fn an_offline_sale_is_taken_in_whatever_the_card_has() {
    check(
        "
        card A main=100 bonus=50
        card L main=100 status=Lost
        card F main=100 status=Frozen
        card X main=100 expiry=2610
        card S main=100 status=Sold
        card C main=100 status=Cancelled
        card P main=100 pin=always
        card N main=100 without=offline,sale
        offline-sale 1 A 120             | ok noted A=30 M1=120 detail=70+50 approved=120 left=30
        offline-sale 1 A 120             | again A=30
        offline-sale 1 A 121             | -DuplicateDiffers quiet
        offline-sale 2 A 100             | ok A=0 M1=220 suspense=-70 approved=100
        offline-sale 3 A 100             | ok A=0 M1=320 suspense=-170
        offline-sale 4 A 0               | -InvalidAmount
        offline-sale 5 A -1              | -InvalidAmount
        offline-sale 6 A 90001           | -AmountLimit M1=320
        offline-sale 7 nobody 10         | -UnknownCard noted
        offline-sale 8 L 10              | ok L=90
        offline-sale 9 F 10              | ok F=90
        offline-sale 10 X 10             | ok X=90
        offline-sale 11 S 10             | ok S=90
        offline-sale 12 C 10             | ok C=90
        offline-sale 13 P 10             | ok P=90
        offline-sale 14 N 10             | ok N=90
        reverse 1 A 120 as=offline-sale  | -OriginalOutOfReach quiet A=0
        reverse 15 A 120 as=offline-sale | -OriginalNotFound noted
        offline-sale 15 A 120            | -OriginalReversed quiet A=0
        void 16 A 100 of=2               | ok A=30 M1=290 suspense=-100
        void 17 A 100 of=2               | -OriginalVoided
        reverse 16 A 100 as=void         | ok A=0 M1=390 suspense=-170
        close 1                          | ok
        refund 18 A 60 of=1/3            | ok A=0 M1=330 suspense=-110
        refund 19 A 41 of=1/3            | -AmountDiffers
        refund 20 A 40 of=1/3            | ok A=0 suspense=-70
        refund 21 A 120 of=1/1           | ok A=120 suspense=-70
        ",
    );
}

#[test]
fn what_paid_from_the_chip_is_always_taken_in() {
    check(
        "
        card A main=100
        card C main=100 status=Cancelled
        e-cash 1 A 60             | ok noted A=40 M1=60
        e-cash 1 A 60             | again
        e-cash 2 A 100000         | ok A=0 suspense=-99960
        e-cash 3 A 999999999999   | -AmountLimit A=0
        e-cash 4 C 150            | ok C=0
        e-cash 5 A 0              | -InvalidAmount
        e-cash 6 A 1000000000000  | -InvalidAmount
        e-cash 7 nobody 60        | -UnknownCard noted
        void 8 A 60 of=1          | -OriginalOutOfReach
        adjustment 9 A 61 of=1    | -OriginalOutOfReach
        reverse 1 A 60 as=e-cash  | -OriginalOutOfReach quiet
        reverse 10 A 60 as=e-cash | -OriginalNotFound noted
        e-cash 10 A 60            | -OriginalReversed quiet
        close 1                   | ok
        refund 11 A 60 of=1/1     | ok A=60
        ",
    );
}

#[test]
fn an_adjustment_gives_a_sale_another_amount() {
    check(
        "
        card A main=1000 bonus=100
        card B main=1000
        sale 1 A 500                         | ok A=600 M1=500 T1.totals=500/1/0/0 detail=400+100
        adjustment 2 A 600 of=1              | ok noted A=500 M1=600 T1.totals=600/1/0/0 approved=600 left=500
        adjustment 2 A 600 of=1              | again A=500
        adjustment 3 A 601 of=1              | -AboveOriginal A=500
        adjustment 4 A 0 of=1                | -InvalidAmount
        adjustment 5 A -5 of=1               | -InvalidAmount
        adjustment 6 A 520 of=1              | ok A=580 M1=520 T1.totals=520/1/0/0 approved=520
        adjustment 7 A 520 of=1              | ok A=580 M1=520 T1.totals=520/1/0/0
        adjustment 8 A 80 of=1               | ok A.main=1000 A.bonus=20 M1=80 T1.totals=80/1/0/0
        adjustment 9 A 500 of=1 rrn=none     | ok A=600 M1=500 T1.totals=500/1/0/0
        adjustment 10 B 500 of=1             | -CardDiffers
        adjustment 11 A 500 of=1 merchant=M2 | -MerchantDiffers
        adjustment 12 A 500 of=1 at=T2       | -OriginalNotFound
        adjustment 13 A 500 of=99            | -OriginalNotFound
        adjustment 14 A 500 of=1 rrn=6       | -OriginalNotFound
        adjustment 15 A 500 of=2             | -OriginalOutOfReach
        void 16 A 499 of=1                   | -AmountDiffers A=600
        reverse 2 A 600 as=adjustment        | -OriginalOutOfReach quiet A=600
        reverse 17 A 500 as=adjustment       | -OriginalNotFound noted
        adjustment 17 A 500 of=1             | -OriginalReversed quiet
        sale 1 A 500                         | again
        adjustment 18 A 550 of=1             | ok A=550
        void 19 A 550 of=1                   | ok A=1100 M1=0 T1.totals=550/1/550/1
        adjustment 20 A 500 of=1             | -OriginalVoided A=1100
        reverse 19 A 550 as=void             | ok A=550 M1=550 T1.totals=550/1/0/0
        adjustment 21 A 600 of=1             | ok A=500
        close 1                              | ok
        adjustment 22 A 500 of=1/1           | -OriginalOutOfReach A=500
        refund 23 A 100 of=1/1               | ok A=600
        adjustment 24 A 500 of=1/1 batch=1   | -OriginalRefunded A=600
        refund 25 A 500 of=1/1               | ok A.main=1000 A.bonus=100
        ",
    );
}

#[test]
fn an_adjusted_sale_is_reversed_whole() {
    check(
        "
        card A main=1000
        sale 1 A 500            | ok A=500
        adjustment 2 A 600 of=1 | ok A=400 M1=600
        reverse 1 A 600         | -AmountDiffers quiet A=400
        reverse 1 A 500         | ok A=1000 M1=0 T1.totals=0/0/0/0
        adjustment 3 A 600 of=1 | -OriginalReversed A=1000
        sale 4 A 99999          | -AmountLimit
        adjustment 5 A 100 of=4 | -OriginalRefused
        ",
    );
}

#[test]
fn suspense_bears_a_tip_that_is_not_there() {
    check(
        "
        card A main=500 tip=50
        offline-sale 1 A 500    | ok A=0 M1=500
        adjustment 2 A 700 of=1 | ok A=0 M1=700 suspense=-200 T1.totals=700/1/0/0
        adjustment 3 A 750 of=1 | ok A=0 M1=750 suspense=-250
        adjustment 4 A 751 of=1 | -AboveOriginal
        adjustment 5 A 600 of=1 | ok A=0 M1=600 suspense=-100
        adjustment 6 A 450 of=1 | ok A=50 M1=450 suspense=0 T1.totals=450/1/0/0
        adjustment 7 A 750 of=1 | ok A=0 M1=750 suspense=-250
        void 8 A 750 of=1       | ok A=500 M1=0 suspense=0 T1.totals=750/1/750/1
        ",
    );
}
