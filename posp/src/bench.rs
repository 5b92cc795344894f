//! `posp bench`: what the switch can do, beside a bare echo server.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use loadtest::bench::{self, Phase, Report, Settings, Target};
use loadtest::terminal::SlipKind;
use loadtest::{Fen, Kit};
use serde_json::json;
use switch::config::Config;
use switch::programme::Programme;

use crate::host::{self, Host};
use crate::output::print;
use crate::process;

/// The seed of the kit: every run has the same cards.
const SEED: u64 = 1;

/// Measures sales on a switch of its own, in turn with a bare echo server in the same process.
///
/// Every connection is a terminal with its own card, and has one request outstanding. Afterwards
/// the approved sales are compared with the books. Exits with 1 if they do not agree, or if a sale
/// was refused.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Connections.
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    connections: u32,
    /// How long each phase takes; there are two in each round.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rounds.
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Leave the SQL ledger out, to see what it costs.
    #[arg(long)]
    no_ledger: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Starts a switch with a terminal and a card for each connection, measures it beside the
    /// echo, and prints the figures.
    ///
    /// # Errors
    /// A benchmark that cannot be run to its end, books that cannot be read, output that cannot be
    /// written.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        process::harden();
        let scratch = tempfile::Builder::new().prefix("posp-bench-").tempdir()?;
        let programme = scratch.path().join("programme");
        std::fs::create_dir(&programme)?;
        let kit = Kit::generate(self.connections, self.connections, SEED);
        kit.write_to(&programme)?;
        let config = config(&programme, scratch.path().join("data"), !self.no_ledger);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let programme = Programme::load(&programme)?;
        let host = Host::start(config, programme)?;
        let settings = Settings {
            connections: usize::try_from(self.connections)?,
            duration: Duration::from_secs(self.seconds),
            rounds: usize::try_from(self.rounds)?,
            server_threads: threads,
            ..Settings::default()
        };
        let target = Target { address: host.doors.pos, journal: &host::journal_counters };
        let mut tell = |what: &str| {
            // Progress is for whoever watches; that nobody can is no reason to stop.
            drop(writeln!(io::stderr().lock(), "{what}"));
        };
        let report = bench::run(&settings, &kit, &target, &mut tell)?;
        let mut faults = report.faults();
        let (count, sum) = approved(&host)?;
        faults.extend(report.agrees_with(count, sum).err());
        let text = if self.json { as_json(&report, &faults) } else { as_table(&report, &faults) };
        print(text)?;
        host.stop()?;
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn config(programme: &Path, data: PathBuf, ledger: bool) -> Config {
    let mut config = Config::default();
    config.programme.directory = Some(programme.to_path_buf());
    config.node.directory = data;
    config.pos.listen.set_port(0);
    config.http.listen.set_port(0);
    config.ledger.enabled = ledger;
    config.log.approved_one_in = 0;
    config
}

/// Reads the journal: how many sales it approved, and their sum.
fn approved(host: &Host) -> anyhow::Result<(u64, Fen)> {
    let entries = host::journal(&host.data)?;
    let sales = entries.iter().filter(|entry| entry.approved && entry.kind == SlipKind::Sale);
    Ok(sales.fold((0, Fen(0)), |(count, sum): (u64, Fen), sale| {
        (count.saturating_add(1), sum.plus(sale.amount))
    }))
}

fn as_json(report: &Report, faults: &[String]) -> String {
    let object = json!({
        "ok": faults.is_empty(),
        "faults": faults,
        "approved_sum": report.approved_sum(),
        "report": report,
    });
    format!("{object}\n")
}

fn as_table(report: &Report, faults: &[String]) -> String {
    let mut text = format!(
        "{} connections, one request each; {} bytes there, {} back\n\n\
         {:<10} {:>8} {:>9} {:>9} {:>9} {:>11} {:>11} {:>13}\n",
        report.connections,
        report.request_bytes,
        report.reply_bytes,
        "",
        "tps",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "server us",
        "client us",
        "records/sync",
    );
    let rounds = report.rounds.iter().zip(1..).map(|(round, n)| (n.to_string(), round));
    for (name, round) in rounds.chain([("median".to_owned(), &report.median)]) {
        text.push_str(&phase(&format!("{name} echo"), &round.echo));
        text.push_str(&phase("  switch", &round.switch));
        text.push_str(&format!("  ratio    {:>8}\n", thousandths(round.ratio_permille)));
    }
    let cpu = per_mille(report.median.switch.server_cpu_ns, report.median.echo.server_cpu_ns);
    text.push_str(&format!(
        "\n{} of the echo's rate, {} of its processor time for each answer\n\
         {} sales approved, {} in all; {} message codes verified\n",
        thousandths(report.median.ratio_permille),
        thousandths(cpu),
        report.approved,
        report.approved_sum(),
        report.codes_verified,
    ));
    if report.rounds.iter().any(|round| round.switch.exhausted > 0) {
        text.push_str("connections ran out of requests: towards the end fewer were at work\n");
    }
    for fault in faults {
        text.push_str(&format!("FAIL {fault}\n"));
    }
    text
}

fn phase(name: &str, phase: &Phase) -> String {
    format!(
        "{name:<10} {:>8} {:>9} {:>9} {:>9} {:>11} {:>11} {:>13}\n",
        phase.tps,
        thousandths(phase.p50_us),
        thousandths(phase.p99_us),
        thousandths(phase.p999_us),
        thousandths(phase.server_cpu_ns),
        thousandths(phase.client_cpu_ns),
        phase.records_per_sync.map_or_else(|| "-".to_owned(), |count| count.to_string()),
    )
}

/// A number of thousandths with its decimal point: microseconds in milliseconds, and so on.
fn thousandths(number: u64) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

fn per_mille(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1000).checked_div(whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_have_three_decimals() {
        assert_eq!(thousandths(652), "0.652");
        assert_eq!(thousandths(12_007), "12.007");
        assert_eq!(per_mille(30, 10), 3000);
        assert_eq!(per_mille(30, 0), 0);
    }
}
