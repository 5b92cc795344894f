//! Data directories, whole and damaged.
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use store::{Commit, Disk, EmbeddedJournal, EmbeddedWriter, OpenError, Options, Recovered};
use tempfile::TempDir;

use crate::world::{Made, World};

/// A disk that forgets to sync: for tests that cut no power, and open a journal very often. Its
/// gate holds up the thread that writes batches.
#[derive(Debug, Default)]
pub(crate) struct HastyDisk {
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    is_waited_at: bool,
}

impl HastyDisk {
    pub(crate) fn close_gate(&self) {
        self.gate.lock().unwrap().is_closed = true;
    }

    /// Waits until a batch is held up.
    pub(crate) fn wait_at_gate(&self) {
        let mut gate = self.gate.lock().unwrap();
        while !gate.is_waited_at {
            gate = self.moved.wait(gate).unwrap();
        }
    }

    pub(crate) fn open_gate(&self) {
        self.gate.lock().unwrap().is_closed = false;
        self.moved.notify_all();
    }
}

impl Disk for HastyDisk {
    fn sync_data(&self, _file: &File) -> io::Result<()> {
        if std::thread::current().name() == Some("posp-journal") {
            let mut gate = self.gate.lock().unwrap();
            while gate.is_closed {
                gate.is_waited_at = true;
                self.moved.notify_all();
                gate = self.moved.wait(gate).unwrap();
            }
            gate.is_waited_at = false;
        }
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hasty(segment_bytes: u64) -> Options {
    Options { segment_bytes, disk: Arc::new(HastyDisk::default()), ..Options::default() }
}

pub(crate) fn submit(writer: &mut EmbeddedWriter, made: &[Made]) {
    for (shard, seq, event) in made {
        writer.submit(*shard, *seq, event).unwrap();
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Copies a data directory as it stands.
pub(crate) fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_into(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A data directory held in memory, to be laid out again and again.
pub(crate) struct Still {
    pub(crate) dir: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// A batch in a journal: file, begin, end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) file: usize,
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// Entries up to and with it.
    pub(crate) upto: usize,
}

impl Still {
    /// Returns the journal of `bursts` of entries as it stands while its owner still runs, or
    /// after it closed. Each burst is two batches: the first entry, and the others.
    pub(crate) fn new(
        world: &mut World,
        segment_bytes: u64,
        bursts: &[usize],
        closes: bool,
    ) -> Self {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Arc::new(HastyDisk::default()));
        let options = Options { segment_bytes, disk: disk.clone(), ..Options::default() };
        let (journal, _) = EmbeddedJournal::open(&dir, options).unwrap();
        let mut writer = journal.writer(|_| {});
        for &count in bursts {
            disk.close_gate();
            submit(&mut writer, &world.make(1));
            disk.wait_at_gate();
            submit(&mut writer, &world.make(count - 1));
            disk.open_gate();
            wait_until("durable", || journal.durable() == journal.submitted());
        }
        // The segment ahead may be half made at this moment, and a close gives it up.
        let next = dir.path().join("journal/0000000002.seg");
        wait_until("a segment ahead", || next.exists());
        if closes {
            journal.close().unwrap();
        }
        let files = ["journal/0000000001.seg", "journal/0000000002.seg", "node"]
            .map(|name| (PathBuf::from(name), fs::read(dir.path().join(name)).unwrap()));
        Self { dir: tempfile::tempdir().unwrap(), files: files.into() }
    }

    /// Returns the batches, in order.
    pub(crate) fn batches(&self) -> Vec<Span> {
        let (mut spans, mut upto) = (Vec::new(), 0);
        for (file, (_, bytes)) in self.files.iter().enumerate() {
            let mut begin = 4096;
            while bytes.get(begin..begin + 8).is_some_and(|magic| magic == b"POSPBAT1") {
                let number = |at: usize| {
                    u32::from_le_bytes(bytes[begin + at..begin + at + 4].try_into().unwrap())
                };
                let end = begin + number(32) as usize;
                upto += number(36) as usize;
                spans.push(Span { file, begin, end, upto });
                begin = end;
            }
        }
        spans
    }

    pub(crate) fn bytes(&self, file: usize) -> &[u8] {
        &self.files[file].1
    }

    /// Returns the directory as it was last laid out.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes one byte of a file that is laid out.
    pub(crate) fn poke(&self, file: usize, place: usize, byte: u8) {
        let file = File::options().write(true).open(self.path().join(&self.files[file].0)).unwrap();
        file.write_all_at(&[byte], place as u64).unwrap();
    }

    /// Lays the directory out, with `change` made to one file.
    pub(crate) fn lay_out(&self, file: usize, change: impl FnOnce(&mut Vec<u8>)) -> &Path {
        let dir = self.dir.path();
        fs::remove_dir_all(dir.join("journal")).ok();
        fs::create_dir_all(dir.join("journal")).unwrap();
        let mut changed = self.files[file].1.clone();
        change(&mut changed);
        for (number, (name, bytes)) in self.files.iter().enumerate() {
            fs::write(dir.join(name), if number == file { &changed } else { bytes }).unwrap();
        }
        dir
    }
}

/// Opens, and closes again.
pub(crate) fn reopen(dir: &Path, segment_bytes: u64) -> Result<Recovered, OpenError> {
    EmbeddedJournal::open(dir, hasty(segment_bytes)).map(|(_, recovered)| recovered)
}
