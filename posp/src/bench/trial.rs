//! One switch, put under the load of a benchmark.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::ProgressBar;
use loadtest::Kit;
use loadtest::audit::Slips;
use loadtest::bench::{self, Accounts, Report, Settings, Target, Usage};
use loadtest::scenario::Scenario;
use switch::config::Config;
use switch::programme::Programme;

use super::child::{self, Child};
use super::step;
use super::watch::Watch;
use crate::host::{self, Fact, Heeds, Host};

/// How long the end of a node in this process waits for a ledger that is behind. Nobody needs it.
const LEDGER_WAIT: Duration = Duration::from_secs(1);

/// Steps beside those of the load: start, end, journal, slips.
const STEPS: u64 = 4;

/// Every how many transactions it shows how far the journal is read.
const STRIDE: u64 = 1 << 16;

/// What every trial of a benchmark has.
pub(super) struct Trials<'b> {
    pub(super) watch: &'b Watch,
    pub(super) bar: &'b ProgressBar,
    pub(super) settings: &'b Settings,
    pub(super) kit: &'b Kit,
    /// How the switch is set up, but for its data directory.
    pub(super) config: Config,
}

/// What came of a trial.
struct Trial {
    report: Report,
    /// From the start of the switch until terminals could connect.
    ready: Duration,
    /// What it used then, if it is a process of its own.
    used: Option<Usage>,
}

impl Trials<'_> {
    /// Puts the load on a switch; if it is to hold accounts that nobody uses, on one without them
    /// before.
    ///
    /// # Errors
    /// What kept it from being measured.
    pub(super) fn run(&self) -> Result<Report> {
        let Settings { scenario, .. } = self.settings;
        if scenario.accounts > 0 {
            return self.run_crowded(scenario.accounts);
        }
        self.bar.set_length(self.settings.steps().saturating_add(STEPS));
        let apart = scenario.idle > 0;
        let start = |config| {
            if apart {
                Server::apart(&config, self.watch)
            } else {
                Server::here(config, self.watch)
            }
        };
        Ok(self.put_on(self.settings, self.config("data"), start)?.report)
    }

    fn run_crowded(&self, count: u32) -> Result<Report> {
        let scenario = &self.settings.scenario;
        let plain = Scenario { accounts: 0, idle: 0, overload: None, ..scenario.clone() };
        let plain = Settings { scenario: plain, ..self.settings.clone() };
        let steps = plain.steps().saturating_add(self.settings.steps());
        self.bar.set_length(steps.saturating_add(STEPS).saturating_add(STEPS).saturating_add(1));
        let start = |config: Config| Server::apart(&config, self.watch);
        let without = self.put_on(&plain, self.config("data-without"), start)?;
        step(self.bar, &format!("issuing {count} accounts"));
        let config = self.config("data");
        let issued_per_second = child::issue(&config, count, self.watch, self.bar)?;
        let with = self.put_on(self.settings, config, start)?;
        let grown = with.used.zip(without.used);
        let grown = grown.map(|(with, without)| with.resident.saturating_sub(without.resident));
        let accounts = Accounts {
            count,
            issued_per_second,
            restart_ms: u64::try_from(with.ready.as_millis()).unwrap_or(u64::MAX),
            resident_each: grown.and_then(|grown| grown.checked_div(count.into())),
        };
        let mut report = with.report;
        report.crowd(accounts, &without.report);
        Ok(report)
    }

    fn config(&self, data: &str) -> Config {
        let mut config = self.config.clone();
        config.node.directory = self.watch.scratch().join(data);
        config
    }

    /// Starts a switch, puts the load on it, ends it, and holds its journal against the slips.
    fn put_on(
        &self,
        settings: &Settings,
        config: Config,
        start: impl FnOnce(Config) -> Result<Server>,
    ) -> Result<Trial> {
        let data = config.node.directory.clone();
        step(self.bar, "starting the switch");
        let begun = Instant::now();
        let server = start(config)?;
        let (ready, used) = (begun.elapsed(), server.usage());
        let (mut report, mut slips) = server.measure(settings, self.kit, self.bar)?;
        step(self.bar, "ending the switch");
        server.stop()?;
        step(self.bar, "reading the journal");
        let sign_ons = take_journal(&data, &mut slips, self.bar)?;
        step(self.bar, "comparing slips");
        report.settle(&slips.verdict(), sign_ons);
        Ok(Trial { report, ready, used })
    }
}

/// The switch under test.
struct Server {
    place: Place,
    has_ledger: bool,
}

/// Where it runs.
enum Place {
    Here(Host),
    Apart(Child),
}

impl Server {
    /// Starts it in this process.
    fn here(mut config: Config, watch: &Watch) -> Result<Self> {
        let has_ledger = config.ledger.enabled;
        config.shutdown.drain_timeout = LEDGER_WAIT;
        let directory = config.programme.directory.clone();
        let programme = Programme::load(&directory.unwrap_or_default())?;
        let started = |stopper| watch.serves(stopper);
        let place = Place::Here(Host::start(config, programme, Heeds::Owner, started)?);
        Ok(Self { place, has_ledger })
    }

    /// Starts it as a process of its own, so that what it uses can be told.
    fn apart(config: &Config, watch: &Watch) -> Result<Self> {
        let child = Child::start(config, watch)?;
        Ok(Self { place: Place::Apart(child), has_ledger: config.ledger.enabled })
    }

    fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Here(host) => host.doors.pos,
            Place::Apart(child) => child.doors.pos,
        }
    }

    fn usage(&self) -> Option<Usage> {
        match &self.place {
            Place::Here(_) => None,
            Place::Apart(child) => child.usage(),
        }
    }

    fn measure(
        &self,
        settings: &Settings,
        kit: &Kit,
        bar: &ProgressBar,
    ) -> Result<(Report, Slips)> {
        let mut progress = |what: &str| step(bar, what);
        let metrics = || match &self.place {
            Place::Here(_) => Some(host::metrics()),
            Place::Apart(child) => child.metrics(),
        };
        let journal = || host::counters_in(&metrics()?);
        let ledger_lag = || host::ledger_lag_in(&metrics()?).filter(|_| self.has_ledger);
        let usage = || self.usage();
        let is_apart = matches!(self.place, Place::Apart(_));
        let target = Target {
            address: self.address(),
            journal: &journal,
            ledger_lag: &ledger_lag,
            usage: is_apart.then_some(&usage as &dyn Fn() -> Option<Usage>),
        };
        Ok(bench::run(settings, kit, &target, &mut progress)?)
    }

    fn stop(self) -> Result<()> {
        match self.place {
            Place::Here(host) => host.stop(),
            Place::Apart(child) => child.stop(),
        }
    }
}

/// Holds the journal against the slips; returns how many sign-ons it has.
fn take_journal(data: &Path, slips: &mut Slips, bar: &ProgressBar) -> Result<u64> {
    let (mut sign_ons, mut read) = (0_u64, 0_u64);
    host::facts(data, |fact| {
        read = read.saturating_add(1);
        if read.is_multiple_of(STRIDE) {
            bar.set_message(format!("reading the journal, {read} transactions"));
        }
        match fact {
            Fact::Transacted(entry) => slips.transacted(&entry),
            Fact::Reversed(key) => slips.reversed(&key),
            Fact::SignedOn => sign_ons = sign_ons.saturating_add(1),
        }
        Ok(())
    })?;
    Ok(sign_ons)
}
