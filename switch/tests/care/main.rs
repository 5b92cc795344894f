//! Terminals that are looked after, at a node's socket: each request, its answer, and what a
//! restart leaves of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

mod ask;
mod hostile;
mod house;
mod lists;
mod master_key;
