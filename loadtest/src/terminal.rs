//! A virtual POS terminal without socket, clock or randomness.
//!
//! Each request method returns the frame to send, its length in front. What comes back goes to
//! [`Terminal::on_frame`]; if nothing does, [`Terminal::on_timeout`] is told. One request is under
//! way at a time, as on a real terminal.
//!
//! | module | holds |
//! | --- | --- |
//! | `kind` | the table of transactions: what they look like, what silence leaves, where they count |
//! | `trade`, `hold`, `notice`, `topup` | requests at once; held money; what is told later; cash onto cards |
//! | `settle` | totals and upload |
//! | `content`, `request`, `chip` | fields of a request, gathered and written |
//! | `answer`, `reply` | what an answer changes, and what it says |
//! | `slip`, `state` | what is printed, and what outlives a power cut |
//! | `stencil` | requests of a load |

mod answer;
mod ask;
mod chip;
mod content;
mod error;
mod hold;
mod kind;
mod notice;
mod profile;
mod reply;
mod request;
mod settle;
mod slip;
mod state;
mod stencil;
mod topup;
mod trade;

use std::collections::{BTreeMap, VecDeque};

use codec::{Dialect, Envelope, Message};
use keys::TerminalKeys;

pub use ask::{Entry, Hold, Original, Owed, Presented, Reason, SignOn, Verified};
pub use chip::Chip;
pub use error::TerminalError;
pub use kind::{Scheme, SlipKind};
pub use notice::{About, Notice};
pub use profile::{PartialApproval, Profile, TrackLine};
pub use reply::{Reconciled, Reply, Unreadable};
pub use slip::{Digits, Imprint, Slip, SlipState, Totals};
pub use state::{State, StateError};
pub use stencil::Stencil;
pub use topup::Confirmation;

use content::Draft;
use request::Management;
use settle::{Form, Settling};
use slip::Link;

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
    /// Its answer changes nothing.
    Inquiry,
    Verification(Box<Imprint>),
    Money {
        kind: SlipKind,
        link: Link,
        imprint: Box<Imprint>,
    },
    Reversal,
    Confirmation,
    Notice(Stan),
    Settlement,
    Upload {
        count: usize,
        form: Form,
    },
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
    /// The reversal to send if no answer comes. What cannot be reversed is confirmed, told again or
    /// asked for by telephone.
    fn owed_on_silence(&self) -> Option<Owed> {
        let Kind::Money { kind, imprint, .. } = &self.kind else { return None };
        if !kind.is_reversible() {
            return None;
        }
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
    verified: Option<Verified>,
    confirmation: Option<Confirmation>,
    notices: Vec<Notice>,
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
            verified: None,
            confirmation: None,
            notices: Vec::new(),
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

    /// The transaction under way: what it is for, and what a reversal would repeat.
    #[must_use]
    pub fn under_way(&self) -> Option<(SlipKind, &Imprint)> {
        match &self.awaiting.as_ref()?.kind {
            Kind::Money { kind, imprint, .. } => Some((*kind, imprint)),
            Kind::Notice(stan) => {
                let slip = self.slips.get(stan)?;
                Some((slip.kind, &slip.imprint))
            }
            Kind::SignOn(_)
            | Kind::SignOff
            | Kind::Echo
            | Kind::Inquiry
            | Kind::Verification(_)
            | Kind::Reversal
            | Kind::Confirmation
            | Kind::Settlement
            | Kind::Upload { .. }
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

    /// True if a frame, without its length, ends in the message code that its content and the
    /// terminal's keys give.
    #[must_use]
    pub fn trusts(&self, frame: &[u8]) -> bool {
        let Ok(envelope) = Envelope::parse(frame) else { return false };
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body);
        message.is_ok_and(|message| self.has_right_mac(&message))
    }

    /// No answer came in time. What that leaves to do depends on the request.
    pub fn on_timeout(&mut self) {
        if let Some(awaiting) = self.awaiting.take() {
            self.on_silence(&awaiting, Reason::NoAnswer);
            self.last = Some(awaiting);
        }
    }

    /// Nobody saw the outcome of a request: none came, or one that cannot be believed.
    fn on_silence(&mut self, awaiting: &Awaiting, reason: Reason) {
        if let Some(owed) = awaiting.owed_on_silence() {
            self.owed = Some(Owed { reason, ..owed });
        }
        if let Some(confirmation) = self.confirmation_of(awaiting) {
            self.confirmation = Some(confirmation);
        }
        match awaiting.kind {
            Kind::Notice(stan) => self.told_in_vain(stan),
            Kind::Confirmation => self.confirmed_in_vain(),
            Kind::SignOn(_)
            | Kind::SignOff
            | Kind::Echo
            | Kind::Inquiry
            | Kind::Verification(_)
            | Kind::Money { .. }
            | Kind::Reversal
            | Kind::Settlement
            | Kind::Upload { .. }
            | Kind::End => {}
        }
    }

    fn send_financial(
        &mut self,
        draft: Draft<'_>,
        kind: impl FnOnce(Imprint) -> Kind,
    ) -> Result<Vec<u8>, TerminalError> {
        let content = self.content(draft)?;
        let stan = self.take_stan();
        let mut frame = Vec::new();
        self.write_financial(&mut frame, &content, stan)?;
        let imprint = content.imprint(stan, self.batch);
        if imprint.has_sequence {
            self.chip_count = self.chip_count.saturating_add(1);
        }
        Ok(self.await_answer(Awaiting {
            kind: kind(imprint),
            mti: *content.mti,
            stan: Some(stan),
            processing: Some(content.processing),
            amount: content.amount,
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

    /// The next trace number that no slip of the open batch has, and nothing that is still to be
    /// told.
    fn take_stan(&mut self) -> Stan {
        let mut stan = self.stan;
        let is_told_with = |stan| self.notices.iter().any(|notice| notice.imprint.stan == stan);
        while (self.slips.contains_key(&stan) || is_told_with(stan)) && stan.next() != self.stan {
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
        if self.owed.is_some() {
            return Err(TerminalError::ReversalOwed);
        }
        if self.confirmation.is_some() {
            return Err(TerminalError::ConfirmationOwed);
        }
        Ok(())
    }
}
