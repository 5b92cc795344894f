//! What somebody gives to `posp decode`, and what he is shown.

use codec::capture::{self, Capture, CaptureError, TextError};
use codec::describe::{Disclosure, Line, describe, table};
use codec::{Dialect, Message, printable};

use crate::message;

/// Text, or bytes that are made text, by the first byte: every character and every byte is
/// accounted for, and no card number is shown.
pub fn law(bytes: &[u8]) -> bool {
    let Some((choice, rest)) = bytes.split_first() else { return false };
    let text = if choice & 1 == 0 {
        String::from_utf8_lossy(rest).into_owned()
    } else {
        spelt(rest, choice & 2 != 0)
    };
    let read = capture::bytes(&text);
    is_spelt(&text, &read);
    let Ok(bytes) = read else { return false };
    let all = Dialect::builtin_names().filter_map(Dialect::builtin);
    let dialects: Vec<_> = match usize::from(choice >> 2) % 4 {
        0 => all.collect(),
        number => all.skip(number - 1).take(1).collect(),
    };
    let read = capture::read(&bytes, &dialects);
    match &read {
        Ok(capture) => is_all(capture, &bytes),
        Err(CaptureError::Length { stated, left }) => {
            assert_ne!(stated, left);
            assert_eq!(*left + 2, bytes.len());
        }
        Err(CaptureError::Foreign(_)) => {}
        Err(CaptureError::Message(error)) => {
            assert!(usize::from(error.offset) <= bytes.len(), "{error}");
            let is_bare = |dialect: &&Dialect| Message::parse(dialect, &bytes).is_ok();
            assert!(!dialects.iter().any(is_bare), "{error}, but all of it is a message");
        }
    }
    read.is_ok()
}

/// Bytes as people write them.
fn spelt(bytes: &[u8], with_spaces: bool) -> String {
    let hex = printable::hex(bytes);
    if !with_spaces {
        return hex;
    }
    let lower = hex.to_lowercase();
    let pairs = lower.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.collect::<Vec<_>>().join(" \n")
}

/// What is read from a text is what stands there; what is wrong with it stands there too.
fn is_spelt(text: &str, read: &Result<Vec<u8>, TextError>) {
    let digits = || text.chars().filter(|character| !character.is_whitespace());
    match *read {
        Ok(ref bytes) => {
            assert!(
                digits().map(|digit| digit.to_ascii_uppercase()).eq(printable::hex(bytes).chars())
            );
        }
        Err(TextError::NotADigit { place, character }) => {
            assert_eq!(text.chars().nth(place - 1), Some(character));
            let is_right = |c: char| c.is_whitespace() || c.is_ascii_hexdigit();
            assert!(!is_right(character) && text.chars().take(place - 1).all(is_right));
        }
        Err(TextError::HalfAByte { place }) => {
            assert!(digits().count() % 2 == 1 && digits().all(|digit| digit.is_ascii_hexdigit()));
            assert!(text.chars().skip(place).all(char::is_whitespace));
            assert_eq!(text.chars().nth(place - 1), digits().next_back());
        }
    }
}

/// No byte is lost, and none is shown that must not be.
fn is_all(capture: &Capture<'_>, bytes: &[u8]) {
    let framing = capture.framing;
    let mut before = Vec::new();
    if framing.length {
        before.extend(u16::try_from(bytes.len() - 2).unwrap().to_be_bytes());
    }
    before.extend(framing.tpdu.iter().flat_map(|tpdu| tpdu.0));
    before.extend(framing.line.unwrap_or_default());
    before.extend(framing.header.iter().flat_map(|header| header.0));
    assert_eq!(before.len(), framing.bytes());
    assert_eq!([before.as_slice(), capture.message.body()].concat(), bytes);
    message::holds(capture.message.dialect(), capture.message.body());
    let told = |disclosure| describe(&capture.message, disclosure);
    let (Ok(all), Ok(masked)) = (told(Disclosure::Full), told(Disclosure::Masked)) else {
        assert!(told(Disclosure::Full).is_err() && told(Disclosure::Masked).is_err());
        return;
    };
    let Some(pan) = capture.message.digits(2).filter(|pan| pan.len() >= 13) else { return };
    let pan: String = pan.iter().map(char::from).collect();
    assert!(table(capture, &all).contains(&pan));
    // Whoever writes the number elsewhere as well, in a remark, shows it himself.
    let is_elsewhere = |line: &Line<'_>| {
        line.field.0 != 2 && table(capture, std::slice::from_ref(line)).contains(&pan)
    };
    let is_before = table(capture, &[]).contains(&pan);
    if !is_before && !all.iter().any(is_elsewhere) {
        assert!(!table(capture, &masked).contains(&pan));
    }
}
