//! What happened. The journal is a list of these; state is their fold.

use serde::{Deserialize, Serialize};

use crate::issuing::{CardStatus, Identity, Terms};
use crate::ledger::{LedgerAccount, Parts, Posting, Postings, Purse};
use crate::terms::{
    Amount, BatchNo, BusinessDate, CardId, Expiry, MerchantId, Refusal, ShardNo, Stan, TerminalId,
    Timestamp,
};
use crate::txn::{Care, Closing, Difference, TerminalProfile, TxnKey, TxnKind};

/// Something that happened in a shard.
///
/// The order of the variants, and of the fields in them, is the stored form: append, never
/// insert.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A card was issued and its account opened.
    CardIssued(Box<CardIssued>),
    /// A terminal was set up.
    TerminalRegistered {
        /// The terminal.
        terminal: TerminalId,
        /// What it is set up with.
        profile: TerminalProfile,
    },
    /// The shard moved to another business date.
    CutOff(BusinessDate),
    /// A sale, void, refund or inquiry was approved or refused.
    Transacted(Transacted),
    /// A transaction was undone.
    Reversed(Reversed),
    /// A reversal came before its original, which must not happen any more.
    Barred {
        /// The key of the original.
        key: TxnKey,
        /// What it is said to be.
        kind: TxnKind,
        /// The card, if the reversal named it; then this is the shard of the card, else that of
        /// the terminal.
        card: Option<CardId>,
        /// When.
        at: Timestamp,
    },
    /// A terminal signed on and got fresh working keys.
    SignedOn {
        /// The terminal.
        terminal: TerminalId,
        /// Its working keys, sealed under the local master key.
        sealed_keys: Box<[u8]>,
        /// When.
        at: Timestamp,
    },
    /// A terminal signed off.
    SignedOff {
        /// The terminal.
        terminal: TerminalId,
        /// When.
        at: Timestamp,
    },
    /// Something happened to a terminal batch.
    Batch {
        /// The terminal.
        terminal: TerminalId,
        /// What.
        event: BatchEvent,
    },
    /// Something was done to look after a terminal.
    Cared {
        /// The terminal.
        terminal: TerminalId,
        /// What.
        care: Care,
        /// When.
        at: Timestamp,
    },
}

/// A card was issued and its account opened with this money.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CardIssued {
    /// The card.
    pub card: CardId,
    /// The terms it was issued under.
    pub terms: Terms,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// The last month in which it is valid.
    pub expiry: Expiry,
    /// What links it to number and PIN.
    pub identity: Identity,
    /// What it is opened with.
    pub opening: Parts,
    /// What of that is set aside.
    pub held: Parts,
}

/// A sale, void, refund or inquiry was decided.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Transacted {
    /// What makes it this request.
    pub key: TxnKey,
    /// What it is.
    pub kind: TxnKind,
    /// The card.
    pub card: CardId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The amount that was asked for.
    pub amount: Amount,
    /// What moved, purse by purse, or why nothing did.
    pub outcome: Result<Parts, Refusal>,
    /// What suspense bore of the sale that this void or refund gives back, and gets back first.
    pub suspense: Amount,
    /// For a void or refund, the transaction it belongs to, once that is known.
    pub original: Option<TxnKey>,
    /// Wrong PINs in a row, where this request changes the count.
    pub wrong_pins: Option<u8>,
    /// When.
    pub at: Timestamp,
    /// The business date it belongs to.
    pub date: BusinessDate,
}

/// A transaction was undone because nobody saw its outcome.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Reversed {
    /// The transaction.
    pub key: TxnKey,
    /// What it was.
    pub kind: TxnKind,
    /// The card.
    pub card: CardId,
    /// The merchant.
    pub merchant: MerchantId,
    /// What moved back, purse by purse. For a void: what the card pays again.
    pub parts: Parts,
    /// For a sale: what suspense bore of it, and gets back. For a void: what the card should pay
    /// again but no longer has; the merchant gets it, and suspense bears it.
    pub suspense: Amount,
    /// When.
    pub at: Timestamp,
    /// The business date the undoing belongs to.
    pub date: BusinessDate,
}

/// Something happened to a terminal batch.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum BatchEvent {
    /// It was closed, and `next` takes slips.
    Closed {
        /// How the settlement ended.
        closing: Closing,
        /// The batch that follows.
        next: BatchNo,
    },
    /// Details of a closed batch came in.
    Uploaded {
        /// The batch.
        batch: BatchNo,
        /// Trace number and amount of each.
        details: Vec<(Stan, Amount)>,
        /// When.
        at: Timestamp,
    },
    /// The upload ended.
    Ended {
        /// The batch.
        batch: BatchNo,
        /// How it differs from the books.
        differences: Vec<Difference>,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// Returns the legs of the entry. They sum to zero in each unit.
    #[must_use]
    pub fn postings(&self) -> Postings {
        match self {
            Self::CardIssued(issued) => opening(issued),
            Self::Transacted(t) => match (t.outcome, t.kind) {
                (Ok(parts), TxnKind::Sale) => to_merchant(t.card, t.merchant, &parts),
                (Ok(parts), TxnKind::Void | TxnKind::Refund) => {
                    to_card(t.card, t.merchant, &parts, t.suspense)
                }
                (Ok(_), TxnKind::Inquiry) | (Err(_), _) => Postings::new(),
            },
            Self::Reversed(r) => match r.kind {
                TxnKind::Sale => to_card(r.card, r.merchant, &r.parts, r.suspense),
                TxnKind::Void => pay_again(r),
                TxnKind::Refund | TxnKind::Inquiry => Postings::new(),
            },
            Self::TerminalRegistered { .. }
            | Self::CutOff(_)
            | Self::Barred { .. }
            | Self::SignedOn { .. }
            | Self::SignedOff { .. }
            | Self::Batch { .. }
            | Self::Cared { .. } => Postings::new(),
        }
    }

    /// Returns the shard it belongs to: that of its card, else of its terminal. A cut-off belongs
    /// to each shard alike.
    #[must_use]
    pub const fn home(&self) -> Option<ShardNo> {
        match self {
            Self::CardIssued(issued) => Some(issued.card.shard()),
            Self::Transacted(Transacted { card, .. })
            | Self::Reversed(Reversed { card, .. })
            | Self::Barred { card: Some(card), .. } => Some(card.shard()),
            Self::Barred { key: TxnKey { terminal, .. }, card: None, .. }
            | Self::TerminalRegistered { terminal, .. }
            | Self::SignedOn { terminal, .. }
            | Self::SignedOff { terminal, .. }
            | Self::Batch { terminal, .. }
            | Self::Cared { terminal, .. } => Some(terminal.shard()),
            Self::CutOff(_) => None,
        }
    }

    /// Returns when it happened, where that is part of it.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Transacted(Transacted { at, .. })
            | Self::Reversed(Reversed { at, .. })
            | Self::Barred { at, .. }
            | Self::SignedOn { at, .. }
            | Self::SignedOff { at, .. }
            | Self::Cared { at, .. }
            | Self::Batch {
                event: BatchEvent::Uploaded { at, .. } | BatchEvent::Ended { at, .. },
                ..
            }
            | Self::Batch {
                event: BatchEvent::Closed { closing: Closing { at, .. }, .. }, ..
            } => Some(*at),
            Self::CardIssued(_) | Self::TerminalRegistered { .. } | Self::CutOff(_) => None,
        }
    }
}

fn opening(issued: &CardIssued) -> Postings {
    let mut postings = Postings::new();
    for (purse, amount) in issued.opening.iter() {
        let against = match purse {
            Purse::Main => LedgerAccount::Funding,
            Purse::Bonus => LedgerAccount::BonusGranted,
            Purse::Points => LedgerAccount::PointsGranted,
        };
        let leg = Posting::purse(issued.card, purse, amount);
        postings.push(leg);
        postings.push(Posting { account: against, unit: leg.unit, amount: amount.negated() });
    }
    postings
}

fn to_merchant(card: CardId, merchant: MerchantId, parts: &Parts) -> Postings {
    let mut postings: Postings =
        parts.iter().map(|(purse, amount)| Posting::purse(card, purse, amount.negated())).collect();
    postings.push(Posting::money(LedgerAccount::Merchant(merchant), parts.money()));
    postings
}

fn to_card(card: CardId, merchant: MerchantId, parts: &Parts, suspense: Amount) -> Postings {
    let mut postings: Postings =
        parts.iter().map(|(purse, amount)| Posting::purse(card, purse, amount)).collect();
    if suspense.is_positive() {
        postings.push(Posting::money(LedgerAccount::Suspense, suspense));
    }
    let taken = parts.money().plus(suspense).negated();
    postings.push(Posting::money(LedgerAccount::Merchant(merchant), taken));
    postings
}

fn pay_again(r: &Reversed) -> Postings {
    let mut postings: Postings = r
        .parts
        .iter()
        .map(|(purse, amount)| Posting::purse(r.card, purse, amount.negated()))
        .collect();
    if r.suspense.is_positive() {
        postings.push(Posting::money(LedgerAccount::Suspense, r.suspense.negated()));
    }
    let owed = r.parts.money().plus(r.suspense);
    postings.push(Posting::money(LedgerAccount::Merchant(r.merchant), owed));
    postings
}
