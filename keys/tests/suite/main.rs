//! The crate from outside: known answers, laws, and what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

mod at_rest;
mod codes;
mod fixture;
mod laws;
mod master_key;
mod pins;
mod refusals;
mod secrets;
mod transport;
mod vectors;
