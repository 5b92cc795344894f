//! What a sale costs among many accounts: the card is found in the directory, its shard decides
//! and applies. Cards come in no order, so nothing of them is in a cache.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "in a benchmark a panic is a failure"
)]

use divan::{Bencher, black_box};
use domain::issuing::{CardStatus, Identity, ProductId, Terms};
use domain::ledger::{Parts, Purse};
use domain::shard::{CardIssued, Command, Event, Request, Shard};
use domain::terms::{
    Amount, BatchNo, CardId, Expiry, MerchantId, ShardNo, Stan, TerminalId, Timestamp,
};
use domain::txn::{TerminalProfile, TxnKey, TxnKind};
use keys::PanIndex;
use switch::facts::Cards;

const ACCOUNTS: [u64; 3] = [1_000, 1_000_000, 10_000_000];
const TERMINAL: TerminalId = TerminalId(*b"T0000001");
const MERCHANT: MerchantId = MerchantId(*b"M00000000000001");

fn main() {
    divan::main();
}

struct World {
    shards: Vec<Shard>,
    cards: Cards,
    accounts: u64,
    sales: u64,
}

/// Spreads numbers as the keyed digest of a card number would.
const fn index_of(card: u64) -> [u8; 16] {
    let mut x = card.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let high = x ^ (x >> 31);
    let low = high.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ card;
    (((high as u128) << 64) | low as u128).to_le_bytes()
}

impl World {
    fn of(accounts: u64) -> Self {
        let mut shards: Vec<_> = ShardNo::all().map(Shard::new).collect();
        let cards = Cards::default();
        let terms = Terms::plain(ProductId(1));
        for number in 1..=accounts {
            let card = CardId(number);
            let identity =
                Identity { index: index_of(number), sealed_pan: [7; 39].into(), pin: Some([1; 8]) };
            cards.add(card, &identity);
            let event = Event::CardIssued(Box::new(CardIssued {
                card,
                terms: terms.clone(),
                status: CardStatus::Active,
                expiry: Expiry::NEVER,
                identity,
                opening: Parts::only(Purse::Main, Amount::from_fen(100_000)),
                held: Parts::default(),
            }));
            shards[card.shard().index()].apply(&event);
        }
        let profile = TerminalProfile {
            merchant: MERCHANT,
            sealed_tmk: [9; 40].into(),
            scheme: "".into(),
            rights: domain::issuing::Rights::ALL,
        };
        let event = Event::TerminalRegistered { terminal: TERMINAL, profile };
        shards[TERMINAL.shard().index()].apply(&event);
        Self { shards, cards, accounts, sales: 0 }
    }

    fn sell(&mut self) {
        self.sales += 1;
        let number = u64::from_le_bytes(*index_of(self.sales).first_chunk().unwrap());
        let found = self.cards.get(&PanIndex(index_of(number % self.accounts + 1))).unwrap();
        let key = TxnKey {
            terminal: TERMINAL,
            batch: BatchNo::new((self.sales / 999_999) as u32 + 1).unwrap(),
            stan: Stan::new((self.sales % 999_999) as u32 + 1).unwrap(),
        };
        let request = Request {
            amount: Amount::from_fen(1),
            ..Request::plain(key, TxnKind::Sale, found.card, MERCHANT)
        };
        let shard = &mut self.shards[found.card.shard().index()];
        let decision = shard.decide(&Command::Transact(request), Timestamp(1));
        shard.apply(&decision.event.unwrap());
        let _seen = black_box(decision.answer);
    }
}

#[divan::bench(args = ACCOUNTS, sample_count = 20, sample_size = 20_000)]
fn sale_among(bencher: Bencher<'_, '_>, accounts: u64) {
    let mut world = World::of(accounts);
    bencher.bench_local(|| world.sell());
}
