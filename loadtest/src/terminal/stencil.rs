//! Requests that are written many times, for a load: the terminal takes no note of them, and
//! whoever sends them keeps the slips.

use super::ask::{Owed, Presented, Reason};
use super::content::{Content, Draft};
use super::kind::{BALANCE, SlipKind};
use super::slip::Reference;
use super::trade::draft_of;
use super::{Terminal, TerminalError};
use crate::fen::Fen;
use crate::ids::Stan;

/// All of a request but its trace number.
pub struct Stencil {
    kind: Option<SlipKind>,
    content: Content,
}

impl Terminal {
    /// Gathers a transaction of money with a card that is there, or an activation.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn stencil(
        &self,
        kind: SlipKind,
        presented: &Presented<'_>,
        amount: Fen,
    ) -> Result<Stencil, TerminalError> {
        self.must_be_free()?;
        let content = self.content(draft_of(kind, presented, amount))?;
        Ok(Stencil { kind: Some(kind), content })
    }

    /// Gathers an inquiry of what a card may spend.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn balance_stencil(&self, presented: &Presented<'_>) -> Result<Stencil, TerminalError> {
        self.must_be_free()?;
        Ok(Stencil { kind: None, content: self.content(Draft::new(BALANCE, presented))? })
    }

    /// Gathers the void of a sale that `sale` was stamped from, without card.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn void_stencil(
        &self,
        sale: &Stencil,
        of: Stan,
        rrn: &str,
    ) -> Result<Stencil, TerminalError> {
        self.must_be_free()?;
        let content = &sale.content;
        let kind = SlipKind::Void;
        let presented = Presented {
            card: &content.card,
            expiry: content.expiry,
            entry: super::Entry::Manual,
            pin: None,
        };
        let reference = Reference {
            rrn: Some(rrn.to_owned()),
            auth: None,
            f61: Some(format!("{}{of}", self.batch)),
        };
        let draft = draft_of(kind, &presented, content.amount.unwrap_or_default());
        let content = self.content(Draft { reference, ..draft })?;
        Ok(Stencil { kind: Some(kind), content })
    }

    /// Writes the request at the end of `out`, its length in front, with a trace number of its own.
    ///
    /// # Errors
    /// [`TerminalError::NotSignedOn`], or that it cannot be written.
    pub fn stamp(&mut self, out: &mut Vec<u8>, stencil: &Stencil) -> Result<Stan, TerminalError> {
        let stan = self.take_stan();
        self.write_financial(out, &stencil.content, stan)?;
        Ok(stan)
    }

    /// Writes the reversal of the request with trace number `stan`: nobody saw its outcome.
    ///
    /// # Errors
    /// As [`Terminal::stamp`], and [`TerminalError::NothingOwed`] for an inquiry.
    pub fn stamp_reversal(
        &self,
        out: &mut Vec<u8>,
        stencil: &Stencil,
        stan: Stan,
    ) -> Result<(), TerminalError> {
        let kind = stencil.kind.ok_or(TerminalError::NothingOwed)?;
        let imprint = stencil.content.imprint(stan, self.batch);
        let owed = Owed { kind, imprint, reason: Reason::NoAnswer, auth: None, refused: 0 };
        self.write_reversal(out, &owed)
    }
}
