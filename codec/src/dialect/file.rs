//! The TOML form of a dialect.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Dialect, Explanation, HideIf, Label, TrackCipher};
use crate::bitmap::Bitmap;
use crate::field::{Content, Encoding, Format, Justify, Prefix, Sensitivity};
use crate::plan::Plan;

/// Parents of parents, at most.
const GENERATIONS_MAX: usize = 8;

/// Why a dialect could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DialectError {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("{0}")]
    Syntax(String),
    /// The dialect that is to be extended is not known.
    #[error("extends {0}, which is not known")]
    NoParent(String),
    /// Too many dialects extend one another, or they do so in a circle.
    #[error("extends {0} through more than {GENERATIONS_MAX} generations")]
    TooManyParents(String),
    /// A key that neither the dialect nor its parents state.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field that cannot be as it is described.
    #[error("field {field}: {reason}")]
    Field {
        /// The field's key in the file.
        field: String,
        /// What is impossible about it.
        reason: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    extends: Option<String>,
    /// Which of the parent's fields stay.
    #[serde(default)]
    inherit: Inherit,
    mti: Option<Encoding>,
    digits: Option<Encoding>,
    prefix: Option<Encoding>,
    track_cipher: Option<TrackCipher>,
    #[serde(default)]
    fields: BTreeMap<String, Entry>,
    #[serde(default)]
    explain: Vec<Explanation>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Inherit {
    /// All of them.
    #[default]
    All,
    /// Those that the file lists; it may state differences from them.
    Listed,
}

/// What the file says about one field. What it leaves out is as in the parent, or else the default.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    zh: Option<String>,
    content: Option<Content>,
    encoding: Option<Encoding>,
    length: Option<Length>,
    max: Option<u16>,
    prefix: Option<Encoding>,
    justify: Option<Justify>,
    show: Option<Sensitivity>,
    hide_if: Option<HideIf>,
}

/// `6`, `"LL"` or `"LLL"`.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a number of digits or bytes, \"LL\" or \"LLL\"")]
enum Length {
    Fixed(u16),
    Variable(Letters),
}

#[derive(Clone, Copy, Deserialize)]
enum Letters {
    #[serde(rename = "LL")]
    Two,
    #[serde(rename = "LLL")]
    Three,
}

/// A dialect whose parents have been added.
#[derive(Default)]
struct Merged {
    mti: Option<Encoding>,
    digits: Option<Encoding>,
    prefix: Option<Encoding>,
    track_cipher: Option<TrackCipher>,
    fields: BTreeMap<u8, Entry>,
    explain: Vec<Explanation>,
}

pub(super) fn read(
    text: &str,
    resolver: &dyn Fn(&str) -> Option<String>,
) -> Result<Dialect, DialectError> {
    let file = parse(text)?;
    let (name, title) = (file.name.clone(), file.title.clone());
    let merged = merge(file, resolver, GENERATIONS_MAX)?;
    let mti = merged.mti.ok_or(DialectError::Missing("mti"))?;
    let digits = merged.digits.ok_or(DialectError::Missing("digits"))?;
    let prefix = merged.prefix.ok_or(DialectError::Missing("prefix"))?;
    let mut known = Bitmap::default();
    let mut formats = [None; 129];
    let mut labels = Box::new([const { None }; 129]);
    for (number, entry) in merged.fields {
        let wrong = |reason| DialectError::Field { field: number.to_string(), reason };
        let format = layout(&entry, digits, prefix).map_err(wrong)?;
        let label = Label {
            name: entry.name.ok_or(wrong("has no name"))?,
            zh: entry.zh.ok_or(wrong("has no zh, its name in Chinese"))?,
            show: entry.show.unwrap_or(Sensitivity::Clear),
            hide_if: entry.hide_if,
        };
        if label.show == Sensitivity::MaskPan && format.content != Content::Digits {
            return Err(wrong("show = \"mask_pan\" is for content n"));
        }
        let index = usize::from(number);
        if let (Some(a), Some(b)) = (formats.get_mut(index), labels.get_mut(index)) {
            (*a, *b) = (Some(format), Some(label));
            known.insert(number);
        }
    }
    if let Some(cipher) = &merged.track_cipher {
        let format = formats.get(usize::from(cipher.field)).copied().flatten();
        let digits = format.filter(|format| format.content == Content::Digits);
        if cipher.value > 9 || digits.is_none_or(|format| cipher.index() >= format.max.into()) {
            let reason = "has no such digit, which track_cipher names";
            return Err(DialectError::Field { field: cipher.field.to_string(), reason });
        }
    }
    let mut explanations = merged.explain;
    explanations.retain(|explanation| {
        formats.get(usize::from(explanation.field)).is_some_and(Option::is_some)
    });
    let track_cipher = merged.track_cipher;
    let plans = Box::new(formats.map(|format| format.as_ref().map(Plan::new)));
    Ok(Dialect { name, title, mti, plans, known, labels, track_cipher, explanations })
}

fn parse(text: &str) -> Result<File, DialectError> {
    toml::from_str(text).map_err(|error| DialectError::Syntax(error.to_string().trim().to_owned()))
}

/// Lays `file` over its parents.
fn merge(
    file: File,
    resolver: &dyn Fn(&str) -> Option<String>,
    generations: usize,
) -> Result<Merged, DialectError> {
    let mut merged = match &file.extends {
        None => Merged::default(),
        Some(parent) => {
            let left = generations
                .checked_sub(1)
                .ok_or_else(|| DialectError::TooManyParents(parent.clone()))?;
            let text = resolver(parent).ok_or_else(|| DialectError::NoParent(parent.clone()))?;
            merge(parse(&text)?, resolver, left)?
        }
    };
    merged.mti = file.mti.or(merged.mti);
    merged.digits = file.digits.or(merged.digits);
    merged.prefix = file.prefix.or(merged.prefix);
    merged.track_cipher = file.track_cipher.or(merged.track_cipher);
    let mut parents = std::mem::take(&mut merged.fields);
    for (key, entry) in file.fields {
        let number = key.parse().ok().filter(|number| (2..=128).contains(number));
        let Some(number) = number else {
            let reason = "is not a number from 2 to 128";
            return Err(DialectError::Field { field: key, reason });
        };
        let parent = parents.remove(&number).unwrap_or_default();
        merged.fields.insert(number, entry.over(parent));
    }
    if matches!(file.inherit, Inherit::All) {
        merged.fields.append(&mut parents);
    }
    for explanation in &file.explain {
        let reason = explanation.fault().or((!merged.fields.contains_key(&explanation.field))
            .then_some("is explained, but unknown"));
        if let Some(reason) = reason {
            return Err(DialectError::Field { field: explanation.field.to_string(), reason });
        }
    }
    // What the file explains, its parents need not.
    merged.explain.retain(|parent| file.explain.iter().all(|own| own.field != parent.field));
    merged.explain.extend(file.explain);
    Ok(merged)
}

impl Entry {
    fn over(self, parent: Self) -> Self {
        // A new length brings its own maximum: the parent's belongs to the parent's length.
        let max = if self.length.is_some() { self.max } else { self.max.or(parent.max) };
        Self {
            name: self.name.or(parent.name),
            zh: self.zh.or(parent.zh),
            content: self.content.or(parent.content),
            encoding: self.encoding.or(parent.encoding),
            length: self.length.or(parent.length),
            max,
            prefix: self.prefix.or(parent.prefix),
            justify: self.justify.or(parent.justify),
            show: self.show.or(parent.show),
            hide_if: self.hide_if.or(parent.hide_if),
        }
    }
}

/// Makes the layout that `entry` describes, or says why there is none.
fn layout(entry: &Entry, digits: Encoding, prefixes: Encoding) -> Result<Format, &'static str> {
    let content = entry.content.ok_or("has no content")?;
    let numeric = matches!(content, Content::Digits | Content::Track);
    if entry.encoding.is_some() && !numeric {
        return Err("encoding is for content n and z");
    }
    let encoding = entry.encoding.unwrap_or(digits);
    let (prefix, max, justify) = match entry.length.ok_or("has no length")? {
        Length::Fixed(length) => {
            if entry.max.is_some() || entry.prefix.is_some() {
                return Err("max and prefix are for length LL and LLL");
            }
            (Prefix::None, length, Justify::Right)
        }
        Length::Variable(letters) => {
            let prefix = match (letters, entry.prefix.unwrap_or(prefixes)) {
                (Letters::Two, Encoding::Bcd) => Prefix::Bcd2,
                (Letters::Three, Encoding::Bcd) => Prefix::Bcd3,
                (Letters::Two, Encoding::Ascii) => Prefix::Ascii2,
                (Letters::Three, Encoding::Ascii) => Prefix::Ascii3,
            };
            (prefix, entry.max.ok_or("has no max")?, Justify::Left)
        }
    };
    if max == 0 {
        return Err("has room for nothing");
    }
    if max > prefix.max().min(999) {
        return Err("is longer than its length can say");
    }
    if entry.justify.is_some() && !numeric {
        return Err("justify is for content n and z");
    }
    Ok(Format { content, encoding, prefix, max, justify: entry.justify.unwrap_or(justify) })
}
