//! A cashier at a terminal: what is done, what is seen, and what must not be seen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use loadtest::audit::Key;
use loadtest::kit::TestCard;
use loadtest::terminal::{Reason, Reconciled, SignOn, SlipKind, SlipState};
use loadtest::{
    Code, Exchange, Fen, Pin, Presented, Reply, Station, StationError, Terminal, TerminalError,
    TerminalSetup,
};

use crate::dice::Dice;
use crate::shop::Shop;

/// How long a terminal waits for an answer, unless a test says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What is sold in fen: so little that a full card lasts for a hundred thousand sales.
const SMALL: RangeInclusive<u64> = 1..=9;
/// What empties a card with little on it.
const LARGE: RangeInclusive<u64> = 50..=300;

const APPROVED: &str = "00";
const LOST_CARD: &str = "41";
const INSUFFICIENT: &str = "51";
const WRONG_PIN: &str = "55";
const TRIES_EXCEEDED: &str = "75";
const NOT_FOUND: &str = "25";
const SETTLED: &str = "12";
const BATCH_DIFFERS: &str = "77";
const MAC_WRONG: &str = "A0";

/// What a sale or void was answered, and with which card it was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    pub code: Option<Code>,
    pub rrn: Option<String>,
    pub auth: Option<String>,
    pub card: String,
}

/// What an inquiry was answered.
#[derive(Clone, Debug)]
pub struct Inquiry {
    pub key: Key,
    pub rrn: String,
    pub balance_fen: i64,
    pub card: String,
}

/// Whether the terminal can go on at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// It can.
    Go,
    /// Nobody answers: try again in a moment.
    Wait,
}

/// What was tried while the disk of the node was full.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithoutRoom {
    /// Reversals that were taken.
    pub reversals: u64,
    /// Sales that were not.
    pub debits: u64,
}

/// A terminal and all that it saw.
pub struct Client {
    pub station: Station,
    /// The answers to sales and voids.
    pub receipts: BTreeMap<Key, Receipt>,
    /// The answers to inquiries.
    pub inquiries: Vec<Inquiry>,
    /// How many guesses at the PIN of a card were answered "wrong".
    pub guesses: BTreeMap<String, u32>,
    /// How often each code came.
    pub codes: BTreeMap<Code, u64>,
    /// Requests that got no answer.
    pub unanswered: u64,
    /// Reversals that were confirmed.
    pub reversed: u64,
    /// The longest that an answer took.
    pub slowest: Duration,
    /// What must not have happened.
    pub faults: Vec<String>,
    dice: Dice,
    /// The last request, if it was a sale or void that was answered.
    repeatable: Option<Key>,
    /// The node may have given the terminal keys that it did not get.
    keys_in_doubt: bool,
    /// The node may have closed the batch and the terminal does not know.
    batch_in_doubt: bool,
    must_sign_on: bool,
    must_settle: bool,
}

impl Client {
    pub fn new(setup: &TerminalSetup, address: SocketAddr, seed: u64, timeout: Duration) -> Self {
        Self {
            station: Station::new(Terminal::new(setup), address, timeout),
            receipts: BTreeMap::new(),
            inquiries: Vec::new(),
            guesses: BTreeMap::new(),
            codes: BTreeMap::new(),
            unanswered: 0,
            reversed: 0,
            slowest: Duration::ZERO,
            faults: Vec::new(),
            dice: Dice::new(seed),
            repeatable: None,
            keys_in_doubt: false,
            batch_in_doubt: false,
            must_sign_on: false,
            must_settle: false,
        }
    }

    /// Switches the terminal off and on. It keeps what terminals keep.
    pub fn power_cycle(&mut self) {
        let setup = self.station.terminal.setup().clone();
        self.station.hang_up();
        let resumed = Terminal::resume(&setup, self.station.terminal.state());
        self.station.terminal = resumed.unwrap();
        self.repeatable = None;
    }

    /// Makes one request, or what must come before it. `life` counts the kills.
    pub fn step(&mut self, shop: &Shop, life: usize) -> Next {
        match self.make_ready() {
            Some(true) => {}
            Some(false) => return Next::Go,
            None => return Next::Wait,
        }
        let done = match self.dice.within(0..=999) {
            0..700 => {
                let card = self.rich(shop);
                self.sell(card, SMALL, &[APPROVED])
            }
            700..760 => self.void(),
            760..790 => self.undo(),
            790..860 => self.inquire(shop),
            860..900 => self.lose_answer(shop),
            900..940 => self.repeat(),
            940..960 => self.guess(shop, life),
            960..970 => {
                let card = self.dice.pick(shop.poor());
                self.sell(card, LARGE, &[APPROVED, INSUFFICIENT])
            }
            970..975 => {
                let card = self.dice.pick(shop.lost());
                self.sell(card, SMALL, &[LOST_CARD])
            }
            975..985 => self.sign_on(),
            985..990 => self.settle(),
            _ => self.ask("an echo", Terminal::echo, &[APPROVED]).map(drop),
        };
        if done.is_some() { Next::Go } else { Next::Wait }
    }

    /// Sends what is owed and settles. True once there is nothing left to do.
    pub fn close(&mut self) -> bool {
        if self.make_ready() != Some(true) {
            return false;
        }
        self.settle();
        !self.must_settle
    }

    /// Sells and undoes while the node has no room: reversals are taken, sales are not answered.
    pub fn work_without_room(&mut self, shop: &Shop) -> WithoutRoom {
        let before = self.reversed;
        self.must_make_ready();
        if self.pick_sale().is_some() && self.undo().is_none() {
            self.fault("a reversal without room was not answered".to_owned());
        }
        let card = self.rich(shop);
        let debits = u64::from(self.sell(card, SMALL, &[]).is_none());
        // What it owes for that sale.
        self.must_make_ready();
        WithoutRoom { reversals: self.reversed - before, debits }
    }

    fn must_make_ready(&mut self) {
        // A reversal may have to wait for keys, and keys for a reversal.
        if !(0..4).any(|_| self.make_ready() == Some(true)) {
            self.fault("nothing is taken without room, not even a reversal".to_owned());
        }
    }

    /// Tries a sale, and returns whether it was answered.
    pub fn sells_again(&mut self, shop: &Shop) -> bool {
        let card = self.rich(shop);
        self.make_ready() == Some(true) && self.sell(card, SMALL, &[APPROVED]).is_some()
    }

    /// Does what comes before anything else. False if it did something, nothing if nobody answers.
    fn make_ready(&mut self) -> Option<bool> {
        let terminal = &self.station.terminal;
        if !terminal.is_signed_on() || terminal.wants_sign_on() || self.must_sign_on {
            return self.sign_on().map(|()| false);
        }
        if terminal.owed().is_some() {
            let expected = [APPROVED, NOT_FOUND, SETTLED];
            let reply = self.ask("a reversal", Terminal::reversal, &expected)?;
            // A settlement that was never answered has closed the batch: what is in it stands.
            self.batch_in_doubt |= reply.code == Some(Code(*b"12"));
            self.reversed += u64::from(reply.code.is_some_and(Code::ends_reversal));
            return Some(false);
        }
        // A settlement has three digits for the number of sales.
        if self.must_settle || terminal.totals().debit_count > 800 {
            return self.settle().map(|()| false);
        }
        Some(true)
    }

    fn sign_on(&mut self) -> Option<()> {
        let terminal = &self.station.terminal;
        let (batch, ask) = (terminal.batch(), SignOn::for_layout(terminal.setup().layout));
        self.keys_in_doubt = true;
        // Unanswered, one cashier tries again, another goes on with the keys that are there.
        self.must_sign_on = self.must_sign_on || self.dice.in_thousand(500);
        let reply = self.ask("a sign-on", |terminal| terminal.sign_on(ask), &[APPROVED])?;
        if reply.is_success() {
            (self.keys_in_doubt, self.must_sign_on) = (false, false);
            let now = self.station.terminal.batch();
            if now != batch && !self.batch_in_doubt {
                self.fault(format!("a sign-on moved batch {batch} to {now}"));
            }
            self.batch_in_doubt = false;
        }
        Some(())
    }

    fn sell(&mut self, card: &TestCard, fen: RangeInclusive<u64>, expected: &[&str]) -> Option<()> {
        let amount = Fen(self.dice.within(fen));
        let presented = Presented::swiped(card);
        self.ask_money("a sale", card, |terminal| terminal.sale(&presented, amount), expected)
    }

    fn void(&mut self) -> Option<()> {
        let Some((stan, card)) = self.pick_sale() else { return Some(()) };
        let void = |terminal: &mut Terminal| terminal.void(stan, None);
        self.ask_money_of("a void", card, void, &[APPROVED])
    }

    /// The printer jams: what was approved is reversed.
    fn undo(&mut self) -> Option<()> {
        let Some((stan, _card)) = self.pick_sale() else { return Some(()) };
        let reverse = |terminal: &mut Terminal| terminal.reverse(stan, Reason::Trouble);
        // As above: what a settlement without an answer has closed, stands.
        let reply = self.ask("a reversal of trouble", reverse, &[APPROVED, SETTLED])?;
        self.batch_in_doubt |= reply.code == Some(Code(*b"12"));
        self.reversed += u64::from(reply.code.is_some_and(Code::ends_reversal));
        Some(())
    }

    fn inquire(&mut self, shop: &Shop) -> Option<()> {
        let card = self.rich(shop);
        let presented = Presented::swiped(card);
        let reply = self.ask("an inquiry", |terminal| terminal.balance(&presented), &[APPROVED])?;
        if let (Some(stan), Some(rrn), Some(balance_fen)) =
            (reply.stan, reply.rrn, reply.balance_fen)
        {
            let terminal = &self.station.terminal;
            let key = Key { terminal: terminal.setup().id, batch: terminal.batch(), stan };
            let card = card.pan.digits().to_owned();
            self.inquiries.push(Inquiry { key, rrn, balance_fen, card });
        } else if reply.code == Some(Code::APPROVED) {
            self.fault("an inquiry was approved without a balance".to_owned());
        }
        Some(())
    }

    /// The line breaks when the answer is there. The terminal reverses; half of them ask first
    /// what the answer was.
    fn lose_answer(&mut self, shop: &Shop) -> Option<()> {
        let card = self.rich(shop);
        let amount = Fen(self.dice.within(SMALL));
        let presented = Presented::swiped(card);
        self.repeatable = None;
        match self.station.lose(|terminal| terminal.sale(&presented, amount)) {
            Ok(_sent) => {}
            Err(StationError::NoAnswer { .. }) => {
                self.unanswered += 1;
                return None;
            }
            Err(StationError::Unreachable(_)) => return None,
            Err(StationError::Terminal(error)) => {
                self.fault(format!("a sale whose answer is lost: {error}"));
                return None;
            }
        }
        if self.dice.in_thousand(500) {
            return self.ask_money("a repeat", card, Terminal::again, &[APPROVED]);
        }
        Some(())
    }

    /// The last sale or void once more, to the last byte: it is answered like the first time, be
    /// it by a node that was killed in between.
    fn repeat(&mut self) -> Option<()> {
        let Some(key) = self.repeatable.take() else { return Some(()) };
        let reply = self.ask("a repeat", Terminal::again, &[APPROVED, INSUFFICIENT, LOST_CARD])?;
        let first = &self.receipts[&key];
        if (reply.code, &reply.rrn, &reply.auth_code) != (first.code, &first.rrn, &first.auth) {
            self.fault(format!("{key} was answered {first:?}, and repeated {reply:?}"));
        }
        self.repeatable = Some(key);
        Some(())
    }

    /// Somebody who does not know the PIN tries one.
    fn guess(&mut self, shop: &Shop, life: usize) -> Option<()> {
        let victims = shop.victims((life + self.dice.pick(&[0, 1])).saturating_sub(1));
        let card = self.dice.pick(victims);
        let right: u32 = card.pin.as_ref().unwrap().digits().parse().unwrap();
        let wrong: Pin = format!("{:06}", (right + 1) % 1_000_000).parse().unwrap();
        let presented = Presented { pin: Some(&wrong), ..Presented::swiped(card) };
        let expected = [WRONG_PIN, TRIES_EXCEEDED];
        let sale = |terminal: &mut Terminal| terminal.sale(&presented, Fen(100));
        let reply = self.ask("a guess", sale, &expected)?;
        if reply.code.is_some_and(|code| code.as_str() == WRONG_PIN) {
            *self.guesses.entry(card.pan.digits().to_owned()).or_default() += 1;
        }
        Some(())
    }

    fn settle(&mut self) -> Option<()> {
        self.repeatable = None;
        let settled = self.station.settle();
        self.batch_in_doubt = true;
        // Unanswered, one cashier settles again, another goes on selling.
        self.must_settle = self.dice.in_thousand(500);
        let settlement = self.answered("a settlement", settled)?;
        if settlement.reconciled != Some(Reconciled::Balanced) {
            let totals = self.station.terminal.totals();
            self.fault(format!("{totals:?} were settled: {:?}", settlement.reconciled));
        }
        if settlement.exchanges.last().is_none_or(|end| end.reply.code != Some(Code::APPROVED)) {
            self.fault("the end of a settlement was refused".to_owned());
        }
        (self.batch_in_doubt, self.must_settle) = (false, false);
        Some(())
    }

    fn rich<'s>(&mut self, shop: &'s Shop) -> &'s TestCard {
        // A few cards are in many hands.
        let cards = if self.dice.in_thousand(300) { &shop.rich()[..4] } else { shop.rich() };
        self.dice.pick(cards)
    }

    /// A sale of the open batch that stands.
    fn pick_sale(&mut self) -> Option<(loadtest::Stan, String)> {
        let stands = |slip: &&loadtest::terminal::Slip| {
            slip.kind == SlipKind::Sale && slip.state == SlipState::Approved
        };
        let sales: Vec<_> = self.station.terminal.slips().filter(stands).collect();
        if sales.is_empty() {
            return None;
        }
        let imprint = &self.dice.pick(&sales).imprint;
        Some((imprint.stan, imprint.card.digits().to_owned()))
    }

    fn ask_money(
        &mut self,
        what: &str,
        card: &TestCard,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
        expected: &[&str],
    ) -> Option<()> {
        self.ask_money_of(what, card.pan.digits().to_owned(), request, expected)
    }

    fn ask_money_of(
        &mut self,
        what: &str,
        card: String,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
        expected: &[&str],
    ) -> Option<()> {
        let Reply { stan, code, rrn, auth_code: auth, .. } = self.ask(what, request, expected)?;
        let terminal = &self.station.terminal;
        let key =
            stan.map(|stan| Key { terminal: terminal.setup().id, batch: terminal.batch(), stan });
        let was_decided = code.is_some_and(|code| expected.contains(&code.as_str()));
        self.repeatable = key.filter(|_| was_decided);
        if let Some(key) = key {
            self.receipts.insert(key, Receipt { code, rrn, auth, card });
        }
        Some(())
    }

    fn ask(
        &mut self,
        what: &str,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
        expected: &[&str],
    ) -> Option<Reply> {
        self.repeatable = None;
        let begun = Instant::now();
        let asked = self.station.ask(request);
        let Exchange { reply, .. } = self.answered(what, asked)?;
        self.slowest = self.slowest.max(begun.elapsed());
        let Some(code) = reply.code else {
            self.fault(format!("{what} was answered without a code"));
            return Some(reply);
        };
        *self.codes.entry(code).or_default() += 1;
        match code.as_str() {
            MAC_WRONG if self.keys_in_doubt => self.must_sign_on = true,
            BATCH_DIFFERS if self.batch_in_doubt => self.must_sign_on = true,
            other if expected.contains(&other) => {}
            other => self.fault(format!("{what} was answered {other}, {}", code.meaning().en)),
        }
        Some(reply)
    }

    fn answered<T>(&mut self, what: &str, asked: Result<T, StationError>) -> Option<T> {
        match asked {
            Ok(answer) => Some(answer),
            Err(StationError::NoAnswer { .. }) => {
                self.unanswered += 1;
                None
            }
            Err(StationError::Unreachable(_)) => None,
            Err(StationError::Terminal(error)) => {
                self.fault(format!("{what}: {error}"));
                None
            }
        }
    }

    fn fault(&mut self, what: String) {
        self.faults.push(format!("terminal {}: {what}", self.station.terminal.setup().id));
    }
}
