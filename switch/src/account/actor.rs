//! The actor around a desk: a mailbox, and whose turn it is to work.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use domain::shard::{Answer, Command, Shard};
use domain::terms::ShardNo;
use store::{Commit, CommitError, Outcome};
use tokio::sync::oneshot;

use super::bell::Bell;
use super::intake::Intake;
use super::{Desk, Pressure};
use crate::clock::Clock;
use crate::facts::{Facts, Guard};
use crate::terminal::{Decided, LineMail};

/// Whoever wants an answer.
pub enum ReplyTo {
    /// A terminal's line, under the number it gave the question.
    Line(LineMail, u64),
    /// Somebody who waits for one answer.
    Once(oneshot::Sender<Answer>),
}

impl ReplyTo {
    /// Says that it was not decided, and never will be.
    fn shed(self) {
        if let Self::Line(line, token) = self {
            line.put(Decided { token, answer: None });
        }
    }

    fn give(self, answer: Result<Answer, CommitError>) {
        if let Err(error) = &answer {
            tracing::warn!(target: "posp::account", %error, "a command was not taken");
        }
        match self {
            // A line that is gone, or one whose owner stopped listening, needs no answer: what
            // was decided stands, and the terminal will ask or reverse.
            Self::Line(line, token) => line.put(Decided { token, answer: answer.ok() }),
            Self::Once(waiter) => drop(answer.map(|answer| waiter.send(answer))),
        }
    }
}

/// A command for a shard.
pub struct Envelope {
    /// The shard.
    pub shard: ShardNo,
    /// The command.
    pub command: Command,
    /// What is kept while it is on its way.
    pub guard: Guard,
    /// Whoever wants the answer.
    pub reply: ReplyTo,
    /// The microsecond after which it is no longer to be decided, if there is one: nobody would
    /// wait for the answer.
    pub not_after: Option<u64>,
}

/// What the journal has to say to an account actor.
#[derive(Debug, Default)]
struct Inbox(Mutex<Vec<Outcome>>);

impl Inbox {
    fn put(&self, outcome: Outcome) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (waiting.last_mut(), outcome) {
            (Some(Outcome::Durable { upto }), Outcome::Durable { upto: later }) => *upto = later,
            (_, outcome) => waiting.push(outcome),
        }
    }

    fn take(&self) -> Vec<Outcome> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Owns some of the shards, and is the only one who changes them.
///
/// It has a mailbox and no thread: whoever brings something has it worked off in place, unless
/// somebody is at it already, who then does that too. A command is decided without waking anybody,
/// and an answer goes from the journal's thread straight to its line.
pub struct AccountActor<C> {
    intake: Intake,
    inbox: Inbox,
    bell: Bell,
    work: Mutex<Work<C>>,
    pressure: Arc<Pressure>,
    facts: Arc<Facts>,
    clock: Arc<dyn Clock>,
}

/// What only the one who is at work touches.
struct Work<C> {
    desk: Desk<C, (Guard, ReplyTo)>,
    /// Where commands are taken to.
    taken: Vec<Envelope>,
}

impl<C: Commit> AccountActor<C> {
    /// Returns the actor of `shards`, whose journal brings outcomes to [`AccountActor::hear`]. What
    /// waits here is counted in `pressure`.
    pub fn new(
        shards: impl IntoIterator<Item = Shard>,
        commit: C,
        pressure: Arc<Pressure>,
        facts: Arc<Facts>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let desk = Desk::new(shards, commit);
        Self {
            intake: Intake::default(),
            inbox: Inbox::default(),
            bell: Bell::default(),
            work: Mutex::new(Work { desk, taken: Vec::new() }),
            pressure,
            facts,
            clock,
        }
    }

    /// Brings a command.
    ///
    /// # Errors
    /// The command, if there is no room for it; then nothing of it happens.
    #[expect(clippy::result_large_err, reason = "the one who sent it may send it again")]
    pub fn ask(&self, envelope: Envelope) -> Result<(), Envelope> {
        self.pressure.add();
        self.intake.put(envelope).inspect_err(|_refused| self.pressure.remove())?;
        self.ring();
        Ok(())
    }

    /// Brings what became of entries.
    pub fn hear(&self, outcome: Outcome) {
        self.inbox.put(outcome);
        self.ring();
    }

    fn ring(&self) {
        let _stop = StopAtPanic;
        self.bell.ring(|| {
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            self.decide(&mut work);
            self.answer(&mut work.desk);
        });
    }

    /// Has all commands decided that there are.
    fn decide(&self, work: &mut Work<C>) {
        let Work { desk, taken } = work;
        self.intake.take(taken);
        for Envelope { shard, command, guard, reply, not_after } in taken.drain(..) {
            let now = self.clock.now();
            if not_after.is_some_and(|last| now.micros > last) {
                self.pressure.remove();
                drop(guard);
                reply.shed();
            } else {
                desk.handle(shard, command, now.at, (guard, reply));
            }
        }
    }

    fn answer(&self, desk: &mut Desk<C, (Guard, ReplyTo)>) {
        for outcome in self.inbox.take() {
            for event in desk.on_outcome(outcome) {
                self.facts.absorb(&event);
            }
        }
        while let Some(answered) = desk.next_answer() {
            if let Some(event) = &answered.event {
                self.facts.absorb(event);
            }
            let (guard, reply) = answered.waiter;
            self.pressure.remove();
            drop(guard);
            reply.give(answered.answer);
        }
    }
}

/// A shard that broke one of its rules must not serve, nor may the others go on as if it did: the
/// next start folds the journal anew.
struct StopAtPanic;

impl Drop for StopAtPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(writeln!(std::io::stderr(), "posp stops at once: a shard broke its rules"));
            std::process::abort();
        }
    }
}
