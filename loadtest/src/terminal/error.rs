//! Why a terminal says no.

use codec::BuildError;
use keys::KeyError;

use super::kind::SlipKind;
use super::reply::Unreadable;
use crate::ids::Stan;

/// Why a terminal does not do what it is asked, or does not take an answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TerminalError {
    /// It has no working keys.
    #[error("the terminal has not signed on")]
    NotSignedOn,
    /// A reversal must be sent first.
    #[error("a reversal must be sent first")]
    ReversalOwed,
    /// A top-up must be confirmed first.
    #[error("a top-up must be confirmed first")]
    ConfirmationOwed,
    /// Notices must be told first.
    #[error("notices must be told to the host first")]
    NoticesDue,
    /// No reversal is owed.
    #[error("there is nothing to reverse")]
    NothingOwed,
    /// Another request is under way.
    #[error("another request is under way")]
    Busy,
    /// Nothing is under way that could be answered or repeated.
    #[error("no request is under way")]
    Idle,
    /// No slip of the open batch has this trace number.
    #[error(
        "the terminal knows no such slip {0} in its open batch; it remembers slips in the file of --keep"
    )]
    NoSuchSlip(Stan),
    /// Refunds, top-ups and what the terminal only tells are not reversed.
    #[error("nothing that is a {} can be reversed", .0.name())]
    NotReversible(SlipKind),
    /// Only sales, offline sales, pre-authorisations and completions are voided.
    #[error("nothing that is a {} can be voided", .0.name())]
    NotVoidable(SlipKind),
    /// The slip is of another kind than the request needs.
    #[error("that is the slip of a {}", .0.name())]
    OtherKind(SlipKind),
    /// The host has not heard of what is to be undone.
    #[error("the host has not been told of it yet")]
    NotTold,
    /// The slip was undone, or refused.
    #[error("that slip does not stand")]
    DoesNotStand,
    /// The pre-authorisation had no authorisation code.
    #[error("the pre-authorisation has no authorisation code")]
    NoAuthCode,
    /// A top-up needs a verification of the same card before it.
    #[error("the account has not been verified")]
    NotVerified,
    /// Only a chip card can do that.
    #[error("the card must be read by its chip")]
    NeedsChip,
    /// The PIN of the card is needed.
    #[error("a PIN must be typed")]
    NeedsPin,
    /// A tip is part of the amount, not more.
    #[error("the tip is more than the amount")]
    TipAboveAmount,
    /// There is no settlement to explain or end.
    #[error("no settlement is under way")]
    NotSettling,
    /// The state is another terminal's.
    #[error("the state was kept by another terminal")]
    OtherTerminal,
    /// Its state cannot be kept in its file. Before a request, this means that it was not sent.
    #[error("the file that keeps the state of the terminal cannot be written: {0}")]
    NotKept(std::io::ErrorKind),
    /// A field could not be written.
    #[error("the request cannot be written: {0}")]
    Build(#[from] BuildError),
    /// A key operation failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What came is not a message. The request is still under way.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    /// What came does not belong to the request: this field differs (0 is the message type). The
    /// request is still under way.
    #[error("the answer is not to this request: field {0} differs")]
    NotMine(u8),
    /// The answer has no response code.
    #[error("the answer has no response code")]
    NoCode,
    /// The answer says success and its message code is wrong or missing.
    #[error("the answer's message code is wrong or missing")]
    MacWrong,
    /// The answer to a sign-on says success and has no keys.
    #[error("the answer has no working keys")]
    NoKeys,
}
