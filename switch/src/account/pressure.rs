//! How much waits for an account actor, so that lines know when to stop reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Commands that may wait for one account actor or its journal before lines are not read: a tenth
/// of a second's work of a core, and half of what its intake holds. The other half is for what had
/// been read by then, and for the node's own commands.
const HIGH: usize = 4096;

/// Counts the commands of an account actor that have no answer yet.
///
/// This is how the switch sheds what it cannot do: on the line, before it has read it. A refusal
/// would be a clear answer too, but there is none that is both early and true. A shard that does
/// not remember it would approve a copy that the network held back, after the terminal had shown
/// "declined"; and a shard that is to remember it has to write it down, which costs as much as the
/// sale. To read a request and drop it costs half of a sale for nothing, and takes from what is
/// done. What is not read costs nothing, nobody has decided it, and it is heard at once by whoever
/// sends too much: his socket takes no more. A terminal has one request on its way and waits; a line
/// of many is held back, and goes on as soon as there is room. What became too old meanwhile is not
/// decided: its terminal has given up, and reverses.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Arc<AtomicUsize>);

impl Pressure {
    /// Counts a command that is on its way.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a command that was answered, or never will be.
    pub fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// True if no more is to be read.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= HIGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_high_until_enough_is_answered() {
        let pressure = Pressure::default();
        (1..HIGH).for_each(|_| pressure.add());
        assert!(!pressure.is_high());
        pressure.add();
        assert!(pressure.is_high());
        pressure.remove();
        assert!(!pressure.is_high());
    }
}
