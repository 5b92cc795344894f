//! Transactions and the terminal batches they are counted in.

mod batch;
mod life;
mod terminal;

pub use batch::{Batches, Difference, OpenBatch, Slip, Totals};
pub use life::{Action, Txn, TxnKey, TxnKind, TxnState};
pub use terminal::{Closing, Terminal, TerminalProfile};
