//! A node in a directory of its own, and lines to it that send what they like.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use admin::ports::Health;
use codec::{Dialect, Envelope, Message};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use keys::TerminalKeys;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use switch::clock::Calendar;
use switch::config::Config;
use switch::node::{Node, Settings, Vitals, keeper};
use switch::programme::Programme;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::bench::{Heard, MAC};
use crate::draft::{Draft, management, sale};

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A node that runs.
pub(crate) struct Town {
    pub(crate) address: SocketAddr,
    pub(crate) directory: TempDir,
    vitals: Arc<Vitals>,
    keys: Option<TerminalKeys>,
    next_stan: u32,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Town {
    /// Starts a node with the demonstration programme.
    pub(crate) fn start(change: impl FnOnce(&mut Settings)) -> Self {
        counters();
        let directory = TempDir::new().unwrap();
        let programme = Programme::demo();
        let config = Config::default();
        let hsm = keeper(&config).unwrap();
        let mut settings = Settings::of(&config, &programme);
        settings.data = directory.path().to_owned();
        settings.pos_listen.set_port(0);
        settings.threads = 2;
        settings.ledger = None;
        settings.calendar = far_from_cut_off();
        change(&mut settings);
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let node = Node::start(settings, &programme, hsm).await.unwrap();
                ready.send((node.pos_address(), node.vitals())).unwrap();
                drop(stopped.await);
                node.stop().await.unwrap();
            });
        });
        let (address, vitals) = is_ready.recv().unwrap();
        let (stop, thread) = (Some(stop), Some(thread));
        Self { address, directory, vitals, keys: None, next_stan: 1, stop, thread }
    }

    /// Stops the node, and waits until it has.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Opens a line.
    pub(crate) fn line(&self) -> Line {
        Line::over(TcpStream::connect(self.address).unwrap())
    }

    /// Returns the frame of a sale of a fen that was not made yet, its length in front.
    pub(crate) fn sale(&mut self) -> Vec<u8> {
        let keys = self.keys.as_ref().unwrap();
        let mut draft = sale(keys);
        self.next_stan += 1;
        draft.digits(4, "000000000001").digits(11, &format!("{:06}", self.next_stan));
        with_length(&draft.frame(|body| keys.mac(MAC, body).unwrap()))
    }

    /// Signs the first terminal on.
    pub(crate) fn sign_on(&mut self) {
        let mut line = self.line();
        line.write(&unsigned(&management([0x08, 0x00], "00000001003")));
        let heard = line.read().unwrap();
        let envelope = Envelope::parse(&heard.frame).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        let block = message.raw(62).unwrap();
        let programme = Programme::demo();
        let setup = &programme.terminals[0];
        let tmk = setup.tmk.expose();
        self.keys = Some(TerminalKeys::from_sign_on(tmk, setup.algorithm, block, None).unwrap());
    }

    /// Returns what the node says of one of its parts.
    fn detail(&self, part: &str) -> String {
        let checks = self.vitals.checks();
        checks.iter().find(|check| check.name == part).unwrap().detail.clone()
    }

    /// Returns how many entries are durable.
    pub(crate) fn entries(&self) -> u64 {
        self.detail("journal").split(' ').next().unwrap().parse().unwrap()
    }

    /// True once no line is open.
    pub(crate) fn is_left_alone(&self) -> bool {
        within(PATIENCE, || self.detail("terminals").contains(" 0 lines open"))
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

/// A calendar whose business day ends in twelve hours, so that no test sees it end.
fn far_from_cut_off() -> Calendar {
    let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC);
    let hour = (now.hour() + 12) % 24;
    Calendar::new(TimeZone::UTC, Time::constant(hour, 0, 0, 0))
}

/// Returns a frame with its length in front.
pub(crate) fn with_length(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
    [&length, frame].concat()
}

/// Returns a request without a message code as a frame, its length in front.
fn unsigned(draft: &Draft) -> Vec<u8> {
    with_length(&draft.frame(|_| panic!("nothing to sign")))
}

/// An echo, its length in front.
pub(crate) fn echo() -> Vec<u8> {
    unsigned(&management([0x08, 0x20], "00000001301"))
}

/// The counters of this process.
fn counters() -> &'static PrometheusHandle {
    static COUNTERS: OnceLock<PrometheusHandle> = OnceLock::new();
    COUNTERS.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

/// Returns what the counter counts whose name and labels have all these words.
pub(crate) fn count(words: &[&str]) -> u64 {
    let rendered = counters().render();
    let lines = rendered.lines().filter(|line| words.iter().all(|word| line.contains(word)));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Waits until something is so; false if it was not in time.
pub(crate) fn within(time: Duration, is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Why a line takes nothing more.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The other side does not read.
    Stalled,
    /// The other side is gone.
    Closed,
}

/// A line to a node.
pub(crate) struct Line {
    stream: TcpStream,
}

impl Line {
    /// A line over an open connection.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream }
    }

    /// Sends bytes, all of them.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends bytes as long as the other side takes them; stalls if it takes nothing for `time`.
    pub(crate) fn try_write(&mut self, bytes: &[u8], time: Duration) -> Result<(), Stopped> {
        self.stream.set_write_timeout(Some(time)).unwrap();
        self.stream.write_all(bytes).map_err(|error| {
            let stalls = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            if stalls { Stopped::Stalled } else { Stopped::Closed }
        })
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads the next frame; `None` if the line ends first.
    pub(crate) fn read(&mut self) -> Option<Heard> {
        let mut length = [0; 2];
        self.fill(&mut length)?;
        let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
        self.fill(&mut frame)?;
        Some(Heard { frame })
    }

    fn fill(&mut self, room: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(room) {
            Ok(()) => Some(()),
            Err(error) if is_end(&error) => None,
            Err(error) => panic!("nothing came, and the line is open: {error}"),
        }
    }

    /// Returns the codes of the answers that still come, and `closed` when the line ends.
    pub(crate) fn rest(&mut self) -> String {
        let codes = std::iter::from_fn(|| self.read().map(|heard| heard.code() + " "));
        codes.collect::<String>() + "closed"
    }
}

/// True for the ways in which a line may end. What was sent and not read resets it.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
}
