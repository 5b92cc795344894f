//! Bytes that mean something to others than this switch, and bytes that mean nothing (catalogue B49,
//! B50).

use std::time::{Duration, Instant};

use codec::{Dialect, Envelope, Message};

use crate::acts::{ACTIVATION, COMPLETION, PRE_AUTH, SALE, VOID, refer, turn};
use crate::bench::draft::{Code, Draft, FEN, management, sale};
use crate::bench::{Bench, Ear};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// What a terminal, a shell, a browser, a database, a log or a spreadsheet would take for more than
/// text.
const STRINGS: &[&[u8]] = &[
    b"\0\0\0\0",
    b"line\r\nINFO forged=1",
    b"\x1B[2J\x1B[31mred\x07",
    b"\xFF\xFE\xC0\x80",
    b"\xE2\x80\xAEtxt.exe",
    b"<script>alert(1)</script>",
    b"'; DROP TABLE txn; --",
    b"${jndi:ldap://x/a}",
    b"%s%n%x{}{0}",
    b"=HYPERLINK(\"x\")",
    b"../../etc/passwd",
    b"`id`;$(id)|id&",
];

/// A string, cut or filled up with spaces to so many bytes.
fn fitted(text: &[u8], length: usize) -> Vec<u8> {
    text.iter().copied().chain(std::iter::repeat(b' ')).take(length).collect()
}

/// Sends every string in a field of many requests. Whatever is answered, nothing of it is in the
/// log as it came, and the switch goes on. Returns the codes, each once.
fn said_everywhere(field: u8, length: usize) -> Vec<String> {
    let ear = Ear::new();
    let mut codes: Vec<_> = ear.listen(|| {
        let mut bench = Bench::new();
        let mut codes = Vec::new();
        for (stan, text) in (10..).step_by(10).zip(STRINGS) {
            for (more, act) in (0..).zip([SALE, PRE_AUTH, COMPLETION, VOID, ACTIVATION]) {
                let mut draft = sale(bench.keys());
                turn(&mut draft, act, stan + more, 1);
                draft.text(field, &fitted(text, length));
                codes.push(bench.send(&draft).code());
            }
            for mut draft in [
                management([8, 0], "00000001003"),
                management([8, 0x20], "00000001301"),
                management([3, 0x20], "00000001202"),
            ] {
                draft.text(field, &fitted(text, length));
                codes.push(bench.send(&draft).code());
            }
        }
        let own = sale(bench.keys());
        assert_eq!(bench.send(&own).code(), "00", "after F{field}");
        codes
    });
    let said = ear.said();
    let is_plain = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    assert!(said.bytes().all(is_plain), "F{field} puts bytes into the log that are no text");
    // The name of an unknown terminal is told: eight characters that can be printed, and no more.
    for text in STRINGS.iter().filter(|_| length > 8) {
        let start = &text[..text.len().min(length).min(8)];
        let is_told = said.as_bytes().windows(start.len()).any(|window| window == start);
        assert!(!is_told, "F{field} puts its own text into the log: {}", start.escape_ascii());
    }
    codes.sort();
    codes.dedup();
    codes
}

/// What is kept as bytes is taken; what means something to the switch is refused.
#[test]
fn strings() {
    for (field, length) in [(43, 40), (46, 40), (56, 40), (59, 40), (62, 40), (63, 40)] {
        let codes = said_everywhere(field, length);
        assert!(codes.contains(&"00".to_owned()), "F{field}: {codes:?}");
    }
    for (field, length) in [(41, 8), (42, 15)] {
        let codes = said_everywhere(field, length);
        assert!(!codes.contains(&"00".to_owned()), "F{field}: {codes:?}");
    }
    for (field, length) in [(37, 12), (38, 6), (44, 25), (49, 3), (54, 20)] {
        said_everywhere(field, length);
    }
}

#[test]
fn strings_where_numbers_belong() {
    let wire = |field: u8, bytes: &'static [u8]| {
        move |draft: &mut Draft, _: &Bench| _ = draft.wire(field, bytes)
    };
    let digit: &[_] = &["posp_decode_errors_total", "kind=\"DIGIT_BAD\""];
    check(&[
        row("B49", "markup in F60", wire(60, b"\x00\x14<script"), "30").says(digit),
        row("B49", "a statement in F48", wire(48, b"\x00\x20'; DROP  --"), "30").says(digit),
        row("B49", "a line's end in F11", wire(11, b"\r\n\0"), "30").says(digit),
        row("B49", "an escape in F4", wire(4, b"\x1B[31m\0"), "30").says(digit),
        row("B49", "a look-up in F61", wire(61, b"\x00\x16${jndi:x"), "30").says(digit),
        row("B49", "a terminal that is no text", |d, _| _ = d.text(41, b"\x1B[2J\0\0\0\0"), "30"),
        row("B49", "a terminal of a line's end", |d, _| _ = d.text(41, b"1000\r\n01"), "30"),
        row("B49", "a merchant that is no text", |d, _| _ = d.text(42, &[0xFF; 15]), "30"),
        row("B49", "a currency of markup", |d, _| _ = d.text(49, b"<b>"), "12"),
        row(
            "B49",
            "a reason of a reversal, of a line's end",
            |d, b| {
                *d = crate::bench::draft::reversal(b.keys());
                d.text(39, b"\r\n");
            },
            "00",
        )
        .after(sold)
        .with(Pays(-FEN)),
        row(
            "B49",
            "a reference of a statement",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                d.text(37, b"' OR '1'='1'");
            },
            "25",
        )
        .after(sold)
        .with(NoMoney),
    ]);
}

/// Numbers that look like chance, the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}

/// Sends what is no message; nothing of it is approved, and nothing changes.
fn unheard(frames: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let ear = Ear::new();
    ear.listen(|| {
        let mut bench = Bench::new();
        let state = bench.state();
        let mut codes: Vec<_> = frames.map(|frame| bench.hear(&frame).code()).collect();
        assert_eq!(bench.state(), state);
        let own = sale(bench.keys());
        assert_eq!(bench.send(&own).code(), "00");
        codes.sort();
        codes.dedup();
        codes
    })
}

/// TPDU and header of a good frame.
fn envelope() -> Vec<u8> {
    Draft::new([2, 0]).envelope
}

#[test]
fn noise() {
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let codes = unheard((0..500).map(|_| [envelope(), noise.bytes(4_096)].concat()));
    assert_eq!(codes, ["dropped"]);
    let after_mti = |_| [envelope(), vec![2, 0], noise.bytes(4_083)].concat();
    let codes = unheard((0..500).map(after_mti));
    assert!(
        codes.iter().all(|code| ["12", "14", "30", "40"].contains(&code.as_str())),
        "{codes:?}"
    );
}

/// The good sale, of which some bytes are others: before they are signed, so that no message code
/// stands in the way.
#[test]
fn noise_in_a_signed_sale() {
    let ear = Ear::new();
    ear.listen(|| {
        let mut bench = Bench::new();
        let mut noise = Noise(7);
        let good = bench.signed(&sale(bench.keys()));
        let mut refused = 0;
        for _ in 0..2_000 {
            let mut frame = good.clone();
            let end = frame.len() - 8;
            for _ in 0..=noise.next() % 4 {
                let place = usize::try_from(noise.next()).unwrap_or(0) % (end - 11) + 11;
                frame[place] = noise.bytes(1)[0];
            }
            let code = bench.keys().mac(crate::bench::draft::MAC, &frame[11..end]).unwrap();
            frame.splice(end.., code);
            let money = bench.money();
            let heard = bench.hear(&frame).code();
            if !["00", "10", "no code"].contains(&heard.as_str()) {
                refused += 1;
                assert_eq!(bench.money(), money, "{heard}");
            }
        }
        assert!((1_500..2_000).contains(&refused), "{refused} are refused");
    });
}

#[test]
fn bitmaps_of_ones() {
    let ones = |more: usize| [envelope(), vec![2, 0], vec![0xFF; more]].concat();
    assert_eq!(unheard([8, 15].into_iter().map(ones)), ["dropped"]);
    assert_eq!(unheard([16, 128, 4_083].into_iter().map(ones)), ["30"]);
    let unsigned = |draft: &Draft| draft.frame(|_| [0; 8]);
    let all = |bits: fn(u64) -> Vec<u8>| {
        let mut draft = management([8, 0x20], "00000001301");
        (draft.bitmap, draft.code) = (bits, Code::Absent);
        unsigned(&draft)
    };
    let frames = [all(|_| vec![0xFF; 8]), all(|_| vec![0xFF; 16]), all(|_| vec![0; 8])];
    let codes = unheard(frames.into_iter());
    assert!(codes.iter().all(|code| ["12", "30"].contains(&code.as_str())), "{codes:?}");
}

/// The good sale with every other field that a request may have, each as long as it may be.
fn longest(draft: &mut Draft) {
    let binary = |length: usize| vec![0x31; length];
    draft
        .digits(14, "2912")
        .digits(23, "001")
        .digits(36, &"1".repeat(104))
        .text(43, &binary(40))
        .text(44, &binary(25))
        .text(46, &binary(512))
        .digits(48, &"1".repeat(322))
        .text(54, &binary(20))
        .wire(55, &[&[0x02, 0x55, 0x9F, 0x10, 0x81, 0xFB][..], &[0x11; 251]].concat())
        .text(56, &binary(512))
        .text(57, &binary(512))
        .text(58, &binary(512))
        .text(59, &binary(600))
        .digits(61, &"1".repeat(29))
        .text(62, &binary(512))
        .text(63, &binary(163));
}

#[test]
fn the_longest_message() {
    check(&[
        row("B50", "every field, as long as it may be", |d, _| longest(d), "00").with(Pays(FEN))
    ]);
    let bench = Bench::new();
    let mut draft = sale(bench.keys());
    longest(&mut draft);
    let frame = bench.signed(&draft);
    assert!((3_800..=4_096).contains(&frame.len()), "{} bytes", frame.len());
    let mut noise = Noise(1);
    let long: [(&str, Vec<u8>); 4] = [
        ("the longest", frame),
        ("noise", [envelope(), vec![2, 0], noise.bytes(4_083)].concat()),
        ("ones", [envelope(), vec![2, 0], vec![0xFF; 4_083]].concat()),
        ("zeros", [envelope(), vec![2, 0], vec![0; 4_083]].concat()),
    ];
    // Without optimisation all is slower by an order.
    let most = Duration::from_micros(if cfg!(debug_assertions) { 1_000 } else { 50 });
    for (what, frame) in &long {
        let took = (0..200).map(|_| time_to_read(frame)).min().unwrap();
        assert!(took <= most, "{what} took {took:?}");
    }
}

/// Returns how long it takes to read a frame, whatever it is.
fn time_to_read(frame: &[u8]) -> Duration {
    let began = Instant::now();
    let envelope = Envelope::parse(frame).unwrap();
    let read = Message::salvage(Dialect::unionpay_pos(), envelope.body);
    std::hint::black_box(&read);
    began.elapsed()
}
