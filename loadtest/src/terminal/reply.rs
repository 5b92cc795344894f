//! What an answer says.

use codec::{Dialect, Envelope, FrameError, Message, Mti, ParseError};

use super::slip::Digits;
use crate::code::Code;
use crate::fen::Fen;
use crate::ids::{BatchNo, Stan};

/// An answer, as far as a terminal looks at it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The message type.
    pub mti: Mti,
    /// The trace number (field 11).
    pub stan: Option<Stan>,
    /// The batch (field 60.2).
    pub batch: Option<BatchNo>,
    /// The response code (field 39). A settlement's answer has none.
    pub code: Option<Code>,
    /// The reference (field 37).
    pub rrn: Option<String>,
    /// The authorisation code (field 38).
    pub auth_code: Option<String>,
    /// The amount (field 4).
    pub amount: Option<Fen>,
    /// What the card may spend, in fen (field 54); negative if overdrawn.
    pub balance_fen: Option<i64>,
    /// The points a card has (field 54).
    pub points: Option<u64>,
    /// The most that may be loaded, of an account verification (field 62).
    pub loadable: Option<Fen>,
    /// What is still to be paid after a partial approval (field 63).
    pub rest_due: Option<Fen>,
    /// What the host wants displayed (field 63).
    pub display: Option<String>,
    /// The local date (field 13): MMDD.
    pub date: Option<Digits<4>>,
    /// The local time (field 12): hhmmss.
    pub time: Option<Digits<6>>,
    /// How a settlement ended (field 48).
    pub reconciled: Option<Reconciled>,
    /// How many details an upload's answer acknowledges (field 48).
    pub accepted: Option<u32>,
    /// What the host asks the terminal to do next (header, digit 6); 3 is to sign on.
    pub requirement: u8,
}

/// What the host says of a batch's totals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reconciled {
    /// They agree with its own.
    Balanced,
    /// They do not.
    Unbalanced,
    /// It could not tell.
    Failed,
}

/// Why bytes are not an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// The frame's TPDU or header.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The message.
    #[error(transparent)]
    Message(#[from] ParseError),
}

impl Reply {
    /// Reads an answer: a frame without its length.
    ///
    /// # Errors
    /// If it is not a message of the dialect.
    pub fn read(frame: &[u8]) -> Result<Self, Unreadable> {
        let envelope = Envelope::parse(frame)?;
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body)?;
        Ok(Self::of(&message, envelope.header.requirement()))
    }

    pub(super) fn of(message: &Message<'_>, requirement: u8) -> Self {
        let text = |field| {
            let bytes = message.text(field)?;
            Some(String::from_utf8_lossy(bytes).trim_end().to_owned())
        };
        let code = message.text(39).and_then(|bytes| bytes.try_into().ok()).map(Code);
        let remark = message.text(63).and_then(remark);
        let rest_due = remark.as_deref().and_then(|text| digits_of(text.strip_prefix("DUE")?));
        let mut digits = [0; 62];
        let f48 = message.digits(48).and_then(|field| field.copy_to(&mut digits));
        Self {
            mti: message.mti(),
            stan: message.number(11).and_then(|n| Stan::new(u32::try_from(n).ok()?)),
            batch: batch(message),
            code,
            rrn: text(37),
            auth_code: text(38),
            amount: message.number(4).map(Fen),
            balance_fen: message.text(54).and_then(balance),
            points: message.text(54).and_then(points),
            loadable: message
                .text(62)
                .filter(|_| message.mti().as_bytes() == b"0110")
                .and_then(|text| digits_of(str::from_utf8(text).ok()?))
                .map(Fen),
            display: remark.filter(|_| rest_due.is_none()),
            rest_due: rest_due.map(Fen),
            date: fixed(message, 13),
            time: fixed(message, 12),
            reconciled: f48.filter(|f48| f48.len() == 62).and_then(reconciled),
            accepted: f48.filter(|f48| f48.len() < 62).and_then(accepted),
            requirement,
        }
    }

    /// True if the terminal takes it as success. A settlement's answer is one without a code.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code.map_or(self.mti.as_bytes() == b"0510", Code::is_success)
    }
}

fn fixed<const N: usize>(message: &Message<'_>, field: u8) -> Option<Digits<N>> {
    let mut digits = [0; N];
    Digits::new(message.digits(field)?.copy_to(&mut digits)?)
}

fn batch(message: &Message<'_>) -> Option<BatchNo> {
    let number = message.digits(60)?.slice(2..8)?.to_u64()?;
    BatchNo::new(u32::try_from(number).ok()?)
}

/// The flag of domestic cards, the last of the first 31 digits, and that of foreign ones, the last
/// of all, which counts if it objects.
fn reconciled(f48: &[u8]) -> Option<Reconciled> {
    let (domestic, foreign) = (f48.get(30)?, f48.last()?);
    match if matches!(foreign, b'2' | b'3') { foreign.max(domestic) } else { domestic } {
        b'1' => Some(Reconciled::Balanced),
        b'2' => Some(Reconciled::Unbalanced),
        b'3' => Some(Reconciled::Failed),
        _ => None,
    }
}

/// The count at the front: two digits of an upload, four at its end.
fn accepted(f48: &[u8]) -> Option<u32> {
    let count = if f48.len() == 4 { f48 } else { f48.get(..2)? };
    str::from_utf8(count).ok()?.parse().ok()
}

/// What the issuer says, in 20 characters after the card's company.
fn remark(f63: &[u8]) -> Option<String> {
    let end = f63.len().min(23);
    let text = String::from_utf8_lossy(f63.get(3..end)?).trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

/// Twelve digits.
fn digits_of(text: &str) -> Option<u64> {
    let is_number = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The account type of points in field 54.
const POINTS: &[u8] = b"65";

/// Groups of 20 characters: account type, amount type, currency, sign, amount. The available
/// amount (type 02) is preferred, else the first stands. Points are no money.
fn balance(f54: &[u8]) -> Option<i64> {
    let (groups, _) = f54.as_chunks::<20>();
    let mut money = groups.iter().filter(|group| !group.starts_with(POINTS));
    let available = money.clone().find(|group| group.get(2..4) == Some(&b"02"[..]));
    let group = available.or_else(|| money.next())?;
    let amount: i64 = str::from_utf8(group.get(8..)?).ok()?.parse().ok()?;
    match group.get(7)? {
        b'C' => Some(amount),
        b'D' => amount.checked_neg(),
        _ => None,
    }
}

fn points(f54: &[u8]) -> Option<u64> {
    let (groups, _) = f54.as_chunks::<20>();
    let group = groups.iter().find(|group| group.starts_with(POINTS))?;
    digits_of(str::from_utf8(group.get(8..)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_has_a_sign_and_the_available_amount_wins() {
        assert_eq!(balance(b"3002156C000000123456"), Some(123_456));
        assert_eq!(balance(b"3002156D000000000100"), Some(-100));
        assert_eq!(balance(b"3001156C0000000009003002156C000000000700"), Some(700));
        assert_eq!(balance(b"3002156X000000000100"), None);
        assert_eq!(balance(b"30"), None);
    }

    #[test]
    fn points_are_told_from_money() {
        let both = b"6502999C0000000000423002156C000000000700";
        assert_eq!((balance(both), points(both)), (Some(700), Some(42)));
        assert_eq!(balance(b"6502999C000000000042"), None);
        assert_eq!(points(b"3002156C000000000700"), None);
    }

    #[test]
    fn the_remark_is_what_follows_the_company() {
        assert_eq!(remark(b"CUPEL2 not enough       and more").as_deref(), Some("EL2 not enough"));
        assert_eq!(remark(b"CUP   "), None);
        assert_eq!(remark(b"CU"), None);
        assert_eq!(digits_of("000000004000"), Some(4000));
        assert_eq!(digits_of("00000000400"), None);
    }

    #[test]
    fn the_flag_of_domestic_cards_counts() {
        let f48 = |flag| {
            let mut digits = [b'0'; 62];
            digits[30] = flag;
            reconciled(&digits)
        };
        assert_eq!(f48(b'1'), Some(Reconciled::Balanced));
        assert_eq!(f48(b'2'), Some(Reconciled::Unbalanced));
        assert_eq!(f48(b'3'), Some(Reconciled::Failed));
        assert_eq!(f48(b'0'), None);
        let mut digits = [b'0'; 62];
        (digits[30], digits[61]) = (b'1', b'2');
        assert_eq!(reconciled(&digits), Some(Reconciled::Unbalanced));
    }
}
