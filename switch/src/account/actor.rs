//! The actor around a desk: a mailbox and nothing else.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Actor, Addr, Context, Handler, Message};
use domain::shard::{Answer, Command, Shard};
use domain::terms::ShardNo;
use store::{Commit, CommitError, Outcome};
use tokio::sync::oneshot;

use super::Desk;
use crate::clock::Clock;
use crate::facts::{Facts, Guard};
use crate::terminal::{Decided, TerminalActor};

/// Commands an account actor holds before it takes no more. Beyond it a request is refused
/// before anything is decided.
const MAILBOX: usize = 8192;

/// Whoever wants an answer.
pub enum ReplyTo {
    /// A terminal's line, under the number it gave the question.
    Line(Addr<TerminalActor>, u64),
    /// Somebody who waits for one answer.
    Once(oneshot::Sender<Answer>),
}

impl ReplyTo {
    /// Says that it was not decided, and never will be.
    fn shed(self) {
        if let Self::Line(line, token) = self {
            drop(line.try_send(Decided { token, answer: None }));
        }
    }

    fn give(self, answer: Result<Answer, CommitError>) {
        if let Err(error) = &answer {
            tracing::warn!(target: "posp::account", %error, "a command was not taken");
        }
        match self {
            // A line that is gone, or one whose owner stopped listening, needs no answer: what
            // was decided stands, and the terminal will ask or reverse.
            Self::Line(line, token) => {
                drop(line.try_send(Decided { token, answer: answer.ok() }));
            }
            Self::Once(waiter) => drop(answer.map(|answer| waiter.send(answer))),
        }
    }
}

/// A command for a shard.
#[derive(Message)]
#[rtype(result = "()")]
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

/// There is something in the inbox.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Committed;

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
}

impl<C: Commit + Unpin + 'static> AccountActor<C> {
    /// Returns the actor of `shards`. The journal puts outcomes into `inbox` and sends
    /// [`Committed`].
    pub fn new(
        shards: impl IntoIterator<Item = Shard>,
        commit: C,
        inbox: Inbox,
        facts: Arc<Facts>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { desk: Desk::new(shards, commit), facts, clock, inbox }
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
            drop(guard);
            reply.give(answered.answer);
        }
    }
}

impl<C> Drop for AccountActor<C> {
    /// A shard that broke one of its rules must not serve, nor may the others go on as if it did:
    /// the next start folds the journal anew.
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(writeln!(std::io::stderr(), "posp stops at once: a shard broke its rules"));
            std::process::abort();
        }
    }
}

impl<C: Commit + Unpin + 'static> Actor for AccountActor<C> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl<C: Commit + Unpin + 'static> Handler<Envelope> for AccountActor<C> {
    type Result = ();

    fn handle(&mut self, envelope: Envelope, _ctx: &mut Self::Context) {
        let Envelope { shard, command, guard, reply, not_after } = envelope;
        let now = self.clock.now();
        if not_after.is_some_and(|last| now.micros > last) {
            drop(guard);
            reply.shed();
        } else {
            self.desk.handle(shard, command, now.at, (guard, reply));
        }
        self.answer();
    }
}

impl<C: Commit + Unpin + 'static> Handler<Committed> for AccountActor<C> {
    type Result = ();

    fn handle(&mut self, _: Committed, _ctx: &mut Self::Context) {
        self.answer();
    }
}
