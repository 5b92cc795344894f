//! A small programme that makes random valid entries from a seed.
#![allow(dead_code, reason = "every test file uses its own part of it")]

use domain::books::Books;
use domain::issuing::{CardStatus, Identity, PinPolicy, ProductId, Rights, Terms};
use domain::ledger::{Parts, Purse};
use domain::risk::PinFact;
use domain::shard::{CardIssued, Command, Event, Original, Request, Reversal, Upload};
use domain::terms::{
    Amount, BatchNo, BusinessDate, CardId, Expiry, MerchantId, Rrn, ShardNo, Stan, TerminalId,
    Timestamp,
};
use domain::txn::{TerminalProfile, Totals, TxnKey, TxnKind};

/// A random number generator (SplitMix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// An entry before it has a place in a journal.
pub(crate) type Made = (ShardNo, u64, Event);

/// A programme with cards and terminals.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) rng: Rng,
    now: i64,
    stan: u32,
    cards: u64,
    terminals: u64,
    last: Vec<(TxnKey, TxnKind, CardId, MerchantId, Amount, Rrn)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            books: Books::default(),
            rng: Rng(seed),
            now: 1_800_000_000_000,
            stan: 0,
            cards: 0,
            terminals: 0,
            last: Vec::new(),
        }
    }

    /// Returns the next `count` entries.
    pub(crate) fn make(&mut self, count: usize) -> Vec<Made> {
        let mut made = Vec::new();
        while made.len() < count {
            self.now += 7;
            let (shard, command) = self.command();
            made.extend(self.decide(shard, &command));
        }
        made
    }

    /// Goes on from `books`, a state that it went through before.
    pub(crate) fn resume(&mut self, books: Books) {
        self.cards = books.shards().iter().map(|shard| shard.accounts().len() as u64).sum();
        self.terminals = books.shards().iter().map(|shard| shard.terminals().len() as u64).sum();
        self.books = books;
    }

    /// Decides `command` and takes its entry in, if there is one.
    pub(crate) fn decide(&mut self, shard: ShardNo, command: &Command) -> Option<Made> {
        let event = self.books.shard(shard).decide(command, Timestamp(self.now)).event?;
        assert_eq!(self.books.inspect(shard, &event), Ok(()));
        self.books.apply(shard, &event);
        Some((shard, self.books.shard(shard).seq(), event))
    }

    fn command(&mut self) -> (ShardNo, Command) {
        if self.cards < 3 || self.rng.below(40) == 0 {
            return self.issue();
        }
        if self.terminals < 2 || self.rng.below(100) == 0 {
            self.terminals += 1;
            let terminal = terminal(self.terminals);
            let profile = TerminalProfile {
                merchant: merchant(self.terminals),
                sealed_tmk: vec![self.terminals as u8; 24].into(),
                scheme: "3des/des-40a/union-pay".into(),
                rights: Rights::ALL,
            };
            return (terminal.shard(), Command::RegisterTerminal { terminal, profile });
        }
        let number = self.rng.below(self.terminals) + 1;
        let terminal = terminal(number);
        match self.rng.below(24) {
            0 => self.cut_off(),
            1 => (
                terminal.shard(),
                Command::SignOn { terminal, sealed_keys: vec![self.now as u8; 48].into() },
            ),
            2 => (terminal.shard(), Command::SignOff(terminal)),
            3 => self.close(terminal),
            4 => self.upload(terminal),
            5 => self.end(terminal),
            6 => (terminal.shard(), Command::Bar(self.key(terminal))),
            7..=9 => self.reverse().unwrap_or_else(|| self.sale(number)),
            10..=12 => self.undo(number).unwrap_or_else(|| self.sale(number)),
            13 => self.transact(number, TxnKind::Inquiry, Amount::ZERO, None),
            _ => self.sale(number),
        }
    }

    pub(crate) fn issue(&mut self) -> (ShardNo, Command) {
        self.cards += 1;
        let card = CardId(self.cards);
        let purse = |purse, fen| Parts::only(purse, Amount::from_fen(fen));
        let opening = purse(Purse::Main, 50_000)
            .plus(&purse(Purse::Bonus, (self.cards % 3) as i64 * 1000))
            .plus(&purse(Purse::Points, (self.cards % 2) as i64 * 77));
        let issued = CardIssued {
            card,
            terms: Terms {
                named: self.cards.is_multiple_of(2),
                pin: PinPolicy::Above(Amount::from_fen(20_000)),
                transaction_max: Amount::from_fen(40_000),
                draw: [Purse::Bonus, Purse::Main].into_iter().collect(),
                ..Terms::plain(ProductId(1))
            },
            status: if self.cards.is_multiple_of(7) {
                CardStatus::Frozen
            } else {
                CardStatus::Active
            },
            expiry: Expiry::NEVER,
            identity: Identity {
                index: [self.cards as u8; 16],
                sealed_pan: vec![self.cards as u8; 35].into(),
                pin: Some([9; 8]),
            },
            opening,
            held: purse(Purse::Main, (self.cards % 5) as i64 * 100),
        };
        (card.shard(), Command::IssueCard(Box::new(issued)))
    }

    fn cut_off(&mut self) -> (ShardNo, Command) {
        let shard = ShardNo(self.rng.below(256) as u8);
        let day = self.rng.below(28) as u8 + 1;
        (shard, Command::CutOff(BusinessDate::new(2027, 1, day).unwrap()))
    }

    fn key(&mut self, terminal: TerminalId) -> TxnKey {
        self.stan = self.stan % 999_999 + 1;
        let known = self.books.shard(terminal.shard()).terminal(terminal);
        let batch = known.map_or(BatchNo::FIRST, |terminal| terminal.open_batch);
        TxnKey { terminal, batch, stan: Stan::new(self.stan).unwrap() }
    }

    pub(crate) fn sale(&mut self, number: u64) -> (ShardNo, Command) {
        let amount = Amount::from_fen(self.rng.below(30_000) as i64);
        self.transact(number, TxnKind::Sale, amount, None)
    }

    fn transact(
        &mut self,
        number: u64,
        kind: TxnKind,
        amount: Amount,
        original: Option<(CardId, Original)>,
    ) -> (ShardNo, Command) {
        let key = self.key(terminal(number));
        let card = match original {
            Some((card, _)) => card,
            None => CardId(self.rng.below(self.cards + 1) + 1),
        };
        let pin = match self.rng.below(10) {
            0 => PinFact::Wrong,
            1..=3 => PinFact::Absent,
            _ => PinFact::Right,
        };
        let merchant = merchant(number);
        let rrn = Rrn::of(card.shard(), self.books.shard(card.shard()).seq() + 1);
        self.last.push((key, kind, card, merchant, amount, rrn));
        let original = original.map(|(_, original)| original);
        let request =
            Request { amount, pin, original, ..Request::plain(key, kind, card, merchant) };
        (card.shard(), Command::Transact(request))
    }

    fn remembered(&mut self) -> Option<(TxnKey, TxnKind, CardId, MerchantId, Amount, Rrn)> {
        let recent = self.last.len().saturating_sub(12);
        let recent = &self.last[recent..];
        let place = self.rng.below(recent.len().max(1) as u64) as usize;
        recent.get(place).copied()
    }

    fn reverse(&mut self) -> Option<(ShardNo, Command)> {
        let (key, kind, card, merchant, amount, _) = self.remembered()?;
        let reversal = Reversal { key, kind, card, merchant, amount, batch_is_open: true };
        Some((card.shard(), Command::Reverse(reversal)))
    }

    fn undo(&mut self, number: u64) -> Option<(ShardNo, Command)> {
        let (key, _, card, _, amount, rrn) = self.remembered()?;
        let said = Original {
            rrn: Some(rrn),
            batch: Some(key.batch),
            stan: Some(key.stan),
            ..Original::default()
        };
        let own = (1..=self.terminals).find(|&n| terminal(n) == key.terminal)?;
        let (number, kind) =
            if number == own { (own, TxnKind::Void) } else { (number, TxnKind::Refund) };
        Some(self.transact(number, kind, amount, Some((card, said))))
    }

    fn close(&mut self, terminal: TerminalId) -> (ShardNo, Command) {
        let batches = self.books.batches(terminal);
        let counted = batches.map(|batches| batches.open.totals()).unwrap_or_default();
        let batch = batches.map_or(BatchNo::FIRST, |batches| batches.open.number);
        let claimed = if self.rng.below(2) == 0 { counted } else { Totals::default() };
        (terminal.shard(), Command::CloseBatch { terminal, batch, claimed, counted })
    }

    fn closed(&self, terminal: TerminalId) -> (BatchNo, Vec<(Stan, Amount)>) {
        let closed = self.books.batches(terminal).and_then(|batches| batches.closed.as_ref());
        let batch = closed.map_or(BatchNo::FIRST, |batch| batch.number);
        (batch, closed.map(|batch| batch.counted().collect()).unwrap_or_default())
    }

    fn upload(&mut self, terminal: TerminalId) -> (ShardNo, Command) {
        let (batch, details) = self.closed(terminal);
        (terminal.shard(), Command::Upload(Upload { terminal, batch, details }))
    }

    fn end(&mut self, terminal: TerminalId) -> (ShardNo, Command) {
        let (batch, booked) = self.closed(terminal);
        (terminal.shard(), Command::EndBatch { terminal, batch, booked })
    }
}

fn terminal(number: u64) -> TerminalId {
    TerminalId::parse(format!("{number:08}").as_bytes()).unwrap()
}

fn merchant(number: u64) -> MerchantId {
    MerchantId::parse(format!("89800000000{:04}", number % 5).as_bytes()).unwrap()
}
