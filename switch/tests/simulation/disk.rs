//! A disk whose power can be cut: what was not synced is there or gone, sector by sector.
//!
//! It lies over real files. What is written is seen at once, as it is through the cache of a
//! system; what the platter holds is known beside it, and comes to light when the power is cut.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Disk;

use super::dice::Dice;

/// What a disk writes whole.
const SECTOR: usize = 512;

type Sectors = BTreeMap<u64, Vec<u8>>;

/// A file, and what the platter holds where the cache has something else.
#[derive(Debug)]
struct Cached {
    inode: u64,
    file: File,
    /// Written and not synced.
    dirty: Sectors,
    /// A sync of these failed: the cache keeps them, and no sync will write them.
    dropped: Sectors,
}

#[derive(Debug, Default)]
struct State {
    /// In the order of their first write, so that a seed decides everything.
    files: Vec<Cached>,
    /// New names that are not durable: old name, new name.
    renames: Vec<(PathBuf, PathBuf)>,
    is_cut: bool,
    steps_before_cut: Option<u64>,
    fails_next_sync: bool,
    is_full: bool,
}

/// The disk.
#[derive(Debug, Default)]
pub struct SimDisk {
    state: Mutex<State>,
}

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power in the middle of what is done next, after so many steps.
    pub fn cut_after(&self, steps: Option<u64>) {
        self.state().steps_before_cut = steps;
    }

    /// True if the power went, and whoever writes has not noticed or can do nothing more.
    pub fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// Refuses the next sync, and drops what it should have written.
    pub fn fail_next_sync(&self) {
        self.state().fails_next_sync = true;
    }

    /// Has no room for new files.
    pub fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// The process is gone, and the machine is not: the cache stays. What was to befall the process
    /// does not any more.
    pub fn outlive(&self) {
        let mut state = self.state();
        (state.is_cut, state.steps_before_cut, state.fails_next_sync) = (false, None, false);
    }

    /// The power is gone. Of what was not synced, any sector may be there, in whatever order it
    /// was written, and any new name.
    pub fn cut(&self, dice: &mut Dice) {
        let mut state = self.state();
        let arrived = *dice.pick(&[0, 250, 500, 750, 1000]);
        for cached in &mut state.files {
            for (sector, bytes) in &cached.dirty {
                if !dice.chance(arrived) {
                    cached.file.write_all_at(bytes, sector * SECTOR as u64).unwrap();
                }
            }
            for (sector, bytes) in &cached.dropped {
                cached.file.write_all_at(bytes, sector * SECTOR as u64).unwrap();
            }
        }
        for (old, new) in state.renames.iter().rev() {
            if dice.chance(500) && new.exists() && !old.exists() {
                fs::rename(new, old).unwrap();
            }
        }
        *state = State { is_full: state.is_full, ..State::default() };
    }
}

fn gone() -> io::Error {
    io::Error::other("the power is cut")
}

impl State {
    /// Counts a step; true if the power goes with it.
    fn step(&mut self) -> io::Result<bool> {
        if self.is_cut {
            return Err(gone());
        }
        self.is_cut = self.steps_before_cut == Some(0);
        self.steps_before_cut = self.steps_before_cut.map(|steps| steps.saturating_sub(1));
        Ok(self.is_cut)
    }

    fn cached(&mut self, file: &File) -> io::Result<&mut Cached> {
        let inode = file.metadata()?.ino();
        let place = self.files.iter().position(|cached| cached.inode == inode);
        let place = match place {
            Some(place) => place,
            None => {
                // Whoever writes may not be able to read.
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                let file = File::options().read(true).write(true).open(path)?;
                let (dirty, dropped) = (Sectors::new(), Sectors::new());
                self.files.push(Cached { inode, file, dirty, dropped });
                self.files.len() - 1
            }
        };
        Ok(&mut self.files[place])
    }
}

impl Cached {
    /// Notes what the platter holds where `bytes` go.
    fn note(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let first = offset / SECTOR as u64;
        let end = (offset + bytes.len() as u64).div_ceil(SECTOR as u64);
        let mut before = vec![0; (end - first) as usize * SECTOR];
        let mut filled = 0;
        while filled < before.len() {
            let at = first * SECTOR as u64 + filled as u64;
            match self.file.read_at(&mut before[filled..], at)? {
                0 => break,
                length => filled += length,
            }
        }
        let mut after = before.clone();
        let skipped = (offset - first * SECTOR as u64) as usize;
        after[skipped..skipped + bytes.len()].copy_from_slice(bytes);
        let changes = before.chunks(SECTOR).zip(after.chunks(SECTOR));
        for (sector, (before, after)) in (first..).zip(changes) {
            // Once more in the cache, what a failed sync dropped is written by the next.
            if let Some(held) = self.dropped.remove(&sector) {
                self.dirty.insert(sector, held);
            } else if before != after {
                self.dirty.entry(sector).or_insert_with(|| before.to_vec());
            }
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        let goes = state.step()?;
        if state.is_full && bytes.iter().all(|&byte| byte == 0) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.cached(file)?.note(bytes, offset)?;
        file.write_all_at(bytes, offset)?;
        if goes { Err(gone()) } else { Ok(()) }
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let mut state = self.state();
        if state.step()? {
            return Err(gone());
        }
        let fails = std::mem::take(&mut state.fails_next_sync);
        let cached = state.cached(file)?;
        let synced = std::mem::take(&mut cached.dirty);
        if fails {
            cached.dropped.extend(synced);
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let goes = state.step()?;
        fs::rename(from, to)?;
        state.renames.push((from.to_path_buf(), to.to_path_buf()));
        if goes { Err(gone()) } else { Ok(()) }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.step()? {
            return Err(gone());
        }
        state.renames.retain(|(_, new)| new.parent() != Some(dir));
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(if self.state().is_full { 0 } else { u64::MAX })
    }
}
