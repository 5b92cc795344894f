//! What the journal, its recovery and the drain can do on this machine:
//! `cargo bench -p store [CARDS] [SALES]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "a bench prints figures, and stops at the first surprise"
)]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::issuing::{CardStatus, Identity, ProductId, Terms};
use domain::ledger::{Parts, Purse};
use domain::shard::{CardIssued, Event, Transacted};
use domain::terms::{
    Amount, BatchNo, BusinessDate, CardId, Expiry, MerchantId, ShardNo, Stan, TerminalId, Timestamp,
};
use domain::txn::{TxnKey, TxnKind};
use store::{
    Commit, CommitError, Drain, DrainOptions, EmbeddedJournal, EmbeddedWriter, Lsn, Options,
    Outcome, Positions,
};

/// How many sales a writer has on their way, as that many connections would.
const IN_FLIGHT: [u64; 4] = [1, 50, 500, 5000];

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let cards = numbers.next().unwrap_or(100_000);
    let sales = numbers.next().unwrap_or(300_000);
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path(), cards);
    for in_flight in IN_FLIGHT {
        let count = sales.min(in_flight * 1000);
        sell(dir.path(), cards, count, in_flight);
    }
    restart(dir.path(), "from the first entry");
    follow(dir.path());
    restart(dir.path(), "from the snapshot");
}

fn rate(what: &str, count: u64, took: Duration) {
    println!(
        "{what:<44} {:>12.0} /s  ({count} in {:.3} s)",
        count as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
}

fn open(dir: &std::path::Path) -> (EmbeddedJournal, Positions) {
    let (journal, recovered) = EmbeddedJournal::open(dir, Options::default()).unwrap();
    (journal, recovered.positions)
}

/// A writer that waits when too much is on its way.
struct Till {
    writer: EmbeddedWriter,
    positions: Positions,
    durable: Arc<AtomicU64>,
}

impl Till {
    fn new(journal: &EmbeddedJournal, positions: &Positions) -> Self {
        let durable = Arc::new(AtomicU64::new(0));
        let tell = Arc::clone(&durable);
        let caller = std::thread::current();
        let writer = journal.writer(move |outcome| match outcome {
            Outcome::Durable { upto } => {
                tell.store(upto.0, Ordering::Release);
                caller.unpark();
            }
            Outcome::Conflict { .. } => {}
        });
        Self { writer, positions: *positions, durable }
    }

    fn submit(&mut self, shard: ShardNo, event: &Event, in_flight: u64) {
        let place = &mut self.positions.get_mut(shard.index()).unwrap().0;
        loop {
            match self.writer.submit(shard, *place + 1, event) {
                Ok(Lsn(lsn)) => {
                    *place += 1;
                    while lsn >= self.durable.load(Ordering::Acquire) + in_flight {
                        std::thread::park();
                    }
                    return;
                }
                Err(CommitError::Full) => std::thread::sleep(Duration::from_micros(100)),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn issue(dir: &std::path::Path, cards: u64) {
    let (journal, positions) = open(dir);
    let began = Instant::now();
    let mut till = Till::new(&journal, &positions);
    for number in 1..=cards {
        let issued = CardIssued {
            card: CardId(number),
            terms: Terms {
                draw: [Purse::Bonus, Purse::Main].into_iter().collect(),
                ..Terms::plain(ProductId(1))
            },
            status: CardStatus::Active,
            expiry: Expiry::NEVER,
            identity: Identity {
                index: [7; 16],
                sealed_pan: vec![number as u8; 48].into(),
                pin: Some([1; 8]),
            },
            opening: Parts::only(Purse::Main, Amount::from_fen(50_000)),
            held: Parts::default(),
        };
        let event = Event::CardIssued(Box::new(issued));
        till.submit(CardId(number).shard(), &event, u64::MAX / 2);
    }
    journal.close().unwrap();
    rate("cards issued", cards, began.elapsed());
}

fn sale(number: u64, cards: u64, run: u64) -> Transacted {
    Transacted {
        key: TxnKey {
            terminal: TerminalId(*b"00000001"),
            batch: BatchNo::new(run as u32 + 1).unwrap(),
            stan: Stan::new((number % 999_999) as u32 + 1).unwrap(),
        },
        kind: TxnKind::Sale,
        card: CardId(number * 7919 % cards + 1),
        merchant: MerchantId(*b"898000000000001"),
        amount: Amount::from_fen(1),
        outcome: Ok(Parts::only(Purse::Main, Amount::from_fen(1))),
        suspense: Amount::ZERO,
        held: Parts::default(),
        original: None,
        wrong_pins: None,
        new_pin: None,
        at: Timestamp(1_800_000_000_000 + number as i64),
        date: BusinessDate::ZERO,
    }
}

fn sell(dir: &std::path::Path, cards: u64, count: u64, in_flight: u64) {
    let (journal, positions) = open(dir);
    let mut till = Till::new(&journal, &positions);
    let began = Instant::now();
    for number in 0..count {
        let sale = sale(number, cards, in_flight);
        let shard = sale.card.shard();
        till.submit(shard, &Event::Transacted(sale), in_flight);
    }
    journal.close().unwrap();
    rate(&format!("sales, {in_flight} on their way"), count, began.elapsed());
}

fn restart(dir: &std::path::Path, how: &str) {
    let began = Instant::now();
    let (journal, recovered) = EmbeddedJournal::open(dir, Options::default()).unwrap();
    let took = began.elapsed();
    let cards: usize = recovered.books.shards().iter().map(|shard| shard.accounts().len()).sum();
    let txns: usize = recovered.books.shards().iter().map(|shard| shard.txns().len()).sum();
    println!(
        "restart {how}: {:.3} s ({cards} cards, {txns} transactions, {} entries replayed)",
        took.as_secs_f64(),
        recovered.report.replayed
    );
    drop(journal);
}

fn follow(dir: &std::path::Path) {
    let (journal, _) = open(dir);
    let began = Instant::now();
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    while drain.position() < journal.durable() {
        std::thread::sleep(Duration::from_millis(5));
    }
    rate("entries into the SQL ledger, and folded", journal.durable().0, began.elapsed());
    let began = Instant::now();
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
    let sizes = fs::read_dir(dir.join("snapshots")).unwrap();
    let bytes = sizes.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or(0);
    println!("stop with a snapshot of {} MiB: {:.3} s", bytes >> 20, began.elapsed().as_secs_f64());
    let ledger = fs::metadata(dir.join("ledger.db")).unwrap().len();
    println!("ledger: {} bytes an entry", ledger / journal.durable().0.max(1));
}
