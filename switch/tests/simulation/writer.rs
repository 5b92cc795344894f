//! A writer of the journal that takes nothing while the disk is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::shard::Event;
use domain::terms::ShardNo;
use store::{Chain, Commit, CommitError, Lsn, MemoryWriter};

/// Whether the disk is full. Its clones are the same disk.
pub type Disk = Arc<AtomicBool>;

/// A writer to that disk.
pub struct Writer {
    pub inner: MemoryWriter,
    pub is_full: Disk,
}

impl Commit for Writer {
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(CommitError::Full);
        }
        self.inner.submit(shard, seq, event)
    }

    fn can_conflict(&self) -> bool {
        self.inner.can_conflict()
    }

    fn adopt(&mut self, shard: ShardNo, seq: u64, chain: Chain) {
        self.inner.adopt(shard, seq, chain);
    }
}
