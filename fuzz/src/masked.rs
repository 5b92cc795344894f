//! What is shown of a message unless everything is asked for.

use codec::Message;
use codec::describe::{Line, Value};

/// Fields of which nothing is shown in any dialect: expiry, tracks, PIN block, message code.
const SECRET: [u8; 5] = [14, 35, 36, 52, 64];
/// Tags of which nothing is shown: track 2, its copy, cardholder's name, discretionary data.
const SECRET_TAGS: [u32; 5] = [0x57, 0x5F20, 0x9F1F, 0x9F20, 0x9F6B];
/// How many digits are shown of a card number.
const SHOWN: usize = 10;

/// Of a card number six and four digits are shown, of tracks, PIN blocks and codes nothing.
pub(crate) fn holds(message: &Message<'_>, lines: &[Line<'_>]) {
    for line in lines {
        let field = line.field.0;
        match &line.value {
            Value::Text(text) if field == 2 => {
                let shown = if text.len() < 13 { 0 } else { SHOWN };
                assert_eq!(text.bytes().filter(u8::is_ascii_digit).count(), shown, "field 2");
            }
            Value::Text(text) if SECRET.contains(&field) => {
                assert!(text.bytes().all(|shown| shown == b'*'), "field {field}");
            }
            Value::Objects(objects) => {
                for object in objects {
                    let tag = u32::from_str_radix(&object.tag.to_string(), 16).unwrap();
                    let shown = object.value.bytes().filter(u8::is_ascii_digit).count();
                    assert!(tag != 0x5A || shown <= SHOWN, "tag 5A");
                    assert!(!SECRET_TAGS.contains(&tag) || shown == 0, "tag {tag:X}");
                }
            }
            Value::Text(_) => {}
        }
        // The bytes of a field show no more of it than its value does; one half byte fills up.
        let content = message.raw(field).unwrap().len() * 2;
        let shown = line.wire[line.wire.len() - content..].bytes().filter(|shown| *shown != b'*');
        let most = match field {
            2 if message.digits(2).is_none_or(|digits| digits.len() < 13) => 1,
            // A digit of text takes two half bytes.
            2 => SHOWN * content.div_ceil(message.digits(2).unwrap().len()) + 1,
            _ if SECRET.contains(&field) => 1,
            _ => content,
        };
        assert!(shown.count() <= most, "field {field}");
    }
}
