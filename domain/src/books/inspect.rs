//! Whether an entry fits the books it comes to.
//!
//! Whoever takes in entries that it did not decide itself (a replay, a standby, an audit) asks
//! here first. Every event that a decision made in this state fits; what does not fit breaks a
//! rule of the business or of bookkeeping.

mod cards;

use super::Books;
use crate::ledger::Unit;
use crate::shard::{BatchEvent, CardIssued, Event, Shard, fits};
use crate::terms::{Amount, ShardNo, TerminalId};
use crate::txn::{Closing, OpenBatch, TxnKey, TxnKind};
use cards::{check_reversed, check_transacted};

/// The most that one part of an entry may be: ten million million yuan. Sums of such amounts
/// stay within 64 bits.
const PART_MAX: Amount = Amount::from_fen(1_000_000_000_000_000);

/// An entry that does not fit the books it comes to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// The legs of the entry do not sum to zero.
    #[error("the postings of the entry sum to {0} fen, not to nothing")]
    Unbalanced(i64),
    /// A settlement counted other totals than the slips amount to.
    #[error("the settlement of terminal {terminal} counted other totals than its slips amount to")]
    Miscounted {
        /// The terminal.
        terminal: TerminalId,
    },
    /// A purse would hold less than nothing, or less than is held of it.
    #[error("a purse would hold less than nothing")]
    Overdrawn,
    /// The entry undoes or belongs to something the books do not know.
    #[error("the entry refers to something the books do not know")]
    Unfounded,
    /// A transaction was entered twice.
    #[error("the transaction of terminal {terminal} is entered twice")]
    Doubled {
        /// The terminal.
        terminal: TerminalId,
    },
    /// The entry belongs to another shard.
    #[error("the entry belongs to shard {}", .0.0)]
    Misplaced(ShardNo),
    /// What moved is not what the entry says, or not what its original leaves to move.
    #[error("the entry moves other amounts than it may")]
    Misstated,
    /// The entry is dated to another business date than that of its shard, or a cut-off goes
    /// back in time.
    #[error("the entry is dated to another business date than that of its shard")]
    Misdated,
}

impl Books {
    /// Says whether the next entry of `shard` may be taken in.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn inspect(&self, shard: ShardNo, event: &Event) -> Result<(), Violation> {
        if let Some(home) = event.home()
            && home != shard
        {
            return Err(Violation::Misplaced(home));
        }
        check_amounts(event)?;
        check_balance(event)?;
        let shard = self.shard(shard);
        match event {
            Event::CardIssued(issued) => check_issued(shard, issued),
            Event::CutOff(date) => (*date > shard.date()).or(Violation::Misdated),
            Event::Transacted(t) => check_transacted(shard, t),
            Event::Reversed(r) => check_reversed(shard, r),
            Event::Barred { key, card: Some(_), .. } => {
                let doubled = Violation::Doubled { terminal: key.terminal };
                shard.txn(key).is_none().or(doubled)
            }
            Event::TerminalRegistered { .. } => Ok(()),
            Event::Barred { key: TxnKey { terminal, batch, stan }, card: None, .. } => {
                let known = shard.terminal(*terminal).ok_or(Violation::Unfounded)?;
                let doubled = Violation::Doubled { terminal: *terminal };
                (!known.bars.contains(&(*batch, *stan))).or(doubled)
            }
            Event::SignedOn { terminal, .. } | Event::SignedOff { terminal, .. } => {
                is_known(shard, *terminal)
            }
            Event::Batch { terminal, event } => self.check_batch(shard, *terminal, event),
            Event::Cared { terminal, care, .. } => {
                let known = shard.terminal(*terminal).ok_or(Violation::Unfounded)?;
                fits(&known.care, care).or(Violation::Unfounded)
            }
        }
    }

    fn check_batch(
        &self,
        shard: &Shard,
        terminal: TerminalId,
        event: &BatchEvent,
    ) -> Result<(), Violation> {
        let known = shard.terminal(terminal).ok_or(Violation::Unfounded)?;
        match event {
            BatchEvent::Closed { closing: Closing { batch, counted, .. }, next } => {
                let open = self.batches(terminal).map(|batches| &batches.open);
                let totals = open.map(OpenBatch::totals).unwrap_or_default();
                let fits = *batch == known.open_batch && *next == batch.next();
                (fits && totals == *counted).or(Violation::Miscounted { terminal })
            }
            BatchEvent::Uploaded { batch, .. } | BatchEvent::Ended { batch, .. } => known
                .last_closing
                .is_some_and(|closing| closing.batch == *batch)
                .or(Violation::Unfounded),
        }
    }
}

/// A rule that holds, or what it is to break it.
trait Rule {
    fn or(self, violation: Violation) -> Result<(), Violation>;
}

impl Rule for bool {
    fn or(self, violation: Violation) -> Result<(), Violation> {
        if self { Ok(()) } else { Err(violation) }
    }
}

/// Checks that no amount is negative or so large that sums of it could leave 64 bits. Postings
/// may be asked for only after this.
fn check_amounts(event: &Event) -> Result<(), Violation> {
    let (parts, held, suspense) = match event {
        Event::CardIssued(issued) => (issued.opening, issued.held, Amount::ZERO),
        Event::Transacted(t) => (t.outcome.unwrap_or_default(), t.held, t.suspense),
        Event::Reversed(r) => (r.parts, r.held, r.suspense),
        Event::TerminalRegistered { .. }
        | Event::CutOff(_)
        | Event::Barred { .. }
        | Event::SignedOn { .. }
        | Event::SignedOff { .. }
        | Event::Batch { .. }
        | Event::Cared { .. } => return Ok(()),
    };
    // An adjustment may take back.
    let is_change = matches!(event, Event::Transacted(t) if t.kind == TxnKind::Adjustment);
    let least = if is_change { PART_MAX.negated() } else { Amount::ZERO };
    let amounts = parts.iter().chain(held.iter()).map(|(_, amount)| amount).chain([suspense]);
    let mut range = amounts.map(|amount| (least..=PART_MAX).contains(&amount));
    range.all(|is_inside| is_inside).or(Violation::Misstated)
}

fn check_balance(event: &Event) -> Result<(), Violation> {
    let postings = event.postings();
    for unit in [Unit::Fen, Unit::Points] {
        let legs = postings.iter().filter(|posting| posting.unit == unit);
        let sum = legs.fold(0_i64, |sum, posting| sum.saturating_add(posting.amount.fen()));
        (sum == 0).or(Violation::Unbalanced(sum))?;
    }
    Ok(())
}

fn is_known(shard: &Shard, terminal: TerminalId) -> Result<(), Violation> {
    shard.terminal(terminal).is_some().or(Violation::Unfounded)
}

fn check_issued(shard: &Shard, issued: &CardIssued) -> Result<(), Violation> {
    shard.account(issued.card).is_none().or(Violation::Unfounded)?;
    issued.opening.cover(&issued.held).or(Violation::Overdrawn)
}
