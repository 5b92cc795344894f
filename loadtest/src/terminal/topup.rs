//! Cash onto a card: the account is verified, the money goes into the till, the host is asked. If
//! nobody sees the outcome, the top-up is not undone but confirmed, because the cash is there.

use serde::{Deserialize, Serialize};

use super::ask::{Presented, Verified};
use super::content::Draft;
use super::kind::{CONFIRM, SlipKind, VERIFICATION};
use super::reply::Reply;
use super::request::Kept;
use super::slip::{Imprint, Reference, Slip, SlipState};
use super::trade::draft_of;
use super::{Awaiting, Kind, Link, Terminal, TerminalError};
use crate::code::Code;
use crate::fen::Fen;
use crate::secret::IdDocument;

/// How often a confirmation is sent before a person must ask.
const TRIES_MAX: u8 = 3;

/// A top-up that must be confirmed before anything else.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Confirmation {
    /// What it repeats of the top-up.
    pub imprint: Imprint,
    pub(super) reference: Reference,
    /// How often it was sent in vain.
    pub(super) tries: u8,
}

impl Terminal {
    /// Asks whether, and how much, cash may go onto a card.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn verify_account(
        &mut self,
        presented: &Presented<'_>,
        document: &IdDocument,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let presented = Presented { pin: None, ..*presented };
        let f62 = Some(document.field().into_bytes());
        let draft = Draft { f62, ..Draft::new(VERIFICATION, &presented) };
        self.send_financial(draft, |imprint| Kind::Verification(Box::new(imprint)))
    }

    /// What the last verification said, until money is put on the card.
    #[must_use]
    pub const fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Puts cash onto the card that was verified last.
    ///
    /// # Errors
    /// As [`Terminal::balance`], and [`TerminalError::NotVerified`].
    pub fn top_up(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
        document: &IdDocument,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let verified = self.verified.as_ref().filter(|verified| verified.card == *presented.card);
        let reference = reference_to(verified.ok_or(TerminalError::NotVerified)?);
        let presented = Presented { pin: None, ..*presented };
        let f62 = Some(document.field().into_bytes());
        let kind = SlipKind::TopUp;
        let draft = Draft { f62, reference, ..draft_of(kind, &presented, amount) };
        self.send_money(kind, Link::default(), draft)
    }

    /// The top-up that must be confirmed before anything else.
    #[must_use]
    pub const fn confirmation_owed(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// Confirms the top-up whose outcome nobody saw, with its trace number.
    ///
    /// # Errors
    /// [`TerminalError::NothingOwed`], [`TerminalError::NotSignedOn`], [`TerminalError::Busy`], or
    /// that the request cannot be written.
    pub fn confirm(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let confirmation = self.confirmation.as_ref().ok_or(TerminalError::NothingOwed)?;
        let imprint = &confirmation.imprint;
        let kept = Kept {
            mti: CONFIRM.mti,
            condition: CONFIRM.condition,
            imprint,
            reference: &confirmation.reference,
            f48: None,
            f55: None,
            f60: &imprint.f60,
            f62: None,
            has_company: false,
        };
        let mut frame = Vec::new();
        self.write_kept(&mut frame, &kept)?;
        Ok(self.await_answer(Awaiting {
            kind: Kind::Confirmation,
            mti: *CONFIRM.mti,
            stan: Some(imprint.stan),
            processing: Some(*imprint.processing.as_bytes()),
            amount: Some(imprint.amount),
            frame,
        }))
    }

    /// The confirmation that a top-up under way leaves if nobody sees its outcome.
    pub(super) fn confirmation_of(&self, awaiting: &Awaiting) -> Option<Confirmation> {
        let Kind::Money { kind: SlipKind::TopUp, imprint, .. } = &awaiting.kind else {
            return None;
        };
        let reference = reference_to(self.verified.as_ref()?);
        Some(Confirmation { imprint: (**imprint).clone(), reference, tries: 0 })
    }

    /// A verification was answered with yes.
    pub(super) fn note_verified(&mut self, imprint: &Imprint, reply: &Reply) {
        self.verified = Some(Verified {
            card: imprint.card.clone(),
            batch: imprint.batch,
            stan: imprint.stan,
            rrn: reply.rrn.clone().unwrap_or_default(),
            fen_max: reply.loadable,
        });
    }

    /// A confirmation was sent in vain.
    pub(super) fn confirmed_in_vain(&mut self) {
        let Some(mut confirmation) = self.confirmation.take() else { return };
        confirmation.tries = confirmation.tries.saturating_add(1);
        if confirmation.tries < TRIES_MAX {
            self.confirmation = Some(confirmation);
            return;
        }
        self.verified = None;
        let slip = Slip::new(SlipKind::TopUp, confirmation.imprint, Link::default());
        self.file(Slip { state: SlipState::Doubtful, ..slip });
    }

    /// A confirmation was answered.
    pub(super) fn conclude_confirmation(&mut self, reply: &Reply) {
        if !matches!(reply.code, Some(Code::APPROVED | Code::ASK_LATER)) {
            self.confirmed_in_vain();
            return;
        }
        let Some(confirmation) = self.confirmation.take() else { return };
        self.verified = None;
        let slip = Slip::new(SlipKind::TopUp, confirmation.imprint, Link::default());
        self.file(slip.answered(reply));
    }
}

fn reference_to(verified: &Verified) -> Reference {
    let Verified { batch, stan, rrn, .. } = verified;
    Reference { rrn: Some(rrn.clone()), auth: None, f61: Some(format!("{batch}{stan}")) }
}
