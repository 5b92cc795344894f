//! The switch without sockets, actors and clocks: a session and a desk, provisioned as a node is.

pub(crate) mod draft;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use codec::{Dialect, Envelope, Message};
use domain::ledger::{Balances, LedgerAccount};
use domain::shard::{Command, Event, Shard};
use domain::terms::{Amount, CardId, ShardNo, TerminalId, Timestamp};
use domain::txn::Batches;
use jiff::civil;
use jiff::tz::TimeZone;
use keys::{Algorithm, Hsm, Lmk, MacAlgorithm, SeededRandom, SoftHsm, TerminalKeys};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use store::{Commit as _, Lsn, MemoryJournal, MemoryWriter, Outcome};
use switch::account::Desk;
use switch::clock::{Calendar, Moment};
use switch::facts::{Cards, CareBook, Facts, Guard, TerminalRules, Terminals};
use switch::node::plan;
use switch::programme::Programme;
use switch::telemetry::Telemetry;
use switch::terminal::{Action, Session};

use draft::{Draft, OTHER_CARDS, TERMINAL, management};

/// How many microseconds a request may wait for room.
pub(crate) const WAIT_MAX: u64 = 1_000_000;

/// Whoever waits for an answer: what is kept meanwhile, and the number of the question.
type Waiter = (Guard, u64);

/// A switch on a bench.
pub(crate) struct Bench {
    pub(crate) facts: Arc<Facts>,
    /// Working keys by terminal, and how its message codes are made.
    keys: BTreeMap<String, (TerminalKeys, MacAlgorithm)>,
    /// The time.
    pub(crate) now: Moment,
    /// The answer to the last frame.
    pub(crate) last: Heard,
    /// What every entry so far has added to the general ledger.
    pub(crate) ledger: BTreeMap<LedgerAccount, Amount>,
    pub(crate) programme: Programme,
    desk: Desk<MemoryWriter, Waiter>,
    session: Session,
    journal: MemoryJournal,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
}

/// The answer to a frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// The frame without its length; empty if none came.
    pub(crate) frame: Vec<u8>,
}

impl Heard {
    /// Returns F39; `no code` of an answer without it, `dropped` if no answer came.
    pub(crate) fn code(&self) -> String {
        if self.frame.is_empty() {
            return "dropped".to_owned();
        }
        self.text(39).unwrap_or_else(|| "no code".to_owned())
    }

    /// Returns a field of characters.
    pub(crate) fn text(&self, field: u8) -> Option<String> {
        self.read(|message| message.text(field).map(|text| text.escape_ascii().to_string()))
    }

    /// Returns a field of digits.
    pub(crate) fn digits(&self, field: u8) -> Option<String> {
        self.read(|message| {
            message.digits(field).map(|digits| digits.iter().map(char::from).collect())
        })
    }

    /// True if it can be read whole.
    pub(crate) fn is_readable(&self) -> bool {
        let body = Envelope::parse(&self.frame).unwrap().body;
        Message::parse(Dialect::unionpay_pos(), body).is_ok()
    }

    /// True if the answer carries a message code.
    pub(crate) fn is_signed(&self) -> bool {
        self.read(|message| message.has(64))
    }

    /// Returns the message type.
    pub(crate) fn mti(&self) -> String {
        self.read(|message| message.mti().as_str().to_owned())
    }

    /// Reads the message.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Message<'_>) -> T) -> T {
        let envelope = Envelope::parse(&self.frame).unwrap();
        read(&Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap())
    }
}

/// What accounts hold and terminals have sold: what a refusal must leave as it is.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Money {
    balances: Vec<(CardId, Balances)>,
    batches: Vec<(TerminalId, Batches)>,
}

impl Bench {
    /// A switch with the demonstration programme, whose first terminal is signed on.
    pub(crate) fn new() -> Self {
        let mut programme = Programme::demo();
        let rest = programme.cards.split_off(20);
        let others = rest
            .into_iter()
            .filter(|card| OTHER_CARDS.iter().any(|o| o.as_bytes() == card.pan.digits()));
        programme.cards.extend(others);
        let mut bench = Self::with(programme);
        bench.sign_on(TERMINAL);
        bench
    }

    /// A switch with a programme, none of whose terminals is signed on.
    pub(crate) fn with(programme: Programme) -> Self {
        let journal = MemoryJournal::new();
        let outcomes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&outcomes);
        let writer = journal.writer(move |outcome| told.lock().unwrap().push(outcome));
        let hsm = SoftHsm::with_randomness(Lmk::demo(), Box::new(SeededRandom::new(7)));
        let facts = Arc::new(facts(&programme, Arc::new(hsm)));
        let mut bench = Self {
            ledger: BTreeMap::new(),
            session: Session::new(Arc::clone(&facts)),
            desk: Desk::new(ShardNo::all().map(Shard::new), writer),
            keys: BTreeMap::new(),
            now: Moment { at: at("2026-11-22T10:00:00+08:00"), micros: 10_000_000 },
            last: Heard::default(),
            facts,
            programme,
            journal,
            outcomes,
        };
        bench.provision();
        bench.turn_date();
        bench
    }

    /// Takes in what the programme has and the books do not.
    pub(crate) fn provision(&mut self) {
        let plan = plan(&self.programme, &self.facts).unwrap();
        self.decide(plan.commands);
    }

    /// Takes in an entry that another node has written.
    pub(crate) fn take_in(&mut self, event: &Event) {
        let shard = event.home().unwrap();
        let known = self.journal.entries().into_iter().rfind(|entry| entry.shard == shard).unwrap();
        let mut elsewhere = self.journal.writer(|_| {});
        elsewhere.adopt(shard, known.seq, known.chain);
        elsewhere.submit(shard, known.seq + 1, event).unwrap();
        self.journal.sync().unwrap();
        let newer = vec![self.journal.entries().pop().unwrap()];
        let from = Lsn(u64::MAX);
        for event in self.desk.on_outcome(Outcome::Conflict { shard, from, newer }) {
            self.facts.absorb(&event);
        }
    }

    /// Sets the time, and turns the business date to it.
    pub(crate) fn set_time(&mut self, text: &str) {
        self.now.at = at(text);
        self.turn_date();
    }

    /// Returns the business date, MMDD.
    pub(crate) fn date_mmdd(&self) -> String {
        format!("{:04}", self.facts.calendar.business_date(self.now.at).mmdd())
    }

    fn turn_date(&mut self) {
        let date = self.facts.calendar.business_date(self.now.at);
        self.decide(ShardNo::all().map(|shard| (shard, Command::CutOff(date))).collect());
    }

    /// Signs a terminal on.
    pub(crate) fn sign_on(&mut self, terminal: &str) {
        let id = TerminalId::parse(terminal.as_bytes());
        let setup = self.programme.terminals.iter().find(|setup| Some(setup.id) == id).unwrap();
        let (tmk, algorithm, mac) = (setup.tmk.clone(), setup.algorithm, setup.mac);
        let network = match algorithm {
            Algorithm::Des => "003",
            Algorithm::Sm4 => "005",
        };
        let mut draft = management([0x08, 0x00], &format!("00000001{network}"));
        draft.text(41, terminal.as_bytes()).text(42, &setup.merchant.0);
        let heard = self.send(&draft);
        assert_eq!(heard.code(), "00");
        let block = heard.read(|message| message.raw(62).unwrap().to_vec());
        let keys = TerminalKeys::from_sign_on(tmk.expose(), algorithm, &block, None).unwrap();
        self.keys.insert(terminal.to_owned(), (keys, mac));
    }

    /// Settles the first batch of [`TERMINAL`], which claims these totals of domestic cards.
    pub(crate) fn settle(&mut self, totals: &str) {
        let mut draft = management([0x05, 0x00], "00000001201");
        draft.digits(11, "000900").digits(48, &format!("{totals}0{}", "0".repeat(31)));
        draft.text(49, b"156");
        let heard = self.send(&draft);
        assert_eq!(heard.digits(48).map(|f48| f48[30..31].to_owned()).as_deref(), Some("1"));
    }

    /// Sends a request, signed with the keys of its signer.
    pub(crate) fn send(&mut self, draft: &Draft) -> Heard {
        let frame = self.signed(draft);
        self.hear(&frame)
    }

    /// Returns a request as a frame.
    pub(crate) fn signed(&self, draft: &Draft) -> Vec<u8> {
        draft.frame(|body| {
            let (keys, algorithm) = &self.keys[draft.signer];
            keys.mac(*algorithm, body).unwrap()
        })
    }

    /// Returns the working keys of [`TERMINAL`].
    pub(crate) fn keys(&self) -> &TerminalKeys {
        self.keys_of(TERMINAL).unwrap()
    }

    /// Returns the working keys of a terminal, if it has signed on.
    pub(crate) fn keys_of(&self, terminal: &str) -> Option<&TerminalKeys> {
        self.keys.get(terminal).map(|(keys, _)| keys)
    }

    /// Returns the shards.
    pub(crate) fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.desk.shards()
    }

    /// Takes in a frame without its length, and returns what is answered.
    pub(crate) fn hear(&mut self, frame: &[u8]) -> Heard {
        self.hear_after(0, frame)
    }

    /// The same of a frame that has waited for so many microseconds.
    pub(crate) fn hear_after(&mut self, waited: u64, frame: &[u8]) -> Heard {
        self.session.on_frame(self.now, self.now.micros - waited, frame);
        let mut heard = Heard::default();
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Send(sent) => {
                    assert!(heard.frame.is_empty(), "one question has one answer");
                    heard.frame = sent[2..].to_vec();
                }
                Action::Ask(question) => {
                    let waiter = (question.guard, question.token);
                    self.desk.handle(question.shard, question.command, self.now.at, waiter);
                    self.commit();
                }
                Action::WakeAfter(..) => panic!("nothing else is in flight"),
            }
        }
        assert_eq!(self.session.in_flight(), 0);
        self.check(frame, &heard);
        self.last = heard.clone();
        heard
    }

    /// Takes in frames that arrive before anything is durable, and returns the answers in their
    /// order. What waits for the others is looked at again once they are done.
    pub(crate) fn hear_together(&mut self, frames: &[Vec<u8>]) -> Vec<Heard> {
        let (mut sent, mut waits) = (Vec::new(), Vec::new());
        for frame in frames {
            self.session.on_frame(self.now, self.now.micros, frame);
        }
        loop {
            while let Some(action) = self.session.next_action() {
                match action {
                    Action::Send(frame) => sent.push(Heard { frame: frame[2..].to_vec() }),
                    Action::Ask(question) => {
                        let waiter = (question.guard, question.token);
                        self.desk.handle(question.shard, question.command, self.now.at, waiter);
                    }
                    Action::WakeAfter(_, token) => waits.push(token),
                }
            }
            self.commit();
            for token in std::mem::take(&mut waits) {
                self.session.on_wake(self.now, token);
            }
            if self.session.in_flight() == 0 && sent.len() == frames.len() {
                break;
            }
        }
        let key_of = |heard: &Heard| (heard.digits(11), heard.digits(2), heard.mti().as_bytes()[1]);
        let answer_to = |frame: &Vec<u8>| {
            let key = key_of(&Heard { frame: frame.clone() });
            sent.iter().find(|heard| key_of(heard) == key).unwrap().clone()
        };
        frames.iter().map(answer_to).collect()
    }

    /// Whatever is answered is an answer to the one who asked, and signed right if it is signed.
    fn check(&self, asked: &[u8], heard: &Heard) {
        if heard.frame.is_empty() {
            return;
        }
        assert_eq!(heard.frame[..5], [0x60, asked[3], asked[4], asked[1], asked[2]]);
        let mti = heard.mti();
        assert!(matches!(mti.as_bytes(), [b'0', _, b'1' | b'3', b'0']), "{mti} answers nothing");
        let keys = heard.text(41).and_then(|terminal| self.keys.get(&terminal));
        let is_right = heard.read(|message| {
            let ((keys, algorithm), code) = (keys?, message.raw(64)?);
            Some(keys.verify_mac(*algorithm, message.mac_input().unwrap(), code))
        });
        assert_ne!(is_right, Some(false), "the answer's message code is wrong");
    }

    fn decide(&mut self, commands: Vec<(ShardNo, Command)>) {
        for (shard, command) in commands {
            self.desk.handle(shard, command, self.now.at, (Guard::Free, 0));
        }
        self.commit();
    }

    /// Makes durable what was decided, takes it into the facts, and tells the session.
    fn commit(&mut self) {
        self.journal.sync().unwrap();
        for outcome in std::mem::take(&mut *self.outcomes.lock().unwrap()) {
            let others = self.desk.on_outcome(outcome);
            assert!(others.is_empty(), "nobody else writes");
        }
        while let Some(answered) = self.desk.next_answer() {
            if let Some(event) = &answered.event {
                self.facts.absorb(event);
                for posting in event.postings() {
                    let sum = self.ledger.entry(posting.account).or_default();
                    *sum = sum.plus(posting.amount);
                }
            }
            let (guard, token) = answered.waiter;
            drop(guard);
            self.session.on_answer(self.now, token, &answered.answer.unwrap());
        }
    }

    /// Returns everything that a request can change: every shard, and the batches of every
    /// terminal.
    pub(crate) fn state(&self) -> Vec<u8> {
        let mut state = Vec::new();
        for shard in self.desk.shards() {
            state.extend(postcard::to_stdvec(shard).unwrap());
        }
        state.extend(postcard::to_stdvec(&self.batches()).unwrap());
        state
    }

    /// Returns what accounts hold and terminals have sold.
    pub(crate) fn money(&self) -> Money {
        let accounts = self.desk.shards().flat_map(Shard::accounts);
        let balances = accounts.map(|(card, account)| (card, account.balances.clone())).collect();
        Money { balances, batches: self.batches() }
    }

    /// Returns the batches of every terminal.
    pub(crate) fn batches(&self) -> Vec<(TerminalId, Batches)> {
        let ids = self.programme.terminals.iter().map(|setup| setup.id);
        ids.map(|id| (id, self.facts.terminals.get(id).unwrap().batches())).collect()
    }

    /// Returns what the cards own together, in fen.
    pub(crate) fn fen(&self) -> i64 {
        let accounts = self.desk.shards().flat_map(Shard::accounts);
        accounts.map(|(_, account)| account.balances.ledger().money().fen()).sum()
    }
}

fn facts(programme: &Programme, hsm: Arc<dyn Hsm>) -> Facts {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    Facts {
        has_room: std::sync::atomic::AtomicBool::new(true),
        terminals: Terminals::default(),
        merchants: programme.merchants.iter().map(|m| (m.id, m.traits())).collect(),
        cards: Cards::default(),
        routes: programme.routes.clone(),
        hsm,
        calendar: Calendar::new(zone, civil::time(23, 0, 0, 0)),
        dialect: Dialect::unionpay_pos(),
        acquirer: "48020000".into(),
        issuer: "03010000".into(),
        rules: TerminalRules {
            mac_errors_max: 3,
            answer_micros_max: 2 * WAIT_MAX,
            decide_micros_max: 2 * WAIT_MAX,
            wait_micros_max: WAIT_MAX,
            clock_drift_max: Some(std::time::Duration::from_secs(24 * 3600)),
            unsigned_per_minute: 20,
            uploads_per_minute: 3_000,
        },
        telemetry: Telemetry::new(0),
        care: CareBook::default(),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// What a switch says about itself: counters, and lines of the log.
pub(crate) struct Ear {
    recorder: PrometheusRecorder,
    log: Log,
}

/// Takes in lines of a log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns what was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Ear {
    pub(crate) fn new() -> Self {
        Self { recorder: PrometheusBuilder::new().build_recorder(), log: Log::default() }
    }

    /// Runs `what` and listens.
    pub(crate) fn listen<T>(&self, what: impl FnOnce() -> T) -> T {
        let log = self.log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        metrics::with_local_recorder(&self.recorder, || {
            tracing::subscriber::with_default(subscriber, what)
        })
    }

    /// Returns all that was said, a line each: counters as `name{labels} value`, then the log.
    pub(crate) fn said(&self) -> String {
        self.recorder.handle().render() + &self.log.text()
    }
}
