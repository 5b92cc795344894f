//! Bad input, case by case: bytes in, outcome out, and nothing changed that must not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

mod acts;
mod batches;
#[path = "../bench/mod.rs"]
#[allow(dead_code, reason = "the bench serves other tests too")]
mod bench;
mod chip;
mod clocks;
mod content;
mod elsewhere;
mod families;
mod floods;
mod form;
mod genuine;
mod hostile;
mod line;
mod lines;
mod panics;
mod pins;
mod sweeps;
mod table;
#[path = "../town/mod.rs"]
mod town;
mod undoing;
