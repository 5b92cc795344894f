//! A shard against a naive twin: another program for the same rules, one card of one purse.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

mod fixtures;
mod model;

use domain::books::Books;
use domain::issuing::{Ceiling, Limits};
use domain::ledger::LedgerAccount;
use domain::shard::{Command, Decision, Detail, Event, Original, Request, Reversal};
use domain::terms::{Amount, AuthCode, BatchNo, CardId, Refusal, Rrn, ShardNo, Stan, Timestamp};
use domain::txn::{Link, TxnKey, TxnKind};
use model::Card;
use proptest::prelude::*;

/// What is asked next. `nth` picks from what it may belong to, or be a reversal of: so many before
/// the last.
#[derive(Clone, Debug)]
struct Step {
    kind: Option<TxnKind>,
    nth: usize,
    /// An amount, or that of the original.
    fen: Option<i64>,
    takes_part: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        4 => Just(Some(TxnKind::Sale)),
        2 => Just(Some(TxnKind::OfflineSale)),
        3 => Just(Some(TxnKind::Void)),
        2 => Just(Some(TxnKind::Adjustment)),
        4 => Just(Some(TxnKind::PreAuth)),
        2 => Just(Some(TxnKind::PreAuthVoid)),
        4 => Just(Some(TxnKind::Completion)),
        2 => Just(Some(TxnKind::CompletionAdvice)),
        4 => Just(Some(TxnKind::CompletionVoid)),
        12 => Just(None),
    ];
    let fen = prop_oneof![2 => Just(None), 3 => (1..=120_i64).prop_map(Some)];
    let step = (kind, 0..4_usize, fen, any::<bool>())
        .prop_map(|(kind, nth, fen, takes_part)| Step { kind, nth, fen, takes_part });
    prop::collection::vec(step, 0..60)
}

/// The books, and the twin.
struct Pair {
    books: Books,
    card: CardId,
    twin: Card,
}

const SHARD: ShardNo = ShardNo(0);

impl Pair {
    fn new() -> Self {
        let card = fixtures::cards_of(SHARD).next().unwrap();
        let mut books = Books::default();
        let terminal = fixtures::terminal(1);
        let profile = fixtures::profile(fixtures::merchant(1));
        books.apply(terminal.shard(), &Event::TerminalRegistered { terminal, profile });
        let issued = fixtures::card(card, fixtures::purses(200, 0));
        books.apply(SHARD, &Event::CardIssued(Box::new(issued)));
        Self { books, card, twin: Card::with(200) }
    }

    fn key(place: usize) -> TxnKey {
        let stan = Stan::new(u32::try_from(place).unwrap() + 1).unwrap();
        TxnKey { terminal: fixtures::terminal(1), batch: BatchNo::FIRST, stan }
    }

    fn say(&mut self, command: &Command) -> Decision {
        let decision = self.books.shard(SHARD).decide(command, Timestamp(1));
        if let Some(event) = &decision.event {
            assert_eq!(self.books.inspect(SHARD, event), Ok(()));
            self.books.apply(SHARD, event);
        }
        decision
    }

    fn original(&self, kind: TxnKind, of: usize) -> Original {
        let key = Self::key(of);
        let shard = self.books.shard(SHARD);
        let seq = shard.txn(&key).unwrap().seq;
        let is_by_auth = kind.link() == Link::Authorisation;
        Original {
            rrn: Some(Rrn::of(SHARD, seq)),
            auth: is_by_auth.then_some(AuthCode::of(SHARD, seq)),
            batch: Some(key.batch),
            stan: Some(key.stan),
            other_card: false,
        }
    }

    fn ask(&mut self, kind: TxnKind, step: &Step) {
        let mut firsts = self.twin.places(|first| kind.belongs_to(first));
        firsts.retain(|&place| !self.twin.is_addition(place));
        let needs_one = kind.link() != Link::None && kind != TxnKind::PreAuth;
        let adds = kind == TxnKind::PreAuth && step.takes_part;
        let of = (needs_one || adds).then(|| pick(&firsts, step.nth)).flatten();
        let Some(of) = (if needs_one { of.map(Some) } else { Some(of) }) else { return };
        let whole = of.map_or(60, |of| self.twin.worth(of));
        let amount = step.fen.unwrap_or(whole);
        if amount == 0 {
            return;
        }
        let key = Self::key(self.twin.places(|_| true).len());
        let takes_part = step.takes_part && kind == TxnKind::Sale;
        let request = Request {
            amount: Amount::from_fen(amount),
            takes_part,
            original: of.map(|of| self.original(kind, of)),
            ..fixtures::request(key, kind, self.card)
        };
        let answer = self.say(&Command::Transact(request)).answer;
        let approved = match (answer.verdict, answer.detail) {
            (Ok(()), Detail::Approval { approved, .. }) => Some(approved.fen()),
            (Err(_), _) => None,
            other => panic!("{other:?}"),
        };
        let predicted = self.twin.ask(kind, of, amount, takes_part);
        assert_eq!(approved, predicted, "{kind:?} {amount} of {of:?}: {:?}", answer.verdict);
    }

    fn reverse(&mut self, step: &Step) {
        let Some(place) = pick(&self.twin.places(|_| true), step.nth) else { return };
        let (key, kind) = (Self::key(place), self.twin.kind(place));
        let reversal = Reversal {
            key,
            kind,
            card: self.card,
            merchant: fixtures::merchant(1),
            amount: self.books.shard(SHARD).txn(&key).unwrap().amount,
            batch_is_open: true,
        };
        let verdict = self.say(&Command::Reverse(reversal)).answer.verdict;
        assert_eq!(verdict.is_ok(), self.twin.reverse(place), "{kind:?} {place}: {verdict:?}");
    }

    fn compare(&self) {
        let account = self.books.shard(SHARD).account(self.card).unwrap();
        let of = |account| {
            let mut found = self.books.ledger().filter(|(known, _)| *known == account);
            found.next().map_or(0, |(_, balance)| balance.fen())
        };
        let told = (
            account.balances.ledger().money().fen(),
            account.balances.available().money().fen(),
            -of(LedgerAccount::Suspense),
            of(LedgerAccount::Merchant(fixtures::merchant(1))),
        );
        let twin = &self.twin;
        assert_eq!(told, (twin.balance, twin.free(), twin.owed(), twin.merchant()), "{twin:?}");
        let (date, one) = (self.books.shard(SHARD).date(), Amount::from_fen(1));
        let count = u32::try_from(twin.count()).unwrap();
        let refusal = |more: i64, often: u32| {
            let amount = Amount::from_fen(twin.merchant() + more);
            let day = Ceiling { amount, count: count + often };
            account.spent.refusal(
                &Limits { day, ..Limits::default() },
                date,
                one,
                (Amount::ZERO, 0),
            )
        };
        assert_eq!(refusal(1, 1), None, "{twin:?}");
        if count > 0 {
            assert_eq!(refusal(0, 1), Some(Refusal::AmountLimit), "{twin:?}");
            assert_eq!(refusal(1, 0), Some(Refusal::CountLimit), "{twin:?}");
        }
    }
}

fn pick(places: &[usize], nth: usize) -> Option<usize> {
    places.iter().rev().nth(nth).copied()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shard_does_what_its_twin_does(steps in steps()) {
        let mut pair = Pair::new();
        for step in &steps {
            match step.kind {
                Some(kind) => pair.ask(kind, step),
                None => pair.reverse(step),
            }
            pair.compare();
        }
    }
}
