//! Floods of what anybody may send (catalogue B45, B46): no message code protects sign-ons,
//! settlements and uploads, so how often they come is bounded.

use crate::acts::{SALE, send, settlement};
use crate::bench::draft::{Code, Draft, FEN, OTHER_TERMINAL, STAN, management, sale};
use crate::bench::{Bench, Ear, Heard};
use crate::table::{check, row, sold};

/// Sends a request so often, a second apart, from the beginning of a fresh minute; returns how
/// many are answered 00 or with totals, and how many 65.
fn flood(bench: &mut Bench, times: u64, draft: impl Fn(u64) -> Draft) -> (usize, usize) {
    bench.now.micros += 60_000_000;
    let mut codes = Vec::new();
    for time in 0..times {
        bench.now.micros += 1_000_000 / times;
        codes.push(bench.send(&draft(time)).code());
    }
    let of =
        |wanted: [&str; 2]| codes.iter().filter(|code| wanted.contains(&code.as_str())).count();
    (of(["00", "no code"]), of(["65", "65"]))
}

fn sign_on() -> Draft {
    management([8, 0], "00000001003")
}

#[test]
fn sign_ons() {
    let ear = Ear::new();
    ear.listen(|| {
        let mut bench = Bench::new();
        sold(&mut bench);
        assert_eq!(flood(&mut bench, 1_000, |_| sign_on()), (20, 980));
        // Beyond the limit nothing is journalled, and nothing changes.
        let state = bench.state();
        assert_eq!(bench.send(&sign_on()).code(), "65");
        assert_eq!(bench.state(), state);
        // The terminal still has the keys that it used, however many came since.
        assert_eq!(send(&mut bench, SALE, STAN + 1, FEN, |_, _| {}), "00");
        // Its own sign-on is taken in the next minute.
        bench.now.micros += 60_000_000;
        bench.sign_on(crate::bench::draft::TERMINAL);
        assert_eq!(send(&mut bench, SALE, STAN + 2, FEN, |_, _| {}), "00");
    });
    let said = ear.said();
    let counted = "posp_security_events_total{channel=\"pos\",event=\"key rate\"} 981";
    assert!(said.contains(counted), "{said}");
    assert!(said.matches("suspicious request").count() <= 40, "a flood is no flood of text");
}

#[test]
fn sign_ons_and_sign_offs_in_turn() {
    let mut bench = Bench::new();
    let off = || management([8, 0x20], "00000001002");
    let in_turn = |time: u64| if time.is_multiple_of(2) { sign_on() } else { off() };
    assert_eq!(flood(&mut bench, 200, in_turn), (20, 180));
    assert_eq!(send(&mut bench, SALE, STAN, FEN, |_, _| {}), "00");
}

/// What one terminal is flooded with takes nothing from another, nor one kind from another.
#[test]
fn floods_beside_each_other() {
    let mut bench = Bench::new();
    assert_eq!(flood(&mut bench, 100, |_| sign_on()), (20, 80));
    bench.sign_on(OTHER_TERMINAL);
    let settled = bench.send(&settlement("000900", 1, &"0".repeat(62)));
    assert_eq!(settled.mti(), "0510");
    assert_eq!(settled.code(), "no code");
}

#[test]
fn settlements() {
    let mut bench = Bench::new();
    let next = |time: u64| settlement("000900", u32::try_from(time).unwrap() + 1, &"0".repeat(62));
    assert_eq!(flood(&mut bench, 100, next).0, 20);
    let state = bench.state();
    assert_eq!(bench.send(&next(20)).code(), "65");
    assert_eq!(bench.state(), state);
}

#[test]
fn uploads() {
    let ear = Ear::new();
    ear.listen(|| {
        let mut bench = Bench::new();
        assert_eq!(bench.send(&settlement("000900", 1, &"0".repeat(62))).code(), "no code");
        // One detail, each time with another amount: every message leaves an entry.
        let detail = |time: u64| {
            let mut draft = management([3, 0x20], "00000001201");
            draft.digits(48, &format!("0100000002{:020}{time:012}", 0));
            draft
        };
        assert_eq!(flood(&mut bench, 3_100, detail), (3_000, 100));
    });
    assert!(ear.said().contains("event=\"upload rate\"} 100"), "{}", ear.said());
}

/// Requests without a right message code leave no entry, however many come.
#[test]
fn sales_of_a_stranger() {
    let mut bench = Bench::new();
    let state = bench.state();
    let stranger = |bench: &Bench| {
        let mut draft = sale(bench.keys());
        draft.code = Code::Bytes(vec![0; 8]);
        draft
    };
    let draft = stranger(&bench);
    for _ in 0..1_000 {
        assert_eq!(bench.send(&draft).code(), "A0");
    }
    assert_eq!(bench.state(), state);
    let own = sale(bench.keys());
    assert_eq!(bench.send(&own).code(), "00", "the terminal itself is not locked out");
}

/// Turns a draft into an echo.
fn echo(draft: &mut Draft) {
    *draft = management([8, 0x20], "00000001301");
}

/// An echo with a field of these bytes, length in front.
fn echo_with(field: u8, bytes: Vec<u8>) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        echo(draft);
        draft.wire(field, &bytes);
    }
}

fn with_length(length: [u8; 2], bytes: usize) -> Vec<u8> {
    [length.to_vec(), vec![0x11; bytes]].concat()
}

#[test]
fn echoes() {
    let long: &[_] = &["posp_decode_errors_total", "kind=\"LEN_BAD\""];
    let more: &[_] = &["posp_decode_errors_total", "kind=\"TRAILING_BYTES\""];
    check(&[
        row("B46", "nothing but an echo", |d, _| echo(d), "00"),
        row("B46", "all that F48 may have", echo_with(48, with_length([0x03, 0x22], 161)), "00"),
        row("B46", "a digit more", echo_with(48, with_length([0x03, 0x23], 162)), "30").says(long),
        row(
            "B46",
            "all that three digits say",
            echo_with(48, with_length([0x09, 0x99], 500)),
            "30",
        )
        .says(long),
        row(
            "B46",
            "four KiB, and a length of 96: the rest is read as F60",
            echo_with(48, with_length([0x00, 0x96], 4_096)),
            "30",
        )
        .says(long),
        row(
            "B46",
            "four KiB, and a length of four digits",
            echo_with(48, with_length([0x40, 0x96], 4_096)),
            "30",
        )
        .says(long),
        row(
            "B46",
            "four KiB after it",
            |d, _| {
                echo(d);
                d.tail = vec![0; 4_000];
            },
            "30",
        )
        .says(more),
        row("B46", "all that F62 may have", echo_with(62, with_length([0x05, 0x12], 512)), "00"),
        row("B46", "a byte more", echo_with(62, with_length([0x05, 0x13], 513)), "30").says(long),
        row(
            "B46",
            "a card that nobody asked for",
            |d, _| {
                let card = d.fields[&2].clone();
                echo(d);
                d.wire(2, &card);
            },
            "00",
        ),
        row(
            "B46",
            "an echo of a terminal of nobody",
            |d, _| {
                echo(d);
                d.text(41, b"99999999");
            },
            "97",
        ),
    ]);
}

/// An echo is answered with what an echo has: nothing of a stranger's comes back but what names it.
#[test]
fn an_echo_echoes_little() {
    let mut bench = Bench::new();
    let mut draft = management([8, 0x20], "00000001301");
    draft.wire(48, &with_length([0x03, 0x22], 161)).wire(62, &with_length([0x05, 0x12], 512));
    let Heard { frame } = bench.send(&draft);
    assert!(frame.len() < 128, "{} bytes", frame.len());
}
