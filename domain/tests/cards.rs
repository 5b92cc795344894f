//! Cards that come into use and change their PIN, and what products let them do, as tables.
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
fn a_sold_card_is_activated_once() {
    check(
        "
        card S main=1000 status=Sold
        card F main=1000 status=Frozen
        card L main=1000 status=Lost
        card C main=1000 status=Cancelled
        card X main=1000 status=Sold expiry=2610
        card N main=1000 status=Sold without=activation
        card P main=1000 status=Sold pin=always
        sale 1 S 10               | -CardNotActive S=1000
        pre-auth 2 S 10           | -CardNotActive
        inquiry 3 S               | -CardNotActive
        activation 4 S            | ok noted S.status=Active S=1000 T1.totals=0/0/0/0 M1=0
        activation 4 S            | again S.status=Active
        activation 5 S            | -CardIsActive S.status=Active
        sale 6 S 10               | ok S=990
        activation 7 F            | -CardFrozen F.status=Frozen
        activation 8 L            | -CardLost
        activation 9 C            | -CardCancelled
        activation 10 X           | -CardExpired X.status=Sold
        activation 11 N           | -CardMayNot N.status=Sold
        activation 12 P pin=wrong | -WrongPin P.status=Sold P.pins=1
        activation 13 P           | ok P.status=Active P.pins=1
        activation 14 nobody      | -UnknownCard noted
        ",
    );
}

#[test]
fn an_activation_is_reversed_while_nothing_came_of_it() {
    check(
        "
        card S main=1000 status=Sold
        card T main=1000 status=Sold
        card U main=1000 status=Sold
        card V main=1000 status=Sold
        card W main=1000 status=Sold
        activation 1 S                       | ok S.status=Active
        reverse 1 S 5 as=activation          | -AmountDiffers quiet
        reverse 1 S 0 as=activation          | ok noted S.status=Sold
        reverse 1 S 0 as=activation          | ok quiet S.status=Sold
        activation 1 S                       | -OriginalReversed quiet S.status=Sold
        sale 2 S 10                          | -CardNotActive
        reverse 3 S 0 as=activation          | -OriginalNotFound noted
        activation 3 S                       | -OriginalReversed quiet S.status=Sold
        activation 4 S                       | ok S.status=Active

        activation 5 T                       | ok
        sale 6 T 10                          | ok
        reverse 5 T 0 as=activation          | -OriginalOutOfReach quiet T.status=Active
        activation 7 U                       | ok
        pre-auth 8 U 10                      | ok
        reverse 7 U 0 as=activation          | -OriginalOutOfReach quiet U.status=Active
        pre-auth-void 9 U 10 of=8            | ok
        activation 10 V                      | ok
        verification 11 V                    | ok
        top-up 12 V 10 of=11                 | ok
        reverse 10 V 0 as=activation         | -OriginalOutOfReach quiet V.status=Active
        activation 13 W                      | ok
        close 1                              | ok
        reverse 13 W 0 as=activation batch=1 | -OriginalOutOfReach quiet W.status=Active
        ",
    );
}

#[test]
fn a_pin_is_changed_by_who_knows_the_old_one() {
    check(
        "
        card A main=1000 pin=always
        card N main=1000 without=pinchange
        card L main=1000 status=Lost
        card Z main=1000
        pin-change 1 A newpin=5              | -PinMissing A.pin=1
        pin-change 2 A pin=wrong newpin=5    | -WrongPin A.pin=1 A.pins=1
        pin-change 2 A pin=wrong newpin=5    | again A.pins=1
        pin-change 3 A pin=right newpin=weak | -UnfitPin A.pin=1 A.pins=0
        pin-change 4 A pin=right             | -UnfitPin A.pin=1
        pin-change 5 A pin=right newpin=5    | ok noted A.pin=5 A=1000 T1.totals=0/0/0/0
        pin-change 5 A pin=wrong newpin=5    | again A.pin=5 A.pins=0
        pin-change 5 A pin=right newpin=6    | -DuplicateDiffers quiet A.pin=5
        pin-change 6 A pin=wrong newpin=6    | -WrongPin A.pin=5 A.pins=1
        pin-change 7 A pin=wrong newpin=6    | -WrongPin A.pins=2
        pin-change 8 A pin=wrong newpin=6    | -WrongPin A.pins=3
        pin-change 9 A pin=right newpin=6    | -PinTriesExceeded A.pin=5 A.pins=3
        pin-change 10 N pin=right newpin=6   | -CardMayNot N.pin=1
        pin-change 11 L pin=right newpin=6   | -CardLost L.pin=1
        pin-change 12 Z newpin=6             | -PinMissing Z.pin=1
        reverse 5 A 0 as=pin-change          | -OriginalOutOfReach quiet A.pin=5
        reverse 13 A 0 as=pin-change         | -OriginalNotFound noted
        pin-change 13 A pin=right newpin=6   | -OriginalReversed quiet
        sale 14 Z 10 newpin=6                | ok Z.pin=1
        ",
    );
}

#[test]
fn what_does_not_look_at_the_pin_opens_no_card() {
    check(
        "
        card A main=1000
        sale 1 A 10 pin=wrong         | -WrongPin
        offline-sale 2 A 10 pin=right | ok A.pins=0
        sale 3 A 10 pin=wrong         | -WrongPin
        sale 4 A 10 pin=wrong         | -WrongPin
        sale 5 A 10 pin=wrong         | -WrongPin A.pins=3
        offline-sale 6 A 10 pin=right | ok A.pins=3
        script-notice 7 A pin=right   | ok A.pins=3
        sale 8 A 10 pin=right         | -PinTriesExceeded A.pins=3
        ",
    );
}

#[test]
fn a_script_notice_changes_nothing() {
    check(
        "
        card A main=1000
        script-notice 1 A              | ok noted A=1000 T1.totals=0/0/0/0
        script-notice 1 A              | again
        reverse 1 A 0 as=script-notice | -OriginalOutOfReach quiet
        reverse 2 A 0 as=script-notice | -OriginalNotFound noted
        script-notice 2 A              | -OriginalReversed quiet
        ",
    );
}

#[test]
fn an_order_by_mail_needs_a_right_and_no_pin() {
    check(
        "
        card A main=1000 pin=always
        card N main=1000 without=mail
        card P main=1000 without=sale
        sale 1 A 100                  | -PinMissing
        sale 2 A 100 bymail           | ok A=900
        sale 2 A 100 bymail           | again
        sale 3 A 100 bymail pin=wrong | -WrongPin A.pins=1
        sale 4 N 100 bymail           | -CardMayNot N=1000
        sale 5 N 100                  | ok N=900
        sale 6 P 100 bymail           | -CardMayNot
        void 7 A 100 of=2 bymail      | ok A=1000
        reverse 7 A 100 as=void       | ok A=900
        reverse 2 A 100               | ok A=1000
        sale 8 A 100 bymail           | ok T1.totals=200/2/0/0
        close 1                       | ok
        refund 9 A 100 of=1/8 bymail  | ok A=1000
        ",
    );
}

#[test]
fn a_right_that_a_product_lacks_is_refused_and_moves_nothing() {
    check(
        "
        card A main=1000 points=100 without=sale
        card B main=1000 without=inquiry
        card C main=1000 without=refund
        card D main=1000 points=100 without=preauth,points,topup,pinchange,activation
        sale 1 A 10                        | -CardMayNot A=1000
        inquiry 2 A                        | ok
        inquiry 3 B                        | -CardMayNot
        sale 4 B 10                        | ok
        sale 5 C 10                        | ok
        close 1                            | ok
        refund 6 C 10 of=1/5               | -CardMayNot C=990
        refund 7 B 10 of=1/4               | ok B=1000
        pre-auth 8 D 10                    | -CardMayNot D.held=0
        points-sale 9 D 10                 | -CardMayNot
        points-inquiry 10 D                | -CardMayNot
        verification 11 D                  | -CardMayNot
        pin-change 12 D pin=right newpin=5 | -CardMayNot
        ",
    );
}

#[test]
fn what_a_terminal_may_not_do_is_still_answered_again() {
    check(
        "
        card A main=1000
        sale 1 A 100                   | ok A=900
        sale 1 A 100 mayonlyrepeat     | again A=900
        sale 2 A 100 mayonlyrepeat     | -TerminalMayNot noted A=900
        sale 2 A 100                   | again A=900
        activation 3 A 0 mayonlyrepeat | -TerminalMayNot noted
        ",
    );
}

#[test]
fn a_product_names_where_its_cards_are_taken() {
    check(
        "
        card A main=1000 at=brand:7
        card B main=1000 at=!goods:3
        card C main=1000 at=category:5411,category:5812,region:3301
        sale 1 A 10 brand=7                      | ok A=990
        sale 2 A 10 brand=8                      | -MerchantNotAccepted A=990
        sale 3 A 10                              | -MerchantNotAccepted A=990
        inquiry 4 A brand=8                      | -MerchantNotAccepted
        pre-auth 5 A 10 brand=8                  | -MerchantNotAccepted A.held=0
        verification 6 A brand=8                 | -MerchantNotAccepted
        void 7 A 10 of=1 brand=8                 | ok A=1000
        sale 8 B 10 goods=3                      | -MerchantNotAccepted B=1000
        sale 9 B 10 goods=4                      | ok B=990
        sale 10 C 10 category=5411 region=330106 | ok C=990
        sale 11 C 10 category=5812 region=330100 | ok C=980
        sale 12 C 10 category=5813 region=330106 | -MerchantNotAccepted
        sale 13 C 10 category=5411 region=310104 | -MerchantNotAccepted C=980
        ",
    );
}
