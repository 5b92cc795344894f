//! Snapshots: the state at a place of the journal, so that a start need not fold all of it.
//!
//! One file each, named by the last entry it covers. Numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0-7 | `POSPSNP2` |
//! | 8-23 | node |
//! | 24-67 | the place in the journal: entry, batch, segment, begin and end of the batch (8 each), its link (4) |
//! | 68- | 256 times: number (8) and chain (16) of the last entry of a shard |
//! | 6212- | the books in postcard form |
//! | last 4 | CRC-32C of everything before |

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::books::Books;
use domain::terms::SHARDS;

use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::disk::Disk;
use crate::fault::JournalFault;
use crate::home::NodeId;
use crate::record::split;

const MAGIC: [u8; 8] = *b"POSPSNP2";
const SUFFIX: &str = ".snapshot";
/// How many snapshots are kept.
const KEPT: usize = 2;
/// How much is written before it is synced.
const STRIDE: usize = 4 << 20;

/// The state at a place of the journal.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) mark: Mark,
    pub(crate) positions: Positions,
    pub(crate) books: Books,
}

/// Returns the snapshots in `dir`, the newest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>, JournalFault> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(JournalFault::io(dir)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(JournalFault::io(dir))?;
        if entry.file_name().to_str().is_some_and(|name| name.ends_with(SUFFIX)) {
            paths.push(entry.path());
        }
    }
    // The numbers in the names have leading zeros: the order of names is that of numbers.
    paths.sort();
    paths.reverse();
    Ok(paths)
}

/// Returns the last entry that the snapshot of this name covers; none can be said to cover none.
pub(crate) fn lsn_of(path: &Path) -> u64 {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.strip_suffix(SUFFIX));
    stem.and_then(|stem| stem.parse().ok()).unwrap_or(0)
}

/// Writes a snapshot and removes all but the last two.
pub(crate) fn write(
    disk: &dyn Disk,
    dir: &Path,
    node: NodeId,
    (mark, positions): (Mark, &Positions),
    books: &Books,
) -> Result<PathBuf, JournalFault> {
    let path = dir.join(format!("{:020}{SUFFIX}", mark.lsn));
    let fresh = path.with_extension("new");
    let write = || {
        let file = File::create(&fresh)?;
        let mut out = Summed { disk, file: &file, buffer: Vec::new(), written: 0, sum: 0 };
        io::Write::write_all(&mut out, &front(node, mark, positions))?;
        postcard::to_io(books, &mut out).map_err(io::Error::other)?;
        out.finish()?;
        disk.rename(&fresh, &path)?;
        disk.sync_dir(dir)
    };
    write().map_err(JournalFault::io(&path))?;
    for old in list(dir)?.iter().skip(KEPT) {
        fs::remove_file(old).map_err(JournalFault::io(old))?;
    }
    Ok(path)
}

fn front(node: NodeId, mark: Mark, positions: &Positions) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8192);
    bytes.extend(MAGIC);
    bytes.extend(node.0);
    for number in [mark.lsn, mark.batch, mark.segment, mark.start, mark.end] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(mark.link.to_le_bytes());
    for (seq, chain) in positions {
        bytes.extend(seq.to_le_bytes());
        bytes.extend(chain.0);
    }
    bytes
}

/// Writes to a file in large steps, each synced, and sums what passes.
struct Summed<'f> {
    disk: &'f dyn Disk,
    file: &'f File,
    buffer: Vec<u8>,
    written: u64,
    sum: u32,
}

impl Summed<'_> {
    fn pass(&mut self) -> io::Result<()> {
        self.sum = crc32c::crc32c_append(self.sum, &self.buffer);
        self.put()
    }

    fn put(&mut self) -> io::Result<()> {
        self.disk.write_all_at(self.file, &self.buffer, self.written)?;
        self.written = self.written.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        // A sync of the journal must not wait behind a whole snapshot.
        self.disk.sync_data(self.file)
    }

    fn finish(mut self) -> io::Result<()> {
        self.pass()?;
        self.buffer.extend(self.sum.to_le_bytes());
        self.put()
    }
}

impl io::Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= STRIDE {
            self.pass()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it belongs to another node")]
    Foreign,
}

/// Reads a snapshot. Whether it fits the journal is another question.
pub(crate) fn load(path: &Path, node: NodeId) -> Result<Snapshot, LoadError> {
    let bytes = fs::read(path)?;
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(LoadError::Damaged)?;
    if u32::from_le_bytes(*sum) != crc32c::crc32c(content) {
        return Err(LoadError::Damaged);
    }
    let mut rest = content;
    if *split(&mut rest).ok_or(LoadError::Damaged)? != MAGIC {
        return Err(LoadError::Damaged);
    }
    if *split(&mut rest).ok_or(LoadError::Damaged)? != node.0 {
        return Err(LoadError::Foreign);
    }
    let (mark, positions) = read_place(&mut rest).ok_or(LoadError::Damaged)?;
    match postcard::take_from_bytes(rest) {
        Ok((books, [])) => Ok(Snapshot { mark, positions, books }),
        Ok((_, [_, ..])) | Err(_) => Err(LoadError::Damaged),
    }
}

fn read_place(rest: &mut &[u8]) -> Option<(Mark, Positions)> {
    let mark = Mark {
        lsn: u64::from_le_bytes(*split(rest)?),
        batch: u64::from_le_bytes(*split(rest)?),
        segment: u64::from_le_bytes(*split(rest)?),
        start: u64::from_le_bytes(*split(rest)?),
        end: u64::from_le_bytes(*split(rest)?),
        link: u32::from_le_bytes(*split(rest)?),
    };
    let mut positions = [(0, Chain::GENESIS); SHARDS];
    for place in &mut positions {
        *place = (u64::from_le_bytes(*split(rest)?), Chain(*split(rest)?));
    }
    Some((mark, positions))
}
