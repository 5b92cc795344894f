//! The POS line: frames, TPDU and header.
//!
//! A frame is a length of two bytes, most significant first, that does not count itself, then a
//! TPDU of five bytes, a header of six, and the message.

use std::fmt;

use crate::build::{BuildError, BuildFault};
use crate::field::FieldNo;

/// Bytes of the length before a frame.
pub const LENGTH_BYTES: usize = 2;
/// Bytes of a TPDU.
pub const TPDU_BYTES: usize = 5;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 6;
/// How a block of calling and called line numbers begins, which network access controllers put
/// between TPDU and header.
const LINE_MARK: [u8; 5] = *b"LRI\x00\x1C";
/// Bytes of that block.
pub const LINE_BYTES: usize = 33;

/// How long a frame may be, without its length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The shortest frame, in bytes.
    pub frame_min: usize,
    /// The longest frame, in bytes.
    pub frame_max: usize,
}

impl Default for Limits {
    /// TPDU, header, message type and bitmap at least; 2048 bytes at most.
    fn default() -> Self {
        Self { frame_min: 21, frame_max: 2048 }
    }
}

/// One frame at the front of a buffer. `Debug` shows sizes only.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Cut<'b> {
    /// The frame without its length.
    pub frame: &'b [u8],
    /// Bytes of the buffer it took, its length included.
    pub consumed: usize,
}

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cut({} bytes)", self.consumed)
    }
}

/// Why the bytes of a connection are not a frame. None of these can be answered: the connection is
/// closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// A length of zero. Some lines send it to keep a connection alive; a receiver that allows this
    /// skips [`LENGTH_BYTES`].
    #[error("frame length is 0")]
    Zero,
    /// Too short for TPDU, header, message type and bitmap.
    #[error("frame of {length} bytes is shorter than {min}")]
    Short {
        /// The frame's length, in bytes.
        length: usize,
        /// The shortest allowed.
        min: usize,
    },
    /// Longer than the line allows.
    #[error("frame of {length} bytes is longer than {max}")]
    TooLong {
        /// The frame's length, in bytes.
        length: usize,
        /// The longest allowed.
        max: usize,
    },
    /// An HTTP request.
    #[error("these bytes are an HTTP request, not a frame")]
    HttpOnIso,
    /// A TLS handshake.
    #[error("these bytes are a TLS handshake, but this line is plain")]
    TlsOnPlain,
    /// A length written in characters.
    #[error("frame length is written in characters; this line expects two binary bytes")]
    AsciiLength,
    /// The first byte of the TPDU is not 0x60.
    #[error("TPDU begins with 0x{0:02X}, not 0x60")]
    TpduUnknown(u8),
    /// The header's application class is not 60 to 69.
    #[error("header begins with 0x{0:02X}, not with an application class 60 to 69")]
    BadHeader(u8),
}

impl FrameError {
    /// A stable word for logs and counters.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Zero => "FRAME_ZERO",
            Self::Short { .. } => "FRAME_SHORT",
            Self::TooLong { .. } => "FRAME_TOO_LONG",
            Self::HttpOnIso => "HTTP_ON_ISO",
            Self::TlsOnPlain => "TLS_ON_PLAIN",
            Self::AsciiLength | Self::BadHeader(_) => "FRAME_BAD_HEADER",
            Self::TpduUnknown(_) => "TPDU_UNKNOWN",
        }
    }
}

/// Cuts the first frame from what a connection has received; `None` until all of it is there.
///
/// # Errors
/// As soon as the length is there, before any of the frame is: nothing is buffered for a frame that
/// will be refused.
#[inline]
pub fn cut<'b>(buffer: &'b [u8], limits: &Limits) -> Result<Option<Cut<'b>>, FrameError> {
    let Some((length, rest)) = buffer.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let bytes = usize::from(u16::from_be_bytes(*length));
    if bytes < limits.frame_min {
        return Err(match bytes {
            0 => FrameError::Zero,
            _ => FrameError::Short { length: bytes, min: limits.frame_min },
        });
    }
    if bytes > limits.frame_max {
        return Err(foreign(*length)
            .unwrap_or(FrameError::TooLong { length: bytes, max: limits.frame_max }));
    }
    let consumed = bytes.saturating_add(LENGTH_BYTES);
    Ok(rest.get(..bytes).map(|frame| Cut { frame, consumed }))
}

/// What an impossible length says about who is speaking.
pub(crate) const fn foreign(length: [u8; LENGTH_BYTES]) -> Option<FrameError> {
    match &length {
        b"\x16\x03" => Some(FrameError::TlsOnPlain),
        b"GE" | b"PO" | b"PU" | b"HE" | b"DE" | b"OP" | b"PA" | b"CO" | b"TR" | b"PR" => {
            Some(FrameError::HttpOnIso)
        }
        [b'0'..=b'9', b'0'..=b'9'] => Some(FrameError::AsciiLength),
        _ => None,
    }
}

/// Transport protocol data unit: 0x60, then the addresses of receiver and sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tpdu(pub [u8; TPDU_BYTES]);

impl Tpdu {
    /// The TPDU of the answer: receiver and sender change places.
    #[must_use]
    #[inline]
    pub const fn swapped(self) -> Self {
        let [id, to_high, to_low, from_high, from_low] = self.0;
        Self([id, from_high, from_low, to_high, to_low])
    }
}

/// Header: application class, software version, terminal state and processing requirement, then
/// the software's sub-version; twelve digits of BCD, of which the last six are free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header(pub [u8; HEADER_BYTES]);

impl Header {
    /// Terminal state, digit 5: 0 in use, 1 in training.
    #[must_use]
    pub const fn state(self) -> u8 {
        self.0[2] >> 4
    }

    /// Processing requirement, digit 6: what the host asks the terminal to do next.
    #[must_use]
    pub const fn requirement(self) -> u8 {
        self.0[2] & 0x0F
    }

    /// The same header with another processing requirement, of which the low four bits count.
    #[must_use]
    #[inline]
    pub const fn with_requirement(self, digit: u8) -> Self {
        let [class, version, state, a, b, c] = self.0;
        Self([class, version, (state & 0xF0) | (digit & 0x0F), a, b, c])
    }
}

/// A frame taken apart. `Debug` leaves the message out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Envelope<'f> {
    /// Where it goes and comes from.
    pub tpdu: Tpdu,
    /// Class, version and state of the terminal.
    pub header: Header,
    /// The message, from its type on.
    pub body: &'f [u8],
    /// The block of line numbers between TPDU and header, if there was one; answers leave it out.
    pub line: Option<&'f [u8]>,
}

impl<'f> Envelope<'f> {
    /// Takes a frame, without its length, apart.
    ///
    /// # Errors
    /// [`FrameError::Short`], [`FrameError::TpduUnknown`] or [`FrameError::BadHeader`].
    #[inline]
    pub fn parse(frame: &'f [u8]) -> Result<Self, FrameError> {
        let min = TPDU_BYTES.saturating_add(HEADER_BYTES);
        let short = FrameError::Short { length: frame.len(), min };
        let (tpdu, rest) = frame.split_first_chunk().ok_or(short)?;
        if tpdu[0] != 0x60 {
            return Err(FrameError::TpduUnknown(tpdu[0]));
        }
        let (line, rest) = if rest.starts_with(&LINE_MARK) {
            let (line, rest) = rest.split_at_checked(LINE_BYTES).ok_or(short)?;
            (Some(line), rest)
        } else {
            (None, rest)
        };
        let (header, body) = rest.split_first_chunk().ok_or(short)?;
        if !matches!(header[0], 0x60..=0x69) {
            return Err(FrameError::BadHeader(header[0]));
        }
        Ok(Self { tpdu: Tpdu(*tpdu), header: Header(*header), body, line })
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("tpdu", &self.tpdu)
            .field("header", &self.header)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Appends a frame whose message `body` writes. If `body` fails, or the frame would be longer than
/// its length can say, the buffer is as it was.
///
/// # Errors
/// What `body` returns, or [`BuildFault::TooLong`] on field 0.
pub fn write_frame(
    buffer: &mut Vec<u8>,
    tpdu: Tpdu,
    header: Header,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; LENGTH_BYTES]);
    buffer.extend_from_slice(&tpdu.0);
    buffer.extend_from_slice(&header.0);
    let written = body(buffer).and_then(|()| {
        let frame = buffer.get_mut(start..).unwrap_or_default();
        let (length, rest) = frame.split_at_mut(LENGTH_BYTES);
        let fault = BuildFault::TooLong { got: rest.len(), max: u16::MAX };
        let bytes =
            u16::try_from(rest.len()).map_err(|_| BuildError { field: FieldNo(0), fault })?;
        length.copy_from_slice(&bytes.to_be_bytes());
        Ok(())
    });
    if written.is_err() {
        buffer.truncate(start);
    }
    written
}
