//! The host's clock of the day, which somebody sets now and then.

use domain::terms::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use super::plan::Micros;

/// A clock that jumps.
#[derive(Debug)]
pub struct WallClock {
    /// What it shows when the world begins, in milliseconds since 1970.
    beginning: i64,
    /// From when on it is how many milliseconds off.
    steps: Vec<(Micros, i64)>,
}

impl WallClock {
    pub fn new(beginning: i64) -> Self {
        Self { beginning, steps: vec![(0, 0)] }
    }

    /// Returns what it shows.
    pub fn at(&self, now: Micros) -> Timestamp {
        let (_, offset) = self.steps.iter().rev().find(|(from, _)| *from <= now).unwrap();
        Timestamp(self.beginning + (now / 1000) as i64 + offset)
    }

    /// Returns what it shows in the time of the shops.
    pub fn local(&self, now: Micros) -> civil::DateTime {
        let at = jiff::Timestamp::from_millisecond(self.at(now).0).unwrap();
        TimeZone::fixed(jiff::tz::offset(8)).to_datetime(at)
    }

    /// Somebody sets it.
    pub fn set(&mut self, now: Micros, offset: i64) {
        self.steps.push((now, offset));
    }

    /// True if it showed `at` at some moment from `first` to `last`.
    pub fn showed(&self, at: Timestamp, first: Micros, last: Micros) -> bool {
        let ends = self.steps.iter().skip(1).map(|&(from, _)| from).chain([Micros::MAX]);
        self.steps.iter().zip(ends).any(|(&(from, offset), end)| {
            let (first, last) = (first.max(from), last.min(end));
            let shown = |now: Micros| self.beginning + (now / 1000) as i64 + offset;
            first <= last && (shown(first)..=shown(last)).contains(&at.0)
        })
    }
}
