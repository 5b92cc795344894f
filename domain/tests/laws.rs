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
use domain::ledger::{LedgerAccount, Parts, Purse, Unit};
use domain::shard::{BatchEvent, CardIssued, Command, Event, Reversed, Transacted};
use domain::terms::{Amount, BusinessDate, ShardNo};
use domain::txn::{Care, Closing, Flow, TxnKey, TxnKind, TxnState};
use proptest::prelude::*;
use world::{World, steps};

fn one_more(amount: Amount) -> Amount {
    amount.plus(Amount::from_fen(1))
}

/// Returns what `event` must not become: other amounts, another date, more than the card has.
fn falsified(books: &Books, event: &Event) -> Vec<Event> {
    let more = |fen| Parts::only(Purse::Main, Amount::from_fen(fen));
    let points = Parts::only(Purse::Points, Amount::from_fen(1));
    let tomorrow = BusinessDate::new(2099, 1, 1).unwrap();
    match event {
        Event::Transacted(t) if t.kind.flow() != Flow::Nothing && t.outcome.is_ok() => {
            let parts = t.outcome.unwrap();
            let rich = t.amount.plus(Amount::from_fen(1_000_000));
            let foreign = if t.kind.is_of_points() { more(1) } else { points };
            let changed = [
                Transacted { amount: one_more(t.amount), ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&more(1))), ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&foreign)), ..t.clone() },
                Transacted { suspense: one_more(t.suspense), ..t.clone() },
                Transacted { date: tomorrow, ..t.clone() },
                Transacted { new_pin: Some([1; 8]), ..t.clone() },
                Transacted { outcome: Ok(parts.plus(&more(1_000_000))), amount: rich, ..t.clone() },
            ];
            // A sale that takes all there is may as well be the part of a larger one.
            let skipped = usize::from(t.kind == TxnKind::Sale && takes_all(books, t));
            changed.into_iter().skip(skipped).map(Event::Transacted).collect()
        }
        Event::Reversed(r) => {
            let changed = [
                Reversed { parts: r.parts.plus(&more(1)), ..r.clone() },
                Reversed { held: r.held.plus(&more(1_000_000)), ..r.clone() },
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

/// True if nothing is left to spend after `sale`.
fn takes_all(books: &Books, sale: &Transacted) -> bool {
    let account = books.shard(sale.card.shard()).account(sale.card).unwrap();
    let left = account.balances.available().minus(&sale.outcome.unwrap());
    account.terms.draw.iter().all(|&purse| left.of(purse).is_zero())
}

/// True if taking the event in twice is the same as once, so that nothing is wrong with it.
fn may_come_twice(event: &Event) -> bool {
    match event {
        Event::Transacted(t) => t.kind.is_inquiry(),
        Event::TerminalRegistered { .. } | Event::SignedOn { .. } | Event::SignedOff { .. } => true,
        Event::Cared { care, .. } => {
            matches!(care, Care::Acknowledged { .. } | Care::Reported { .. })
        }
        Event::Batch { event, .. } => !matches!(event, BatchEvent::Closed { .. }),
        _ => false,
    }
}

/// What merchants got of each transaction that pays, by the accountant's own count of the journal.
#[derive(Default)]
struct Account {
    /// What each may come to at the most, and what it came to, by key.
    paid: BTreeMap<TxnKey, (i64, i64)>,
    /// The transaction that another changes.
    roots: BTreeMap<TxnKey, TxnKey>,
}

impl Account {
    fn add(&mut self, event: &Event) {
        let key = match event {
            Event::Transacted(t) if t.outcome.is_ok() => {
                let is_root = t.kind.flow() == Flow::Pay && t.kind != TxnKind::Adjustment;
                if is_root {
                    let most = t.approved().fen();
                    assert_eq!(self.paid.insert(t.key, (most, 0)), None, "{event:?}");
                }
                let root = t.original.filter(|_| !is_root).unwrap_or(t.key);
                if let (TxnKind::Adjustment, Some((most, _))) = (t.kind, self.paid.get_mut(&root)) {
                    *most = t.amount.fen();
                }
                self.roots.insert(t.key, root);
                t.key
            }
            Event::Reversed(r) => r.key,
            _ => return,
        };
        let root = self.roots[&key];
        for leg in event.postings() {
            let to_merchant = matches!(
                leg.account,
                LedgerAccount::Merchant(_) | LedgerAccount::PointsRedeemed(_)
            );
            if to_merchant {
                self.paid.get_mut(&root).unwrap().1 += leg.amount.fen();
            }
        }
        for (key, (most, paid)) in &self.paid {
            assert!((0..=*most).contains(paid), "{key:?}: {paid} of {most} after {event:?}");
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
    for falsified in falsified(&world.books, event) {
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
        let may_be = txn.kind.is_refundable() && txn.state == TxnState::Approved;
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
                    matches!(&command, Command::Transact(r) if r.kind.is_inquiry());
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
