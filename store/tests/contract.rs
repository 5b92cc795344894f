//! What every journal promises, whoever keeps it.
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

mod power;
mod world;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::books::Books;
use domain::shard::Event;
use domain::terms::{BusinessDate, ShardNo};
use store::{
    Chain, Commit, CommitError, EmbeddedJournal, EmbeddedWriter, Lsn, MemoryJournal, MemoryWriter,
    Options, Outcome, Recovered,
};
use tempfile::TempDir;

use power::PowerDisk;
use world::{Made, Rng, World};

/// What a writer was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Outcome>>>);

impl Told {
    fn listener(&self) -> impl Fn(Outcome) + Send + 'static {
        let told = Arc::clone(&self.0);
        move |outcome| told.lock().unwrap().push(outcome)
    }

    fn all(&self) -> Vec<Outcome> {
        self.0.lock().unwrap().clone()
    }

    fn upto(&self) -> Lsn {
        match self.all().last() {
            Some(Outcome::Durable { upto }) => *upto,
            Some(Outcome::Conflict { .. }) | None => Lsn(0),
        }
    }
}

/// A journal under test. Nothing in it becomes durable but by `sync`.
trait Subject {
    type Writer: Commit;

    fn fresh() -> Self;
    fn writer(&self, told: &Told) -> Self::Writer;
    /// Makes durable what was submitted, and waits until `told` know.
    fn sync(&self, told: &[&Told]);
    /// Loses what is not durable, all or in part, and starts again.
    fn crash(&mut self, seed: u64) -> Recovered;
    /// Makes the next sync fail, and tries it.
    fn fail(&self);
    fn close(&self);
    fn submitted(&self) -> Lsn;
}

struct Memory(MemoryJournal);

impl Subject for Memory {
    type Writer = MemoryWriter;

    fn fresh() -> Self {
        Self(MemoryJournal::new())
    }

    fn writer(&self, told: &Told) -> MemoryWriter {
        self.0.writer(told.listener())
    }

    fn sync(&self, _told: &[&Told]) {
        assert_eq!(self.0.sync(), Ok(self.0.submitted()));
    }

    fn crash(&mut self, seed: u64) -> Recovered {
        let entries = self.0.crash(seed);
        let recovered = self.0.recovered();
        assert_eq!(recovered.entries, entries.len() as u64);
        recovered
    }

    fn fail(&self) {
        self.0.fail_next_sync();
        assert_eq!(self.0.sync(), Err(CommitError::Lost));
    }

    fn close(&self) {
        self.0.close();
    }

    fn submitted(&self) -> Lsn {
        self.0.submitted()
    }
}

struct Embedded {
    dir: TempDir,
    disk: Arc<PowerDisk>,
    journal: Option<EmbeddedJournal>,
}

fn open(dir: &TempDir) -> (EmbeddedJournal, Arc<PowerDisk>, Recovered) {
    let disk = Arc::new(PowerDisk::default());
    let options = Options {
        segment_bytes: 32 << 10,
        on_loss: Arc::new(|_loss| {}),
        disk: disk.clone(),
        ..Options::default()
    };
    let (journal, recovered) = EmbeddedJournal::open(dir, options).unwrap();
    disk.hold();
    (journal, disk, recovered)
}

impl Embedded {
    fn journal(&self) -> &EmbeddedJournal {
        self.journal.as_ref().unwrap()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.disk.release();
    }
}

impl Subject for Embedded {
    type Writer = EmbeddedWriter;

    fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (journal, disk, _) = open(&dir);
        Self { dir, disk, journal: Some(journal) }
    }

    fn writer(&self, told: &Told) -> EmbeddedWriter {
        self.journal().writer(told.listener())
    }

    fn sync(&self, told: &[&Told]) {
        self.disk.release();
        let upto = self.journal().submitted();
        let began = Instant::now();
        while self.journal().durable() < upto || told.iter().any(|told| told.upto() < upto) {
            assert!(began.elapsed() < Duration::from_secs(20), "it is never told");
            std::thread::yield_now();
        }
        self.disk.hold();
    }

    fn crash(&mut self, seed: u64) -> Recovered {
        self.disk.cut(seed);
        self.journal = None;
        let (journal, disk, recovered) = open(&self.dir);
        (self.journal, self.disk) = (Some(journal), disk);
        recovered
    }

    fn fail(&self) {
        self.disk.fail_after(0);
        self.disk.release();
        assert_eq!(self.journal().close(), Err(CommitError::Lost));
    }

    fn close(&self) {
        self.disk.release();
        assert!(self.journal().close().is_ok());
    }

    fn submitted(&self) -> Lsn {
        self.journal().submitted()
    }
}

fn event(day: u8) -> Event {
    Event::CutOff(BusinessDate::new(2026, 11, day).unwrap())
}

const A: ShardNo = ShardNo(3);
const B: ShardNo = ShardNo(200);

fn nothing_is_told_before_it_is_durable<S: Subject>() {
    let (journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    for number in 1..=3 {
        assert_eq!(writer.submit(A, number, &event(number as u8)), Ok(Lsn(number)));
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(told.all(), []);
    journal.sync(&[&told]);
    assert_eq!(told.upto(), Lsn(3));
    assert_eq!(journal.submitted(), Lsn(3));
}

fn numbers_of_a_shard_have_no_gap<S: Subject>() {
    let (mut journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    let wrong = |expected, got| Err(CommitError::OutOfOrder { shard: A, expected, got });
    assert_eq!(writer.submit(A, 2, &event(1)), wrong(1, 2));
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    assert_eq!(writer.submit(A, 1, &event(1)), wrong(2, 1));
    assert_eq!(writer.submit(A, 3, &event(1)), wrong(2, 3));
    assert_eq!(writer.submit(B, 1, &event(1)), Ok(Lsn(2)));
    journal.sync(&[&told]);
    let recovered = journal.crash(0);
    assert_eq!(recovered.entries, 2);
    assert_eq!(recovered.positions[A.index()].0, 1);
    assert_eq!(recovered.positions[B.index()].0, 1);
}

fn writers_of_different_shards_do_not_meet<S: Subject>() {
    let (mut journal, told, other_told) = (S::fresh(), Told::default(), Told::default());
    let (mut writer, mut other) = (journal.writer(&told), journal.writer(&other_told));
    assert!(!writer.can_conflict());
    for number in 1..=10 {
        assert_eq!(writer.submit(A, number, &event(1)), Ok(Lsn(2 * number - 1)));
        assert_eq!(other.submit(B, number, &event(2)), Ok(Lsn(2 * number)));
    }
    journal.sync(&[&told, &other_told]);
    assert_eq!((told.upto(), other_told.upto()), (Lsn(20), Lsn(20)));
    // Only who has something in a sync hears of it.
    let before = told.all().len();
    assert_eq!(other.submit(B, 11, &event(1)), Ok(Lsn(21)));
    journal.sync(&[&other_told]);
    assert_eq!((told.all().len(), other_told.upto()), (before, Lsn(21)));
    assert_eq!(journal.crash(0).entries, 21);
}

fn a_shard_has_one_writer<S: Subject>() {
    let (journal, told) = (S::fresh(), Told::default());
    let (mut writer, mut other) = (journal.writer(&told), journal.writer(&told));
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    assert_eq!(other.submit(A, 1, &event(1)), Err(CommitError::Shared { shard: A }));
    // One that comes later takes over.
    let mut heir = journal.writer(&told);
    assert_eq!(heir.submit(A, 2, &event(1)), Ok(Lsn(2)));
    assert_eq!(writer.submit(A, 2, &event(1)), Err(CommitError::Shared { shard: A }));
    journal.sync(&[&told]);
}

fn what_was_not_durable_is_gone<S: Subject>() {
    let (mut journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    journal.sync(&[&told]);
    assert_eq!(writer.submit(A, 2, &event(2)), Ok(Lsn(2)));
    assert_eq!(writer.submit(B, 1, &event(2)), Ok(Lsn(3)));
    let recovered = journal.crash(0);
    assert_eq!(recovered.entries, 1);
    assert_eq!((recovered.positions[A.index()].0, recovered.positions[B.index()].0), (1, 0));
    assert_eq!(told.upto(), Lsn(1));
}

fn a_crash_keeps_what_was_told_and_nothing_half<S: Subject>() {
    for seed in 1..=60 {
        let mut rng = Rng(seed);
        let (mut journal, mut world) = (S::fresh(), World::new(seed));
        let mut history: Vec<Made> = Vec::new();
        for _life in 0..3 {
            let told = Told::default();
            let mut writer = journal.writer(&told);
            let durable = history.len() as u64;
            for _burst in 0..rng.below(4) + 1 {
                for (shard, seq, event) in world.make(rng.below(20) as usize + 1) {
                    let lsn = writer.submit(shard, seq, &event).unwrap();
                    history.push((shard, seq, event));
                    assert_eq!(lsn, Lsn(history.len() as u64));
                }
                if rng.below(2) == 0 {
                    journal.sync(&[&told]);
                }
            }
            let promised = durable.max(told.upto().0);
            let recovered = journal.crash(rng.next());
            assert!(recovered.entries >= promised, "seed {seed}: {:?}", recovered.report);
            history.truncate(recovered.entries as usize);
            let mut books = Books::default();
            history.iter().for_each(|(shard, _, event)| books.apply(*shard, event));
            assert!(recovered.books == books, "seed {seed}");
            for shard in books.shards() {
                assert_eq!(recovered.positions[shard.no().index()].0, shard.seq());
            }
            world.resume(books);
        }
    }
}

fn a_crash_may_keep_a_batch_that_was_on_its_way<S: Subject>() {
    let kept = (1..200).find(|&seed| {
        let (mut journal, told) = (S::fresh(), Told::default());
        let mut writer = journal.writer(&told);
        assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
        std::thread::sleep(Duration::from_millis(2));
        let recovered = journal.crash(seed);
        assert_eq!(told.all(), []);
        recovered.entries == 1
    });
    assert!(kept.is_some(), "no seed keeps it");
}

fn a_start_goes_on_where_the_last_ended<S: Subject>() {
    let (mut journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    journal.sync(&[&told]);
    let first = journal.crash(0).positions[A.index()];
    assert_ne!(first, (0, Chain::GENESIS));
    assert!(writer.submit(A, 2, &event(2)).is_err(), "a writer does not outlive a crash");
    let mut writer = journal.writer(&told);
    assert_eq!(writer.submit(A, 2, &event(2)), Ok(Lsn(2)));
    journal.sync(&[&told]);
    let second = journal.crash(0).positions[A.index()];
    assert_eq!(second.0, 2);
    assert_ne!(second.1, first.1);
}

fn after_a_failed_sync_nothing_is_told<S: Subject>() {
    let (mut journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    journal.sync(&[&told]);
    assert_eq!(writer.submit(A, 2, &event(1)), Ok(Lsn(2)));
    journal.fail();
    assert_eq!(told.upto(), Lsn(1));
    assert_eq!(writer.submit(A, 3, &event(1)), Err(CommitError::Lost));
    assert_eq!(journal.crash(0).entries, 1);
}

fn a_closed_journal_takes_nothing<S: Subject>() {
    let (journal, told) = (S::fresh(), Told::default());
    let mut writer = journal.writer(&told);
    assert_eq!(writer.submit(A, 1, &event(1)), Ok(Lsn(1)));
    journal.sync(&[&told]);
    journal.close();
    assert_eq!(writer.submit(A, 2, &event(1)), Err(CommitError::Closed));
    assert_eq!(told.upto(), Lsn(1));
}

macro_rules! suite {
    ($($law:ident)*) => {
        mod memory {
            $(#[test] fn $law() { super::$law::<super::Memory>(); })*
        }
        mod embedded {
            $(#[test] fn $law() { super::$law::<super::Embedded>(); })*
        }
    };
}

suite! {
    nothing_is_told_before_it_is_durable
    numbers_of_a_shard_have_no_gap
    writers_of_different_shards_do_not_meet
    a_shard_has_one_writer
    what_was_not_durable_is_gone
    a_crash_keeps_what_was_told_and_nothing_half
    a_crash_may_keep_a_batch_that_was_on_its_way
    a_start_goes_on_where_the_last_ended
    after_a_failed_sync_nothing_is_told
    a_closed_journal_takes_nothing
}
