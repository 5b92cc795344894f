//! A node: everything on one machine, started in order and stopped in reverse.

mod base;
mod bulk;
mod cutoff;
mod health;
mod provision;
mod settings;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_rt::Arbiter;
use keys::Hsm;
use metrics::gauge;
use store::{CommitError, DrainError, EmbeddedJournal, OpenError};
use tokio::sync::watch;

use crate::account::{Accounts, Depth, NotDecided, Pressure};
use crate::clock::{Clock, SystemClock};
use crate::facts::Facts;
use crate::programme::Programme;
use crate::terminal::{LineParts, Lines, Listener, ListenerError};

use base::Base;

pub use base::facts_of;
pub use bulk::{Bulk, BulkError, BulkReport, Stage};
pub use health::{Identity, Vitals};
pub use provision::{Plan, Provisioned, plan};
pub use settings::{Settings, keeper};

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The ledger cannot follow.
    #[error(transparent)]
    Ledger(#[from] DrainError),
    /// The door cannot be opened.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// The journal could not be closed.
    #[error("the journal did not close: {0}")]
    Close(#[from] CommitError),
    /// The thread of the ledger panicked.
    #[error("the thread that writes the ledger panicked")]
    DrainPanicked,
    /// A key cannot be made ready.
    #[error(transparent)]
    Keys(#[from] keys::KeyError),
    /// The RSA key of the host cannot be kept or read.
    #[error("the host's RSA key, {path}: {error}")]
    HostKey {
        /// Its file.
        path: std::path::PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// What a start adds to the books was not taken.
    #[error("what the start adds to the books: {0}")]
    Provision(#[from] NotDecided),
}

/// A running node.
pub struct Node {
    settings: Settings,
    facts: Arc<Facts>,
    accounts: Accounts,
    journal: Arc<EmbeddedJournal>,
    vitals: Arc<Vitals>,
    lines: Lines,
    arbiters: Vec<Arbiter>,
    pos: SocketAddr,
    closing: watch::Sender<bool>,
    provisioned: Provisioned,
}

impl Node {
    /// Opens the journal, folds it, sets up what `programme` adds to it, and lets terminals in.
    ///
    /// # Errors
    /// The first step that failed; nothing is served then.
    pub async fn start(
        settings: Settings,
        programme: &Programme,
        hsm: Arc<dyn Hsm>,
    ) -> Result<Self, NodeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let Base { journal, drain, facts, books } = Base::open(&settings, programme, hsm)?;
        let listener = Listener::open(settings.pos_listen)?;
        let arbiters: Vec<_> = (0..settings.threads.max(1)).map(|_| Arbiter::new()).collect();
        let accounts = Accounts::new(arbiters.len(), books, &journal, &facts, &clock);
        let provisioned = provision::provision(programme, &facts, &accounts).await?;
        cutoff::turn(&accounts, facts.calendar.business_date(clock.now().at)).await?;
        let lines = Lines::default();
        let parts = LineParts {
            facts: Arc::clone(&facts),
            accounts: accounts.clone(),
            clock: Arc::clone(&clock),
            rules: Arc::new(settings.lines.clone()),
            lines: lines.clone(),
        };
        let pos = listener.address();
        let (closing, is_closing) = watch::channel(false);
        let handles = arbiters.iter().map(Arbiter::handle).collect();
        actix_rt::spawn(listener.serve(handles, parts, settings.door, is_closing.clone()));
        let days = cutoff::watch(accounts.clone(), Arc::clone(&facts), clock, is_closing.clone());
        actix_rt::spawn(days);
        let room = watch_room_and_depth(
            Arc::clone(&journal),
            Arc::clone(accounts.pressure()),
            Arc::clone(&facts),
        );
        actix_rt::spawn(until_closing(room, is_closing.clone()));
        tracing::info!(address = %pos, terminals = facts.terminals.len(), cards = facts.cards.len(), "terminals may connect");
        let vitals = Vitals::new(
            Arc::clone(&facts),
            Arc::clone(&journal),
            Some(drain),
            (Arc::clone(accounts.pressure()), lines.clone()),
            is_closing,
            settings.identity.clone(),
        );
        let vitals = Arc::new(vitals);
        Ok(Self {
            settings,
            facts,
            accounts,
            journal,
            vitals,
            lines,
            arbiters,
            pos,
            closing,
            provisioned,
        })
    }

    /// Returns where terminals connect.
    #[must_use]
    pub const fn pos_address(&self) -> SocketAddr {
        self.pos
    }

    /// Returns what tells how the node is.
    #[must_use]
    pub fn vitals(&self) -> Arc<Vitals> {
        Arc::clone(&self.vitals)
    }

    /// Returns what the programme added at start.
    #[must_use]
    pub const fn provisioned(&self) -> Provisioned {
        self.provisioned
    }

    /// Returns where commands go.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Returns the facts of the node.
    #[must_use]
    pub const fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    /// Waits until the ledger holds everything that is durable now, or `timeout` is over.
    pub async fn drained(&self, timeout: Duration) -> bool {
        let goal = self.journal.durable();
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while self.vitals.with_drain(|drain| drain.position() < goal) == Some(true) {
            if waited >= timeout {
                return false;
            }
            tokio::time::sleep(step).await;
            waited = waited.saturating_add(step);
        }
        true
    }

    /// Answers what is in flight, makes everything durable, brings the ledger up to date, and
    /// ends.
    ///
    /// # Errors
    /// If the journal could not be closed, or the ledger not follow to its end; it goes on from
    /// there at the next start.
    pub async fn stop(self) -> Result<(), NodeError> {
        self.closing.send_replace(true);
        self.lines.rest();
        let step = Duration::from_millis(10);
        let mut waited = Duration::ZERO;
        while self.lines.count() > 0 && waited < self.settings.drain_timeout {
            tokio::time::sleep(step).await;
            waited = waited.saturating_add(step);
            // A line that opened while the door was closing has not heard yet.
            self.lines.rest();
        }
        tracing::info!(lines_left = self.lines.count(), "lines closed");
        let closed = self.journal.close();
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        if let Some(drain) = self.vitals.take_drain() {
            // A thread that went on would hold up the end of the process.
            let patience = self.settings.drain_timeout;
            let stopping = actix_rt::task::spawn_blocking(move || drain.stop_within(patience));
            match stopping.await.map_err(|_panic| NodeError::DrainPanicked)? {
                Ok(entries) => tracing::info!(entries = entries.0, "ledger up to date"),
                Err(DrainError::Behind { entries }) => {
                    tracing::warn!(entries, "the ledger is behind; the next start goes on");
                }
                Err(error) => return Err(error.into()),
            }
        }
        closed?;
        Ok(())
    }
}

/// Looks whether the disk has room for the journal, and stops debits while it has not; and shows how
/// much waits.
async fn watch_room_and_depth(
    journal: Arc<EmbeddedJournal>,
    pressure: Arc<Pressure>,
    facts: Arc<Facts>,
) {
    let depth = |kind| gauge!("posp_actor_mailbox_depth", "kind" => kind);
    let (waiting, held) = (depth("account"), depth("line"));
    loop {
        facts.has_room.store(journal.has_room(), Ordering::Relaxed);
        let Depth { commands, lines } = pressure.depth();
        waiting.set(count(commands));
        held.set(count(lines));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn until_closing(work: impl Future<Output = ()>, mut closing: watch::Receiver<bool>) {
    tokio::select! {
        () = work => {}
        _ = closing.changed() => {}
    }
}

fn count(things: usize) -> f64 {
    u32::try_from(things).unwrap_or(u32::MAX).into()
}
