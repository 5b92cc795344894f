//! Pre-authorisations, loads, advices, points, parts and the life of a card, as tables.
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
fn a_pre_authorisation_sets_aside_until_it_is_completed_or_voided() {
    check(
        "
        card A main=10000 bonus=500
        pre-auth 1 A 6000                    | ok A=10500 A.free=4500 M1=0 left=4500
        pre-auth 1 A 6000                    | again A.free=4500
        pre-auth 2 A 4501                    | -InsufficientFunds A.free=4500
        sale 3 A 4501                        | -InsufficientFunds A.free=4500
        completion 4 A 6901 of=1 rrn=none    | -AboveOriginal A.free=4500
        completion 5 A 0 of=1 rrn=none       | -InvalidAmount
        completion 6 A 4000 of=1 badauth     | -OriginalNotFound
        completion 7 A 4000 of=1 merchant=M2 rrn=none | -MerchantDiffers
        completion 8 A 4000 of=1 rrn=none    | ok A=6500 A.free=6500 A.bonus=0 M1=4000
        completion 8 A 4000 of=1 rrn=none    | again A=6500
        completion 9 A 1000 of=1 rrn=none    | -OriginalUsed A=6500
        pre-auth-void 10 A 6000 of=1 rrn=none | -OriginalUsed A=6500
        pre-auth 11 A 5000                   | ok A.free=1500
        pre-auth-void 12 A 4999 of=11 rrn=none | -AmountDiffers
        pre-auth-void 13 A 5000 of=11 rrn=none | ok A.free=6500 M1=4000 T1.totals=4000/1/0/0
        pre-auth-void 14 A 5000 of=11 rrn=none | -OriginalVoided A.free=6500
        completion 15 A 5000 of=11 rrn=none  | -OriginalVoided A=6500
        ",
    );
}

#[test]
fn an_addition_raises_the_pre_authorisation_it_names() {
    check(
        "
        card A main=10000
        pre-auth 1 A 3000                    | ok A.free=7000
        pre-auth 2 A 2000 of=1 rrn=none      | ok A.free=5000
        pre-auth 3 A 2000 of=2 rrn=none badauth | -OriginalNotFound A.free=5000
        pre-auth-void 4 A 3000 of=1 rrn=none | -AmountDiffers A.free=5000
        completion 5 A 5751 of=1 rrn=none    | -AboveOriginal A.free=5000
        reverse 2 A 2000 as=pre-auth         | ok A.free=7000
        reverse 2 A 2000 as=pre-auth         | ok quiet A.free=7000
        completion 6 A 3451 of=1 rrn=none    | -AboveOriginal
        pre-auth 7 A 1000 of=1 rrn=none      | ok A.free=6000
        completion 8 A 4600 of=1 rrn=none    | ok A=5400 A.free=5400 M1=4600
        reverse 7 A 1000 as=pre-auth         | -OriginalUsed A=5400
        pre-auth 9 A 10 of=1 rrn=none        | -OriginalUsed
        pre-auth 10 A 700                    | ok A.free=4700
        pre-auth 11 A 300 of=10 rrn=none     | ok A.free=4400
        reverse 10 A 700 as=pre-auth         | ok A.free=5400
        reverse 11 A 300 as=pre-auth         | ok A.free=5400
        ",
    );
}

#[test]
fn every_step_of_a_pre_authorisation_may_be_reversed_or_voided() {
    check(
        "
        card A main=10000
        pre-auth 1 A 6000                    | ok A.free=4000
        reverse 1 A 6000 as=pre-auth         | ok A.free=10000
        reverse 1 A 6000 as=pre-auth         | ok quiet A.free=10000
        completion 2 A 6000 of=1 rrn=none    | -OriginalReversed A=10000
        pre-auth 3 A 6000                    | ok A.free=4000
        completion 4 A 5000 of=3 rrn=none    | ok A=5000 A.free=5000
        reverse 4 A 5000 as=completion       | ok A=10000 A.free=4000 M1=0
        completion 5 A 6500 of=3 rrn=none    | ok A=3500 A.free=3500 M1=6500
        completion-void 6 A 6499 of=5        | -AmountDiffers
        completion-void 7 A 6500 of=5        | ok A=10000 A.free=4000 M1=0
        completion-void 8 A 6500 of=5        | -OriginalVoided A=10000
        reverse 7 A 6500 as=completion-void  | ok A=3500 A.free=3500 M1=6500
        completion-void 9 A 6500 of=5        | ok A=10000 A.free=4000 M1=0
        sale 10 A 3900                       | ok A=6100 A.free=100
        reverse 9 A 6500 as=completion-void  | ok A=0 A.free=0 M1=10400 suspense=-400
        pre-auth 11 A 1                      | -InsufficientFunds
        card B main=1000
        pre-auth 20 B 600                    | ok B.free=400
        pre-auth-void 21 B 600 of=20 rrn=none | ok B.free=1000
        sale 22 B 700                        | ok B.free=300
        reverse 21 B 600 as=pre-auth-void    | ok B=300 B.free=0
        completion 23 B 600 of=20 rrn=none   | -InsufficientFunds B=300
        completion-advice 24 B 600 of=20 rrn=none | ok B=0 suspense=-700
        reverse 24 B 600 as=completion-advice | -OriginalOutOfReach B=0
        reverse 30 A 100 as=pre-auth         | -OriginalNotFound noted
        pre-auth 30 A 100                    | -OriginalReversed quiet
        ",
    );
}

#[test]
fn a_pre_authorisation_expires_and_an_advice_still_counts() {
    check(
        "
        card A main=10000 holddays=5
        pre-auth 1 A 6000                    | ok A.free=4000
        pre-auth 2 A 1000                    | ok A.free=3000
        date 2026-11-27
        pre-auth 3 A 1000                    | ok A.free=2000
        date 2026-11-28
        sale 4 A 9000                        | ok A=1000 A.free=0
        completion 5 A 6000 of=1 rrn=none    | -OriginalExpired A=1000
        pre-auth-void 6 A 6000 of=1 rrn=none | -OriginalExpired
        completion-advice 7 A 6000 of=1 rrn=none | ok A=1000 A.free=0 M1=15000 suspense=-6000
        completion-advice 8 A 1000 of=1 rrn=none | -OriginalUsed
        completion-advice 9 A 100 of=99 rrn=none | -OriginalNotFound
        completion-advice 10 A 1151 of=3 rrn=none | -AboveOriginal
        completion-advice 11 A 1150 of=3 rrn=none | ok A=0 suspense=-6150
        ",
    );
}

#[test]
fn what_is_told_after_the_event_is_always_taken_in() {
    check(
        "
        card A main=1000
        card L main=1000 status=Lost
        offline-sale 1 A 600                 | ok A=400 M1=600 T1.totals=600/1/0/0
        offline-sale 1 A 600                 | again A=400
        offline-sale 2 A 600                 | ok A=0 M1=1200 suspense=-200
        e-cash 3 L 700                       | ok L=300 M1=1900
        e-cash 4 L 700                       | ok L=0 suspense=-600
        e-cash 5 nobody 700                  | -UnknownCard
        e-cash 6 L 0                         | -InvalidAmount
        e-cash 7 L 500001                    | -AmountLimit
        offline-sale 8 A 90001               | -AmountLimit
        reverse 3 L 700 as=e-cash            | -OriginalOutOfReach L=0
        reverse 1 A 600                      | -OriginalOutOfReach A=0
        close 1                              | ok
        refund 9 A 600 of=1/2                | ok A=400 suspense=-400
        refund 10 L 700 of=1/4               | ok L=300 suspense=0
        ",
    );
}

#[test]
fn an_adjustment_changes_the_amount_of_a_sale() {
    check(
        "
        card A main=2000
        sale 1 A 1000                        | ok A=1000 T1.totals=1000/1/0/0
        adjustment 2 A 1150 of=1             | ok A=850 M1=1150 T1.totals=1150/1/0/0
        adjustment 2 A 1150 of=1             | again A=850
        adjustment 3 A 1201 of=1             | -AboveOriginal A=850
        adjustment 4 A 900 of=1 rrn=none     | ok A=1100 M1=900 T1.totals=900/1/0/0
        adjustment 5 A 0 of=1                | -InvalidAmount
        sale 1 A 1000                        | ok quiet A=1100 approved=1000
        void 6 A 1000 of=1                   | -AmountDiffers
        void 7 A 900 of=1                    | ok A=2000 M1=0 T1.totals=900/1/900/1
        adjustment 8 A 1000 of=1             | -OriginalVoided
        reverse 7 A 900 as=void              | ok A=1100 M1=900
        sale 9 A 1100                        | ok A=0
        adjustment 10 A 1300 of=9            | ok A=0 M1=2200 suspense=-200
        adjustment 11 A 1150 of=9            | ok A=0 M1=2050 suspense=-50
        reverse 9 A 1100                     | ok A=1100 M1=900 suspense=0
        adjustment 12 A 900 of=9             | -OriginalReversed
        close 1                              | ok
        adjustment 13 A 950 of=1/1           | -OriginalOutOfReach
        ",
    );
}

#[test]
fn a_load_needs_a_verification_and_is_confirmed_once() {
    check(
        "
        card A main=40000
        card N named main=480000
        card F main=0 without=topup
        card S main=0 status=Sold
        verification 1 A                     | ok detail=room:60000 A=40000
        verification 1 A                     | again
        top-up 2 A 60001 of=1                | -BalanceCap A=40000
        top-up 3 A 0 of=1                    | -InvalidAmount
        top-up 4 A 5000 of=9                 | -OriginalNotFound
        top-up 5 A 5000 of=1                 | ok A=45000 M1.loads=-5000 T1.totals=0/0/0/0
        top-up 5 A 5000 of=1                 | again A=45000
        top-up 6 A 5000 of=1                 | -OriginalUsed A=45000
        top-up-confirm 7 A 5000 of=1         | ok A=45000
        top-up-confirm 5 A 5000 of=1         | ok quiet A=45000
        top-up-confirm 8 A 5001 of=1         | -AmountDiffers A=45000
        reverse 5 A 5000 as=top-up           | -OriginalOutOfReach A=45000
        verification 10 A                    | ok detail=room:55000
        top-up-confirm 11 A 5000 of=10       | ok A=50000 M1.loads=-10000
        top-up 12 A 5000 of=10               | -OriginalUsed A=50000
        top-up-confirm 13 A 5000 of=10       | ok A=50000
        verification 20 F                    | -CardMayNot
        verification 21 S                    | -CardNotActive
        verification 22 N                    | ok detail=room:20000
        top-up 23 N 20001 of=22              | -BalanceCap N=480000
        top-up 24 N 20000 of=22              | ok N=500000
        ",
    );
}

#[test]
fn points_are_spent_and_given_back_as_points() {
    check(
        "
        card A main=1000 points=300
        points-inquiry 1 A                   | ok detail=points:300
        points-sale 2 A 301                  | -InsufficientFunds A.points=300
        points-sale 3 A 200                  | ok A.points=100 A=1000 M1=0 M1.points=200 left=100
        points-sale 4 A 0                    | -InvalidAmount
        points-void 5 A 200 of=3             | ok A.points=300 M1.points=0 T1.totals=200/1/200/1
        points-sale 6 A 250                  | ok A.points=50
        reverse 5 A 200 as=points-void       | ok A.points=0 M1.points=450 points-suspense=-150
        reverse 6 A 250 as=points-sale       | ok A.points=250 M1.points=200
        void 7 A 200 of=3                    | -OriginalOutOfReach
        points-void 8 A 200 of=3             | ok A.points=300 M1.points=0 points-suspense=0
        card B main=1000 points=9 without=points
        points-sale 9 B 1                    | -CardMayNot
        ",
    );
}

#[test]
fn a_part_is_taken_where_both_sides_agree() {
    check(
        "
        card A main=1000
        sale 1 A 1500                        | -InsufficientFunds A=1000
        sale 2 A 1500 part                   | ok A=0 approved=1000 left=0 M1=1000 T1.totals=1000/1/0/0
        sale 2 A 1500 part                   | again A=0
        sale 3 A 10 part                     | -InsufficientFunds A=0
        void 4 A 1500 of=2                   | -AmountDiffers
        void 5 A 1000 of=2                   | ok A=1000 M1=0
        reverse 5 A 1000 as=void             | ok A=0 M1=1000
        reverse 2 A 1500                     | ok A=1000 M1=0
        sale 6 A 1500 part                   | ok A=0
        reverse 6 A 1000                     | ok A=1000
        reverse 6 A 1500                     | ok quiet A=1000
        sale 7 A 900 part                    | ok A=100 approved=900
        card B main=1000 without=partial
        sale 8 B 1500 part                   | -InsufficientFunds B=1000
        ",
    );
}

#[test]
fn a_card_comes_into_use_once() {
    check(
        "
        card A main=1000 status=Sold
        card X main=1000 status=Sold expiry=2610
        sale 1 A 10                          | -CardNotActive
        activation 2 A                       | ok A.status=Active A=1000
        activation 2 A                       | again
        activation 3 A                       | -CardIsActive
        sale 4 A 10                          | ok A=990
        reverse 2 A 0 as=activation          | -OriginalOutOfReach A.status=Active
        void 5 A 10 of=4                     | ok A=1000
        reverse 2 A 0 as=activation          | ok A.status=Sold
        reverse 2 A 0 as=activation          | ok quiet A.status=Sold
        sale 6 A 10                          | -CardNotActive
        activation 7 A                       | ok A.status=Active
        activation 8 X                       | -CardExpired X.status=Sold
        reverse 9 X 0 as=activation          | -OriginalNotFound noted
        activation 9 X                       | -OriginalReversed X.status=Sold
        ",
    );
}

#[test]
fn a_pin_is_changed_by_who_knows_the_old_one() {
    check(
        "
        card A main=1000
        pin-change 1 A pin=wrong newpin=7    | -WrongPin A.pins=1 A.pin=1
        pin-change 2 A newpin=7              | -PinMissing A.pin=1
        pin-change 3 A pin=right newpin=bad  | -UnfitPin A.pin=1 A.pins=0
        pin-change 4 A pin=right newpin=7    | ok A.pin=7
        pin-change 4 A pin=wrong newpin=7    | again A.pin=7
        reverse 4 A 0 as=pin-change          | -OriginalOutOfReach A.pin=7
        script-notice 5 A                    | ok
        script-notice 5 A                    | again
        ",
    );
}

#[test]
fn prd_06_prd_08_lim_08_products_say_what_where_and_how_much() {
    check(
        "
        card A main=10000 without=sale,mail
        card B main=10000 at=!category:4511,region:31
        card C main=10000 limits=1000/2/1500/0
        sale 1 A 10                          | -CardMayNot
        pre-auth 2 A 10                      | ok
        sale 3 B 10 category=4511 region=310104 | -MerchantNotAccepted
        sale 4 B 10 category=5411 region=330104 | -MerchantNotAccepted
        sale 5 B 10 category=5411 region=310104 | ok
        sale 6 C 1001                        | -AmountLimit
        sale 7 C 600                         | ok
        sale 8 C 401                         | -AmountLimit
        sale 9 C 100                         | ok
        sale 10 C 100                        | -CountLimit
        void 11 C 100 of=9                   | ok
        sale 12 C 400                        | ok C=9000
        reverse 12 C 400                     | ok C=9400
        sale 13 C 400                        | ok
        date 2026-11-23
        sale 14 C 501                        | -AmountLimit
        sale 15 C 500                        | ok
        date 2026-12-01
        sale 16 C 1000                       | ok
        sale 17 C 10 bymail                  | -AmountLimit
        ",
    );
}

#[test]
fn cmb_06_a_refund_gives_back_real_money_before_bonus() {
    check(
        "
        card A named main=100000 bonus=100000
        sale 1 A 200000                      | -AmountLimit
        card B named main=100000 bonus=100000 max=200000
        sale 2 B 200000                      | ok B=0 detail=100000+100000
        refund 3 B 150000 of=T1/1/2 at=T2    | ok B.main=100000 B.bonus=50000 M1=50000
        card C named main=100000 bonus=100000
        sale 4 C 50000                       | ok C.main=100000 C.bonus=50000
        ",
    );
}

#[test]
fn lim_01_no_credit_takes_a_named_card_above_5000_yuan() {
    check(
        "
        card A named main=500000
        card B named main=500001             | -BalanceCap
        card C named main=499999
        verification 1 C                     | ok detail=room:1
        top-up 2 C 2 of=1                    | -BalanceCap C=499999
        top-up 3 C 1 of=1                    | ok C=500000
        sale 4 A 100                         | ok
        verification 5 A                     | ok
        top-up 6 A 100 of=5                  | ok A=500000
        refund 7 A 100 of=T1/1/4 at=T2       | -BalanceCap A=500000
        ",
    );
}

#[test]
fn lim_02_of_two_loads_that_are_too_much_together_one_succeeds() {
    check(
        "
        card A main=0
        verification 1 A                     | ok detail=room:100000
        verification 1 A at=T2               | ok detail=room:100000
        top-up 2 A 60000 of=1                | ok A=60000
        top-up 2 A 60000 of=1 at=T2          | -BalanceCap A=60000
        top-up 3 A 40000 of=1 at=T2          | ok A=100000
        ",
    );
}

#[test]
fn sal_19_any_amount_a_named_card_may_hold_is_sold_in_one() {
    check(
        "
        card A named main=138800
        card B main=138800                   | -BalanceCap
        card C main=100000
        card D main=38800
        ",
    );
}

#[test]
fn totals_count_what_the_terminal_counts() {
    check(
        "
        card A main=100000 points=500
        sale 1 A 1000 bymail                 | ok
        pre-auth 2 A 2000                    | ok
        completion 3 A 2100 of=2 rrn=none    | ok
        pre-auth 4 A 100                     | ok
        completion-advice 5 A 100 of=4 rrn=none | ok
        offline-sale 6 A 300                 | ok
        e-cash 7 A 50                        | ok
        points-sale 8 A 40                   | ok
        verification 9 A                     | ok
        top-up 10 A 700 of=9                 | ok T1.totals=3590/6/0/0
        void 11 A 1000 of=1                  | ok
        completion-void 12 A 2100 of=3       | ok
        points-void 13 A 40 of=8             | ok T1.totals=3590/6/3140/3
        pin-change 14 A pin=right newpin=9   | ok
        close 1 claimed=3590/6/3140/3        | ok detail=balanced
        ",
    );
}
