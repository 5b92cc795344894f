//! What happens to a node from outside, and what must not come of it: an approval that was
//! answered is lost, or anything is done twice.
//!
//! A real `posp serve` serves terminals over TCP and is killed, loses power or its disk. Then the
//! journal on the disk is held against what the terminals saw, a node starts on the same
//! directory, and the terminals go on with what they kept.
//!
//! `cargo faults` runs everything, `cargo faults --short` a little of everything, `cargo faults
//! kills 50 power-cuts 10` so much of that. `--seed 7` repeats what chance decides, though not the
//! moments at which the machine does what it does. All but the kills need root, and tools that are
//! named if they are missing; nothing is skipped. A plain `cargo test` kills a few times.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    reason = "in a test a panic is a failure, and its report goes to whoever runs it"
)]

mod audit;
mod client;
mod crash_points;
mod dice;
mod directory;
mod eio;
mod enospc;
mod fleet;
mod journal;
mod kills;
mod ledger;
mod node;
mod plan;
mod power_cuts;
mod shop;
mod slow_disk;
mod summary;
mod tally;
mod tools;
mod tracer;
mod volume;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use plan::{Fault, Plan, Run};
use summary::{Row, Summary};

/// How long after a start the first requests must be answered.
const FLOW_MAX: Duration = Duration::from_secs(30);
/// Answers that make traffic flow.
const FLOW: u64 = 50;
/// How long everybody may take to send what is owed and settle.
const CLOSE_MAX: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let plan = match Plan::from_command_line(std::env::args().skip(1)) {
        Ok(Some(plan)) => plan,
        // Other tests are asked for.
        Ok(None) => return ExitCode::SUCCESS,
        Err(said) => {
            println!("{said}");
            return ExitCode::from(2);
        }
    };
    if let Err(said) = tools::must_be_there(&plan) {
        println!("{said}");
        return ExitCode::FAILURE;
    }
    if let Some(status) = tools::run_apart(&plan) {
        return status;
    }
    let mut summary = Summary::default();
    for Run { fault, times } in &plan.runs {
        let many = times.map_or_else(|| "all of them".to_owned(), |times| format!("{times} times"));
        println!("\n== {}, {many}, seed {}", fault.name(), plan.seed);
        let (begun, seed) = (Instant::now(), plan.seed);
        let row = catch_unwind(|| run(*fault, *times, seed)).ok();
        summary.add(*fault, row, begun.elapsed());
    }
    println!("\n{summary}");
    if summary.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(fault: Fault, times: Option<usize>, seed: u64) -> Row {
    let count = times.unwrap_or(usize::MAX);
    match fault {
        Fault::Kills => kills::run(count, seed),
        Fault::CrashPoints => crash_points::run(count, seed),
        Fault::PowerCuts => power_cuts::run(count, seed),
        Fault::NoFsync => power_cuts::catch_mutant(count, seed),
        Fault::Eio => eio::run(count, seed),
        Fault::Enospc => enospc::run(count, seed),
        Fault::SlowDisk => slow_disk::run(count, seed),
    }
}
