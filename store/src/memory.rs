//! A journal in memory, for simulations: no thread, no clock, and crashes on demand.
//!
//! Nothing happens between two calls. What is submitted waits until [`MemoryJournal::sync`]; a
//! crash forgets what waits, as a crash of the embedded journal does: its last batch stays whole
//! or goes whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::books::Books;
use domain::shard::Event;
use domain::terms::{SHARDS, ShardNo};

use crate::chain::{Chain, Positions};
use crate::commit::{Commit, CommitError, Entry, Lsn, Outcome, Recovered, RecoveryReport};
use crate::record;

/// A journal in memory. Its clones are the same journal.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    state: Arc<Mutex<State>>,
}

type Listener = Arc<Mutex<dyn Fn(Outcome) + Send>>;

struct State {
    is_shared: bool,
    /// Counts crashes: a writer of an earlier life is dead.
    life: u64,
    is_lost: bool,
    is_closed: bool,
    fails_next_sync: bool,
    lies_about_sync: bool,
    submitted: u64,
    durable: u64,
    /// The entry of each shard that the next must follow, durable or not.
    tails: Positions,
    waiting: Vec<(usize, Lsn, Entry)>,
    /// Told to be durable, but not kept: the disk lied.
    feigned: Vec<Entry>,
    kept: Vec<Entry>,
    contests: BTreeMap<(usize, ShardNo), Contest>,
    listeners: Vec<Listener>,
}

/// A shard on which a writer submits behind another's back.
struct Contest {
    from: Lsn,
    from_seq: u64,
    is_told: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            is_shared: false,
            life: 0,
            is_lost: false,
            is_closed: false,
            fails_next_sync: false,
            lies_about_sync: false,
            submitted: 0,
            durable: 0,
            tails: [(0, Chain::GENESIS); SHARDS],
            waiting: Vec::new(),
            feigned: Vec::new(),
            kept: Vec::new(),
            contests: BTreeMap::new(),
            listeners: Vec::new(),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("submitted", &self.submitted)
            .field("durable", &self.durable)
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}

impl MemoryJournal {
    /// Returns an empty journal whose writers are alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty journal whose writers may meet others: see [`MemoryJournal::contest`].
    #[must_use]
    pub fn shared() -> Self {
        let journal = Self::default();
        journal.state().is_shared = true;
        journal
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a writer whose outcomes `listener` is told, within [`MemoryJournal::sync`].
    pub fn writer(&self, listener: impl Fn(Outcome) + Send + 'static) -> MemoryWriter {
        let mut state = self.state();
        let id = state.listeners.len();
        state.listeners.push(Arc::new(Mutex::new(listener)));
        let (life, positions) = (state.life, state.tails);
        drop(state);
        MemoryWriter { journal: self.clone(), id, life, positions, buffer: Vec::new() }
    }

    /// Makes durable what was submitted before, and tells the writers: first what was not taken,
    /// then what is durable. A writer of which nothing was submitted since the last time is told
    /// nothing.
    ///
    /// # Errors
    /// `Lost` if the sync fails, now or before: nobody is told anything any more.
    pub fn sync(&self) -> Result<Lsn, CommitError> {
        let mut told = Vec::new();
        let mut state = self.state();
        if std::mem::take(&mut state.fails_next_sync) {
            state.is_lost = true;
        }
        if state.is_lost {
            return Err(CommitError::Lost);
        }
        state.tell_contests(&mut told);
        let synced = std::mem::take(&mut state.waiting);
        let upto = Lsn(state.submitted);
        state.durable = upto.0;
        let mut writers: Vec<usize> = synced.iter().map(|&(writer, _, _)| writer).collect();
        writers.sort_unstable();
        writers.dedup();
        told.extend(writers.into_iter().map(|writer| (writer, Outcome::Durable { upto })));
        let synced = synced.into_iter().map(|(_, _, entry)| entry);
        if state.lies_about_sync {
            state.feigned.extend(synced);
        } else {
            let feigned = std::mem::take(&mut state.feigned);
            state.kept.extend(feigned.into_iter().chain(synced));
        }
        let listeners = state.listeners.clone();
        drop(state);
        for (writer, outcome) in told {
            if let Some(listener) = listeners.get(writer) {
                listener.lock().unwrap_or_else(PoisonError::into_inner)(outcome);
            }
        }
        Ok(upto)
    }

    /// Crashes: every writer is dead, and what was not durable is gone, except that a last batch
    /// that was on its way may have arrived whole. `keep_seed` decides how much of what waited
    /// was on its way, and whether it arrived; 0 loses all of it.
    ///
    /// Returns the entries that a replay finds. The journal goes on after them: make new writers.
    pub fn crash(&self, keep_seed: u64) -> Vec<Entry> {
        let mut state = self.state();
        let waiting = std::mem::take(&mut state.waiting);
        // A batch that follows feigned ones does not fit what is left, and is cut off too.
        if keep_seed != 0 && state.feigned.is_empty() {
            let choices = u64::try_from(waiting.len()).unwrap_or(u64::MAX).saturating_add(1);
            let kept = usize::try_from(mix(keep_seed).rem_euclid(choices)).unwrap_or(usize::MAX);
            state.kept.extend(waiting.into_iter().take(kept).map(|(_, _, entry)| entry));
        }
        let (kept, is_shared) = (std::mem::take(&mut state.kept), state.is_shared);
        let (life, lies_about_sync) = (state.life.saturating_add(1), state.lies_about_sync);
        let count = u64::try_from(kept.len()).unwrap_or(u64::MAX);
        *state = State { is_shared, life, lies_about_sync, kept, ..State::default() };
        (state.submitted, state.durable) = (count, count);
        state.tails = tails_of(&state.kept);
        state.kept.clone()
    }

    /// Makes the next sync fail, and with it everything after.
    pub fn fail_next_sync(&self) {
        self.state().fails_next_sync = true;
    }

    /// Plants the fault that no test of this kind may miss: while on, a sync tells that all is
    /// durable and keeps nothing. An honest sync later keeps that too, as a disk cache would.
    pub fn lie_about_sync(&self, on: bool) {
        self.state().lies_about_sync = on;
    }

    /// Lets another writer be first on `shard`: `events` follow its last durable entry, and what
    /// waits there is not taken. The writer who submits to it is told at the next sync.
    ///
    /// # Panics
    /// If the journal is not [`MemoryJournal::shared`].
    pub fn contest(&self, shard: ShardNo, events: &[Event]) {
        let mut state = self.state();
        assert!(state.is_shared, "only a shared journal has other writers");
        let waiting = std::mem::take(&mut state.waiting);
        let (lost, waiting) = waiting.into_iter().partition(|(_, _, entry)| entry.shard == shard);
        state.waiting = waiting;
        let lost: Vec<(usize, Lsn, Entry)> = lost;
        for (writer, lsn, entry) in lost {
            state.refuse(writer, lsn, (entry.shard, entry.seq));
        }
        let stored = state.kept.iter().chain(&state.feigned).rfind(|entry| entry.shard == shard);
        let mut tail = stored.map_or((0, Chain::GENESIS), |entry| (entry.seq, entry.chain));
        let mut buffer = Vec::new();
        for event in events {
            let seq = tail.0.saturating_add(1);
            let chain = record::encode(&mut buffer, tail.1, (shard, seq), event);
            let entry = Entry { shard, seq, chain, event: event.clone() };
            if state.feigned.is_empty() {
                state.kept.push(entry);
            } else {
                state.feigned.push(entry);
            }
            tail = (seq, chain);
        }
        *tail_of(&mut state.tails, shard) = tail;
    }

    /// Takes no more entries. What waits is not made durable: sync first.
    pub fn close(&self) {
        self.state().is_closed = true;
    }

    /// Returns the last entry that was submitted.
    #[must_use]
    pub fn submitted(&self) -> Lsn {
        Lsn(self.state().submitted)
    }

    /// Returns the last entry that was told to be durable.
    #[must_use]
    pub fn durable(&self) -> Lsn {
        Lsn(self.state().durable)
    }

    /// Returns every entry that a crash at this moment would keep for certain.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.state().kept.clone()
    }

    /// Folds what a crash at this moment would keep for certain, as a start does.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        let state = self.state();
        let mut books = Books::default();
        state.kept.iter().for_each(|entry| books.apply(entry.shard, &entry.event));
        let entries = u64::try_from(state.kept.len()).unwrap_or(u64::MAX);
        let report = RecoveryReport { replayed: entries, ..RecoveryReport::default() };
        Recovered { books, positions: tails_of(&state.kept), entries, report }
    }
}

impl State {
    fn refuse(&mut self, writer: usize, from: Lsn, (shard, from_seq): (ShardNo, u64)) {
        let contest = Contest { from, from_seq, is_told: false };
        self.contests.entry((writer, shard)).or_insert(contest);
    }

    fn tell_contests(&mut self, told: &mut Vec<(usize, Outcome)>) {
        let Self { contests, kept, feigned, .. } = self;
        for (&(writer, shard), contest) in contests.iter_mut().filter(|(_, c)| !c.is_told) {
            contest.is_told = true;
            let newer = kept
                .iter()
                .chain(feigned.iter())
                .filter(|entry| entry.shard == shard && entry.seq >= contest.from_seq)
                .cloned()
                .collect();
            told.push((writer, Outcome::Conflict { shard, from: contest.from, newer }));
        }
    }
}

fn tails_of(entries: &[Entry]) -> Positions {
    let mut tails = [(0, Chain::GENESIS); SHARDS];
    entries.iter().for_each(|e| *tail_of(&mut tails, e.shard) = (e.seq, e.chain));
    tails
}

fn tail_of(tails: &mut Positions, shard: ShardNo) -> &mut (u64, Chain) {
    tails.get_mut(shard.index()).expect("there is a place for every shard")
}

/// Spreads a seed over 64 bits (the finaliser of SplitMix64).
const fn mix(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A writer of a [`MemoryJournal`].
pub struct MemoryWriter {
    journal: MemoryJournal,
    id: usize,
    life: u64,
    positions: Positions,
    buffer: Vec<u8>,
}

impl fmt::Debug for MemoryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWriter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Commit for MemoryWriter {
    fn submit(&mut self, shard: ShardNo, seq: u64, event: &Event) -> Result<Lsn, CommitError> {
        let before = *tail_of(&mut self.positions, shard);
        let expected = before.0.saturating_add(1);
        if seq != expected {
            return Err(CommitError::OutOfOrder { shard, expected, got: seq });
        }
        let chain = record::encode(&mut self.buffer, before.1, (shard, seq), event);
        let mut state = self.journal.state();
        if state.is_closed || state.life != self.life {
            return Err(CommitError::Closed);
        }
        if state.is_lost {
            return Err(CommitError::Lost);
        }
        let tail = *tail_of(&mut state.tails, shard);
        let is_contested = tail != before || state.contests.contains_key(&(self.id, shard));
        if is_contested && !state.is_shared {
            return Err(CommitError::Shared { shard });
        }
        state.submitted = state.submitted.saturating_add(1);
        let lsn = Lsn(state.submitted);
        if is_contested {
            state.refuse(self.id, lsn, (shard, seq));
        } else {
            let entry = Entry { shard, seq, chain, event: event.clone() };
            state.waiting.push((self.id, lsn, entry));
            *tail_of(&mut state.tails, shard) = (seq, chain);
        }
        drop(state);
        *tail_of(&mut self.positions, shard) = (seq, chain);
        Ok(lsn)
    }

    fn can_conflict(&self) -> bool {
        self.journal.state().is_shared
    }

    fn adopt(&mut self, shard: ShardNo, seq: u64, chain: Chain) {
        *tail_of(&mut self.positions, shard) = (seq, chain);
        self.journal.state().contests.remove(&(self.id, shard));
    }
}
