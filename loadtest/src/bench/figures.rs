//! A report as figures with goals, and ready to be shown.

use super::{Phase, Report};
use crate::load::scaled;
use crate::measured::{Figure, Measured};
use crate::scenario::{Act, Cards, Scenario};

impl Report {
    /// The same, ready to be shown.
    #[must_use]
    pub fn measured(&self) -> Measured {
        Measured {
            scenario: self.name.clone(),
            settings: settings(&self.scenario),
            series: self.series.clone(),
            figures: self.figures(),
            faults: self.faults.clone(),
        }
    }

    /// What it comes to, with the goals that hold for a load of this shape.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let (echo, switch) = (&self.median.echo, &self.median.switch);
        let goals = Goals::of(&self.scenario);
        figures.push(at_least("answers in a second", switch.tps, goals.rate, str::to_owned));
        figures.push(plain("answers in a second, echo", echo.tps.to_string()));
        if self.scenario.rate.is_none() {
            let ratio = self.median.ratio_permille;
            figures.push(at_least("ratio to the echo", ratio, goals.ratio_permille, thousandths));
        }
        figures.extend(latencies(switch, &goals));
        figures.push(plain("p99 of the echo, ms", thousandths(&echo.p99_us.to_string())));
        let cpu = scaled(switch.server_cpu_ns, 1000, echo.server_cpu_ns);
        figures.push(micros("server processor time for an answer, us", switch.server_cpu_ns));
        figures.push(micros("client processor time for an answer, us", switch.client_cpu_ns));
        figures.push(at_most(
            "server processor time, ratio to the echo",
            cpu,
            goals.cpu_permille,
            thousandths,
        ));
        if let Some(records) = switch.records_per_sync {
            figures.push(plain("records in a sync", records.to_string()));
        }
        self.push_idle(&mut figures);
        self.push_overload(&mut figures);
        self.push_crowded(&mut figures);
        self.push_ledger(&mut figures);
        let mix = switch.codes.iter().map(|(code, count)| format!("{code}: {count}"));
        figures.push(plain("F39", mix.collect::<Vec<_>>().join(", ")));
        figures.push(plain("slips held against the journal", self.slips.to_string()));
        figures.push(plain("of these unknown", self.unknown.to_string()));
        figures
    }

    fn push_idle(&self, figures: &mut Vec<Figure>) {
        let Some(idle) = &self.idle else { return };
        if let Some(each) = idle.resident_each {
            let name = "resident bytes for an idle line";
            figures.push(at_most(name, each, Some(4096), str::to_owned));
        }
        let most = idle.p99_without_us.saturating_mul(12) / 10;
        let name = "p99 beside idle lines, ms";
        figures.push(at_most(name, idle.p99_with_us, Some(most), thousandths));
        figures.push(micros("p99.9 beside idle lines, ms", idle.p999_with_us));
    }

    fn push_overload(&self, figures: &mut Vec<Figure>) {
        let Some(overload) = &self.overload else { return };
        figures.push(plain("peak of requests at a rate", overload.peak.to_string()));
        figures.push(plain("offered in a second", overload.offered.to_string()));
        figures.push(plain("approved in a second meanwhile", overload.completed.to_string()));
        let part = overload.completed_permille;
        figures.push(at_least("of the peak", part, Some(950), thousandths));
        let (is_met, value) = match overload.recovery_s {
            Some(seconds) => (seconds <= 10, seconds.to_string()),
            None => (false, "never".to_owned()),
        };
        let goal = Some("at most 10".to_owned());
        let name = "seconds until it had recovered".to_owned();
        figures.push(Figure { name, value, goal, is_met: Some(is_met) });
        figures.push(plain("refused under overload", overload.refused.to_string()));
        figures.push(plain("unanswered under overload", overload.unanswered.to_string()));
        figures.push(plain("never sent under overload", overload.left.to_string()));
    }

    fn push_crowded(&self, figures: &mut Vec<Figure>) {
        let Some(crowded) = &self.crowded else { return };
        let accounts = &crowded.accounts;
        figures.push(plain("accounts that nobody uses", accounts.count.to_string()));
        let rate = accounts.issued_per_second.to_string();
        figures.push(plain("accounts issued in a second", rate));
        let most = (accounts.count <= 1_000_000).then_some(2_000);
        figures.push(at_most("restart to ready, s", accounts.restart_ms, most, thousandths));
        if let Some(each) = accounts.resident_each {
            figures.push(plain("resident bytes for an account", each.to_string()));
        }
        figures.push(plain("answers in a second without them", crowded.tps_without.to_string()));
        if let Some(kept) = crowded.kept_permille {
            let name = "ratio to the echo, of that without them";
            figures.push(at_least(name, kept, Some(900), thousandths));
        }
    }

    fn push_ledger(&self, figures: &mut Vec<Figure>) {
        let Some(ledger) = &self.ledger else { return };
        figures.push(plain("entries the ledger was behind", ledger.behind.to_string()));
        if let Some(rate) = ledger.absorbed_per_second {
            figures.push(plain("entries the ledger absorbs in a second", rate.to_string()));
        }
    }
}

/// What a load of some shape is to reach.
#[derive(Default)]
struct Goals {
    rate: Option<u64>,
    ratio_permille: Option<u64>,
    cpu_permille: Option<u64>,
    p99_us: Option<u64>,
    p999_us: Option<u64>,
}

impl Goals {
    fn of(scenario: &Scenario) -> Self {
        if !scenario.is_only(Act::Sale) || scenario.overload.is_some() {
            return Self::default();
        }
        let none = Self::default();
        match (scenario.rate, scenario.cards, scenario.terminals_each, scenario.connections) {
            (Some(..=5_000), ..) => Self { p99_us: Some(1_000), p999_us: Some(2_000), ..none },
            (Some(..=20_000), ..) => Self { p99_us: Some(2_000), ..none },
            (Some(_), ..) => none,
            (None, Cards::One, ..) => Self { rate: Some(20_000), ..none },
            (None, Cards::Own, 1, 400..) => {
                Self { ratio_permille: Some(650), cpu_permille: Some(2_300), ..none }
            }
            (None, Cards::Own, 1, _) => {
                Self { ratio_permille: Some(450), cpu_permille: Some(2_300), ..none }
            }
            (None, Cards::Own, ..) => Self { rate: Some(80_000), ..none },
        }
    }
}

fn latencies(phase: &Phase, goals: &Goals) -> Vec<Figure> {
    let ms = |name, micros, most| at_most(name, micros, most, thousandths);
    vec![
        ms("p50, ms", phase.p50_us, None),
        ms("p90, ms", phase.p90_us, None),
        ms("p99, ms", phase.p99_us, goals.p99_us),
        ms("p99.9, ms", phase.p999_us, goals.p999_us),
        ms("most, ms", phase.max_us, None),
    ]
}

fn plain(name: &str, value: String) -> Figure {
    Figure { name: name.to_owned(), value, goal: None, is_met: None }
}

fn micros(name: &str, nanos: u64) -> Figure {
    plain(name, thousandths(&nanos.to_string()))
}

fn at_least(name: &str, value: u64, least: Option<u64>, write: fn(&str) -> String) -> Figure {
    let goal = least.map(|least| format!("at least {}", write(&least.to_string())));
    let is_met = least.map(|least| value >= least);
    Figure { name: name.to_owned(), value: write(&value.to_string()), goal, is_met }
}

fn at_most(name: &str, value: u64, most: Option<u64>, write: fn(&str) -> String) -> Figure {
    let goal = most.map(|most| format!("at most {}", write(&most.to_string())));
    let is_met = most.map(|most| value <= most);
    Figure { name: name.to_owned(), value: write(&value.to_string()), goal, is_met }
}

/// A number of thousandths with its decimal point: microseconds in milliseconds, and so on.
fn thousandths(digits: &str) -> String {
    let digits = format!("{digits:0>4}");
    let (whole, part) = digits.split_at(digits.len().saturating_sub(3));
    format!("{whole}.{part}")
}

/// What was set, as name and value.
fn settings(scenario: &Scenario) -> Vec<(String, String)> {
    let value = serde_json::to_value(scenario).unwrap_or_default();
    let Some(object) = value.as_object() else { return Vec::new() };
    let shown = object.iter().filter(|(_, value)| !value.is_null());
    let text = |value: &serde_json::Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    shown.map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_have_three_decimals() {
        assert_eq!(thousandths("652"), "0.652");
        assert_eq!(thousandths("0"), "0.000");
        assert_eq!(thousandths("12007"), "12.007");
    }

    #[test]
    fn a_goal_is_met_or_not() {
        assert_eq!(at_least("x", 5, Some(5), thousandths).is_met, Some(true));
        assert_eq!(at_most("x", 6, Some(5), thousandths).is_met, Some(false));
        assert_eq!(at_most("x", 6, None, thousandths).is_met, None);
        let goal = at_least("x", 5, Some(650), thousandths).goal;
        assert_eq!(goal.as_deref(), Some("at least 0.650"));
    }
}
