//! The SQL ledger, read as anybody with SQL would read it, and held against the journal.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use crate::journal::Journal;

/// An approval in plain terms: transaction, kind, amount, reference and authorisation code.
pub type Approval = (String, String, i64, String, String);

/// Returns what in the ledger is not as the journal has it.
pub fn differences(path: &Path, journal: &Journal) -> Vec<String> {
    let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let number = |query: &str| ledger.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let entries = i64::try_from(journal.entries).unwrap();
    let mut found = Vec::new();
    for (what, query, expected) in [
        ("entries", "SELECT count(*) FROM entry", entries),
        ("its position", "SELECT lsn FROM position", entries),
        ("the sum of fen", "SELECT sum(amount) FROM balance WHERE unit = 'fen'", 0),
        ("the sum of postings", "SELECT sum(amount) FROM posting WHERE unit = 'fen'", 0),
    ] {
        let is = number(query);
        if is != expected {
            found.push(format!("{what}: {is} in the ledger, {expected} in the journal"));
        }
    }
    if balances(&ledger) != journal.balances_by_number() {
        found.push("the balances of the cards differ".to_owned());
    }
    let (ledger, journal) = (approvals(&ledger), journal.approvals());
    let first = ledger.iter().zip(&journal).find(|(ledger, journal)| ledger != journal);
    found.extend(first.map(|pair| format!("an approval differs: {pair:?}")));
    if ledger.len() != journal.len() {
        found.push(format!("{} approvals in the ledger, not {}", ledger.len(), journal.len()));
    }
    found
}

/// The money on each card that has any or had.
fn balances(ledger: &Connection) -> BTreeMap<u64, i64> {
    let query = "SELECT account, amount FROM balance WHERE unit = 'fen' AND account LIKE 'card:%'";
    let mut sums = BTreeMap::new();
    for (account, amount) in rows(ledger, query, |row| Ok((row.get(0)?, row.get(1)?))) {
        let (account, amount): (String, i64) = (account, amount);
        let card = account.split(':').nth(1).unwrap().parse().unwrap();
        *sums.entry(card).or_default() += amount;
    }
    sums
}

fn approvals(ledger: &Connection) -> Vec<Approval> {
    let query = "SELECT printf('%s/%06d/%06d', terminal, batch, stan), kind, amount_fen, rrn, \
                 auth_code FROM entry WHERE kind IN ('sale', 'void') AND refusal IS NULL \
                 ORDER BY lsn";
    let approval =
        |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    rows(ledger, query, approval)
}

fn rows<T>(
    ledger: &Connection,
    query: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = ledger.prepare(query).unwrap();
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}
