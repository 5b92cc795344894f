//! The requests a terminal sends, written field by field.

use codec::{BuildError, Dialect, MessageBuilder, write_frame};

use super::content::{COMPANY, Content};
use super::slip::{Imprint, Reference, Totals};
use super::{Owed, Terminal, TerminalError};
use crate::ids::Stan;

/// Yuan (field 49).
const CURRENCY: &[u8] = b"156";
/// The longest PIN the terminal takes (field 26).
const PIN_LENGTH: &[u8] = b"12";
impl Terminal {
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
            if content.has_sequence {
                message.digits(23, b"001")?;
            }
            message.digits(25, &content.condition)?;
            if content.pin.is_some() {
                message.digits(26, PIN_LENGTH)?;
            }
            if let Some(track) = &content.track {
                message.digits(35, track)?;
            }
            write_link(message, &content.reference)?;
            self.write_names(message)?;
            if let Some(f48) = &content.f48 {
                message.digits(48, f48)?;
            }
            message.text(49, CURRENCY)?;
            if let Some(pin) = &content.pin {
                message.binary(52, pin)?;
            }
            if let Some(security) = &content.security {
                message.digits(53, security)?;
            }
            if let Some(chip) = &content.chip {
                message.binary(55, chip)?;
            }
            message.digits(60, content.f60.as_bytes())?;
            if let Some(f61) = &content.reference.f61 {
                message.digits(61, f61.as_bytes())?;
            }
            if let Some(f62) = &content.f62 {
                message.binary(62, f62)?;
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
            write_entry(message, imprint)?;
            message.digits(25, owed.kind.row().condition)?;
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
                let itself = format!("{}{}", imprint.batch, imprint.stan);
                message.digits(61, itself.as_bytes())?;
            }
            Ok(())
        })
    }

    /// Writes a request from what was kept of a transaction.
    pub(super) fn write_kept(
        &self,
        out: &mut Vec<u8>,
        kept: &Kept<'_>,
    ) -> Result<(), TerminalError> {
        self.write_with_mac(out, kept.mti, |message| self.write_kept_fields(message, kept))
    }

    /// The same without message code, for an upload.
    pub(super) fn write_detail(
        &self,
        out: &mut Vec<u8>,
        kept: &Kept<'_>,
    ) -> Result<(), TerminalError> {
        self.write(out, |body| {
            let mut message = MessageBuilder::start(Dialect::unionpay_pos(), body, kept.mti)?;
            self.write_kept_fields(&mut message, kept)?;
            message.finish()
        })
    }

    fn write_kept_fields(
        &self,
        message: &mut MessageBuilder<'_>,
        kept: &Kept<'_>,
    ) -> Result<(), BuildError> {
        let imprint = kept.imprint;
        message.digits(2, imprint.card.digits().as_bytes())?;
        message.digits(3, imprint.processing.as_bytes())?;
        message.number(4, imprint.amount.0)?;
        message.number(11, imprint.stan.get().into())?;
        if let Some(expiry) = imprint.expiry {
            message.digits(14, expiry.as_bytes())?;
        }
        write_entry(message, imprint)?;
        message.digits(25, kept.condition)?;
        write_link(message, kept.reference)?;
        self.write_names(message)?;
        if let Some(f48) = kept.f48 {
            message.digits(48, f48.as_bytes())?;
        }
        message.text(49, CURRENCY)?;
        if let Some(f55) = kept.f55 {
            message.binary(55, f55)?;
        }
        message.digits(60, kept.f60.as_bytes())?;
        if let Some(f61) = &kept.reference.f61 {
            message.digits(61, f61.as_bytes())?;
        }
        if let Some(f62) = kept.f62 {
            message.text(62, f62.as_bytes())?;
        }
        if kept.has_company {
            message.text(63, COMPANY)?;
        }
        Ok(())
    }

    /// Writes a management request: no message code.
    pub(super) fn write_management(
        &self,
        out: &mut Vec<u8>,
        request: &Management<'_>,
    ) -> Result<(), TerminalError> {
        let mut f60 = format!("00{}", self.batch).into_bytes();
        f60.extend_from_slice(request.function);
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

/// A request made of what was kept of a transaction.
pub(super) struct Kept<'k> {
    pub(super) mti: &'k [u8; 4],
    pub(super) condition: &'k [u8; 2],
    pub(super) imprint: &'k Imprint,
    pub(super) reference: &'k Reference,
    pub(super) f48: Option<&'k str>,
    pub(super) f55: Option<&'k [u8]>,
    pub(super) f60: &'k str,
    pub(super) f62: Option<&'k str>,
    pub(super) has_company: bool,
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

/// Fields 22 and 23: how the card was read.
fn write_entry(message: &mut MessageBuilder<'_>, imprint: &Imprint) -> Result<(), BuildError> {
    message.digits(22, imprint.entry_mode.as_bytes())?;
    if imprint.has_sequence {
        message.digits(23, b"001")?;
    }
    Ok(())
}

/// Fields 37 and 38, as far as they are known.
fn write_link(message: &mut MessageBuilder<'_>, reference: &Reference) -> Result<(), BuildError> {
    if let Some(rrn) = &reference.rrn {
        message.text(37, rrn.as_bytes())?;
    }
    if let Some(auth) = &reference.auth {
        message.text(38, auth.as_bytes())?;
    }
    Ok(())
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
