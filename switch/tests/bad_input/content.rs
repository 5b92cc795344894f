//! Messages that are wrong in what they say: card, code, amount, time (catalogue B7 to B17).

use crate::bench::Bench;
use crate::bench::draft::{Draft, FEN, STAN};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// F2 as the good card stands on the wire, with another filler.
fn filled(filler: u8) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        let mut wire = draft.fields[&2].clone();
        *wire.last_mut().unwrap() |= filler;
        draft.wire(2, &wire);
    }
}

/// Another card, typed in.
fn typed(pan: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.typed(pan)
}

/// Another track 2.
fn swiped(track: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.without(2).digits(35, track)
}

/// Another field, as it stands on the wire.
fn wire(field: u8, bytes: &'static [u8]) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.wire(field, bytes)
}

/// Another field of digits.
fn digits(field: u8, digits: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.digits(field, digits)
}

/// A field less.
fn without(field: u8) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.without(field)
}

#[test]
fn card_numbers() {
    let letters: &[u8] = &[0x19, 0x62, 0x12, 0x14, 0x20, 0, 0, 0, 0xB0, 0x01, 0x20];
    let two_cards: &[_] = &["posp_security_events_total", "event=\"two cards\""];
    check(&[
        row("B7", "the usual filler", filled(0x0), "00").with(Pays(FEN)),
        row("B7", "the filler some terminals write", filled(0xF), "00").with(Pays(FEN)),
        row("B7", "another filler", filled(0x1), "30"),
        row("B7", "a filler of another letter", filled(0xE), "30"),
        row("B8", "a letter in the number", wire(2, letters), "14"),
        row("B8", "20 digits: a length fault", wire(2, &[0x20; 11]), "30"),
        row("B8", "a wrong check digit", typed("6212142000000000013"), "14"),
        row("B8", "11 digits", typed("62121420008"), "14"),
        row(
            "B8",
            "12 digits: a number, but in no range of that length",
            typed("621214200001"),
            "15",
        ),
        row("B8", "no card at all", |d, _| _ = d.without(2).without(35), "30"),
        row("B9", "F2 and track 2 name two cards", digits(2, "6212142000000000020"), "14")
            .says(two_cards),
        row("B9", "the same, in the log", digits(2, "6212142000000000020"), "14").says(&[
            "posp::security",
            "two cards",
            "10000001",
        ]),
        row("B11", "a number in no range", typed("6299990000000000012"), "15"),
        row("B11", "an issuer that is switched off", typed("6251880000000008"), "91"),
        row("B11", "a number in our range, and no card", typed("6212142000000009997"), "14"),
    ]);
}

#[test]
fn tracks() {
    check(&[
        row("B10", "no separator", swiped("62121420000000000122912201"), "30"),
        row("B10", "two separators", swiped("6212142000000000012D2912D01"), "30"),
        row("B10", "nothing after the separator", swiped("6212142000000000012D"), "30"),
        row("B10", "an expiry of two digits", swiped("6212142000000000012D29"), "30"),
        row("B10", "month 13", swiped("6212142000000000012D2913201"), "30"),
        row("B10", "month 00", swiped("6212142000000000012D2900201"), "30"),
        row("B10", "one digit more than F35 may have", wire(35, &[0x38; 20]), "30"),
        row("B10", "a letter that is no separator", wire(35, &[0x04, 0x6A, 0xD2]), "30"),
        row("B10", "a wrong check digit", swiped("6212142000000000013D2912201"), "14"),
        row("B10", "an empty track, and F2", wire(35, &[0]), "00").with(Pays(FEN)),
    ]);
}

#[test]
fn codes() {
    let mti = |mti: [u8; 2], f3: &'static str, f60: &'static str| {
        move |draft: &mut Draft, _: &Bench| {
            draft.mti = mti.to_vec();
            draft.digits(3, f3).digits(60, f60);
        }
    };
    check(&[
        row("B12", "a processing code of nobody", digits(3, "990000"), "12"),
        row("B12", "a letter in the processing code", wire(3, &[0x0A, 0, 0]), "30"),
        row("B12", "no processing code", without(3), "12"),
        row(
            "B12",
            "a reversal of a refund, which has none",
            mti([4, 0], "200000", "25000001000"),
            "40",
        ),
        row("B12", "a reversal of an inquiry", mti([4, 0], "310000", "01000001000"), "12"),
        row("B12", "a void by F3, a sale by F60.1", digits(3, "200000"), "40"),
        row("B12", "an advice of a sale", mti([2, 0x20], "000000", "22000001000"), "40"),
        row("B12", "a pre-authorisation", mti([1, 0], "030000", "10000001000"), "40"),
        row("B15", "no currency", without(49), "12"),
        row("B15", "dollars", |d, _| _ = d.text(49, b"840"), "12"),
        row("B15", "a currency of letters", |d, _| _ = d.text(49, b"CNY"), "12"),
    ]);
}

/// A void or refund of the good sale, as far as it names it.
fn giving_back(mti: u8, f3: &str, f60: &str, fen: u64) -> impl Fn(&mut Draft, &Bench) {
    let (f3, f60) = (f3.to_owned(), f60.to_owned());
    move |draft, bench| {
        draft.mti = vec![0x02, mti];
        draft.digits(3, &f3).digits(4, &format!("{fen:012}")).digits(11, "000003");
        draft.text(37, bench.last.text(37).unwrap().as_bytes());
        draft.text(38, bench.last.text(38).unwrap().as_bytes());
        draft.digits(60, &f60).digits(61, &format!("000001{STAN:06}1122"));
    }
}

#[test]
fn amounts() {
    let refund = |fen| giving_back(0x20, "200000", "25000002000", fen);
    let void = |fen| giving_back(0x00, "200000", "23000001000", fen);
    check(&[
        row("B13", "a sale of nothing", digits(4, "000000000000"), "13").with(NoMoney),
        row("B13", "a letter in the amount", wire(4, &[0, 0, 0, 1, 0xA0, 0]), "30"),
        row(
            "B13",
            "13 digits, which shift all that follows",
            wire(4, &[0, 0, 0, 0, 1, 0, 0]),
            "30",
        ),
        row("B13", "no amount", without(4), "30"),
        row("B13", "a fen above the product's limit", digits(4, "000000100001"), "61")
            .with(NoMoney),
        row("B13", "all that twelve digits hold", digits(4, "999999999999"), "61").with(NoMoney),
        row("B13", "more than there is", digits(4, "000000050001"), "51").with(NoMoney),
        row("B14", "a void of all that twelve digits hold", void(999_999_999_999), "64")
            .after(sold)
            .with(NoMoney),
        row("B14", "a refund of a fen more than was paid", refund(10_001), "64")
            .after(settled)
            .with(NoMoney),
        row("B14", "a refund of all that twelve digits hold", refund(999_999_999_999), "64")
            .after(settled)
            .with(NoMoney),
        row("B14", "a refund of what was paid: the ceiling holds", refund(10_000), "00")
            .after(settled)
            .with(Pays(-FEN)),
    ]);
}

/// Before a case: the good sale was made and its batch settled.
fn settled(bench: &mut Bench) {
    sold(bench);
    let sale = bench.last.clone();
    bench.settle("000000010000001000000000000000");
    bench.last = sale;
}

/// Before a case: it is the first minutes of a year.
fn new_year(bench: &mut Bench) {
    bench.set_time("2027-01-01T00:05:00+08:00");
}

#[test]
fn trace_numbers_and_times() {
    check(&[
        row("B16", "trace number 000000", digits(11, "000000"), "30"),
        row("B16", "a letter in the trace number", wire(11, &[0, 0, 0x0A]), "30"),
        row("B16", "a trace number of four digits", wire(11, &[0, 2]), "30"),
        row("B16", "no trace number", without(11), "30"),
        row("B17", "25:61:99", digits(12, "256199"), "30"),
        row("B17", "24:00:00", digits(12, "240000"), "30"),
        row("B17", "30 February", digits(13, "0230"), "30"),
        row("B17", "31 February", digits(13, "0231"), "30"),
        row("B17", "month 13", digits(13, "1301"), "30"),
        row("B17", "day 0", digits(13, "0100"), "30"),
        row("B17", "29 February, a day of some year", digits(13, "0229"), "00").with(Pays(FEN)),
        row(
            "B17",
            "the last second of a year, heard in the next",
            |d, _| {
                d.digits(12, "235959").digits(13, "1231");
            },
            "00",
        )
        .after(new_year)
        .with(Pays(FEN)),
    ]);
}
