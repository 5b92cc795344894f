//! Points, as tables.
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
fn points_pay_and_come_back() {
    check(
        "
        card A main=100 points=500
        card N points=500 without=points
        points-inquiry 1 A              | ok noted detail=points:500
        points-inquiry 1 A              | ok noted detail=points:500
        points-sale 2 A 200             | ok noted A.points=300 A=100 M1.points=200 M1=0 approved=200 left=300 T1.totals=200/1/0/0
        points-sale 2 A 200             | again A.points=300
        points-sale 3 A 301             | -InsufficientFunds A.points=300
        points-sale 4 A 0               | -InvalidAmount
        points-sale 5 A -1              | -InvalidAmount
        points-sale 6 N 1               | -CardMayNot
        points-inquiry 7 N              | -CardMayNot
        points-void 8 A 199 of=2        | -AmountDiffers
        void 9 A 200 of=2               | -OriginalOutOfReach
        points-void 10 A 200 of=99      | -OriginalNotFound
        points-void 11 A 200 of=2       | ok A.points=500 M1.points=0 left=500 T1.totals=200/1/200/1
        points-void 11 A 200 of=2       | again
        points-void 12 A 200 of=2       | -OriginalVoided A.points=500
        reverse 2 A 200 as=points-sale  | -OriginalVoided quiet
        sale 13 A 100                   | ok A=0 A.points=500
        points-void 14 A 100 of=13      | -OriginalOutOfReach
        adjustment 15 A 210 of=2        | -OriginalOutOfReach
        refund 16 A 200 of=T1/1/2 at=T2 | -OriginalNotFound
        inquiry 17 A                    | ok detail=0/0
        ",
    );
}

#[test]
fn points_are_reversed_apart_from_money() {
    check(
        "
        card A main=1000 points=500
        points-sale 1 A 300             | ok A.points=200
        reverse 1 A 300                 | -OriginalOutOfReach quiet
        reverse 1 A 299 as=points-sale  | -AmountDiffers quiet
        reverse 1 A 300 as=points-sale  | ok A.points=500 M1.points=0
        reverse 1 A 300 as=points-sale  | ok quiet A.points=500
        points-sale 1 A 300             | -OriginalReversed quiet
        reverse 2 A 300 as=points-sale  | -OriginalNotFound noted
        points-sale 2 A 300             | -OriginalReversed quiet A.points=500
        points-sale 3 A 500             | ok A.points=0
        points-void 4 A 500 of=3        | ok A.points=500
        points-sale 5 A 400             | ok A.points=100
        reverse 4 A 500 as=points-void  | ok A.points=0 M1.points=900 points-suspense=-400 suspense=0 A=1000
        reverse 4 A 500 as=points-void  | ok quiet A.points=0
        points-void 6 A 400 of=5        | ok A.points=400 M1.points=500
        points-void 7 A 500 of=3        | ok A.points=500 M1.points=0 points-suspense=0
        reverse 8 A 500 as=points-void  | -OriginalNotFound noted
        points-void 8 A 500 of=3        | -OriginalReversed quiet
        reverse 9 A 0 as=points-inquiry | -OriginalNotFound noted
        points-inquiry 9 A              | -OriginalReversed quiet
        close 1                         | ok
        points-sale 10 A 5              | ok
        points-void 11 A 5 of=10        | ok
        points-void 12 A 5 of=1/3       | -OriginalOutOfReach
        ",
    );
}

#[test]
fn points_need_a_pin_where_every_debit_does() {
    check(
        "
        card A points=500 pin=always
        card B points=500 pin=100
        points-sale 1 A 10           | -PinMissing
        points-sale 2 A 10 pin=right | ok
        points-sale 3 B 400          | ok
        ",
    );
}
