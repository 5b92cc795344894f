//! Messages that are not what they seem: unsigned, altered, doubled, undone by somebody else
//! (catalogue B28 to B34, B22).

use crate::bench::Bench;
use crate::bench::draft::{Code, Draft, FEN, OTHER_MERCHANT, OTHER_TERMINAL, reversal, sale};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, reversed, row, sold};

/// The message code that is right, in small letters.
fn in_small_letters(draft: &mut Draft, bench: &Bench) {
    let frame = bench.signed(draft);
    let code = frame[frame.len() - 8..].to_ascii_lowercase();
    assert!(!frame.ends_with(&code), "the code has a letter");
    draft.code = Code::Bytes(code);
}

#[test]
fn message_codes() {
    let code = |code: Code| move |draft: &mut Draft, _: &Bench| draft.code = code.clone();
    let zeros = || Code::Bytes(vec![0; 8]);
    let failed: &[_] = &["posp_mac_failures_total{channel=\"pos\"} 1"];
    check(&[
        row("B28", "no message code", code(Code::Absent), "A0").says(failed),
        row(
            "B28",
            "no message code, and nothing else is looked at",
            |d, _| d.digits(11, "000000").code = Code::Absent,
            "A0",
        )
        .says(failed),
        row("B28", "a PIN without F53, which says how to read it", |d, _| _ = d.without(53), "30"),
        row("B28", "a PIN where F22 says there is none", |d, _| _ = d.digits(22, "022"), "30"),
        row("B29", "a message code of zeros", code(zeros()), "A0").says(failed),
        row("B29", "the right message code in small letters", in_small_letters, "A0").says(failed),
        row(
            "B29",
            "signed by another terminal, which knows its own keys alone",
            |d, _| d.signer = OTHER_TERMINAL,
            "A0",
        )
        .after(|bench| bench.sign_on(OTHER_TERMINAL))
        .says(failed),
        row(
            "B29",
            "two fields in each other's place are two other fields",
            |d, _| {
                let (processing, stan) = (d.fields[&3].clone(), d.fields[&11].clone());
                d.wire(3, &stan).wire(11, &processing);
            },
            "12",
        ),
        row(
            "B29",
            "one sale in another encoding: the same digits are the same sale",
            |d, _| *d.fields.get_mut(&2).unwrap().last_mut().unwrap() |= 0x0F,
            "00",
        )
        .after(sold)
        .repeats(),
    ]);
}

/// The dialect's own code lets one signed message be turned into others: a stranger who sends what he
/// likes must not get it signed.
#[test]
fn nothing_is_signed_for_a_stranger() {
    let mut bench = Bench::new();
    let mut stranger = sale(bench.keys());
    for code in [Code::Absent, Code::Bytes(vec![0; 8])] {
        stranger.code = code;
        let heard = bench.send(&stranger);
        assert_eq!((heard.code().as_str(), heard.is_signed()), ("A0", false));
    }
    let owner = sale(bench.keys());
    let heard = bench.send(&owner);
    assert_eq!((heard.code().as_str(), heard.is_signed()), ("00", true));
}

/// Before a case: a sale was refused, for there is too little on the card.
fn refused(bench: &mut Bench) {
    let mut sale = sale(bench.keys());
    sale.digits(4, "000000050001");
    assert_eq!(bench.send(&sale).code(), "51");
}

#[test]
fn doubles() {
    let differs: &[_] = &["posp_security_events_total", "event=\"duplicate differs\"} 1"];
    let logged: &[_] = &["posp::security", "duplicate differs", "10000001"];
    let amount = |fen: &'static str| move |draft: &mut Draft, _: &Bench| _ = draft.digits(4, fen);
    check(&[
        row("B31", "a sale that was approved", |_, _| {}, "00").after(sold).repeats(),
        row("B31", "a sale that was refused", amount("000000050001"), "51")
            .after(refused)
            .repeats(),
        row("B31", "a sale that was reversed", |_, _| {}, "22").after(reversed),
        row(
            "B31",
            "other times: no part of what makes it the same",
            |d, _| {
                d.digits(12, "101112").digits(13, "1122");
            },
            "00",
        )
        .after(sold)
        .repeats(),
        row("B32", "another amount", amount("000000010001"), "94").after(sold).says(differs),
        row("B32", "another amount, in the log", amount("000000010001"), "94")
            .after(sold)
            .says(logged),
        row("B32", "a smaller one than was refused", amount("000000000001"), "94")
            .after(refused)
            .says(differs),
        row("B32", "another card", |d, _| _ = d.typed("6212142000000000020"), "94")
            .after(sold)
            .says(differs),
        row(
            "B32",
            "an inquiry",
            |d, _| _ = d.digits(3, "310000").digits(60, "01000001000500"),
            "94",
        )
        .after(sold)
        .says(differs),
    ]);
}

/// The reversal of the good sale.
fn undo(draft: &mut Draft, bench: &Bench) {
    *draft = reversal(bench.keys());
}

/// The reversal of the good sale, which names the card.
fn undo_by_card(draft: &mut Draft, bench: &Bench) {
    let card = draft.fields[&2].clone();
    undo(draft, bench);
    draft.wire(2, &card);
}

/// A reversal by another terminal.
fn undo_elsewhere(draft: &mut Draft, bench: &Bench) {
    undo_by_card(draft, bench);
    draft.text(41, OTHER_TERMINAL.as_bytes()).signer = OTHER_TERMINAL;
}

/// Before a case: the reversal came, and the good sale has not.
fn barred(bench: &mut Bench) {
    let reversal = reversal(bench.keys());
    assert_eq!(bench.send(&reversal).code(), "25");
}

/// The same, of a reversal that names the card.
fn barred_by_card(bench: &mut Bench) {
    let mut draft = sale(bench.keys());
    undo_by_card(&mut draft, bench);
    assert_eq!(bench.send(&draft).code(), "25");
}

/// Before a case: the good sale was made, and another terminal is signed on.
fn sold_beside(bench: &mut Bench) {
    bench.sign_on(OTHER_TERMINAL);
    sold(bench);
}

/// Before a case: another terminal tried to reverse the good sale.
fn undone_elsewhere(bench: &mut Bench) {
    sold_beside(bench);
    let mut draft = sale(bench.keys());
    undo_elsewhere(&mut draft, bench);
    assert_eq!(bench.send(&draft).code(), "25");
}

#[test]
fn undone_by_somebody_else() {
    let merchant: &[_] = &["posp_security_events_total", "event=\"merchant differs\"} 1"];
    let terminal: &[_] = &["posp_security_events_total", "event=\"unknown terminal\"} 1"];
    check(&[
        row("B33", "the original never came: from now on it is barred", undo, "25").with(NoMoney),
        row("B33", "the same, of a known card", undo_by_card, "25").with(NoMoney),
        row("B33", "the original comes after all", |_, _| {}, "22").after(barred),
        row("B33", "the original comes after all, of a known card", |_, _| {}, "22")
            .after(barred_by_card),
        row("B33", "the reversal once more", undo, "25").after(barred),
        row("B33", "the reversal once more, of a known card", undo_by_card, "25")
            .after(barred_by_card),
        row(
            "B34",
            "another terminal: the original is none of its own, and it learns no more; that there is one cannot be told, so there is no event",
            undo_elsewhere,
            "25",
        )
        .after(sold_beside)
        .with(NoMoney),
        row("B34", "its own terminal still may", undo, "00").after(undone_elsewhere).with(Pays(-FEN)),
        row(
            "B34",
            "another merchant",
            |d, b| {
                undo(d, b);
                d.text(42, OTHER_MERCHANT.as_bytes());
            },
            "03",
        )
        .after(sold)
        .says(merchant),
        row("B22", "a terminal of another merchant", |d, _| _ = d.text(42, OTHER_MERCHANT.as_bytes()), "03")
            .says(merchant),
        row("B22", "a terminal of nobody", |d, _| _ = d.text(41, b"99999999"), "97").says(terminal),
    ]);
}
