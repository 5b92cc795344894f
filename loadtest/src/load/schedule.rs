//! When requests are due.

use std::time::Duration;

/// A rate that is kept for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leg {
    /// Requests in a second, over all connections.
    pub rate: u64,
    /// For how long.
    pub duration: Duration,
}

/// The moments at which the requests of one client thread are due, as times since the beginning.
///
/// Request number `n` of a leg is due `n / rate` after the leg began, whatever became of those
/// before it, on line `n` modulo the number of lines.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    legs: Vec<Leg>,
    /// The leg under way, and when it began.
    leg: usize,
    began: Duration,
    /// The numbers of the thread's lines, among all.
    numbers: Vec<u64>,
    all: u64,
    /// How often every line had its turn in this leg, and the line of the thread that is next.
    cycle: u64,
    place: usize,
}

impl Schedule {
    /// The schedule of a thread with the lines of these numbers, of so many.
    pub(super) fn new(legs: &[Leg], numbers: Vec<u64>, all: u64) -> Self {
        let (legs, began) = (legs.to_vec(), Duration::ZERO);
        Self { legs, leg: 0, began, numbers, all, cycle: 0, place: 0 }
    }

    /// When the next request is due, and on which of the thread's lines; `None` after the last.
    pub(super) fn next_due(&mut self) -> Option<(Duration, usize)> {
        loop {
            let leg = self.legs.get(self.leg)?;
            let line = *self.numbers.get(self.place)?;
            let number = self.cycle.saturating_mul(self.all).saturating_add(line);
            let nanos = u128::from(number)
                .saturating_mul(1_000_000_000)
                .checked_div(u128::from(leg.rate))
                .and_then(|nanos| u64::try_from(nanos).ok());
            let within = nanos.map(Duration::from_nanos).filter(|within| *within < leg.duration);
            if let Some(within) = within {
                return Some((self.began.saturating_add(within), self.place));
            }
            self.began = self.began.saturating_add(leg.duration);
            self.leg = self.leg.saturating_add(1);
            (self.cycle, self.place) = (0, 0);
        }
    }

    /// Goes on to the request after the one that is due next.
    pub(super) fn advance(&mut self) {
        self.place = self.place.saturating_add(1);
        if self.place >= self.numbers.len() {
            (self.place, self.cycle) = (0, self.cycle.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(mut schedule: Schedule) -> Vec<(u64, usize)> {
        let next = || {
            let (due, place) = schedule.next_due()?;
            schedule.advance();
            Some((u64::try_from(due.as_millis()).ok()?, place))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn lines_take_turns_and_every_leg_has_its_rate() {
        let leg = |rate, millis| Leg { rate, duration: Duration::from_millis(millis) };
        let legs = [leg(100, 40), leg(0, 60), leg(1000, 4)];
        let alone = dues(Schedule::new(&legs, vec![0], 1));
        let times: Vec<_> = alone.iter().map(|(due, _)| *due).collect();
        assert_eq!(times, [0, 10, 20, 30, 100, 101, 102, 103]);
        let first = dues(Schedule::new(&legs, vec![0, 2], 3));
        assert_eq!(first, [(0, 0), (20, 1), (30, 0), (100, 0), (102, 1), (103, 0)]);
        assert_eq!(dues(Schedule::new(&legs, vec![1], 3)), [(10, 0), (101, 0)]);
        assert_eq!(dues(Schedule::new(&legs, vec![], 3)), []);
    }
}
