//! The host's clock of the day, which somebody sets now and then.

use domain::terms::Timestamp;

use super::plan::Micros;

/// Milliseconds since 1970 at which every world begins: 2026-11-18.
const BEGINNING: i64 = 1_795_000_000_000;

/// A clock that jumps.
#[derive(Debug)]
pub struct WallClock {
    /// From when on it is how many milliseconds off.
    steps: Vec<(Micros, i64)>,
}

impl Default for WallClock {
    fn default() -> Self {
        Self { steps: vec![(0, 0)] }
    }
}

impl WallClock {
    /// Returns what it shows.
    pub fn at(&self, now: Micros) -> Timestamp {
        let (_, offset) = self.steps.iter().rev().find(|(from, _)| *from <= now).unwrap();
        Timestamp(BEGINNING + (now / 1000) as i64 + offset)
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
            let shown = |now: Micros| BEGINNING + (now / 1000) as i64 + offset;
            first <= last && (shown(first)..=shown(last)).contains(&at.0)
        })
    }
}
