//! The data directory: its lock, the identity of its node, and where things are.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::disk::Disk;
use crate::fault::JournalFault;

/// What tells the data of a node from that of any other: 16 random bytes, made with the data
/// directory, kept as hexadecimal text in the file `node`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NodeId(pub(crate) [u8; 16]);

/// The paths in a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) dir: PathBuf,
}

impl Paths {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("LOCK")
    }

    pub(crate) fn node(&self) -> PathBuf {
        self.dir.join("node")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.dir.join("snapshots")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.db")
    }

    /// Returns where the bytes that a start cuts off at `offset` of a segment are kept; `time`
    /// counts, from 1, how often that has happened at this place.
    pub(crate) fn torn(&self, segment: u64, offset: u64, time: u64) -> PathBuf {
        let again = if time == 1 { String::new() } else { format!("-{time}") };
        self.dir.join(format!("torn-{segment:010}-{offset}{again}.bin"))
    }

    /// Reads the identity of the node, or returns `None` if the directory has none yet.
    pub(crate) fn read_node(&self) -> Result<Option<NodeId>, JournalFault> {
        let path = self.node();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(JournalFault::io(&path)(error)),
        };
        let mut node = [0; 16];
        match const_hex::decode_to_slice(text.trim_end(), &mut node) {
            Ok(()) => Ok(Some(NodeId(node))),
            Err(_not_hex) => Err(JournalFault::Foreign { path, what: "not the id of a node" }),
        }
    }

    /// Makes the directories and the identity of a new node.
    pub(crate) fn found(&self, disk: &dyn Disk) -> Result<NodeId, JournalFault> {
        let path = self.node();
        let mut node = [0; 16];
        getrandom::fill(&mut node)
            .map_err(|error| JournalFault::io(&path)(io::Error::other(error)))?;
        let fresh = self.dir.join("node.new");
        let write = || {
            let file = File::create(&fresh)?;
            disk.write_all_at(&file, const_hex::encode(node).as_bytes(), 0)?;
            disk.sync_data(&file)?;
            disk.rename(&fresh, &path)?;
            disk.sync_dir(&self.dir)
        };
        write().map_err(JournalFault::io(&path))?;
        Ok(NodeId(node))
    }
}

/// Makes a directory, and those above it that are missing, each durable in the one above. What
/// lies there is sealed, and is still nobody else's to read.
pub(crate) fn make_dir(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above != Path::new("") => above,
        Some(_) | None => Path::new("."),
    };
    make_dir(disk, above)?;
    DirBuilder::new().mode(0o700).create(path)?;
    disk.sync_dir(above)
}

/// Locks the directory for this process, or returns `None` if another has it. The lock lasts as
/// long as the file is open.
pub(crate) fn lock(paths: &Paths) -> io::Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(paths.lock())?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
