//! Sign-on and off, echo, settlement and upload (1 to 3, 14 to 17), and what a batch's end means.

scripts! {
    terminals_come_and_go: "
        1  sign-on         2             | 00 f60=00000001003 +62
        1  sign-on-single  3             | 40 ; its keys are double
        1  sign-on-single  3 f41=10000008 f42=898000000000002 | 00 +62
        1  sign-on-track   4             | 00 +62
        1  sign-on-sm4     5 at=T9       | 00 +62
        1  sign-on-sm4t    6 at=T9       | 00 +62
        1  sign-on-sm4     7             | 40 -62
        1  sign-on         8 f42=898000000000002 | 03 -62
        1  sign-on         9 -11         | 30 -62
        1  sign-on        10 at=T0 cold  | 97 -62
        2  sign-off       11             | 00
        2  sign-off       12 at=T0 cold  | 97
        3  echo                          | 00 -11
        3  echo            at=T0 cold    | 97
    ";
    a_balanced_batch: "
        card A main=50000
        5  sale       2 A 6000           | 00
        6  void       3 A 6000 of=2      | 00
        5  sale       4 A 1000           | 00
        13 undo sale  4                  | 00
        5  sale       5 A 500            | 00
        14 settle     6 claim=6500/2/6000/1 | - f48=00000000650000200000000600000110000000000000000000000000000001 T1.batch=2 T1=0/0/0/0
        14 settle     6 again            | - same
        16 detail-203 5 A 500 batch=1    | 00
        17 end-207    8 count=0001 batch=1 | 00
        17 end-207    8 again            | 00
        5  sale       9 A 100            | 00 T1=100/1/0/0
        17 end-207   10 batch=9          | 77 digit=3
    ";
    a_batch_that_differs: "
        card A main=50000
        5  sale       2 A 6000           | 00
        5  sale       3 A 500            | 00
        5  sale       4 A 700            | 00
        14 settle     5 claim=6000/1/0/0 | - f48=00000000600000100000000000000020000000000000000000000000000001
        15 stripe     6 d=2:6000,3:500 batch=1 | 00 f48=02
        15 stripe     6 again            | 00
        16 detail-203 4 A 700 batch=1    | 00
        16 detail-204 4 A 700 batch=1    | 00
        16 detail-205 4 A 700 batch=1    | 00
        16 detail-206 4 A 700 batch=1    | 00
        16 detail-205 4 A 700 batch=1 f4=000000000701 | 00 ; of two details the later stands
        17 end-202    8 count=0003 batch=1 | 00
        17 end-202    9 -48 batch=1      | 30
        15 stripe    10 d=2:6000 batch=3 | 77 digit=3
        15 stripe    11 d=2:6000 f48=0200 batch=1 | 30
        16 detail-205 12 A 700           | 77 digit=3
        16 detail-205 13 A 700 -4 batch=1 | 30
        14 settle    14 batch=7          | 77 digit=3
        14 settle    15 -48              | 30
        14 settle    16 at=T0 claim=0/0/0/0 cold | 97
    ";
    a_closed_batch_takes_nothing: "
        card A main=50000
        5  sale    2 A 6000              | 00
        8  pre-auth 3 A 1000             | 00
        14 settle  4                     | -
        5  sale    2 again               | 00 same ; but repeats are answered
        8  pre-auth 3 again              | 00 same
        5  sale    5 A 100 batch=1       | 77 digit=3
        5  sale    2 again f4=000000006001 | 94
        6  void    6 A 6000 of=2 batch=1 | 77 digit=3
        4  inquiry 7 A batch=1           | 77 digit=3
        13 undo sale 2 batch=1           | 12 A=44000 ; it was settled
        13 undo pre-auth 3 batch=1       | 12 A.held=1000
        13 undo sale 8 A 100 batch=1     | 12 ; whatever it was, it stands
        5  sale    8 A 100 batch=1       | 77 digit=3
        # reversed before it closed, and before it opened
        5  sale    9 A 100               | 00
        13 undo sale 9                   | 00
        13 undo sale 10 A 100 batch=3    | 25
        13 undo sale 11 A 100 batch=4    | 12 ; of a batch that is not the next
        14 settle 12                     | - T1.batch=3
        5  sale    9 again               | 22
        13 undo sale 9 batch=2           | 00
        5  sale   10 A 100               | 22
    ";
    batches_and_trace_numbers_begin_again: "
        card A main=50000
        5  sale   1 A 100                | 00
        batch T1 999999
        5  sale   999999 A 100           | 00 f60=22999999000500 ; trace numbers are counted on
        5  sale   1 A 200                | 00 ; and begin again
        5  sale   1 again                | 00 same
        5  sale   999999 again f4=000000000101 | 94
        14 settle 2                      | - T1.batch=1
        14 settle 2 again                | - same
        15 stripe 3 d=999999:100,1:200 batch=999999 | 00 f48=02
        17 end-202 4 count=0002 batch=999999 | 00
        5  sale   5 A 100                | 00 f60=22000001000500
        6  void   6 A 100 of=5           | 00
        5  sale   7 A 100 batch=999999   | 77 digit=3
        5  sale   8 A 100 batch=2        | 77 digit=3
        14 settle 9                      | - T1.batch=2
    ";
    a_day_ends_in_between: "
        card A main=50000
        5  sale   2 A 6000               | 00 f15=1122
        5  sale   3 A 500                | 00 f15=1122
        5  sale   4 A 700                | 00 f15=1122
        time 2026-11-22T23:00
        5  sale   2 again                | 00 same f15=1122
        6  void   5 A 6000 of=2          | 00 f15=1123 ; the batch counts, not the day
        13 undo void 5                   | 00 A=42800
        13 undo sale 3                   | 00 A=43300
        6  void   6 A 6000 of=2          | 00 A=49300
        14 settle 7 claim=6700/2/6000/1  | - f48=00000000670000200000000600000110000000000000000000000000000001
        time 2026-11-23T10:00
        7  refund 8 A 300 of=4           | 00 f15=1123 A=49600
        time 2026-12-22T10:00
        7  refund 9 A 400 of=4           | 00 A=50000
    ";
}
