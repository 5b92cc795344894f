//! `posp pos`: a terminal for one transaction, over TCP.

mod show;

use std::convert::Infallible;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};
use keys::{Algorithm, KeyLayout, MacAlgorithm};
use loadtest::ids::NotAnId;
use loadtest::kit::{parse_algorithm, parse_mac};
use loadtest::terminal::{
    Chip, Digits, Entry, Original, Reason, Reconciled, SignOn, State, TerminalError,
};
use loadtest::{
    BatchNo, CardNumber, Exchange, Expiry, Fen, Kit, MerchantId, Pin, Presented, Stan, Station,
    StationError, Terminal, TerminalId, TerminalSetup, Tmk,
};

/// Plays a terminal for one transaction, and prints request and answer.
///
/// Exits with 0 if the answer is yes (00, or totals that agree), 1 if it is no, 2 if the request
/// could not be made, 3 if no answer came. A sale or void without an answer is then reversed before
/// anything else the next time, if the terminal keeps a state file.
///
/// Master keys and PINs given here are seen by everybody on this machine: use those of tests.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  posp pos --connect 127.0.0.1:8583 --kit config/demo --terminal 10000001 --keep pos.json sign-on
  posp pos --connect 127.0.0.1:8583 --kit config/demo --terminal 10000001 --keep pos.json \\
      sale --card 6212142000000000012 --pin 123456 --amount 60.00
  posp pos --connect 127.0.0.1:8583 --kit config/demo --terminal 10000001 --keep pos.json settle")]
pub(crate) struct Pos {
    /// Where the host listens.
    #[arg(long, value_name = "HOST:PORT")]
    connect: String,
    /// The terminal, eight characters.
    #[arg(long, value_name = "TID")]
    terminal: TerminalId,
    /// A programme directory that knows the terminal, instead of merchant and key.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["merchant", "tmk"])]
    kit: Option<PathBuf>,
    /// Its merchant, fifteen characters.
    #[arg(long, value_name = "MID", required_unless_present = "kit")]
    merchant: Option<MerchantId>,
    /// Its master key, hexadecimal.
    #[arg(
        long,
        value_name = "HEX",
        env = "POSP_POS_TMK",
        hide_env_values = true,
        required_unless_present = "kit"
    )]
    tmk: Option<Quiet<Tmk>>,
    /// The cipher of its keys: 3des or sm4.
    #[arg(long, default_value = "3des", value_parser = read_algorithm)]
    algorithm: Algorithm,
    /// How it makes message codes, if not the usual way: union-pay, x99, x919, cmac, sm4-a, sm4-b
    /// or sm4-cbc.
    #[arg(long, value_parser = read_mac)]
    mac: Option<MacAlgorithm>,
    /// Where it keeps trace number, batch, slips and an owed reversal from one run to the next.
    /// Without it every run is a terminal with no memory: it signs on, and takes a trace number
    /// from the clock.
    #[arg(long, value_name = "FILE", global = true)]
    keep: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for an answer, such as 10s or 500ms.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = read_duration, global = true)]
    timeout: Duration,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Fetch working keys.
    SignOn {
        /// What to ask for (F60.3): 001, 003, 004, 005 or 006.
        #[arg(long, value_parser = read_sign_on)]
        ask: Option<SignOn>,
    },
    /// Give the working keys up.
    SignOff,
    /// Ask whether anybody is there.
    Echo,
    /// Ask what a card may spend.
    Balance {
        #[command(flatten)]
        card: CardArgs,
    },
    /// Sell.
    Sale {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
    },
    /// Undo a sale of the open batch.
    Void {
        /// The trace number of the sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Give money of an earlier sale back.
    Refund(RefundArgs),
    /// Reverse a sale or void of the open batch.
    Reverse {
        /// The trace number of the sale or void.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Settle the open batch; totals that differ are explained by an upload.
    Settle,
}

/// A card, and how it is read.
#[derive(Args, Debug)]
struct CardArgs {
    /// Its number.
    #[arg(long, value_name = "PAN")]
    card: Quiet<CardNumber>,
    /// The PIN its holder types; none if left out.
    #[arg(long, env = "POSP_POS_PIN", hide_env_values = true)]
    pin: Option<Quiet<Pin>>,
    /// Its last month; a kit knows it.
    #[arg(long, value_name = "YYMM")]
    expiry: Option<Expiry>,
    /// How it is read.
    #[arg(long, value_enum, default_value = "stripe")]
    entry: EntryArg,
}

#[derive(Args, Debug)]
struct RefundArgs {
    /// The trace number of the sale, if this terminal keeps its slip.
    #[arg(long, value_name = "STAN", conflicts_with_all = ["rrn", "batch", "stan", "date", "auth"])]
    of: Option<Stan>,
    /// The reference of the sale (F37), if no slip is kept.
    #[arg(long, required_unless_present = "of", requires_all = ["batch", "stan", "card"])]
    rrn: Option<String>,
    /// The batch of the sale.
    #[arg(long)]
    batch: Option<BatchNo>,
    /// The trace number of the sale.
    #[arg(long)]
    stan: Option<Stan>,
    /// The date of the sale; zeros if unknown.
    #[arg(long, value_name = "MMDD", value_parser = read_date)]
    date: Option<Digits<4>>,
    /// The authorisation code of the sale (F38).
    #[arg(long)]
    auth: Option<String>,
    /// The card, if it is not that of the slip.
    #[arg(long, value_name = "PAN")]
    card: Option<Quiet<CardNumber>>,
    /// Its last month.
    #[arg(long, value_name = "YYMM")]
    expiry: Option<Expiry>,
    /// How it is read.
    #[arg(long, value_enum, default_value = "stripe")]
    entry: EntryArg,
    /// In yuan, with two decimals.
    #[arg(long)]
    amount: Fen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EntryArg {
    Stripe,
    Manual,
    Chip,
}

/// A card number, PIN or key of the command line. Read without complaint at first, because the
/// complaint of the command line repeats what was given.
#[derive(Clone, Debug)]
struct Quiet<T>(Result<T, NotAnId>);

impl<T: FromStr<Err = NotAnId>> FromStr for Quiet<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse()))
    }
}

impl<T> Quiet<T> {
    fn get(&self) -> Result<&T, Failure> {
        self.0.as_ref().map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// What came of it.
struct Done {
    /// What had to be done first: sign-on, an owed reversal.
    before: Vec<Exchange>,
    /// The transaction itself; a settlement takes several messages.
    exchanges: Vec<Exchange>,
    /// Yes or no.
    is_success: bool,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Station(#[from] StationError),
}

impl Pos {
    /// Plays the transaction.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut station = match self.station() {
            Ok(station) => station,
            Err(failure) => return self.fail(&failure, None),
        };
        match self.play(&mut station) {
            Ok(done) => {
                show::done(&done, &station.terminal, self.json)?;
                Ok(ExitCode::from(if done.is_success { 0 } else { 1 }))
            }
            Err(failure) => self.fail(&failure, Some(&station.terminal)),
        }
    }

    fn fail(&self, failure: &Failure, terminal: Option<&Terminal>) -> anyhow::Result<ExitCode> {
        show::failed(failure, terminal, self.keep.as_deref(), self.json)?;
        Ok(ExitCode::from(match failure {
            Failure::Station(StationError::NoAnswer { .. } | StationError::Unreachable(_)) => 3,
            // The terminal sends a reversal of what it does not believe, as if nobody had answered.
            Failure::Station(StationError::Terminal(TerminalError::MacWrong)) => 3,
            Failure::Usage(_) | Failure::Station(_) => 2,
        }))
    }

    fn station(&self) -> Result<Station, Failure> {
        let setup = self.setup()?;
        let kept = match &self.keep {
            None => None,
            Some(path) => State::load(path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?,
        };
        let terminal = match kept {
            Some(state) => Terminal::resume(&setup, state).map_err(StationError::from)?,
            None => {
                let mut terminal = Terminal::new(&setup);
                terminal.set_stan(first_stan());
                terminal
            }
        };
        let mut station = Station::new(terminal, self.address()?, self.timeout);
        if let Some(path) = &self.keep {
            station.keep_in(path.clone());
        }
        Ok(station)
    }

    fn address(&self) -> Result<SocketAddr, Failure> {
        let unusable = |reason: String| Failure::Usage(format!("{}: {reason}", self.connect));
        let mut found =
            self.connect.to_socket_addrs().map_err(|error| unusable(error.to_string()))?;
        found.next().ok_or_else(|| unusable("no such host".to_owned()))
    }

    fn setup(&self) -> Result<TerminalSetup, Failure> {
        let setup = match (&self.kit, self.merchant, &self.tmk) {
            (Some(dir), _, _) => {
                let kit = Kit::from_dir(dir).map_err(|error| Failure::Usage(error.to_string()))?;
                let found = kit.terminal(self.terminal).cloned();
                found.ok_or_else(|| Failure::Usage(format!("the kit has no {}", self.terminal)))?
            }
            (None, Some(merchant), Some(tmk)) => {
                let (layout, mac) = match self.algorithm {
                    Algorithm::Des => (KeyLayout::Des40A, MacAlgorithm::UnionPay),
                    Algorithm::Sm4 => (KeyLayout::Sm4x40, MacAlgorithm::Sm4A),
                };
                let (id, tmk, algorithm) = (self.terminal, tmk.get()?.clone(), self.algorithm);
                TerminalSetup { id, merchant, tmk, algorithm, layout, mac, may_refund: true }
            }
            (None, _, _) => return Err(Failure::Usage("merchant and key are missing".to_owned())),
        };
        Ok(TerminalSetup { mac: self.mac.unwrap_or(setup.mac), ..setup })
    }

    /// The expiry date of a card: as given, else as the kit knows it.
    fn expiry(&self, card: &CardNumber, given: Option<Expiry>) -> Option<Expiry> {
        given.or_else(|| Kit::from_dir(self.kit.as_ref()?).ok()?.card(card)?.expiry)
    }

    fn play(&self, station: &mut Station) -> Result<Done, Failure> {
        let before = match self.action {
            Action::SignOn { .. } | Action::Echo => Vec::new(),
            Action::SignOff if !station.terminal.is_signed_on() => Vec::new(),
            Action::SignOff
            | Action::Balance { .. }
            | Action::Sale { .. }
            | Action::Void { .. }
            | Action::Refund(_)
            | Action::Reverse { .. }
            | Action::Settle => station.make_ready()?,
        };
        let stuck = before.last().is_some_and(|exchange| !station_is_ready(station, exchange));
        if stuck {
            return Ok(Done { exchanges: Vec::new(), is_success: false, before });
        }
        let exchange = match &self.action {
            Action::SignOn { ask } => {
                let usual = SignOn::for_layout(station.terminal.setup().layout);
                station.ask(|terminal| terminal.sign_on(ask.unwrap_or(usual)))?
            }
            Action::SignOff => station.ask(Terminal::sign_off)?,
            Action::Echo => station.ask(Terminal::echo)?,
            Action::Balance { card } => {
                let presented = self.presented(card)?;
                station.ask(|terminal| terminal.balance(&presented))?
            }
            Action::Sale { card, amount } => {
                let presented = self.presented(card)?;
                station.ask(|terminal| terminal.sale(&presented, *amount))?
            }
            Action::Void { of } => station.ask(|terminal| terminal.void(*of, None))?,
            Action::Refund(refund) => self.refund(station, refund)?,
            Action::Reverse { of } => {
                station.ask(|terminal| terminal.reverse(*of, Reason::Trouble))?
            }
            Action::Settle => {
                let settled = station.settle()?;
                let is_success = settled.reconciled == Some(Reconciled::Balanced)
                    && settled.exchanges.last().is_some_and(|last| last.reply.is_success());
                return Ok(Done { before, exchanges: settled.exchanges, is_success });
            }
        };
        let is_success = exchange.reply.is_success();
        Ok(Done { before, exchanges: vec![exchange], is_success })
    }

    fn presented<'c>(&self, args: &'c CardArgs) -> Result<Presented<'c>, Failure> {
        let card = args.card.get()?;
        let pin = args.pin.as_ref().map(Quiet::get).transpose()?;
        let expiry = self.expiry(card, args.expiry);
        Ok(Presented { card, expiry, entry: read_by(args.entry), pin })
    }

    fn refund(&self, station: &mut Station, args: &RefundArgs) -> Result<Exchange, Failure> {
        let slip = args.of.map(|of| {
            let slip = station.terminal.slip(of).cloned();
            slip.ok_or(StationError::Terminal(TerminalError::NoSuchSlip(of)))
        });
        let slip = slip.transpose()?;
        let original = match (&slip, &args.rrn, args.batch, args.stan) {
            (Some(slip), ..) => Original::of(slip),
            (None, Some(rrn), Some(batch), Some(stan)) => {
                let date = args.date.or_else(|| Digits::new(b"0000"));
                let date = date.ok_or_else(|| Failure::Usage("no date".to_owned()))?;
                Original { rrn: rrn.clone(), auth: args.auth.clone(), batch, stan, date }
            }
            (None, ..) => return Err(Failure::Usage("which sale is to be refunded?".to_owned())),
        };
        let of_slip = slip.as_ref().map(|slip| &slip.imprint.card);
        let card = args.card.as_ref().map(Quiet::get).transpose()?.or(of_slip);
        let card = card.ok_or_else(|| Failure::Usage("--card is missing".to_owned()))?;
        let expiry = self.expiry(card, args.expiry);
        let presented = Presented { card, expiry, entry: read_by(args.entry), pin: None };
        Ok(station.ask(|terminal| terminal.refund(&original, &presented, args.amount))?)
    }
}

/// True if what was done first leaves nothing in the way.
fn station_is_ready(station: &Station, last: &Exchange) -> bool {
    let is_signed_on = station.terminal.is_signed_on();
    is_signed_on && station.terminal.owed().is_none() && last.reply.code.is_some()
}

fn read_by(entry: EntryArg) -> Entry {
    match entry {
        EntryArg::Stripe => Entry::Stripe,
        EntryArg::Manual => Entry::Manual,
        EntryArg::Chip => {
            let seed = u64::try_from(since_1970().as_nanos()).unwrap_or_default();
            let [counter, ..] = [seed >> 20, 0].map(|n| u16::try_from(n & 0x7FFF).unwrap_or(1));
            Entry::Chip(Chip::simulated(seed, counter, today()))
        }
    }
}

/// YYMMDD, two digits a byte.
fn today() -> [u8; 3] {
    let date = jiff::Zoned::now().date();
    let year = date.year().unsigned_abs() % 100;
    let pair = |number: u16| u8::try_from(((number / 10) << 4) | (number % 10)).unwrap_or_default();
    let small = |number: i8| pair(number.unsigned_abs().into());
    [pair(year), small(date.month()), small(date.day())]
}

/// A terminal that keeps nothing must not use a trace number twice in a batch, or the host takes
/// the second request for a repeat of the first. It takes the milliseconds, of which each run lets
/// more pass than it has requests.
fn first_stan() -> Stan {
    let millis = since_1970().as_millis() % 999_999;
    let number = u32::try_from(millis).unwrap_or_default().saturating_add(1);
    Stan::new(number).unwrap_or(Stan::FIRST)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn read_algorithm(name: &str) -> Result<Algorithm, String> {
    parse_algorithm(name).ok_or_else(|| "3des or sm4".to_owned())
}

fn read_mac(name: &str) -> Result<MacAlgorithm, String> {
    parse_mac(name).ok_or_else(|| "union-pay, x99, x919, cmac, sm4-a, sm4-b or sm4-cbc".to_owned())
}

fn read_sign_on(code: &str) -> Result<SignOn, String> {
    SignOn::of_code(code.as_bytes()).ok_or_else(|| "001, 003, 004, 005 or 006".to_owned())
}

fn read_date(text: &str) -> Result<Digits<4>, String> {
    Digits::new(text.as_bytes()).ok_or_else(|| "four digits, MMDD".to_owned())
}

fn read_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or_default(), 1000),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let millis = if digits { number.parse().ok() } else { None };
    let millis = millis.and_then(|number: u64| number.checked_mul(unit)).filter(|n| *n > 0);
    millis.map(Duration::from_millis).ok_or_else(|| "a time such as 10s or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        pos: Pos,
    }

    fn parse(words: &str) -> Result<Pos, clap::Error> {
        let head = "posp --connect 127.0.0.1:1 --terminal 10000001 --merchant 898000000000001 \
                    --tmk 0123456789ABCDEFFEDCBA9876543210";
        let words = format!("{head} {words}");
        Line::try_parse_from(words.split_whitespace()).map(|line| line.pos)
    }

    #[test]
    fn money_is_read_strictly() {
        assert!(parse("sale --card 6212142000000000012 --amount 60.00").is_ok());
        for amount in ["60", "60.0", "-60.00", "6e1", "60,00", "60.000"] {
            let words = format!("sale --card 6212142000000000012 --amount={amount}");
            assert!(parse(&words).is_err(), "{amount}");
        }
    }

    #[test]
    fn a_refund_names_its_sale_one_way_or_the_other() {
        assert!(parse("refund --of 2 --amount 1.00").is_ok());
        let full = "refund --rrn 011510150002 --batch 1 --stan 2 --card 6212142000000000012";
        assert!(parse(&format!("{full} --amount 1.00")).is_ok());
        assert!(parse(&format!("{full} --of 2 --amount 1.00")).is_err());
        assert!(parse("refund --rrn 011510150002 --amount 1.00").is_err());
        assert!(parse("refund --amount 1.00").is_err());
    }

    #[test]
    fn secrets_do_not_show() {
        let pos = parse("sale --card 6212142000000000012 --amount 60.00 --pin 907531").unwrap();
        let shown = format!("{pos:?}");
        for secret in ["907531", "0123456789ABCDEF", "6212142000000000012"] {
            assert!(!shown.contains(secret), "{secret}");
        }
        // Too long by one; the complaint must not repeat it.
        let pos = parse("sale --card 62121420000000000123 --amount 60.00 --pin 90753x").unwrap();
        let Action::Sale { card, .. } = &pos.action else { panic!("a sale was parsed") };
        let complaint = pos.presented(card).unwrap_err().to_string();
        assert_eq!(complaint, "a card number has 12 to 19 digits");
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(read_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(read_duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["10", "s", "-1s", "0s", "1m", "1.5s"] {
            assert!(read_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_is_not_there_is_told_from_wrong_use() {
        let path = tempfile::tempdir().unwrap();
        let state = path.path().join("state.json");
        let words = format!("--timeout 500ms --keep {} echo", state.display());
        assert_eq!(parse(&words).unwrap().run().unwrap(), ExitCode::from(3));
        std::fs::write(&state, "no state").unwrap();
        assert_eq!(parse(&words).unwrap().run().unwrap(), ExitCode::from(2));
    }
}
