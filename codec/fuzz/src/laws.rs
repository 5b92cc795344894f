//! What holds for any bytes at all. The fuzzer looks for bytes for which it does not; a test holds it
//! for those that the fuzzer has found worth keeping.

use codec::describe::{Disclosure, Line, Value, describe};
use codec::field::Content;
use codec::tlv::{Reader, write};
use codec::{
    Dialect, Envelope, FieldNo, Limits, Message, MessageBuilder, cut, printable, write_frame,
};

/// A connection's first bytes: whatever is cut from them can be written again.
pub(crate) fn frame(bytes: &[u8]) {
    let limits = Limits::default();
    let Ok(Some(cut)) = cut(bytes, &limits) else {
        return;
    };
    assert_eq!(cut.consumed, cut.frame.len() + 2);
    assert!((limits.frame_min..=limits.frame_max).contains(&cut.frame.len()));
    let Ok(envelope) = Envelope::parse(cut.frame) else {
        return;
    };
    let mut again = Vec::new();
    write_frame(&mut again, envelope.tpdu, envelope.header, |buffer| {
        buffer.extend_from_slice(envelope.body);
        Ok(())
    })
    .unwrap();
    let line = envelope.line.map_or(0, <[u8]>::len);
    assert_eq!(again.len() + line, cut.consumed);
    assert!(line > 0 || again == bytes[..cut.consumed]);
    assert_eq!(envelope.tpdu.swapped().swapped(), envelope.tpdu);
    message_of(Dialect::unionpay_pos(), envelope.body);
}

/// A dialect, by the first byte, and a message.
pub(crate) fn message(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let names: Vec<&str> = Dialect::builtin_names().collect();
    let name = names[usize::from(*choice) % names.len()];
    message_of(Dialect::builtin(name).unwrap(), body);
}

fn message_of(dialect: &Dialect, body: &[u8]) {
    let parsed = Message::parse(dialect, body);
    if let Ok((message, error)) = Message::salvage(dialect, body) {
        assert_eq!(error, parsed.err());
        for field in message.fields() {
            assert!(message.raw(field.0).is_some());
        }
        read(&message);
    }
    let Ok(message) = parsed else {
        return;
    };
    let mut copy = Vec::new();
    let mut builder = MessageBuilder::start(dialect, &mut copy, message.mti().as_bytes()).unwrap();
    for field in message.fields() {
        builder.copy(&message, field.0).unwrap();
    }
    builder.finish().unwrap();
    assert_eq!(copy, body);
    if let Ok(lines) = describe(&message, Disclosure::Full) {
        assert_eq!(rebuild(&message, &lines), body);
    }
}

/// Reads every field in every way, and shows it.
fn read(message: &Message<'_>) {
    let mut buffer = [0; 999];
    for field in message.fields() {
        if let Some(digits) = message.digits(field.0) {
            let text = digits.copy_to(&mut buffer).unwrap();
            assert!(digits.iter().eq(text.iter().copied()));
            assert_eq!(digits.to_u64(), str::from_utf8(text).unwrap().parse().ok());
        }
        if let Some(objects) = message.tlv(field.0) {
            walk(objects);
        }
    }
    let Ok(lines) = describe(message, Disclosure::Masked) else {
        return;
    };
    let pan = message.digits(2).map(|pan| pan.iter().map(char::from).collect::<String>());
    for (line, pan) in lines.iter().filter(|line| line.field.0 == 2).zip(pan) {
        let shown = match &line.value {
            Value::Text(text) => text.bytes().filter(u8::is_ascii_digit).count(),
            Value::Objects(_) => 0,
        };
        assert!(shown <= 10 && line.wire.len() >= pan.len());
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

/// The content of a TLV field.
pub(crate) fn tlv(bytes: &[u8]) {
    if bytes.len() <= 999 {
        walk(Reader::new(FieldNo(55), 10, bytes));
    }
}

fn walk(reader: Reader<'_>) {
    let bytes = reader.bytes();
    let mut whole = true;
    let mut again = Vec::new();
    for object in reader {
        match object {
            Ok(object) => write(&mut again, object.tag, object.value).unwrap(),
            Err(_) => whole = false,
        }
    }
    assert!(again.len() <= bytes.len());
    // Written again they are the same objects, in as few bytes as they take.
    let objects = reader.flatten().map(|object| (object.tag, object.value));
    let twice = Reader::new(FieldNo(55), 0, &again);
    assert!(
        objects.eq(twice.map(|object| object.unwrap()).map(|object| (object.tag, object.value)))
    );
    assert!(whole || reader.check().is_err());
    assert!(reader.nested().count() <= bytes.len());
}
