//! A writer of the journal that now and then takes nothing: too much waits for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::shard::Event;
use domain::terms::ShardNo;
use store::{Chain, Commit, CommitError, Lsn};

/// Whether nothing is taken. Its clones are the same.
pub type Mood = Arc<AtomicBool>;

/// A writer in that mood.
pub struct Moody<C> {
    pub inner: C,
    pub takes_nothing: Mood,
}

impl<C: Commit> Commit for Moody<C> {
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError> {
        if self.takes_nothing.load(Ordering::Relaxed) {
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
