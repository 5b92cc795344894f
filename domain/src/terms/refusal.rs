//! The business says no.

use serde::{Deserialize, Serialize};

/// Why a transaction is refused. A value, not an error: it is answered in F39 and journalled.
///
/// The order of the variants is their stored form: append, never insert.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// No card has this number.
    UnknownCard,
    /// Sold but not activated.
    CardNotActive,
    /// Reported lost.
    CardLost,
    /// Frozen by the issuer or by risk.
    CardFrozen,
    /// Ended for good.
    CardCancelled,
    /// The last valid month is over.
    CardExpired,
    /// Too many wrong PINs in a row.
    PinTriesExceeded,
    /// The PIN, its block or its binding to the card is wrong; it is not said which.
    WrongPin,
    /// The product asks for a PIN and none came.
    PinMissing,
    /// The amount is zero.
    InvalidAmount,
    /// Above what one transaction of the product may be.
    AmountLimit,
    /// Less available than asked.
    InsufficientFunds,
    /// The credit would take the card above the legal ceiling.
    BalanceCap,
    /// No such original transaction.
    OriginalNotFound,
    /// The original was refused, so there is nothing to give back.
    OriginalRefused,
    /// The original belongs to another batch or day than this transaction may reach.
    OriginalOutOfReach,
    /// The original was reversed, or its reversal came first.
    OriginalReversed,
    /// The original was voided.
    OriginalVoided,
    /// The original was refunded, in part or whole.
    OriginalRefunded,
    /// The original was made with another card.
    CardDiffers,
    /// The amount is not that of the original, or more than is left of it.
    AmountDiffers,
    /// The original was made at another merchant.
    MerchantDiffers,
    /// The same trace number came with other content.
    DuplicateDiffers,
    /// The original of a refund is older than the merchant may refund.
    RefundTooLate,
    /// No such terminal.
    UnknownTerminal,
    /// The batch is not the one that takes slips, nor the one that was closed last.
    BatchDiffers,
    /// An upload of more details than a batch can have.
    UploadTooLong,
    /// The terminal may not do this.
    TerminalMayNot,
    /// The product does not let its cards do this.
    CardMayNot,
    /// The product does not let its cards be used at merchants like this one.
    MerchantNotAccepted,
    /// More often than the product allows in a day or a month.
    CountLimit,
    /// The card is active already.
    CardIsActive,
    /// The original was used up: a pre-authorisation completed, a verification followed by its
    /// top-up.
    OriginalUsed,
    /// The original held money only for a time, and that is over.
    OriginalExpired,
    /// More than may be taken on a pre-authorisation, or added to a sale.
    AboveOriginal,
    /// The new PIN is one that anybody would guess, or cannot be read.
    UnfitPin,
    /// The terminal's clock is further from the host's than may be.
    ClockDiffers,
}
