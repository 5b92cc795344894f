//! What waits for the disk: entries go in from the writers, batches come out to the one thread
//! that writes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::terms::ShardNo;

use crate::batch::HEADER;
use crate::chain::{Chain, Positions};
use crate::commit::{CommitError, Lsn};

/// How many emptied buffers are kept for use again.
const SPARE: usize = 2;

/// A batch in the making.
#[derive(Debug)]
pub(super) struct Pending {
    /// Room for the header, then records.
    pub(super) bytes: Vec<u8>,
    pub(super) count: u32,
    /// When its first entry came.
    pub(super) began: Option<Instant>,
    /// The writers who have entries in it.
    pub(super) writers: Vec<usize>,
    /// The length of the records.
    length: usize,
    /// Tells it from every other batch since the start.
    number: u64,
}

impl Pending {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; HEADER],
            count: 0,
            began: None,
            writers: Vec::new(),
            length: 0,
            number: 0,
        }
    }

    fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.count = 0;
        self.length = 0;
        self.began = None;
        self.writers.clear();
    }
}

/// Whether entries are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Open,
    Closing,
    Closed,
    Lost,
}

impl Status {
    fn check(self) -> Result<(), CommitError> {
        match self {
            Self::Open => Ok(()),
            Self::Closing | Self::Closed => Err(CommitError::Closed),
            Self::Lost => Err(CommitError::Lost),
        }
    }
}

/// How much may wait, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) batch: usize,
    pub(super) pending: usize,
}

#[derive(Debug)]
struct Inner {
    status: Status,
    /// True while the writing thread waits to be woken.
    is_idle: bool,
    filling: Pending,
    full: VecDeque<Pending>,
    spare: Vec<Pending>,
    /// Bytes that wait, and those on their way.
    waiting: usize,
    batches: u64,
    submitted: u64,
    tails: Positions,
}

/// The queue between the writers and the disk.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    work: Condvar,
    bounds: Bounds,
}

/// A record and where it goes.
pub(super) struct Offer<'r> {
    pub(super) shard: ShardNo,
    /// The entry before it, as the writer knows it.
    pub(super) before: (u64, Chain),
    /// The entry.
    pub(super) after: (u64, Chain),
    pub(super) record: &'r [u8],
}

impl Queue {
    pub(super) fn new(submitted: u64, tails: Positions, bounds: Bounds) -> Self {
        let inner = Inner {
            status: Status::Open,
            is_idle: false,
            filling: Pending::new(),
            full: VecDeque::new(),
            spare: Vec::new(),
            waiting: 0,
            batches: 0,
            submitted,
            tails,
        };
        Self { inner: Mutex::new(inner), work: Condvar::new(), bounds }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the last entry of every shard, durable or not.
    pub(super) fn tails(&self) -> Positions {
        self.inner().tails
    }

    /// Queues a record for `writer`, who last saw the batch `seen`.
    pub(super) fn offer(
        &self,
        (writer, seen): (usize, &mut u64),
        offer: &Offer<'_>,
    ) -> Result<Lsn, CommitError> {
        let length = offer.record.len();
        let bytes_max = self.bounds.batch.saturating_sub(HEADER);
        if length > bytes_max {
            return Err(CommitError::TooLong { bytes: length, bytes_max });
        }
        let mut inner = self.inner();
        inner.status.check()?;
        let tail = inner.tails.get_mut(offer.shard.index());
        let tail = tail.expect("there is a place for every shard");
        if *tail != offer.before {
            return Err(CommitError::Shared { shard: offer.shard });
        }
        if inner.waiting.saturating_add(length) > self.bounds.pending {
            return Err(CommitError::Full);
        }
        if let Some(tail) = inner.tails.get_mut(offer.shard.index()) {
            *tail = offer.after;
        }
        if inner.filling.bytes.len().saturating_add(length) > self.bounds.batch {
            inner.rotate();
        }
        inner.waiting = inner.waiting.saturating_add(length);
        inner.submitted = inner.submitted.saturating_add(1);
        inner.append(offer.record, (writer, seen));
        let lsn = Lsn(inner.submitted);
        let wakes = std::mem::take(&mut inner.is_idle);
        drop(inner);
        if wakes {
            self.work.notify_one();
        }
        Ok(lsn)
    }

    /// Waits for a batch to write; `None` once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Pending> {
        let mut inner = self.inner();
        loop {
            if let Some(next) = inner.next() {
                return Some(next);
            }
            if inner.status != Status::Open {
                return None;
            }
            inner.is_idle = true;
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.is_idle = false;
        }
    }

    /// Returns a batch to write, if one waits.
    pub(super) fn try_take(&self) -> Option<Pending> {
        self.inner().next()
    }

    /// Takes back the buffer of a batch that is durable.
    pub(super) fn recycle(&self, mut written: Pending) {
        let length = written.length;
        written.clear();
        let mut inner = self.inner();
        inner.waiting = inner.waiting.saturating_sub(length);
        if inner.spare.len() < SPARE {
            inner.spare.push(written);
        }
    }

    /// Takes no more entries; what waits is still handed out.
    pub(super) fn close(&self) {
        let mut inner = self.inner();
        if inner.status == Status::Open {
            inner.status = Status::Closing;
        }
        drop(inner);
        self.work.notify_all();
    }

    /// Notes how it ended. What waits is dropped.
    pub(super) fn end(&self, status: Status) {
        let mut inner = self.inner();
        inner.status = status;
        inner.full.clear();
        inner.filling.clear();
    }

    pub(super) fn status(&self) -> Status {
        self.inner().status
    }

    pub(super) fn submitted(&self) -> Lsn {
        Lsn(self.inner().submitted)
    }
}

impl Inner {
    fn next(&mut self) -> Option<Pending> {
        if self.full.is_empty() && self.filling.count > 0 {
            self.rotate();
        }
        self.full.pop_front()
    }

    fn rotate(&mut self) {
        let fresh = self.spare.pop().unwrap_or_else(Pending::new);
        let full = std::mem::replace(&mut self.filling, fresh);
        self.full.push_back(full);
    }

    fn append(&mut self, record: &[u8], (writer, seen): (usize, &mut u64)) {
        if self.filling.count == 0 {
            self.batches = self.batches.saturating_add(1);
            self.filling.number = self.batches;
            self.filling.began = Some(Instant::now());
        }
        if *seen != self.filling.number {
            *seen = self.filling.number;
            self.filling.writers.push(writer);
        }
        self.filling.bytes.extend_from_slice(record);
        self.filling.count = self.filling.count.saturating_add(1);
        self.filling.length = self.filling.length.saturating_add(record.len());
    }
}
