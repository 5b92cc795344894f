//! Lines that send what is no frame, or too little, or too much (catalogue A1 to A15; A16 is a
//! message, and stands with them). There is no TLS door, so of A10 there is one half.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::line::{Line, Seller, count, counters, echo, log};
use crate::town::{PATIENCE, Town, within};

/// One case: what is done at a line, and what must come of it.
struct Row {
    /// The row of the catalogue.
    id: &'static str,
    /// What is wrong.
    what: &'static str,
    /// Does it, and returns what is heard.
    act: fn(&Town, &mut Seller) -> String,
    /// What must be heard.
    heard: &'static str,
    /// The code that the line is closed with, as counters tell it; none if it is left alone.
    code: Option<&'static str>,
    /// Entries that the journal has more.
    entries: u64,
}

impl Row {
    /// Tries the case; returns what is heard, and what is wrong with it.
    fn faults(&self, town: &Town, seller: &mut Seller) -> (String, Vec<String>) {
        let tallies = self
            .code
            .map(|code| [["posp_frame_errors_total", code], ["posp_conn_closed_total", code]]);
        let before: Vec<_> = tallies.iter().flatten().map(|words| count(*words)).collect();
        let entries = town.entries();
        let heard = (self.act)(town, seller);
        let mut faults = Vec::new();
        if heard != self.heard {
            faults.push(format!("hears {heard}"));
        }
        for (words, before) in tallies.iter().flatten().zip(before) {
            within(PATIENCE, || count(*words) > before);
            if count(*words) != before + 1 {
                faults.push(format!("counts {} of {words:?}", count(*words) - before));
            }
        }
        if !town.is_left_alone() {
            faults.push("leaves lines open".into());
        }
        if town.entries() != entries + self.entries {
            faults.push(format!("leaves {} entries", town.entries() - entries));
        }
        (heard, faults)
    }
}

/// Tries every case, and shows all of them if one fails.
fn check(town: &Town, seller: &mut Seller, rows: &[Row]) {
    let mut table = String::new();
    let mut failed = 0;
    for row in rows {
        let (heard, faults) = row.faults(town, seller);
        let verdict = if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") };
        failed += usize::from(!faults.is_empty());
        writeln!(table, "{:3} {heard:14} {}: {verdict}", row.id, row.what).unwrap();
    }
    assert_eq!(failed, 0, "id  heard          what\n{table}");
}

/// A line that is closed, and nothing changes.
const fn closed(
    id: &'static str,
    what: &'static str,
    act: fn(&Town, &mut Seller) -> String,
    code: &'static str,
) -> Row {
    Row { id, what, act, heard: "closed", code: Some(code), entries: 0 }
}

/// Sends bytes over a fresh line, and hears it out.
fn send(town: &Town, bytes: &[u8]) -> String {
    let mut line = Line::to(town);
    line.write(bytes);
    line.rest()
}

/// Sends an echo with one byte changed.
fn send_echo_with(town: &Town, place: usize, byte: u8) -> String {
    let mut frame = echo();
    frame[place] = byte;
    send(town, &frame)
}

const FRAMES: &[Row] = &[
    closed("A1", "a length of nothing", |town, _| send(town, &[0, 0]), "FRAME_ZERO"),
    closed("A2", "a length of one", |town, _| send(town, &[0, 1, 0x60]), "FRAME_SHORT"),
    closed(
        "A2",
        "a length of a byte less than a bitmap needs",
        |town, _| send(town, &[0, 20]),
        "FRAME_SHORT",
    ),
    closed(
        "A3",
        "a byte more than a frame may have, none of it sent",
        |town, _| send(town, &[0x10, 0x01]),
        "FRAME_TOO_LONG",
    ),
    closed(
        "A3",
        "all that a length can say",
        |town, _| send(town, &[0xFF, 0xFF]),
        "FRAME_TOO_LONG",
    ),
    closed(
        "A4",
        "300 bytes announced, 10 sent",
        |town, _| send(town, &[0x01, 0x2C, 0x60, 0, 3, 0, 0, 0x60, 0x31, 0, 0x31, 0x13]),
        "FRAME_TIMEOUT",
    ),
    closed(
        "A5",
        "a byte now and then",
        |town, _| {
            let mut line = Line::to(town);
            line.write(&[0x01, 0x2C]);
            while line.push(&[0x60], PATIENCE).is_some() {
                std::thread::sleep(Duration::from_millis(100));
            }
            line.rest()
        },
        "FRAME_TIMEOUT",
    ),
    Row {
        id: "A5",
        what: "a frame, and half of one that never ends",
        act: |town, _| send(town, &[echo(), echo()[..40].to_vec()].concat()),
        heard: "00 closed",
        code: Some("FRAME_TIMEOUT"),
        entries: 0,
    },
    Row {
        id: "A5",
        what: "half a frame, then its end and half of the next",
        act: |town, _| {
            let (bytes, mut line) = ([echo(), echo()].concat(), Line::to(town));
            line.write(&bytes[..40]);
            std::thread::sleep(Duration::from_millis(100));
            line.write(&bytes[40..100]);
            line.rest()
        },
        heard: "00 closed",
        code: Some("FRAME_TIMEOUT"),
        entries: 0,
    },
    closed(
        "A8",
        "a length in characters",
        |town, _| send(town, b"0123\x60\x00\x03"),
        "FRAME_BAD_HEADER",
    ),
    closed("A9", "another TPDU", |town, _| send_echo_with(town, 2, 0x68), "TPDU_UNKNOWN"),
    closed(
        "A9",
        "another class of application",
        |town, _| send_echo_with(town, 7, 0x70),
        "FRAME_BAD_HEADER",
    ),
    closed(
        "A10",
        "a TLS hello at a plain door",
        |town, _| send(town, &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]),
        "TLS_ON_PLAIN",
    ),
    closed(
        "A11",
        "a browser",
        |town, _| send(town, b"GET / HTTP/1.1\r\nHost: posp\r\n\r\n"),
        "HTTP_ON_ISO",
    ),
    closed("A11", "a form", |town, _| send(town, b"POST / HTTP/1.1\r\n\r\n"), "HTTP_ON_ISO"),
    Row {
        id: "A1",
        what: "a sale, and what is no frame, in one segment: the sale is answered",
        act: |town, seller| {
            let sale = seller.sale();
            send(town, &[sale, vec![0, 0]].concat())
        },
        heard: "00 closed",
        code: Some("FRAME_ZERO"),
        entries: 1,
    },
];

/// Right frames, in a way that no terminal sends them.
const SEGMENTS: &[Row] = &[
    Row {
        id: "A6",
        what: "one frame in as many segments as bytes",
        act: |town, seller| {
            let (sale, mut line) = (seller.sale(), Line::to(town));
            sale.chunks(1).for_each(|byte| line.write(byte));
            line.read().unwrap().code()
        },
        heard: "00",
        code: None,
        entries: 1,
    },
    Row {
        id: "A6",
        what: "two frames in one segment",
        act: |town, seller| {
            let (sales, mut line) = ([seller.sale(), seller.sale()].concat(), Line::to(town));
            line.write(&sales);
            format!("{} {}", line.read().unwrap().code(), line.read().unwrap().code())
        },
        heard: "00 00",
        code: None,
        entries: 2,
    },
    Row {
        id: "A7",
        what: "1 000 requests, and nothing is read before all are sent",
        act: |town, seller| {
            let sales: Vec<_> = (0..1_000).flat_map(|_| seller.sale()).collect();
            let mut line = Line::to(town);
            line.write(&sales);
            let codes = (0..1_000).map(|_| line.read().unwrap().code());
            codes.filter(|code| code == "00").count().to_string()
        },
        heard: "1000",
        code: None,
        entries: 1_000,
    },
    Row {
        id: "A7",
        what: "requests without end, and nothing is ever read: no more is read, nor kept",
        act: |town, _| {
            let mut line = Line::over(narrow(town));
            let echoes = echo().repeat(1_000);
            let (mut at, mut stalled, start) = (0, "read to the end", Instant::now());
            while let Some(taken) = line.push(&echoes[at..], Duration::from_millis(200))
                && start.elapsed() < 3 * PATIENCE
            {
                stalled = if taken == 0 { "stalled" } else { stalled };
                at = (at + taken) % echoes.len();
            }
            stalled.to_owned()
        },
        heard: "stalled",
        code: Some("SLOW_READER"),
        entries: 0,
    },
    Row {
        id: "A13",
        what: "500 lines that say nothing and close: none leaves a trace",
        act: |town, _| {
            (0..500).for_each(|_| drop(Line::to(town)));
            let mut line = Line::to(town);
            line.write(&echo());
            line.read().unwrap().code()
        },
        heard: "00",
        code: None,
        entries: 0,
    },
    Row {
        id: "A14",
        what: "one terminal at two lines: both are served, for a line may carry many terminals, and \
               one sale is one sale",
        act: |town, seller| {
            let (one, other) = (seller.sale(), seller.sale());
            let (mut here, mut there) = (Line::to(town), Line::to(town));
            here.write(&one);
            there.write(&other);
            let codes = [here.read().unwrap().code(), there.read().unwrap().code()];
            there.write(&one);
            here.write(&one);
            let again = [here.read().unwrap(), there.read().unwrap()];
            let is_one = again[0].text(37) == again[1].text(37);
            format!("{} {} {is_one}", codes[0], codes[1])
        },
        heard: "00 00 true",
        code: None,
        entries: 2,
    },
    Row {
        id: "A15",
        what: "a line that sends nothing more after its request: the answer is written",
        act: |town, seller| {
            let (sale, mut line) = (seller.sale(), Line::to(town));
            line.write(&sale);
            line.finish();
            line.rest()
        },
        heard: "00 closed",
        code: None,
        entries: 1,
    },
    Row {
        id: "B43",
        what: "a sale, two settlements and a sale of the next batch at once: each waits for what is \
               before it, and the second is told what the first was",
        act: |town, seller| {
            let totals = "0".repeat(62);
            let twice = [seller.settlement(&totals), seller.settlement(&totals)].concat();
            let mut line = Line::to(town);
            line.write(&[twice, seller.sale()].concat());
            let mut told: Vec<_> = (0..3).map(|_| line.read().unwrap()).collect();
            told.sort_by_key(|heard| heard.mti());
            let same = told[1].text(37) == told[2].text(37);
            format!("{} {} {} {same}", told[0].code(), told[1].mti(), told[2].mti())
        },
        heard: "77 0510 0510 true",
        code: None,
        entries: 1,
    },
];

/// A connection whose buffers are as small as the system lets them be.
fn narrow(town: &Town) -> TcpStream {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    socket.connect(&town.address.into()).unwrap();
    socket.into()
}

#[test]
fn at_the_door() {
    let _turn = turn();
    let town = Town::start(|settings| {
        settings.lines.frame_deadline = Duration::from_millis(1_500);
        settings.lines.write_deadline = Duration::from_secs(3);
        settings.lines.in_flight_max = 4;
    });
    let mut seller = Seller::sign_on(&town);
    check(&town, &mut seller, FRAMES);
    check(&town, &mut seller, SEGMENTS);
    town.stop();
}

/// A12: lines that say nothing, one more of them than one address may have.
#[test]
fn idle_lines() {
    let _turn = turn();
    let town = Town::start(|settings| {
        settings.lines.idle = Duration::from_secs(2);
        settings.door.lines_per_peer_max = 3;
    });
    let no_room = count(["posp_conn_closed_total", "NO_ROOM"]);
    let idle = count(["posp_conn_closed_total", "IDLE"]);
    let mut lines: Vec<_> = (0..4).map(|_| Line::to(&town)).collect();
    assert!(lines.iter_mut().all(|line| line.rest() == "closed"));
    assert_eq!(count(["posp_conn_closed_total", "NO_ROOM"]) - no_room, 1);
    assert_eq!(count(["posp_conn_closed_total", "IDLE"]) - idle, 3);
    assert!(town.is_left_alone());
    let mut line = Line::to(&town);
    line.write(&echo());
    assert_eq!(line.read().unwrap().code(), "00", "those who are gone take no room");
    town.stop();
}

/// A13: lines that come and go faster than they may be taken. Those above the limit wait, all are
/// served, none leaves a line in the log, and of those that send what is no frame few do.
#[test]
fn lines_that_come_and_go() {
    let _turn = turn();
    let log = log();
    let town = Town::start(|settings| settings.door.accepts_per_second = 100);
    let before = log.text().len();
    let began = Instant::now();
    (0..350).for_each(|_| drop(Line::to(&town)));
    let mut line = Line::to(&town);
    line.write(&echo());
    assert_eq!(line.read().unwrap().code(), "00");
    let took = began.elapsed();
    assert!((Duration::from_millis(2_000)..PATIENCE).contains(&took), "{took:?}");
    drop(line);
    assert!(town.is_left_alone());
    assert_eq!(log.text()[before..].matches('\n').count(), 0, "{}", &log.text()[before..]);
    let began = Instant::now();
    assert!((0..150).all(|_| send(&town, &[0, 0]) == "closed"));
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    let lines = log.text()[before..].matches("FRAME_ZERO").count();
    assert!((20..=20 * (seconds + 2)).contains(&lines), "{lines} lines in {seconds} s");
    town.stop();
}

/// A12: one line more than the node takes, whoever opens it.
#[test]
fn too_many_lines() {
    let _turn = turn();
    let town = Town::start(|settings| settings.door.lines_max = 2);
    let no_room = count(["posp_conn_closed_total", "NO_ROOM"]);
    let mut lines: Vec<_> = (0..3).map(|_| Line::to(&town)).collect();
    assert_eq!(lines[2].rest(), "closed");
    assert_eq!(count(["posp_conn_closed_total", "NO_ROOM"]) - no_room, 1);
    for line in &mut lines[..2] {
        line.write(&echo());
        assert_eq!(line.read().unwrap().code(), "00");
    }
    drop(lines);
    town.stop();
}

/// Counters are those of the process, so the tests that read them take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    counters();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
