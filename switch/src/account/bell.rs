//! Who works for an actor that has no thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Sees that whatever is brought is worked off, by one at a time.
///
/// Whoever brings something rings. If nobody is at work, it is the one who rings that does it;
/// otherwise the one at work does it before it stops. So nobody waits for a thread to wake, and
/// nobody waits for another's work to end.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// Rings that nobody has worked off. Above zero, somebody is at work.
    rings: AtomicUsize,
}

impl Bell {
    /// Rings, and works if nobody else does. `work` takes all that was brought before it begins.
    pub(super) fn ring(&self, mut work: impl FnMut()) {
        if self.rings.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        loop {
            let heard = self.rings.load(Ordering::Acquire);
            work();
            if self.rings.fetch_sub(heard, Ordering::AcqRel) == heard {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;

    #[test]
    fn all_that_is_brought_is_worked_off_by_one_at_a_time() {
        const HANDS: u64 = 4;
        const EACH: u64 = 20_000;
        let bell = Arc::new(Bell::default());
        let brought = Arc::new(Mutex::new(Vec::new()));
        let is_at_work = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let hands = (0..HANDS).map(|hand| {
            let (bell, brought) = (Arc::clone(&bell), Arc::clone(&brought));
            let (is_at_work, done) = (Arc::clone(&is_at_work), Arc::clone(&done));
            thread::spawn(move || {
                for number in 0..EACH {
                    brought.lock().unwrap().push((hand, number));
                    bell.ring(|| {
                        assert!(!is_at_work.swap(true, Ordering::Relaxed), "two are at work");
                        let taken = std::mem::take(&mut *brought.lock().unwrap());
                        done.fetch_add(taken.len(), Ordering::Relaxed);
                        is_at_work.store(false, Ordering::Relaxed);
                    });
                }
            })
        });
        hands.collect::<Vec<_>>().into_iter().for_each(|hand| hand.join().unwrap());
        assert_eq!(done.load(Ordering::Relaxed) as u64, HANDS * EACH);
        assert!(brought.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_brought_during_the_work_is_worked_off_too() {
        let bell = Bell::default();
        let mut left = 3;
        let mut rounds = 0;
        bell.ring(|| {
            rounds += 1;
            if left > 0 {
                left -= 1;
                bell.ring(|| panic!("somebody is at work"));
            }
        });
        assert_eq!((left, rounds), (0, 4));
    }
}
