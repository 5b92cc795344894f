//! BER-TLV objects.

use codec::FieldNo;
use codec::tlv::{Reader, write};

/// Objects written again are the same objects, in as few bytes as they take.
pub fn law(bytes: &[u8]) -> bool {
    bytes.len() <= 999 && holds(Reader::new(FieldNo(55), 10, bytes))
}

/// The law, for a field of a message.
pub(crate) fn holds(reader: Reader<'_>) -> bool {
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
    let objects = reader.flatten().map(|object| (object.tag, object.value));
    let twice = Reader::new(FieldNo(55), 0, &again);
    assert!(
        objects.eq(twice.map(|object| object.unwrap()).map(|object| (object.tag, object.value)))
    );
    assert!(whole || reader.check().is_err());
    assert!(reader.nested().count() <= bytes.len());
    reader.check().is_ok()
}
