//! How a node is set up: one TOML file, then environment variables over it.
//!
//! `POSP__SECTION__KEY` overrides `key` of `[section]`. Everything wrong is found at once, with
//! its place. Secrets are not in the file: it says where they are.

mod check;
mod keys;
mod setting;
pub(crate) mod source;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};
use toml::de::DeValue;

use keys::{KEYS, Key};
use setting::Kind;
use source::{Row, Source, unknown_key};

pub use keys::{
    Config, Cutoff, Http, Journal, Keys, Ledger, Log, Node, Pos, ProgrammeSource, Shutdown,
    Terminal,
};
pub use setting::{ByteSize, InstitutionCode, LmkSource, LogFormat, LogLevel, Profile};
pub use source::{ConfigError, Problem};

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file, at this line and column, both from one.
    File {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Environment { name } => f.write_str(name),
        }
    }
}

/// One key as it stands after all sources were read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// Its section.
    pub section: &'static str,
    /// Its name in the section.
    pub name: &'static str,
    /// Its value as TOML, secrets as `***`.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// A configuration, and where each value of it comes from.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The values.
    pub config: Config,
    /// By the place of the key in the table of keys; a key that is not here has its default.
    origins: BTreeMap<usize, Origin>,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads a configuration file, or none, and the environment over it.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        Resolved::read(path, std::env::vars_os()).map(|resolved| resolved.config)
    }

    /// Checks what values must be together, after one was changed by hand.
    ///
    /// # Errors
    /// Every rule that does not hold.
    pub fn check(&self) -> Result<(), ConfigError> {
        let unsaid = Resolved { config: self.clone(), origins: BTreeMap::new(), problems: vec![] };
        unsaid.checked().map(|_| ())
    }

    /// Returns every key with its value as TOML, secrets as `***`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for key in KEYS {
            if key.section != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                section = key.section;
                text.push_str(&format!("{gap}[{section}]\n"));
            }
            text.push_str(&format!("{} = {}\n", key.name, (key.show)(self)));
        }
        text
    }

    /// Returns 16 hexadecimal digits that two nodes share if they are set up alike, secrets aside.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.to_toml());
        const_hex::encode(digest.get(..8).unwrap_or_default())
    }
}

impl Resolved {
    /// Reads a configuration file, or none, and `environment` over it.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn read(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut resolved =
            Self { config: Config::default(), origins: BTreeMap::new(), problems: Vec::new() };
        if let Some(path) = path {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| ConfigError::unreadable(path, &error))?;
            resolved.take_file(&path.display().to_string(), &text);
        }
        for (name, value) in environment {
            resolved.take_variable(&name.to_string_lossy(), value.to_str());
        }
        resolved.checked()
    }

    /// Returns every key, in the order of the sections.
    pub fn rows(&self) -> impl Iterator<Item = Shown> + '_ {
        KEYS.iter().enumerate().map(|(place, key)| Shown {
            section: key.section,
            name: key.name,
            value: (key.show)(&self.config),
            origin: self.origins.get(&place).cloned().unwrap_or(Origin::Default),
        })
    }

    fn take_file(&mut self, file: &str, text: &str) {
        let source = Source::new(file, text);
        let table = source.parse();
        let mut whole = Row::new(&source, table.span(), table.get_ref());
        let mut section: Option<Row<'_, '_>> = None;
        let mut name = "";
        for (place, key) in KEYS.iter().enumerate() {
            if key.section != name {
                name = key.section;
                section.into_iter().for_each(Row::finish);
                section = whole.table(name);
            }
            let Some(row) = &mut section else { continue };
            let set = |value: &DeValue<'_>| {
                let text = scalar(key.kind, value)?;
                (key.set)(&mut self.config, &text)
            };
            if let Some(value) = row.optional(key.name, set) {
                let (line, column) = source.place(value.span().start);
                self.origins.insert(place, Origin::File { file: file.into(), line, column });
            }
        }
        section.into_iter().for_each(Row::finish);
        whole.finish();
        self.problems.extend(source.into_problems());
    }

    fn take_variable(&mut self, name: &str, value: Option<&str>) {
        let Some(path) = name.strip_prefix("POSP__") else { return };
        let path = path.to_ascii_lowercase().replacen("__", ".", 1);
        let taken = match KEYS.iter().enumerate().find(|(_, key)| path_of(key) == path) {
            None => {
                let paths: Vec<_> = KEYS.iter().map(path_of).collect();
                Err(unknown_key(&path, paths.iter().map(String::as_str)))
            }
            Some((place, key)) => {
                self.origins.insert(place, Origin::Environment { name: name.into() });
                let value = value.ok_or_else(|| "is not UTF-8".to_owned());
                value.and_then(|value| (key.set)(&mut self.config, value))
            }
        };
        if let Err(text) = taken {
            self.problems.push(Problem { origin: name.into(), place: None, text: text.into() });
        }
    }

    /// Holds the values against each other, unless one of them is not as it was meant.
    fn checked(mut self) -> Result<Self, ConfigError> {
        if self.problems.is_empty() {
            let breaches = check::breaches(&self.config);
            self.problems = breaches.iter().map(|breach| self.problem(breach)).collect();
        }
        ConfigError::unless_none(std::mem::take(&mut self.problems), self)
    }

    /// Returns a breach as a problem of the first of its keys that somebody set.
    fn problem(&self, breach: &check::Breach) -> Problem {
        let origin = |path: &&str| {
            let place = KEYS.iter().position(|key| path_of(key) == *path)?;
            self.origins.get(&place)
        };
        let (origin, place) = match breach.keys.iter().find_map(origin) {
            None | Some(Origin::Default) => ("configuration", None),
            Some(Origin::File { file, line, column }) => (file.as_str(), Some((*line, *column))),
            Some(Origin::Environment { name }) => (name.as_str(), None),
        };
        let about = breach.keys.first().copied().unwrap_or_default();
        Problem { origin: origin.into(), place, text: format!("{about}: {}", breach.text).into() }
    }
}

fn path_of(key: &Key) -> String {
    format!("{}.{}", key.section, key.name)
}

/// Returns a value of this kind as text.
fn scalar(kind: Kind, value: &DeValue<'_>) -> Result<String, String> {
    match kind {
        Kind::Text => source::text(value).map(str::to_owned),
        Kind::Number => source::integer::<i64>(value).map(|number| number.to_string()),
        Kind::Flag => source::boolean(value).map(|flag| flag.to_string()),
    }
}
