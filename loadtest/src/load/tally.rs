//! What came of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::code::Code;
use crate::measured::{Percentile, Second, Series};

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Answers, by response code.
    pub codes: BTreeMap<Code, u64>,
    /// Frames that answer nothing that is under way, or cannot be read.
    pub strays: u64,
    /// Requests that were given up without an answer.
    pub unanswered: u64,
    /// Requests that were due and not sent, because every terminal of their line was waiting.
    pub unsent: u64,
    /// Terminals that ran out of requests before the time was over.
    pub exhausted: u64,
    /// Lines that the server closed.
    pub lines_lost: u64,
    /// From the beginning to the last answer.
    pub elapsed: Duration,
    /// Nanoseconds from when a request was due, or sent if nothing says when, to its answer. What
    /// was never sent or answered counts with the time it had waited at the end.
    pub latency: Histogram<u64>,
    /// Processor time of the client threads.
    pub client_cpu: Duration,
    /// Processor time of the rest of the process.
    pub other_cpu: Duration,
    seconds: Vec<Slice>,
}

/// One second.
#[derive(Clone, Debug)]
struct Slice {
    approved: u64,
    refused: u64,
    unanswered: u64,
    latency: Histogram<u32>,
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missed {
    /// It was sent, and given up.
    Unanswered,
    /// It was never sent.
    Unsent,
}

/// From a microsecond to ten minutes, three significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 600_000_000_000, 3).expect("the bounds are in order")
}

impl Slice {
    fn new() -> Self {
        let latency = Histogram::new_with_bounds(1_000, 600_000_000_000, 2);
        Self {
            approved: 0,
            refused: 0,
            unanswered: 0,
            latency: latency.expect("the bounds are in order"),
        }
    }
}

impl Load {
    /// Nothing yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            codes: BTreeMap::new(),
            strays: 0,
            unanswered: 0,
            unsent: 0,
            exhausted: 0,
            lines_lost: 0,
            elapsed: Duration::ZERO,
            latency: histogram(),
            client_cpu: Duration::ZERO,
            other_cpu: Duration::ZERO,
            seconds: Vec::new(),
        }
    }

    /// Answers to requests.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.codes.values().copied().fold(0, u64::saturating_add)
    }

    /// Answers with success.
    #[must_use]
    pub fn approved(&self) -> u64 {
        let approved = self.codes.iter().filter(|(code, _)| code.is_success());
        approved.map(|(_, count)| *count).fold(0, u64::saturating_add)
    }

    /// Other answers.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.answered().saturating_sub(self.approved())
    }

    /// Answers in a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let micros = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX);
        scaled(self.answered(), 1_000_000, micros)
    }

    /// Nanoseconds of processor time for each answer, if so much was used for all.
    #[must_use]
    pub fn cpu_nanos(&self, used: Duration) -> u64 {
        let nanos = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        nanos.checked_div(self.answered()).unwrap_or_default()
    }

    /// Microseconds within which this share of the answers came: 0.5 for half of them.
    #[must_use]
    pub fn quantile_micros(&self, share: f64) -> u64 {
        self.latency.value_at_quantile(share) / 1000
    }

    /// The same load, ready to be shown.
    #[must_use]
    pub fn series(&self, name: &str) -> Series {
        let seconds = (0..).zip(&self.seconds).map(|(at, slice)| Second {
            at,
            approved: slice.approved,
            refused: slice.refused,
            unanswered: slice.unanswered,
            p50_us: slice.latency.value_at_quantile(0.5) / 1000,
            p99_us: slice.latency.value_at_quantile(0.99) / 1000,
        });
        let percentiles = SHARES.into_iter().map(|(share_ppm, share)| Percentile {
            share_ppm,
            micros: self.quantile_micros(share),
        });
        Series {
            name: name.to_owned(),
            seconds: seconds.collect(),
            percentiles: percentiles.collect(),
            codes: self.codes.iter().map(|(code, count)| (code.to_string(), *count)).collect(),
        }
    }

    pub(super) fn note_answer(&mut self, at: Duration, code: Code, took: Duration) {
        let sum = self.codes.entry(code).or_default();
        *sum = sum.saturating_add(1);
        self.elapsed = self.elapsed.max(at);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latency.saturating_record(nanos);
        let slice = self.slice(at);
        slice.latency.saturating_record(nanos);
        let count = if code.is_success() { &mut slice.approved } else { &mut slice.refused };
        *count = count.saturating_add(1);
    }

    pub(super) fn note_missed(&mut self, at: Duration, why: Missed, waited: Duration) {
        let count = match why {
            Missed::Unanswered => &mut self.unanswered,
            Missed::Unsent => &mut self.unsent,
        };
        *count = count.saturating_add(1);
        self.latency.saturating_record(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
        let slice = self.slice(at);
        slice.unanswered = slice.unanswered.saturating_add(1);
    }

    fn slice(&mut self, at: Duration) -> &mut Slice {
        let number = usize::try_from(at.as_secs()).unwrap_or(usize::MAX).min(SECONDS_MAX);
        if number >= self.seconds.len() {
            self.seconds.resize_with(number.saturating_add(1), Slice::new);
        }
        self.seconds.get_mut(number).expect("as many seconds as that were just made")
    }

    pub(super) fn add(&mut self, part: Self) {
        for (code, count) in part.codes {
            let sum = self.codes.entry(code).or_default();
            *sum = sum.saturating_add(count);
        }
        for (sum, count) in [
            (&mut self.strays, part.strays),
            (&mut self.unanswered, part.unanswered),
            (&mut self.unsent, part.unsent),
            (&mut self.exhausted, part.exhausted),
            (&mut self.lines_lost, part.lines_lost),
        ] {
            *sum = sum.saturating_add(count);
        }
        self.elapsed = self.elapsed.max(part.elapsed);
        self.latency.add(&part.latency).expect("all histograms have the same bounds");
        self.client_cpu = self.client_cpu.saturating_add(part.client_cpu);
        for (number, slice) in part.seconds.into_iter().enumerate() {
            let Some(sum) = self.seconds.get_mut(number) else {
                self.seconds.push(slice);
                continue;
            };
            sum.approved = sum.approved.saturating_add(slice.approved);
            sum.refused = sum.refused.saturating_add(slice.refused);
            sum.unanswered = sum.unanswered.saturating_add(slice.unanswered);
            sum.latency.add(&slice.latency).expect("all histograms have the same bounds");
        }
    }
}

/// The longest series: a load is measured in minutes.
const SECONDS_MAX: usize = 7200;

/// The shares of answers that are told: in millionths, and as a part of one.
const SHARES: [(u32, f64); 12] = [
    (0, 0.0),
    (250_000, 0.25),
    (500_000, 0.5),
    (750_000, 0.75),
    (900_000, 0.9),
    (950_000, 0.95),
    (990_000, 0.99),
    (995_000, 0.995),
    (999_000, 0.999),
    (999_500, 0.9995),
    (999_900, 0.9999),
    (1_000_000, 1.0),
];

/// `count * scale / of`, or 0 if `of` is.
pub(crate) fn scaled(count: u64, scale: u64, of: u64) -> u64 {
    let product = u128::from(count).saturating_mul(u128::from(scale));
    let quotient = product.checked_div(u128::from(of)).unwrap_or_default();
    u64::try_from(quotient).unwrap_or(u64::MAX)
}
