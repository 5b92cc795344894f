//! What the terminal decides itself and tells the host.

use loadtest::terminal::{About, Entry, Reason, SlipKind, SlipState, State};
use loadtest::{Fen, Presented, Terminal, TerminalError};

use super::host::{Answer, Mac, card, field, setup, signed_on};
use super::{by_chip, done, yes};

#[test]
fn an_offline_sale_stands_at_once_and_names_the_card() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let swiped = Presented::swiped(&card);
    let sold = terminal.sell_offline(&swiped, Fen(500), Some("T00001")).unwrap();
    assert_eq!(terminal.totals().debit, Fen(500));
    let request = terminal.notice().unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 2, 3, 4, 14, 22, 25, 38, 60, 63].map(|number| field(&request, number).unwrap());
    let expected = ["0220", "6212142000000000012", "000000", "000000000500", "2912", "022"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6..], ["00", "T00001", "30000007000600", "CUP"]);
    assert_eq!(field(&request, 61).unwrap(), "0".repeat(29));
    assert_eq!([35, 52].map(|number| field(&request, number)), [None, None]);
    yes(&mut terminal, &host, &request, "A12345");
    let slip = terminal.slip(sold).unwrap();
    assert_eq!((slip.kind, slip.rrn.as_str()), (SlipKind::OfflineSale, "011510150777"));
    assert_eq!(terminal.notice().err(), Some(TerminalError::NothingOwed));
}

#[test]
fn a_notice_is_told_again_with_its_number_until_it_is_answered() {
    for (code, ends) in [("00", true), ("94", true), ("96", false), ("A0", false), ("14", true)] {
        let (mut terminal, host) = signed_on();
        let card = card();
        let sold = terminal.sell_offline(&by_chip(&card), Fen(500), None).unwrap();
        let first = terminal.notice().unwrap();
        terminal.on_timeout();
        let second = terminal.notice().unwrap();
        assert_eq!(first, second, "{code}");
        terminal.on_frame(&host.refuse(&second, code)).unwrap();
        assert_eq!(terminal.has_notices_due(), !ends, "{code}");
        let stands = terminal.slip(sold).unwrap().state == SlipState::Approved;
        assert_eq!(stands, code != "14", "{code}");
    }
}

#[test]
fn an_answer_that_is_not_believed_is_as_good_as_none() {
    let (mut terminal, host) = signed_on();
    let card = card();
    terminal.sell_offline(&Presented::swiped(&card), Fen(500), None).unwrap();
    let request = terminal.notice().unwrap();
    let forged = Answer { code: "00", mac: Mac::Wrong, ..Answer::default() };
    let answered = terminal.on_frame(&host.answer(&request, &forged));
    assert_eq!(answered.err(), Some(TerminalError::MacWrong));
    assert!(terminal.has_notices_due());
    assert!(terminal.owed().is_none(), "a notice is not reversed");
}

#[test]
fn settlement_waits_for_notices_but_not_for_ever() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    terminal.sell_offline(&Presented::swiped(&card), Fen(500), None).unwrap();
    for _time in 0..3 {
        assert_eq!(terminal.settle().err(), Some(TerminalError::NoticesDue));
        terminal.notice().unwrap();
        terminal.on_timeout();
    }
    assert_eq!(terminal.notices().count(), 1, "it is left to the upload");
    assert!(terminal.settle().is_ok());
}

#[test]
fn a_tip_changes_the_slip_of_its_sale_and_a_refusal_changes_it_back() {
    let (mut terminal, host) = signed_on();
    let sold = done(&mut terminal, &host, |t, card| t.sale(card, Fen(10_000)));
    terminal.tip(sold, Fen(11_000), Fen(1_000)).unwrap();
    assert_eq!((terminal.totals().debit, terminal.totals().debit_count), (Fen(11_000), 1));
    let request = terminal.notice().unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 3, 4, 25, 37, 38, 48, 60, 63].map(|number| field(&request, number).unwrap());
    let expected = ["0220", "000000", "000000011000", "00", "011510150777", "A12345"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6..], ["000000001000", "34000007000600", "CUP"]);
    assert_eq!(field(&request, 61).unwrap(), "00000700000201150000000000000");
    yes(&mut terminal, &host, &request, "A12345");
    assert_eq!(terminal.slip(sold).unwrap().tip, Some(Fen(1_000)));
    let void = terminal.void(sold, None).unwrap();
    assert_eq!(field(&void, 4).unwrap(), "000000011000");
    terminal.on_frame(&host.refuse(&void, "96")).unwrap();

    terminal.tip(sold, Fen(90_000), Fen(80_000)).unwrap();
    let request = terminal.notice().unwrap();
    terminal.on_frame(&host.refuse(&request, "64")).unwrap();
    let slip = terminal.slip(sold).unwrap();
    assert_eq!((slip.imprint.amount, slip.tip), (Fen(11_000), Some(Fen(1_000))));
}

#[test]
fn a_reversal_repeats_the_amount_that_was_asked_for_not_the_one_with_the_tip() {
    let (mut terminal, host) = signed_on();
    let sale = done(&mut terminal, &host, |t, card| t.sale(card, Fen(1_000)));
    terminal.tip(sale, Fen(1_100), Fen(100)).unwrap();
    let notice = terminal.notice().unwrap();
    yes(&mut terminal, &host, &notice, "A12345");
    let reversal = terminal.reverse(sale, Reason::Trouble).unwrap();
    assert_eq!(field(&reversal, 4).unwrap(), "000000001000");
}

#[test]
fn an_adjustment_is_of_an_offline_sale_that_stands() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let typed = Presented { entry: Entry::Manual, ..Presented::swiped(&card) };
    let offline = terminal.sell_offline(&typed, Fen(500), None).unwrap();
    terminal.adjust(offline, Fen(450), None).unwrap();
    assert_eq!(terminal.totals().debit, Fen(450));
    let first = terminal.notice().unwrap();
    assert_eq!(field(&first, 60).unwrap(), "30000007000600", "the sale goes first");
    assert_eq!(field(&first, 4).unwrap(), "000000000500");
    yes(&mut terminal, &host, &first, "A12345");
    let second = terminal.notice().unwrap();
    let shows = [3, 4, 60].map(|number| field(&second, number).unwrap());
    assert_eq!(shows, ["000000", "000000000450", "32000007000600"]);
    assert_eq!(field(&second, 48).unwrap(), "000000000000", "no tip");
    yes(&mut terminal, &host, &second, "A12345");
    assert_eq!(terminal.slips().count(), 1);

    let sale = done(&mut terminal, &host, |t, card| t.sale(card, Fen(100)));
    let refused = terminal.adjust(sale, Fen(90), None).err();
    assert_eq!(refused, Some(TerminalError::OtherKind(SlipKind::Sale)));
    let refused = terminal.tip(sale, Fen(110), Fen(111)).err();
    assert_eq!(refused, Some(TerminalError::TipAboveAmount));
    done(&mut terminal, &host, |t, card| t.void(sale, Some(card)));
    assert_eq!(terminal.tip(sale, Fen(110), Fen(10)).err(), Some(TerminalError::DoesNotStand));
}

#[test]
fn money_of_a_chip_is_told_with_what_the_chip_said() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let swiped = Presented::swiped(&card);
    assert_eq!(terminal.sell_from_chip(&swiped, Fen(300)).err(), Some(TerminalError::NeedsChip));
    terminal.sell_from_chip(&by_chip(&card), Fen(300)).unwrap();
    let request = terminal.notice().unwrap();
    assert!(host.accepts(&request));
    let shows = [0, 3, 22, 23, 25, 60, 63].map(|number| field(&request, number).unwrap());
    assert_eq!(shows, ["0200", "000000", "052", "001", "00", "36000007000600", "CUP"]);
    let chip = field(&request, 55).unwrap();
    assert!(chip.ends_with("8A025931"), "the card agreed off-line");
    assert!(chip.contains("9F2701"));
    terminal.on_timeout();
    assert!(terminal.owed().is_none());
    let again = terminal.notice().unwrap();
    assert_eq!(again, request);
    terminal.on_frame(&host.refuse(&again, "94")).unwrap();
    assert_eq!(terminal.totals().debit, Fen(300));
}

#[test]
fn a_script_of_the_issuer_is_answered_with_a_notice() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&by_chip(&card), Fen(100)).unwrap();
    let script = [0x91, 1, 0, 0x72, 2, 0x86, 0];
    let answer = Answer {
        code: "00",
        rrn: "011510150001",
        auth: "A12345",
        f55: &script,
        ..Answer::default()
    };
    let sold = terminal.on_frame(&host.answer(&request, &answer)).unwrap().stan.unwrap();
    assert_eq!(terminal.notices().next().unwrap().about, About::Script);
    let notice = terminal.notice().unwrap();
    assert!(host.accepts(&notice));
    let shows = [0, 3, 4, 23, 25, 37, 60, 61].map(|number| field(&notice, number).unwrap());
    let expected = ["0620", "000000", "000000000100", "001", "00", "011510150001"];
    assert_eq!(shows[..6], expected);
    assert_eq!(shows[6..], ["0000000795160", "0000070000020115"]);
    assert_eq!(field(&notice, 11).unwrap(), sold.next().to_string());
    let objects = field(&notice, 55).unwrap();
    assert!(objects.starts_with("9F3303E0F1C8"));
    assert!(objects.ends_with("DF31052000000000"));
    terminal.on_timeout();
    let again = terminal.notice().unwrap();
    assert_eq!(again, notice);
    yes(&mut terminal, &host, &again, "A12345");
    assert!(!terminal.has_notices_due());
}

#[test]
fn money_is_told_before_scripts() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&by_chip(&card), Fen(100)).unwrap();
    let script = [0x72, 2, 0x86, 0];
    let answer = Answer { code: "00", f55: &script, ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    terminal.sell_offline(&Presented::swiped(&card), Fen(500), None).unwrap();
    let mut told = Vec::new();
    while terminal.has_notices_due() {
        let request = terminal.notice().unwrap();
        told.push(field(&request, 0).unwrap());
        yes(&mut terminal, &host, &request, "A12345");
    }
    assert_eq!(told, ["0220", "0620"]);
}

#[test]
fn notices_outlive_a_power_cut() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    terminal.sell_from_chip(&by_chip(&card), Fen(300)).unwrap();
    let request = terminal.notice().unwrap();
    let text = serde_json::to_string(&terminal.state()).unwrap();
    assert!(!text.contains("2010000000000"), "no track is kept");
    let kept: State = serde_json::from_str(&text).unwrap();
    let mut terminal = Terminal::resume(&setup(), kept).unwrap();
    assert_eq!(terminal.totals().debit, Fen(300));
    assert_eq!(terminal.notice().unwrap(), request);
}
