//! Accounts that the switch holds and nobody uses, and what they cost.

use serde::Serialize;

use super::Report;
use crate::load::scaled;

/// What the one who starts the switch has seen of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Accounts {
    /// How many there are beside those of the load.
    pub count: u32,
    /// How many were issued in a second.
    pub issued_per_second: u64,
    /// How long a switch that holds them takes from its start until terminals may connect, in
    /// milliseconds.
    pub restart_ms: u64,
    /// Resident memory that each of them takes, in bytes, if it is known.
    pub resident_each: Option<u64>,
}

/// A load on a switch that holds many accounts, beside the same on one that does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Crowded {
    /// The accounts.
    pub accounts: Accounts,
    /// Answers in a second without them, the median of the rounds.
    pub tps_without: u64,
    /// Ratio to the echo without them, in thousandths, the median of the rounds.
    pub ratio_permille_without: u64,
    /// Ratio to the echo with them, in thousandths of the one without: what the machine did
    /// meanwhile falls out. `None` at a given rate.
    pub kept_permille: Option<u64>,
}

impl Report {
    /// Takes in what was seen of the accounts, and the same load without them.
    pub fn crowd(&mut self, accounts: Accounts, without: &Self) {
        let (with, before) = (&self.median, &without.median);
        let kept = scaled(with.ratio_permille, 1000, before.ratio_permille);
        self.crowded = Some(Crowded {
            accounts,
            tps_without: before.switch.tps,
            ratio_permille_without: before.ratio_permille,
            kept_permille: self.scenario.rate.is_none().then_some(kept),
        });
        self.faults.extend(without.faults.iter().map(|fault| format!("without accounts: {fault}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Settings;
    use crate::scenario::Scenario;

    fn report(ratio_permille: u64, rate: Option<u64>) -> Report {
        let scenario = Scenario { rate, ..Scenario::builtin("peak").unwrap() };
        let mut report = Report::new(&Settings::of("peak", scenario));
        report.median.ratio_permille = ratio_permille;
        report
    }

    #[test]
    fn a_load_beside_many_accounts_is_held_against_the_same_without() {
        let accounts = Accounts { count: 1_000_000, restart_ms: 2_001, ..Accounts::default() };
        let mut with = report(450, None);
        let without = Report { faults: vec!["1 refused".to_owned()], ..report(500, None) };
        with.crowd(accounts, &without);
        assert_eq!(with.crowded.unwrap().kept_permille, Some(900));
        assert_eq!(with.faults, ["without accounts: 1 refused"]);
        let figures = with.figures();
        let is_met = |name: &str| figures.iter().find(|figure| figure.name == name).unwrap().is_met;
        assert_eq!(is_met("restart to ready, s"), Some(false));
        assert_eq!(is_met("ratio to the echo, of that without them"), Some(true));

        let mut at_a_rate = report(450, Some(100));
        at_a_rate.crowd(Accounts { count: 1_000_001, ..accounts }, &report(500, Some(100)));
        let figures = at_a_rate.figures();
        let restart = figures.iter().find(|figure| figure.name == "restart to ready, s");
        assert_eq!(restart.unwrap().is_met, None);
        assert_eq!(at_a_rate.crowded.unwrap().kept_permille, None);
    }
}
