//! What is wrong with a message is said where it is.

use codec::{BuildError, Dialect, Message, MessageBuilder};

use crate::vectors::bytes;

/// Each line: the bytes of a message, and what reading it says.
fn check(dialect: &str, table: &str) {
    let dialect = Dialect::builtin(dialect).unwrap();
    let mut lines = 0;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (hex, expected) = line.split_once(" -> ").unwrap();
        let body = bytes(hex);
        let (error, code) = match Message::parse(dialect, &body) {
            Ok(message) => (format!("{message:?}"), "-"),
            Err(error) => (error.to_string(), error.code()),
        };
        assert_eq!(format!("{error} ({code})"), expected, "{hex}");
        lines += 1;
    }
    assert!(lines > 0);
}

#[test]
fn in_bcd() {
    check(
        "unionpay-pos",
        "
        02 -> message type at byte 0: needs 2 bytes, 1 left (MTI_BAD)
        0A00 0000000000000000 -> message type at byte 0: nibble 0xA is not a digit (MTI_BAD)
        020F 0000000000000000 -> message type at byte 1: nibble 0xF is not a digit (MTI_BAD)
        0200 00000000000000 -> bitmap at byte 2: needs 8 bytes, 7 left (TRUNCATED)
        0200 8000000000000000 -> bitmap at byte 10: needs 8 bytes, 0 left (TRUNCATED)
        0200 8000000000000000 0000000000000000 -> bitmap at byte 10: second bitmap is empty (BITMAP_BAD)
        0200 8000000000000000 8000000000000000 -> field 65 at byte 18: is not a field of this dialect (FIELD_UNKNOWN)
        0200 8000000000000000 0000000000000001 3132333435363738 -> field 128 at byte 18: is not a field of this dialect (FIELD_UNKNOWN)
        0200 0000000000000000 -> 0200 {} (-)
        0200 0000000000000000 00 -> bitmap at byte 10: 1 bytes follow the last field (TRAILING_BYTES)
        0200 0000000001000000 000000 -> field 40 at byte 10: is not a field of this dialect (FIELD_UNKNOWN)

        0200 0000000001000000 -> field 40 at byte 10: is not a field of this dialect (FIELD_UNKNOWN)
        0200 0000000001000000 303030 -> field 40 at byte 10: is not a field of this dialect (FIELD_UNKNOWN)

        0200 0020000000000000 000001 -> 0200 {11} (-)
        0200 0020000000000000 0000 -> field 11 at byte 10: needs 3 bytes, 2 left (TRUNCATED)
        0200 0020000000000000 0000012A -> field 11 at byte 13: 1 bytes follow the last field (TRAILING_BYTES)
        0200 0020000000000000 00A001 -> field 11 at byte 11: nibble 0xA is not a digit (DIGIT_BAD)
        0200 0020000000000000 00000D -> field 11 at byte 12: nibble 0xD is not a digit (DIGIT_BAD)

        0200 0000040000000000 0210 -> 0200 {22} (-)
        0200 0000040000000000 021F -> 0200 {22} (-)
        0200 0000040000000000 0021 -> field 22 at byte 11: pad nibble 0x1 is neither 0 nor F (DIGIT_BAD)
        0200 0000020000000000 0001 -> 0200 {23} (-)
        0200 0000020000000000 F001 -> 0200 {23} (-)
        0200 0000020000000000 1001 -> field 23 at byte 10: pad nibble 0x1 is neither 0 nor F (DIGIT_BAD)

        0200 4000000000000000 -> field 2 at byte 10: needs 1 bytes, 0 left (TRUNCATED)
        0200 4000000000000000 1A -> field 2 at byte 10: length byte 0x1A is not decimal (LEN_BAD)
        0200 4000000000000000 A1 -> field 2 at byte 10: length byte 0xA1 is not decimal (LEN_BAD)
        0200 4000000000000000 20 62121420000000000120 -> field 2 at byte 10: length 20 exceeds 19 (LEN_BAD)
        0200 4000000000000000 19 621214200000000001 -> field 2 at byte 11: needs 10 bytes, 9 left (TRUNCATED)
        0200 4000000000000000 19 62121420000000000125 -> 0200 {2} (-)
        0200 4000000000000000 19 621214200000000001AF -> field 2 at byte 20: nibble 0xA is not a digit (DIGIT_BAD)
        0200 4000000000000000 00 -> 0200 {2} (-)

        0200 0000000020000000 05 12D340 -> 0200 {35} (-)
        0200 0000000020000000 05 12E340 -> field 35 at byte 12: nibble 0xE is not a digit (DIGIT_BAD)
        0200 0000000020000000 38 -> field 35 at byte 10: length 38 exceeds 37 (LEN_BAD)
        0200 0000000020000800 05 12E340 2010000000000000 -> 0200 {35, 53} (-)
        0200 0000000020000800 05 12E340 2000000000000000 -> field 35 at byte 12: nibble 0xE is not a digit (DIGIT_BAD)
        0200 0000000020000800 05 12E340 2010 -> field 35 at byte 12: nibble 0xE is not a digit (DIGIT_BAD)

        0200 0000000000000010 00 -> field 60 at byte 10: needs 2 bytes, 1 left (TRUNCATED)
        0200 0000000000000010 001A -> field 60 at byte 10: length byte 0x1A is not decimal (LEN_BAD)
        0200 0000000000000010 0018 000000000000000000 -> field 60 at byte 10: length 18 exceeds 17 (LEN_BAD)
        0200 0000000000000004 0999 -> field 62 at byte 10: length 999 exceeds 512 (LEN_BAD)
        0200 0000000000000004 1000 -> field 62 at byte 10: length 1000 exceeds 512 (LEN_BAD)
        0200 0000000000010000 0000 -> 0200 {48} (-)
        0200 0000000000001000 61616161616161 -> field 52 at byte 10: needs 8 bytes, 7 left (TRUNCATED)
        ",
    );
}

#[test]
fn in_characters() {
    check(
        "iso87-ascii",
        "
        303230 -> message type at byte 0: needs 4 bytes, 3 left (MTI_BAD)
        30320030 0000000000000000 -> message type at byte 2: byte 0x00 is not a digit (MTI_BAD)
        02000000 0000000000000000 -> message type at byte 0: byte 0x02 is not a digit (MTI_BAD)
        30323030 0020000000000000 303030302031 -> field 11 at byte 16: byte 0x20 is not a digit (DIGIT_BAD)
        30323030 4000000000000000 3139 -> field 2 at byte 14: needs 19 bytes, 0 left (TRUNCATED)
        30323030 4000000000000000 3141 -> field 2 at byte 12: length byte 0x41 is not decimal (LEN_BAD)
        30323030 0000000020000000 3033 313D32 -> 0200 {35} (-)
        30323030 0000000020000000 3033 314432 -> 0200 {35} (-)
        30323030 0000000020000000 3033 314632 -> field 35 at byte 15: byte 0x46 is not a digit (DIGIT_BAD)
        30323030 8000000000000000 0400000000000000 333031 -> 0200 {70} (-)
        30323030 8000000000000000 8000000000000000 -> field 65 at byte 20: is not a field of this dialect (FIELD_UNKNOWN)
        30323030 0000000000000010 313030 -> field 60 at byte 15: needs 100 bytes, 0 left (TRUNCATED)
        ",
    );
}

#[test]
fn what_can_be_read_beside_it_is_read() {
    let dialect = Dialect::unionpay_pos();
    let read = |hex: &str| {
        let body = bytes(hex);
        let (message, error) = Message::salvage(dialect, &body).unwrap();
        format!("{message:?} {}", error.unwrap())
    };
    // A wrong digit costs its field, an unknown length or field everything after it.
    assert_eq!(
        read("0200 2020000000000001 00A000 000001 3132333435363738"),
        "0200 {11, 64} field 3 at byte 11: nibble 0xA is not a digit"
    );
    assert_eq!(
        read("0200 2020000020000000 000000 000001 99"),
        "0200 {3, 11} field 35 at byte 16: length 99 exceeds 37"
    );
    assert_eq!(
        read("0200 2020000001800000 000000 000001 000000 3132333435363738"),
        "0200 {3, 11} field 40 at byte 16: is not a field of this dialect"
    );
    assert_eq!(
        read("0200 0020000000000000 000001 FF"),
        "0200 {11} field 11 at byte 13: 1 bytes follow the last field"
    );
    // Of two faults the first is told.
    assert_eq!(
        read("0200 0020000020000800 00000B 05 12E340 2000000000000000"),
        "0200 {53} field 11 at byte 12: nibble 0xB is not a digit"
    );
    assert_eq!(
        read("0200 0000000020000800 05 12E340 20000000000A0000"),
        "0200 {} field 35 at byte 12: nibble 0xE is not a digit"
    );
    // A second bitmap of nothing hides no field.
    assert_eq!(
        read("0200 8020000000000000 0000000000000000 000001"),
        "0200 {11} bitmap at byte 10: second bitmap is empty"
    );
    assert!(Message::salvage(dialect, &bytes("0200 00")).is_err());
}

#[test]
fn a_message_of_more_than_65535_bytes() {
    let error = Message::parse(Dialect::unionpay_pos(), &[0; 65536]).unwrap_err();
    assert_eq!(error.to_string(), "message type at byte 0: length 65535 exceeds 65534");
    assert_eq!(error.code(), "LEN_BAD");
}

type Step = fn(&mut MessageBuilder<'_>) -> Result<(), BuildError>;

/// Does one thing with a builder that has written field 11, and says what came of it.
fn build(step: Step) -> String {
    let mut buffer = b"before".to_vec();
    let mut builder = MessageBuilder::start(Dialect::unionpay_pos(), &mut buffer, b"0200").unwrap();
    builder.number(11, 1).unwrap();
    let error = step(&mut builder).map_err(|error| error.to_string());
    // A step that failed has written nothing.
    builder.text(39, b"00").unwrap();
    drop(builder);
    assert_eq!(buffer, b"before");
    error.unwrap_err()
}

#[test]
fn while_building() {
    let steps: [(Step, &str); 19] = [
        (|b| b.number(11, 1).map(drop), "field 11: must come before field 11"),
        (|b| b.number(4, 1).map(drop), "field 4: must come before field 11"),
        (|b| b.number(5, 1).map(drop), "field 5: is not a field of this dialect"),
        (|b| b.number(70, 1).map(drop), "field 70: is not a field of this dialect"),
        (|b| b.number(1, 1).map(drop), "field 1: is not a field of this dialect"),
        (|b| b.number(12, 1_000_000).map(drop), "field 12: length 7 exceeds 6"),
        (|b| b.number(35, 1).map(drop), "field 35: does not hold this kind of content"),
        (|b| b.digits(12, b"12345").map(drop), "field 12: length 5 is less than 6"),
        (|b| b.digits(12, b"1234567").map(drop), "field 12: length 7 exceeds 6"),
        (|b| b.digits(12, b"1234D6").map(drop), "field 12: not a digit at position 4"),
        (|b| b.digits(35, b"123=4x").map(drop), "field 35: not a digit at position 5"),
        (|b| b.digits(37, b"123").map(drop), "field 37: does not hold this kind of content"),
        (|b| b.digits_filled(22, b"021", 5).map(drop), "field 22: filler 0x5 cannot stand here"),
        (|b| b.digits_filled(32, b"12", 5).map(drop), "field 32: filler 0x5 cannot stand here"),
        (|b| b.text(12, b"123456").map(drop), "field 12: does not hold this kind of content"),
        (|b| b.text(39, b"123").map(drop), "field 39: length 3 exceeds 2"),
        (|b| b.binary(12, b"123").map(drop), "field 12: does not hold this kind of content"),
        (|b| b.raw(32, b"\x12\x34", 5).map(drop), "field 32: length 2 is less than 3"),
        (|b| b.raw(32, b"\x12\xA4", 4).map(drop), "field 32: not a digit at position 1"),
    ];
    for (step, expected) in steps {
        assert_eq!(build(step), expected);
    }
}

#[test]
fn a_builder_of_no_message() {
    let mut buffer = Vec::new();
    let error = MessageBuilder::start(Dialect::unionpay_pos(), &mut buffer, b"02O0").unwrap_err();
    assert_eq!(error.to_string(), "field 0: not a digit at position 2");
    let mut builder = MessageBuilder::start(Dialect::unionpay_pos(), &mut buffer, b"0200").unwrap();
    builder.number(11, 1).unwrap();
    let error = builder.finish_with_mac(62, |_| [0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "field 62: does not hold this kind of content");
    assert!(buffer.is_empty());
}

#[test]
fn a_field_laid_out_differently_is_not_copied() {
    let body = bytes("0200 4000000000000000 16 6225000000000014");
    let message = Message::parse(Dialect::unionpay_pos(), &body).unwrap();
    let mut buffer = Vec::new();
    let ascii = Dialect::builtin("iso87-ascii").unwrap();
    let mut builder = MessageBuilder::start(ascii, &mut buffer, b"0210").unwrap();
    let error = builder.copy(&message, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field 2: is laid out differently in the message it is copied from"
    );
}

#[test]
fn nothing_secret_is_printed() {
    let body = bytes("0200 4000000020001000 16 6225000000000014 05 12D340 F421C8F4FFE584DC");
    let message = Message::parse(Dialect::unionpay_pos(), &body).unwrap();
    let all =
        format!("{message:?} {:?} {:?} {:?}", message.digits(2), message.digits(35), message.mti());
    assert_eq!(all, "0200 {2, 35, 52} Some(Digits(16)) Some(Digits(5)) 0200");
}
