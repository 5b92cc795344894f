//! Answers, built straight into the buffer that is sent.

use codec::{BuildError, Envelope, Header, Message, MessageBuilder, write_frame};
use domain::terms::{Amount, AuthCode, BatchNo, BusinessDate, Rrn, Timestamp};
use domain::txn::Totals;
use keys::WorkingKeys;

use super::matrix::{Row, Transaction};
use super::response::ResponseCode;
use crate::clock::Local;
use crate::facts::Facts;

/// What the host asks of a terminal in the header of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Requirement {
    /// Nothing.
    None,
    /// To sign on again. It wins over all others.
    SignOn,
    /// To download its parameters.
    Parameters,
    /// To report of itself.
    Status,
    /// To download the public keys of chip card schemes.
    CaKeys,
    /// To download the chip applications.
    Aids,
    /// To download the cards it must not take.
    Blacklist,
}

impl Requirement {
    /// Returns the digit that the header carries.
    #[must_use]
    pub const fn digit(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Parameters => 1,
            Self::Status => 2,
            Self::SignOn => 3,
            Self::CaKeys => 4,
            Self::Aids => 5,
            Self::Blacklist => 7,
        }
    }
}

/// What an answer says beside what it repeats of the request.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The response code; a settlement's answer has none.
    pub code: Option<ResponseCode>,
    /// When it was decided.
    pub at: Timestamp,
    /// The business date, once it belongs to one.
    pub date: BusinessDate,
    /// The reference.
    pub rrn: Reference,
    /// The authorisation code.
    pub auth: Option<AuthCode>,
    /// The amount, where it is another than asked for.
    pub amount: Option<Amount>,
    /// What is still due of the amount asked for.
    pub due: Option<Amount>,
    /// What is left on the card.
    pub left: Option<Left>,
    /// How much may be loaded onto the card.
    pub room: Option<Amount>,
    /// The totals of a settlement and whether they agree.
    pub totals: Option<(Totals, bool)>,
    /// How many details were taken in, in as many digits as the request has there.
    pub taken: Option<(u32, usize)>,
    /// The batch a terminal is to use.
    pub batch: Option<BatchNo>,
    /// Working keys, or what a terminal downloads: F62.
    pub f62: Option<&'a [u8]>,
    /// What the header asks of the terminal.
    pub requirement: Requirement,
}

/// What is left on a card (F54).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Left {
    /// Money.
    Money(Amount),
    /// Points.
    Points(Amount),
}

impl Left {
    /// Returns F54: the account, what is told of it, the currency, the sign and twelve digits. More
    /// than these hold is told as the most they do.
    fn text(self) -> [u8; 20] {
        // Points are in no currency.
        let (head, amount) = match self {
            Self::Money(amount) => (b"1002156", amount),
            Self::Points(points) => (b"6502999", points),
        };
        let mut text = [if amount < Amount::ZERO { b'D' } else { b'C' }; 20];
        let (front, digits) = text.split_at_mut(8);
        front.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        write_number(digits, amount.fen().unsigned_abs().min(999_999_999_999));
        text
    }
}

/// The reference of an answer (F37).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reference {
    /// Of an entry of the journal.
    Entry(Rrn),
    /// Of an answer that has no entry: a 9 and the time, so that it is told from the others.
    Moment(Timestamp),
}

impl Reference {
    /// Returns the twelve digits of F37.
    #[must_use]
    pub fn digits(self) -> [u8; 12] {
        let mut digits = [b'9'; 12];
        match self {
            Self::Entry(rrn) => {
                let (shard, number) = digits.split_at_mut(3);
                write_number(shard, u64::from(rrn.shard.0));
                write_number(number, u64::from(rrn.number));
            }
            Self::Moment(at) => {
                let [_nine, time @ ..] = &mut digits;
                write_number(time, at.0.rem_euclid(100_000_000_000).unsigned_abs());
            }
        }
        digits
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Reply<'_> {
    /// Returns an answer that only gives a code.
    #[must_use]
    pub const fn only(code: ResponseCode, at: Timestamp) -> Self {
        Self {
            code: Some(code),
            at,
            date: BusinessDate::ZERO,
            rrn: Reference::Moment(at),
            auth: None,
            amount: None,
            due: None,
            left: None,
            room: None,
            totals: None,
            taken: None,
            batch: None,
            f62: None,
            requirement: Requirement::None,
        }
    }
}

/// Appends the answer to `request` as a frame. `row` is the request's row, if it has one; `keys`
/// sign it where the row asks for that.
///
/// # Errors
/// If a field does not take what the reply says: a fault of this switch.
pub fn write(
    facts: &Facts,
    envelope: &Envelope<'_>,
    request: &Message<'_>,
    row: Option<&Row>,
    keys: Option<(&WorkingKeys, keys::MacAlgorithm)>,
    reply: &Reply<'_>,
    out: &mut Vec<u8>,
) -> Result<(), BuildError> {
    let header = header_of(envelope.header, reply.requirement.digit());
    let is_card = row.is_some_and(|row| row.mac);
    write_frame(out, envelope.tpdu.swapped(), header, |out| {
        let mti = answer_to(request.mti().as_bytes());
        let mut b = MessageBuilder::start(facts.dialect, out, &mti)?;
        fields_to_39(&mut b, facts, request, reply, is_card)?;
        b.copy(request, 41)?.copy(request, 42)?;
        if is_card {
            b.text(44, &institutions(&facts.issuer, &facts.acquirer))?;
        }
        fields_from_48(&mut b, request, row, reply)?;
        match keys.filter(|_| is_card) {
            Some((keys, algorithm)) => {
                let mut code = Ok([0; 8]);
                b.finish_with_mac(64, |bytes| {
                    code = facts.hsm.mac(keys, algorithm, bytes);
                    code.as_ref().copied().unwrap_or_default()
                })?;
                // An answer is never sent with a code that is none.
                let fault = codec::BuildFault::OtherContent;
                code.map(|_| ()).map_err(|_error| BuildError { field: codec::FieldNo(64), fault })
            }
            None => b.finish(),
        }
    })
}

const fn header_of(header: Header, requirement: u8) -> Header {
    header.with_requirement(requirement)
}

/// Returns the message type that answers `mti`: ten more; a repeat is answered like the first.
#[must_use]
pub const fn answer_to(mti: &[u8; 4]) -> [u8; 4] {
    let [version, class, function, _] = *mti;
    [version, class, function.wrapping_add(1), b'0']
}

fn fields_to_39(
    b: &mut MessageBuilder<'_>,
    facts: &Facts,
    request: &Message<'_>,
    reply: &Reply<'_>,
    is_card: bool,
) -> Result<(), BuildError> {
    let local: Local = facts.calendar.local(reply.at);
    if is_card {
        b.copy(request, 2)?;
    }
    b.copy(request, 3)?;
    match reply.amount {
        Some(amount) => _ = b.number(4, amount.fen().unsigned_abs())?,
        None => _ = b.copy(request, 4)?,
    }
    b.copy(request, 11)?;
    b.digits(12, &local.time)?.digits(13, &local.date)?;
    if is_card {
        b.copy(request, 14)?;
    }
    if reply.date != BusinessDate::ZERO && (is_card || reply.totals.is_some()) {
        b.number(15, u64::from(reply.date.mmdd()))?;
    }
    if is_card {
        b.copy(request, 23)?;
    }
    b.copy(request, 25)?;
    b.digits(32, facts.acquirer.as_bytes())?;
    b.text(37, &reply.rrn.digits())?;
    if let Some(auth) = reply.auth {
        b.text(38, &auth.0)?;
    }
    if let Some(code) = reply.code {
        b.text(39, &code.0)?;
    }
    Ok(())
}

fn fields_from_48(
    b: &mut MessageBuilder<'_>,
    request: &Message<'_>,
    row: Option<&Row>,
    reply: &Reply<'_>,
) -> Result<(), BuildError> {
    let mut text = [0_u8; 62];
    if let Some((totals, agree)) = &reply.totals {
        let mut foreign = [b'0'; 30];
        let told = request.digits(48).and_then(|f| f.slice(31..61));
        told.and_then(|told| told.copy_to(&mut foreign));
        b.digits(48, settlement(&mut text, totals, *agree, &foreign))?;
    }
    if let Some((taken, digits)) = reply.taken {
        b.digits(48, write_text(&mut text, format_args!("{taken:0digits$}")))?;
    }
    b.copy(request, 49)?;
    if let Some(left) = reply.left {
        b.text(54, &left.text())?;
    }
    match reply.batch {
        // The terminal adopts the batch number of a sign-on's answer.
        Some(batch) => {
            let mut asked = [b'0'; 17];
            let asked = request.digits(60).and_then(|f| f.copy_to(&mut asked));
            let network = asked.and_then(|digits| digits.get(8..11)).unwrap_or(b"000");
            let network = std::str::from_utf8(network).unwrap_or("000");
            b.digits(60, write_text(&mut text, format_args!("00{batch}{network}")))?;
        }
        None => _ = b.copy(request, 60)?,
    }
    if let Some(f62) = reply.f62 {
        b.binary(62, f62)?;
    }
    if let Some(room) = reply.room {
        b.text(62, write_text(&mut text, format_args!("{:012}", room.fen())))?;
    }
    // What is not offered, or unknown, is of a card if it says what to do with one.
    let is_shown = |row: &Row| matches!(row.transaction, Transaction::Card(_));
    if row.map_or_else(|| request.has(3), is_shown) {
        let shown = reply.code.map_or("", ResponseCode::shown);
        let mut shown_in_20 = *b"CUP                    ";
        let remark = match reply.due {
            Some(due) => write_text(&mut text, format_args!("CUPDUE{:012}     ", due.fen())),
            None if shown.is_empty() => b"CUP",
            None => {
                let room = shown_in_20.iter_mut().skip(3);
                room.zip(shown.bytes()).for_each(|(to, from)| *to = from);
                &shown_in_20
            }
        };
        b.text(63, remark)?;
    }
    Ok(())
}

/// Writes F48 of a settlement's answer: the terminal's totals of domestic and of foreign cards,
/// each with its flag (1 balanced, 2 not). This switch has no foreign cards, so only nothing
/// balances there.
fn settlement<'t>(
    text: &'t mut [u8; 62],
    totals: &Totals,
    agree: bool,
    foreign: &[u8; 30],
) -> &'t [u8] {
    let flag_of = |balanced| if balanced { 1 } else { 2 };
    let (flag, foreign_flag) = (flag_of(agree), flag_of(foreign.iter().all(|&d| d == b'0')));
    let foreign = std::str::from_utf8(foreign).unwrap_or_default();
    let Totals { debit, debit_count, credit, credit_count } = totals;
    write_text(
        text,
        format_args!(
            "{:012}{debit_count:03}{:012}{credit_count:03}{flag}{foreign}{foreign_flag}",
            debit.fen(),
            credit.fen(),
        ),
    )
}

/// Returns F44: who issued the card, and who took it in, eleven characters each.
fn institutions(issuer: &str, acquirer: &str) -> [u8; 22] {
    let mut text = [b' '; 22];
    for (room, code) in text.chunks_exact_mut(11).zip([issuer, acquirer]) {
        room.iter_mut().zip(code.bytes()).for_each(|(to, from)| *to = from);
    }
    text
}

/// Fills `room` with the last digits of a number. Every answer has several: this takes a tenth of
/// the time of the standard library's formatting.
fn write_number(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        let [last, ..] = (number % 10).to_le_bytes();
        *digit = b'0' | last;
        number /= 10;
    }
}

/// Writes `arguments` into `buffer` without a heap allocation; returns what was written.
fn write_text<'b>(buffer: &'b mut [u8], arguments: std::fmt::Arguments<'_>) -> &'b [u8] {
    use std::io::Write as _;
    let room = buffer.len();
    let mut rest = &mut *buffer;
    // Cut short only if a count outgrows its digits, which the field then refuses by its length.
    drop(rest.write_fmt(arguments));
    let written = room.saturating_sub(rest.len());
    buffer.get(..written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_repeat_is_that_to_the_first() {
        assert_eq!(answer_to(b"0200"), *b"0210");
        assert_eq!(answer_to(b"0401"), *b"0410");
        assert_eq!(answer_to(b"0820"), *b"0830");
    }

    #[test]
    fn a_settlement_has_sixty_two_digits() {
        let totals = Totals {
            debit: Amount::from_fen(15_000),
            debit_count: 2,
            credit: Amount::from_fen(3_000),
            credit_count: 1,
        };
        let mut text = [0; 62];
        let balanced = settlement(&mut text, &totals, true, &[b'0'; 30]).to_vec();
        assert_eq!(
            std::str::from_utf8(&balanced).unwrap(),
            "00000001500000200000000300000110000000000000000000000000000001"
        );
        let foreign = settlement(&mut text, &totals, false, &[b'1'; 30]);
        assert!(foreign.ends_with(b"12") && foreign[30] == b'2');
    }

    #[test]
    fn references_without_an_entry_are_told_apart() {
        assert_eq!(Reference::Moment(Timestamp(1_763_777_777_123)).to_string(), "963777777123");
        let rrn = Rrn::of(domain::terms::ShardNo(7), 1_000_000_042);
        assert_eq!(Reference::Entry(rrn).to_string(), rrn.to_string());
    }

    #[test]
    fn texts_of_fixed_length_are_filled() {
        assert_eq!(&institutions("03010000", "48020000"), b"03010000   48020000   ");
        assert_eq!(&Left::Money(Amount::from_fen(-105)).text(), b"1002156D000000000105");
        assert_eq!(&Left::Points(Amount::from_fen(7)).text(), b"6502999C000000000007");
    }
}
