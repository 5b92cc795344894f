//! The actor around a desk: a mailbox and nothing else.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Actor, Context, Handler, Message};
use domain::shard::{Answer, Command, Shard};
use domain::terms::ShardNo;
use store::{Commit, CommitError, Outcome};
use tokio::sync::oneshot;

use super::{Desk, Intake, Pressure};
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

/// There is something in the intake or in the inbox.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Look;

/// What the journal has to say to an account actor. A mailbox may be full when it does; this
/// never is.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Mutex<Vec<Outcome>>>);

impl Inbox {
    /// Puts an outcome in.
    pub fn put(&self, outcome: Outcome) {
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

/// Owns the shards of one core.
pub struct AccountActor<C> {
    desk: Desk<C, (Guard, ReplyTo)>,
    facts: Arc<Facts>,
    clock: Arc<dyn Clock>,
    inbox: Inbox,
    intake: Intake,
    /// Where commands are taken to.
    taken: Vec<Envelope>,
    pressure: Pressure,
}

impl<C: Commit + Unpin + 'static> AccountActor<C> {
    /// Returns the actor of `shards`. The journal puts outcomes into `inbox`, and whoever has a
    /// command puts it into `intake` and adds to `pressure`; both send [`Look`].
    pub fn new(
        shards: impl IntoIterator<Item = Shard>,
        commit: C,
        (inbox, intake): (Inbox, Intake),
        facts: Arc<Facts>,
        clock: Arc<dyn Clock>,
        pressure: Pressure,
    ) -> Self {
        let desk = Desk::new(shards, commit);
        Self { desk, facts, clock, inbox, intake, taken: Vec::new(), pressure }
    }

    /// Has all commands decided that there are.
    fn decide(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        self.intake.take(&mut taken);
        for Envelope { shard, command, guard, reply, not_after } in taken.drain(..) {
            let now = self.clock.now();
            if not_after.is_some_and(|last| now.micros > last) {
                self.pressure.remove();
                drop(guard);
                reply.shed();
            } else {
                self.desk.handle(shard, command, now.at, (guard, reply));
            }
        }
        self.taken = taken;
    }

    fn answer(&mut self) {
        for outcome in self.inbox.take() {
            for event in self.desk.on_outcome(outcome) {
                self.facts.absorb(&event);
            }
        }
        while let Some(answered) = self.desk.next_answer() {
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

impl<C> Drop for AccountActor<C> {
    /// A shard that broke one of its rules must not serve, nor may the others go on as if it did:
    /// the next start folds the journal anew.
    fn drop(&mut self) {
        self.intake.close();
        if std::thread::panicking() {
            drop(writeln!(std::io::stderr(), "posp stops at once: a shard broke its rules"));
            std::process::abort();
        }
    }
}

impl<C: Commit + Unpin + 'static> Actor for AccountActor<C> {
    type Context = Context<Self>;
}

impl<C: Commit + Unpin + 'static> Handler<Look> for AccountActor<C> {
    type Result = ();

    fn handle(&mut self, _: Look, _ctx: &mut Self::Context) {
        self.decide();
        self.answer();
    }
}
