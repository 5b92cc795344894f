//! The thread that follows the journal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use domain::books::Books;
use metrics::{Counter, Gauge};

use super::row::Place;
use super::sqlite::{Ledger, LedgerError};
use super::{DrainOptions, Status, Wish};
use crate::batch::Mark;
use crate::chain::Positions;
use crate::embedded::{self, Base, Source};
use crate::fault::JournalFault;
use crate::segment;
use crate::snapshot;
use crate::walk::{Step, Walk};

/// How often the thread looks for more.
const POLL: Duration = Duration::from_millis(10);
/// How long after a failure the next attempt is made.
const RETRY: Duration = Duration::from_secs(1);
/// How many entries are folded before the ledger has its turn.
const FOLD: u64 = 20_000;
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
    let before = walk.mark();
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
        Step::Bad(place) => Err(FollowError::Journal(JournalFault::Gap {
            path: segment::path(walk.journal(), place.segment),
            offset: place.offset,
            what: if before.lsn < limit.lsn { "it was durable and is gone" } else { "it is gone" },
        })),
    }
}

/// The state as the thread folds it for itself.
#[derive(Debug)]
pub(crate) struct Shadow {
    books: Books,
    positions: Positions,
    walk: Walk,
    /// The last entry of the last snapshot, and when that was written.
    snapshot: (u64, Instant),
}

impl Shadow {
    pub(crate) fn load(source: &Source) -> Result<Self, JournalFault> {
        let Base { mark, positions, books, .. } = embedded::base(&source.paths, source.node)?;
        let walk = Walk::new(&source.paths.journal(), source.node, mark);
        Ok(Self { books, positions, walk, snapshot: (mark.lsn, Instant::now()) })
    }

    pub(crate) fn advance(&mut self, limit: Mark) -> Result<(), FollowError> {
        let goal = self.walk.mark().lsn.saturating_add(FOLD);
        let Self { books, positions, walk, .. } = self;
        while walk.mark().lsn < goal
            && visit(walk, limit, positions, &mut |place, event| {
                books.apply(place.shard, event);
                Ok(())
            })?
        {}
        Ok(())
    }

    pub(crate) fn write_snapshot(&mut self, source: &Source) -> Result<(), JournalFault> {
        let mark = self.walk.anchor();
        // Whatever comes of it: not again before the next is due.
        self.snapshot = (mark.lsn, Instant::now());
        let place = (mark, &self.positions);
        let dir = source.paths.snapshots();
        let path = snapshot::write(&*source.disk, &dir, source.node, place, &self.books)?;
        tracing::info!(path = %path.display(), entries = mark.lsn, "snapshot written");
        Ok(())
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
    shadow: Option<Shadow>,
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
        let (shadow, moments, failed) = (None, VecDeque::new(), None);
        Self { source, options, sink, shadow, status, meters, moments, failed }
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

    /// Returns where ledger and state stand.
    fn places(&self) -> (Option<u64>, Option<u64>) {
        let shadow = self.shadow.as_ref().map(|shadow| shadow.walk.mark().lsn);
        (self.sink.as_ref().map(Sink::position), shadow)
    }

    fn is_through(&self) -> bool {
        let durable = self.source.durable_lsn();
        let (sink, shadow) = self.places();
        sink.is_none_or(|lsn| lsn >= durable) && shadow.is_some_and(|lsn| lsn >= durable)
    }

    fn advance(&mut self, wish: Wish) -> Result<(), FollowError> {
        let limit = self.source.durable();
        let sunk = self.advance_sink(limit, wish);
        // What keeps the ledger back does not keep snapshots back.
        self.advance_shadow(limit)?;
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

    fn advance_shadow(&mut self, limit: Mark) -> Result<(), FollowError> {
        let shadow = match &mut self.shadow {
            Some(shadow) => shadow,
            none => none.insert(Shadow::load(&self.source)?),
        };
        shadow.advance(limit)?;
        let (last, at) = shadow.snapshot;
        let news = shadow.walk.mark().lsn.saturating_sub(last);
        let is_due = news >= self.options.snapshot_entries
            || news > 0 && at.elapsed() >= self.options.snapshot_interval;
        if is_due {
            shadow.write_snapshot(&self.source)?;
        }
        Ok(())
    }

    fn last_snapshot(&mut self) {
        if let Some(shadow) = &mut self.shadow
            && shadow.walk.mark().lsn > shadow.snapshot.0
            && let Err(error) = shadow.write_snapshot(&self.source)
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
        let (sink, shadow) = self.places();
        let position = sink.or(shadow).unwrap_or(0);
        self.status.position.store(position, Ordering::Release);
        let durable = self.source.durable_lsn();
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
