//! Frames are cut from a stream whatever its pieces are.

use codec::framing::{LENGTH_BYTES, LINE_BYTES};
use codec::{BuildError, Envelope, FieldNo, FrameError, Header, Limits, Tpdu, cut, write_frame};

use crate::vectors::{self, bytes};

#[test]
fn a_stream_gives_the_same_frames_in_any_pieces() {
    let frames: Vec<Vec<u8>> = vectors::all()
        .into_iter()
        .filter(|vector| vector.at == 13)
        .map(|vector| vector.bytes)
        .collect();
    let stream = frames.concat();
    for piece in [1, 2, 3, 7, 100, stream.len()] {
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some(cut) = cut(&buffer, &Limits::default()).unwrap() {
                assert_eq!(cut.consumed, cut.frame.len() + LENGTH_BYTES);
                found.push(buffer[..cut.consumed].to_vec());
                let consumed = cut.consumed;
                buffer.drain(..consumed);
            }
        }
        assert_eq!(found, frames);
        assert!(buffer.is_empty());
    }
}

/// Each line: what a connection begins with, and the word for it.
#[test]
fn what_is_no_frame_is_known_by_its_first_bytes() {
    let table = "
        -                           -
        00                          -
        0015                        -
        0801                        FRAME_TOO_LONG
        0800                        -
        0000                        FRAME_ZERO
        0001                        FRAME_SHORT
        0014                        FRAME_SHORT
        FFFF                        FRAME_TOO_LONG
        160301                      TLS_ON_PLAIN
        1603                        TLS_ON_PLAIN
        474554202F20485454502F312E  HTTP_ON_ISO
        504F5354                    HTTP_ON_ISO
        30313233                    FRAME_BAD_HEADER
    ";
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (hex, expected) = line.split_once(' ').unwrap();
        let buffer = bytes(if hex == "-" { "" } else { hex });
        let code = match cut(&buffer, &Limits::default()) {
            Ok(None) => "-",
            Ok(Some(_)) => "a frame",
            Err(error) => error.code(),
        };
        assert_eq!(code, expected.trim(), "{hex}");
    }
    let error = |hex| cut(&bytes(hex), &Limits::default()).unwrap_err().to_string();
    assert_eq!(error("0014"), "frame of 20 bytes is shorter than 21");
    assert_eq!(error("0801"), "frame of 2049 bytes is longer than 2048");
}

#[test]
fn an_answer_goes_back_where_the_request_came_from() {
    assert_eq!(Tpdu([0x60, 0, 3, 0x12, 0x34]).swapped(), Tpdu([0x60, 0x12, 0x34, 0, 3]));
    let header = Header([0x60, 0x31, 0x10, 0x31, 0x13, 0x04]);
    assert_eq!((header.state(), header.requirement()), (1, 0));
    let asked = header.with_requirement(3);
    assert_eq!(asked, Header([0x60, 0x31, 0x13, 0x31, 0x13, 0x04]));
    assert_eq!((asked.state(), asked.requirement()), (1, 3));
    assert_eq!(asked.with_requirement(0), header);
}

#[test]
fn line_numbers_between_tpdu_and_header_are_skipped() {
    let mut frame = bytes("60 0001 0002");
    let line = [&b"LRI\x00\x1C"[..], &[0x11; LINE_BYTES - 5]].concat();
    frame.extend_from_slice(&line);
    frame.extend_from_slice(&bytes("602200000000 0800 0000000000000000"));
    let envelope = Envelope::parse(&frame).unwrap();
    assert_eq!(envelope.line, Some(&line[..]));
    assert_eq!(envelope.header, Header([0x60, 0x22, 0, 0, 0, 0]));
    assert_eq!(envelope.body.len(), 10);
    assert_eq!(
        format!("{envelope:?}"),
        "Envelope { tpdu: Tpdu([96, 0, 1, 0, 2]), header: Header([96, 34, 0, 0, 0, 0]), body_bytes: 10 }"
    );
    assert!(matches!(Envelope::parse(&frame[..30]), Err(FrameError::Short { length: 30, .. })));
}

#[test]
fn what_is_no_envelope_is_refused() {
    let error = |hex| Envelope::parse(&bytes(hex)).unwrap_err();
    assert_eq!(error("60 0001 0002 6022000000").code(), "FRAME_SHORT");
    assert_eq!(error("68 0001 0002 602200000000").to_string(), "TPDU begins with 0x68, not 0x60");
    assert_eq!(error("68 0001 0002 602200000000").code(), "TPDU_UNKNOWN");
    assert_eq!(error("60 0001 0002 080000200000").code(), "FRAME_BAD_HEADER");
    assert_eq!(Envelope::parse(&bytes("60 0001 0002 632200000000")).unwrap().body, b"");
}

#[test]
fn a_frame_that_cannot_be_written_leaves_nothing() {
    let (tpdu, header) = (Tpdu([0x60, 0, 1, 0, 2]), Header([0x60, 0x22, 0, 0, 0, 0]));
    let mut buffer = b"before".to_vec();
    let error = write_frame(&mut buffer, tpdu, header, |buffer| {
        buffer.resize(buffer.len() + 65525, 0);
        Ok(())
    });
    assert_eq!(error.unwrap_err().to_string(), "field 0: length 65536 exceeds 65535");
    let fault = codec::BuildFault::Unknown;
    let error = BuildError { field: FieldNo(7), fault };
    assert_eq!(write_frame(&mut buffer, tpdu, header, |_| Err(error)), Err(error));
    assert_eq!(buffer, b"before");
    write_frame(&mut buffer, tpdu, header, |buffer| {
        buffer.resize(buffer.len() + 65524, 0);
        Ok(())
    })
    .unwrap();
    assert_eq!(buffer.len(), 6 + 2 + 65535);
    assert_eq!(buffer[6..8], [0xFF, 0xFF]);
}
