//! The account actors of a node, by shard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter};
use domain::books::Books;
use domain::shard::{Answer, Command};
use domain::terms::{Refusal, ShardNo};
use store::{EmbeddedJournal, EmbeddedWriter};
use tokio::sync::oneshot;

use super::actor::{AccountActor, Envelope, Inbox, Look, ReplyTo};
use super::intake::{Intake, Put};
use super::pressure::Pressure;
use crate::clock::Clock;
use crate::facts::{Facts, Guard};

type Desk = Addr<AccountActor<EmbeddedWriter>>;

/// The account actor of a core, and how much waits for it.
struct Place {
    desk: Desk,
    intake: Intake,
    pressure: Pressure,
}

/// How often a list of commands waits a millisecond for a mailbox that others fill.
const PATIENCE: u32 = 5_000;
/// Commands of a list that are on their way at a time.
const AT_ONCE: usize = 4096;

/// Where commands go.
#[derive(Clone)]
pub struct Accounts(Arc<[Place]>);

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
                    drop(desk.try_send(Look));
                }
            });
            let (facts, clock) = (Arc::clone(facts), Arc::clone(clock));
            let (intake, pressure) = (Intake::default(), Pressure::default());
            let (commands, eased) = (intake.clone(), pressure.clone());
            let desk = AccountActor::start_in_arbiter(&arbiter.handle(), move |_ctx| {
                AccountActor::new(shards, writer, (inbox, commands), facts, clock, eased)
            });
            drop(address.set(desk.clone()));
            Place { desk, intake, pressure }
        });
        Self(desks.collect())
    }

    /// Sends a command to the actor of its shard.
    ///
    /// # Errors
    /// The command, if the actor takes no more; then nothing of it happens.
    #[expect(clippy::result_large_err, reason = "the one who sent it may send it again")]
    pub fn ask(&self, envelope: Envelope) -> Result<(), Envelope> {
        let desk = envelope.shard.index().checked_rem(self.0.len());
        match desk.and_then(|desk| self.0.get(desk)) {
            Some(Place { desk, intake, pressure }) => {
                pressure.add();
                let put = intake.put(envelope).inspect_err(|_refused| pressure.remove())?;
                if put == Put::Wake {
                    // A mailbox that is full is being worked on, and the intake with it.
                    drop(desk.try_send(Look));
                }
                Ok(())
            }
            None => Err(envelope),
        }
    }

    /// False while so much waits that lines are not to be read: see [`Pressure`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.0.iter().any(|place| place.pressure.is_high())
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
