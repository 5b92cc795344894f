//! Who plays what: terminals and cards of the kit, chosen by what they are.

use keys::{Algorithm, KeyLayout};

use crate::fen::Fen;
use crate::ids::{CardNumber, TerminalId};
use crate::kit::{CardStatus, Kit, TerminalSetup, TestCard};

/// A part that nobody in the kit can play.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the demonstration needs {0}, and the kit has none")]
pub struct Missing(&'static str);

/// Every card that could be sacrificed has been.
pub(super) const NO_VICTIM: Missing = Missing("a card that still takes a PIN");

/// Terminals and cards of the day.
pub(super) struct Cast<'k> {
    /// Where most things happen; may refund, can have a track key.
    pub(super) counter: &'k TerminalSetup,
    /// Whose totals will not agree.
    pub(super) kiosk: &'k TerminalSetup,
    /// Whose line is bad.
    pub(super) mobile: &'k TerminalSetup,
    /// Where balances are asked for.
    pub(super) clerk: &'k TerminalSetup,
    /// A terminal of another make: single DES.
    pub(super) single: Option<&'k TerminalSetup>,
    /// With a double-length MAC key.
    pub(super) double: Option<&'k TerminalSetup>,
    /// With the national cipher.
    pub(super) national: Option<&'k TerminalSetup>,
    /// One that nobody registered.
    pub(super) stranger: TerminalSetup,
    /// Cards with money and a PIN, and nothing special about them.
    pub(super) plain: [&'k TestCard; 3],
    /// More of them, of which one is sacrificed: after too many wrong PINs it is good for nothing.
    pub(super) victims: Vec<&'k TestCard>,
    /// With money in the bonus purse and in the main one.
    pub(super) bonus: &'k TestCard,
    /// With little money.
    pub(super) poor: &'k TestCard,
    /// Of a cardholder known by name, reloadable, with room on it.
    pub(super) named: Option<&'k TestCard>,
    /// With some points.
    pub(super) points: Option<&'k TestCard>,
    /// With a little money that it may spend.
    pub(super) little: Option<&'k TestCard>,
    /// Reported lost.
    pub(super) lost: &'k TestCard,
    /// Frozen.
    pub(super) frozen: &'k TestCard,
    /// Sold, not activated.
    pub(super) sold: &'k TestCard,
    /// Past its last month.
    pub(super) expired: &'k TestCard,
    /// With a number that begins like an issued one, and is not.
    pub(super) unknown: TestCard,
    /// With a number that no issuer has.
    pub(super) foreign: TestCard,
}

/// What a plain card must be able to spend.
const ENOUGH: Fen = Fen(30_000);

impl<'k> Cast<'k> {
    pub(super) fn of(kit: &'k Kit) -> Result<Self, Missing> {
        let [counter, kiosk, mobile, clerk] = terminals(kit)?;
        let layout = |layout| kit.terminals.iter().find(|setup| setup.layout == layout);
        let national = kit.terminals.iter().find(|setup| setup.algorithm == Algorithm::Sm4);
        let (plain, victims) = plain(kit)?;
        let [first, ..] = plain;
        let with = |status, what| {
            let mut cards = kit.cards.iter();
            cards.find(|card| card.status == status && card.pin.is_some()).ok_or(Missing(what))
        };
        let active = || kit.cards.iter().filter(|card| card.status == CardStatus::Active);
        let bonus = active()
            .find(|card| card.bonus > Fen(0) && card.main >= Fen(5_000) && card.held == Fen(0));
        let poor = active().min_by_key(|card| card.spendable());
        let dated = active().filter(|card| card.expiry.is_some() && card.expiry < first.expiry);
        let expired = dated.min_by_key(|card| card.expiry);
        let [named, points, little] = peculiar(kit, first);
        Ok(Self {
            named,
            points,
            little,
            counter,
            kiosk,
            mobile,
            clerk,
            single: layout(KeyLayout::Des24),
            double: layout(KeyLayout::Des40B),
            national,
            stranger: TerminalSetup { id: unregistered(kit), ..counter.clone() },
            plain,
            victims,
            bonus: bonus.ok_or(Missing("a card with money in both purses"))?,
            poor: poor.ok_or(Missing("an active card"))?,
            lost: with(CardStatus::Lost, "a lost card")?,
            frozen: with(CardStatus::Frozen, "a frozen card")?,
            sold: with(CardStatus::Sold, "a card that is sold and not activated")?,
            expired: expired.ok_or(Missing("an expired card"))?,
            unknown: TestCard { pan: unissued(kit, first)?, ..first.clone() },
            foreign: TestCard { pan: nobodys(first)?, ..first.clone() },
        })
    }
}

/// Four terminals with double-length keys that may refund; the first three of one merchant.
fn terminals(kit: &Kit) -> Result<[&TerminalSetup; 4], Missing> {
    let fits = |setup: &&TerminalSetup| {
        setup.may_refund && matches!(setup.layout, KeyLayout::Des40A | KeyLayout::Des60A)
    };
    let mut fitting = kit.terminals.iter().filter(fits);
    let counter = fitting.next().ok_or(Missing("terminals with double-length DES keys"))?;
    let (mut same, other): (Vec<_>, Vec<_>) =
        fitting.partition(|setup| setup.merchant == counter.merchant);
    same.extend(other);
    match same[..] {
        [kiosk, mobile, clerk, ..] => Ok([counter, kiosk, mobile, clerk]),
        _ => Err(Missing("four terminals with double-length DES keys")),
    }
}

/// Three cards that have money, a PIN and no peculiarity, and the rest of their kind, one at least.
/// Those that expire last come first.
fn plain(kit: &Kit) -> Result<([&TestCard; 3], Vec<&TestCard>), Missing> {
    let is_plain = |card: &&TestCard| {
        card.status == CardStatus::Active
            && card.pin.is_some()
            && card.expiry.is_some()
            && card.bonus == Fen(0)
            && card.held == Fen(0)
            && card.spendable() >= ENOUGH
    };
    let mut cards: Vec<_> = kit.cards.iter().filter(is_plain).collect();
    cards.sort_by_key(|card| std::cmp::Reverse(card.expiry));
    match cards[..] {
        [a, b, c, ref rest @ ..] if !rest.is_empty() => Ok(([a, b, c], rest.to_vec())),
        _ => Err(Missing("four active cards with PIN, expiry date and 300.00 each")),
    }
}

/// Cards that a small kit need not have: a named one with room, one with points, one with little
/// money.
fn peculiar<'k>(kit: &'k Kit, plain: &TestCard) -> [Option<&'k TestCard>; 3] {
    let is_usable = |card: &&TestCard| {
        card.status == CardStatus::Active && card.pin.is_some() && card.held == Fen(0)
    };
    let usable = || kit.cards.iter().filter(is_usable);
    let named = usable().filter(|card| card.expiry.is_none() && card.main >= Fen(20_000));
    let in_date = |card: &&TestCard| card.expiry.is_some() && card.expiry >= plain.expiry;
    let points = usable().filter(in_date).find(|card| card.points >= 100);
    let little = usable().find(|card| (Fen(100)..Fen(5_000)).contains(&card.spendable()));
    [named.min_by_key(|card| card.main), points, little]
}

/// A terminal number that is not in the kit.
fn unregistered(kit: &Kit) -> TerminalId {
    let ids = (b'0'..=b'9').rev().map(|digit| TerminalId([digit; 8]));
    let mut free = ids.filter(|id| kit.terminal(*id).is_none());
    free.next().unwrap_or(TerminalId(*b"ZZZZZZZZ"))
}

/// A number of the same issuer and length that is not in the kit.
fn unissued(kit: &Kit, like: &TestCard) -> Result<CardNumber, Missing> {
    let digits = like.pan.digits();
    let prefix = digits.get(..6).unwrap_or_default();
    let rest = digits.len().saturating_sub(7);
    let numbers = (0..1000_u32).map(|n| format!("{prefix}{:9<rest$}", 999_u32.saturating_sub(n)));
    let mut numbers = numbers.filter_map(|number| CardNumber::with_check_digit(&number).ok());
    numbers.find(|number| kit.card(number).is_none()).ok_or(Missing("a free card number"))
}

/// A number that begins with a digit no issuer has (ISO/IEC 7812-1 leaves 0 to other purposes).
fn nobodys(like: &TestCard) -> Result<CardNumber, Missing> {
    let rest = like.pan.digits().len().saturating_sub(1);
    CardNumber::with_check_digit(&"0".repeat(rest)).map_err(|_| Missing("a card number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_without_a_part_says_which() {
        let missing = |kit: &Kit| Cast::of(kit).err().unwrap().to_string();
        assert!(missing(&Kit::generate(3, 9, 1)).contains("four terminals"));
        assert!(missing(&Kit::generate(4, 9, 1)).contains("four active cards"));
    }

    #[test]
    fn an_unissued_number_is_of_the_issuer_and_right() {
        let kit = Kit::generate(0, 3, 1);
        let number = unissued(&kit, &kit.cards[0]).unwrap();
        assert!(kit.card(&number).is_none());
        assert_eq!(number.digits().len(), 19);
        assert!(number.digits().starts_with("621214"));
        let payload: String = number.digits().chars().take(18).collect();
        assert_eq!(CardNumber::with_check_digit(&payload).unwrap(), number);
    }
}
