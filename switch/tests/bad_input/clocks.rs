//! Messages out of time: wrong clocks, cards that are over (catalogue B18, B19). The bench takes
//! clocks that are off by a day; a node by default takes any.

use crate::acts::{
    ADVICE, INQUIRY, OFFLINE, PRE_AUTH, REFUND, VOID, authorised, closed, present, refer, send,
    turn, turn_in,
};
use crate::bench::Bench;
use crate::bench::draft::{Draft, EXPIRED, FEN, STAN, reversal};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// A terminal whose clock shows this day and time.
fn showing(date: &'static str, time: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.digits(13, date).digits(12, time)
}

/// The same, in another transaction.
fn then(
    date: &'static str,
    bend: impl Fn(&mut Draft, &Bench) + 'static,
) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        bend(draft, bench);
        draft.digits(13, date).digits(12, "100000");
    }
}

/// Before a case: the good sale came with a clock that is a week off.
fn sold_off_time(bench: &mut Bench) {
    let code = send(bench, crate::acts::SALE, STAN, FEN, showing("1115", "100000"));
    assert_eq!(code, "12");
}

#[test]
fn clocks() {
    let drift: &[_] = &["posp_clock_drift_total{channel=\"pos\"} 1"];
    let leap_year = |bench: &mut Bench| bench.set_time("2028-02-29T10:00:00+08:00");
    let after_leap_day = |bench: &mut Bench| bench.set_time("2028-03-01T00:05:00+08:00");
    let new_year = |bench: &mut Bench| bench.set_time("2027-01-01T00:05:00+08:00");
    check(&[
        row("B18", "23 hours behind", showing("1121", "110000"), "00").with(Pays(FEN)),
        row("B18", "25 hours behind", showing("1121", "090000"), "12").with(NoMoney).says(drift),
        row("B18", "23 hours ahead", showing("1123", "090000"), "00").with(Pays(FEN)),
        row("B18", "25 hours ahead", showing("1123", "110000"), "12").with(NoMoney).says(drift),
        row("B18", "half a year off", showing("0522", "100000"), "12").with(NoMoney).says(drift),
        row("B18", "a day that no year around has", showing("0229", "100000"), "12")
            .with(NoMoney)
            .says(drift),
        row("B18", "that day, in its year", showing("0229", "095900"), "00")
            .after(leap_year)
            .with(Pays(FEN)),
        row("B18", "that day, a few minutes later", showing("0229", "235900"), "00")
            .after(after_leap_day)
            .with(Pays(FEN)),
        row("B18", "the last day of a year, in the next", showing("1231", "235959"), "00")
            .after(new_year)
            .with(Pays(FEN)),
        row("B18", "the first day of a year, in the last one", showing("0101", "000100"), "00")
            .after(|bench| bench.set_time("2026-12-31T23:58:00+08:00"))
            .with(Pays(FEN)),
        row("B18", "a date without a time says too little", |d, _| _ = d.digits(13, "0522"), "00")
            .with(Pays(FEN)),
        row("B18", "a time without a date, too", |d, _| _ = d.digits(12, "000000"), "00")
            .with(Pays(FEN)),
        row("B18", "a pre-authorisation", then("1115", |d, _| turn(d, PRE_AUTH, 3, FEN)), "12")
            .with(NoMoney)
            .says(drift),
        row("B18", "an inquiry", then("1115", |d, _| turn(d, INQUIRY, 3, FEN)), "12")
            .with(NoMoney)
            .says(drift),
        row("B18", "a refund", then("1115", giving_back), "12")
            .after(settled)
            .with(NoMoney)
            .says(drift),
    ]);
}

/// The refund of the good sale, in the second batch.
fn giving_back(draft: &mut Draft, bench: &Bench) {
    turn_in(draft, REFUND, 3, FEN, 2);
    refer(draft, bench);
}

/// Before a case: the good sale was made and its batch settled.
fn settled(bench: &mut Bench) {
    sold(bench);
    closed(bench);
}

/// Whatever was done is undone, told and repeated as ever: only what is new is refused.
#[test]
fn clocks_that_do_not_matter() {
    let week_ago = "1115";
    check(&[
        row("B18", "a reversal", then(week_ago, |d, b| *d = reversal(b.keys())), "00")
            .after(sold)
            .with(Pays(-FEN)),
        row("B18", "a repeat of what was approved", then(week_ago, |_, _| {}), "00")
            .after(sold)
            .repeats(),
        row(
            "B18",
            "a repeat with the right clock of what was refused",
            then("1122", |_, _| {}),
            "12",
        )
        .after(sold_off_time)
        .repeats(),
        row(
            "B18",
            "the reversal of what was refused",
            |d, b| {
                *d = reversal(b.keys());
                d.digits(2, crate::bench::draft::PAN);
            },
            "00",
        )
        .after(sold_off_time),
        row(
            "B18",
            "a sale of last week that was approved there",
            then(week_ago, |d, _| {
                turn(d, OFFLINE, 3, FEN);
                d.text(38, b"123456");
            }),
            "00",
        )
        .with(Pays(FEN)),
        row(
            "B18",
            "a completion of last week",
            then(week_ago, |d, b| {
                turn(d, ADVICE, 3, FEN);
                refer(d, b);
            }),
            "00",
        )
        .after(authorised)
        .with(Pays(FEN)),
    ]);
}

/// A card typed in, with this expiry.
fn expiring(yymm: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.typed(crate::bench::draft::PAN).digits(14, yymm)
}

/// A card swiped, with this expiry.
fn swiped(yymm: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        _ = draft.digits(35, &format!("{}D{yymm}201000000000", crate::bench::draft::PAN))
    }
}

#[test]
fn expiries() {
    let of = |act, yymm: &'static str| {
        move |draft: &mut Draft, bench: &Bench| {
            turn(draft, act, 3, FEN);
            expiring(yymm)(draft, bench);
        }
    };
    check(&[
        row("B19", "the month before", expiring("2610"), "54").with(NoMoney),
        row("B19", "this month", expiring("2611"), "00").with(Pays(FEN)),
        row("B19", "long ago", expiring("0001"), "54").with(NoMoney),
        row("B19", "month 00", expiring("2900"), "30"),
        row("B19", "month 13", expiring("2913"), "30"),
        row(
            "B19",
            "a letter",
            |d, _| _ = d.typed(crate::bench::draft::PAN).wire(14, &[0x29, 0x1A]),
            "30",
        ),
        row(
            "B19",
            "two digits",
            |d, _| _ = d.typed(crate::bench::draft::PAN).wire(14, &[0x29]),
            "30",
        ),
        row("B19", "on the track", swiped("2610"), "54").with(NoMoney),
        row("B19", "a card that is over, and says it is not", |d, b| present(d, b, EXPIRED), "54")
            .with(NoMoney),
        row("B19", "a pre-authorisation", of(PRE_AUTH, "2610"), "54").with(NoMoney),
        row("B19", "an inquiry", of(INQUIRY, "2610"), "54").with(NoMoney),
        row("B19", "the repeat of a sale that was approved", swiped("2610"), "00")
            .after(sold)
            .repeats(),
        row(
            "B19",
            "what is given back comes to a card that is over",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                swiped("2610")(d, b);
            },
            "00",
        )
        .after(sold)
        .with(Pays(-FEN)),
    ]);
}
