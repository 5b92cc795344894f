//! The terminal against a scripted host: what it sends, what it believes, what it keeps.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "in a test a panic is a failure"
)]
#![allow(dead_code, unreachable_pub, reason = "the scripted host is shared with other tests")]

mod host;

use std::os::unix::fs::PermissionsExt;

use host::{
    Answer, BLOCK_40, Host, Mac, SM4_BLOCK_60, card, field, hex, setup, signed_on, signed_on_as,
    sm4_setup, stan,
};
use loadtest::terminal::{
    Entry, Original, Reason, Reconciled, SignOn, SlipKind, SlipState, State, Totals,
};
use loadtest::{Code, Fen, Presented, Stan, Terminal, TerminalError, TerminalSetup, TestCard};

fn sell(terminal: &mut Terminal, host: &Host, fen: u64) -> Stan {
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(fen)).unwrap();
    assert!(host.accepts(&request));
    let reply = terminal.on_frame(&host.approve(&request, "011510150777")).unwrap();
    reply.stan.unwrap()
}

#[test]
fn a_swiped_card_stands_in_the_track_alone() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(6000)).unwrap();
    let shows = |number| field(&request, number);
    assert_eq!(shows(2), None);
    assert_eq!(shows(14), None);
    assert_eq!(shows(22).unwrap(), "021");
    assert_eq!(shows(35).unwrap(), "6212142000000000012D29122010000000000");
    assert_eq!(shows(53).unwrap(), "2600000000000000");
    assert_eq!(shows(60).unwrap(), "22000007000600");
}

#[test]
fn a_typed_card_has_no_track_and_without_pin_no_security_field() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let typed = Presented { entry: Entry::Manual, pin: None, ..Presented::swiped(&card) };
    let request = terminal.sale(&typed, Fen(6000)).unwrap();
    let shows = |number| field(&request, number);
    assert_eq!(shows(2).unwrap(), "6212142000000000012");
    assert_eq!(shows(14).unwrap(), "2912");
    assert_eq!(shows(22).unwrap(), "012");
    for absent in [26, 35, 52, 53] {
        assert_eq!(shows(absent), None, "{absent}");
    }
}

#[test]
fn a_card_without_expiry_has_zeros_in_its_track() {
    let (mut terminal, _host) = signed_on();
    let card = TestCard { expiry: None, ..card() };
    let request = terminal.sale(&Presented::swiped(&card), Fen(1)).unwrap();
    assert_eq!(field(&request, 35).unwrap(), "6212142000000000012D00002010000000000");
}

#[test]
fn sm4_puts_the_pin_block_into_field_63() {
    let (mut terminal, host) = signed_on_as(&sm4_setup(), SM4_BLOCK_60, SignOn::Sm4WithTrack);
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(1)).unwrap();
    assert!(host.accepts(&request));
    assert_eq!(field(&request, 52).unwrap(), "0000000000000000");
    assert_eq!(field(&request, 53).unwrap(), "2300000000000000");
    let block = "AE19DC30D27B12F44A8A1E2778E8A30E";
    assert_eq!(
        field(&request, 63).unwrap(),
        format!("{}{block}", const_hex::encode_upper("SM016"))
    );
    assert!(terminal.on_frame(&host.approve(&request, "000000000001")).is_ok());
}

#[test]
fn a_refund_names_its_original_and_carries_no_pin() {
    let (mut terminal, _host) = signed_on();
    let card = card();
    let original = Original {
        rrn: "011510150002".to_owned(),
        auth: None,
        batch: "6".parse().unwrap(),
        stan: stan(2),
        date: loadtest::terminal::Digits::new(b"0115").unwrap(),
    };
    let request = terminal.refund(&original, &Presented::swiped(&card), Fen(5)).unwrap();
    let shows = |number| field(&request, number);
    assert_eq!(shows(0).unwrap(), "0220");
    assert_eq!(shows(37).unwrap(), "011510150002");
    assert_eq!(shows(38), None);
    assert_eq!(shows(52), None);
    assert_eq!(shows(61).unwrap(), "0000060000020115");
    assert_eq!(shows(63).unwrap(), "CUP");
}

#[test]
fn what_belongs_to_another_request_is_passed_over() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    let approve = |answer| host.answer(&request, &answer);
    let other_stan = Answer { code: "00", stan: Some(99), ..Answer::default() };
    assert_eq!(terminal.on_frame(&approve(other_stan)), Err(TerminalError::NotMine(11)));
    let other_amount = Answer { code: "00", amount: Some(99), ..Answer::default() };
    assert_eq!(terminal.on_frame(&approve(other_amount)), Err(TerminalError::NotMine(4)));
    let mut other_terminal = approve(Answer { code: "00", ..Answer::default() });
    let at = other_terminal.windows(8).position(|window| window == b"10000001").unwrap();
    other_terminal[at] = b'2';
    assert_eq!(terminal.on_frame(&other_terminal), Err(TerminalError::NotMine(41)));
    assert_eq!(terminal.on_frame(&request[2..]), Err(TerminalError::NotMine(0)));
    assert!(matches!(terminal.on_frame(&[0; 30]), Err(TerminalError::Unreadable(_))));
    assert!(terminal.on_frame(&host.approve(&request, "011510150001")).is_ok());
    let late = terminal.on_frame(&host.approve(&request, "011510150001"));
    assert_eq!(late, Err(TerminalError::Idle));
}

#[test]
fn an_approval_is_believed_only_with_its_code_and_else_reversed() {
    for mac in [Mac::Wrong, Mac::Missing] {
        let (mut terminal, host) = signed_on();
        let card = card();
        let request = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
        let answer = Answer { code: "00", mac, ..Answer::default() };
        let answered = terminal.on_frame(&host.answer(&request, &answer));
        assert_eq!(answered, Err(TerminalError::MacWrong));
        assert_eq!(terminal.owed().unwrap().reason, Reason::BadMac);
        assert_eq!(
            terminal.sale(&Presented::swiped(&card), Fen(100)).err(),
            Some(TerminalError::ReversalOwed)
        );
        let reversal = terminal.reversal().unwrap();
        assert!(host.accepts(&reversal));
        assert_eq!(field(&reversal, 39).unwrap(), "A0");
        assert_eq!(field(&reversal, 11), field(&request, 11));
        assert_eq!(field(&reversal, 60), field(&request, 60));
        for dropped in [35, 52, 53] {
            assert_eq!(field(&reversal, dropped), None);
        }
    }
}

#[test]
fn a_refusal_needs_no_code() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    let answer = Answer { code: "51", mac: Mac::Missing, ..Answer::default() };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!(reply.code, Some(Code(*b"51")));
    assert!(!reply.is_success());
    assert!(terminal.owed().is_none());
    assert_eq!(terminal.slips().count(), 0);
}

#[test]
fn keys_that_do_not_check_change_nothing() {
    let (mut terminal, host) = signed_on();
    let request = terminal.sign_on(SignOn::Double).unwrap();
    let mut block = hex(BLOCK_40);
    block[39] ^= 1;
    let answer = Answer { code: "00", f62: &block, ..Answer::default() };
    let answered = terminal.on_frame(&host.answer(&request, &answer));
    assert!(matches!(answered, Err(TerminalError::Key(_))));
    sell(&mut terminal, &host, 100);
}

#[test]
fn a_sign_on_hands_out_the_batch_and_ends_what_the_header_asked_for() {
    let (mut terminal, host) = signed_on();
    assert_eq!(terminal.batch().get(), 7);
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    let answer = Answer { code: "A0", requirement: 3, ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert!(terminal.wants_sign_on());
    let request = terminal.sign_on(SignOn::Double).unwrap();
    terminal.on_frame(&host.sign_on(&request, "00000009003")).unwrap();
    assert!(!terminal.wants_sign_on());
    assert_eq!(terminal.batch().get(), 9);
}

#[test]
fn signing_off_gives_the_keys_up() {
    let (mut terminal, host) = signed_on();
    let request = terminal.sign_off().unwrap();
    terminal.on_frame(&host.refuse(&request, "00")).unwrap();
    let card = card();
    let sale = terminal.sale(&Presented::swiped(&card), Fen(1));
    assert_eq!(sale.err(), Some(TerminalError::NotSignedOn));
}

#[test]
fn silence_after_a_sale_owes_a_reversal_until_the_host_lets_go() {
    for (code, ends) in [("00", true), ("12", true), ("25", true), ("96", false), ("A0", false)] {
        let (mut terminal, host) = signed_on();
        let card = card();
        terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
        terminal.on_timeout();
        let reversal = terminal.reversal().unwrap();
        assert_eq!(field(&reversal, 39).unwrap(), "98");
        terminal.on_timeout();
        assert!(terminal.owed().is_some(), "silence never ends it");
        let reversal = terminal.reversal().unwrap();
        terminal.on_frame(&host.refuse(&reversal, code)).unwrap();
        assert_eq!(terminal.owed().is_none(), ends, "{code}");
    }
}

#[test]
fn a_reversal_that_is_refused_three_times_is_given_up() {
    let (mut terminal, host) = signed_on();
    let card = card();
    terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    terminal.on_timeout();
    for _time in 0..3 {
        assert!(terminal.owed().is_some());
        let reversal = terminal.reversal().unwrap();
        terminal.on_frame(&host.refuse(&reversal, "96")).unwrap();
    }
    assert!(terminal.owed().is_none());
    assert_eq!(terminal.reversal().err(), Some(TerminalError::NothingOwed));
}

#[test]
fn silence_after_other_requests_owes_nothing() {
    let (mut terminal, host) = signed_on();
    let sale = sell(&mut terminal, &host, 100);
    let card = card();
    let presented = Presented::swiped(&card);
    let original = Original::of(terminal.slip(sale).unwrap());
    terminal.balance(&presented).unwrap();
    terminal.on_timeout();
    terminal.refund(&original, &presented, Fen(1)).unwrap();
    terminal.on_timeout();
    terminal.echo().unwrap();
    terminal.on_timeout();
    assert!(terminal.owed().is_none());
}

#[test]
fn one_request_at_a_time() {
    let (mut terminal, _host) = signed_on();
    terminal.echo().unwrap();
    assert_eq!(terminal.echo().err(), Some(TerminalError::Busy));
    assert_eq!(terminal.again().err(), Some(TerminalError::Busy));
}

#[test]
fn totals_follow_voids_refunds_and_reversals() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let first = sell(&mut terminal, &host, 6000);
    let second = sell(&mut terminal, &host, 2000);
    let request = terminal.void(first, None).unwrap();
    assert_eq!(field(&request, 37).unwrap(), "011510150777");
    assert_eq!(field(&request, 61).unwrap(), "000007000002");
    let void = terminal.on_frame(&host.approve(&request, "011510150004")).unwrap().stan.unwrap();
    let totals = |debit, debit_count, credit, credit_count| Totals {
        debit: Fen(debit),
        debit_count,
        credit: Fen(credit),
        credit_count,
    };
    assert_eq!(terminal.totals(), totals(8000, 2, 6000, 1));
    assert_eq!(terminal.slip(first).unwrap().state, SlipState::Voided);

    let request = terminal.reverse(second, Reason::Trouble).unwrap();
    assert_eq!(field(&request, 38).unwrap(), "A12345");
    assert_eq!(field(&request, 61), None);
    terminal.on_frame(&host.approve(&request, "011510150005")).unwrap();
    assert_eq!(terminal.totals(), totals(6000, 1, 6000, 1));

    let request = terminal.reverse(void, Reason::Trouble).unwrap();
    assert_eq!(field(&request, 61).unwrap(), "000007000004");
    terminal.on_frame(&host.approve(&request, "011510150006")).unwrap();
    assert_eq!(terminal.totals(), totals(6000, 1, 0, 0));
    assert_eq!(terminal.slip(first).unwrap().state, SlipState::Approved);

    let original = Original::of(terminal.slip(first).unwrap());
    let request = terminal.refund(&original, &Presented::swiped(&card), Fen(500)).unwrap();
    let refund = terminal.on_frame(&host.approve(&request, "011510150008")).unwrap();
    assert_eq!(terminal.totals(), totals(6000, 1, 500, 1));
    let reverse = terminal.reverse(refund.stan.unwrap(), Reason::Trouble);
    assert_eq!(reverse.err(), Some(TerminalError::NotReversible(SlipKind::Refund)));
    assert_eq!(terminal.void(stan(99), None).err(), Some(TerminalError::NoSuchSlip(stan(99))));
}

#[test]
fn a_repeat_is_the_same_to_the_last_byte_and_counts_once() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let first = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    terminal.on_frame(&host.approve(&first, "011510150001")).unwrap();
    let second = terminal.again().unwrap();
    assert_eq!(first, second);
    terminal.on_frame(&host.approve(&second, "011510150001")).unwrap();
    assert_eq!(terminal.totals().debit_count, 1);
}

#[test]
fn a_partial_approval_counts_with_what_was_approved() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let request = terminal.sale(&Presented::swiped(&card), Fen(100)).unwrap();
    let answer = Answer { code: "10", amount: Some(60), ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!(terminal.totals().debit, Fen(60));
}

#[test]
fn a_balanced_batch_ends_without_upload() {
    let (mut terminal, host) = signed_on();
    let sale = sell(&mut terminal, &host, 6000);
    let request = terminal.settle().unwrap();
    let claimed = "00000000600000100000000000000000000000000000000000000000000000";
    assert_eq!(field(&request, 48).unwrap(), claimed);
    let mut told = claimed.to_owned();
    told.replace_range(30..31, "1");
    let answer = Answer { f48: &told, rrn: "011510150004", ..Answer::default() };
    let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
    assert_eq!(reply.reconciled, Some(Reconciled::Balanced));
    assert!(reply.is_success());
    assert!(!terminal.must_upload());
    let request = terminal.end_upload().unwrap();
    assert_eq!(field(&request, 48).unwrap(), "0000");
    assert_eq!(field(&request, 60).unwrap(), "00000007207");
    terminal.on_frame(&host.refuse(&request, "00")).unwrap();
    assert_eq!(terminal.batch().get(), 8);
    assert_eq!(terminal.slips().count(), 0);
    assert_eq!(terminal.slip(sale).unwrap().imprint.batch.get(), 7);
}

#[test]
fn a_batch_that_differs_is_uploaded_eight_details_at_a_time() {
    let (mut terminal, host) = signed_on();
    let stans: Vec<_> = (0..10).map(|_| sell(&mut terminal, &host, 100)).collect();
    let request = terminal.reverse(stans[9], Reason::Trouble).unwrap();
    terminal.on_frame(&host.approve(&request, "011510150001")).unwrap();
    let request = terminal.settle().unwrap();
    let mut told = field(&request, 48).unwrap();
    told.replace_range(30..31, "2");
    let answer = Answer { f48: &told, ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();

    let mut counts = Vec::new();
    while terminal.must_upload() {
        let request = terminal.upload().unwrap();
        assert_eq!(field(&request, 0).unwrap(), "0320");
        let f48 = field(&request, 48).unwrap();
        let count: usize = f48[..2].parse().unwrap();
        assert_eq!(f48.len(), 2 + 40 * count);
        if counts.is_empty() {
            assert_eq!(&f48[2..42], "0000000206212142000000000012000000000100");
        }
        let told = &f48[..2];
        let reply = terminal.on_frame(
            &host.answer(&request, &Answer { code: "00", f48: told, ..Answer::default() }),
        );
        assert_eq!(reply.unwrap().accepted, u32::try_from(count).ok());
        counts.push(count);
    }
    assert_eq!(counts, [8, 1]);
    let request = terminal.end_upload().unwrap();
    assert_eq!(field(&request, 48).unwrap(), "0009");
    assert_eq!(field(&request, 60).unwrap(), "00000007202");
}

#[test]
fn trace_numbers_wrap_and_pass_over_those_of_the_batch() {
    let (mut terminal, host) = signed_on();
    terminal.set_stan(stan(1));
    assert_eq!(sell(&mut terminal, &host, 1), stan(1));
    terminal.set_stan(stan(999_999));
    assert_eq!(sell(&mut terminal, &host, 1), stan(999_999));
    assert_eq!(sell(&mut terminal, &host, 1), stan(2));
}

#[test]
fn stamped_requests_have_trace_numbers_of_their_own_and_leave_no_trace() {
    let (mut terminal, host) = signed_on();
    let card = card();
    let first = terminal.stan();
    let sale = terminal.stencil(SlipKind::Sale, &Presented::swiped(&card), Fen(1)).unwrap();
    let mut frames = Vec::new();
    for _frame in 0..3 {
        terminal.stamp(&mut frames, &sale).unwrap();
    }
    let length = frames.len() / 3;
    for (number, frame) in (0_u32..).zip(frames.chunks(length)) {
        assert!(host.accepts(frame));
        assert_eq!(field(frame, 11).unwrap(), format!("{:06}", first.get() + number));
    }
    assert_eq!(terminal.slips().count(), 0);
    let reply = host.approve(&frames[..length], "011510150001");
    assert!(terminal.trusts(&reply));
    assert!(!terminal.trusts(&reply[..reply.len() - 1]));

    let mut undone = Vec::new();
    terminal.stamp_reversal(&mut undone, &sale, first).unwrap();
    assert!(host.accepts(&undone));
    assert_eq!(field(&undone, 11), field(&frames[..length], 11));
    let mut voided = Vec::new();
    let void = terminal.void_stencil(&sale, first, "011510150001").unwrap();
    terminal.stamp(&mut voided, &void).unwrap();
    assert!(host.accepts(&voided));
    assert_eq!(field(&voided, 37).unwrap(), "011510150001");
    assert!(field(&voided, 61).unwrap().ends_with(&first.to_string()));
    let balance = terminal.balance_stencil(&Presented::swiped(&card)).unwrap();
    let nothing = terminal.stamp_reversal(&mut undone, &balance, first);
    assert_eq!(nothing, Err(TerminalError::NothingOwed));
}

#[test]
fn a_terminal_goes_on_where_it_was_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terminal.json");
    assert!(State::load(&path).unwrap().is_none());
    let (mut terminal, host) = signed_on();
    let sale = sell(&mut terminal, &host, 6000);
    terminal.state().save(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let mut terminal = Terminal::resume(&setup(), State::load(&path).unwrap().unwrap()).unwrap();
    assert_eq!(terminal.batch().get(), 7);
    let slip = terminal.slip(sale).unwrap().clone();
    assert_eq!((slip.kind, slip.state), (SlipKind::Sale, SlipState::Approved));
    let request = terminal.void(sale, None).unwrap();
    assert!(host.accepts(&request));
    // Switched off while the void is under way: nobody will have seen its outcome.
    terminal.state().save(&path).unwrap();
    let mut terminal = Terminal::resume(&setup(), State::load(&path).unwrap().unwrap()).unwrap();
    assert_eq!(terminal.owed().unwrap().kind, SlipKind::Void);
    let reversal = terminal.reversal().unwrap();
    assert_eq!(field(&reversal, 11), field(&request, 11));
}

#[test]
fn a_state_holds_no_clear_key_and_fits_one_terminal_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terminal.json");
    let (terminal, _host) = signed_on();
    terminal.state().save(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap().to_uppercase();
    for clear in [host::TMK, "3B5E9D1C7A4F6280C1D3E3F4041626A8", "0B1C2C3E4F516173"] {
        assert!(!text.contains(clear));
    }
    let load = || State::load(&path).unwrap().unwrap();
    let other = TerminalSetup { id: "10000002".parse().unwrap(), ..setup() };
    assert_eq!(Terminal::resume(&other, load()).err(), Some(TerminalError::OtherTerminal));
    let other =
        TerminalSetup { tmk: "FEDCBA98765432100123456789ABCDEF".parse().unwrap(), ..setup() };
    assert!(matches!(Terminal::resume(&other, load()).err(), Some(TerminalError::Key(_))));
    std::fs::write(&path, "{\"terminal\": \"6212142000000000012\"}").unwrap();
    let error = State::load(&path).unwrap_err().to_string();
    assert!(!error.contains("621214"), "{error}");
}
