//! Captured bytes are read whatever is left of their frame.

use codec::capture::{Framing, read};
use codec::{Dialect, Header, Tpdu};

use crate::vectors::{self, bytes};

fn dialects() -> Vec<&'static Dialect> {
    Dialect::builtin_names().map(|name| Dialect::builtin(name).unwrap()).collect()
}

fn error(hex: &str) -> String {
    read(&bytes(hex), &dialects()).unwrap_err().to_string()
}

#[test]
fn every_message_is_found_in_every_framing_and_its_dialect() {
    for vector in vectors::all() {
        let (tpdu, header) = (bytes("6000030000"), bytes("603100311304"));
        let body = vector.body().to_vec();
        let framed = [&tpdu[..], &header, &body].concat();
        let length = u16::try_from(framed.len()).unwrap().to_be_bytes();
        let line = [&b"LRI\x00\x1C"[..], &[0x12; 28]].concat();
        let lined = [&tpdu[..], &line, &header, &body].concat();
        let (tpdu, header) = (tpdu.try_into().unwrap(), header.try_into().unwrap());
        let bare = Framing::default();
        let headed = Framing { header: Some(Header(header)), ..bare };
        let whole = Framing { tpdu: Some(Tpdu(tpdu)), ..headed };
        for (bytes, framing) in [
            ([&length[..], &framed].concat(), Framing { length: true, ..whole }),
            (framed.clone(), whole),
            (lined, Framing { line: Some(&line), ..whole }),
            ([&header[..], &body].concat(), headed),
            (body.clone(), bare),
            (vector.bytes.clone(), Framing::default()),
        ] {
            let capture = read(&bytes, &dialects()).unwrap();
            if bytes.len() - body.len() > 0 && bytes != vector.bytes {
                assert_eq!(capture.framing, framing, "{}", vector.title);
            }
            assert_eq!(capture.framing.bytes(), bytes.len() - body.len(), "{}", vector.title);
            assert_eq!(capture.message.body(), body);
            assert_eq!(capture.message.dialect().name(), vector.dialect.name());
        }
    }
}

#[test]
fn a_broken_message_is_read_as_what_it_most_likely_is() {
    let frame = codec::printable::hex(&vectors::titled("golden: sale response, approved").bytes);
    // Cut short: the field that lacks bytes, not the length that is now too long.
    assert_eq!(error(&frame[..frame.len() - 2]), "field 64 at byte 150: needs 8 bytes, 7 left");
    let wrong_digit = frame.replacen("1962121", "19F2121", 1);
    assert_ne!(wrong_digit, frame);
    assert_eq!(error(&wrong_digit), "field 2 at byte 11: nibble 0xF is not a digit");
    // A length that is wrong by itself.
    let (_, rest) = frame.split_at(4);
    assert_eq!(error(&format!("00AA{rest}")), "length at byte 0: says 170 bytes, 169 follow");
}

#[test]
fn what_is_no_message_is_named() {
    assert_eq!(error(""), "message type at byte 0: needs 2 bytes, 0 left");
    assert_eq!(error("02"), "message type at byte 0: needs 2 bytes, 1 left");
    assert_eq!(
        error("474554202F20485454502F312E310D0A0D0A"),
        "these bytes are an HTTP request, not a frame"
    );
    assert_eq!(
        error("160301020001000001FC0303"),
        "these bytes are a TLS handshake, but this line is plain"
    );
    assert_eq!(
        error("0015 6800010002 602200000000 0800 0000000000000000"),
        "TPDU begins with 0x68, not 0x60"
    );
    assert_eq!(
        error("0015 6000010002 112200000000 0800 0000000000000000"),
        "header begins with 0x11, not with an application class 60 to 69"
    );
}
