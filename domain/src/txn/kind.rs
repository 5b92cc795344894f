//! The kinds of transactions, and what sets each apart: one table.

use serde::{Deserialize, Serialize};

use crate::issuing::Right;

/// What a transaction is. The order is the stored form: append, never insert.
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
    /// Money is set aside for a later completion; with an original, more is set aside for it.
    PreAuth,
    /// What was set aside is free again.
    PreAuthVoid,
    /// What was set aside is taken, in part, whole or a little more.
    Completion,
    /// The same, told after the event: it is taken in even if the money is not there.
    CompletionAdvice,
    /// A completion of the open batch is undone by the cashier.
    CompletionVoid,
    /// A sale that was approved without asking.
    OfflineSale,
    /// A sale of the open batch gets another amount: a tip was added, or it was mistyped.
    Adjustment,
    /// A sale that was paid from the chip's own purse.
    ECash,
    /// May this card be loaded, and with how much?
    Verification,
    /// The card is loaded for cash.
    TopUp,
    /// The same, said once more because no answer came.
    TopUpConfirm,
    /// The points are asked for.
    PointsInquiry,
    /// Points go from the card to the merchant.
    PointsSale,
    /// A points sale of the open batch is undone by the cashier.
    PointsVoid,
    /// A card that was sold comes into use.
    Activation,
    /// The cardholder chooses another PIN.
    PinChange,
    /// What became of the commands that an answer had for the chip.
    ScriptNotice,
}

/// What a transaction does to the money of its card.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// The card pays the merchant.
    Pay,
    /// The card gets back what it paid.
    PayBack,
    /// Money of the card is set aside.
    Hold,
    /// Money that was set aside is free again.
    Release,
    /// The card is loaded.
    Load,
    /// None moves.
    Nothing,
}

/// Where the totals of a batch count a transaction (F48).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Among what the merchant gets.
    Debit,
    /// Among what the merchant gives back.
    Credit,
}

/// How a transaction says which earlier one it belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// It belongs to none.
    None,
    /// By batch and trace number of the same terminal (F61), and the reference where it has one.
    Slip,
    /// By the reference (F37).
    Reference,
    /// By the card and the authorisation code (F38).
    Authorisation,
}

impl TxnKind {
    /// Every kind, in stored order.
    pub const ALL: [Self; 21] = [
        Self::Sale,
        Self::Void,
        Self::Refund,
        Self::Inquiry,
        Self::PreAuth,
        Self::PreAuthVoid,
        Self::Completion,
        Self::CompletionAdvice,
        Self::CompletionVoid,
        Self::OfflineSale,
        Self::Adjustment,
        Self::ECash,
        Self::Verification,
        Self::TopUp,
        Self::TopUpConfirm,
        Self::PointsInquiry,
        Self::PointsSale,
        Self::PointsVoid,
        Self::Activation,
        Self::PinChange,
        Self::ScriptNotice,
    ];

    /// Returns what it does to the money of its card.
    #[must_use]
    pub const fn flow(self) -> Flow {
        match self {
            Self::Sale
            | Self::Completion
            | Self::CompletionAdvice
            | Self::OfflineSale
            | Self::Adjustment
            | Self::ECash
            | Self::PointsSale => Flow::Pay,
            Self::Void | Self::Refund | Self::CompletionVoid | Self::PointsVoid => Flow::PayBack,
            Self::PreAuth => Flow::Hold,
            Self::PreAuthVoid => Flow::Release,
            Self::TopUp | Self::TopUpConfirm => Flow::Load,
            Self::Inquiry
            | Self::Verification
            | Self::PointsInquiry
            | Self::Activation
            | Self::PinChange
            | Self::ScriptNotice => Flow::Nothing,
        }
    }

    /// Returns where the totals of its batch count it. An adjustment counts through the slip that
    /// it changes.
    #[must_use]
    pub const fn side(self) -> Option<Side> {
        match self.flow() {
            Flow::Pay if matches!(self, Self::Adjustment) => None,
            Flow::Pay => Some(Side::Debit),
            Flow::PayBack => Some(Side::Credit),
            Flow::Hold | Flow::Release | Flow::Load | Flow::Nothing => None,
        }
    }

    /// Returns how it says which earlier transaction it belongs to.
    #[must_use]
    pub const fn link(self) -> Link {
        match self {
            Self::Void
            | Self::CompletionVoid
            | Self::PointsVoid
            | Self::Adjustment
            | Self::TopUp
            | Self::TopUpConfirm => Link::Slip,
            Self::Refund => Link::Reference,
            Self::PreAuth | Self::PreAuthVoid | Self::Completion | Self::CompletionAdvice => {
                Link::Authorisation
            }
            Self::Sale
            | Self::Inquiry
            | Self::OfflineSale
            | Self::ECash
            | Self::Verification
            | Self::PointsInquiry
            | Self::PointsSale
            | Self::Activation
            | Self::PinChange
            | Self::ScriptNotice => Link::None,
        }
    }

    /// True if it may belong to a transaction of kind `original`.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds belong to nothing")]
    pub const fn belongs_to(self, original: Self) -> bool {
        match self {
            Self::Void => matches!(original, Self::Sale | Self::OfflineSale),
            Self::CompletionVoid => matches!(original, Self::Completion | Self::CompletionAdvice),
            Self::PointsVoid => matches!(original, Self::PointsSale),
            Self::Refund => original.is_refundable(),
            Self::Adjustment => matches!(original, Self::Sale | Self::OfflineSale),
            Self::PreAuth | Self::PreAuthVoid | Self::Completion | Self::CompletionAdvice => {
                matches!(original, Self::PreAuth)
            }
            Self::TopUp | Self::TopUpConfirm => matches!(original, Self::Verification),
            _ => false,
        }
    }

    /// True if a refund may give its money back.
    #[must_use]
    pub const fn is_refundable(self) -> bool {
        matches!(
            self,
            Self::Sale
                | Self::Completion
                | Self::CompletionAdvice
                | Self::OfflineSale
                | Self::ECash
        )
    }

    /// True if a reversal undoes it.
    #[must_use]
    pub const fn is_reversible(self) -> bool {
        matches!(
            self,
            Self::Sale
                | Self::Void
                | Self::PreAuth
                | Self::PreAuthVoid
                | Self::Completion
                | Self::CompletionVoid
                | Self::PointsSale
                | Self::PointsVoid
                | Self::Activation
        )
    }

    /// True if it tells of what has happened: it is taken in even where the money is not there.
    #[must_use]
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::CompletionAdvice | Self::OfflineSale | Self::Adjustment | Self::ECash)
    }

    /// True if it tells of what has happened, whatever it moves: nobody can do without it.
    #[must_use]
    pub const fn is_told(self) -> bool {
        self.is_advice() || matches!(self, Self::ScriptNotice | Self::TopUpConfirm)
    }

    /// True if it moves points, not money.
    #[must_use]
    pub const fn is_of_points(self) -> bool {
        matches!(self, Self::PointsSale | Self::PointsVoid | Self::PointsInquiry)
    }

    /// True if it asks for a state and changes none: a repeat is asked anew.
    #[must_use]
    pub const fn is_inquiry(self) -> bool {
        matches!(self, Self::Inquiry | Self::PointsInquiry)
    }

    /// Returns the right that a card, and its terminal, must have for it. What undoes another
    /// transaction needs none.
    #[must_use]
    pub const fn right(self) -> Option<Right> {
        Some(match self {
            Self::Sale => Right::Sale,
            Self::Refund => Right::Refund,
            Self::Inquiry => Right::Inquiry,
            Self::PreAuth | Self::Completion | Self::CompletionAdvice => Right::PreAuth,
            Self::OfflineSale | Self::Adjustment => Right::Offline,
            Self::ECash => Right::ECash,
            Self::Verification | Self::TopUp | Self::TopUpConfirm => Right::TopUp,
            Self::PointsInquiry | Self::PointsSale => Right::Points,
            Self::Activation => Right::Activation,
            Self::PinChange => Right::PinChange,
            Self::Void
            | Self::PreAuthVoid
            | Self::CompletionVoid
            | Self::PointsVoid
            | Self::ScriptNotice => return None,
        })
    }

    /// Returns the name that logs, metrics and the ledger carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Inquiry => "inquiry",
            Self::PreAuth => "pre_auth",
            Self::PreAuthVoid => "pre_auth_void",
            Self::Completion => "completion",
            Self::CompletionAdvice => "completion_advice",
            Self::CompletionVoid => "completion_void",
            Self::OfflineSale => "offline_sale",
            Self::Adjustment => "adjustment",
            Self::ECash => "e_cash",
            Self::Verification => "verification",
            Self::TopUp => "top_up",
            Self::TopUpConfirm => "top_up_confirm",
            Self::PointsInquiry => "points_inquiry",
            Self::PointsSale => "points_sale",
            Self::PointsVoid => "points_void",
            Self::Activation => "activation",
            Self::PinChange => "pin_change",
            Self::ScriptNotice => "script_notice",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_links_belongs_to_something_and_the_rest_to_nothing() {
        for kind in TxnKind::ALL {
            let has_originals = TxnKind::ALL.iter().any(|&original| kind.belongs_to(original));
            assert_eq!(kind.link() != Link::None, has_originals, "{kind:?}");
        }
    }

    #[test]
    fn names_differ_and_no_advice_is_reversed() {
        for (place, kind) in TxnKind::ALL.iter().enumerate() {
            assert!(TxnKind::ALL[..place].iter().all(|other| other.name() != kind.name()));
            assert!(!(kind.is_advice() && kind.is_reversible()), "{kind:?}");
        }
    }
}
