//! The life of one transaction.

use serde::{Deserialize, Serialize};

use crate::ledger::Parts;
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

/// What a transaction is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum TxnKind {
    /// Money goes from the card to the merchant.
    Sale,
    /// A sale of the open batch is undone by the cashier.
    Void,
    /// Money of an earlier sale comes back.
    Refund,
    /// The balance is asked for.
    Inquiry,
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum TxnState {
    /// Done.
    Approved,
    /// Refused, for good: a late copy meets the same refusal.
    Refused(Refusal),
    /// A sale whose money a void gave back.
    Voided,
    /// Undone because nobody saw its outcome.
    Reversed,
    /// Its reversal came before it did: it must not happen any more.
    Barred,
}

/// What may befall a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// A void of a sale.
    Void,
    /// The reversal of the void that voided it.
    Unvoid,
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
            (Self::Approved, Action::Refund) | (Self::Voided, Action::Unvoid) => Self::Approved,
            (Self::Approved, Action::Reverse) => Self::Reversed,
            (Self::Approved, Action::Unvoid) => return Err(Refusal::OriginalOutOfReach),
            (Self::Refused(_), _) => return Err(Refusal::OriginalRefused),
            (Self::Voided, Action::Void | Action::Refund | Action::Reverse) => {
                return Err(Refusal::OriginalVoided);
            }
            (Self::Reversed, _) => return Err(Refusal::OriginalReversed),
            (Self::Barred, _) => return Err(Refusal::OriginalNotFound),
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
    /// What moved, purse by purse.
    pub parts: Parts,
    /// What suspense still bears of it, because the card no longer had it when a void was
    /// reversed. A refund gives this back first.
    pub suspense: Amount,
    /// What refunds have given back of it to the card.
    pub refunded: Parts,
    /// For a void or refund, the transaction it belongs to.
    pub original: Option<TxnKey>,
    /// The number of its entry in the shard.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The business date it belongs to.
    pub date: BusinessDate,
}

impl Txn {
    /// True if a refund gave back any of it, be it to the card or to suspense.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        let was_paid = self.parts.money().plus(self.suspense);
        self.state == TxnState::Approved && was_paid.minus(self.refunded.money()) != self.amount
    }
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
            other => panic!("no state {other}"),
        }
    }

    fn check(table: &str) {
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let words: Vec<_> = row.split_whitespace().collect();
            let action = match words[1] {
                "Void" => Action::Void,
                "Unvoid" => Action::Unvoid,
                "Refund" => Action::Refund,
                "Reverse" => Action::Reverse,
                other => panic!("no action {other}"),
            };
            let after = state(words[0]).after(action);
            match words[2].strip_prefix('-') {
                Some(refusal) => assert_eq!(format!("{:?}", after.unwrap_err()), refusal, "{row}"),
                None => assert_eq!(after, Ok(state(words[2])), "{row}"),
            }
        }
    }

    #[test]
    fn life() {
        check(
            "
            Approved  Void     Voided
            Approved  Refund   Approved
            Approved  Reverse  Reversed
            Approved  Unvoid   -OriginalOutOfReach
            Voided    Void     -OriginalVoided
            Voided    Unvoid   Approved
            Voided    Refund   -OriginalVoided
            Voided    Reverse  -OriginalVoided
            Reversed  Void     -OriginalReversed
            Reversed  Unvoid   -OriginalReversed
            Reversed  Refund   -OriginalReversed
            Reversed  Reverse  -OriginalReversed
            Refused   Void     -OriginalRefused
            Refused   Unvoid   -OriginalRefused
            Refused   Refund   -OriginalRefused
            Refused   Reverse  -OriginalRefused
            Barred    Void     -OriginalNotFound
            Barred    Unvoid   -OriginalNotFound
            Barred    Refund   -OriginalNotFound
            Barred    Reverse  -OriginalNotFound
        ",
        );
    }
}
