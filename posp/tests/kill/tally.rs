//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use loadtest::Code;

use crate::fleet::Fleet;
use crate::journal::{Findings, Journal};

/// What a run came to.
#[derive(Default)]
pub struct Tally {
    /// Nodes killed while they served.
    pub kills: u64,
    /// Nodes killed before they were ready.
    pub kills_of_starts: u64,
    /// From the start of a process to its readiness.
    pub ready: Vec<Duration>,
    /// How much of that the process was ready to run and had no processor.
    pub starved: Vec<Duration>,
    /// From the start of a process to its first answer.
    pub first_answer: Vec<Duration>,
    /// From SIGTERM to the end of the process.
    pub stops: Vec<Duration>,
    /// Kills that left the end of the journal half written.
    pub torn_tails: u64,
    approvals: u64,
    entries: u64,
    lost: u64,
    doubled: u64,
    unanswered: u64,
    reversed: u64,
    inquiries: usize,
    codes: BTreeMap<Code, u64>,
}

impl Tally {
    /// Takes in what an audit found.
    pub fn take(&mut self, journal: &Journal, findings: &Findings, fleet: &Fleet<'_>) {
        self.entries = journal.entries;
        self.approvals = findings.approvals_seen;
        self.lost += findings.lost;
        self.doubled += findings.doubled;
        (self.unanswered, self.reversed, self.inquiries) = (0, 0, 0);
        self.codes.clear();
        for client in fleet.clients() {
            self.unanswered += client.unanswered;
            self.reversed += client.reversed;
            self.inquiries += client.inquiries.len();
            for (code, count) in &client.codes {
                *self.codes.entry(*code).or_default() += count;
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills                      {}", self.kills)?;
        writeln!(f, "kills before readiness     {}", self.kills_of_starts)?;
        writeln!(f, "torn tails cut             {}", self.torn_tails)?;
        writeln!(f, "approvals seen             {}", self.approvals)?;
        writeln!(f, "balances told              {}", self.inquiries)?;
        writeln!(f, "requests without answer    {}", self.unanswered)?;
        writeln!(f, "reversals confirmed        {}", self.reversed)?;
        writeln!(f, "entries of the journal     {}", self.entries)?;
        writeln!(f, "lost                       {}", self.lost)?;
        writeln!(f, "doubled                    {}", self.doubled)?;
        writeln!(f, "restart to ready           {}", spread(&self.ready))?;
        writeln!(f, "  without a processor      {}", spread(&self.starved))?;
        writeln!(f, "restart to first answer    {}", spread(&self.first_answer))?;
        writeln!(f, "SIGTERM to end             {}", spread(&self.stops))?;
        write!(f, "answers by code           ")?;
        self.codes.iter().try_for_each(|(code, count)| write!(f, " {code}: {count}"))
    }
}

/// Median, 99th percentile and maximum, by nearest rank.
fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = |percent: usize| match (times.len() * percent).div_ceil(100) {
        0 => Duration::ZERO,
        rank => times[rank - 1],
    };
    let ms = |time: Duration| format!("{} ms", time.as_millis());
    format!("p50 {}, p99 {}, max {}", ms(rank(50)), ms(rank(99)), ms(rank(100)))
}
