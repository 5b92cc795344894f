//! The four planted faults, which a simulation that is any good must find.

use domain::faults::Fault;

/// A fault that can be planted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Planted {
    /// The journal says that entries are durable before they are.
    FsyncSkipped,
    /// A rule of the business is left out.
    Rule(Fault),
}

/// Every fault, by the name it has on the command line.
pub const ALL: [(&str, Planted); 4] = [
    ("fsync-skipped", Planted::FsyncSkipped),
    ("dedupe-skipped", Planted::Rule(Fault::DedupeSkipped)),
    ("reversal-twice", Planted::Rule(Fault::ReversalTwice)),
    ("refusal-forgotten", Planted::Rule(Fault::RefusalForgotten)),
];

impl Planted {
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find_map(|(known, planted)| (known == name).then_some(planted))
    }

    /// Plants the fault in this thread.
    pub fn plant(planted: Option<Self>) {
        domain::faults::plant(match planted {
            Some(Self::Rule(fault)) => Some(fault),
            Some(Self::FsyncSkipped) | None => None,
        });
    }
}
