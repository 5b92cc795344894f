//! Cards by the keyed index of their number.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use dashmap::DashMap;
use domain::issuing::Identity;
use domain::terms::CardId;
use hashbrown::HashTable;
use keys::{PanIndex, PinVerification};

/// Parts of the directory, each with a lock of its own.
const PARTS: usize = 256;

/// What a request needs of a card before its shard is asked.
#[derive(Clone, Copy, Debug)]
pub struct CardRef {
    /// The card.
    pub card: CardId,
    /// What its PIN is verified against, if it has one.
    pub pin: Option<PinVerification>,
}

/// The directory of cards. Knows no number, only what the keyed digest makes of it.
///
/// There are millions of cards and few changes: the rows of a part lie side by side without a
/// gap, and a table of small slots finds them. The digest itself says where, and nobody without
/// its key can choose it.
pub struct Cards {
    parts: Box<[RwLock<Part>]>,
    count: AtomicUsize,
    /// The highest id that was taken in, plus one.
    beyond: AtomicU64,
    /// PINs that were chosen since the cards were taken in. An entry tells of the card by its id.
    chosen: DashMap<CardId, PinVerification>,
    /// False as long as none was, which spares the look-up.
    has_chosen: AtomicBool,
}

#[derive(Default)]
struct Part {
    slots: HashTable<u32>,
    rows: Vec<Row>,
}

/// A card, without a byte to spare.
struct Row {
    index: [u8; 16],
    card: [u8; 8],
    /// All zero for a card without a PIN.
    pin: [u8; 8],
    has_pin: bool,
}

impl Row {
    const fn card(&self) -> CardId {
        CardId(u64::from_le_bytes(self.card))
    }
}

/// Returns the part of the directory that an index belongs to, and its hash in there.
fn place_of(index: &[u8; 16]) -> (usize, u64) {
    let [part, a, b, c, d, e, f, g, h, ..] = *index;
    (usize::from(part), u64::from_le_bytes([a, b, c, d, e, f, g, h]))
}

impl Part {
    fn find(&self, index: &[u8; 16], hash: u64) -> Option<u32> {
        let is_it = |&row: &u32| self.row(row).is_some_and(|row| row.index == *index);
        self.slots.find(hash, is_it).copied()
    }

    fn row(&self, row: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(row).ok()?)
    }

    /// Puts a row in, or over the one of that index. True if it is a new one.
    fn put(&mut self, row: Row, hash: u64) -> bool {
        if let Some(known) = self.find(&row.index, hash) {
            let known = usize::try_from(known).ok().and_then(|known| self.rows.get_mut(known));
            *known.expect("a slot has its row") = row;
            return false;
        }
        let place = u32::try_from(self.rows.len()).expect("a part has fewer than 2^32 cards");
        self.rows.push(row);
        let rows = &self.rows;
        let hash_of = |&row: &u32| {
            let row = usize::try_from(row).ok().and_then(|row| rows.get(row));
            place_of(&row.expect("a slot has its row").index).1
        };
        self.slots.insert_unique(hash, place, hash_of);
        true
    }
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| RwLock::default()).collect(),
            count: AtomicUsize::new(0),
            beyond: AtomicU64::new(0),
            chosen: DashMap::new(),
            has_chosen: AtomicBool::new(false),
        }
    }
}

impl fmt::Debug for Cards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cards({})", self.len())
    }
}

impl Cards {
    /// Takes in a card.
    pub fn add(&self, card: CardId, identity: &Identity) {
        let Identity { index, pin, .. } = identity;
        let (part, hash) = place_of(index);
        let row = Row {
            index: *index,
            card: card.0.to_le_bytes(),
            pin: pin.unwrap_or_default(),
            has_pin: pin.is_some(),
        };
        let part = self.parts.get(part).expect("there is a part for every byte");
        if part.write().unwrap_or_else(PoisonError::into_inner).put(row, hash) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        self.beyond.fetch_max(card.0.saturating_add(1), Ordering::Relaxed);
    }

    /// Takes in the verification value of a card's new PIN.
    pub fn choose_pin(&self, card: CardId, pin: [u8; 8]) {
        self.chosen.insert(card, PinVerification::from_bytes(pin));
        self.has_chosen.store(true, Ordering::Release);
    }

    /// Finds a card.
    #[must_use]
    pub fn get(&self, index: &PanIndex) -> Option<CardRef> {
        let (part, hash) = place_of(&index.0);
        let part: RwLockReadGuard<'_, Part> =
            self.parts.get(part)?.read().unwrap_or_else(PoisonError::into_inner);
        let row = part.row(part.find(&index.0, hash)?)?;
        let pin = row.has_pin.then(|| PinVerification::from_bytes(row.pin));
        let mut found = CardRef { card: row.card(), pin };
        drop(part);
        if self.has_chosen.load(Ordering::Acquire)
            && let Some(pin) = self.chosen.get(&found.card)
        {
            found.pin = Some(*pin);
        }
        Some(found)
    }

    /// Returns the highest id that a card has: ids above it were never given. There may be fewer
    /// cards than that, if a crash came while they were issued.
    #[must_use]
    pub fn last(&self) -> Option<CardId> {
        self.beyond.load(Ordering::Relaxed).checked_sub(1).map(CardId)
    }

    /// Returns how many cards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(index: u128, pin: Option<[u8; 8]>) -> Identity {
        Identity { index: index.to_le_bytes(), sealed_pan: [].into(), pin }
    }

    #[test]
    fn the_last_id_is_the_highest_although_lower_ones_are_missing() {
        let cards = Cards::default();
        assert_eq!(cards.last(), None);
        for id in [1, 7, 3] {
            cards.add(CardId(id), &identity(id.into(), None));
        }
        assert_eq!((cards.last(), cards.len()), (Some(CardId(7)), 3));
    }

    #[test]
    fn each_card_is_found_by_its_own_index_with_its_own_pin() {
        let cards = Cards::default();
        // The same part and the same hash for all of them: what tells them apart is the rest.
        let index = |id: u64| u128::from(id) << 72 | 0x01_2345_6789_ABCD_EF55;
        for id in 0..2000 {
            cards.add(
                CardId(id),
                &identity(index(id), (id % 2 == 0).then_some([id.to_le_bytes()[0]; 8])),
            );
        }
        for id in 0..2000 {
            let found = cards.get(&PanIndex(index(id).to_le_bytes())).unwrap();
            assert_eq!(found.card, CardId(id));
            let pin = found.pin.map(PinVerification::to_bytes);
            assert_eq!(pin, (id % 2 == 0).then_some([id.to_le_bytes()[0]; 8]));
        }
        assert!(cards.get(&PanIndex(index(2000).to_le_bytes())).is_none());
        cards.add(CardId(5), &identity(index(5), None));
        assert_eq!(cards.len(), 2000, "a card that comes again is one card");
        cards.choose_pin(CardId(5), [9; 8]);
        let found = cards.get(&PanIndex(index(5).to_le_bytes())).unwrap();
        assert_eq!(found.pin.map(PinVerification::to_bytes), Some([9; 8]));
    }

    #[test]
    fn a_row_has_no_byte_to_spare() {
        assert_eq!(size_of::<Row>(), 33);
    }
}
