//! What one sale costs the shard that decides it: 40 000 accounts, cards in no order.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a benchmark a panic is a failure"
)]

use divan::{Bencher, black_box};
use domain::shard::{Command, Event, Request, Shard};
use domain::terms::{Amount, BatchNo, CardId, ShardNo, Stan, Timestamp};
use domain::txn::{TxnKey, TxnKind};

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

const ACCOUNTS: usize = 40_000;
const TERMINALS: u32 = 500;

/// Counts what each measured call allocates.
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// A shard, its cards, and sales without end, for which the terminals take turns.
struct World {
    shard: Shard,
    cards: Vec<CardId>,
    sales: u32,
}

impl World {
    /// Returns a world in which so many sales were made before.
    fn after(sales: u32) -> Self {
        let mut shard = Shard::new(ShardNo(0));
        let cards: Vec<_> = fixtures::cards_of(ShardNo(0)).take(ACCOUNTS).collect();
        for &card in &cards {
            let issued = fixtures::card(card, fixtures::purses(100_000, 0));
            shard.apply(&Event::CardIssued(Box::new(issued)));
        }
        for terminal in (0..TERMINALS).map(fixtures::terminal) {
            let profile = fixtures::profile(fixtures::merchant(1));
            shard.apply(&Event::TerminalRegistered { terminal, profile });
        }
        let mut world = Self { shard, cards, sales: 0 };
        for _ in 0..sales {
            let sale = world.next_sale();
            let event = world.decide(&sale);
            world.shard.apply(&event);
        }
        world
    }

    fn next_sale(&mut self) -> Command {
        self.sales += 1;
        let place = self.sales as usize * 7_919 % ACCOUNTS;
        let key = TxnKey {
            terminal: fixtures::terminal(self.sales % TERMINALS),
            batch: BatchNo::FIRST,
            stan: Stan::new(self.sales / TERMINALS + 1).unwrap(),
        };
        let sale = fixtures::request(key, TxnKind::Sale, self.cards[place]);
        Command::Transact(Request { amount: Amount::from_fen(1), ..sale })
    }

    fn decide(&self, command: &Command) -> Event {
        self.shard.decide(command, Timestamp(1)).event.unwrap()
    }
}

const BEFORE: [u32; 3] = [0, 100_000, 1_000_000];

#[divan::bench(args = BEFORE, sample_count = 50, sample_size = 500)]
fn decide(bencher: Bencher<'_, '_>, sales: u32) {
    let mut world = World::after(sales);
    let sales: Vec<_> = (0..500).map(|_| world.next_sale()).collect();
    let mut next = sales.iter().cycle();
    bencher.bench_local(|| world.decide(black_box(next.next().unwrap())));
}

#[divan::bench(args = BEFORE, sample_count = 50, sample_size = 500)]
fn decide_and_apply(bencher: Bencher<'_, '_>, sales: u32) {
    let mut world = World::after(sales);
    let asked: Vec<_> = (0..25_500).map(|_| world.next_sale()).collect();
    let mut next = asked.iter();
    bencher.bench_local(|| {
        let event = world.decide(black_box(next.next().unwrap()));
        world.shard.apply(black_box(&event));
    });
}

#[divan::bench(args = BEFORE, sample_count = 50, sample_size = 500)]
fn decide_apply_and_remember_how_to_undo(bencher: Bencher<'_, '_>, sales: u32) {
    let mut world = World::after(sales);
    let asked: Vec<_> = (0..25_500).map(|_| world.next_sale()).collect();
    let mut next = asked.iter();
    bencher.bench_local(|| {
        let event = world.decide(black_box(next.next().unwrap()));
        let undo = world.shard.undo_of(&event);
        world.shard.apply(black_box(&event));
        undo
    });
}
