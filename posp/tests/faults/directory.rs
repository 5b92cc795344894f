//! Where a test works.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

/// A directory that stays if the test fails, so that one can look at it.
pub struct Directory(Option<TempDir>);

impl Directory {
    pub fn new() -> (Self, PathBuf) {
        let dir = tempfile::Builder::new().prefix("posp-faults-").tempdir().unwrap();
        let path = dir.path().to_owned();
        (Self(Some(dir)), path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(dir) = self.0.take()
        {
            println!("everything is kept in {}", dir.keep().display());
        }
    }
}

/// Copies the files below `from` to `to`, which must not be there yet.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
