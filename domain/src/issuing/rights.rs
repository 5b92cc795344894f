//! What a card product or a terminal may be used for.

use serde::{Deserialize, Serialize};

/// Something that products grant to their cards, and operators to terminals. What undoes another
/// transaction needs no right of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Right {
    /// To buy.
    Sale,
    /// To ask for a balance.
    Inquiry,
    /// To give money of an earlier sale back.
    Refund,
    /// To set money aside for a later completion.
    PreAuth,
    /// To be loaded: the card is reloadable.
    TopUp,
    /// To pay with points.
    Points,
    /// To buy without the card being there.
    MailOrder,
    /// To upload what was approved without asking.
    Offline,
    /// To upload what was paid from the chip's own purse.
    ECash,
    /// To activate cards.
    Activation,
    /// To change the PIN.
    PinChange,
    /// To pay a part, where there is not enough for all.
    Partial,
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Rights(u16);

impl Rights {
    /// Every right.
    pub const ALL: Self = Self::of(&[
        Right::Sale,
        Right::Inquiry,
        Right::Refund,
        Right::PreAuth,
        Right::TopUp,
        Right::Points,
        Right::MailOrder,
        Right::Offline,
        Right::ECash,
        Right::Activation,
        Right::PinChange,
        Right::Partial,
    ]);

    /// Returns the set of `rights`.
    #[must_use]
    pub const fn of(rights: &[Right]) -> Self {
        let mut set = Self(0);
        let mut rest = rights;
        while let [right, others @ ..] = rest {
            set = set.with(*right);
            rest = others;
        }
        set
    }

    /// Returns the set with `right` in it.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | Self::bit(right))
    }

    /// Returns the set without `right`.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !Self::bit(right))
    }

    /// True if `right` is in the set.
    #[must_use]
    pub const fn grant(self, right: Right) -> bool {
        self.0 & Self::bit(right) != 0
    }

    const fn bit(right: Right) -> u16 {
        1 << right as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let set = Rights::of(&[Right::Sale, Right::Partial]);
        assert!(set.grant(Right::Sale) && set.grant(Right::Partial) && !set.grant(Right::Refund));
        assert_eq!(set.without(Right::Partial), Rights::default().with(Right::Sale));
        assert!(Rights::ALL.grant(Right::Partial) && Rights::ALL.grant(Right::Activation));
    }
}
