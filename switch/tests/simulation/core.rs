//! The node under test, driven bare: facts, desks, sessions, and the writers of a journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use domain::books::Books;
use domain::shard::{Answer, Command};
use domain::terms::{ShardNo, Timestamp};
use jiff::civil;
use jiff::tz::TimeZone;
use keys::Hsm;
use routing::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, Table};
use store::Outcome;
use switch::account::Desk;
use switch::clock::{Calendar, Moment};
use switch::facts::{Cards, CareBook, Facts, Guard, TerminalRules, Terminals};
use switch::telemetry::Telemetry;
use switch::terminal::{Action, Session};

use super::journal::{Journal, Writer};
use super::network::LineId;
use super::plan::{Plan, WAIT_MAX};
use super::writer::{Mood, Moody};

/// Whoever wants an answer, and what is kept meanwhile.
pub struct Waiter {
    pub guard: Guard,
    /// The line, and the number it gave the question. Nobody, for the operator's commands.
    pub reply: Option<(LineId, u64)>,
}

/// A command on its way to a desk.
pub struct Mail {
    pub shard: ShardNo,
    pub command: Command,
    pub waiter: Waiter,
}

/// An answer on its way to a line: `None` if the question was never decided.
pub struct Decided {
    pub line: LineId,
    pub token: u64,
    pub answer: Option<Answer>,
}

type Inbox = Arc<Mutex<Vec<Outcome>>>;

/// One life of the node.
pub struct Core {
    pub facts: Arc<Facts>,
    desks: Vec<(Desk<Moody<Writer>, Waiter>, Inbox)>,
    sessions: BTreeMap<LineId, Session>,
}

impl Core {
    /// Starts a node with what its journal holds.
    pub fn start(
        plan: &Plan,
        journal: &Journal,
        mood: &Mood,
        books: Books,
        hsm: &Arc<dyn Hsm>,
    ) -> Self {
        let facts = Arc::new(facts(plan, hsm));
        facts.restore(&books);
        let mut hands: Vec<Vec<_>> = (0..plan.desks).map(|_| Vec::new()).collect();
        let (shards, _batches) = books.into_parts();
        for shard in shards {
            hands[shard.no().index() % plan.desks].push(shard);
        }
        let desks = hands.into_iter().map(|shards| {
            let inbox = Inbox::default();
            let outcomes = Arc::clone(&inbox);
            let inner = journal.writer(move |outcome| outcomes.lock().unwrap().push(outcome));
            let writer = Moody { inner, takes_nothing: Mood::clone(mood) };
            (Desk::new(shards, writer), inbox)
        });
        Self { facts, desks: desks.collect(), sessions: BTreeMap::new() }
    }

    pub fn desks(&self) -> impl Iterator<Item = &Desk<Moody<Writer>, Waiter>> {
        self.desks.iter().map(|(desk, _inbox)| desk)
    }

    pub fn desk_of(&self, shard: ShardNo) -> usize {
        shard.index() % self.desks.len()
    }

    /// True if the journal has told this desk something that it has not looked at.
    pub fn has_outcome(&self, desk: usize) -> bool {
        !self.desks[desk].1.lock().unwrap().is_empty()
    }

    /// A frame reaches the host, or has waited there since it did.
    pub fn on_frame(&mut self, line: LineId, now: Moment, arrived: u64, frame: &[u8]) {
        let session =
            self.sessions.entry(line).or_insert_with(|| Session::new(Arc::clone(&self.facts)));
        session.on_frame(now, arrived, frame);
    }

    pub fn on_wake(&mut self, line: LineId, now: Moment, token: u64) {
        if let Some(session) = self.sessions.get_mut(&line) {
            session.on_wake(now, token);
        }
    }

    pub fn on_decided(&mut self, now: Moment, decided: &Decided) {
        let Some(session) = self.sessions.get_mut(&decided.line) else { return };
        match &decided.answer {
            Some(answer) => session.on_answer(now, decided.token, answer),
            None => session.on_refused(now, decided.token),
        }
    }

    /// A question was not taken by any shard.
    pub fn shed(&mut self, line: LineId, now: Moment, token: u64) {
        self.on_decided(now, &Decided { line, token, answer: None });
    }

    pub fn next_action(&mut self, line: LineId) -> Option<Action> {
        self.sessions.get_mut(&line)?.next_action()
    }

    /// The node has looked whether its disk has room.
    pub fn note_room(&self, has_room: bool) {
        self.facts.has_room.store(has_room, std::sync::atomic::Ordering::Relaxed);
    }

    /// The host notices that a line is gone.
    pub fn close(&mut self, line: LineId) {
        self.sessions.remove(&line);
    }

    /// Returns how many requests no line has an answer for.
    pub fn in_flight(&self) -> usize {
        self.sessions.values().map(Session::in_flight).sum()
    }

    /// A command reaches its desk, which looks at what the journal has told it, too.
    pub fn on_mail(&mut self, desk: usize, at: Timestamp, mail: Mail) -> Vec<Decided> {
        let Mail { shard, command, waiter } = mail;
        self.desks[desk].0.handle(shard, command, at, waiter);
        self.answer(desk)
    }

    /// Lets a desk take in what the journal has told it, and give the answers that may be given:
    /// as the account actor does, the facts know first.
    pub fn answer(&mut self, desk: usize) -> Vec<Decided> {
        let (desk, inbox) = &mut self.desks[desk];
        let outcomes = std::mem::take(&mut *inbox.lock().unwrap());
        for outcome in outcomes {
            for event in desk.on_outcome(outcome) {
                self.facts.absorb(&event);
            }
        }
        let mut decided = Vec::new();
        while let Some(answered) = desk.next_answer() {
            if let Some(event) = &answered.event {
                self.facts.absorb(event);
            }
            let Waiter { guard, reply } = answered.waiter;
            drop(guard);
            if let Some((line, token)) = reply {
                decided.push(Decided { line, token, answer: answered.answer.ok() });
            }
        }
        decided
    }
}

fn facts(plan: &Plan, hsm: &Arc<dyn Hsm>) -> Facts {
    Facts {
        terminals: Terminals::default(),
        merchants: Default::default(),
        cards: Cards::default(),
        routes: routes(),
        hsm: Arc::clone(hsm),
        calendar: Calendar::new(TimeZone::fixed(jiff::tz::offset(8)), civil::time(23, 0, 0, 0)),
        dialect: codec::Dialect::unionpay_pos(),
        has_room: std::sync::atomic::AtomicBool::new(true),
        acquirer: "00010000".into(),
        issuer: "03010000".into(),
        rules: TerminalRules {
            mac_errors_max: plan.mac_errors_max,
            answer_micros_max: plan.answer_max,
            decide_micros_max: plan.answer_max,
            wait_micros_max: WAIT_MAX,
            clock_drift_max: None,
            unsigned_per_minute: 20,
            uploads_per_minute: 3_000,
        },
        telemetry: Telemetry::new(0),
        care: CareBook::default(),
    }
}

fn routes() -> Table {
    let code = IssuerCode::parse("03010000").unwrap();
    let own = Issuer { code, name: "own".to_owned(), kind: IssuerKind::Own, enabled: true };
    let bin = Bin { prefix: Prefix::parse("621214").unwrap(), pan_length: 19, issuer: code };
    Table::new(&[own], &[bin]).unwrap()
}
