//! The benchmark: a switch beside a bare echo server, in one process, in turn.
//!
//! Each round puts the same load on the echo and then on the switch: every connection is a terminal
//! with a card of its own that sells, one sale after the other. Requests are built before the time
//! runs, and sent to the switch once each; answers are judged alike on both sides, so the client
//! costs the same. What the switch adds to the echo is what remains.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::echo::Echo;
use crate::fen::Fen;
use crate::kit::{Kit, TerminalSetup, TestCard};
use crate::load::{self, Load, LoadError, Matching, Plan, Requests, scaled};
use crate::station::{Station, StationError};
use crate::terminal::{Entry, Presented, SignOn, Terminal, TerminalError};

/// What each sale takes.
pub const AMOUNT: Fen = Fen(1);

/// Requests of each connection before the first round: enough to learn the rate from.
const WARM_UP_REQUESTS: usize = 40;

/// How long the warm-up may take.
const WARM_UP: Duration = Duration::from_secs(5);

/// How long a terminal waits at sign-on.
const SIGN_ON_TIMEOUT: Duration = Duration::from_secs(10);

/// How the benchmark is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Connections, each with one request outstanding. The kit must have as many terminals, and a
    /// card for each.
    pub connections: usize,
    /// How long each phase takes.
    pub duration: Duration,
    /// How many rounds: an echo phase and a switch phase each.
    pub rounds: usize,
    /// Threads of the client.
    pub client_threads: usize,
    /// Threads of the echo server; as many as the switch has.
    pub server_threads: usize,
}

impl Default for Settings {
    /// 500 connections, three rounds of twice ten seconds, two threads on each side.
    fn default() -> Self {
        Self {
            connections: 500,
            duration: Duration::from_secs(10),
            rounds: 3,
            client_threads: 2,
            server_threads: 2,
        }
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

/// The switch under test.
pub struct Target<'t> {
    /// Where terminals connect.
    pub address: SocketAddr,
    /// Asks for the counters of its journal, if it tells.
    pub journal: &'t dyn Fn() -> Option<JournalCounters>,
}

/// One phase: a load on one server.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// Answers in a second.
    pub tps: u64,
    /// Half of the answers came within, in microseconds.
    pub p50_us: u64,
    /// 99 % of the answers came within, in microseconds.
    pub p99_us: u64,
    /// 99.9 % of the answers came within, in microseconds.
    pub p999_us: u64,
    /// Processor time of the server for each answer, in nanoseconds.
    pub server_cpu_ns: u64,
    /// Processor time of the client for each answer, in nanoseconds.
    pub client_cpu_ns: u64,
    /// Answers.
    pub answered: u64,
    /// Answers with success.
    pub approved: u64,
    /// Answers without success, or to something else.
    pub failed: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Connections that ran out of requests before the time was over.
    pub exhausted: usize,
    /// Records that each sync of the journal carried, if it tells.
    pub records_per_sync: Option<u64>,
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

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Connections.
    pub connections: usize,
    /// Bytes of a request, its length included.
    pub request_bytes: usize,
    /// Bytes of an answer, its length included.
    pub reply_bytes: usize,
    /// Round by round.
    pub rounds: Vec<Round>,
    /// The medians of the rounds, figure by figure; counts are sums.
    pub median: Round,
    /// Answers whose message code was verified.
    pub codes_verified: u64,
    /// Those among them whose code was wrong.
    pub codes_wrong: u64,
    /// Sales approved in all, those before the first round included.
    pub approved: u64,
    /// Sales whose outcome nobody knows.
    pub unknown: u64,
}

impl Report {
    /// What the approved sales come to.
    #[must_use]
    pub fn approved_sum(&self) -> Fen {
        Fen(self.approved.saturating_mul(AMOUNT.0))
    }

    /// Says what is wrong with the run itself, whatever its figures: sales that were refused or
    /// got no answer, wrong message codes.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (number, round) in (1..).zip(&self.rounds) {
            for (name, phase) in [("echo", &round.echo), ("switch", &round.switch)] {
                if phase.failed > 0 || phase.unanswered > 0 {
                    faults.push(format!(
                        "round {number}, {name}: {} failed, {} unanswered",
                        phase.failed, phase.unanswered
                    ));
                }
            }
        }
        if self.codes_wrong > 0 {
            faults.push(format!("{} answers with a wrong message code", self.codes_wrong));
        }
        faults
    }

    /// Compares with what the books of the switch say: how many sales it approved, and their sum.
    /// Sales without an answer may be in the books or not.
    ///
    /// # Errors
    /// What does not agree, in words.
    pub fn agrees_with(&self, count: u64, sum: Fen) -> Result<(), String> {
        let most = self.approved.saturating_add(self.unknown);
        if !(self.approved..=most).contains(&count) {
            return Err(format!("{} sales were approved, the books have {count}", self.approved));
        }
        let expected = Fen(count.saturating_mul(AMOUNT.0));
        if sum != expected {
            return Err(format!("{count} sales come to {expected}, the books have {sum}"));
        }
        Ok(())
    }
}

/// Why the benchmark could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The kit has fewer terminals or cards than there are connections.
    #[error("{needed} terminals and cards are needed, the kit has {terminals} and {cards}")]
    KitTooSmall {
        /// Connections.
        needed: usize,
        /// Terminals of the kit.
        terminals: usize,
        /// Cards of the kit.
        cards: usize,
    },
    /// A terminal could not sign on, or its first sale was not approved.
    #[error("terminal {number}: {error}")]
    Station {
        /// Counted from 1.
        number: usize,
        /// Why.
        error: StationError,
    },
    /// The switch refused what must succeed before the rounds.
    #[error("{0}")]
    Refused(&'static str),
    /// A request could not be built.
    #[error("a request could not be built: {0}")]
    Terminal(#[from] TerminalError),
    /// A load could not be put on.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The echo server could not be started, or a thread failed.
    #[error("the echo server cannot be started: {0}")]
    Echo(#[source] std::io::Error),
}

/// Runs the benchmark. `progress` is told what begins.
///
/// # Errors
/// [`BenchError`]. Refused sales are no error, but show in the report.
pub fn run(
    settings: &Settings,
    kit: &Kit,
    target: &Target<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, BenchError> {
    progress("signing on");
    let mut crew = Crew::sign_on(settings, kit, target.address)?;
    let echo = Echo::start(settings.server_threads, &crew.reply).map_err(BenchError::Echo)?;
    progress("warming up");
    let requests = crew.prepare(WARM_UP_REQUESTS, settings.client_threads)?;
    let plan = Plan {
        address: target.address,
        threads: settings.client_threads,
        duration: WARM_UP,
        matching: Matching::Exact,
    };
    let warm = load::run(&plan, &requests)?;
    crew.take(&warm);
    let mut rate = warm.rate();
    let plan = Plan { duration: settings.duration, ..plan };
    let mut rounds = Vec::new();
    for number in 1..=settings.rounds.max(1) {
        progress(&format!("round {number}: building requests"));
        let requests = crew.prepare(requests_each(rate, settings), settings.client_threads)?;
        progress(&format!("round {number}: echo"));
        let loose = Plan { address: echo.address(), matching: Matching::Loose, ..plan };
        let bare = load::run(&loose, &requests)?;
        progress(&format!("round {number}: switch"));
        let before = (target.journal)();
        let load = load::run(&plan, &requests)?;
        let after = (target.journal)();
        crew.take(&load);
        rate = load.rate().max(rate);
        rounds.push(Round {
            ratio_permille: scaled(load.rate(), 1000, bare.rate()),
            echo: Phase::of(&bare, None),
            switch: Phase::of(&load, before.zip(after)),
        });
    }
    Ok(crew.report(settings.connections, rounds))
}

/// Twice what the switch has shown it can take, so that no connection runs dry.
fn requests_each(rate: u64, settings: &Settings) -> usize {
    let seconds = settings.duration.as_secs().saturating_add(1);
    let all = rate.saturating_mul(seconds).saturating_mul(2);
    let connections = u64::try_from(settings.connections.max(1)).unwrap_or(u64::MAX);
    let each = scaled(all, 1, connections).saturating_add(32);
    usize::try_from(each).unwrap_or(usize::MAX)
}

/// A terminal and the card that pays at it.
struct Pair<'k> {
    terminal: Terminal,
    card: &'k TestCard,
}

impl Pair<'_> {
    fn prepare(&mut self, count: usize) -> Result<Requests, TerminalError> {
        let first = self.terminal.stan();
        let presented = Presented { entry: Entry::Stripe, ..Presented::swiped(self.card) };
        let frames = self.terminal.prepare_sales(&presented, AMOUNT, count)?;
        Ok(Requests { frames: frames.into(), first })
    }
}

/// All terminals, and what they have seen together.
struct Crew<'k> {
    pairs: Vec<Pair<'k>>,
    /// An approval as the switch gives it, its length in front.
    reply: Vec<u8>,
    request_bytes: usize,
    approved: u64,
    unknown: u64,
    verified: u64,
    wrong: u64,
}

impl<'k> Crew<'k> {
    /// Signs every terminal on, and makes one sale to see how long requests and answers are.
    fn sign_on(settings: &Settings, kit: &'k Kit, address: SocketAddr) -> Result<Self, BenchError> {
        let needed = settings.connections.max(1);
        let (terminals, cards) = (kit.terminals.len(), kit.cards.len());
        if terminals.min(cards) < needed {
            return Err(BenchError::KitTooSmall { needed, terminals, cards });
        }
        let mut crew = Self {
            pairs: Vec::with_capacity(needed),
            reply: Vec::new(),
            request_bytes: 0,
            approved: 0,
            unknown: 0,
            verified: 0,
            wrong: 0,
        };
        let members = kit.terminals.iter().zip(&kit.cards).take(needed);
        for (number, (setup, card)) in (1..).zip(members) {
            crew.take_in(setup, card, address)
                .map_err(|error| BenchError::Station { number, error })?;
        }
        if crew.reply.is_empty() {
            return Err(BenchError::Refused("the first sale was not approved"));
        }
        Ok(crew)
    }

    fn take_in(
        &mut self,
        setup: &TerminalSetup,
        card: &'k TestCard,
        address: SocketAddr,
    ) -> Result<(), StationError> {
        let mut station = Station::new(Terminal::new(setup), address, SIGN_ON_TIMEOUT);
        let ask = SignOn::for_layout(setup.layout);
        station.ask(|terminal| terminal.sign_on(ask))?;
        if self.pairs.is_empty() {
            let presented = Presented::swiped(card);
            let sale = station.ask(|terminal| terminal.sale(&presented, AMOUNT))?;
            if sale.reply.is_success() {
                let length = u16::try_from(sale.received.len()).unwrap_or(u16::MAX);
                self.reply = [&length.to_be_bytes()[..], &sale.received].concat();
                self.request_bytes = sale.sent.len();
                self.approved = 1;
            }
        }
        self.pairs.push(Pair { terminal: station.terminal, card });
        Ok(())
    }

    /// Builds `count` sales for every terminal, on `threads` threads.
    fn prepare(&mut self, count: usize, threads: usize) -> Result<Vec<Requests>, BenchError> {
        let share = self.pairs.len().div_ceil(threads.max(1)).max(1);
        let parts: Vec<Result<Vec<Requests>, TerminalError>> = thread::scope(|scope| {
            let hands: Vec<_> = self
                .pairs
                .chunks_mut(share)
                .map(|pairs| {
                    scope.spawn(move || pairs.iter_mut().map(|pair| pair.prepare(count)).collect())
                })
                .collect();
            let joined = hands.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|part| part.unwrap_or(Err(TerminalError::Idle))).collect()
        });
        let mut requests = Vec::with_capacity(self.pairs.len());
        for part in parts {
            requests.extend(part?);
        }
        Ok(requests)
    }

    /// Counts what a load on the switch brought, and verifies the sampled answers.
    fn take(&mut self, load: &Load) {
        self.approved = self.approved.saturating_add(load.approved);
        // An answer to something else leaves its own request open, too.
        let unknown = load.unanswered.saturating_add(load.mismatched);
        self.unknown = self.unknown.saturating_add(unknown);
        for (number, frame) in &load.samples {
            let Some(pair) = self.pairs.get(*number) else { continue };
            self.verified = self.verified.saturating_add(1);
            if !pair.terminal.trusts(frame) {
                self.wrong = self.wrong.saturating_add(1);
            }
        }
    }

    fn report(self, connections: usize, rounds: Vec<Round>) -> Report {
        Report {
            connections,
            request_bytes: self.request_bytes,
            reply_bytes: self.reply.len(),
            median: Round::median(&rounds),
            rounds,
            codes_verified: self.verified,
            codes_wrong: self.wrong,
            approved: self.approved,
            unknown: self.unknown,
        }
    }
}

impl Phase {
    fn of(load: &Load, journal: Option<(JournalCounters, JournalCounters)>) -> Self {
        let [p50_us, p99_us, p999_us] = load.percentiles_micros();
        let (server_cpu_ns, client_cpu_ns) = load.cpu_nanos();
        let answered = load.answered();
        let records_per_sync = journal.and_then(|(before, after)| {
            let records = after.records.checked_sub(before.records)?;
            records.checked_div(after.syncs.checked_sub(before.syncs)?)
        });
        Self {
            tps: load.rate(),
            p50_us,
            p99_us,
            p999_us,
            server_cpu_ns,
            client_cpu_ns,
            answered,
            approved: load.approved,
            failed: answered.saturating_sub(load.approved),
            unanswered: load.unanswered,
            exhausted: load.exhausted,
            records_per_sync,
        }
    }

    /// The median of each figure; counts are added up.
    fn median(phases: &[&Self]) -> Self {
        let median = |figure: fn(&Self) -> u64| median(phases.iter().map(|phase| figure(phase)));
        let sum = |count: fn(&Self) -> u64| {
            phases.iter().map(|phase| count(phase)).fold(0, u64::saturating_add)
        };
        let told: Vec<_> = phases.iter().filter_map(|phase| phase.records_per_sync).collect();
        Self {
            tps: median(|phase| phase.tps),
            p50_us: median(|phase| phase.p50_us),
            p99_us: median(|phase| phase.p99_us),
            p999_us: median(|phase| phase.p999_us),
            server_cpu_ns: median(|phase| phase.server_cpu_ns),
            client_cpu_ns: median(|phase| phase.client_cpu_ns),
            answered: sum(|phase| phase.answered),
            approved: sum(|phase| phase.approved),
            failed: sum(|phase| phase.failed),
            unanswered: sum(|phase| phase.unanswered),
            exhausted: phases.iter().map(|phase| phase.exhausted).max().unwrap_or_default(),
            records_per_sync: (!told.is_empty()).then(|| self::median(told.into_iter())),
        }
    }
}

impl Round {
    fn median(rounds: &[Self]) -> Self {
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
fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
