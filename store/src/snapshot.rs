//! Snapshots: the state at a place of the journal, so that a start need not fold all of it.
//!
//! One file each, named by the last entry it covers. Each shard is a part of its own, so that
//! parts can be read side by side, and one after the other where memory counts. Numbers are
//! little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0-7 | `POSPSNP3` |
//! | 8-23 | node |
//! | 24-67 | the place in the journal: entry, batch, segment, begin and end of the batch (8 each), its link (4) |
//! | 68-6211 | 256 times: number (8) and chain (16) of the last entry of a shard |
//! | 6212-9295 | 257 times: length (8) and CRC-32C (4) of a part |
//! | 9296-9299 | CRC-32C of everything before |
//! | 9300- | the parts in postcard form: what is folded across the shards, then each shard |

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use domain::books::{Across, Books};
use domain::shard::Shard;
use domain::terms::{SHARDS, ShardNo};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::disk::Disk;
use crate::fault::JournalFault;
use crate::home::NodeId;
use crate::record::split;

const MAGIC: [u8; 8] = *b"POSPSNP3";
const SUFFIX: &str = ".snapshot";
/// How many snapshots are kept.
const KEPT: usize = 2;
/// How much is written before it is synced.
const STRIDE: usize = 4 << 20;
/// The bytes before the first part.
const FRONT: usize = 9300;
/// Threads that read a snapshot, at the most.
const READERS: usize = 8;
/// A snapshot of fewer bytes is read by one.
const SMALL: u64 = 1 << 20;

/// A snapshot whose front was read. Its parts are read, and checked, one by one.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) path: PathBuf,
    pub(crate) mark: Mark,
    pub(crate) positions: Positions,
    file: File,
    across: Part,
    shards: Vec<Part>,
}

/// Where a part lies, and its sum.
#[derive(Clone, Copy, Debug)]
struct Part {
    offset: u64,
    length: u64,
    sum: u32,
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

/// Writes a snapshot of `across` and of what `shard_of` returns for each shard, in their order,
/// and removes all but the last two. Returns its path and length.
pub(crate) fn write<E: From<JournalFault>>(
    disk: &dyn Disk,
    dir: &Path,
    node: NodeId,
    (mark, positions): (Mark, &Positions),
    across: &Across,
    mut shard_of: impl FnMut(ShardNo) -> Result<Shard, E>,
) -> Result<(PathBuf, u64), E> {
    let path = dir.join(format!("{:020}{SUFFIX}", mark.lsn));
    let fresh = path.with_extension("new");
    let io = |error| JournalFault::io(&path)(error);
    let file = File::create(&fresh).map_err(io)?;
    let mut out = Out::new(disk, &file);
    out.part(across).map_err(io)?;
    for no in ShardNo::all() {
        let shard = shard_of(no)?;
        out.part(&shard).map_err(io)?;
    }
    let front = front(node, mark, positions, &out.parts);
    let length = out.finish(&front).map_err(io)?;
    let publish = || {
        disk.rename(&fresh, &path)?;
        disk.sync_dir(dir)
    };
    publish().map_err(io)?;
    for old in list(dir)?.iter().skip(KEPT) {
        fs::remove_file(old).map_err(JournalFault::io(old))?;
    }
    Ok((path, length))
}

fn front(node: NodeId, mark: Mark, positions: &Positions, parts: &[(u64, u32)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FRONT);
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
    for (length, sum) in parts {
        bytes.extend(length.to_le_bytes());
        bytes.extend(sum.to_le_bytes());
    }
    let sum = crc32c::crc32c(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Writes parts to a file in large steps, each synced.
struct Out<'f> {
    disk: &'f dyn Disk,
    file: &'f File,
    buffer: Vec<u8>,
    written: u64,
    parts: Vec<(u64, u32)>,
}

impl<'f> Out<'f> {
    const fn new(disk: &'f dyn Disk, file: &'f File) -> Self {
        Self { disk, file, buffer: Vec::new(), written: FRONT as u64, parts: Vec::new() }
    }

    fn part(&mut self, part: &impl Serialize) -> io::Result<()> {
        let bytes = postcard::to_stdvec(part).map_err(io::Error::other)?;
        self.parts.push((bytes.len() as u64, crc32c::crc32c(&bytes)));
        for chunk in bytes.chunks(STRIDE) {
            self.buffer.extend_from_slice(chunk);
            if self.buffer.len() >= STRIDE {
                self.put()?;
            }
        }
        Ok(())
    }

    fn put(&mut self) -> io::Result<()> {
        self.disk.write_all_at(self.file, &self.buffer, self.written)?;
        self.written = self.written.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        // A sync of the journal must not wait behind a whole snapshot.
        self.disk.sync_data(self.file)
    }

    /// Writes what is left and the front. Returns the length of the file.
    fn finish(mut self, front: &[u8]) -> io::Result<u64> {
        self.disk.write_all_at(self.file, front, 0)?;
        self.put()?;
        Ok(self.written)
    }
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it is of another version")]
    Version,
    #[error("it belongs to another node")]
    Foreign,
}

impl Snapshot {
    /// Reads the front of a snapshot. Whether it fits the journal is another question.
    pub(crate) fn open(path: &Path, node: NodeId) -> Result<Self, LoadError> {
        let file = File::open(path)?;
        let mut bytes = [0; FRONT];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(LoadError::Damaged);
            }
            Err(error) => return Err(error.into()),
        }
        let (content, sum) = bytes.split_last_chunk::<4>().ok_or(LoadError::Damaged)?;
        let mut rest = content;
        if *split(&mut rest).ok_or(LoadError::Damaged)? != MAGIC {
            let is_ours = content.starts_with(MAGIC.first_chunk::<7>().ok_or(LoadError::Damaged)?);
            return Err(if is_ours { LoadError::Version } else { LoadError::Damaged });
        }
        if u32::from_le_bytes(*sum) != crc32c::crc32c(content) {
            return Err(LoadError::Damaged);
        }
        if *split(&mut rest).ok_or(LoadError::Damaged)? != node.0 {
            return Err(LoadError::Foreign);
        }
        let (mark, positions) = read_place(&mut rest).ok_or(LoadError::Damaged)?;
        let mut offset = FRONT as u64;
        let across = Part::read(&mut rest, &mut offset).ok_or(LoadError::Damaged)?;
        let shards: Option<Vec<_>> =
            (0..SHARDS).map(|_| Part::read(&mut rest, &mut offset)).collect();
        let shards = shards.ok_or(LoadError::Damaged)?;
        if file.metadata()?.len() != offset {
            return Err(LoadError::Damaged);
        }
        Ok(Self { path: path.to_path_buf(), mark, positions, file, across, shards })
    }

    /// Returns the length of the file.
    pub(crate) fn length(&self) -> u64 {
        let last = self.shards.last().unwrap_or(&self.across);
        last.offset.saturating_add(last.length)
    }

    /// Reads what is folded across the shards.
    pub(crate) fn across(&self) -> Result<Across, LoadError> {
        self.read(self.across)
    }

    /// Reads one shard.
    pub(crate) fn shard(&self, no: ShardNo) -> Result<Shard, LoadError> {
        let part = self.shards.get(no.index()).ok_or(LoadError::Damaged)?;
        let shard: Shard = self.read(*part)?;
        if shard.no() == no { Ok(shard) } else { Err(LoadError::Damaged) }
    }

    /// Reads all of it, with several threads.
    pub(crate) fn books(&self) -> Result<Books, LoadError> {
        // A thread costs more than to read a small file.
        let most = if self.length() < SMALL { 1 } else { READERS };
        let readers = thread::available_parallelism().map_or(1, usize::from).min(most);
        let numbers: Vec<_> = ShardNo::all().collect();
        let read = |run: &[ShardNo]| -> Result<Vec<_>, _> {
            run.iter().map(|&no| self.shard(no)).collect()
        };
        let mut runs = numbers.chunks(SHARDS.div_ceil(readers));
        let own = runs.next().unwrap_or_default();
        let shards: Result<Vec<_>, LoadError> = thread::scope(|scope| {
            let readers: Vec<_> = runs.map(|run| scope.spawn(move || read(run))).collect();
            let mut shards = read(own)?;
            for reader in readers {
                // Whatever makes a reader panic is in the file.
                shards.extend(reader.join().map_err(|_panic| LoadError::Damaged)??);
            }
            Ok(shards)
        });
        Books::of(shards?, self.across()?).ok_or(LoadError::Damaged)
    }

    fn read<T: DeserializeOwned>(&self, part: Part) -> Result<T, LoadError> {
        let length = usize::try_from(part.length).map_err(|_too_long| LoadError::Damaged)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, part.offset)?;
        if crc32c::crc32c(&bytes) != part.sum {
            return Err(LoadError::Damaged);
        }
        match postcard::take_from_bytes(&bytes) {
            Ok((value, [])) => Ok(value),
            Ok((_, [_, ..])) | Err(_) => Err(LoadError::Damaged),
        }
    }
}

impl Part {
    fn read(rest: &mut &[u8], offset: &mut u64) -> Option<Self> {
        let length = u64::from_le_bytes(*split(rest)?);
        let part = Self { offset: *offset, length, sum: u32::from_le_bytes(*split(rest)?) };
        *offset = offset.checked_add(length)?;
        Some(part)
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
