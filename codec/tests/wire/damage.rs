//! A damaged message is refused, or is another message: never a panic, never a byte lost.

use std::collections::BTreeSet;

use codec::describe::{Disclosure, describe};
use codec::field::Content;
use codec::{Dialect, Message, MessageBuilder};

use crate::vectors::{self, Vector};

/// Says whether `body` is a message; if it is one, copying it gives the same bytes.
fn survives(dialect: &Dialect, body: &[u8], copy: &mut Vec<u8>) -> bool {
    let Ok(message) = Message::parse(dialect, body) else {
        return false;
    };
    copy.clear();
    let mut builder = MessageBuilder::start(dialect, copy, message.mti().as_bytes()).unwrap();
    for field in message.fields() {
        builder.copy(&message, field.0).unwrap();
    }
    builder.finish().unwrap();
    assert_eq!(copy, body);
    true
}

/// Reads what can be read of `body` in every way there is.
fn salvage(dialect: &Dialect, body: &[u8]) {
    let parsed = Message::parse(dialect, body);
    match Message::salvage(dialect, body) {
        Err(error) => assert_eq!(Some(error), parsed.err()),
        Ok((message, error)) => {
            assert_eq!(error, parsed.err());
            read_all(&message);
        }
    }
}

fn read_all(message: &Message<'_>) {
    let mut buffer = [0; 999];
    for field in message.fields() {
        let raw = message.raw(field.0).unwrap();
        assert!(message.text(field.0).is_none_or(|text| text == raw));
        if let Some(digits) = message.digits(field.0) {
            let text = digits.copy_to(&mut buffer).unwrap();
            let encrypted = message.is_track_encrypted();
            let digit = |digit: &u8| digit.is_ascii_digit() || *digit == b'D' || encrypted;
            assert!(text.iter().all(digit));
            assert_eq!(digits.to_u64(), str::from_utf8(text).unwrap().parse().ok());
        }
        if let Some(objects) = message.tlv(field.0) {
            let whole = objects.filter(Result::is_ok).count();
            assert!(objects.check().is_ok_and(|count| count == whole) || objects.check().is_err());
            assert!(objects.nested().count() <= raw.len());
        }
    }
    for disclosure in [Disclosure::Masked, Disclosure::Full] {
        if let Ok(lines) = describe(message, disclosure) {
            assert_eq!(lines.len(), message.fields().count());
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let mut copy = Vec::new();
    for vector in vectors::all() {
        let body = vector.body();
        assert!(survives(vector.dialect, body, &mut copy), "{}", vector.title);
        for end in 0..body.len() {
            let cut = &body[..end];
            assert!(!survives(vector.dialect, cut, &mut copy), "{} to {end}", vector.title);
            salvage(vector.dialect, cut);
        }
    }
}

#[test]
fn every_addition_is_refused() {
    for vector in vectors::all() {
        for byte in [0x00, 0x30, 0xFF] {
            let mut body = vector.body().to_vec();
            body.push(byte);
            let error = Message::parse(vector.dialect, &body).unwrap_err();
            assert_eq!(error.code(), "TRAILING_BYTES", "{}", vector.title);
        }
    }
}

/// One message of each set of fields.
fn shapes() -> impl Iterator<Item = Vector> {
    let mut seen = BTreeSet::new();
    vectors::all().into_iter().filter(move |vector| {
        seen.insert(vector.fields.iter().map(|(field, _)| *field).collect::<Vec<u8>>())
    })
}

/// What may be put in place of each byte of a message, as differences to it: where any byte may
/// stand, three others; in packed digits, every other half byte on either side; everywhere else, in
/// type, bitmap and lengths, every other byte.
fn others(vector: &Vector) -> Vec<Vec<u8>> {
    let message = Message::parse(vector.dialect, vector.body()).unwrap();
    let mut others = vec![(1..=255).collect(); vector.body().len()];
    for field in message.fields() {
        let format = vector.dialect.format(field.0).unwrap();
        let differences: Vec<u8> = match format.content {
            Content::Text | Content::Binary | Content::Tlv => vec![0x01, 0x80, 0xFF],
            Content::Digits | Content::Track if format.is_packed() => {
                (1..16).chain((1..16).map(|high| high << 4)).collect()
            }
            Content::Digits | Content::Track => continue,
        };
        let start = usize::from(message.offset(field.0).unwrap());
        let end = start + message.raw(field.0).unwrap().len();
        others[start..end].fill(differences);
    }
    others
}

#[test]
fn every_byte_may_become_another() {
    let mut copy = Vec::new();
    let (mut messages, mut refused) = (0, 0);
    for vector in shapes() {
        let mut body = vector.body().to_vec();
        for (index, differences) in others(&vector).into_iter().enumerate() {
            for difference in differences {
                body[index] ^= difference;
                match survives(vector.dialect, &body, &mut copy) {
                    true => messages += 1,
                    false => refused += 1,
                }
                body[index] ^= difference;
            }
        }
    }
    assert!(messages > 50_000 && refused > 50_000, "{messages} messages, {refused} refused");
}

#[test]
fn what_is_left_of_a_damaged_message_can_be_read() {
    for vector in shapes() {
        let mut body = vector.body().to_vec();
        for index in 0..body.len() {
            let right = body[index];
            body[index] ^= 0xFF;
            salvage(vector.dialect, &body);
            body[index] = right;
        }
    }
}
