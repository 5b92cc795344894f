//! Transactions and the terminal batches they are counted in.

mod batch;
mod care;
mod life;
mod terminal;

pub use batch::{Batches, Difference, OpenBatch, Slip, Totals};
pub use care::{
    Care, CareList, Enrolment, IssuedTmk, StatusReport, TerminalCare, TmkCare, TmkRequest, Version,
};
pub use life::{Action, Txn, TxnKey, TxnKind, TxnState};
pub use terminal::{Closing, Terminal, TerminalProfile};
