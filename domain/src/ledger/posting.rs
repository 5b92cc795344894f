//! The legs of an entry.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Purse;
use crate::terms::{Amount, CardId, MerchantId};

/// What an amount counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Fen of the renminbi yuan (ISO 4217 code 156).
    Fen,
    /// Points of the programme.
    Points,
}

/// An account of the general ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize, Deserialize)]
pub enum LedgerAccount {
    /// A purse of a card: what the programme owes the cardholder.
    Purse(CardId, Purse),
    /// What the programme owes a merchant for sales.
    Merchant(MerchantId),
    /// Money received for cards sold; the counter-leg of what cards were opened with.
    Funding,
    /// Bonus money granted.
    BonusGranted,
    /// Points granted.
    PointsGranted,
    /// Money that is owed but has no purse to come from or go to, until a person decides.
    Suspense,
    /// What a merchant has taken in for cards that were loaded there, and owes the programme.
    TopUps(MerchantId),
    /// Points that were paid with at a merchant.
    PointsRedeemed(MerchantId),
    /// Points that are owed but have no purse to come from, until a person decides.
    PointsSuspense,
}

impl LedgerAccount {
    /// Returns what the account counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Purse(_, Purse::Points)
            | Self::PointsGranted
            | Self::PointsRedeemed(_)
            | Self::PointsSuspense => Unit::Points,
            Self::Purse(_, Purse::Main | Purse::Bonus)
            | Self::Merchant(_)
            | Self::Funding
            | Self::BonusGranted
            | Self::Suspense
            | Self::TopUps(_) => Unit::Fen,
        }
    }
}

/// One leg: `amount` is added to `account`. Owed to others is positive for purses and merchants.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Posting {
    /// Where it goes.
    pub account: LedgerAccount,
    /// What it counts.
    pub unit: Unit,
    /// How much; negative takes away.
    pub amount: Amount,
}

impl Posting {
    /// Returns a leg, in the unit of its account.
    #[must_use]
    pub const fn on(account: LedgerAccount, amount: Amount) -> Self {
        Self { account, unit: account.unit(), amount }
    }

    /// Returns a leg on a purse.
    #[must_use]
    pub const fn purse(card: CardId, purse: Purse, amount: Amount) -> Self {
        Self::on(LedgerAccount::Purse(card, purse), amount)
    }
}

/// The legs of one entry. A sale has two or three.
pub type Postings = SmallVec<[Posting; 4]>;
