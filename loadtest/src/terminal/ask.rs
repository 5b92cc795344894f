//! What is asked of a terminal.

use keys::KeyLayout;
use serde::{Deserialize, Serialize};

use super::Chip;
use super::kind::SlipKind;
use super::slip::{Digits, Imprint, Slip};
use crate::fen::Fen;
use crate::ids::{BatchNo, CardNumber, Expiry, Stan};
use crate::kit::TestCard;
use crate::secret::Pin;

/// A card as it is presented to the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'c> {
    /// Its number.
    pub card: &'c CardNumber,
    /// Its expiry date, if it has one.
    pub expiry: Option<Expiry>,
    /// How it is read.
    pub entry: Entry,
    /// The PIN its holder types.
    pub pin: Option<&'c Pin>,
}

impl<'c> Presented<'c> {
    /// A card of the kit, swiped, with its PIN.
    #[must_use]
    pub const fn swiped(card: &'c TestCard) -> Self {
        let TestCard { pan, expiry, pin, .. } = card;
        Self { card: pan, expiry: *expiry, entry: Entry::Stripe, pin: pin.as_ref() }
    }
}

/// How a card is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Its stripe; the number stands in the track alone.
    Stripe,
    /// Its stripe, number and expiry date in their fields as well.
    StripeWithPan,
    /// Its number is typed.
    Manual,
    /// Its chip.
    Chip(Chip),
}

/// What a sign-on asks for (field 60.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignOn {
    /// Single DES.
    Single,
    /// Double-length keys.
    Double,
    /// Double-length keys, a track key too.
    DoubleWithTrack,
    /// SM4.
    Sm4,
    /// SM4, a track key too.
    Sm4WithTrack,
}

impl SignOn {
    /// What a terminal asks for that is set up with `layout`.
    #[must_use]
    pub const fn for_layout(layout: KeyLayout) -> Self {
        match layout {
            KeyLayout::Des24 => Self::Single,
            KeyLayout::Des40A | KeyLayout::Des40B | KeyLayout::Des56 => Self::Double,
            KeyLayout::Des60A | KeyLayout::Des60B | KeyLayout::Des84 => Self::DoubleWithTrack,
            KeyLayout::Sm4x40 => Self::Sm4,
            KeyLayout::Sm4x60 => Self::Sm4WithTrack,
        }
    }

    /// What a request with this code (field 60.3) asks for; `None` if it is no sign-on.
    #[must_use]
    pub const fn of_code(code: &[u8]) -> Option<Self> {
        Some(match code {
            b"001" => Self::Single,
            b"003" => Self::Double,
            b"004" => Self::DoubleWithTrack,
            b"005" => Self::Sm4,
            b"006" => Self::Sm4WithTrack,
            _ => return None,
        })
    }

    pub(super) const fn code(self) -> &'static [u8; 3] {
        match self {
            Self::Single => b"001",
            Self::Double => b"003",
            Self::DoubleWithTrack => b"004",
            Self::Sm4 => b"005",
            Self::Sm4WithTrack => b"006",
        }
    }
}

/// Why a reversal is sent (field 39 of a reversal).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No answer came in time.
    NoAnswer,
    /// The answer's message code was wrong or missing.
    BadMac,
    /// Terminal or card had trouble after the answer.
    Trouble,
}

impl Reason {
    pub(super) const fn code(self) -> &'static [u8; 2] {
        match self {
            Self::NoAnswer => b"98",
            Self::BadMac => b"A0",
            Self::Trouble => b"06",
        }
    }
}

/// A reversal that must be sent before anything else.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Owed {
    /// What it undoes.
    pub kind: SlipKind,
    /// What it repeats of the request it undoes.
    pub imprint: Imprint,
    /// Why.
    pub reason: Reason,
    /// The authorisation code of the original, if one was received.
    pub(super) auth: Option<String>,
    /// How often the host has refused it.
    pub(super) refused: u8,
}

impl Owed {
    /// What refers to another transaction carries its own batch and trace number in field 61 of
    /// its reversal.
    pub(super) const fn names_itself(&self) -> bool {
        self.kind.is_void() || self.kind.is_completion()
    }
}

/// The original of a refund.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Original {
    /// Its reference (field 37).
    pub rrn: String,
    /// Its authorisation code (field 38), if known.
    pub auth: Option<String>,
    /// Its batch.
    pub batch: BatchNo,
    /// Its trace number.
    pub stan: Stan,
    /// Its local date, MMDD; zeros if unknown.
    pub date: Digits<4>,
}

impl Original {
    /// The original that a slip names.
    #[must_use]
    pub fn of(slip: &Slip) -> Self {
        Self {
            rrn: slip.rrn.clone(),
            auth: slip.auth.clone(),
            batch: slip.imprint.batch,
            stan: slip.imprint.stan,
            date: slip.date,
        }
    }
}

/// Money that a pre-authorisation holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    /// Its authorisation code (field 38), by which it is found.
    pub auth: String,
    /// Its reference (field 37), if known.
    pub rrn: Option<String>,
    /// Its batch and trace number, if known.
    pub at: Option<(BatchNo, Stan)>,
    /// Its local date, MMDD; zeros if unknown.
    pub date: Digits<4>,
}

impl Hold {
    /// What the slip of a pre-authorisation holds; `None` for another slip.
    #[must_use]
    pub fn of(slip: &Slip) -> Option<Self> {
        if slip.kind != SlipKind::PreAuth {
            return None;
        }
        Some(Self {
            auth: slip.hold.clone()?,
            rrn: Some(slip.rrn.clone()).filter(|rrn| !rrn.is_empty()),
            at: Some((slip.imprint.batch, slip.imprint.stan)),
            date: slip.date,
        })
    }

    /// Field 61: batch and trace number, or zeros, and the date.
    pub(super) fn f61(&self) -> String {
        match self.at {
            Some((batch, stan)) => format!("{batch}{stan}{}", self.date),
            None => format!("{:012}{}", 0, self.date),
        }
    }
}

/// What the last account verification said.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verified {
    /// The card.
    pub card: CardNumber,
    /// Its batch.
    pub batch: BatchNo,
    /// Its trace number.
    pub stan: Stan,
    /// Its reference (field 37).
    pub rrn: String,
    /// The most that may be loaded, if the host said so.
    pub fen_max: Option<Fen>,
}
