//! How much a card may spend in a day and a month, and how much one transaction may be, as tables.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

mod fixtures;
mod script;

use script::check;

/// Day 500 fen or three times, month 1000 fen or ten times.
#[test]
fn a_day_and_a_month_have_limits_that_undoing_gives_back() {
    check(
        "
        card A main=10000 limits=500/3/1000/10
        sale 1 A 501            | -AmountLimit A=10000
        sale 2 A 300            | ok
        sale 3 A 201            | -AmountLimit
        sale 4 A 200            | ok
        sale 5 A 1              | -AmountLimit A=9500
        reverse 4 A 200         | ok
        reverse 4 A 200         | ok quiet
        sale 6 A 201            | -AmountLimit
        sale 7 A 200            | ok A=9500
        void 8 A 200 of=7       | ok
        sale 9 A 100            | ok
        reverse 8 A 200 as=void | ok A=9400
        sale 10 A 1             | -AmountLimit
        void 11 A 100 of=9      | ok
        void 12 A 200 of=7      | ok A=9700
        sale 13 A 10            | ok
        sale 14 A 10            | ok
        sale 15 A 10            | -CountLimit
        inquiry 16 A            | ok
        date 2026-11-23
        sale 17 A 500           | ok A=9180
        sale 18 A 1             | -AmountLimit
        date 2026-11-24
        sale 19 A 181           | -AmountLimit
        sale 20 A 180           | ok A=9000
        void 21 A 500 of=17     | ok A=9500
        sale 22 A 321           | -AmountLimit
        sale 23 A 320           | ok A=9180
        date 2026-12-01
        sale 24 A 500           | ok A=8680
        ",
    );
}

/// A part counts as what was paid of it; an adjustment by its difference; points and refunds not at all.
#[test]
fn limits_count_what_was_paid() {
    check(
        "
        card A main=300 points=500 limits=1000/0/0/0
        card B main=10000 limits=1000/0/0/0
        card C main=10000 limits=1000/0/0/0 tip=50
        sale 1 A 1000 part                  | ok A=0 approved=300
        points-sale 2 A 500                 | ok
        verification 3 A                    | ok
        top-up 4 A 10000 of=3               | ok
        sale 5 A 701                        | -AmountLimit
        sale 6 A 700                        | ok

        pre-auth 10 B 1001                  | -AmountLimit
        pre-auth 11 B 600                   | ok
        completion 12 B 600 of=11           | ok
        sale 13 B 401                       | -AmountLimit
        completion-void 14 B 600 of=12      | ok
        sale 15 B 401                       | -AmountLimit
        sale 22 B 400                       | ok
        reverse 14 B 600 as=completion-void | ok
        sale 16 B 1                         | -AmountLimit
        void 17 B 400 of=22                 | ok
        sale 18 B 401                       | -AmountLimit
        sale 19 B 400                       | ok
        offline-sale 20 B 300               | ok
        sale 21 B 1                         | -AmountLimit

        sale 30 C 400                       | ok
        sale 31 C 300                       | ok
        adjustment 32 C 500 of=30           | ok
        sale 33 C 201                       | -AmountLimit
        adjustment 34 C 400 of=30           | ok
        sale 35 C 301                       | -AmountLimit
        adjustment 36 C 600 of=30           | ok
        void 37 C 600 of=30                 | ok
        sale 38 C 701                       | -AmountLimit
        sale 39 C 400                       | ok
        adjustment 40 C 600 of=39           | ok
        reverse 39 C 400                    | ok
        sale 41 C 701                       | -AmountLimit
        sale 42 C 700                       | ok
        ",
    );
}

/// What is set aside may be spent, so it counts: as money, and as often as there are holds.
#[test]
fn limits_count_what_is_held() {
    check(
        "
        card A main=10000 limits=500/3/0/0
        card B main=10000 limits=5000/2/0/0
        pre-auth 1 A 300            | ok
        pre-auth 2 A 201            | -AmountLimit
        sale 3 A 201                | -AmountLimit
        pre-auth 4 A 200            | ok
        sale 5 A 1                  | -AmountLimit
        pre-auth-void 6 A 200 of=4  | ok
        completion 7 A 300 of=1     | ok
        sale 8 A 201                | -AmountLimit
        sale 9 A 200                | ok

        pre-auth 20 B 1             | ok
        sale 21 B 1                 | ok
        pre-auth 22 B 1             | -CountLimit
        completion 23 B 1 of=20     | ok
        sale 24 B 1                 | -CountLimit
        ",
    );
}

#[test]
fn a_void_undone_on_another_day_counts_on_the_day_of_its_sale() {
    check(
        "
        card A main=10000 limits=500/0/0/0
        sale 1 A 400            | ok
        void 2 A 400 of=1       | ok
        date 2026-11-23
        reverse 2 A 400 as=void | ok A=9600
        sale 3 A 500            | ok A=9100
        void 4 A 400 of=1       | ok
        sale 5 A 1              | -AmountLimit
        ",
    );
}
