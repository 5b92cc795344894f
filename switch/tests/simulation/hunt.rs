//! Many seeds on all processors, and what came of them.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::faults::Fault;

use super::audit::Violation;
use super::tally::Tally;
use super::world::{self, Outcome};

/// One seed in so many happens twice, and must happen the same way.
const TWICE: u64 = 100;
const PROGRESS: Duration = Duration::from_secs(3);

/// What kind of worlds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kind {
    /// A rule is left out of them.
    pub planted: Option<Fault>,
    /// Their days are as long as they are.
    pub in_years: bool,
}

/// A seed and the rule that broke in it.
#[derive(Clone, Debug)]
pub struct Found {
    pub seed: u64,
    pub violation: Violation,
}

/// What came of a hunt.
#[derive(Debug, Default)]
pub struct Hunt {
    pub tally: Tally,
    /// The lowest seed that broke a rule.
    pub found: Option<Found>,
    pub took: Duration,
}

/// Lets one seed happen; a panic breaks a rule too.
pub fn run(seed: u64, of: Kind, tells: bool) -> Outcome {
    domain::faults::plant(of.planted);
    let result = catch_unwind(AssertUnwindSafe(|| world::run(seed, of.in_years, tells)));
    result.unwrap_or_else(|_panic| Outcome {
        tally: Tally::default(),
        digest: 0,
        violation: Some(Violation::new("panic", &LAST_PANIC.take())),
    })
}

thread_local! {
    static LAST_PANIC: Cell<String> = const { Cell::new(String::new()) };
}

/// Lets a panic in a world be reported as a broken rule, once and with its seed.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| LAST_PANIC.set(panic.to_string())));
}

/// Lets `seeds` happen until `is_enough`, and stops at the first that breaks a rule.
pub fn hunt(seeds: Range<u64>, of: Kind, is_enough: impl Fn(&Tally) -> bool + Sync) -> Hunt {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let first = seeds.start;
    let (next, end) = (AtomicU64::new(first), AtomicU64::new(seeds.end));
    let hunt = Mutex::new(Hunt::default());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        break;
                    }
                    let outcome = twice(seed, of);
                    let mut hunt = hunt.lock().unwrap_or_else(PoisonError::into_inner);
                    hunt.tally.seeds += 1;
                    hunt.tally.add(&outcome.tally);
                    if is_enough(&hunt.tally) {
                        end.store(0, Ordering::Relaxed);
                    }
                    if let Some(violation) = outcome.violation {
                        // Lower seeds are under way or done.
                        end.fetch_min(seed, Ordering::Relaxed);
                        if hunt.found.as_ref().is_none_or(|found| seed < found.seed) {
                            hunt.found = Some(Found { seed, violation });
                        }
                    }
                }
            });
        }
        if std::io::stderr().is_terminal() {
            scope.spawn(|| watch(&next, &end, first, started));
        }
    });
    let mut hunt = hunt.into_inner().unwrap_or_else(PoisonError::into_inner);
    hunt.took = started.elapsed();
    hunt
}

fn twice(seed: u64, of: Kind) -> Outcome {
    let mut outcome = run(seed, of, false);
    if seed.is_multiple_of(TWICE) && outcome.violation.is_none() {
        let again = run(seed, of, false);
        if again.digest != outcome.digest {
            let text = "the same seed happens in two ways";
            outcome.violation = Some(Violation::new("determinism", text));
        }
    }
    outcome
}

/// Says from time to time how far it is.
fn watch(next: &AtomicU64, end: &AtomicU64, first: u64, started: Instant) {
    let mut said = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let (next, end) = (next.load(Ordering::Relaxed), end.load(Ordering::Relaxed));
        if next >= end {
            eprint!("\r\x1b[K");
            return;
        }
        if said.elapsed() >= PROGRESS {
            said = Instant::now();
            let (done, of) = (next - first, end.saturating_sub(first));
            let rate = done as f64 / started.elapsed().as_secs_f64();
            eprint!("\r\x1b[K{done} of {of} seeds, {rate:.0} a second");
            let _ = std::io::stderr().flush();
        }
    }
}
