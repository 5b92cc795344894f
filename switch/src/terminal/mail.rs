//! Answers on their way to a line.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use domain::shard::Answer;
use smallvec::SmallVec;

/// The answer of a shard to a question of a line; `None` if it was not decided.
#[derive(Debug)]
pub struct Decided {
    /// The number of the question.
    pub token: u64,
    /// The answer.
    pub answer: Option<Answer>,
}

/// Answers that came together.
pub(super) type Together = SmallVec<[Decided; 1]>;

/// Where the answers for a line lie until it takes them: never more than it has asked questions. To
/// put one in costs no allocation, unless many come at once.
#[derive(Clone, Debug, Default)]
pub struct LineMail(Arc<Mutex<Lying>>);

#[derive(Debug, Default)]
struct Lying {
    decided: Together,
    is_to_rest: bool,
    reader: Option<Waker>,
}

impl LineMail {
    /// Puts an answer in, and wakes the line.
    pub fn put(&self, decided: Decided) {
        self.tell(|lying| lying.decided.push(decided));
    }

    /// Tells the line that the node goes to rest: it answers what is in flight, and takes nothing
    /// more.
    pub(super) fn rest(&self) {
        self.tell(|lying| lying.is_to_rest = true);
    }

    fn tell(&self, tell: impl FnOnce(&mut Lying)) {
        let mut lying = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tell(&mut lying);
        let reader = lying.reader.take();
        drop(lying);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Takes out what there is, or waits for it. Says whether the line is to rest, too.
    pub(super) fn poll_take(&self, task: &Context<'_>, is_to_rest: &mut bool) -> Poll<Together> {
        let mut lying = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *is_to_rest = lying.is_to_rest;
        if lying.decided.is_empty() {
            if !lying.reader.as_ref().is_some_and(|reader| reader.will_wake(task.waker())) {
                lying.reader = Some(task.waker().clone());
            }
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut lying.decided))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_taken_out_in_order() {
        let mail = LineMail::default();
        let task = Context::from_waker(Waker::noop());
        let mut is_to_rest = true;
        assert!(mail.poll_take(&task, &mut is_to_rest).is_pending() && !is_to_rest);
        (1..=3).for_each(|token| mail.put(Decided { token, answer: None }));
        let taken = mail.poll_take(&task, &mut is_to_rest);
        let Poll::Ready(taken) = taken else { panic!("three were put in") };
        assert_eq!(taken.iter().map(|d| d.token).collect::<Vec<_>>(), [1, 2, 3]);
        mail.rest();
        assert!(mail.poll_take(&task, &mut is_to_rest).is_pending() && is_to_rest);
    }
}
