//! Terminals at a node's socket: every transaction, its answer, and what the card may spend then.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

mod town;

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use loadtest::terminal::{Original, Reason, Reconciled, SignOn, Slip, SlipState, Totals};
use loadtest::{BatchNo, Exchange, Fen, Kit, Presented, Station, Terminal, TestCard};
use town::{PATIENCE, Town};

/// A terminal that trades, and one that only asks what the card may spend.
struct Shop<'k> {
    town: &'k Town,
    card: &'k TestCard,
    counter: Station,
    kiosk: Station,
}

impl<'k> Shop<'k> {
    fn open(town: &'k Town, kit: &'k Kit) -> Self {
        let station = |place: usize| {
            Station::new(Terminal::new(&kit.terminals[place]), town.address, PATIENCE)
        };
        let mut kiosk = station(1);
        kiosk.make_ready().unwrap();
        Self { town, card: &kit.cards[0], counter: station(0), kiosk }
    }

    /// Makes a request; holds its answer, what the card may spend then, and how many entries the
    /// journal has more, to what they must be.
    fn step(
        &mut self,
        what: &str,
        (code, fen, entries): (&str, i64, u64),
        request: impl FnOnce(&mut Terminal, &Presented<'_>) -> Vec<u8>,
    ) -> Exchange {
        let before = self.town.entries();
        let presented = Presented::swiped(self.card);
        let exchange = self.counter.ask(|terminal| Ok(request(terminal, &presented))).unwrap();
        let told = exchange.reply.code.map(|code| code.to_string());
        assert_eq!(told.as_deref(), Some(code), "{what}");
        assert_eq!(self.town.entries() - before, entries, "{what}");
        self.owns(what, fen);
        exchange
    }

    /// Holds what the card may spend to what it must be.
    fn owns(&mut self, what: &str, fen: i64) {
        let presented = Presented::swiped(self.card);
        let asked = self.kiosk.ask(|terminal| terminal.balance(&presented)).unwrap();
        assert_eq!(asked.reply.balance_fen, Some(fen), "{what}");
    }

    /// Settles with these totals; holds what the host says of them to what it must say, and every
    /// upload to success. Returns how many messages it took.
    fn settles(&mut self, totals: Totals, said: Reconciled) -> usize {
        let settlement = self.counter.settle_claiming(totals).unwrap();
        assert_eq!(settlement.reconciled, Some(said));
        let refused = settlement.exchanges.iter().find(|exchange| !exchange.reply.is_success());
        assert_eq!(refused, None);
        settlement.exchanges.len()
    }

    fn last_slip(&self) -> Slip {
        self.counter.terminal.slips().last().unwrap().clone()
    }
}

fn kit() -> Kit {
    Kit::from_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/demo")).unwrap()
}

/// Sells, doubles, voids and reverses in the first batch. Returns a sale that stands.
fn first_batch(shop: &mut Shop<'_>) -> Slip {
    shop.step("sign-on", ("00", 50_000, 1), |t, _| t.sign_on(SignOn::Double).unwrap());
    let sale = |fen| move |t: &mut Terminal, card: &Presented<'_>| t.sale(card, Fen(fen)).unwrap();
    let sold = shop.step("sale", ("00", 40_000, 1), sale(10_000));
    let again = shop.step("duplicate", ("00", 40_000, 0), |t, _| t.again().unwrap());
    assert_eq!((again.sent, again.reply), (sold.sent, sold.reply));
    let first = shop.last_slip().imprint.stan;
    shop.step("void", ("00", 50_000, 1), |t, card| t.void(first, Some(card)).unwrap());
    let void = shop.last_slip().imprint.stan;
    let undo =
        |stan| move |t: &mut Terminal, _: &Presented<'_>| t.reverse(stan, Reason::Trouble).unwrap();
    shop.step("reversal of the void", ("00", 40_000, 1), undo(void));
    assert_eq!(shop.counter.terminal.slip(first).unwrap().state, SlipState::Approved);
    shop.step("second sale", ("00", 35_000, 1), sale(5_000));
    let second = shop.last_slip().imprint.stan;
    shop.step("its reversal", ("00", 40_000, 1), undo(second));
    shop.step("its reversal again", ("00", 40_000, 0), |t, _| t.again().unwrap());
    shop.step("more than there is", ("51", 40_000, 1), sale(40_001));
    shop.counter.terminal.slip(first).unwrap().clone()
}

#[test]
fn two_batches_of_a_terminal() {
    let (town, kit) = (Town::start(|_| {}), kit());
    let mut shop = Shop::open(&town, &kit);
    let slip = first_batch(&mut shop);

    let right = shop.counter.terminal.totals();
    assert_eq!(right, Totals { debit: Fen(10_000), debit_count: 1, ..Totals::default() });
    assert_eq!(shop.settles(right, Reconciled::Balanced), 2, "the totals, and the end");
    assert_eq!(shop.counter.terminal.batch(), BatchNo::FIRST.next());

    let original = Original::of(&slip);
    let refund = |fen| {
        let original = original.clone();
        move |t: &mut Terminal, card: &Presented<'_>| t.refund(&original, card, Fen(fen)).unwrap()
    };
    shop.step("refund of a part", ("00", 43_000, 1), refund(3_000));
    shop.step("more than is left of it", ("64", 43_000, 1), refund(7_001));
    shop.step("a sale of the second batch", ("00", 41_000, 1), |t, card| {
        t.sale(card, Fen(2_000)).unwrap()
    });

    let wrong = Totals { debit: Fen(1_999), ..shop.counter.terminal.totals() };
    let messages = shop.settles(wrong, Reconciled::Unbalanced);
    assert_eq!(messages, 3, "the totals, two details in one upload, and the end");
    shop.owns("a settlement moves no money", 41_000);
    shop.step("a sale of the third batch", ("00", 40_000, 1), |t, card| {
        t.sale(card, Fen(1_000)).unwrap()
    });

    shop.counter.hang_up();
    shop.kiosk.hang_up();
    assert!(town.is_left_alone());
    town.stop();
}

#[test]
fn a_shops_day() {
    let (town, kit) = (Town::start(|_| {}), kit());
    let report = loadtest::demo::run(town.address, &kit).unwrap();
    let wrong: Vec<_> = report.rows.iter().filter(|row| !row.ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    town.stop();
}

/// Lines that send without end, and read what comes back.
struct Flood {
    lines: Vec<TcpStream>,
    /// Bytes that came back.
    heard: Arc<AtomicU64>,
    hands: Vec<JoinHandle<()>>,
}

impl Flood {
    fn start(town: &Town, lines: usize, frame: &[u8]) -> Self {
        let chunk = frame.repeat(1_000);
        let open = |_| TcpStream::connect(town.address).unwrap();
        let lines: Vec<_> = (0..lines).map(open).collect();
        let heard = Arc::new(AtomicU64::new(0));
        let hands = lines.iter().flat_map(|line| {
            let (mut there, mut back) = (line.try_clone().unwrap(), line.try_clone().unwrap());
            let (chunk, heard) = (chunk.clone(), Arc::clone(&heard));
            let send = move || while there.write_all(&chunk).is_ok() {};
            let hear = move || {
                let mut room = [0; 65_536];
                while let Ok(count @ 1..) = back.read(&mut room) {
                    heard.fetch_add(count as u64, Ordering::Relaxed);
                }
            };
            [std::thread::spawn(send), std::thread::spawn(hear)]
        });
        Self { hands: hands.collect(), lines, heard }
    }

    fn stop(self) {
        self.lines.iter().for_each(|line| line.shutdown(Shutdown::Both).unwrap());
        self.hands.into_iter().for_each(|hand| hand.join().unwrap());
    }
}

#[test]
fn lines_that_send_without_end_take_turns_with_a_terminal() {
    let (town, kit) = (Town::start(|settings| settings.threads = 1), kit());
    let echo = Terminal::new(&kit.terminals[0]).echo().unwrap();
    let mut terminal = Station::new(Terminal::new(&kit.terminals[1]), town.address, PATIENCE);
    terminal.make_ready().unwrap();
    let flood = Flood::start(&town, 8, &echo);
    let mut meanwhile: Vec<_> = (0..20)
        .map(|_| {
            let before = flood.heard.load(Ordering::Relaxed);
            terminal.ask(Terminal::echo).unwrap();
            flood.heard.load(Ordering::Relaxed) - before
        })
        .collect();
    flood.stop();
    meanwhile.sort_unstable();
    // The runtime looks at sockets after sixty-one turns, and a turn is one read of four kilobytes.
    // What the sockets of the others hold is three times as much.
    assert!(meanwhile[10] < 500_000, "{meanwhile:?}");
    terminal.hang_up();
    town.stop();
}

/// Sends so many echo tests and counts what the socket has taken of them, until it takes no more for
/// a while.
fn send_until_stuck(line: &TcpStream, echo: &[u8], count: usize) -> JoinHandle<()> {
    let mut there = line.try_clone().unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let (chunk, progress) = (echo.repeat(100), Arc::clone(&taken));
    let sender = std::thread::spawn(move || {
        for _ in 0..count / 100 {
            there.write_all(&chunk).unwrap();
            progress.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut before = u64::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(!sender.is_finished(), "the sockets hold more than was sent");
    sender
}

#[test]
fn a_line_goes_on_at_once_when_its_peer_reads_at_last() {
    const COUNT: usize = 400_000;
    let (kit, hour) = (kit(), Duration::from_secs(3600));
    // Nothing but the peer's reading may wake the line.
    let town = Town::start(|settings| {
        settings.lines.write_deadline = hour;
        settings.lines.frame_deadline = hour;
    });
    let echo = Terminal::new(&kit.terminals[0]).echo().unwrap();
    let mut line = TcpStream::connect(town.address).unwrap();
    line.set_read_timeout(Some(PATIENCE)).unwrap();
    socket2::SockRef::from(&line).set_recv_buffer_size(65_536).unwrap();
    let sender = send_until_stuck(&line, &echo, COUNT);
    let mut length = [0; 2];
    for _ in 0..COUNT {
        line.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        line.read_exact(&mut answer).unwrap();
    }
    sender.join().unwrap();
    drop(line);
    town.stop();
}

/// A disk whose syncs wait while its gate is shut.
#[derive(Debug, Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opens: Condvar,
}

impl Gate {
    fn shut(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opens.notify_all();
    }
}

impl store::Disk for Gate {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        drop(self.opens.wait_while(self.is_shut.lock().unwrap(), |is_shut| *is_shut).unwrap());
        file.sync_data()
    }
}

/// Asks for balances in the name of one terminal, more than a node takes at a time; each is asked
/// before the one before is answered.
fn crowd(town: &Town, terminal: &mut Terminal, card: &TestCard) -> TcpStream {
    let mut line = TcpStream::connect(town.address).unwrap();
    line.set_read_timeout(Some(PATIENCE)).unwrap();
    for _ in 0..CROWD {
        line.write_all(&terminal.balance(&Presented::swiped(card)).unwrap()).unwrap();
        terminal.on_timeout();
    }
    line
}

const CROWD: usize = 1_500;

/// Waits until more waits than is taken, and so many lines with it; false if it never did.
fn is_crowded(town: &Town, lines: usize) -> bool {
    let wanted = format!(", {lines} lines held back");
    town::within(PATIENCE, || {
        let detail = town.detail("accounts");
        let commands: usize = detail.split(' ').next().unwrap().parse().unwrap();
        commands >= 1024 && detail.ends_with(&wanted)
    })
}

#[test]
fn what_has_waited_too_long_is_turned_away_and_stays_so() {
    let (gate, kit) = (Arc::new(Gate::default()), kit());
    let town = Town::start(|settings| {
        settings.journal.disk = Arc::clone(&gate) as Arc<dyn store::Disk>;
        settings.lines.in_flight_max = CROWD;
        settings.terminals.wait_micros_max = 100_000;
    });
    let card = Presented::swiped(&kit.cards[0]);
    let station = |place: usize| {
        let terminal = Terminal::new(&kit.terminals[place]);
        let mut station = Station::new(terminal, town.address, PATIENCE);
        station.make_ready().unwrap();
        station
    };
    let [mut busy, mut late, mut repeating] = [0, 1, 2].map(station);
    let made = repeating.ask(|terminal| terminal.sale(&card, Fen(100))).unwrap();

    gate.shut(true);
    let mut crowded = crowd(&town, &mut busy.terminal, &kit.cards[1]);
    assert!(is_crowded(&town, 1));
    let (turned_away, again) = std::thread::scope(|scope| {
        let sale = scope.spawn(|| late.ask(|terminal| terminal.sale(&card, Fen(200))).unwrap());
        let again = scope.spawn(|| repeating.ask(Terminal::again).unwrap());
        let all_wait = is_crowded(&town, 3);
        std::thread::sleep(Duration::from_millis(150));
        gate.shut(false);
        assert!(all_wait);
        (sale.join().unwrap(), again.join().unwrap())
    });

    let code = |exchange: &Exchange| exchange.reply.code.unwrap().to_string();
    assert_eq!((code(&turned_away), code(&again)), ("96".to_owned(), "00".to_owned()));
    assert_eq!(made.received, again.received, "a repeat is told what became of the first");
    let mut length = [0; 2];
    for _ in 0..CROWD {
        crowded.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        crowded.read_exact(&mut answer).unwrap();
    }
    // Now there is room: for a copy that comes late it is too late.
    let copy = late.ask(Terminal::again).unwrap();
    assert_eq!((code(&copy).as_str(), &copy.sent), ("96", &turned_away.sent));
    let sold = late.ask(|terminal| terminal.sale(&card, Fen(300))).unwrap();
    let left = late.ask(|terminal| terminal.balance(&card)).unwrap();
    assert_eq!((code(&sold), left.reply.balance_fen), ("00".to_owned(), Some(50_000 - 400)));
    town.stop();
}
