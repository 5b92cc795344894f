//! How the ledger follows the journal, once nothing is added any more.

use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Bench;

/// How long it is looked at. It need not be through by then.
const SPAN: Duration = Duration::from_secs(5);
/// How long at the most, if it has moved too little by then to tell how fast it is.
const SPAN_MAX: Duration = Duration::from_secs(20);
/// How often.
const LOOK: Duration = Duration::from_millis(10);

/// What the ledger had still to take in when the load was over.
#[derive(Clone, Debug, Serialize)]
pub struct Ledger {
    /// Entries of the journal that it did not hold.
    pub behind: u64,
    /// Entries that it takes in within a second while it has nothing to wait for; `None` if it was
    /// too little behind to tell.
    pub absorbed_per_second: Option<u64>,
}

impl Bench<'_> {
    /// Looks at the ledger for a while.
    pub(super) fn look_at_ledger(&mut self) {
        (self.progress)("looking at the ledger");
        let Some(behind) = (self.target.ledger_lag)() else { return };
        let begun = Instant::now();
        let mut steps = vec![(begun, behind)];
        let is_over =
            |steps: &[_]| begun.elapsed() >= if steps.len() > 2 { SPAN } else { SPAN_MAX };
        while !is_over(&steps) && steps.last().is_some_and(|(_, left)| *left > 0) {
            thread::sleep(LOOK);
            let Some(left) = (self.target.ledger_lag)() else { break };
            if steps.last().is_some_and(|(_, before)| *before != left) {
                steps.push((Instant::now(), left));
            }
        }
        let absorbed_per_second = rate(&steps);
        self.report.ledger = Some(Ledger { behind, absorbed_per_second });
    }
}

/// Entries in a second between the first step that was seen and the last: a ledger moves by many
/// entries at a time, and when it began with the first ones is not known.
fn rate(steps: &[(Instant, u64)]) -> Option<u64> {
    let [_, (begun, first), .., (ended, last)] = steps else { return None };
    let millis = u64::try_from(ended.saturating_duration_since(*begun).as_millis()).ok()?;
    first.checked_sub(*last)?.saturating_mul(1000).checked_div(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_between_the_steps_that_were_seen() {
        let begun = Instant::now();
        let steps = |left: &[(u64, u64)]| {
            let step = |&(millis, left)| (begun + Duration::from_millis(millis), left);
            rate(&left.iter().map(step).collect::<Vec<_>>())
        };
        assert_eq!(steps(&[(0, 0)]), None);
        assert_eq!(steps(&[(0, 5_000), (400, 0)]), None);
        assert_eq!(steps(&[(0, 25_000), (400, 15_000), (900, 5_000), (1_150, 0)]), Some(20_000));
        assert_eq!(steps(&[(0, 25_000), (400, 15_000), (400, 5_000)]), None);
    }
}
