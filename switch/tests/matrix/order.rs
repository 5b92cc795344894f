//! The checks, in their one order: of two neighbours that would both refuse, the earlier does.

scripts! {
    txn_16_format_before_message_code: "
        card A main=5000
        5 sale 2 A 100 cold w4=0000000001A0 | 30
    ";
    txn_16_known_transaction_before_terminal: "
        card A main=5000
        22 load-own 2 A 100 chip cold at=T0 | 40
        5 sale 3 A 100 cold at=T0 -3        | 12
    ";
    txn_16_terminal_before_merchant: "
        card A main=5000
        5 sale 2 A 100 cold at=T0 f42=898000000000002 | 97
    ";
    txn_16_merchant_before_message_code: "
        card A main=5000
        5 sale 2 A 100 cold f42=898000000000002 | 03
    ";
    txn_16_message_code_before_fields: "
        card A main=5000
        5 sale 2 A 100 cold -22             | A0 digit=3 ; it has no keys
        5 sale 3 A 100 cold f49=840         | A0 digit=3
    ";
    txn_16_fields_before_card_number: "
        card A main=5000
        5 sale 2 6212142000000009997 100 -22 | 30
        5 sale 3 6212142000000009997 100 f49=840 | 12
    ";
    txn_16_card_number_before_issuer: "
        card A main=5000
        5 sale 2 6299990000000000013 100    | 14
    ";
    txn_16_issuer_before_trace_number: "
        card A main=5000
        5 sale 2 A 100                      | 00
        5 sale 2 6299990000000000012 100    | 15
    ";
    txn_16_trace_number_before_batch: "
        card A main=5000
        13 undo sale 2 A 100                | 25
        5 sale 2 A 100                      | 22
        5 sale 3 A 100                      | 00
        14 settle 4                         | -
        5 sale 3 A 200 batch=1              | 94
    ";
    txn_16_batch_before_right_of_the_terminal: "
        card A main=5000
        terminal T1 rights=-sale
        5 sale 2 A 100 batch=9              | 77 digit=3
    ";
    txn_16_right_of_the_terminal_before_state_of_the_card: "
        card S main=5000 status=sold
        terminal T1 rights=-sale
        5 sale 2 S 100                      | 58
    ";
    txn_16_state_before_expiry: "
        card S main=5000 status=sold expiry=2409
        card L main=5000 status=lost expiry=2409
        card F main=5000 status=frozen expiry=2409
        card C main=0 status=cancelled expiry=2409
        5 sale 2 S 100                      | 21
        5 sale 3 L 100                      | 41
        5 sale 4 F 100                      | 62
        5 sale 5 C 100                      | 14
    ";
    txn_16_expiry_before_pin: "
        card E main=5000 expiry=2409 policy=always
        5 sale 2 E 100 pin=135246           | 54 E.tries=0
        5 sale 3 E 100                      | 54
    ";
    txn_16_pin_tries_before_pin: "
        card A main=5000 policy=always
        5 sale 2 A 100 pin=135246           | 55
        5 sale 3 A 100 pin=135246           | 55
        5 sale 4 A 100 pin=135246           | 55
        5 sale 5 A 100 pin=135246           | 75 A.tries=3
    ";
    txn_16_pin_before_right_of_the_card: "
        card A main=5000 policy=always rights=-sale
        5 sale 2 A 100 pin=135246           | 55 A.tries=1
        5 sale 3 A 100                      | 55
        5 sale 4 A 100 pin=246135           | 57 A.tries=0
    ";
    txn_16_right_of_the_card_before_merchant_acceptance: "
        card A main=5000 rights=-sale not-category=5411
        5 sale 2 A 0                        | 57 ; both are 57: the next line tells them apart
        card B main=5000 not-category=5411
        5 sale 3 B 100                      | 57
        5 sale 4 B 100 at=T5                | 00
        5 sale 5 A 100 at=T5                | 57
    ";
    txn_16_merchant_acceptance_before_amount: "
        card A main=5000 not-category=5411 max=1000
        5 sale 2 A 0                        | 57
        5 sale 3 A 1001                     | 57
    ";
    txn_16_amount_before_limits: "
        card A main=5000 max=1000 day=500/1
        5 sale 2 A 100                      | 00
        5 sale 3 A 0                        | 13
        5 sale 4 A 100                      | 65
        card B main=500000 named=1 max=1000 month=1000/1
        5 sale 5 B 1001                     | 61
        5 sale 6 B 1000                     | 00
        5 sale 7 B 1                        | 61
    ";
    txn_16_limits_before_balance: "
        card A main=100 day=500
        5 sale 2 A 501                      | 61
        5 sale 3 A 500                      | 51
        card B main=100 day=500/1
        5 sale 4 B 100                      | 00
        5 sale 5 B 100                      | 65
    ";
}
