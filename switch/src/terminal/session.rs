//! One line to a terminal, or to an acquirer with many, without its socket.
//!
//! Frames, answers of shards and wake-ups go in; [`Session::next_action`] says what to do. There
//! is no clock, no timer and no socket here, so a simulation drives it bare.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::shard::{Answer, Command};
use domain::terms::ShardNo;
use smallvec::SmallVec;

use crate::clock::Moment;
use crate::facts::{Facts, Guard};
use crate::flow::{self, Step, Tell};

/// How long a request waits for what is in flight on its terminal before it is looked at again.
const AGAIN_AFTER: Duration = Duration::from_millis(5);
/// How often it is looked at before it is given up; the terminal sends it again.
const TRIES: u16 = 400;

/// What the one who owns the socket shall do.
#[derive(Debug)]
pub enum Action {
    /// Send a frame.
    Send(Vec<u8>),
    /// Ask a shard, and bring its answer to [`Session::on_answer`].
    Ask(Question),
    /// Call [`Session::on_wake`] with this number after this time.
    WakeAfter(Duration, u64),
}

/// A question for a shard.
#[derive(Debug)]
pub struct Question {
    /// The number to bring back with the answer.
    pub token: u64,
    /// The shard.
    pub shard: ShardNo,
    /// The command.
    pub command: Command,
    /// What is kept until the outcome was taken in.
    pub guard: Guard,
    /// The microsecond after which it is no longer to be decided.
    pub not_after: u64,
}

/// A request that waits.
struct Postponed {
    frame: Vec<u8>,
    arrived: u64,
    tries: u16,
}

/// A request that was asked of its shard.
struct Asked {
    token: u64,
    frame: Vec<u8>,
    tell: Tell,
}

/// How many buffers a line keeps for its next request and answer, and how long the longest is.
const SPARE: usize = 2;
const SPARE_BYTES: usize = 512;

/// One line.
pub struct Session {
    facts: Arc<Facts>,
    next_token: u64,
    /// A terminal has one request in flight, an acquirer's line many, whose answers come nearly in
    /// the order of the questions.
    asked: SmallVec<[Asked; 1]>,
    /// Requests that wait for what is in flight on their terminal.
    postponed: BTreeMap<u64, Postponed>,
    actions: VecDeque<Action>,
    /// Buffers that are used again.
    spare: SmallVec<[Vec<u8>; SPARE]>,
}

impl Session {
    /// Returns the session of a fresh line.
    #[must_use]
    pub fn new(facts: Arc<Facts>) -> Self {
        Self {
            facts,
            next_token: 0,
            asked: SmallVec::new(),
            postponed: BTreeMap::new(),
            actions: VecDeque::new(),
            spare: SmallVec::new(),
        }
    }

    /// Returns how many requests have no answer yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.asked.len().saturating_add(self.postponed.len())
    }

    /// Takes in a frame, without its length, that came in the microsecond `arrived`.
    pub fn on_frame(&mut self, now: Moment, arrived: u64, frame: &[u8]) {
        self.consider(now, frame, (arrived, 0));
    }

    /// Takes in the answer to a question.
    pub fn on_answer(&mut self, now: Moment, token: u64, answer: &Answer) {
        let Some(Asked { frame, tell, .. }) = self.asked_as(token) else { return };
        let room = self.spare.pop().unwrap_or_default();
        if let Some(outgoing) = flow::tell(&self.facts, now, (&frame, &tell), answer, room) {
            self.actions.push_back(Action::Send(outgoing.bytes));
        }
        self.take_back(frame);
    }

    /// Takes in that a question reached no shard: it was not decided, and never will be.
    ///
    /// It is turned away, if that stays true: a refusal that nobody remembers is none, because a copy
    /// that the network held back would be done after the terminal had shown "declined". Otherwise the
    /// terminal gives up waiting and reverses, or asks again.
    pub fn on_refused(&mut self, now: Moment, token: u64) {
        let Some(Asked { frame, tell, .. }) = self.asked_as(token) else { return };
        self.facts.telemetry.shed();
        let room = self.spare.pop().unwrap_or_default();
        if let Some(outgoing) = flow::turn_away(&self.facts, now, (&frame, &tell), room) {
            self.actions.push_back(Action::Send(outgoing.bytes));
        }
        self.take_back(frame);
    }

    /// Takes in that a time is over.
    pub fn on_wake(&mut self, now: Moment, token: u64) {
        if let Some(Postponed { frame, arrived, tries }) = self.postponed.remove(&token) {
            self.consider(now, &frame, (arrived, tries));
        }
    }

    /// Returns the next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        let next = self.actions.pop_front();
        if next.is_none() && self.in_flight() == 0 {
            // Thousands of lines are idle: what a burst took is given back.
            self.actions.shrink_to(1);
        }
        next
    }

    /// Takes back the buffer of an answer that was sent, to use it again.
    pub fn take_back(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < SPARE && (1..=SPARE_BYTES).contains(&buffer.capacity()) {
            self.spare.push(buffer);
        }
    }

    /// Takes out what was asked under a number.
    fn asked_as(&mut self, token: u64) -> Option<Asked> {
        let place = self.asked.iter().position(|asked| asked.token == token)?;
        let asked = self.asked.swap_remove(place);
        if self.asked.is_empty() {
            self.asked.shrink_to_fit();
        }
        Some(asked)
    }

    /// Considers a request that came at `arrived` and was postponed `tries` times.
    fn consider(&mut self, now: Moment, frame: &[u8], (arrived, tries): (u64, u16)) {
        match flow::gather(&self.facts, now, arrived, frame) {
            Step::Answer(outgoing) => self.actions.push_back(Action::Send(outgoing.bytes)),
            Step::Ask(asked) => {
                let token = self.token();
                let flow::Asked { shard, command, guard, tell } = asked;
                let mut kept = self.spare.pop().unwrap_or_default();
                kept.clear();
                kept.extend_from_slice(frame);
                let not_after = arrived.saturating_add(self.facts.rules.decide_micros_max);
                self.asked.push(Asked { token, frame: kept, tell });
                let question = Question { token, shard, command, guard, not_after };
                self.actions.push_back(Action::Ask(question));
            }
            Step::Later if tries < TRIES => {
                let token = self.token();
                let tries = tries.saturating_add(1);
                self.postponed.insert(token, Postponed { frame: frame.to_vec(), arrived, tries });
                self.actions.push_back(Action::WakeAfter(AGAIN_AFTER, token));
            }
            Step::Later => self.facts.telemetry.dropped(now, "BUSY"),
            Step::Drop(reason) => self.facts.telemetry.dropped(now, reason),
        }
    }

    fn token(&mut self) -> u64 {
        self.next_token = self.next_token.wrapping_add(1);
        self.next_token
    }
}
