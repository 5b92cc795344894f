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

/// The flag of domestic cards, the last of the first 31 digits.
fn reconciled(f48: &[u8]) -> Option<Reconciled> {
    match f48.get(30)? {
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

/// Groups of 20 characters: account type, amount type, currency, sign, amount. The available
/// amount (type 02) is preferred, else the first stands.
fn balance(f54: &[u8]) -> Option<i64> {
    let (groups, _) = f54.as_chunks::<20>();
    let available = groups.iter().find(|group| group.get(2..4) == Some(&b"02"[..]));
    let group = available.or(groups.first())?;
    let amount: i64 = str::from_utf8(group.get(8..)?).ok()?.parse().ok()?;
    match group.get(7)? {
        b'C' => Some(amount),
        b'D' => amount.checked_neg(),
        _ => None,
    }
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
    }
}
