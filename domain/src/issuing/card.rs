//! One card and its account.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Sealed, Spent, Terms};
use crate::ledger::Balances;
use crate::terms::{Expiry, Refusal};

/// Where a card stands in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum CardStatus {
    /// Sold, not yet activated.
    Sold,
    /// In use.
    Active,
    /// Frozen by the issuer or by risk.
    Frozen,
    /// Reported lost.
    Lost,
    /// Ended for good.
    Cancelled,
}

impl CardStatus {
    /// Returns why a card in this status may not be used, if so.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Active => None,
            Self::Sold => Some(Refusal::CardNotActive),
            Self::Frozen => Some(Refusal::CardFrozen),
            Self::Lost => Some(Refusal::CardLost),
            Self::Cancelled => Some(Refusal::CardCancelled),
        }
    }
}

/// What links a card to its number and its PIN: ciphertext and keyed digests only.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The keyed index of the PAN: how a message finds the card.
    pub index: [u8; 16],
    /// The PAN, sealed under the local master key.
    pub sealed_pan: Sealed,
    /// The PIN verification value, if the card has a PIN.
    pub pin: Option<[u8; 8]>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// The account of one card: its terms, its state, its money.
///
/// There are millions of these in memory, and a test holds what one may cost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The terms it was issued under, shared with the other cards of them.
    pub terms: Arc<Terms>,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// The last month in which it is valid.
    pub expiry: Expiry,
    /// Wrong PINs since the last right one.
    pub wrong_pins: u8,
    /// What links it to number and PIN.
    pub identity: Identity,
    /// Its money.
    pub balances: Balances,
    /// What it has spent of its limits.
    pub spent: Spent,
}
