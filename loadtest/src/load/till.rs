//! Who asks and hears under a load.

use std::sync::Arc;

use codec::{Dialect, Envelope, Message};

use crate::code::Code;
use crate::ids::{Stan, TerminalId};

/// A terminal at its line, or one of many at an acquirer's: it has one request under way at most.
pub trait Till: Send {
    /// Its number, by which its answers are found (field 41).
    fn terminal(&self) -> TerminalId;

    /// Writes the next request at the end of `out`, its length in front, and returns its trace
    /// number. `None`: there is nothing more to ask, and nothing was written.
    fn ask(&mut self, out: &mut Vec<u8>) -> Option<Stan>;

    /// Takes the answer to the request under way.
    fn hear(&mut self, answer: &Answer<'_>);

    /// No answer came, and none will be heard.
    fn miss(&mut self);
}

/// An answer that could be read.
pub struct Answer<'f> {
    /// The frame without its length.
    pub frame: &'f [u8],
    /// Its message.
    pub message: Message<'f>,
    /// The response code (field 39).
    pub code: Code,
}

impl<'f> Answer<'f> {
    /// Reads a frame without its length; `None` if it is no answer with a code.
    #[must_use]
    pub fn read(frame: &'f [u8]) -> Option<Self> {
        let envelope = Envelope::parse(frame).ok()?;
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).ok()?;
        let code = Code(message.text(39)?.try_into().ok()?);
        Some(Self { frame, message, code })
    }

    /// The terminal (field 41).
    #[must_use]
    pub fn terminal(&self) -> Option<TerminalId> {
        Some(TerminalId(self.message.text(41)?.try_into().ok()?))
    }

    /// True if it carries this trace number (field 11).
    #[must_use]
    pub fn has(&self, stan: Stan) -> bool {
        self.message.number(11) == Some(u64::from(stan.get()))
    }

    /// The reference (field 37).
    #[must_use]
    pub fn rrn(&self) -> Option<[u8; 12]> {
        self.message.text(37)?.try_into().ok()
    }
}

/// Frames that are sent over and over, for a server that does not look at them.
pub struct Carousel {
    terminal: TerminalId,
    frames: Arc<Vec<u8>>,
    at: usize,
}

impl Carousel {
    /// Sends these frames, one after the other, each with its length in front.
    #[must_use]
    pub const fn new(terminal: TerminalId, frames: Arc<Vec<u8>>) -> Self {
        Self { terminal, frames, at: 0 }
    }
}

impl Till for Carousel {
    fn terminal(&self) -> TerminalId {
        self.terminal
    }

    fn ask(&mut self, out: &mut Vec<u8>) -> Option<Stan> {
        let frame = match frame_at(&self.frames, self.at) {
            Some(frame) => frame,
            None => {
                self.at = 0;
                frame_at(&self.frames, 0)?
            }
        };
        out.extend_from_slice(frame);
        self.at = self.at.saturating_add(frame.len());
        Some(Stan::FIRST)
    }

    fn hear(&mut self, _answer: &Answer<'_>) {}

    fn miss(&mut self) {}
}

/// The frame that begins at `at`, its length in front.
fn frame_at(frames: &[u8], at: usize) -> Option<&[u8]> {
    let (length, _) = frames.get(at..)?.split_first_chunk::<2>()?;
    let end = at.saturating_add(usize::from(u16::from_be_bytes(*length))).saturating_add(2);
    frames.get(at..end)
}
