//! The bytes of a connection.

use codec::{Dialect, Envelope, Limits, cut, write_frame};

use crate::message;

/// Whatever is cut from a connection can be written again, and a frame that has not all come is no
/// other frame.
pub fn law(bytes: &[u8]) -> bool {
    let limits = Limits::default();
    let whole = cut(bytes, &limits);
    // Some prefix, another one for other bytes.
    let length = bytes.iter().fold(0, |sum, byte| sum + usize::from(*byte)) % (bytes.len() + 1);
    let part = cut(&bytes[..length], &limits);
    let is_enough = matches!(&whole, Ok(Some(cut)) if cut.consumed <= length);
    match part {
        Ok(None) => assert!(!is_enough),
        Ok(Some(part)) => assert_eq!(whole, Ok(Some(part))),
        Err(error) => assert_eq!(whole, Err(error)),
    }
    let Ok(Some(cut)) = whole else { return false };
    assert_eq!(cut.consumed, cut.frame.len() + 2);
    assert_eq!(cut.frame, &bytes[2..cut.consumed]);
    assert!((limits.frame_min..=limits.frame_max).contains(&cut.frame.len()));
    let Ok(envelope) = Envelope::parse(cut.frame) else { return false };
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
    message::holds(Dialect::unionpay_pos(), envelope.body)
}
