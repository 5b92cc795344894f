//! How a node is, for probes and people.

use std::sync::{Arc, Mutex, PoisonError};

use admin::ports::{Check, Health, Info};
use metrics::{Gauge, gauge};
use store::{DrainHandle, EmbeddedJournal};
use tokio::sync::watch;

use crate::account::{Depth, Pressure};
use crate::facts::Facts;
use crate::terminal::Lines;

/// What a node is known by from outside.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The profile it runs under.
    pub profile: String,
    /// Tells configurations apart.
    pub config_hash: String,
}

/// The parts of a node whose health matters.
pub struct Vitals {
    pub(super) facts: Arc<Facts>,
    pub(super) journal: Arc<EmbeddedJournal>,
    pub(super) drain: Mutex<Option<DrainHandle>>,
    pub(super) pressure: Arc<Pressure>,
    pub(super) lines: Lines,
    pub(super) closing: watch::Receiver<bool>,
    pub(super) identity: Identity,
    pub(super) draining: Gauge,
}

impl Vitals {
    pub(super) fn new(
        facts: Arc<Facts>,
        journal: Arc<EmbeddedJournal>,
        drain: Option<DrainHandle>,
        (pressure, lines): (Arc<Pressure>, Lines),
        closing: watch::Receiver<bool>,
        identity: Identity,
    ) -> Self {
        let (drain, draining) = (Mutex::new(drain), gauge!("posp_draining"));
        Self { facts, journal, drain, pressure, lines, closing, identity, draining }
    }

    /// Gives up the drain, for the one who stops it.
    pub(super) fn take_drain(&self) -> Option<DrainHandle> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Looks at the drain, if there is one.
    pub(super) fn with_drain<T>(&self, look: impl FnOnce(&DrainHandle) -> T) -> Option<T> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    fn ledger(&self) -> Option<Check> {
        self.with_drain(|drain| match drain.error() {
            Some(error) => error,
            None => format!("{} entries behind", drain.lag_entries()),
        })
        // A ledger that lags does not stop the switch: the journal is the truth.
        .map(|detail| Check { name: "ledger", ok: true, detail })
    }
}

impl Health for Vitals {
    fn checks(&self) -> Vec<Check> {
        let is_closing = *self.closing.borrow();
        self.draining.set(if is_closing { 1.0 } else { 0.0 });
        let (facts, lines) = (&self.facts, self.lines.count());
        let journal = format!("{} entries durable", self.journal.durable().0);
        let terminals = format!("{} known, {lines} lines open", facts.terminals.len());
        let Depth { commands, lines: held } = self.pressure.depth();
        let accounts = format!("{commands} commands wait, {held} lines held back");
        let serving = if is_closing { "going to rest" } else { "answering requests" };
        let mut checks = vec![
            Check { name: "journal", ok: self.journal.has_room(), detail: journal },
            Check { name: "terminals", ok: !facts.terminals.is_empty(), detail: terminals },
            // What is too much is turned away, and the rest is served.
            Check { name: "accounts", ok: true, detail: accounts },
            Check { name: "serving", ok: !is_closing, detail: serving.to_owned() },
        ];
        checks.extend(self.ledger());
        checks
    }

    fn info(&self) -> Info {
        Info {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profile: self.identity.profile.clone(),
            commit_mode: "embedded: an answer waits for the journal's sync".to_owned(),
            config_hash: self.identity.config_hash.clone(),
        }
    }
}
