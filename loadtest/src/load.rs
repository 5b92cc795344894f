//! The load driver: many connections, one request outstanding on each.
//!
//! It knows nothing of what is measured: frames go out, answers come back and are judged, times
//! are taken. Every connection belongs to one of a few client threads, each with a single-threaded
//! runtime, so that their processor time can be told from that of a server in the same process.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use codec::{Dialect, Envelope, FrameError, Limits, Message, cut};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::code::Code;
use crate::cpu;
use crate::ids::Stan;
use crate::line::Frame;

/// Of so many answers of a connection, one is kept for a closer look.
const SAMPLE_EVERY: u64 = 64;

/// How long an answer may take before its connection is given up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a load does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Client threads, one at least.
    pub threads: usize,
    /// When no more requests are sent; those under way are still answered.
    pub duration: Duration,
    /// What frames and answers have to do with each other.
    pub matching: Matching,
}

/// What frames and answers have to do with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Matching {
    /// Each frame is sent once, and its answer has its trace number.
    Exact,
    /// Frames are sent over and over, and answers have any trace number.
    Loose,
}

/// The requests of one connection: frames of successive trace numbers, one after the other, each
/// with its length in front.
#[derive(Clone)]
pub struct Requests {
    /// The frames.
    pub frames: Arc<[u8]>,
    /// The trace number of the first.
    pub first: Stan,
}

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Answers with success.
    pub approved: u64,
    /// Other answers, by response code.
    pub refused: BTreeMap<Code, u64>,
    /// Answers that do not belong to their request, or cannot be read.
    pub mismatched: u64,
    /// Requests without an answer; their connections were given up.
    pub unanswered: u64,
    /// Connections that ran out of requests before the time was over.
    pub exhausted: usize,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Nanoseconds from request to answer.
    pub latency: Histogram<u64>,
    /// Processor time of the client threads.
    pub client_cpu: Duration,
    /// Processor time of the rest of the process.
    pub other_cpu: Duration,
    /// Every so many answers one, without its length, by the number of its connection.
    pub samples: Vec<(usize, Frame)>,
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

impl Load {
    /// Every answer.
    #[must_use]
    pub fn answered(&self) -> u64 {
        let refused = self.refused.values().copied().fold(0, u64::saturating_add);
        self.approved.saturating_add(refused).saturating_add(self.mismatched)
    }

    /// Answers in a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let micros = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX);
        scaled(self.answered(), 1_000_000, micros)
    }

    /// Nanoseconds of processor time for each answer: of the rest of the process, of the client.
    #[must_use]
    pub fn cpu_nanos(&self) -> (u64, u64) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let each = |time| nanos(time).checked_div(self.answered()).unwrap_or_default();
        (each(self.other_cpu), each(self.client_cpu))
    }

    /// Microseconds within which half, 99 % and 99.9 % of the answers came.
    #[must_use]
    pub fn percentiles_micros(&self) -> [u64; 3] {
        [0.5, 0.99, 0.999].map(|quantile| self.latency.value_at_quantile(quantile) / 1000)
    }
}

/// `count * scale / of`, or 0 if `of` is.
pub(crate) fn scaled(count: u64, scale: u64, of: u64) -> u64 {
    let product = u128::from(count).saturating_mul(u128::from(scale));
    let quotient = product.checked_div(u128::from(of)).unwrap_or_default();
    u64::try_from(quotient).unwrap_or(u64::MAX)
}

/// Opens a connection for each of `requests`, and puts the load on once all are open.
///
/// # Errors
/// [`LoadError`]; nothing was sent then.
pub fn run(plan: &Plan, requests: &[Requests]) -> Result<Load, LoadError> {
    let threads = plan.threads.max(1);
    let barrier = Arc::new(Barrier::new(threads.saturating_add(1)));
    let mut hands: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, requests) in requests.iter().enumerate() {
        if let Some(hand) = hands.get_mut(number.checked_rem(threads).unwrap_or_default()) {
            hand.push((number, requests.clone()));
        }
    }
    let mut clients = Vec::new();
    for (number, hand) in hands.into_iter().enumerate() {
        let (plan, barrier, all) = (*plan, Arc::clone(&barrier), requests.len());
        let work = move || client(plan, hand, all, &barrier);
        clients.push(thread::Builder::new().name(format!("client-{number}")).spawn(work)?);
    }
    barrier.wait();
    let before = cpu::of_process();
    let mut load = Load::empty();
    let mut failed = None;
    for client in clients {
        match client.join() {
            Ok(Ok(part)) => load.add(part),
            Ok(Err(error)) => failed = Some(error),
            Err(_panic) => failed = Some(io::Error::other("it panicked").into()),
        }
    }
    let used = cpu::of_process().saturating_sub(before);
    load.other_cpu = used.saturating_sub(load.client_cpu);
    failed.map_or(Ok(load), Err)
}

impl Load {
    fn empty() -> Self {
        Self {
            approved: 0,
            refused: BTreeMap::new(),
            mismatched: 0,
            unanswered: 0,
            exhausted: 0,
            elapsed: Duration::ZERO,
            latency: histogram(),
            client_cpu: Duration::ZERO,
            other_cpu: Duration::ZERO,
            samples: Vec::new(),
        }
    }

    fn add(&mut self, part: Self) {
        self.approved = self.approved.saturating_add(part.approved);
        for (code, count) in part.refused {
            let sum = self.refused.entry(code).or_default();
            *sum = sum.saturating_add(count);
        }
        self.mismatched = self.mismatched.saturating_add(part.mismatched);
        self.unanswered = self.unanswered.saturating_add(part.unanswered);
        self.exhausted = self.exhausted.saturating_add(part.exhausted);
        self.elapsed = self.elapsed.max(part.elapsed);
        self.latency.add(&part.latency).expect("all histograms have the same bounds");
        self.client_cpu = self.client_cpu.saturating_add(part.client_cpu);
        self.samples.extend(part.samples);
    }
}

/// From a microsecond to a minute, three significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are in order")
}

/// One client thread: opens its connections, waits for the others, puts its part of the load on.
fn client(
    plan: Plan,
    hand: Vec<(usize, Requests)>,
    all: usize,
    barrier: &Barrier,
) -> Result<Load, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let opened = runtime.map_err(LoadError::Thread).and_then(|runtime| {
        let opened = runtime.block_on(open_all(plan.address, hand, all))?;
        Ok((runtime, opened))
    });
    // Whoever fails must not leave the others waiting.
    barrier.wait();
    let (runtime, opened) = opened?;
    let before = cpu::of_thread();
    let mut load = runtime.block_on(put_on(plan, opened));
    load.client_cpu = cpu::of_thread().saturating_sub(before);
    Ok(load)
}

type Opened = (usize, Requests, TcpStream);

async fn open_all(
    address: SocketAddr,
    hand: Vec<(usize, Requests)>,
    all: usize,
) -> Result<Vec<Opened>, LoadError> {
    let mut opened = Vec::with_capacity(hand.len());
    for (number, requests) in hand {
        let stream = TcpStream::connect(address).await;
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = stream.map_err(|error| LoadError::Connect {
            number: number.saturating_add(1),
            all,
            error,
        })?;
        opened.push((number, requests, stream));
    }
    Ok(opened)
}

async fn put_on(plan: Plan, opened: Vec<Opened>) -> Load {
    let tally = Arc::new(Mutex::new(Load::empty()));
    let begin = Instant::now();
    let until = begin.checked_add(plan.duration).unwrap_or(begin);
    let tasks: Vec<_> = opened
        .into_iter()
        .map(|(number, requests, stream)| {
            let connection = Connection {
                stream,
                matching: plan.matching,
                begin,
                until,
                number,
                tally: Arc::clone(&tally),
            };
            tokio::spawn(connection.run(requests))
        })
        .collect();
    for task in tasks {
        // A task that panicked has left its request without an answer.
        if task.await.is_err() {
            lock(&tally).unanswered = lock(&tally).unanswered.saturating_add(1);
        }
    }
    std::mem::replace(&mut *lock(&tally), Load::empty())
}

/// Only one thread takes it, so nobody ever waits.
fn lock(tally: &Mutex<Load>) -> std::sync::MutexGuard<'_, Load> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    stream: TcpStream,
    matching: Matching,
    begin: Instant,
    until: Instant,
    number: usize,
    tally: Arc<Mutex<Load>>,
}

impl Connection {
    /// Sends a request, waits for its answer, and so on until the time is over.
    async fn run(mut self, requests: Requests) {
        let mut unread = Vec::with_capacity(512);
        let (mut at, mut stan, mut count) = (0_usize, requests.first, 0_u64);
        let mut sent_at = Instant::now();
        while sent_at < self.until {
            let Some(frame) = frame_at(&requests.frames, at) else {
                if at == 0 || self.matching == Matching::Exact {
                    let mut tally = lock(&self.tally);
                    tally.exhausted = tally.exhausted.saturating_add(1);
                    return;
                }
                (at, stan) = (0, requests.first);
                continue;
            };
            let asked = self.stream.write_all(frame).await.is_ok();
            let consumed = if asked { self.receive(&mut unread).await } else { None };
            let Some(consumed) = consumed else {
                let mut tally = lock(&self.tally);
                tally.unanswered = tally.unanswered.saturating_add(1);
                return;
            };
            let now = Instant::now();
            let reply = unread.get(2..consumed).unwrap_or_default();
            self.note(reply, stan, now.saturating_duration_since(sent_at), count);
            unread.drain(..consumed);
            (at, stan) = (at.saturating_add(frame.len()), stan.next());
            count = count.saturating_add(1);
            sent_at = now;
        }
    }

    /// Waits until `unread` begins with a whole frame; returns its length.
    async fn receive(&mut self, unread: &mut Vec<u8>) -> Option<usize> {
        let read = async {
            loop {
                match cut(unread, &Limits::default()) {
                    Ok(Some(cut)) => return Ok(cut.consumed),
                    Ok(None) => {}
                    Err(error) => return Err(Some(error)),
                }
                if !matches!(self.stream.read_buf(unread).await, Ok(1..)) {
                    return Err::<_, Option<FrameError>>(None);
                }
            }
        };
        tokio::time::timeout(ANSWER_TIMEOUT, read).await.ok()?.ok()
    }

    fn note(&self, reply: &[u8], stan: Stan, took: Duration, count: u64) {
        let verdict = judge(reply, stan, self.matching);
        let mut tally = lock(&self.tally);
        match verdict {
            Some(code) if code.is_success() => tally.approved = tally.approved.saturating_add(1),
            Some(code) => {
                let sum = tally.refused.entry(code).or_default();
                *sum = sum.saturating_add(1);
            }
            None => tally.mismatched = tally.mismatched.saturating_add(1),
        }
        tally.latency.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        tally.elapsed = self.begin.elapsed();
        if count.is_multiple_of(SAMPLE_EVERY) {
            tally.samples.push((self.number, reply.to_vec().into()));
        }
    }
}

/// The response code of an answer, if it is one to the request with this trace number.
fn judge(reply: &[u8], stan: Stan, matching: Matching) -> Option<Code> {
    let envelope = Envelope::parse(reply).ok()?;
    let message = Message::parse(Dialect::unionpay_pos(), envelope.body).ok()?;
    let code = Code(message.text(39)?.try_into().ok()?);
    let is_mine = message.number(11)? == u64::from(stan.get());
    (is_mine || matching == Matching::Loose).then_some(code)
}

/// The frame that begins at `at`, its length in front.
fn frame_at(frames: &[u8], at: usize) -> Option<&[u8]> {
    let (length, _) = frames.get(at..)?.split_first_chunk::<2>()?;
    let end = at.saturating_add(usize::from(u16::from_be_bytes(*length))).saturating_add(2);
    frames.get(at..end)
}
