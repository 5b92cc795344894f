//! `posp bench`: a load on a switch of its own, in turn with a bare echo server.

mod child;
mod table;
mod trial;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use loadtest::bench::{Report, Settings};
use loadtest::scenario::{Mac, Overload, Scenario};
use serde_json::json;
use switch::config::Config;

use crate::output::print;
use crate::process;
use watch::Watch;

/// The seed of the kit: every run has the same cards.
const SEED: u64 = 1;

/// Measure a switch of its own under a load, in turn with a bare echo server
///
/// Without a scenario, every connection is a terminal with its own card that sells as fast as it is
/// answered, or at --rate. Afterwards every slip is held against the journal, and balances against
/// slips. Exits with 1 if they do not agree, or if something was refused that should not be. SIGTERM
/// and Ctrl-C end it at once, and nothing of it is left.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  posp bench                                        the peak of 500 terminals
  posp bench --rate 5000                            latency at a given rate
  posp bench acquirer-line --json
  posp bench --connections 500 --rate 5000 --idle 19000
  posp bench --accounts 1000000 --no-ledger         what a million accounts cost
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
    /// Further accounts that nobody uses, up to ten million. The load is put on a switch without
    /// them, too, and both are processes of their own. Without a ledger they are issued much faster
    #[arg(long, value_name = "COUNT")]
    accounts: Option<u32>,
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
        let programme = watch.scratch().join("programme");
        std::fs::create_dir(&programme)?;
        let kit = scenario.kit(SEED);
        kit.write_to(&programme)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let name = self.scenario.file_stem().unwrap_or_default().to_string_lossy();
        let settings = Settings { server_threads: threads, ..Settings::of(&name, scenario) };
        let config = config(&programme, !self.no_ledger, settings.scenario.overload);
        let trials =
            trial::Trials { watch: &watch, bar: &bar, settings: &settings, kit: &kit, config };
        let report = trials.run()?;
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
        scenario.accounts = self.accounts.unwrap_or(scenario.accounts);
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
fn config(programme: &Path, ledger: bool, overload: Option<Overload>) -> Config {
    let mut config = Config::default();
    config.programme.directory = Some(programme.to_path_buf());
    config.pos.listen.set_port(0);
    config.pos.connections_per_address_max = config.pos.connections_max;
    config.pos.accepts_per_second = config.pos.connections_max;
    config.http.listen.set_port(0);
    config.ledger.enabled = ledger;
    config.log.approved_one_in = 0;
    if let Some(overload) = overload {
        config.terminal.wait_max = Duration::from_millis(overload.wait_max_ms);
    }
    config
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
