//! Faults that a simulation plants, to see that it would find them.
//!
//! Nothing can be planted without the feature `faults`, which only tests switch on. A fault that
//! is planted holds for the thread that planted it. Each is asked for at one place, of this crate
//! or of one that builds on it.

use crate::terms::{BusinessDate, Timestamp};

/// A rule that is left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A repeat is not recognised: it is decided like a new request.
    DedupeSkipped,
    /// A request is taken for a repeat of any that had its trace number, in whatever batch.
    DedupeByStan,
    /// What is reversed is reversed again by every repeat.
    ReversalTwice,
    /// A refusal leaves no memory: a late copy is decided like a new request.
    RefusalForgotten,
    /// What was turned away is decided when it comes again.
    TurnedAwayForgotten,
    /// A reversal of what has not come leaves no memory.
    BarForgotten,
    /// Transactions are forgotten when the day turns.
    MemoryShort,
    /// A closed batch takes slips.
    ClosedBatchTaken,
    /// A card pays what it does not have.
    OverdraftAllowed,
    /// The merchant's leg of a sale is not posted.
    LegLost,
    /// A transaction falls on the day of the clock, not on that of the shard.
    DateOfClock,
    /// Wrong PINs are not counted.
    PinTriesForgotten,
    /// The journal tells that a batch is durable without having synced it.
    SyncSkipped,
    /// A sync that failed is tried again.
    SyncRetried,
    /// A start cuts the journal off at the first damage, whatever follows.
    CutAnywhere,
    /// An answer is sent however late it is.
    LateAnswerSent,
}

#[cfg(feature = "faults")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Plants a fault in this thread, or none.
#[cfg(feature = "faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// True if `fault` is planted in this thread.
#[cfg(feature = "faults")]
#[must_use]
pub fn is_planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// False: nothing can be planted.
#[cfg(not(feature = "faults"))]
#[must_use]
pub const fn is_planted(_: Fault) -> bool {
    false
}

/// Returns `date`; with [`Fault::DateOfClock`] planted, the day of `now`.
#[cfg(feature = "faults")]
pub(crate) fn date_of(date: BusinessDate, now: Timestamp) -> BusinessDate {
    if !is_planted(Fault::DateOfClock) {
        return date;
    }
    let epoch = BusinessDate::new(1970, 1, 1).map_or(0, BusinessDate::day_number);
    let day = epoch.saturating_add(now.0.div_euclid(86_400_000));
    let months = (2020..2040).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let mut days = months
        .flat_map(|(year, month)| (1..=31).filter_map(move |d| BusinessDate::new(year, month, d)));
    days.find(|known| known.day_number() == day).unwrap_or(date)
}

/// Returns `date`.
#[cfg(not(feature = "faults"))]
pub(crate) const fn date_of(date: BusinessDate, _: Timestamp) -> BusinessDate {
    date
}
