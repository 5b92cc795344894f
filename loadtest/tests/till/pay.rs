//! A bill paid with several tenders, over TCP.

use std::time::Duration;

use loadtest::pay::{Ended, Receipt, Tender};
use loadtest::terminal::{PartialApproval, SignOn, Totals};
use loadtest::{Code, Fen, Kit, Presented, Station, Terminal};

use super::host::shop::{Deed, Rule, Shop};

/// Pays 100.00 at a shop that answers by `rule`, with this many cards and perhaps cash.
fn pay(rule: Rule, cards: usize, with_cash: bool) -> (Receipt, Station) {
    let kit = Kit::generate(1, 3, 1);
    let shop = Shop::open(&kit, rule);
    let terminal = Terminal::new(&kit.terminals[0]);
    let mut station = Station::new(terminal, shop.address, Duration::from_millis(300));
    station.ask(|terminal| terminal.sign_on(SignOn::Double)).unwrap();
    let cards = kit.cards.iter().take(cards);
    let mut tenders: Vec<_> = cards.map(|card| Tender::Card(Presented::swiped(card))).collect();
    tenders.extend(with_cash.then_some(Tender::Cash));
    let receipt = station.pay(Fen(10_000), &tenders);
    (receipt, station)
}

fn totals(debit: u64, debit_count: u32, credit: u64, credit_count: u32) -> Totals {
    Totals { debit: Fen(debit), debit_count, credit: Fen(credit), credit_count }
}

#[test]
fn a_part_the_next_card_and_cash() {
    let (receipt, mut station) = pay(
        |number| match number {
            0 => Deed::Part(4_000),
            _ => Deed::Part(1_000),
        },
        2,
        true,
    );
    assert!(receipt.is_paid);
    assert_eq!(receipt.due, Fen(0));
    let slips: Vec<_> = station.terminal.slips().map(|slip| slip.imprint.stan).collect();
    let paid = |sale, fen| Ended::Paid { sale, amount: Fen(fen) };
    let expected = [paid(Some(slips[0]), 4_000), paid(Some(slips[1]), 1_000), paid(None, 5_000)];
    assert_eq!(receipt.tenders, expected);
    assert_eq!(station.terminal.totals(), totals(5_000, 2, 0, 0));
    let asked: Vec<_> = station.history().iter().map(|seen| seen.amount.0).collect();
    assert_eq!(asked, [4_000, 1_000]);
    assert_eq!(station.terminal.profile_mut().partial, PartialApproval::Refused, "as before");
}

#[test]
fn what_was_paid_is_voided_if_the_next_card_is_refused() {
    let (receipt, station) = pay(
        |number| match number {
            0 => Deed::Part(4_000),
            1 => Deed::Say("51"),
            _ => Deed::Approve,
        },
        2,
        false,
    );
    assert!(!receipt.is_paid);
    assert_eq!(receipt.due, Fen(10_000));
    let refused = Ended::Refused(Code(*b"51"));
    assert_eq!(receipt.tenders, [Ended::Voided(Fen(4_000)), refused]);
    assert_eq!(station.terminal.totals(), totals(4_000, 1, 4_000, 1));
}

#[test]
fn a_leg_without_answer_is_reversed_before_the_void() {
    let (receipt, station) = pay(
        |number| match number {
            0 => Deed::Part(4_000),
            1 => Deed::Ignore,
            _ => Deed::Approve,
        },
        2,
        false,
    );
    assert_eq!(receipt.tenders, [Ended::Voided(Fen(4_000)), Ended::Reversed]);
    let kinds: Vec<_> =
        receipt.exchanges.iter().map(|exchange| exchange.reply.mti.to_string()).collect();
    assert_eq!(kinds, ["0210", "0410", "0210"]);
    assert!(station.terminal.owed().is_none());
    assert_eq!(station.terminal.totals(), totals(4_000, 1, 4_000, 1));
}

#[test]
fn a_void_the_host_refuses_is_said_to_stand() {
    let (receipt, _station) = pay(
        |number| match number {
            0 => Deed::Part(4_000),
            _ => Deed::Say("96"),
        },
        1,
        false,
    );
    let [Ended::NotVoided { amount, code, .. }] = receipt.tenders[..] else {
        panic!("{receipt:?}");
    };
    assert_eq!((amount, code), (Fen(4_000), Some(Code(*b"96"))));
    assert_eq!(receipt.due, Fen(6_000));
}
