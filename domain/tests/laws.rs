//! Laws that hold for every sequence of commands.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

mod fixtures;
mod world;

use std::collections::BTreeMap;

use domain::books::{Books, Violation};
use domain::ledger::{Parts, Purse, Unit};
use domain::shard::{BatchEvent, CardIssued, Command, Event, Reversed, Transacted};
use domain::terms::{Amount, BusinessDate, ShardNo};
use domain::txn::{Closing, TxnKey, TxnKind, TxnState};
use proptest::prelude::*;
use world::{World, steps};

fn one_more(amount: Amount) -> Amount {
    amount.plus(Amount::from_fen(1))
}

/// Returns what `event` must not become: other amounts, another date, more than the card has.
fn falsified(event: &Event) -> Vec<Event> {
    let more = |fen| Parts::only(Purse::Main, Amount::from_fen(fen));
    let points = Parts::only(Purse::Points, Amount::from_fen(1));
    let tomorrow = BusinessDate::new(2099, 1, 1).unwrap();
    match event {
        Event::Transacted(t) if t.kind != TxnKind::Inquiry && t.outcome.is_ok() => {
            let parts = t.outcome.unwrap();
            let rich = t.amount.plus(Amount::from_fen(1_000_000));
            let changed = [
                Transacted { amount: one_more(t.amount), ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&more(1))), ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&points)), ..t.clone() },
                Transacted { suspense: one_more(t.suspense), ..t.clone() },
                Transacted { date: tomorrow, ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&more(1_000_000))), amount: rich, ..t.clone() },
            ];
            changed.map(Event::Transacted).into()
        }
        Event::Reversed(r) => {
            let changed = [
                Reversed { parts: r.parts.plus(&more(1)), ..r.clone() },
                Reversed { suspense: one_more(r.suspense), ..r.clone() },
                Reversed { merchant: fixtures::merchant(8), ..r.clone() },
                Reversed { date: tomorrow, ..r.clone() },
            ];
            changed.map(Event::Reversed).into()
        }
        Event::Batch { terminal, event: BatchEvent::Closed { closing, next } } => {
            let (mut counted, next) = (closing.counted, *next);
            counted.debit = one_more(counted.debit);
            let closing = Closing { counted, ..*closing };
            vec![Event::Batch { terminal: *terminal, event: BatchEvent::Closed { closing, next } }]
        }
        Event::CardIssued(issued) => {
            let held = issued.opening.plus(&more(1));
            vec![Event::CardIssued(Box::new(CardIssued { held, ..(**issued).clone() }))]
        }
        _ => Vec::new(),
    }
}

/// True if taking the event in twice is the same as once, so that nothing is wrong with it.
fn may_come_twice(event: &Event) -> bool {
    match event {
        Event::Transacted(t) => t.kind == TxnKind::Inquiry,
        Event::TerminalRegistered { .. } | Event::SignedOn { .. } | Event::SignedOff { .. } => true,
        Event::Batch { event, .. } => !matches!(event, BatchEvent::Closed { .. }),
        _ => false,
    }
}

/// What merchants got of each sale, by the accountant's own count of the journal.
#[derive(Default)]
struct Account {
    sales: BTreeMap<TxnKey, (i64, i64)>,
    voids: BTreeMap<TxnKey, TxnKey>,
}

impl Account {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Transacted(t) if t.outcome.is_ok() => {
                let moved = t.outcome.unwrap().money().plus(t.suspense).fen();
                match (t.kind, t.original) {
                    (TxnKind::Sale, _) => {
                        assert_eq!(self.sales.insert(t.key, (t.amount.fen(), moved)), None);
                    }
                    (TxnKind::Void | TxnKind::Refund, Some(sale)) => {
                        self.sales.get_mut(&sale).unwrap().1 -= moved;
                        self.voids.insert(t.key, sale);
                    }
                    _ => {}
                }
            }
            Event::Reversed(r) => {
                let moved = r.parts.money().plus(r.suspense).fen();
                let sale = *self.voids.get(&r.key).unwrap_or(&r.key);
                let sign = if r.kind == TxnKind::Void { 1 } else { -1 };
                self.sales.get_mut(&sale).unwrap().1 += sign * moved;
            }
            _ => {}
        }
        for (key, (amount, paid)) in &self.sales {
            assert!((0..=*amount).contains(paid), "{key:?}: {paid} of {amount} after {event:?}");
        }
    }
}

fn check_event(world: &World, shard: ShardNo, event: &Event) {
    world.books.inspect(shard, event).unwrap();
    for unit in [Unit::Fen, Unit::Points] {
        let legs = event.postings().into_iter().filter(|leg| leg.unit == unit);
        assert_eq!(legs.map(|leg| leg.amount.fen()).sum::<i64>(), 0, "{event:?}");
    }
    if let Some(home) = event.home() {
        let elsewhere = ShardNo(home.0.wrapping_add(1));
        assert_eq!(world.books.inspect(elsewhere, event), Err(Violation::Misplaced(home)));
    }
    for falsified in falsified(event) {
        assert!(world.books.inspect(shard, &falsified).is_err(), "{falsified:?}");
    }
    let before = world.books.shard(shard);
    let mut ahead = before.clone();
    let undo = ahead.undo_of(event);
    ahead.apply(event);
    assert_ne!(ahead, *before);
    ahead.undo(undo);
    assert_eq!(ahead, *before, "{event:?} was not undone");
}

fn check_books(books: &Books) {
    assert_eq!(books.imbalance(Unit::Fen), Amount::ZERO);
    assert_eq!(books.imbalance(Unit::Points), Amount::ZERO);
    for (_, account) in books.shards().iter().flat_map(|shard| shard.accounts()) {
        let (ledger, available) = (account.balances.ledger(), account.balances.available());
        assert!(available.cover(&Parts::default()) && ledger.cover(&available), "{account:?}");
        assert!(account.wrong_pins <= 3);
    }
    for (key, txn) in books.shards().iter().flat_map(|shard| shard.txns()) {
        let may_be = txn.kind == TxnKind::Sale && txn.state == TxnState::Approved;
        assert!(may_be || !txn.is_refunded, "{key:?}: {txn:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn money_is_neither_made_nor_lost_nor_moved_twice(steps in steps()) {
        let mut world = World::new();
        let mut accountant = Account::default();
        for step in &steps {
            for (shard, command) in world.commands(step) {
                let first = world.decide(shard, &command);
                let again = world.decide(shard, &command);
                prop_assert_eq!((&first.answer, &first.event), (&again.answer, &again.event));
                if let Some(event) = first.event {
                    check_event(&world, shard, &event);
                    accountant.add(&event);
                    world.apply(shard, event.clone());
                    if !may_come_twice(&event) {
                        prop_assert!(world.books.inspect(shard, &event).is_err(), "{event:?}");
                    }
                }
                let repeat = world.decide(shard, &command);
                let is_inquiry =
                    matches!(&command, Command::Transact(r) if r.kind == TxnKind::Inquiry);
                if !is_inquiry {
                    prop_assert_eq!(repeat.event, None, "{:?}", command);
                    prop_assert_eq!(repeat.answer.verdict, first.answer.verdict, "{:?}", command);
                }
            }
            check_books(&world.books);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_replay_gives_the_same_books(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            for (shard, command) in world.commands(step) {
                world.say(shard, &command);
            }
        }
        let mut replayed = Books::default();
        for (shard, event) in &world.journal {
            let bytes = postcard::to_stdvec(event).unwrap();
            let event: Event = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(replayed.inspect(*shard, &event), Ok(()));
            replayed.apply(*shard, &event);
        }
        prop_assert_eq!(&replayed, &world.books);
        let bytes = postcard::to_stdvec(&world.books).unwrap();
        prop_assert_eq!(&postcard::to_stdvec(&replayed).unwrap(), &bytes);
        prop_assert_eq!(&postcard::from_bytes::<Books>(&bytes).unwrap(), &world.books);
    }

    #[test]
    fn no_amount_makes_an_inspection_panic(
        steps in steps(),
        amounts in prop::array::uniform3(prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN)]),
    ) {
        let mut world = World::new();
        let [a, b, c] = amounts.map(Amount::from_fen);
        let parts = Parts::only(Purse::Main, a).plus(&Parts::only(Purse::Bonus, b));
        for step in &steps {
            for (shard, command) in world.commands(step) {
                if let Some(mut event) = world.decide(shard, &command).event {
                    match &mut event {
                        Event::Transacted(t) if t.outcome.is_ok() => {
                            (t.outcome, t.suspense) = (Ok(parts), c);
                        }
                        Event::Reversed(r) => (r.parts, r.suspense) = (parts, c),
                        Event::CardIssued(issued) => (issued.opening, issued.held) = (parts, parts),
                        _ => continue,
                    }
                    if a < Amount::ZERO || b < Amount::ZERO {
                        let found = world.books.inspect(shard, &event);
                        prop_assert_eq!(found, Err(Violation::Misstated));
                    } else {
                        let _seen = world.books.inspect(shard, &event);
                    }
                }
                world.say(shard, &command);
            }
        }
    }
}
