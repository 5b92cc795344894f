//! `posp demo`: a shop's day on a switch of its own.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use loadtest::audit::{Violation, compare};
use loadtest::demo::{self, Report, Row};
use loadtest::{Fen, Kit};
use serde_json::json;
use store::CheckReport;
use switch::config::Config;
use switch::programme::Programme;

use crate::check;
use crate::host::{self, Doors, Heeds, Host};
use crate::output::print;
use crate::process;

/// Starts a switch with the demonstration's cards and terminals, and plays a shop's day on it.
///
/// All kinds of transactions but the care of terminals, and what goes wrong on such a day; each step says what is
/// expected of it. At the end, what the terminals saw is compared with the journal. Exits with 1 if
/// anything is not as expected.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// End after the day; otherwise the switch goes on serving.
    #[arg(long)]
    once: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Where the journal lives; a fresh directory, or one of an earlier day. Without it, a
    /// temporary one that goes with the demonstration.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where terminals connect. With --once a free port, otherwise 127.0.0.1:8583.
    #[arg(long, value_name = "HOST:PORT")]
    pos_listen: Option<SocketAddr>,
    /// Where metrics and health are. With --once a free port, otherwise 127.0.0.1:8580.
    #[arg(long, value_name = "HOST:PORT")]
    http_listen: Option<SocketAddr>,
}

impl Demo {
    /// Starts a switch, plays the day, prints it, and goes on serving unless it is to end.
    ///
    /// # Errors
    /// A switch that does not start, a step that got no answer, a journal that cannot be read,
    /// output that cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let scratch = tempfile::Builder::new().prefix("posp-demo-").tempdir()?;
        let kit = kit_in(scratch.path())?;
        process::harden();
        let config = self.config(&scratch.path().join("data"));
        let host = Host::start(config, Programme::demo(), Heeds::Signals, drop)?;
        // Entries of earlier days are none of today's terminals' business.
        let earlier = host::journal(&host.data)?.len();
        let report = demo::run(host.doors.pos, &kit)?;
        let journal = host::journal(&host.data)?;
        let violations = compare(&report.seen, journal.get(earlier..).unwrap_or_default());
        let is_drained = host.drained();
        let audit = check::audit(&host.data, None)?;
        let is_ok = report.is_ok() && violations.is_empty() && audit.ok && is_drained;
        if self.json {
            print(as_json(&report, &violations, &audit, is_ok))?;
        } else {
            let stdout = io::stdout();
            let is_plain = std::env::var_os("NO_COLOR").is_some() || !stdout.is_terminal();
            let marks = if is_plain { &PLAIN } else { &COLOURED };
            print(as_table(&report, &violations, marks))?;
            print(check::in_words(&audit))?;
        }
        if self.once {
            host.stop()?;
        } else {
            print(self.invitation(&host))?;
            host.wait()?;
        }
        Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn config(&self, scratch: &Path) -> Config {
        let mut config = Config::default();
        config.node.directory = self.data.clone().unwrap_or_else(|| scratch.to_path_buf());
        if self.once {
            config.pos.listen.set_port(0);
            config.http.listen.set_port(0);
        }
        config.pos.listen = self.pos_listen.unwrap_or(config.pos.listen);
        config.http.listen = self.http_listen.unwrap_or(config.http.listen);
        config
    }

    /// Says what to try next, if a person reads.
    fn invitation(&self, host: &Host) -> String {
        if self.json {
            return String::new();
        }
        let Doors { pos, http } = host.doors;
        format!(
            "\nTerminals connect to {pos}, metrics and health are at http://{http}/. Ctrl-C ends.\n\
             In another shell (posp kit lists terminals and cards):\n  \
             posp pos --connect {pos} --terminal 10000002 --kit config/demo --keep /tmp/till sign-on\n  \
             posp pos --connect {pos} --terminal 10000002 --kit config/demo --keep /tmp/till \
             sale --card 6212142000000000012 --amount 6.00 --pin 123456\n  \
             curl http://{http}/readyz\n"
        )
    }
}

/// Reads the terminals and cards of the built-in programme as a terminal sees them: from files.
fn kit_in(scratch: &Path) -> anyhow::Result<Kit> {
    let directory = scratch.join("programme");
    std::fs::create_dir(&directory)?;
    Programme::write_demo(&directory)?;
    Ok(Kit::from_dir(&directory)?)
}

fn as_json(report: &Report, violations: &[Violation], audit: &CheckReport, is_ok: bool) -> String {
    let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
    let object = json!({
        "ok": is_ok,
        "check": audit,
        "rows": report.rows,
        "transactions_seen": report.seen.len(),
        "audit_violations": violations,
    });
    format!("{object}\n")
}

/// Columns of the table.
const COLUMNS: usize = 8;

/// What marks good and bad rows.
struct Marks {
    good: &'static str,
    bad: &'static str,
    end: &'static str,
}

const PLAIN: Marks = Marks { good: "", bad: "", end: "" };
const COLOURED: Marks = Marks { good: "\x1b[32m", bad: "\x1b[31m", end: "\x1b[0m" };

fn as_table(report: &Report, violations: &[Violation], marks: &Marks) -> String {
    let head = ["", "terminal", "step", "", "sent", "F39", "answer", "balance"];
    let head = head.map(str::to_owned);
    let rows: Vec<_> = report.rows.iter().map(cells).collect();
    let mut widths = [0; COLUMNS];
    for cells in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(columns(cell));
        }
    }
    let mut text = line(&head, &widths);
    for (row, cells) in report.rows.iter().zip(&rows) {
        let mark = if row.ok { marks.good } else { marks.bad };
        text.push_str(&format!("{mark}{}{}", line(cells, &widths).trim_end(), marks.end));
        text.push('\n');
        for complaint in complaints(row) {
            text.push_str(&format!("     {}{complaint}{}\n", marks.bad, marks.end));
        }
    }
    let failed = report.rows.iter().filter(|row| !row.ok).count();
    text.push_str(&format!("\n{} steps, {failed} not as expected\n", report.rows.len()));
    let agree = format!("{} transactions seen, all as the journal has them", report.seen.len());
    if violations.is_empty() {
        text.push_str(&format!("{}{agree}{}\n", marks.good, marks.end));
    }
    for violation in violations {
        text.push_str(&format!("{}{violation}{}\n", marks.bad, marks.end));
    }
    text
}

fn cells(row: &Row) -> [String; COLUMNS] {
    let sent = match &row.processing {
        Some(processing) => format!("{}/{processing}", row.mti),
        None => row.mti.clone(),
    };
    [
        if row.ok { "ok" } else { "FAIL" }.to_owned(),
        row.terminal.to_string(),
        row.what.to_owned(),
        row.what_zh.to_owned(),
        sent,
        row.code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
        format!("{} {}", row.meaning, row.meaning_zh),
        row.balance_fen.map(yuan).unwrap_or_default(),
    ]
}

/// What is wrong with a row, line by line.
fn complaints(row: &Row) -> impl Iterator<Item = String> {
    let came = row.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
    let code = (!row.ok).then(|| format!("expected {}, came {came}", row.expected));
    let shown = |fen: Option<i64>| fen.map_or_else(|| "nothing".to_owned(), yuan);
    let (balance, expected) = (row.balance_fen, row.expected_balance_fen);
    let balance = (balance != expected)
        .then(|| format!("expected a balance of {}, it is {}", shown(expected), shown(balance)));
    [code, balance, row.fault.clone()].into_iter().flatten()
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}", Fen(fen.unsigned_abs()))
}

/// One line, each cell filled up to its column's width; the last stands on the right.
fn line(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let last = cells.len().saturating_sub(1);
    let mut text = String::new();
    for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let fill = " ".repeat(width.saturating_sub(columns(cell)));
        let (before, after) = if place == last { (fill.as_str(), "") } else { ("", fill.as_str()) };
        text.push_str(&format!("{before}{cell}{after}  "));
    }
    text.trim_end().to_owned() + "\n"
}

/// How many columns of a terminal a text takes: Chinese characters and their punctuation take two.
fn columns(text: &str) -> usize {
    let wide = |character: &char| {
        matches!(u32::from(*character),
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
            | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6)
    };
    text.chars().count().saturating_add(text.chars().filter(wide).count())
}

#[cfg(test)]
mod tests {
    use loadtest::Code;

    use super::*;

    fn row(what: &'static str, what_zh: &'static str, ok: bool) -> Row {
        Row {
            what,
            what_zh,
            terminal: "10000001".parse().unwrap(),
            mti: "0200".to_owned(),
            processing: Some("000000".to_owned()),
            code: Some(Code::APPROVED),
            meaning: "approved".to_owned(),
            meaning_zh: "交易成功".to_owned(),
            expected: "51".to_owned(),
            ok,
            balance_fen: Some(123_456),
            expected_balance_fen: Some(if ok { 123_456 } else { -100 }),
            fault: None,
        }
    }

    #[test]
    fn columns_stand_below_each_other_whatever_the_script() {
        let rows = vec![row("sale", "消费，磁条卡", true), row("a longer step", "撤销", true)];
        let table = as_table(&Report { rows, seen: Vec::new() }, &[], &PLAIN);
        let lines: Vec<_> = table.lines().take(3).collect();
        let at = |line: &str, word: &str| columns(line.split_once(word).unwrap().0);
        assert_eq!(at(lines[1], "approved"), at(lines[2], "approved"));
        assert_eq!(at(lines[0], "sent"), at(lines[1], "0200"));
        assert_eq!(columns(lines[1]), columns(lines[2]));
        assert!(lines[1].ends_with("1234.56"));
        assert!(!table.contains('\x1b'));
    }

    #[test]
    fn a_step_that_differs_says_how() {
        let rows = vec![row("sale", "消费", false)];
        let table = as_table(&Report { rows, seen: Vec::new() }, &[], &PLAIN);
        assert!(table.contains("FAIL"));
        assert!(table.contains("expected 51, came 00"));
        assert!(table.contains("expected a balance of -1.00, it is 1234.56"));
        assert!(table.contains("1 steps, 1 not as expected"));
    }
}
