//! The transactions of the matrix beyond sale, void and refund: what the terminal sends, what it
//! makes of answers and of silence, and what it tells the host at the end of the day.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "in a test a panic is a failure"
)]
#![allow(dead_code, unreachable_pub, reason = "the scripted host is shared with other tests")]

mod holds;
#[path = "../host/mod.rs"]
mod host;
mod laws;
mod notices;
mod pay;
mod requests;
mod top_up;
mod uploads;

use host::{Answer, Host, card};
use loadtest::terminal::{Chip, Entry};
use loadtest::{Presented, Reply, Stan, Terminal, TerminalError, TestCard};

/// A card read by its chip.
fn by_chip(card: &TestCard) -> Presented<'_> {
    let entry = Entry::Chip(Chip::simulated(7, 1, [0x26, 0x01, 0x15]));
    Presented { entry, ..Presented::swiped(card) }
}

/// Lets the host approve a request under an authorisation code of its own.
fn yes(terminal: &mut Terminal, host: &Host, request: &[u8], auth: &str) -> Reply {
    assert!(host.accepts(request));
    let answer = Answer { code: "00", rrn: "011510150777", auth, ..Answer::default() };
    terminal.on_frame(&host.answer(request, &answer)).unwrap()
}

/// Makes a request that the host approves; returns its trace number.
fn done(
    terminal: &mut Terminal,
    host: &Host,
    request: impl FnOnce(&mut Terminal, &Presented<'_>) -> Result<Vec<u8>, TerminalError>,
) -> Stan {
    let card = card();
    let request = request(terminal, &Presented::swiped(&card)).unwrap();
    yes(terminal, host, &request, "A12345").stan.unwrap()
}
