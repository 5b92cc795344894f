//! Random steps in a small world: a few cards, terminals and trace numbers, so that steps meet.

mod steps;

use std::collections::BTreeSet;

use domain::books::Books;
use domain::issuing::{CardStatus, Ceiling, PinPolicy};
use domain::ledger::{Parts, Purse};
use domain::shard::{
    Command, Decision, Event, NewPin, Original, Request, Reversal, Transacted, Upload,
};
use domain::terms::{Amount, AuthCode, BatchNo, BusinessDate, CardId, Rrn, ShardNo, Stan};
use domain::terms::{MerchantId, Refusal, TerminalId, Timestamp};
use domain::txn::{Link, Totals, TxnKey, TxnKind};

use crate::fixtures;
use steps::{Lie, Pick, Step};

pub(crate) use steps::steps;

/// The books, and who writes in them.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) journal: Vec<(ShardNo, Event)>,
    cards: Vec<CardId>,
    now: i64,
    day: u32,
}

impl World {
    /// Returns a world of three terminals and five cards: one that needs a PIN, one with a
    /// bonus, one with money held and little that it may spend in a day, one that is sold only,
    /// and one in another shard.
    pub(crate) fn new() -> Self {
        let cards = fixtures::cards_of(ShardNo(0)).take(4);
        let cards: Vec<_> = cards.chain(fixtures::cards_of(ShardNo(1)).take(1)).collect();
        let mut world =
            Self { books: Books::default(), journal: Vec::new(), cards, now: 0, day: 0 };
        for number in 1..=3 {
            world.take(&Step::Register(number));
        }
        world.take(&Step::CutOff(0));
        for (place, &card) in world.cards.clone().iter().enumerate() {
            let points = Parts::only(Purse::Points, Amount::from_fen(500));
            let mut issued = fixtures::card(card, fixtures::purses(400, 0).plus(&points));
            issued.terms.hold_days = 2;
            issued.terms.tip_percent = 50;
            match place {
                0 => issued.terms.pin = PinPolicy::Above(Amount::from_fen(60)),
                1 => issued.opening = fixtures::purses(300, 70).plus(&points),
                2 => {
                    issued.held = fixtures::purses(50, 0);
                    issued.terms.limits.day = Ceiling { amount: Amount::from_fen(200), count: 4 };
                }
                3 => issued.status = CardStatus::Sold,
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

    /// True if the request was entered, and so has an answer to be given again.
    pub(crate) fn is_remembered(&self, shard: ShardNo, command: &Command) -> bool {
        let Command::Transact(request) = command else { return false };
        let known = self.books.shard(shard).txn(&request.key);
        known.is_some_and(|txn| (txn.kind, txn.card) == (request.kind, request.card))
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
            Step::Ask { .. } | Step::Follow { .. } => {
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

    /// Returns the approved transaction in the journal that is so many before the last which fits.
    fn nth_last(&self, nth: usize, fits: impl Fn(&Transacted) -> bool) -> Option<&Transacted> {
        let mut approved = self.journal.iter().rev().filter_map(|(_, event)| match event {
            Event::Transacted(t) if t.outcome.is_ok() && fits(t) => Some(t),
            _ => None,
        });
        approved.nth(nth)
    }

    fn merchant(&self, terminal: TerminalId, lie: Lie) -> MerchantId {
        let at = self.books.shard(terminal.shard()).terminal(terminal);
        let right = at.map_or_else(|| fixtures::merchant(1), |known| known.profile.merchant);
        if lie == Lie::Merchant { fixtures::merchant(9) } else { right }
    }

    fn request(&self, step: &Step) -> Option<Request> {
        match *step {
            Step::Ask { kind, key, card, fen, pin, is_part, lie } => {
                let key = self.key(key);
                let fit = NewPin::Fit([fen.to_le_bytes()[0]; 8]);
                let new_pin = if fen == 60 { NewPin::Unfit } else { fit };
                Some(Request {
                    merchant: self.merchant(key.terminal, lie),
                    amount: Amount::from_fen(fen),
                    pin,
                    takes_part: is_part,
                    by_mail: lie == Lie::NoReference,
                    new_pin: (kind == TxnKind::PinChange).then_some(new_pin),
                    only_repeats: self.only_repeats(&key),
                    ..fixtures::request(key, kind, self.card(card))
                })
            }
            Step::Follow { kind, key, nth, fen, pin, lie } => {
                let (kind, first) = self.followed(kind, nth, lie)?;
                let mut key = self.key(key);
                if kind.link() == Link::Slip {
                    key = TxnKey { stan: key.stan, ..first.key };
                } else if !key.stan.number().is_multiple_of(3) {
                    key.terminal = first.key.terminal;
                }
                let known = self.books.shard(first.card.shard()).txn(&first.key);
                let top_up = known.and_then(|known| known.follower);
                if let (TxnKind::TopUpConfirm, Lie::Kind, Some(top_up)) = (kind, lie, top_up) {
                    key = top_up;
                }
                let card = if let Lie::Card(other) = lie { self.card(other) } else { first.card };
                Some(Request {
                    merchant: self.merchant(key.terminal, lie),
                    amount: fen.map_or_else(|| self.whole(kind, first), Amount::from_fen),
                    pin,
                    original: self.original(kind, first, lie),
                    only_repeats: self.only_repeats(&key),
                    ..fixtures::request(key, kind, card)
                })
            }
            ref other => panic!("{other:?} is no request"),
        }
    }

    /// Returns what may be followed by `kind`, or by the next kind that anything is there for.
    fn followed(&self, kind: TxnKind, nth: usize, lie: Lie) -> Option<(TxnKind, &Transacted)> {
        let kinds = TxnKind::ALL.iter().cycle().skip_while(|&&known| known != kind);
        kinds.take(TxnKind::ALL.len()).find_map(|&kind| {
            let first = self.nth_last(nth, |t| {
                let is_addition = t.kind == TxnKind::PreAuth && t.original.is_some();
                kind.belongs_to(t.kind) && (!is_addition || lie == Lie::Kind)
            })?;
            Some((kind, first))
        })
    }

    /// Returns the amount that follows `first` best.
    fn whole(&self, kind: TxnKind, first: &Transacted) -> Amount {
        let shard = self.books.shard(first.card.shard());
        let Some(known) = shard.txn(&first.key) else { return first.amount };
        match kind {
            TxnKind::Void | TxnKind::PointsVoid | TxnKind::CompletionVoid => known.worth(),
            TxnKind::PreAuthVoid | TxnKind::Completion | TxnKind::CompletionAdvice => {
                known.parts.money()
            }
            TxnKind::Adjustment => first.amount.plus(Amount::from_fen(10)),
            TxnKind::PreAuth | TxnKind::TopUp => Amount::from_fen(40),
            TxnKind::TopUpConfirm => {
                let top_up = known.follower.and_then(|key| shard.txn(&key));
                top_up.map_or(Amount::from_fen(40), |top_up| top_up.amount)
            }
            _ => first.amount,
        }
    }

    fn original(&self, kind: TxnKind, first: &Transacted, lie: Lie) -> Option<Original> {
        let key = if let Lie::Original(other) = lie { self.key(other) } else { first.key };
        let shard = first.card.shard();
        let seq = self.books.shard(shard).txn(&key).map_or(1, |txn| txn.seq);
        let is_by_auth = kind.link() == Link::Authorisation;
        let told = lie != Lie::NoReference;
        let is_numbered = !is_by_auth || key.stan.number().is_multiple_of(2);
        let said = Original {
            rrn: told.then_some(Rrn::of(shard, seq)),
            auth: match lie {
                Lie::OtherAuth => Some(AuthCode(*b"000000")),
                _ => (is_by_auth && told).then_some(AuthCode::of(shard, seq)),
            },
            batch: is_numbered.then_some(key.batch),
            stan: is_numbered.then_some(key.stan),
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
                let txn = self.nth_last(txn, |t| t.kind == kind)?;
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
