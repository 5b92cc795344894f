//! Dialects: the field tables by which messages are read and written.
//!
//! A dialect is a TOML file; see `config/dialects` for those that are built in. It may extend
//! another and then states the differences only.

mod explain;
mod file;

use std::sync::LazyLock;

pub use explain::{Explanation, HideIf, Part};
pub use file::DialectError;

use crate::bitmap::Bitmap;
use crate::field::{Encoding, Format, Sensitivity};
use crate::plan::Plan;

/// A field table: how each field is laid out, what it is called, and who may see it.
#[derive(Clone, Debug)]
pub struct Dialect {
    name: String,
    title: String,
    mti: Encoding,
    /// By field number. Apart from the labels: the parser needs nothing else, and this stays in
    /// the processor's nearest cache.
    plans: Box<[Option<Plan>; 129]>,
    known: Bitmap,
    labels: Box<[Option<Label>; 129]>,
    track_cipher: Option<TrackCipher>,
    explanations: Vec<Explanation>,
}

/// Which digit of which field says that the tracks of a message are encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackCipher {
    /// An `n` field.
    pub field: u8,
    /// The digit's place in it; the first is 1.
    digit: u8,
    /// What the digit then is, 0 to 9.
    value: u8,
}

impl TrackCipher {
    /// The digit's place; the first is 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.digit.wrapping_sub(1) as usize
    }

    /// What the digit then is, as an ASCII character.
    #[must_use]
    pub const fn value(&self) -> u8 {
        self.value | b'0'
    }
}

/// What people call a field, and how much of it they may see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// In English.
    pub name: String,
    /// In Chinese.
    pub zh: String,
    /// How much of it is shown.
    pub show: Sensitivity,
    /// When it is hidden although `show` says otherwise.
    pub hide_if: Option<HideIf>,
}

/// The built-in dialects: name and file.
const BUILTIN: [(&str, &str); 3] = [
    ("unionpay-pos", include_str!("../../config/dialects/unionpay-pos.toml")),
    ("iso87-bcd", include_str!("../../config/dialects/iso87-bcd.toml")),
    ("iso87-ascii", include_str!("../../config/dialects/iso87-ascii.toml")),
];

static UNIONPAY_POS: LazyLock<Dialect> = LazyLock::new(|| built_in("unionpay-pos"));
static ISO87_BCD: LazyLock<Dialect> = LazyLock::new(|| built_in("iso87-bcd"));
static ISO87_ASCII: LazyLock<Dialect> = LazyLock::new(|| built_in("iso87-ascii"));

impl Dialect {
    /// Reads a dialect. `resolver` finds the text of the dialects that it extends; the built-in
    /// ones are found without it.
    ///
    /// # Errors
    /// Unknown keys, impossible layouts, a parent that is not found or a circle of parents.
    pub fn from_toml(
        text: &str,
        resolver: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DialectError> {
        file::read(text, &|name| {
            resolver(name).or_else(|| Self::builtin_text(name).map(str::to_owned))
        })
    }

    /// The names of the built-in dialects, the most particular first.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A built-in dialect by name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<&'static Self> {
        match name {
            "unionpay-pos" => Some(Self::unionpay_pos()),
            "iso87-bcd" => Some(&ISO87_BCD),
            "iso87-ascii" => Some(&ISO87_ASCII),
            _ => None,
        }
    }

    /// The file of a built-in dialect.
    #[must_use]
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// What UnionPay POS terminals speak.
    #[must_use]
    pub fn unionpay_pos() -> &'static Self {
        &UNIONPAY_POS
    }

    /// Its name, as configuration refers to it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line that says whose dialect it is.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How the message type is written.
    #[must_use]
    #[inline]
    pub const fn mti_encoding(&self) -> Encoding {
        self.mti
    }

    /// What says that tracks are encrypted, or `None` if they never are.
    #[must_use]
    #[inline]
    pub const fn track_cipher(&self) -> Option<&TrackCipher> {
        self.track_cipher.as_ref()
    }

    /// The layout of a field, or `None` if the dialect does not have it.
    #[must_use]
    #[inline]
    pub fn format(&self, field: u8) -> Option<&Format> {
        self.plan(field).map(|plan| &plan.format)
    }

    /// The layout of a field as the parser's quick way takes it.
    #[inline]
    pub(crate) fn plan(&self, field: u8) -> Option<&Plan> {
        self.plans.get(usize::from(field))?.as_ref()
    }

    /// What a field is called, or `None` if the dialect does not have it.
    #[must_use]
    pub fn label(&self, field: u8) -> Option<&Label> {
        self.labels.get(usize::from(field))?.as_ref()
    }

    /// How content of so many digits or bytes is taken apart for people, if the dialect says so.
    #[must_use]
    pub fn explanation(&self, field: u8, units: usize) -> Option<&Explanation> {
        self.explanations.iter().find(|explanation| {
            explanation.field == field
                && explanation.length.is_none_or(|length| usize::from(length) == units)
        })
    }

    /// The numbers of the fields it has, ascending.
    pub fn fields(&self) -> impl Iterator<Item = u8> + use<> {
        self.known.fields().map(|field| field.0)
    }
}

fn built_in(name: &str) -> Dialect {
    let text = Dialect::builtin_text(name).expect("a built-in dialect has a file");
    Dialect::from_toml(text, &|_| None).expect("a built-in dialect is valid, which a test holds")
}
