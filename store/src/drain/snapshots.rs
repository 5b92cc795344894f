//! Snapshots, made from the last one and from what the journal holds since.
//!
//! Nothing of the state stays in memory for it. The entries since are read once to check them and
//! to fold what goes across the shards, and again for some shards at a time, as many as have few
//! enough bytes of entries; of those, one shard after the other is read, brought up to date and
//! written. So a snapshot costs the writers nothing, and memory does not grow with the number of
//! cards.

use std::time::Instant;

use domain::books::Across;
use domain::shard::Shard;
use domain::terms::{SHARDS, ShardNo};

use super::follower::FollowError;
use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::embedded::{self, Source};
use crate::fault::JournalFault;
use crate::record::Record;
use crate::snapshot::{self, LoadError, Snapshot};
use crate::walk::{Step, Walk};

/// How many bytes of entries are in memory at a time, unless those of one shard are more.
const HELD: u64 = 16 << 20;

/// Why no snapshot came of it.
#[derive(Debug, thiserror::Error)]
enum NotMade {
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The one before is damaged where only reading all of it shows.
    #[error("{0}")]
    Base(#[from] LoadError),
    #[error("it is no longer wanted")]
    Unwanted,
}

impl From<JournalFault> for NotMade {
    fn from(fault: JournalFault) -> Self {
        Self::Follow(fault.into())
    }
}

/// The one who makes snapshots, and what is known of the last.
#[derive(Debug)]
pub(crate) struct Snapshots {
    /// Its last entry.
    lsn: u64,
    /// Its length in bytes.
    length: u64,
    /// When it was made.
    at: Instant,
}

impl Snapshots {
    pub(crate) fn new(source: &Source) -> Result<Self, JournalFault> {
        let sighted = embedded::sight(&source.paths, source.node)?;
        let last = sighted.snapshots.into_iter().flatten().next();
        let (lsn, length) = last.map_or((0, 0), |last| (last.mark.lsn, last.length()));
        Ok(Self { lsn, length, at: Instant::now() })
    }

    /// Returns the last entry of the last snapshot.
    pub(crate) const fn lsn(&self) -> u64 {
        self.lsn
    }

    /// Returns how many entries there are after it, up to `limit`.
    pub(crate) const fn news(&self, limit: Mark) -> u64 {
        limit.lsn.saturating_sub(self.lsn)
    }

    /// Returns the length of the last snapshot in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Returns when the last snapshot was made.
    pub(crate) const fn at(&self) -> Instant {
        self.at
    }

    /// Writes a snapshot of what the journal holds up to `limit`, unless `is_wanted` says no
    /// meanwhile.
    ///
    /// # Errors
    /// The journal cannot be read, or the snapshot not be written.
    pub(crate) fn write(
        &mut self,
        source: &Source,
        limit: Mark,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<(), FollowError> {
        let before = self.lsn;
        // Whatever comes of it: not again before the next is due.
        (self.lsn, self.at) = (limit.lsn, Instant::now());
        let bases = embedded::sight(&source.paths, source.node)?.snapshots;
        // The beginning is always there to begin from.
        for base in bases.into_iter().flatten().map(Some).chain([None]) {
            match Making::begin(source, base, limit).and_then(|making| making.finish(is_wanted)) {
                Ok((lsn, length)) => {
                    (self.lsn, self.length, self.at) = (lsn, length, Instant::now());
                    return Ok(());
                }
                Err(NotMade::Base(error)) => {
                    tracing::warn!(%error, "no snapshot can be made from the last one");
                }
                Err(NotMade::Unwanted) => {
                    self.lsn = before;
                    return Ok(());
                }
                Err(NotMade::Follow(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A snapshot that is being made.
struct Making<'s> {
    source: &'s Source,
    base: Option<Snapshot>,
    /// Where the entries begin, and where they end.
    from: Mark,
    to: Mark,
    positions: Positions,
    across: Across,
    /// Bytes of the entries of each shard.
    bytes: [u64; SHARDS],
    /// The first shard whose entries are not in memory, and those of the shards before it.
    next: usize,
    held: Vec<Vec<u8>>,
}

impl<'s> Making<'s> {
    /// Checks the entries since `base`, and folds what goes across the shards.
    fn begin(source: &'s Source, base: Option<Snapshot>, limit: Mark) -> Result<Self, NotMade> {
        let (from, mut positions, mut across) = match &base {
            Some(base) => (base.mark, base.positions, base.across()?),
            None => (Mark::GENESIS, [(0, Chain::GENESIS); SHARDS], Across::default()),
        };
        let mut bytes = [0_u64; SHARDS];
        let mut walk = Walk::new(&source.paths.journal(), source.node, from);
        loop {
            match walk.next(Some(limit))? {
                Step::Batch(batch) => batch.visit(&mut positions, &mut |_lsn, record, event| {
                    across.apply(&event);
                    if let Some(sum) = bytes.get_mut(record.shard.index()) {
                        *sum = sum.saturating_add(stored_len(record));
                    }
                })?,
                Step::End => break,
                Step::Bad(place) => return Err(FollowError::gone(&walk, place).into()),
            }
        }
        let to = walk.anchor();
        let held = vec![Vec::new(); SHARDS];
        Ok(Self { source, base, from, to, positions, across, bytes, next: 0, held })
    }

    /// Writes it. Returns its last entry and its length.
    fn finish(mut self, is_wanted: &dyn Fn() -> bool) -> Result<(u64, u64), NotMade> {
        let (source, to, positions) = (self.source, self.to, self.positions);
        let across = std::mem::take(&mut self.across);
        let dir = source.paths.snapshots();
        let shard_of = |no| if is_wanted() { self.shard(no) } else { Err(NotMade::Unwanted) };
        let place = (to, &positions);
        let written = snapshot::write(&*source.disk, &dir, source.node, place, &across, shard_of);
        let (path, length) = written?;
        tracing::info!(path = %path.display(), entries = to.lsn, bytes = length, "snapshot written");
        Ok((to.lsn, length))
    }

    /// Returns a shard as it is in the end.
    fn shard(&mut self, no: ShardNo) -> Result<Shard, NotMade> {
        if no.index() >= self.next {
            self.hold()?;
        }
        let mut shard = match &self.base {
            Some(base) => base.shard(no)?,
            None => Shard::new(no),
        };
        let records = self.held.get_mut(no.index()).map(std::mem::take).unwrap_or_default();
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let (event, after) =
                postcard::take_from_bytes(rest).expect("an entry that was read before is one");
            shard.apply(&event);
            rest = after;
        }
        Ok(shard)
    }

    /// Takes the entries of the next shards into memory.
    fn hold(&mut self) -> Result<(), NotMade> {
        let (first, mut sum) = (self.next, 0_u64);
        for bytes in self.bytes.iter().skip(first) {
            sum = sum.saturating_add(*bytes);
            if self.next > first && sum > HELD {
                break;
            }
            self.next = self.next.saturating_add(1);
        }
        let run = first..self.next;
        let mut walk = Walk::new(&self.source.paths.journal(), self.source.node, self.from);
        loop {
            match walk.next(Some(self.to))? {
                Step::Batch(batch) => {
                    for record in batch.records().filter(|r| run.contains(&r.shard.index())) {
                        if let Some(held) = self.held.get_mut(record.shard.index()) {
                            held.extend_from_slice(record.body);
                        }
                    }
                }
                Step::End => return Ok(()),
                Step::Bad(place) => return Err(FollowError::gone(&walk, place).into()),
            }
        }
    }
}

fn stored_len(record: &Record<'_>) -> u64 {
    record.body.len() as u64
}
