//! How much was simulated.

use std::fmt;
use std::time::Duration;

/// What happened in worlds, summed up.
#[derive(Clone, Copy, Debug, Default)]
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
        write!(
            f,
            "simulated time    {:.1} h",
            Duration::from_micros(self.micros).as_secs_f64() / 3600.0
        )
    }
}
