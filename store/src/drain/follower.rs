//! The threads that follow the journal.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

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
/// The longest pause between steps: one may have taken long for want of a processor only.
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// How old what waits for the ledger may grow while the work waits for idle processors.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many times as many entries as a snapshot is due with make it overdue.
const OVERDUE: u64 = 4;
/// How many entries the journal takes while a thread works, if it is busy.
const BUSY_ENTRIES: u64 = 500;
/// How many moments are kept to tell the age of what waits.
const MOMENTS: usize = 1024;

/// Why the drain makes no progress.
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

/// What a thread that follows does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    /// What can wait for idle processors.
    Idle,
    /// What cannot.
    Pressing,
    /// All of it.
    Any,
}

/// What comes after a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    /// Another one at once.
    Now,
    /// Another one after a pause.
    After(Duration),
    /// None.
    End,
}

/// What the threads that follow share.
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

    /// Follows the journal until it is told to stop. The work is done by a thread of its own that
    /// runs when no other wants to, and by this one where the next step must not wait for that: to
    /// take a usual priority back is a privilege.
    pub(super) fn run(self) {
        let shared = Mutex::new(self);
        thread::scope(|scope| {
            let idle = thread::Builder::new().name("posp-drain-idle".to_owned());
            let follow_idly = || {
                lower_priority();
                Self::follow(&shared, Turn::Idle);
            };
            match idle.spawn_scoped(scope, follow_idly) {
                Ok(idle) => {
                    Self::follow(&shared, Turn::Pressing);
                    idle.thread().unpark();
                }
                Err(error) => {
                    tracing::warn!(%error, "the ledger is written at the usual priority");
                    Self::follow(&shared, Turn::Any);
                }
            }
        });
    }

    /// Takes steps whenever it is this thread's turn.
    fn follow(shared: &Mutex<Self>, turn: Turn) {
        // What the other thread left when it panicked is good for nothing.
        while let Ok(mut follower) = shared.lock() {
            let wish = *follower.status.wish();
            if wish == Wish::Stop || wish == Wish::StopWhenDrained && turn == Turn::Idle {
                return;
            }
            let limit = follower.source.durable();
            // The idle thread may not have had a processor for long.
            follower.measure();
            let is_pressing = follower.is_pressing(limit, wish);
            let is_turn = match turn {
                Turn::Idle => !is_pressing,
                Turn::Pressing => is_pressing,
                Turn::Any => true,
            };
            let next = if is_turn { follower.step(limit, wish) } else { Next::After(POLL) };
            drop(follower);
            match next {
                Next::End => return,
                Next::Now => {}
                Next::After(pause) => thread::park_timeout(pause),
            }
        }
    }

    /// Does what is due.
    fn step(&mut self, limit: Mark, wish: Wish) -> Next {
        let (begun, before) = (Instant::now(), self.places());
        let is_resting = self.failed.is_some_and(|at| at.elapsed() < RETRY);
        if !is_resting || wish == Wish::StopWhenDrained {
            let result = self.advance(limit, wish);
            self.note(result.err());
        }
        self.measure();
        if wish == Wish::StopWhenDrained && (self.failed.is_some() || self.is_through()) {
            self.last_snapshot();
            return Next::End;
        }
        if self.places() == before {
            return Next::After(POLL);
        }
        let grown = self.source.durable_lsn().saturating_sub(limit.lsn);
        if wish == Wish::GoOn && grown > BUSY_ENTRIES {
            // Answers come first: while the journal grows fast, work half of the time.
            return Next::After(begun.elapsed().min(PAUSE_MAX));
        }
        Next::Now
    }

    /// Returns where the ledger and the last snapshot stand.
    fn places(&self) -> (Option<u64>, Option<u64>) {
        (self.sink.as_ref().map(Sink::position), self.snapshots.as_ref().map(Snapshots::lsn))
    }

    fn is_through(&self) -> bool {
        let durable = self.source.durable_lsn();
        self.sink.as_ref().is_none_or(|sink| sink.position() >= durable)
    }

    /// True if it must not wait for idle processors. A ledger that cannot be written gains nothing
    /// by it.
    fn is_pressing(&self, limit: Mark, wish: Wish) -> bool {
        let is_late = |(at, _): &(Instant, u64)| at.elapsed() >= PATIENCE;
        let is_overdue = |snapshots: &Snapshots| {
            snapshots.news(limit) >= self.snapshot_due(snapshots).saturating_mul(OVERDUE)
        };
        wish == Wish::StopWhenDrained
            || self.failed.is_none() && self.moments.front().is_some_and(is_late)
            || self.snapshots.as_ref().is_some_and(is_overdue)
    }

    fn advance(&mut self, limit: Mark, wish: Wish) -> Result<(), FollowError> {
        let sunk = self.advance_sink(limit, wish);
        // What keeps the ledger back does not keep snapshots back.
        self.snapshot_if_due(limit)?;
        sunk
    }

    fn is_sink_due(&self, limit: Mark, wish: Wish) -> bool {
        self.sink.as_ref().is_some_and(|sink| {
            let lag = limit.lsn.saturating_sub(sink.position());
            let is_due = lag >= self.options.entries_max
                || wish == Wish::StopWhenDrained
                || sink.committed.elapsed() >= self.options.wait;
            lag > 0 && is_due
        })
    }

    fn advance_sink(&mut self, limit: Mark, wish: Wish) -> Result<(), FollowError> {
        let is_due = self.is_sink_due(limit, wish);
        match &mut self.sink {
            Some(sink) if is_due => sink.advance(&self.source, limit, self.options.entries_max),
            _ => Ok(()),
        }
    }

    /// Returns with how many entries the next snapshot is due.
    fn snapshot_due(&self, snapshots: &Snapshots) -> u64 {
        let beyond = snapshots.length().saturating_sub(SNAPSHOT_SMALL);
        self.options.snapshot_entries.max(beyond.checked_div(BYTES_PER_ENTRY).unwrap_or(0))
    }

    fn is_snapshot_due(&self, limit: Mark) -> bool {
        self.snapshots.as_ref().is_none_or(|snapshots| {
            let news = snapshots.news(limit);
            news >= self.snapshot_due(snapshots)
                || news > 0 && snapshots.at().elapsed() >= self.options.snapshot_interval
        })
    }

    fn snapshot_if_due(&mut self, limit: Mark) -> Result<(), FollowError> {
        if self.snapshots.is_none() {
            self.snapshots = Some(Snapshots::new(&self.source)?);
        }
        let is_due = self.is_snapshot_due(limit);
        let is_wanted = || *self.status.wish() == Wish::GoOn;
        // Before an end there is one more, when the ledger is through.
        match &mut self.snapshots {
            Some(snapshots) if is_due && is_wanted() => {
                snapshots.write(&self.source, limit, &is_wanted)
            }
            _ => Ok(()),
        }
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

/// Lets every other thread of the process go before the calling one, where the system allows it.
/// The idle policy of Linux, not only a high nice value: a thread that is merely nice keeps its
/// processor for a slice of some milliseconds while others wake and wait.
fn lower_priority() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let lowered = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    if let Err(error) = lowered {
        tracing::debug!(%error, "the priority of a background thread stays as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_thread_runs_when_no_other_does() {
        let thread = thread::spawn(|| {
            lower_priority();
            thread_priority::thread_schedule_policy().unwrap()
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(thread.join().unwrap(), idle);
    }
}
