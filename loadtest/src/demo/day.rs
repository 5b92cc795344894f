//! The day as it is played: one step after another, each judged.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use codec::{Dialect, Envelope, Message};

use super::cast::Cast;
use super::{DemoError, Report, Row, TIMEOUT};
use crate::code::Code;
use crate::ids::{CardNumber, TerminalId};
use crate::kit::{TerminalSetup, TestCard};
use crate::station::{Station, StationError};
use crate::terminal::{Presented, Reconciled, Reply, SignOn, Terminal, TerminalError};

/// What is expected of a step.
#[derive(Clone, Copy)]
pub(super) enum Expect {
    /// This response code.
    Code(&'static [u8; 2]),
    /// This response code, and a header that asks for a sign-on.
    CodeAndSignOn(&'static [u8; 2]),
    /// A settlement whose totals agree, or do not.
    Reconciled(Reconciled),
}

/// A step: what happens, in both languages, and what should come of it.
#[derive(Clone, Copy)]
pub(super) struct Step<'c> {
    what: &'static str,
    what_zh: &'static str,
    expect: Expect,
    /// The card whose balance is looked at, and by how much the step should change it, in fen.
    card: Option<(&'c TestCard, i64)>,
}

impl<'c> Step<'c> {
    pub(super) const fn new(
        what: &'static str,
        what_zh: &'static str,
        code: &'static [u8; 2],
    ) -> Self {
        Self::expecting(what, what_zh, Expect::Code(code))
    }

    pub(super) const fn expecting(
        what: &'static str,
        what_zh: &'static str,
        expect: Expect,
    ) -> Self {
        Self { what, what_zh, expect, card: None }
    }

    /// The balance of `card` should change by `fen`.
    pub(super) const fn moving(self, card: &'c TestCard, fen: i64) -> Self {
        Self { card: Some((card, fen)), ..self }
    }

    /// The step could not be played.
    pub(super) const fn failed(&self, error: StationError) -> DemoError {
        DemoError::Step { what: self.what, error }
    }
}

/// Where a step is played; `None` if the kit has no such terminal, and the step is then left out.
pub(super) type Place = fn(&mut Day) -> Option<&mut Station>;

pub(super) const COUNTER: Place = |day| Some(&mut day.counter);
pub(super) const KIOSK: Place = |day| Some(&mut day.kiosk);
pub(super) const MOBILE: Place = |day| Some(&mut day.mobile);
pub(super) const STRANGER: Place = |day| Some(&mut day.stranger);
pub(super) const SINGLE: Place = |day| day.single.as_mut();
pub(super) const DOUBLE: Place = |day| day.double.as_mut();
pub(super) const NATIONAL: Place = |day| day.national.as_mut();

/// The stations of the day, and what has happened.
pub(super) struct Day {
    pub(super) counter: Station,
    pub(super) kiosk: Station,
    pub(super) mobile: Station,
    single: Option<Station>,
    double: Option<Station>,
    national: Option<Station>,
    stranger: Station,
    clerk: Station,
    rows: Vec<Row>,
    /// What each card should have, in fen, as far as it was looked at.
    balances: BTreeMap<CardNumber, i64>,
}

impl Day {
    /// Opens the shop: the clerk signs on.
    pub(super) fn begin(address: SocketAddr, cast: &Cast<'_>) -> Result<Self, DemoError> {
        let station = |setup: &TerminalSetup| Station::new(Terminal::new(setup), address, TIMEOUT);
        let mut day = Self {
            counter: station(cast.counter),
            kiosk: station(cast.kiosk),
            mobile: station(cast.mobile),
            single: cast.single.map(station),
            double: cast.double.map(station),
            national: cast.national.map(station),
            stranger: station(&cast.stranger),
            clerk: station(cast.clerk),
            rows: Vec::new(),
            balances: BTreeMap::new(),
        };
        let what = "the clerk signs on";
        let ask = SignOn::for_layout(cast.clerk.layout);
        let ready = day.clerk.ask(|terminal| terminal.sign_on(ask));
        // A batch of its own, so that no inquiry is taken for one of an earlier day.
        let ready = ready.and_then(|_signed_on| day.clerk.settle());
        ready.map_err(|error| DemoError::Step { what, error })?;
        Ok(day)
    }

    /// Plays a step: one request and its answer.
    pub(super) fn play(
        &mut self,
        step: Step<'_>,
        place: Place,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
    ) -> Result<(), DemoError> {
        self.look_first(&step)?;
        let Some(station) = place(self) else { return Ok(()) };
        let id = station.terminal.setup().id;
        let exchange = station.ask(request).map_err(|error| step.failed(error))?;
        self.judge(step, id, &exchange.sent, Some(&exchange.reply), None)
    }

    /// Plays a step whose answer nobody reads.
    pub(super) fn play_lost(
        &mut self,
        step: Step<'_>,
        place: Place,
        request: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
    ) -> Result<(), DemoError> {
        self.look_first(&step)?;
        let Some(station) = place(self) else { return Ok(()) };
        let id = station.terminal.setup().id;
        let sent = station.lose(request).map_err(|error| step.failed(error))?;
        self.judge(step, id, &sent, None, None)
    }

    /// Notes a step that was played otherwise. `fault` says what else is wrong with it.
    pub(super) fn note(
        &mut self,
        step: Step<'_>,
        terminal: TerminalId,
        sent: &[u8],
        reply: &Reply,
        fault: Option<String>,
    ) -> Result<(), DemoError> {
        self.judge(step, terminal, sent, Some(reply), fault)
    }

    /// What a card may spend, asked by the clerk.
    pub(super) fn balance_of(
        &mut self,
        what: &'static str,
        card: &TestCard,
    ) -> Result<Option<i64>, DemoError> {
        let presented = Presented::swiped(card);
        let asked = self.clerk.ask(|terminal| terminal.balance(&presented));
        let exchange = asked.map_err(|error| DemoError::Step { what, error })?;
        Ok(exchange.reply.balance_fen)
    }

    /// The first of `cards` that may be asked for its balance.
    pub(super) fn first_with_balance<'c>(
        &mut self,
        what: &'static str,
        cards: &[&'c TestCard],
    ) -> Result<Option<&'c TestCard>, DemoError> {
        for card in cards {
            if self.balance_of(what, card)?.is_some() {
                return Ok(Some(card));
            }
        }
        Ok(None)
    }

    /// Ends the day: everything that was seen.
    pub(super) fn end(self) -> Report {
        let others = [self.single, self.double, self.national].into_iter().flatten();
        let stations = [self.counter, self.kiosk, self.mobile].into_iter().chain(others);
        let seen =
            stations.flat_map(|station| station.history().iter().cloned().collect::<Vec<_>>());
        Report { seen: seen.collect(), rows: self.rows }
    }

    /// Learns what a card has before a step first touches it.
    pub(super) fn look_first(&mut self, step: &Step<'_>) -> Result<(), DemoError> {
        if let Some((card, _)) = step.card
            && !self.balances.contains_key(&card.pan)
            && let Some(balance) = self.balance_of(step.what, card)?
        {
            self.balances.insert(card.pan.clone(), balance);
        }
        Ok(())
    }

    fn judge(
        &mut self,
        step: Step<'_>,
        terminal: TerminalId,
        sent: &[u8],
        reply: Option<&Reply>,
        fault: Option<String>,
    ) -> Result<(), DemoError> {
        let (balance_fen, expected_balance_fen) = match step.card {
            None => (None, None),
            Some((card, change)) => {
                let before = self.balances.get(&card.pan).copied();
                let expected = before.and_then(|before| before.checked_add(change));
                let balance = self.balance_of(step.what, card)?;
                if let Some(balance) = balance {
                    self.balances.insert(card.pan.clone(), balance);
                }
                (balance, expected)
            }
        };
        let (mti, processing) = names(sent);
        let came = Came::of(reply);
        let as_expected = reply.is_none_or(|reply| step.expect.is_met_by(reply));
        self.rows.push(Row {
            what: step.what,
            what_zh: step.what_zh,
            terminal,
            mti,
            processing,
            code: reply.and_then(|reply| reply.code),
            meaning: came.en,
            meaning_zh: came.zh,
            expected: if reply.is_some() { step.expect.to_string() } else { "-".to_owned() },
            ok: as_expected && balance_fen == expected_balance_fen && fault.is_none(),
            balance_fen,
            expected_balance_fen,
            fault,
        });
        Ok(())
    }
}

impl Expect {
    fn is_met_by(self, reply: &Reply) -> bool {
        match self {
            Self::Code(code) => reply.code == Some(Code(*code)),
            Self::CodeAndSignOn(code) => reply.code == Some(Code(*code)) && reply.requirement == 3,
            Self::Reconciled(reconciled) => reply.reconciled == Some(reconciled),
        }
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => Code(**code).fmt(f),
            Self::CodeAndSignOn(code) => write!(f, "{}+3", Code(**code)),
            Self::Reconciled(Reconciled::Balanced) => f.pad("="),
            Self::Reconciled(Reconciled::Unbalanced) => f.pad("!="),
            Self::Reconciled(Reconciled::Failed) => f.pad("?"),
        }
    }
}

/// What came, in words.
struct Came {
    en: String,
    zh: String,
}

impl Came {
    fn of(reply: Option<&Reply>) -> Self {
        let words = |en: &str, zh: &str| Self { en: en.to_owned(), zh: zh.to_owned() };
        let Some(reply) = reply else { return words("answer not read", "应答丢失") };
        match (reply.code, reply.reconciled) {
            (Some(code), _) => {
                let meaning = code.meaning();
                // That a terminal shall download something is no news of a transaction.
                match reply.requirement {
                    asked @ 3 => Self {
                        en: format!("{} (header {asked})", meaning.en),
                        zh: meaning.zh.to_owned(),
                    },
                    _ => words(meaning.en, meaning.zh),
                }
            }
            (None, Some(Reconciled::Balanced)) => words("totals agree", "对账平"),
            (None, Some(Reconciled::Unbalanced)) => words("totals differ", "对账不平"),
            (None, Some(Reconciled::Failed)) => words("totals not compared", "对账错"),
            (None, None) => words("no response code", "无应答码"),
        }
    }
}

/// Message type and processing code of a request, its length in front.
fn names(sent: &[u8]) -> (String, Option<String>) {
    let envelope = sent.get(2..).and_then(|frame| Envelope::parse(frame).ok());
    let message = envelope.and_then(|e| Message::parse(Dialect::unionpay_pos(), e.body).ok());
    message.map_or_else(Default::default, |message| {
        let processing = message.digits(3).map(|digits| digits.iter().map(char::from).collect());
        (message.mti().to_string(), processing)
    })
}
