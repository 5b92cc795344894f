//! What the programme promises, by the numbers of its list of capabilities.
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

/// Bought for 2000.00: 1000.00 of bonus, 1000.00 paid in. 500.00 are spent for good, 1500.00 come back.
#[test]
fn cmb_06_a_refund_gives_real_money_back_before_bonus() {
    check(
        "
        card A named main=100000 bonus=100000 max=200000
        sale 1 A 200000          | ok A=0 M1=200000 detail=100000+100000
        close 1                  | ok
        refund 2 A 150000 of=1/1 | ok A.main=100000 A.bonus=50000 M1=50000 detail=100000+50000

        card B named main=100000 bonus=100000 max=200000
        sale 3 B 200000          | ok
        close 2                  | ok
        refund 4 B 100000 of=2/3 | ok B.main=100000 B.bonus=0 detail=100000+0
        refund 5 B 50000 of=2/3  | ok B.main=100000 B.bonus=50000 detail=0+50000

        card C named main=100000 bonus=100000 max=200000
        sale 6 C 50000           | ok C.main=100000 C.bonus=50000 detail=0+50000
        sale 7 C 150000          | ok C=0 detail=100000+50000
        close 3                  | ok
        refund 8 C 150000 of=3/7 | ok C.main=100000 C.bonus=50000
        ",
    );
}

#[test]
fn cmb_04_bonus_pays_before_the_balance() {
    check(
        "
        card A main=1000 bonus=300
        sale 1 A 200 | ok A.main=1000 A.bonus=100 detail=0+200
        sale 2 A 200 | ok A.main=900 A.bonus=0 detail=100+100
        ",
    );
}

#[test]
fn lim_01_a_named_card_holds_5000_yuan_and_not_a_fen_more() {
    check(
        "
        card A named main=400000
        verification 1 A                 | ok detail=room:100000
        top-up 2 A 100001 of=1           | -BalanceCap A=400000 M1.loads=0
        top-up 3 A 100000 of=1           | ok A=500000
        verification 4 A                 | ok detail=room:0
        top-up 5 A 1 of=4                | -BalanceCap A=500000
        top-up-confirm 6 A 1 of=4        | -BalanceCap A=500000

        card B named main=500000
        sale 10 B 50000                  | ok B=450000
        close 1                          | ok
        verification 11 B                | ok detail=room:50000
        top-up 12 B 1 of=11              | ok B=450001
        refund 13 B 50000 of=1/10        | -BalanceCap B=450001
        refund 14 B 49999 of=1/10        | ok B=500000
        refund 15 B 1 of=1/10            | -BalanceCap B=500000
        card C named main=500000         | ok
        card D named main=500001         | -BalanceCap
        card E named main=499999 bonus=2 | -BalanceCap
        ",
    );
}

/// Of two loads of 600.00, whatever was verified first, exactly one comes in.
#[test]
fn lim_02_an_unnamed_card_holds_1000_yuan_and_not_a_fen_more() {
    check(
        "
        card A main=0
        verification 1 A            | ok detail=room:100000
        verification 2 A at=T2      | ok detail=room:100000
        top-up 3 A 60000 of=1       | ok A=60000
        top-up 4 A 60000 of=2 at=T2 | -BalanceCap A=60000 M1.loads=-60000
        top-up 5 A 40001 of=2 at=T2 | -BalanceCap A=60000
        top-up 6 A 40000 of=2 at=T2 | ok A=100000
        card B main=100000          | ok
        card C main=100001          | -BalanceCap
        sale 10 B 10000             | ok B=90000
        close 1                     | ok
        verification 11 B           | ok
        top-up 12 B 5000 of=11      | ok B=95000
        refund 13 B 5001 of=1/10    | -BalanceCap B=95000
        refund 14 B 5000 of=1/10    | ok B=100000
        ",
    );
}

#[test]
fn lim_03_a_refund_above_the_ceiling_moves_nothing() {
    check(
        "
        card A main=100000
        sale 1 A 60000          | ok A=40000 M1=60000
        close 1                 | ok
        verification 2 A        | ok
        top-up 3 A 60000 of=2   | ok A=100000
        refund 4 A 60000 of=1/1 | -BalanceCap A=100000 M1=60000 suspense=0
        sale 5 A 60000          | ok A=40000 M1=120000
        refund 6 A 60000 of=1/1 | ok A=100000 M1=60000
        ",
    );
}

#[test]
fn lim_04_one_fen_above_the_limit_of_a_transaction_is_refused() {
    check(
        "
        card A main=10000 max=5000
        sale 1 A 5001         | -AmountLimit A=10000 M1=0
        pre-auth 2 A 5001     | -AmountLimit A.held=0
        offline-sale 3 A 5001 | -AmountLimit A=10000
        sale 4 A 5000         | ok A=5000
        ",
    );
}

#[test]
fn lim_07_a_card_that_is_not_reloadable_takes_no_load() {
    check(
        "
        card A main=100 without=topup
        card B main=100
        verification 1 A    | -CardMayNot
        top-up 2 A 100 of=1 | -CardMayNot A=100
        verification 3 B    | ok
        top-up 4 B 100 of=3 | ok B=200
        ",
    );
}

#[test]
fn lim_08_more_or_more_often_than_a_day_allows_is_refused() {
    check(
        "
        card A main=10000 limits=1000/2/0/0
        sale 1 A 1001 | -AmountLimit
        sale 2 A 10   | ok
        sale 3 A 10   | ok
        sale 4 A 10   | -CountLimit A=9980
        ",
    );
}

#[test]
fn sal_19_any_value_fits_a_card_that_may_hold_it() {
    check(
        "
        card A named main=138800 | ok
        card B main=138800       | -BalanceCap
        card C main=100000       | ok
        card D main=38800        | ok
        card E named main=0
        card F main=0
        card G main=0
        verification 1 E         | ok
        top-up 2 E 138800 of=1   | ok E=138800
        verification 3 F         | ok
        top-up 4 F 138800 of=3   | -BalanceCap F=0
        top-up 5 F 100000 of=3   | ok F=100000
        verification 6 G         | ok
        top-up 7 G 38800 of=6    | ok G=38800
        ",
    );
}

#[test]
fn txn_06_a_sale_leaves_the_rest() {
    check(
        "
        card A main=10000 pin=always
        sale 1 A 6000 pin=right | ok noted A=4000 M1=6000
        ",
    );
}

#[test]
fn txn_07_a_reversal_gives_back_once_and_bars_what_comes_late() {
    check(
        "
        card A main=10000
        sale 1 A 6000    | ok A=4000
        reverse 1 A 6000 | ok noted A=10000
        reverse 1 A 6000 | ok quiet A=10000
        reverse 2 A 6000 | -OriginalNotFound noted
        sale 2 A 6000    | -OriginalReversed quiet A=10000
        ",
    );
}

#[test]
fn txn_08_a_void_undoes_a_whole_sale_of_the_open_batch_once() {
    check(
        "
        card A main=10000
        sale 1 A 6000        | ok
        sale 2 A 1000        | ok
        void 3 A 5999 of=1   | -AmountDiffers
        void 4 A 6000 of=1   | ok A=9000
        void 5 A 6000 of=1   | -OriginalVoided A=9000
        void 6 A 1000 of=9   | -OriginalNotFound
        close 1              | ok
        void 7 A 1000 of=1/2 | -OriginalOutOfReach A=9000
        ",
    );
}

#[test]
fn txn_09_a_reversed_void_debits_again_once_and_never_below_nothing() {
    check(
        "
        card A main=10000
        sale 1 A 6000            | ok
        void 2 A 6000 of=1       | ok A=10000
        reverse 2 A 6000 as=void | ok A=4000
        reverse 2 A 6000 as=void | ok quiet A=4000
        void 3 A 6000 of=1       | ok A=10000
        sale 4 A 10000           | ok A=0
        reverse 3 A 6000 as=void | ok A=0 suspense=-6000 M1=16000
        ",
    );
}

#[test]
fn txn_10_refunds_in_parts_sum_to_the_sale_at_most() {
    check(
        "
        card A main=10000
        card B main=10000
        sale 1 A 6000          | ok A=4000
        close 1                | ok
        date 2026-11-23
        refund 2 A 2000 of=1/1 | ok A=6000
        refund 3 A 4001 of=1/1 | -AmountDiffers
        refund 4 B 4000 of=1/1 | -CardDiffers B=10000
        refund 5 A 4000 of=1/1 | ok A=10000
        refund 6 A 1 of=1/1    | -AmountDiffers
        ",
    );
}

#[test]
fn txn_11_an_inquiry_moves_nothing_and_obeys_the_pin() {
    check(
        "
        card A main=900 bonus=100 held=300 points=70 pin=always
        inquiry 1 A                  | -PinMissing
        inquiry 2 A pin=right        | ok detail=700/1000 A=1000 M1=0
        points-inquiry 3 A           | -PinMissing
        points-inquiry 4 A pin=right | ok detail=points:70 A.points=70
        ",
    );
}

#[test]
fn txn_21_the_same_request_debits_once() {
    check(
        "
        card A main=10000
        sale 1 A 6000           | ok A=4000
        sale 1 A 6000           | again A=4000
        sale 1 A 6000 pin=wrong | again A=4000 A.pins=0
        ",
    );
}

#[test]
fn txn_25_whatever_a_card_paid_is_voided_and_refunded() {
    check(
        "
        card A main=100000 points=100
        sale 1 A 100                     | ok
        void 2 A 100 of=1                | ok
        sale 3 A 100 bymail              | ok
        void 4 A 100 of=3                | ok
        offline-sale 5 A 100             | ok
        void 6 A 100 of=5                | ok
        pre-auth 7 A 100                 | ok
        completion 8 A 100 of=7          | ok
        completion-void 9 A 100 of=8     | ok
        completion-advice 10 A 100 of=7  | ok
        completion-void 11 A 100 of=10   | ok
        points-sale 12 A 100             | ok
        points-void 13 A 100 of=12       | ok A.points=100
        pre-auth-void 14 A 100 of=7      | ok A.free=100000
        sale 15 A 100                    | ok
        offline-sale 16 A 100            | ok
        e-cash 17 A 100                  | ok
        pre-auth 18 A 100                | ok
        completion 19 A 100 of=18        | ok
        pre-auth 20 A 100                | ok
        completion-advice 21 A 100 of=20 | ok
        close 1 claimed=1100/11/600/6    | ok detail=balanced
        refund 22 A 100 of=1/15          | ok
        refund 23 A 100 of=1/16          | ok
        refund 24 A 100 of=1/17          | ok
        refund 25 A 100 of=1/19          | ok
        refund 26 A 100 of=1/21          | ok A=100000 M1=0 suspense=0
        ",
    );
}

#[test]
fn txn_22_a_card_that_has_too_little_pays_the_part_it_has() {
    check(
        "
        card A main=600
        sale 1 A 1000      | -InsufficientFunds A=600
        sale 2 A 1000 part | ok approved=600 left=0 A=0
        ",
    );
}

#[test]
fn prd_06_a_class_of_goods_is_denied() {
    check(
        "
        card A main=1000 at=!goods:2
        sale 1 A 10 goods=1 | ok
        sale 2 A 10 goods=2 | -MerchantNotAccepted A=990
        ",
    );
}

#[test]
fn prd_08_a_product_says_what_its_cards_do_and_when_they_need_a_pin() {
    check(
        "
        card A main=10000 without=sale
        card B main=10000 pin=always
        card C main=10000 pin=500
        card D main=10000
        sale 1 A 10           | -CardMayNot A=10000
        sale 2 B 10           | -PinMissing B=10000
        sale 3 B 10 pin=right | ok
        sale 4 C 500          | ok
        sale 5 C 501          | -PinMissing
        sale 6 D 10           | ok
        sale 7 D 10 pin=wrong | -WrongPin
        ",
    );
}

#[test]
fn prd_11_a_single_purpose_card_is_taken_by_its_brand_only() {
    check(
        "
        card A main=1000 at=brand:1
        card B main=1000 at=brand:2
        sale 1 A 10 brand=1 | ok A=990
        sale 2 A 10 brand=2 | -MerchantNotAccepted A=990
        sale 3 B 10 brand=2 | ok B=990
        sale 4 B 10 brand=1 | -MerchantNotAccepted B=990
        ",
    );
}

#[test]
fn prd_13_nothing_makes_a_card_pay_what_it_has_not() {
    check(
        "
        card A main=100
        sale 1 A 101         | -InsufficientFunds A=100
        pre-auth 2 A 101     | -InsufficientFunds A.held=0
        offline-sale 3 A 101 | ok A=0 suspense=-1
        e-cash 4 A 50        | ok A=0 suspense=-51
        sale 5 A 1           | -InsufficientFunds A=0
        ",
    );
}

#[test]
fn lif_01_money_can_be_spent_only_once_a_card_is_active() {
    check(
        "
        card A main=1000 status=Sold
        sale 1 A 10    | -CardNotActive A=1000
        activation 2 A | ok A.status=Active
        activation 2 A | again A.status=Active
        activation 3 A | -CardIsActive A.status=Active A=1000
        sale 4 A 10    | ok A=990
        ",
    );
}

#[test]
fn lif_16_a_pin_is_changed_with_the_old_and_a_fit_new_one() {
    check(
        "
        card A main=1000
        pin-change 1 A pin=wrong newpin=8    | -WrongPin A.pins=1 A.pin=1
        pin-change 2 A pin=right newpin=weak | -UnfitPin A.pin=1
        pin-change 3 A pin=right newpin=8    | ok A.pin=8
        ",
    );
}

#[test]
fn lif_29_a_named_card_is_loaded_and_an_unnamed_one_as_its_product_says() {
    check(
        "
        card N named main=0
        card U main=0 without=topup
        verification 1 N    | ok detail=room:500000
        top-up 2 N 100 of=1 | ok N=100
        verification 3 U    | -CardMayNot
        top-up 4 U 100 of=3 | -CardMayNot U=0
        ",
    );
}
