//! The clock of a line: what it is to be woken for.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::{Instant, Sleep, sleep_until};

/// Times at which something is to be looked at. A line without any has no timer.
#[derive(Debug)]
pub(super) struct Alarms<A> {
    set: SmallVec<[(Instant, A); 1]>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<A: Copy + Eq> Alarms<A> {
    pub(super) fn new() -> Self {
        Self { set: SmallVec::new(), sleep: None }
    }

    /// Sets an alarm.
    pub(super) fn set(&mut self, after: Duration, alarm: A) {
        let now = Instant::now();
        self.set.push((now.checked_add(after).unwrap_or(now), alarm));
    }

    /// True if there is such an alarm.
    pub(super) fn is_set(&self, alarm: A) -> bool {
        self.set.iter().any(|(_, set)| *set == alarm)
    }

    /// Takes back all such alarms.
    pub(super) fn cancel(&mut self, alarm: A) {
        self.set.retain(|(_, set)| *set != alarm);
        self.give_back();
    }

    /// Waits for the next alarm, and takes it out.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<A> {
        let numbered = self.set.iter().enumerate();
        let first = numbered.map(|(place, (at, _))| (*at, place)).min();
        let Some((at, place)) = first else { return Poll::Pending };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        ready!(sleep.as_mut().poll(task));
        let (_, alarm) = self.set.swap_remove(place);
        self.give_back();
        Poll::Ready(alarm)
    }

    /// Thousands of lines are idle: what is not needed is given back.
    fn give_back(&mut self) {
        if self.set.is_empty() {
            self.set.shrink_to_fit();
            self.sleep = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn alarms_come_in_the_order_of_their_times() {
        let mut alarms = Alarms::new();
        alarms.set(Duration::from_millis(20), 'c');
        alarms.set(Duration::from_millis(10), 'b');
        alarms.set(Duration::from_millis(5), 'a');
        alarms.cancel('b');
        assert!(alarms.is_set('c') && !alarms.is_set('b'));
        let mut heard = Vec::new();
        for _ in 0..2 {
            heard.push(std::future::poll_fn(|task| alarms.poll_next(task)).await);
        }
        assert_eq!(heard, ['a', 'c']);
        let task = &mut Context::from_waker(std::task::Waker::noop());
        assert!(alarms.poll_next(task).is_pending() && alarms.sleep.is_none());
    }
}
