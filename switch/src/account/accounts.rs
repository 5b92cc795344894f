//! The account actors of a node, by shard.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::books::Books;
use domain::shard::{Answer, Command};
use domain::terms::{Refusal, ShardNo};
use store::{EmbeddedJournal, EmbeddedWriter};
use tokio::sync::oneshot;

use super::actor::{AccountActor, Envelope, ReplyTo};
use super::pressure::Pressure;
use crate::clock::Clock;
use crate::facts::{Facts, Guard};

/// How often a list of commands waits a millisecond for a mailbox that others fill.
const PATIENCE: u32 = 5_000;
/// Commands of a list that are on their way at a time.
const AT_ONCE: usize = 4096;

/// Where commands go.
#[derive(Clone)]
pub struct Accounts {
    actors: Arc<[Arc<AccountActor<EmbeddedWriter>>]>,
    pressure: Arc<Pressure>,
}

/// A command of a list was not done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotDecided {
    /// No shard took it: the account actor is overloaded, or the journal takes no more.
    #[error("a command was not taken")]
    NotTaken,
    /// A shard refused it.
    #[error("a command was refused: {0:?}")]
    Refused(Refusal),
}

impl Accounts {
    /// Deals the shards of `books` out to `count` actors.
    #[must_use]
    pub fn new(
        count: usize,
        books: Books,
        journal: &EmbeddedJournal,
        facts: &Arc<Facts>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let mut hands: Vec<Vec<_>> = (0..count).map(|_| Vec::new()).collect();
        let (shards, _batches) = books.into_parts();
        for shard in shards {
            let hand = shard.no().index().checked_rem(hands.len()).unwrap_or_default();
            if let Some(hand) = hands.get_mut(hand) {
                hand.push(shard);
            }
        }
        let pressure = Arc::new(Pressure::default());
        let actors = hands.into_iter().map(|shards| {
            Arc::new_cyclic(|actor: &Weak<AccountActor<EmbeddedWriter>>| {
                let actor = Weak::clone(actor);
                let writer = journal.writer(move |outcome| {
                    if let Some(actor) = actor.upgrade() {
                        actor.hear(outcome);
                    }
                });
                let (facts, clock) = (Arc::clone(facts), Arc::clone(clock));
                AccountActor::new(shards, writer, Arc::clone(&pressure), facts, clock)
            })
        });
        Self { actors: actors.collect(), pressure }
    }

    /// Brings a command to the actor of its shard.
    ///
    /// # Errors
    /// The command, if the actor takes no more; then nothing of it happens.
    #[expect(clippy::result_large_err, reason = "the one who sent it may send it again")]
    pub fn ask(&self, envelope: Envelope) -> Result<(), Envelope> {
        let place = envelope.shard.index().checked_rem(self.actors.len());
        match place.and_then(|place| self.actors.get(place)) {
            Some(actor) => actor.ask(envelope),
            None => Err(envelope),
        }
    }

    /// How much waits, which says whether lines are to be read.
    #[must_use]
    pub const fn pressure(&self) -> &Arc<Pressure> {
        &self.pressure
    }

    /// Has commands decided, many at a time, and waits until all of them are durable.
    ///
    /// # Errors
    /// The first that was not taken or was refused; those before it stand.
    pub async fn decide_all(
        &self,
        commands: impl IntoIterator<Item = (ShardNo, Command)>,
    ) -> Result<(), NotDecided> {
        let mut asked = VecDeque::with_capacity(AT_ONCE);
        let mut patience = PATIENCE;
        for (shard, command) in commands {
            if asked.len() >= AT_ONCE
                && let Some(first) = asked.pop_front()
            {
                answered(first).await?;
            }
            let (sender, receiver) = oneshot::channel();
            let reply = ReplyTo::Once(sender);
            let guard = Guard::Free;
            let mut envelope = Envelope { shard, command, guard, reply, not_after: None };
            while let Err(back) = self.ask(envelope) {
                // The mailbox is full: wait for one of ours, or for the one who fills it.
                envelope = back;
                match asked.pop_front() {
                    Some(first) => answered(first).await?,
                    None => self.wait_for_room(&mut patience).await?,
                }
            }
            asked.push_back(receiver);
        }
        for answer in asked {
            answered(answer).await?;
        }
        Ok(())
    }

    async fn wait_for_room(&self, patience: &mut u32) -> Result<(), NotDecided> {
        *patience = patience.checked_sub(1).ok_or(NotDecided::NotTaken)?;
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

async fn answered(receiver: oneshot::Receiver<Answer>) -> Result<(), NotDecided> {
    let answer = receiver.await.map_err(|_dropped| NotDecided::NotTaken)?;
    answer.verdict.map_err(NotDecided::Refused)
}
