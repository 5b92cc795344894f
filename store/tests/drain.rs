//! The ledger holds every durable entry exactly once, whatever happens on the way.
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
use std::time::{Duration, Instant};

use domain::terms::ShardNo;
use files::copy;
use rusqlite::Connection;
use store::{
    CheckReport, Commit, Drain, DrainError, DrainOptions, EmbeddedJournal, EmbeddedWriter, Lsn,
    OpenError, Options,
};
use tempfile::TempDir;
use world::{Made, World};

fn options() -> Options {
    Options { segment_bytes: 64 << 10, ..Options::default() }
}

fn open(dir: &TempDir) -> EmbeddedJournal {
    EmbeddedJournal::open(dir, options()).unwrap().0
}

fn submit(writer: &mut EmbeddedWriter, made: &[Made]) {
    for (shard, seq, event) in made {
        writer.submit(*shard, *seq, event).unwrap();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn sound(dir: &TempDir) -> CheckReport {
    let report = store::check(dir.path(), |_| {}).unwrap();
    assert_eq!(report.first_violation, None);
    assert!(report.ok);
    report
}

fn number(ledger: &Path, sql: &str) -> i64 {
    Connection::open(ledger).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn everything_durable_comes_to_the_ledger_once() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(1));
    let mut total = 0;
    for life in 1..=3 {
        let journal = open(&dir);
        let drain = Drain::start(
            &journal,
            DrainOptions { entries_max: 40, wait: Duration::ZERO, ..DrainOptions::default() },
        )
        .unwrap();
        let mut writer = journal.writer(|_| {});
        for _burst in 0..20 {
            submit(&mut writer, &world.make(30));
            total += 30;
            std::thread::sleep(Duration::from_millis(1));
        }
        journal.close().unwrap();
        // The second life ends before the ledger is through.
        if life == 2 {
            drop(drain);
            continue;
        }
        assert_eq!(drain.stop_when_drained().unwrap(), Lsn(total));
        let report = sound(&dir);
        assert_eq!((report.entries, report.ledger_entries), (total, total));
        assert!(report.ledger_balances > 5);
        assert_eq!(report.snapshot_lsn, total);
    }
    let ledger = dir.path().join("ledger.db");
    assert_eq!(number(&ledger, "SELECT count(*) FROM entry"), total as i64);
    assert_eq!(number(&ledger, "SELECT sum(amount) FROM posting"), 0);
    for kind in ["sale", "void", "refund", "inquiry", "sale-reversal", "bar", "batch-close"] {
        let sql = format!("SELECT count(*) FROM entry WHERE kind = '{kind}'");
        assert!(number(&ledger, &sql) > 0, "the world makes no {kind}");
    }
    let closings = number(&ledger, "SELECT count(*) FROM entry WHERE kind = 'batch-close'");
    assert_eq!(number(&ledger, "SELECT count(*) FROM terminal_batch"), closings);
    let named = "SELECT count(*) FROM entry WHERE refusal = 'insufficient-funds'";
    assert!(number(&ledger, named) > 0);
}

#[test]
fn a_ledger_that_is_lost_is_written_anew() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(2));
    for _life in 0..2 {
        let journal = open(&dir);
        let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
        submit(&mut journal.writer(|_| {}), &world.make(200));
        journal.close().unwrap();
        drain.stop_when_drained().unwrap();
        let ledger = dir.path().join("ledger.db");
        fs::remove_file(&ledger).unwrap();
    }
    let journal = open(&dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    wait_until("the ledger is there again", || drain.position() == Lsn(400));
    assert_eq!(drain.lag_entries(), 0);
    assert_eq!(drain.lag_seconds(), 0);
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
    assert_eq!(sound(&dir).ledger_entries, 400);
}

/// A life of the journal and its drain, to its end.
fn live(dir: &TempDir, made: &[Made]) {
    let journal = open(dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    submit(&mut journal.writer(|_| {}), made);
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
}

#[test]
fn a_ledger_of_which_a_crash_left_the_file_only_is_written_anew() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(10));
    live(&dir, &world.make(100));
    let ledger = dir.path().join("ledger.db");
    fs::write(&ledger, "").unwrap();
    let report = store::check(dir.path(), |_| {}).unwrap();
    assert!(report.ok && !report.ledger, "{report:?}");
    // In the mode that is set before the first transaction, too.
    fs::remove_file(&ledger).unwrap();
    let empty = Connection::open(&ledger).unwrap();
    empty.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(empty);
    assert!(fs::metadata(&ledger).unwrap().len() > 0);
    let report = store::check(dir.path(), |_| {}).unwrap();
    assert!(report.ok && !report.ledger, "{report:?}");
    live(&dir, &world.make(10));
    assert_eq!(sound(&dir).ledger_entries, 110);
}

/// Runs `sql` in the ledger from another connection.
fn meddle(dir: &TempDir, sql: &str) {
    Connection::open(dir.path().join("ledger.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_cannot_be_written_stops_the_ledger_loudly_and_nothing_else() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(3));
    let journal = open(&dir);
    let options =
        DrainOptions { wait: Duration::ZERO, snapshot_entries: 50, ..DrainOptions::default() };
    let drain = Drain::start(&journal, options.clone()).unwrap();
    let mut writer = journal.writer(|_| {});
    submit(&mut writer, &world.make(100));
    wait_until("drained", || drain.position() == Lsn(100));
    // Entry 150 meets an obstacle after others of its transaction were written.
    meddle(
        &dir,
        "CREATE TRIGGER obstacle BEFORE INSERT ON entry WHEN NEW.lsn = 150
         BEGIN SELECT RAISE(ABORT, 'obstacle'); END",
    );
    submit(&mut writer, &world.make(100));
    wait_until("parked", || drain.error().is_some());
    assert!(drain.error().unwrap().contains("obstacle"));
    assert!(drain.position() < Lsn(150));
    assert!(drain.lag_entries() > 50);
    wait_until("the journal goes on", || journal.durable() == Lsn(200));
    let newest = |dir: &TempDir| {
        let names = fs::read_dir(dir.path().join("snapshots")).unwrap();
        names.map(|name| name.unwrap().file_name()).max()
    };
    // One is due 50 entries after the last one, wherever that was.
    let least = "00000000000000000151.snapshot";
    wait_until("snapshots go on", || newest(&dir).is_some_and(|name| name >= *least));
    wait_until("it has waited", || drain.lag_seconds() >= 1);
    // Nothing of the transaction that failed is there.
    let ledger = dir.path().join("ledger.db");
    let position = drain.position().0 as i64;
    assert_eq!(number(&ledger, "SELECT max(lsn) FROM entry"), position);
    assert_eq!(number(&ledger, "SELECT lsn FROM position"), position);
    meddle(&dir, "DROP TRIGGER obstacle");
    wait_until("it tries again", || drain.position() == Lsn(200));
    assert_eq!(drain.error(), None);
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
    assert_eq!(sound(&dir).ledger_entries, 200);
}

#[test]
fn a_stop_does_not_wait_for_what_cannot_be_written() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(4));
    let journal = open(&dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    meddle(
        &dir,
        "CREATE TRIGGER obstacle BEFORE INSERT ON balance BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    submit(&mut journal.writer(|_| {}), &world.make(100));
    journal.close().unwrap();
    match drain.stop_when_drained() {
        Err(DrainError::Stopped { position: Lsn(0), reason }) => assert!(reason.contains("no")),
        other => panic!("{other:?}"),
    }
    drop(journal);
    meddle(&dir, "DROP TRIGGER obstacle");
    let journal = open(&dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    journal.close().unwrap();
    assert_eq!(drain.stop_when_drained().unwrap(), Lsn(100));
    assert_eq!(sound(&dir).ledger_entries, 100);
}

#[test]
fn a_stop_leaves_a_ledger_that_is_far_behind() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(8));
    let journal = open(&dir);
    let options = DrainOptions { entries_max: 1, wait: Duration::ZERO, ..DrainOptions::default() };
    let drain = Drain::start(&journal, options).unwrap();
    // Each entry takes as long as it takes to look at all combinations of five objects.
    meddle(
        &dir,
        "CREATE TRIGGER slow BEFORE INSERT ON entry BEGIN SELECT sum(length(
         a.name || b.name || c.name || d.name || e.name)) FROM sqlite_master a,
         sqlite_master b, sqlite_master c, sqlite_master d, sqlite_master e; END",
    );
    let mut writer = journal.writer(|_| {});
    for (place, made) in (1..).zip(world.make(100)) {
        submit(&mut writer, &[made]);
        // In a batch of its own, and so in a transaction of its own.
        wait_until("durable", || journal.durable() == Lsn(place));
    }
    journal.close().unwrap();
    match drain.stop_within(Duration::from_millis(100)) {
        Err(DrainError::Behind { entries }) => assert!(entries > 0 && entries <= 100),
        other => panic!("{other:?}"),
    }
    meddle(&dir, "DROP TRIGGER slow");
    drop(journal);
    let journal = open(&dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    journal.close().unwrap();
    assert_eq!(drain.stop_within(Duration::from_secs(60)).unwrap(), Lsn(100));
    assert_eq!(sound(&dir).ledger_entries, 100);
}

#[test]
fn two_drains_of_one_ledger_cannot_both_move_it() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(5));
    let journal = open(&dir);
    let options = DrainOptions { wait: Duration::ZERO, ..DrainOptions::default() };
    let drain = Drain::start(&journal, options.clone()).unwrap();
    let mut writer = journal.writer(|_| {});
    submit(&mut writer, &world.make(100));
    wait_until("drained", || drain.position() == Lsn(100));
    // Another one has moved a shard without this one knowing.
    let shard = world.books.shards().iter().find(|shard| shard.seq() > 0).unwrap().no();
    let next = world.books.shard(shard).seq() + 1;
    meddle(&dir, &format!("UPDATE shard_position SET seq = {next} WHERE shard = {}", shard.0));
    let made = loop {
        let made = world.make(1);
        submit(&mut writer, &made);
        if made[0].0 == shard {
            break made;
        }
    };
    wait_until("it is fenced", || {
        drain.error().is_some_and(|error| error.contains("somebody else"))
    });
    assert!(drain.position() < Lsn(world_entries(&world)), "{made:?}");
}

fn world_entries(world: &World) -> u64 {
    world.books.shards().iter().map(|shard| shard.seq()).sum()
}

fn run(dir: &TempDir, world: &mut World, count: usize) {
    let journal = open(dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    submit(&mut journal.writer(|_| {}), &world.make(count));
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
}

#[test]
fn a_journal_that_lost_its_end_is_not_served() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(6));
    run(&dir, &mut world, 50);
    let old = copy(dir.path());
    run(&dir, &mut world, 50);
    // An old copy of the journal beside the ledger of today.
    let ledger = old.path().join("ledger.db");
    let behind = old.path().join("behind.db");
    fs::copy(&ledger, &behind).unwrap();
    fs::copy(dir.path().join("ledger.db"), &ledger).unwrap();
    let refused = EmbeddedJournal::open(&old, options()).unwrap_err();
    assert!(matches!(refused, OpenError::Ahead { ledger: 100, journal: 50, .. }), "{refused}");
    // The drain sees for itself, where the journal was opened beside another ledger.
    let beside = Options { ledger: Some(behind), ..options() };
    let (journal, _) = EmbeddedJournal::open(&old, beside).unwrap();
    match Drain::start(&journal, DrainOptions::default()) {
        Err(DrainError::Ahead { ledger: 100, journal: 50, .. }) => {}
        other => panic!("{other:?}"),
    }
    drop(journal);
    let report = store::check(old.path(), |_| {}).unwrap();
    assert!(report.first_violation.unwrap().contains("holds 100 entries, the journal only 50"));
    // And beside a snapshot of today.
    let name = "snapshots/00000000000000000100.snapshot";
    fs::copy(dir.path().join(name), old.path().join(name)).unwrap();
    fs::remove_file(&ledger).unwrap();
    let refused = EmbeddedJournal::open(&old, options()).unwrap_err();
    assert!(matches!(refused, OpenError::Behind { journal: 50, snapshot: 100 }), "{refused}");
}

#[test]
fn a_start_that_is_refused_leaves_a_torn_end_as_it_was() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(14));
    run(&dir, &mut world, 50);
    let segment = dir.path().join("journal/0000000001.seg");
    let before = fs::read(&segment).unwrap();
    run(&dir, &mut world, 3);
    fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
    // The last three entries, which the ledger has, are damaged in the journal.
    let mut torn = fs::read(&segment).unwrap();
    let begin = torn.iter().zip(&before).position(|(now, then)| now != then).unwrap();
    torn[begin + 200] ^= 1;
    torn[begin + 512..].fill(0);
    fs::write(&segment, &torn).unwrap();
    let elsewhere = dir.path().join("elsewhere.db");
    fs::rename(dir.path().join("ledger.db"), &elsewhere).unwrap();
    let torn_files = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with("torn-")).count()
    };
    let beside = Options { ledger: Some(elsewhere), ..options() };
    let refused = EmbeddedJournal::open(&dir, beside).unwrap_err();
    assert!(matches!(refused, OpenError::Ahead { ledger: 53, .. }), "{refused}");
    assert!(fs::read(&segment).unwrap() == torn);
    assert_eq!(torn_files(), 0);
    // Without the ledger nobody knows better.
    let (_journal, recovered) = EmbeddedJournal::open(&dir, options()).unwrap();
    assert!(recovered.entries < 53 && recovered.report.truncated_bytes > 0);
    assert_eq!(torn_files(), 1);
}

#[test]
fn a_ledger_of_another_history_is_not_continued() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(7));
    run(&dir, &mut world, 50);
    let other = copy(dir.path());
    let mut other_world = World::new(8);
    other_world.resume(world.books.clone());
    run(&dir, &mut world, 50);
    run(&other, &mut other_world, 60);
    // Of the same node, but after another fifty entries.
    fs::copy(dir.path().join("ledger.db"), other.path().join("ledger.db")).unwrap();
    let journal = open(&other);
    match Drain::start(&journal, DrainOptions::default()) {
        Err(DrainError::Parted { entry: 100, .. }) => {}
        other => panic!("{other:?}"),
    }
    // Of another node.
    let stranger = tempfile::tempdir().unwrap();
    run(&stranger, &mut World::new(9), 10);
    let path = stranger.path().join("ledger.db");
    let options = DrainOptions { ledger: Some(path), ..DrainOptions::default() };
    let refused = Drain::start(&journal, options).unwrap_err();
    assert!(refused.to_string().contains("belongs to another node"), "{refused}");
}

#[test]
fn without_a_ledger_there_are_snapshots() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(10));
    let journal = open(&dir);
    let options = DrainOptions { writes_ledger: false, ..DrainOptions::default() };
    let drain = Drain::start(&journal, options).unwrap();
    submit(&mut journal.writer(|_| {}), &world.make(100));
    journal.close().unwrap();
    assert_eq!(drain.stop_when_drained().unwrap(), Lsn(100));
    drop(journal);
    assert!(!dir.path().join("ledger.db").exists());
    let report = sound(&dir);
    assert_eq!((report.ledger, report.snapshot_lsn, report.snapshots), (false, 100, 1));
    let (_journal, recovered) = EmbeddedJournal::open(&dir, Options::default()).unwrap();
    assert!(recovered.books == world.books);
    assert_eq!((recovered.report.snapshot_lsn, recovered.report.replayed), (100, 0));
}

#[test]
fn the_lock_lasts_as_long_as_anybody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    drop(journal);
    let refused = EmbeddedJournal::open(&dir, options()).unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    drain.stop_when_drained().unwrap();
    assert!(EmbeddedJournal::open(&dir, options()).is_ok());
}

#[test]
fn a_ledger_row_shows_what_the_entry_says() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(11));
    run(&dir, &mut world, 400);
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    let sql = "SELECT shard, seq, terminal, stan, amount_fen, rrn, auth_code FROM entry
               WHERE kind = 'sale' AND refusal IS NULL ORDER BY lsn LIMIT 1";
    connection
        .query_row(sql, [], |row| {
            let (shard, seq): (u8, u64) = (row.get(0)?, row.get::<_, i64>(1)? as u64);
            let txns = world.books.shard(ShardNo(shard)).txns();
            let (key, txn) = txns.into_iter().find(|(_, txn)| txn.seq == seq).unwrap();
            assert_eq!(row.get::<_, String>(2)?, key.terminal.to_string());
            assert_eq!(row.get::<_, u32>(3)?, key.stan.number());
            assert_eq!(row.get::<_, i64>(4)?, txn.amount.fen());
            assert_eq!(row.get::<_, String>(5)?, format!("{shard:03}{seq:09}"));
            assert_eq!(row.get::<_, String>(6)?.len(), 6);
            Ok(())
        })
        .unwrap();
}
