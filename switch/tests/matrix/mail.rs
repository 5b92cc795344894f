//! Orders by mail or telephone (37).

scripts! {
    orders_by_mail: "
        card A main=50000 policy=always
        37 mail        2 A 6000          | 00 A=44000 M1=6000 T1=6000/1/0/0 ; no PIN: the card is not there
        37 mail        2 again           | 00 same
        37 mail-void   3 A 6000 of=2     | 00 A=50000
        37 mail-void   3 again           | 00 same
        37 mail        4 A 1000          | 00
        37 mail        5 A 100           | 00
        14 settle      6                 | -
        37 mail-refund 7 A 1000 of=4     | 00 A=49900
        7  refund      8 A 100 of=5      | 00 A=50000 ; the card has come to the shop
        13 undo mail-refund 7            | 40
    ";
    what_one_is_refused: "
        card A main=5000 max=2000
        card E main=5000 expiry=2409
        card N main=5000 rights=-mail-order
        card T main=50
        37 mail  2 6212142000000009997 100 | 14
        37 mail  3 T 51                  | 51
        37 mail 23 T 51 part             | 10 f4=000000000050 T=0
        13 undo mail 23                  | 00 T=50
        37 mail  4 E 100                 | 54
        37 mail  5 N 100                 | 57
        37 mail  6 A 2001                | 61
        37 mail  7 A 100 batch=2         | 77 digit=3
        37 mail  8 A 100                 | 00
        37 mail  8 again f4=000000000101 | 94
        37 mail  9 A 100 cold            | A0
        37 mail-void   10 A 99 of=8      | 64
        37 mail-void   11 A 100 of=8 f37=000000000001 | 25
        37 mail-void   12 A 100 of=8 cold | A0
        37 mail-refund 13 A 100 of=8     | 12 ; of the open batch
        37 mail-void   14 A 100 of=8     | 00
        37 mail-void   15 A 100 of=8     | 22
        37 mail 16 A 200                 | 00
        14 settle 17                     | -
        37 mail-refund 18 A 201 of=16    | 64
        37 mail-refund 19 A 200 of=16 f37=000000000001 | 25
        37 mail-refund 20 A 200 of=16 cold | A0
        terminal T1 rights=-mail-order
        37 mail 21 A 100                 | 58
        37 mail-refund 22 A 200 of=16    | 58
    ";
}
