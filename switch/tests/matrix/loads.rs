//! Loads of stripe cards (27 to 29), and those that are not offered (22 to 26, 30).

scripts! {
    top_ups: "
        card A main=20000
        27 verify   2 A                  | 00 f62=000000080000 -38 A=20000
        27 verify   2 again              | 00 same
        28 top-up   3 A 5000 of=2        | 00 A=25000 till1=-5000 M1=0 T1=0/0/0/0
        28 top-up   3 again              | 00 same
        29 confirm  4 A 5000 of=2        | 00 A=25000 ; it was loaded
        29 confirm  4 again              | 00 same
        29 confirm  3 A 5000 of=2        | 00 A=25000 ; under the number of the top-up itself
        27 verify   5 A 0                | 00 f62=000000075000
        29 confirm  6 A 1000 of=5        | 00 A=26000 ; the top-up never came
        29 confirm  6 again              | 00 same
        28 top-up   7 A 1000 of=5        | 22 A=26000 ; it comes after all
        27 verify   8 A                  | 00
        28 top-up   9 A 74000 of=8       | 00 A=100000
        27 verify  10 A                  | 00 f62=000000000000
    ";
    what_has_waited_too_long: "
        card A main=20000
        27 verify   2 A                  | 00
        28 top-up   3 A 5000 of=2 late   | 96 A=20000
        28 top-up   3 again              | 96 A=20000
        29 confirm  3 A 5000 of=2 late   | 00 A=25000 ; what tells of it is no copy of it
        28 top-up   3 A 5000 of=2        | 94 A=25000
        5  sale     4 A 100 late         | 96 A=25000
        5  sale     4 again              | 96 A=25000
        13 undo sale 4 late              | 25 A=25000
        5  sale     4 again              | 22 A=25000
        5  sale     5 A 100              | 00 A=24900
        5  sale     5 again late         | 00 same
        13 undo sale 5 late              | 00 A=25000
        4  inquiry  6 A late             | 96
        14 settle   7                    | -
    ";
    a_named_card_holds_more: "
        card A main=20000 named=1
        27 verify   2 A                  | 00 f62=000000480000
        28 top-up   3 A 480000 of=2      | 00 A=500000
    ";
    what_a_verification_is_refused: "
        card A main=20000
        card S main=20000 status=sold
        card L main=20000 status=lost
        card F main=20000 status=frozen
        card E main=20000 expiry=2409
        card N main=20000 rights=-top-up
        27 verify   2 6212142000000009997 | 14
        27 verify   3 S                  | 21
        27 verify   4 L                  | 41
        27 verify   5 E                  | 54
        27 verify   6 N                  | 57
        27 verify   7 F                  | 62
        27 verify   8 A batch=2          | 77 digit=3
        27 verify   9 A cold             | A0
        5  sale    10 A 100              | 00
        27 verify  10 A                  | 94
        terminal T1 rights=-top-up
        27 verify  11 A                  | 58
        13 undo verify 8                 | 12
    ";
    what_a_top_up_is_refused: "
        card A main=20000
        card B main=20000
        27 verify   2 A                  | 00
        28 top-up   3 A 0 of=2           | 13
        28 top-up   4 B 5000 of=2        | 14
        28 top-up   5 A 5000 of=2 f37=000000000001 | 25
        28 top-up   6 A 80001 of=2       | 61
        28 top-up   7 A 5000 of=2 batch=2 | 77 digit=3
        28 top-up   8 A 5000 of=2 cold   | A0
        28 top-up   2 A 5000 of=2        | 94
        28 top-up   9 A 5000 of=2        | 00 A=25000
        28 top-up   9 again f4=000000005001 | 94
        28 top-up  10 A 5000 of=2        | 22 A=25000
        13 undo top-up 9                 | 40 A=25000
        # what the card may not be loaded with, a confirmation does not load
        27 verify  11 A                  | 00
        29 confirm 12 B 5000 of=11       | 14
        29 confirm 13 A 5000 of=11 f37=000000000001 | 25
        29 confirm 14 A 75001 of=11      | 61
        29 confirm 15 A 4999 of=2        | 64 A=25000
        29 confirm 16 A 5000 of=11 batch=2 | 77 digit=3
        29 confirm 17 A 5000 of=11 cold  | A0
        29 confirm 11 A 5000 of=11       | 94
        13 undo sale 18 A 5000           | 25
        29 confirm 18 A 5000 of=11       | 22 ; its number is barred
        29 confirm 19 A 5000 of=11       | 00 A=30000
        13 undo confirm 19               | 40 A=30000
    ";
    loads_that_are_not_offered: "
        card A main=20000
        22 load-own     2 A 100 chip     | 40
        23 load-other   3 A 100 chip     | 40
        24 load-cash    4 A 100 chip     | 40
        25 load-void    5 A 100 chip     | 40
        26 wallet-own   6 A 100 chip     | 40
        26 wallet-cash  7 A 100 chip     | 40
        26 wallet-other 8 A 100 chip     | 40
        30 account      9 A 100          | 40
        13 undo load-own     2           | 40
        13 undo load-other   3           | 40
        13 undo load-cash    4           | 40
        13 undo load-void    5           | 40
        13 undo wallet-own   6           | 40
        13 undo wallet-cash  7           | 40
        13 undo wallet-other 8           | 40
        13 undo account      9           | 12
        13 undo chip-refund 10 A 100     | 40
    ";
}
