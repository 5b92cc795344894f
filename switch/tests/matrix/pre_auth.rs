//! Money that is set aside (8 to 9).

scripts! {
    pre_authorisations: "
        card A main=50000
        8  pre-auth      2 A 6000        | 00 A=50000 A.free=44000 +38 M1=0 T1=0/0/0/0
        8  pre-auth      2 again         | 00 same
        8b addition      3 A 1000 of=2   | 00 A.free=43000 f38=@2
        8b addition      3 again         | 00 same
        4  inquiry       4 A             | 00 f54=1002156C000000043000
        5  sale          5 A 43001       | 51
        9  pre-auth-void 6 A 7000 of=2   | 00 A.free=50000 A=50000
        9  pre-auth-void 6 again         | 00 same
        8  pre-auth      7 A 500 part    | 00 f54=1002156C000000049500
        9  pre-auth-void 8 A 500 of=7 f61=0000000000001122 | 00 A.free=50000
        9  pre-auth-void 9 A 500 of=7    | 22
    ";
    what_a_pre_authorisation_is_refused: "
        card A main=50000 max=20000
        card S main=50000 status=sold
        card L main=50000 status=lost
        card F main=50000 status=frozen
        card E main=50000 expiry=2409
        card P main=50000 policy=always
        card N main=50000 rights=-pre-auth
        card T main=50
        8  pre-auth  2 A 0               | 13
        8  pre-auth  3 6212142000000009997 100 | 14
        8  pre-auth  4 S 100             | 21
        8  pre-auth  5 A 100             | 00
        13 undo pre-auth 5               | 00 A.free=50000
        8  pre-auth  5 again             | 22
        8  pre-auth  6 L 100             | 41
        8  pre-auth  7 T 51              | 51
        8  pre-auth  8 E 100             | 54
        8  pre-auth  9 P 100             | 55
        8  pre-auth 10 N 100             | 57
        8  pre-auth 11 A 20001           | 61
        8  pre-auth 12 F 100             | 62
        8  pre-auth 13 A 100 batch=2     | 77 digit=3
        8  pre-auth 14 A 100             | 00
        8  pre-auth 14 again f4=000000000200 | 94
        8  pre-auth 15 A 100 cold        | A0
        terminal T1 rights=-pre-auth
        8  pre-auth 14 again             | 00 same
        8  pre-auth 16 A 100             | 58
        9  pre-auth-void 17 A 100 of=14  | 00 ; to undo needs no right
    ";
    what_an_addition_is_refused: "
        card A main=5000
        card B main=5000
        8  pre-auth  2 A 1000            | 00
        8b addition  3 6212142000000009997 100 of=2 | 14
        8b addition  4 B 100 of=2        | 25 ; another card has no such code
        8b addition  5 A 100 of=2 f38=000000 | 25
        8b addition  6 A 4001 of=2       | 51
        8b addition  7 A 100 of=T1:2 at=T5 | 58
        8b addition  8 A 100 of=2 batch=2 | 77 digit=3
        8b addition  9 A 100 of=2 cold   | A0
        8b addition 10 A 100 of=2        | 00 A.free=3900
        8b addition 10 again f4=000000000200 | 94
        9  pre-auth-void 11 A 1100 of=2  | 00 A.free=5000
        8b addition 12 A 100 of=2        | 22
    ";
    what_the_void_of_one_is_refused: "
        card A main=5000
        card B main=5000
        8  pre-auth      2 A 1000        | 00
        9  pre-auth-void 3 B 1000 of=2   | 14
        9  pre-auth-void 4 A 1000 of=2 f38=000000 | 25
        9  pre-auth-void 5 A 1000 of=T1:2 at=T5 | 58
        9  pre-auth-void 6 A 999 of=2    | 64
        9  pre-auth-void 7 A 1000 of=2 batch=2 | 77 digit=3
        9  pre-auth-void 8 A 1000 of=2 cold | A0
        9  pre-auth-void 2 A 1000 of=2   | 94
        10 completion    9 A 1000 of=2   | 00
        9  pre-auth-void 10 A 1000 of=2  | 22
    ";
    their_time_is_over: "
        card A main=5000 hold-days=3
        8  pre-auth      2 A 1000        | 00 A.free=4000
        time 2026-11-25T10:00
        8b addition      3 A 100 of=2    | 00 A.free=3900
        time 2026-11-26T10:00
        4  inquiry       4 A             | 00 A.free=5000 A.held=0
        9  pre-auth-void 5 A 1100 of=2   | 22
        10 completion    6 A 1100 of=2   | 22
        11 advice        7 A 1100 of=2   | 00 A=3900 ; the goods were handed over
    ";
    another_day_another_batch: "
        card A main=5000
        8  pre-auth      2 A 1000        | 00
        8  pre-auth      3 A 500         | 00
        14 settle        4               | -
        time 2026-11-22T23:30
        9  pre-auth-void 5 A 1000 of=2   | 00 A.free=4500 f15=1123
        10 completion    6 A 500 of=T1:3 at=T2 | 00 A=4500 A.free=4500 ; any terminal of the merchant
    ";
}
