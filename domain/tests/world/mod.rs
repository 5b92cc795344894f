//! Random steps in a small world: a few cards, terminals and trace numbers, so that steps meet.

use std::collections::BTreeSet;

use domain::books::Books;
use domain::issuing::PinPolicy;
use domain::ledger::{Parts, Purse};
use domain::risk::PinFact;
use domain::shard::{Command, Decision, Event, Original, Request, Reversal, Transacted, Upload};
use domain::terms::{Amount, AuthCode, BatchNo, BusinessDate, CardId, Rrn, ShardNo, Stan};
use domain::terms::{MerchantId, Refusal, TerminalId, Timestamp};
use domain::txn::{Totals, TxnKey, TxnKind};
use proptest::prelude::*;

use crate::fixtures;

/// What somebody out there does. Numbers pick from what the world has.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A sale, or an inquiry.
    Ask {
        kind: TxnKind,
        key: Pick,
        card: usize,
        fen: i64,
        pin: PinFact,
        lie: Lie,
    },
    /// A void or refund of the sale that is so many before the last; of all of it, or so much.
    GiveBack {
        kind: TxnKind,
        key: Pick,
        sale: usize,
        fen: Option<i64>,
        pin: PinFact,
        lie: Lie,
    },
    /// A reversal of the transaction of its kind that is so many before the last.
    Reverse {
        kind: TxnKind,
        txn: usize,
        fen: Option<i64>,
        lie: Lie,
    },
    /// A reversal of whatever that key is.
    ReverseAny {
        kind: TxnKind,
        key: Pick,
        card: usize,
        fen: i64,
    },
    Bar(Pick),
    Close {
        terminal: u32,
        batch: i8,
        claimed: Option<i64>,
    },
    Upload {
        terminal: u32,
        batch: i8,
        details: Vec<(u32, i64)>,
    },
    End {
        terminal: u32,
        batch: i8,
    },
    CutOff(u8),
    SignOn(u32, u8),
    SignOff(u32),
    Issue {
        card: usize,
        main: i64,
        points: i64,
        held: i64,
    },
    Register(u32),
}

/// A transaction key: a terminal, a batch counted from its open one, a trace number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pick {
    terminal: u32,
    batch: i8,
    stan: u32,
}

/// One thing that is not so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    None,
    Merchant,
    Kind,
    Card(usize),
    NoOriginal,
    NoReference,
    OtherAuth,
    Original(Pick),
}

fn pick() -> impl Strategy<Value = Pick> {
    let batch = prop_oneof![12 => Just(0_i8), 1 => -1..=1_i8];
    (1..=3_u32, batch, 1..=30_u32).prop_map(|(terminal, batch, stan)| Pick {
        terminal,
        batch,
        stan,
    })
}

fn kind() -> impl Strategy<Value = TxnKind> {
    prop::sample::select(vec![TxnKind::Sale, TxnKind::Void, TxnKind::Refund, TxnKind::Inquiry])
}

fn fen() -> impl Strategy<Value = i64> {
    prop_oneof![
        12 => prop::sample::select(vec![40_i64, 60, 100]),
        1 => prop::sample::select(vec![0, 1, -1, 999_999_999_999, i64::MAX, i64::MIN]),
    ]
}

fn pin() -> impl Strategy<Value = PinFact> {
    prop_oneof![9 => Just(PinFact::Absent), 3 => Just(PinFact::Right), 1 => Just(PinFact::Wrong)]
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        14 => Just(Lie::None),
        1 => Just(Lie::Merchant),
        1 => Just(Lie::Kind),
        1 => (0..5_usize).prop_map(Lie::Card),
        1 => Just(Lie::NoOriginal),
        1 => Just(Lie::NoReference),
        1 => Just(Lie::OtherAuth),
        1 => pick().prop_map(Lie::Original),
    ]
}

fn batch() -> impl Strategy<Value = i8> {
    prop_oneof![4 => Just(0_i8), 4 => Just(-1_i8), 1 => Just(1_i8)]
}

fn of_cards() -> impl Strategy<Value = Step> {
    let asked = prop_oneof![9 => Just(TxnKind::Sale), 1 => Just(TxnKind::Inquiry)];
    let card = || prop_oneof![15 => 0..4_usize, 1 => Just(4)];
    let ask = (asked, pick(), card(), fen(), pin(), lie())
        .prop_map(|(kind, key, card, fen, pin, lie)| Step::Ask { kind, key, card, fen, pin, lie });
    let back = prop_oneof![3 => Just(TxnKind::Void), 2 => Just(TxnKind::Refund)];
    let some_fen = || prop_oneof![3 => Just(None), 1 => fen().prop_map(Some)];
    let give_back = (back, pick(), 0..6_usize, some_fen(), pin(), lie()).prop_map(
        |(kind, key, sale, fen, pin, lie)| Step::GiveBack { kind, key, sale, fen, pin, lie },
    );
    let some_fen = prop_oneof![9 => Just(None), 1 => fen().prop_map(Some)];
    let undone = prop_oneof![
        2 => Just(TxnKind::Sale),
        4 => Just(TxnKind::Void),
        1 => Just(TxnKind::Refund),
    ];
    let reverse = (undone, 0..4_usize, some_fen, lie())
        .prop_map(|(kind, txn, fen, lie)| Step::Reverse { kind, txn, fen, lie });
    let any = (kind(), pick(), card(), fen()).prop_map(|(kind, key, card, fen)| Step::ReverseAny {
        kind,
        key,
        card,
        fen,
    });
    prop_oneof![8 => ask, 6 => give_back, 5 => reverse, 1 => any]
}

fn of_terminals() -> impl Strategy<Value = Step> {
    let details = prop::collection::vec((1..=30_u32, fen()), 0..4);
    prop_oneof![
        pick().prop_map(Step::Bar),
        (1..=3_u32, batch(), prop::option::of(fen()))
            .prop_map(|(terminal, batch, claimed)| Step::Close { terminal, batch, claimed }),
        (1..=3_u32, batch(), details).prop_map(|(terminal, batch, details)| Step::Upload {
            terminal,
            batch,
            details
        }),
        (1..=3_u32, batch()).prop_map(|(terminal, batch)| Step::End { terminal, batch }),
        (0..=12_u8).prop_map(Step::CutOff),
        (1..=4_u32, 0..2_u8).prop_map(|(terminal, key)| Step::SignOn(terminal, key)),
        (1..=4_u32).prop_map(Step::SignOff),
        (0..9_usize, fen(), fen(), fen()).prop_map(|(card, main, points, held)| Step::Issue {
            card,
            main,
            points,
            held
        }),
        (1..=3_u32).prop_map(Step::Register),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![6 => of_cards(), 1 => of_terminals()], 0..80)
}

/// The books, and who writes in them.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) journal: Vec<(ShardNo, Event)>,
    cards: Vec<CardId>,
    now: i64,
    day: u32,
}

impl World {
    /// Returns a world of three terminals and four cards: one that needs a PIN, one with bonus
    /// and points, one with money held, and one in another shard.
    pub(crate) fn new() -> Self {
        let cards = fixtures::cards_of(ShardNo(0)).take(3);
        let cards: Vec<_> = cards.chain(fixtures::cards_of(ShardNo(1)).take(1)).collect();
        let mut world =
            Self { books: Books::default(), journal: Vec::new(), cards, now: 0, day: 0 };
        for number in 1..=3 {
            world.take(&Step::Register(number));
        }
        world.take(&Step::CutOff(0));
        for (place, &card) in world.cards.clone().iter().enumerate() {
            let mut issued = fixtures::card(card, fixtures::purses(150, 0));
            match place {
                0 => issued.terms.pin = PinPolicy::Above(Amount::from_fen(60)),
                1 => {
                    let points = Parts::only(Purse::Points, Amount::from_fen(500));
                    issued.opening = fixtures::purses(100, 70).plus(&points);
                }
                2 => issued.held = fixtures::purses(50, 0),
                _ => issued.terms.refund_days = 0,
            }
            world.say(card.shard(), &Command::IssueCard(Box::new(issued)));
        }
        world
    }

    fn take(&mut self, step: &Step) {
        for (shard, command) in self.commands(step) {
            self.say(shard, &command);
        }
    }

    /// As the switch tells a shard: what belongs to a closed batch can only be a repeat.
    fn only_repeats(&self, key: &TxnKey) -> Option<Refusal> {
        (self.batch(key.terminal, 0) != key.batch).then_some(Refusal::BatchDiffers)
    }

    pub(crate) fn decide(&self, shard: ShardNo, command: &Command) -> Decision {
        self.books.shard(shard).decide(command, Timestamp(self.now))
    }

    /// Decides and applies.
    pub(crate) fn say(&mut self, shard: ShardNo, command: &Command) {
        let decision = self.decide(shard, command);
        if let Some(event) = decision.event {
            self.apply(shard, event);
        }
    }

    pub(crate) fn apply(&mut self, shard: ShardNo, event: Event) {
        self.now += 1_000;
        self.books.apply(shard, &event);
        self.journal.push((shard, event));
    }

    /// Returns what `step` asks of which shard. Like a switch, it does not ask at all where a
    /// trace number of the batch belongs to a slip of another card, or to one so old that the
    /// shard of its card has forgotten it.
    pub(crate) fn commands(&mut self, step: &Step) -> Vec<(ShardNo, Command)> {
        let command = match step {
            Step::CutOff(days) => {
                self.day += u32::from(*days);
                let (month, day) = (self.day / 28, self.day % 28);
                let date = BusinessDate::new(
                    2026 + u16::try_from(month / 12).unwrap(),
                    u8::try_from(month % 12).unwrap() + 1,
                    u8::try_from(day).unwrap() + 1,
                );
                let command = Command::CutOff(date.unwrap());
                let terminals = (1..=3).map(|number| fixtures::terminal(number).shard());
                let shards: BTreeSet<_> =
                    [ShardNo(0), ShardNo(1)].into_iter().chain(terminals).collect();
                return shards.into_iter().map(|shard| (shard, command.clone())).collect();
            }
            Step::Ask { .. } | Step::GiveBack { .. } => {
                let asked = self.request(step).filter(|r| !self.is_taken(&r.key, r.card));
                return asked.map(|r| (r.card.shard(), Command::Transact(r))).into_iter().collect();
            }
            Step::Reverse { .. } | Step::ReverseAny { .. } => {
                let asked = self.reversal(step).filter(|r| !self.is_taken(&r.key, r.card));
                return asked.map(|r| (r.card.shard(), Command::Reverse(r))).into_iter().collect();
            }
            Step::Issue { card, main, points, held } => {
                let card = self.card(*card);
                let points = Parts::only(Purse::Points, Amount::from_fen(*points));
                let opening = fixtures::purses(*main, 0).plus(&points);
                let mut issued = fixtures::card(card, opening);
                issued.held = fixtures::purses(*held, 0);
                return vec![(card.shard(), Command::IssueCard(Box::new(issued)))];
            }
            Step::Register(terminal) => Command::RegisterTerminal {
                terminal: fixtures::terminal(*terminal),
                profile: fixtures::profile(fixtures::merchant(
                    u8::try_from(terminal.div_ceil(2)).unwrap(),
                )),
            },
            Step::Bar(_)
            | Step::Close { .. }
            | Step::Upload { .. }
            | Step::End { .. }
            | Step::SignOn(..)
            | Step::SignOff(_) => self.of_terminal(step),
        };
        let shard = match &command {
            Command::Bar(key) => key.terminal.shard(),
            Command::RegisterTerminal { terminal, .. }
            | Command::SignOn { terminal, .. }
            | Command::SignOff(terminal)
            | Command::CloseBatch { terminal, .. }
            | Command::EndBatch { terminal, .. }
            | Command::Upload(Upload { terminal, .. }) => terminal.shard(),
            other => panic!("{other:?} is of no terminal"),
        };
        vec![(shard, command)]
    }

    fn card(&self, place: usize) -> CardId {
        let unknown = || CardId(u64::MAX - place as u64);
        self.cards.get(place).copied().unwrap_or_else(unknown)
    }

    fn batch(&self, terminal: TerminalId, from_open: i8) -> BatchNo {
        let known = self.books.shard(terminal.shard()).terminal(terminal);
        let open = known.map_or(BatchNo::FIRST, |known| known.open_batch);
        let number = i64::from(open.number()) + i64::from(from_open);
        BatchNo::new(number.clamp(1, 999_999).try_into().unwrap()).unwrap()
    }

    fn key(&self, pick: Pick) -> TxnKey {
        let terminal = fixtures::terminal(pick.terminal);
        let batch = self.batch(terminal, pick.batch);
        TxnKey { terminal, batch, stan: Stan::new(pick.stan).unwrap() }
    }

    fn is_taken(&self, key: &TxnKey, card: CardId) -> bool {
        let batches = self.books.batches(key.terminal);
        let known = batches.into_iter().flat_map(|b| [Some(&b.open), b.closed.as_ref()]).flatten();
        let mut slips =
            known.filter(|b| b.number == key.batch).filter_map(|b| b.slips.get(&key.stan));
        slips.any(|slip| slip.card != card || self.books.shard(card.shard()).txn(key).is_none())
    }

    /// Returns the transaction in the journal that is so many before the last of its kind.
    fn nth_last(&self, nth: usize, kind: TxnKind) -> Option<&Transacted> {
        let approved = self.journal.iter().rev().filter_map(|(_, event)| match event {
            Event::Transacted(t) if t.kind == kind => Some(t),
            _ => None,
        });
        approved.filter(|t| t.outcome.is_ok()).nth(nth)
    }

    fn merchant(&self, terminal: TerminalId, lie: Lie) -> MerchantId {
        let at = self.books.shard(terminal.shard()).terminal(terminal);
        let right = at.map_or_else(|| fixtures::merchant(1), |known| known.profile.merchant);
        if lie == Lie::Merchant { fixtures::merchant(9) } else { right }
    }

    fn request(&self, step: &Step) -> Option<Request> {
        match *step {
            Step::Ask { kind, key, card, fen, pin, lie } => {
                let (key, amount) = (self.key(key), Amount::from_fen(fen));
                let merchant = self.merchant(key.terminal, lie);
                let card = self.card(card);
                Some(Request {
                    merchant,
                    amount,
                    pin,
                    only_repeats: self.only_repeats(&key),
                    ..fixtures::request(key, kind, card)
                })
            }
            Step::GiveBack { kind, key, sale, fen, pin, lie } => {
                let sale = self.nth_last(sale, TxnKind::Sale)?;
                let mut key = self.key(key);
                if kind == TxnKind::Void {
                    key = TxnKey { stan: key.stan, ..sale.key };
                }
                let card = if let Lie::Card(other) = lie { self.card(other) } else { sale.card };
                Some(Request {
                    merchant: self.merchant(key.terminal, lie),
                    amount: fen.map_or(sale.amount, Amount::from_fen),
                    pin,
                    original: self.original(sale, lie),
                    only_repeats: self.only_repeats(&key),
                    ..fixtures::request(key, kind, card)
                })
            }
            ref other => panic!("{other:?} is no request"),
        }
    }

    fn original(&self, sale: &Transacted, lie: Lie) -> Option<Original> {
        let key = if let Lie::Original(other) = lie { self.key(other) } else { sale.key };
        let seq = self.books.shard(sale.card.shard()).txn(&key).map_or(1, |txn| txn.seq);
        let said = Original {
            rrn: (lie != Lie::NoReference).then_some(Rrn::of(sale.card.shard(), seq)),
            auth: (lie == Lie::OtherAuth).then_some(AuthCode(*b"000000")),
            batch: Some(key.batch),
            stan: Some(key.stan),
            other_card: false,
        };
        (lie != Lie::NoOriginal).then_some(said)
    }

    fn reversal(&self, step: &Step) -> Option<Reversal> {
        let (key, kind, card, amount, lie) = match *step {
            Step::ReverseAny { kind, key, card, fen } => {
                (self.key(key), kind, self.card(card), Amount::from_fen(fen), Lie::None)
            }
            Step::Reverse { kind, txn, fen, lie } => {
                let txn = self.nth_last(txn, kind)?;
                let kind = if lie == Lie::Kind { TxnKind::Refund } else { kind };
                let card = if let Lie::Card(other) = lie { self.card(other) } else { txn.card };
                (txn.key, kind, card, fen.map_or(txn.amount, Amount::from_fen), lie)
            }
            ref other => panic!("{other:?} is no reversal"),
        };
        let merchant = self.merchant(key.terminal, lie);
        let batch_is_open = self.batch(key.terminal, 0) == key.batch;
        Some(Reversal { key, kind, card, merchant, amount, batch_is_open })
    }

    fn of_terminal(&self, step: &Step) -> Command {
        match step {
            Step::Bar(pick) => Command::Bar(self.key(*pick)),
            Step::Close { terminal, batch, claimed } => {
                let terminal = fixtures::terminal(*terminal);
                let open = self.books.batches(terminal).map(|batches| batches.open.totals());
                let counted = open.unwrap_or_default();
                let lie = |fen: i64| Totals { debit: Amount::from_fen(fen), ..counted };
                let claimed = claimed.map_or(counted, lie);
                let batch = self.batch(terminal, *batch);
                Command::CloseBatch { terminal, batch, claimed, counted }
            }
            Step::Upload { terminal, batch, details } => {
                let terminal = fixtures::terminal(*terminal);
                let details =
                    details.iter().map(|&(n, fen)| (Stan::new(n).unwrap(), Amount::from_fen(fen)));
                let (batch, details) = (self.batch(terminal, *batch), details.collect());
                Command::Upload(Upload { terminal, batch, details })
            }
            Step::End { terminal, batch } => {
                let terminal = fixtures::terminal(*terminal);
                let closed = self.books.batches(terminal).and_then(|b| b.closed.as_ref());
                let booked = closed.map(|b| b.counted().collect()).unwrap_or_default();
                Command::EndBatch { terminal, batch: self.batch(terminal, *batch), booked }
            }
            Step::SignOn(terminal, key) => Command::SignOn {
                terminal: fixtures::terminal(*terminal),
                sealed_keys: [*key; 16].into(),
            },
            Step::SignOff(terminal) => Command::SignOff(fixtures::terminal(*terminal)),
            other => panic!("{other:?} is of no terminal"),
        }
    }
}
