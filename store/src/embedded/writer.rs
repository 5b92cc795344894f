//! Writing batches, in a thread of its own or step by step, and the handles of those who submit.
//!
//! One batch is in flight at a time: what arrives while it is synced is the next. A plain write
//! followed by `fdatasync` into blocks that exist was measured as fast as `O_DSYNC` (within three
//! percent from 512 bytes to 128 KiB), and a sync also covers what an earlier write left behind.
//!
//! Under a load that fills the processors, each batch costs them a sync and the waking of everybody
//! who waits. So after a batch that was large the thread lets the next gather for a moment, while
//! the processors are busy with the answers of that one. Where batches are small, each entry is
//! written as soon as the disk is free.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use domain::faults::{self, Fault};
use domain::shard::Event;
use domain::terms::ShardNo;
use metrics::{Counter, Gauge, Histogram};

use super::ahead::Segments;
use super::queue::{Offer, Pending, Queue, Status};
use super::{Loss, OnLoss};
use crate::batch::{self, Mark};
use crate::chain::{Chain, Positions};
use crate::commit::{Commit, CommitError, Lsn, Outcome};
use crate::disk::Disk;
use crate::home::NodeId;
use crate::record;
use crate::segment::{FILE_HEADER, Segment};

/// How many entries a batch has that shows a load at which gathering pays: more than come within
/// one sync of a good disk at 30 000 entries a second. With fewer, the processors would wait for it.
const LARGE: u32 = 12;
/// How long the next batch gathers, for each entry of a large one: less than two processors need to
/// bring another.
const GATHER_EACH: Duration = Duration::from_micros(15);
/// The longest it gathers.
const GATHER_MAX: Duration = Duration::from_millis(1);

type Listener = Box<dyn Fn(Outcome) + Send>;

/// What the writing thread shares with writers, followers and the journal's owner.
pub(super) struct Shared {
    pub(super) queue: Queue,
    listeners: Mutex<Vec<Listener>>,
    durable: Mutex<Mark>,
    durable_lsn: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("durable", &self.durable_lsn).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(queue: Queue, durable: Mark) -> Self {
        Self {
            queue,
            listeners: Mutex::new(Vec::new()),
            durable: Mutex::new(durable),
            durable_lsn: AtomicU64::new(durable.lsn),
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the place up to which everything is durable.
    pub(super) fn durable(&self) -> Mark {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the last entry that is durable.
    pub(super) fn durable_lsn(&self) -> u64 {
        self.durable_lsn.load(Ordering::Acquire)
    }

    pub(super) fn forget_listeners(&self) {
        self.listeners().clear();
    }

    fn publish(&self, mark: Mark) {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = mark;
        self.durable_lsn.store(mark.lsn, Ordering::Release);
    }

    fn tell(&self, writers: &[usize], upto: Lsn) {
        let listeners = self.listeners();
        for listener in writers.iter().filter_map(|&writer| listeners.get(writer)) {
            listener(Outcome::Durable { upto });
        }
    }
}

/// The handles of the journal's metrics.
struct Meters {
    append: Histogram,
    sync: Histogram,
    bytes: Counter,
    position: Gauge,
    batch: Histogram,
}

impl Meters {
    fn new() -> Self {
        Self {
            append: metrics::histogram!("posp_journal_append_seconds"),
            sync: metrics::histogram!("posp_journal_fsync_seconds"),
            bytes: metrics::counter!("posp_journal_bytes_total"),
            position: metrics::gauge!("posp_journal_position"),
            batch: metrics::histogram!("posp_journal_batch_size"),
        }
    }
}

/// The one who writes: one batch at a time, [`Scribe::write`], then [`Scribe::sync`], then
/// [`Scribe::tell`].
pub(super) struct Scribe<S> {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    node: NodeId,
    segment: Segment,
    mark: Mark,
    /// The place after the batch in flight, and when that was written.
    written: Option<(Mark, Instant)>,
    segments: S,
    meters: Meters,
}

impl<S> fmt::Debug for Scribe<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scribe").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl<S: Segments> Scribe<S> {
    pub(super) fn new(
        shared: Arc<Shared>,
        (disk, node): (Arc<dyn Disk>, NodeId),
        segment: Segment,
        segments: S,
    ) -> Self {
        let (mark, meters) = (shared.durable(), Meters::new());
        meters.position.set(mark.lsn as f64);
        Self { shared, disk, node, segment, mark, written: None, segments, meters }
    }

    /// Writes until the queue is closed and empty, or the disk fails.
    pub(super) fn run(mut self, on_loss: &OnLoss) {
        let path = self.segment.path.clone();
        let result = catch_unwind(AssertUnwindSafe(|| self.write_all())).unwrap_or_else(|_panic| {
            Err(Loss { path, source: io::Error::other("the writing thread panicked") })
        });
        match result {
            Ok(()) => self.shared.queue.end(Status::Closed),
            Err(loss) => {
                self.shared.queue.end(Status::Lost);
                on_loss(&loss);
            }
        }
    }

    fn write_all(&mut self) -> Result<(), Loss> {
        while let Some(mut pending) = self.shared.queue.take() {
            self.write(&mut pending)?;
            self.sync()?;
            let count = pending.count;
            self.tell(pending);
            if count >= LARGE {
                thread::sleep(GATHER_EACH.saturating_mul(count).min(GATHER_MAX));
            }
        }
        self.end()
    }

    /// Writes an empty batch at the end: what was damaged since then is not taken for half
    /// written.
    pub(super) fn end(&mut self) -> Result<(), Loss> {
        self.write(&mut Pending::new())?;
        self.sync()?;
        self.shared.publish(self.mark);
        Ok(())
    }

    /// Writes a batch, which is not durable before the next sync. If there is no segment for it,
    /// nothing has changed.
    pub(super) fn write(&mut self, pending: &mut Pending) -> Result<(), Loss> {
        let length = pending.bytes.len().next_multiple_of(batch::SECTOR) as u64;
        let mut start = self.mark.end;
        if self.mark.segment != self.segment.number {
            start = FILE_HEADER;
        }
        // One that was made under smaller sizes may be too short, and is passed over.
        while start.saturating_add(length) > self.segment.length {
            let is_closing = || self.shared.queue.status() != Status::Open;
            let next = self.segments.next(&is_closing);
            self.segment = next.map_err(|source| self.loss(source))?;
            start = FILE_HEADER;
        }
        let place = (self.node, self.segment.number, start);
        let after = batch::seal(&mut pending.bytes, pending.count, self.mark, place);
        self.disk
            .write_all_at(&self.segment.file, &pending.bytes, start)
            .map_err(|source| self.loss(source))?;
        self.written = Some((after, Instant::now()));
        Ok(())
    }

    /// Waits until the batch that was written is durable.
    pub(super) fn sync(&mut self) -> Result<(), Loss> {
        let Some((after, written)) = self.written.take() else { return Ok(()) };
        if !faults::is_planted(Fault::SyncSkipped) {
            let mut synced = self.disk.sync_data(&self.segment.file);
            if synced.is_err() && faults::is_planted(Fault::SyncRetried) {
                synced = self.disk.sync_data(&self.segment.file);
            }
            synced.map_err(|source| self.loss(source))?;
        }
        self.meters.sync.record(written.elapsed());
        self.mark = after;
        Ok(())
    }

    /// Tells everybody that the batch is durable, and gives its buffer back.
    pub(super) fn tell(&self, pending: Pending) {
        self.shared.publish(self.mark);
        if let Some(began) = pending.began {
            self.meters.append.record(began.elapsed());
        }
        self.shared.tell(&pending.writers, Lsn(self.mark.lsn));
        self.meters.bytes.increment(pending.bytes.len() as u64);
        self.meters.position.set(self.mark.lsn as f64);
        self.meters.batch.record(f64::from(pending.count));
        self.shared.queue.recycle(pending);
    }

    fn loss(&self, source: io::Error) -> Loss {
        Loss { path: self.segment.path.clone(), source }
    }
}

/// A writer of an [`crate::EmbeddedJournal`]. Encodes and chains in the thread of its owner; the
/// lock it shares with the others is held for one copy of the record.
#[derive(Debug)]
pub struct EmbeddedWriter {
    shared: Arc<Shared>,
    number: usize,
    /// The batch that knows already that it holds entries of this writer.
    seen: u64,
    tails: Positions,
    buffer: Vec<u8>,
}

impl EmbeddedWriter {
    pub(super) fn new(shared: Arc<Shared>, listener: Listener) -> Self {
        let mut listeners = shared.listeners();
        let number = listeners.len();
        listeners.push(listener);
        drop(listeners);
        let tails = shared.queue.tails();
        Self { shared, number, seen: 0, tails, buffer: Vec::new() }
    }
}

impl Commit for EmbeddedWriter {
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError> {
        let tail = self.tails.get_mut(shard.index()).expect("there is a place for every shard");
        let expected = tail.0.saturating_add(1);
        if seq != expected {
            return Err(CommitError::OutOfOrder { shard, expected, got: seq });
        }
        let chain = record::encode(&mut self.buffer, tail.1, (shard, seq), event);
        let (before, after) = (*tail, (seq, chain));
        let offer = Offer { shard, before, after, record: &self.buffer };
        let lsn = self.shared.queue.offer((self.number, &mut self.seen), &offer)?;
        *tail = after;
        Ok(lsn)
    }

    fn can_conflict(&self) -> bool {
        false
    }

    fn adopt(&mut self, shard: ShardNo, seq: u64, chain: Chain) {
        let tail = self.tails.get_mut(shard.index()).expect("there is a place for every shard");
        *tail = (seq, chain);
    }
}
