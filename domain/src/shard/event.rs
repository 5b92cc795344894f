//! What happened. The journal is a list of these; state is their fold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::faults::{self, Fault};
use crate::issuing::{CardStatus, Identity, Terms};
use crate::ledger::{LedgerAccount, Parts, Posting, Postings, Purse};
use crate::terms::{
    Amount, BatchNo, BusinessDate, CardId, Expiry, MerchantId, Refusal, ShardNo, Stan, TerminalId,
    Timestamp,
};
use crate::txn::{Care, Closing, Difference, Flow, TerminalProfile, TxnKey, TxnKind, worth_of};

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
    /// A transaction was approved or refused.
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

/// A transaction was decided.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
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
    /// What moved or was set aside, purse by purse, or why nothing was. For an adjustment, what
    /// moved beyond its original: less than nothing, if the amount became smaller.
    pub outcome: Result<Parts, Refusal>,
    /// What suspense bore, because the card did not have it. Of what gives back: what suspense
    /// had borne of it, and gets back first.
    pub suspense: Amount,
    /// What a completion's void sets aside again.
    pub held: Parts,
    /// The transaction it belongs to, once that is known.
    pub original: Option<TxnKey>,
    /// Wrong PINs in a row, where this request changes the count.
    pub wrong_pins: Option<u8>,
    /// The verification value of the card's new PIN, where this request changes it.
    pub new_pin: Option<[u8; 8]>,
    /// When.
    pub at: Timestamp,
    /// The business date it belongs to.
    pub date: BusinessDate,
}

impl Transacted {
    /// Returns the amount that was approved: less than asked for, if a part was. Nothing, if it
    /// was refused.
    #[must_use]
    pub fn approved(&self) -> Amount {
        match (self.outcome, self.kind.flow()) {
            (Err(_), _) => Amount::ZERO,
            (Ok(_), Flow::Nothing) => self.amount,
            // Told again, what was loaded before moves no more.
            (Ok(_), Flow::Load) => self.amount,
            (Ok(_), Flow::Release) => self.amount,
            (Ok(_), _) if self.kind == TxnKind::Adjustment => self.amount,
            (Ok(parts), Flow::Pay | Flow::PayBack | Flow::Hold) => {
                worth_of(self.kind, &parts).plus(self.suspense)
            }
        }
    }
}

impl fmt::Debug for Transacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transacted")
            .field("key", &self.key)
            .field("kind", &self.kind)
            .field("card", &self.card)
            .field("merchant", &self.merchant)
            .field("amount", &self.amount)
            .field("outcome", &self.outcome)
            .field("suspense", &self.suspense)
            .field("held", &self.held)
            .field("original", &self.original)
            .field("wrong_pins", &self.wrong_pins)
            .field("new_pin", &self.new_pin.map(|_| "***"))
            .field("at", &self.at)
            .field("date", &self.date)
            .finish()
    }
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
    /// What moved back, purse by purse. Of what had given back: what the card pays again.
    pub parts: Parts,
    /// What suspense bore of it, and gets back. Of what had given back: what the card should pay
    /// again but no longer has; the merchant gets it, and suspense bears it.
    pub suspense: Amount,
    /// What is set aside again, because the completion or the void of a pre-authorisation is
    /// undone.
    pub held: Parts,
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
            Self::Transacted(t) => t.outcome.map_or_else(
                |_refused| Postings::new(),
                |parts| legs(t.kind, t.kind.flow(), t.card, t.merchant, &parts, t.suspense),
            ),
            Self::Reversed(r) => {
                let flow = match r.kind.flow() {
                    Flow::Pay => Flow::PayBack,
                    Flow::PayBack => Flow::Pay,
                    Flow::Hold | Flow::Release | Flow::Load | Flow::Nothing => Flow::Nothing,
                };
                legs(r.kind, flow, r.card, r.merchant, &r.parts, r.suspense)
            }
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
        postings.push(Posting::purse(issued.card, purse, amount));
        postings.push(Posting::on(against, amount.negated()));
    }
    postings
}

/// Returns the legs of what moves `parts` between a card and a merchant, with what suspense bears
/// of it.
fn legs(
    kind: TxnKind,
    flow: Flow,
    card: CardId,
    merchant: MerchantId,
    parts: &Parts,
    suspense: Amount,
) -> Postings {
    let (on_card, against) = match flow {
        Flow::Pay => (Amount::negated as fn(Amount) -> Amount, merchant_of(kind, merchant)),
        Flow::PayBack => {
            (std::convert::identity as fn(Amount) -> Amount, merchant_of(kind, merchant))
        }
        Flow::Load => {
            (std::convert::identity as fn(Amount) -> Amount, LedgerAccount::TopUps(merchant))
        }
        Flow::Hold | Flow::Release | Flow::Nothing => return Postings::new(),
    };
    let mut postings: Postings =
        parts.iter().map(|(purse, amount)| Posting::purse(card, purse, on_card(amount))).collect();
    if !suspense.is_zero() {
        let bearer = if kind.is_of_points() {
            LedgerAccount::PointsSuspense
        } else {
            LedgerAccount::Suspense
        };
        postings.push(Posting::on(bearer, on_card(suspense)));
    }
    let moved = on_card(worth_of(kind, parts).plus(suspense)).negated();
    if !moved.is_zero() && !faults::is_planted(Fault::LegLost) {
        postings.push(Posting::on(against, moved));
    }
    postings
}

/// Returns the account of a merchant that a transaction of this kind pays into.
const fn merchant_of(kind: TxnKind, merchant: MerchantId) -> LedgerAccount {
    if kind.is_of_points() {
        LedgerAccount::PointsRedeemed(merchant)
    } else {
        LedgerAccount::Merchant(merchant)
    }
}
