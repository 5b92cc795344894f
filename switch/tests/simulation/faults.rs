//! The planted faults, which a simulation that is any good must find.
//!
//! | fault | what it stands for |
//! | --- | --- |
//! | sync-skipped | an answer before its entry is durable |
//! | sync-retried | a sync that failed is tried again |
//! | cut-anywhere | the journal is cut off at the first damage |
//! | dedupe-skipped | repeats are not recognised |
//! | dedupe-by-stan | repeats are recognised by their trace number alone |
//! | memory-short | repeats are recognised for a day only |
//! | refusal-forgotten | a refusal leaves no memory |
//! | turned-away | what was refused without being decided is decided when it comes again |
//! | bar-forgotten | a reversal before its original leaves no memory |
//! | reversal-twice | a repeated reversal has its effect again |
//! | closed-batch | a void or sale happens after its batch was closed |
//! | late-answer | an answer is sent when nobody waits for it |
//! | overdraft | a balance falls below nothing |
//! | leg-lost | a posting has one leg |
//! | date-of-clock | the business date is that of the clock |
//! | pin-tries | wrong PINs are not counted |
//!
//! Three more are known of systems like this one, and have no place here yet: to restore the
//! amount that was asked for instead of the one that was approved (nothing is approved in part),
//! to wait for a replica on another connection (there is none), and to drop a message that is to
//! be forwarded after so many attempts (nothing is forwarded).

use domain::faults::Fault;

/// Every fault, by the name it has on the command line.
pub const ALL: [(&str, Fault); 16] = [
    ("sync-skipped", Fault::SyncSkipped),
    ("sync-retried", Fault::SyncRetried),
    ("cut-anywhere", Fault::CutAnywhere),
    ("dedupe-skipped", Fault::DedupeSkipped),
    ("dedupe-by-stan", Fault::DedupeByStan),
    ("memory-short", Fault::MemoryShort),
    ("refusal-forgotten", Fault::RefusalForgotten),
    ("turned-away", Fault::TurnedAwayForgotten),
    ("bar-forgotten", Fault::BarForgotten),
    ("reversal-twice", Fault::ReversalTwice),
    ("closed-batch", Fault::ClosedBatchTaken),
    ("late-answer", Fault::LateAnswerSent),
    ("overdraft", Fault::OverdraftAllowed),
    ("leg-lost", Fault::LegLost),
    ("date-of-clock", Fault::DateOfClock),
    ("pin-tries", Fault::PinTriesForgotten),
];

/// Returns the fault of that name.
pub fn named(name: &str) -> Option<Fault> {
    ALL.into_iter().find_map(|(known, fault)| (known == name).then_some(fault))
}
