//! How much waits for the accounts of a node, and which lines wait until it is less.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Commands that may wait for the account actors and their journal before lines are not read: a
/// hundredth of a second's work of a core, and several batches of the journal.
const HIGH: usize = 1024;
/// Below so many, lines are read again: enough that the journal has its next batch meanwhile.
const LOW: usize = HIGH / 2;

/// Counts the commands that have no answer yet, and keeps lines waiting while they are too many.
///
/// This is how the switch sheds what it cannot do: first on the line, before it has read it. What is
/// not read costs nothing, nobody has decided it, and it is heard at once by whoever sends too much:
/// his socket takes no more. A terminal has one request on its way and waits; a line of many is held
/// back, and goes on as soon as there is room. What has waited too long by then is turned away, which
/// costs less than a sale, and is told so: see [`crate::facts::TerminalEntry::turn_away`].
///
/// Lines that wait are let in in the order in which they came, so that each has its turn however many
/// they are, and one with many requests brings together what came since its last. One that happens
/// to be looked at while there is room does not wait.
#[derive(Debug, Default)]
pub struct Pressure {
    commands: AtomicUsize,
    /// Lines that wait: to be looked at without the lock.
    waiting: AtomicUsize,
    /// The number of the last line that was let in.
    served: AtomicU64,
    lines: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    wakers: VecDeque<Waker>,
    /// The number of the last line that came.
    last: u64,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Depth {
    /// Commands that have no answer yet.
    pub commands: usize,
    /// Lines that are not read until they are fewer.
    pub lines: usize,
}

/// The place of a line among those that wait.
#[derive(Debug, Default)]
pub struct Turn(u64);

impl Pressure {
    /// Counts a command that is on its way.
    pub fn add(&self) {
        self.commands.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a command that was answered, or never will be, and lets in lines that there is room
    /// for if each brings one command: many when the count falls below `LOW`, then one for each
    /// answer, and all of them once nothing is on its way any more that could let them in later.
    pub fn remove(&self) {
        let left = self.commands.fetch_sub(1, Ordering::SeqCst).saturating_sub(1);
        if left >= LOW || self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        // Those that were let in before have not brought their commands yet.
        self.let_in(match left {
            0 => usize::MAX,
            _ if left.saturating_add(1) == LOW => HIGH.saturating_sub(left),
            _ => 1,
        });
    }

    /// Returns how much waits.
    #[must_use]
    pub fn depth(&self) -> Depth {
        Depth {
            commands: self.commands.load(Ordering::Relaxed),
            lines: self.waiting.load(Ordering::Relaxed),
        }
    }

    /// True if more may be read. Otherwise `task` is woken when `turn` has come.
    #[must_use]
    pub fn poll_room(&self, turn: &mut Turn, task: &Context<'_>) -> bool {
        if self.commands.load(Ordering::SeqCst) < HIGH {
            return true;
        }
        if turn.0 <= self.served.load(Ordering::SeqCst) {
            let mut lines = self.lines();
            lines.last = lines.last.saturating_add(1);
            turn.0 = lines.last;
            lines.wakers.push_back(task.waker().clone());
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        // Whoever answered the last command may have looked before this line waited.
        let left = self.commands.load(Ordering::SeqCst);
        if left < LOW {
            self.let_in(HIGH.saturating_sub(left));
        }
        false
    }

    fn lines(&self) -> MutexGuard<'_, Waiting> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets in so many of the lines that have waited longest.
    fn let_in(&self, most: usize) {
        let mut lines = self.lines();
        let count = lines.wakers.len().min(most);
        let woken: Vec<_> = lines.wakers.drain(..count).collect();
        self.waiting.fetch_sub(count, Ordering::SeqCst);
        self.served.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::SeqCst);
        drop(lines);
        woken.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A line, and how often it was woken.
    struct Line {
        turn: Turn,
        bell: Arc<Bell>,
    }

    impl Line {
        fn new() -> Self {
            Self { turn: Turn::default(), bell: Arc::default() }
        }

        fn has_room(&mut self, pressure: &Pressure) -> bool {
            let waker = Waker::from(Arc::clone(&self.bell));
            pressure.poll_room(&mut self.turn, &Context::from_waker(&waker))
        }

        fn woken(&self) -> usize {
            self.bell.0.load(Ordering::Relaxed)
        }
    }

    fn full() -> Pressure {
        let pressure = Pressure::default();
        (0..HIGH).for_each(|_| pressure.add());
        pressure
    }

    #[test]
    fn a_line_waits_once_however_often_it_looks_and_is_woken_when_enough_is_answered() {
        let pressure = full();
        let mut line = Line::new();
        assert!((0..5).all(|_| !line.has_room(&pressure)));
        (0..HIGH - LOW).for_each(|_| pressure.remove());
        assert_eq!(line.woken(), 0);
        pressure.remove();
        assert_eq!(line.woken(), 1);
        assert!(line.has_room(&pressure));
    }

    #[test]
    fn a_line_that_is_full_again_waits_again() {
        let pressure = full();
        let mut line = Line::new();
        for round in 1..4 {
            assert!(!line.has_room(&pressure));
            (0..=HIGH - LOW).for_each(|_| pressure.remove());
            assert_eq!(line.woken(), round);
            (0..=HIGH - LOW).for_each(|_| pressure.add());
        }
    }

    #[test]
    fn lines_are_let_in_in_their_order_and_all_of_them_in_the_end() {
        let pressure = full();
        let mut lines: Vec<_> = (0..3 * HIGH).map(|_| Line::new()).collect();
        assert!(lines.iter_mut().all(|line| !line.has_room(&pressure)));
        (0..=HIGH - LOW).for_each(|_| pressure.remove());
        let woken = lines.iter().take_while(|line| line.woken() == 1).count();
        assert_eq!(woken, HIGH - LOW + 1);
        assert!(lines.iter().skip(woken).all(|line| line.woken() == 0));
        pressure.remove();
        assert_eq!(lines.iter().filter(|line| line.woken() == 1).count(), woken + 1);
        // Those let in had nothing to bring.
        (0..LOW - 2).for_each(|_| pressure.remove());
        assert!(lines.iter().all(|line| line.woken() == 1));
    }
}
