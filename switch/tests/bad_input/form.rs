//! Messages that are wrong in form: type, bitmap, lengths (catalogue B1 to B6, A16).

use crate::bench::Bench;
use crate::bench::draft::{Code, Draft, FEN, reversal};
use crate::table::Effect::Pays;
use crate::table::{check, reversed, row, sold};

#[test]
fn message_types() {
    let digits: &[_] = &["posp_decode_errors_total", "field=\"0\"", "kind=\"MTI_BAD\""];
    let request: &[_] = &["posp_unmatched_total", "reason=\"MTI_BAD\""];
    let mti = |mti: [u8; 2]| move |draft: &mut Draft, _: &Bench| draft.mti = mti.to_vec();
    let undo = |draft: &mut Draft, bench: &Bench| {
        *draft = reversal(bench.keys());
        draft.mti = vec![0x04, 0x01];
    };
    check(&[
        row("B1", "a letter in the message type", mti([0x0A, 0x00]), "dropped").says(digits),
        row("B1", "the message type of ISO 8583:1993", mti([0x12, 0x00]), "dropped").says(request),
        row("B1", "version 9", mti([0x92, 0x00]), "dropped").says(request),
        row("B1", "an answer: to answer it would never end", mti([0x02, 0x10]), "dropped")
            .says(request),
        row("B1", "the answer to an advice", mti([0x02, 0x30]), "dropped").says(request),
        row("B1", "the answer to a reversal", mti([0x04, 0x10]), "dropped").says(request),
        row("B1", "the answer to a sign-on", mti([0x08, 0x10]), "dropped").says(request),
        row("B1", "a request of an issuer", mti([0x02, 0x02]), "dropped").says(request),
        row("B1", "a class that does not exist", mti([0x00, 0x00]), "12"),
        row("B2", "a repeat of what was answered", mti([0x02, 0x01]), "00").after(sold).repeats(),
        row("B2", "a repeat of what never came", mti([0x02, 0x01]), "00").with(Pays(FEN)),
        row("B2", "a repeated reversal", undo, "00").after(reversed).repeats(),
        row("B2", "a repeat of a reversal that never came", undo, "00")
            .after(sold)
            .with(Pays(-FEN)),
    ]);
}

#[test]
fn bitmaps() {
    let unknown: &[_] = &["posp_decode_errors_total", "kind=\"FIELD_UNKNOWN\""];
    let empty: &[_] = &["posp_decode_errors_total", "kind=\"BITMAP_BAD\""];
    /// The bits of two bitmaps.
    fn with_second(bits: u64, second: &[u8]) -> Vec<u8> {
        [&(bits | 1 << 63).to_be_bytes(), second].concat()
    }
    check(&[
        row(
            "B3",
            "half a bitmap: what follows is read as the rest",
            |d, _| d.bitmap = |_| vec![0x70; 4],
            "30",
        ),
        row("B4", "bit 1 without a bitmap", |d, _| d.bitmap = |b| with_second(b, &[]), "30"),
        row(
            "B4",
            "a second bitmap of nothing",
            |d, _| d.bitmap = |b| with_second(b, &[0; 8]),
            "30",
        )
        .says(empty),
        row(
            "B4",
            "bit 65, which would announce a third bitmap",
            |d, _| {
                d.bitmap = |b| with_second(b, &[0x80, 0, 0, 0, 0, 0, 0, 0]);
                d.wire(65, &[0; 8]);
            },
            "30",
        )
        .says(unknown),
        row("B5", "a field the dialect does not have", |d, _| _ = d.wire(5, &[0; 6]), "30")
            .says(unknown),
        row("B5", "another", |d, _| _ = d.wire(40, b"000"), "30").says(unknown),
        row(
            "B30",
            "two message codes: F128 is no field of the dialect",
            |d, _| {
                d.bitmap = |b| with_second(b, &[0, 0, 0, 0, 0, 0, 0, 1]);
                d.wire(128, &[0x30; 8]);
            },
            "30",
        )
        .says(unknown),
    ]);
}

#[test]
fn lengths() {
    let short: &[_] = &["posp_decode_errors_total", "kind=\"TRUNCATED\""];
    let length: &[_] = &["posp_decode_errors_total", "kind=\"LEN_BAD\""];
    let trailing: &[_] = &["posp_decode_errors_total", "kind=\"TRAILING_BYTES\""];
    // The message ends with this field.
    let last = |field: u8, bytes: &'static [u8]| {
        move |draft: &mut Draft, _: &Bench| {
            draft.wire(field, bytes).code = Code::Bytes(Vec::new());
        }
    };
    let wire = |field: u8, bytes: &'static [u8]| {
        move |draft: &mut Draft, _: &Bench| _ = draft.wire(field, bytes)
    };
    check(&[
        row("A16", "a byte after the last field", |d, _| d.tail = vec![0], "30").says(trailing),
        row("B3", "a bit without its field", last(60, &[]), "30").says(short),
        row("B3", "a field without its content", last(60, &[0x00, 0x14]), "30").says(short),
        row(
            "B3",
            "a message code of seven bytes",
            |d, _| d.code = Code::Bytes(vec![b'0'; 7]),
            "30",
        )
        .says(short),
        row("B6", "a letter in a length of two digits", wire(2, &[0x1A]), "30").says(length),
        row("B6", "a letter in a length of three", wire(60, &[0x00, 0xA1]), "30").says(length),
        row("B6", "a length of four digits", wire(60, &[0x10, 0x14]), "30").says(length),
        row("B6", "one digit more than F2 may have", wire(2, &[0x20; 11]), "30").says(length),
        row("B6", "a length of 999", wire(60, &[0x09, 0x99]), "30").says(length),
        row("B6", "a length above what is left", last(60, &[0x00, 0x17, 0x22]), "30").says(short),
    ]);
}
