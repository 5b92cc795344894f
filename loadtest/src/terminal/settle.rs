//! The settlement of a batch: totals, then the upload that explains them, then the end.

use super::chip;
use super::kind::{Side, SlipKind};
use super::reply::Reconciled;
use super::request::{Kept, Management, f48_of, f48_of_details};
use super::slip::{Reference, Slip, Totals};
use super::{ARCHIVE_MAX, Awaiting, Kind, Terminal, TerminalError};

/// Details in one message of an upload.
const DETAILS_MAX: usize = 8;

/// A settlement whose totals have been answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    /// What the host says of the terminal's totals.
    compared: Reconciled,
    /// Details that have been sent.
    place: usize,
    /// Details that have been acknowledged.
    uploaded: usize,
}

impl Settling {
    pub(super) const fn new(compared: Reconciled) -> Self {
        Self { compared, place: 0, uploaded: 0 }
    }

    /// The host has taken so many details in.
    pub(super) const fn taken(&mut self, count: usize) {
        self.uploaded = self.uploaded.saturating_add(count);
        self.place = self.place.saturating_add(count);
    }

    /// The host has refused so many details. One that travels alone holds nobody up.
    pub(super) const fn refused(&mut self, count: usize, form: Form) {
        if !matches!(form, Form::Stripe) {
            self.place = self.place.saturating_add(count);
        }
    }
}

/// How a detail travels, in the order of an upload.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Form {
    /// Decided without the host, and told.
    Offline,
    /// Decided by the chip, and told.
    ECash,
    /// Several in one message.
    Stripe,
    /// A completion that was told.
    Advice,
    /// Agreed to by host and chip.
    Chip,
    /// Agreed to by host and chip, although the chip could not authenticate its issuer.
    ChipInDoubt,
}

impl Form {
    fn of(slip: &Slip) -> Self {
        let is_from_chip = slip.imprint.f55.is_some() && slip.kind.row().side == Side::Debit;
        if slip.kind == SlipKind::OfflineSale {
            Self::Offline
        } else if slip.kind == SlipKind::ECash {
            Self::ECash
        } else if slip.kind == SlipKind::CompletionAdvice {
            Self::Advice
        } else if !is_from_chip {
            Self::Stripe
        } else if slip.is_issuer_doubted {
            Self::ChipInDoubt
        } else {
            Self::Chip
        }
    }

    /// Field 60.3.
    const fn function(self, compared: Reconciled) -> &'static str {
        match self {
            Self::Offline | Self::ECash | Self::Advice => "206",
            Self::Stripe => "201",
            Self::Chip if matches!(compared, Reconciled::Balanced) => "203",
            Self::Chip => "205",
            Self::ChipInDoubt => "204",
        }
    }
}

impl Terminal {
    /// Settles the open batch: sends its totals.
    ///
    /// Repeated after a line broke, it asks about the same batch again.
    ///
    /// # Errors
    /// [`TerminalError::ReversalOwed`], [`TerminalError::ConfirmationOwed`],
    /// [`TerminalError::NoticesDue`], [`TerminalError::Busy`], or that the request cannot be
    /// written.
    pub fn settle(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.settle_claiming(&self.totals())
    }

    /// Settles with totals that may not be those of the slips.
    ///
    /// # Errors
    /// As [`Terminal::settle`].
    pub fn settle_claiming(&mut self, totals: &Totals) -> Result<Vec<u8>, TerminalError> {
        self.must_be_free()?;
        if self.has_notices_due() {
            return Err(TerminalError::NoticesDue);
        }
        let f48 = f48_of(totals);
        let request = Management {
            mti: *b"0500",
            stan: Some(self.take_stan()),
            function: b"201",
            f48: Some(&f48),
            has_currency: true,
            has_operator: true,
            ..Management::default()
        };
        self.send_management(&request, Kind::Settlement)
    }

    /// True if there are details the host has not had: if its totals differ, of everything that
    /// counts; if they agree, of chip transactions alone.
    #[must_use]
    pub fn must_upload(&self) -> bool {
        self.settling.is_some_and(|settling| settling.place < self.details(settling).len())
    }

    /// How many details the host has had.
    #[must_use]
    pub fn details_sent(&self) -> usize {
        self.settling.map_or(0, |settling| settling.place)
    }

    /// Sends the next details: of the kind that shares a message eight at most, else one.
    ///
    /// # Errors
    /// [`TerminalError::NotSettling`] unless [`Terminal::must_upload`]; [`TerminalError::Busy`], or
    /// that the request cannot be written.
    pub fn upload(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let settling = self.settling.ok_or(TerminalError::NotSettling)?;
        let details = self.details(settling);
        let left = details.get(settling.place..).unwrap_or_default();
        let &(form, first) = left.first().ok_or(TerminalError::NotSettling)?;
        if form != Form::Stripe {
            let slip = first.clone();
            return self.upload_alone(form, &slip, settling.compared);
        }
        let shared = left.iter().take_while(|(form, _)| *form == Form::Stripe).take(DETAILS_MAX);
        let next: Vec<_> = shared.map(|(_, slip)| &slip.imprint).collect();
        let (f48, count) = (f48_of_details(next.iter().copied()), next.len());
        let request = Management {
            mti: *b"0320",
            stan: Some(self.take_stan()),
            function: b"201",
            f48: Some(&f48),
            ..Management::default()
        };
        self.send_management(&request, Kind::Upload { count, form })
    }

    /// Sends one detail in the fields of its transaction, with its trace number.
    fn upload_alone(
        &mut self,
        form: Form,
        slip: &Slip,
        compared: Reconciled,
    ) -> Result<Vec<u8>, TerminalError> {
        let Slip { kind, imprint, auth, hold, .. } = slip;
        let row = kind.row();
        let code = str::from_utf8(row.code).unwrap_or_default();
        let f60 = format!("{code}{}{}", imprint.batch, form.function(compared));
        let sub_type = if form == Form::ChipInDoubt { "01" } else { "00" };
        let f62 = format!("61{sub_type}00{:012}156", imprint.amount.0);
        let f55 = match form {
            Form::Chip | Form::ChipInDoubt => imprint.f55.as_deref().map(chip::certificate),
            Form::ECash => imprint.f55.clone(),
            Form::Offline | Form::Stripe | Form::Advice => None,
        };
        let auth = match form {
            Form::Advice => hold.clone(),
            Form::Offline => auth.clone(),
            Form::ECash | Form::Stripe | Form::Chip | Form::ChipInDoubt => None,
        };
        let kept = Kept {
            mti: b"0320",
            condition: row.condition,
            imprint,
            reference: &Reference { auth, ..Reference::default() },
            f48: None,
            f55: f55.as_deref(),
            f60: &f60,
            f62: Some(&f62),
            has_company: false,
        };
        let mut frame = Vec::new();
        self.write_detail(&mut frame, &kept)?;
        Ok(self.await_answer(Awaiting {
            kind: Kind::Upload { count: 1, form },
            mti: *b"0320",
            stan: Some(imprint.stan),
            processing: None,
            amount: Some(imprint.amount),
            frame,
        }))
    }

    /// Ends the settlement; once answered, the next batch takes slips.
    ///
    /// # Errors
    /// [`TerminalError::NotSettling`] before the totals are answered; [`TerminalError::Busy`], or
    /// that the request cannot be written.
    pub fn end_upload(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let settling = self.settling.ok_or(TerminalError::NotSettling)?;
        let f48 = format!("{:04}", settling.uploaded).into_bytes();
        let function = if settling.compared == Reconciled::Balanced { b"207" } else { b"202" };
        let request = Management {
            mti: *b"0320",
            stan: Some(self.take_stan()),
            function,
            f48: Some(&f48),
            ..Management::default()
        };
        self.send_management(&request, Kind::End)
    }

    /// The details of an upload in order: the slips that count, by form and trace number, money
    /// that went back after money that came.
    fn details(&self, settling: Settling) -> Vec<(Form, &Slip)> {
        let counted = self.slips.values().filter(|slip| slip.counts());
        let mut details: Vec<_> = counted.map(|slip| (Form::of(slip), slip)).collect();
        if settling.compared == Reconciled::Balanced {
            details.retain(|(form, _)| matches!(form, Form::Chip | Form::ChipInDoubt));
        }
        let goes_last = |kind| matches!(kind, SlipKind::Refund | SlipKind::MotoRefund);
        details.sort_by_key(|(form, slip)| (*form, goes_last(slip.kind), slip.imprint.stan));
        details
    }

    /// Puts the slips of the open batch away.
    pub(super) fn archive_slips(&mut self) {
        self.notices.retain(|notice| notice.imprint.batch != self.batch);
        self.archive
            .extend(std::mem::take(&mut self.slips).into_values().filter(Slip::outlives_batch));
        let excess = self.archive.len().saturating_sub(ARCHIVE_MAX);
        self.archive.drain(..excess);
    }
}
