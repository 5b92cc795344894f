//! The account actors of a node, by shard.

use std::collections::VecDeque;
use std::sync::Arc;

use actix::{Actor, Addr, Arbiter};
use domain::books::Books;
use domain::shard::{Answer, Command};
use domain::terms::ShardNo;
use store::{EmbeddedJournal, EmbeddedWriter};
use tokio::sync::oneshot;

use super::actor::{AccountActor, Committed, Envelope, Inbox, ReplyTo};
use crate::clock::Clock;
use crate::facts::{Facts, Guard};

type Desk = Addr<AccountActor<EmbeddedWriter>>;

/// Commands of a list that are on their way at a time.
const AT_ONCE: usize = 1024;

/// Where commands go.
#[derive(Clone)]
pub struct Accounts(Arc<[Desk]>);

/// No shard took the command: the account actor is overloaded, or the journal takes no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the command was not taken")]
pub struct NotTaken;

impl Accounts {
    /// Starts one account actor on each of `arbiters`, and deals the shards of `books` out.
    #[must_use]
    pub fn start(
        arbiters: &[Arbiter],
        books: Books,
        journal: &EmbeddedJournal,
        facts: &Arc<Facts>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let mut hands: Vec<Vec<_>> = arbiters.iter().map(|_| Vec::new()).collect();
        let (shards, _batches) = books.into_parts();
        for shard in shards {
            let hand = shard.no().index().checked_rem(hands.len()).unwrap_or_default();
            if let Some(hand) = hands.get_mut(hand) {
                hand.push(shard);
            }
        }
        let desks = arbiters.iter().zip(hands).map(|(arbiter, shards)| {
            let inbox = Inbox::default();
            let address = Arc::new(std::sync::OnceLock::<Desk>::new());
            let (outcomes, desk) = (inbox.clone(), Arc::clone(&address));
            let writer = journal.writer(move |outcome| {
                outcomes.put(outcome);
                if let Some(desk) = desk.get() {
                    // A mailbox that is full is being worked on, and the inbox with it.
                    drop(desk.try_send(Committed));
                }
            });
            let (facts, clock) = (Arc::clone(facts), Arc::clone(clock));
            let desk = AccountActor::start_in_arbiter(&arbiter.handle(), move |_ctx| {
                AccountActor::new(shards, writer, inbox, facts, clock)
            });
            drop(address.set(desk.clone()));
            desk
        });
        Self(desks.collect())
    }

    /// Sends a command to the actor of its shard. False if it takes no more; then nothing of the
    /// command happens, ever.
    #[must_use]
    pub fn ask(&self, envelope: Envelope) -> bool {
        let desk = envelope.shard.index().checked_rem(self.0.len());
        let desk = desk.and_then(|desk| self.0.get(desk));
        desk.is_some_and(|desk| desk.try_send(envelope).is_ok())
    }

    /// Has commands decided, many at a time, and waits until all of them are durable.
    ///
    /// # Errors
    /// If no shard took one of them; those before it stand.
    pub async fn decide_all(
        &self,
        commands: impl IntoIterator<Item = (ShardNo, Command)>,
    ) -> Result<(), NotTaken> {
        let mut asked = VecDeque::with_capacity(AT_ONCE);
        for (shard, command) in commands {
            if asked.len() >= AT_ONCE
                && let Some(first) = asked.pop_front()
            {
                answered(first).await?;
            }
            asked.push_back(self.submit(shard, command)?);
        }
        for answer in asked {
            answered(answer).await?;
        }
        Ok(())
    }

    fn submit(
        &self,
        shard: ShardNo,
        command: Command,
    ) -> Result<oneshot::Receiver<Answer>, NotTaken> {
        let (sender, receiver) = oneshot::channel();
        let reply = ReplyTo::Once(sender);
        let is_taken = self.ask(Envelope { shard, command, guard: Guard::Free, reply });
        if is_taken { Ok(receiver) } else { Err(NotTaken) }
    }
}

async fn answered(receiver: oneshot::Receiver<Answer>) -> Result<Answer, NotTaken> {
    receiver.await.map_err(|_dropped| NotTaken)
}
