//! What may be asked of a shard, and what it answers.

use std::fmt;

use crate::issuing::MerchantTraits;
use crate::ledger::Parts;
use crate::risk::PinFact;
use crate::terms::{
    Amount, AuthCode, BatchNo, BusinessDate, CardId, MerchantId, Refusal, Rrn, Stan, TerminalId,
    Timestamp,
};
use crate::txn::{Care, Closing, Difference, Totals, TxnKey, TxnKind};

use super::{CardIssued, Event};
use crate::txn::TerminalProfile;

/// What is asked of a shard. Facts that need keys, clocks or other shards come with it.
#[derive(Clone, Debug)]
pub enum Command {
    /// Opens the account of a new card.
    IssueCard(Box<CardIssued>),
    /// Sets up a terminal, or changes how it is set up.
    RegisterTerminal {
        /// The terminal.
        terminal: TerminalId,
        /// What it is set up with.
        profile: TerminalProfile,
    },
    /// Moves the shard to a later business date.
    CutOff(BusinessDate),
    /// A transaction of a card.
    Transact(Request),
    /// A reversal of a transaction of a known card.
    Reverse(Reversal),
    /// A reversal that names no card and whose original nobody knows.
    Bar(TxnKey),
    /// A fresh set of working keys, sealed.
    SignOn {
        /// The terminal.
        terminal: TerminalId,
        /// Its working keys, sealed under the local master key.
        sealed_keys: Box<[u8]>,
    },
    /// The terminal's keys are no longer to be used.
    SignOff(TerminalId),
    /// A settlement. Nothing of the terminal is in flight any more.
    CloseBatch {
        /// The terminal.
        terminal: TerminalId,
        /// The batch the terminal wants to close.
        batch: BatchNo,
        /// The totals the terminal claims.
        claimed: Totals,
        /// The totals of the open batch in the books.
        counted: Totals,
    },
    /// Details of a closed batch.
    Upload(Upload),
    /// The end of an upload.
    EndBatch {
        /// The terminal.
        terminal: TerminalId,
        /// The batch that was uploaded.
        batch: BatchNo,
        /// The slips of that batch in the books.
        booked: Vec<(Stan, Amount)>,
    },
    /// Something that is done to look after a terminal.
    Care {
        /// The terminal.
        terminal: TerminalId,
        /// What.
        care: Care,
    },
}

/// A transaction of a card.
#[derive(Clone, Debug)]
pub struct Request {
    /// What makes it this request.
    pub key: TxnKey,
    /// What it is.
    pub kind: TxnKind,
    /// True if the card is not there: an order by mail or telephone.
    pub by_mail: bool,
    /// True if the terminal takes a part, where there is not enough for all.
    pub takes_part: bool,
    /// The card.
    pub card: CardId,
    /// The merchant.
    pub merchant: MerchantId,
    /// What is known of the merchant.
    pub traits: MerchantTraits,
    /// The amount; nothing where none moves.
    pub amount: Amount,
    /// What was found out about the PIN.
    pub pin: PinFact,
    /// For a change of the PIN, what was found out about the new one.
    pub new_pin: Option<NewPin>,
    /// What it says of the transaction it belongs to, if it belongs to one.
    pub original: Option<Original>,
    /// Why it can only be a repeat, if so: its batch is closed, the terminal may not do such things
    /// any more, its clock is wrong, or it was told that the card is over (what is wrong with the
    /// card itself comes before that). A repeat is still answered as the first time.
    pub only_repeats: Option<Refusal>,
}

impl Request {
    /// Returns a request without a PIN, an original or anything else that not every request has.
    #[must_use]
    pub fn plain(key: TxnKey, kind: TxnKind, card: CardId, merchant: MerchantId) -> Self {
        Self {
            key,
            kind,
            by_mail: false,
            takes_part: false,
            card,
            merchant,
            traits: MerchantTraits::default(),
            amount: Amount::ZERO,
            pin: PinFact::Absent,
            new_pin: None,
            original: None,
            only_repeats: None,
        }
    }
}

/// What the key side found out about a PIN that shall become that of a card.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum NewPin {
    /// It will do: its verification value.
    Fit([u8; 8]),
    /// It cannot be read, or anybody would guess it.
    Unfit,
}

impl fmt::Debug for NewPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fit(_) => "Fit",
            Self::Unfit => "Unfit",
        })
    }
}

/// What a request says of the transaction it belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Original {
    /// The reference (F37), if it is one that this system gives.
    pub rrn: Option<Rrn>,
    /// The authorisation code (F38), if sent.
    pub auth: Option<AuthCode>,
    /// The batch (F61.1), if sent.
    pub batch: Option<BatchNo>,
    /// The trace number (F61.2), if sent.
    pub stan: Option<Stan>,
    /// True if the terminal made the original with a card that is not the request's.
    pub other_card: bool,
}

/// A reversal of a transaction whose card is known.
#[derive(Clone, Debug)]
pub struct Reversal {
    /// The key of the transaction to undo.
    pub key: TxnKey,
    /// What it was, by its processing code.
    pub kind: TxnKind,
    /// The card.
    pub card: CardId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The amount (F4).
    pub amount: Amount,
    /// True if the batch of the original still takes slips.
    pub batch_is_open: bool,
}

/// Details of a closed batch, as one message carries them.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The terminal.
    pub terminal: TerminalId,
    /// The batch the details belong to.
    pub batch: BatchNo,
    /// Trace number and amount of each.
    pub details: Vec<(Stan, Amount)>,
}

/// What would happen: the answer, and the event that must be durable before it is given.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What to answer.
    pub answer: Answer,
    /// What changes; `None` for a repeat or where nothing does.
    pub event: Option<Event>,
}

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Done, or why not.
    pub verdict: Result<(), Refusal>,
    /// The reference (F37).
    pub rrn: Rrn,
    /// When it was decided; a repeat carries the time of the first answer.
    pub at: Timestamp,
    /// The business date (F15).
    pub date: BusinessDate,
    /// What else the answer carries.
    pub detail: Detail,
}

/// What an answer carries beside the verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Detail {
    /// Nothing more.
    Plain,
    /// A transaction was approved.
    Approval {
        /// The authorisation code (F38).
        auth: AuthCode,
        /// The amount that was approved: less than asked for, if a part was.
        approved: Amount,
        /// What moved or was set aside, purse by purse.
        parts: Parts,
        /// What may still be spent, points by a points transaction and money by the others.
        available: Amount,
    },
    /// A balance inquiry was answered.
    Balance {
        /// What may be spent.
        available: Amount,
        /// What the books say the card owns.
        ledger: Amount,
    },
    /// A points inquiry was answered.
    Points(Amount),
    /// A verification was answered: how much may be loaded.
    Room(Amount),
    /// The number of the batch that takes slips.
    Batch(BatchNo),
    /// How the settlement ended.
    Closed(Closing),
    /// How many details were taken in.
    Uploaded(u32),
    /// How the upload differs from the books.
    Ended(Vec<Difference>),
}
