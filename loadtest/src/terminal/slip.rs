//! The slips of a batch, as the terminal prints them.

use serde::{Deserialize, Serialize};

use super::Reply;
use super::kind::{Side, SlipKind};
use crate::fen::Fen;
use crate::ids::{BatchNo, CardNumber, Expiry, Stan};

/// What became of a slip.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlipState {
    /// It stands.
    Approved,
    /// A sale that was voided. It still counts in debit; its void counts in credit.
    Voided,
    /// Undone by a reversal. It counts nowhere.
    Reversed,
    /// Held money that was taken.
    Completed,
    /// Told to the host, which did not take it. It counts nowhere.
    Refused,
    /// Nobody knows; a person must ask.
    Doubtful,
}

/// What a reversal repeats of the request it undoes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Imprint {
    /// Trace number (field 11).
    pub stan: Stan,
    /// Batch (field 60.2).
    pub batch: BatchNo,
    /// Processing code (field 3).
    pub(super) processing: Digits<6>,
    /// Amount (field 4).
    pub amount: Fen,
    /// Card number (field 2).
    pub card: CardNumber,
    /// Expiry date (field 14), if it was sent.
    pub(super) expiry: Option<Expiry>,
    /// Entry mode (field 22).
    pub(super) entry_mode: Digits<3>,
    /// True if the request carried the card's sequence number (field 23).
    pub(super) has_sequence: bool,
    /// Field 55 of the reversal, for a chip card.
    #[serde(default, with = "hex", skip_serializing_if = "Option::is_none")]
    pub(super) chip: Option<Vec<u8>>,
    /// Field 55 of the request, for a chip card.
    #[serde(default, with = "hex", skip_serializing_if = "Option::is_none")]
    pub(super) f55: Option<Vec<u8>>,
    /// Field 60.
    pub(super) f60: String,
}

/// What a request says of the transaction it refers to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Reference {
    /// Field 37.
    pub(super) rrn: Option<String>,
    /// Field 38, if the original had one.
    pub(super) auth: Option<String>,
    /// Field 61.
    pub(super) f61: Option<String>,
}

/// One transaction the terminal saw approved.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Slip {
    /// What it is for.
    pub kind: SlipKind,
    /// What became of it.
    pub state: SlipState,
    /// What it repeats of its request.
    pub imprint: Imprint,
    /// The reference the host gave (field 37).
    pub rrn: String,
    /// The authorisation code the host gave (field 38).
    pub auth: Option<String>,
    /// The local date of the answer (field 13), MMDD; zeros if there was none.
    pub date: Digits<4>,
    /// For a void, the trace number of the sale.
    pub of: Option<Stan>,
    /// The authorisation code of the pre-authorisation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// The amount that was asked for, if a tip or an adjustment has changed it: a reversal says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked: Option<Fen>,
    /// The tip that is part of the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Fen>,
    /// True if the card accepted although it could not authenticate its issuer.
    #[serde(default)]
    pub(super) is_issuer_doubted: bool,
}

/// What a transaction is to another.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// The trace number of the other.
    pub(super) of: Option<Stan>,
    /// The authorisation code of the pre-authorisation that both belong to.
    pub(super) hold: Option<String>,
}

impl Slip {
    /// One that stands, before the host has said anything of it.
    pub(super) fn new(kind: SlipKind, imprint: Imprint, link: Link) -> Self {
        Self {
            kind,
            state: SlipState::Approved,
            imprint,
            rrn: String::new(),
            auth: None,
            date: Digits(*b"0000"),
            of: link.of,
            hold: link.hold,
            asked: None,
            tip: None,
            is_issuer_doubted: false,
        }
    }

    /// The same with what an approval says; the amount is what was approved.
    pub(super) fn answered(mut self, reply: &Reply) -> Self {
        self.imprint.amount = reply.amount.unwrap_or(self.imprint.amount);
        self.rrn = reply.rrn.clone().unwrap_or_default();
        self.auth.clone_from(&reply.auth_code);
        self.date = reply.date.unwrap_or(self.date);
        if self.kind == SlipKind::PreAuth {
            self.hold.clone_from(&self.auth);
        }
        self
    }

    pub(super) fn link(&self) -> Link {
        Link { of: self.of, hold: self.hold.clone() }
    }

    /// True if it counts in the totals of the batch.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self.state {
            SlipState::Approved | SlipState::Voided => self.kind.row().side != Side::Neither,
            SlipState::Reversed
            | SlipState::Completed
            | SlipState::Refused
            | SlipState::Doubtful => false,
        }
    }

    /// True if something may still refer to it when its batch is closed.
    pub(super) fn outlives_batch(&self) -> bool {
        !matches!(self.state, SlipState::Reversed | SlipState::Refused)
    }

    /// True if it holds money for this purpose.
    pub(super) fn holds(&self, card: &CardNumber, hold: &str) -> bool {
        self.kind.is_hold() && self.imprint.card == *card && self.hold.as_deref() == Some(hold)
    }
}

/// Sums and counts of a batch (field 48 of a settlement).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Sum of what cards paid.
    pub debit: Fen,
    /// Number of those transactions.
    pub debit_count: u32,
    /// Sum of what went back: voids and refunds.
    pub credit: Fen,
    /// Number of those transactions.
    pub credit_count: u32,
}

impl Totals {
    /// The totals of the slips that count.
    #[must_use]
    pub fn of<'s>(slips: impl Iterator<Item = &'s Slip>) -> Self {
        slips.filter(|slip| slip.counts()).fold(Self::default(), |mut totals, slip| {
            let amount = slip.imprint.amount;
            match slip.kind.row().side {
                Side::Debit => {
                    totals.debit = totals.debit.plus(amount);
                    totals.debit_count = totals.debit_count.saturating_add(1);
                }
                Side::Credit => {
                    totals.credit = totals.credit.plus(amount);
                    totals.credit_count = totals.credit_count.saturating_add(1);
                }
                Side::Neither => {}
            }
            totals
        })
    }
}

/// A fixed number of decimal digits as they stand in a message.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digits<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Digits<N> {
    /// The ASCII digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Takes exactly `N` ASCII digits.
    #[must_use]
    pub fn new(digits: &[u8]) -> Option<Self> {
        let digits: [u8; N] = digits.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }
}

impl<const N: usize> std::fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl<const N: usize> std::fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Digits<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Digits<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("digits expected"))
    }
}

/// Bytes as hexadecimal text.
pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&const_hex::encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let decode = |text: String| {
            const_hex::decode(text)
                .map_err(|_| serde::de::Error::custom("hexadecimal digits expected"))
        };
        Option::<String>::deserialize(deserializer)?.map(decode).transpose()
    }
}
