//! What a request says, read and checked for form. Nothing here knows a key, a card or a clock.

use codec::{Message, ParseError};
use domain::shard::Original;
use domain::terms::{Amount, AuthCode, BatchNo, Expiry, MerchantId, Pan, Rrn, Stan, TerminalId};
use domain::txn::Totals;
use keys::PinFormat;

use super::matrix::Codes;
use super::response::ResponseCode;

/// Where a request comes from, as far as it can be read.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The terminal (F41).
    pub terminal: TerminalId,
    /// The merchant (F42).
    pub merchant: MerchantId,
}

impl Origin {
    /// Reads terminal and merchant, or `None` if one of them is missing or malformed.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<Self> {
        let terminal = TerminalId::parse(message.text(41)?)?;
        let merchant = MerchantId::parse(message.text(42)?)?;
        Some(Self { terminal, merchant })
    }
}

/// Returns the digits that tell what a request is.
#[must_use]
pub fn codes(message: &Message<'_>) -> Codes {
    let mut digits = [0_u8; 17];
    let field_60 = message.digits(60).and_then(|f| f.copy_to(&mut digits)).unwrap_or_default();
    Codes {
        mti: *message.mti().as_bytes(),
        processing: exact(message, 3),
        condition: exact(message, 25),
        kind: field_60.first_chunk().copied(),
        network: field_60.get(8..11).and_then(|part| part.try_into().ok()),
        account: field_60.get(14..17).and_then(|part| part.try_into().ok()),
    }
}

/// Returns the batch number (F60.2).
#[must_use]
pub fn batch(message: &Message<'_>) -> Option<BatchNo> {
    let number = message.digits(60)?.slice(2..8)?.to_u64()?;
    BatchNo::new(u32::try_from(number).ok()?)
}

/// Returns the trace number (F11).
#[must_use]
pub fn stan(message: &Message<'_>) -> Option<Stan> {
    Stan::new(u32::try_from(message.number(11)?).ok()?)
}

/// Returns the amount (F4).
#[must_use]
pub fn amount(message: &Message<'_>) -> Option<Amount> {
    Some(Amount::from_fen(i64::try_from(message.number(4)?).ok()?))
}

/// True if the card is not there: an order by mail or telephone (F25 08).
#[must_use]
pub fn is_by_mail(message: &Message<'_>) -> bool {
    message.number(25) == Some(8)
}

/// True for a pre-authorisation that adds to another (F25 60).
#[must_use]
pub fn is_addition(message: &Message<'_>) -> bool {
    message.number(25) == Some(60)
}

/// True if the terminal takes a part where there is not enough for all, and shows what is left
/// (F60.6).
#[must_use]
pub fn takes_part(message: &Message<'_>) -> bool {
    message.digits(60).is_some_and(|digits| digits.get(13) == b'1' && digits.len() > 13)
}

/// Checks what the dialect leaves open: fields the row needs, trace number, local time and date,
/// and fields that no request carries.
///
/// # Errors
/// [`ResponseCode::FORMAT_ERROR`] and the number of the field.
pub fn check_form(message: &Message<'_>, must: &[u8]) -> Result<(), (ResponseCode, u8)> {
    let format = |field| (ResponseCode::FORMAT_ERROR, field);
    if let Some(&field) = must.iter().find(|&&field| !message.has(field)) {
        return Err(format(field));
    }
    if message.has(11) && stan(message).is_none() {
        return Err(format(11));
    }
    if message.has(60) && batch(message).is_none() && !is_echo(message) {
        return Err(format(60));
    }
    let in_range = |field, from: usize, min: u64, max: u64| {
        let part = message.digits(field).and_then(|d| d.slice(from..from.saturating_add(2)));
        part.and_then(|part| part.to_u64()).is_none_or(|part| (min..=max).contains(&part))
    };
    if !(in_range(12, 0, 0, 23) && in_range(12, 2, 0, 59) && in_range(12, 4, 0, 59)) {
        return Err(format(12));
    }
    if message.has(13) && !message.digits(13).is_some_and(|date| is_date(date.to_u64())) {
        return Err(format(13));
    }
    let is_reversal = matches!(message.mti().as_bytes(), [_, b'4', ..]);
    if message.has(39) && !is_reversal {
        return Err(format(39));
    }
    if message.digits(2).is_some_and(|pan| !has_usual_filler(message, pan.len())) {
        return Err(format(2));
    }
    Ok(())
}

/// Checks the tags of F55, those inside others too.
///
/// # Errors
/// The first that is no tag, is nested too deep, or comes twice at one level.
pub fn check_chip(message: &Message<'_>) -> Result<(), ParseError> {
    let Some(tags) = message.tlv(55) else { return Ok(()) };
    tags.check()?;
    for inner in tags.nested() {
        let (_depth, inner) = inner?;
        if inner.tag.is_constructed() {
            codec::tlv::Reader::new(codec::FieldNo(55), inner.offset, inner.value).check()?;
        }
    }
    Ok(())
}

/// True if the card's chip was read, by contact or without (F22 05, 07).
#[must_use]
pub fn is_by_chip(message: &Message<'_>) -> bool {
    let entered = message.digits(22).and_then(|mode| mode.slice(0..2)?.to_u64());
    matches!(entered, Some(5 | 7))
}

/// Returns what the terminal's clock shows (F13, F12): month, day, hour, minute, second.
#[must_use]
pub fn local_time(message: &Message<'_>) -> Option<[i8; 5]> {
    let part = |field, from: usize| {
        let digits = message.digits(field)?.slice(from..from.saturating_add(2))?;
        i8::try_from(digits.to_u64()?).ok()
    };
    Some([part(13, 0)?, part(13, 2)?, part(12, 0)?, part(12, 2)?, part(12, 4)?])
}

/// An echo may come from a terminal that has no batch yet.
fn is_echo(message: &Message<'_>) -> bool {
    message.mti().as_bytes() == b"0820"
}

/// A card number of odd length is filled up with 0; some terminals write F.
fn has_usual_filler(message: &Message<'_>, digits: usize) -> bool {
    let last = message.raw(2).and_then(<[u8]>::last).map_or(0, |byte| byte & 0x0F);
    digits.is_multiple_of(2) || matches!(last, 0x0 | 0xF)
}

/// True for a day that some year has.
fn is_date(mmdd: Option<u64>) -> bool {
    let Some(mmdd) = mmdd else { return false };
    let (month, day) = (mmdd.wrapping_div(100), mmdd.wrapping_rem(100));
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Checks that the currency (F49) is the yuan.
///
/// # Errors
/// [`ResponseCode::INVALID_TRANSACTION`].
pub fn check_currency(message: &Message<'_>) -> Result<(), (ResponseCode, u8)> {
    let is_yuan = message.text(49) == Some(b"156");
    if is_yuan { Ok(()) } else { Err((ResponseCode::INVALID_TRANSACTION, 49)) }
}

/// A card as a request names it.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Its number.
    pub pan: Pan,
    /// The expiry that the track or F14 tells.
    pub expiry: Option<Expiry>,
}

/// The clear digits of track 2, where F35 came encrypted.
pub type Track = [u8; 37];

/// Reads the card from F2 and track 2. `track` is F35 as ASCII digits, clear.
///
/// # Errors
/// Malformed track: [`ResponseCode::FORMAT_ERROR`]; no, or two different, or an impossible card
/// number: [`ResponseCode::INVALID_CARD`].
pub fn card(message: &Message<'_>, track: Option<&[u8]>) -> Result<Card, (ResponseCode, u8)> {
    let mut digits = [0_u8; 19];
    let keyed = message.digits(2).and_then(|f| f.copy_to(&mut digits));
    let keyed = keyed
        .map(|digits| Pan::parse(digits).map_err(|_| (ResponseCode::INVALID_CARD, 2)))
        .transpose()?;
    let swiped = track.map(read_track).transpose()?;
    let told = message.number(14).and_then(|yymm| u16::try_from(yymm).ok());
    let told = told
        .map(|yymm| Expiry::from_yymm(yymm).ok_or((ResponseCode::FORMAT_ERROR, 14)))
        .transpose()?;
    match (keyed, swiped) {
        (None, None) => Err((ResponseCode::FORMAT_ERROR, 2)),
        (Some(pan), None) => Ok(Card { pan, expiry: told }),
        (None, Some(card)) => Ok(card),
        (Some(pan), Some(card)) if pan == card.pan => Ok(card),
        (Some(_), Some(_)) => Err((ResponseCode::INVALID_CARD, 35)),
    }
}

/// True if F2 and track 2 both name a card, and not the same.
#[must_use]
pub fn names_two_cards(message: &Message<'_>, track: Option<&[u8]>) -> bool {
    let mut digits = [0_u8; 19];
    let keyed = message.digits(2).and_then(|f| f.copy_to(&mut digits));
    let swiped = track.and_then(|track| track.split(|&d| d == b'D' || d == b'=').next());
    keyed.zip(swiped).is_some_and(|(keyed, swiped)| *keyed != *swiped)
}

/// Reads a track 2: number, separator, expiry, service code, discretionary digits.
fn read_track(track: &[u8]) -> Result<Card, (ResponseCode, u8)> {
    let malformed = (ResponseCode::FORMAT_ERROR, 35);
    let mut parts = track.split(|&digit| digit == b'D' || digit == b'=');
    let (Some(number), Some(rest), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed);
    };
    let pan = Pan::parse(number).map_err(|_| (ResponseCode::INVALID_CARD, 35))?;
    let yymm = rest.get(..4).and_then(|yymm| std::str::from_utf8(yymm).ok());
    let yymm: u16 = yymm.and_then(|yymm| yymm.parse().ok()).ok_or(malformed)?;
    // A card without an expiry has zeros there.
    let expiry =
        if yymm == 0 { Expiry::NEVER } else { Expiry::from_yymm(yymm).ok_or(malformed)? };
    Ok(Card { pan, expiry: Some(expiry) })
}

/// A PIN as a request carries it.
#[derive(Clone, Copy, Debug)]
pub struct PinField<'f> {
    /// The enciphered block: eight bytes, or sixteen under SM4.
    pub block: &'f [u8],
    /// How it was made (F53.1).
    pub format: PinFormat,
}

/// Reads the PIN, if there is one. Under SM4 the block travels in F63 and F52 is zero.
///
/// # Errors
/// [`ResponseCode::FORMAT_ERROR`] if block, entry mode (F22) and security field (F53) contradict
/// each other.
pub fn pin<'f>(message: &Message<'f>) -> Result<Option<PinField<'f>>, (ResponseCode, u8)> {
    let entered = message.digits(22).map(|mode| mode.get(2));
    let Some(block) = message.raw(52) else {
        let claims_one = entered == Some(b'1');
        return if claims_one { Err((ResponseCode::FORMAT_ERROR, 52)) } else { Ok(None) };
    };
    if entered == Some(b'2') {
        return Err((ResponseCode::FORMAT_ERROR, 22));
    }
    let control = message.digits(53).ok_or((ResponseCode::FORMAT_ERROR, 53))?;
    let format = match control.get(0) {
        b'1' => PinFormat::WithoutPan,
        b'2' => PinFormat::WithPan,
        _ => return Err((ResponseCode::FORMAT_ERROR, 53)),
    };
    let block = match control.get(1) {
        b'3' | b'4' => sm4_block(message).ok_or((ResponseCode::FORMAT_ERROR, 63))?,
        _ => block,
    };
    Ok(Some(PinField { block, format }))
}

/// Finds usage "SM" in F63: two letters, three digits of length, the block.
fn sm4_block<'f>(message: &Message<'f>) -> Option<&'f [u8]> {
    let field = message.raw(63)?;
    let at = field.windows(5).position(|window| window == b"SM016")?;
    field.get(at.checked_add(5)?..)?.get(..16)
}

/// True if F35 is enciphered (F53.3).
#[must_use]
pub fn has_encrypted_track(message: &Message<'_>) -> bool {
    message.has(35) && message.digits(53).is_some_and(|control| control.get(2) == b'1')
}

/// Reads what a void or refund says of its original: F37, F38, F61.
#[must_use]
pub fn original(message: &Message<'_>) -> Original {
    let part = |range| {
        let number = message.digits(61)?.slice(range)?.to_u64()?;
        u32::try_from(number).ok()
    };
    Original {
        rrn: message.text(37).and_then(Rrn::parse),
        auth: message.text(38).and_then(|code| code.try_into().ok()).map(AuthCode),
        batch: part(0..6).and_then(BatchNo::new),
        stan: part(6..12).and_then(Stan::new),
        other_card: false,
    }
}

/// Reads the totals of domestic cards a terminal claims (F48, digits 1 to 30). Those of foreign
/// cards must be nothing: this switch has none.
#[must_use]
pub fn totals(message: &Message<'_>) -> Option<Totals> {
    let field = message.digits(48)?;
    let sum = |range: std::ops::Range<usize>| field.slice(range)?.to_u64();
    let count = |range: std::ops::Range<usize>| u32::try_from(sum(range)?).ok();
    let money = |range| Some(Amount::from_fen(i64::try_from(sum(range)?).ok()?));
    if field.len() != 62 {
        return None;
    }
    Some(Totals {
        debit: money(0..12)?,
        debit_count: count(12..15)?,
        credit: money(15..27)?,
        credit_count: count(27..30)?,
    })
}

/// Reads the details of an upload (F48): a count, then class, trace number, card number and
/// amount of each. The card numbers are passed over.
#[must_use]
pub fn details(message: &Message<'_>) -> Option<Vec<(Stan, Amount)>> {
    const DETAIL: usize = 40;
    let field = message.digits(48)?;
    let count = usize::try_from(field.slice(0..2)?.to_u64()?).ok()?;
    if field.len() != count.checked_mul(DETAIL)?.checked_add(2)? {
        return None;
    }
    (0..count)
        .map(|place| {
            let from = place.checked_mul(DETAIL)?.checked_add(2)?;
            let detail = field.slice(from..from.checked_add(DETAIL)?)?;
            let stan = Stan::new(u32::try_from(detail.slice(2..8)?.to_u64()?).ok()?)?;
            let amount = i64::try_from(detail.slice(28..40)?.to_u64()?).ok()?;
            Some((stan, Amount::from_fen(amount)))
        })
        .collect()
}

/// Returns the code that answers a message that cannot be read: a malformed card number is an
/// invalid card, all else a format error.
#[must_use]
pub fn code_of(error: &ParseError) -> ResponseCode {
    let is_digit =
        matches!(error.fault, codec::Fault::NotADigit(_) | codec::Fault::NotADecimalNibble(_));
    if is_digit && error.field.0 == 2 {
        ResponseCode::INVALID_CARD
    } else {
        ResponseCode::FORMAT_ERROR
    }
}

fn exact<const N: usize>(message: &Message<'_>, field: u8) -> Option<[u8; N]> {
    let mut digits = [0_u8; N];
    message.digits(field)?.copy_to(&mut digits)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_read_or_refused() {
        let read = |track: &[u8]| read_track(track).map(|card| card.expiry.and_then(Expiry::yymm));
        assert_eq!(read(b"6212142000000000012D29122010000000000"), Ok(Some(2912)));
        assert_eq!(read(b"6212142000000000012=0000"), Ok(None));
        for (track, code) in [
            (&b"62121420000000000122912201"[..], ResponseCode::FORMAT_ERROR),
            (b"6212142000000000012D2912D201", ResponseCode::FORMAT_ERROR),
            (b"6212142000000000012D2913201", ResponseCode::FORMAT_ERROR),
            (b"6212142000000000012D29", ResponseCode::FORMAT_ERROR),
            (b"6212142000000000013D2912201", ResponseCode::INVALID_CARD),
        ] {
            assert_eq!(read(track), Err((code, 35)));
        }
    }

    #[test]
    fn dates_are_days_of_some_year() {
        for (mmdd, is) in [(229, true), (231, false), (1231, true), (1301, false), (100, false)] {
            assert_eq!(is_date(Some(mmdd)), is, "{mmdd}");
        }
    }
}
