//! What the parts of a field mean to people.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a field is taken apart for people to read. The codec itself never looks inside a field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The field.
    pub field: u8,
    /// Only for content of this many digits or bytes, if it is stated.
    pub length: Option<u16>,
    /// The parts in their order. Content may end before the last of them.
    pub parts: Vec<Part>,
}

/// One part of a field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// In English.
    pub name: String,
    /// In Chinese.
    pub zh: String,
    /// Digits or bytes; to the end of the field if it is not stated.
    pub length: Option<u16>,
    /// What its values mean, in English and in Chinese.
    #[serde(default)]
    pub values: BTreeMap<String, [String; 2]>,
}

/// When a field that is otherwise shown must not be. All that is stated must hold.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HideIf {
    /// The message type begins with these digits.
    pub mti: Option<String>,
    /// The content begins with these characters.
    pub starts_with: Option<String>,
    /// The content has more digits or bytes than this.
    pub longer_than: Option<u16>,
}

impl Explanation {
    /// Says what is impossible about it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        for part in &self.parts {
            let Some(length) = part.length.map(usize::from) else {
                if !part.values.is_empty() {
                    return Some("a part with values has no length");
                }
                continue;
            };
            if part.values.keys().any(|value| value.len() != length) {
                return Some("a part's value does not have the part's length");
            }
        }
        self.parts.is_empty().then_some("is explained by no parts")
    }
}
