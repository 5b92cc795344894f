//! The transactions of a terminal, as one table.

use serde::{Deserialize, Serialize};

/// What a slip is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlipKind {
    /// Money goes from the card to the merchant.
    Sale,
    /// A sale of the open batch is undone by the cashier.
    Void,
    /// Money of an earlier sale goes back.
    Refund,
    /// Money is held, to be taken later.
    PreAuth,
    /// More is held for the same purpose.
    AdditionalPreAuth,
    /// What is held is let go.
    PreAuthVoid,
    /// What is held is taken, after the host has agreed.
    Completion,
    /// What is held is taken, and the host is told.
    CompletionAdvice,
    /// A completion of the open batch is undone.
    CompletionVoid,
    /// A sale that was agreed to in another way; the host is told.
    OfflineSale,
    /// A sale from the money on a chip; the host is told.
    ECash,
    /// Cash goes onto a card.
    TopUp,
    /// Points are spent.
    PointsSale,
    /// A points sale of the open batch is undone.
    PointsVoid,
    /// A sale by mail or telephone.
    MotoSale,
    /// A sale by mail or telephone of the open batch is undone.
    MotoVoid,
    /// Money of an earlier sale by mail or telephone goes back.
    MotoRefund,
    /// A card is made usable.
    Activation,
}

/// What a request without an answer leaves behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// Its reversal.
    Reversal,
    /// Its confirmation: the money is in the till.
    Confirm,
    /// Itself: it is told again.
    Notice,
    /// Nothing: its outcome is asked for by telephone.
    Nothing,
}

/// On which side of the totals a transaction stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Debit,
    Credit,
    Neither,
}

/// What fields MTI, 3, 25 and 60.1 say of a transaction, and what it leaves behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) mti: &'static [u8; 4],
    pub(super) processing: &'static [u8; 6],
    pub(super) condition: &'static [u8; 2],
    pub(super) code: &'static [u8; 2],
    pub(super) silence: Silence,
    pub(super) side: Side,
}

const fn row(
    mti: &'static [u8; 4],
    processing: &'static [u8; 6],
    condition: &'static [u8; 2],
    code: &'static [u8; 2],
    silence: Silence,
    side: Side,
) -> Row {
    Row { mti, processing, condition, code, silence, side }
}

/// Requests that leave no slip.
#[rustfmt::skip]
mod plain {
    use super::{Row, Side, Silence, row};

    //                                     MTI      F3         F25    60.1   silence leaves     totals
    pub(in super::super) const BALANCE: Row =
                                       row(b"0200", b"310000", b"00", b"01", Silence::Nothing,  Side::Neither);
    pub(in super::super) const POINTS: Row =
                                       row(b"0200", b"310000", b"65", b"03", Silence::Nothing,  Side::Neither);
    pub(in super::super) const VERIFICATION: Row =
                                       row(b"0100", b"330000", b"00", b"01", Silence::Nothing,  Side::Neither);
    pub(in super::super) const CHANGE_PIN: Row =
                                       row(b"0200", b"920000", b"82", b"97", Silence::Nothing,  Side::Neither);
    /// Changes the amount of an offline sale.
    pub(in super::super) const ADJUSTMENT: Row =
                                       row(b"0220", b"000000", b"00", b"32", Silence::Notice,   Side::Neither);
    /// Adds a tip to a sale.
    pub(in super::super) const TIP: Row =
                                       row(b"0220", b"000000", b"00", b"34", Silence::Notice,   Side::Neither);
    /// Follows a top-up whose outcome nobody saw; its trace number and amount are those of it.
    pub(in super::super) const CONFIRM: Row =
                                       row(b"0220", b"630000", b"00", b"48", Silence::Confirm,  Side::Neither);
}
pub(super) use plain::{ADJUSTMENT, BALANCE, CHANGE_PIN, CONFIRM, POINTS, TIP, VERIFICATION};

impl SlipKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Sale,
        Self::Void,
        Self::Refund,
        Self::PreAuth,
        Self::AdditionalPreAuth,
        Self::PreAuthVoid,
        Self::Completion,
        Self::CompletionAdvice,
        Self::CompletionVoid,
        Self::OfflineSale,
        Self::ECash,
        Self::TopUp,
        Self::PointsSale,
        Self::PointsVoid,
        Self::MotoSale,
        Self::MotoVoid,
        Self::MotoRefund,
        Self::Activation,
    ];

    #[rustfmt::skip]
    pub(super) const fn row(self) -> Row {
        match self {
            //                                 MTI      F3         F25    60.1   silence leaves     totals
            Self::Sale              =>     row(b"0200", b"000000", b"00", b"22", Silence::Reversal, Side::Debit),
            Self::Void              =>     row(b"0200", b"200000", b"00", b"23", Silence::Reversal, Side::Credit),
            Self::Refund            =>     row(b"0220", b"200000", b"00", b"25", Silence::Nothing,  Side::Credit),
            Self::PreAuth           =>     row(b"0100", b"030000", b"06", b"10", Silence::Reversal, Side::Neither),
            Self::AdditionalPreAuth =>     row(b"0100", b"030000", b"60", b"10", Silence::Reversal, Side::Neither),
            Self::PreAuthVoid       =>     row(b"0100", b"200000", b"06", b"11", Silence::Reversal, Side::Neither),
            Self::Completion        =>     row(b"0200", b"000000", b"06", b"20", Silence::Reversal, Side::Debit),
            Self::CompletionAdvice  =>     row(b"0220", b"000000", b"06", b"24", Silence::Notice,   Side::Debit),
            Self::CompletionVoid    =>     row(b"0200", b"200000", b"06", b"21", Silence::Reversal, Side::Credit),
            Self::OfflineSale       =>     row(b"0220", b"000000", b"00", b"30", Silence::Notice,   Side::Debit),
            Self::ECash             =>     row(b"0200", b"000000", b"00", b"36", Silence::Notice,   Side::Debit),
            Self::TopUp             =>     row(b"0200", b"630000", b"00", b"48", Silence::Confirm,  Side::Neither),
            Self::PointsSale        =>     row(b"0200", b"000000", b"65", b"22", Silence::Reversal, Side::Debit),
            Self::PointsVoid        =>     row(b"0200", b"200000", b"65", b"23", Silence::Reversal, Side::Credit),
            Self::MotoSale          =>     row(b"0200", b"000000", b"08", b"22", Silence::Reversal, Side::Debit),
            Self::MotoVoid          =>     row(b"0200", b"200000", b"08", b"23", Silence::Reversal, Side::Credit),
            Self::MotoRefund        =>     row(b"0220", b"200000", b"08", b"25", Silence::Nothing,  Side::Credit),
            Self::Activation        =>     row(b"0200", b"900000", b"82", b"98", Silence::Reversal, Side::Neither),
        }
    }

    /// Its name, as state files have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::PreAuth => "pre-auth",
            Self::AdditionalPreAuth => "additional-pre-auth",
            Self::PreAuthVoid => "pre-auth-void",
            Self::Completion => "completion",
            Self::CompletionAdvice => "completion-advice",
            Self::CompletionVoid => "completion-void",
            Self::OfflineSale => "offline-sale",
            Self::ECash => "e-cash",
            Self::TopUp => "top-up",
            Self::PointsSale => "points-sale",
            Self::PointsVoid => "points-void",
            Self::MotoSale => "moto-sale",
            Self::MotoVoid => "moto-void",
            Self::MotoRefund => "moto-refund",
            Self::Activation => "activation",
        }
    }

    /// What a host books it as: to the books, how a card was presented makes no difference, nor
    /// that money was held already.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "most kinds are booked as what they are")]
    pub const fn booked_as(self) -> Self {
        match self {
            Self::MotoSale => Self::Sale,
            Self::MotoVoid => Self::Void,
            Self::MotoRefund => Self::Refund,
            Self::AdditionalPreAuth => Self::PreAuth,
            _ => self,
        }
    }

    /// True if an outcome that nobody saw is undone by a reversal.
    #[must_use]
    pub const fn is_reversible(self) -> bool {
        matches!(self.row().silence, Silence::Reversal)
    }

    /// What a cashier undoes it with; `None` for what is not undone.
    #[must_use]
    pub const fn voided_by(self) -> Option<Self> {
        match self {
            Self::Sale | Self::OfflineSale => Some(Self::Void),
            Self::PreAuth => Some(Self::PreAuthVoid),
            Self::Completion | Self::CompletionAdvice => Some(Self::CompletionVoid),
            Self::PointsSale => Some(Self::PointsVoid),
            Self::MotoSale => Some(Self::MotoVoid),
            Self::Void
            | Self::Refund
            | Self::AdditionalPreAuth
            | Self::PreAuthVoid
            | Self::CompletionVoid
            | Self::ECash
            | Self::TopUp
            | Self::PointsVoid
            | Self::MotoVoid
            | Self::MotoRefund
            | Self::Activation => None,
        }
    }

    /// True if it undoes another, and so takes the other's number into its own reversal.
    pub(super) const fn is_void(self) -> bool {
        match self {
            Self::Void
            | Self::PreAuthVoid
            | Self::CompletionVoid
            | Self::PointsVoid
            | Self::MotoVoid => true,
            Self::Sale
            | Self::Refund
            | Self::PreAuth
            | Self::AdditionalPreAuth
            | Self::Completion
            | Self::CompletionAdvice
            | Self::OfflineSale
            | Self::ECash
            | Self::TopUp
            | Self::PointsSale
            | Self::MotoSale
            | Self::MotoRefund
            | Self::Activation => false,
        }
    }

    /// True if it takes what an earlier request holds.
    pub(super) const fn is_completion(self) -> bool {
        matches!(self, Self::Completion | Self::CompletionAdvice)
    }

    /// True if it holds money.
    pub(super) const fn is_hold(self) -> bool {
        matches!(self, Self::PreAuth | Self::AdditionalPreAuth)
    }

    /// True if the terminal decided, and only tells.
    pub(crate) const fn is_notice(self) -> bool {
        matches!(self.row().silence, Silence::Notice)
    }

    /// True if less than was asked for is better than nothing.
    pub(super) const fn may_be_partial(self) -> bool {
        matches!(self, Self::Sale | Self::MotoSale)
    }
}

/// Whose points are meant (field 60.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// The issuer's.
    Issuer,
    /// UnionPay's.
    Union,
}

impl Scheme {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Issuer => "048",
            Self::Union => "065",
        }
    }

    /// That of a transaction with this field 60.
    pub(super) fn of_f60(f60: &str) -> Option<Self> {
        match f60.get(14..)? {
            "048" => Some(Self::Issuer),
            "065" => Some(Self::Union),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_look_the_same_and_each_has_the_name_of_state_files() {
        let mut seen = BTreeSet::new();
        let plain = [BALANCE, POINTS, VERIFICATION, CHANGE_PIN, ADJUSTMENT, TIP, CONFIRM];
        for row in SlipKind::ALL.map(SlipKind::row).into_iter().chain(plain) {
            assert!(seen.insert((row.mti, row.processing, row.condition, row.code)), "{row:?}");
        }
        for kind in SlipKind::ALL {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(name.as_str(), Some(kind.name()));
        }
    }

    #[test]
    fn a_void_is_undone_by_its_reversal_only() {
        for kind in SlipKind::ALL {
            let Some(void) = kind.voided_by() else { continue };
            assert!(void.is_void() && void.is_reversible(), "{void:?}");
            assert_eq!(void.voided_by(), None, "{void:?}");
            let is_held = kind == SlipKind::PreAuth;
            let sides = (kind.row().side, void.row().side);
            let expected =
                if is_held { (Side::Neither, Side::Neither) } else { (Side::Debit, Side::Credit) };
            assert_eq!(sides, expected, "{kind:?}");
        }
    }
}
