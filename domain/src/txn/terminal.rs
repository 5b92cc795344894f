//! A terminal as its own shard remembers it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Difference, TerminalCare, Totals};
use crate::issuing::Rights;
use crate::terms::{Amount, BatchNo, MerchantId, Rrn, Stan, Timestamp};

/// What a terminal is set up with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TerminalProfile {
    /// The merchant it stands at.
    pub merchant: MerchantId,
    /// Its terminal master key, sealed under the local master key.
    pub sealed_tmk: Box<[u8]>,
    /// How its keys and message codes are made, in the words of the key side.
    pub scheme: Box<str>,
    /// What it may ask for.
    pub rights: Rights,
}

/// How a settlement ended. Kept, so that a repeated request is answered with the same result.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The batch that was closed.
    pub batch: BatchNo,
    /// What the terminal claimed.
    pub claimed: Totals,
    /// What the books hold.
    pub counted: Totals,
    /// The reference of the closing entry.
    pub rrn: Rrn,
    /// When it was closed.
    pub at: Timestamp,
}

impl Closing {
    /// True if terminal and books agree.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.claimed == self.counted
    }
}

/// The state of a terminal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Terminal {
    /// What it is set up with.
    pub profile: TerminalProfile,
    /// Its working keys, sealed under the local master key; `None` before the first sign-on. They
    /// outlast a sign-off: that message is not authenticated, and a stray copy of one must not
    /// lock the terminal out.
    pub sealed_keys: Option<Box<[u8]>>,
    /// True between a sign-on and a sign-off.
    pub is_signed_on: bool,
    /// The number of the batch that takes slips.
    pub open_batch: BatchNo,
    /// How the last settlement ended.
    pub last_closing: Option<Closing>,
    /// Transactions whose reversal came first, and without a card to find them by.
    pub bars: BTreeSet<(BatchNo, Stan)>,
    /// What the terminal has uploaded of the batch that was closed last.
    pub upload: BTreeMap<Stan, Amount>,
    /// How the upload of the last closed batch differed, once it ended.
    pub differences: Option<Vec<Difference>>,
    /// How it is looked after.
    pub care: TerminalCare,
}

impl Terminal {
    /// Returns a terminal fresh from the store room.
    #[must_use]
    pub fn new(profile: TerminalProfile, open_batch: BatchNo) -> Self {
        Self {
            profile,
            sealed_keys: None,
            is_signed_on: false,
            open_batch,
            last_closing: None,
            bars: BTreeSet::new(),
            upload: BTreeMap::new(),
            differences: None,
            care: TerminalCare::default(),
        }
    }
}
