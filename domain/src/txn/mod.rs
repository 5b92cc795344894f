//! Transactions and the terminal batches they are counted in.

mod batch;
mod care;
mod kind;
mod life;
mod terminal;

pub use batch::{Batches, Difference, OpenBatch, Slip, Totals};
pub use care::{
    Care, CareList, Enrolment, IssuedTmk, StatusReport, TerminalCare, TmkCare, TmkRequest, Version,
};
pub use kind::{Flow, Link, Side, TxnKind};
pub use life::{Action, Txn, TxnKey, TxnState, worth_of};
pub use terminal::{Closing, Terminal, TerminalProfile};
