//! A node of the switch, as a library: sockets, actors, timers, wiring.
//!
//! Every request takes the same way: [`flow::gather`] collects the facts, an account actor
//! decides and commits, [`flow::tell`] answers. [`terminal::Session`] leads a request along it
//! without a socket or a clock; [`node`] puts all of it on one machine.

pub mod account;
pub mod clock;
pub mod config;
pub mod facts;
pub mod flow;
pub mod message;
pub mod node;
pub mod programme;
pub mod telemetry;
pub mod terminal;
