//! A line to a node that sends what it likes, and what the node counts of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use codec::{Dialect, Envelope, Message};
use keys::TerminalKeys;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use switch::programme::Programme;

use crate::acts::settlement;
use crate::bench::draft::MAC;
use crate::bench::draft::{Draft, management, sale};
use crate::bench::{Heard, Log};
use crate::town::{PATIENCE, Town};

/// An open line.
pub(crate) struct Line {
    stream: TcpStream,
}

impl Line {
    /// Opens a line.
    pub(crate) fn to(town: &Town) -> Self {
        Self::over(TcpStream::connect(town.address).unwrap())
    }

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

    /// Sends what the other side takes of `bytes` at once, and returns how many that is: none if
    /// it takes nothing for `time`. `None` once it is gone.
    pub(crate) fn push(&mut self, bytes: &[u8], time: Duration) -> Option<usize> {
        self.stream.set_write_timeout(Some(time)).unwrap();
        match self.stream.write(bytes) {
            Ok(taken) => Some(taken),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some(0)
            }
            Err(_gone) => None,
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads the next frame.
    pub(crate) fn read(&mut self) -> Result<Heard, Silence> {
        let mut length = [0; 2];
        self.fill(&mut length)?;
        let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
        self.fill(&mut frame)?;
        Ok(Heard { frame })
    }

    fn fill(&mut self, room: &mut [u8]) -> Result<(), Silence> {
        self.stream.read_exact(room).map_err(|error| {
            // What was sent and not read resets the line.
            let ends = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
            if ends.contains(&error.kind()) { Silence::Closed } else { Silence::Open }
        })
    }

    /// Returns the codes of the answers that still come, and how it ends.
    pub(crate) fn rest(&mut self) -> String {
        let mut heard = String::new();
        loop {
            match self.read() {
                Ok(answer) => heard += &(answer.code() + " "),
                Err(Silence::Closed) => return heard + "closed",
                Err(Silence::Open) => return heard + "open",
            }
        }
    }
}

/// Why nothing more is heard.
#[derive(Debug)]
pub(crate) enum Silence {
    /// The line is closed.
    Closed,
    /// The line is open, and nothing came in time.
    Open,
}

/// Makes the sales of the demonstration's first terminal, each once.
pub(crate) struct Seller {
    keys: TerminalKeys,
    next_stan: u32,
}

impl Seller {
    /// Signs the terminal on.
    pub(crate) fn sign_on(town: &Town) -> Self {
        let mut line = Line::to(town);
        line.write(&unsigned(&management([0x08, 0x00], "00000001003")));
        let heard = line.read().unwrap();
        let envelope = Envelope::parse(&heard.frame).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        let block = message.raw(62).unwrap();
        let setup = &Programme::demo().terminals[0];
        let tmk = setup.tmk.expose();
        let keys = TerminalKeys::from_sign_on(tmk, setup.algorithm, block, None).unwrap();
        Self { keys, next_stan: 2 }
    }

    /// Returns the frame of a sale of a fen, its length in front.
    pub(crate) fn sale(&mut self) -> Vec<u8> {
        self.bent_sale(|_| {})
    }

    /// Returns the frame of a settlement of the first batch, its length in front.
    pub(crate) fn settlement(&mut self, totals: &str) -> Vec<u8> {
        let stan = format!("{:06}", self.next_stan);
        self.next_stan += 1;
        unsigned(&settlement(&stan, 1, totals))
    }

    /// Returns the frame of a sale with something changed before it is signed.
    pub(crate) fn bent_sale(&mut self, bend: impl FnOnce(&mut Draft)) -> Vec<u8> {
        let mut draft = sale(&self.keys);
        draft.digits(4, "000000000001").digits(11, &format!("{:06}", self.next_stan));
        self.next_stan += 1;
        bend(&mut draft);
        with_length(&draft.frame(|body| self.keys.mac(MAC, body).unwrap()))
    }
}

/// An echo, its length in front.
pub(crate) fn echo() -> Vec<u8> {
    unsigned(&management([0x08, 0x20], "00000001301"))
}

/// A request without a message code, its length in front.
pub(crate) fn unsigned(draft: &Draft) -> Vec<u8> {
    with_length(&draft.frame(|_| panic!("there is nothing to sign")))
}

fn with_length(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
    [&length, frame].concat()
}

/// The counters of this process; installed by the first who asks, before a node looks them up.
pub(crate) fn counters() -> &'static PrometheusHandle {
    static COUNTERS: OnceLock<PrometheusHandle> = OnceLock::new();
    COUNTERS.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

/// Returns what those counters count together whose name and labels have all these words.
pub(crate) fn count(words: [&str; 2]) -> u64 {
    let rendered = counters().render();
    let lines = rendered.lines().filter(|line| words.iter().all(|word| line.contains(word)));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// The log of this process; installed by the first who asks.
pub(crate) fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        tracing::subscriber::set_global_default(lines.finish()).unwrap();
        log
    })
}
