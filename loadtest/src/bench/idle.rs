//! Lines that stay open and say nothing, and what they cost.

use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::phase::median;
use super::{Bench, BenchError, Usage};
use crate::line::Line;

/// How long the answer to the one message of an idle line may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long memory is left to settle before it is looked at.
const SETTLE: Duration = Duration::from_secs(2);

/// What idle lines cost.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// Idle lines.
    pub lines: u32,
    /// Resident memory of the switch before they were opened, in bytes, if it is known.
    pub resident_before: Option<u64>,
    /// The same after they were opened, each had one message answered, and memory had settled.
    pub resident_after: Option<u64>,
    /// What each of them added, in bytes.
    pub resident_each: Option<u64>,
    /// 99 % of the answers came within, in microseconds, without them.
    pub p99_without_us: u64,
    /// The same beside them: the median of as many rounds.
    pub p99_with_us: u64,
    /// 99.9 % beside them.
    pub p999_with_us: u64,
}

impl Bench<'_> {
    /// Opens the idle lines, and puts the load of the rounds on once more beside them.
    pub(super) fn idle(&mut self) -> Result<(), BenchError> {
        let lines = self.settings.scenario.idle;
        (self.progress)(&format!("opening {lines} idle lines"));
        let usage = || self.target.usage.and_then(|usage| usage());
        let before = usage().map(|Usage { resident, .. }| resident);
        let idle = self.open_idle(lines)?;
        thread::sleep(SETTLE);
        let after = usage().map(|Usage { resident, .. }| resident);
        let mut phases = Vec::new();
        for number in 1..=self.settings.scenario.rounds {
            (self.progress)(&format!("round {number}: switch with idle lines"));
            self.prepare(u64::from(number).saturating_add(1_000))?;
            let (load, phase) = self.put_on_switch(&self.plan(self.pace()))?;
            self.judge(&format!("round {number}, with idle lines"), &load, self.leniency());
            if number == 1 {
                self.report.series.push(load.series("switch with idle lines"));
            }
            phases.push(phase);
        }
        let closed = idle.iter().filter(|line| line.is_closed()).count();
        if closed > 0 {
            self.report.faults.push(format!("{closed} idle lines were closed by the server"));
        }
        let grown = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        self.report.idle = Some(Idle {
            lines,
            resident_before: before,
            resident_after: after,
            resident_each: grown.and_then(|grown| grown.checked_div(lines.into())),
            p99_without_us: self.report.median.switch.p99_us,
            p99_with_us: median(phases.iter().map(|phase| phase.p99_us)),
            p999_with_us: median(phases.iter().map(|phase| phase.p999_us)),
        });
        Ok(())
    }

    /// Opens lines, and has an echo test answered on each: a line that has never said anything is
    /// closed after a while.
    fn open_idle(&mut self, lines: u32) -> Result<Vec<Line>, BenchError> {
        let test = self.fleet.echo_test()?;
        let open = |number| {
            let open = || {
                let mut line = Line::open(self.target.address, ANSWER_TIMEOUT)?;
                line.send(&test)?;
                line.receive()?;
                Ok(line)
            };
            open().map_err(|error| BenchError::IdleLine { number, error })
        };
        (1..=lines).map(open).collect()
    }
}
