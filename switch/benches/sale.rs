//! What a whole sale costs without sockets and actors: from the request's frame to the answer's,
//! with the message code, the PIN, the decision, the journal and its sync.
//!
//! Each iteration is [`AT_ONCE`] sales of as many terminals, which share one batch of the journal,
//! so a figure divided by that is one sale's.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "in a benchmark a panic is a failure"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use domain::shard::{Command, Shard};
use domain::terms::ShardNo;
use loadtest::kit::Kit;
use loadtest::terminal::{Entry, Presented, SignOn, SlipKind, Terminal};
use loadtest::{Fen, TestCard};
use metrics_exporter_prometheus::PrometheusBuilder;
use store::{EmbeddedWriter, Options, Outcome, SteppedJournal};
use switch::account::Desk;
use switch::clock::{Clock, Moment, SystemClock};
use switch::config::Config;
use switch::facts::{Facts, Guard};
use switch::node::{Settings, facts_of, keeper, plan};
use switch::programme::Programme;
use switch::terminal::{Action, Session};
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Sales that one sync carries.
const AT_ONCE: usize = 32;
/// Terminals, and cards.
const TERMINALS: u32 = 500;
/// Rounds of [`AT_ONCE`] sales that are prepared.
const ROUNDS: usize = 600;

fn main() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::set_global_recorder(recorder).unwrap();
    divan::main();
}

/// A line, with a terminal at its other end.
struct Line {
    session: Session,
    /// Sales that are still to be sent, without their lengths.
    sales: VecDeque<Vec<u8>>,
}

/// Whoever waits for an answer: what is kept meanwhile, the line and the number of the question.
type Waiter = (Guard, usize, u64);

/// A switch without its sockets.
struct House {
    facts: Arc<Facts>,
    clock: SystemClock,
    lines: Vec<Line>,
    desk: Desk<EmbeddedWriter, Waiter>,
    journal: SteppedJournal,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    next: usize,
    approved: usize,
    _directory: TempDir,
}

impl House {
    /// A house whose terminals are signed on, and have their sales ready.
    fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let kit = Kit::generate(TERMINALS, TERMINALS, 1);
        kit.write_to(directory.path()).unwrap();
        let programme = Programme::load(directory.path()).unwrap();
        let data = directory.path().join("data");
        let (journal, _books) = SteppedJournal::open(data, Options::default()).unwrap();
        let outcomes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&outcomes);
        let writer = journal.writer(move |outcome| told.lock().unwrap().push(outcome));
        let facts = Arc::new(facts(&programme));
        let mut house = Self {
            lines: Vec::new(),
            clock: SystemClock::default(),
            desk: Desk::new(ShardNo::all().map(Shard::new), writer),
            facts,
            journal,
            outcomes,
            next: 0,
            approved: 0,
            _directory: directory,
        };
        let planned = plan(&programme, &house.facts).unwrap().commands;
        let now = house.clock.now();
        let date = house.facts.calendar.business_date(now.at);
        let turned = ShardNo::all().map(|shard| (shard, Command::CutOff(date)));
        for (shard, command) in planned.into_iter().chain(turned) {
            house.desk.handle(shard, command, now.at, (Guard::Free, usize::MAX, 0));
        }
        house.commit(now);
        for (setup, card) in kit.terminals.iter().zip(&kit.cards) {
            house.sign_on(Terminal::new(setup), SignOn::for_layout(setup.layout), card);
        }
        house
    }

    /// Opens a line, signs its terminal on, and has it prepare its sales.
    fn sign_on(&mut self, mut terminal: Terminal, ask: SignOn, card: &TestCard) {
        let session = Session::new(Arc::clone(&self.facts));
        self.lines.push(Line { session, sales: VecDeque::new() });
        let line = self.lines.len() - 1;
        let frame = terminal.sign_on(ask).unwrap();
        let now = self.clock.now();
        self.hear(line, now, &frame[2..]);
        self.commit(now);
        let answer = self.say(line).expect("a sign-on is answered");
        assert!(terminal.on_frame(&answer[2..]).unwrap().is_success());
        let presented = Presented { entry: Entry::Stripe, ..Presented::swiped(card) };
        let count = (ROUNDS * AT_ONCE).div_ceil(TERMINALS as usize) + 1;
        let sale = terminal.stencil(SlipKind::Sale, &presented, Fen(1)).unwrap();
        let sales = (0..count).map(|_| {
            let mut frame = Vec::new();
            terminal.stamp(&mut frame, &sale).unwrap();
            frame.split_off(2)
        });
        self.lines[line].sales = sales.collect();
    }

    /// Takes in a frame of a line, and has what it asks for decided.
    fn hear(&mut self, line: usize, now: Moment, frame: &[u8]) {
        let session = &mut self.lines[line].session;
        session.on_frame(now, now.micros, frame);
        match session.next_action() {
            Some(Action::Ask(question)) => {
                let waiter = (question.guard, line, question.token);
                self.desk.handle(question.shard, question.command, now.at, waiter);
            }
            action => panic!("a sale is asked of its shard, and not {action:?}"),
        }
    }

    /// Writes and syncs what was decided, and takes the answers in.
    fn commit(&mut self, now: Moment) {
        self.journal.write().unwrap();
        self.journal.sync().unwrap();
        for outcome in self.outcomes.lock().unwrap().drain(..) {
            assert!(self.desk.on_outcome(outcome).is_empty(), "nobody else writes");
        }
        while let Some(answered) = self.desk.next_answer() {
            if let Some(event) = &answered.event {
                self.facts.absorb(event);
            }
            let (guard, line, token) = answered.waiter;
            drop(guard);
            if let Some(line) = self.lines.get_mut(line) {
                let answer = answered.answer.unwrap();
                self.approved += usize::from(answer.verdict.is_ok());
                line.session.on_answer(now, token, &answer);
            }
        }
    }

    /// Returns what is answered on a line.
    fn say(&mut self, line: usize) -> Option<Vec<u8>> {
        match self.lines[line].session.next_action()? {
            Action::Send(frame) => Some(frame),
            action @ (Action::Ask(_) | Action::WakeAfter(..)) => {
                panic!("what was decided is answered, and not {action:?}")
            }
        }
    }

    /// Makes [`AT_ONCE`] sales of the next terminals; returns the length of their answers.
    fn sell(&mut self) -> usize {
        let lines: [usize; AT_ONCE] =
            std::array::from_fn(|number| (self.next + number) % self.lines.len());
        self.next += AT_ONCE;
        let before = self.approved;
        for line in lines {
            let sale = self.lines[line].sales.pop_front().expect("enough sales are prepared");
            self.hear(line, self.clock.now(), &sale);
        }
        self.commit(self.clock.now());
        assert_eq!(self.approved - before, AT_ONCE, "every sale is approved");
        let answered = lines.into_iter().map(|line| {
            let frame = self.say(line).expect("what was decided is answered");
            let length = frame.len();
            self.lines[line].session.take_back(frame);
            length
        });
        answered.sum()
    }
}

fn facts(programme: &Programme) -> Facts {
    let config = Config::default();
    let settings = Settings { log_every: 0, ..Settings::of(&config, programme) };
    facts_of(&settings, programme, keeper(&config).unwrap(), None)
}

/// 32 sales that share one sync.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn sell(bencher: Bencher<'_, '_>) {
    let mut house = House::open();
    // The first round makes room that later ones use again.
    for _ in 0..16 {
        house.sell();
    }
    bencher.counter(ItemsCount::new(AT_ONCE)).bench_local(|| house.sell());
}
