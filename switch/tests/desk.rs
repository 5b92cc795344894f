//! A desk over a journal with other writers: what was applied ahead is undone and decided anew.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::sync::{Arc, Mutex};

use domain::issuing::{CardStatus, Identity, ProductId, Terms};
use domain::ledger::{Parts, Purse};
use domain::shard::{CardIssued, Command, Detail, Event, Request, Shard};
use domain::terms::{
    Amount, BatchNo, CardId, Expiry, MerchantId, Refusal, ShardNo, Stan, TerminalId, Timestamp,
};
use domain::txn::{TxnKey, TxnKind};
use store::{MemoryJournal, MemoryWriter, Outcome};
use switch::account::{Answered, Desk};

const CARD: CardId = CardId(1);
const NOW: Timestamp = Timestamp(1_795_000_000_000);

struct World {
    journal: MemoryJournal,
    inbox: Arc<Mutex<Vec<Outcome>>>,
    desk: Desk<MemoryWriter, u32>,
}

impl World {
    fn new(journal: MemoryJournal) -> Self {
        let inbox = Arc::new(Mutex::new(Vec::new()));
        let outcomes = Arc::clone(&inbox);
        let writer = journal.writer(move |outcome| outcomes.lock().unwrap().push(outcome));
        let desk = Desk::new(ShardNo::all().map(Shard::new), writer);
        let mut world = Self { journal, inbox, desk };
        world.desk.handle(CARD.shard(), Command::IssueCard(Box::new(card())), NOW, 0);
        assert!(world.sync()[0].answer.is_ok());
        world
    }

    /// Syncs the journal, and returns the answers that may be given then.
    fn sync(&mut self) -> Vec<Answered<u32>> {
        self.journal.sync().unwrap();
        let outcomes = std::mem::take(&mut *self.inbox.lock().unwrap());
        for outcome in outcomes {
            drop(self.desk.on_outcome(outcome));
        }
        std::iter::from_fn(|| self.desk.next_answer()).collect()
    }

    fn sell(&mut self, stan: u32, fen: i64) {
        let command = Command::Transact(request(TxnKind::Sale, stan, fen));
        self.desk.handle(CARD.shard(), command, NOW, stan);
    }

    fn balance(&self) -> i64 {
        let shard = self.desk.shards().find(|shard| shard.no() == CARD.shard()).unwrap();
        shard.account(CARD).unwrap().balances.available().money().fen()
    }
}

fn card() -> CardIssued {
    CardIssued {
        card: CARD,
        terms: Terms::plain(ProductId(1)),
        status: CardStatus::Active,
        expiry: Expiry::NEVER,
        identity: Identity { index: [1; 16], sealed_pan: [].into(), pin: None },
        opening: Parts::only(Purse::Main, Amount::from_fen(10_000)),
        held: Parts::default(),
    }
}

fn request(kind: TxnKind, stan: u32, fen: i64) -> Request {
    let key = TxnKey {
        terminal: TerminalId(*b"10000001"),
        batch: BatchNo::FIRST,
        stan: Stan::new(stan).unwrap(),
    };
    let merchant = MerchantId(*b"898000000000001");
    Request { amount: Amount::from_fen(fen), ..Request::plain(key, kind, CARD, merchant) }
}

/// What another writer does to the card of this desk: a sale of its own, decided on `state`.
fn elsewhere(state: &Shard, stan: u32, fen: i64) -> Event {
    let command = Command::Transact(request(TxnKind::Sale, stan, fen));
    state.decide(&command, NOW).event.unwrap()
}

#[test]
fn no_answer_is_given_before_its_entry_is_durable() {
    let mut world = World::new(MemoryJournal::new());
    world.sell(1, 4_000);
    world.sell(1, 4_000); // a repeat, which changes nothing and waits all the same
    world.sell(2, 9_000); // a refusal
    assert!(world.desk.next_answer().is_none());
    let answers = world.sync();
    let told: Vec<_> = answers.iter().map(|a| a.answer.as_ref().unwrap().verdict).collect();
    assert_eq!(told, [Ok(()), Ok(()), Err(Refusal::InsufficientFunds)]);
    assert_eq!(answers[0].answer, answers[1].answer);
    assert_eq!(world.balance(), 6_000);
}

#[test]
fn a_conflict_is_decided_anew_on_the_newer_state() {
    let mut world = World::new(MemoryJournal::shared());
    let shard = CARD.shard();
    let before = world.desk.shards().find(|state| state.no() == shard).unwrap().clone();
    world.sell(1, 6_000);
    world.sell(2, 3_000);
    world.sell(1, 6_000);
    world.journal.contest(shard, &[elsewhere(&before, 77, 5_000)]);
    let mut answers = world.sync();
    answers.extend(world.sync());
    let told: Vec<_> =
        answers.iter().map(|a| (a.waiter, a.answer.as_ref().unwrap().verdict)).collect();
    let too_little = Err(Refusal::InsufficientFunds);
    assert_eq!(told, [(1, too_little), (2, Ok(())), (1, too_little)]);
    assert_eq!(world.balance(), 2_000);
    let replayed = world.journal.recovered().books;
    let live = world.desk.shards().find(|state| state.no() == shard).unwrap();
    assert_eq!(replayed.shard(shard), live);
}

#[test]
fn answers_of_a_closed_journal_say_that_nothing_was_decided() {
    let mut world = World::new(MemoryJournal::new());
    world.journal.close();
    world.sell(1, 4_000);
    let answered = world.desk.next_answer().unwrap();
    assert!(answered.answer.is_err() && answered.event.is_none());
    assert_eq!(world.balance(), 10_000);
}

#[test]
fn a_balance_shows_what_was_applied_before_it() {
    let mut world = World::new(MemoryJournal::new());
    world.sell(1, 4_000);
    let inquiry = Command::Transact(request(TxnKind::Inquiry, 2, 0));
    world.desk.handle(CARD.shard(), inquiry, NOW, 2);
    let answers = world.sync();
    let Detail::Balance { available, .. } = answers[1].answer.as_ref().unwrap().detail else {
        panic!("an inquiry is answered with a balance");
    };
    assert_eq!(available.fen(), 6_000);
}
