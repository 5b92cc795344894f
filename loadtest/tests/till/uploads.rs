//! The upload of a batch: each form, in order.

use loadtest::terminal::Hold;
use loadtest::{Fen, Presented, Terminal};

use super::host::{Answer, Host, card, field, signed_on};
use super::{by_chip, done, yes};

/// Sells in every way that has an upload of its own.
fn busy_day() -> (Terminal, Host) {
    let (mut terminal, host) = signed_on();
    let card = card();
    let chip = by_chip(&card);
    for fen in [100, 200] {
        let request = terminal.sale(&chip, Fen(fen)).unwrap();
        yes(&mut terminal, &host, &request, "A12345");
    }
    let doubted = terminal.slips().last().unwrap().imprint.stan;
    terminal.doubt_issuer(doubted).unwrap();
    let held = done(&mut terminal, &host, |t, card| t.pre_auth(card, Fen(300)));
    let hold = Hold::of(terminal.slip(held).unwrap()).unwrap();
    terminal.complete_by_advice(&hold, &Presented::swiped(&card), Fen(300)).unwrap();
    terminal.sell_from_chip(&chip, Fen(400)).unwrap();
    terminal.sell_offline(&Presented::swiped(&card), Fen(500), None).unwrap();
    while terminal.has_notices_due() {
        let request = terminal.notice().unwrap();
        yes(&mut terminal, &host, &request, "A12345");
    }
    for fen in 0..9 {
        done(&mut terminal, &host, |t, card| t.sale(card, Fen(600 + fen)));
    }
    done(&mut terminal, &host, |t, card| t.activate(card));
    (terminal, host)
}

fn settle(terminal: &mut Terminal, host: &Host, flag: &str) {
    let request = terminal.settle().unwrap();
    let mut told = field(&request, 48).unwrap();
    told.replace_range(30..31, flag);
    let answer = Answer { f48: &told, ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
}

/// What is uploaded: field 60, amount or number of details; and the frame.
fn uploads(terminal: &mut Terminal, host: &Host, code: &str) -> Vec<(String, String, Vec<u8>)> {
    let mut seen = Vec::new();
    while terminal.must_upload() {
        let request = terminal.upload().unwrap();
        assert_eq!(field(&request, 0).unwrap(), "0320");
        assert_eq!(field(&request, 64), None);
        let stripe = field(&request, 48).map(|f48| f48[..2].to_owned());
        let what = stripe.clone().or_else(|| field(&request, 4)).unwrap();
        let f48 = stripe.unwrap_or_default();
        let answer = Answer { code, f48: &f48, ..Answer::default() };
        terminal.on_frame(&host.answer(&request, &answer)).unwrap();
        seen.push((field(&request, 60).unwrap(), what, request));
    }
    seen
}

#[test]
fn a_batch_that_differs_is_uploaded_whole_and_in_order() {
    let (mut terminal, host) = busy_day();
    assert_eq!(terminal.totals().debit_count, 14);
    settle(&mut terminal, &host, "2");
    let seen = uploads(&mut terminal, &host, "00");
    let seen: Vec<_> = seen.iter().map(|(f60, what, _)| (f60.as_str(), what.as_str())).collect();
    let expected = [
        ("30000007206", "000000000500"),
        ("36000007206", "000000000400"),
        ("00000007201", "08"),
        ("00000007201", "01"),
        ("24000007206", "000000000300"),
        ("22000007205", "000000000100"),
        ("22000007204", "000000000200"),
    ];
    assert_eq!(seen, expected);
    let request = terminal.end_upload().unwrap();
    assert_eq!(field(&request, 60).unwrap(), "00000007202");
    assert_eq!(field(&request, 48).unwrap(), "0014");
}

#[test]
fn of_a_batch_that_agrees_the_chip_transactions_are_uploaded() {
    let (mut terminal, host) = busy_day();
    settle(&mut terminal, &host, "1");
    let seen = uploads(&mut terminal, &host, "00");
    let forms: Vec<_> = seen.iter().map(|(f60, _, _)| f60.as_str()).collect();
    assert_eq!(forms, ["22000007203", "22000007204"]);
    let request = terminal.end_upload().unwrap();
    assert_eq!(field(&request, 60).unwrap(), "00000007207");
    assert_eq!(field(&request, 48).unwrap(), "0002");
}

#[test]
fn a_chip_transaction_is_uploaded_with_its_number_and_certificate() {
    let (mut terminal, host) = busy_day();
    settle(&mut terminal, &host, "1");
    let next = terminal.stan();
    let seen = uploads(&mut terminal, &host, "00");
    assert_eq!(terminal.stan(), next, "details that travel alone have their own numbers");
    let request = &seen[0].2;
    let shows = [2, 3, 11, 22, 23, 25, 49, 62].map(|number| field(request, number).unwrap());
    let expected = ["6212142000000000012", "000000", "000002", "051", "001", "00", "156"];
    assert_eq!(shows[..7], expected);
    assert_eq!(shows[7], "610000000000000100156");
    assert!(field(request, 55).unwrap().contains("9F270140"), "a certificate");
    assert_eq!(field(&seen[1].2, 62).unwrap(), "610100000000000200156");
}

#[test]
fn a_completion_that_was_told_names_its_hold_again() {
    let (mut terminal, host) = busy_day();
    settle(&mut terminal, &host, "2");
    let seen = uploads(&mut terminal, &host, "00");
    let advice = &seen[4].2;
    let shows = [3, 25, 38].map(|number| field(advice, number).unwrap());
    assert_eq!(shows, ["000000", "06", "A12345"]);
    assert_eq!(field(advice, 55), None);
}

#[test]
fn a_refused_detail_that_travels_alone_holds_nobody_up() {
    let (mut terminal, host) = busy_day();
    settle(&mut terminal, &host, "1");
    assert_eq!(uploads(&mut terminal, &host, "30").len(), 2);
    let request = terminal.end_upload().unwrap();
    assert_eq!(field(&request, 48).unwrap(), "0000", "only what was taken is counted");
}

#[test]
fn refunds_follow_sales() {
    let (mut terminal, host) = signed_on();
    let first = done(&mut terminal, &host, |t, card| t.sale(card, Fen(100)));
    let original = loadtest::terminal::Original::of(terminal.slip(first).unwrap());
    done(&mut terminal, &host, |t, card| t.refund(&original, card, Fen(50)));
    done(&mut terminal, &host, |t, card| t.sale(card, Fen(200)));
    settle(&mut terminal, &host, "2");
    let seen = uploads(&mut terminal, &host, "00");
    let f48 = field(&seen[0].2, 48).unwrap();
    let stans: Vec<_> = (0..3).map(|place| &f48[4 + 40 * place..10 + 40 * place]).collect();
    assert_eq!(stans, ["000002", "000004", "000003"]);
}
