//! The benchmark: a scenario on a switch, in turn with a bare echo server in this process.
//!
//! Each round puts the same load on the echo and then on the switch. Requests are built before the
//! time runs, as far as they do not need earlier answers; answers are judged alike on both sides, so
//! the client costs the same. What the switch adds to the echo is what remains. Afterwards every
//! slip is there to be held against the journal.
//!
//! | module | holds |
//! | --- | --- |
//! | `phase` | the figures of one load |
//! | `idle` | lines that say nothing, and what they cost |
//! | `overload` | more than can be done |
//! | `accounts` | accounts that nobody uses, and what they cost |
//! | `ledger` | how far the ledger was behind, and how fast it follows |
//! | `figures` | everything as figures with goals |

mod accounts;
mod figures;
mod idle;
mod ledger;
mod overload;
mod phase;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

pub use accounts::{Accounts, Crowded};
pub use idle::Idle;
pub use ledger::Ledger;
pub use overload::Overloaded;
pub use phase::{Phase, Round};

use crate::audit::{Slips, Verdict};
use crate::echo::Echo;
use crate::fleet::{Counts, Fleet, FleetError};
use crate::kit::Kit;
use crate::load::{self, Leg, Load, LoadError, Matching, Pace, Plan, Rules, scaled};
use crate::measured::Series;
use crate::scenario::{Act, Cards, Scenario};

/// Requests before the first round: enough to learn the rate from.
const WARM_UP_REQUESTS: usize = 20_000;

/// How long the warm-up may take.
const WARM_UP: Duration = Duration::from_secs(5);

/// The most terminals whose cards are all asked for their balance.
const BALANCES_MAX: usize = 2_000;

/// How the benchmark is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The scenario's name.
    pub name: String,
    /// What is done.
    pub scenario: Scenario,
    /// How long each phase takes.
    pub duration: Duration,
    /// Threads of the client.
    pub client_threads: usize,
    /// Threads of the echo server; as many as the switch has.
    pub server_threads: usize,
}

impl Settings {
    /// Those of a scenario, with two threads on each side.
    #[must_use]
    pub fn of(name: &str, scenario: Scenario) -> Self {
        Self {
            name: name.to_owned(),
            duration: Duration::from_secs(scenario.seconds),
            scenario,
            client_threads: 2,
            server_threads: 2,
        }
    }

    /// How often progress is told.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let rounds = u64::from(self.scenario.rounds);
        let each = if self.scenario.overload.is_some() { 5 } else { 3 };
        let idle = if self.scenario.idle > 0 { rounds.saturating_add(1) } else { 0 };
        rounds.saturating_mul(each).saturating_add(idle).saturating_add(3)
    }

    /// The requests of a whole phase, at a rate.
    fn requests_at(&self, rate: u64) -> u64 {
        let millis = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
        scaled(rate, millis, 1000)
    }
}

/// What a journal has counted since it was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JournalCounters {
    /// Records written.
    pub records: u64,
    /// Times it was synced.
    pub syncs: u64,
}

/// What the system says of a process.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Processor time so far.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident: u64,
}

/// The switch under test.
pub struct Target<'t> {
    /// Where terminals connect.
    pub address: SocketAddr,
    /// Asks for the counters of its journal, if it tells.
    pub journal: &'t dyn Fn() -> Option<JournalCounters>,
    /// Asks how many entries its ledger is behind. `None` without a ledger.
    pub ledger_lag: &'t dyn Fn() -> Option<u64>,
    /// Asks what its process uses. `None` if it runs in this process.
    pub usage: Option<&'t dyn Fn() -> Option<Usage>>,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
    /// Bytes of a request, its length included.
    pub request_bytes: usize,
    /// Bytes of an answer, its length included.
    pub reply_bytes: usize,
    /// Round by round.
    pub rounds: Vec<Round>,
    /// The medians of the rounds, figure by figure; counts are sums.
    pub median: Round,
    /// What idle lines cost.
    pub idle: Option<Idle>,
    /// What more than can be done led to.
    pub overload: Option<Overloaded>,
    /// What the ledger had still to take in.
    pub ledger: Option<Ledger>,
    /// What accounts cost that nobody uses.
    pub crowded: Option<Crowded>,
    /// Answers whose message code was verified.
    pub codes_verified: u64,
    /// Those among them whose code was wrong.
    pub codes_wrong: u64,
    /// Sign-ons that were sent.
    pub sign_ons: u64,
    /// Those that brought keys.
    pub signed_on: u64,
    /// Loads second by second.
    #[serde(skip)]
    pub series: Vec<Series>,
    /// What is wrong with the run, whatever its figures.
    #[serde(skip)]
    pub faults: Vec<String>,
    /// Slips that were held against the journal.
    pub slips: u64,
    /// Those that stand.
    pub approved: u64,
    /// What those come to, in fen.
    pub approved_fen: u64,
    /// Those whose outcome nobody knows.
    pub unknown: u64,
}

impl Report {
    /// Takes in how slips and journal compare, and how many sign-ons the journal has.
    pub fn settle(&mut self, verdict: &Verdict, sign_ons: u64) {
        self.slips = verdict.slips;
        self.approved = verdict.approved;
        self.approved_fen = verdict.sum.0;
        self.unknown = verdict.unknown;
        if verdict.violations > 0 {
            let count = verdict.violations;
            self.faults.push(format!("slips and journal differ in {count} places"));
            self.faults.extend(verdict.first.iter().map(ToString::to_string));
        }
        if !(self.signed_on..=self.sign_ons).contains(&sign_ons) {
            let (granted, asked) = (self.signed_on, self.sign_ons);
            self.faults.push(format!(
                "{granted} of {asked} sign-ons were granted, and the journal has {sign_ons}"
            ));
        }
    }
}

/// Why the benchmark could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The kit has fewer terminals or cards than there must be.
    #[error("{needed} terminals are needed, the kit has {terminals} and {cards} cards")]
    KitTooSmall {
        /// Terminals of the scenario.
        needed: usize,
        /// Terminals of the kit.
        terminals: usize,
        /// Cards of the kit.
        cards: usize,
    },
    /// The switch refused what must succeed before the rounds.
    #[error("{0}")]
    Refused(&'static str),
    /// The fleet cannot do what it is told.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// A load could not be put on.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The echo server could not be started, or a thread failed.
    #[error("the echo server cannot be started: {0}")]
    Echo(#[source] std::io::Error),
    /// An idle line could not be opened.
    #[error("idle line {number}: {error}")]
    IdleLine {
        /// Counted from 1.
        number: u32,
        /// Why.
        error: crate::line::LineError,
    },
}

/// Runs the benchmark. `progress` is told what begins. The slips are to be held against the journal,
/// and [`Report::settle`] to be told of it.
///
/// # Errors
/// [`BenchError`]. Refused requests are no error, but show in the report.
pub fn run(
    settings: &Settings,
    kit: &Kit,
    target: &Target<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<(Report, Slips), BenchError> {
    let needed = usize::try_from(settings.scenario.terminals()).unwrap_or(usize::MAX);
    let (terminals, cards) = (kit.terminals.len(), kit.cards.len());
    let least = if settings.scenario.cards == Cards::One { 1 } else { needed };
    if terminals < needed || cards < least {
        return Err(BenchError::KitTooSmall { needed, terminals, cards });
    }
    let fleet = Fleet::new(&settings.scenario, kit);
    let mut bench =
        Bench { settings, kit, target, progress, fleet, rate: 0, report: Report::new(settings) };
    bench.warm_up()?;
    match settings.scenario.overload {
        Some(overload) => bench.overload(overload)?,
        None => bench.rounds()?,
    }
    if settings.scenario.idle > 0 {
        bench.idle()?;
    }
    if settings.scenario.cards == Cards::Own && bench.fleet.size() <= BALANCES_MAX {
        bench.check_balances()?;
    }
    bench.look_at_ledger();
    Ok(bench.finish())
}

impl Report {
    fn new(settings: &Settings) -> Self {
        Self {
            name: settings.name.clone(),
            scenario: settings.scenario.clone(),
            request_bytes: 0,
            reply_bytes: 0,
            rounds: Vec::new(),
            median: Round::median(&[]),
            idle: None,
            overload: None,
            ledger: None,
            crowded: None,
            codes_verified: 0,
            codes_wrong: 0,
            sign_ons: 0,
            signed_on: 0,
            series: Vec::new(),
            faults: Vec::new(),
            slips: 0,
            approved: 0,
            approved_fen: 0,
            unknown: 0,
        }
    }
}

/// A benchmark under way.
struct Bench<'b> {
    settings: &'b Settings,
    kit: &'b Kit,
    target: &'b Target<'b>,
    progress: &'b mut dyn FnMut(&str),
    fleet: Fleet,
    /// The highest rate of the switch so far.
    rate: u64,
    report: Report,
}

impl Bench<'_> {
    /// Signs the fleet on, learns the rate, and how long requests and answers are.
    fn warm_up(&mut self) -> Result<(), BenchError> {
        (self.progress)("signing on");
        let plan = self.plan(Pace::Closed(WARM_UP));
        self.fleet.sign_on(&plan)?;
        (self.progress)("warming up");
        let each = WARM_UP_REQUESTS.checked_div(self.fleet.size()).unwrap_or_default();
        let each = if self.is_counted_out() { 1 } else { each.clamp(1, 40) };
        self.fleet.prepare(&self.settings.scenario.mix, each, plan.threads, 0)?;
        let load = self.fleet.run(&plan)?;
        self.rate = load.rate();
        let sample = self.fleet.sample();
        let (request, reply) =
            sample.ok_or(BenchError::Refused("none of the first requests was approved"))?;
        (self.report.request_bytes, self.report.reply_bytes) = (request.len(), reply.len());
        Ok(())
    }

    /// True if each terminal can ask only so often.
    fn is_counted_out(&self) -> bool {
        let scenario = &self.settings.scenario;
        scenario.is_only(Act::SignOn) || scenario.is_only(Act::Activation)
    }

    fn plan(&self, pace: Pace) -> Plan {
        let scenario = &self.settings.scenario;
        let rules = Rules {
            in_flight: usize::try_from(scenario.in_flight).unwrap_or(1),
            faults: scenario.faults,
            ..Rules::default()
        };
        let threads = self.settings.client_threads.max(1);
        Plan { address: self.target.address, threads, pace, rules }
    }

    fn pace(&self) -> Pace {
        let duration = self.settings.duration;
        match self.settings.scenario.rate {
            Some(rate) => Pace::Open(vec![Leg { rate, duration }]),
            None => Pace::Closed(duration),
        }
    }

    /// Writes as many requests as a phase may take.
    fn prepare(&mut self, seed: u64) -> Result<(), BenchError> {
        let scenario = &self.settings.scenario;
        let rounds = usize::try_from(scenario.rounds).unwrap_or(1).max(1);
        let each = if scenario.is_only(Act::SignOn) {
            1
        } else if scenario.is_only(Act::Activation) {
            let cards = usize::try_from(scenario.cards_each).unwrap_or_default();
            cards.saturating_sub(1).checked_div(rounds).unwrap_or_default().max(1)
        } else {
            let all = match scenario.rate {
                // Half as much again, because terminals do not take exactly equal turns.
                Some(rate) => self.settings.requests_at(rate.saturating_add(rate / 2)),
                // Twice what it has shown, so that no connection runs dry.
                None => self.settings.requests_at(self.rate.saturating_mul(2)),
            };
            self.each_of(all)
        };
        let threads = self.settings.client_threads;
        Ok(self.fleet.prepare(&scenario.mix, each, threads, seed)?)
    }

    /// What each terminal must have, if all of them together need so much.
    fn each_of(&self, all: u64) -> usize {
        let terminals = u64::try_from(self.fleet.size()).unwrap_or(u64::MAX);
        let each = scaled(all, 1, terminals).saturating_add(32);
        usize::try_from(each).unwrap_or(usize::MAX)
    }

    fn rounds(&mut self) -> Result<(), BenchError> {
        let mut loads = Vec::new();
        for number in 1..=self.settings.scenario.rounds {
            (self.progress)(&format!("round {number}: building requests"));
            self.present(number);
            self.prepare(number.into())?;
            (self.progress)(&format!("round {number}: echo"));
            let (bare, echo) = self.put_on_echo(&self.pace())?;
            (self.progress)(&format!("round {number}: switch"));
            let (load, switch) = self.put_on_switch(&self.plan(self.pace()))?;
            self.judge(&format!("round {number}, echo"), &bare, Leniency::None);
            self.judge(&format!("round {number}, switch"), &load, self.leniency());
            self.rate = self.rate.max(load.rate());
            let ratio_permille = scaled(load.rate(), 1000, bare.rate());
            self.report.rounds.push(Round { echo, switch, ratio_permille });
            loads.push((load.rate(), load, bare));
            if self.settings.scenario.cards == Cards::One {
                self.check_balances()?;
            }
        }
        self.report.median = Round::median(&self.report.rounds);
        loads.sort_by_key(|(rate, ..)| *rate);
        let middle = loads.len().saturating_sub(1) / 2;
        if let Some((_, load, bare)) = loads.get(middle) {
            self.report.series.extend([load.series("switch"), bare.series("echo")]);
        }
        Ok(())
    }

    /// Hands out the card of a round, if all terminals use the same.
    fn present(&mut self, round: u32) {
        let number = usize::try_from(round).unwrap_or(usize::MAX);
        if self.settings.scenario.cards == Cards::One
            && let Some(card) = self.kit.cards.get(number)
        {
            self.fleet.present(card);
        }
    }

    fn put_on_echo(&self, pace: &Pace) -> Result<(Load, Phase), BenchError> {
        let sample = self.fleet.sample();
        let (_, reply) = sample.ok_or(BenchError::Refused("no request was approved"))?;
        let echo = Echo::start(self.settings.server_threads, reply).map_err(BenchError::Echo)?;
        let plan = self.plan(pace.clone());
        let rules = Rules { matching: Matching::Loose, faults: load::Faults::NONE, ..plan.rules };
        let plan = Plan { address: echo.address(), rules, ..plan };
        let (load, _carousels) = load::run(&plan, self.fleet.carousels())?;
        let phase = Phase::of(&load, load.other_cpu, None);
        Ok((load, phase))
    }

    fn put_on_switch(&mut self, plan: &Plan) -> Result<(Load, Phase), BenchError> {
        let usage = || self.target.usage.and_then(|usage| usage());
        let (journal, used) = ((self.target.journal)(), usage());
        let load = self.fleet.run(plan)?;
        let journal = journal.zip((self.target.journal)());
        let cpu = used.zip(usage()).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
        let phase = Phase::of(&load, cpu.unwrap_or(load.other_cpu), journal);
        Ok((load, phase))
    }

    const fn leniency(&self) -> Leniency {
        let faults = &self.settings.scenario.faults;
        let is_fair = faults.drop_permille == 0
            && faults.delay_permille == 0
            && faults.duplicate_permille == 0;
        if is_fair { Leniency::None } else { Leniency::Faults }
    }

    /// Notes what must not happen.
    fn judge(&mut self, what: &str, load: &Load, leniency: Leniency) {
        if leniency == Leniency::Faults {
            return;
        }
        let refused = if leniency == Leniency::Refusals { 0 } else { load.refused() };
        let counts = [
            (refused, "refused"),
            (load.strays, "answers to nothing that was asked"),
            (load.unanswered, "unanswered"),
            (load.unsent, "never sent: the rate is more than can be done"),
            (load.lines_lost, "lines closed by the server"),
        ];
        for (count, complaint) in counts.into_iter().filter(|(count, _)| *count > 0) {
            self.report.faults.push(format!("{what}: {count} {complaint}"));
        }
    }

    fn check_balances(&mut self) -> Result<(), BenchError> {
        if self.is_counted_out() {
            return Ok(());
        }
        let wrong = self.fleet.check_balances(&self.plan(self.pace()))?;
        self.report.faults.extend(wrong.into_iter().take(10));
        Ok(())
    }

    fn finish(mut self) -> (Report, Slips) {
        let Counts { verified, wrong, sign_ons, signed_on } = self.fleet.counts();
        self.report.codes_verified = verified;
        self.report.codes_wrong = wrong;
        (self.report.sign_ons, self.report.signed_on) = (sign_ons, signed_on);
        if wrong > 0 {
            self.report.faults.push(format!("{wrong} answers with a wrong message code"));
        }
        (self.report, self.fleet.slips())
    }
}

/// What is let pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Leniency {
    /// Nothing.
    None,
    /// Refusals, where more may be asked than can be done in time.
    Refusals,
    /// What faults lead to.
    Faults,
}
