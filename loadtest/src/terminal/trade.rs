//! Transactions at once: the card is there, the host is asked, the answer is the outcome.

use super::ask::{Entry, Original, Owed, Presented, Reason};
use super::content::Draft;
use super::kind::{BALANCE, CHANGE_PIN, POINTS, Scheme, SlipKind};
use super::slip::{Imprint, Link, Reference, Slip, SlipState};
use super::{Kind, Terminal, TerminalError};
use crate::fen::Fen;
use crate::ids::{CardNumber, Stan};
use crate::secret::{HolderCheck, Pin};

/// Field 62 of a points sale: the product, filled with spaces.
const PRODUCT_LENGTH: usize = 60;

impl Terminal {
    /// Asks what a card may spend.
    ///
    /// # Errors
    /// [`TerminalError::NotSignedOn`], [`TerminalError::ReversalOwed`],
    /// [`TerminalError::ConfirmationOwed`], [`TerminalError::Busy`], or that the request cannot be
    /// written.
    pub fn balance(&mut self, presented: &Presented<'_>) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        self.send_financial(Draft::new(BALANCE, presented), |_| Kind::Inquiry)
    }

    /// Asks how many points a card has.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn points(&mut self, presented: &Presented<'_>) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let draft = Draft { scheme: Some(Scheme::Union), ..Draft::new(POINTS, presented) };
        self.send_financial(draft, |_| Kind::Inquiry)
    }

    /// Gives a card another PIN.
    ///
    /// # Errors
    /// As [`Terminal::balance`], and [`TerminalError::NeedsPin`] if the old one is not typed.
    pub fn change_pin(
        &mut self,
        presented: &Presented<'_>,
        new: &Pin,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        presented.pin.ok_or(TerminalError::NeedsPin)?;
        let f62 = Some(self.new_pin(presented.card, new)?);
        let draft = Draft { f62, ..Draft::new(CHANGE_PIN, presented) };
        self.send_financial(draft, |_| Kind::Inquiry)
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
        self.send_money(
            SlipKind::Sale,
            Link::default(),
            draft_of(SlipKind::Sale, presented, amount),
        )
    }

    /// Sells for points.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn points_sale(
        &mut self,
        presented: &Presented<'_>,
        points: u64,
        scheme: Scheme,
        product: &str,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let mut f62 = product.as_bytes().to_vec();
        f62.resize(PRODUCT_LENGTH, b' ');
        let draft = Draft {
            f62: Some(f62),
            scheme: Some(scheme),
            ..draft_of(SlipKind::PointsSale, presented, Fen(points))
        };
        self.send_money(SlipKind::PointsSale, Link::default(), draft)
    }

    /// Sells by mail or telephone: the number is typed, and `check` stands for the holder.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn moto_sale(
        &mut self,
        presented: &Presented<'_>,
        amount: Fen,
        check: &HolderCheck,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let draft = moto(SlipKind::MotoSale, presented, amount, check);
        self.send_money(SlipKind::MotoSale, Link::default(), draft)
    }

    /// Makes a card usable.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn activate(&mut self, presented: &Presented<'_>) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let kind = SlipKind::Activation;
        self.send_money(kind, Link::default(), draft_of(kind, presented, Fen(0)))
    }

    /// Voids the sale, offline sale, completion or points sale of the open batch with trace number `of`, or a
    /// pre-authorisation that need not be of this batch: with a card presented, or without.
    ///
    /// # Errors
    /// As [`Terminal::balance`], [`TerminalError::NoSuchSlip`], [`TerminalError::NotVoidable`], and
    /// [`TerminalError::NotTold`] for what the host has not heard of.
    pub fn void(
        &mut self,
        of: Stan,
        presented: Option<&Presented<'_>>,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let slip = self.slip_to_void(of)?.clone();
        let kind = slip.kind.voided_by().ok_or(TerminalError::NotVoidable(slip.kind))?;
        if kind == SlipKind::PreAuthVoid {
            return self.void_pre_auth_of(&slip, presented);
        }
        if slip.kind.is_notice() && slip.rrn.is_empty() {
            return Err(TerminalError::NotTold);
        }
        let typed = typed(&slip);
        let presented = presented.unwrap_or(&typed);
        let Slip { imprint, rrn, auth, date, .. } = &slip;
        let mut f61 = format!("{}{}", imprint.batch, imprint.stan);
        if kind == SlipKind::CompletionVoid {
            f61.push_str(&date.to_string());
        }
        let reference = Reference { rrn: Some(rrn.clone()), auth: auth.clone(), f61: Some(f61) };
        let link = Link { of: Some(of), hold: slip.hold.clone() };
        let draft = if kind == SlipKind::MotoVoid {
            moto(kind, presented, imprint.amount, &HolderCheck::default())
        } else {
            draft_of(kind, presented, imprint.amount)
        };
        let scheme = Scheme::of_f60(&imprint.f60);
        self.send_money(kind, link, Draft { reference, scheme, ..draft })
    }

    fn slip_to_void(&self, of: Stan) -> Result<&Slip, TerminalError> {
        let held = || self.slip(of).filter(|slip| slip.kind == SlipKind::PreAuth);
        self.slips.get(&of).or_else(held).ok_or(TerminalError::NoSuchSlip(of))
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
        // Money goes back: nobody types a PIN for it.
        let presented = Presented { pin: None, ..*presented };
        let draft = draft_of(SlipKind::Refund, &presented, amount);
        self.send_refund(SlipKind::Refund, original, draft)
    }

    /// Refunds an earlier sale by mail or telephone.
    ///
    /// # Errors
    /// As [`Terminal::balance`].
    pub fn moto_refund(
        &mut self,
        original: &Original,
        presented: &Presented<'_>,
        amount: Fen,
        check: &HolderCheck,
    ) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let draft = moto(SlipKind::MotoRefund, presented, amount, check);
        self.send_refund(SlipKind::MotoRefund, original, draft)
    }

    fn send_refund(
        &mut self,
        kind: SlipKind,
        original: &Original,
        draft: Draft<'_>,
    ) -> Result<Vec<u8>, TerminalError> {
        let Original { rrn, auth, batch, stan, date } = original;
        let reference = Reference {
            rrn: Some(rrn.clone()),
            auth: auth.clone(),
            f61: Some(format!("{batch}{stan}{date}")),
        };
        self.send_money(kind, Link::default(), Draft { reference, has_company: true, ..draft })
    }

    /// Decides to reverse the approved transaction with trace number `of`, and sends it.
    ///
    /// # Errors
    /// As [`Terminal::balance`], [`TerminalError::NoSuchSlip`] and
    /// [`TerminalError::NotReversible`].
    pub fn reverse(&mut self, of: Stan, reason: Reason) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        let slip = self.slips.get(&of).ok_or(TerminalError::NoSuchSlip(of))?;
        let Slip { kind, imprint, auth, asked, .. } = slip.clone();
        if !kind.is_reversible() {
            return Err(TerminalError::NotReversible(kind));
        }
        let imprint = Imprint { amount: asked.unwrap_or(imprint.amount), ..imprint };
        self.owed = Some(Owed { kind, imprint, reason, auth, refused: 0 });
        self.reversal()
    }

    /// Notes that the card of a chip sale accepted although it could not authenticate its issuer:
    /// the upload says so.
    ///
    /// # Errors
    /// [`TerminalError::NoSuchSlip`] and [`TerminalError::NeedsChip`].
    pub fn doubt_issuer(&mut self, of: Stan) -> Result<(), TerminalError> {
        let slip = self.slips.get_mut(&of).ok_or(TerminalError::NoSuchSlip(of))?;
        if slip.imprint.f55.is_none() {
            return Err(TerminalError::NeedsChip);
        }
        slip.is_issuer_doubted = true;
        Ok(())
    }

    /// Sends what leaves a slip if it is approved.
    pub(super) fn send_money(
        &mut self,
        kind: SlipKind,
        link: Link,
        draft: Draft<'_>,
    ) -> Result<Vec<u8>, TerminalError> {
        self.send_financial(draft, |imprint| Kind::Money { kind, link, imprint: Box::new(imprint) })
    }

    /// What a transaction that undoes or takes another changes in the other's slip when it is
    /// done, or when it is undone itself.
    pub(super) fn follow(&mut self, kind: SlipKind, link: &Link, card: &CardNumber, done: Done) {
        let turn = |from, to| match done {
            Done::Done => (from, to),
            Done::Undone => (to, from),
        };
        if kind.is_void() && kind != SlipKind::PreAuthVoid {
            let (_, to) = turn(SlipState::Approved, SlipState::Voided);
            if let Some(sale) = link.of.and_then(|of| self.slips.get_mut(&of)) {
                sale.state = to;
            }
        }
        let Some(hold) = &link.hold else { return };
        let (from, to) = if kind == SlipKind::PreAuthVoid {
            turn(SlipState::Approved, SlipState::Voided)
        } else if kind == SlipKind::CompletionVoid {
            turn(SlipState::Completed, SlipState::Approved)
        } else if kind.is_completion() {
            turn(SlipState::Approved, SlipState::Completed)
        } else {
            return;
        };
        let all = self.slips.values_mut().chain(&mut self.archive);
        for slip in all.filter(|slip| slip.holds(card, hold) && slip.state == from) {
            slip.state = to;
        }
    }
}

/// Whether a transaction has its effect or lost it.
#[derive(Clone, Copy)]
pub(super) enum Done {
    Done,
    Undone,
}

/// A transaction of money with a card that is there.
pub(super) fn draft_of<'d>(kind: SlipKind, presented: &Presented<'d>, amount: Fen) -> Draft<'d> {
    let (amount, may_be_partial) = (Some(amount), kind.may_be_partial());
    Draft { amount, may_be_partial, ..Draft::new(kind.row(), presented) }
}

/// A transaction with a card that is not there.
fn moto<'d>(
    kind: SlipKind,
    presented: &Presented<'d>,
    amount: Fen,
    check: &HolderCheck,
) -> Draft<'d> {
    let typed = Presented { entry: Entry::Manual, pin: None, ..*presented };
    let f62 = Some(format!("91{:<20}", check.text()).into_bytes());
    Draft { f62, ..draft_of(kind, &typed, amount) }
}

/// The card of a slip, its number typed.
pub(super) const fn typed(slip: &Slip) -> Presented<'_> {
    let imprint = &slip.imprint;
    Presented { card: &imprint.card, expiry: imprint.expiry, entry: Entry::Manual, pin: None }
}
