//! A segment: one file of the journal, filled with zeros before its first batch.
//!
//! Overwriting blocks that are there already makes a sync cheap: the file system has nothing of
//! its own to write. The first 4096 bytes of the file are its header; numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0-7 | `POSPSEG2` |
//! | 8-23 | node |
//! | 24-31 | number of the segment, counted from 1 |
//! | 32-39 | length of the file |
//! | 40-4091 | zero |
//! | 4092-4095 | CRC-32C of bytes 0-4091 |

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::fault::JournalFault;
use crate::home::NodeId;
use crate::record::split;

/// Where the first batch of a segment begins.
pub(crate) const FILE_HEADER: u64 = 4096;
const MAGIC: [u8; 8] = *b"POSPSEG2";
const SUFFIX: &str = ".seg";
/// How much is zeroed at once: a sync of the journal does not wait longer for the disk than that
/// takes.
const CHUNK: usize = 256 << 10;

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) length: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

/// Returns the path of a segment.
pub(crate) fn path(journal: &Path, number: u64) -> PathBuf {
    journal.join(format!("{number:010}{SUFFIX}"))
}

/// Returns how many segments there are. They are numbered from 1 without a gap.
pub(crate) fn count(journal: &Path) -> Result<u64, JournalFault> {
    let mut last = 0;
    let mut found: u64 = 0;
    for entry in fs::read_dir(journal).map_err(JournalFault::io(journal))? {
        let name = entry.map_err(JournalFault::io(journal))?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(number) = stem.and_then(|stem| stem.parse::<u64>().ok()) {
            last = last.max(number);
            found = found.saturating_add(1);
        }
    }
    if found == last {
        return Ok(last);
    }
    let missing = (1..last).map(|number| path(journal, number)).find(|path| !path.exists());
    Err(JournalFault::Missing { path: missing.unwrap_or_else(|| path(journal, last)) })
}

/// Makes a segment of `length` bytes, all zero, durable before it has its name. Between its steps it
/// asks `goes_on`, which is told how long the last took, and gives up with `Interrupted` on a no.
pub(crate) fn create(
    disk: &dyn Disk,
    journal: &Path,
    (node, number): (NodeId, u64),
    length: u64,
    goes_on: &dyn Fn(Duration) -> bool,
) -> io::Result<Segment> {
    let path = path(journal, number);
    let fresh = path.with_extension("new");
    let file = File::options().create(true).truncate(true).read(true).write(true).open(&fresh)?;
    disk.write_all_at(&file, &header(node, number, length), 0)?;
    let zeros = vec![0; CHUNK];
    let mut offset = FILE_HEADER;
    while offset < length {
        let begun = Instant::now();
        let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(CHUNK);
        let chunk = zeros.get(..left).unwrap_or(&zeros);
        disk.write_all_at(&file, chunk, offset)?;
        disk.sync_data(&file)?;
        offset = offset.saturating_add(chunk.len() as u64);
        if offset < length && !goes_on(begun.elapsed()) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    disk.sync_data(&file)?;
    disk.rename(&fresh, &path)?;
    disk.sync_dir(journal)?;
    Ok(Segment { number, length, path, file })
}

fn header(node: NodeId, number: u64, length: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(4096);
    header.extend(MAGIC);
    header.extend(node.0);
    header.extend(number.to_le_bytes());
    header.extend(length.to_le_bytes());
    header.resize(4092, 0);
    let sum = crc32c::crc32c(&header);
    header.extend(sum.to_le_bytes());
    header
}

/// How a segment is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Opens a segment, or returns `None` if there is none of that number.
pub(crate) fn open(
    journal: &Path,
    (node, number): (NodeId, u64),
    access: Access,
) -> Result<Option<Segment>, JournalFault> {
    let path = path(journal, number);
    let file = match File::options().read(true).write(access == Access::Write).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalFault::io(&path)(error)),
    };
    let mut bytes = [0; 4096];
    let read = file.read_exact_at(&mut bytes, 0);
    let foreign = |what| JournalFault::Foreign { path: path.clone(), what };
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(foreign("shorter than the header of a segment"));
        }
        Err(error) => return Err(JournalFault::io(&path)(error)),
    }
    let length = check_header(&bytes, node, number).map_err(foreign)?;
    let is = file.metadata().map_err(JournalFault::io(&path))?.len();
    if is != length {
        return Err(foreign("not as long as its header says"));
    }
    Ok(Some(Segment { number, length, path, file }))
}

fn check_header(bytes: &[u8; 4096], node: NodeId, number: u64) -> Result<u64, &'static str> {
    let damaged = "the header of the segment is damaged";
    let (fields, sum) = bytes.split_last_chunk::<4>().ok_or(damaged)?;
    if u32::from_le_bytes(*sum) != crc32c::crc32c(fields) {
        return Err(damaged);
    }
    let mut rest = fields;
    if *split(&mut rest).ok_or(damaged)? != MAGIC {
        return Err("not a segment of a version this program reads");
    }
    if *split(&mut rest).ok_or(damaged)? != node.0 {
        return Err("the segment belongs to another node");
    }
    if u64::from_le_bytes(*split(&mut rest).ok_or(damaged)?) != number {
        return Err("the segment has another number than its name says");
    }
    Ok(u64::from_le_bytes(*split(&mut rest).ok_or(damaged)?))
}

impl Segment {
    /// Reads exactly `bytes` at `offset`.
    pub(crate) fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), JournalFault> {
        self.file.read_exact_at(bytes, offset).map_err(JournalFault::io(&self.path))
    }

    /// Returns where the last byte from `offset` on that is not zero ends, or `None` if there is
    /// none.
    pub(crate) fn last_nonzero(&self, mut offset: u64) -> Result<Option<u64>, JournalFault> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(CHUNK);
        let mut buffer = vec![0; left.min(CHUNK)];
        let mut last = None;
        while offset < self.length {
            let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(CHUNK);
            let size = left.min(CHUNK);
            let chunk = buffer.get_mut(..size).unwrap_or_default();
            self.read(chunk, offset)?;
            // Whole words first: comparing byte by byte takes eight times as long.
            let is_zero = chunk.chunks(4096).all(|page| page.iter().fold(0, |a, b| a | b) == 0);
            if !is_zero && let Some(place) = chunk.iter().rposition(|&byte| byte != 0) {
                last = Some(offset.saturating_add(place as u64).saturating_add(1));
            }
            offset = offset.saturating_add(size as u64);
        }
        Ok(last)
    }
}
