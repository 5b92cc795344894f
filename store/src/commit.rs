//! How an entry becomes durable, whoever keeps it.
//!
//! The trait is made for more than one writer of the same shard from the start, although the
//! journals of one node never answer [`Outcome::Conflict`].

use domain::books::Books;
use domain::shard::Event;
use domain::terms::ShardNo;

use crate::chain::{Chain, Positions};

/// The order of an entry among all that a node has submitted, counted from 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Lsn(pub u64);

/// One entry of the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The shard it belongs to.
    pub shard: ShardNo,
    /// Its number in the shard, counted from 1.
    pub seq: u64,
    /// Its place in the chain of the shard.
    pub chain: Chain,
    /// What happened.
    pub event: Event,
}

/// What became of what a writer submitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Every entry up to and with `upto` is durable, of this writer and of others, except those
    /// that an [`Outcome::Conflict`] told before has named.
    Durable {
        /// The last of them.
        upto: Lsn,
    },
    /// Another writer was first. Nothing that this writer submitted to `shard` from `from` on
    /// was taken, and nothing will be until it says [`Commit::adopt`].
    Conflict {
        /// The shard.
        shard: ShardNo,
        /// The first entry that was not taken.
        from: Lsn,
        /// What the shard holds after the last entry of this writer that was taken: undo, take
        /// these in, adopt the last of them, decide again.
        newer: Vec<Entry>,
    },
}

/// Why an entry was not queued. Nothing of it will ever be durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CommitError {
    /// The number is not the one that follows.
    #[error("shard {} expects entry {expected}, not {got}", shard.0)]
    OutOfOrder {
        /// The shard.
        shard: ShardNo,
        /// The number that follows.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// Another writer of this journal has submitted to the shard meanwhile.
    #[error("shard {} is written by another writer of this node", shard.0)]
    Shared {
        /// The shard.
        shard: ShardNo,
    },
    /// The stored form is longer than a batch may be.
    #[error("an entry of {bytes} bytes does not fit the {bytes_max} of a batch")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest there may be.
        bytes_max: usize,
    },
    /// Too much waits for the disk.
    #[error("too much waits for the disk")]
    Full,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The journal could not keep its promise, and keeps none since.
    #[error("the journal is lost")]
    Lost,
}

/// A writer of the journal: one for each owner of shards.
///
/// What becomes of the entries is told to the listener given when the writer was made.
pub trait Commit {
    /// Queues `event` as entry `seq` of `shard`, and never waits for the disk. The numbers of a
    /// shard follow each other without a gap.
    ///
    /// # Errors
    /// The entry was not queued; see [`CommitError`].
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError>;

    /// True if [`Outcome::Conflict`] may ever be told: then keep what undoes an event.
    fn can_conflict(&self) -> bool;

    /// Continues `shard` after entry `seq` with `chain`, which a conflict brought to light.
    fn adopt(&mut self, shard: ShardNo, seq: u64, chain: Chain);
}

/// What a start found in the journal.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The state that the entries amount to.
    pub books: Books,
    /// The last entry of every shard.
    pub positions: Positions,
    /// How many entries there are: the [`Lsn`] of the last.
    pub entries: u64,
    /// How it was found.
    pub report: RecoveryReport,
}

/// How a start recovered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RecoveryReport {
    /// The bytes of a batch that a crash left half written, and that were cut off. Nothing in
    /// them was ever answered.
    pub truncated_bytes: u64,
    /// The last entry that the snapshot covers from which the start went on; zero without one.
    pub snapshot_lsn: u64,
    /// Snapshots that were passed over, because they are damaged or do not fit the journal.
    pub snapshots_rejected: u32,
    /// Entries replayed after the snapshot.
    pub replayed: u64,
}
