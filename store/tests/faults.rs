//! What a journal does when the disk, a listener or another process is in its way.
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
mod power;
mod world;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use domain::books::Books;
use domain::shard::Event;
use domain::terms::{BusinessDate, ShardNo};
use files::{hasty, submit, wait_until};
use power::PowerDisk;
use proptest::prelude::*;
use store::{
    Commit, CommitError, EmbeddedJournal, Lsn, MemoryJournal, OpenError, Options, Outcome,
};
use world::World;

const A: ShardNo = ShardNo(3);

fn event(day: u8) -> Event {
    Event::CutOff(BusinessDate::new(2026, 11, day).unwrap())
}

fn on(disk: &Arc<PowerDisk>, losses: &Arc<AtomicU64>) -> Options {
    let (disk, losses) = (Arc::clone(disk), Arc::clone(losses));
    Options {
        segment_bytes: 8 << 10,
        on_loss: Arc::new(move |_loss| {
            losses.fetch_add(1, Ordering::Relaxed);
        }),
        disk,
        ..Options::default()
    }
}

/// Keeps the highest entry that was told.
fn told() -> (Arc<AtomicU64>, impl Fn(Outcome) + Send + 'static) {
    let told = Arc::new(AtomicU64::new(0));
    let tell = Arc::clone(&told);
    let listener = move |outcome| match outcome {
        Outcome::Durable { upto } => tell.store(upto.0, Ordering::SeqCst),
        Outcome::Conflict { .. } => panic!("nobody else writes here"),
    };
    (told, listener)
}

#[test]
fn a_sync_that_fails_ends_it_at_once_wherever_it_happens() {
    for syncs in 0..40 {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(PowerDisk::default()));
        let losses = Arc::new(AtomicU64::new(0));
        let (journal, _) = EmbeddedJournal::open(&dir, on(&disk, &losses)).unwrap();
        let (told, listener) = told();
        let mut writer = journal.writer(listener);
        disk.fail_after(syncs);
        let mut world = World::new(syncs + 1);
        let refusal = loop {
            let (shard, seq, event) = world.make(1).remove(0);
            if let Err(refusal) = writer.submit(shard, seq, &event) {
                break refusal;
            }
            std::thread::yield_now();
        };
        assert_eq!(refusal, CommitError::Lost);
        assert_eq!(journal.close(), Err(CommitError::Lost));
        assert_eq!(losses.load(Ordering::Relaxed), 1);
        let promised = told.load(Ordering::SeqCst);
        disk.cut(syncs);
        drop(journal);
        let (_journal, recovered) = EmbeddedJournal::open(&dir, hasty(8 << 10)).unwrap();
        assert!(recovered.entries >= promised, "after {syncs} syncs");
    }
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(PowerDisk::default()));
    let (journal, _) = EmbeddedJournal::open(&dir, on(&disk, &Arc::default())).unwrap();
    let (told, listener) = told();
    let mut writer = journal.writer(listener);
    disk.lie_after(0);
    submit(&mut writer, &World::new(1).make(5));
    wait_until("told", || told.load(Ordering::SeqCst) == 5);
    disk.cut(0);
    drop(journal);
    let (_journal, recovered) = EmbeddedJournal::open(&dir, hasty(8 << 10)).unwrap();
    assert_eq!(recovered.entries, 0, "a test that cuts power sees what was only said");
}

#[test]
fn a_listener_that_panics_ends_the_journal() {
    let (dir, losses) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU64::new(0)));
    let disk = Arc::new(PowerDisk::default());
    let (journal, _) = EmbeddedJournal::open(&dir, on(&disk, &losses)).unwrap();
    let mut writer = journal.writer(|_| panic!("a listener must not"));
    writer.submit(A, 1, &event(1)).unwrap();
    wait_until("lost", || losses.load(Ordering::Relaxed) == 1);
    assert_eq!(writer.submit(A, 2, &event(1)), Err(CommitError::Lost));
    assert_eq!(journal.close(), Err(CommitError::Lost));
}

#[test]
fn room_is_two_segments() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(PowerDisk::default()));
    let (journal, _) = EmbeddedJournal::open(&dir, on(&disk, &Arc::default())).unwrap();
    disk.set_free_bytes(2 * (8 << 10));
    assert!(journal.has_room());
    disk.set_free_bytes(2 * (8 << 10) - 1);
    wait_until("the answer is renewed", || !journal.has_room());
    disk.set_free_bytes(1 << 40);
    wait_until("there is room again", || journal.has_room());
}

#[test]
fn a_full_disk_is_waited_for() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(PowerDisk::default()));
    let losses = Arc::new(AtomicU64::new(0));
    let options = Options { pending_bytes_max: 16 << 10, ..on(&disk, &losses) };
    let (journal, _) = EmbeddedJournal::open(&dir, options).unwrap();
    disk.set_full(true);
    let mut writer = journal.writer(|_| {});
    let mut seq = 0;
    // The segment in use and the one ahead take what they can; then the queue fills.
    let stopped = loop {
        match writer.submit(A, seq + 1, &event(1)) {
            Ok(_) => seq += 1,
            Err(error) => break error,
        }
        let began = Instant::now();
        while seq < 300 && journal.durable() < Lsn(seq) && began.elapsed().as_millis() < 3 {
            std::thread::yield_now();
        }
    };
    assert_eq!(stopped, CommitError::Full);
    assert!(journal.durable() < Lsn(seq));
    assert_eq!(losses.load(Ordering::Relaxed), 0, "a full disk is no loss");
    disk.set_full(false);
    wait_until("it goes on", || journal.durable() == Lsn(seq));
    // What was refused was not queued: its number is free.
    assert_eq!(writer.submit(A, seq + 1, &event(1)), Ok(Lsn(seq + 1)));
    assert_eq!(journal.close(), Ok(Lsn(seq + 1)));
}

#[test]
fn an_entry_that_fits_no_batch_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { batch_bytes_max: 1024, ..hasty(64 << 10) };
    let (journal, _) = EmbeddedJournal::open(&dir, options).unwrap();
    let mut writer = journal.writer(|_| {});
    let terminal = domain::terms::TerminalId::parse(b"00000001").unwrap();
    let at = domain::terms::Timestamp(0);
    let long = |bytes: usize| Event::SignedOn { terminal, sealed_keys: vec![1; bytes].into(), at };
    let refused = writer.submit(A, 1, &long(2000)).unwrap_err();
    assert!(matches!(refused, CommitError::TooLong { bytes: 2001.., bytes_max: 960 }), "{refused}");
    assert_eq!(writer.submit(A, 1, &long(900)), Ok(Lsn(1)));
    assert_eq!(journal.close(), Ok(Lsn(1)));
}

#[test]
fn a_directory_has_one_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = EmbeddedJournal::open(&dir, hasty(64 << 10)).unwrap();
    let refused = EmbeddedJournal::open(&dir, hasty(64 << 10)).unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    let expected = format!("{}/LOCK is locked: another process", dir.path().display());
    assert!(refused.to_string().starts_with(&expected), "{refused}");
    drop(journal);
    assert!(EmbeddedJournal::open(&dir, hasty(64 << 10)).is_ok());
}

#[test]
fn a_directory_is_made_with_those_above_it_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("node/one/data");
    EmbeddedJournal::open(&data, hasty(64 << 10)).unwrap();
    for path in [dir.path().join("node"), data.clone(), data.join("journal")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
    std::fs::write(dir.path().join("file"), "").unwrap();
    let refused = EmbeddedJournal::open(dir.path().join("file"), hasty(64 << 10)).unwrap_err();
    assert!(matches!(refused, OpenError::Directory { .. }), "{refused}");
}

#[test]
fn sizes_may_change_between_two_starts() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(12));
    for segment_bytes in [8 << 10, 256 << 10, 8 << 10, 1 << 20, 32 << 10] {
        let (journal, recovered) = EmbeddedJournal::open(&dir, hasty(segment_bytes)).unwrap();
        assert!(recovered.books == world.books);
        let mut writer = journal.writer(|_| {});
        submit(&mut writer, &world.make(300));
        journal.close().unwrap();
    }
    let report = store::check(dir.path(), |_| {}).unwrap();
    assert_eq!((report.first_violation, report.entries), (None, 1500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_submitted_is_what_is_found(
        seed in any::<u64>(),
        segment_bytes in (8_u64 << 10)..(64 << 10),
        batch_bytes_max in 1024_usize..8192,
        bursts in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(seed));
        let mut entries = 0;
        for burst in bursts {
            let options = Options { batch_bytes_max, ..hasty(segment_bytes) };
            let (journal, recovered) = EmbeddedJournal::open(&dir, options).unwrap();
            prop_assert_eq!(recovered.entries, entries);
            prop_assert!(recovered.books == world.books);
            prop_assert_eq!(recovered.report.truncated_bytes, 0);
            let mut writer = journal.writer(|_| {});
            submit(&mut writer, &world.make(burst));
            entries += burst as u64;
            prop_assert_eq!(journal.close(), Ok(Lsn(entries)));
        }
        let report = store::check(dir.path(), |_| {}).unwrap();
        prop_assert_eq!((report.first_violation, report.entries), (None, entries));
    }
}

/// Keeps everything that was told.
fn all_told() -> (Arc<Mutex<Vec<Outcome>>>, impl Fn(Outcome) + Send + 'static) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    (told, move |outcome| tell.lock().unwrap().push(outcome))
}

#[test]
fn who_was_second_hears_what_came_first() {
    let journal = MemoryJournal::shared();
    let (told, listener) = all_told();
    let mut writer = journal.writer(listener);
    assert!(writer.can_conflict());
    let b = ShardNo(9);
    writer.submit(A, 1, &event(1)).unwrap();
    journal.sync().unwrap();
    writer.submit(A, 2, &event(2)).unwrap();
    writer.submit(b, 1, &event(2)).unwrap();
    journal.contest(A, &[event(11), event(12)]);
    // It does not know yet, and goes on.
    writer.submit(A, 3, &event(3)).unwrap();
    journal.sync().unwrap();
    let outcomes = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(outcomes[0], Outcome::Durable { upto: Lsn(1) });
    let Outcome::Conflict { shard: A, from: Lsn(2), newer } = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(outcomes[2..], [Outcome::Durable { upto: Lsn(4) }]);
    let days: Vec<_> = newer.iter().map(|entry| (entry.seq, entry.event.clone())).collect();
    assert_eq!(days, [(2, event(11)), (3, event(12))]);
    // What it submits before it adopts is not taken, and it is not told twice.
    writer.submit(A, 4, &event(4)).unwrap();
    journal.sync().unwrap();
    assert_eq!(*told.lock().unwrap(), []);
    writer.adopt(A, newer[1].seq, newer[1].chain);
    assert_eq!(writer.submit(A, 4, &event(13)), Ok(Lsn(6)));
    journal.sync().unwrap();
    assert_eq!(*told.lock().unwrap(), [Outcome::Durable { upto: Lsn(6) }]);
    let kept: Vec<_> = journal.entries().into_iter().map(|e| (e.shard, e.seq, e.event)).collect();
    assert_eq!(
        kept,
        [
            (A, 1, event(1)),
            (A, 2, event(11)),
            (A, 3, event(12)),
            (b, 1, event(2)),
            (A, 4, event(13))
        ]
    );
}

#[test]
fn a_conflict_waits_for_the_next_submission() {
    let journal = MemoryJournal::shared();
    let (told, listener) = all_told();
    let mut writer = journal.writer(listener);
    journal.contest(A, &[event(11)]);
    journal.sync().unwrap();
    assert_eq!(*told.lock().unwrap(), []);
    writer.submit(A, 1, &event(1)).unwrap();
    journal.sync().unwrap();
    let outcomes = told.lock().unwrap().clone();
    let [Outcome::Conflict { from: Lsn(1), newer, .. }] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(newer.len(), 1);
    // To adopt what is old already leads to the next conflict.
    journal.contest(A, &[event(12)]);
    writer.adopt(A, newer[0].seq, newer[0].chain);
    writer.submit(A, 2, &event(2)).unwrap();
    journal.sync().unwrap();
    let outcomes = told.lock().unwrap().clone();
    let Outcome::Conflict { from: Lsn(2), newer, .. } = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert_eq!((newer.len(), newer[0].seq), (1, 2));
}

#[test]
fn a_lie_about_a_sync_costs_what_was_told() {
    let journal = MemoryJournal::new();
    let (told, listener) = told();
    let mut writer = journal.writer(listener);
    let made = World::new(3).make(6);
    let submit = |writer: &mut store::MemoryWriter, range: std::ops::Range<usize>| {
        for (shard, seq, event) in &made[range] {
            writer.submit(*shard, *seq, event).unwrap();
        }
    };
    submit(&mut writer, 0..2);
    journal.sync().unwrap();
    journal.lie_about_sync(true);
    submit(&mut writer, 2..4);
    journal.sync().unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 4);
    assert_eq!(journal.entries().len(), 2);
    // An honest sync takes along what the cache still holds.
    journal.lie_about_sync(false);
    submit(&mut writer, 4..5);
    journal.sync().unwrap();
    assert_eq!(journal.entries().len(), 5);
    journal.lie_about_sync(true);
    submit(&mut writer, 5..6);
    journal.sync().unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 6);
    assert_eq!(journal.crash(77).len(), 5);
    let mut books = Books::default();
    made[..5].iter().for_each(|(shard, _, event)| books.apply(*shard, event));
    assert!(journal.recovered().books == books);
}

#[test]
fn a_stop_does_not_wait_for_a_full_disk() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(PowerDisk::default()));
    let losses = Arc::new(AtomicU64::new(0));
    let (journal, _) = EmbeddedJournal::open(&dir, on(&disk, &losses)).unwrap();
    disk.set_full(true);
    let (told, listener) = told();
    let mut writer = journal.writer(listener);
    (1..=2000).for_each(|seq| {
        writer.submit(A, seq, &event(1)).unwrap();
    });
    assert_eq!(journal.close(), Err(CommitError::Lost));
    assert_eq!(losses.load(Ordering::Relaxed), 1);
    drop(journal);
    let (_journal, recovered) = EmbeddedJournal::open(&dir, hasty(8 << 10)).unwrap();
    assert_eq!(recovered.entries, told.load(Ordering::SeqCst));
}
