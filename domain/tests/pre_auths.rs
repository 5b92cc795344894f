//! Money that is set aside: pre-authorisations, and what becomes of them, as tables.
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
fn a_pre_authorisation_sets_aside_what_there_is() {
    check(
        "
        card A main=10000 bonus=500
        card B main=10000 without=preauth
        card L main=10000 status=Lost
        pre-auth 1 A 4000          | ok noted A=10500 A.held=4000 approved=4000 detail=3500+500 left=6500 M1=0
        pre-auth 1 A 4000          | again A.held=4000
        pre-auth 1 A 4001          | -DuplicateDiffers quiet A.held=4000
        pre-auth 2 A 6501          | -InsufficientFunds A.held=4000
        pre-auth 3 A 0             | -InvalidAmount A.held=4000
        pre-auth 4 A -1            | -InvalidAmount A.held=4000
        pre-auth 5 A 90001         | -AmountLimit A.held=4000
        pre-auth 6 B 100           | -CardMayNot B.held=0
        pre-auth 7 L 100           | -CardLost L.held=0
        pre-auth 8 A 100 pin=wrong | -WrongPin A.pins=1
        pre-auth 9 A 6500          | ok A.held=10500 A.free=0 left=0
        sale 10 A 1                | -InsufficientFunds A=10500
        inquiry 11 A               | ok detail=0/10500
        sale 12 A 100 part         | -InsufficientFunds A=10500
        pre-auth 13 nobody 1       | -UnknownCard noted
        ",
    );
}

#[test]
fn an_addition_adds_to_the_first() {
    check(
        "
        card A main=10000
        card B main=10000
        pre-auth 1 A 1000                         | ok A.held=1000
        pre-auth 2 A 500 of=1                     | ok noted A.held=1500 approved=500 left=8500
        pre-auth 2 A 500 of=1                     | again A.held=1500
        pre-auth 3 A 200 of=1 unnumbered rrn=none | ok A.held=1700
        pre-auth 4 A 200 of=1 noauth              | -OriginalNotFound A.held=1700
        pre-auth 5 A 200 of=1 badauth             | -OriginalNotFound A.held=1700
        pre-auth 6 B 200 of=1                     | -OriginalNotFound B.held=0
        pre-auth 7 A 200 of=1 merchant=M2         | -MerchantDiffers A.held=1700
        pre-auth 8 A 8301 of=1                    | -InsufficientFunds A.held=1700
        pre-auth 9 A 0 of=1                       | -InvalidAmount A.held=1700
        pre-auth-void 10 A 1000 of=1              | -AmountDiffers A.held=1700
        completion 11 A 1955 of=1                 | ok A=8045 A.held=0 M1=1955
        pre-auth 12 A 100 of=1                    | -OriginalUsed A.held=0
        ",
    );
}

/// A terminal knows one authorisation code for all of it, and by that the first is found.
#[test]
fn what_adds_is_no_original_of_its_own() {
    check(
        "
        card A main=10000
        pre-auth 1 A 1000                            | ok
        pre-auth 2 A 500 of=1                        | ok A.held=1500
        completion 3 A 500 of=2                      | -OriginalNotFound A.held=1500
        completion 4 A 1500 of=2 unnumbered rrn=none | ok A.held=0 A=8500
        ",
    );
}

#[test]
fn a_void_frees_what_was_set_aside() {
    check(
        "
        card A main=10000
        card B main=10000
        card C main=10000
        pre-auth 1 A 1000                                   | ok A.held=1000
        pre-auth-void 2 A 999 of=1                          | -AmountDiffers A.held=1000
        pre-auth-void 3 A 1001 of=1                         | -AmountDiffers A.held=1000
        pre-auth-void 4 A 1000 of=1 badauth                 | -OriginalNotFound A.held=1000
        pre-auth-void 5 B 1000 of=1                         | -OriginalNotFound A.held=1000
        pre-auth-void 6 B 1000 of=1 othercard               | -CardDiffers A.held=1000
        pre-auth-void 7 A 1000 of=1 merchant=M2             | -MerchantDiffers A.held=1000
        pre-auth-void 8 A 1000 of=1 rrn=2                   | -OriginalNotFound A.held=1000
        void 9 A 1000 of=1                                  | -OriginalOutOfReach A.held=1000
        pre-auth-void 10 A 1000 of=1 pin=wrong              | -WrongPin A.held=1000 A.pins=1
        pre-auth-void 11 A 1000 of=T1/1/1 at=T2             | ok noted A.held=0 A.free=10000 M1=0 left=10000
        pre-auth-void 11 A 1000 of=T1/1/1 at=T2             | again
        pre-auth-void 12 A 1000 of=1                        | -OriginalVoided A.held=0
        completion 13 A 1000 of=1                           | -OriginalVoided A=10000
        completion-advice 14 A 1000 of=1                    | -OriginalVoided A=10000
        pre-auth 15 A 1 of=1                                | -OriginalVoided A.held=0
        reverse 1 A 1000 as=pre-auth                        | -OriginalVoided quiet
        pre-auth 20 A 99999                                 | -AmountLimit
        pre-auth-void 21 A 1000 of=20                       | -OriginalNotFound
        pre-auth 22 C 700                                   | ok
        pre-auth 23 C 300 of=22                             | ok C.held=1000
        close 1                                             | ok
        pre-auth-void 24 C 1000 of=1/22 unnumbered rrn=none | ok C.held=0
        ",
    );
}

#[test]
fn a_reversed_pre_authorisation_holds_nothing() {
    check(
        "
        card A main=10000
        pre-auth 1 A 1000                    | ok A.held=1000
        reverse 1 A 999 as=pre-auth          | -AmountDiffers quiet A.held=1000
        reverse 1 A 1000 as=sale             | -OriginalOutOfReach quiet A.held=1000
        reverse 1 A 1000 as=pre-auth         | ok noted A.held=0 A=10000
        reverse 1 A 1000 as=pre-auth         | ok quiet A.held=0
        pre-auth 1 A 1000                    | -OriginalReversed quiet
        completion 2 A 1000 of=1             | -OriginalReversed A=10000
        pre-auth-void 3 A 1000 of=1          | -OriginalReversed A=10000
        pre-auth 4 A 100 of=1                | -OriginalReversed A.held=0

        reverse 5 A 1000 as=pre-auth         | -OriginalNotFound noted
        reverse 5 A 1000 as=pre-auth         | -OriginalNotFound quiet
        pre-auth 5 A 1000                    | -OriginalReversed quiet A.held=0

        pre-auth 6 A 1000                    | ok A.held=1000
        pre-auth 7 A 500 of=6                | ok A.held=1500
        reverse 6 A 1000 as=pre-auth         | ok A.held=0 A=10000
        reverse 7 A 500 as=pre-auth          | ok noted A.held=0
        reverse 7 A 500 as=pre-auth          | ok quiet A.held=0

        pre-auth 8 A 1000                    | ok A.held=1000
        completion 9 A 1000 of=8             | ok A=9000
        reverse 8 A 1000 as=pre-auth         | -OriginalUsed quiet A=9000
        pre-auth 10 A 95000                  | -AmountLimit
        reverse 10 A 95000 as=pre-auth       | ok quiet
        close 1                              | ok
        reverse 8 A 1000 as=pre-auth batch=1 | -OriginalUsed quiet
        pre-auth 11 A 100                    | ok A.held=100
        close 2                              | ok
        reverse 11 A 100 as=pre-auth batch=2 | -OriginalOutOfReach quiet A.held=100
        ",
    );
}

#[test]
fn a_reversed_addition_takes_back_its_part_only() {
    check(
        "
        card A main=10000
        pre-auth 1 A 1000              | ok
        pre-auth 2 A 500 of=1          | ok A.held=1500
        pre-auth 3 A 200 of=1          | ok A.held=1700
        reverse 2 A 500 as=pre-auth    | ok A.held=1200
        reverse 2 A 500 as=pre-auth    | ok quiet A.held=1200
        completion 4 A 1381 of=1       | -AboveOriginal A.held=1200
        reverse 5 A 500 as=pre-auth    | -OriginalNotFound noted
        pre-auth 5 A 500 of=1          | -OriginalReversed quiet A.held=1200
        completion 6 A 1380 of=1       | ok A=8620 A.held=0
        reverse 3 A 200 as=pre-auth    | -OriginalUsed quiet A=8620
        reverse 6 A 1380 as=completion | ok A=10000 A.held=1200
        reverse 3 A 200 as=pre-auth    | ok A.held=1000
        pre-auth-void 7 A 1000 of=1    | ok A.held=0
        ",
    );
}

/// What is set aside again may lie in other purses than at first.
#[test]
fn an_addition_is_taken_back_whatever_purse_it_is_held_in() {
    check(
        "
        card A main=1000 bonus=100
        sale 1 A 100                 | ok A.main=1000 A.bonus=0
        pre-auth 2 A 60              | ok A.held=60
        pre-auth 3 A 40 of=2         | ok A.held=100
        completion 4 A 100 of=2      | ok A.held=0 A.main=900
        void 5 A 100 of=1            | ok A.bonus=100
        completion-void 6 A 100 of=4 | ok A.main=1000 A.bonus=100 A.held=100
        sale 7 A 100                 | ok A.main=900 A.bonus=100
        reverse 3 A 40 as=pre-auth   | ok A.held=60
        pre-auth-void 8 A 60 of=2    | ok A.held=0 A.free=1000
        ",
    );
}

#[test]
fn a_reversed_void_sets_aside_again_what_there_is() {
    check(
        "
        card A main=1000
        pre-auth 1 A 600                 | ok A.held=600
        pre-auth-void 2 A 600 of=1       | ok A.held=0
        reverse 2 A 600 as=pre-auth-void | ok noted A.held=600
        reverse 2 A 600 as=pre-auth-void | ok quiet A.held=600
        pre-auth-void 2 A 600 of=1       | -OriginalReversed quiet A.held=600
        reverse 3 A 600 as=pre-auth-void | -OriginalNotFound noted
        pre-auth-void 3 A 600 of=1       | -OriginalReversed quiet A.held=600
        pre-auth-void 4 A 600 of=1       | ok A.held=0
        sale 5 A 700                     | ok A=300
        reverse 4 A 600 as=pre-auth-void | ok A.held=300 A=300
        completion 6 A 600 of=1          | -InsufficientFunds A.held=300
        pre-auth-void 7 A 300 of=1       | -AmountDiffers A.held=300
        pre-auth-void 8 A 600 of=1       | ok A.held=0 left=300
        ",
    );
}

#[test]
fn a_completion_takes_up_to_the_percentage_and_frees_the_rest() {
    check(
        "
        card A main=10000
        card B main=1100
        card C main=10000 completion=100
        pre-auth 1 A 1000                           | ok
        completion 2 A 400 of=1                     | ok noted A=9600 A.held=0 M1=400 approved=400 left=9600
        completion 2 A 400 of=1                     | again
        completion 3 A 400 of=1                     | -OriginalUsed A=9600
        completion-advice 4 A 400 of=1              | -OriginalUsed A=9600
        pre-auth-void 5 A 1000 of=1                 | -OriginalUsed A=9600
        pre-auth 6 A 1000                           | ok
        completion 7 A 1000 of=6                    | ok A=8600 A.held=0
        pre-auth 8 A 1000                           | ok
        completion 9 A 1151 of=8                    | -AboveOriginal A=8600 A.held=1000
        completion 10 A 0 of=8                      | -InvalidAmount A.held=1000
        completion 11 A -1 of=8                     | -InvalidAmount A.held=1000
        completion-advice 12 A 1151 of=8            | -AboveOriginal A=8600
        completion 13 A 1150 of=8                   | ok A=7450 A.held=0 left=7450 M1=2550

        pre-auth 20 B 1000                          | ok B.held=1000
        completion 21 B 1101 of=20                  | -InsufficientFunds B=1100 B.held=1000
        completion 22 B 1100 of=20                  | ok B=0 B.held=0

        pre-auth 30 C 1000                          | ok
        completion 31 C 1001 of=30                  | -AboveOriginal
        completion 32 C 1000 of=30                  | ok C=9000
        pre-auth 33 A 1000                          | ok
        completion 34 A 1000 of=33 badauth          | -OriginalNotFound
        completion 35 A 1000 of=33 merchant=M2      | -MerchantDiffers
        completion 36 C 1000 of=33                  | -OriginalNotFound
        completion 37 A 1000 of=33 othercard noauth | -CardDiffers
        completion 38 A 1000 of=33 pin=wrong        | -WrongPin A.pins=1
        ",
    );
}
