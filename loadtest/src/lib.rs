//! Terminals seen from the wire, for demonstrations, load and audit.
//!
//! The crate believes only what it sees on the line: it knows the dialect ([`codec`]) and the keys
//! of its own terminals ([`keys`]), and nothing of the switch.
//!
//! | module | holds |
//! | --- | --- |
//! | [`fen`], [`ids`], [`code`], [`secret`] | amounts, identifiers, response codes, test secrets |
//! | [`kit`] | terminals and cards of a programme directory, or generated |
//! | [`terminal`] | a virtual POS terminal without socket, clock or randomness |
//! | [`mod@line`], [`station`] | a TCP line; a terminal at its line |
//! | [`pay`] | one bill paid with several tenders |
//! | [`demo`] | a shop's day, played and judged |
//! | [`echo`], [`load`] | a bare echo server; terminals at many lines |
//! | [`scenario`], [`fleet`] | what a load is; the terminals that make it |
//! | [`mod@bench`] | a switch beside a bare echo server |
//! | [`measured`] | what a load measured, ready to be shown |
//! | [`report`] | that as a page with charts |
//! | [`audit`] | what terminals saw against what a journal says |

pub mod audit;
pub mod bench;
pub mod code;
mod cpu;
pub mod demo;
pub mod echo;
pub mod fen;
pub mod fleet;
pub mod ids;
pub mod kit;
pub mod line;
pub mod load;
pub mod measured;
pub mod pay;
pub mod report;
pub mod scenario;
pub mod secret;
mod seed;
pub mod station;
pub mod terminal;

pub use code::Code;
pub use fen::Fen;
pub use ids::{BatchNo, CardNumber, Expiry, MerchantId, Stan, TerminalId};
pub use kit::{CardStatus, Kit, TerminalSetup, TestCard};
pub use secret::{HolderCheck, IdDocument, Pin, Tmk};
pub use station::{Exchange, Station, StationError};
pub use terminal::{Presented, Reply, Terminal, TerminalError};
