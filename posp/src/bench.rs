//! `posp bench`: a load on a switch of its own, in turn with a bare echo server.

mod child;
mod table;
mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use loadtest::Kit;
use loadtest::audit::Slips;
use loadtest::bench::{self, Report, Settings, Target, Usage};
use loadtest::scenario::{Mac, Scenario};
use serde_json::json;
use switch::config::Config;
use switch::programme::Programme;

use crate::host::{self, Fact, Heeds, Host};
use crate::output::print;
use crate::process;
use child::{Child, Process};
use watch::{Serving, Watch};

/// How long the end of a node in this process waits for a ledger that is behind. Nobody needs it.
const LEDGER_WAIT: Duration = Duration::from_secs(1);

/// Steps beside those of the load: start, end, journal, slips.
const STEPS: u64 = 4;

/// Every how many transactions it shows how far the journal is read.
const STRIDE: u64 = 1 << 16;

/// The seed of the kit: every run has the same cards.
const SEED: u64 = 1;

/// Measure a switch of its own under a load, in turn with a bare echo server
///
/// Without a scenario, every connection is a terminal with its own card that sells as fast as it is
/// answered, or at --rate. Afterwards every slip is held against the journal, and balances against
/// slips. Exits with 1 if they do not agree, or if something was refused that should not be.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  posp bench                                        the peak of 500 terminals
  posp bench --rate 5000                            latency at a given rate
  posp bench acquirer-line --json
  posp bench --connections 500 --rate 5000 --idle 19000
  posp bench my-scenario.toml --html report.html

Scenarios: smoke, steady, peak, year-end, reversal-storm, sign-on-storm, idle-fleet, hot-card,
acquirer-line, overload, bad-lines; they lie in config/scenarios, and smoke.toml explains every key.")]
pub(crate) struct Bench {
    /// A scenario that is built in, or a file
    #[arg(value_name = "SCENARIO", default_value = "peak")]
    scenario: PathBuf,
    /// Connections
    #[arg(long, value_name = "COUNT")]
    connections: Option<u32>,
    /// Requests that are due in a second, over all connections
    #[arg(long, value_name = "COUNT")]
    rate: Option<u64>,
    /// Requests under way on each connection, each of another terminal
    #[arg(long, value_name = "COUNT")]
    in_flight: Option<u32>,
    /// Further connections that stay open and say nothing; the switch is a process of its own then
    #[arg(long, value_name = "COUNT")]
    idle: Option<u32>,
    /// How long each phase takes
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Rounds; each has a phase on the echo and one on the switch
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// The message code of all terminals
    #[arg(long, value_name = "ALGORITHM")]
    mac: Option<MacChoice>,
    /// Leave the SQL ledger out, to see what it costs
    #[arg(long)]
    no_ledger: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Write a page with charts, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// How terminals compute field 64.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MacChoice {
    Unionpay,
    X919,
    Sm4,
}

impl Bench {
    /// Starts a switch with the terminals and cards of the scenario, measures it beside the echo,
    /// and prints the figures.
    ///
    /// # Errors
    /// A scenario that cannot be used, a benchmark that cannot be run to its end, a journal that
    /// cannot be read, output that cannot be written.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let scenario = self.scenario()?;
        process::harden();
        let bar = bar();
        let watch = Watch::begin(&bar)?;
        let scratch = watch.scratch();
        let programme = scratch.join("programme");
        std::fs::create_dir(&programme)?;
        let kit = scenario.kit(SEED);
        kit.write_to(&programme)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let name = self.scenario.file_stem().unwrap_or_default().to_string_lossy();
        let settings = Settings { server_threads: threads, ..Settings::of(&name, scenario) };
        let config = config(&programme, scratch.join("data"), !self.no_ledger);
        bar.set_length(settings.steps().saturating_add(STEPS));
        step(&bar, "starting the switch");
        let server = Server::start(config, &watch, &settings.scenario)?;
        let (mut report, mut slips) = server.measure(&settings, &kit, &bar)?;
        step(&bar, "ending the switch");
        server.stop()?;
        step(&bar, "reading the journal");
        let sign_ons = take_journal(&scratch.join("data"), &mut slips, &bar)?;
        step(&bar, "comparing slips");
        report.settle(&slips.verdict(), sign_ons);
        bar.finish_and_clear();
        if let Some(file) = &self.html {
            let page = loadtest::report::html(&report.measured());
            std::fs::write(file, page).with_context(|| file.display().to_string())?;
        }
        print(if self.json { as_json(&report) } else { table::of(&report) })?;
        Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The scenario, with what the command line says otherwise.
    fn scenario(&self) -> Result<Scenario> {
        let mut scenario = Scenario::load(&self.scenario)?;
        scenario.connections = self.connections.unwrap_or(scenario.connections);
        scenario.rate = self.rate.or(scenario.rate);
        scenario.in_flight = self.in_flight.unwrap_or(scenario.in_flight);
        // Each request under way is another terminal's.
        scenario.terminals_each = scenario.terminals_each.max(scenario.in_flight);
        scenario.idle = self.idle.unwrap_or(scenario.idle);
        scenario.seconds = self.seconds.unwrap_or(scenario.seconds);
        scenario.rounds = self.rounds.unwrap_or(scenario.rounds);
        if let Some(mac) = self.mac {
            let mac = match mac {
                MacChoice::Unionpay => Mac::UnionPay,
                MacChoice::X919 => Mac::X919,
                MacChoice::Sm4 => Mac::Sm4,
            };
            scenario.mac = BTreeMap::from([(mac, 1)]);
        }
        scenario.check()?;
        Ok(scenario)
    }
}

/// A switch for one benchmark. Its terminals all come from one address, and all at once.
fn config(programme: &Path, data: PathBuf, ledger: bool) -> Config {
    let mut config = Config::default();
    config.programme.directory = Some(programme.to_path_buf());
    config.node.directory = data;
    config.pos.listen.set_port(0);
    config.pos.connections_per_address_max = config.pos.connections_max;
    config.pos.accepts_per_second = config.pos.connections_max;
    config.http.listen.set_port(0);
    config.ledger.enabled = ledger;
    config.log.approved_one_in = 0;
    config
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
    /// Starts it in this process, or as one of its own if its memory is to be looked at.
    fn start(mut config: Config, watch: &Watch, scenario: &Scenario) -> Result<Self> {
        let has_ledger = config.ledger.enabled;
        let place = if scenario.idle > 0 {
            let started = |process: &Process| watch.serves(Serving::Apart(process.clone()));
            Place::Apart(Child::start(&config, &watch.scratch(), started)?)
        } else {
            config.shutdown.drain_timeout = LEDGER_WAIT;
            let directory = config.programme.directory.clone();
            let programme = Programme::load(&directory.unwrap_or_default())?;
            let started = |stopper| watch.serves(Serving::Here(stopper));
            Place::Here(Host::start(config, programme, Heeds::Owner, started)?)
        };
        Ok(Self { place, has_ledger })
    }

    fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Here(host) => host.doors.pos,
            Place::Apart(child) => child.doors.pos,
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
        let usage = || -> Option<Usage> {
            match &self.place {
                Place::Here(_) => None,
                Place::Apart(child) => child.usage(),
            }
        };
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

/// Shown on a terminal only.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows what begins.
fn step(bar: &ProgressBar, what: &str) {
    bar.set_message(what.to_owned());
    bar.inc(1);
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

fn as_json(report: &Report) -> String {
    let measured = report.measured();
    let object = json!({
        "ok": report.faults.is_empty(),
        "faults": measured.faults,
        "figures": measured.figures,
        "report": report,
        "series": measured.series,
    });
    format!("{object}\n")
}
