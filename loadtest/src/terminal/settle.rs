//! The settlement of a batch: totals, then the upload that explains them, then the end.

use super::request::{Management, f48_of, f48_of_details};
use super::slip::{Imprint, Slip, Totals};
use super::{ARCHIVE_MAX, Kind, Terminal, TerminalError};

/// Details in one message of an upload.
const DETAILS_MAX: usize = 8;

/// A settlement whose totals have been answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    /// The host's totals are the terminal's.
    pub(super) is_balanced: bool,
    /// Details that have been acknowledged.
    pub(super) uploaded: usize,
}

impl Terminal {
    /// Settles the open batch: sends its totals.
    ///
    /// Repeated after a line broke, it asks about the same batch again.
    ///
    /// # Errors
    /// [`TerminalError::ReversalOwed`], [`TerminalError::Busy`], or that the request cannot be
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

    /// True if the host's totals differ and there are details it has not had.
    #[must_use]
    pub fn must_upload(&self) -> bool {
        self.settling.is_some_and(|settling| {
            !settling.is_balanced && settling.uploaded < self.details().count()
        })
    }

    /// Sends the next details, eight at most.
    ///
    /// # Errors
    /// [`TerminalError::NotSettling`] unless [`Terminal::must_upload`]; [`TerminalError::Busy`], or
    /// that the request cannot be written.
    pub fn upload(&mut self) -> Result<Vec<u8>, TerminalError> {
        self.must_be_idle()?;
        let uploaded = self.settling.ok_or(TerminalError::NotSettling)?.uploaded;
        let next: Vec<_> = self.details().skip(uploaded).take(DETAILS_MAX).collect();
        if next.is_empty() {
            return Err(TerminalError::NotSettling);
        }
        let (f48, count) = (f48_of_details(next.iter().copied()), next.len());
        let request = Management {
            mti: *b"0320",
            stan: Some(self.take_stan()),
            function: b"201",
            f48: Some(&f48),
            ..Management::default()
        };
        self.send_management(&request, Kind::Upload(count))
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
        let function = if settling.is_balanced { b"207" } else { b"202" };
        let request = Management {
            mti: *b"0320",
            stan: Some(self.take_stan()),
            function,
            f48: Some(&f48),
            ..Management::default()
        };
        self.send_management(&request, Kind::End)
    }

    /// The details of an upload: the slips that count, by trace number.
    fn details(&self) -> impl Iterator<Item = &Imprint> {
        self.slips.values().filter(|slip| slip.counts()).map(|slip| &slip.imprint)
    }

    /// Puts the slips of the open batch away.
    pub(super) fn archive_slips(&mut self) {
        self.archive.extend(std::mem::take(&mut self.slips).into_values().filter(Slip::counts));
        let excess = self.archive.len().saturating_sub(ARCHIVE_MAX);
        self.archive.drain(..excess);
    }
}
