//! The prepaid business as it is replayed: every rule, and nothing that touches the world.
//!
//! State is a fold of events. [`shard::Shard::decide`] says what a command would do,
//! [`shard::Shard::apply`] does it, and the same events in the same order always give the same
//! state. No clock, no randomness, no bytes of a wire, no I/O: time and verdicts come in as
//! arguments.
//!
//! Modules point one way: `faults < terms < ledger < issuing < risk < txn < shard < books`.

pub mod books;
pub mod faults;
pub mod issuing;
pub mod ledger;
pub mod risk;
pub mod shard;
pub mod terms;
pub mod txn;
