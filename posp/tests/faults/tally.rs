//! What the kills came to, in detail.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use loadtest::Code;

use crate::audit::Audit;
use crate::fleet::Fleet;
use crate::summary::{Row, percentile};

/// What the kills came to.
#[derive(Default)]
pub struct Tally {
    /// What belongs into the summary.
    pub row: Row,
    /// Nodes killed before they were ready.
    pub kills_of_starts: u64,
    /// How long a start was ready to run and had no processor.
    pub starved: Vec<Duration>,
    /// From the start of a process to its first answer.
    pub first_answer: Vec<Duration>,
    /// From SIGTERM to the end of the process, under load.
    pub stops: Vec<Duration>,
    unanswered: u64,
    reversed: u64,
    inquiries: usize,
    codes: BTreeMap<Code, u64>,
}

impl Tally {
    /// Takes in the last audit of a directory.
    pub fn take(&mut self, audit: &Audit, fleet: &Fleet<'_>) {
        self.row.add(audit);
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
        writeln!(f, "kills before readiness     {}", self.kills_of_starts)?;
        writeln!(f, "balances told              {}", self.inquiries)?;
        writeln!(f, "requests without answer    {}", self.unanswered)?;
        writeln!(f, "reversals confirmed        {}", self.reversed)?;
        writeln!(f, "restart to ready           {}", spread(&self.row.ready))?;
        writeln!(f, "  without a processor      {}", spread(&self.starved))?;
        writeln!(f, "restart to first answer    {}", spread(&self.first_answer))?;
        writeln!(f, "SIGTERM to end             {}", spread(&self.stops))?;
        write!(f, "answers by code           ")?;
        self.codes.iter().try_for_each(|(code, count)| write!(f, " {code}: {count}"))
    }
}

/// Median, 99th percentile and maximum.
fn spread(times: &[Duration]) -> String {
    let [p50, p99, max] = [50, 99, 100].map(|percent| percentile(times, percent).as_millis());
    format!("p50 {p50} ms, p99 {p99} ms, max {max} ms")
}
