//! The load driver against small servers made by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use codec::{Dialect, Header, Limits, MessageBuilder, Tpdu, cut, write_frame};
use loadtest::echo::Echo;
use loadtest::load::{self, Answer, Carousel, Faults, Leg, Matching, Pace, Plan, Rules, Till};
use loadtest::{Code, Stan, TerminalId};

/// How long a load takes.
const SHORT: Duration = Duration::from_millis(400);

/// A terminal that sends bare requests and counts what it hears.
struct Bare {
    id: TerminalId,
    stan: Stan,
    left: u32,
    heard: Vec<(Stan, Code)>,
    missed: u32,
}

impl Bare {
    fn new(number: u32, left: u32) -> Self {
        let id = format!("2{number:07}").parse().unwrap();
        Self { id, stan: Stan::FIRST, left, heard: Vec::new(), missed: 0 }
    }
}

impl Till for Bare {
    fn terminal(&self) -> TerminalId {
        self.id
    }

    fn ask(&mut self, out: &mut Vec<u8>) -> Option<Stan> {
        self.left = self.left.checked_sub(1)?;
        let stan = self.stan;
        self.stan = stan.next();
        write(out, b"0200", stan, self.id, None);
        Some(stan)
    }

    fn hear(&mut self, answer: &Answer<'_>) {
        let stan = u32::try_from(answer.message.number(11).unwrap()).unwrap();
        self.heard.push((Stan::new(stan).unwrap(), answer.code));
    }

    fn miss(&mut self) {
        self.missed += 1;
    }
}

fn write(out: &mut Vec<u8>, mti: &[u8; 4], stan: Stan, id: TerminalId, code: Option<&[u8]>) {
    let (tpdu, header) = (Tpdu([0x60, 0, 1, 0, 2]), Header([0x60, 0x22, 0, 0, 0, 0]));
    write_frame(out, tpdu, header, |body| {
        let mut message = MessageBuilder::start(Dialect::unionpay_pos(), body, mti)?;
        message.number(11, stan.get().into())?;
        if let Some(code) = code {
            message.text(39, code)?;
        }
        message.text(41, &id.0)?;
        message.finish()
    })
    .unwrap();
}

/// What a hand-made server does with the requests that one read brought.
type Deed = Box<dyn FnMut(&[(Stan, TerminalId)], &mut Vec<u8>) -> Next + Send>;

#[derive(Eq, PartialEq)]
enum Next {
    Go,
    HangUp,
}

fn approve(requests: &[(Stan, TerminalId)], out: &mut Vec<u8>) {
    for (stan, id) in requests {
        write(out, b"0210", *stan, *id, Some(b"00"));
    }
}

fn serve(make: impl Fn() -> Deed + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let deed = make();
            thread::spawn(move || serve_line(stream, deed));
        }
    });
    address
}

fn serve_line(mut stream: TcpStream, mut deed: Deed) {
    let (mut unread, mut room) = (Vec::new(), [0; 65536]);
    while let Ok(count @ 1..) = stream.read(&mut room) {
        unread.extend_from_slice(&room[..count]);
        let mut requests = Vec::new();
        while let Some(cut) = cut(&unread, &Limits::default()).unwrap() {
            // An answer is read like a request, but for its code: give it one.
            let envelope = codec::Envelope::parse(cut.frame).unwrap();
            let message = codec::Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
            let stan = u32::try_from(message.number(11).unwrap()).unwrap();
            let id = TerminalId(message.text(41).unwrap().try_into().unwrap());
            requests.push((Stan::new(stan).unwrap(), id));
            let consumed = cut.consumed;
            unread.drain(..consumed);
        }
        let mut out = Vec::new();
        let next = deed(&requests, &mut out);
        if stream.write_all(&out).is_err() || next == Next::HangUp {
            return;
        }
    }
}

fn approving() -> Deed {
    Box::new(|requests, out| {
        approve(requests, out);
        Next::Go
    })
}

fn plan(address: SocketAddr, pace: Pace) -> Plan {
    Plan { address, threads: 2, pace, rules: Rules::default() }
}

fn open(rate: u64, duration: Duration) -> Pace {
    Pace::Open(vec![Leg { rate, duration }])
}

fn lone(lines: u32, left: u32) -> Vec<Vec<Bare>> {
    (0..lines).map(|number| vec![Bare::new(number, left)]).collect()
}

#[test]
fn each_request_is_sent_once_and_each_answer_is_its_own() {
    let address = serve(approving);
    let (load, crews) = load::run(&plan(address, Pace::Closed(SHORT)), lone(3, 5)).unwrap();
    assert_eq!((load.approved(), load.answered(), load.exhausted), (15, 15, 3));
    assert_eq!((load.strays, load.unanswered, load.unsent, load.lines_lost), (0, 0, 0, 0));
    for bare in crews.iter().flatten() {
        let stans: Vec<_> = bare.heard.iter().map(|(stan, _)| stan.get()).collect();
        assert_eq!(stans, [1, 2, 3, 4, 5]);
    }
}

#[test]
fn answers_out_of_order_find_their_terminals() {
    // Answers come backwards, and batch by batch.
    let address = serve(|| {
        Box::new(|requests, out| {
            let backwards: Vec<_> = requests.iter().rev().copied().collect();
            approve(&backwards, out);
            Next::Go
        })
    });
    let crew = (0..16).map(|number| Bare::new(number, 20)).collect();
    let rules = Rules { in_flight: 8, ..Rules::default() };
    let plan = Plan { rules, ..plan(address, Pace::Closed(Duration::from_secs(20))) };
    let (load, crews) = load::run(&plan, vec![crew]).unwrap();
    assert_eq!((load.approved(), load.strays), (320, 0));
    assert!(crews[0].iter().all(|bare| bare.heard.len() == 20 && bare.missed == 0));
}

#[test]
fn a_line_has_only_so_many_requests_under_way() {
    let most = Arc::new(Mutex::new(0));
    let known = Arc::clone(&most);
    let address = serve(move || {
        let known = Arc::clone(&known);
        Box::new(move |requests, out| {
            // Whoever waits here sees all that may be under way.
            thread::sleep(Duration::from_millis(5));
            let mut most = known.lock().unwrap();
            *most = requests.len().max(*most);
            approve(requests, out);
            Next::Go
        })
    });
    let crew = (0..16).map(|number| Bare::new(number, 10)).collect();
    let rules = Rules { in_flight: 4, ..Rules::default() };
    let plan = Plan { rules, ..plan(address, Pace::Closed(Duration::from_secs(20))) };
    let (load, _) = load::run(&plan, vec![crew]).unwrap();
    assert_eq!(load.approved(), 160);
    assert_eq!(*most.lock().unwrap(), 4);
}

#[test]
fn a_stall_shows_in_all_that_was_due_meanwhile() {
    // Nothing for 200 ms, once; all that is due then waits.
    let begun = Arc::new(Mutex::new(None::<Instant>));
    let address = serve(move || {
        let begun = Arc::clone(&begun);
        Box::new(move |requests, out| {
            let first = *begun.lock().unwrap().get_or_insert_with(Instant::now);
            let stall = first + Duration::from_millis(100);
            if (stall..stall + Duration::from_millis(200)).contains(&Instant::now()) {
                thread::sleep((stall + Duration::from_millis(200)) - Instant::now());
            }
            approve(requests, out);
            Next::Go
        })
    });
    let duration = Duration::from_secs(1);
    let (load, _) = load::run(&plan(address, open(500, duration)), lone(4, 500)).unwrap();
    assert_eq!((load.answered(), load.unsent), (500, 0));
    // A fifth of a second of a second: whoever left it out would see it in four answers of 500.
    assert!(load.quantile_micros(0.99) >= 150_000, "{}", load.quantile_micros(0.99));
    assert!(load.quantile_micros(0.85) >= 40_000, "{}", load.quantile_micros(0.85));
    assert!(load.quantile_micros(0.5) < 40_000, "{}", load.quantile_micros(0.5));
}

#[test]
fn what_is_due_and_never_sent_counts_with_its_wait() {
    // Nobody answers but the first.
    let address = serve(|| {
        let mut is_first = true;
        Box::new(move |requests, out| {
            if std::mem::take(&mut is_first) {
                approve(requests, out);
            }
            Next::Go
        })
    });
    let rules = Rules { timeout: Duration::from_millis(600), ..Rules::default() };
    let plan = Plan { rules, ..plan(address, open(100, Duration::from_millis(500))) };
    let (load, crews) = load::run(&plan, lone(1, 100)).unwrap();
    assert_eq!((load.answered(), load.unanswered), (1, 1));
    assert_eq!(load.unsent, 48);
    assert_eq!(crews[0][0].missed, 1);
    assert!(load.quantile_micros(0.9) > 300_000);
    let series = load.series("x");
    assert_eq!(series.seconds.iter().map(|second| second.unanswered).sum::<u64>(), 49);
    assert_eq!(series.codes["00"], 1);
}

#[test]
fn customers_leave_when_their_patience_ends() {
    let address = serve(|| Box::new(|_, _| Next::Go));
    let patience = Some(Duration::from_millis(50));
    let rules = Rules { timeout: Duration::from_millis(400), patience, ..Rules::default() };
    let plan = Plan { rules, ..plan(address, open(100, SHORT)) };
    let (load, _) = load::run(&plan, lone(1, 100)).unwrap();
    assert_eq!(load.answered(), 0);
    assert_eq!(load.unsent + load.unanswered, 40);
    assert!(load.unanswered >= 1 && load.unsent >= 30);
}

#[test]
fn a_line_that_the_server_closes_is_lost_with_what_is_under_way() {
    let address = serve(|| {
        let mut answered = 0;
        Box::new(move |requests, out| {
            answered += 1;
            if answered > 3 {
                return Next::HangUp;
            }
            approve(requests, out);
            Next::Go
        })
    });
    let (load, crews) = load::run(&plan(address, Pace::Closed(SHORT)), lone(1, 9)).unwrap();
    assert_eq!((load.approved(), load.unanswered, load.lines_lost), (3, 1, 1));
    assert_eq!(crews[0][0].missed, 1);
}

#[test]
fn an_answer_to_something_else_is_a_stray() {
    let address = serve(|| {
        Box::new(|requests, out| {
            for (stan, id) in requests {
                write(out, b"0210", stan.next(), *id, Some(b"00"));
                write(out, b"0210", *stan, TerminalId(*b"99999999"), Some(b"00"));
            }
            approve(requests, out);
            Next::Go
        })
    });
    let (load, _) = load::run(&plan(address, Pace::Closed(SHORT)), lone(1, 4)).unwrap();
    assert_eq!((load.approved(), load.strays), (4, 8));
}

#[test]
fn faults_drop_delay_and_double() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&seen);
    let address = serve(move || {
        let known = Arc::clone(&known);
        Box::new(move |requests, out| {
            known.lock().unwrap().extend_from_slice(requests);
            approve(requests, out);
            Next::Go
        })
    });
    let run = |faults| {
        seen.lock().unwrap().clear();
        let rules = Rules { faults, ..Rules::default() };
        let plan = Plan { rules, ..plan(address, Pace::Closed(Duration::from_secs(20))) };
        let (load, crews) = load::run(&plan, lone(4, 50)).unwrap();
        let missed: u32 = crews.iter().flatten().map(|bare| bare.missed).sum();
        thread::sleep(Duration::from_millis(50));
        (load, missed, seen.lock().unwrap().len())
    };
    let (load, missed, _) = run(Faults { drop_permille: 200, ..Faults::NONE });
    assert!(missed > 10, "{missed}");
    assert_eq!(load.unanswered, u64::from(missed));
    assert_eq!(load.answered() + load.unanswered, 200);
    let (load, missed, seen) = run(Faults { duplicate_permille: 200, ..Faults::NONE });
    assert_eq!((load.approved(), load.strays, missed), (200, 0, 0));
    assert!((220..280).contains(&seen), "{seen}");
    let (load, missed, _) = run(Faults { delay_permille: 200, delay_ms: 60, ..Faults::NONE });
    assert_eq!((load.approved(), missed), (200, 0));
    assert!(load.quantile_micros(0.95) >= 50_000);
    assert!(load.quantile_micros(0.5) < 50_000);
}

#[test]
fn an_echo_is_asked_round_and_round() {
    let (mut frames, mut reply) = (Vec::new(), Vec::new());
    let id = TerminalId(*b"20000001");
    write(&mut frames, b"0200", Stan::FIRST, id, None);
    write(&mut frames, b"0200", Stan::FIRST.next(), id, None);
    write(&mut reply, b"0210", Stan::FIRST, id, Some(b"00"));
    let echo = Echo::start(1, &reply).unwrap();
    let frames = Arc::new(frames);
    let crew = || (0..4).map(|_| Carousel::new(id, Arc::clone(&frames))).collect();
    let rules = Rules { in_flight: 3, matching: Matching::Loose, ..Rules::default() };
    let plan = Plan { rules, ..plan(echo.address(), Pace::Closed(SHORT)) };
    let (load, _) = load::run(&plan, vec![crew(), crew()]).unwrap();
    assert!(load.approved() > 20, "{}", load.approved());
    assert_eq!((load.strays, load.unanswered, load.exhausted), (0, 0, 0));
}
