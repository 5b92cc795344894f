//! Each request against the rows of the matrix, and the form of its reversal.

use loadtest::terminal::{
    Chip, Digits, Entry, Original, PartialApproval, Reason, Scheme, SignOn, SlipState,
};
use loadtest::{Fen, HolderCheck, IdDocument, Presented, Stan, Terminal, TerminalError};

use super::host::{Answer, SM4_BLOCK_60, card, field, signed_on, signed_on_as, sm4_setup, stan};
use super::{done, yes};

type Make = fn(&mut Terminal, &Presented<'_>) -> Result<Vec<u8>, TerminalError>;

const TAN: Fen = Fen(1_000);

fn check() -> HolderCheck {
    "123".parse().unwrap()
}

fn moto_refund(t: &mut Terminal, card: &Presented<'_>) -> Result<Vec<u8>, TerminalError> {
    let date = Digits::new(b"0115").unwrap();
    let (rrn, batch) = ("011510150002".to_owned(), "6".parse().unwrap());
    let original = Original { rrn, auth: None, batch, stan: Stan::FIRST, date };
    t.moto_refund(&original, card, TAN, &check())
}

/// MTI, fields 3, 25, 60, and whether silence leaves a reversal.
#[rustfmt::skip]
const ROWS: [(&str, Make, [&str; 4], bool); 10] = [
    ("pre-auth",     |t, c| t.pre_auth(c, TAN),                               ["0100", "030000", "06", "10000007000600"],    true),
    ("balance",      |t, c| t.balance(c),                                     ["0200", "310000", "00", "01000007000600"],    false),
    ("points",       |t, c| t.points(c),                                      ["0200", "310000", "65", "03000007000600065"], false),
    ("points sale",  |t, c| t.points_sale(c, 50, Scheme::Issuer, ""),         ["0200", "000000", "65", "22000007000600048"], true),
    ("union points", |t, c| t.points_sale(c, 50, Scheme::Union, ""),          ["0200", "000000", "65", "22000007000600065"], true),
    ("MOTO sale",    |t, c| t.moto_sale(c, TAN, &check()),                    ["0200", "000000", "08", "22000007000600"],    true),
    ("MOTO refund",  moto_refund,                                             ["0220", "200000", "08", "25000007000600"],    false),
    ("activation",   |t, c| t.activate(c),                                    ["0200", "900000", "82", "98000007000600"],    true),
    ("PIN change",   |t, c| t.change_pin(c, &"654321".parse().unwrap()),      ["0200", "920000", "82", "97000007000600"],    false),
    ("verification", |t, c| t.verify_account(c, &IdDocument::default()),      ["0100", "330000", "00", "01000007000600"],    false),
];

#[test]
fn requests_look_like_their_rows() {
    let card = card();
    for (what, make, expected, is_reversible) in ROWS {
        let (mut terminal, host) = signed_on();
        let next = terminal.stan();
        let request = make(&mut terminal, &Presented::swiped(&card)).unwrap();
        assert!(host.accepts(&request), "{what}");
        let shows = [0, 3, 25, 60].map(|number| field(&request, number).unwrap());
        assert_eq!(shows, expected, "{what}");
        assert_eq!(field(&request, 11).unwrap(), next.to_string(), "{what}");
        assert_eq!(field(&request, 49).unwrap(), "156", "{what}");
        assert_eq!(terminal.stan(), next.next(), "{what}");
        terminal.on_timeout();
        assert_eq!(terminal.owed().is_some(), is_reversible, "{what}");
        if is_reversible {
            let reversal = terminal.reversal().unwrap();
            assert!(host.accepts(&reversal), "{what}");
            let [_, f3, f25, f60] = expected;
            let shows = [0, 3, 25, 60, 39].map(|number| field(&reversal, number).unwrap());
            assert_eq!(shows, ["0400", f3, f25, f60, "98"], "{what}");
            assert_eq!(field(&reversal, 11), field(&request, 11), "{what}");
            assert_eq!(field(&reversal, 4), field(&request, 4), "{what}");
            for dropped in [26, 35, 36, 37, 38, 52, 53, 61, 62] {
                assert_eq!(field(&reversal, dropped), None, "{what}, field {dropped}");
            }
        }
    }
}

#[test]
fn mail_order_types_the_number_and_says_what_stands_for_the_holder() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.moto_sale(&Presented::swiped(&card), TAN, &check()).unwrap();
    let holder = "91123                 ";
    let shows = |number| field(&request, number);
    assert_eq!(shows(2).unwrap(), "6212142000000000012");
    assert_eq!(shows(14).unwrap(), "2912");
    assert_eq!(shows(22).unwrap(), "012");
    assert_eq!(shows(62).unwrap(), holder);
    assert_eq!([26, 35, 52, 53].map(shows), [None, None, None, None]);
    let sale = yes(&mut terminal, &host, &request, "A12345").stan.unwrap();
    let kept = serde_json::to_string(&terminal.state()).unwrap();
    assert!(!kept.contains("91123"), "what stands for the holder is not kept");

    let void = terminal.void(sale, None).unwrap();
    let shows = [3, 25, 38, 60, 61, 62].map(|number| field(&void, number).unwrap());
    let expected = ["200000", "08", "A12345", "23000007000600", "000007000002"];
    assert_eq!(shows[..5], expected);
    assert_eq!(shows[5], format!("91{:20}", ""));
    terminal.on_timeout();
    let reversal = terminal.reversal().unwrap();
    assert_eq!(field(&reversal, 61).unwrap(), "000007000003", "a void names itself");
}

#[test]
fn a_refund_by_mail_names_its_original() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let request = moto_refund(&mut terminal, &Presented::swiped(&card)).unwrap();
    let shows = [37, 61, 63].map(|number| field(&request, number).unwrap());
    assert_eq!(shows, ["011510150002", "0000060000010115", "CUP"]);
}

#[test]
fn points_are_counted_in_field_4_and_their_void_is_of_the_same_scheme() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let presented = Presented::swiped(&card);
    let request = terminal.points_sale(&presented, 50, Scheme::Union, "P1").unwrap();
    assert_eq!(field(&request, 4).unwrap(), "000000000050");
    assert_eq!(field(&request, 62).unwrap(), format!("{:60}", "P1"));
    let sale = yes(&mut terminal, &host, &request, "A12345").stan.unwrap();
    assert_eq!(terminal.totals().debit, Fen(50));
    let void = terminal.void(sale, Some(&presented)).unwrap();
    let shows = [3, 25, 60, 61].map(|number| field(&void, number).unwrap());
    assert_eq!(shows, ["200000", "65", "23000007000600065", "000007000002"]);
    assert_eq!(field(&void, 62), None);
    yes(&mut terminal, &host, &void, "A12345");
    assert_eq!((terminal.totals().credit, terminal.totals().credit_count), (Fen(50), 1));
}

#[test]
fn points_of_an_answer_are_read() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.points(&Presented::swiped(&card)).unwrap();
    assert_eq!(field(&request, 4), None);
    let answer = Answer { code: "00", f54: "6502999C000000000042", ..Answer::default() };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!((reply.points, reply.balance_fen), (Some(42), None));
    assert_eq!(terminal.slips().count(), 0);
}

#[test]
fn a_new_pin_stands_in_field_62_under_the_key_of_the_old() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let presented = Presented::swiped(&card);
    let same = terminal.change_pin(&presented, card.pin.as_ref().unwrap()).unwrap();
    assert_eq!(field(&same, 52).unwrap(), "1AEAF7C6A730543B");
    assert_eq!(field(&same, 62), field(&same, 52));
    assert_eq!(field(&same, 4), None);
    terminal.on_timeout();
    assert!(terminal.owed().is_none());
    let other = terminal.change_pin(&presented, &"654321".parse().unwrap()).unwrap();
    assert_ne!(field(&other, 62), field(&same, 62));
    terminal.on_timeout();
    let no_pin = Presented { pin: None, ..presented };
    let refused = terminal.change_pin(&no_pin, &"654321".parse().unwrap());
    assert_eq!(refused.err(), Some(TerminalError::NeedsPin));

    let (mut terminal, _host) = signed_on_as(&sm4_setup(), SM4_BLOCK_60, SignOn::Sm4WithTrack);
    let same = terminal.change_pin(&presented, card.pin.as_ref().unwrap()).unwrap();
    assert_eq!(field(&same, 62).unwrap(), "AE19DC30D27B12F44A8A1E2778E8A30E");
    assert_eq!(field(&same, 52).unwrap(), "0000000000000000");
    assert!(field(&same, 63).unwrap().ends_with("AE19DC30D27B12F44A8A1E2778E8A30E"));
}

#[test]
fn an_activation_counts_nowhere_and_is_reversed() {
    let (mut terminal, host) = signed_on();
    let sold = done(&mut terminal, &host, |t, card| t.activate(card));
    assert_eq!(terminal.totals(), loadtest::terminal::Totals::default());
    let reversal = terminal.reverse(sold, Reason::Trouble).unwrap();
    let shows = [3, 4, 25, 39].map(|number| field(&reversal, number).unwrap());
    assert_eq!(shows, ["900000", "000000000000", "82", "06"]);
    assert_eq!(terminal.void(stan(99), None).err(), Some(TerminalError::Busy));
}

#[test]
fn only_what_may_be_paid_in_part_says_that_it_may() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let presented = Presented::swiped(&card);
    terminal.profile_mut().partial = PartialApproval::Understood;
    let made: [(Make, &str); 4] = [
        (|t, c| t.sale(c, TAN), "22000007000601"),
        (|t, c| t.moto_sale(c, TAN, &check()), "22000007000601"),
        (|t, c| t.points_sale(c, 5, Scheme::Union, ""), "22000007000600065"),
        (|t, c| t.pre_auth(c, TAN), "10000007000600"),
    ];
    for (make, f60) in made {
        let request = make(&mut terminal, &presented).unwrap();
        assert_eq!(field(&request, 60).unwrap(), f60);
        terminal.on_frame(&host.refuse(&request, "51")).unwrap();
    }
}

#[test]
fn a_part_that_was_approved_is_what_counts_is_voided_and_is_reversed() {
    let (mut terminal, host) = signed_on();
    let card = card();
    terminal.profile_mut().partial = PartialApproval::Understood;
    let request = terminal.sale(&Presented::swiped(&card), Fen(10_000)).unwrap();
    let answer = Answer {
        code: "10",
        rrn: "011510150001",
        auth: "A12345",
        amount: Some(4_000),
        f54: "3002156C000000000000",
        f63: "CUPDUE000000006000     ",
        ..Answer::default()
    };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!((reply.rest_due, reply.balance_fen), (Some(Fen(6_000)), Some(0)));
    assert_eq!(reply.display, None);
    let sale = reply.stan.unwrap();
    assert_eq!(terminal.slip(sale).unwrap().imprint.amount, Fen(4_000));
    assert_eq!(terminal.totals().debit, Fen(4_000));
    let void = terminal.void(sale, None).unwrap();
    assert_eq!(field(&void, 4).unwrap(), "000000004000");
    terminal.on_frame(&host.refuse(&void, "96")).unwrap();
    let reversal = terminal.reverse(sale, Reason::Trouble).unwrap();
    assert_eq!(field(&reversal, 4).unwrap(), "000000004000");
    assert_eq!(field(&reversal, 60).unwrap(), "22000007000601");
}

#[test]
fn what_the_host_wants_displayed_is_read() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), TAN).unwrap();
    let answer = Answer { code: "51", f63: "CUPEL2 balance too low  ", ..Answer::default() };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!(reply.display.as_deref(), Some("EL2 balance too low"));
    assert_eq!(reply.rest_due, None);
}

#[test]
fn what_is_told_is_not_reversed_and_e_cash_not_voided_either() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let typed = Presented { entry: Entry::Manual, ..Presented::swiped(&card) };
    let sold = terminal.sell_offline(&typed, TAN, None).unwrap();
    let request = terminal.notice().unwrap();
    yes(&mut terminal, &host, &request, "A12345");
    let kind = loadtest::terminal::SlipKind::OfflineSale;
    let refused = terminal.reverse(sold, Reason::Trouble).err();
    assert_eq!(refused, Some(TerminalError::NotReversible(kind)));
    let void = terminal.void(sold, None).unwrap();
    yes(&mut terminal, &host, &void, "A12345");
    assert_eq!(terminal.slip(sold).unwrap().state, SlipState::Voided);

    let chip = Entry::Chip(Chip::simulated(7, 7, [0x26, 0x01, 0x01]));
    let inserted = Presented { entry: chip, ..Presented::swiped(&card) };
    let paid = terminal.sell_from_chip(&inserted, TAN).unwrap();
    let request = terminal.notice().unwrap();
    yes(&mut terminal, &host, &request, "A12345");
    let kind = loadtest::terminal::SlipKind::ECash;
    assert_eq!(terminal.void(paid, None).err(), Some(TerminalError::NotVoidable(kind)));
}
