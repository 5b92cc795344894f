//! What goes wrong between a terminal and its line, by a seed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::seed::Seeded;

/// How often something goes wrong, in thousandths of all requests.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The line is dropped once the request is sent, and opened anew.
    pub drop_permille: u32,
    /// The answer is left unread for [`Faults::delay_ms`].
    pub delay_permille: u32,
    /// How long an answer is left unread, in milliseconds.
    pub delay_ms: u32,
    /// The request is sent twice.
    pub duplicate_permille: u32,
}

impl Faults {
    /// None at all.
    pub const NONE: Self =
        Self { drop_permille: 0, delay_permille: 0, delay_ms: 0, duplicate_permille: 0 };
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mishap {
    None,
    Drop,
    Delay(Duration),
    Duplicate,
}

/// Decides what happens to each request of one line.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    faults: Faults,
    seeded: Seeded,
}

impl Dice {
    pub(super) const fn new(faults: Faults, seed: u64) -> Self {
        Self { faults, seeded: Seeded::new(seed) }
    }

    pub(super) fn roll(&mut self) -> Mishap {
        let Faults { drop_permille, delay_permille, delay_ms, duplicate_permille } = self.faults;
        if self.faults == Faults::NONE {
            return Mishap::None;
        }
        let throw = u32::try_from(self.seeded.next() % 1000).unwrap_or_default();
        let until_delay = drop_permille.saturating_add(delay_permille);
        if throw < drop_permille {
            Mishap::Drop
        } else if throw < until_delay {
            Mishap::Delay(Duration::from_millis(delay_ms.into()))
        } else if throw < until_delay.saturating_add(duplicate_permille) {
            Mishap::Duplicate
        } else {
            Mishap::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mishap_has_its_share() {
        let faults = Faults {
            drop_permille: 100,
            delay_permille: 200,
            delay_ms: 5,
            duplicate_permille: 300,
        };
        let mut dice = Dice::new(faults, 7);
        let thrown: Vec<_> = (0..10_000).map(|_| dice.roll()).collect();
        let count = |mishap| thrown.iter().filter(|thrown| **thrown == mishap).count();
        assert!((900..1100).contains(&count(Mishap::Drop)));
        assert!((1800..2200).contains(&count(Mishap::Delay(Duration::from_millis(5)))));
        assert!((2800..3200).contains(&count(Mishap::Duplicate)));
        let mut fair = Dice::new(Faults::NONE, 7);
        assert!((0..100).all(|_| fair.roll() == Mishap::None));
    }
}
