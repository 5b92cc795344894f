//! Types of values, and how they are written.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;

/// How a value stands in TOML.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// In quotes.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
}

/// A type that a key may have.
pub(super) trait Setting: Sized {
    /// How it stands in TOML.
    const KIND: Kind = Kind::Text;
    /// What to say is expected.
    const EXPECTED: &'static str;

    /// Reads a value; `None` if it is none.
    fn parse(text: &str) -> Option<Self>;

    /// Returns the value as TOML, secrets as `***`.
    fn show(&self) -> String;
}

fn quoted(text: impl std::fmt::Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// What a node is for, and so what it refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// A look around: published keys, test cards.
    Demo,
    /// A test system, with a programme of its own.
    Test,
    /// Real money: published keys, and keys and PINs in clear, are refused.
    Production,
}

/// Where the local master key is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LmkSource {
    /// The published key of demonstrations.
    Demo,
    /// A file that holds it.
    File(PathBuf),
    /// An environment variable that holds it.
    Env(String),
}

/// The least severe log lines that are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is about to.
    Warn,
    /// What an operator acts on.
    Info,
    /// What a developer asks for.
    Debug,
    /// Everything.
    Trace,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// [`Self::Pretty`] on a terminal, else [`Self::Json`].
    Auto,
    /// One JSON object a line.
    Json,
    /// For a person.
    Pretty,
}

macro_rules! words {
    ($($type:ident, $expected:literal, [$($word:literal => $value:ident),*];)*) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$value),)*
                    _ => None,
                }
            }

            fn show(&self) -> String {
                quoted(self)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$value => $word,)*
                })
            }
        }
    )*};
}

words! {
    Profile, "\"demo\", \"test\" or \"production\"",
        ["demo" => Demo, "test" => Test, "production" => Production];
    LogLevel, "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        ["error" => Error, "warn" => Warn, "info" => Info, "debug" => Debug, "trace" => Trace];
    LogFormat, "\"auto\", \"json\" or \"pretty\"",
        ["auto" => Auto, "json" => Json, "pretty" => Pretty];
}

impl Setting for LmkSource {
    const EXPECTED: &'static str = "where the key is found (\"file:PATH\", \"env:NAME\" or \"demo\"), never the key itself, is";

    fn parse(text: &str) -> Option<Self> {
        let source = match text.split_once(':') {
            None => (text == "demo").then_some(Self::Demo),
            Some(("file", path)) => Some(Self::File(path.into())),
            Some(("env", name)) => Some(Self::Env(name.into())),
            Some(_) => None,
        };
        source.filter(|_| !text.ends_with(':'))
    }

    fn show(&self) -> String {
        quoted(match self {
            Self::Demo => "demo",
            Self::File(_) => "file:***",
            Self::Env(_) => "env:***",
        })
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct ByteSize(usize);

impl ByteSize {
    const UNITS: [(&'static str, usize); 4] =
        [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

    /// Returns this many bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Returns this many times 1024 bytes.
    #[must_use]
    pub const fn kib(count: u16) -> Self {
        Self((count as usize) << 10)
    }

    /// Returns this many times 1024 KiB.
    #[must_use]
    pub const fn mib(count: u16) -> Self {
        Self((count as usize) << 20)
    }

    /// Returns the number of bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl std::fmt::Display for ByteSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exact = Self::UNITS.iter().find(|(_, unit)| self.0.is_multiple_of(*unit));
        let (name, unit) = exact.copied().unwrap_or(("B", 1));
        write!(f, "{}{name}", self.0.checked_div(unit).unwrap_or(self.0))
    }
}

impl Setting for ByteSize {
    const EXPECTED: &'static str = "a size above zero, as in \"4KiB\" or \"64MiB\",";

    fn parse(text: &str) -> Option<Self> {
        let (name, unit) = Self::UNITS.iter().find(|(name, _)| text.ends_with(name))?;
        let count: usize = whole(text.strip_suffix(name)?)?;
        Some(Self(count.checked_mul(*unit)?)).filter(|size| size.0 > 0)
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

const TIME_UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration above zero, as in \"500ms\", \"30s\" or \"2m\",";

    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let (_, unit) =
            TIME_UNITS.iter().find(|(name, _)| text.strip_prefix(digits) == Some(*name))?;
        let count: u64 = whole(digits)?;
        Some(Self::from_millis(count.checked_mul(*unit)?)).filter(|duration| !duration.is_zero())
    }

    fn show(&self) -> String {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let unit = if ms.is_multiple_of(1000) { ("s", 1000) } else { ("ms", 1) };
        quoted(format_args!("{}{}", ms.checked_div(unit.1).unwrap_or(ms), unit.0))
    }
}

impl Setting for Option<Duration> {
    const EXPECTED: &'static str = "a duration, as in \"90s\" or \"24h\", or \"0s\" for none,";

    fn parse(text: &str) -> Option<Self> {
        if text == "0s" { Some(None) } else { Duration::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quoted("0s"), Setting::show)
    }
}

/// Reads digits, without the sign that `parse` would take.
fn whole<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl Setting for u32 {
    const KIND: Kind = Kind::Number;
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";

    fn parse(text: &str) -> Option<Self> {
        whole(text)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// The number of an institution, as F32 carries it: 8 or 11 digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InstitutionCode(Box<str>);

impl InstitutionCode {
    /// Returns the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for InstitutionCode {
    const EXPECTED: &'static str = "the number of an institution, 8 or 11 digits,";

    fn parse(text: &str) -> Option<Self> {
        let is_number = matches!(text.len(), 8 | 11) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Self(text.into()))
    }

    fn show(&self) -> String {
        quoted(&self.0)
    }
}

impl Default for InstitutionCode {
    /// A number that no institution has.
    fn default() -> Self {
        Self("00010000".into())
    }
}

impl Setting for bool {
    const KIND: Kind = Kind::Flag;
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address and port, as in \"127.0.0.1:8583\",";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }

    fn show(&self) -> String {
        quoted(self.display())
    }
}

impl Setting for Option<PathBuf> {
    const EXPECTED: &'static str = "a path, or nothing between the quotes,";

    fn parse(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| text.into()))
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Setting::show)
    }
}

impl Setting for Time {
    const EXPECTED: &'static str = "a time of day, as in \"23:00\",";

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
        Self::new(whole(hour)?, whole(minute)?, 0, 0).ok()
    }

    fn show(&self) -> String {
        quoted(format_args!("{:02}:{:02}", self.hour(), self.minute()))
    }
}

impl Setting for TimeZone {
    const EXPECTED: &'static str = "a time zone, as in \"Asia/Shanghai\",";

    fn parse(text: &str) -> Option<Self> {
        Self::get(text).ok()
    }

    fn show(&self) -> String {
        quoted(self.iana_name().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Setting + PartialEq + std::fmt::Debug>(texts: &[&str], wrong: &[&str]) {
        for text in texts {
            let value = T::parse(text).unwrap_or_else(|| panic!("{text} is taken"));
            let shown = value.show();
            assert_eq!(T::parse(shown.trim_matches('"')), Some(value), "{shown}");
        }
        for text in wrong {
            assert_eq!(T::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        check::<Duration>(
            &["500ms", "1s", "90s", "2m", "1h"],
            &["", "s", "0s", "1", "1.5s", "+1s", "1d", "-1s", "1 s"],
        );
        check::<ByteSize>(
            &["1B", "4KiB", "64MiB", "1GiB", "1500B"],
            &["", "0B", "64MB", "64", "-1B", "99999999999GiB"],
        );
        check::<Time>(
            &["00:00", "23:59"],
            &["24:00", "23:60", "2300", "23:00:00", "+1:00", "7:00"],
        );
        check::<TimeZone>(&["Asia/Shanghai", "UTC"], &["Asia/Shangai", ""]);
        check::<SocketAddr>(&["127.0.0.1:0", "[::1]:8583"], &["8583", "localhost:8583"]);
        check::<Option<PathBuf>>(&["", "/a b"], &[]);
        check::<Option<Duration>>(&["0s", "24h"], &["", "0", "0h"]);
        check::<PathBuf>(&["a"], &[""]);
        check::<u32>(&["0", "4294967295"], &["-1", "+1", "", "4294967296"]);
        check::<Profile>(&["demo", "test", "production"], &["prod", "Demo"]);
        check::<LmkSource>(
            &["demo"],
            &["", "file:", "env:", "00112233445566778899AABBCCDDEEFF", "vault:x"],
        );
    }

    #[test]
    fn where_a_key_is_found_is_not_shown() {
        let file = LmkSource::parse("file:/run/secrets/lmk").unwrap();
        assert_eq!(file, LmkSource::File("/run/secrets/lmk".into()));
        assert_eq!(file.show(), "\"file:***\"");
        assert_eq!(LmkSource::parse("env:POSP_LMK").unwrap().show(), "\"env:***\"");
    }

    #[test]
    fn sizes_and_durations_are_shown_short() {
        assert_eq!(ByteSize::mib(64).show(), "\"64MiB\"");
        assert_eq!(ByteSize::new(1500).show(), "\"1500B\"");
        assert_eq!(Duration::from_millis(1500).show(), "\"1500ms\"");
        assert_eq!(Duration::from_secs(120).show(), "\"120s\"");
    }
}
