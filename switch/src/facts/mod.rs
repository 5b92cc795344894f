//! What every request is judged by and no shard owns: terminals, cards by number, routes, keys.
//!
//! It is a projection of durable entries. Gathering reads it; nothing in it decides about money.

mod cards;
mod care;
mod keyring;
mod pace;
mod terminals;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use codec::Dialect;
use domain::books::{Books, terminal_of};
use domain::issuing::MerchantTraits;
use domain::shard::{Event, Shard, Transacted};
use domain::terms::MerchantId;
use hashbrown::HashMap;
use keys::Hsm;

pub use cards::{CardRef, Cards};
pub use care::{CareBook, Part, Permission, objects};
pub use keyring::{Scheme, SealedKeyring};
pub use pace::Unsigned;
pub use terminals::{Alone, Busy, Claim, Found, Guard, TerminalEntry, Terminals, WrongMac};

use crate::clock::Calendar;
use crate::telemetry::Telemetry;

/// Threads that take cards in at a start, at the most.
const HANDS_MAX: usize = 8;
/// Fewer cards than these are taken in by one.
const CARDS_FOR_HANDS: usize = 100_000;

/// How terminals are treated.
#[derive(Clone, Copy, Debug)]
pub struct TerminalRules {
    /// Message codes that may fail in a row before the terminal is told to sign on again.
    pub mac_errors_max: u32,
    /// Microseconds after which an answer is no longer sent: the terminal reverses by then.
    pub answer_micros_max: u64,
    /// Microseconds after which nothing is decided any more: what is left of the time would not do
    /// to make it durable.
    pub decide_micros_max: u64,
    /// Microseconds that a request may have waited for room in the node. One that has waited longer is
    /// turned away.
    pub wait_micros_max: u64,
    /// How far the local time of a request may be from the host's; `None`: it is not looked at.
    pub clock_drift_max: Option<Duration>,
    /// Sign-ons and sign-offs, and settlements, of one terminal that are taken in a minute.
    pub unsigned_per_minute: u32,
    /// Messages of batch uploads of one terminal that are taken in a minute.
    pub uploads_per_minute: u32,
}

/// The facts of a node.
pub struct Facts {
    /// The terminals, by id.
    pub terminals: Terminals,
    /// What is known of merchants.
    pub merchants: HashMap<MerchantId, MerchantTraits>,
    /// The cards, by the keyed index of their number.
    pub cards: Cards,
    /// False while the disk has no room for the journal: debits wait for better times.
    pub has_room: AtomicBool,
    /// Whose cards begin with what.
    pub routes: routing::Table,
    /// The keeper of keys.
    pub hsm: Arc<dyn Hsm>,
    /// Local time and business days.
    pub calendar: Calendar,
    /// The dialect of the terminals.
    pub dialect: &'static Dialect,
    /// The number of this acquirer (F32).
    pub acquirer: Box<str>,
    /// The number of this issuer (F44).
    pub issuer: Box<str>,
    /// How terminals are treated.
    pub rules: TerminalRules,
    /// What is counted and logged.
    pub telemetry: Telemetry,
    /// What terminals download.
    pub care: CareBook,
}

impl Facts {
    /// Takes in all that `books` hold.
    pub fn restore(&self, books: &Books) {
        let shards = books.shards();
        let cards: usize = shards.iter().map(Shard::account_count).sum();
        let hands = thread::available_parallelism().map_or(1, usize::from);
        // A thread costs as much as some hundreds of cards.
        let hands = if cards < CARDS_FOR_HANDS { 1 } else { hands.min(HANDS_MAX) };
        thread::scope(|scope| {
            let each = shards.len().div_ceil(hands).max(1);
            let mut runs = shards.chunks(each);
            let own = runs.next().unwrap_or_default();
            runs.for_each(|run| _ = scope.spawn(|| self.restore_cards(run)));
            self.restore_cards(own);
        });
        for (id, terminal) in shards.iter().flat_map(Shard::terminals) {
            self.terminals.restore(id, terminal, books.batches(id).cloned(), self.hsm.as_ref());
        }
    }

    fn restore_cards(&self, shards: &[Shard]) {
        for (card, account) in shards.iter().flat_map(Shard::accounts_unordered) {
            self.cards.add(card, &account.identity);
        }
    }

    /// Takes in a durable entry.
    pub fn absorb(&self, event: &Event) {
        match event {
            Event::CardIssued(issued) => self.cards.add(issued.card, &issued.identity),
            Event::TerminalRegistered { terminal, profile } => {
                self.terminals.register(*terminal, profile);
            }
            Event::SignedOn { terminal, sealed_keys, .. } => {
                if let Some(entry) = self.terminals.get(*terminal) {
                    entry.signed_on(*terminal, sealed_keys, self.hsm.as_ref());
                }
            }
            Event::Cared { terminal, care, at } => {
                if let Some(entry) = self.terminals.get(*terminal) {
                    entry.cared(care, *at);
                }
            }
            Event::Transacted(_) | Event::Reversed(_) | Event::Batch { .. } => {
                if let Event::Transacted(Transacted { card, new_pin: Some(pin), .. }) = event {
                    self.cards.choose_pin(*card, *pin);
                }
                if let Some(entry) = terminal_of(event).and_then(|id| self.terminals.get(id)) {
                    entry.absorb(event);
                }
            }
            // A sign-off is not authenticated: the keys stay good for whoever has them.
            Event::SignedOff { .. } | Event::CutOff(_) | Event::Barred { .. } => {}
        }
    }
}
