//! The requests a terminal sends, field by field.

use codec::{BuildError, Dialect, MessageBuilder, write_frame};
use keys::{Algorithm, KeyLayout, Pan12, PinBlock, PinFormat};

use super::chip::{self, Kernel};
use super::slip::{Digits, Imprint, Totals};
use super::{Entry, Held, Owed, PartialApproval, Presented, Terminal, TerminalError, TrackLine};
use crate::fen::Fen;
use crate::ids::{BatchNo, CardNumber, Expiry, Stan};

/// Yuan (field 49).
const CURRENCY: &[u8] = b"156";
/// The longest PIN the terminal takes (field 26).
const PIN_LENGTH: &[u8] = b"12";
/// Ordinary presentment (field 25).
const CONDITION: &[u8] = b"00";

/// A transaction type: what fields MTI, 3 and 60.1 say of it.
pub(super) struct Type {
    pub(super) mti: &'static [u8; 4],
    pub(super) processing: [u8; 6],
    pub(super) code: &'static [u8; 2],
}

pub(super) const BALANCE: Type = Type { mti: b"0200", processing: *b"310000", code: b"01" };
pub(super) const SALE: Type = Type { mti: b"0200", processing: *b"000000", code: b"22" };
pub(super) const VOID: Type = Type { mti: b"0200", processing: *b"200000", code: b"23" };
pub(super) const REFUND: Type = Type { mti: b"0220", processing: *b"200000", code: b"25" };

/// What a request says of the transaction it refers to.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    /// Field 37.
    pub(super) rrn: Vec<u8>,
    /// Field 38, if the original had one.
    pub(super) auth: Option<Vec<u8>>,
    /// Field 61.
    pub(super) f61: Vec<u8>,
    /// Field 63.
    pub(super) company: Option<&'static [u8]>,
}

/// Everything of a financial request but its trace number.
pub(super) struct Content {
    mti: &'static [u8; 4],
    processing: [u8; 6],
    amount: Option<Fen>,
    card: CardNumber,
    shows_card: bool,
    expiry: Option<Expiry>,
    entry_mode: [u8; 3],
    track: Option<Vec<u8>>,
    pin: Option<[u8; 8]>,
    security: Option<[u8; 16]>,
    chip: Option<Vec<u8>>,
    chip_of_reversal: Option<Vec<u8>>,
    f60: [u8; 14],
    reference: Option<Reference>,
    f63: Option<Vec<u8>>,
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
            has_sequence: self.chip.is_some(),
            chip: self.chip_of_reversal.clone(),
            f60: Digits(self.f60),
        }
    }

    pub(super) const fn amount(&self) -> Option<Fen> {
        self.amount
    }
}

impl Terminal {
    /// Gathers the fields of a financial request.
    pub(super) fn content(
        &self,
        of: &Type,
        presented: &Presented<'_>,
        amount: Option<Fen>,
        reference: Option<Reference>,
    ) -> Result<Content, TerminalError> {
        let held = self.keys.as_ref().ok_or(TerminalError::NotSignedOn)?;
        let Presented { card, expiry, entry, pin } = *presented;
        let track = self.track(held, presented)?;
        let pin = match pin {
            None => None,
            Some(pin) => {
                let pan = Pan12::from_pan(card.digits().as_bytes());
                let block = held.keys.pin_block(
                    pin.digits().as_bytes(),
                    PinFormat::WithPan,
                    pan.as_ref(),
                )?;
                Some(block)
            }
        };
        let kernel = self.kernel();
        let kind = of.processing.first().map_or(0, |digit| (digit & 0x0F) << 4);
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
        let company = reference.as_ref().and_then(|reference| reference.company);
        Ok(Content {
            mti: of.mti,
            processing: of.processing,
            amount,
            card: card.clone(),
            shows_card: !is_bare,
            expiry: expiry.filter(|_| !is_bare),
            entry_mode: entry_mode(&entry, pin.is_some()),
            track,
            security,
            chip,
            chip_of_reversal,
            f60: self.f60(of),
            reference,
            f63: match &pin {
                Some(PinBlock::Sm4(block)) => Some([b"SM016", &block[..]].concat()),
                Some(PinBlock::Des(_)) | None => company.map(<[u8]>::to_vec),
            },
            // An SM4 block has no room here: field 63 carries it.
            pin: pin.map(|pin| match pin {
                PinBlock::Des(block) => block,
                PinBlock::Sm4(_) => [0; 8],
            }),
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

    /// Field 60: type, batch, 000, what the terminal reads, chip condition, partial approval.
    fn f60(&self, of: &Type) -> [u8; 14] {
        let partial = match (self.profile.partial, of.code) {
            (PartialApproval::Understood, b"22") => b'1',
            _ => b'0',
        };
        let text = [of.code, &self.batch_digits()[..], b"00060", &[partial]].concat();
        text.try_into().unwrap_or([b'0'; 14])
    }

    fn batch_digits(&self) -> [u8; 6] {
        six(self.batch.get())
    }

    /// Writes a financial request.
    pub(super) fn write_financial(
        &self,
        out: &mut Vec<u8>,
        content: &Content,
        stan: Stan,
    ) -> Result<(), TerminalError> {
        self.write_with_mac(out, content.mti, |message| {
            if content.shows_card {
                message.digits(2, content.card.digits().as_bytes())?;
            }
            message.digits(3, &content.processing)?;
            if let Some(amount) = content.amount {
                message.number(4, amount.0)?;
            }
            message.number(11, stan.get().into())?;
            if let Some(expiry) = content.expiry {
                message.digits(14, expiry.as_bytes())?;
            }
            message.digits(22, &content.entry_mode)?;
            if content.chip.is_some() {
                message.digits(23, b"001")?;
            }
            message.digits(25, CONDITION)?;
            if content.pin.is_some() {
                message.digits(26, PIN_LENGTH)?;
            }
            if let Some(track) = &content.track {
                message.digits(35, track)?;
            }
            if let Some(reference) = &content.reference {
                message.text(37, &reference.rrn)?;
                if let Some(auth) = &reference.auth {
                    message.text(38, auth)?;
                }
            }
            self.write_names(message)?.text(49, CURRENCY)?;
            if let Some(pin) = &content.pin {
                message.binary(52, pin)?;
            }
            if let Some(security) = &content.security {
                message.digits(53, security)?;
            }
            if let Some(chip) = &content.chip {
                message.binary(55, chip)?;
            }
            message.digits(60, &content.f60)?;
            if let Some(reference) = &content.reference {
                message.digits(61, &reference.f61)?;
            }
            if let Some(f63) = &content.f63 {
                message.binary(63, f63)?;
            }
            Ok(())
        })
    }

    /// Writes a reversal.
    pub(super) fn write_reversal(
        &self,
        out: &mut Vec<u8>,
        owed: &Owed,
    ) -> Result<(), TerminalError> {
        let imprint = &owed.imprint;
        self.write_with_mac(out, b"0400", |message| {
            message.digits(2, imprint.card.digits().as_bytes())?;
            message.digits(3, imprint.processing.as_bytes())?;
            message.number(4, imprint.amount.0)?;
            message.number(11, imprint.stan.get().into())?;
            if let Some(expiry) = imprint.expiry {
                message.digits(14, expiry.as_bytes())?;
            }
            message.digits(22, imprint.entry_mode.as_bytes())?;
            if imprint.has_sequence {
                message.digits(23, b"001")?;
            }
            message.digits(25, CONDITION)?;
            if let Some(auth) = &owed.auth {
                message.text(38, auth.as_bytes())?;
            }
            message.text(39, owed.reason.code())?;
            self.write_names(message)?.text(49, CURRENCY)?;
            if let Some(chip) = &imprint.chip {
                message.binary(55, chip)?;
            }
            message.digits(60, imprint.f60.as_bytes())?;
            if owed.names_itself() {
                let itself = [six(imprint.batch.get()), six(imprint.stan.get())].concat();
                message.digits(61, &itself)?;
            }
            Ok(())
        })
    }

    /// Writes a management request: no message code.
    pub(super) fn write_management(
        &self,
        out: &mut Vec<u8>,
        request: &Management<'_>,
    ) -> Result<(), TerminalError> {
        let f60 = [&b"00"[..], &self.batch_digits(), request.function].concat();
        self.write(out, |body| {
            let mut message = MessageBuilder::start(Dialect::unionpay_pos(), body, &request.mti)?;
            if let Some(stan) = request.stan {
                message.number(11, stan.get().into())?;
            }
            self.write_names(&mut message)?;
            if let Some(f48) = request.f48 {
                message.digits(48, f48)?;
            }
            if request.has_currency {
                message.text(49, CURRENCY)?;
            }
            message.digits(60, &f60)?;
            if let Some(f62) = request.f62 {
                message.binary(62, f62)?;
            }
            if request.has_operator {
                message.text(63, &self.profile.operator)?;
            }
            message.finish()
        })
    }

    /// Field 62 of a sign-on: "Sequence No", the length, network licence and serial number.
    pub(super) fn identity(&self) -> Vec<u8> {
        let text = format!("{}{}", self.profile.licence, self.profile.serial);
        format!("Sequence No{:02}{text}", text.len()).into_bytes()
    }

    fn write_names<'m, 'b>(
        &self,
        message: &'m mut MessageBuilder<'b>,
    ) -> Result<&'m mut MessageBuilder<'b>, BuildError> {
        message.text(41, &self.setup.id.0)?.text(42, &self.setup.merchant.0)
    }

    /// Writes a frame whose message ends in field 64.
    fn write_with_mac(
        &self,
        out: &mut Vec<u8>,
        mti: &[u8; 4],
        fields: impl FnOnce(&mut MessageBuilder<'_>) -> Result<(), BuildError>,
    ) -> Result<(), TerminalError> {
        let held = self.keys.as_ref().ok_or(TerminalError::NotSignedOn)?;
        let mut failed = None;
        self.write(out, |body| {
            let mut message = MessageBuilder::start(Dialect::unionpay_pos(), body, mti)?;
            fields(&mut message)?;
            message.finish_with_mac(64, |bytes| {
                held.keys.mac(self.setup.mac, bytes).unwrap_or_else(|error| {
                    failed = Some(error);
                    [0; 8]
                })
            })
        })?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn write(
        &self,
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), BuildError>,
    ) -> Result<(), TerminalError> {
        Ok(write_frame(out, self.profile.tpdu, self.profile.header, body)?)
    }
}

/// A management request.
#[derive(Default)]
pub(super) struct Management<'r> {
    pub(super) mti: [u8; 4],
    pub(super) stan: Option<Stan>,
    /// Network management code (field 60.3).
    pub(super) function: &'r [u8],
    pub(super) f48: Option<&'r [u8]>,
    pub(super) f62: Option<&'r [u8]>,
    pub(super) has_currency: bool,
    pub(super) has_operator: bool,
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

/// Field 48 of a settlement: totals and flag of domestic cards, then of foreign ones, of which
/// there are none.
pub(super) fn f48_of(totals: &Totals) -> Vec<u8> {
    let Totals { debit, debit_count, credit, credit_count } = totals;
    format!("{:012}{debit_count:03}{:012}{credit_count:03}0{:031}", debit.0, credit.0, 0)
        .into_bytes()
}

/// Field 48 of an upload: the count, then each detail: domestic card, trace number, card number,
/// amount.
pub(super) fn f48_of_details<'d>(details: impl ExactSizeIterator<Item = &'d Imprint>) -> Vec<u8> {
    let head = format!("{:02}", details.len());
    let detail = |imprint: &Imprint| {
        format!("00{}{:0>20}{:012}", imprint.stan, imprint.card.digits(), imprint.amount.0)
    };
    details.fold(head, |text, imprint| text + &detail(imprint)).into_bytes()
}

/// Six decimal digits of a number below a million.
pub(super) fn six(number: u32) -> [u8; 6] {
    let mut rest = number;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    digits
}
