//! `posp bench`: a load on a switch of its own, in turn with a bare echo server.

mod child;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use loadtest::audit::Slips;
use loadtest::bench::{self, JournalCounters, Report, Settings, Target, Usage};
use loadtest::scenario::{Mac, Scenario};
use serde_json::json;
use switch::config::Config;
use switch::programme::Programme;

use crate::host::{self, Fact, Host};
use crate::output::print;
use crate::process;
use child::Child;

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
        let scratch = tempfile::Builder::new().prefix("posp-bench-").tempdir()?;
        let programme = scratch.path().join("programme");
        std::fs::create_dir(&programme)?;
        let kit = scenario.kit(SEED);
        kit.write_to(&programme)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let name = self.scenario.file_stem().unwrap_or_default().to_string_lossy();
        let settings = Settings { server_threads: threads, ..Settings::of(&name, scenario) };
        let config = config(&programme, scratch.path().join("data"), !self.no_ledger);
        let server = Server::start(config, scratch.path(), settings.scenario.idle > 0)?;
        let (mut report, mut slips) = server.measure(&settings, &kit)?;
        server.stop()?;
        let sign_ons = take_journal(&scratch.path().join("data"), &mut slips)?;
        report.settle(&slips.verdict(), sign_ons);
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
enum Server {
    Here(Host),
    Child(Child),
}

impl Server {
    /// Starts it in this process, or as one of its own if its memory is to be looked at.
    fn start(config: Config, scratch: &Path, is_apart: bool) -> Result<Self> {
        if is_apart {
            return Ok(Self::Child(Child::start(&config, scratch)?));
        }
        let directory = config.programme.directory.clone();
        let programme = Programme::load(&directory.unwrap_or_default())?;
        Ok(Self::Here(Host::start(config, programme)?))
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Here(host) => host.doors.pos,
            Self::Child(child) => child.doors.pos,
        }
    }

    fn measure(&self, settings: &Settings, kit: &loadtest::Kit) -> Result<(Report, Slips)> {
        let bar = bar(settings.steps());
        let mut progress = |what: &str| {
            bar.set_message(what.to_owned());
            bar.inc(1);
        };
        let journal = || -> Option<JournalCounters> {
            match self {
                Self::Here(_) => host::journal_counters(),
                Self::Child(child) => child.journal_counters(),
            }
        };
        let usage = || -> Option<Usage> {
            match self {
                Self::Here(_) => None,
                Self::Child(child) => child.usage(),
            }
        };
        let is_apart = matches!(self, Self::Child(_));
        let target = Target {
            address: self.address(),
            journal: &journal,
            usage: is_apart.then_some(&usage as &dyn Fn() -> Option<Usage>),
        };
        let measured = bench::run(settings, kit, &target, &mut progress);
        bar.finish_and_clear();
        Ok(measured?)
    }

    fn stop(self) -> Result<()> {
        match self {
            Self::Here(host) => host.stop(),
            Self::Child(child) => child.stop(),
        }
    }
}

/// Shown on a terminal only.
fn bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Holds the journal against the slips; returns how many sign-ons it has.
fn take_journal(data: &Path, slips: &mut Slips) -> Result<u64> {
    let mut sign_ons = 0_u64;
    host::facts(data, |fact| {
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
