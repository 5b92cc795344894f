//! Commands on their way to an account actor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Envelope;

/// Commands that may lie here. Beyond it a request is refused before anything is decided.
const ROOM: usize = 8192;

/// Commands in the order they came. The actor takes all there are at once, so that many of them
/// cost one wake, and none of them an allocation.
#[derive(Clone, Default)]
pub struct Intake(Arc<Mutex<Lying>>);

#[derive(Default)]
struct Lying {
    envelopes: Vec<Envelope>,
    is_closed: bool,
}

/// What somebody who put a command in has to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// It is the first: the actor must be woken.
    Wake,
    /// The actor has been woken for another one.
    Wait,
}

impl Intake {
    fn lying(&self) -> MutexGuard<'_, Lying> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command in.
    ///
    /// # Errors
    /// The command, if there is no room or nobody takes commands any more.
    #[expect(clippy::result_large_err, reason = "the one who sent it may send it again")]
    pub fn put(&self, envelope: Envelope) -> Result<Put, Envelope> {
        let mut lying = self.lying();
        if lying.is_closed || lying.envelopes.len() >= ROOM {
            return Err(envelope);
        }
        lying.envelopes.push(envelope);
        Ok(if lying.envelopes.len() == 1 { Put::Wake } else { Put::Wait })
    }

    /// Exchanges what lies here for `empty`, whose room the next commands use.
    pub fn take(&self, empty: &mut Vec<Envelope>) {
        std::mem::swap(&mut self.lying().envelopes, empty);
    }

    /// Takes no more commands, and drops those that lie here.
    pub fn close(&self) {
        let mut lying = self.lying();
        lying.is_closed = true;
        let left = std::mem::take(&mut lying.envelopes);
        drop(lying);
        drop(left);
    }
}
