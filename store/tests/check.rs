//! The audit names the first thing that is wrong, and takes nothing sound for wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "in a test a panic is a failure"
)]

mod files;
mod world;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use files::{copy, hasty, submit, wait_until};
use rusqlite::Connection;
use store::{CheckError, CheckProgress, Drain, DrainOptions, EmbeddedJournal, check};
use tempfile::TempDir;
use world::World;

fn made(seed: u64, lives: usize) -> (TempDir, World) {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(seed));
    for _life in 0..lives {
        let (journal, _) = EmbeddedJournal::open(&dir, hasty(32 << 10)).unwrap();
        let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
        submit(&mut journal.writer(|_| {}), &world.make(300));
        journal.close().unwrap();
        drain.stop_when_drained().unwrap();
    }
    (dir, world)
}

fn violation(dir: &Path) -> String {
    let report = check(dir, |_| {}).unwrap();
    assert!(!report.ok);
    report.first_violation.unwrap()
}

#[test]
fn a_sound_directory_is_counted() {
    let (dir, world) = made(1, 2);
    let mut told = Vec::new();
    let report = check(dir.path(), |progress| told.push(progress)).unwrap();
    assert_eq!(report.first_violation, None);
    assert!(report.ok && report.ledger && !report.running);
    assert_eq!((report.entries, report.ledger_entries, report.torn_bytes), (600, 600, 0));
    assert_eq!((report.snapshots, report.snapshot_lsn), (2, 600));
    let used = world.books.shards().iter().filter(|shard| shard.seq() > 0).count();
    assert_eq!(report.shards, used as u32);
    assert!(report.segments >= 2 && report.ledger_balances > 10);
    let last: CheckProgress = *told.last().unwrap();
    assert_eq!(last.entries, 600);
    assert!(last.segment <= last.segments);
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.starts_with(r#"{"ok":true,"running":false,"entries":600,"#), "{json}");
}

#[test]
fn where_there_is_no_journal_there_is_no_audit() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(check(dir.path(), |_| {}), Err(CheckError::NoJournal { .. })));
    assert!(matches!(check(&dir.path().join("x"), |_| {}), Err(CheckError::NoJournal { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "an audit makes nothing");
}

#[test]
fn every_column_of_the_ledger_is_compared() {
    let (dir, _) = made(2, 1);
    let mut cases = changes_of_entries();
    cases.extend(changes_of_tables());
    for (change, expected) in cases {
        let changed = copy(dir.path());
        let connection = Connection::open(changed.path().join("ledger.db")).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.execute_batch(&change).unwrap();
        assert!(connection.total_changes() > 0 || change.starts_with("DROP"), "{change}");
        drop(connection);
        let violation = violation(changed.path());
        assert!(violation.contains(expected), "{change}: {violation}");
    }
    let changed = copy(dir.path());
    fs::write(changed.path().join("ledger.db"), "no database, but long enough to be read as one")
        .unwrap();
    assert!(violation(changed.path()).contains("not a database"));
}

type Change = (String, &'static str);

fn changes_of_entries() -> Vec<Change> {
    let entry = "(SELECT lsn FROM entry WHERE kind = 'sale' AND refusal IS NULL LIMIT 1)";
    let void = "(SELECT lsn FROM entry WHERE kind = 'void' LIMIT 1)";
    let differs = "differs from the journal";
    let postings = "has other postings than the journal";
    let mut changes = vec![
        (format!("UPDATE entry SET chain = zeroblob(16) WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET kind = 'refund' WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET at_ms = at_ms + 1 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET business_date = 20260101 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET terminal = '00000009' WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET merchant = NULL WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET batch = batch + 1 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET stan = stan + 1 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET card = card + 1 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET amount_fen = 1 WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET refusal = 'wrong-pin' WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET rrn = '000000000000' WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET auth_code = 'x' WHERE lsn = {entry}"), differs),
        (format!("UPDATE entry SET original_stan = 999999 WHERE lsn = {void}"), differs),
        (
            format!("UPDATE entry SET shard = shard + 1, seq = 9999 WHERE lsn = {entry}"),
            "is missing",
        ),
        (format!("UPDATE entry SET seq = 9999 WHERE lsn = {entry}"), "is missing"),
        (format!("UPDATE entry SET lsn = 100000 WHERE lsn = {entry}"), differs),
        (format!("DELETE FROM entry WHERE lsn = {entry}"), "is missing"),
    ];
    for column in ["original_terminal", "original_batch", "original_stan"] {
        let of_none = "(SELECT lsn FROM entry WHERE original_stan IS NULL LIMIT 1)";
        changes.push((format!("UPDATE entry SET {column} = NULL WHERE lsn = {void}"), differs));
        changes.push((format!("UPDATE entry SET {column} = 1 WHERE lsn = {of_none}"), differs));
    }
    changes.extend([
        ("UPDATE posting SET leg = leg + 100".to_owned(), postings),
        ("UPDATE posting SET leg = -1 WHERE leg = 0".to_owned(), postings),
        ("UPDATE posting SET amount = amount + 1 WHERE leg = 1".to_owned(), postings),
        ("UPDATE posting SET account = 'funding' WHERE leg = 0".to_owned(), postings),
        ("UPDATE posting SET unit = 'points' WHERE unit = 'fen'".to_owned(), postings),
        ("DELETE FROM posting WHERE leg = 1".to_owned(), postings),
    ]);
    changes
}

fn changes_of_tables() -> Vec<Change> {
    let card = "has another row in card than the journal";
    let closing = "has another row in terminal_batch than the journal";
    let mut changes: Vec<Change> = [
        ("card", "id = 999", card),
        ("card", "product = product + 1", card),
        ("card", "named = 1 - named", card),
        ("card", "named = 2", card),
        ("card", "status = 'frozen'", card),
        ("card", "expiry = ifnull(expiry, 0) + 1", card),
        ("card", "expiry = CASE WHEN expiry IS NULL THEN 3001 END", card),
        ("card", "pan_index = zeroblob(length(pan_index))", card),
        ("card", "sealed_pan = zeroblob(length(sealed_pan))", card),
        ("terminal_batch", "shard = shard + 1", closing),
        ("terminal_batch", "seq = seq + 9999", closing),
        ("terminal_batch", "terminal = 'x'", closing),
    ]
    .map(|(table, set, expected)| (change_of_first(table, set), expected))
    .into();
    for column in [
        "batch",
        "closed_at_ms",
        "claimed_debit_fen",
        "claimed_debit_count",
        "claimed_credit_fen",
        "claimed_credit_count",
        "counted_debit_fen",
        "counted_debit_count",
        "counted_credit_fen",
        "counted_credit_count",
    ] {
        let set = format!("{column} = {column} + 1");
        changes.push((change_of_first("terminal_batch", &set), closing));
    }
    changes.extend([
        ("DELETE FROM card WHERE id = 2".to_owned(), card),
        ("DELETE FROM terminal_batch".to_owned(), closing),
        (
            "INSERT INTO card VALUES (999, 1, 0, 'sold', NULL, x'01', x'02')".to_owned(),
            "rows in card",
        ),
        (
            "INSERT INTO terminal_batch VALUES (0, 9999, 'x', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
                .to_owned(),
            "rows in terminal_batch",
        ),
        (
            "UPDATE balance SET amount = amount + 1 WHERE account = 'funding'".to_owned(),
            "the balance of funding in fen",
        ),
        (
            "INSERT INTO balance VALUES ('card:9:main', 'yen', 7)".to_owned(),
            "the balance of card:9:main in yen",
        ),
        (
            "DELETE FROM balance WHERE account = 'funding'".to_owned(),
            "there is no balance of funding in fen",
        ),
        (
            "INSERT INTO posting VALUES (0, 9999, 0, 'funding', 'fen', 1)".to_owned(),
            "rows in posting",
        ),
        ("UPDATE shard_position SET chain = zeroblob(16)".to_owned(), "its position in the shards"),
        ("UPDATE position SET lsn = 301".to_owned(), "holds 301 entries, the journal only 300"),
        ("UPDATE position SET lsn = 299, batch = 1".to_owned(), "no such batch end"),
        ("UPDATE position SET link = link + 1".to_owned(), "no such batch end"),
        ("UPDATE meta SET value = 'x'".to_owned(), "it belongs to another node"),
        ("DROP TABLE posting".to_owned(), "no such table"),
    ]);
    changes
}

/// Changes one row of a table that holds no entries.
fn change_of_first(table: &str, set: &str) -> String {
    let key = if table == "card" { "(id)" } else { "(shard, seq)" };
    let columns = key.trim_matches(['(', ')']);
    format!("UPDATE {table} SET {set} WHERE {key} IN (SELECT {columns} FROM {table} LIMIT 1)")
}

#[test]
fn a_snapshot_of_another_state_is_found() {
    let (dir, _) = made(3, 2);
    let other = copy(dir.path());
    let newest = "snapshots/00000000000000000600.snapshot";
    // The older one under the name of the newer.
    fs::copy(
        other.path().join("snapshots/00000000000000000300.snapshot"),
        other.path().join(newest),
    )
    .unwrap();
    let found = violation(other.path());
    assert!(found.ends_with("600.snapshot: it ends where the journal has no batch end"), "{found}");
    // One that covers more than there is.
    let ahead = "snapshots/00000000000000000700.snapshot";
    fs::rename(dir.path().join(newest), dir.path().join(ahead)).unwrap();
    let found = violation(dir.path());
    assert!(found.ends_with("it covers more than the 600 entries of the journal"), "{found}");
}

#[test]
fn a_torn_end_is_told_and_is_no_violation() {
    let (dir, _) = made(4, 1);
    let torn = copy(dir.path());
    let journal = torn.path().join("journal");
    let mut names: Vec<_> = fs::read_dir(&journal).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    // The last segment with a batch in it loses the end of the one that closed the journal.
    let used =
        |path: &&std::path::PathBuf| fs::read(path).unwrap().get(4096).is_some_and(|&b| b != 0);
    let last = names.iter().rev().find(used).unwrap();
    let mut bytes = fs::read(last).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[end] ^= 1;
    fs::write(last, bytes).unwrap();
    let report = check(torn.path(), |_| {}).unwrap();
    assert_eq!((report.first_violation, report.ok, report.entries), (None, true, 300));
    assert!(report.torn_bytes > 0);
}

#[test]
fn a_running_node_may_be_audited() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(5));
    let (journal, _) = EmbeddedJournal::open(&dir, hasty(32 << 10)).unwrap();
    let options = DrainOptions {
        wait: Duration::ZERO,
        entries_max: 50,
        snapshot_entries: 200,
        ..DrainOptions::default()
    };
    let drain = Drain::start(&journal, options).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (journal, is_over) = (&journal, &is_over);
        let load = scope.spawn(move || {
            let mut writer = journal.writer(|_| {});
            while !is_over.load(Ordering::Relaxed) {
                submit(&mut writer, &world.make(5));
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        wait_until("some entries", || journal.durable().0 > 100);
        let mut last = 0;
        for _audit in 0..8 {
            let before = journal.durable().0;
            let report = check(dir.path(), |_| {}).unwrap();
            assert_eq!((report.first_violation, report.running), (None, true));
            assert!(report.entries >= before, "what was durable before is covered");
            assert!(report.ledger_entries >= last);
            last = report.ledger_entries;
        }
        is_over.store(true, Ordering::Relaxed);
        load.join().unwrap();
    });
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
}
