//! The load driver: terminals at many lines, in a closed loop or at a given rate.
//!
//! It knows nothing of what is measured: [`Till`]s ask and hear, the driver carries frames and takes
//! times. Each of a few client threads has lines of its own and waits for all of them at once, so
//! that its processor time can be told from that of a server in the same process.
//!
//! At a given rate, a request is due at a time that does not depend on the answers before it, and
//! its latency counts from then: a server that stalls delays all that is due meanwhile, and all of
//! that shows ("coordinated omission" is leaving it out).
//!
//! | module | holds |
//! | --- | --- |
//! | `till` | who asks and hears |
//! | `schedule` | when requests are due |
//! | `line` | one line without its socket: what is due, under way and to be written |
//! | `faults` | lines dropped, answers left unread, requests sent twice |
//! | `client` | the sockets of one thread |
//! | `tally` | what came of it |

mod client;
mod faults;
mod line;
mod schedule;
mod tally;
mod till;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

pub use faults::Faults;
pub use schedule::Leg;
pub use tally::Load;
pub(crate) use tally::scaled;
pub use till::{Answer, Carousel, Till};

use crate::cpu;

/// What a load does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Client threads, one at least.
    pub threads: usize,
    /// When requests are sent.
    pub pace: Pace,
    /// How each line is run.
    pub rules: Rules,
}

/// When requests are sent. Those under way at the end are still answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pace {
    /// The next as soon as one is answered, for this long.
    Closed(Duration),
    /// At a rate, one leg after the other.
    Open(Vec<Leg>),
}

impl Pace {
    /// How long requests are sent.
    #[must_use]
    pub fn duration(&self) -> Duration {
        match self {
            Self::Closed(duration) => *duration,
            Self::Open(legs) => {
                legs.iter().fold(Duration::ZERO, |sum, leg| sum.saturating_add(leg.duration))
            }
        }
    }
}

/// How each line is run.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Requests under way on one line at most, each of another terminal.
    pub in_flight: usize,
    /// What requests and answers have to do with each other.
    pub matching: Matching,
    /// What goes wrong.
    pub faults: Faults,
    /// How long an answer may take from when its request was due before it is given up.
    pub timeout: Duration,
    /// How long a request that is due may wait for a free terminal before it is given up; `None`:
    /// until the end.
    pub patience: Option<Duration>,
}

impl Default for Rules {
    /// One request under way on each line, for ten seconds at most, and nothing goes wrong.
    fn default() -> Self {
        Self {
            in_flight: 1,
            matching: Matching::Exact,
            faults: Faults::NONE,
            timeout: Duration::from_secs(10),
            patience: None,
        }
    }
}

/// What requests and answers have to do with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Matching {
    /// An answer has terminal and trace number of its request (fields 41 and 11).
    Exact,
    /// Answers come in the order of requests, and say anything.
    Loose,
}

/// Why a load could not be put on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A connection could not be opened. Too many open files, perhaps.
    #[error("connection {number} of {all} cannot be opened: {error}")]
    Connect {
        /// Counted from 1.
        number: usize,
        /// How many there should be.
        all: usize,
        /// What the system said.
        error: io::Error,
    },
    /// A client thread could not be started, or ended before its time.
    #[error("a client thread failed: {0}")]
    Thread(#[from] io::Error),
}

/// Opens a line for each crew, those who share it, and puts the load on once all are open. The crews come back in their
/// order, with what they have heard.
///
/// # Errors
/// [`LoadError`]; nothing was sent then.
pub fn run<T: Till + 'static>(
    plan: &Plan,
    crews: Vec<Vec<T>>,
) -> Result<(Load, Vec<Vec<T>>), LoadError> {
    let threads = plan.threads.max(1);
    let all = crews.len();
    let barrier = Arc::new(Barrier::new(threads.saturating_add(1)));
    let mut hands: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, crew) in crews.into_iter().enumerate() {
        if let Some(hand) = hands.get_mut(number.checked_rem(threads).unwrap_or_default()) {
            hand.push((number, crew));
        }
    }
    let mut clients = Vec::new();
    for (number, hand) in hands.into_iter().enumerate() {
        let (plan, barrier) = (plan.clone(), Arc::clone(&barrier));
        let work = move || client::run(&plan, hand, all, &barrier);
        clients.push(thread::Builder::new().name(format!("client-{number}")).spawn(work)?);
    }
    barrier.wait();
    let before = cpu::of_process();
    let mut load = Load::empty();
    let (mut failed, mut back) = (None, Vec::new());
    for client in clients {
        match client.join() {
            Ok(Ok((part, crews))) => {
                load.add(part);
                back.extend(crews);
            }
            Ok(Err(error)) => failed = Some(error),
            Err(_panic) => failed = Some(io::Error::other("it panicked").into()),
        }
    }
    let used = cpu::of_process().saturating_sub(before);
    load.other_cpu = used.saturating_sub(load.client_cpu);
    back.sort_by_key(|(number, _)| *number);
    let crews = back.into_iter().map(|(_, crew)| crew).collect();
    failed.map_or(Ok((load, crews)), Err)
}
