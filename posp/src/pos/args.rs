//! What the command line says of cards, of what a request refers to, and of tenders.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use keys::{Algorithm, MacAlgorithm};
use loadtest::ids::NotAnId;
use loadtest::kit::{parse_algorithm, parse_mac};
use loadtest::terminal::{Chip, Digits, Entry, Scheme, SignOn};
use loadtest::{BatchNo, CardNumber, Expiry, Fen, Pin, Stan};

use super::Failure;

/// A card, and how it is read.
#[derive(Args, Debug)]
pub(super) struct CardArgs {
    /// Its number.
    #[arg(long, value_name = "PAN")]
    pub(super) card: Quiet<CardNumber>,
    /// The PIN its holder types; none if left out.
    #[arg(long, env = "POSP_POS_PIN", hide_env_values = true)]
    pub(super) pin: Option<Quiet<Pin>>,
    /// Its last month; a kit knows it.
    #[arg(long, value_name = "YYMM")]
    pub(super) expiry: Option<Expiry>,
    /// How it is read.
    #[arg(long, value_enum, default_value = "stripe")]
    pub(super) entry: EntryArg,
}

#[derive(Args, Debug)]
pub(super) struct RefundArgs {
    /// The trace number of the sale, if this terminal keeps its slip.
    #[arg(long, value_name = "STAN", conflicts_with_all = ["rrn", "batch", "stan", "date", "auth"])]
    pub(super) of: Option<Stan>,
    /// The reference of the sale (F37), if no slip is kept.
    #[arg(long, required_unless_present = "of", requires_all = ["batch", "stan", "card"])]
    pub(super) rrn: Option<String>,
    /// The batch of the sale.
    #[arg(long)]
    pub(super) batch: Option<BatchNo>,
    /// The trace number of the sale.
    #[arg(long)]
    pub(super) stan: Option<Stan>,
    /// The date of the sale; zeros if unknown.
    #[arg(long, value_name = "MMDD", value_parser = read_date)]
    pub(super) date: Option<Digits<4>>,
    /// The authorisation code of the sale (F38).
    #[arg(long)]
    pub(super) auth: Option<String>,
    /// The card, if it is not that of the slip.
    #[arg(long, value_name = "PAN")]
    pub(super) card: Option<Quiet<CardNumber>>,
    /// Its last month.
    #[arg(long, value_name = "YYMM")]
    pub(super) expiry: Option<Expiry>,
    /// How it is read.
    #[arg(long, value_enum, default_value = "stripe")]
    pub(super) entry: EntryArg,
    /// In yuan, with two decimals.
    #[arg(long)]
    pub(super) amount: Fen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum EntryArg {
    Stripe,
    Manual,
    Chip,
}

/// A card number, PIN or key of the command line. Read without complaint at first, because the
/// complaint of the command line repeats what was given.
#[derive(Clone, Debug)]
pub(super) struct Quiet<T>(Result<T, NotAnId>);

impl<T: FromStr<Err = NotAnId>> FromStr for Quiet<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse()))
    }
}

impl<T> Quiet<T> {
    pub(super) fn get(&self) -> Result<&T, Failure> {
        self.0.as_ref().map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Money that a pre-authorisation holds, and the card.
#[derive(Args, Debug)]
pub(super) struct HoldArgs {
    /// The trace number of the pre-authorisation, if this terminal keeps its slip.
    #[arg(long, value_name = "STAN", conflicts_with_all = ["auth", "date"])]
    pub(super) of: Option<Stan>,
    /// The authorisation code of the pre-authorisation (F38), if no slip is kept.
    #[arg(long, value_name = "CODE", required_unless_present = "of", requires = "card")]
    pub(super) auth: Option<String>,
    /// The date of the pre-authorisation; zeros if unknown.
    #[arg(long, value_name = "MMDD", value_parser = read_date)]
    pub(super) date: Option<Digits<4>>,
    /// The card, if it is not that of the slip.
    #[arg(long, value_name = "PAN")]
    pub(super) card: Option<Quiet<CardNumber>>,
    /// The PIN its holder types; none if left out.
    #[arg(long, env = "POSP_POS_PIN", hide_env_values = true)]
    pub(super) pin: Option<Quiet<Pin>>,
    /// Its last month.
    #[arg(long, value_name = "YYMM")]
    pub(super) expiry: Option<Expiry>,
    /// How it is read.
    #[arg(long, value_enum, default_value = "stripe")]
    pub(super) entry: EntryArg,
}

/// The tenders of one bill.
#[derive(Args, Debug)]
pub(super) struct PayArgs {
    /// The bill, in yuan, with two decimals.
    #[arg(long)]
    pub(super) amount: Fen,
    /// A card, with its PIN behind a colon if its holder types one. May be given several times; the
    /// cards are asked in this order.
    #[arg(long = "tender", value_name = "PAN[:PIN]", required_unless_present = "cash")]
    pub(super) tenders: Vec<Quiet<TenderArg>>,
    /// Pay what the cards leave in cash.
    #[arg(long)]
    pub(super) cash: bool,
}

/// A card that pays a part of a bill.
#[derive(Clone, Debug)]
pub(super) struct TenderArg {
    pub(super) card: CardNumber,
    pub(super) pin: Option<Pin>,
}

impl FromStr for TenderArg {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (card, pin) = match text.split_once(':') {
            Some((card, pin)) => (card, Some(pin.parse()?)),
            None => (text, None),
        };
        Ok(Self { card: card.parse()?, pin })
    }
}

/// Whose points are meant.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemeArg {
    /// The issuer's (048).
    Issuer,
    /// UnionPay's (065).
    Union,
}

impl SchemeArg {
    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::Issuer => Scheme::Issuer,
            Self::Union => Scheme::Union,
        }
    }
}

pub(super) fn read_by(entry: EntryArg) -> Entry {
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

pub(super) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(super) fn read_algorithm(name: &str) -> Result<Algorithm, String> {
    parse_algorithm(name).ok_or_else(|| "3des or sm4".to_owned())
}

pub(super) fn read_mac(name: &str) -> Result<MacAlgorithm, String> {
    parse_mac(name).ok_or_else(|| "union-pay, x99, x919, cmac, sm4-a, sm4-b or sm4-cbc".to_owned())
}

pub(super) fn read_sign_on(code: &str) -> Result<SignOn, String> {
    SignOn::of_code(code.as_bytes()).ok_or_else(|| "001, 003, 004, 005 or 006".to_owned())
}

pub(super) fn read_product(text: &str) -> Result<String, String> {
    let fits = text.len() <= 60 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if fits { Ok(text.to_owned()) } else { Err("at most 60 printable characters".to_owned()) }
}

pub(super) fn read_date(text: &str) -> Result<Digits<4>, String> {
    Digits::new(text.as_bytes()).ok_or_else(|| "four digits, MMDD".to_owned())
}

pub(super) fn read_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or_default(), 1000),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let millis = if digits { number.parse().ok() } else { None };
    let millis = millis.and_then(|number: u64| number.checked_mul(unit)).filter(|n| *n > 0);
    millis.map(Duration::from_millis).ok_or_else(|| "a time such as 10s or 500ms".to_owned())
}
