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
/// before it. Threads take turns, and so do the lines of a thread.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    legs: Vec<Leg>,
    /// The leg under way, and when it began.
    leg: usize,
    began: Duration,
    /// The next request of the leg, over all threads.
    next: u64,
    first: u64,
    step: u64,
}

impl Schedule {
    /// The schedule of the thread with this number, of so many.
    pub(super) fn new(legs: &[Leg], thread: usize, threads: usize) -> Self {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (first, step) = (number(thread), number(threads).max(1));
        Self { legs: legs.to_vec(), leg: 0, began: Duration::ZERO, next: first, first, step }
    }

    /// When the next request is due; `None` after the last.
    pub(super) fn next_due(&mut self) -> Option<Duration> {
        loop {
            let leg = self.legs.get(self.leg)?;
            let nanos = u128::from(self.next)
                .saturating_mul(1_000_000_000)
                .checked_div(u128::from(leg.rate))
                .and_then(|nanos| u64::try_from(nanos).ok());
            let within = nanos.map(Duration::from_nanos).filter(|within| *within < leg.duration);
            if let Some(within) = within {
                return Some(self.began.saturating_add(within));
            }
            self.began = self.began.saturating_add(leg.duration);
            self.leg = self.leg.saturating_add(1);
            self.next = self.first;
        }
    }

    /// Goes on to the request after the one that is due next.
    pub(super) fn advance(&mut self) {
        self.next = self.next.saturating_add(self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(mut schedule: Schedule) -> Vec<u64> {
        let next = || {
            let due = schedule.next_due()?;
            schedule.advance();
            u64::try_from(due.as_millis()).ok()
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn threads_take_turns_and_every_leg_has_its_rate() {
        let leg = |rate, millis| Leg { rate, duration: Duration::from_millis(millis) };
        let legs = [leg(100, 40), leg(0, 60), leg(1000, 3)];
        assert_eq!(dues(Schedule::new(&legs, 0, 1)), [0, 10, 20, 30, 100, 101, 102]);
        assert_eq!(dues(Schedule::new(&legs, 0, 2)), [0, 20, 100, 102]);
        assert_eq!(dues(Schedule::new(&legs, 1, 2)), [10, 30, 101]);
    }
}
