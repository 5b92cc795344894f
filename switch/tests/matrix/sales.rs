//! Inquiries, sales, voids, refunds (4 to 7b).

scripts! {
    sales_voids_and_refunds: "
        card A main=50000 bonus=2000 draw=bonus,main
        card B main=10000
        4  inquiry     1 A               | 00 f54=1002156C000000052000 -38 -4 A=50000
        5  sale        2 A 6000          | 00 A=46000 A.bonus=0 M1=6000 T1=6000/1/0/0 f12=100000 f13=1122 f15=1122 f32=48020000 f44=03010000___48020000___
        5  sale        2 again           | 00 same
        5  sale        2 again mti=0201  | 00 same
        5  sale        3 A 1000 typed    | 00 A=45000 +2 +14
        5  sale        4 A 1000 chip     | 00 A=44000 +2 +23
        5  sale        5 A 1000 pin=246135 | 00 A=43000
        5  sale        6 A 1000 at=T9 pin=246135 | 00 A=42000 M3=1000 ; SM4: the PIN travels in F63
        5  sale        7 A 1000 at=T10   | 00 A=41000
        6  void        8 A 6000 of=2     | 00 A=45000 A.bonus=2000 T1=9000/4/6000/1
        6  void        8 again           | 00 same f38=@8
        6  void        9 A 1000 of=3 typed | 00 A=46000
        4  inquiry    10 A part          | 00 f54=1002156C000000048000
        14 settle     11                 | -
        7  refund     12 A 400 of=4      | 00 A=46400 M1=1600 T1=0/0/400/1
        7  refund     12 again           | 00 same
        7  refund     13 A 600 of=4      | 00 A=47000 M1=1000
        7  refund     14 A 1000 of=T1:5 at=T2 | 00 A=48000 T2=0/0/1000/1 ; any terminal of the merchant may
        7b chip-refund 15 A 400 of=4     | 40
    ";
    what_an_inquiry_is_refused: "
        card A main=5000 policy=always
        card B main=5000 rights=-inquiry
        card S main=5000 status=sold
        card L main=5000 status=lost
        card F main=5000 status=frozen
        card E main=5000 expiry=2409
        4  inquiry  2 A pin=246135       | 00
        4  inquiry  3 6212142000000009997 | 14
        4  inquiry  4 6299990000000000012 | 15
        4  inquiry  5 S                  | 21
        13 undo sale 6 A 100             | 25
        4  inquiry  6 A pin=246135       | 22 ; its number is barred
        4  inquiry  7 A -22 -35          | 30
        4  inquiry  8 L                  | 41
        4  inquiry  9 E                  | 54
        4  inquiry 10 A                  | 55 A.tries=0 ; no PIN is no try
        4  inquiry 11 A pin=111222       | 55 A.tries=1
        4  inquiry 12 A pin=111222       | 55 A.tries=2
        4  inquiry 13 A pin=246135       | 00 A.tries=0
        4  inquiry 14 B                  | 57
        4  inquiry 15 F                  | 62
        4  inquiry 16 A pin=111222       | 55
        4  inquiry 17 A pin=111222       | 55
        4  inquiry 18 A pin=111222       | 55 A.tries=3
        4  inquiry 19 A pin=246135       | 75
        4  inquiry 20 A batch=7          | 77 digit=3
        5  sale    21 B 100              | 00
        4  inquiry 21 B                  | 94
        4  inquiry 22 A cold             | A0
        4  inquiry 23 A cold at=T0       | 97
        terminal T1 rights=-inquiry
        4  inquiry 24 A pin=246135       | 58
        13 undo inquiry 2                | 12
    ";
    what_a_sale_is_refused: "
        card A main=50000 max=20000
        card S main=50000 status=sold
        card L main=50000 status=lost
        card F main=50000 status=frozen
        card C main=0 status=cancelled
        card E main=50000 expiry=2409
        card P main=50000 policy=always
        card N main=50000 rights=-sale
        card O main=50000 day=9000/2
        card Q main=50000 month=9000
        5  sale  2 A 100 f42=898000000000002 | 03
        5  sale  3 A 100 f49=840         | 12
        5  sale  4 A 0                   | 13
        5  sale  4 again                 | 13 same
        5  sale  5 C 100                 | 14
        5  sale  6 6212142000000009997 100 | 14
        5  sale  7 A 100 f2=6212142000000000020 | 14 ; F2 and track name two cards
        5  sale  8 6299990000000000012 100 | 15
        5  sale  9 S 100                 | 21
        5  sale 10 A 100 -60             | 30
        5  sale 11 A 100 -22             | 30
        5  sale 12 A 100 -11             | 30
        5  sale 13 A -4                  | 30
        5  sale 14 L 100                 | 41
        5  sale 15 O 9001                | 61
        5  sale 16 O 50                  | 00
        5  sale 17 O 50                  | 00
        5  sale 18 O 50                  | 65
        5  sale 19 Q 9001                | 61
        5  sale 20 E 100                 | 54
        5  sale 21 P 100                 | 55
        5  sale 22 P 100 pin=135246      | 55 P.tries=1
        5  sale 22 again                 | 55 same P.tries=1 ; a repeat is no try
        5  sale 23 P 100 pin=135246      | 55 P.tries=2
        5  sale 24 P 100 pin=135246      | 55 P.tries=3
        5  sale 25 P 100 pin=246135      | 75
        5  sale 26 N 100                 | 57
        5  sale 27 A 20001               | 61
        5  sale 28 F 100                 | 62
        5  sale 29 A 100 batch=2         | 77 digit=3
        5  sale 30 6251880000000008 100  | 91
        5  sale 35 6251890000000007 100  | 92
        5  sale 31 A 100 cold at=T0      | 97
        5  sale 32 A 100 cold            | A0 -64
        5  sale 33 A 100                 | 00
        5  sale 33 again f4=000000000200 | 94
        5  sale 33 L 200                 | 94 ; another card
        terminal T1 rights=-sale
        5  sale 33 again                 | 00 same
        5  sale 34 A 100                 | 58
    ";
    what_a_void_is_refused: "
        card A main=50000
        card B main=50000
        5  sale  2 A 6000                | 00
        5  sale  3 A 500                 | 00
        6  void  4 B 6000 of=2           | 14
        6  void  5 A 5999 of=2           | 64
        6  void  6 A 6000 of=2 f37=000000000001 | 25
        6  void  7 A 6000 of=2 f38=000000 | 25
        6  void  8 A 6000 of=2 f61=000001000077 | 25
        6  void  9 A 6000 of=2 -61       | 30
        6  void 10 A 6000 of=2 -37       | 30
        6  void 11 A 6000 of=2 pin=135246 | 55 A.tries=1
        6  void 12 A 6000 of=T1:2 at=T2  | 58
        6  void 13 A 6000 of=2 batch=4   | 77 digit=3
        6  void 14 A 6000 of=2 cold      | A0
        6  void  3 A 6000 of=2           | 94
        6  void 15 A 6000 of=2           | 00 A=49500
        6  void 16 A 6000 of=2           | 22
        6  void 15 again f4=000000005999 | 94
        14 settle 17                     | -
        6  void 18 A 500 of=3            | 12 ; settled: it is refunded
        7  refund 19 A 500 of=3          | 00 A=50000
        # an inquiry is nothing to void
        4  inquiry 20 A                  | 00
        6  void 21 A 500 of=20 f38=000000 | 25
    ";
    what_a_refund_is_refused: "
        card A main=50000
        card B main=50000
        card N main=50000 rights=-refund
        card D main=50000 refund-days=5
        card K main=100000
        5  sale  2 A 6000                | 00
        5  sale  3 N 100                 | 00
        5  sale  4 A 700                 | 00
        6  void  5 A 700 of=4            | 00
        5  sale  6 D 100                 | 00
        5  sale  7 K 100                 | 00
        5  sale 22 A 300 chip            | 00
        13 undo sale 22                  | 00
        7  refund  8 A 6000 of=2         | 12 ; of the open batch: it is voided
        14 settle  9                     | -
        7  refund 10 A 0 of=2            | 13
        7  refund 11 B 6000 of=2         | 14
        7  refund 12 A 700 of=4          | 22
        7  refund 23 A 300 of=22         | 22
        7  refund 13 A 6000 of=2 f37=000000000001 | 25
        7  refund 14 A 6000 of=2 -37     | 30
        7  refund 15 N 100 of=3          | 57
        7  refund 16 A 6000 of=T1:2 at=T5 | 58
        7  refund 17 K 100 of=7          | 00
        5  sale 24 K 100                 | 00
        7  refund 18 A 6001 of=2         | 64
        7  refund 19 A 6000 of=2 batch=9 | 77 digit=3
        7  refund 20 A 6000 of=2 cold    | A0
        7  refund 17 again f4=000000000099 | 94
        terminal T1 rights=-refund
        7  refund 17 again               | 00 same
        7  refund 25 A 6000 of=2         | 58
        terminal T1 rights=-partial
        time 2026-11-28T10:00
        7  refund 21 D 100 of=6          | 12 ; six days, and five are allowed
        13 undo refund 17                | 40
    ";
    lim_03_a_refund_never_takes_a_card_above_its_ceiling: "
        card K main=99000
        5  sale    2 K 5000              | 00 K=94000
        14 settle  3                     | -
        27 verify  4 K                   | 00 f62=000000006000
        28 top-up  5 K 6000 of=4         | 00 K=100000
        7  refund  6 K 5000 of=2         | 61 K=100000
        5  sale    7 K 5000              | 00
        7  refund  8 K 5000 of=2         | 00 K=100000
    ";
    a_part_where_there_is_not_enough: "
        card A main=4000
        card N main=4000 rights=-partial
        card Z main=0
        5  sale 2 A 6000                 | 51 f63=CUPEL2_BALANCE_TOO_LOW_ A=4000
        5  sale 3 A 6000 part            | 10 f4=000000004000 f54=1002156C000000000000 f63=CUPDUE000000002000_____ A=0 M1=4000 T1=4000/1/0/0
        5  sale 3 again                  | 10 same
        5  sale 3 again f4=000000004000  | 94
        6  void 4 A 6000 of=3            | 64 ; a void carries what was approved
        6  void 5 A 4000 of=3            | 00 A=4000
        5  sale 6 A 6000 part            | 10 A=0
        13 undo sale 6                   | 00 A=4000 ; the amount asked
        5  sale 7 A 6000 part            | 10 A=0
        13 undo sale 7 f4=000000004000   | 00 A=4000 ; the amount approved
        5  sale 8 A 6000 part            | 10 A=0
        13 undo sale 8 f4=000000005000   | 64 A=0 ; neither
        5  sale 9 Z 100 part             | 51 Z=0
        5  sale 10 N 6000 part           | 51 N=4000
        5  sale 11 N 4000 part           | 00 f54=1002156C000000000000
        14 settle 12                     | -
        7  refund 13 A 4001 of=8         | 64
        7  refund 14 A 4000 of=8         | 00 A=4000
    ";
}
