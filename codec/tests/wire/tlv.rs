//! BER-TLV objects are read as EMV narrows them.

use codec::FieldNo;
use codec::tlv::{DEPTH_MAX, Reader, Tag, write};

use crate::vectors::bytes;

/// What reading says: each object with its content's length, then what is wrong.
fn read(hex: &str) -> String {
    let bytes = bytes(hex);
    let words = Reader::new(FieldNo(55), 100, &bytes).map(|object| match object {
        Ok(object) => format!("{object:?}"),
        Err(error) => error.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn objects_of_one_level() {
    let table = "
        -                     ->
        95 00                 -> 95(0)
        9F26 02 0102          -> 9F26(2)
        9F26 02 0102 9A 01 03 -> 9F26(2) 9A(1)
        DF8129 01 00          -> DF8129(1)
        72 03 860101          -> 72(3)
        95 81 01 00           -> 95(1)
        95 82 0001 00         -> 95(1)
        00 95 01 00 0000 9A 00 00 -> 95(1) 9A(0)
        95                    -> field 55 at byte 100: needs 1 bytes, 0 left
        95 01                 -> field 55 at byte 100: needs 1 bytes, 0 left
        95 00 9A 05 0102      -> 95(0) field 55 at byte 102: needs 5 bytes, 2 left
        95 81                 -> field 55 at byte 100: needs 1 bytes, 0 left
        95 82 00              -> field 55 at byte 100: needs 2 bytes, 1 left
        95 82 FFFF 00         -> field 55 at byte 100: needs 65535 bytes, 1 left
        95 80 00 0000         -> field 55 at byte 100: indefinite length is not allowed
        95 83 000001 00       -> field 55 at byte 100: length is longer than 3 bytes
        95 84 00000001 00     -> field 55 at byte 100: length is longer than 3 bytes
        95 FF                 -> field 55 at byte 100: length is longer than 3 bytes
        9F                    -> field 55 at byte 100: needs 1 bytes, 0 left
        DF81                  -> field 55 at byte 100: needs 2 bytes, 1 left
        DF818101 00           -> field 55 at byte 100: tag is longer than 3 bytes
        00 FFFFFFFF           -> field 55 at byte 101: tag is longer than 3 bytes
    ";
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (hex, expected) = line.split_once("->").unwrap();
        assert_eq!(read(hex.trim().trim_start_matches('-')), expected.trim(), "{hex}");
    }
}

#[test]
fn a_tag_that_occurs_twice_is_seen() {
    let bytes = bytes("95 00 9F26 01 00 95 01 00");
    let reader = Reader::new(FieldNo(55), 10, &bytes);
    let error = reader.check().unwrap_err();
    assert_eq!(error.to_string(), "field 55 at byte 16: tag 95 occurs twice");
    assert_eq!(error.code(), "TLV_BAD");
    assert_eq!(Reader::new(FieldNo(55), 10, &bytes[..6]).check(), Ok(2));
    let first = reader.find(Tag::new(0x95).unwrap()).unwrap().unwrap();
    assert_eq!((first.value, first.offset), (&b""[..], 10));
    assert_eq!(reader.find(Tag::new(0x9A).unwrap()), Ok(None));
}

#[test]
fn no_two_tags_are_taken_for_one() {
    let one = (1..=0xFF).filter(|byte| byte & 0x1F != 0x1F);
    let two =
        (0..8).flat_map(|first| (0..0x80).map(move |second| (first << 5 | 0x1F) << 8 | second));
    let three = (0..0x80).flat_map(|a| [0, 1, 0x7F].map(|b| 0xDF_8000 | a << 8 | b));
    let tags: Vec<Tag> = one.chain(two).chain(three).map(|tag| Tag::new(tag).unwrap()).collect();
    assert_eq!(tags.len(), 247 + 1024 + 384);
    let mut all = Vec::new();
    for tag in &tags {
        write(&mut all, *tag, b"").unwrap();
    }
    assert_eq!(Reader::new(FieldNo(55), 0, &all).check(), Ok(tags.len()));
    for tag in tags.into_iter().step_by(101) {
        let mut twice = all.clone();
        write(&mut twice, tag, b"").unwrap();
        let error = Reader::new(FieldNo(55), 0, &twice).check().unwrap_err();
        assert_eq!(error.fault, codec::Fault::DuplicateTag(tag));
    }
}

/// So many objects, each in the one before.
fn nested(levels: usize) -> Vec<u8> {
    (1..levels).fold(vec![0x95, 0x00], |inner, _| {
        let mut outer = Vec::new();
        write(&mut outer, Tag::new(0x70).unwrap(), &inner).unwrap();
        outer
    })
}

#[test]
fn nested_objects_are_walked_to_a_depth() {
    let bytes = bytes("71 09 9F18 01 FF 86 03 84 00 00 9A 00");
    let walk: Vec<String> = Reader::new(FieldNo(55), 0, &bytes)
        .nested()
        .map(|object| object.unwrap())
        .map(|(depth, object)| format!("{depth} {object:?} at {}", object.offset))
        .collect();
    assert_eq!(walk, ["0 71(9) at 0", "1 9F18(1) at 2", "1 86(3) at 6", "0 9A(0) at 11"]);

    let deep = nested(DEPTH_MAX);
    let depths = Reader::new(FieldNo(55), 0, &deep).nested().map(|object| object.unwrap().0);
    assert_eq!(depths.collect::<Vec<_>>(), (0..DEPTH_MAX).collect::<Vec<_>>());

    let too_deep = nested(DEPTH_MAX + 1);
    let last = Reader::new(FieldNo(55), 0, &too_deep).nested().last().unwrap();
    assert_eq!(
        last.unwrap_err().to_string(),
        "field 55 at byte 14: objects are nested deeper than 8"
    );
    let hundred = nested(100);
    assert_eq!(Reader::new(FieldNo(55), 0, &hundred).nested().count(), DEPTH_MAX);
}

#[test]
fn an_error_ends_the_walk() {
    let bytes = bytes("70 02 95 05 9A 00");
    let mut walk = Reader::new(FieldNo(55), 0, &bytes).nested();
    assert!(walk.next().unwrap().is_ok());
    assert_eq!(
        walk.next().unwrap().unwrap_err().to_string(),
        "field 55 at byte 2: needs 5 bytes, 0 left"
    );
    assert!(walk.next().is_none());
}

#[test]
fn tags_are_whole() {
    for text in ["95", "9F26", "DF8129", "5F24", "9F7F"] {
        let tag = Tag::from_hex(text).unwrap();
        assert_eq!(tag.to_string(), text);
        assert_eq!(Tag::from_hex(&text.to_lowercase()), Some(tag));
        assert_eq!(codec::printable::hex(&tag.bytes().collect::<Vec<_>>()), text);
    }
    for text in
        ["", "0", "00", "9F", "9F81", "9526", "0095", "DF81", "DF8181", "DF818101", "+95", "9G"]
    {
        assert_eq!(Tag::from_hex(text), None, "{text}");
    }
    assert!(Tag::new(0x72).unwrap().is_constructed());
    assert!(Tag::new(0xBF0C).unwrap().is_constructed());
    assert!(!Tag::new(0xDF31).unwrap().is_constructed());
}

#[test]
fn lengths_are_written_as_short_as_they_can_be() {
    for (length, expected) in
        [(0, "9500"), (127, "957F"), (128, "958180"), (255, "9581FF"), (256, "95820100")]
    {
        let mut buffer = Vec::new();
        write(&mut buffer, Tag::new(0x95).unwrap(), &vec![0xAB; length]).unwrap();
        let (head, content) = buffer.split_at(buffer.len() - length);
        assert_eq!(codec::printable::hex(head), expected);
        assert!(content.iter().all(|byte| *byte == 0xAB));
    }
    let mut buffer = Vec::new();
    assert!(write(&mut buffer, Tag::new(0x95).unwrap(), &[0; 65536]).is_err());
    assert!(buffer.is_empty());
}
