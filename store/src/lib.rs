//! The journal and everything that follows it: snapshots, the SQL ledger, the audit of them all.
//!
//! [`Commit`] is how an entry becomes durable. [`EmbeddedJournal`] keeps entries in files of one
//! node, synced in groups; [`MemoryJournal`] keeps them in memory, so that a simulation can crash
//! it; [`SteppedJournal`] is the first without its threads, for simulations too. [`Drain`] follows
//! the files of a journal, as a rule when no other thread wants to: it writes the SQL ledger,
//! exactly once, and the snapshots from which a start recovers. [`check`] audits a data directory.
//!
//! A data directory holds `LOCK`, `node`, `journal/`, `snapshots/` and `ledger.db`. None of them
//! holds a card number, a PIN block or a key in clear: events carry sealed values only.

mod batch;
mod chain;
mod check;
mod commit;
mod disk;
mod drain;
mod embedded;
mod entries;
mod fault;
mod home;
mod memory;
mod record;
mod segment;
mod snapshot;
mod walk;

pub use chain::{Chain, Positions};
pub use check::{CheckError, CheckProgress, CheckReport, check, check_with_ledger};
pub use commit::{Commit, CommitError, Entry, Lsn, Outcome, Recovered, RecoveryReport};
pub use disk::{Disk, SystemDisk};
pub use drain::{Drain, DrainError, DrainHandle, DrainOptions};
pub use embedded::{
    EmbeddedJournal, EmbeddedWriter, Loss, OnLoss, OpenError, Options, SteppedJournal,
};
pub use entries::{Entries, entries};
pub use fault::JournalFault;
pub use memory::{MemoryJournal, MemoryWriter};
