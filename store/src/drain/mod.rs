//! What follows the journal: the SQL ledger and the snapshots.
//!
//! A thread that runs when no other wants to reads the files of the journal up to what is durable.
//! It writes the ledger in large transactions, each with the position that it reaches, and makes
//! snapshots from the files alone, so that they cost the writers nothing. Where it is far behind,
//! or a stop waits for it, a thread of usual priority takes the next steps.

mod audit;
mod follower;
mod row;
mod snapshots;
mod sqlite;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use audit::{Audit, AuditError};
pub(crate) use follower::FollowError;
use follower::{Follower, Sink};
pub(crate) use row::Place;
pub(crate) use snapshots::Snapshots;
use sqlite::{Ledger, LedgerError};

use crate::commit::Lsn;
use crate::embedded::{EmbeddedJournal, Source};
use crate::fault::JournalFault;
use crate::walk::Walk;

/// How often it is looked whether the thread has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How the journal is followed.
#[derive(Clone, Debug)]
pub struct DrainOptions {
    /// True if the SQL ledger is written; snapshots are in any case.
    pub writes_ledger: bool,
    /// The SQLite file of the ledger; `ledger.db` beside the journal if not given.
    pub ledger: Option<PathBuf>,
    /// About the most entries in one transaction of the ledger. A batch of the journal is never
    /// spread over two. The journal may have to wait while one of them is synced.
    pub entries_max: u64,
    /// How long fewer entries may wait for more.
    pub wait: Duration,
    /// How many entries after the last snapshot the next is written: more, where that was large.
    pub snapshot_entries: u64,
    /// How long after the last snapshot the next is written, if there is anything new.
    pub snapshot_interval: Duration,
}

impl Default for DrainOptions {
    fn default() -> Self {
        Self {
            writes_ledger: true,
            ledger: None,
            entries_max: 2_000,
            wait: Duration::from_millis(100),
            snapshot_entries: 1_000_000,
            snapshot_interval: Duration::from_secs(600),
        }
    }
}

/// Why the drain cannot start, or stopped short.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// The ledger holds entries that the journal does not: the journal lost its end, or this is
    /// the wrong volume.
    #[error(
        "the ledger {} holds {ledger} entries, the journal only {journal}: the journal lost its \
         end, or one of the two is an old copy",
        path.display()
    )]
    Ahead {
        /// The file of the ledger.
        path: PathBuf,
        /// Entries of the ledger.
        ledger: u64,
        /// Entries of the journal.
        journal: u64,
    },
    /// Ledger and journal hold different entries under the same numbers.
    #[error("the ledger {} and the journal have parted before entry {entry}", path.display())]
    Parted {
        /// The file of the ledger.
        path: PathBuf,
        /// The last entry of the ledger.
        entry: u64,
    },
    /// The ledger cannot be opened or used.
    #[error("the ledger {} cannot be used: {source}", path.display())]
    Ledger {
        /// The file of the ledger.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The thread cannot be started.
    #[error("the thread of the drain cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The time was over before the ledger held everything.
    #[error("the ledger is {entries} entries behind the journal")]
    Behind {
        /// Durable entries that it does not hold.
        entries: u64,
    },
    /// The drain had to stop before it was through.
    #[error("the drain stopped after entry {}: {reason}", position.0)]
    Stopped {
        /// The last entry that it is through with.
        position: Lsn,
        /// What keeps it from the next.
        reason: String,
    },
}

/// What the thread has been asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wish {
    GoOn,
    StopWhenDrained,
    Stop,
}

/// What the thread and the handle share.
#[derive(Debug)]
struct Status {
    position: AtomicU64,
    wish: Mutex<Wish>,
    error: Mutex<Option<String>>,
    behind_since: Mutex<Option<Instant>>,
}

impl Status {
    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self) -> MutexGuard<'_, Option<String>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn behind_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.behind_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts what follows a journal.
#[derive(Clone, Copy, Debug)]
pub struct Drain;

impl Drain {
    /// Starts the thread that follows `journal`. Start it before anything is submitted: it
    /// refuses a journal that lost what the ledger still has.
    ///
    /// A ledger that is not there is written anew, from the first entry on.
    ///
    /// # Errors
    /// The ledger cannot be opened, is ahead of the journal, or belongs to another.
    pub fn start(
        journal: &EmbeddedJournal,
        options: DrainOptions,
    ) -> Result<DrainHandle, DrainError> {
        let source = journal.source();
        let sink = if options.writes_ledger { Some(open_sink(&source, &options)?) } else { None };
        let status = Arc::new(Status {
            position: AtomicU64::new(sink.as_ref().map_or(0, Sink::position)),
            wish: Mutex::new(Wish::GoOn),
            error: Mutex::new(None),
            behind_since: Mutex::new(None),
        });
        let follower = Follower::new(source.clone(), options, sink, Arc::clone(&status));
        let thread = thread::Builder::new()
            .name("posp-drain".to_owned())
            .spawn(move || follower.run())
            .map_err(DrainError::Thread)?;
        Ok(DrainHandle { source, status, thread: Some(thread) })
    }
}

fn open_sink(source: &Source, options: &DrainOptions) -> Result<Sink, DrainError> {
    let path = options.ledger.clone().unwrap_or_else(|| source.paths.ledger());
    let unusable =
        |error: LedgerError| DrainError::Ledger { path: path.clone(), source: Box::new(error) };
    let ledger = Ledger::open(&path, source.node).map_err(unusable)?;
    let mark = ledger.reached().mark;
    let journal = source.durable_lsn();
    if mark.lsn > journal {
        return Err(DrainError::Ahead { path, ledger: mark.lsn, journal });
    }
    let mut walk = Walk::new(&source.paths.journal(), source.node, mark);
    if !walk.is_founded()? {
        return Err(DrainError::Parted { path, entry: mark.lsn });
    }
    Ok(Sink::new(ledger, walk))
}

/// The running drain. Stops at once when it is dropped.
#[derive(Debug)]
pub struct DrainHandle {
    source: Source,
    status: Arc<Status>,
    thread: Option<JoinHandle<()>>,
}

impl DrainHandle {
    /// Returns the last entry that is in the ledger. Without a ledger: the last that was durable
    /// when the thread looked.
    #[must_use]
    pub fn position(&self) -> Lsn {
        Lsn(self.status.position.load(Ordering::Acquire))
    }

    /// Returns how many durable entries are not yet there.
    #[must_use]
    pub fn lag_entries(&self) -> u64 {
        self.source.durable_lsn().saturating_sub(self.position().0)
    }

    /// Returns how long the oldest of them has waited, in whole seconds.
    #[must_use]
    pub fn lag_seconds(&self) -> u64 {
        if self.lag_entries() == 0 {
            return 0;
        }
        self.status.behind_since().map_or(0, |since| since.elapsed().as_secs())
    }

    /// Returns why the drain makes no progress, if so. It tries again each second, and the
    /// journal does not wait for it.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return Some("the thread of the drain has ended".to_owned());
        }
        self.status.error().clone()
    }

    /// Brings the ledger up to what is durable, writes a snapshot, and stops. Close the journal
    /// before.
    ///
    /// # Errors
    /// [`DrainError::Stopped`]: something keeps the ledger from what is durable. It goes on from
    /// there at the next start.
    pub fn stop_when_drained(mut self) -> Result<Lsn, DrainError> {
        self.end(Wish::StopWhenDrained);
        self.outcome()
    }

    /// The same, but takes about `patience` at the most: a ledger that is far behind is left where
    /// it is then.
    ///
    /// # Errors
    /// [`DrainError::Behind`] when the time is over, and those of
    /// [`DrainHandle::stop_when_drained`].
    pub fn stop_within(mut self, patience: Duration) -> Result<Lsn, DrainError> {
        let begun = Instant::now();
        self.ask(Wish::StopWhenDrained);
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if begun.elapsed() >= patience {
                self.end(Wish::Stop);
                let entries = self.lag_entries();
                let is_well = self.status.error().is_none();
                return if entries > 0 && is_well {
                    Err(DrainError::Behind { entries })
                } else {
                    self.outcome()
                };
            }
            thread::sleep(LOOK);
        }
        self.end(Wish::StopWhenDrained);
        self.outcome()
    }

    /// Says where a thread that has ended stands.
    fn outcome(&self) -> Result<Lsn, DrainError> {
        let position = self.position();
        let reason = match self.status.error().take() {
            Some(reason) => reason,
            None if self.lag_entries() == 0 => return Ok(position),
            None => "its thread ended early".to_owned(),
        };
        Err(DrainError::Stopped { position, reason })
    }

    fn ask(&self, wish: Wish) {
        *self.status.wish() = wish;
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    fn end(&mut self, wish: Wish) {
        self.ask(wish);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the drain panicked");
        }
    }
}

impl Drop for DrainHandle {
    fn drop(&mut self) {
        self.end(Wish::Stop);
    }
}
