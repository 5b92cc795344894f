//! Pre-authorisation and what becomes of it.

use loadtest::terminal::{Hold, Reason, SlipState, State};
use loadtest::{Fen, Presented, Stan, Terminal, TerminalError};

use super::host::{Host, card, field, setup, signed_on};
use super::{done, yes};

/// A terminal that holds 100.00 and 20.00 more, its host, the pre-authorisation and the addition.
fn holding() -> (Terminal, Host, Stan, Stan) {
    let (mut terminal, host) = signed_on();
    let first = done(&mut terminal, &host, |t, card| t.pre_auth(card, Fen(10_000)));
    let hold = hold(&terminal, first);
    let more = done(&mut terminal, &host, |t, card| t.add_pre_auth(&hold, card, Fen(2_000)));
    (terminal, host, first, more)
}

fn hold(terminal: &Terminal, of: Stan) -> Hold {
    Hold::of(terminal.slip(of).unwrap()).unwrap()
}

fn state(terminal: &Terminal, of: Stan) -> SlipState {
    terminal.slip(of).unwrap().state
}

#[test]
fn more_is_held_under_the_code_of_the_first() {
    let (mut terminal, host) = signed_on();
    let first = done(&mut terminal, &host, |t, card| t.pre_auth(card, Fen(10_000)));
    let (card, hold) = (card(), hold(&terminal, first));
    let request = terminal.add_pre_auth(&hold, &Presented::swiped(&card), Fen(2_000)).unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 3, 25, 38, 60].map(|number| field(&request, number).unwrap());
    assert_eq!(shows, ["0100", "030000", "60", "A12345", "10000007000600"]);
    assert_eq!(field(&request, 61), None);
    terminal.on_timeout();
    let reversal = terminal.reversal().unwrap();
    assert_eq!(field(&reversal, 25).unwrap(), "60");
    assert_eq!((field(&reversal, 38), field(&reversal, 61)), (None, None));
    terminal.on_frame(&host.refuse(&reversal, "25")).unwrap();
    assert_eq!(terminal.held(&card.pan, "A12345"), Fen(10_000));
    assert_eq!(terminal.totals().debit_count, 0);
}

#[test]
fn letting_go_names_the_sum_and_its_reversal_holds_it_again() {
    let (mut terminal, host, first, more) = holding();
    let request = terminal.void(first, None).unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 3, 4, 25, 38, 60, 61].map(|number| field(&request, number).unwrap());
    let expected = ["0100", "200000", "000000012000", "06", "A12345", "11000007000600"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6], "0000070000020115");
    let void = yes(&mut terminal, &host, &request, "V00001").stan.unwrap();
    assert_eq!(state(&terminal, first), SlipState::Voided);
    assert_eq!(state(&terminal, more), SlipState::Voided);
    let reversal = terminal.reverse(void, Reason::Trouble).unwrap();
    let shows = [3, 4, 25, 38, 61].map(|number| field(&reversal, number).unwrap());
    assert_eq!(shows, ["200000", "000000012000", "06", "V00001", "000007000004"]);
    terminal.on_frame(&host.approve(&reversal, "011510150005")).unwrap();
    assert_eq!(terminal.held(&card().pan, "A12345"), Fen(12_000));
    assert_eq!(terminal.totals().credit_count, 0);
}

#[test]
fn a_completion_takes_the_hold_and_its_void_gives_it_back() {
    let (mut terminal, host, first, more) = holding();
    let (card, hold) = (card(), hold(&terminal, first));
    let request = terminal.complete(&hold, &Presented::swiped(&card), Fen(11_000)).unwrap();
    let shows = [0, 3, 4, 25, 38, 60, 61].map(|number| field(&request, number).unwrap());
    let expected = ["0200", "000000", "000000011000", "06", "A12345", "20000007000600"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6], "0000070000020115");
    let taken = yes(&mut terminal, &host, &request, "C00001").stan.unwrap();
    assert_eq!(state(&terminal, first), SlipState::Completed);
    assert_eq!(state(&terminal, more), SlipState::Completed);
    assert_eq!((terminal.totals().debit, terminal.totals().debit_count), (Fen(11_000), 1));

    let request = terminal.void(taken, None).unwrap();
    let shows = [0, 3, 4, 25, 37, 38, 60, 61].map(|number| field(&request, number).unwrap());
    let expected = ["0200", "200000", "000000011000", "06", "011510150777", "C00001"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6..], ["21000007000600", "0000070000040115"]);
    let void = yes(&mut terminal, &host, &request, "V00001").stan.unwrap();
    assert_eq!(terminal.held(&card.pan, "A12345"), Fen(12_000), "the hold is alive again");
    assert_eq!((terminal.totals().credit, terminal.totals().credit_count), (Fen(11_000), 1));

    let reversal = terminal.reverse(void, Reason::Trouble).unwrap();
    assert_eq!(field(&reversal, 61).unwrap(), "000007000005");
    terminal.on_frame(&host.approve(&reversal, "011510150006")).unwrap();
    assert_eq!(state(&terminal, taken), SlipState::Approved);
    assert_eq!(state(&terminal, first), SlipState::Completed);
    assert_eq!(terminal.totals().credit_count, 0);
}

#[test]
fn a_completion_without_answer_is_reversed_and_the_hold_stays() {
    let (mut terminal, host, first, _) = holding();
    let (card, hold) = (card(), hold(&terminal, first));
    terminal.complete(&hold, &Presented::swiped(&card), Fen(11_000)).unwrap();
    terminal.on_timeout();
    let reversal = terminal.reversal().unwrap();
    let shows = [0, 3, 25, 60, 61].map(|number| field(&reversal, number).unwrap());
    assert_eq!(shows, ["0400", "000000", "06", "20000007000600", "000007000004"]);
    terminal.on_frame(&host.approve(&reversal, "011510150006")).unwrap();
    assert_eq!(terminal.held(&card.pan, "A12345"), Fen(12_000));
}

#[test]
fn a_completion_by_advice_stands_at_once_and_is_told_without_pin() {
    let (mut terminal, host, first, _) = holding();
    let (card, hold) = (card(), hold(&terminal, first));
    let swiped = Presented::swiped(&card);
    let taken = terminal.complete_by_advice(&hold, &swiped, Fen(12_000)).unwrap();
    assert_eq!(terminal.totals().debit, Fen(12_000));
    assert_eq!(state(&terminal, first), SlipState::Completed);
    assert_eq!(terminal.void(taken, None).err(), Some(TerminalError::NotTold));
    let request = terminal.notice().unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 2, 3, 25, 38, 60, 61].map(|number| field(&request, number).unwrap());
    let expected = ["0220", "6212142000000000012", "000000", "06", "A12345", "24000007000600"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6], "0000070000020115");
    assert_eq!([26, 35, 52, 53].map(|number| field(&request, number)), [None, None, None, None]);
    yes(&mut terminal, &host, &request, "C00001");
    assert!(!terminal.has_notices_due());
    let void = terminal.void(taken, None).unwrap();
    assert_eq!(field(&void, 37).unwrap(), "011510150777");
}

#[test]
fn a_completion_the_host_does_not_take_counts_nowhere() {
    let (mut terminal, host, first, _) = holding();
    let (card, hold) = (card(), hold(&terminal, first));
    let swiped = Presented::swiped(&card);
    let taken = terminal.complete_by_advice(&hold, &swiped, Fen(99_000)).unwrap();
    let request = terminal.notice().unwrap();
    terminal.on_frame(&host.refuse(&request, "64")).unwrap();
    assert_eq!(state(&terminal, taken), SlipState::Refused);
    assert_eq!(state(&terminal, first), SlipState::Approved);
    assert_eq!(terminal.totals().debit_count, 0);
}

#[test]
fn a_hold_outlives_its_batch_and_a_power_cut() {
    let (mut terminal, host, first, _) = holding();
    let request = terminal.settle().unwrap();
    let mut told = field(&request, 48).unwrap();
    told.replace_range(30..31, "1");
    let answer = super::Answer { f48: &told, ..super::Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert!(!terminal.must_upload());
    let request = terminal.end_upload().unwrap();
    terminal.on_frame(&host.refuse(&request, "00")).unwrap();
    let text = serde_json::to_string(&terminal.state()).unwrap();
    let kept: State = serde_json::from_str(&text).unwrap();
    let mut terminal = Terminal::resume(&setup(), kept).unwrap();
    let (card, hold) = (card(), hold(&terminal, first));
    assert_eq!(terminal.held(&card.pan, "A12345"), Fen(12_000));
    let request = terminal.complete(&hold, &Presented::swiped(&card), Fen(12_000)).unwrap();
    assert_eq!(field(&request, 60).unwrap(), "20000008000600");
    assert_eq!(field(&request, 61).unwrap(), "0000070000020115");
    yes(&mut terminal, &host, &request, "C00001");
    assert_eq!(state(&terminal, first), SlipState::Completed);
}

#[test]
fn a_hold_of_another_terminal_is_found_by_its_code() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let date = loadtest::terminal::Digits::new(b"0115").unwrap();
    let hold = Hold { auth: "B00001".to_owned(), rrn: None, at: None, date };
    let request = terminal.void_pre_auth(&hold, &Presented::swiped(&card), Fen(500)).unwrap();
    let shows = [38, 61].map(|number| field(&request, number).unwrap());
    assert_eq!(shows, ["B00001", "0000000000000115"]);
    assert_eq!(field(&request, 37), None);
}
