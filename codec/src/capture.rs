//! Bytes as somebody captured them: whole frames, or what is left of them without length, TPDU or
//! header, in one of several dialects.

use std::fmt;

use crate::dialect::Dialect;
use crate::error::{Fault, ParseError};
use crate::framing::{
    Envelope, FrameError, HEADER_BYTES, Header, LENGTH_BYTES, TPDU_BYTES, Tpdu, foreign,
};
use crate::message::{Message, Mti};

/// A message found in captured bytes.
#[derive(Clone, Copy)]
pub struct Capture<'f> {
    /// What stood before it.
    pub framing: Framing<'f>,
    /// The message.
    pub message: Message<'f>,
}

impl fmt::Debug for Capture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}", self.message, self.message.dialect().name())
    }
}

/// What stood before a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Framing<'f> {
    /// Two bytes of length.
    pub length: bool,
    /// The TPDU.
    pub tpdu: Option<Tpdu>,
    /// Line numbers of a network access controller.
    pub line: Option<&'f [u8]>,
    /// The header.
    pub header: Option<Header>,
}

impl Framing<'_> {
    /// Bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = if self.length { LENGTH_BYTES } else { 0 };
        let tpdu = self.tpdu.map_or(0, |_| TPDU_BYTES);
        let line = self.line.map_or(0, <[u8]>::len);
        let header = self.header.map_or(0, |_| HEADER_BYTES);
        [length, tpdu, line, header].into_iter().fold(0, usize::saturating_add)
    }
}

/// Why a text is no bytes. Characters are counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    /// Something that stands in no hexadecimal text.
    #[error("character {place}: {character:?} is not a hexadecimal digit")]
    NotADigit {
        /// Where it stands.
        place: usize,
        /// What it is.
        character: char,
    },
    /// An odd count of digits.
    #[error("character {place}: the last byte has one digit only")]
    HalfAByte {
        /// Where the last digit stands.
        place: usize,
    },
}

/// Reads bytes in hexadecimal, with whitespace anywhere.
///
/// # Errors
/// The first character that cannot stand there.
pub fn bytes(text: &str) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut last = 0;
    for (place, character) in (1_usize..).zip(text.chars()).filter(|(_, c)| !c.is_whitespace()) {
        let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(TextError::NotADigit { place, character })?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => bytes.push(high | digit),
        }
        last = place;
    }
    if high.is_some() { Err(TextError::HalfAByte { place: last }) } else { Ok(bytes) }
}

/// Why no message was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CaptureError {
    /// The likeliest reading breaks off here.
    #[error(transparent)]
    Message(#[from] ParseError),
    /// The bytes are something else.
    #[error(transparent)]
    Foreign(FrameError),
    /// The message is whole, but the length before it is not that of the bytes after it.
    #[error("length at byte 0: says {stated} bytes, {left} follow")]
    Length {
        /// What the length says.
        stated: usize,
        /// Bytes after it.
        left: usize,
    },
}

/// Finds the message in `bytes`: with length, TPDU and header, without the length, with a header
/// alone, or bare; in the first of `dialects` by which it can be read.
///
/// # Errors
/// If there is no such reading: what is wrong with the likeliest.
pub fn read<'f>(bytes: &'f [u8], dialects: &[&'f Dialect]) -> Result<Capture<'f>, CaptureError> {
    let mut best: Option<(Score, Result<Capture<'f>, ParseError>)> = None;
    for framing in framings(bytes) {
        let body = bytes.get(framing.bytes()..).unwrap_or_default();
        for dialect in dialects {
            let salvaged = Message::salvage(dialect, body);
            let score = Score::of(&salvaged, &framing, bytes);
            if best.as_ref().is_none_or(|(other, _)| score > *other) {
                let read = salvaged.and_then(|(message, error)| match error {
                    None => Ok(Capture { framing, message }),
                    Some(error) => Err(error),
                });
                best = Some((score, read));
            }
        }
    }
    let (score, read) = best.ok_or(CaptureError::Message(ParseError {
        field: crate::FieldNo(0),
        offset: 0,
        fault: Fault::Short { needed: 2, left: 0 },
    }))?;
    if !score.is_message
        && let Some(error) = no_frame(bytes)
    {
        return Err(CaptureError::Foreign(error));
    }
    let capture = read?;
    match (capture.framing.length, stated(bytes)) {
        (true, Some((stated, left))) if stated != left => {
            Err(CaptureError::Length { stated, left })
        }
        _ => Ok(capture),
    }
}

/// How much speaks for a reading; the later parts count if the earlier are equal. Of readings for
/// which equally much speaks the first is taken, so dialects come in the order of their likelihood.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Score {
    /// All of it is a message.
    is_whole: bool,
    /// It begins like one.
    is_message: bool,
    /// Its length is right, or it has none.
    is_measured: bool,
    /// Bytes before the message.
    framing: usize,
}

impl Score {
    fn of(
        salvaged: &Result<(Message<'_>, Option<ParseError>), ParseError>,
        framing: &Framing<'_>,
        bytes: &[u8],
    ) -> Self {
        let (is_message, is_whole) = match salvaged {
            Ok((message, error)) => (is_likely(message.mti()), error.is_none()),
            Err(_) => (false, false),
        };
        let is_measured =
            !framing.length || stated(bytes).is_some_and(|(stated, left)| stated == left);
        Self { is_whole, is_message, is_measured, framing: framing.bytes() }
    }
}

/// Says whether the type is one of ISO 8583-1:1987: version 0, a class that is assigned.
fn is_likely(mti: Mti) -> bool {
    matches!(mti.as_bytes(), [b'0', b'1'..=b'8', ..])
}

/// What stands before the message, in every way that `bytes` allow; the longest first.
fn framings(bytes: &[u8]) -> impl Iterator<Item = Framing<'_>> {
    let after_length = bytes.get(LENGTH_BYTES..).and_then(|rest| framed(rest, true));
    let header = match bytes.first_chunk::<HEADER_BYTES>() {
        Some(header @ [0x60..=0x69, ..]) => {
            Some(Framing { header: Some(Header(*header)), ..Framing::default() })
        }
        _ => None,
    };
    let found = [after_length, framed(bytes, false), header, Some(Framing::default())];
    found.into_iter().flatten()
}

fn framed(bytes: &[u8], length: bool) -> Option<Framing<'_>> {
    let envelope = Envelope::parse(bytes).ok()?;
    let (tpdu, header) = (Some(envelope.tpdu), Some(envelope.header));
    Some(Framing { length, tpdu, line: envelope.line, header })
}

/// What else the bytes are, if they show it: another protocol, or a frame with an unknown header.
fn no_frame(bytes: &[u8]) -> Option<FrameError> {
    if let Some(error) = bytes.first_chunk().copied().and_then(foreign) {
        return Some(error);
    }
    let (stated, left) = stated(bytes)?;
    if stated != left {
        return None;
    }
    Envelope::parse(bytes.get(LENGTH_BYTES..)?).err()
}

/// The length before a frame, and that of the bytes after it.
fn stated(bytes: &[u8]) -> Option<(usize, usize)> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    Some((u16::from_be_bytes(*length).into(), rest.len()))
}
