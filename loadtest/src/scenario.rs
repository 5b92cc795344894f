//! Scenarios: what a load is, as TOML.
//!
//! Some are built in ([`Scenario::builtin`]), from `config/scenarios/`; those files show every key.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keys::{Algorithm, KeyLayout, MacAlgorithm};
use serde::{Deserialize, Serialize};

use crate::kit::{CardStatus, Kit};
use crate::load::Faults;

/// What a load is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is for, in a sentence.
    pub about: String,
    /// Connections.
    pub connections: u32,
    /// Terminals on each connection: one, or many on an acquirer's line.
    #[serde(default = "one")]
    pub terminals_each: u32,
    /// Requests under way on each connection at most, each of another terminal.
    #[serde(default = "one")]
    pub in_flight: u32,
    /// Requests that are due in a second, over all connections. Left out: the next as soon as one is
    /// answered.
    #[serde(default)]
    pub rate: Option<u64>,
    /// How long each phase takes.
    pub seconds: u64,
    /// Rounds; each has a phase on the bare echo server and one on the switch.
    #[serde(default = "three")]
    pub rounds: u32,
    /// Further connections that stay open and say nothing.
    #[serde(default)]
    pub idle: u32,
    /// Further accounts that the switch holds and that nobody uses.
    #[serde(default)]
    pub accounts: u32,
    /// Whose cards are used.
    #[serde(default)]
    pub cards: Cards,
    /// Cards that each terminal has, if they are its own: as many as it can activate.
    #[serde(default = "one")]
    pub cards_each: u32,
    /// How cards are read.
    #[serde(default)]
    pub entry: Reading,
    /// Whether cards have PINs, and they are typed.
    #[serde(default = "yes")]
    pub pin: bool,
    /// What is asked, by weight.
    pub mix: BTreeMap<Act, u32>,
    /// Message codes of the terminals, by weight. Left out: UnionPay's.
    #[serde(default)]
    pub mac: BTreeMap<Mac, u32>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Faults,
    /// More is offered than can be done.
    #[serde(default)]
    pub overload: Option<Overload>,
}

/// Whose cards are used.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cards {
    /// Each terminal has its own.
    #[default]
    Own,
    /// All use the same one, a fresh one each round.
    One,
}

/// How cards are read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// By their stripe.
    #[default]
    Stripe,
    /// By their chip.
    Chip,
}

/// What a terminal asks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A sale.
    Sale,
    /// What the card may spend.
    Balance,
    /// A pre-authorisation.
    PreAuth,
    /// The void of the last sale, if it was approved.
    Void,
    /// The reversal of the last sale or pre-authorisation, as if nobody had seen its answer.
    Reversal,
    /// The activation of the next card.
    Activation,
    /// A sign-on. Stands alone: it brings new keys.
    SignOn,
}

/// How terminals compute field 64.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Mac {
    /// As the dialect prescribes.
    #[serde(rename = "unionpay")]
    UnionPay,
    /// ANSI X9.19.
    #[serde(rename = "x919")]
    X919,
    /// SM4 in CBC mode; PINs and keys are SM4's too.
    #[serde(rename = "sm4")]
    Sm4,
}

/// More is offered than can be done, and then less again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Overload {
    /// What is offered, in hundredths of the most that was done of requests at a rate.
    pub offered_percent: u64,
    /// What is offered before and after, in hundredths of the same.
    pub calm_percent: u64,
    /// How long that is offered before, and again after, in seconds.
    pub calm_seconds: u64,
    /// How long a request waits for a free terminal before its customer leaves, in milliseconds.
    pub patience_ms: u64,
    /// How long the switch lets a request wait before it turns it away (`terminal.wait_max`), in
    /// milliseconds.
    pub wait_max_ms: u64,
}

const fn one() -> u32 {
    1
}

const fn three() -> u32 {
    3
}

const fn yes() -> bool {
    true
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither built in nor a file.
    #[error("{}: {reason}; built in are {}", path.display(), Scenario::builtin_names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// What was asked for.
        path: PathBuf,
        /// What the system said of the file.
        reason: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}:{line}: {reason}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Its values do not go together.
    #[error("{0}")]
    Unsound(&'static str),
}

/// Gives the scenarios that are built in their names.
macro_rules! builtin {
    ($($name:literal),*) => {
        const BUILTIN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../config/scenarios/", $name, ".toml")))),*];
    };
}

builtin!(
    "smoke",
    "steady",
    "peak",
    "year-end",
    "reversal-storm",
    "sign-on-storm",
    "idle-fleet",
    "hot-card",
    "acquirer-line",
    "overload",
    "bad-lines"
);

impl Scenario {
    /// The names of those that are built in.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// One that is built in.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        let scenario = Self::parse(Path::new(name), text);
        Some(scenario.expect("what is built in is tested"))
    }

    /// One that is built in, or else read from a file.
    ///
    /// # Errors
    /// If there is no such file, or it is malformed.
    pub fn load(name: &Path) -> Result<Self, ScenarioError> {
        if let Some(scenario) = name.to_str().and_then(Self::builtin) {
            return Ok(scenario);
        }
        let text = fs::read_to_string(name)
            .map_err(|reason| ScenarioError::Unknown { path: name.to_owned(), reason })?;
        Self::parse(name, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            ScenarioError::Malformed {
                path: path.to_owned(),
                line: before.matches('\n').count().saturating_add(1),
                reason: error.message().to_owned(),
            }
        })
    }

    /// Says whether its values go together.
    ///
    /// # Errors
    /// [`ScenarioError::Unsound`].
    pub fn check(&self) -> Result<(), ScenarioError> {
        let is_used = |act| self.mix.get(&act).is_some_and(|weight| *weight > 0);
        let used = self.mix.values().filter(|weight| **weight > 0).count();
        let shares = u64::from(self.faults.drop_permille)
            .saturating_add(self.faults.delay_permille.into())
            .saturating_add(self.faults.duplicate_permille.into());
        let is_one_card = self.cards == Cards::One;
        let rules = [
            (self.connections > 0, "connections: at least 1"),
            (self.connections <= 20_000, "connections: at most 20000"),
            (self.terminals_each > 0, "terminals_each: at least 1"),
            (self.terminals() <= 100_000, "connections * terminals_each: at most 100000"),
            (self.cards_all() <= 2_000_000, "cards_each: at most two million cards in all"),
            (self.accounts <= 10_000_000, "accounts: at most ten million"),
            (self.in_flight > 0, "in_flight: at least 1"),
            (self.in_flight <= self.terminals_each, "in_flight: not above terminals_each"),
            (self.rate.is_none_or(|rate| rate > 0), "rate: at least 1"),
            ((1..=600).contains(&self.seconds), "seconds: 1 to 600"),
            ((1..=100).contains(&self.rounds), "rounds: 1 to 100"),
            (used > 0, "mix: something must be asked"),
            (!is_used(Act::SignOn) || used == 1, "mix: sign-on stands alone"),
            (!is_used(Act::Activation) || used == 1, "mix: activation stands alone"),
            (!is_used(Act::Activation) || !is_one_card, "cards: one is activated once"),
            (self.mac.is_empty() || self.mac.values().any(|weight| *weight > 0), "mac: none"),
            (shares <= 1000, "faults: more than all requests"),
            (self.overload.is_none() || self.idle == 0, "idle: not with overload"),
            (self.overload.is_none() || self.rate.is_none(), "rate: not with overload"),
            (self.idle == 0 || self.rate.is_some(), "idle: needs a rate"),
        ];
        match rules.into_iter().find(|(is_kept, _)| !is_kept) {
            Some((_, rule)) => Err(ScenarioError::Unsound(rule)),
            None => Ok(()),
        }
    }

    /// Terminals in all, without those that idle.
    #[must_use]
    pub fn terminals(&self) -> u32 {
        self.connections.saturating_mul(self.terminals_each)
    }

    fn cards_all(&self) -> u32 {
        match self.cards {
            Cards::Own => self.terminals().saturating_mul(self.cards_each.max(1)),
            // One for the warm-up, one for each round.
            Cards::One => self.rounds.saturating_add(1),
        }
    }

    /// True if this is all that is asked.
    #[must_use]
    pub fn is_only(&self, act: Act) -> bool {
        self.mix.iter().all(|(other, weight)| *other == act || *weight == 0)
    }

    /// The kit it needs, the same for the same seed.
    #[must_use]
    pub fn kit(&self, seed: u64) -> Kit {
        let mut kit = Kit::generate(self.terminals(), self.cards_all(), seed);
        let macs: Vec<Mac> = self.mac.iter().flat_map(|(mac, n)| repeated(*mac, *n)).collect();
        for (terminal, mac) in kit.terminals.iter_mut().zip(macs.iter().cycle()) {
            (terminal.algorithm, terminal.layout, terminal.mac) = match mac {
                Mac::UnionPay => (Algorithm::Des, KeyLayout::Des40A, MacAlgorithm::UnionPay),
                Mac::X919 => (Algorithm::Des, KeyLayout::Des40B, MacAlgorithm::X919),
                Mac::Sm4 => (Algorithm::Sm4, KeyLayout::Sm4x40, MacAlgorithm::Sm4Cbc),
            };
        }
        for card in &mut kit.cards {
            card.pin = card.pin.take().filter(|_| self.pin);
            if self.is_only(Act::Activation) {
                card.status = CardStatus::Sold;
            }
        }
        kit
    }
}

fn repeated<T: Copy>(one: T, times: u32) -> impl Iterator<Item = T> {
    std::iter::repeat_n(one, usize::try_from(times).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_used() {
        for name in Scenario::builtin_names() {
            let scenario = Scenario::builtin(name).unwrap();
            assert_eq!(scenario.check().map_err(|error| error.to_string()), Ok(()), "{name}");
            assert!(scenario.about.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        let said = |text: &str| {
            fs::write(&path, text).unwrap();
            let error = Scenario::load(&path).unwrap_err().to_string();
            error.strip_prefix(&path.display().to_string()).unwrap().to_owned()
        };
        let head = "about = \"Mine.\"\nconnections = 1\nseconds = 1\n";
        let unknown = said(&format!("{head}colour = 1\n[mix]\nsale = 1\n"));
        assert!(unknown.starts_with(":4: unknown field `colour`"), "{unknown}");
        let unknown = said(&format!("{head}[mix]\nsale = 1\ntheft = 1\n"));
        assert!(unknown.starts_with(":6: unknown variant `theft`"), "{unknown}");
        let unknown = said(&format!("{head}[mix]\nsale = 1\n[faults]\nloss = 1\n"));
        assert!(unknown.starts_with(":7: unknown field `loss`"), "{unknown}");
        assert!(said(head).contains("missing field `mix`"));
        let nowhere = Scenario::load(Path::new("no-such")).unwrap_err().to_string();
        assert!(nowhere.contains("built in are smoke, steady"), "{nowhere}");
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let smoke = Scenario::builtin("smoke").unwrap();
        let said = |scenario: &Scenario| scenario.check().unwrap_err().to_string();
        let many = Scenario { in_flight: 9, ..smoke.clone() };
        assert_eq!(said(&many), "in_flight: not above terminals_each");
        let nothing = Scenario { mix: BTreeMap::new(), ..smoke.clone() };
        assert_eq!(said(&nothing), "mix: something must be asked");
        let crowd = Scenario { accounts: 10_000_001, ..smoke.clone() };
        assert_eq!(said(&crowd), "accounts: at most ten million");
        let both = BTreeMap::from([(Act::SignOn, 1), (Act::Sale, 1)]);
        assert_eq!(said(&Scenario { mix: both, ..smoke }), "mix: sign-on stands alone");
    }

    #[test]
    fn message_codes_are_dealt_out_by_weight() {
        let mut scenario = Scenario::builtin("steady").unwrap();
        scenario.connections = 8;
        scenario.mac = BTreeMap::from([(Mac::UnionPay, 1), (Mac::X919, 2), (Mac::Sm4, 1)]);
        let kit = scenario.kit(1);
        let count = |mac| kit.terminals.iter().filter(|terminal| terminal.mac == mac).count();
        let counts = [MacAlgorithm::UnionPay, MacAlgorithm::X919, MacAlgorithm::Sm4Cbc].map(count);
        assert_eq!(counts, [2, 4, 2]);
    }
}
