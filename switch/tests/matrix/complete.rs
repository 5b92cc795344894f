//! What was set aside is taken (10 to 12).

scripts! {
    completions: "
        card A main=50000
        8  pre-auth        2 A 6000      | 00
        10 completion      3 A 6900 of=2 | 00 A=43100 A.free=43100 M1=6900 T1=6900/1/0/0
        10 completion      3 again       | 00 same
        12 completion-void 4 A 6900 of=3 | 00 A=50000 A.free=44000 M1=0 T1=6900/1/6900/1
        12 completion-void 4 again       | 00 same
        10 completion      5 A 1000 of=2 f61=0000000000001122 | 00 A=49000 A.free=49000
        8  pre-auth        6 A 500       | 00
        8b addition        7 A 500 of=6  | 00
        11 advice          8 A 1150 of=6 | 00 A=47850 A.free=47850 T1=9050/3/6900/1
        11 advice          8 again       | 00 same
        12 completion-void 9 A 1150 of=8 | 00 A=49000 A.free=48000
        8  pre-auth       10 A 100       | 00
        10 completion     11 A 100 of=10 | 00
        14 settle         12             | -
        7  refund         13 A 1000 of=5 | 00 A=49900 ; a completion is refunded like a sale
        7  refund         14 A 40 of=11  | 00 A=49940
    ";
    what_a_completion_is_refused: "
        card A main=5000
        card B main=5000
        card T main=1000
        8  pre-auth   2 A 1000           | 00
        8  pre-auth   3 T 1000           | 00
        10 completion 4 A 0 of=2         | 13
        10 completion 5 B 1000 of=2      | 14
        10 completion 6 A 1000 of=2 f38=000000 | 25
        10 completion 7 T 1150 of=3      | 51 T.free=0 ; the percentage more is not there
        10 completion 8 A 1000 of=T1:2 at=T5 | 58
        10 completion 9 A 1151 of=2      | 64
        10 completion 10 A 1000 of=2 batch=2 | 77 digit=3
        10 completion 11 A 1000 of=2 cold | A0
        10 completion 2 A 1000 of=2      | 94
        10 completion 12 A 1000 of=2     | 00
        10 completion 13 A 1000 of=2     | 22
        10 completion 12 again f4=000000000999 | 94
        terminal T1 rights=-pre-auth
        10 completion 14 T 1000 of=3     | 58
        10 completion 12 again           | 00 same
    ";
    what_an_advice_is_refused: "
        card A main=5000
        card B main=5000
        card T main=1000
        8  pre-auth 2 A 1000             | 00
        8  pre-auth 3 T 1000             | 00
        11 advice   4 B 1000 of=2        | 14
        11 advice   5 A 1000 of=2 f38=000000 | 25
        11 advice   6 A 1151 of=2        | 64
        11 advice   7 A 1000 of=2 batch=2 | 77 digit=3
        11 advice   8 A 1000 of=2 cold   | A0
        11 advice   2 A 1000 of=2        | 94
        11 advice   9 T 1150 of=3        | 00 T=0 suspense=-150 M1=1150 ; suspense bears what is not there
        11 advice  10 A 1000 of=2        | 00
        11 advice  11 A 1000 of=2        | 22
        13 undo advice 10                | 40
    ";
    what_the_void_of_a_completion_is_refused: "
        card A main=5000
        card B main=5000
        8  pre-auth   2 A 1000           | 00
        10 completion 3 A 900 of=2       | 00
        8  pre-auth   4 A 1000           | 00
        10 completion 5 A 1000 of=4      | 00
        12 completion-void 6 B 900 of=3  | 14
        12 completion-void 7 A 900 of=3 f37=000000000001 | 25
        12 completion-void 8 A 901 of=3  | 64
        12 completion-void 9 A 900 of=3 batch=2 | 77 digit=3
        12 completion-void 10 A 900 of=3 cold | A0
        12 completion-void 3 A 900 of=3  | 94
        12 completion-void 11 A 900 of=3 | 00 A=4000 A.free=3000
        12 completion-void 12 A 900 of=3 | 22
        6  void       13 A 1000 of=5     | 12 ; a completion has a void of its own
        14 settle     14                 | -
        12 completion-void 15 A 1000 of=5 | 12
    ";
    cut_off_between_the_two: "
        card A main=5000
        8  pre-auth   2 A 1000           | 00 f15=1122
        10 completion 3 A 900 of=2       | 00 f15=1122
        time 2026-11-22T23:10
        12 completion-void 4 A 900 of=3  | 00 f15=1123 A=5000 A.free=4000
        10 completion 5 A 900 of=2       | 00 f15=1123
        13 undo completion 5             | 00 A=5000 A.free=4000
    ";
}
