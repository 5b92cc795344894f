//! Cards by the keyed index of their number.

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
pub struct Cards(DashMap<PanIndex, CardRef>);

impl Cards {
    /// Takes in a card.
    pub fn add(&self, card: CardId, identity: &Identity) {
        let pin = identity.pin.map(PinVerification::from_bytes);
        self.0.insert(PanIndex(identity.index), CardRef { card, pin });
    }

    /// Finds a card.
    #[must_use]
    pub fn get(&self, index: &PanIndex) -> Option<CardRef> {
        self.0.get(index).map(|entry| *entry)
    }

    /// Returns the highest id that a card has: ids above it were never given. There may be fewer
    /// cards than that, if a crash came while they were issued.
    #[must_use]
    pub fn last(&self) -> Option<CardId> {
        self.0.iter().map(|entry| entry.card).max()
    }

    /// Returns how many cards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
