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

use std::collections::{BTreeMap, BTreeSet};

use domain::books::{Books, Violation};
use domain::ledger::{Parts, Purse, Unit};
use domain::shard::{
    Answer, BatchEvent, CardIssued, Command, Detail, Event, Reversed, Shard, Transacted,
};
use domain::terms::{Amount, BusinessDate, Rrn, ShardNo, Stan};
use domain::txn::{Closing, Flow, TxnKey, TxnKind, TxnState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use world::{World, steps};

fn one_more(amount: Amount) -> Amount {
    amount.plus(Amount::from_fen(1))
}

/// Returns what `event` must not become: other amounts, another date, more than the card has.
fn falsified(books: &Books, event: &Event) -> Vec<Event> {
    let more = |fen| Parts::only(Purse::Main, Amount::from_fen(fen));
    let tomorrow = BusinessDate::new(2099, 1, 1).unwrap();
    match event {
        Event::Transacted(t) if t.outcome.is_ok() => falsified_approval(books, t),
        Event::Transacted(t) => {
            let changed = [
                Transacted { suspense: one_more(t.suspense), ..t.clone() },
                Transacted { held: more(1), ..t.clone() },
                Transacted { new_pin: Some([9; 8]), ..t.clone() },
                Transacted { date: tomorrow, ..t.clone() },
            ];
            changed.map(Event::Transacted).into()
        }
        Event::Reversed(r) => {
            let changed = [
                Reversed { parts: r.parts.plus(&more(1)), ..r.clone() },
                Reversed { suspense: one_more(r.suspense), ..r.clone() },
                Reversed { held: r.held.plus(&more(1)), ..r.clone() },
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

fn falsified_approval(books: &Books, t: &Transacted) -> Vec<Event> {
    let more = |fen| Parts::only(Purse::Main, Amount::from_fen(fen));
    let points = Parts::only(Purse::Points, Amount::from_fen(1));
    let parts = t.outcome.unwrap();
    let rich = t.amount.checked_add(Amount::from_fen(1_000_000)).unwrap_or(t.amount);
    let stranger = TxnKey { stan: Stan::new(999_999).unwrap(), ..t.key };
    let new_pin = if t.new_pin.is_some() { None } else { Some([9; 8]) };
    let mut changed = vec![
        Transacted { outcome: Ok(parts.plus(&more(1))), ..t.clone() },
        Transacted { outcome: Ok(parts.plus(&points)), ..t.clone() },
        Transacted { outcome: Ok(parts.plus(&more(1_000_000))), amount: rich, ..t.clone() },
        Transacted { suspense: one_more(t.suspense), ..t.clone() },
        Transacted { held: t.held.plus(&more(1)), ..t.clone() },
        Transacted { original: Some(stranger), ..t.clone() },
        Transacted { date: BusinessDate::new(2099, 1, 1).unwrap(), ..t.clone() },
        Transacted { new_pin, ..t.clone() },
    ];
    // What says nothing of an amount may carry any. Of a sale that empties the card nobody can
    // tell that it was asked for more, and a part was approved.
    let account = books.shard(t.card.shard()).account(t.card).unwrap();
    let is_emptied =
        t.kind == TxnKind::Sale && account.balances.available().minus(&parts).money().is_zero();
    if t.kind.flow() != Flow::Nothing && !is_emptied {
        changed.push(Transacted { amount: one_more(t.amount), ..t.clone() });
    }
    changed.into_iter().map(Event::Transacted).collect()
}

/// True if taking the event in twice is the same as once, so that nothing is wrong with it.
fn may_come_twice(event: &Event) -> bool {
    match event {
        Event::Transacted(t) => t.kind.is_inquiry(),
        Event::TerminalRegistered { .. } | Event::SignedOn { .. } | Event::SignedOff { .. } => true,
        Event::Batch { event, .. } => !matches!(event, BatchEvent::Closed { .. }),
        _ => false,
    }
}

/// What merchants got of each sale, by the accountant's own count of the journal; and what was
/// loaded after each verification.
#[derive(Default)]
struct Account {
    /// The most that a sale may be, and what was paid of it.
    sales: BTreeMap<TxnKey, (i64, i64)>,
    /// What gave back, and of which sale.
    given_back: BTreeMap<TxnKey, TxnKey>,
    loads: BTreeMap<TxnKey, u32>,
}

impl Account {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Transacted(t) if t.outcome.is_ok() => self.add_approved(t, t.outcome.unwrap()),
            Event::Reversed(r) => {
                let sale = self.given_back.get(&r.key).copied();
                let sign = if sale.is_some() { 1 } else { -1 };
                if let Some((_, paid)) = self.sales.get_mut(&sale.unwrap_or(r.key)) {
                    *paid += sign * (all(&r.parts) + r.suspense.fen());
                } else {
                    assert_eq!(event.postings().len(), 0, "{event:?}");
                }
            }
            _ => {}
        }
        for (key, (amount, paid)) in &self.sales {
            assert!((0..=*amount).contains(paid), "{key:?}: {paid} of {amount} after {event:?}");
        }
        assert!(self.loads.values().all(|&loads| loads == 1), "{:?}", self.loads);
    }

    fn add_approved(&mut self, t: &Transacted, parts: Parts) {
        let moved = all(&parts) + t.suspense.fen();
        match (t.kind.flow(), t.original) {
            (Flow::Pay, Some(sale)) if t.kind == TxnKind::Adjustment => {
                let (most, paid) = self.sales.get_mut(&sale).unwrap();
                (*most, *paid) = (t.amount.fen(), *paid + moved);
                assert_eq!(most, paid, "{t:?}");
            }
            (Flow::Pay, _) => {
                assert_eq!(self.sales.insert(t.key, (t.amount.fen(), moved)), None);
            }
            (Flow::PayBack, Some(sale)) => {
                self.sales.get_mut(&sale).unwrap().1 -= moved;
                self.given_back.insert(t.key, sale);
            }
            (Flow::Load, Some(verification)) if moved != 0 => {
                *self.loads.entry(verification).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// Returns the sum of all parts, money and points: no entry has both.
fn all(parts: &Parts) -> i64 {
    parts.iter().map(|(_, amount)| amount.fen()).sum()
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
    for shard in books.shards() {
        for (key, txn) in shard.txns() {
            let may_be = txn.kind.is_refundable() && txn.state == TxnState::Approved;
            assert!(may_be || !txn.is_refunded, "{key:?}: {txn:?}");
            let follower = txn.follower.and_then(|key| shard.txn(&key));
            assert!(follower.is_none_or(|f| f.state == TxnState::Approved), "{key:?}: {txn:?}");
            assert_eq!(txn.follower.is_some(), txn.state == TxnState::Used, "{key:?}: {txn:?}");
        }
        check_holds(shard);
    }
}

/// What is set aside belongs to a pre-authorisation that is live, and is no more than that.
fn check_holds(shard: &Shard) {
    let live = shard.txns().filter(|(_, t)| t.kind == TxnKind::PreAuth && t.original.is_none());
    let live = live.filter(|(_, t)| t.state == TxnState::Approved);
    let live: BTreeMap<_, _> =
        live.map(|(_, t)| (Rrn::of(shard.no(), t.seq).number, t.parts.money())).collect();
    for (card, account) in shard.accounts() {
        for hold in account.balances.holds().iter().filter(|hold| hold.number != 1) {
            let most = live.get(&hold.number);
            let fits = most.is_some_and(|&most| hold.parts.money() <= most);
            assert!(fits, "{card:?}: {hold:?} of {most:?}");
            assert!(hold.parts.cover(&Parts::default()), "{hold:?}");
        }
    }
}

/// Returns what a repeat says again: all but what may be spent or loaded, which is that of now.
fn said(answer: &Answer) -> Answer {
    let mut said = answer.clone();
    match &mut said.detail {
        Detail::Approval { parts, available, .. } => {
            (*parts, *available) = (Parts::default(), Amount::ZERO);
        }
        Detail::Room(room) => *room = Amount::ZERO,
        _ => {}
    }
    said
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
                match &command {
                    Command::Transact(r) if r.kind.is_inquiry() => continue,
                    // A refusal for what came under another number leaves nothing behind.
                    Command::Transact(_) if world.is_remembered(shard, &command) => {
                        prop_assert_eq!(said(&repeat.answer), said(&first.answer), "{:?}", command);
                    }
                    _ => {
                        let verdict = repeat.answer.verdict;
                        prop_assert_eq!(verdict, first.answer.verdict, "{:?}", command);
                    }
                }
                prop_assert_eq!(repeat.event, None, "{:?}", command);
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
                    let may_be_negative = matches!(
                        &event,
                        Event::Transacted(t) if t.kind == TxnKind::Adjustment
                    );
                    if !may_be_negative && (a < Amount::ZERO || b < Amount::ZERO) {
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

/// Laws say nothing of what never happens.
#[test]
fn random_steps_reach_every_kind_and_every_reversal() {
    let mut runner = TestRunner::deterministic();
    let (mut approved, mut reversed) = (BTreeSet::new(), BTreeSet::new());
    let mut expired = 0;
    for _ in 0..150 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            for (shard, command) in world.commands(&step) {
                world.say(shard, &command);
            }
        }
        for (_, event) in &world.journal {
            match event {
                Event::Transacted(t) if t.outcome.is_ok() => _ = approved.insert(t.kind),
                Event::Reversed(r) => _ = reversed.insert(r.kind),
                _ => {}
            }
        }
        let txns = world.books.shards().iter().flat_map(Shard::txns);
        expired += txns.filter(|(_, txn)| txn.state == TxnState::Expired).count();
    }
    assert!(expired > 0);
    for kind in TxnKind::ALL {
        assert!(approved.contains(&kind), "no {kind:?} was approved");
        assert_eq!(reversed.contains(&kind), kind.is_reversible(), "{kind:?}");
    }
}
