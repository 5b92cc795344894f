//! Terminals without keys, and PINs that are none (catalogue B23 to B27).

use keys::{Pan12, PinFormat};

use crate::acts::{
    ACTIVATION, Act, INQUIRY, PIN_CHANGE, POINTS_SALE, PRE_AUTH, SALE, VOID, did, enter,
    enter_nothing, present, refer, send, turn,
};
use crate::bench::Bench;
use crate::bench::draft::{Draft, FEN, NAMED, OTHER_TERMINAL, PAN, SOLD, STAN, management, sale};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// The card next to the good one.
const OTHER_PAN: &str = "6212142000000000020";

/// Before a case: the terminal signed off.
fn signed_off(bench: &mut Bench) {
    assert_eq!(bench.send(&management([8, 0x20], "00000001002")).code(), "00");
}

/// Before a case: somebody signed the terminal on, twice, and kept the keys.
fn signed_on_by_somebody(bench: &mut Bench) {
    sold(bench);
    for _ in 0..2 {
        assert_eq!(bench.send(&management([8, 0], "00000001003")).code(), "00");
    }
}

#[test]
fn terminals_without_keys() {
    let failed: &[_] = &["posp_mac_failures_total{channel=\"pos\"} 1"];
    let of_other = |act: Act| {
        move |draft: &mut Draft, _: &Bench| {
            turn(draft, act, 3, FEN);
            draft.text(41, OTHER_TERMINAL.as_bytes());
        }
    };
    check(&[
        row("B23", "a sale before the sign-on", of_other(SALE), "A0").says(failed),
        row("B23", "a pre-authorisation before it", of_other(PRE_AUTH), "A0").says(failed),
        row("B23", "an activation before it", of_other(ACTIVATION), "A0").says(failed),
        row("B23", "after a sign-off the keys stay good: anybody can send one", |_, _| {}, "00")
            .after(signed_off)
            .with(Pays(FEN)),
        row(
            "B23",
            "after a sign-on of somebody else, too",
            |d, _| _ = d.digits(11, "000003"),
            "00",
        )
        .after(signed_on_by_somebody)
        .with(Pays(FEN)),
    ]);
}

/// Who has no keys is told to sign on, and so is who has used wrong ones too often.
#[test]
fn who_must_sign_on() {
    let mut bench = Bench::new();
    let mut stranger = sale(bench.keys());
    stranger.text(41, OTHER_TERMINAL.as_bytes());
    assert_eq!(bench.send(&stranger).frame[7] & 0x0F, 3);
    let mut wrong = sale(bench.keys());
    wrong.code = crate::bench::draft::Code::Bytes(b"00000000".to_vec());
    let asked: Vec<_> = (0..4).map(|_| bench.send(&wrong).frame[7] & 0x0F).collect();
    assert_eq!(asked, [0, 0, 3, 3]);
}

/// A PIN block that is wrong: what is wrong, and the eight bytes.
type Block = (&'static str, fn(&Bench) -> Vec<u8>);

fn block(bench: &Bench, pin: &[u8], format: PinFormat, pan: &str) -> Vec<u8> {
    let pan = Pan12::from_pan(pan.as_bytes()).unwrap();
    bench.keys().pin_block(pin, format, Some(&pan)).unwrap().as_bytes().to_vec()
}

/// Blocks that are one and of another PIN, and blocks that are none. Under the key, all bytes are a
/// block of some kind: of those that are filled with one byte, most have a length, a digit or a
/// filler that no PIN has.
const BLOCKS: &[Block] = &[
    ("another PIN", |b| block(b, b"654321", PinFormat::WithPan, PAN)),
    ("a PIN of four digits", |b| block(b, b"1234", PinFormat::WithPan, PAN)),
    ("a PIN of twelve digits", |b| block(b, b"123456123456", PinFormat::WithPan, PAN)),
    ("the PIN, for another card", |b| block(b, b"123456", PinFormat::WithPan, OTHER_PAN)),
    ("the PIN, without the card", |b| block(b, b"123456", PinFormat::WithoutPan, PAN)),
    ("nothing but zeros", |_| vec![0; 8]),
    ("nothing but ones", |_| vec![0xFF; 8]),
    ("the PIN in clear", |_| b"\x06\x12\x34\x56\xFF\xFF\xFF\xFF".to_vec()),
    ("the right block, turned around", |b| {
        let mut right = block(b, b"123456", PinFormat::WithPan, PAN);
        right.reverse();
        right
    }),
    ("the right block, but for a bit", |b| {
        let mut right = block(b, b"123456", PinFormat::WithPan, PAN);
        right[0] ^= 1;
        right
    }),
];

/// A request with this PIN block.
fn with(act: Act, made: fn(&Bench) -> Vec<u8>) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, act, 3, FEN);
        draft.text(52, &made(bench));
    }
}

#[test]
fn blocks_that_are_wrong() {
    let failed: &[_] = &["posp_pin_failures_total{channel=\"pos\"} 1"];
    let acts = [SALE, PRE_AUTH, INQUIRY, POINTS_SALE];
    let rows: Vec<_> = BLOCKS
        .iter()
        .flat_map(|&(what, made)| {
            acts.map(|act| row("B25", what, with(act, made), "55").with(NoMoney).says(failed))
        })
        .collect();
    check(&rows);
}

#[test]
fn pins_of_other_requests() {
    let other: fn(&Bench) -> Vec<u8> = |b| block(b, b"654321", PinFormat::WithPan, PAN);
    let right: fn(&Bench) -> Vec<u8> = |b| block(b, b"123456", PinFormat::WithPan, PAN);
    let choose = |old: fn(&Bench) -> Vec<u8>, new: fn(&Bench) -> Vec<u8>| {
        move |draft: &mut Draft, bench: &Bench| {
            with(PIN_CHANGE, old)(draft, bench);
            draft.without(4).text(62, &new(bench));
        }
    };
    check(&[
        row(
            "B25",
            "another PIN for a void",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                enter(d, b, PAN, b"654321");
            },
            "55",
        )
        .after(sold)
        .with(NoMoney),
        row(
            "B25",
            "another PIN for an activation",
            |d, b| {
                turn(d, ACTIVATION, 3, FEN);
                present(d, b, SOLD);
                enter(d, b, SOLD, b"654321");
            },
            "55",
        )
        .with(NoMoney),
        row("B25", "a new PIN, and the old one is wrong", choose(other, right), "55").with(NoMoney),
        row(
            "B25",
            "a new PIN that anybody would guess",
            choose(right, |b| block(b, b"111111", PinFormat::WithPan, PAN)),
            "55",
        )
        .with(NoMoney),
        row("B25", "a new PIN whose block is none", choose(right, |_| vec![0; 8]), "55")
            .with(NoMoney),
        row("B25", "a new PIN of seven bytes", choose(right, |_| vec![0; 7]), "55").with(NoMoney),
        row("B25", "no new PIN", |d, _| _ = (turn(d, PIN_CHANGE, 3, FEN), d.without(62)), "30"),
        row(
            "B25",
            "a PIN under SM4 at a terminal that has none: no block in F63",
            |d, _| {
                d.digits(53, "2300000000000000");
            },
            "30",
        ),
        row(
            "B25",
            "a PIN under SM4 at a terminal that has none: sixteen bytes",
            |d, _| {
                d.digits(53, "2300000000000000").text(63, b"SM0160123456789ABCDEF");
            },
            "55",
        )
        .with(NoMoney),
        row("B25", "a format of nobody (F53)", |d, _| _ = d.digits(53, "9600000000000000"), "30"),
    ]);
}

/// Whatever is wrong with a block, it is a try: after three of them the right PIN is not taken, and
/// there is nothing to learn.
#[test]
fn every_wrong_block_is_a_try() {
    for (what, made) in BLOCKS {
        let mut bench = Bench::new();
        let wrong = made(&bench);
        for stan in 2..5 {
            let code = send(&mut bench, SALE, stan, FEN, |d, _| _ = d.text(52, &wrong));
            assert_eq!(code, "55", "{what}");
        }
        assert_eq!(send(&mut bench, SALE, 5, FEN, |_, _| {}), "75", "{what}");
    }
}

#[test]
fn fields_that_are_no_pin() {
    let wire = |bytes: &'static [u8]| move |draft: &mut Draft, _: &Bench| _ = draft.wire(52, bytes);
    check(&[
        row("B24", "seven bytes, which shift all that follows", wire(&[0x11; 7]), "30"),
        row("B24", "nine bytes, too", wire(&[0x11; 9]), "30"),
        row("B24", "sixteen bytes", wire(&[0x11; 16]), "30"),
        row("B24", "no byte", wire(&[]), "30"),
        row("B24", "a PIN, and F22 says none was entered", |d, _| _ = d.digits(22, "022"), "30"),
        row("B24", "no PIN, and F22 says one was entered", |d, _| _ = d.without(52), "30"),
        row(
            "B24",
            "a PIN, and F22 does not say: it is looked at",
            |d, b| {
                d.digits(22, "020");
                enter(d, b, PAN, b"654321");
            },
            "55",
        )
        .with(NoMoney),
        row(
            "B24",
            "a pre-authorisation whose F22 says none was entered",
            |d, _| {
                turn(d, PRE_AUTH, 3, FEN);
                d.digits(22, "022");
            },
            "30",
        ),
        row("B24", "a security field of letters", |d, _| _ = d.wire(53, &[0x2A; 8]), "30"),
    ]);
}

/// What cannot be read as a PIN is no try: it says nothing about one.
#[test]
fn what_is_no_block_is_no_try() {
    let mut bench = Bench::new();
    for stan in 2..6 {
        let code = send(&mut bench, SALE, stan, FEN, |d, _| _ = d.digits(22, "022"));
        assert_eq!(code, "30");
        let code = send(&mut bench, SALE, stan, FEN, |d, _| _ = d.wire(52, &[0x11; 7]));
        assert_eq!(code, "30");
    }
    assert_eq!(send(&mut bench, SALE, 6, FEN, |_, _| {}), "00");
}

#[test]
fn pins_that_are_missing() {
    let without = |act: Act, fen: i64| {
        move |draft: &mut Draft, _: &Bench| {
            turn(draft, act, 3, fen);
            enter_nothing(draft);
        }
    };
    let named = |fen: i64| {
        move |draft: &mut Draft, bench: &Bench| {
            turn(draft, SALE, 3, fen);
            present(draft, bench, NAMED);
            enter_nothing(draft);
        }
    };
    check(&[
        row("B26", "a sale", without(SALE, FEN), "55").with(NoMoney),
        row("B26", "a sale of a fen", without(SALE, 1), "55").with(NoMoney),
        row("B26", "a pre-authorisation", without(PRE_AUTH, FEN), "55").with(NoMoney),
        row("B26", "an inquiry", without(INQUIRY, 0), "55").with(NoMoney),
        row("B26", "a points sale", without(POINTS_SALE, 1), "55").with(NoMoney),
        row("B26", "up to what the product lets pass", named(10_000), "00").with(Pays(10_000)),
        row("B26", "a fen more", named(10_001), "55").with(NoMoney),
        row(
            "B26",
            "the cashier undoes a sale alone",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                enter_nothing(d);
            },
            "00",
        )
        .after(sold)
        .with(Pays(-FEN)),
    ]);
    let mut bench = Bench::new();
    for stan in 2..6 {
        assert_eq!(send(&mut bench, SALE, stan, FEN, |d, _| enter_nothing(d)), "55");
    }
    assert_eq!(send(&mut bench, SALE, 6, FEN, |_, _| {}), "00", "none of them was a try");
}

/// Before a case: three wrong PINs, by three kinds of request.
fn guessed(bench: &mut Bench) {
    for (stan, act) in [(10, SALE), (11, INQUIRY), (12, PRE_AUTH)] {
        assert_eq!(send(bench, act, stan, FEN, |d, b| enter(d, b, PAN, b"654321")), "55");
    }
}

/// Before a case: two wrong PINs and a right one, twice.
fn nearly_guessed(bench: &mut Bench) {
    for stan in [10, 20] {
        for more in 0..2 {
            let wrong = |d: &mut Draft, b: &Bench| enter(d, b, PAN, b"654321");
            assert_eq!(send(bench, INQUIRY, stan + more, 0, wrong), "55");
        }
        assert_eq!(send(bench, INQUIRY, stan + 5, 0, |_, _| {}), "00");
    }
}

/// A request with this PIN, after others.
fn fourth(act: Act, pin: &'static [u8]) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, act, 20, FEN);
        enter(draft, bench, PAN, pin);
    }
}

#[test]
fn the_fourth_pin() {
    check(&[
        row("B27", "a wrong one", fourth(SALE, b"654321"), "75").after(guessed).with(NoMoney),
        row("B27", "the right one", fourth(SALE, b"123456"), "75").after(guessed).with(NoMoney),
        row("B27", "the right one, for a pre-authorisation", fourth(PRE_AUTH, b"123456"), "75")
            .after(guessed)
            .with(NoMoney),
        row("B27", "the right one, for an inquiry", fourth(INQUIRY, b"123456"), "75")
            .after(guessed)
            .with(NoMoney),
        row("B27", "the right one, for points", fourth(POINTS_SALE, b"123456"), "75")
            .after(guessed)
            .with(NoMoney),
        row(
            "B27",
            "the right one, for a new one",
            |d, b| {
                turn(d, PIN_CHANGE, 20, 0);
                let new = block(b, b"273846", PinFormat::WithPan, PAN);
                d.without(4).text(62, &new);
            },
            "75",
        )
        .after(guessed)
        .with(NoMoney),
        row(
            "B27",
            "the right one, for a void",
            |d, b| {
                turn(d, VOID, 20, FEN);
                refer(d, b);
            },
            "75",
        )
        .after(|bench| {
            did(bench, SALE, FEN);
            let sale = bench.last.clone();
            guessed(bench);
            bench.last = sale;
        })
        .with(NoMoney),
        row("B27", "none", |d, _| _ = (turn(d, SALE, 20, FEN), enter_nothing(d)), "75")
            .after(guessed)
            .with(NoMoney),
    ]);
}

#[test]
fn what_is_no_fourth_pin() {
    check(&[
        row(
            "B27",
            "another card is not touched",
            |d, b| {
                turn(d, SALE, 20, FEN);
                present(d, b, OTHER_PAN);
            },
            "00",
        )
        .after(guessed)
        .with(Pays(FEN)),
        row("B27", "a right one in between starts the count anew", fourth(SALE, b"123456"), "00")
            .after(nearly_guessed)
            .with(Pays(FEN)),
        row("B27", "the same wrong one again is one try", |_, _| {}, "00")
            .after(|bench| {
                for _ in 0..5 {
                    let wrong = |d: &mut Draft, b: &Bench| enter(d, b, PAN, b"654321");
                    assert_eq!(send(bench, SALE, STAN + 7, FEN, wrong), "55");
                }
            })
            .with(Pays(FEN)),
    ]);
}
