//! What operators and their tools see of a node over HTTP: metrics, health, and what it is.
//!
//! Read only, and without a login: it listens on the loopback address unless told otherwise. The
//! node answers through [`ports`]; nothing here reaches into it.

mod error;
pub mod metrics;
pub mod ports;
pub mod server;

pub use error::AdminError;
