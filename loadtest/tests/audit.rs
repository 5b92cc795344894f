//! The audit, case by case: what the terminal saw, what the journal has, what is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

use loadtest::Fen;
use loadtest::audit::{Entry, Key, Reversal, Seen, Told, Violation, compare};
use loadtest::terminal::SlipKind;

fn key() -> Key {
    Key {
        terminal: "10000001".parse().unwrap(),
        batch: "1".parse().unwrap(),
        stan: "7".parse().unwrap(),
    }
}

fn seen(told: &str) -> Vec<Seen> {
    let (told, reversal) = match told {
        "unseen" => return Vec::new(),
        "approved" => (Told::Approved, Reversal::None),
        "approved+reversed" => (Told::Approved, Reversal::Confirmed),
        "refused" => (Told::Refused, Reversal::None),
        "silence" => (Told::Nothing, Reversal::Unknown),
        "silence+reversed" => (Told::Nothing, Reversal::Confirmed),
        other => panic!("nobody sees {other}"),
    };
    let rrn = (told == Told::Approved).then(|| "000000000007".to_owned());
    vec![Seen { key: key(), kind: SlipKind::Sale, amount: Fen(100), told, rrn, reversal }]
}

fn journal(entries: &str) -> Vec<Entry> {
    let entry = |word: &str| {
        let mut entry = Entry {
            key: key(),
            kind: SlipKind::Sale,
            amount: Fen(100),
            approved: true,
            reversed: false,
            rrn: Some("000000000007".to_owned()),
        };
        match word {
            "applied" => {}
            "undone" => entry.reversed = true,
            "refused" => entry.approved = false,
            "other-amount" => entry.amount = Fen(101),
            "other-kind" => entry.kind = SlipKind::Void,
            "other-rrn" => entry.rrn = Some("000000000008".to_owned()),
            "no-rrn" => entry.rrn = None,
            "other-terminal" => entry.key.terminal = "10000002".parse().unwrap(),
            other => panic!("no entry {other}"),
        }
        entry
    };
    entries.split('+').filter(|word| *word != "-").map(entry).collect()
}

fn name(violation: &Violation) -> &'static str {
    match violation {
        Violation::Lost(_) => "Lost",
        Violation::Differs(_, what) => what,
        Violation::Twice(..) => "Twice",
        Violation::Applied(_) => "Applied",
        Violation::NobodyAsked(_) => "NobodyAsked",
        Violation::NotReversed(_) => "NotReversed",
        Violation::ReversedUnasked(_) => "ReversedUnasked",
    }
}

#[test]
fn every_disagreement_has_its_name() {
    let table = "
        approved           applied                ok
        approved           no-rrn                 ok
        approved           applied+refused        ok
        approved           -                      Lost
        approved           refused                Lost
        approved           applied+applied        Twice
        approved           undone                 ReversedUnasked
        approved           other-amount           amount
        approved           other-kind             kind
        approved           other-rrn              reference
        approved           applied+other-terminal ok
        approved+reversed  undone                 ok
        approved+reversed  -                      ok
        approved+reversed  applied                NotReversed
        refused            -                      ok
        refused            refused                ok
        refused            undone                 ok
        refused            applied                Applied
        silence            -                      ok
        silence            applied                ok
        silence            undone                 ok
        silence            applied+applied        Twice
        silence+reversed   -                      ok
        silence+reversed   undone                 ok
        silence+reversed   applied                NotReversed
    ";
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let words: Vec<_> = row.split_whitespace().collect();
        let found = compare(&seen(words[0]), &journal(words[1]));
        let found: Vec<_> = found.iter().map(name).collect();
        let expected = if words[2] == "ok" { Vec::new() } else { vec![words[2]] };
        assert_eq!(found, expected, "{row}");
    }
}

#[test]
fn an_approval_that_nobody_asked_for_is_found() {
    let mut seen = seen("approved");
    seen[0].key.stan = "8".parse().unwrap();
    let found = compare(&seen, &journal("applied"));
    assert_eq!(found, [Violation::Lost(seen[0].key), Violation::NobodyAsked(key())]);
    assert_eq!(
        found[1].to_string(),
        "I3: 10000001/000001/000007 is approved and no terminal asked for it"
    );
}
