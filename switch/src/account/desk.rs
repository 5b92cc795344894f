//! The shards of one account actor, without the actor: commands in, answers out once durable.
//!
//! A command is decided and applied at once, ahead of its commit, so that the next one sees it.
//! Nobody else does: every answer waits for the entry it rests on, that of an inquiry or of a
//! refusal too.

use std::collections::{BTreeMap, VecDeque};

use domain::shard::{Answer, Command, Event, Shard, Undo};
use domain::terms::{ShardNo, Timestamp};
use store::{Commit, CommitError, Entry, Lsn, Outcome};

/// A command that waits for its entry to become durable. `W` is whoever asked.
struct Waiting<W> {
    lsn: Lsn,
    shard: ShardNo,
    answer: Result<Answer, CommitError>,
    event: Option<Event>,
    again: Option<Again>,
    waiter: W,
}

/// What it takes to decide once more after a conflict. Kept only where there can be one.
struct Again {
    command: Command,
    at: Timestamp,
    undo: Option<Undo>,
}

/// An answer that may be given.
#[derive(Debug)]
pub struct Answered<W> {
    /// The answer; or why nothing was decided, now or ever.
    pub answer: Result<Answer, CommitError>,
    /// What became durable with it, if anything changed.
    pub event: Option<Event>,
    /// Whoever asked.
    pub waiter: W,
}

/// The shards of one account actor.
pub struct Desk<C, W> {
    shards: BTreeMap<ShardNo, Shard>,
    commit: C,
    /// In the order of their entries.
    waiting: VecDeque<Waiting<W>>,
    last: Lsn,
    durable: Lsn,
}

impl<C: Commit, W> Desk<C, W> {
    /// Returns a desk for `shards`, whose entries go to `commit`.
    pub fn new(shards: impl IntoIterator<Item = Shard>, commit: C) -> Self {
        Self {
            shards: shards.into_iter().map(|shard| (shard.no(), shard)).collect(),
            commit,
            waiting: VecDeque::new(),
            last: Lsn(0),
            durable: Lsn(0),
        }
    }

    /// Returns the shards.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values()
    }

    /// Returns how many commands wait for their entry.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Decides and applies `command`; its answer comes from [`Desk::next_answer`] once durable.
    /// If the journal takes nothing more, the command has no effect.
    ///
    /// # Panics
    /// If the shard is not one of this desk: the routing of commands is broken.
    pub fn handle(&mut self, shard: ShardNo, command: Command, at: Timestamp, waiter: W) {
        let state = self.shards.get_mut(&shard).expect("commands go to the desk of their shard");
        let decision = state.decide(&command, at);
        let mut undo = None;
        let mut answer = Ok(decision.answer);
        let mut event = decision.event;
        if let Some(decided) = &event {
            match self.commit.submit(shard, state.seq().saturating_add(1), decided) {
                Ok(lsn) => {
                    self.last = lsn;
                    undo = self.commit.can_conflict().then(|| state.undo_of(decided));
                    state.apply(decided);
                }
                Err(error) => (answer, event) = (Err(error), None),
            }
        }
        let again = self.commit.can_conflict().then_some(Again { command, at, undo });
        self.waiting.push_back(Waiting { lsn: self.last, shard, answer, event, again, waiter });
    }

    /// Takes in what became of entries. Returns what other writers brought about, for whoever
    /// keeps a projection of it.
    #[must_use = "what others brought about belongs into the facts"]
    pub fn on_outcome(&mut self, outcome: Outcome) -> Vec<Event> {
        match outcome {
            Outcome::Durable { upto } => {
                self.durable = self.durable.max(upto);
                Vec::new()
            }
            Outcome::Conflict { shard, from, newer } => {
                self.decide_again(shard, from, &newer);
                newer.into_iter().map(|entry| entry.event).collect()
            }
        }
    }

    /// Returns the next answer that may be given.
    pub fn next_answer(&mut self) -> Option<Answered<W>> {
        if self.waiting.front()?.lsn > self.durable {
            return None;
        }
        let Waiting { answer, event, waiter, .. } = self.waiting.pop_front()?;
        Some(Answered { answer, event, waiter })
    }

    /// Undoes what was applied ahead, takes in the newer state, and decides anew in the old order.
    ///
    /// An answer without an entry of its own rests on the state it saw, so it is decided anew
    /// too, if it came after the first entry that was not taken.
    fn decide_again(&mut self, shard: ShardNo, from: Lsn, newer: &[Entry]) {
        let state = self.shards.get_mut(&shard).expect("outcomes go to the desk of their shard");
        let (mut anew, kept): (VecDeque<_>, VecDeque<_>) =
            self.waiting.drain(..).partition(|w| w.shard == shard && w.lsn >= from);
        self.waiting = kept;
        for waiting in anew.iter_mut().rev() {
            if let Some(undo) = waiting.again.as_mut().and_then(|again| again.undo.take()) {
                state.undo(undo);
            }
        }
        for entry in newer {
            state.apply(&entry.event);
        }
        if let Some(entry) = newer.last() {
            self.commit.adopt(shard, entry.seq, entry.chain);
        }
        for Waiting { again, waiter, .. } in anew {
            let Again { command, at, .. } = again.expect("a commit that conflicts said it can");
            self.handle(shard, command, at, waiter);
        }
    }
}
