//! The figures of one load.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::JournalCounters;
use crate::load::Load;

/// One phase: a load on one server.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// Answers in a second.
    pub tps: u64,
    /// Half of the answers came within, in microseconds.
    pub p50_us: u64,
    /// 90 % of the answers came within, in microseconds.
    pub p90_us: u64,
    /// 99 % of the answers came within, in microseconds.
    pub p99_us: u64,
    /// 99.9 % of the answers came within, in microseconds.
    pub p999_us: u64,
    /// The last answer came within, in microseconds.
    pub max_us: u64,
    /// Processor time of the server for each answer, in nanoseconds.
    pub server_cpu_ns: u64,
    /// Processor time of the client for each answer, in nanoseconds.
    pub client_cpu_ns: u64,
    /// Answers.
    pub answered: u64,
    /// Answers with success.
    pub approved: u64,
    /// Answers without success.
    pub refused: u64,
    /// Answers to nothing that was under way.
    pub strays: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Requests that were due and never sent.
    pub unsent: u64,
    /// Terminals that ran out of requests before the time was over.
    pub exhausted: u64,
    /// Records that each sync of the journal carried, if it tells.
    pub records_per_sync: Option<u64>,
    /// Answers by response code.
    pub codes: BTreeMap<String, u64>,
}

/// One round.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// The bare server.
    pub echo: Phase,
    /// The switch.
    pub switch: Phase,
    /// The switch's rate in thousandths of the echo's.
    pub ratio_permille: u64,
}

impl Phase {
    /// The figures of a load on a server that used so much processor time.
    pub(super) fn of(
        load: &Load,
        server_cpu: Duration,
        journal: Option<(JournalCounters, JournalCounters)>,
    ) -> Self {
        let records_per_sync = journal.and_then(|(before, after)| {
            let records = after.records.checked_sub(before.records)?;
            records.checked_div(after.syncs.checked_sub(before.syncs)?)
        });
        Self {
            tps: load.rate(),
            p50_us: load.quantile_micros(0.5),
            p90_us: load.quantile_micros(0.9),
            p99_us: load.quantile_micros(0.99),
            p999_us: load.quantile_micros(0.999),
            max_us: load.quantile_micros(1.0),
            server_cpu_ns: load.cpu_nanos(server_cpu),
            client_cpu_ns: load.cpu_nanos(load.client_cpu),
            answered: load.answered(),
            approved: load.approved(),
            refused: load.refused(),
            strays: load.strays,
            unanswered: load.unanswered,
            unsent: load.unsent,
            exhausted: load.exhausted,
            records_per_sync,
            codes: load.codes.iter().map(|(code, count)| (code.to_string(), *count)).collect(),
        }
    }

    /// The median of each figure; counts are added up.
    pub(super) fn median(phases: &[&Self]) -> Self {
        let median = |figure: fn(&Self) -> u64| median(phases.iter().map(|phase| figure(phase)));
        let sum = |count: fn(&Self) -> u64| {
            phases.iter().map(|phase| count(phase)).fold(0, u64::saturating_add)
        };
        let told: Vec<_> = phases.iter().filter_map(|phase| phase.records_per_sync).collect();
        let mut codes = BTreeMap::new();
        for (code, count) in phases.iter().flat_map(|phase| &phase.codes) {
            let sum: &mut u64 = codes.entry(code.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        Self {
            tps: median(|phase| phase.tps),
            p50_us: median(|phase| phase.p50_us),
            p90_us: median(|phase| phase.p90_us),
            p99_us: median(|phase| phase.p99_us),
            p999_us: median(|phase| phase.p999_us),
            max_us: median(|phase| phase.max_us),
            server_cpu_ns: median(|phase| phase.server_cpu_ns),
            client_cpu_ns: median(|phase| phase.client_cpu_ns),
            answered: sum(|phase| phase.answered),
            approved: sum(|phase| phase.approved),
            refused: sum(|phase| phase.refused),
            strays: sum(|phase| phase.strays),
            unanswered: sum(|phase| phase.unanswered),
            unsent: sum(|phase| phase.unsent),
            exhausted: phases.iter().map(|phase| phase.exhausted).max().unwrap_or_default(),
            records_per_sync: (!told.is_empty()).then(|| self::median(told.into_iter())),
            codes,
        }
    }
}

impl Round {
    pub(super) fn median(rounds: &[Self]) -> Self {
        let echo: Vec<_> = rounds.iter().map(|round| &round.echo).collect();
        let switch: Vec<_> = rounds.iter().map(|round| &round.switch).collect();
        Self {
            echo: Phase::median(&echo),
            switch: Phase::median(&switch),
            ratio_permille: median(rounds.iter().map(|round| round.ratio_permille)),
        }
    }
}

/// The middle value; of an even number of them the lower of the two in the middle.
pub(super) fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
