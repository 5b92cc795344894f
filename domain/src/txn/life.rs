//! The life of one transaction.

use serde::{Deserialize, Serialize};

use super::TxnKind;
use crate::ledger::{Parts, Purse};
use crate::terms::{Amount, BatchNo, BusinessDate, CardId, MerchantId, Refusal, Stan};
use crate::terms::{TerminalId, Timestamp};

/// What makes a request the same request: the terminal, its batch and its trace number.
///
/// A reversal carries the key of the transaction it undoes. The terminal's clock is not part of
/// it: few terminals send F12 and F13, and those that do may refresh them on a repeat.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct TxnKey {
    /// The terminal (F41).
    pub terminal: TerminalId,
    /// Its batch (F60.2).
    pub batch: BatchNo,
    /// Its trace number (F11).
    pub stan: Stan,
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum TxnState {
    /// Done.
    Approved,
    /// Refused, for good: a late copy meets the same refusal.
    Refused(Refusal),
    /// Undone by a void.
    Voided,
    /// Undone because nobody saw its outcome.
    Reversed,
    /// Its reversal came before it did: it must not happen any more.
    Barred,
    /// Used up by what followed it: a pre-authorisation by its completion, a verification by its
    /// top-up.
    Used,
    /// A pre-authorisation whose time is over.
    Expired,
}

/// What may befall a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// A void.
    Void,
    /// The reversal of the void that voided it.
    Unvoid,
    /// More is set aside for a pre-authorisation, or another amount is told for a sale.
    Change,
    /// What it was made for: a completion, a top-up.
    Use,
    /// That was undone.
    Unuse,
    /// Its time is over.
    Expire,
    /// A refund, in part or whole.
    Refund,
    /// A reversal.
    Reverse,
}

impl TxnState {
    /// Returns the state after `action`, or why it may not happen.
    ///
    /// # Errors
    /// The refusal to answer. What is not listed is refused.
    pub const fn after(self, action: Action) -> Result<Self, Refusal> {
        Ok(match (self, action) {
            (Self::Approved, Action::Void) => Self::Voided,
            (Self::Approved, Action::Refund | Action::Change)
            | (Self::Voided, Action::Unvoid)
            | (Self::Used, Action::Unuse) => Self::Approved,
            (Self::Approved, Action::Reverse) => Self::Reversed,
            (Self::Approved, Action::Use) => Self::Used,
            (Self::Approved, Action::Expire) => Self::Expired,
            (Self::Approved, Action::Unvoid | Action::Unuse) => {
                return Err(Refusal::OriginalOutOfReach);
            }
            (Self::Refused(_), _) => return Err(Refusal::OriginalRefused),
            (Self::Voided, _) => return Err(Refusal::OriginalVoided),
            (Self::Reversed, _) => return Err(Refusal::OriginalReversed),
            (Self::Barred, _) => return Err(Refusal::OriginalNotFound),
            (Self::Used, _) => return Err(Refusal::OriginalUsed),
            (Self::Expired, _) => return Err(Refusal::OriginalExpired),
        })
    }
}

/// A transaction as the shard of its card remembers it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Txn {
    /// What it is.
    pub kind: TxnKind,
    /// Where it stands.
    pub state: TxnState,
    /// The card.
    pub card: CardId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The amount that was asked for.
    pub amount: Amount,
    /// The amount that was approved: less than asked for, if a part was.
    pub approved: Amount,
    /// What moved or was set aside, purse by purse, with what was changed since.
    pub parts: Parts,
    /// What suspense bears of it, because the card did not have it. A refund gives this back
    /// first.
    pub suspense: Amount,
    /// What refunds have given back of it to the card.
    pub refunded: Parts,
    /// True if a refund gave back any of it, be it to the card or to suspense.
    pub is_refunded: bool,
    /// The transaction it belongs to.
    pub original: Option<TxnKey>,
    /// The transaction that used it up.
    pub follower: Option<TxnKey>,
    /// The number of its entry in the shard.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The business date it belongs to.
    pub date: BusinessDate,
}

impl Txn {
    /// Returns what it is worth: what moved, and is not refunded, in money or in points.
    #[must_use]
    pub fn worth(&self) -> Amount {
        worth_of(self.kind, &self.parts.minus(&self.refunded)).plus(self.suspense)
    }
}

/// Returns what `parts` are worth to a transaction of this kind: its points, or the money.
#[must_use]
pub fn worth_of(kind: TxnKind, parts: &Parts) -> Amount {
    if kind.is_of_points() { parts.of(Purse::Points) } else { parts.money() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(name: &str) -> TxnState {
        match name {
            "Approved" => TxnState::Approved,
            "Refused" => TxnState::Refused(Refusal::InsufficientFunds),
            "Voided" => TxnState::Voided,
            "Reversed" => TxnState::Reversed,
            "Barred" => TxnState::Barred,
            "Used" => TxnState::Used,
            "Expired" => TxnState::Expired,
            other => panic!("no state {other}"),
        }
    }

    const ACTIONS: [(&str, Action); 8] = [
        ("Void", Action::Void),
        ("Unvoid", Action::Unvoid),
        ("Change", Action::Change),
        ("Use", Action::Use),
        ("Unuse", Action::Unuse),
        ("Expire", Action::Expire),
        ("Refund", Action::Refund),
        ("Reverse", Action::Reverse),
    ];

    /// One row a state, one column an action, in the order of `ACTIONS`.
    #[test]
    fn life() {
        let table = "
            Approved Voided    -OutOfReach Approved  Used      -OutOfReach Expired   Approved  Reversed
            Voided   -Voided   Approved    -Voided   -Voided   -Voided     -Voided   -Voided   -Voided
            Reversed -Reversed -Reversed   -Reversed -Reversed -Reversed   -Reversed -Reversed -Reversed
            Refused  -Refused  -Refused    -Refused  -Refused  -Refused    -Refused  -Refused  -Refused
            Barred   -NotFound -NotFound   -NotFound -NotFound -NotFound   -NotFound -NotFound -NotFound
            Used     -Used     -Used       -Used     -Used     Approved    -Used     -Used     -Used
            Expired  -Expired  -Expired    -Expired  -Expired  -Expired    -Expired  -Expired  -Expired
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let words: Vec<_> = row.split_whitespace().collect();
            for ((name, action), expected) in ACTIONS.into_iter().zip(&words[1..]) {
                let after = state(words[0]).after(action);
                match expected.strip_prefix('-') {
                    Some(refusal) => {
                        let told = format!("{:?}", after.unwrap_err());
                        assert_eq!(told, format!("Original{refusal}"), "{} {name}", words[0]);
                    }
                    None => assert_eq!(after, Ok(state(expected)), "{} {name}", words[0]),
                }
            }
        }
    }
}
