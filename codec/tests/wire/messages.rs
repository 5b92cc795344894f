//! Real messages say what they are known to say, and are written again byte for byte.

use crate::vectors::{self, Vector};
use codec::field::Content;
use codec::{Dialect, Envelope, Limits, Message, MessageBuilder, cut, write_frame};

/// What the field holds, as the vector files write it.
fn written(message: &Message<'_>, field: u8) -> String {
    let format = message.dialect().format(field).unwrap();
    let raw = message.raw(field).unwrap();
    if let Some(digits) = message.digits(field) {
        let mut buffer = [0; 400];
        assert_eq!(digits.copy_to(&mut buffer).unwrap(), digits.iter().collect::<Vec<_>>());
        let text: String = digits.iter().map(char::from).collect();
        if format.is_packed() {
            return text;
        }
        // In characters a separator may be written in two ways; the file keeps the one there was.
        assert_eq!(text, String::from_utf8_lossy(raw).replace('=', "D"));
        return String::from_utf8(raw.to_vec()).unwrap();
    }
    let printable = raw.iter().all(|byte| (b' '..=b'~').contains(byte));
    if format.content == Content::Text && printable {
        return format!("\"{}\"", str::from_utf8(raw).unwrap());
    }
    codec::printable::hex(raw)
}

#[test]
fn every_field_of_every_message_is_read() {
    for vector in vectors::all() {
        let message = Message::parse(vector.dialect, vector.body()).unwrap();
        assert_eq!(message.mti().as_str(), vector.mti, "{}", vector.title);
        let fields: Vec<(u8, String)> =
            message.fields().map(|field| (field.0, written(&message, field.0))).collect();
        assert_eq!(fields, vector.fields, "{}", vector.title);
    }
}

/// Writes the message from the values in the file.
fn rebuild(vector: &Vector) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mti = vector.mti.as_bytes().try_into().unwrap();
    let mut builder = MessageBuilder::start(vector.dialect, &mut buffer, mti).unwrap();
    for (field, value) in &vector.fields {
        let format = vector.dialect.format(*field).unwrap();
        if format.is_numeric() {
            builder.digits(*field, value.as_bytes()).unwrap();
        } else if let Some(text) = value.strip_prefix('"') {
            builder.text(*field, text.strip_suffix('"').unwrap().as_bytes()).unwrap();
        } else {
            builder.binary(*field, &vectors::bytes(value)).unwrap();
        }
    }
    builder.finish().unwrap();
    buffer
}

#[test]
fn every_message_is_built_from_its_values() {
    for vector in vectors::all() {
        assert_eq!(rebuild(&vector), vector.body(), "{}", vector.title);
    }
}

#[test]
fn every_message_is_copied_field_by_field() {
    for vector in vectors::all() {
        let message = Message::parse(vector.dialect, vector.body()).unwrap();
        let mut buffer = Vec::new();
        let mut builder =
            MessageBuilder::start(vector.dialect, &mut buffer, message.mti().as_bytes()).unwrap();
        for field in 0..=200 {
            builder.copy(&message, field).unwrap();
        }
        builder.finish().unwrap();
        assert_eq!(buffer, vector.body(), "{}", vector.title);
    }
}

#[test]
fn every_frame_is_taken_apart_and_put_together() {
    let mut frames = 0;
    for vector in vectors::all().iter().filter(|vector| vector.at == 13) {
        let cut = cut(&vector.bytes, &Limits::default()).unwrap().unwrap();
        let envelope = Envelope::parse(cut.frame).unwrap();
        let mut buffer = b"before".to_vec();
        write_frame(&mut buffer, envelope.tpdu, envelope.header, |buffer| {
            buffer.extend_from_slice(&rebuild(vector));
            Ok(())
        })
        .unwrap();
        assert_eq!(&buffer[6..], vector.bytes, "{}", vector.title);
        frames += 1;
    }
    assert!(frames >= 20);
}

#[test]
fn a_sale_is_read_as_a_switch_reads_it() {
    let vector = vectors::titled("golden: sale request of a chip card");
    let sale = Message::parse(vector.dialect, vector.body()).unwrap();
    assert_eq!(sale.number(4), Some(10_000));
    assert_eq!(sale.number(11), Some(2));
    assert_eq!(sale.digits(22).unwrap(), *b"051");
    assert_eq!(sale.digits(60).unwrap().slice(2..8).unwrap().to_u64(), Some(1));
    assert_eq!(sale.digits(60).unwrap().slice(14..17), None);
    let track = sale.digits(35).unwrap();
    let separator = track.separator().unwrap();
    assert_eq!(track.slice(0..separator), sale.digits(2).or(track.slice(0..separator)));
    assert_eq!(sale.text(49), Some(&b"156"[..]));
    assert_eq!(sale.raw(38), None);
    let input = sale.mac_input().unwrap();
    assert_eq!(input.len(), vector.body().len() - 8);
    assert!(vector.body().starts_with(input));
    let amount = sale.tlv(55).unwrap().find(codec::tlv::Tag::new(0x9F02).unwrap()).unwrap();
    assert_eq!(amount.unwrap().value, [0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_message_that_does_not_end_in_its_code_has_no_mac_input() {
    let vector = vectors::titled("sign-on response, software version 22");
    assert_eq!(Message::parse(vector.dialect, vector.body()).unwrap().mac_input(), None);
    let vector = vectors::titled("new MAC key");
    let input = Message::parse(vector.dialect, vector.body()).unwrap().mac_input().unwrap();
    assert_eq!(input.len(), vector.body().len() - 8);
}

#[test]
fn a_code_is_made_over_a_bitmap_that_announces_it() {
    for (dialect, field) in [("unionpay-pos", 64), ("iso87-bcd", 128), ("iso87-ascii", 128)] {
        let dialect = Dialect::builtin(dialect).unwrap();
        let mut buffer = b"before".to_vec();
        let mut seen = Vec::new();
        let mut builder = MessageBuilder::start(dialect, &mut buffer, b"0210").unwrap();
        builder.number(11, 42).unwrap().text(39, b"00").unwrap();
        builder
            .finish_with_mac(field, |input| {
                seen = input.to_vec();
                *b"01234567"
            })
            .unwrap();
        let message = Message::parse(dialect, &buffer[6..]).unwrap();
        assert_eq!(message.mac_input(), Some(&seen[..]));
        assert_eq!(message.raw(field), Some(&b"01234567"[..]));
        assert_eq!(message.number(11), Some(42));
        assert_eq!(message.text(39), Some(&b"00"[..]));
    }
}

#[test]
fn fillers_are_kept() {
    let dialect = Dialect::unionpay_pos();
    let mut buffer = Vec::new();
    let mut builder = MessageBuilder::start(dialect, &mut buffer, b"0200").unwrap();
    builder.digits_filled(2, b"6212142000000000012", 0xF).unwrap();
    builder.digits_filled(22, b"021", 0xF).unwrap();
    builder.digits_filled(23, b"001", 0xF).unwrap();
    builder.digits_filled(35, b"6212142000000000012D2512", 0).unwrap();
    builder.digits_filled(60, b"00000001003", 7).unwrap();
    builder.finish().unwrap();
    let hex = codec::printable::hex(&buffer[10..]);
    assert_eq!(hex, "196212142000000000012F021FF001246212142000000000012D25120011000000010037");
    let message = Message::parse(dialect, &buffer).unwrap();
    assert_eq!(message.digits(2).unwrap(), *b"6212142000000000012");
    assert_eq!(message.digits(22).unwrap(), *b"021");
    assert_eq!(message.number(23), Some(1));
    assert_eq!(message.digits(60).unwrap(), *b"00000001003");
}
