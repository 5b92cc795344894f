//! What an account costs in memory: the budget that millions of them are planned with.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "in a test a panic is a failure"
)]

use domain::issuing::{CardStatus, Identity, ProductId, Terms};
use domain::ledger::{Parts, Purse};
use domain::shard::{CardIssued, Event, Shard};
use domain::terms::{Amount, CardId, Expiry, ShardNo};
use switch::facts::Cards;

/// The cards of one shard, and of one part of the directory, when there are a million.
const CARDS: usize = 1_000_000 / 256;
/// The most that an account may cost, its place in the directory included.
const BUDGET: i64 = 300;

fn issued(card: CardId, number: usize) -> CardIssued {
    // The first byte says which part of the directory it is: all of these are in the first.
    let mixed = (number as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let index = (mixed << 8).to_le_bytes();
    CardIssued {
        card,
        terms: Terms::plain(ProductId(1 + (number % 3) as u16)),
        status: CardStatus::Active,
        expiry: Expiry::NEVER,
        // As long as the keeper of keys makes them.
        identity: Identity { index, sealed_pan: [7; 39].into(), pin: Some([1; 8]) },
        opening: Parts::only(Purse::Main, Amount::from_fen(10_000)),
        held: Parts::default(),
    }
}

fn bytes_each(bytes: i64) -> i64 {
    bytes / CARDS as i64
}

#[test]
fn an_account_in_a_node_of_a_million_stays_within_its_budget() {
    let shard_no = ShardNo(0);
    let ids = (1..).map(CardId).filter(|card| card.shard() == shard_no).take(CARDS);
    let cards: Vec<_> = ids.enumerate().map(|(number, id)| issued(id, number)).collect();

    let mut grown = Shard::new(shard_no);
    let growing = allocation_counter::measure(|| {
        cards.iter().for_each(|card| grown.apply(&Event::CardIssued(Box::new(card.clone()))));
    });
    let stored = postcard::to_stdvec(&grown).unwrap();
    let mut restored = None;
    let restoring =
        allocation_counter::measure(|| restored = Some(postcard::from_bytes(&stored).unwrap()));
    assert_eq!(restored, Some(grown));

    let directory = Cards::default();
    let listing = allocation_counter::measure(|| {
        cards.iter().for_each(|card| directory.add(card.card, &card.identity));
    });
    assert_eq!(directory.len(), CARDS);

    let (account, entry) = (bytes_each(restoring.bytes_current), bytes_each(listing.bytes_current));
    assert!(account + entry <= BUDGET, "{account} and {entry} bytes");
    // What grows by doubling has taken more, which no page stands behind before it is used.
    assert!(bytes_each(growing.bytes_current) <= 2 * BUDGET, "{growing:?}");
    let file = stored.len() as i64;
    assert!(bytes_each(file) <= 150, "{} bytes in a snapshot", bytes_each(file));
}
