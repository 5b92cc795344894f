//! No transaction of the dialect, and no outcome of one, is without a line.

use std::collections::{BTreeMap, BTreeSet};

use switch::message::matrix::{self, NoRow, ROWS, Transaction};

use crate::form;
use crate::line::{Line, lines};
use crate::play::World;
use crate::section::{self, NUMBERS, Spec};

/// Every script.
fn scripts() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        crate::care::SCRIPTS,
        crate::cards::SCRIPTS,
        crate::checks::SCRIPTS,
        crate::complete::SCRIPTS,
        crate::loads::SCRIPTS,
        crate::mail::SCRIPTS,
        crate::offline::SCRIPTS,
        crate::order::SCRIPTS,
        crate::points::SCRIPTS,
        crate::pre_auth::SCRIPTS,
        crate::sales::SCRIPTS,
        crate::settlement::SCRIPTS,
        crate::undone::SCRIPTS,
    ]
    .into_iter()
    .flatten()
}

/// Returns the codes that lines show of each transaction, and of the reversal of each.
fn shown() -> BTreeMap<(&'static str, bool), BTreeSet<&'static str>> {
    let mut shown = BTreeMap::<_, BTreeSet<_>>::new();
    for line in scripts().flat_map(|(_, script)| lines(script)).filter_map(Line::cut) {
        shown.entry((line.name, line.is_undo)).or_default().insert(line.code);
    }
    shown
}

#[test]
fn every_number_of_the_specification_is_there() {
    let there: BTreeSet<_> = section::all().map(|spec| spec.no).collect();
    for number in NUMBERS {
        // Thirteen is the reversal of the others.
        assert!(number == "13" || there.contains(number), "{number} is missing");
    }
}

#[test]
fn every_line_has_the_number_of_its_transaction() {
    for line in scripts().flat_map(|(_, script)| lines(script)).filter_map(Line::cut) {
        let number = if line.is_undo { "13" } else { section::spec(line.name).no };
        assert_eq!(line.no, number, "{}", line.text);
    }
}

#[test]
fn every_transaction_shows_every_code() {
    let shown = shown();
    let mut missing = Vec::new();
    for spec in section::all() {
        let lines = shown.get(&(spec.name, false)).cloned().unwrap_or_default();
        let wanted = spec.shown.split_whitespace();
        let without: Vec<_> = wanted.filter(|code| !lines.contains(code)).collect();
        if !without.is_empty() {
            missing.push(format!("{} {}: {}", spec.no, spec.name, without.join(" ")));
        }
    }
    assert!(missing.is_empty(), "no line shows\n{}", missing.join("\n"));
}

/// 00: undone. 25: it never came. 40 or 12: it is not reversed.
#[test]
fn every_reversal_is_shown() {
    let shown = shown();
    for spec in section::all().filter(Spec::is_of_card) {
        let lines = shown.get(&(spec.name, true)).cloned().unwrap_or_default();
        let is_reversible = matrix::lookup(&spec.codes("0400")).is_ok();
        let wanted: &[&str] = if is_reversible { &["00", "25"] } else { &["40", "12"] };
        let is_shown = match is_reversible {
            true => wanted.iter().all(|code| lines.contains(code)),
            false => wanted.iter().any(|code| lines.contains(code)),
        };
        assert!(is_shown, "reversals of {}: {lines:?}, not {wanted:?}", spec.name);
    }
}

#[test]
fn what_is_not_offered_says_why() {
    for spec in section::all() {
        let codes = spec.codes(spec.mti);
        match (spec.reason, matrix::lookup(&codes)) {
            (None, Ok(row)) => {
                assert_eq!(row.mac, spec.is_of_card(), "{}", spec.name);
                let is_reversible = matrix::lookup(&spec.codes("0400")).is_ok();
                assert_eq!(is_reversible, spec.is_reversible, "{}", spec.name);
            }
            (Some(reason), Err(NoRow::NotOffered)) => {
                assert_eq!(matrix::why_not_offered(&codes), Some(reason), "{}", spec.name);
            }
            (reason, found) => panic!("{}: {reason:?}, and {found:?}", spec.name),
        }
    }
}

/// What the switch takes is in the specification, or private and said to be so.
#[test]
fn every_row_of_the_switch_is_a_transaction_of_the_dialect() {
    let specs: Vec<_> = section::all().collect();
    for row in ROWS {
        let is_reversal = matches!(row.transaction, Transaction::Reversal(_));
        let is_known = specs.iter().any(|spec| {
            let mti = if is_reversal { "0400" } else { spec.mti };
            matrix::lookup(&spec.codes(mti)).is_ok_and(|found| std::ptr::eq(found, row))
        });
        assert!(is_known, "{row:?}");
    }
}

/// Whatever a transaction must carry: without it, it is a format error and nothing happens.
#[test]
fn a_request_lacks_something_that_it_must_carry() {
    let mut world = World::played("card A main=50000\n5 sale 2 A 100 | 00");
    for spec in section::all().filter(|spec| spec.is_of_card() && spec.reason.is_none()) {
        let row = matrix::lookup(&spec.codes(spec.mti)).unwrap();
        let text = format!("{} {} 3 A 100 of=2 pin=246135 new=135790 | 30", spec.no, spec.name);
        // Who has no type, no terminal or no kind is somebody else, or nobody.
        let named = [3, 25, 41, 42, 60];
        for field in row.must.iter().filter(|field| !named.contains(field)) {
            let mut draft = form::draft(&world, &Line::cut(&text).unwrap());
            draft.without(*field);
            let state = world.bench.state();
            let heard = world.bench.send(&draft);
            assert_eq!(heard.code(), "30", "{} without F{field}", spec.name);
            assert!(world.bench.state() == state, "{} without F{field}", spec.name);
        }
    }
}
