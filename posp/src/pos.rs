//! `posp pos`: a terminal for one transaction, over TCP.

mod action;
mod args;
mod play;
mod show;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use keys::{Algorithm, KeyLayout, MacAlgorithm};
use loadtest::pay::Receipt;
use loadtest::terminal::{State, TerminalError};
use loadtest::{
    CardNumber, Exchange, Expiry, Kit, MerchantId, Stan, Station, StationError, Terminal,
    TerminalId, TerminalSetup, Tmk,
};

use action::Action;
use args::{Quiet, read_algorithm, read_duration, read_mac, since_1970};

/// Plays a terminal for one transaction, and prints request and answer.
///
/// Exits with 0 if the answer is yes (00, or totals that agree), 1 if it is no, 2 if the request
/// could not be made, 3 if no answer came. What is left to do then, such as the reversal of a sale,
/// is done before anything else the next time, if the terminal keeps a state file.
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
    /// Where it keeps trace number, batch, slips and an owed reversal from one run to the next:
    /// a file for its owner only, because slips have card numbers in clear.
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

/// What came of it.
#[derive(Default)]
struct Done {
    /// What had to be done first: sign-on, an owed reversal.
    before: Vec<Exchange>,
    /// The transaction itself; a settlement takes several messages.
    exchanges: Vec<Exchange>,
    /// Yes or no.
    is_success: bool,
    /// How a bill was paid.
    receipt: Option<Receipt>,
}

impl Done {
    /// One request and its answer.
    fn of(exchange: Exchange) -> Self {
        let is_success = exchange.reply.is_success();
        Self { exchanges: vec![exchange], is_success, ..Self::default() }
    }
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
        let unusable =
            |reason: String| Failure::Usage(format!("{} is not HOST:PORT: {reason}", self.connect));
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
}

/// A terminal that keeps nothing must not use a trace number twice in a batch, or the host takes
/// the second request for a repeat of the first. It takes the milliseconds, of which each run lets
/// more pass than it has requests.
fn first_stan() -> Stan {
    let millis = since_1970().as_millis() % 999_999;
    let number = u32::try_from(millis).unwrap_or_default().saturating_add(1);
    Stan::new(number).unwrap_or(Stan::FIRST)
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
        let Action::WithCard(action::WithCard::Sale { card, .. }) = &pos.action else {
            panic!("a sale was parsed")
        };
        let complaint = pos.presented(card).unwrap_err().to_string();
        assert_eq!(complaint, "a card number has 12 to 19 digits");
    }

    #[test]
    fn what_is_held_is_named_one_way_or_the_other() {
        assert!(parse("complete --of 2 --amount 1.00").is_ok());
        assert!(parse("complete --of 2 --amount 1.00 --advice").is_ok());
        let full = "complete --auth A12345 --card 6212142000000000012 --amount 1.00";
        assert!(parse(full).is_ok());
        assert!(parse(&format!("{full} --of 2")).is_err());
        assert!(parse("complete --auth A12345 --amount 1.00").is_err());
        assert!(parse("complete --amount 1.00").is_err());
        assert!(parse("pre-auth-void --auth A12345 --card 6212142000000000012").is_err());
        let held = "pre-auth-void --auth A12345 --card 6212142000000000012 --held 1.00";
        assert!(parse(held).is_ok());
    }

    #[test]
    fn every_kind_has_a_word() {
        let card = "--card 6212142000000000012";
        for words in [
            format!("pre-auth {card} --amount 1.00 --pin 123456"),
            format!("add-pre-auth --of 2 {card} --amount 1.00"),
            "pre-auth-void --of 2".to_owned(),
            "completion-void --of 3".to_owned(),
            format!("offline-sale {card} --amount 1.00 --approval T00001"),
            "adjust --of 2 --amount 0.90".to_owned(),
            "tip --of 2 --tip 0.10".to_owned(),
            format!("e-cash {card} --amount 1.00"),
            format!("verify-account {card} --document 01:110101199001011234"),
            format!("top-up {card} --amount 1.00"),
            format!("points {card}"),
            format!("points-sale {card} --points 50 --scheme issuer"),
            "points-void --of 2".to_owned(),
            format!("moto-sale {card} --amount 1.00 --check 123"),
            "moto-void --of 2".to_owned(),
            "moto-refund --of 2 --amount 1.00".to_owned(),
            format!("activate {card}"),
            format!("change-pin {card} --pin 123456 --new-pin 654321"),
            "pay --amount 1.00 --tender 6212142000000000012:123456 --cash".to_owned(),
            "tell".to_owned(),
        ] {
            assert!(parse(&words).is_ok(), "{words}");
        }
        assert!(parse("pay --amount 1.00").is_err(), "with what?");
        assert!(parse("points-sale --card 6212142000000000012 --points 0").is_err());
    }

    #[test]
    fn secrets_of_the_new_kinds_do_not_show_either() {
        let card = "6212142000000000012";
        for (words, secret) in [
            (format!("pay --amount 1.00 --tender {card}:907531"), "907531"),
            (format!("moto-sale --card {card} --amount 1.00 --check 8642"), "8642"),
            (format!("change-pin --card {card} --pin 123456 --new-pin 907531"), "907531"),
            (format!("top-up --card {card} --amount 1.00 --document 01:9753102468"), "97531"),
        ] {
            let shown = format!("{:?}", parse(&words).unwrap());
            assert!(!shown.contains(secret) && !shown.contains(card), "{words}");
        }
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
