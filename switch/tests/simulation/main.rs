//! The simulator: a switch without threads, clocks or sockets, in a world where everything goes
//! wrong that can, again and again, each time another way. A seed decides everything, so whatever
//! was found can be watched.
//!
//! ```text
//! cargo sim                     a short run, and each rule left out in turn
//! cargo sim 20000               that many seeds
//! cargo sim 500 --from 7000     those seeds
//! cargo sim --seed 17           one seed, with its trace
//! cargo sim --fault NAME        with a rule left out, which must be found
//! cargo sim --mutants           each rule left out in turn
//! cargo sim --years 100         until all terminals together have lived that long
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    reason = "in a test a panic is a failure, and everything is for the test alone"
)]

mod audit;
mod cast;
mod clock;
mod core;
mod device;
mod dice;
mod disk;
mod faults;
mod history;
mod hunt;
mod journal;
mod logbook;
mod network;
mod plan;
mod rot;
mod tally;
mod trace;
mod world;
mod writer;

use std::process::ExitCode;

use domain::faults::Fault;

use hunt::{Hunt, Kind};

/// Seeds of a run that nobody gave a number for: a moment's work.
const SEEDS: u64 = if cfg!(debug_assertions) { 60 } else { 300 };
/// Within so many seeds a planted fault must be found.
const SEEDS_FOR_A_FAULT: u64 = 10_000;
/// A run of so many seeds has seen everything there is to see.
const SEEDS_FOR_SIGHT: u64 = 1_000;

/// Seeds that found something once, one a line, with what it was.
const FOUND_ONCE: &str = include_str!("seeds.txt");

/// What the command line asks for.
#[derive(Debug, Default)]
struct Order {
    count: Option<u64>,
    from: u64,
    seed: Option<u64>,
    fault: Option<Fault>,
    mutants: bool,
    years: Option<u64>,
}

impl Order {
    /// Reads the command line. What is meant for other test harnesses is passed over.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut order = Self::default();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut number = |name: &str| {
                let text = arguments.next().and_then(|text| text.parse().ok());
                text.ok_or_else(|| format!("{name} needs a number"))
            };
            match argument.as_str() {
                "--seed" => order.seed = Some(number("--seed")?),
                "--from" => order.from = number("--from")?,
                "--years" => order.years = Some(number("--years")?),
                "--mutants" => order.mutants = true,
                "--fault" => {
                    let name = arguments.next().unwrap_or_default();
                    let names: Vec<_> = faults::ALL.iter().map(|(name, _)| *name).collect();
                    let unknown = || format!("--fault needs one of {}", names.join(", "));
                    order.fault = Some(faults::named(&name).ok_or_else(unknown)?);
                }
                other => order.count = other.parse().ok().or(order.count),
            }
        }
        Ok(order)
    }

    const fn kind(&self) -> Kind {
        Kind { planted: self.fault, in_years: self.years.is_some() }
    }
}

fn main() -> ExitCode {
    hunt::keep_panics();
    logbook::open();
    let order = match Order::read(std::env::args().skip(1)) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let is_well = match (order.seed, order.mutants, order.count.or(order.years)) {
        (Some(seed), _, _) => replay(seed, &order),
        (None, true, _) => mutants(),
        (None, false, Some(_)) => search(&order),
        (None, false, None) => again() && search(&order) && (order.fault.is_some() || mutants()),
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lets one seed happen for somebody to watch.
fn replay(seed: u64, order: &Order) -> bool {
    let outcome = hunt::run(seed, order.kind(), true);
    println!("digest {:016x}", outcome.digest);
    match outcome.violation {
        Some(violation) => println!("seed {seed} breaks {violation}"),
        None => {
            println!("seed {seed} breaks no rule");
            return true;
        }
    }
    false
}

/// Lets the seeds happen that found something once.
fn again() -> bool {
    let seeds = FOUND_ONCE.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let mut are_well = true;
    for seed in seeds {
        if let Some(violation) = hunt::run(seed, Kind::default(), false).violation {
            println!("seed {seed} breaks {violation}, once more");
            are_well = false;
        }
    }
    are_well
}

fn search(order: &Order) -> bool {
    let hunt = match order.years {
        Some(years) => {
            hunt::hunt(order.from..u64::MAX, order.kind(), |tally| tally.years() >= years as f64)
        }
        None => {
            let end = order.from.saturating_add(order.count.unwrap_or(SEEDS));
            hunt::hunt(order.from..end, order.kind(), |_| false)
        }
    };
    let seconds = hunt.took.as_secs_f64();
    println!("{}", hunt.tally);
    println!("wall time         {seconds:.1} s");
    println!("seeds a second    {:.1}", hunt.tally.seeds as f64 / seconds);
    conclude(&hunt, order)
}

fn conclude(hunt: &Hunt, order: &Order) -> bool {
    let Some(found) = &hunt.found else {
        let missed =
            if hunt.tally.seeds < SEEDS_FOR_SIGHT { Vec::new() } else { hunt.tally.missed() };
        if missed.is_empty() {
            println!("no rule is broken");
        } else {
            println!("no rule is broken, but this never happened: {}", missed.join(", "));
        }
        return missed.is_empty();
    };
    println!("\nseed {} breaks {}", found.seed, found.violation);
    println!("to watch it: {}", command(found.seed, order));
    false
}

/// Leaves each rule out in turn, and sees whether that is noticed.
fn mutants() -> bool {
    let mut are_found = true;
    for (name, planted) in faults::ALL {
        let kind = Kind { planted: Some(planted), in_years: false };
        let hunt = hunt::hunt(0..SEEDS_FOR_A_FAULT, kind, |_| false);
        match hunt.found {
            Some(found) => println!("{name:<18} seed {:<5} {}", found.seed, found.violation.rule),
            None => {
                println!("{name:<18} not found in {SEEDS_FOR_A_FAULT} seeds");
                are_found = false;
            }
        }
    }
    are_found
}

fn command(seed: u64, order: &Order) -> String {
    let name = faults::ALL.iter().find(|(_, known)| Some(*known) == order.fault);
    let fault = name.map(|(name, _)| format!(" --fault {name}")).unwrap_or_default();
    let years = if order.years.is_some() { " --years 1" } else { "" };
    format!("cargo sim --seed {seed}{fault}{years}")
}
