//! Pre-authorisation: money is held, and later taken or let go.

use super::ask::{Hold, Presented};
use super::content::Draft;
use super::kind::SlipKind;
use super::notice::{About, Notice};
use super::slip::{Reference, Slip, SlipState};
use super::trade::{draft_of, typed};
use super::{Link, Terminal, TerminalError};
use crate::fen::Fen;
use crate::ids::{CardNumber, Stan};

impl Terminal {
    /// Holds money.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn pre_auth(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let kind = SlipKind::PreAuth;
        self.send_money(kind, Link::default(), draft_of(kind, presented, amount))
    }

    /// Holds more for the same purpose.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn add_pre_auth(
        &mut self,
        hold: &Hold,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let kind = SlipKind::AdditionalPreAuth;
        let auth = Some(hold.auth.clone());
        let reference = Reference { auth, ..Reference::default() };
        let draft = Draft { reference, ..draft_of(kind, presented, amount) };
        self.send_money(kind, link_to(hold), draft)
    }

    /// Lets go what is held: `held` is the sum of the pre-authorisation and what was added to it.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn void_pre_auth(
        &mut self,
        hold: &Hold,
        presented: &Presented<'_>,
        held: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let kind = SlipKind::PreAuthVoid;
        let draft = Draft { reference: reference_to(hold), ..draft_of(kind, presented, held) };
        self.send_money(kind, link_to(hold), draft)
    }

    /// Takes what is held, or another amount the rules allow, after the host has agreed.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn complete(
        &mut self,
        hold: &Hold,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let kind = SlipKind::Completion;
        let draft = Draft { reference: reference_to(hold), ..draft_of(kind, presented, amount) };
        self.send_money(kind, link_to(hold), draft)
    }

    /// The same without asking: the slip stands, and [`Terminal::notice`] tells the host.
    ///
    /// # Errors
    /// [`TerminalError::NotSignedOn`], [`TerminalError::Busy`], or that the request cannot be
    /// written.
    pub fn complete_by_advice(
        &mut self,
        hold: &Hold,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Stan, TerminalError> {
        let kind = SlipKind::CompletionAdvice;
        let draft = Draft { reference: reference_to(hold), ..draft_of(kind, presented, amount) };
        let notice = self.draft_notice(About::Slip(kind), draft)?;
        Ok(self.file_notice(kind, link_to(hold), notice))
    }

    /// The sum that a card's pre-authorisation with this code holds, by the slips that are kept.
    #[must_use]
    pub fn held(&self, card: &CardNumber, auth: &str) -> Fen {
        let all = self.archive.iter().chain(self.slips.values());
        let holds = |slip: &&Slip| slip.holds(card, auth) && slip.state == SlipState::Approved;
        all.filter(holds).map(|slip| slip.imprint.amount).sum()
    }

    pub(super) fn void_pre_auth_of(
        &mut self,
        slip: &Slip,
        presented: Option<&Presented<'_>>,
    ) -> Result<Vec<u8>, TerminalError> {
        let hold = Hold::of(slip).ok_or(TerminalError::NoAuthCode)?;
        let held = self.held(&slip.imprint.card, &hold.auth);
        // One that is let go already is asked about as it was, so that the host can say no.
        let held = if held == Fen(0) { slip.imprint.amount } else { held };
        self.void_pre_auth(&hold, presented.unwrap_or(&typed(slip)), held)
    }

    /// Files the slip of what the terminal decided, and keeps the notice until it is told.
    pub(super) fn file_notice(&mut self, kind: SlipKind, link: Link, notice: Notice) -> Stan {
        let stan = notice.imprint.stan;
        let slip = Slip::new(kind, notice.imprint.clone(), link);
        let slip = Slip { auth: notice.reference.auth.clone(), ..slip };
        self.notices.push(notice);
        self.file(slip);
        stan
    }
}

fn link_to(hold: &Hold) -> Link {
    Link { of: hold.at.map(|(_, stan)| stan), hold: Some(hold.auth.clone()) }
}

fn reference_to(hold: &Hold) -> Reference {
    Reference { rrn: hold.rrn.clone(), auth: Some(hold.auth.clone()), f61: Some(hold.f61()) }
}
