//! Faults that a simulation plants, to see that it would find them.
//!
//! Nothing can be planted without the feature `faults`, which only tests switch on. A fault that
//! is planted holds for the thread that planted it. Each is asked for at one place of `shard`.

/// A rule that is left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A repeat is not recognised: it is decided like a new request.
    DedupeSkipped,
    /// What is reversed is reversed again by every repeat.
    ReversalTwice,
    /// A refusal leaves no memory: a late copy is decided like a new request.
    RefusalForgotten,
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

#[cfg(feature = "faults")]
pub(crate) fn is_planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

#[cfg(not(feature = "faults"))]
pub(crate) const fn is_planted(_: Fault) -> bool {
    false
}
