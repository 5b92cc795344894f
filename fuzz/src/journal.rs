//! A segment of the journal, as it is found on the disk.

mod dress;
mod reader;

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use domain::shard::Event;
use store::{Entry, JournalFault};
use tempfile::TempDir;

use reader::Found;

/// The node whose journal it is.
const NODE: [u8; 16] = [5; 16];
/// The number of the segment.
const SEGMENT: u64 = 1;
/// Where the first batch begins.
const FILE_HEADER: usize = 4096;
/// What batches begin and end on.
const SECTOR: usize = 512;

/// What stands after the header of a segment: the first byte says what of it is made right, so that
/// sums which nobody can guess hide nothing. The entries that the store finds are those that its
/// description of the files promises, faults are told where it says so, and once a bit is altered
/// nothing of its batch is found, nor anything after it.
pub fn law(bytes: &[u8]) -> bool {
    let Some((choice, rest)) = bytes.split_first() else { return false };
    let mut batches = rest.to_vec();
    batches.resize(batches.len().next_multiple_of(SECTOR), 0);
    dress::dress(&mut batches, *choice);
    DISK.with_borrow_mut(|disk| {
        let expected = reader::read(&batches);
        disk.holds(&batches, &expected);
        let used = expected.ends.last().map_or(0, |(end, _)| *end);
        if used == 0 {
            return false;
        }
        // Some bit, another one for other bytes.
        let sum = rest.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31) ^ usize::from(*byte));
        let bit = sum % (used * 8);
        batches[bit / 8] ^= 1 << (bit % 8);
        let whole = expected.ends.iter().take_while(|(end, _)| *end <= bit / 8);
        let count = whole.last().map_or(0, |(_, count)| *count);
        let altered = reader::read(&batches);
        assert_eq!(altered.entries, expected.entries[..count], "bit {bit}");
        disk.holds(&batches, &altered);
        !expected.entries.is_empty()
    })
}

thread_local! {
    static DISK: RefCell<Disk> = RefCell::new(Disk::new());
}

/// A data directory with one segment.
struct Disk {
    dir: TempDir,
    file: File,
}

impl Disk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("node"), const_hex::encode(NODE)).unwrap();
        fs::create_dir(dir.path().join("journal")).unwrap();
        let path = dir.path().join("journal").join(format!("{SEGMENT:010}.seg"));
        Self { file: File::create(path).unwrap(), dir }
    }

    fn holds(&mut self, batches: &[u8], expected: &Found) {
        let mut bytes = dress::header(FILE_HEADER + batches.len());
        bytes.extend(batches);
        self.file.set_len(bytes.len() as u64).unwrap();
        self.file.write_all_at(&bytes, 0).unwrap();
        let mut walk = store::entries(self.dir.path()).unwrap();
        let mut fault = None;
        let mut found = Vec::new();
        for step in walk.by_ref() {
            match step {
                Ok(entry) => found.push(entry),
                Err(error) => fault = Some(error),
            }
        }
        assert!(walk.next().is_none());
        let read: Vec<_> = found.iter().map(|e| (e.shard.0, e.seq, e.chain.0, &e.event)).collect();
        let told = expected.entries.iter().map(|e| (e.shard, e.seq, e.chain, &e.event));
        assert!(read.iter().copied().eq(told), "{fault:?}");
        assert_eq!(fault.is_some(), expected.is_faulty, "{fault:?}");
        if let Some(fault) = fault {
            is_in(&fault, bytes.len());
        }
        found.iter().for_each(is_stored);
    }
}

/// A fault lies within the file.
fn is_in(fault: &JournalFault, length: usize) {
    match fault {
        JournalFault::Damaged { offset, .. }
        | JournalFault::Gap { offset, .. }
        | JournalFault::Broken { offset, .. } => {
            let place = usize::try_from(*offset).unwrap();
            assert!((FILE_HEADER..length).contains(&place) && place.is_multiple_of(SECTOR));
        }
        JournalFault::Io { .. } | JournalFault::Foreign { .. } | JournalFault::Missing { .. } => {
            panic!("the file is there, and can be read: {fault}");
        }
    }
}

/// Whatever was read can be stored, and read again.
fn is_stored(entry: &Entry) {
    let bytes = postcard::to_stdvec(&entry.event).unwrap();
    assert_eq!(postcard::from_bytes::<Event>(&bytes).as_ref(), Ok(&entry.event));
}
