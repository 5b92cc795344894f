//! Sales of which a card pays a part, as tables.
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
fn a_part_is_paid_where_the_terminal_takes_one() {
    check(
        "
        card A main=500 bonus=100
        card N main=500 without=partial
        sale 1 A 1000       | -InsufficientFunds A=600
        sale 2 A 1000 part  | ok noted A=0 M1=600 approved=600 detail=500+100 left=0 T1.totals=600/1/0/0
        sale 2 A 1000 part  | again A=0
        sale 2 A 600 part   | -DuplicateDiffers quiet
        sale 3 A 1 part     | -InsufficientFunds A=0
        sale 4 N 1000 part  | -InsufficientFunds N=500
        sale 5 N 500 part   | ok N=0 approved=500
        sale 6 A 90001 part | -AmountLimit
        sale 7 A 0 part     | -InvalidAmount
        ",
    );
}

#[test]
fn the_whole_is_paid_where_it_is_there() {
    check(
        "
        card A main=500
        sale 1 A 400 part | ok A=100 approved=400
        sale 2 A 100 part | ok A=0 approved=100
        ",
    );
}

#[test]
fn what_was_paid_in_part_is_undone_by_either_amount() {
    check(
        "
        card A main=600
        sale 1 A 1000 part      | ok A=0 M1=600 approved=600
        reverse 1 A 999         | -AmountDiffers quiet
        reverse 1 A 1000        | ok A=600 M1=0 T1.totals=0/0/0/0
        reverse 1 A 600         | ok quiet A=600
        sale 2 A 1000 part      | ok A=0
        reverse 2 A 600         | ok A=600 M1=0
        reverse 2 A 1000        | ok quiet A=600
        sale 3 A 1000 part      | ok A=0
        void 4 A 1000 of=3      | -AmountDiffers A=0
        void 5 A 600 of=3       | ok A=600 M1=0 T1.totals=600/1/600/1
        reverse 5 A 600 as=void | ok A=0 M1=600 T1.totals=600/1/0/0
        close 1                 | ok
        refund 6 A 601 of=1/3   | -AmountDiffers
        refund 7 A 600 of=1/3   | ok A=600 M1=0
        ",
    );
}

#[test]
fn a_part_is_of_what_is_not_set_aside() {
    check(
        "
        card A main=1000 held=400
        sale 1 A 1000 part | ok A=400 A.free=0 approved=600 left=0
        ",
    );
}
