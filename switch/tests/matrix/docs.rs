//! The page about transactions says what the switch does.

use std::collections::BTreeSet;

use domain::issuing::Right;
use switch::message::matrix::{self, Codes, ROWS, Row, Transaction};
use switch::programme::Word as _;

use crate::section;

const PAGE: &str = include_str!("../../../docs/transactions.md");

/// Returns the rows of the table under a heading, cut into cells.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(&format!("## {heading}\n")).unwrap();
    let part = rest.split("\n## ").next().unwrap();
    let rows = part.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// MTI, F3, F25, F60.1, F60.3, message code, reversible, rights.
type Told = [String; 8];

/// Returns what the page says is offered.
fn told() -> BTreeSet<Told> {
    let mut told = BTreeSet::new();
    for row in table("Offered") {
        for network in row[6].split(", ") {
            let cells = [row[2], row[3], row[4], row[5], network, row[7], row[8], row[9]];
            assert!(told.insert(cells.map(str::to_owned)), "{row:?} stands twice");
        }
    }
    told
}

/// Returns what the switch says of one of its rows.
fn taken(row: &Row) -> Told {
    let digits = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let reversal = Codes {
        mti: *b"0400",
        processing: row.processing,
        condition: row.condition,
        kind: row.kind,
        ..Codes::default()
    };
    let is_reversible = row.processing.is_some() && matrix::lookup(&reversal).is_ok();
    let by_mail = (row.condition == Some(*b"08")).then_some(Right::MailOrder);
    let mut rights = Vec::new();
    if let Transaction::Card(kind) = row.transaction {
        rights.extend(kind.right().into_iter().chain(by_mail).map(Right::word));
    }
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    [
        digits(&row.mti),
        row.processing.map_or_else(String::new, |p| digits(&p)),
        row.condition.map_or_else(String::new, |c| digits(&c)),
        row.kind.map_or_else(String::new, |k| digits(&k)),
        row.network.map_or_else(String::new, |n| digits(&n)),
        yes(row.mac),
        yes(is_reversible),
        rights.join(", "),
    ]
}

#[test]
fn what_is_offered() {
    let requests = ROWS.iter().filter(|row| !matches!(row.transaction, Transaction::Reversal(_)));
    let taken: BTreeSet<_> = requests.map(taken).collect();
    let told = told();
    let only =
        |a: &BTreeSet<Told>, b: &BTreeSet<Told>| a.difference(b).cloned().collect::<Vec<_>>();
    let (on_page, in_code) = (only(&told, &taken), only(&taken, &told));
    assert!(on_page.is_empty() && in_code.is_empty(), "page: {on_page:?}\ncode: {in_code:?}");
}

#[test]
fn what_is_not_offered() {
    let told: BTreeSet<_> = table("Not offered").into_iter().map(|row| (row[0], row[2])).collect();
    let is: BTreeSet<_> = section::all().filter_map(|spec| Some((spec.no, spec.reason?))).collect();
    assert_eq!(told, is);
}
