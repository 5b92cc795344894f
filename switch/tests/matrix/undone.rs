//! Reversals (13): before, after, twice, of what was undone otherwise, and late copies.

scripts! {
    a_sale_is_undone: "
        card A main=50000
        5  sale 2 A 6000                 | 00 A=44000
        13 undo sale 2                   | 00 A=50000 M1=0 T1=0/0/0/0 f37=@2
        13 undo sale 2                   | 00 A=50000
        13 undo sale 2 mti=0401          | 00 A=50000
        5  sale 2 again                  | 22 A=50000 ; a late copy
        5  sale 2 again f4=000000000100  | 94
        5  sale 3 A 6000 typed           | 00
        13 undo sale 3 reason=06         | 00 A=50000 +2
        5  sale 4 A 6000 chip            | 00
        13 undo sale 4 reason=A0         | 00 A=50000
        5  sale 5 A 6000                 | 00
        13 undo sale 5 reason=96         | 00 A=50000
        5  sale 6 A 6000                 | 00
        13 undo sale 6 reason=00         | 00 A=50000 ; whatever the reason
        5  sale 7 A 60000                | 51
        13 undo sale 7                   | 25 A=50000 ; there was nothing to give back
        5  sale 9 A 60000 typed          | 51
        13 undo sale 9                   | 00 A=50000
        5  sale 9 again                  | 51
        5  sale 8 A 100                  | 00
        13 undo sale 8 f4=000000000101   | 64 A=49900
        13 undo sale 8 f2=6212142000000000020 | 25 A=49900
        13 undo sale 8 cold              | A0 A=49900
        13 undo sale 8 at=T2 A 100       | 25 A=49900 ; its own terminal undoes it
        13 undo sale 8                   | 00 A=50000
    ";
    the_reversal_comes_first: "
        card A main=50000 points=100
        card S status=sold main=100
        13 undo sale 2 A 6000            | 25
        13 undo sale 2 A 6000            | 25
        5  sale 2 A 6000                 | 22 A=50000
        13 undo sale 3 A 6000 typed      | 25
        5  sale 3 A 6000                 | 22 A=50000
        5  sale 3 A 5000                 | 22 A=50000 ; whatever it was
        5  sale 4 A 100                  | 00
        13 undo void 5 A 100 of=4        | 25
        6  void 5 A 100 of=4             | 22 A=49900
        13 undo pre-auth 6 A 100         | 25
        8  pre-auth 6 A 100              | 22 A.held=0
        8  pre-auth 7 A 100              | 00
        13 undo addition 8 A 100 of=7    | 25
        8b addition 8 A 100 of=7         | 22 A.held=100
        13 undo pre-auth-void 9 A 100 of=7 | 25
        9  pre-auth-void 9 A 100 of=7    | 22 A.held=100
        13 undo completion 10 A 100 of=7 | 25
        10 completion 10 A 100 of=7      | 22 A.held=100
        10 completion 11 A 100 of=7      | 00
        13 undo completion-void 12 A 100 of=11 | 25
        12 completion-void 12 A 100 of=11 | 22
        13 undo points-sale 13 A 10      | 25
        32 points-sale 13 A 10           | 22 A.points=100
        32 points-sale 14 A 10           | 00
        13 undo points-void 15 A 10 of=14 | 25
        33 points-void 15 A 10 of=14     | 22 A.points=90
        13 undo mail 16 A 100            | 25
        37 mail 16 A 100                 | 22
        37 mail 17 A 100                 | 00
        13 undo mail-void 18 A 100 of=17 | 25
        37 mail-void 18 A 100 of=17      | 22
        13 undo activation 19 S          | 25
        49 activation 19 S               | 22 S.status=sold
    ";
    a_void_is_undone: "
        card A main=50000
        5  sale 2 A 6000                 | 00
        6  void 3 A 6000 of=2            | 00 A=50000
        13 undo sale 2                   | 12 A=50000 ; its outcome was seen
        13 undo void 3                   | 00 A=44000 T1=6000/1/0/0
        13 undo void 3                   | 00 A=44000
        6  void 3 again                  | 22 A=44000
        6  void 4 A 6000 of=2            | 00 A=50000
        13 undo void 4 keeps             | 00 A=44000 ; some terminals keep the F61 of the void
        13 undo sale 2                   | 00 A=50000
        # what was spent meanwhile is borne by suspense
        5  sale 5 A 50000                | 00 A=0
        6  void 6 A 50000 of=5           | 00 A=50000
        5  sale 7 A 49000                | 00 A=1000
        13 undo void 6                   | 00 A=0 suspense=-49000 M1=99000
        6  void 8 A 50000 of=5           | 00 A=1000 suspense=0
    ";
    pre_authorisations_are_undone: "
        card A main=5000
        8  pre-auth 2 A 1000             | 00 A.held=1000
        8b addition 3 A 500 of=2         | 00 A.held=1500
        13 undo addition 3               | 00 A.held=1000
        13 undo addition 3               | 00 A.held=1000
        8b addition 3 again              | 22 A.held=1000
        9  pre-auth-void 4 A 1000 of=2   | 00 A.held=0
        13 undo pre-auth 2               | 12
        13 undo pre-auth-void 4          | 00 A.held=1000
        13 undo pre-auth-void 4          | 00 A.held=1000
        9  pre-auth-void 4 again         | 22 A.held=1000
        10 completion 5 A 1100 of=2      | 00 A=3900 A.held=0
        13 undo pre-auth 2               | 12
        13 undo completion 5             | 00 A=5000 A.held=1000 M1=0
        13 undo completion 5             | 00 A=5000 A.held=1000
        10 completion 5 again            | 22
        10 completion 6 A 900 of=2       | 00 A=4100 A.held=0
        12 completion-void 7 A 900 of=6  | 00 A=5000 A.held=1000
        13 undo completion-void 7        | 00 A=4100 A.held=0 M1=900
        13 undo completion-void 7        | 00 A=4100 A.held=0
        12 completion-void 7 again       | 22
        12 completion-void 8 A 900 of=6  | 00 A=5000 A.held=1000
        13 undo pre-auth 2               | 00 A.held=0
        13 undo pre-auth 2               | 00 A.held=0
        8  pre-auth 2 again              | 22 A.held=0
    ";
    points_and_orders_are_undone: "
        card A main=5000 points=100
        32 points-sale 2 A 30            | 00 A.points=70
        13 undo points-sale 2            | 00 A.points=100 redeemed1=0
        13 undo points-sale 2            | 00 A.points=100
        32 points-sale 3 A 30            | 00
        33 points-void 4 A 30 of=3       | 00 A.points=100
        13 undo points-void 4            | 00 A.points=70 redeemed1=30
        33 points-void 5 A 30 of=3       | 00 A.points=100
        32 points-sale 6 A 90            | 00 A.points=10
        13 undo points-void 5            | 00 A.points=0 points-suspense=-20 redeemed1=120
        37 mail 7 A 500                  | 00 A=4500
        37 mail-void 8 A 500 of=7        | 00 A=5000
        13 undo mail-void 8              | 00 A=4500
        13 undo mail 7                   | 00 A=5000
        13 undo mail 7                   | 00 A=5000
        # a sale is no points sale
        5  sale 9 A 100                  | 00
        13 undo points-sale 9 A 100      | 12 A=4900
        13 undo void 9 A 100             | 12 A=4900
    ";
    what_was_refunded_is_not_undone: "
        card A main=5000
        5  sale 2 A 1000                 | 00
        7  refund 3 A 400 of=T1:2 at=T2  | 00 A=4400
        13 undo sale 2                   | 12 A=4400
        6  void 4 A 600 of=2             | 12 A=4400
        6  void 5 A 1000 of=2            | 12 A=4400
    ";
}
