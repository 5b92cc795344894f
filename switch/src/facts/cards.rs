//! Cards by the keyed index of their number.

use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use domain::issuing::Identity;
use domain::terms::CardId;
use keys::{PanIndex, PinVerification};

/// What a request needs of a card before its shard is asked.
#[derive(Clone, Copy, Debug)]
pub struct CardRef {
    /// The card.
    pub card: CardId,
    /// What its PIN is verified against, if it has one.
    pub pin: Option<PinVerification>,
}

/// The directory of cards. Knows no number, only what the keyed digest makes of it.
#[derive(Debug, Default)]
pub struct Cards {
    cards: DashMap<PanIndex, CardRef>,
    /// PINs that were chosen since the cards were taken in. An entry tells of the card by its id.
    chosen: DashMap<CardId, PinVerification>,
    /// False as long as none was, which spares the look-up.
    has_chosen: AtomicBool,
}

impl Cards {
    /// Takes in a card.
    pub fn add(&self, card: CardId, identity: &Identity) {
        let pin = identity.pin.map(PinVerification::from_bytes);
        self.cards.insert(PanIndex(identity.index), CardRef { card, pin });
    }

    /// Takes in the verification value of a card's new PIN.
    pub fn choose_pin(&self, card: CardId, pin: [u8; 8]) {
        self.chosen.insert(card, PinVerification::from_bytes(pin));
        self.has_chosen.store(true, Ordering::Release);
    }

    /// Finds a card.
    #[must_use]
    pub fn get(&self, index: &PanIndex) -> Option<CardRef> {
        let mut found = self.cards.get(index).map(|entry| *entry)?;
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
        self.cards.iter().map(|entry| entry.card).max()
    }

    /// Returns how many cards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_id_is_the_highest_although_lower_ones_are_missing() {
        let cards = Cards::default();
        assert_eq!(cards.last(), None);
        for id in [1, 7, 3] {
            let index = [u8::try_from(id).unwrap(); 16];
            cards.add(CardId(id), &Identity { index, sealed_pan: [].into(), pin: None });
        }
        assert_eq!(cards.last(), Some(CardId(7)));
    }
}
