//! What holds for any bytes at all.
//!
//! Each module is a law about one way into the switch. The fuzzer looks for bytes for which it does
//! not hold; a test holds it for those that were found worth keeping.
//!
//! | law | bytes are |
//! | --- | --- |
//! | [`frame`] | what a connection has received |
//! | [`mod@message`] | a dialect and a message |
//! | [`tlv`] | the content of a TLV field |
//! | [`capture`] | what somebody gives to `posp decode` |
//! | [`terminal`] | a frame of a terminal, up to the question for a shard |
//! | [`journal`] | a segment of the journal, as it is found on the disk |

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a law that is broken is a panic"
)]

pub mod capture;
pub mod frame;
pub mod journal;
mod masked;
pub mod message;
pub mod terminal;
pub mod tlv;

/// A law. Panics if it does not hold; true if the bytes went all the way: were read whole, asked of a
/// shard, found as entries.
pub type Law = fn(&[u8]) -> bool;

/// Every law by the name of its target, which is also that of its corpus.
pub const LAWS: [(&str, Law); 6] = [
    ("frame", frame::law),
    ("message", message::law),
    ("tlv", tlv::law),
    ("capture", capture::law),
    ("terminal", terminal::law),
    ("journal", journal::law),
];
