//! The journal of a world: in memory, where other writers may come first, or the one of the
//! product, in files on a disk that fails.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use domain::books::Books;
use domain::shard::Event;
use domain::terms::ShardNo;
use store::{
    Chain, Commit, CommitError, EmbeddedWriter, Entry, JournalFault, Lsn, MemoryJournal,
    MemoryWriter, OpenError, Options, Outcome, SteppedJournal,
};
use tempfile::TempDir;

use super::dice::Dice;
use super::disk::SimDisk;
use super::plan::Plan;

/// Where files cost least: nothing of the simulation needs to outlive the machine.
const SHARED_MEMORY: &str = "/dev/shm";

/// The journal.
pub enum Journal {
    Memory(MemoryJournal),
    Files(Box<Files>),
}

/// The journal in files.
pub struct Files {
    dir: TempDir,
    disk: Arc<SimDisk>,
    options: Options,
    open: Option<SteppedJournal>,
}

/// How a start ended.
pub enum Start {
    Up(Box<Books>),
    /// The power went in the middle of it.
    Down,
    /// There is no room for another segment.
    Full,
    Refused(String),
}

/// A writer of the journal.
pub enum Writer {
    Memory(MemoryWriter),
    Files(EmbeddedWriter),
}

impl Journal {
    pub fn of(plan: &Plan, dice: &mut Dice) -> Self {
        if !plan.on_disk {
            let is_shared = plan.trouble.contests > 0;
            let journal = if is_shared { MemoryJournal::shared() } else { MemoryJournal::new() };
            return Self::Memory(journal);
        }
        let shared = Path::new(SHARED_MEMORY);
        let dir = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
        let dir = dir.unwrap();
        // The seed names the node too, or sums over it would not be the same twice.
        let node = format!("{:016x}{:016x}", dice.next(), dice.next());
        std::fs::write(dir.path().join("node"), node).unwrap();
        let disk = Arc::new(SimDisk::default());
        let options = Options {
            segment_bytes: plan.segment_bytes,
            batch_bytes_max: 8 << 10,
            pending_bytes_max: 32 << 10,
            disk: Arc::clone(&disk) as Arc<dyn store::Disk>,
            ..Options::default()
        };
        Self::Files(Box::new(Files { dir, disk, options, open: None }))
    }

    /// The files, where there are any.
    pub const fn files(&self) -> Option<&Files> {
        match self {
            Self::Memory(_) => None,
            Self::Files(files) => Some(files),
        }
    }

    /// Opens the journal, and folds what it holds.
    pub fn start(&mut self) -> Start {
        match self {
            Self::Memory(journal) => Start::Up(Box::new(journal.recovered().books)),
            Self::Files(files) => files.start(),
        }
    }

    pub fn writer(&self, listener: impl Fn(Outcome) + Send + 'static) -> Writer {
        match self {
            Self::Memory(journal) => Writer::Memory(journal.writer(listener)),
            Self::Files(files) => Writer::Files(files.open.as_ref().unwrap().writer(listener)),
        }
    }

    /// Writes what waits. It is in flight then.
    pub fn write(&mut self) -> Result<(), String> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Files(files) => files.opened().write().map_err(|loss| loss.to_string()),
        }
    }

    /// Makes durable what is in flight, and tells its writers.
    pub fn sync(&mut self) -> Result<(), String> {
        match self {
            Self::Memory(journal) => {
                journal.sync().map(|_lsn| ()).map_err(|error| error.to_string())
            }
            Self::Files(files) => files.opened().sync().map_err(|loss| loss.to_string()),
        }
    }

    /// Makes the next sync fail.
    pub fn fail_next_sync(&self) {
        match self {
            Self::Memory(journal) => journal.fail_next_sync(),
            Self::Files(files) => files.disk.fail_next_sync(),
        }
    }

    /// Writes a snapshot, where there are any.
    pub fn snapshot(&mut self) -> Result<(), String> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Files(files) => files.opened().snapshot(),
        }
    }

    /// Lets the host stop in good order: all that waits is durable then.
    pub fn stop(&mut self) -> Result<(), String> {
        let Self::Files(files) = self else { return self.sync() };
        let closed = files.opened().close().map(|_lsn| ()).map_err(|loss| loss.to_string());
        if closed.is_ok() {
            files.open = None;
        }
        closed
    }

    /// The host is gone. `loses_power`: and what the disk has not synced with it, in part.
    pub fn crash(&mut self, loses_power: bool, dice: &mut Dice) {
        match self {
            Self::Memory(journal) => drop(journal.crash(dice.next())),
            Self::Files(files) => {
                files.open = None;
                if loses_power {
                    files.disk.cut(dice);
                } else {
                    files.disk.outlive();
                }
            }
        }
    }

    /// Returns what can be read of it.
    pub fn entries(&self) -> Result<Vec<Entry>, String> {
        match self {
            Self::Memory(journal) => Ok(journal.entries()),
            Self::Files(files) => files.entries(),
        }
    }

    pub fn durable(&self) -> Lsn {
        match self {
            Self::Memory(journal) => journal.durable(),
            Self::Files(files) => files.open.as_ref().map_or(Lsn(0), SteppedJournal::durable),
        }
    }

    /// True if the disk has no room for what waits.
    pub fn is_full(&self) -> bool {
        self.files().and_then(|files| files.open.as_ref()).is_some_and(|open| !open.has_room())
    }
}

impl Files {
    pub fn disk(&self) -> &SimDisk {
        &self.disk
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn opened(&mut self) -> &mut SteppedJournal {
        self.open.as_mut().expect("a host that is up has a journal")
    }

    fn start(&mut self) -> Start {
        match SteppedJournal::open(self.dir.path(), self.options.clone()) {
            Ok((journal, recovered)) => {
                self.open = Some(journal);
                Start::Up(Box::new(recovered.books))
            }
            Err(_) if self.disk.is_cut() => Start::Down,
            Err(error) if has_no_room(&error) => Start::Full,
            Err(error) => Start::Refused(error.to_string()),
        }
    }

    /// Opens the journal and leaves it: what would a start say?
    pub fn probe(&self) -> Result<Books, String> {
        let opened = SteppedJournal::open(self.dir.path(), self.options.clone());
        opened.map(|(_journal, recovered)| recovered.books).map_err(|error| error.to_string())
    }

    /// Returns what is in the files of the directory.
    pub fn contents(&self) -> Vec<Vec<u8>> {
        let dirs =
            [self.dir().to_path_buf(), self.dir().join("journal"), self.dir().join("snapshots")];
        let entries = dirs.iter().flat_map(|dir| std::fs::read_dir(dir).unwrap());
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        paths.map(|path| std::fs::read(path).unwrap()).collect()
    }

    pub fn entries(&self) -> Result<Vec<Entry>, String> {
        let entries = store::entries(self.dir.path()).map_err(|fault| fault.to_string())?;
        entries.collect::<Result<_, _>>().map_err(|fault| fault.to_string())
    }
}

impl Commit for Writer {
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError> {
        match self {
            Self::Memory(writer) => writer.submit(shard, seq, event),
            Self::Files(writer) => writer.submit(shard, seq, event),
        }
    }

    fn can_conflict(&self) -> bool {
        match self {
            Self::Memory(writer) => writer.can_conflict(),
            Self::Files(writer) => writer.can_conflict(),
        }
    }

    fn adopt(&mut self, shard: ShardNo, seq: u64, chain: Chain) {
        match self {
            Self::Memory(writer) => writer.adopt(shard, seq, chain),
            Self::Files(writer) => writer.adopt(shard, seq, chain),
        }
    }
}

fn has_no_room(error: &OpenError) -> bool {
    matches!(
        error,
        OpenError::Journal(JournalFault::Io { source, .. })
            if source.kind() == ErrorKind::StorageFull
    )
}
