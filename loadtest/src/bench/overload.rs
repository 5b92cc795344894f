//! More is offered than can be done, and then less again.

use std::time::Duration;

use serde::Serialize;

use super::phase::median;
use super::{Bench, BenchError, Leniency, Round};
use crate::load::{Leg, Pace, Plan, Rules, scaled};
use crate::measured::Second;
use crate::scenario::Overload;

/// The least latency that counts as slow after an overload, in microseconds.
const SLOW_US: u64 = 20_000;

/// What more than can be done led to.
#[derive(Clone, Debug, Serialize)]
pub struct Overloaded {
    /// Approvals in a second at the peak, each terminal as fast as it is answered.
    pub peak: u64,
    /// Requests that were offered in a second.
    pub offered: u64,
    /// Approvals in a second meanwhile, without the first second.
    pub completed: u64,
    /// The same in thousandths of the peak.
    pub completed_permille: u64,
    /// Requests whose customer left before they could be sent.
    pub left: u64,
    /// Requests that were sent and not answered.
    pub unanswered: u64,
    /// Requests that were answered with a refusal.
    pub refused: u64,
    /// Seconds after the overload until answers were as fast as before, and stayed so; `None` if
    /// they never were.
    pub recovery_s: Option<u64>,
}

impl Bench<'_> {
    /// Measures the peak, offers more, and then less again.
    pub(super) fn overload(&mut self, overload: Overload) -> Result<(), BenchError> {
        for number in 1..=self.settings.scenario.rounds {
            (self.progress)(&format!("round {number}: building requests"));
            self.prepare(number.into())?;
            (self.progress)(&format!("round {number}: echo"));
            let (bare, echo) = self.put_on_echo(&self.pace())?;
            (self.progress)(&format!("round {number}: peak of the switch"));
            let (load, switch) = self.put_on_switch(&self.plan(self.pace()))?;
            self.judge(&format!("round {number}, echo"), &bare, Leniency::None);
            self.judge(&format!("round {number}, peak"), &load, self.leniency());
            let ratio_permille = scaled(load.rate(), 1000, bare.rate());
            let peak = scaled(load.approved(), load.rate(), load.answered());
            self.report.rounds.push(Round { echo, switch, ratio_permille });
            (self.progress)(&format!("round {number}: overload"));
            self.offer(overload, peak)?;
        }
        self.report.median = Round::median(&self.report.rounds);
        Ok(())
    }

    fn offer(&mut self, overload: Overload, peak: u64) -> Result<(), BenchError> {
        let duration = self.settings.duration;
        let calm = Leg {
            rate: scaled(peak, overload.calm_percent, 100).max(1),
            duration: Duration::from_secs(overload.calm_seconds),
        };
        let over = Leg { rate: scaled(peak, overload.offered_percent, 100), duration };
        let calm_requests = calm.rate.saturating_mul(overload.calm_seconds).saturating_mul(2);
        let over_requests = self.settings.requests_at(peak.saturating_add(peak / 2));
        let each = self.each_of(calm_requests.saturating_add(over_requests));
        let scenario = &self.settings.scenario;
        self.fleet.prepare(&scenario.mix, each, self.settings.client_threads, peak)?;
        let plan = self.plan(Pace::Open(vec![calm, over, calm]));
        let patience = Some(Duration::from_millis(overload.patience_ms));
        let plan = Plan { rules: Rules { patience, ..plan.rules }, ..plan };
        let (load, _) = self.put_on_switch(&plan)?;
        if load.lines_lost > 0 {
            self.report.faults.push(format!("{} lines closed by the server", load.lines_lost));
        }
        let series = load.series("switch under overload");
        let times = (overload.calm_seconds, duration.as_secs());
        let completed = completed(&series.seconds, times);
        let overloaded = Overloaded {
            peak,
            offered: over.rate,
            completed,
            completed_permille: scaled(completed, 1000, peak),
            left: load.unsent,
            unanswered: load.unanswered,
            refused: load.refused(),
            recovery_s: recovery(&series.seconds, times),
        };
        // The worst round counts.
        let is_worse =
            |known: &Overloaded| known.completed_permille > completed_permille(&overloaded);
        if self.report.overload.as_ref().is_none_or(is_worse) {
            self.report.overload = Some(overloaded);
        }
        self.report.series.push(series);
        Ok(())
    }
}

const fn completed_permille(overloaded: &Overloaded) -> u64 {
    overloaded.completed_permille
}

/// Approvals in a second of the overload, but for its first.
fn completed(seconds: &[Second], (calm, over): (u64, u64)) -> u64 {
    let end = calm.saturating_add(over);
    let within = |second: &&Second| (calm.saturating_add(1)..end).contains(&second.at.into());
    let approved: Vec<_> = seconds.iter().filter(within).map(|second| second.approved).collect();
    let sum = approved.iter().copied().fold(0, u64::saturating_add);
    sum.checked_div(u64::try_from(approved.len()).unwrap_or(u64::MAX)).unwrap_or_default()
}

/// Seconds from the end of the overload to the first from which on no request was lost or slow.
fn recovery(seconds: &[Second], (calm, over): (u64, u64)) -> Option<u64> {
    let before = seconds.iter().filter(|second| (1..calm).contains(&second.at.into()));
    let usual = median(before.map(|second| second.p99_us));
    let slow = usual.saturating_mul(3).max(SLOW_US);
    let end = calm.saturating_add(over);
    let after = || {
        seconds.iter().filter(|second| (end..end.saturating_add(calm)).contains(&second.at.into()))
    };
    let is_bad = |second: &&Second| second.p99_us > slow || second.unanswered > 0;
    let Some(last_bad) = after().rfind(is_bad) else { return Some(0) };
    let last = after().next_back()?;
    let recovered = u64::from(last_bad.at).saturating_add(1).saturating_sub(end);
    (last_bad.at < last.at).then_some(recovered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(p99: &[u64]) -> Vec<Second> {
        let second = |(at, p99_us): (u32, &u64)| Second {
            at,
            approved: if (2..5).contains(&at) { 90 } else { 50 },
            refused: 0,
            unanswered: 0,
            p50_us: 0,
            p99_us: *p99_us,
        };
        (0..).zip(p99).map(second).collect()
    }

    #[test]
    fn recovery_is_the_time_until_it_stays_fast() {
        let times = (2, 3);
        let calm = [1_000, 1_000, 900_000, 900_000, 900_000];
        let with = |after: &[u64]| recovery(&seconds(&[&calm[..], after].concat()), times);
        assert_eq!(with(&[1_000, 1_000]), Some(0));
        assert_eq!(with(&[50_000, 1_000]), Some(1));
        assert_eq!(with(&[1_000, 50_000]), None);
        assert_eq!(completed(&seconds(&calm), times), 90);
    }
}
