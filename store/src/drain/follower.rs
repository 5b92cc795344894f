//! The thread that follows the journal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge};

use super::row::Place;
use super::snapshots::Snapshots;
use super::sqlite::{Ledger, LedgerError};
use super::{DrainOptions, Status, Wish};
use crate::batch::Mark;
use crate::chain::Positions;
use crate::embedded::Source;
use crate::fault::JournalFault;
use crate::segment;
use crate::walk::{Place as Spot, Step, Walk};

/// How often the thread looks for more.
const POLL: Duration = Duration::from_millis(10);
/// How long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);
/// Beyond so many bytes of the last snapshot, the next waits for one more entry for each
/// [`BYTES_PER_ENTRY`]: what all snapshots write stays in proportion to what the journal does,
/// however many cards there are.
const SNAPSHOT_SMALL: u64 = 64 << 20;
const BYTES_PER_ENTRY: u64 = 256;
/// How many entries the journal takes while this thread works, if it is busy.
const BUSY_ENTRIES: u64 = 500;
/// How many moments are kept to tell the age of what waits.
const MOMENTS: usize = 1024;

/// Why the thread makes no progress.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("the journal: {0}")]
    Journal(#[from] JournalFault),
    #[error("the ledger: {0}")]
    Ledger(#[from] LedgerError),
}

impl FollowError {
    /// Says that what was durable is no batch any more.
    pub(super) fn gone(walk: &Walk, place: Spot) -> Self {
        let path = segment::path(walk.journal(), place.segment);
        let what = "it was durable and is gone";
        Self::Journal(JournalFault::Gap { path, offset: place.offset, what })
    }
}

/// The ledger and its place in the journal.
#[derive(Debug)]
pub(super) struct Sink {
    ledger: Ledger,
    walk: Walk,
    committed: Instant,
}

impl Sink {
    pub(super) fn new(ledger: Ledger, walk: Walk) -> Self {
        Self { ledger, walk, committed: Instant::now() }
    }

    pub(super) const fn position(&self) -> u64 {
        self.ledger.reached().mark.lsn
    }

    /// Writes about `entries_max` entries up to `limit`, in one transaction.
    fn advance(
        &mut self,
        source: &Source,
        limit: Mark,
        entries_max: u64,
    ) -> Result<(), FollowError> {
        let result = self.write(limit, entries_max);
        self.committed = Instant::now();
        if result.is_err() {
            // Whether or not the commit went through is for the ledger to say.
            self.ledger.abandon(source.node)?;
            let mark = self.ledger.reached().mark;
            self.walk = Walk::new(&source.paths.journal(), source.node, mark);
        }
        result
    }

    fn write(&mut self, limit: Mark, entries_max: u64) -> Result<(), FollowError> {
        let Self { ledger, walk, .. } = self;
        let mut tails = ledger.reached().tails;
        let goal = walk.mark().lsn.saturating_add(entries_max);
        ledger.begin()?;
        while walk.mark().lsn < goal
            && visit(walk, limit, &mut tails, &mut |place, event| ledger.put(place, event))?
        {
        }
        ledger.commit(walk.anchor(), &tails)?;
        Ok(())
    }
}

/// Takes the next batch up to `limit`, if there is one, and hands its entries to `take`.
fn visit(
    walk: &mut Walk,
    limit: Mark,
    tails: &mut Positions,
    take: &mut dyn FnMut(Place, &domain::shard::Event) -> Result<(), LedgerError>,
) -> Result<bool, FollowError> {
    match walk.next(Some(limit))? {
        Step::Batch(batch) => {
            let mut taken = Ok(());
            batch.visit(tails, &mut |lsn, record, event| {
                if taken.is_ok() {
                    let place =
                        Place { lsn, shard: record.shard, seq: record.seq, chain: record.chain };
                    taken = take(place, &event);
                }
            })?;
            taken?;
            Ok(true)
        }
        Step::End => Ok(false),
        Step::Bad(place) => Err(FollowError::gone(walk, place)),
    }
}

/// The handles of the drain's metrics.
struct Meters {
    lag: Gauge,
    age: Gauge,
    errors: Counter,
}

/// The thread's own.
pub(super) struct Follower {
    source: Source,
    options: DrainOptions,
    sink: Option<Sink>,
    snapshots: Option<Snapshots>,
    status: Arc<Status>,
    meters: Meters,
    /// What was durable when, as far as it is not yet in the ledger.
    moments: VecDeque<(Instant, u64)>,
    failed: Option<Instant>,
}

impl Follower {
    pub(super) fn new(
        source: Source,
        options: DrainOptions,
        sink: Option<Sink>,
        status: Arc<Status>,
    ) -> Self {
        let meters = Meters {
            lag: metrics::gauge!("posp_writebehind_lag_records"),
            age: metrics::gauge!("posp_writebehind_lag_seconds"),
            errors: metrics::counter!("posp_writebehind_errors_total", "sink" => "sqlite"),
        };
        let (snapshots, moments, failed) = (None, VecDeque::new(), None);
        Self { source, options, sink, snapshots, status, meters, moments, failed }
    }

    pub(super) fn run(mut self) {
        crate::lower_priority();
        loop {
            let wish = *self.status.wish();
            if wish == Wish::Stop {
                return;
            }
            let before = self.places();
            let (begun, durable) = (Instant::now(), self.source.durable_lsn());
            if wish == Wish::StopWhenDrained {
                crate::restore_priority();
            }
            let is_resting = self.failed.is_some_and(|at| at.elapsed() < RETRY);
            if !is_resting || wish == Wish::StopWhenDrained {
                let result = self.advance(wish);
                self.note(result.err());
            }
            self.measure();
            if wish == Wish::StopWhenDrained && (self.failed.is_some() || self.is_through()) {
                self.last_snapshot();
                return;
            }
            if self.places() == before {
                thread::park_timeout(POLL);
            } else if wish == Wish::GoOn
                && self.source.durable_lsn().saturating_sub(durable) > BUSY_ENTRIES
            {
                // Answers come first: while the journal grows fast, work half of the time.
                thread::park_timeout(begun.elapsed());
            }
        }
    }

    /// Returns where the ledger and the last snapshot stand.
    fn places(&self) -> (Option<u64>, Option<u64>) {
        (self.sink.as_ref().map(Sink::position), self.snapshots.as_ref().map(Snapshots::lsn))
    }

    fn is_through(&self) -> bool {
        let durable = self.source.durable_lsn();
        self.sink.as_ref().is_none_or(|sink| sink.position() >= durable)
    }

    fn advance(&mut self, wish: Wish) -> Result<(), FollowError> {
        let limit = self.source.durable();
        let sunk = self.advance_sink(limit, wish);
        // What keeps the ledger back does not keep snapshots back.
        self.snapshot_if_due(limit)?;
        sunk
    }

    fn advance_sink(&mut self, limit: Mark, wish: Wish) -> Result<(), FollowError> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let lag = limit.lsn.saturating_sub(sink.position());
        let is_due = lag >= self.options.entries_max
            || wish == Wish::StopWhenDrained
            || sink.committed.elapsed() >= self.options.wait;
        if lag > 0 && is_due {
            sink.advance(&self.source, limit, self.options.entries_max)?;
        }
        Ok(())
    }

    fn snapshot_if_due(&mut self, limit: Mark) -> Result<(), FollowError> {
        let snapshots = match &mut self.snapshots {
            Some(snapshots) => snapshots,
            none => none.insert(Snapshots::new(&self.source)?),
        };
        let news = limit.lsn.saturating_sub(snapshots.lsn());
        let beyond = snapshots.length().saturating_sub(SNAPSHOT_SMALL);
        let large = beyond.checked_div(BYTES_PER_ENTRY).unwrap_or(0);
        let is_due = news >= self.options.snapshot_entries.max(large)
            || news > 0 && snapshots.at().elapsed() >= self.options.snapshot_interval;
        let is_wanted = || *self.status.wish() == Wish::GoOn;
        // Before an end there is one more, when the ledger is through.
        if is_due && is_wanted() {
            snapshots.write(&self.source, limit, &is_wanted)?;
        }
        Ok(())
    }

    fn last_snapshot(&mut self) {
        let limit = self.source.durable();
        let is_wanted = || *self.status.wish() != Wish::Stop;
        if let Some(snapshots) = &mut self.snapshots
            && limit.lsn > snapshots.lsn()
            && let Err(error) = snapshots.write(&self.source, limit, &is_wanted)
        {
            tracing::error!(%error, "no snapshot at the end; the next start takes longer");
        }
    }

    fn note(&mut self, error: Option<FollowError>) {
        let message = error.map(|error| error.to_string());
        if let Some(message) = &message {
            self.meters.errors.increment(1);
            tracing::error!(error = %message, "the drain makes no progress, and tries again");
        }
        self.failed = message.is_some().then(Instant::now);
        *self.status.error() = message;
    }

    /// Tells the handle and the metrics where the drain is.
    fn measure(&mut self) {
        let durable = self.source.durable_lsn();
        // Without a ledger there is nothing that could be behind.
        let position = self.sink.as_ref().map_or(durable, Sink::position);
        self.status.position.store(position, Ordering::Release);
        let last = self.moments.back().map_or(position, |&(_, lsn)| lsn);
        // When many wait already, the last of them are not told apart.
        if durable > last && self.moments.len() < MOMENTS {
            self.moments.push_back((Instant::now(), durable));
        }
        while self.moments.front().is_some_and(|&(_, lsn)| lsn <= position) {
            self.moments.pop_front();
        }
        let since = self.moments.front().map(|&(at, _)| at);
        *self.status.behind_since() = since;
        self.meters.lag.set(durable.saturating_sub(position) as f64);
        self.meters.age.set(since.map_or(0.0, |since| since.elapsed().as_secs_f64()));
    }
}
