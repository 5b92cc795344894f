//! What may be wrong with the files of a journal.

use std::io;
use std::path::{Path, PathBuf};

use domain::terms::ShardNo;

/// What is wrong with the files of a journal, and where. Nothing in it comes from an entry's
/// content.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    /// The system cannot read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not what its name says.
    #[error("{}: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A file is not there, although later ones are.
    #[error("{} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A batch is damaged, and valid ones follow it: it was durable once, and what follows was
    /// answered. Cutting here would lose answered entries.
    #[error(
        "{}: the batch at byte {offset} that begins with entry {entry} is damaged, and batch \
         {follower} follows it at byte {at} of segment {segment}",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged batch begins.
        offset: u64,
        /// The number of its first entry in the journal.
        entry: u64,
        /// The number of the valid batch that follows.
        follower: u64,
        /// The segment that holds it.
        segment: u64,
        /// Where in the segment it begins.
        at: u64,
    },
    /// A valid batch is not the one that follows.
    #[error("{}: the batch at byte {offset} does not follow the one before: {what}", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// Where the batch begins.
        offset: u64,
        /// What does not follow.
        what: &'static str,
    },
    /// An entry of a valid batch does not follow the one before it in its shard.
    #[error(
        "{}: in the batch at byte {offset}, entry {entry} (shard {}, number {seq}): {what}",
        path.display(), shard.0
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where the batch begins.
        offset: u64,
        /// The number of the entry in the journal.
        entry: u64,
        /// Its shard.
        shard: ShardNo,
        /// Its number in the shard.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl JournalFault {
    /// Returns what makes an error of the system one of `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_path_buf(), source }
    }
}
