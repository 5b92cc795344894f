//! What happened, as a digest of everything, and as lines for whoever replays a seed.

use std::fmt::Write as _;

use codec::{Dialect, Envelope, Message};

use super::plan::Micros;

/// The history of a world.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    tells: bool,
}

impl Trace {
    /// `tells`: every line goes to standard output too.
    pub const fn new(tells: bool) -> Self {
        Self { digest: 0xCBF2_9CE4_8422_2325, tells }
    }

    /// A number that two different histories hardly ever share.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Notes that something happened to `bytes`. `line` is asked for only if somebody reads it.
    pub fn note(&mut self, at: Micros, bytes: &[u8], line: impl FnOnce() -> String) {
        // FNV-1a, a word at a time.
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        for word in words.chain([at, bytes.len() as u64]) {
            self.digest = (self.digest ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
        }
        if self.tells {
            println!("{:>5}.{:06} {}", at / 1_000_000, at % 1_000_000, line());
        }
    }
}

/// What links an answer to its request: class and trace number.
pub fn about(frame: &[u8]) -> String {
    let Ok(envelope) = Envelope::parse(frame) else { return String::new() };
    let Ok(message) = Message::parse(Dialect::unionpay_pos(), envelope.body) else {
        return String::new();
    };
    // The third digit tells a request from its answer.
    let mut text = format!("{} ", message.mti().as_str().get(..2).unwrap_or_default());
    if let Some(digits) = message.digits(11) {
        (0..digits.len()).for_each(|place| text.push(digits.get(place).into()));
    }
    text
}

/// The PIN block of a request.
pub fn pin_block(frame: &[u8]) -> Option<Vec<u8>> {
    let envelope = Envelope::parse(frame).ok()?;
    let message = Message::parse(Dialect::unionpay_pos(), envelope.body).ok()?;
    message.raw(52).map(<[u8]>::to_vec)
}

/// A message in a few words: type, and what tells requests apart. No card data.
pub fn brief(frame: &[u8]) -> String {
    let Ok(envelope) = Envelope::parse(frame) else { return "no frame".to_owned() };
    let Ok(message) = Message::parse(Dialect::unionpay_pos(), envelope.body) else {
        return "no message".to_owned();
    };
    let mut text = message.mti().as_str().to_owned();
    for (name, field) in [("f3", 3), ("fen", 4), ("stan", 11), ("f60", 60), ("f61", 61)] {
        if let Some(digits) = message.digits(field) {
            let _ = write!(text, " {name}=");
            (0..digits.len()).for_each(|place| text.push(digits.get(place).into()));
        }
    }
    for (name, field) in [("tid", 41), ("rrn", 37), ("auth", 38), ("rc", 39), ("f54", 54)] {
        if let Some(value) = message.text(field) {
            let _ = write!(text, " {name}={}", value.escape_ascii());
        }
    }
    if envelope.header.requirement() != 0 {
        let _ = write!(text, " asks={}", envelope.header.requirement());
    }
    text
}
