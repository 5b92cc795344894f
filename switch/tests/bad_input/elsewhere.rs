//! Rows of the catalogue that cannot come to this switch as they stand: what they are about does not
//! exist here. Each says why, and tries what comes nearest to it.

use crate::bench::Bench;
use crate::bench::draft::{Draft, OTHER_TERMINAL, reversal};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// A part of a row that does not exist here.
pub(crate) struct Absent {
    /// The row.
    pub(crate) id: &'static str,
    /// What it is about.
    pub(crate) what: &'static str,
    /// Why there is no such thing.
    pub(crate) why: &'static str,
    /// The row and file where the nearest is tried.
    pub(crate) nearest: (&'static str, &'static str),
}

/// All of them.
#[rustfmt::skip]
pub(crate) static ABSENT: &[Absent] = &[
    Absent { id: "A1", what: "0000 as a sign of life", why: "no profile of a line allows it", nearest: ("A1", "lines.rs") },
    Absent { id: "A10", what: "plain bytes at a TLS door", why: "there is no TLS door: a gateway in front ends TLS", nearest: ("A10", "lines.rs") },
    Absent { id: "B22", what: "a terminal that is not that of the certificate", why: "lines have no certificates, and may carry many terminals", nearest: ("B22", "genuine.rs") },
    Absent { id: "B23", what: "keys that are past their time", why: "keys have no time: they are good until the next are used", nearest: ("B23", "pins.rs") },
    Absent { id: "B37", what: "F90", why: "terminals name the original by F11, F60 and F61", nearest: ("B37", "undoing.rs") },
    Absent { id: "B41", what: "card to card", why: "no transaction has two cards of which one pays the other", nearest: ("B41", "families.rs") },
    Absent { id: "B47", what: "an answer of an issuer", why: "there is no line to another issuer", nearest: ("B47", "elsewhere.rs") },
    Absent { id: "B48", what: "a late approval of an issuer", why: "there is no line to another issuer", nearest: ("B48", "elsewhere.rs") },
];

#[test]
fn answers_of_issuers() {
    let unmatched: &[_] = &["posp_unmatched_total", "reason=\"MTI_BAD\"} 1"];
    // The good sale, answered as an issuer would.
    let answered = |mti: [u8; 2], fen: &'static str| {
        move |draft: &mut Draft, _: &Bench| {
            draft.mti = mti.to_vec();
            draft.digits(4, fen).text(37, b"000000000001").text(38, b"123456").text(39, b"00");
        }
    };
    check(&[
        row(
            "B47",
            "an answer that nobody waits for",
            answered([2, 0x10], "000000010000"),
            "dropped",
        )
        .says(unmatched),
        row("B47", "an answer with another amount", answered([2, 0x10], "000000000001"), "dropped")
            .after(sold)
            .says(unmatched),
        row(
            "B47",
            "an answer to a pre-authorisation",
            answered([1, 0x10], "000000010000"),
            "dropped",
        )
        .says(unmatched),
        row("B47", "an answer to a reversal", answered([4, 0x10], "000000010000"), "dropped")
            .after(sold)
            .says(unmatched),
        row("B47", "an answer to a settlement", answered([5, 0x10], "000000010000"), "dropped")
            .says(unmatched),
        row("B47", "the word of a network's own", answered([8, 0x10], "000000000000"), "dropped")
            .says(unmatched),
        row(
            "B47",
            "a card of an issuer without a line",
            |d, _| _ = d.typed("6251880000000008"),
            "91",
        ),
        row(
            "B48",
            "an approval after all was undone",
            answered([2, 0x10], "000000010000"),
            "dropped",
        )
        .after(crate::table::reversed)
        .says(unmatched),
        row("B48", "the sale itself after its reversal", |_, _| {}, "22").after(|bench| {
            let reversal = reversal(bench.keys());
            assert_eq!(bench.send(&reversal).code(), "25");
        }),
        row(
            "B48",
            "a reversal of what nobody made is owed nothing",
            |d, b| *d = reversal(b.keys()),
            "25",
        )
        .with(NoMoney),
    ]);
}

#[test]
fn terminals_beside_each_other() {
    check(&[
        row(
            "B22",
            "one line carries many terminals",
            |d, _| {
                d.text(41, OTHER_TERMINAL.as_bytes()).signer = OTHER_TERMINAL;
            },
            "55",
        )
        .after(|bench| bench.sign_on(OTHER_TERMINAL))
        .with(NoMoney),
        row("B22", "and each its own sales", |_, _| {}, "00")
            .after(|bench| bench.sign_on(OTHER_TERMINAL))
            .with(Pays(crate::bench::draft::FEN)),
    ]);
}

/// The texts of the cases.
const FILES: &[(&str, &str)] = &[
    ("batches.rs", include_str!("batches.rs")),
    ("chip.rs", include_str!("chip.rs")),
    ("clocks.rs", include_str!("clocks.rs")),
    ("content.rs", include_str!("content.rs")),
    ("elsewhere.rs", include_str!("elsewhere.rs")),
    ("families.rs", include_str!("families.rs")),
    ("floods.rs", include_str!("floods.rs")),
    ("form.rs", include_str!("form.rs")),
    ("genuine.rs", include_str!("genuine.rs")),
    ("hostile.rs", include_str!("hostile.rs")),
    ("lines.rs", include_str!("lines.rs")),
    ("pins.rs", include_str!("pins.rs")),
    ("undoing.rs", include_str!("undoing.rs")),
];

/// True if a file has a case of this row, or a test that says it is one.
fn has_case(text: &str, id: &str) -> bool {
    let test = [format!("/// {id}: "), format!("(catalogue {id}")];
    let quoted = format!("\"{id}\"");
    let is_case = |line: &str| line.contains(&quoted) && !line.contains("Absent");
    text.lines().any(|line| is_case(line) || test.iter().any(|test| line.contains(test)))
}

#[test]
fn every_row_has_a_case() {
    let rows = (1..=16).map(|n| format!("A{n}")).chain((1..=50).map(|n| format!("B{n}")));
    let missing: Vec<_> =
        rows.filter(|id| !FILES.iter().any(|(_, text)| has_case(text, id))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for absent in ABSENT {
        let (id, file) = absent.nearest;
        let (_, text) = FILES.iter().find(|(name, _)| *name == file).unwrap();
        assert!(has_case(text, id), "{} ({}: {})", absent.id, absent.what, absent.why);
    }
}
