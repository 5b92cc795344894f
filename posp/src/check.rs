//! `posp check`: does a data directory say the same thing everywhere?

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use store::CheckReport;

use crate::output::print;

/// Verify a data directory: journal, hash chain, fold, snapshots, ledger
///
/// Every batch and its checksum, every entry and its place in the chain of its shard, every rule
/// of the books on the way; then the snapshots and the SQL ledger are compared with what the
/// journal amounts to. Changes nothing. Exits with 1 and names the first violation, if there is
/// one; with 2 if the directory cannot be read.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The data directory of a node.
    #[arg(value_name = "DATA_DIR")]
    data: PathBuf,
    /// The SQLite file of the ledger, if it is not `ledger.db` in the data directory.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let report = match audit(&self.data, self.ledger.as_deref()) {
            Ok(report) => report,
            Err(error) => {
                if self.json {
                    let said = serde_json::json!({ "ok": false, "error": error.to_string() });
                    print(format!("{said}\n"))?;
                }
                crate::output::complain(&error);
                return Ok(ExitCode::from(2));
            }
        };
        let text = if self.json {
            format!("{}\n", serde_json::to_string(&report)?)
        } else {
            in_words(&report)
        };
        print(text)?;
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Verifies a data directory, with a progress bar where somebody watches.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn audit(data: &Path, ledger: Option<&Path>) -> Result<CheckReport> {
    let bar =
        if io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} segments, {msg} entries")
    {
        bar.set_style(style);
    }
    let tell = |progress: store::CheckProgress| {
        bar.set_length(progress.segments);
        bar.set_position(progress.segment);
        bar.set_message(progress.entries.to_string());
    };
    let report = match ledger {
        Some(ledger) => store::check_with_ledger(data, ledger, tell),
        None => store::check(data, tell),
    };
    bar.finish_and_clear();
    Ok(report?)
}

/// Says a report in words.
pub(crate) fn in_words(report: &CheckReport) -> String {
    let verdict = match &report.first_violation {
        None => "ok: the books balance, and journal, snapshots and ledger agree".to_owned(),
        Some(violation) => format!("NOT OK: {violation}"),
    };
    let ledger = if report.ledger {
        format!("{} entries, {} balances", report.ledger_entries, report.ledger_balances)
    } else {
        "none".to_owned()
    };
    format!(
        "journal    {} entries in {} segments, {} shards\nsnapshots  {}\nledger     {ledger}\n{verdict}\n",
        report.entries, report.segments, report.shards, report.snapshots,
    )
}
