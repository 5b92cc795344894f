//! Commands on their way to an account actor.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Envelope;

/// Commands that may lie here. Beyond it a request is refused before anything is decided.
const ROOM: usize = 8192;

/// Commands in the order they came. The actor takes all there are at once, so that none of them
/// costs an allocation.
#[derive(Default)]
pub(super) struct Intake(Mutex<Vec<Envelope>>);

impl Intake {
    fn lying(&self) -> MutexGuard<'_, Vec<Envelope>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command in.
    ///
    /// # Errors
    /// The command, if there is no room.
    #[expect(clippy::result_large_err, reason = "the one who sent it may send it again")]
    pub(super) fn put(&self, envelope: Envelope) -> Result<(), Envelope> {
        let mut lying = self.lying();
        if lying.len() >= ROOM {
            return Err(envelope);
        }
        lying.push(envelope);
        Ok(())
    }

    /// Exchanges what lies here for `empty`, whose room the next commands use.
    pub(super) fn take(&self, empty: &mut Vec<Envelope>) {
        std::mem::swap(&mut *self.lying(), empty);
    }
}
