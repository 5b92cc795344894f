//! What a node is started with, out of its configuration.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codec::Limits;
use keys::{Hsm, KeyError, Lmk, SoftHsm};
use store::{DrainOptions, Loss, Options};

use super::Identity;
use crate::clock::Calendar;
use crate::config::{Config, LmkSource, Profile};
use crate::facts::TerminalRules;
use crate::programme::Programme;
use crate::terminal::{DoorRules, LineRules};

/// What a node is started with.
pub struct Settings {
    /// Where the journal, the snapshots and the ledger live.
    pub data: PathBuf,
    /// Where terminals connect.
    pub pos_listen: SocketAddr,
    /// How many cores to use.
    pub threads: usize,
    /// How the journal is kept.
    pub journal: Options,
    /// How ledger and snapshots follow.
    pub ledger: DrainOptions,
    /// What a line may do.
    pub lines: LineRules,
    /// How many lines there may be.
    pub door: DoorRules,
    /// How terminals are treated.
    pub terminals: TerminalRules,
    /// Local time and business days.
    pub calendar: Calendar,
    /// The number of this acquirer (F32).
    pub acquirer: Box<str>,
    /// The number of this issuer (F44).
    pub issuer: Box<str>,
    /// Every how many approved transactions leave a line in the log; 0 is none.
    pub log_every: u64,
    /// How long in-flight requests may take when the node stops.
    pub drain_timeout: Duration,
    /// What the node is known by from outside.
    pub identity: Identity,
}

impl Settings {
    /// Takes the settings out of a configuration.
    #[must_use]
    pub fn of(config: &Config, programme: &Programme) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match config.node.threads {
            0 => cores(),
            threads => count(threads),
        };
        let own = programme.issuers.iter().find(|issuer| issuer.kind == routing::IssuerKind::Own);
        let ledger = config.node.directory.join(&config.ledger.file);
        let segment_bytes = u64::try_from(config.journal.segment_size.bytes()).unwrap_or(u64::MAX);
        Self {
            data: config.node.directory.clone(),
            pos_listen: config.pos.listen,
            threads,
            journal: Options {
                segment_bytes,
                on_loss: Arc::new(die),
                ledger: Some(ledger.clone()),
                ..Options::default()
            },
            ledger: DrainOptions {
                writes_ledger: config.ledger.enabled,
                ledger: Some(ledger),
                snapshot_entries: u64::from(config.journal.snapshot_entries),
                snapshot_interval: config.journal.snapshot_interval,
                ..DrainOptions::default()
            },
            lines: LineRules {
                frame: Limits { frame_max: config.pos.frame_max.bytes(), ..Limits::default() },
                frame_deadline: config.pos.frame_deadline,
                idle: config.pos.idle_timeout,
                write_deadline: config.pos.write_timeout,
                in_flight_max: count(config.pos.in_flight_max),
            },
            door: DoorRules {
                lines_max: count(config.pos.connections_max),
                lines_per_peer_max: count(config.pos.connections_per_address_max),
                accepts_per_second: config.pos.accepts_per_second,
            },
            terminals: TerminalRules {
                mac_errors_max: config.terminal.mac_errors_max,
                answer_micros_max: micros(config.terminal.answer_deadline),
                decide_micros_max: micros(
                    config.terminal.answer_deadline.saturating_sub(config.terminal.decide_margin),
                ),
                wait_micros_max: micros(config.terminal.wait_max),
                clock_drift_max: config.terminal.clock_drift_max,
                unsigned_per_minute: config.terminal.unsigned_per_minute,
                uploads_per_minute: config.terminal.uploads_per_minute,
            },
            calendar: Calendar::new(config.cutoff.zone.clone(), config.cutoff.time),
            acquirer: config.pos.acquirer.as_str().into(),
            issuer: own.map_or_else(|| "".into(), |own| own.code.to_string().into()),
            log_every: u64::from(config.log.approved_one_in),
            drain_timeout: config.shutdown.drain_timeout,
            identity: Identity {
                profile: config.node.profile.to_string(),
                config_hash: config.fingerprint(),
            },
        }
    }
}

/// Ends the process: the journal is lost, and nothing may be answered any more. What the disk did
/// is said on standard error itself, because the log's thread dies with the process.
fn die(loss: &Loss) {
    drop(writeln!(std::io::stderr(), "posp stops at once: {loss}"));
    std::process::abort();
}

/// Returns the keeper of keys that a configuration asks for.
///
/// # Errors
/// If the local master key cannot be had, or is a published one in production.
pub fn keeper(config: &Config) -> Result<Arc<dyn Hsm>, KeyError> {
    let lmk = match &config.keys.lmk {
        LmkSource::Demo => Lmk::demo(),
        LmkSource::File(path) => Lmk::from_file(path)?,
        LmkSource::Env(name) => Lmk::from_env(name)?,
    };
    Ok(match config.node.profile {
        Profile::Production => Arc::new(SoftHsm::production(lmk)?),
        Profile::Demo | Profile::Test => Arc::new(SoftHsm::new(lmk)),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
