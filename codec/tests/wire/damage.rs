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

/// The places of a message at which any byte may stand.
fn free_places(vector: &Vector) -> BTreeSet<usize> {
    let message = Message::parse(vector.dialect, vector.body()).unwrap();
    let free = message.fields().filter(|field| {
        let content = vector.dialect.format(field.0).unwrap().content;
        matches!(content, Content::Text | Content::Binary)
    });
    free.flat_map(|field| {
        let start = usize::from(message.offset(field.0).unwrap());
        start..start + message.raw(field.0).unwrap().len()
    })
    .collect()
}

#[test]
fn every_byte_may_become_any_other() {
    let mut copy = Vec::new();
    let (mut messages, mut refused) = (0, 0);
    for vector in shapes() {
        let free = free_places(&vector);
        let mut body = vector.body().to_vec();
        for index in 0..body.len() {
            let right = body[index];
            let others = if free.contains(&index) { 1..=3 } else { 1..=255 };
            for other in others {
                body[index] = right.wrapping_add(other);
                match survives(vector.dialect, &body, &mut copy) {
                    true => messages += 1,
                    false => refused += 1,
                }
            }
            body[index] = right;
        }
    }
    assert!(messages > 100_000 && refused > 100_000, "{messages} messages, {refused} refused");
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
