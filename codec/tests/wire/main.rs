//! The codec, seen from the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

mod capture;
mod damage;
mod describing;
mod dialects;
mod framing;
mod messages;
mod refusals;
mod roundtrip;
mod tlv;
mod vectors;
