//! What is counted, and the one line a transaction leaves in the log.
//!
//! Labels never carry a card, a terminal or a reference: those belong to the journal.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use codec::{Message, ParseError};
use dashmap::DashMap;
use domain::terms::TerminalId;
use hashbrown::DefaultHashBuilder;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::clock::Moment;
use crate::message::matrix::{self, Row, Transaction};
use crate::message::reply::Reference;
use crate::message::request::Origin;
use crate::message::response::ResponseCode;

/// The label of the only channel there is: terminals over TCP.
const CHANNEL: &str = "pos";

/// The counters of a node, looked up once.
pub struct Telemetry {
    told: DashMap<(Transaction, ResponseCode), Told, DefaultHashBuilder>,
    durations: BTreeMap<&'static str, [Histogram; 2]>,
    duplicate: Counter,
    mac_failures: Counter,
    pin_failures: Counter,
    shed: Counter,
    turned_away: Counter,
    /// Every how many approved transactions leave a line in the log; 0 is none.
    log_every: u64,
    approved: AtomicU64,
    lines: LineMeter,
    /// For lines of the log that a stranger can cause.
    quota: Quota,
}

/// What is kept of one kind of answer.
struct Told {
    count: Counter,
    duration: Option<Histogram>,
}

/// What no honest terminal does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suspicion {
    /// Card number and track name two cards.
    TwoCards,
    /// A trace number comes a second time, with other content.
    DuplicateDiffers,
    /// A terminal claims to stand at a merchant that is not its own.
    MerchantDiffers,
    /// A terminal nobody knows.
    UnknownTerminal,
    /// Sign-ons and sign-offs come faster than any terminal sends them.
    KeyRate,
    /// More requests about a new master key than are taken in a minute.
    TmkRate,
    /// Settlements do.
    SettlementRate,
    /// Uploads do.
    UploadRate,
    /// Status reports do.
    ReportRate,
}

impl Suspicion {
    /// Returns the word that metrics and logs carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoCards => "two cards",
            Self::DuplicateDiffers => "duplicate differs",
            Self::MerchantDiffers => "merchant differs",
            Self::UnknownTerminal => "unknown terminal",
            Self::KeyRate => "key rate",
            Self::TmkRate => "master key rate",
            Self::SettlementRate => "settlement rate",
            Self::UploadRate => "upload rate",
            Self::ReportRate => "report rate",
        }
    }
}

/// What is known of a transaction when its answer is told.
pub struct Line<'a> {
    /// What it was.
    pub transaction: Transaction,
    /// How it was answered.
    pub code: ResponseCode,
    /// Who asked.
    pub terminal: TerminalId,
    /// The request; only fields that are no card data are read of it.
    pub message: &'a Message<'a>,
    /// The reference it was answered with.
    pub reference: Reference,
    /// When.
    pub now: Moment,
    /// How long it took.
    pub micros: u64,
}

/// Returns every transaction that is told of.
fn transactions() -> impl Iterator<Item = Transaction> {
    matrix::ROWS.iter().map(|row| row.transaction)
}

impl Telemetry {
    /// Looks up the counters in the recorder that is installed. One in `log_every` approved
    /// transactions leaves a line in the log, and every other one does.
    #[must_use]
    pub fn new(log_every: u64) -> Self {
        let duration = |txn: &'static str, result: &'static str| histogram!("posp_txn_duration_seconds", "channel" => CHANNEL, "txn" => txn, "result" => result);
        let durations = transactions()
            .map(|txn| {
                let name = txn.name();
                (name, [duration(name, "approved"), duration(name, "refused")])
            })
            .collect();
        Self {
            told: DashMap::default(),
            durations,
            duplicate: counter!("posp_duplicate_total", "channel" => CHANNEL, "reason" => "DIFFERS"),
            mac_failures: counter!("posp_mac_failures_total", "channel" => CHANNEL),
            pin_failures: counter!("posp_pin_failures_total", "channel" => CHANNEL),
            shed: counter!("posp_actor_mailbox_rejected_total", "kind" => "account"),
            turned_away: counter!("posp_actor_mailbox_rejected_total", "kind" => "line"),
            log_every,
            approved: AtomicU64::new(0),
            lines: LineMeter::default(),
            quota: Quota::default(),
        }
    }

    /// Returns the counters of lines.
    #[must_use]
    pub fn lines(&self) -> LineMeter {
        self.lines.clone()
    }

    /// Counts and logs an answer.
    pub fn told(&self, line: &Line<'_>) {
        let is_approved = line.code.is_approval();
        let key = (line.transaction, line.code);
        match self.told.get(&key) {
            Some(told) => told.take(line.micros),
            None => {
                let told = self.told_first(line.transaction, line.code);
                told.take(line.micros);
                self.told.insert(key, told);
            }
        }
        if line.code == ResponseCode::WRONG_PIN {
            self.pin_failures.increment(1);
        }
        if line.code == ResponseCode::DUPLICATE {
            self.duplicate_differs(line.now, line.terminal);
        }
        if let Transaction::Reversal(_) = line.transaction {
            let result = if is_approved { "done" } else { "refused" };
            counter!("posp_reversal_total", "channel" => CHANNEL, "origin" => "pos", "result" => result)
                .increment(1);
        }
        if !is_approved || self.is_sampled() {
            log(line);
        }
    }

    /// Looks up what the first answer of its kind is counted with.
    fn told_first(&self, transaction: Transaction, code: ResponseCode) -> Told {
        let (txn, rc) = (transaction.name(), code.to_string());
        let durations = self.durations.get(txn);
        let duration =
            durations.map(
                |[approved, refused]| {
                    if code.is_approval() { approved.clone() } else { refused.clone() }
                },
            );
        let count = counter!("posp_txn_total", "channel" => CHANNEL, "txn" => txn, "rc" => rc);
        Told { count, duration }
    }

    fn is_sampled(&self) -> bool {
        if self.log_every == 0 {
            return false;
        }
        self.approved.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.log_every)
    }

    /// Counts and logs a request that was refused before any shard was asked: with a code, because
    /// of a field. What asks for nothing there is has no row.
    pub fn refused_unasked(
        &self,
        now: Moment,
        message: &Message<'_>,
        row: Option<&Row>,
        (code, field): (ResponseCode, u8),
    ) {
        let txn = row.map_or("unknown", |row| row.transaction.name());
        counter!("posp_txn_total", "channel" => CHANNEL, "txn" => txn, "rc" => code.to_string())
            .increment(1);
        if self.quota.take(now) {
            let origin = Origin::of(message);
            tracing::info!(
                target: "posp::txn",
                txn,
                mti = %message.mti(),
                stan = message.number(11),
                tid = origin.map(|origin| tracing::field::display(origin.terminal)),
                mid = origin.map(|origin| tracing::field::display(origin.merchant)),
                rc = %code,
                field,
                "refused"
            );
        }
    }

    /// Counts and logs what no honest terminal does.
    pub fn suspect(&self, now: Moment, suspicion: Suspicion, terminal: TerminalId) {
        let event = suspicion.name();
        counter!("posp_security_events_total", "channel" => CHANNEL, "event" => event).increment(1);
        if self.quota.take(now) {
            tracing::warn!(target: "posp::security", event, tid = %terminal, "suspicious request");
        }
    }

    /// Counts a trace number that came a second time, with other content.
    pub fn duplicate_differs(&self, now: Moment, terminal: TerminalId) {
        self.duplicate.increment(1);
        self.suspect(now, Suspicion::DuplicateDiffers, terminal);
    }

    /// Counts a message that cannot be read.
    pub fn unreadable(&self, error: &ParseError) {
        counter!(
            "posp_decode_errors_total",
            "dialect" => "unionpay-pos",
            "field" => error.field.0.to_string(),
            "kind" => error.code(),
        )
        .increment(1);
    }

    /// Counts and logs a request whose local time is too far from the host's.
    pub fn clock_differs(&self, now: Moment, terminal: TerminalId) {
        counter!("posp_clock_drift_total", "channel" => CHANNEL).increment(1);
        if self.quota.take(now) {
            tracing::warn!(target: "posp::txn", tid = %terminal, "a terminal's clock is wrong");
        }
    }

    /// Counts a wrong message code.
    pub fn mac_failed(&self) {
        self.mac_failures.increment(1);
    }

    /// Counts a request that no shard took.
    pub fn shed(&self) {
        self.shed.increment(1);
    }

    /// Counts a request that was turned away because it had waited on its line.
    pub fn turned_away(&self) {
        self.turned_away.increment(1);
    }

    /// Counts an answer that came too late to be sent.
    pub fn too_late(&self) {
        counter!("posp_late_total", "channel" => CHANNEL, "reason" => "ANSWER_LATE").increment(1);
    }

    /// Counts a frame that is not answered.
    pub fn dropped(&self, now: Moment, reason: &'static str) {
        counter!("posp_unmatched_total", "channel" => CHANNEL, "reason" => reason).increment(1);
        if self.quota.take(now) {
            tracing::warn!(target: "posp::txn", reason, "not answered");
        }
    }
}

impl Told {
    fn take(&self, micros: u64) {
        self.count.increment(1);
        if let Some(duration) = &self.duration {
            duration.record(std::time::Duration::from_micros(micros));
        }
    }
}

/// Writes the canonical line of a transaction.
fn log(line: &Line<'_>) {
    tracing::info!(
        target: "posp::txn",
        txn = line.transaction.name(),
        mti = line.message.mti().as_str(),
        tid = %line.terminal,
        mid = %Text(line.message.text(42).unwrap_or_default()),
        stan = line.message.number(11).unwrap_or_default(),
        rrn = %line.reference,
        rc = %line.code,
        fen = line.message.number(4).unwrap_or_default(),
        dur_us = line.micros,
        "answered"
    );
}

/// Text of a message, with whatever is not printable escaped.
struct Text<'a>(&'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Lines that are closed for what they sent are all counted; so many a second are logged, so that
/// a flood of them does not become a flood of text.
const LOGGED_A_SECOND: u64 = 20;

/// Counts lines.
#[derive(Clone)]
pub struct LineMeter {
    open: Gauge,
    opened: Counter,
    quota: Arc<Quota>,
}

/// Gives out so many turns a second.
#[derive(Debug, Default)]
struct Quota {
    /// The second that turns are counted in.
    second: AtomicU64,
    taken: AtomicU64,
}

impl Quota {
    /// Takes a turn, if one is left. Callers that race at the edge of a second may take a few
    /// more.
    fn take(&self, now: Moment) -> bool {
        let second = now.micros.wrapping_div(1_000_000);
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.taken.store(0, Ordering::Relaxed);
        }
        self.taken.fetch_add(1, Ordering::Relaxed) < LOGGED_A_SECOND
    }
}

impl Default for LineMeter {
    fn default() -> Self {
        Self {
            open: gauge!("posp_conn_open", "channel" => CHANNEL),
            opened: counter!("posp_conn_total", "channel" => CHANNEL),
            quota: Arc::default(),
        }
    }
}

impl LineMeter {
    /// Counts a line that opens.
    pub fn opened(&self) {
        self.open.increment(1.0);
        self.opened.increment(1);
    }

    /// Counts a line that closes, and why.
    pub fn closed(&self, reason: &'static str) {
        self.open.decrement(1.0);
        counter!("posp_conn_closed_total", "channel" => CHANNEL, "reason" => reason).increment(1);
    }

    /// Counts and logs why a line is closed: by a code for counters, and in words.
    pub fn bad_frame(&self, now: Moment, line: u64, code: &'static str, why: &dyn Display) {
        counter!("posp_frame_errors_total", "channel" => CHANNEL, "kind" => code).increment(1);
        if self.quota.take(now) {
            tracing::warn!(target: "posp::line", line, code, %why, "closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_turns() {
        let quota = Quota::default();
        let turns = |second: u64| {
            let at = |micros| Moment { micros: second * 1_000_000 + micros, ..Moment::default() };
            (0..100).filter(|&micros| quota.take(at(micros))).count()
        };
        assert_eq!([turns(0), turns(0), turns(7), turns(8)], [20, 0, 20, 20]);
    }
}
