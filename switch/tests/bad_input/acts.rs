//! Requests other than the good sale: the same card and terminal, another transaction.

use keys::{Pan12, PinFormat};

use crate::bench::Bench;
use crate::bench::draft::{Draft, FEN, NAMED, PIN, SOLD, STAN, management, reversal, sale};

/// A transaction: message type, processing code (F3), condition (F25), kind (F60.1).
#[derive(Clone, Copy)]
pub(crate) struct Act(pub(crate) [u8; 2], &'static str, &'static str, &'static str);

pub(crate) const SALE: Act = Act([2, 0], "000000", "00", "22");
pub(crate) const VOID: Act = Act([2, 0], "200000", "00", "23");
pub(crate) const REFUND: Act = Act([2, 0x20], "200000", "00", "25");
pub(crate) const INQUIRY: Act = Act([2, 0], "310000", "00", "01");
pub(crate) const PRE_AUTH: Act = Act([1, 0], "030000", "06", "10");
pub(crate) const ADDITION: Act = Act([1, 0], "030000", "60", "10");
pub(crate) const PRE_AUTH_VOID: Act = Act([1, 0], "200000", "06", "11");
pub(crate) const COMPLETION: Act = Act([2, 0], "000000", "06", "20");
pub(crate) const ADVICE: Act = Act([2, 0x20], "000000", "06", "24");
pub(crate) const COMPLETION_VOID: Act = Act([2, 0], "200000", "06", "21");
pub(crate) const OFFLINE: Act = Act([2, 0x20], "000000", "00", "30");
pub(crate) const E_CASH: Act = Act([2, 0], "000000", "00", "36");
pub(crate) const VERIFICATION: Act = Act([1, 0], "330000", "00", "01");
pub(crate) const TOP_UP: Act = Act([2, 0], "630000", "00", "48");
pub(crate) const POINTS_SALE: Act = Act([2, 0], "000000", "65", "22");
pub(crate) const POINTS_VOID: Act = Act([2, 0], "200000", "65", "23");
pub(crate) const ACTIVATION: Act = Act([2, 0], "900000", "82", "98");
pub(crate) const PIN_CHANGE: Act = Act([2, 0], "920000", "82", "97");

/// Turns a draft into another transaction, of the open batch `batch`.
pub(crate) fn turn_in(draft: &mut Draft, act: Act, stan: u32, fen: i64, batch: u32) {
    let Act(mti, processing, condition, kind) = act;
    draft.mti = mti.to_vec();
    draft
        .digits(3, processing)
        .digits(4, &format!("{fen:012}"))
        .digits(11, &format!("{stan:06}"))
        .digits(25, condition)
        .digits(60, &format!("{kind}{batch:06}000500"));
}

/// The same, of the first batch.
pub(crate) fn turn(draft: &mut Draft, act: Act, stan: u32, fen: i64) {
    turn_in(draft, act, stan, fen, 1);
}

/// Turns a draft into the reversal of a transaction, which names no card.
pub(crate) fn undo(draft: &mut Draft, bench: &Bench, act: Act, stan: u32, fen: i64) {
    *draft = reversal(bench.keys());
    turn(draft, act, stan, fen);
    draft.mti = vec![4, 0];
}

/// Names the transaction of the last answer: reference, authorisation code, batch, trace number.
pub(crate) fn refer(draft: &mut Draft, bench: &Bench) {
    let last = &bench.last;
    draft.text(37, last.text(37).unwrap().as_bytes());
    if let Some(auth) = last.text(38) {
        draft.text(38, auth.as_bytes());
    }
    let batch = last.digits(60).unwrap()[2..8].to_owned();
    draft.digits(61, &format!("{batch}{}1122", last.digits(11).unwrap()));
}

/// Names another card, swiped, with its PIN.
pub(crate) fn present(draft: &mut Draft, bench: &Bench, pan: &str) {
    let expiry = if pan.len() == 16 { "0000" } else { "2912" };
    draft.digits(2, pan).digits(35, &format!("{pan}D{expiry}201000000000"));
    enter(draft, bench, pan, PIN);
}

/// Enters a PIN for a card.
pub(crate) fn enter(draft: &mut Draft, bench: &Bench, pan: &str, pin: &[u8]) {
    let pan = Pan12::from_pan(pan.as_bytes()).unwrap();
    let block = bench.keys().pin_block(pin, PinFormat::WithPan, Some(&pan)).unwrap();
    draft.text(52, block.as_bytes());
}

/// Enters no PIN.
pub(crate) fn enter_nothing(draft: &mut Draft) {
    draft.digits(22, "022").without(26).without(52).without(53);
}

/// Sends a transaction of the good card and returns its code.
pub(crate) fn send(
    bench: &mut Bench,
    act: Act,
    stan: u32,
    fen: i64,
    bend: impl FnOnce(&mut Draft, &Bench),
) -> String {
    let mut draft = sale(bench.keys());
    turn(&mut draft, act, stan, fen);
    bend(&mut draft, bench);
    bench.send(&draft).code()
}

/// Before a case: a transaction of the good card was approved, under its trace number.
pub(crate) fn did(bench: &mut Bench, act: Act, fen: i64) {
    assert_eq!(send(bench, act, STAN, fen, |_, _| {}), "00");
}

/// Before a case: the transaction of the last answer was followed by another, under the next trace
/// number, which was approved. What is referred to afterwards is still the first.
pub(crate) fn followed(bench: &mut Bench, act: Act, fen: i64) {
    let first = bench.last.clone();
    assert_eq!(send(bench, act, STAN + 1, fen, refer), "00");
    bench.last = first;
}

/// Before a case: the named card was verified for a load.
pub(crate) fn verified(bench: &mut Bench) {
    let code = send(bench, VERIFICATION, STAN, 0, |d, b| {
        d.without(4);
        present(d, b, NAMED);
    });
    assert_eq!(code, "00");
}

/// Before a case: the sold card was activated.
pub(crate) fn activated(bench: &mut Bench) {
    assert_eq!(send(bench, ACTIVATION, STAN, 0, |d, b| present(d, b, SOLD)), "00");
}

/// Before a case: 100.00 were set aside.
pub(crate) fn authorised(bench: &mut Bench) {
    did(bench, PRE_AUTH, FEN);
}

/// Before a case: the first batch was settled, whatever was in it. What is referred to afterwards is
/// what was before.
pub(crate) fn closed(bench: &mut Bench) {
    let last = bench.last.clone();
    let settlement = settlement("000901", 1, &"0".repeat(62));
    assert_eq!(bench.send(&settlement).mti(), "0510");
    bench.last = last;
}

/// A settlement of a batch with these totals (F48).
pub(crate) fn settlement(stan: &str, batch: u32, totals: &str) -> Draft {
    let mut draft = management([5, 0], &format!("00{batch:06}201"));
    draft.digits(11, stan).digits(48, totals).text(49, b"156");
    draft
}
