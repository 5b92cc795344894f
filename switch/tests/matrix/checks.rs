//! Refusals that the capabilities of the system name, each by its own.

scripts! {
    mer_01_a_merchant_that_is_not_the_terminals: "
        card A main=5000
        5 sale 2 A 100 f42=898000000000002  | 03 A=5000
        5 sale 3 A 100                      | 00
    ";
    ter_01_a_terminal_that_is_unknown_or_may_not: "
        card A main=5000
        5 sale 2 A 100 at=T0 cold           | 97
        terminal T1 rights=-sale
        5 sale 3 A 100                      | 58 A=5000
        4 inquiry 4 A                       | 00
    ";
    txn_06_a_sale: "
        card A main=10000 policy=always
        5 sale 2 A 6000 pin=246135          | 00 A=4000 M1=6000 +37 +38
        5 sale 3 A 4001 pin=246135          | 51 A=4000
    ";
    txn_07_the_reversal_of_a_sale: "
        card A main=10000
        5 sale 2 A 6000                     | 00
        13 undo sale 2                      | 00 A=10000
        13 undo sale 2                      | 00 A=10000
        13 undo sale 3 A 100                | 25
        5 sale 3 A 100                      | 22 A=10000
    ";
    txn_15_cards_of_others: "
        card A main=10000
        5 sale 2 6299990000000000012 100    | 15
        5 sale 3 6251880000000008 100       | 91
        5 sale 4 6251890000000007 100       | 92
        5 sale 5 6212142000000009997 100    | 14
        5 sale 6 6212142000000009998 100    | 14 ; a wrong check digit
    ";
    txn_21_the_same_request_and_another: "
        card A main=10000
        5 sale 2 A 100                      | 00
        5 sale 2 again                      | 00 same A=9900
        5 sale 2 again f4=000000000101      | 94 A=9900
    ";
    txn_22_the_balance_is_too_low: "
        card A main=10000
        5 sale 2 A 10001                    | 51 f63=CUPEL2_BALANCE_TOO_LOW_
        5 sale 3 A 10001 part               | 10 f4=000000010000 f63=CUPDUE000000000001_____
    ";
    txn_23_entry_modes: "
        card A main=10000 policy=always
        5 sale 2 A 100 pin=246135           | 00
        5 sale 3 A 100 pin=246135 typed     | 00
        5 sale 4 A 100 pin=246135 chip      | 00
        5 sale 5 A 100 chip f22=072 -23     | 55
        5 sale 8 A 100 pin=246135 f22=031   | 00 ; read from a code
        5 sale 9 A 100 pin=246135 f22=801   | 00 ; the stripe, for the chip failed
        5 sale 6 A 100 pin=246135 f22=022   | 30 ; a PIN, and it says there is none
        5 sale 7 A 100 f22=021              | 30 ; none, and it says there is one
    ";
    txn_26_void_before_the_settlement_refund_after: "
        card A main=10000
        5 sale 2 A 100                      | 00
        7 refund 3 A 100 of=2               | 12
        14 settle 4                         | -
        6 void 5 A 100 of=2                 | 12
        7 refund 6 A 100 of=2               | 00 A=10000
    ";
    txn_28_the_time_for_a_refund: "
        card A main=10000 refund-days=3
        card B main=10000 refund-days=0
        5 sale 2 A 100                      | 00
        5 sale 3 B 100                      | 00
        14 settle 4                         | -
        time 2026-11-25T10:00
        7 refund 5 A 50 of=2                | 00
        time 2026-11-26T10:00
        7 refund 6 A 50 of=2                | 12
        time 2027-04-01T10:00
        7 refund 7 B 100 of=3               | 00 B=10000
    ";
    lif_01_a_card_that_is_not_activated: "
        card S main=5000 status=sold
        5 sale 2 S 100                      | 21 S=5000
    ";
    lif_06_a_card_that_is_lost: "
        card L main=5000 status=lost
        5 sale 2 L 100                      | 41 L=5000
        4 inquiry 3 L                       | 41
        8 pre-auth 4 L 100                  | 41
    ";
    lif_10_a_card_that_is_frozen: "
        card F main=5000 status=frozen
        5 sale 2 F 100                      | 62 F=5000
    ";
    lif_12_a_card_whose_pin_is_locked: "
        card A main=5000
        5 sale 2 A 100 pin=135246           | 55
        5 sale 3 A 100 pin=135246           | 55
        5 sale 4 A 100 pin=135246           | 55
        5 sale 5 A 100 pin=246135           | 75
        5 sale 6 A 100                      | 75 ; without a PIN too
    ";
    lif_15_a_card_that_is_cancelled: "
        card C main=0 status=cancelled
        5 sale 2 C 100                      | 14
    ";
    val_01_a_card_without_expiry: "
        card A main=5000 named=1 expiry=0000
        time 2044-10-01T10:00
        5 sale 2 A 100                      | 00
    ";
    val_04_a_card_that_has_expired: "
        card A main=5000 expiry=2611
        5 sale 2 A 100                      | 00
        time 2026-11-30T10:00
        5 sale 3 A 100                      | 00 ; the month is its last
        time 2026-12-01T10:00
        5 sale 4 A 100                      | 54 A=4800
        6 void 5 A 100 of=3                 | 00 A=4900 ; it keeps what is given back
        5 sale 6 A 100 expiry=3512          | 54 ; the track does not extend it
    ";
    lim_01_the_ceiling_of_a_named_card: "
        card A main=499999 named=1
        27 verify 2 A                       | 00 f62=000000000001
        28 top-up 3 A 2 of=2                | 61 A=499999
        28 top-up 4 A 1 of=2                | 00 A=500000
    ";
    lim_02_the_ceiling_of_an_unnamed_card: "
        card A main=99999
        27 verify 2 A                       | 00 f62=000000000001
        28 top-up 3 A 2 of=2                | 61 A=99999
        28 top-up 4 A 1 of=2                | 00 A=100000
    ";
    lim_04_the_limit_of_one_transaction: "
        card A main=50000 max=1000
        5 sale 2 A 1001                     | 61 A=50000
        5 sale 3 A 1000                     | 00 A=49000
    ";
    lim_07_a_card_that_is_not_reloadable: "
        card A main=5000 rights=-top-up
        27 verify 2 A                       | 57
    ";
    lim_08_too_much_or_too_often: "
        card A main=50000 day=1000/3 month=1500
        5 sale 2 A 600                      | 00
        5 sale 3 A 401                      | 61
        5 sale 4 A 400                      | 00
        6 void 5 A 400 of=4                 | 00 ; what is undone is not counted
        5 sale 6 A 400                      | 00
        time 2026-11-23T10:00
        5 sale 7 A 500                      | 00
        5 sale 8 A 1                        | 61 ; the month is spent
        time 2026-12-01T10:00
        5 sale 9 A 100                      | 00
        5 sale 10 A 100                     | 00
        5 sale 11 A 100                     | 00
        5 sale 12 A 100                     | 65
    ";
}
