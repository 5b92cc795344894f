//! The kit of a test: terminals with their master keys, cards with their PINs.
//!
//! A kit is read from a programme directory (`terminals.toml`, `cards.toml`), or generated and
//! written as one.

mod generate;

use std::path::{Path, PathBuf};
use std::{fs, io};

use keys::{Algorithm, KeyLayout, MacAlgorithm};
use serde::Deserialize;

use crate::fen::Fen;
use crate::ids::{CardNumber, Expiry, MerchantId, TerminalId};
use crate::secret::{Pin, Tmk};

/// Terminals and cards.
#[derive(Clone, Debug, Default)]
pub struct Kit {
    /// The terminals, in the order of the file.
    pub terminals: Vec<TerminalSetup>,
    /// The cards, in the order of the file.
    pub cards: Vec<TestCard>,
}

/// How a terminal is set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct TerminalSetup {
    /// Its number.
    pub id: TerminalId,
    /// The merchant it stands at.
    pub merchant: MerchantId,
    /// Its master key.
    pub tmk: Tmk,
    /// The cipher of its keys.
    #[serde(deserialize_with = "algorithm")]
    pub algorithm: Algorithm,
    /// The layout its working keys come in, unless a sign-on asks for another.
    #[serde(deserialize_with = "layout")]
    pub layout: KeyLayout,
    /// How it computes field 64.
    pub mac: MacAlgorithm,
    /// True if it may refund.
    #[serde(default, rename = "rights", deserialize_with = "may_refund")]
    pub may_refund: bool,
}

/// A card and what it had when the programme began.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct TestCard {
    /// Its number.
    pub pan: CardNumber,
    /// Its PIN, if it has one.
    pub pin: Option<Pin>,
    /// The product it belongs to.
    pub product: u32,
    /// The last month in which it is good; named cards have none.
    pub expiry: Option<Expiry>,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// In the main purse.
    #[serde(default)]
    pub main: Fen,
    /// In the bonus purse.
    #[serde(default)]
    pub bonus: Fen,
    /// Points.
    #[serde(default)]
    pub points: u64,
    /// Held of the main purse.
    #[serde(default)]
    pub held: Fen,
}

/// Where a card stands in its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum CardStatus {
    /// Sold, not activated.
    Sold,
    /// In use.
    Active,
    /// Frozen by the issuer.
    Frozen,
    /// Reported lost.
    Lost,
    /// Ended.
    Cancelled,
}

/// Why a kit could not be read or written. Never holds what a file says.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A file or directory is missing or cannot be used.
    #[error("{}: {reason}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
struct TerminalsFile {
    #[serde(default, rename = "terminal")]
    terminals: Vec<TerminalSetup>,
}

#[derive(Deserialize)]
struct CardsFile {
    #[serde(default, rename = "card")]
    cards: Vec<TestCard>,
}

impl Kit {
    /// Reads `terminals.toml` and `cards.toml` of a programme directory. Keys that only a host
    /// needs are passed over.
    ///
    /// # Errors
    /// If a file cannot be read or is malformed.
    pub fn from_dir(dir: &Path) -> Result<Self, KitError> {
        let terminals: TerminalsFile = read(&dir.join("terminals.toml"))?;
        let cards: CardsFile = read(&dir.join("cards.toml"))?;
        Ok(Self { terminals: terminals.terminals, cards: cards.cards })
    }

    /// Makes `terminals` terminals and `cards` cards; the same for the same seed.
    ///
    /// The terminals use double-length keys and UnionPay's MAC and may refund. The cards are
    /// named, active, have a PIN and 5000.00 each: by their order, each is meant for one terminal.
    #[must_use]
    pub fn generate(terminals: u32, cards: u32, seed: u64) -> Self {
        generate::kit(terminals, cards, seed)
    }

    /// Writes a complete programme directory: products, merchants, terminals, cards and routing.
    /// The directory is made if it is missing; files of these names in it are replaced.
    ///
    /// # Errors
    /// If the directory or a file cannot be written.
    pub fn write_to(&self, dir: &Path) -> Result<(), KitError> {
        let io = |path: &Path, reason| KitError::Io { path: path.to_owned(), reason };
        fs::create_dir_all(dir).map_err(|reason| io(dir, reason))?;
        for (name, text) in generate::files(self) {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|reason| io(&path, reason))?;
        }
        Ok(())
    }

    /// The terminal with this number.
    #[must_use]
    pub fn terminal(&self, id: TerminalId) -> Option<&TerminalSetup> {
        self.terminals.iter().find(|terminal| terminal.id == id)
    }

    /// The card with this number.
    #[must_use]
    pub fn card(&self, pan: &CardNumber) -> Option<&TestCard> {
        self.cards.iter().find(|card| card.pan == *pan)
    }
}

impl TestCard {
    /// What its holder may spend: main and bonus purse without what is held.
    #[must_use]
    pub fn spendable(&self) -> Fen {
        self.main.plus(self.bonus).minus(self.held).unwrap_or_default()
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, KitError> {
    let text = fs::read_to_string(path)
        .map_err(|reason| KitError::Io { path: path.to_owned(), reason })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        // The message alone: the parser's full text quotes the line, which may hold a key.
        KitError::Malformed {
            path: path.to_owned(),
            line: before.lines().count().max(1),
            reason: error.message().to_owned(),
        }
    })
}

/// The name of an algorithm in a programme.
pub(crate) const fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Des => "3des",
        Algorithm::Sm4 => "sm4",
    }
}

/// Reads the name of an algorithm as programmes write it.
#[must_use]
pub fn parse_algorithm(name: &str) -> Option<Algorithm> {
    [Algorithm::Des, Algorithm::Sm4].into_iter().find(|known| algorithm_name(*known) == name)
}

/// Reads the name of a message code algorithm as programmes write it.
#[must_use]
pub fn parse_mac(name: &str) -> Option<MacAlgorithm> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

/// The name of a layout in a programme.
pub(crate) const fn layout_name(layout: KeyLayout) -> &'static str {
    match layout {
        KeyLayout::Des24 => "des-24",
        KeyLayout::Des40A => "des-40a",
        KeyLayout::Des40B => "des-40b",
        KeyLayout::Des56 => "des-56",
        KeyLayout::Des60A => "des-60a",
        KeyLayout::Des60B => "des-60b",
        KeyLayout::Des84 => "des-84",
        KeyLayout::Sm4x40 => "sm4-40",
        KeyLayout::Sm4x60 => "sm4-60",
    }
}

/// Reads what a terminal may ask for, as far as it matters here.
fn may_refund<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let rights = Vec::<String>::deserialize(deserializer)?;
    Ok(rights.iter().any(|right| right == "refund"))
}

fn algorithm<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Algorithm, D::Error> {
    let name = String::deserialize(deserializer)?;
    parse_algorithm(&name).ok_or_else(|| serde::de::Error::custom("algorithm is 3des or sm4"))
}

fn layout<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<KeyLayout, D::Error> {
    let name = String::deserialize(deserializer)?;
    let found = KeyLayout::ALL.into_iter().find(|known| layout_name(*known) == name);
    found.ok_or_else(|| serde::de::Error::custom("not the name of a key layout, such as des-40a"))
}
