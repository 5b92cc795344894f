//! What a card holds, purse by purse.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::faults::{self, Fault};
use crate::terms::Amount;

/// One of the purses of a card.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum Purse {
    /// Money the cardholder paid in.
    Main,
    /// Money the programme gave on top.
    Bonus,
    /// Points, which are not money.
    Points,
}

impl Purse {
    /// Every purse, in stored order.
    pub const ALL: [Self; 3] = [Self::Main, Self::Bonus, Self::Points];

    /// True if what the purse holds is money, and so can pay.
    #[must_use]
    pub const fn holds_money(self) -> bool {
        match self {
            Self::Main | Self::Bonus => true,
            Self::Points => false,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Main => 0,
            Self::Bonus => 1,
            Self::Points => 2,
        }
    }
}

/// The order in which a sale draws on the purses of a card; at most the two that hold money.
pub type PurseOrder = SmallVec<[Purse; 2]>;

/// An amount for each purse.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Parts([Amount; 3]);

impl Parts {
    /// Returns parts with `amount` in one purse.
    #[must_use]
    pub fn only(purse: Purse, amount: Amount) -> Self {
        let mut parts = Self::default();
        parts.put(purse, amount);
        parts
    }

    /// Returns the part of `purse`.
    #[must_use]
    pub fn of(&self, purse: Purse) -> Amount {
        self.0.get(purse.index()).copied().unwrap_or_default()
    }

    fn put(&mut self, purse: Purse, amount: Amount) {
        if let Some(slot) = self.0.get_mut(purse.index()) {
            *slot = amount;
        }
    }

    /// Returns the money in all parts; points are not money.
    #[must_use]
    pub fn money(&self) -> Amount {
        self.of(Purse::Main).plus(self.of(Purse::Bonus))
    }

    /// Returns the sum, purse by purse.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        Purse::ALL.iter().for_each(|&p| self.put(p, self.of(p).plus(other.of(p))));
        self
    }

    /// Returns the difference, purse by purse.
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Self {
        Purse::ALL.iter().for_each(|&p| self.put(p, self.of(p).minus(other.of(p))));
        self
    }

    /// Returns the lesser of each part.
    #[must_use]
    pub fn least(mut self, other: &Self) -> Self {
        Purse::ALL.iter().for_each(|&p| self.put(p, self.of(p).min(other.of(p))));
        self
    }

    /// Takes `amount` from these parts in `order`, or `None` if they hold less than that.
    #[must_use]
    pub fn draw(&self, order: impl IntoIterator<Item = Purse>, amount: Amount) -> Option<Self> {
        let (taken, rest) = self.draw_up_to(order, amount);
        if !rest.is_zero() && faults::is_planted(Fault::OverdraftAllowed) {
            return Some(Self::only(Purse::Main, amount));
        }
        rest.is_zero().then_some(taken)
    }

    /// Takes up to `amount` in `order`; returns what was taken and what is still missing.
    ///
    /// Points are no money: an order that names them is followed as if it did not.
    #[must_use]
    pub fn draw_up_to(
        &self,
        order: impl IntoIterator<Item = Purse>,
        amount: Amount,
    ) -> (Self, Amount) {
        let (mut taken, mut rest) = (Self::default(), amount);
        for purse in order.into_iter().filter(|purse| purse.holds_money()) {
            let left = self.of(purse).minus(taken.of(purse));
            let part = left.min(rest).max(Amount::ZERO);
            taken.put(purse, taken.of(purse).plus(part));
            rest = rest.minus(part);
        }
        (taken, rest)
    }

    /// True if every part of `other` can be taken from these parts, and none is negative.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        Purse::ALL.iter().all(|&p| (Amount::ZERO..=self.of(p)).contains(&other.of(p)))
    }

    /// Each purse that has a part, with it.
    pub fn iter(&self) -> impl Iterator<Item = (Purse, Amount)> + '_ {
        Purse::ALL.iter().map(|&purse| (purse, self.of(purse))).filter(|(_, a)| !a.is_zero())
    }
}

/// Money set aside on a card: still the cardholder's, but not to be spent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// Names the hold among those of the card.
    pub number: u32,
    /// What is set aside.
    pub parts: Parts,
}

/// The balances of one card, and what is held of them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Balances {
    ledger: Parts,
    /// `None` where nothing is held, as for most cards at most times.
    #[expect(clippy::box_collection, reason = "one word in each of millions of cards")]
    holds: Option<Box<Vec<Hold>>>,
}

impl Balances {
    /// Returns what the books say the card owns.
    #[must_use]
    pub const fn ledger(&self) -> &Parts {
        &self.ledger
    }

    /// Returns what may be spent: the ledger balance without what is held.
    #[must_use]
    pub fn available(&self) -> Parts {
        self.holds().iter().fold(self.ledger, |left, hold| left.minus(&hold.parts))
    }

    /// Returns the holds.
    #[must_use]
    pub fn holds(&self) -> &[Hold] {
        self.holds.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Returns how much money is set aside, in how many holds.
    #[must_use]
    pub fn held_in_all(&self) -> (Amount, u32) {
        let held = self.holds().iter().map(|hold| hold.parts.money());
        let count = u32::try_from(self.holds().len()).unwrap_or(u32::MAX);
        (held.fold(Amount::ZERO, Amount::plus), count)
    }

    /// Returns what the hold with this number sets aside; nothing, if there is none.
    #[must_use]
    pub fn held(&self, number: u32) -> Parts {
        self.holds()
            .iter()
            .find(|hold| hold.number == number)
            .map(|hold| hold.parts)
            .unwrap_or_default()
    }

    /// Adds `amount`, which may be negative, to `purse`.
    ///
    /// # Panics
    /// If less than nothing would be left: a decision took what was not there, and a book that
    /// says so must not serve.
    pub(crate) fn post(&mut self, purse: Purse, amount: Amount) {
        let balance = self.ledger.of(purse).plus(amount);
        let is_allowed = balance >= Amount::ZERO || faults::is_planted(Fault::OverdraftAllowed);
        assert!(is_allowed, "a purse never holds less than nothing");
        self.ledger.put(purse, balance);
    }

    /// Sets parts aside: more of them, if there is a hold with that number already.
    ///
    /// # Panics
    /// If they are not available.
    pub(crate) fn place(&mut self, hold: Hold) {
        assert!(self.available().cover(&hold.parts), "what is held was available before");
        let holds = self.holds.get_or_insert_default();
        match holds.iter_mut().find(|known| known.number == hold.number) {
            Some(known) => known.parts = known.parts.plus(&hold.parts),
            None => holds.push(hold),
        }
    }

    /// Frees what the hold with this number sets aside, if there is one.
    pub(crate) fn release(&mut self, number: u32) {
        let Some(holds) = &mut self.holds else { return };
        holds.retain(|hold| hold.number != number);
        if holds.is_empty() {
            self.holds = None;
        }
    }

    /// Frees `parts` of the hold with this number, or as much of them as it sets aside.
    pub(crate) fn release_part(&mut self, number: u32, parts: &Parts) {
        let mut holds = self.holds.iter_mut().flat_map(|holds| holds.iter_mut());
        if let Some(hold) = holds.find(|hold| hold.number == number) {
            hold.parts = hold.parts.minus(&hold.parts.least(parts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(main: i64, bonus: i64) -> Parts {
        Parts::only(Purse::Main, Amount::from_fen(main))
            .plus(&Parts::only(Purse::Bonus, Amount::from_fen(bonus)))
    }

    #[test]
    fn a_sale_draws_in_order_and_a_return_goes_the_other_way() {
        let order = [Purse::Bonus, Purse::Main];
        let drawn = parts(100, 50).draw(order, Amount::from_fen(70)).unwrap();
        assert_eq!(drawn, parts(20, 50));
        let back = drawn.draw(order.into_iter().rev(), Amount::from_fen(30)).unwrap();
        assert_eq!(back, parts(20, 10));
        assert_eq!(parts(100, 50).draw(order, Amount::from_fen(151)), None);
    }

    #[test]
    fn no_purse_is_drawn_twice_and_points_never_pay() {
        let purses = parts(100, 0).plus(&Parts::only(Purse::Points, Amount::from_fen(500)));
        let twice = [Purse::Main, Purse::Main];
        assert_eq!(purses.draw(twice, Amount::from_fen(150)), None);
        assert_eq!(purses.draw(twice, Amount::from_fen(100)), Some(parts(100, 0)));
        assert_eq!(purses.draw([Purse::Points, Purse::Main], Amount::from_fen(101)), None);
    }

    #[test]
    fn what_is_held_is_not_available() {
        let mut balances = Balances::default();
        balances.post(Purse::Main, Amount::from_fen(500));
        balances.place(Hold { number: 1, parts: parts(200, 0) });
        assert_eq!(balances.available(), parts(300, 0));
        assert_eq!(*balances.ledger(), parts(500, 0));
    }

    #[test]
    #[should_panic(expected = "never holds less than nothing")]
    fn nothing_is_posted_below_zero() {
        Balances::default().post(Purse::Main, Amount::from_fen(-1));
    }
}
