//! File systems of one's own: an ext4 in a file, which can lose power, and one in memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{attempt, compile, run};

/// Cuts the power of the file system that holds a directory: from here on it writes nothing, not
/// even its own journal. The number is `EXT4_IOC_SHUTDOWN`, its argument
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const CUT: &str = r#"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
int main(int count, char **words) {
    uint32_t how = 2;
    int place = count == 2 ? open(words[1], O_RDONLY) : -1;
    if (place < 0 || ioctl(place, _IOR('X', 125, uint32_t), &how) < 0) {
        perror("cut");
        return 1;
    }
    return 0;
}
"#;
/// The bytes of an ext4 volume.
const EXT4_BYTES: u64 = 512 << 20;

/// A mounted file system. Unmounted when dropped.
pub struct Volume {
    /// Where it is mounted.
    pub path: PathBuf,
    /// The file that holds it, and what cuts its power; none of one in memory.
    ext4: Option<(PathBuf, PathBuf)>,
    is_mounted: bool,
}

impl Volume {
    /// Makes an ext4 in a file of `dir`.
    pub fn ext4(dir: &Path) -> Self {
        let (image, cut) = (dir.join("ext4.img"), compile(dir, "cut", CUT, &[]));
        File::create(&image).unwrap().set_len(EXT4_BYTES).unwrap();
        run("mkfs.ext4", ["-q".as_ref(), "-F".as_ref(), image.as_os_str()]);
        Self::mounted(dir, Some((image, cut)), "")
    }

    /// Makes one of `bytes` in memory.
    pub fn in_memory(dir: &Path, bytes: u64) -> Self {
        Self::mounted(dir, None, &format!("size={bytes}"))
    }

    fn mounted(dir: &Path, ext4: Option<(PathBuf, PathBuf)>, options: &str) -> Self {
        let path = dir.join("volume");
        fs::create_dir(&path).unwrap();
        let mut volume = Self { path, ext4, is_mounted: false };
        volume.mount(options);
        volume
    }

    fn mount(&mut self, options: &str) {
        let place = self.path.as_os_str();
        let mounted = match &self.ext4 {
            Some((image, _)) => {
                attempt("mount", ["-o".as_ref(), "loop".as_ref(), image.as_os_str(), place])
            }
            None => {
                let words = ["-t", "tmpfs", "-o", options, "tmpfs"].map(str::as_ref);
                attempt("mount", words.into_iter().chain([place]))
            }
        };
        if let Err(said) = mounted {
            panic!("mounting is not permitted on this machine, and this cannot be tested: {said}");
        }
        self.is_mounted = true;
    }

    /// Cuts the power.
    pub fn cut_power(&self) {
        let (_, cut) = self.ext4.as_ref().expect("memory has no power to cut");
        let status = Command::new(cut).arg(&self.path).status().unwrap();
        assert!(status.success(), "the power could not be cut, {status}");
    }

    /// Mounts the file system again, as after a start of the machine. Nobody may use it.
    pub fn start_again(&mut self) {
        run("umount", [&self.path]);
        self.is_mounted = false;
        self.mount("");
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.is_mounted && attempt("umount", [&self.path]).is_err() {
            // Somebody still uses it: it goes when they do.
            drop(attempt("umount", ["-l".as_ref(), self.path.as_os_str()]));
        }
    }
}
