//! Cards come into use (49), and their PINs are chosen.

scripts! {
    lif_01_a_card_comes_into_use: "
        card A main=5000 status=sold
        5  sale       2 A 100            | 21
        49 activation 3 A                | 00 A.status=active A=5000 -4
        49 activation 3 again            | 00 same
        49 activation 4 A 5000           | 12 ; it is in use
        5  sale       5 A 100            | 00 A=4900
        13 undo activation 3             | 12 A.status=active ; it was used
    ";
    an_activation_is_undone: "
        card A main=5000 status=sold
        49 activation 2 A 5000           | 00 A.status=active
        13 undo activation 2             | 00 A.status=sold
        13 undo activation 2             | 00 A.status=sold
        49 activation 2 again            | 22 A.status=sold
        5  sale       3 A 100            | 21
        13 undo activation 4 A           | 25
        49 activation 4 A                | 22
        49 activation 5 A                | 00 A.status=active
    ";
    what_an_activation_is_refused: "
        card A main=5000 status=sold
        card L main=5000 status=lost
        card F main=5000 status=frozen
        card E main=5000 status=sold expiry=2409
        card C main=0 status=cancelled
        49 activation 2 6212142000000009997 | 14
        49 activation 3 C                | 14
        49 activation 4 L                | 41
        49 activation 5 E                | 54 E.status=sold
        49 activation 6 F                | 62
        49 activation 7 A batch=2        | 77 digit=3
        49 activation 8 A cold           | A0
        card O main=5000
        5  sale      10 O 100            | 00
        49 activation 10 A               | 94
        terminal T1 rights=-activation
        49 activation 9 A                | 58 A.status=sold
    ";
    lif_16_a_pin_is_chosen: "
        card A main=5000 policy=always
        5  sale       2 A 100 pin=246135 | 00
        P  pin-change 3 A pin=246135 new=135790 | 00 A=4900
        P  pin-change 3 again            | 00 same
        5  sale       4 A 100 pin=246135 | 55 A.tries=1
        5  sale       5 A 100 pin=135790 | 00 A.tries=0 A=4800
        P  pin-change 6 A pin=135790 new=864209 at=T9 | 00
        5  sale       7 A 100 pin=864209 at=T9 | 00 A=4700
        13 undo pin-change 6 at=T9       | 12
    ";
    what_a_pin_change_is_refused: "
        card A main=5000
        card S main=5000 status=sold
        card L main=5000 status=lost
        card F main=5000 status=frozen
        card E main=5000 expiry=2409
        card N main=5000 rights=-pin-change
        P  pin-change 2 6212142000000009997 pin=246135 new=135790 | 14
        P  pin-change 3 S pin=246135 new=135790 | 21
        P  pin-change 4 A pin=246135     | 30 ; no new one
        P  pin-change 5 A new=135790     | 30 ; no old one
        P  pin-change 6 L pin=246135 new=135790 | 41
        P  pin-change 7 E pin=246135 new=135790 | 54
        P  pin-change 8 A pin=246135 new=111111 | 55 A.tries=0 ; anybody would guess it
        P  pin-change 9 A pin=246135 new=123456 | 55 A.tries=0
        P  pin-change 10 N pin=246135 new=135790 | 57
        P  pin-change 11 F pin=246135 new=135790 | 62
        P  pin-change 12 A pin=246135 new=135790 batch=2 | 77 digit=3
        P  pin-change 13 A pin=246135 new=135790 cold | A0
        P  pin-change 14 A pin=135790 new=135790 | 55 A.tries=1
        P  pin-change 15 A pin=135790 new=135790 | 55 A.tries=2
        P  pin-change 16 A pin=135790 new=135790 | 55 A.tries=3
        P  pin-change 17 A pin=246135 new=135790 | 75
        5  sale       18 N 100           | 00
        P  pin-change 18 N pin=246135 new=135790 | 94
        terminal T1 rights=-pin-change
        P  pin-change 19 N pin=246135 new=135790 | 58
    ";
}
