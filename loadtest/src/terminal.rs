//! A virtual POS terminal without socket, clock or randomness.
//!
//! Each request method returns the frame to send, its length in front. What comes back goes to
//! [`Terminal::on_frame`]; if nothing does, [`Terminal::on_timeout`] is told. One request is under
//! way at a time, as on a real terminal.

mod answer;
mod ask;
mod chip;
mod error;
mod profile;
mod reply;
mod request;
mod settle;
mod slip;
mod state;

use std::collections::{BTreeMap, VecDeque};

use codec::{Dialect, Envelope, Message};
use keys::TerminalKeys;

pub use ask::{Entry, Original, Owed, Presented, Reason, SignOn};
pub use chip::Chip;
pub use error::TerminalError;
pub use profile::{PartialApproval, Profile, TrackLine};
pub use reply::{Reconciled, Reply, Unreadable};
pub use slip::{Digits, Imprint, Slip, SlipKind, SlipState, Totals};
pub use state::{State, StateError};

use request::{BALANCE, Content, Management, REFUND, Reference, SALE, Type, VOID, six};
use settle::Settling;

use crate::fen::Fen;
use crate::ids::{BatchNo, Stan};
use crate::kit::TerminalSetup;

/// Slips of closed batches that a terminal keeps, so that a refund can name them.
const ARCHIVE_MAX: usize = 500;

/// What the request under way is, and what its answer changes.
#[derive(Clone)]
enum Kind {
    SignOn(SignOn),
    SignOff,
    Echo,
    Balance,
    Money { kind: SlipKind, of: Option<Stan>, imprint: Box<Imprint> },
    Reversal,
    Settlement,
    Upload(usize),
    End,
}

/// The request under way.
#[derive(Clone)]
struct Awaiting {
    kind: Kind,
    mti: [u8; 4],
    stan: Option<Stan>,
    processing: Option<[u8; 6]>,
    amount: Option<Fen>,
    frame: Vec<u8>,
}

impl Awaiting {
    /// The reversal to send if no answer comes. A refund has none: its outcome is asked for by
    /// telephone.
    fn owed_on_silence(&self) -> Option<Owed> {
        let Kind::Money { kind: kind @ (SlipKind::Sale | SlipKind::Void), imprint, .. } =
            &self.kind
        else {
            return None;
        };
        let imprint = (**imprint).clone();
        Some(Owed { kind: *kind, imprint, reason: Reason::NoAnswer, auth: None, refused: 0 })
    }
}

/// Working keys, and the block they came in.
struct Held {
    keys: TerminalKeys,
    block: Vec<u8>,
}

/// A virtual POS terminal. Cannot be printed: it holds keys.
pub struct Terminal {
    setup: TerminalSetup,
    profile: Profile,
    keys: Option<Held>,
    stan: Stan,
    batch: BatchNo,
    /// Chip transactions made.
    chip_count: u32,
    slips: BTreeMap<Stan, Slip>,
    archive: VecDeque<Slip>,
    awaiting: Option<Awaiting>,
    last: Option<Awaiting>,
    owed: Option<Owed>,
    settling: Option<Settling>,
    wants_sign_on: bool,
}

impl Terminal {
    /// A terminal fresh from the key loader: no working keys, batch 1, trace number 1.
    #[must_use]
    pub fn new(setup: &TerminalSetup) -> Self {
        Self::with_profile(setup, Profile::of(setup))
    }

    /// The same of another make.
    #[must_use]
    pub fn with_profile(setup: &TerminalSetup, profile: Profile) -> Self {
        Self {
            setup: setup.clone(),
            profile,
            keys: None,
            stan: Stan::FIRST,
            batch: BatchNo::FIRST,
            chip_count: 0,
            slips: BTreeMap::new(),
            archive: VecDeque::new(),
            awaiting: None,
            last: None,
            owed: None,
            settling: None,
            wants_sign_on: false,
        }
    }

    /// How it is set up.
    #[must_use]
    pub const fn setup(&self) -> &TerminalSetup {
        &self.setup
    }

    /// How it differs from another make; may be changed between requests.
    pub const fn profile_mut(&mut self) -> &mut Profile {
        &mut self.profile
    }

    /// Lets the next request have this trace number.
    pub const fn set_stan(&mut self, stan: Stan) {
        self.stan = stan;
    }

    /// The trace number of the next request.
    #[must_use]
    pub const fn stan(&self) -> Stan {
        self.stan
    }

    /// The batch that takes slips.
    #[must_use]
    pub const fn batch(&self) -> BatchNo {
        self.batch
    }

    /// True if it has working keys.
    #[must_use]
    pub const fn is_signed_on(&self) -> bool {
        self.keys.is_some()
    }

    /// True if the host has asked for a sign-on since the last one.
    #[must_use]
    pub const fn wants_sign_on(&self) -> bool {
        self.wants_sign_on
    }

    /// The reversal that must be sent before anything else.
    #[must_use]
    pub const fn owed(&self) -> Option<&Owed> {
        self.owed.as_ref()
    }

    /// The sale, void or refund under way: what it is for, and what a reversal would repeat.
    #[must_use]
    pub fn under_way(&self) -> Option<(SlipKind, &Imprint)> {
        match &self.awaiting.as_ref()?.kind {
            Kind::Money { kind, imprint, .. } => Some((*kind, imprint)),
            Kind::SignOn(_)
            | Kind::SignOff
            | Kind::Echo
            | Kind::Balance
            | Kind::Reversal
            | Kind::Settlement
            | Kind::Upload(_)
            | Kind::End => None,
        }
    }

    /// The slips of the open batch, by trace number.
    pub fn slips(&self) -> impl Iterator<Item = &Slip> {
        self.slips.values()
    }

    /// The slip with this trace number: of the open batch, or else the latest of those closed.
    #[must_use]
    pub fn slip(&self, stan: Stan) -> Option<&Slip> {
        let closed = || self.archive.iter().rev().find(|slip| slip.imprint.stan == stan);
        self.slips.get(&stan).or_else(closed)
    }

    /// The totals of the open batch.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(self.slips())
    }

    /// Asks for working keys. An owed reversal does not stand in the way: it cannot be sent
    /// without them.
    ///
    /// # Errors
    /// [`TerminalError::Busy`] and [`TerminalError::Build`].
    pub fn sign_on(&mut self, ask: SignOn) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let f62 = self.identity();
        let stan = self.take_stan();
        let request = Management {
            mti: *b"0800",
            stan: Some(stan),
            function: ask.code(),
            f62: Some(&f62),
            has_operator: true,
            ..Management::default()
        };
        self.send_management(&request, Kind::SignOn(ask))
    }

    /// Gives the working keys up.
    ///
    /// # Errors
    /// As [`Terminal::sign_on`], and [`TerminalError::ReversalOwed`].
    pub fn sign_off(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let stan = Some(self.take_stan());
        let request = Management { mti: *b"0820", stan, function: b"002", ..Management::default() };
        self.send_management(&request, Kind::SignOff)
    }

    /// Asks whether anybody is there. Carries no trace number.
    ///
    /// # Errors
    /// As [`Terminal::sign_on`].
    pub fn echo(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let request = Management { mti: *b"0820", function: b"301", ..Management::default() };
        self.send_management(&request, Kind::Echo)
    }

    /// Asks what a card may spend.
    ///
    /// # Errors
    /// [`TerminalError::NotSignedOn`], [`TerminalError::ReversalOwed`], [`TerminalError::Busy`],
    /// or that the request cannot be written.
    pub fn balance(&mut self, presented: &Presented<'_>) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let content = self.content(&BALANCE, presented, None, None)?;
        self.send_financial(&BALANCE, &content, |_| Kind::Balance)
    }

    /// Sells.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn sale(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let content = self.content(&SALE, presented, Some(amount), None)?;
        self.send_financial(&SALE, &content, |imprint| money(SlipKind::Sale, None, imprint))
    }

    /// Voids the sale with trace number `of`: with a card presented, or without.
    ///
    /// # Errors
    /// As [`Terminal::balance`], and [`TerminalError::NoSuchSlip`].
    pub fn void(
        &mut self,
        of: Stan,
        presented: Option<&Presented<'_>>,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let sale = self.slips.get(&of).ok_or(TerminalError::NoSuchSlip(of))?;
        let Imprint { stan, batch, amount, ref card, expiry, .. } = sale.imprint;
        let typed = Presented { card, expiry, entry: Entry::Manual, pin: None };
        let reference = Reference {
            rrn: sale.rrn.clone().into_bytes(),
            auth: sale.auth.clone().map(String::into_bytes),
            f61: [six(batch.get()), six(stan.get())].concat(),
            company: None,
        };
        let presented = presented.unwrap_or(&typed);
        let content = self.content(&VOID, presented, Some(amount), Some(reference))?;
        self.send_financial(&VOID, &content, |imprint| money(SlipKind::Void, Some(of), imprint))
    }

    /// Refunds an earlier sale, in part or whole.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn refund(
        &mut self,
        original: &Original,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let Original { rrn, auth, batch, stan, date } = original;
        let reference = Reference {
            rrn: rrn.clone().into_bytes(),
            auth: auth.clone().map(String::into_bytes),
            f61: [&six(batch.get())[..], &six(stan.get()), date.as_bytes()].concat(),
            company: Some(b"CUP"),
        };
        // Money goes back: nobody types a PIN for it.
        let presented = Presented { pin: None, ..*presented };
        let content = self.content(&REFUND, &presented, Some(amount), Some(reference))?;
        self.send_financial(&REFUND, &content, |imprint| money(SlipKind::Refund, None, imprint))
    }

    /// Decides to reverse the approved sale or void with trace number `of`, and sends it.
    ///
    /// # Errors
    /// As [`Terminal::balance`], [`TerminalError::NoSuchSlip`] and
    /// [`TerminalError::NotReversible`].
    pub fn reverse(&mut self, of: Stan, reason: Reason) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let slip = self.slips.get(&of).ok_or(TerminalError::NoSuchSlip(of))?;
        let Slip { kind, imprint, auth, .. } = slip.clone();
        match kind {
            SlipKind::Sale | SlipKind::Void => {}
            SlipKind::Refund => return Err(TerminalError::NotReversible),
        }
        self.owed = Some(Owed { kind, imprint, reason, auth, refused: 0 });
        self.reversal()
    }

    /// Sends the reversal that is owed. It keeps the trace number and the batch of what it undoes.
    ///
    /// # Errors
    /// [`TerminalError::NothingOwed`], [`TerminalError::NotSignedOn`], [`TerminalError::Busy`], or
    /// that the request cannot be written.
    pub fn reversal(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let owed = self.owed.as_ref().ok_or(TerminalError::NothingOwed)?;
        let mut frame = Vec::new();
        self.write_reversal(&mut frame, owed)?;
        let imprint = &owed.imprint;
        let (stan, processing) = (Some(imprint.stan), Some(*imprint.processing.as_bytes()));
        let amount = Some(imprint.amount);
        Ok(self.await_answer(Awaiting {
            kind: Kind::Reversal,
            mti: *b"0400",
            stan,
            processing,
            amount,
            frame,
        }))
    }

    /// Sends the last request once more, the same to the last byte.
    ///
    /// # Errors
    /// [`TerminalError::Idle`] if there was none.
    pub fn again(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let last = self.last.clone().ok_or(TerminalError::Idle)?;
        Ok(self.await_answer(last))
    }

    /// Writes `count` sales one after the other, each with a trace number of its own, for a load
    /// generator that sends them itself. The terminal takes no note of them.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn prepare_sales(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
        count: usize,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let content = self.content(&SALE, presented, Some(amount), None)?;
        let mut frames = Vec::new();
        for number in 0..count {
            let stan = self.take_stan();
            self.write_financial(&mut frames, &content, stan)?;
            if number == 0 {
                // All are equally long.
                frames.reserve_exact(frames.len().saturating_mul(count.saturating_sub(1)));
            }
        }
        Ok(frames)
    }

    /// True if a frame, without its length, ends in the message code that its content and the
    /// terminal's keys give.
    #[must_use]
    pub fn trusts(&self, frame: &[u8]) -> bool {
        let Ok(envelope) = Envelope::parse(frame) else { return false };
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body);
        message.is_ok_and(|message| self.has_right_mac(&message))
    }

    /// No answer came in time. A sale or void then owes its reversal.
    pub fn on_timeout(&mut self) {
        if let Some(awaiting) = self.awaiting.take() {
            if let Some(owed) = awaiting.owed_on_silence() {
                self.owed = Some(owed);
            }
            self.last = Some(awaiting);
        }
    }

    fn send_financial(
        &mut self,
        of: &Type,
        content: &Content,
        kind: impl FnOnce(Imprint) -> Kind,
    ) -> Result<Vec<u8>, TerminalError> {
        let stan = self.take_stan();
        let mut frame = Vec::new();
        self.write_financial(&mut frame, content, stan)?;
        let imprint = content.imprint(stan, self.batch);
        if imprint.has_sequence {
            self.chip_count = self.chip_count.saturating_add(1);
        }
        Ok(self.await_answer(Awaiting {
            kind: kind(imprint),
            mti: *of.mti,
            stan: Some(stan),
            processing: Some(of.processing),
            amount: content.amount(),
            frame,
        }))
    }

    fn send_management(
        &mut self,
        request: &Management<'_>,
        kind: Kind,
    ) -> Result<Vec<u8>, TerminalError> {
        let mut frame = Vec::new();
        self.write_management(&mut frame, request)?;
        let (mti, stan) = (request.mti, request.stan);
        Ok(self.await_answer(Awaiting { kind, mti, stan, processing: None, amount: None, frame }))
    }

    fn await_answer(&mut self, awaiting: Awaiting) -> Vec<u8> {
        self.awaiting.insert(awaiting).frame.clone()
    }

    /// The next trace number that no slip of the open batch has.
    fn take_stan(&mut self) -> Stan {
        let mut stan = self.stan;
        while self.slips.contains_key(&stan) && stan.next() != self.stan {
            stan = stan.next();
        }
        self.stan = stan.next();
        stan
    }

    const fn must_be_idle(&self) -> Result<(), TerminalError> {
        if self.awaiting.is_some() { Err(TerminalError::Busy) } else { Ok(()) }
    }

    fn must_be_free(&self) -> Result<(), TerminalError> {
        self.must_be_idle()?;
        if self.owed.is_some() { Err(TerminalError::ReversalOwed) } else { Ok(()) }
    }
}

fn money(kind: SlipKind, of: Option<Stan>, imprint: Imprint) -> Kind {
    Kind::Money { kind, of, imprint: Box::new(imprint) }
}
