//! What a financial request says, gathered before it has a trace number.

use keys::{Algorithm, KeyLayout, Pan12, PinBlock, PinFormat};

use super::chip::{self, Kernel};
use super::kind::{Row, Scheme};
use super::slip::{Digits, Imprint, Reference};
use super::{Entry, Held, PartialApproval, Presented, Terminal, TerminalError, TrackLine};
use crate::fen::Fen;
use crate::ids::{BatchNo, CardNumber, Expiry, Stan};
use crate::secret::Pin;

/// What a request is to say.
pub(super) struct Draft<'d> {
    pub(super) row: Row,
    pub(super) presented: Presented<'d>,
    /// Field 4.
    pub(super) amount: Option<Fen>,
    pub(super) reference: Reference,
    /// Field 48.
    pub(super) f48: Option<Vec<u8>>,
    /// Field 62.
    pub(super) f62: Option<Vec<u8>>,
    /// True if field 63 names the card's company.
    pub(super) has_company: bool,
    /// True if less than was asked for is better than nothing.
    pub(super) may_be_partial: bool,
    /// Whose points are meant.
    pub(super) scheme: Option<Scheme>,
}

impl<'d> Draft<'d> {
    /// A request of this kind that says no more than it must.
    pub(super) fn new(row: Row, presented: &Presented<'d>) -> Self {
        Self {
            row,
            presented: *presented,
            amount: None,
            reference: Reference::default(),
            f48: None,
            f62: None,
            has_company: false,
            may_be_partial: false,
            scheme: None,
        }
    }
}

/// Everything of a financial request but its trace number.
pub(super) struct Content {
    pub(super) mti: &'static [u8; 4],
    pub(super) processing: [u8; 6],
    pub(super) condition: [u8; 2],
    pub(super) amount: Option<Fen>,
    pub(super) card: CardNumber,
    pub(super) shows_card: bool,
    pub(super) expiry: Option<Expiry>,
    pub(super) entry_mode: [u8; 3],
    pub(super) has_sequence: bool,
    pub(super) track: Option<Vec<u8>>,
    pub(super) pin: Option<[u8; 8]>,
    pub(super) security: Option<[u8; 16]>,
    pub(super) chip: Option<Vec<u8>>,
    pub(super) chip_of_reversal: Option<Vec<u8>>,
    pub(super) f48: Option<Vec<u8>>,
    pub(super) f60: String,
    pub(super) reference: Reference,
    pub(super) f62: Option<Vec<u8>>,
    pub(super) f63: Option<Vec<u8>>,
}

impl Content {
    /// What a reversal of the request repeats.
    pub(super) fn imprint(&self, stan: Stan, batch: BatchNo) -> Imprint {
        Imprint {
            stan,
            batch,
            processing: Digits(self.processing),
            amount: self.amount.unwrap_or_default(),
            card: self.card.clone(),
            expiry: self.expiry,
            entry_mode: Digits(self.entry_mode),
            has_sequence: self.has_sequence,
            chip: self.chip_of_reversal.clone(),
            f55: self.chip.clone(),
            f60: self.f60.clone(),
        }
    }
}

/// Field 63 where it names the card's company.
pub(super) const COMPANY: &[u8] = b"CUP";

impl Terminal {
    /// Gathers the fields of a financial request.
    pub(super) fn content(&self, draft: Draft<'_>) -> Result<Content, TerminalError> {
        let held = self.keys.as_ref().ok_or(TerminalError::NotSignedOn)?;
        let f60 = self.f60(&draft);
        let Draft { row, presented, amount, .. } = draft;
        let Presented { card, expiry, entry, pin } = presented;
        let track = self.track(held, &presented)?;
        let pin = pin.map(|pin| pin_block(held, card, pin)).transpose()?;
        let kernel = self.kernel();
        let kind = row.processing.first().map_or(0, |digit| (digit & 0x0F) << 4);
        let (chip, chip_of_reversal) = match &entry {
            Entry::Chip(chip) => (
                Some(chip::request(chip, &kernel, kind, amount)),
                Some(chip::reversal(chip, &kernel)),
            ),
            Entry::Stripe | Entry::StripeWithPan | Entry::Manual => (None, None),
        };
        let is_bare = matches!(entry, Entry::Stripe);
        let security =
            (pin.is_some() || track.is_some()).then(|| self.security(held, pin.as_ref()));
        Ok(Content {
            mti: row.mti,
            processing: *row.processing,
            condition: *row.condition,
            amount,
            card: card.clone(),
            shows_card: !is_bare,
            expiry: expiry.filter(|_| !is_bare),
            entry_mode: entry_mode(&entry, pin.is_some()),
            has_sequence: chip.is_some(),
            track,
            security,
            chip,
            chip_of_reversal,
            f48: draft.f48,
            f60,
            reference: draft.reference,
            f62: draft.f62,
            f63: match &pin {
                Some(PinBlock::Sm4(block)) => Some([b"SM016", &block[..]].concat()),
                Some(PinBlock::Des(_)) | None => draft.has_company.then(|| COMPANY.to_vec()),
            },
            // An SM4 block has no room here: field 63 carries it.
            pin: pin.map(|pin| match pin {
                PinBlock::Des(block) => block,
                PinBlock::Sm4(_) => [0; 8],
            }),
        })
    }

    /// The same for what is told later: a terminal keeps neither tracks nor PINs, so the number
    /// stands in its field.
    pub(super) fn content_to_keep(&self, mut draft: Draft<'_>) -> Result<Content, TerminalError> {
        draft.presented.pin = None;
        if draft.presented.entry == Entry::Stripe {
            draft.presented.entry = Entry::StripeWithPan;
        }
        let content = self.content(draft)?;
        Ok(Content { track: None, security: None, ..content })
    }

    /// A PIN block of its own, for field 62.
    pub(super) fn new_pin(&self, card: &CardNumber, pin: &Pin) -> Result<Vec<u8>, TerminalError> {
        let held = self.keys.as_ref().ok_or(TerminalError::NotSignedOn)?;
        Ok(match pin_block(held, card, pin)? {
            PinBlock::Des(block) => block.to_vec(),
            PinBlock::Sm4(block) => block.to_vec(),
        })
    }

    /// Track 2, for a card whose track or chip was read.
    fn track(
        &self,
        held: &Held,
        presented: &Presented<'_>,
    ) -> Result<Option<Vec<u8>>, TerminalError> {
        if matches!(presented.entry, Entry::Manual) {
            return Ok(None);
        }
        let expiry = presented.expiry.as_ref().map(Expiry::as_bytes);
        let mut track = chip::track2(presented.card, expiry);
        match self.profile.track {
            TrackLine::Clear => {}
            TrackLine::Enciphered => held.keys.encrypt_track(&mut track)?,
        }
        Ok(Some(track))
    }

    fn kernel(&self) -> Kernel {
        Kernel { reader: self.profile.reader, sequence: self.chip_count.saturating_add(1) }
    }

    /// Field 53: PIN format, algorithm, whether the track is enciphered, zeros.
    fn security(&self, held: &Held, pin: Option<&PinBlock>) -> [u8; 16] {
        let format = if pin.is_some() { b'2' } else { b'0' };
        let algorithm = match (held.keys.layout(), self.setup.algorithm) {
            (KeyLayout::Des24, _) => b'0',
            (_, Algorithm::Des) => b'6',
            (_, Algorithm::Sm4) => b'3',
        };
        let track = match self.profile.track {
            TrackLine::Clear => b'0',
            TrackLine::Enciphered => b'1',
        };
        let mut digits = [b'0'; 16];
        digits.iter_mut().zip([format, algorithm, track]).for_each(|(to, from)| *to = from);
        digits
    }

    /// Field 60: type, batch, 000, what the terminal reads, chip condition, partial approval, and
    /// for points, whose.
    fn f60(&self, draft: &Draft<'_>) -> String {
        let is_partial =
            draft.may_be_partial && self.profile.partial == PartialApproval::Understood;
        let (code, partial) = (Digits(*draft.row.code), u8::from(is_partial));
        let scheme = draft.scheme.map_or("", Scheme::code);
        format!("{code}{}00060{partial}{scheme}", self.batch)
    }
}

fn pin_block(held: &Held, card: &CardNumber, pin: &Pin) -> Result<PinBlock, TerminalError> {
    let pan = Pan12::from_pan(card.digits().as_bytes());
    Ok(held.keys.pin_block(pin.digits().as_bytes(), PinFormat::WithPan, pan.as_ref())?)
}

/// Field 22: how the card was read, and whether a PIN came with it.
const fn entry_mode(entry: &Entry, has_pin: bool) -> [u8; 3] {
    let read = match entry {
        Entry::Manual => b'1',
        Entry::Stripe | Entry::StripeWithPan => b'2',
        Entry::Chip(_) => b'5',
    };
    [b'0', read, if has_pin { b'1' } else { b'2' }]
}
