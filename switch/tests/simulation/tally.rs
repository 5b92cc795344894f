//! How much was simulated.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How often what was answered with which code. A settlement has none, but a word.
pub type Answers = BTreeMap<(&'static str, String), u64>;

/// What happened in worlds, summed up.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub seeds: u64,
    pub requests: u64,
    pub frames: u64,
    pub lost: u64,
    pub doubled: u64,
    pub delayed: u64,
    pub cuts: u64,
    pub crashes: u64,
    pub contests: u64,
    pub syncs: u64,
    /// Virtual time.
    pub micros: u64,
    pub answers: Answers,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.seeds, other.seeds),
            (&mut self.requests, other.requests),
            (&mut self.frames, other.frames),
            (&mut self.lost, other.lost),
            (&mut self.doubled, other.doubled),
            (&mut self.delayed, other.delayed),
            (&mut self.cuts, other.cuts),
            (&mut self.crashes, other.crashes),
            (&mut self.contests, other.contests),
            (&mut self.syncs, other.syncs),
            (&mut self.micros, other.micros),
        ];
        pairs.into_iter().for_each(|(sum, part)| *sum += part);
        for (answer, count) in &other.answers {
            *self.answers.entry(answer.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seeds             {}", self.seeds)?;
        writeln!(f, "requests          {}", self.requests)?;
        writeln!(f, "frames            {}", self.frames)?;
        writeln!(f, "  lost            {}", self.lost)?;
        writeln!(f, "  doubled         {}", self.doubled)?;
        writeln!(f, "  delayed         {}", self.delayed)?;
        writeln!(f, "lines cut         {}", self.cuts)?;
        writeln!(f, "crashes           {}", self.crashes)?;
        writeln!(f, "conflicts         {}", self.contests)?;
        writeln!(f, "syncs             {}", self.syncs)?;
        let hours = Duration::from_micros(self.micros).as_secs_f64() / 3600.0;
        write!(f, "simulated time    {hours:.1} h")?;
        let mut last = "";
        for ((what, code), count) in &self.answers {
            if *what != last {
                write!(f, "\n{what:<18}")?;
            }
            write!(f, "{code} {count}  ")?;
            last = what;
        }
        Ok(())
    }
}
