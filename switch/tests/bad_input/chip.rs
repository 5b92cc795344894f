//! Chip data that is none, and answers' fields in requests (catalogue B20, B21).

use crate::acts::{ACTIVATION, Act, E_CASH, INQUIRY, OFFLINE, PRE_AUTH, SALE, VOID, refer, turn};
use crate::bench::Bench;
use crate::bench::draft::{Draft, FEN};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// A cryptogram, a counter and the terminal's date.
const CHIP: &[u8] =
    b"\x9F\x26\x08\x11\x22\x33\x44\x55\x66\x77\x88\x9F\x36\x02\x00\x01\x9A\x03\x26\x11\x22";

/// A chip that was read, and says `data` (F55).
fn chip(act: Act, data: Vec<u8>) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        turn(draft, act, 3, FEN);
        let length = data.len();
        let digits = [length / 100, length / 10 % 10 * 16 + length % 10];
        let prefix = digits.map(|byte| u8::try_from(byte).unwrap());
        draft.digits(22, "051").wire(55, &[&prefix, data.as_slice()].concat());
    }
}

/// Templates in templates, `depth` of them.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(vec![0x9A, 0x03, 0x26, 0x11, 0x22], |inner, _| {
        let length = u8::try_from(inner.len()).unwrap();
        let head = if length < 0x80 { vec![0xE1, length] } else { vec![0xE1, 0x81, length] };
        [head, inner].concat()
    })
}

/// A chip that was read and says nothing.
fn silent(act: Act, mode: &'static str) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        turn(draft, act, 3, FEN);
        draft.digits(22, mode);
    }
}

#[test]
fn chip_data() {
    let bad: &[_] = &["posp_decode_errors_total", "field=\"55\"", "kind=\"TLV_BAD\""];
    let short: &[_] = &["posp_decode_errors_total", "field=\"55\"", "kind=\"TRUNCATED\""];
    let long: &[_] = &["posp_decode_errors_total", "field=\"55\"", "kind=\"LEN_BAD\""];
    let sale = |data: &[u8]| chip(SALE, data.to_vec());
    check(&[
        row("B20", "chip data of a sale", sale(CHIP), "00").with(Pays(FEN)),
        row("B20", "zeros between the tags mean nothing", sale(&[CHIP, &[0; 3]].concat()), "00")
            .with(Pays(FEN)),
        row("B20", "a chip without its data", silent(SALE, "051"), "30"),
        row("B20", "a chip without contact, without its data", silent(SALE, "071"), "30"),
        row("B20", "a chip without its data, asked for money", silent(PRE_AUTH, "051"), "30"),
        row("B20", "a chip without its data, asked for its balance", silent(INQUIRY, "051"), "30"),
        row("B20", "a stripe after a chip that failed", silent(SALE, "801"), "00").with(Pays(FEN)),
        row("B20", "a value longer than the field", sale(b"\x9F\x26\x08\x11"), "30").says(short),
        row("B20", "a tag without a length", sale(b"\x9F\x26"), "30").says(short),
        row("B20", "half a tag", sale(b"\x9F"), "30").says(short),
        row("B20", "a length without its bytes", sale(b"\x9F\x26\x82\x01"), "30").says(short),
        row("B20", "a tag of four bytes", sale(b"\x9F\x81\x82\x03\x01\x00"), "30").says(bad),
        row("B20", "an indefinite length", sale(b"\xE1\x80\x9A\x01\x00\x00\x00"), "30").says(bad),
        row("B20", "a length of four bytes", sale(b"\x9A\x84\x00\x00\x00\x01\x00"), "30").says(bad),
        row("B20", "a tag twice", sale(b"\x9A\x01\x00\x9A\x01\x00"), "30").says(bad),
        row("B20", "a tag twice in a template", sale(b"\xE1\x06\x9A\x01\x00\x9A\x01\x00"), "30")
            .says(bad),
        row("B20", "a template whose inner value is too long", sale(b"\xE1\x03\x9A\x09\x00"), "30")
            .says(short),
        row("B20", "seven templates around a tag", sale(&nested(7)), "00").with(Pays(FEN)),
        row("B20", "eight", sale(&nested(8)), "30").says(bad),
        row("B20", "a hundred", sale(&nested(100)), "30").says(bad),
        row("B20", "a byte more than F55 may have", sale(&[0; 256]), "30").says(long),
        row("B20", "in a pre-authorisation", chip(PRE_AUTH, nested(9)), "30").says(bad),
        row("B20", "in an upload of what the chip paid", chip(E_CASH, nested(9)), "30").says(bad),
        row(
            "B20",
            "in a sale that was approved there",
            |d, b| {
                chip(OFFLINE, nested(9))(d, b);
                d.text(38, b"123456");
            },
            "30",
        )
        .says(bad),
    ]);
}

#[test]
fn fields_of_answers() {
    let answered = |act| {
        move |draft: &mut Draft, _: &Bench| {
            turn(draft, act, 3, FEN);
            draft.text(39, b"00");
        }
    };
    check(&[
        row("B21", "a sale that is approved, it says", answered(SALE), "30"),
        row("B21", "a pre-authorisation", answered(PRE_AUTH), "30"),
        row("B21", "an inquiry", answered(INQUIRY), "30"),
        row("B21", "an activation", answered(ACTIVATION), "30"),
        row(
            "B21",
            "a void",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                d.text(39, b"00");
            },
            "30",
        )
        .after(sold),
        row("B21", "a code of letters", |d, _| _ = d.text(39, b"A0"), "30"),
        row(
            "B21",
            "a balance of its own: it is not looked at",
            |d, _| {
                d.text(54, b"1002156C999999999999");
            },
            "00",
        )
        .with(Pays(FEN)),
        row(
            "B21",
            "an authorisation code of its own: it is not looked at",
            |d, _| {
                d.text(38, b"999999");
            },
            "00",
        )
        .with(Pays(FEN)),
        row(
            "B21",
            "with too little money, a code does not help",
            |d, _| {
                d.digits(4, "000000050001").text(38, b"999999");
            },
            "51",
        )
        .with(NoMoney),
    ]);
}
