//! A message, in each dialect.

use codec::describe::{Disclosure, Line, Value, describe};
use codec::field::Content;
use codec::tlv::write;
use codec::{Dialect, Fault, Message, MessageBuilder, ParseError, printable};

use crate::{masked, tlv};

/// A dialect, by the first byte, and a message: what is read can be written again, from its fields
/// and from what a person is shown of them; what cannot be read is wrong at a place that there is.
pub fn law(bytes: &[u8]) -> bool {
    let Some((choice, body)) = bytes.split_first() else { return false };
    let names: Vec<&str> = Dialect::builtin_names().collect();
    let name = names[usize::from(*choice) % names.len()];
    holds(Dialect::builtin(name).unwrap(), body)
}

/// The law, for one dialect.
pub(crate) fn holds(dialect: &Dialect, body: &[u8]) -> bool {
    let parsed = Message::parse(dialect, body);
    match Message::salvage(dialect, body) {
        Ok((message, error)) => {
            assert_eq!(error, parsed.err());
            read(&message);
        }
        Err(error) => assert_eq!(Some(error), parsed.err()),
    }
    match &parsed {
        Ok(message) => is_rebuilt(message),
        Err(error) => is_in(error, body),
    }
    parsed.is_ok()
}

/// A message is built again from its fields, and from all that is shown of it.
fn is_rebuilt(message: &Message<'_>) {
    let mut copy = Vec::new();
    let mti = message.mti();
    let mut builder = MessageBuilder::start(message.dialect(), &mut copy, mti.as_bytes()).unwrap();
    for field in message.fields() {
        builder.copy(message, field.0).unwrap();
    }
    builder.finish().unwrap();
    assert_eq!(copy, message.body());
    match describe(message, Disclosure::Full) {
        Ok(lines) => assert_eq!(rebuild(message, &lines), message.body()),
        Err(error) => is_in(&error, message.body()),
    }
}

/// A fault lies within the bytes, or right behind them.
fn is_in(error: &ParseError, body: &[u8]) {
    let offset = usize::from(error.offset);
    assert!(offset <= body.len(), "{error}: of {} bytes", body.len());
    match error.fault {
        Fault::Short { needed, left } => {
            assert!(needed > left && offset + usize::from(left) <= body.len(), "{error}");
        }
        Fault::Trailing { left } => assert_eq!(offset + usize::from(left), body.len(), "{error}"),
        _ => {}
    }
}

/// Reads every field in every way, and shows it.
fn read(message: &Message<'_>) {
    let mut buffer = [0; 999];
    for field in message.fields() {
        assert!(message.raw(field.0).is_some());
        if let Some(digits) = message.digits(field.0) {
            let text = digits.copy_to(&mut buffer).unwrap();
            assert!(digits.iter().eq(text.iter().copied()));
            assert_eq!(digits.to_u64(), str::from_utf8(text).unwrap().parse().ok());
        }
        if let Some(objects) = message.tlv(field.0) {
            tlv::holds(objects);
        }
    }
    if let Ok(lines) = describe(message, Disclosure::Masked) {
        masked::holds(message, &lines);
    }
}

/// Writes a message from what a person would be shown of it.
fn rebuild(message: &Message<'_>, lines: &[Line<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut builder =
        MessageBuilder::start(message.dialect(), &mut bytes, message.mti().as_bytes()).unwrap();
    for line in lines {
        let field = line.field.0;
        let content = message.dialect().format(field).unwrap().content;
        let filler = line.filler.and_then(|digit| digit.to_digit(16)).unwrap_or(0);
        let filler = u8::try_from(filler).unwrap();
        match (&line.value, content) {
            (Value::Text(text), Content::Digits | Content::Track) => {
                builder.digits_filled(field, text.as_bytes(), filler).unwrap();
            }
            (Value::Text(text), Content::Text) => {
                builder.binary(field, &printable::parse(text).unwrap()).unwrap();
            }
            (Value::Text(text), Content::Binary | Content::Tlv) => {
                assert_eq!(*text, printable::hex(message.raw(field).unwrap()));
                builder.copy(message, field).unwrap();
            }
            (Value::Objects(objects), _) => {
                let mut content = Vec::new();
                for (object, read) in objects.iter().zip(message.tlv(field).unwrap()) {
                    let value = read.unwrap().value;
                    assert_eq!(object.value, printable::hex(value));
                    write(&mut content, object.tag, value).unwrap();
                }
                builder.binary(field, &content).unwrap();
            }
        }
    }
    builder.finish().unwrap();
    bytes
}
