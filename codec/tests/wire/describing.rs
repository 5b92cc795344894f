//! What people are shown of a message, and what they are not.

use codec::describe::{Disclosure, Line, Value, describe};
use codec::field::Content;
use codec::{Dialect, Message, MessageBuilder};

use crate::vectors::{self, bytes};

fn lines<'f>(message: &Message<'f>, disclosure: Disclosure) -> Vec<Line<'f>> {
    describe(message, disclosure).unwrap()
}

fn text(line: &Line<'_>) -> String {
    match &line.value {
        Value::Text(text) => text.clone(),
        Value::Objects(objects) => {
            let words = objects.iter().map(|object| format!("{}={}", object.tag, object.value));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Field, value and wire bytes of each line.
fn table(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| format!("{} {} {}\n", line.field, text(line), line.wire)).collect()
}

#[test]
fn card_data_is_masked() {
    let dialect = Dialect::unionpay_pos();
    let mut buffer = Vec::new();
    let mut builder = MessageBuilder::start(dialect, &mut buffer, b"0200").unwrap();
    builder
        .digits_filled(2, b"6212142000000000012", 0xF)
        .and_then(|b| b.number(4, 10_000))
        .and_then(|b| b.digits(14, b"2912"))
        .and_then(|b| b.digits(35, b"6212142000000000012D29122010000000000"))
        .and_then(|b| b.binary(52, &[0xAB; 8]))
        .and_then(|b| {
            b.binary(55, &bytes("9F3602001A 5A0A6212142000000000012F 570462121420 5F2403291231"))
        })
        .and_then(|b| b.binary(62, b"keys"))
        .and_then(|b| b.text(63, b"CUP"))
        .unwrap();
    builder.finish_with_mac(64, |_| *b"ECEB49A9").unwrap();
    let message = Message::parse(dialect, &buffer).unwrap();
    assert_eq!(
        table(&lines(&message, Disclosure::Masked)),
        "2 621214*********0012 19621214*********0012F\n\
         4 000000010000 000000010000\n\
         14 **** ****\n\
         35 ************************************* 37*************************************0\n\
         52 **************** ****************\n\
         55 9F36=001A 5A=621214*********0012F 57=******** 5F24=****** \
         0029**********************************************************\n\
         62 ******** 0004********\n\
         63 CUP 0003435550\n\
         64 **************** ****************\n"
    );
    let full = lines(&message, Disclosure::Full);
    assert!(!table(&full).contains('*'));
    assert_eq!(text(&full[0]), "6212142000000000012");
    assert_eq!(full[0].filler, Some('F'));
    assert_eq!(full[3].filler, None);
    let names: Vec<&str> = full.iter().map(|line| line.label.name.as_str()).collect();
    assert_eq!(names[..2], ["Primary account number", "Amount"]);
    assert_eq!(full[0].label.zh, "主账号");
}

#[test]
fn no_message_shows_its_card_masked() {
    let mut seen = 0;
    for vector in vectors::all() {
        let message = Message::parse(vector.dialect, vector.body()).unwrap();
        let shown = table(&lines(&message, Disclosure::Masked));
        for field in [2, 35, 36, 45, 52, 64, 96, 128] {
            let Some(line) = lines(&message, Disclosure::Full)
                .into_iter()
                .find(|line| line.field.0 == field && line.wire.len() > 8)
            else {
                continue;
            };
            assert!(!shown.contains(&text(&line)), "{} {field}", vector.title);
            assert!(!shown.contains(&line.wire), "{} {field}", vector.title);
            seen += 1;
        }
    }
    assert!(seen > 60);
}

#[test]
fn a_field_may_be_hidden_in_some_messages_only() {
    let dialect = Dialect::unionpay_pos();
    let show = |mti: &[u8; 4], totals: &[u8], remark: &[u8]| {
        let mut buffer = Vec::new();
        let mut builder = MessageBuilder::start(dialect, &mut buffer, mti).unwrap();
        builder.digits(48, totals).unwrap().text(63, remark).unwrap();
        builder.finish().unwrap();
        let message = Message::parse(dialect, &buffer).unwrap();
        table(&lines(&message, Disclosure::Masked))
    };
    assert_eq!(show(b"0500", b"123456", b"01 "), "48 123456 0006123456\n63 01  0003303120\n");
    assert_eq!(show(b"0320", b"123456", b"SM "), "48 ****** 0006******\n63 *** 0003******\n");
    assert_eq!(show(b"0320", b"0002", b"S"), "48 0002 00040002\n63 S 000153\n");
}

#[test]
fn fields_are_taken_apart() {
    let vector = vectors::titled("golden: sale request of a chip card");
    let message = Message::parse(vector.dialect, vector.body()).unwrap();
    let all = lines(&message, Disclosure::Masked);
    let said = |field: u8| {
        let line = all.iter().find(|line| line.field.0 == field).unwrap();
        let words = line.parts.iter().map(|said| {
            let meaning = said.meaning.map_or("", |[en, _]| en.as_str());
            format!("{}: {} {meaning}", said.part.name, said.value)
        });
        words.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(said(3), "Transaction: 000000 sale, pre-authorization completion or offline upload");
    assert_eq!(said(22), "Card read by: 05 chip, contact; PIN: 1 entered");
    assert_eq!(
        said(60),
        "Transaction type: 22 sale; Batch: 000001 ; Network management: 000 financial; \
         Terminal reads: 6 chip, contact and contactless; Chip condition: 0 no chip, or nothing \
         special; Partial approval, balance: 1 supported"
    );
    let chip = all.iter().find(|line| line.field.0 == 55).unwrap();
    let Value::Objects(objects) = &chip.value else { panic!("objects are shown as objects") };
    assert_eq!(objects[0].meaning.unwrap().name, "Application cryptogram");
}

#[test]
fn objects_written_in_their_own_way_stay_bytes() {
    let dialect = Dialect::unionpay_pos();
    let show = |chip: &str, disclosure| {
        let mut buffer = Vec::new();
        let mut builder = MessageBuilder::start(dialect, &mut buffer, b"0200").unwrap();
        builder.binary(55, &bytes(chip)).unwrap();
        builder.finish().unwrap();
        let message = Message::parse(dialect, &buffer).unwrap();
        describe(&message, disclosure)
            .map(|lines| (matches!(lines[0].value, Value::Objects(_)), text(&lines[0])))
            .map_err(|error| error.to_string())
    };
    let shown = |objects, text: &str| Ok((objects, text.to_owned()));
    use Disclosure::{Full, Masked};
    assert_eq!(show("9A01019C0100", Masked), shown(true, "9A=01 9C=00"));
    // A length longer than it need be, padding, a tag twice.
    assert_eq!(show("9A8101019C0100", Masked), shown(false, "9A8101019C0100"));
    assert_eq!(show("9A0101009C0100", Masked), shown(false, "9A0101009C0100"));
    assert_eq!(show("9A01019A0102", Masked), shown(false, "9A01019A0102"));
    assert_eq!(show("9A010157810112", Masked), shown(false, "**************"));
    assert_eq!(show("9A010157810112", Full), shown(false, "9A010157810112"));
    // What is inside a constructed object counts.
    assert_eq!(show("70039A0101", Masked), shown(true, "70=9A0101"));
    assert_eq!(show("700570035A0162", Masked), shown(true, "70=**********"));
    assert_eq!(show("70039A0501", Masked), shown(true, "70=******"));
    // What is no object at all is an error.
    assert_eq!(
        show("9A01019F", Full),
        Err("field 55 at byte 15: needs 1 bytes, 0 left".to_owned())
    );
}

/// Every value shown in full can be written again.
#[test]
fn a_full_description_holds_the_whole_message() {
    for vector in vectors::all() {
        let message = Message::parse(vector.dialect, vector.body()).unwrap();
        let mut buffer = Vec::new();
        let mut builder =
            MessageBuilder::start(vector.dialect, &mut buffer, message.mti().as_bytes()).unwrap();
        for line in lines(&message, Disclosure::Full) {
            let field = line.field.0;
            let format = vector.dialect.format(field).unwrap();
            match (&line.value, format.content) {
                (Value::Objects(objects), _) => {
                    let mut chip = Vec::new();
                    for object in objects {
                        codec::tlv::write(&mut chip, object.tag, &bytes(&object.value)).unwrap();
                    }
                    builder.binary(field, &chip).unwrap();
                }
                (Value::Text(text), Content::Digits | Content::Track) => {
                    builder.digits(field, text.as_bytes()).unwrap();
                }
                (Value::Text(text), Content::Text) => {
                    builder.binary(field, &codec::printable::parse(text).unwrap()).unwrap();
                }
                (Value::Text(text), Content::Binary | Content::Tlv) => {
                    builder.binary(field, &bytes(text)).unwrap();
                }
            }
        }
        builder.finish().unwrap();
        assert_eq!(buffer, vector.body(), "{}", vector.title);
    }
}
