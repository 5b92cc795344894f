//! How much was simulated.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How often what went how.
pub type Counts = BTreeMap<(&'static str, String), u64>;

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
    pub snapshots: u64,
    pub damages: u64,
    pub full_disks: u64,
    /// Virtual time.
    pub micros: u64,
    /// The same, once for each terminal.
    pub terminal_micros: u64,
    /// Requests, by what was answered: a code, or for a settlement a word.
    pub answers: Counts,
    /// Entries of the journal.
    pub entries: Counts,
}

/// What a long run must have brought about, or it has gone blind: what, and how.
#[rustfmt::skip]
const LANDMARKS: [(&str, &[&str]); 9] = [
    ("sale",       &["00", "13", "14", "22", "51", "55", "61", "75", "77", "94"]),
    ("void",       &["00", "14", "22", "55", "77"]),
    ("refund",     &["00", "12", "14", "22", "58", "64", "77"]),
    ("reversal",   &["00", "12", "25", "of a sale", "of a void", "with suspense"]),
    ("balance",    &["00", "55", "75"]),
    ("settlement", &["Balanced", "Unbalanced"]),
    ("bar",        &["by card", "by terminal"]),
    ("return",     &["with suspense"]),
    ("batch",      &["balanced", "unbalanced", "uploaded", "ended", "ended with differences"]),
];

impl Tally {
    /// The time that all terminals have lived, in years.
    pub fn years(&self) -> f64 {
        Duration::from_micros(self.terminal_micros).as_secs_f64() / (365.25 * 86_400.0)
    }

    /// Returns the landmarks that were not reached.
    pub fn missed(&self) -> Vec<String> {
        let is_reached = |what: &'static str, how: &str| {
            let key = (what, how.to_owned());
            self.answers.contains_key(&key) || self.entries.contains_key(&key)
        };
        let named =
            LANDMARKS.iter().flat_map(|(what, how)| how.iter().map(move |how| (*what, *how)));
        let missed = named.filter(|(what, how)| !is_reached(what, how));
        let missed: Vec<_> = missed.map(|(what, how)| format!("{what} {how}")).collect();
        let faults = [
            ("loss", self.lost),
            ("doubling", self.doubled),
            ("delay", self.delayed),
            ("cut", self.cuts),
            ("crash", self.crashes),
            ("conflict", self.contests),
            ("snapshot", self.snapshots),
            ("damage", self.damages),
            ("full disk", self.full_disks),
        ];
        let quiet = faults.into_iter().filter(|(_, count)| *count == 0);
        missed.into_iter().chain(quiet.map(|(name, _)| name.to_owned())).collect()
    }

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
            (&mut self.snapshots, other.snapshots),
            (&mut self.damages, other.damages),
            (&mut self.full_disks, other.full_disks),
            (&mut self.micros, other.micros),
            (&mut self.terminal_micros, other.terminal_micros),
        ];
        pairs.into_iter().for_each(|(sum, part)| *sum += part);
        let counts = [(&mut self.answers, &other.answers), (&mut self.entries, &other.entries)];
        for (sums, parts) in counts {
            for (name, count) in parts {
                *sums.entry(name.clone()).or_default() += count;
            }
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
        writeln!(f, "snapshots         {}", self.snapshots)?;
        writeln!(f, "damages           {}", self.damages)?;
        writeln!(f, "full disks        {}", self.full_disks)?;
        let hours = Duration::from_micros(self.micros).as_secs_f64() / 3600.0;
        writeln!(f, "simulated time    {hours:.1} h")?;
        write!(f, "terminal time     {:.2} years", self.years())?;
        for (head, counts) in [("answers", &self.answers), ("entries", &self.entries)] {
            write!(f, "\n{head}")?;
            let mut last = "";
            for ((what, how), count) in counts {
                if *what != last {
                    write!(f, "\n  {what:<16}")?;
                }
                write!(f, "{how} {count}  ")?;
                last = what;
            }
        }
        Ok(())
    }
}
