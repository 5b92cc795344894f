//! Points (32 to 35), and products that there are not (36, 38).

scripts! {
    points: "
        card A main=5000 points=800
        34 points       2 A              | 00 f54=6502999C000000000800 -4 -38
        32 points-sale  3 A 300          | 00 A.points=500 A=5000 redeemed1=300 M1=0 T1=300/1/0/0
        32 points-sale  3 again          | 00 same
        33 points-void  4 A 300 of=3     | 00 A.points=800 redeemed1=0 T1=300/1/300/1
        33 points-void  4 again          | 00 same
        32 points-sale  5 A 100 part     | 00 f54=6502999C000000000700
        34 points       6 A              | 00 f54=6502999C000000000700
        5  sale         7 A 1000         | 00 A.points=700
        14 settle       8                | -
        35 points-refund 9 A 100 of=5    | 40 A.points=700
        35 points-refund 10 A 100 of=7   | 40 A=4000 ; it must not give money
        13 undo points-refund 9          | 40
        13 undo points 2                 | 12
    ";
    what_a_points_sale_is_refused: "
        card A points=800
        card S points=800 status=sold
        card L points=800 status=lost
        card E points=800 expiry=2409
        card P points=800 policy=always
        card N points=800 rights=-points
        32 points-sale  2 A 0            | 13
        32 points-sale  3 6212142000000009997 100 | 14
        32 points-sale  4 S 100          | 21
        32 points-sale  5 A 100          | 00
        13 undo points-sale 5            | 00 A.points=800
        32 points-sale  5 again          | 22
        32 points-sale  6 L 100          | 41
        32 points-sale  7 A 801          | 51
        32 points-sale  8 E 100          | 54
        32 points-sale  9 P 100          | 55
        32 points-sale 10 N 100          | 57
        32 points-sale 11 A 100 batch=2  | 77 digit=3
        32 points-sale 12 A 100          | 00
        32 points-sale 12 again f4=000000000101 | 94
        32 points-sale 13 A 100 cold     | A0
        34 points 14 6212142000000009997 | 14
        34 points 15 N                   | 57
        34 points 16 A batch=2           | 77 digit=3
        34 points 17 A cold              | A0
        terminal T1 rights=-points
        32 points-sale 18 A 100          | 58
        34 points 19 A                   | 58
    ";
    what_the_void_of_one_is_refused: "
        card A points=800 main=5000
        card B points=800
        32 points-sale 2 A 100           | 00
        32 points-sale 3 A 100           | 00
        33 points-void 4 B 100 of=2      | 14
        33 points-void 5 A 100 of=2 f37=000000000001 | 25
        33 points-void 6 A 99 of=2       | 64
        33 points-void 7 A 100 of=2 batch=2 | 77 digit=3
        33 points-void 8 A 100 of=2 cold | A0
        33 points-void 2 A 100 of=2      | 94
        33 points-void 9 A 100 of=2      | 00
        33 points-void 10 A 100 of=2     | 22
        6  void       11 A 100 of=3      | 12 ; points are not voided as money
        14 settle     12                 | -
        33 points-void 13 A 100 of=3     | 12
        7  refund     14 A 100 of=3      | 25 A=5000
    ";
    products_that_there_are_not: "
        card A main=5000
        36 instalment        2 A 100     | 40
        36 instalment-void   3 A 100     | 40
        38 reservation       4 A 100     | 40
        38 reservation-void  5 A 100     | 40
        13 undo instalment       2       | 40
        13 undo instalment-void  3       | 40
        13 undo reservation      4       | 40
        13 undo reservation-void 5       | 40
    ";
}
