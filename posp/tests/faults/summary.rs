//! What a run came to.

use std::fmt;
use std::time::Duration;

use crate::audit::Audit;
use crate::plan::Fault;

/// What one kind of fault came to.
#[derive(Default)]
pub struct Row {
    /// How often the fault happened.
    pub times: u64,
    /// Approvals that terminals saw.
    pub approvals: u64,
    /// Entries of the journals.
    pub entries: u64,
    /// Approvals that were answered and are gone.
    pub lost: u64,
    /// Transactions that were applied twice.
    pub doubled: u64,
    /// Kills that left the end of a journal half written.
    pub torn_tails: u64,
    /// From the start of a process to its readiness, after a fault.
    pub ready: Vec<Duration>,
    /// What else is worth knowing.
    pub note: String,
}

impl Row {
    /// Takes in the last audit of a directory, whose journal holds all that came before.
    pub fn add(&mut self, audit: &Audit) {
        self.approvals += audit.findings.approvals_seen;
        self.entries += audit.journal.entries;
        self.lost += audit.findings.lost;
        self.doubled += audit.findings.doubled;
    }
}

/// All rows of a run.
#[derive(Default)]
pub struct Summary(Vec<(Fault, Option<Row>, Duration)>);

impl Summary {
    /// Takes in a row; none if something was not as it must be.
    pub fn add(&mut self, fault: Fault, row: Option<Row>, took: Duration) {
        let verdict = if row.is_some() { "ok" } else { "FAILED" };
        println!("{}: {verdict} after {} s", fault.name(), took.as_secs());
        self.0.push((fault, row, took));
    }

    /// True if everything was as it must be.
    pub fn is_ok(&self) -> bool {
        self.0.iter().all(|(_, row, _)| row.is_some())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<13} {:>5} {:>9} {:>9} {:>5} {:>7} {:>5} {:>9} {:>9} {:>6}",
            "fault",
            "times",
            "approvals",
            "entries",
            "lost",
            "doubled",
            "torn",
            "ready p50",
            "max",
            "took"
        )?;
        for (fault, row, took) in &self.0 {
            let (name, took) = (fault.name(), took.as_secs());
            let Some(row) = row else {
                writeln!(f, "{name:<13} FAILED after {took} s")?;
                continue;
            };
            let Row { times, approvals, entries, lost, doubled, torn_tails, ready, note } = row;
            let [p50, max] = [50, 100].map(|percent| match percentile(ready, percent) {
                Duration::ZERO => "-".to_owned(),
                time => format!("{} ms", time.as_millis()),
            });
            writeln!(
                f,
                "{name:<13} {times:>5} {approvals:>9} {entries:>9} {lost:>5} {doubled:>7} \
                 {torn_tails:>5} {p50:>9} {max:>9} {took:>4} s"
            )?;
            if !note.is_empty() {
                writeln!(f, "{:>13} {note}", "")?;
            }
        }
        write!(f, "{}", if self.is_ok() { "all as it must be" } else { "FAILED" })
    }
}

/// By nearest rank; zero of none.
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    match (times.len() * percent).div_ceil(100) {
        0 => Duration::ZERO,
        rank => times[rank - 1],
    }
}
