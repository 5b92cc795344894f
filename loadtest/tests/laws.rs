//! Laws that hold for every input.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]
#![allow(dead_code, unreachable_pub, reason = "the scripted host is shared with other tests")]

mod host;

use host::{Answer, BLOCK_40, Host, setup};
use loadtest::fen::FEN_MAX;
use loadtest::terminal::{Reason, SignOn, SlipKind, SlipState, State, Totals};
use loadtest::{Fen, Kit, Presented, Reply, Stan, Terminal, TerminalError, TestCard};
use proptest::prelude::*;

fn signed_on() -> (Terminal, Host) {
    let host = Host::new(&setup(), BLOCK_40);
    let mut terminal = Terminal::new(&setup());
    let request = terminal.sign_on(SignOn::Double).unwrap();
    terminal.on_frame(&host.sign_on(&request, "00000001003")).unwrap();
    (terminal, host)
}

fn card() -> TestCard {
    Kit::generate(0, 1, 1).cards.remove(0)
}

/// What a shop may do next, and what the host answers.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Sell(u64, bool),
    Void(usize, bool),
    Reverse(usize, bool),
    SellInVain(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (1..10_000_u64, any::<bool>()).prop_map(|(fen, yes)| Deed::Sell(fen, yes)),
        (0..8_usize, any::<bool>()).prop_map(|(which, yes)| Deed::Void(which, yes)),
        (0..8_usize, any::<bool>()).prop_map(|(which, yes)| Deed::Reverse(which, yes)),
        (1..10_000_u64).prop_map(Deed::SellInVain),
    ]
}

/// Does one thing; what cannot be done is left out.
fn act(terminal: &mut Terminal, host: &Host, deed: Deed) {
    let card = card();
    let presented = Presented::swiped(&card);
    let pick = |terminal: &Terminal, kinds: &[SlipKind], which: usize| -> Option<Stan> {
        let stands = terminal
            .slips()
            .filter(|slip| slip.state == SlipState::Approved && kinds.contains(&slip.kind));
        let stans: Vec<_> = stands.map(|slip| slip.imprint.stan).collect();
        stans.get(which % stans.len().max(1)).copied()
    };
    let (request, yes) = match deed {
        Deed::Sell(fen, yes) => (terminal.sale(&presented, Fen(fen)), yes),
        Deed::Void(which, yes) => {
            let Some(stan) = pick(terminal, &[SlipKind::Sale], which) else { return };
            (terminal.void(stan, None), yes)
        }
        Deed::Reverse(which, yes) => {
            let kinds = [SlipKind::Sale, SlipKind::Void];
            let Some(stan) = pick(terminal, &kinds, which) else { return };
            (terminal.reverse(stan, Reason::Trouble), yes)
        }
        Deed::SellInVain(fen) => {
            terminal.sale(&presented, Fen(fen)).unwrap();
            terminal.on_timeout();
            (terminal.reversal(), true)
        }
    };
    let request = request.unwrap();
    let code = if yes { "00" } else { "25" };
    let answer = Answer { code, rrn: "011510150001", ..Answer::default() };
    terminal.on_frame(&host.answer(&request, &answer)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_end_the_request_under_way(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut terminal, host) = signed_on();
        let card = card();
        let request = terminal.sale(&Presented::swiped(&card), Fen(1)).unwrap();
        drop(Reply::read(&bytes));
        prop_assert!(terminal.on_frame(&bytes).is_err());
        prop_assert!(terminal.on_frame(&host.approve(&request, "011510150001")).is_ok());
    }

    #[test]
    fn a_changed_approval_is_not_believed(place in 11..110_usize, change in 1..=255_u8) {
        let (mut terminal, host) = signed_on();
        let card = card();
        let request = terminal.sale(&Presented::swiped(&card), Fen(1)).unwrap();
        let mut frame = host.approve(&request, "011510150001");
        prop_assume!(place < frame.len());
        frame[place] ^= change;
        match terminal.on_frame(&frame) {
            Err(TerminalError::MacWrong) => prop_assert!(terminal.owed().is_some()),
            // A code that is no success has no message code to check, and no slip either.
            Ok(reply) => prop_assert!(!reply.is_success()),
            Err(_) => prop_assert!(terminal.owed().is_none()),
        }
        prop_assert_eq!(terminal.slips().count(), 0);
    }

    #[test]
    fn an_amount_is_read_as_it_is_written(fen in 0..=FEN_MAX) {
        prop_assert_eq!(Fen(fen).to_string().parse(), Ok(Fen(fen)));
    }

    #[test]
    fn totals_are_those_of_the_slips_and_survive_a_restart(
        deeds in prop::collection::vec(deed(), 0..20),
    ) {
        let (mut terminal, host) = signed_on();
        for deed in deeds {
            act(&mut terminal, &host, deed);
            prop_assert!(terminal.owed().is_none());
            let totals = terminal.totals();
            let net = totals.debit.minus(totals.credit);
            // What stands: sales that are neither voided nor reversed.
            let standing = terminal
                .slips()
                .filter(|slip| slip.kind == SlipKind::Sale && slip.state == SlipState::Approved);
            prop_assert_eq!(net, Some(standing.map(|slip| slip.imprint.amount).sum()));
        }
        let text = serde_json::to_string(&terminal.state()).unwrap();
        let state: State = serde_json::from_str(&text).unwrap();
        let again = Terminal::resume(&setup(), state).unwrap();
        prop_assert_eq!(again.totals(), terminal.totals());
        prop_assert_eq!(again.stan(), terminal.stan());
        prop_assert_eq!(Totals::of(again.slips()), again.totals());
    }
}
