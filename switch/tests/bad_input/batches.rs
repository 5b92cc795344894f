//! Settlements and uploads that do not fit, and numbers of batches that jump (catalogue B43, B44).
//! None of them moves money, and a refused one changes nothing.

use std::fmt::Write as _;

use crate::acts::{PRE_AUTH, SALE, send, settlement, turn_in};
use crate::bench::draft::{Draft, FEN, STAN, management};
use crate::bench::{Bench, Ear};
use crate::table::{check, row, sold};

/// One case: what is sent, what is heard of it, and whether anything changes.
struct Case {
    id: &'static str,
    what: &'static str,
    before: fn(&mut Bench),
    act: fn(&mut Bench) -> String,
    heard: &'static str,
    changes: bool,
}

/// A case that changes nothing.
const fn still(
    id: &'static str,
    what: &'static str,
    before: fn(&mut Bench),
    act: fn(&mut Bench) -> String,
    heard: &'static str,
) -> Case {
    Case { id, what, before, act, heard, changes: false }
}

/// A case that is taken in.
const fn taken(
    id: &'static str,
    what: &'static str,
    before: fn(&mut Bench),
    act: fn(&mut Bench) -> String,
    heard: &'static str,
) -> Case {
    Case { changes: true, ..still(id, what, before, act, heard) }
}

fn try_all(cases: &[Case]) {
    let (mut table, mut failed) = (String::new(), 0);
    for case in cases {
        let (heard, changes, fen) = Ear::new().listen(|| {
            let mut bench = Bench::new();
            (case.before)(&mut bench);
            let (state, fen) = (bench.state(), bench.fen());
            let heard = (case.act)(&mut bench);
            (heard, bench.state() != state, fen - bench.fen())
        });
        let is_right = heard == case.heard && changes == case.changes && fen == 0;
        failed += usize::from(!is_right);
        let verdict = if is_right { "ok" } else { "WRONG" };
        writeln!(
            table,
            "{} {}: {heard}, changes {changes}, {fen} fen: {verdict}",
            case.id, case.what
        )
        .unwrap();
    }
    assert_eq!(failed, 0, "\n{table}");
}

/// The totals of the good sale.
const TOTALS: &str = "00000001000000100000000000000000000000000000000000000000000000";

/// Sends a settlement of a batch; returns the code, or the flags of domestic and foreign cards.
fn settle(bench: &mut Bench, batch: u32, totals: &str) -> String {
    let heard = bench.send(&settlement("000900", batch, totals));
    if heard.code() != "no code" {
        return heard.code();
    }
    let f48 = heard.digits(48).unwrap();
    format!("{} {}", &f48[30..31], &f48[61..62])
}

/// Sends one message of an upload of these details; returns the code, and how many it took.
fn upload(bench: &mut Bench, batch: u32, details: &[(u32, i64)]) -> String {
    let mut f48 = format!("{:02}", details.len());
    for (stan, fen) in details {
        write!(f48, "00{stan:06}{:0>20}{fen:012}", &crate::bench::draft::PAN[..16]).unwrap();
    }
    let mut draft = management([3, 0x20], &format!("00{batch:06}201"));
    draft.digits(11, "000902").digits(48, &f48);
    let heard = bench.send(&draft);
    format!("{} {}", heard.code(), heard.digits(48).unwrap_or_default()).trim_end().to_owned()
}

/// Sends the end of an upload.
fn end(bench: &mut Bench, batch: u32) -> String {
    let mut draft = management([3, 0x20], &format!("00{batch:06}202"));
    draft.digits(11, "000903").digits(48, "0001");
    bench.send(&draft).code()
}

/// Before a case: the good sale was made and its batch settled with other totals than its own.
fn unbalanced(bench: &mut Bench) {
    sold(bench);
    assert_eq!(settle(bench, 1, &"0".repeat(62)), "2 1");
}

/// Before a case: the good sale was made and its batch settled.
fn balanced(bench: &mut Bench) {
    sold(bench);
    assert_eq!(settle(bench, 1, TOTALS), "1 1");
}

const SETTLEMENTS: &[Case] = &[
    taken("B43", "totals that agree", sold, |b| settle(b, 1, TOTALS), "1 1"),
    taken("B43", "a sale that is not in them", sold, |b| settle(b, 1, &"0".repeat(62)), "2 1"),
    taken("B43", "all nines", sold, |b| settle(b, 1, &"9".repeat(62)), "2 2"),
    taken(
        "B43",
        "foreign cards, of which there are none",
        sold,
        |b| settle(b, 1, &format!("{}{}", &TOTALS[..31], "1".repeat(31))),
        "1 2",
    ),
    still("B43", "a digit less", sold, |b| settle(b, 1, &TOTALS[1..]), "30"),
    still("B43", "a digit more", sold, |b| settle(b, 1, &format!("{TOTALS}0")), "30"),
    still(
        "B43",
        "no totals",
        sold,
        |b| {
            let mut draft = settlement("000900", 1, TOTALS);
            draft.without(48);
            b.send(&draft).code()
        },
        "30",
    ),
    still(
        "B43",
        "letters in them",
        sold,
        |b| {
            let mut draft = settlement("000900", 1, TOTALS);
            draft.wire(48, &[&[0x00, 0x62][..], &[0x0A; 31]].concat());
            b.send(&draft).code()
        },
        "30",
    ),
    still("B43", "a repeat is told the first result", balanced, |b| settle(b, 1, TOTALS), "1 1"),
    still(
        "B43",
        "a repeat with other totals, too",
        balanced,
        |b| settle(b, 1, &format!("{}{}", "9".repeat(31), &TOTALS[31..])),
        "1 1",
    ),
    taken("B43", "an empty batch", |_| {}, |b| settle(b, 1, &"0".repeat(62)), "1 1"),
];

const UPLOADS: &[Case] = &[
    taken("B43", "the sale", unbalanced, |b| upload(b, 1, &[(2, FEN)]), "00 01"),
    taken("B43", "one that was never made", unbalanced, |b| upload(b, 1, &[(77, 1)]), "00 01"),
    taken(
        "B43",
        "one twice in a message",
        unbalanced,
        |b| upload(b, 1, &[(2, FEN), (2, FEN)]),
        "00 02",
    ),
    still(
        "B43",
        "a message again",
        |b| {
            unbalanced(b);
            assert_eq!(upload(b, 1, &[(2, FEN)]), "00 01");
        },
        |b| upload(b, 1, &[(2, FEN)]),
        "00 01",
    ),
    still("B43", "of the open batch", sold, |b| upload(b, 1, &[(2, FEN)]), "77"),
    still("B43", "of the batch after", unbalanced, |b| upload(b, 2, &[(2, FEN)]), "77"),
    still("B43", "of a batch of nobody", unbalanced, |b| upload(b, 999_999, &[(2, FEN)]), "77"),
    still("B43", "of trace number 0", unbalanced, |b| upload(b, 1, &[(0, FEN)]), "30"),
    still(
        "B43",
        "more than it says",
        unbalanced,
        |b| {
            let mut draft = management([3, 0x20], "00000001201");
            draft.digits(48, &format!("01{}", "0".repeat(80)));
            b.send(&draft).code()
        },
        "30",
    ),
    still(
        "B43",
        "99 details, it says, and none",
        unbalanced,
        |b| {
            let mut draft = management([3, 0x20], "00000001201");
            draft.digits(48, "99");
            b.send(&draft).code()
        },
        "30",
    ),
    taken("B43", "the end without anything before it", unbalanced, |b| end(b, 1), "00"),
    still(
        "B43",
        "the end again",
        |b| {
            unbalanced(b);
            assert_eq!(end(b, 1), "00");
        },
        |b| end(b, 1),
        "00",
    ),
    still("B43", "the end of the open batch", sold, |b| end(b, 1), "77"),
    still(
        "B43",
        "an upload of a kind of nobody",
        unbalanced,
        |b| b.send(management([3, 0x20], "00000001299").digits(48, "0001")).code(),
        "40",
    ),
];

#[test]
fn settlements() {
    try_all(SETTLEMENTS);
}

#[test]
fn uploads() {
    try_all(UPLOADS);
}

/// So many details has an upload at the most; the next is refused, and what is there stays good.
#[test]
fn uploads_without_end() {
    let mut bench = Bench::new();
    unbalanced(&mut bench);
    for first in (1..20_000).step_by(8) {
        let details: Vec<_> = (first..first + 8).map(|stan| (stan, FEN)).collect();
        assert_eq!(upload(&mut bench, 1, &details), "00 08", "detail {first}");
    }
    let state = bench.state();
    for stan in [20_001, 999_999] {
        assert_eq!(upload(&mut bench, 1, &[(stan, FEN)]), "30");
    }
    assert_eq!(bench.state(), state);
    assert_eq!(end(&mut bench, 1), "00");
}

/// A sale of a batch of this number, as it stands on the wire.
fn batch(digits: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| _ = draft.digits(11, "000009").digits(60, &format!("22{digits}000500"))
}

#[test]
fn numbers_of_batches() {
    check(&[
        row("B44", "000000", batch("000000"), "30"),
        row("B44", "the next", batch("000002"), "77"),
        row("B44", "far ahead", batch("999999"), "77"),
        row("B44", "back, after a settlement", batch("000001"), "77").after(balanced),
        row("B44", "back, a pre-authorisation", |d, _| turn_in(d, PRE_AUTH, 9, FEN, 1), "77")
            .after(balanced),
        row("B44", "seven digits, which shift all that follows", batch("1000000"), "77"),
        row(
            "B44",
            "a letter",
            |d, _| {
                d.wire(60, &[0x00, 0x14, 0x22, 0x00, 0x0A, 0x01, 0x00, 0x05, 0x00]);
            },
            "30",
        ),
        row("B44", "half a number", |d, _| _ = d.digits(60, "22000"), "30"),
        row("B44", "no number", |d, _| _ = d.digits(60, "22"), "30"),
        row("B44", "no F60: nothing says what kind of sale it is", |d, _| _ = d.without(60), "30"),
    ]);
    try_all(&[
        still("B44", "a settlement of 000000", sold, |b| settle(b, 0, TOTALS), "30"),
        still("B44", "a settlement of the next", sold, |b| settle(b, 2, TOTALS), "77"),
        still("B44", "a settlement far ahead", sold, |b| settle(b, 999_999, TOTALS), "77"),
        still(
            "B44",
            "a settlement of the one before the last",
            |b| {
                balanced(b);
                assert_eq!(settle(b, 2, &"0".repeat(62)), "1 1");
            },
            |b| settle(b, 1, TOTALS),
            "77",
        ),
        taken(
            "B44",
            "whatever a sign-on says, it is told the open one",
            balanced,
            |b| {
                b.send(&management([8, 0], "00777777003"));
                b.last.digits(60).unwrap()
            },
            "00000002003",
        ),
        still(
            "B44",
            "a sign-on of batch 000000",
            balanced,
            |b| b.send(&management([8, 0], "00000000003")).code(),
            "30",
        ),
    ]);
}

/// A repeat from the batch before is still told what became of it.
#[test]
fn the_batch_before_is_remembered() {
    let mut bench = Bench::new();
    balanced(&mut bench);
    let state = bench.state();
    assert_eq!(send(&mut bench, SALE, STAN, FEN, |_, _| {}), "00");
    assert_eq!(bench.state(), state);
}
