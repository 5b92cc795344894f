//! The audit of a data directory.
//!
//! It reads what is there and changes nothing, so that it may run beside a node: then it covers
//! what the journal holds when it gets there. Journal, snapshots and ledger are three accounts
//! of the same history, and each is compared with the fold of the first.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use domain::books::Books;
use domain::ledger::Unit;
use domain::shard::Event;
use domain::terms::{SHARDS, ShardNo};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::drain::{Audit, AuditError, Place};
use crate::fault::JournalFault;
use crate::home::{NodeId, Paths};
use crate::record::Record;
use crate::segment;
use crate::snapshot::{self, LoadError, Snapshot};
use crate::walk::{Step, Walk};

/// How often bytes that a running node may be writing are looked at again.
const LOOKS: u32 = 20;
/// How long between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What an audit found.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct CheckReport {
    /// True if nothing is wrong.
    pub ok: bool,
    /// True if a node was running on the directory.
    pub running: bool,
    /// Entries of the journal.
    pub entries: u64,
    /// Segments of the journal.
    pub segments: u64,
    /// Shards that have entries.
    pub shards: u32,
    /// Bytes at the end that a crash left half written, and that a start will cut off.
    pub torn_bytes: u64,
    /// Snapshots found and compared.
    pub snapshots: u32,
    /// The last entry of the newest snapshot.
    pub snapshot_lsn: u64,
    /// True if there is a SQL ledger.
    pub ledger: bool,
    /// Entries of the SQL ledger.
    pub ledger_entries: u64,
    /// Balances of the SQL ledger.
    pub ledger_balances: u64,
    /// The first thing that is wrong, with its place.
    pub first_violation: Option<String>,
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckProgress {
    /// Entries compared.
    pub entries: u64,
    /// The segment being read.
    pub segment: u64,
    /// Segments there are. The last may be ahead of what is written.
    pub segments: u64,
}

/// Why an audit could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no journal here.
    #[error("there is no journal in {}", path.display())]
    NoJournal {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalFault),
}

/// Audits the data directory of a node, with the ledger where [`crate::DrainOptions`] has it by
/// default. See [`check_with_ledger`].
///
/// # Errors
/// The audit could not be done. What it finds wrong is no error but part of the report.
pub fn check(dir: &Path, progress: impl FnMut(CheckProgress)) -> Result<CheckReport, CheckError> {
    check_with_ledger(dir, &Paths::new(dir).ledger(), progress)
}

/// Audits the data directory `dir` of a node and the ledger in the file `ledger`: every segment,
/// batch and entry of the journal, their numbers and chains from the first on, the rules of
/// business for each entry, each snapshot, and every row and balance of the ledger. Changes
/// nothing. `progress` is told after each batch.
///
/// # Errors
/// The audit could not be done. What it finds wrong is no error but part of the report.
pub fn check_with_ledger(
    dir: &Path,
    ledger: &Path,
    mut progress: impl FnMut(CheckProgress),
) -> Result<CheckReport, CheckError> {
    let paths = Paths::new(dir);
    let no_journal = || CheckError::NoJournal { path: paths.dir.clone() };
    let node = paths.read_node()?.ok_or_else(no_journal)?;
    if !paths.journal().is_dir() {
        return Err(no_journal());
    }
    let mut report = CheckReport { running: is_running(&paths), ..CheckReport::default() };
    let mut checker = Checker {
        walk: Walk::new(&paths.journal(), node, Mark::GENESIS),
        node,
        books: Books::default(),
        tails: [(0, Chain::GENESIS); SHARDS],
        audit: None,
        is_concluded: false,
        snapshots: Vec::new(),
        paths,
    };
    let result = checker.run(ledger, &mut report, &mut progress);
    report.entries = checker.walk.mark().lsn;
    let used = checker.tails.iter().filter(|(seq, _)| *seq > 0).count();
    report.shards = u32::try_from(used).unwrap_or(u32::MAX);
    report.first_violation = result.err().map(|violation| violation.to_string());
    report.ok = report.first_violation.is_none();
    Ok(report)
}

/// True if a process has the directory locked.
fn is_running(paths: &Paths) -> bool {
    match File::open(paths.lock()) {
        Ok(file) => match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => false,
            Err(error) => error == rustix::io::Errno::WOULDBLOCK,
        },
        Err(_no_lock) => false,
    }
}

/// Something that is wrong.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Journal(#[from] JournalFault),
    #[error(transparent)]
    Ledger(#[from] AuditError),
    #[error("entry {lsn} (shard {shard}, number {seq}): {rule}")]
    Entry { lsn: u64, shard: u8, seq: u64, rule: domain::books::Violation },
    #[error("snapshot {}: {what}", path.display())]
    Snapshot { path: PathBuf, what: String },
    #[error("the ledger holds {ledger} entries, the journal only {journal}")]
    Ahead { ledger: u64, journal: u64 },
    #[error("the ledger ends where the journal has no such batch end")]
    Parted,
    #[error("the books are out of balance by {0} in {1:?}")]
    Unbalanced(i64, Unit),
}

struct Checker {
    paths: Paths,
    node: NodeId,
    walk: Walk,
    books: Books,
    tails: Positions,
    audit: Option<Audit>,
    /// True once the ledger was compared as a whole.
    is_concluded: bool,
    /// Those not yet compared, the oldest last.
    snapshots: Vec<(u64, PathBuf)>,
}

impl Checker {
    fn run(
        &mut self,
        ledger: &Path,
        report: &mut CheckReport,
        progress: &mut dyn FnMut(CheckProgress),
    ) -> Result<(), Wrong> {
        report.segments = segment::count(&self.paths.journal())?;
        self.audit = Audit::open(ledger, self.node)?;
        report.ledger = self.audit.is_some();
        report.ledger_entries = self.audit.as_ref().map_or(0, Audit::position);
        for path in snapshot::list(&self.paths.snapshots())? {
            let lsn = snapshot::lsn_of(&path);
            self.snapshots.push((lsn, path));
        }
        report.snapshot_lsn = self.snapshots.first().map_or(0, |&(lsn, _)| lsn);
        self.compare_at_mark(report)?;
        while self.step(report)? {
            self.compare_at_mark(report)?;
            let segment = self.walk.mark().segment;
            let entries = self.walk.mark().lsn;
            progress(CheckProgress { entries, segment, segments: report.segments });
        }
        self.conclude(report)
    }

    /// Takes one batch; false at the end of the journal.
    fn step(&mut self, report: &mut CheckReport) -> Result<bool, Wrong> {
        let mut looks = 0;
        loop {
            let Self { walk, books, tails, audit, .. } = self;
            let fault = match walk.next(None) {
                Ok(Step::Batch(batch)) => {
                    let mut wrong = Ok(());
                    batch.visit(tails, &mut |lsn, record, event| {
                        if wrong.is_ok() {
                            wrong = take(books, audit.as_mut(), lsn, record, &event);
                        }
                    })?;
                    return wrong.map(|()| true);
                }
                Ok(Step::End) => return Ok(false),
                Ok(Step::Bad(place)) => match walk.judge_end(place) {
                    Ok(()) if !report.running || looks >= LOOKS => {
                        let leftovers = walk.leftovers(place)?;
                        let lengths =
                            leftovers.iter().map(|(at, end)| end.saturating_sub(at.offset));
                        report.torn_bytes = lengths.sum();
                        return Ok(false);
                    }
                    Ok(()) => None,
                    Err(fault) => Some(fault),
                },
                Err(fault) => Some(fault),
            };
            // A batch that a node is writing at this moment looks half written for an instant.
            match fault {
                Some(fault) if !report.running || looks >= LOOKS => return Err(fault.into()),
                Some(_) | None => {}
            }
            looks = looks.saturating_add(1);
            thread::sleep(LOOK_AGAIN);
            self.walk.refresh();
        }
    }

    /// Compares snapshots and ledger where the walk has come to their last entry.
    fn compare_at_mark(&mut self, report: &mut CheckReport) -> Result<(), Wrong> {
        let lsn = self.walk.mark().lsn;
        while let Some((_, path)) = self.snapshots.pop_if(|(last, _)| *last <= lsn) {
            match Snapshot::open(&path, self.node) {
                Ok(found) => self.compare_snapshot(path, &found)?,
                // A running node removes the oldest when it writes another.
                Err(LoadError::Io(_)) if report.running && !path.exists() => continue,
                Err(error) => return Err(Wrong::Snapshot { path, what: error.to_string() }),
            }
            report.snapshots = report.snapshots.saturating_add(1);
        }
        if let Some(audit) = &self.audit
            && audit.position() == lsn
            && !self.is_concluded
        {
            self.is_concluded = true;
            if !Walk::new(&self.paths.journal(), self.node, audit.mark()).is_founded()? {
                return Err(Wrong::Parted);
            }
            report.ledger_balances = audit.conclude(&self.books, &self.tails)?;
        }
        Ok(())
    }

    fn compare_snapshot(&self, path: PathBuf, found: &Snapshot) -> Result<(), Wrong> {
        let what = if found.mark.lsn != self.walk.mark().lsn {
            "it ends where the journal has no batch end".to_owned()
        } else if !Walk::new(&self.paths.journal(), self.node, found.mark).is_founded()? {
            "it follows a batch that the journal does not have".to_owned()
        } else if found.positions != self.tails {
            "its chains are not those of the journal".to_owned()
        } else {
            match self.has_state_of(found) {
                Ok(true) => return Ok(()),
                Ok(false) => "its state is not that of the journal".to_owned(),
                Err(error) => error.to_string(),
            }
        };
        Err(Wrong::Snapshot { path, what })
    }

    /// True if a snapshot holds the state of now. Takes one shard of it after the other into
    /// memory.
    fn has_state_of(&self, found: &Snapshot) -> Result<bool, LoadError> {
        for no in ShardNo::all() {
            if found.shard(no)? != *self.books.shard(no) {
                return Ok(false);
            }
        }
        Ok(found.across()? == *self.books.across())
    }

    fn conclude(&mut self, report: &CheckReport) -> Result<(), Wrong> {
        let journal = self.walk.mark().lsn;
        if report.ledger_entries > journal {
            return Err(Wrong::Ahead { ledger: report.ledger_entries, journal });
        }
        if self.audit.is_some() && !self.is_concluded {
            return Err(Wrong::Parted);
        }
        if let Some((_, path)) = self.snapshots.pop() {
            let what = format!("it covers more than the {journal} entries of the journal");
            return Err(Wrong::Snapshot { path, what });
        }
        for unit in [Unit::Fen, Unit::Points] {
            let imbalance = self.books.imbalance(unit);
            if !imbalance.is_zero() {
                return Err(Wrong::Unbalanced(imbalance.fen(), unit));
            }
        }
        Ok(())
    }
}

/// Takes an entry into the books and compares it with the ledger.
fn take(
    books: &mut Books,
    audit: Option<&mut Audit>,
    lsn: u64,
    record: &Record<'_>,
    event: &Event,
) -> Result<(), Wrong> {
    let Record { shard, seq, chain, .. } = *record;
    books.inspect(shard, event).map_err(|rule| Wrong::Entry { lsn, shard: shard.0, seq, rule })?;
    books.apply(shard, event);
    match audit {
        Some(audit) if lsn <= audit.position() => {
            Ok(audit.compare(Place { lsn, shard, seq, chain }, event)?)
        }
        Some(_) | None => Ok(()),
    }
}
