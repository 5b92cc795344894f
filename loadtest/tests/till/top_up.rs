//! Cash onto a card: confirmed, never reversed.

use loadtest::terminal::{SlipKind, SlipState, State};
use loadtest::{Fen, IdDocument, Presented, Terminal, TerminalError};

use super::host::{Answer, Host, Mac, card, field, setup, signed_on};
use super::yes;

fn document() -> IdDocument {
    "01:110101199001011234".parse().unwrap()
}

/// A terminal that has verified the account of the card.
fn verified() -> (Terminal, Host) {
    let (mut terminal, host) = signed_on();
    let card = card();
    let swiped = Presented::swiped(&card);
    let request = terminal.verify_account(&swiped, &document()).unwrap();
    assert_eq!(field(&request, 62).unwrap(), "01110101199001011234  ");
    assert_eq!([4, 26, 52].map(|number| field(&request, number)), [None, None, None]);
    let (rrn, f62) = ("011510150002", b"000000500000");
    let answer = Answer { code: "00", rrn, f62, ..Answer::default() };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!(reply.loadable, Some(Fen(500_000)));
    assert_eq!(terminal.verified().unwrap().fen_max, Some(Fen(500_000)));
    (terminal, host)
}

fn top_up(terminal: &mut Terminal) -> Vec<u8> {
    let card = card();
    terminal.top_up(&Presented::swiped(&card), Fen(20_000), &document()).unwrap()
}

#[test]
fn a_top_up_names_the_verification_and_counts_nowhere() {
    let (mut terminal, host) = verified();
    let request = top_up(&mut terminal);
    let shows = [0, 3, 4, 25, 37, 60, 61].map(|number| field(&request, number).unwrap());
    let expected = ["0200", "630000", "000000020000", "00", "011510150002", "48000007000600"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6], "000007000002");
    assert_eq!(field(&request, 62).unwrap(), "01110101199001011234  ");
    assert_eq!(field(&request, 52), None);
    let stan = yes(&mut terminal, &host, &request, "A12345").stan.unwrap();
    let slip = terminal.slip(stan).unwrap();
    assert_eq!((slip.kind, slip.state), (SlipKind::TopUp, SlipState::Approved));
    assert_eq!(terminal.totals(), loadtest::terminal::Totals::default());
    assert!(terminal.verified().is_none(), "a verification is used once");
    let card = card();
    let again = terminal.top_up(&Presented::swiped(&card), Fen(1), &document());
    assert_eq!(again.err(), Some(TerminalError::NotVerified));
}

#[test]
fn without_an_outcome_it_is_confirmed() {
    let ways: [fn(&mut Terminal, &Host, &[u8]); 3] = [
        |terminal, _, _| terminal.on_timeout(),
        |terminal, host, request| drop(terminal.on_frame(&host.refuse(request, "98")).unwrap()),
        |terminal, host, request| {
            let forged = Answer { code: "00", mac: Mac::Missing, ..Answer::default() };
            terminal.on_frame(&host.answer(request, &forged)).unwrap_err();
        },
    ];
    for way in ways {
        let (mut terminal, host) = verified();
        let request = top_up(&mut terminal);
        way(&mut terminal, &host, &request);
        assert!(terminal.owed().is_none(), "a top-up is never reversed");
        let card = card();
        let sale = terminal.sale(&Presented::swiped(&card), Fen(1));
        assert_eq!(sale.err(), Some(TerminalError::ConfirmationOwed));
        let confirm = terminal.confirm().unwrap();
        assert!(host.accepts(&confirm));
        let shows = [0, 2, 3, 4, 25, 37, 60, 61].map(|number| field(&confirm, number).unwrap());
        let expected = ["0220", "6212142000000000012", "630000", "000000020000", "00"];
        assert_eq!(shows[..5], expected);
        assert_eq!(shows[5..], ["011510150002", "48000007000600", "000007000002"]);
        assert_eq!(field(&confirm, 11), field(&request, 11));
        let dropped = [35, 36, 53, 62].map(|number| field(&confirm, number));
        assert_eq!(dropped, [None, None, None, None]);
        let answer = Answer { code: "A6", rrn: "011510150009", ..Answer::default() };
        let reply = terminal.on_frame(&host.answer(&confirm, &answer)).unwrap();
        let slip = terminal.slip(reply.stan.unwrap()).unwrap();
        assert_eq!((slip.kind, slip.state), (SlipKind::TopUp, SlipState::Approved));
        assert!(terminal.confirmation_owed().is_none());
        assert!(terminal.sale(&Presented::swiped(&card), Fen(1)).is_ok());
    }
}

#[test]
fn a_plain_refusal_is_an_outcome() {
    let (mut terminal, host) = verified();
    let request = top_up(&mut terminal);
    terminal.on_frame(&host.refuse(&request, "61")).unwrap();
    assert!(terminal.confirmation_owed().is_none());
    assert!(terminal.slips().next().is_none());
}

#[test]
fn a_confirmation_is_sent_three_times_and_then_a_person_asks() {
    let (mut terminal, host) = verified();
    let request = top_up(&mut terminal);
    terminal.on_timeout();
    let first = terminal.confirm().unwrap();
    terminal.on_timeout();
    let second = terminal.confirm().unwrap();
    assert_eq!(first, second);
    terminal.on_frame(&host.refuse(&second, "96")).unwrap();
    terminal.confirm().unwrap();
    terminal.on_timeout();
    assert_eq!(terminal.confirm().err(), Some(TerminalError::NothingOwed));
    let slip = terminal.slips().next().unwrap();
    assert_eq!(slip.state, SlipState::Doubtful);
    assert_eq!(Some(slip.imprint.stan.to_string()), field(&request, 11));
}

#[test]
fn a_power_cut_leaves_the_confirmation() {
    let (mut terminal, _host) = verified();
    let request = top_up(&mut terminal);
    let text = serde_json::to_string(&terminal.state()).unwrap();
    let kept: State = serde_json::from_str(&text).unwrap();
    let mut terminal = Terminal::resume(&setup(), kept).unwrap();
    assert!(terminal.owed().is_none());
    let confirm = terminal.confirm().unwrap();
    assert_eq!(field(&confirm, 11), field(&request, 11));
    assert_eq!(field(&confirm, 37).unwrap(), "011510150002");
}

#[test]
fn another_card_needs_a_verification_of_its_own() {
    let (mut terminal, _host) = verified();
    let other = loadtest::TestCard { pan: "6212142000000000020".parse().unwrap(), ..card() };
    let refused = terminal.top_up(&Presented::swiped(&other), Fen(1), &document());
    assert_eq!(refused.err(), Some(TerminalError::NotVerified));
}
