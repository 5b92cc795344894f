//! What is told after the event (18 to 21), and script notices (31).

scripts! {
    offline_sales_and_adjustments: "
        card A main=50000
        card T main=100
        18 offline 2 A 6000              | 00 A=44000 M1=6000 T1=6000/1/0/0
        18 offline 2 again               | 00 same
        18 offline 3 T 300               | 00 T=0 suspense=-200 M1=6300
        19 adjust  4 A 5000 of=2         | 00 A=45000 M1=5300 T1=5300/2/0/0
        19 adjust  4 again               | 00 same
        5  sale    5 A 1000              | 00 A=44000
        20 tip     6 A 1200 of=5 tip=200 | 00 A=43800 M1=6500 T1=6500/3/0/0
        20 tip     6 again               | 00 same
        20 tip     7 A 1100 of=5 tip=100 -37 | 00 A=43900 ; the last word counts
        21 e-cash  8 A 100               | 00 A=43800 T1=6500/4/0/0
        21 e-cash  8 again               | 00 same
        6  void    9 A 1100 of=5         | 00 A=44900 ; what it is worth by then
        31 script 10 A 1000 of=5         | 00 A=44900
        31 script 10 again               | 00 same
        6  void   14 A 5000 of=2         | 00 A=49900
        5  sale   15 A 1000              | 00 A=48900
        20 tip    16 A 1100 of=15 tip=100 | 00 A=48800
        13 undo sale 15                  | 00 A=49900 ; with its tip
        14 settle 11                     | - f48=00000000650000400000000610000210000000000000000000000000000001
        7  refund 12 A 5000 of=2         | 22 ; it is voided
        7  refund 13 A 100 of=8          | 00 A=50000
    ";
    what_an_offline_sale_is_refused: "
        card A main=50000 max=20000
        18 offline 2 A 0                 | 13
        18 offline 3 6212142000000009997 100 | 14
        18 offline 4 A 20001             | 61
        18 offline 5 A 100 batch=2       | 77 digit=3
        18 offline 6 A 100               | 00
        18 offline 6 again f4=000000000101 | 94
        18 offline 7 A 100 cold          | A0
        13 undo offline 6                | 40
        terminal T1 rights=-offline
        18 offline 8 A 100               | 58
        18 offline 6 again               | 00 same
    ";
    what_an_adjustment_is_refused: "
        card A main=50000
        card B main=50000
        5  sale   2 A 1000               | 00
        5  sale   3 A 1000               | 00
        6  void   4 A 1000 of=3          | 00
        4  inquiry 19 A                  | 00
        19 adjust 5 A 0 of=2             | 13
        19 adjust 6 B 1000 of=2          | 14
        19 adjust 7 A 900 of=3           | 22
        19 adjust 8 A 900 of=2 f61=00000100007711220048020000000 | 25
        19 adjust 9 A 1201 of=2          | 64
        19 adjust 10 A 900 of=2 batch=2  | 77 digit=3
        19 adjust 11 A 900 of=2 cold     | A0
        19 adjust 2 A 900 of=2           | 94
        20 tip    12 A 900 of=3          | 22
        20 tip    13 A 900 of=2 f37=000000000001 | 25
        20 tip    14 A 1201 of=2         | 64
        20 tip    15 A 900 of=2 cold     | A0
        20 tip    2 A 1200 of=2          | 94
        14 settle 16                     | -
        19 adjust 17 A 900 of=2          | 12 ; settled
        20 tip    18 A 900 of=2          | 12
        13 undo adjust 5                 | 40
        13 undo tip 12                   | 40
    ";
    what_a_chip_sale_is_refused: "
        card L main=100 status=lost expiry=2409
        21 e-cash 2 L 100                | 00 L=0 ; it was paid, whatever became of the card
        21 e-cash 3 L 100                | 00 L=0 suspense=-100
        21 e-cash 4 L 100 -55            | 30
        21 e-cash 5 L 100 batch=2        | 77 digit=3
        21 e-cash 2 again f4=000000000101 | 94
        21 e-cash 6 L 100 cold           | A0
        13 undo e-cash 2                 | 40
    ";
    what_a_script_notice_is_refused: "
        card A main=5000
        5  sale   2 A 1000 chip          | 00
        31 script 3 6212142000000009997 1000 of=2 | 14
        31 script 4 A 1000 of=2 batch=2  | 77 digit=3
        31 script 2 A 1000 of=2          | 94
        31 script 5 A 1000 of=2 cold     | A0
        13 undo script 6 A 1000          | 40
    ";
}
