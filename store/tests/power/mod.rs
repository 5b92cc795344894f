//! A disk whose power can be cut: what was not synced is gone, or half there.
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Condvar, Mutex};

use store::Disk;

use crate::world::Rng;

#[derive(Debug, Default)]
struct State {
    /// Written and not synced, by file.
    cache: BTreeMap<u64, Vec<(File, Vec<u8>, u64)>>,
    is_held: bool,
    is_cut: bool,
    syncs_before_error: Option<u64>,
    syncs_before_lying: Option<u64>,
    free_bytes: Option<u64>,
    is_full: bool,
}

/// The disk.
#[derive(Debug, Default)]
pub(crate) struct PowerDisk {
    state: Mutex<State>,
    moved: Condvar,
}

impl PowerDisk {
    /// Lets no sync return until [`PowerDisk::release`].
    pub(crate) fn hold(&self) {
        self.state.lock().unwrap().is_held = true;
    }

    pub(crate) fn release(&self) {
        self.state.lock().unwrap().is_held = false;
        self.moved.notify_all();
    }

    /// Cuts the power. Of what was not synced, each sector is there or not, as `seed` has it;
    /// none is with seed 0.
    pub(crate) fn cut(&self, seed: u64) {
        let mut state = self.state.lock().unwrap();
        state.is_cut = true;
        let mut rng = Rng(seed);
        for (file, bytes, offset) in std::mem::take(&mut state.cache).into_values().flatten() {
            for (place, sector) in bytes.chunks(512).enumerate() {
                if seed != 0 && rng.below(3) > 0 {
                    file.write_all_at(sector, offset + 512 * place as u64).unwrap();
                }
            }
        }
        self.moved.notify_all();
    }

    /// Refuses every sync after the next `count`.
    pub(crate) fn fail_after(&self, count: u64) {
        self.state.lock().unwrap().syncs_before_error = Some(count);
    }

    /// Acknowledges every sync of a batch after the next `count` without doing it.
    pub(crate) fn lie_after(&self, count: u64) {
        self.state.lock().unwrap().syncs_before_lying = Some(count);
    }

    /// Refuses to fill files with zeros, as if there were no room for them.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.state.lock().unwrap().is_full = is_full;
    }

    pub(crate) fn set_free_bytes(&self, bytes: u64) {
        self.state.lock().unwrap().free_bytes = Some(bytes);
    }
}

fn gone() -> io::Error {
    io::Error::other("the power is cut")
}

fn count_down(left: &mut Option<u64>) -> bool {
    match left {
        Some(0) => true,
        Some(count) => {
            *count -= 1;
            false
        }
        None => false,
    }
}

impl Disk for PowerDisk {
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if state.is_cut {
            return Err(gone());
        }
        if state.is_full && bytes.iter().all(|&byte| byte == 0) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let inode = file.metadata()?.ino();
        let write = (file.try_clone()?, bytes.to_vec(), offset);
        state.cache.entry(inode).or_default().push(write);
        Ok(())
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        while state.is_held && !state.is_cut {
            state = self.moved.wait(state).unwrap();
        }
        if state.is_cut {
            return Err(gone());
        }
        if count_down(&mut state.syncs_before_error) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let is_batch = std::thread::current().name() == Some("posp-journal");
        if is_batch && count_down(&mut state.syncs_before_lying) {
            return Ok(());
        }
        for (file, bytes, offset) in state.cache.remove(&file.metadata()?.ino()).unwrap_or_default()
        {
            file.write_all_at(&bytes, offset)?;
        }
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.state.lock().unwrap().free_bytes.unwrap_or(u64::MAX))
    }
}
