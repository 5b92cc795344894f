//! A terminal of a fleet, that asks what its script says.

use std::sync::Arc;

use super::script::{Line, Script};
use crate::audit::{Reversal, Slip, Told};
use crate::fen::Fen;
use crate::ids::{Stan, TerminalId};
use crate::kit::TestCard;
use crate::load::{Answer, Till};
use crate::scenario::{Act, Reading};
use crate::terminal::{
    Chip, Entry, Presented, Reply, SignOn, SlipKind, Stencil, Terminal, TerminalError,
};

/// What each transaction is about.
pub const AMOUNT: Fen = Fen(1);

/// Of so many answers of a terminal, the message code of one is verified.
const VERIFY_EVERY: u64 = 64;

/// Refusals after which a terminal stops sending a reversal.
const REFUSALS_MAX: u8 = 3;

/// A terminal with its cards, its script and its slips.
pub(super) struct Player {
    pub(super) terminal: Terminal,
    reading: Reading,
    /// Its cards; the first pays.
    pub(super) cards: Vec<TestCard>,
    /// Cards that were activated, or are in the script to be.
    pub(super) activated: usize,
    pub(super) script: Arc<Script>,
    at: usize,
    under_way: Option<UnderWay>,
    /// The slip whose outcome nobody saw, and how often its reversal was refused. It is reversed
    /// before anything else.
    owed: Option<(usize, u8)>,
    pub(super) slips: Vec<Slip>,
    /// The slips before this one are of another card.
    card_since: usize,
    pub(super) seen: Seen,
}

/// What a terminal has seen beside its slips.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    answers: u64,
    /// Answers whose message code was verified, and those among them whose code was wrong.
    pub(super) verified: u64,
    pub(super) wrong: u64,
    /// Sign-ons sent, and those that brought keys.
    pub(super) sign_ons: u64,
    pub(super) signed_on: u64,
    /// What the last inquiry said that the card may spend.
    pub(super) balance_fen: Option<i64>,
    /// The last request, and the first answer that said success, each with its length.
    pub(super) request: Vec<u8>,
    pub(super) reply: Vec<u8>,
}

/// The request under way.
#[derive(Clone, Copy)]
enum UnderWay {
    Slip(usize),
    Reversal(usize),
    Inquiry,
    SignOn,
}

impl Player {
    pub(super) fn new(terminal: Terminal, cards: Vec<TestCard>, reading: Reading) -> Self {
        Self {
            terminal,
            reading,
            cards,
            activated: 0,
            script: Arc::default(),
            at: 0,
            under_way: None,
            owed: None,
            slips: Vec::new(),
            card_since: 0,
            seen: Seen::default(),
        }
    }

    /// Puts the card away: what follows is of another one.
    pub(super) fn put_card_away(&mut self) {
        self.card_since = self.slips.len();
        self.seen.balance_fen = None;
    }

    /// The slips of the card that is used.
    pub(super) fn slips_of_card(&self) -> &[Slip] {
        self.slips.get(self.card_since..).unwrap_or_default()
    }

    /// Takes another script, from its beginning.
    pub(super) fn play(&mut self, script: Script) {
        self.script = Arc::new(script);
        self.at = 0;
    }

    /// All of a request with this card but its trace number.
    pub(super) fn stencil(&self, act: Act, card: usize) -> Result<Stencil, TerminalError> {
        let card = self.cards.get(card).ok_or(TerminalError::NothingOwed)?;
        let entry = match self.reading {
            Reading::Stripe => Entry::Stripe,
            Reading::Chip => Entry::Chip(Chip::simulated(7, 7, [0x26, 0x01, 0x01])),
        };
        let presented = Presented { entry, ..Presented::swiped(card) };
        match act {
            Act::Balance => self.terminal.balance_stencil(&presented),
            Act::PreAuth => self.terminal.stencil(SlipKind::PreAuth, &presented, AMOUNT),
            Act::Activation => {
                let presented = Presented { pin: None, ..presented };
                self.terminal.stencil(SlipKind::Activation, &presented, Fen(0))
            }
            Act::Sale | Act::Void | Act::Reversal | Act::SignOn => {
                self.terminal.stencil(SlipKind::Sale, &presented, AMOUNT)
            }
        }
    }

    fn file(&mut self, stan: Stan, kind: SlipKind, amount: Fen) {
        self.under_way = Some(UnderWay::Slip(self.slips.len()));
        self.slips.push(Slip {
            stan,
            kind,
            amount,
            told: Told::Nothing,
            rrn: None,
            reversal: Reversal::Unknown,
        });
    }

    /// Asks what one line of the script says; `None` if it cannot be asked as things are.
    fn ask_line(&mut self, script: &Script, line: Line, out: &mut Vec<u8>) -> Option<Stan> {
        match line.act {
            Act::SignOn => {
                let ask = SignOn::for_layout(self.terminal.setup().layout);
                let stan = self.terminal.stan();
                out.extend_from_slice(&self.terminal.sign_on(ask).ok()?);
                self.seen.sign_ons = self.seen.sign_ons.saturating_add(1);
                self.under_way = Some(UnderWay::SignOn);
                return Some(stan);
            }
            Act::Void => return self.ask_void(out),
            Act::Sale => self.file(line.stan, SlipKind::Sale, AMOUNT),
            Act::PreAuth => self.file(line.stan, SlipKind::PreAuth, AMOUNT),
            Act::Activation => self.file(line.stan, SlipKind::Activation, Fen(0)),
            Act::Balance => self.under_way = Some(UnderWay::Inquiry),
            Act::Reversal => {
                let at = self.slips.iter().rposition(|slip| slip.stan == line.stan)?;
                self.begin_reversal(at);
            }
        }
        out.extend_from_slice(script.frame(line)?);
        Some(line.stan)
    }

    /// Voids the last slip, if it is a sale that stands.
    fn ask_void(&mut self, out: &mut Vec<u8>) -> Option<Stan> {
        let void = self.void_of(self.slips.len().checked_sub(1)?)?;
        let stan = self.terminal.stamp(out, &void).ok()?;
        self.file(stan, SlipKind::Void, AMOUNT);
        Some(stan)
    }

    /// The void of this slip, if it is a sale that stands.
    fn void_of(&self, at: usize) -> Option<Stencil> {
        let sale = self.slips.get(at)?;
        let stands = sale.told == Told::Approved && sale.reversal == Reversal::None;
        if sale.kind != SlipKind::Sale || !stands {
            return None;
        }
        let stencil = self.stencil(Act::Sale, 0).ok()?;
        let rrn = sale.rrn?;
        self.terminal.void_stencil(&stencil, sale.stan, str::from_utf8(&rrn).ok()?).ok()
    }

    fn begin_reversal(&mut self, at: usize) {
        if let Some(slip) = self.slips.get_mut(at) {
            slip.reversal = Reversal::Unknown;
        }
        self.under_way = Some(UnderWay::Reversal(at));
    }

    /// Reverses what nobody saw the outcome of. That of an activation stays unknown.
    fn ask_owed(&mut self, at: usize, out: &mut Vec<u8>) -> Option<Stan> {
        let slip = *self.slips.get(at)?;
        let stencil = if slip.kind == SlipKind::Void {
            // A void follows its sale at once.
            self.void_of(at.checked_sub(1)?)?
        } else if slip.kind == SlipKind::Activation {
            return None;
        } else {
            let act = if slip.kind == SlipKind::PreAuth { Act::PreAuth } else { Act::Sale };
            self.stencil(act, 0).ok()?
        };
        self.terminal.stamp_reversal(out, &stencil, slip.stan).ok()?;
        self.begin_reversal(at);
        Some(slip.stan)
    }

    fn note_slip(&mut self, at: usize, answer: &Answer<'_>) {
        let Some(slip) = self.slips.get_mut(at) else { return };
        slip.reversal = Reversal::None;
        slip.told = if answer.code.is_success() { Told::Approved } else { Told::Refused };
        slip.rrn = answer.rrn().filter(|_| answer.code.is_success());
    }

    fn note_reversal(&mut self, at: usize, answer: &Answer<'_>) {
        if !answer.code.ends_reversal() {
            let refused = self.owed.map_or(0, |(_, refused)| refused).saturating_add(1);
            self.owed = Some((at, refused)).filter(|_| refused < REFUSALS_MAX);
            return;
        }
        self.owed = None;
        if let Some(slip) = self.slips.get_mut(at) {
            slip.reversal = Reversal::Confirmed;
        }
    }

    /// Verifies the message code of some answers, and keeps the first success.
    fn look_at(&mut self, answer: &Answer<'_>) {
        let seen = &mut self.seen;
        if seen.answers.is_multiple_of(VERIFY_EVERY) {
            seen.verified = seen.verified.saturating_add(1);
            if !self.terminal.trusts(answer.frame) {
                seen.wrong = seen.wrong.saturating_add(1);
            }
        }
        seen.answers = seen.answers.saturating_add(1);
    }

    fn keep_reply(&mut self, answer: &Answer<'_>) {
        if self.seen.reply.is_empty() && answer.code.is_success() {
            let length = u16::try_from(answer.frame.len()).unwrap_or(u16::MAX);
            self.seen.reply = [&length.to_be_bytes()[..], answer.frame].concat();
        }
    }
}

impl Till for Player {
    fn terminal(&self) -> TerminalId {
        self.terminal.setup().id
    }

    fn ask(&mut self, out: &mut Vec<u8>) -> Option<Stan> {
        let start = out.len();
        let owed = self.owed.and_then(|(at, _)| self.ask_owed(at, out));
        let stan = owed.or_else(|| {
            let script = Arc::clone(&self.script);
            loop {
                let line = *script.lines.get(self.at)?;
                self.at = self.at.saturating_add(1);
                if let Some(stan) = self.ask_line(&script, line, out) {
                    return Some(stan);
                }
            }
        });
        if self.seen.request.is_empty() {
            self.seen.request = out.get(start..).unwrap_or_default().to_vec();
        }
        stan
    }

    fn hear(&mut self, answer: &Answer<'_>) {
        match self.under_way.take() {
            Some(UnderWay::Slip(at)) => {
                self.note_slip(at, answer);
                self.look_at(answer);
            }
            Some(UnderWay::Reversal(at)) => {
                self.note_reversal(at, answer);
                self.look_at(answer);
            }
            Some(UnderWay::Inquiry) => {
                self.look_at(answer);
                let reply = Reply::read(answer.frame).ok();
                self.seen.balance_fen = reply.and_then(|reply| reply.balance_fen);
            }
            Some(UnderWay::SignOn) => {
                let reply = self.terminal.on_frame(answer.frame);
                let has_keys = reply.is_ok_and(|reply| reply.is_success());
                let signed_on = &mut self.seen.signed_on;
                *signed_on = signed_on.saturating_add(u64::from(has_keys));
            }
            None => {}
        }
        self.keep_reply(answer);
    }

    fn miss(&mut self) {
        match self.under_way.take() {
            Some(UnderWay::Slip(at) | UnderWay::Reversal(at)) => self.owed = Some((at, 0)),
            Some(UnderWay::SignOn) => self.terminal.on_timeout(),
            Some(UnderWay::Inquiry) | None => {}
        }
    }
}
