//! What a product promises and demands. A card keeps the terms it was issued under.

use serde::{Deserialize, Serialize};

use super::{Acceptance, Limits, Rights};
use crate::ledger::{Purse, PurseOrder};
use crate::terms::Amount;

/// The number of a card product in the programme.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct ProductId(pub u16);

/// When a cardholder must enter a PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum PinPolicy {
    /// Never; one that comes is still checked.
    Never,
    /// For every debit and inquiry.
    Always,
    /// For debits above this amount.
    Above(Amount),
}

impl PinPolicy {
    /// True if a debit of `amount` needs a PIN. An inquiry is a debit of nothing.
    #[must_use]
    pub fn demands(self, amount: Amount) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Above(limit) => amount > limit,
        }
    }
}

/// The terms of a card product.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The product.
    pub product: ProductId,
    /// True if the cardholder is known to the programme by name.
    pub named: bool,
    /// When a PIN is needed.
    pub pin: PinPolicy,
    /// The most that one transaction may be.
    pub transaction_max: Amount,
    /// The order in which a sale draws on the purses; what comes back goes the other way.
    pub draw: PurseOrder,
    /// How many days after a sale it may be refunded; 0 is for as long as the sale is remembered.
    pub refund_days: u16,
    /// What cards may be used for.
    pub rights: Rights,
    /// Where.
    pub acceptance: Acceptance,
    /// How much they may spend in a day and in a month.
    pub limits: Limits,
    /// How many days a pre-authorisation holds money.
    pub hold_days: u16,
    /// The most that a completion may be, in per cent of what was pre-authorised.
    pub completion_percent: u16,
    /// The most that a tip may add to a sale, in per cent of it.
    pub tip_percent: u16,
}

impl Terms {
    /// The legal ceiling of a named card: 5 000 yuan (Measures for the Administration of
    /// Prepaid Card Business of Payment Institutions, PBOC 2012 no. 12, article 7).
    pub const CAP_NAMED: Amount = Amount::from_fen(500_000);
    /// The legal ceiling of an unnamed card: 1 000 yuan (same article).
    pub const CAP_UNNAMED: Amount = Amount::from_fen(100_000);
    /// Wrong PINs in a row after which a card takes no more.
    pub const PIN_TRIES: u8 = 3;
    /// How many days a pre-authorisation holds money, where a product does not say (UnionPay
    /// operating rules: 30 calendar days).
    pub const HOLD_DAYS: u16 = 30;
    /// The most that a completion may be in per cent, where a product does not say (UnionPay
    /// operating rules: 115).
    pub const COMPLETION_PERCENT: u16 = 115;
    /// The most that a tip may add in per cent, where a product does not say.
    pub const TIP_PERCENT: u16 = 20;

    /// Returns the terms of an unnamed product that demands little: no PIN, every right, no limit
    /// below the ceiling, main money only.
    #[must_use]
    pub fn plain(product: ProductId) -> Self {
        Self {
            product,
            named: false,
            pin: PinPolicy::Never,
            transaction_max: Self::CAP_UNNAMED,
            draw: PurseOrder::from_slice(&[Purse::Main]),
            refund_days: 30,
            rights: Rights::ALL,
            acceptance: Acceptance::default(),
            limits: Limits::default(),
            hold_days: Self::HOLD_DAYS,
            completion_percent: Self::COMPLETION_PERCENT,
            tip_percent: Self::TIP_PERCENT,
        }
    }

    /// Returns the most money the card may hold.
    #[must_use]
    pub const fn cap(&self) -> Amount {
        if self.named { Self::CAP_NAMED } else { Self::CAP_UNNAMED }
    }
}
