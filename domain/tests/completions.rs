//! What undoes a completion, what is told late, and what expires, as tables.
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
fn a_voided_completion_sets_aside_again() {
    check(
        "
        card A main=10000
        card B main=10000
        pre-auth 1 A 1000                        | ok
        completion 2 A 400 of=1                  | ok A=9600 A.held=0
        completion-void 3 A 400 of=1             | -OriginalOutOfReach A=9600
        completion-void 4 A 401 of=2             | -AmountDiffers A=9600
        completion-void 5 B 400 of=2             | -CardDiffers A=9600
        completion-void 6 A 400 of=2 merchant=M2 | -MerchantDiffers A=9600
        completion-void 7 A 400 of=2 rrn=1       | -OriginalNotFound A=9600
        completion-void 8 A 400 of=99            | -OriginalNotFound A=9600
        void 9 A 400 of=2                        | -OriginalOutOfReach A=9600
        completion-void 10 A 400 of=2 pin=wrong  | -WrongPin A=9600
        completion-void 11 A 400 of=2            | ok noted A=10000 A.held=1000 M1=0 left=9000
        completion-void 11 A 400 of=2            | again A.held=1000
        completion-void 12 A 400 of=2            | -OriginalVoided A.held=1000
        completion 13 A 1000 of=1                | ok A=9000 A.held=0
        completion-void 14 A 1000 of=13          | ok A=10000 A.held=1000
        pre-auth-void 15 A 1000 of=1             | ok A.held=0 A.free=10000
        pre-auth 16 A 500                        | ok
        completion 17 A 500 of=16                | ok A=9500
        close 1                                  | ok
        completion-void 18 A 500 of=1/17         | -OriginalOutOfReach A=9500
        refund 19 A 200 of=1/17                  | ok A=9700
        completion-void 20 A 500 of=1/17 batch=1 | -OriginalRefunded A=9700
        ",
    );
}

#[test]
fn a_reversed_completion_sets_aside_again() {
    check(
        "
        card A main=1000
        pre-auth 1 A 800              | ok A.held=800
        completion 2 A 500 of=1       | ok A=500 A.held=0 M1=500
        reverse 2 A 499 as=completion | -AmountDiffers quiet
        reverse 2 A 500               | -OriginalOutOfReach quiet
        reverse 2 A 500 as=completion | ok noted A=1000 A.held=800 M1=0
        reverse 2 A 500 as=completion | ok quiet A=1000 A.held=800
        completion 2 A 500 of=1       | -OriginalReversed quiet
        reverse 3 A 500 as=completion | -OriginalNotFound noted
        completion 3 A 500 of=1       | -OriginalReversed quiet A.held=800
        completion 4 A 100 of=1       | ok A=900 A.held=0
        sale 5 A 700                  | ok A=200
        reverse 4 A 100 as=completion | ok A=300 A.held=300
        completion 6 A 800 of=1       | -InsufficientFunds A=300 A.held=300
        completion 7 A 300 of=1       | ok A=0 A.held=0
        void 8 A 700 of=5             | ok A=700
        completion-void 9 A 300 of=7  | ok A=1000 A.held=800
        reverse 7 A 300 as=completion | -OriginalVoided quiet
        ",
    );
}

#[test]
fn a_void_of_a_completion_is_undone_with_what_it_had_set_aside() {
    check(
        "
        card A main=1000
        pre-auth 1 A 800                   | ok
        completion 2 A 800 of=1            | ok A=200 A.held=0 M1=800
        completion-void 3 A 800 of=2       | ok A=1000 A.held=800 M1=0
        sale 4 A 200                       | ok A=800 A.held=800
        reverse 3 A 800 as=completion-void | ok noted A=0 A.held=0 M1=1000 suspense=0
        reverse 3 A 800 as=completion-void | ok quiet A=0
        completion 5 A 800 of=1            | -OriginalUsed A=0
        completion-void 6 A 800 of=2       | ok A=800 A.held=800 M1=200
        reverse 7 A 800 as=completion-void | -OriginalNotFound noted
        completion-void 7 A 800 of=2       | -OriginalReversed quiet
        pre-auth-void 8 A 800 of=1         | ok A.held=0
        sale 9 A 500                       | ok A=300
        reverse 6 A 800 as=completion-void | ok A=0 M1=1500 suspense=-500
        completion-void 10 A 800 of=2      | ok A=300 A.held=0 M1=700 suspense=0
        ",
    );
}

#[test]
fn a_completion_that_lives_again_beside_another_does_not_free_what_that_used() {
    check(
        "
        card A main=10000
        pre-auth 1 A 1000                   | ok
        completion 2 A 1000 of=1            | ok A=9000
        completion-void 3 A 1000 of=2       | ok A=10000 A.held=1000
        completion 4 A 900 of=1             | ok A=9100 A.held=0
        reverse 3 A 1000 as=completion-void | ok A=8100 M1=1900
        completion-void 5 A 1000 of=2       | ok A=9100 A.held=0 M1=900
        completion 6 A 1000 of=1            | -OriginalUsed
        reverse 5 A 1000 as=completion-void | ok A=8100
        reverse 2 A 1000 as=completion      | ok A=9100 A.held=0
        completion 7 A 1000 of=1            | -OriginalUsed
        completion-void 8 A 900 of=4        | ok A=10000 A.held=1000
        ",
    );
}

#[test]
fn an_advice_is_taken_in_even_where_the_money_is_gone() {
    check(
        "
        card A main=1000
        card C main=1000 status=Cancelled
        card D main=1000
        pre-auth 1 A 900                         | ok
        completion-advice 2 A 900 of=1 pin=wrong | ok noted A=100 A.held=0 A.pins=0 M1=900
        completion-advice 2 A 900 of=1 pin=wrong | again
        completion-advice 3 A 900 of=1           | -OriginalUsed
        completion-void 4 A 900 of=2             | ok A=1000 A.held=900
        pre-auth-void 5 A 900 of=1               | ok
        pre-auth 20 A 300                        | ok
        pre-auth 21 A 100 of=20                  | ok A.held=400
        pre-auth-void 22 A 400 of=20             | ok A.held=0
        reverse 21 A 100 as=pre-auth             | ok A.held=0
        reverse 22 A 400 as=pre-auth-void        | ok A.held=300
        pre-auth-void 23 A 300 of=20             | ok A.held=0
        pre-auth 6 D 1000                        | ok D.held=1000
        completion-advice 7 D 1150 of=6          | ok D=0 D.held=0 M1=1150 suspense=-150 approved=1150 detail=1000+0
        reverse 7 D 1150 as=completion-advice    | -OriginalOutOfReach quiet
        completion-void 8 D 1150 of=7            | ok D=1000 D.held=1000 M1=0 suspense=0
        reverse 8 D 1150 as=completion-void      | ok D=0 D.held=0 M1=1150 suspense=-150
        close 1                                  | ok
        refund 9 D 200 of=1/7                    | ok D=50 M1=950 suspense=0
        reverse 10 D 5 as=completion-advice      | -OriginalNotFound noted
        completion-advice 10 D 5 of=1/6          | -OriginalReversed quiet
        completion-advice 11 C 5 of=1/6          | -OriginalNotFound C=1000
        completion-advice 12 D 0 of=1/6          | -OriginalUsed
        ",
    );
}

#[test]
fn what_is_set_aside_is_free_when_its_time_is_over() {
    check(
        "
        card A main=1000 holddays=3
        card B main=1000 holddays=3
        card C main=1000 holddays=3
        pre-auth 1 A 1000                | ok A.free=0
        pre-auth 2 B 600                 | ok
        pre-auth 3 B 100 of=2            | ok B.held=700
        pre-auth 4 C 500                 | ok
        completion 5 C 500 of=4          | ok C=500
        date 2026-11-25
        inquiry 6 A                      | ok detail=0/1000
        date 2026-11-26
        inquiry 7 A                      | ok detail=1000/1000 A.held=0 B.held=0
        completion 8 A 1000 of=1         | -OriginalExpired A=1000
        pre-auth-void 9 A 1000 of=1      | -OriginalExpired
        pre-auth 10 A 100 of=1           | -OriginalExpired
        reverse 1 A 1000 as=pre-auth     | -OriginalExpired quiet
        reverse 3 B 100 as=pre-auth      | ok noted B.held=0
        pre-auth 1 A 1000                | again A.held=0
        sale 11 A 800                    | ok A=200
        completion-advice 12 A 1000 of=1 | ok A=0 M1=2300 suspense=-800
        completion-advice 13 B 600 of=2  | ok B=400
        completion-void 14 B 600 of=13   | ok B=1000 B.held=600
        date 2026-11-27
        inquiry 15 B                     | ok detail=1000/1000
        completion-void 16 C 500 of=5    | ok C=1000 C.held=500
        date 2026-11-28
        inquiry 17 C                     | ok detail=1000/1000
        date 2026-12-05
        completion 18 B 600 of=2         | -OriginalExpired
        date 2026-12-06
        completion 19 B 600 of=2         | -OriginalNotFound
        ",
    );
}

#[test]
fn a_cut_off_over_many_days_frees_before_it_forgets() {
    check(
        "
        card A main=1000
        card B main=1000 holddays=0
        pre-auth 1 A 1000               | ok A.free=0
        pre-auth 2 B 1000               | ok B.free=0
        date 2026-11-23
        inquiry 3 B                     | ok detail=1000/1000
        inquiry 4 A                     | ok detail=0/1000
        date 2027-11-26
        inquiry 5 A                     | ok detail=1000/1000
        completion-advice 6 A 1000 of=1 | -OriginalNotFound
        ",
    );
}
