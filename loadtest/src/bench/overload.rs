//! More is offered than can be done, and then less again.
//!
//! What can be done is found with requests that come as those of the overload do: at a rate, one by
//! one, whatever became of those before. Terminals that ask as soon as they are answered get more out
//! of a line of many, because what was answered together is asked together.

use std::time::Duration;

use serde::Serialize;

use super::phase::median;
use super::{Bench, BenchError, Leniency, Round};
use crate::load::{Leg, Pace, Plan, Rules, scaled};
use crate::measured::Second;
use crate::scenario::Overload;

/// The least latency that counts as slow after an overload, in microseconds.
const SLOW_US: u64 = 20_000;

/// What is offered to find out what can be done, in hundredths of what terminals reach that ask as
/// soon as they are answered; and for how many seconds each, of which the first is not counted.
const STEPS_PERCENT: [u64; 6] = [40, 50, 60, 70, 85, 100];
const STEP_SECONDS: u64 = 3;

/// What more than can be done led to.
#[derive(Clone, Debug, Serialize)]
pub struct Overloaded {
    /// Approvals in a second, each terminal as fast as it is answered.
    pub closed: u64,
    /// The most approvals in a second of requests that come at a rate.
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
            let leniency = match self.leniency() {
                Leniency::None | Leniency::Refusals => Leniency::Refusals,
                Leniency::Faults => Leniency::Faults,
            };
            self.judge(&format!("round {number}, peak"), &load, leniency);
            let ratio_permille = scaled(load.rate(), 1000, bare.rate());
            let closed = scaled(load.approved(), load.rate(), load.answered());
            self.report.rounds.push(Round { echo, switch, ratio_permille });
            (self.progress)(&format!("round {number}: what can be done at a rate"));
            let peak = self.peak_at_a_rate(overload, closed)?;
            (self.progress)(&format!("round {number}: overload"));
            self.offer(overload, (closed, peak))?;
        }
        self.report.median = Round::median(&self.report.rounds);
        Ok(())
    }

    /// Offers more step by step; returns the most that was done in a second of one of them.
    fn peak_at_a_rate(&mut self, overload: Overload, closed: u64) -> Result<u64, BenchError> {
        let legs: Vec<_> = STEPS_PERCENT.iter().map(|percent| step_of(closed, *percent)).collect();
        let all = legs.iter().map(|leg| leg.rate.saturating_mul(STEP_SECONDS));
        let all = all.fold(0, u64::saturating_add);
        let each = self.each_of(all.saturating_add(all / 2));
        let scenario = &self.settings.scenario;
        self.fleet.prepare(&scenario.mix, each, self.settings.client_threads, closed)?;
        let plan = self.impatient(overload, legs);
        let (load, _) = self.put_on_switch(&plan)?;
        Ok(best_step(&load.series("switch at growing rates").seconds))
    }

    /// A plan whose customers leave if they cannot be served in time.
    fn impatient(&self, overload: Overload, legs: Vec<Leg>) -> Plan {
        let plan = self.plan(Pace::Open(legs));
        let patience = Some(Duration::from_millis(overload.patience_ms));
        Plan { rules: Rules { patience, ..plan.rules }, ..plan }
    }

    fn offer(&mut self, overload: Overload, (closed, peak): (u64, u64)) -> Result<(), BenchError> {
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
        let plan = self.impatient(overload, vec![calm, over, calm]);
        let (load, _) = self.put_on_switch(&plan)?;
        if load.lines_lost > 0 {
            self.report.faults.push(format!("{} lines closed by the server", load.lines_lost));
        }
        let series = load.series("switch under overload");
        let times = (overload.calm_seconds, duration.as_secs());
        let completed = completed(&series.seconds, times);
        let overloaded = Overloaded {
            closed,
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

fn step_of(closed: u64, percent: u64) -> Leg {
    let rate = scaled(closed, percent, 100).max(1);
    Leg { rate, duration: Duration::from_secs(STEP_SECONDS) }
}

/// The most approvals in a second of a step, but for its first.
fn best_step(seconds: &[Second]) -> u64 {
    let steps = (0_u64..).map(|step| step.saturating_mul(STEP_SECONDS)).take(STEPS_PERCENT.len());
    steps.map(|begin| completed(seconds, (begin, STEP_SECONDS))).max().unwrap_or_default()
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
    fn the_best_step_counts() {
        // More with each step up to the fourth, and a burst that is not counted.
        let steps = [4, 5, 6, 8, 7, 5].map(|approved| [9_999, approved, approved]);
        let second = |(at, approved): (u32, &u64)| Second {
            at,
            approved: *approved,
            refused: 0,
            unanswered: 0,
            p50_us: 0,
            p99_us: 0,
        };
        let seconds: Vec<_> = (0..).zip(steps.as_flattened()).map(second).collect();
        assert_eq!(best_step(&seconds), 8);
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
