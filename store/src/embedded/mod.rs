//! The journal of a node that keeps its entries in files of its own.

mod ahead;
mod queue;
mod recover;
mod stepped;
mod writer;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ahead::{Ahead, Recipe};
use queue::{Bounds, Queue, Status};
use writer::{Scribe, Shared};

pub(crate) use recover::sight;
pub use stepped::SteppedJournal;
pub use writer::EmbeddedWriter;

use crate::batch::{Mark, SECTOR};
use crate::commit::{CommitError, Lsn, Outcome, Recovered};
use crate::disk::{Disk, SystemDisk};
use crate::fault::JournalFault;
use crate::home::{self, NodeId, Paths};
use crate::segment::{self, Access, FILE_HEADER, Segment};

/// How long an answer about the room on the disk stands.
const ROOM_STANDS: Duration = Duration::from_millis(500);
/// A segment that is made while somebody waits is this much smaller than others.
const FIRST_SMALLER: u64 = 16;

/// No batch is longer than this, whatever the options say: its header counts in 32 bits.
const BATCH_BYTES_LIMIT: usize = 1 << 30;

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
    /// The most bytes written and synced at once; less if a segment holds less.
    pub batch_bytes_max: usize,
    /// The most bytes that may wait for the disk.
    pub pending_bytes_max: usize,
    /// The SQLite file of the ledger that follows this journal, as [`crate::DrainOptions`] has
    /// it; `ledger.db` beside the journal if not given. It is only read, and only to refuse a
    /// journal that holds less.
    pub ledger: Option<PathBuf>,
    /// Called once, when the disk fails: nothing is told to be durable any more. The default
    /// logs it and aborts the process, because what the disk holds is known only after a start.
    pub on_loss: OnLoss,
    /// What writes and syncs.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            batch_bytes_max: 1 << 20,
            pending_bytes_max: 64 << 20,
            ledger: None,
            on_loss: Arc::new(|loss| {
                tracing::error!(error = %loss, "the journal is lost");
                std::process::abort();
            }),
            disk: Arc::new(SystemDisk),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("segment_bytes", &self.segment_bytes)
            .field("batch_bytes_max", &self.batch_bytes_max)
            .field("pending_bytes_max", &self.pending_bytes_max)
            .field("ledger", &self.ledger)
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Returns how long a batch may be, so that every segment can hold one.
    fn batch_bytes(&self) -> usize {
        let room = self.segment_bytes.saturating_sub(FILE_HEADER);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let room = room.min(self.batch_bytes_max).min(BATCH_BYTES_LIMIT);
        room.saturating_sub(room.checked_rem(SECTOR).unwrap_or(0))
    }

    /// Returns the size of a segment for which somebody waits.
    fn first_segment_bytes(&self) -> u64 {
        let smaller = self.segment_bytes.checked_div(FIRST_SMALLER).unwrap_or(0);
        let least = FILE_HEADER.saturating_add(self.batch_bytes() as u64);
        smaller.max(least)
    }
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the directory.
    #[error("{} is locked: another process runs on this data directory", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A directory cannot be made or read.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The journal ends before a snapshot of it does: it lost its end, or it is an old copy.
    #[error("the journal holds {journal} entries, but there is a snapshot of {snapshot}")]
    Behind {
        /// Entries of the journal.
        journal: u64,
        /// Entries that the newest snapshot covers.
        snapshot: u64,
    },
    /// The journal ends before its ledger does. Nothing was changed.
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
    /// The files of the journal are not as they must be.
    #[error(transparent)]
    Journal(#[from] JournalFault),
}

/// What outlives the journal's owner: a follower may still read when the writing has ended.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    shared: Arc<Shared>,
    pub(crate) paths: Paths,
    pub(crate) node: NodeId,
    pub(crate) disk: Arc<dyn Disk>,
    /// Held as long as anybody uses the directory.
    _lock: Arc<File>,
}

impl Source {
    /// Returns the place up to which everything is durable.
    pub(crate) fn durable(&self) -> Mark {
        self.shared.durable()
    }

    /// Returns the last entry that is durable.
    pub(crate) fn durable_lsn(&self) -> u64 {
        self.shared.durable_lsn()
    }

    fn has_room(&self, segment_bytes: u64) -> bool {
        let needed = segment_bytes.saturating_mul(2);
        // A disk that does not say is no place to go on.
        self.disk.free_bytes(&self.paths.dir).is_ok_and(|free| free >= needed)
    }
}

/// A data directory that is locked and recovered, and the segment that its next batch goes to.
struct Opened {
    source: Source,
    segment: Segment,
}

impl Opened {
    fn open(dir: &Path, options: &Options) -> Result<(Self, Recovered), OpenError> {
        let paths = Paths::new(dir);
        for path in [paths.dir.clone(), paths.journal(), paths.snapshots()] {
            home::make_dir(&*options.disk, &path)
                .map_err(|source| OpenError::Directory { path: path.clone(), source })?;
        }
        let lock = home::lock(&paths)
            .map_err(|source| OpenError::Directory { path: paths.lock(), source })?
            .ok_or_else(|| OpenError::Locked { path: paths.lock() })?;
        let node = prepare(&paths, options)?;
        let (recovered, mark) = recover::recover(&paths, node, options)?;
        let segment = segment::open(&paths.journal(), (node, mark.segment), Access::Write)?
            .ok_or_else(|| JournalFault::Missing {
                path: segment::path(&paths.journal(), mark.segment),
            })?;
        let bounds = Bounds { batch: options.batch_bytes(), pending: options.pending_bytes_max };
        let queue = Queue::new(mark.lsn, recovered.positions, bounds);
        let source = Source {
            shared: Arc::new(Shared::new(queue, mark)),
            paths,
            node,
            disk: Arc::clone(&options.disk),
            _lock: Arc::new(lock),
        };
        Ok((Self { source, segment }, recovered))
    }

    /// Returns what the segments after this one are made from.
    fn recipe(&self, options: &Options) -> Recipe {
        Recipe {
            disk: Arc::clone(&options.disk),
            journal: self.source.paths.journal(),
            node: self.source.node,
            length: options.segment_bytes,
        }
    }
}

/// The journal of a node, in files.
#[derive(Debug)]
pub struct EmbeddedJournal {
    source: Source,
    segment_bytes: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
    room: Mutex<Option<(Instant, bool)>>,
}

impl EmbeddedJournal {
    /// Opens the journal in `dir`, which is made if there is none, and folds its entries.
    ///
    /// # Errors
    /// See [`OpenError`]. A journal that is damaged before its end is never opened.
    ///
    /// # Panics
    /// If valid entries do not amount to a state: the program that wrote them had other rules.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovered), OpenError> {
        let (opened, recovered) = Opened::open(dir.as_ref(), &options)?;
        Ok((Self::start(opened, options)?, recovered))
    }

    fn start(opened: Opened, options: Options) -> Result<Self, OpenError> {
        let recipe = opened.recipe(&options);
        let Opened { source, segment } = opened;
        let directory =
            |error| OpenError::Directory { path: source.paths.journal(), source: error };
        let next = segment.number.saturating_add(1);
        let ahead = Ahead::start(recipe, next).map_err(directory)?;
        let (shared, node) = (Arc::clone(&source.shared), source.node);
        let scribe = Scribe::new(shared, (options.disk, node), segment, ahead);
        let thread = thread::Builder::new()
            .name("posp-journal".to_owned())
            .spawn(move || scribe.run(&options.on_loss))
            .map_err(directory)?;
        Ok(Self {
            segment_bytes: options.segment_bytes,
            thread: Mutex::new(Some(thread)),
            room: Mutex::new(None),
            source,
        })
    }

    /// Returns a writer whose outcomes `listener` is told. It is called by the journal's own
    /// thread, after each sync that carried entries of this writer: it must be quick. It may submit
    /// more, but must not make a writer.
    pub fn writer(&self, listener: impl Fn(Outcome) + Send + 'static) -> EmbeddedWriter {
        EmbeddedWriter::new(Arc::clone(&self.source.shared), Box::new(listener))
    }

    /// Returns the last entry that was submitted.
    #[must_use]
    pub fn submitted(&self) -> Lsn {
        self.source.shared.queue.submitted()
    }

    /// Returns the last entry that is durable.
    #[must_use]
    pub fn durable(&self) -> Lsn {
        Lsn(self.source.durable_lsn())
    }

    /// False when less than two segments of disk space remain: take no more debits. The answer
    /// is up to half a second old.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        match *room {
            Some((at, has_room)) if at.elapsed() < ROOM_STANDS => has_room,
            Some(_) | None => {
                let has_room = self.source.has_room(self.segment_bytes);
                *room = Some((Instant::now(), has_room));
                has_room
            }
        }
    }

    /// Takes no more entries, and waits until everything submitted is durable. To do it twice
    /// does nothing more.
    ///
    /// # Errors
    /// [`CommitError::Lost`] if the journal was lost before.
    pub fn close(&self) -> Result<Lsn, CommitError> {
        self.source.shared.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
        self.source.shared.forget_listeners();
        match self.source.shared.queue.status() {
            Status::Closed => Ok(self.durable()),
            Status::Open | Status::Closing | Status::Lost => Err(CommitError::Lost),
        }
    }

    /// Returns what a follower reads from.
    pub(crate) fn source(&self) -> Source {
        self.source.clone()
    }
}

impl Drop for EmbeddedJournal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the journal ended badly");
        }
    }
}

/// Makes what a journal needs to begin, where it is not there, and clears what was left half
/// made.
fn prepare(paths: &Paths, options: &Options) -> Result<NodeId, OpenError> {
    let journal = paths.journal();
    for dir in [journal.clone(), paths.snapshots()] {
        remove_half_made(&dir).map_err(|source| OpenError::Directory { path: dir, source })?;
    }
    let segments = segment::count(&journal)?;
    let node = match paths.read_node()? {
        Some(node) => node,
        None if segments == 0 => paths.found(&*options.disk)?,
        None => return Err(JournalFault::Missing { path: paths.node() }.into()),
    };
    if segments == 0 {
        let length = options.first_segment_bytes();
        segment::create(&*options.disk, &journal, (node, 1), length, &|_took| true)
            .map_err(JournalFault::io(&segment::path(&journal, 1)))?;
        let sync = options.disk.sync_dir(&paths.dir);
        sync.map_err(JournalFault::io(&paths.dir))?;
    }
    Ok(node)
}

fn remove_half_made(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
