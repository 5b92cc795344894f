//! Values that several files have.

use std::path::Path;

use domain::issuing::{Right, Rights};
use domain::terms::Amount;
use toml::de::DeValue;
use zeroize::Zeroizing;

use crate::config::source::{integer, text};
use crate::programme::{Secret, Word, parse_yuan};

/// Reads a name: 1 to 40 characters (field 43 has 40), none of them a control character.
pub(super) fn label(value: &DeValue<'_>) -> Result<String, String> {
    let name = text(value)?;
    if !(1..=40).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err("1 to 40 characters expected".into());
    }
    Ok(name.to_owned())
}

/// Reads an amount of money.
pub(super) fn money(value: &DeValue<'_>) -> Result<Amount, String> {
    let amount = value.as_str().and_then(parse_yuan);
    amount.ok_or_else(|| "yuan with two decimals in quotes expected, as in \"60.00\"".into())
}

/// Reads one of the words of `T`.
pub(super) fn word<T: Word>(value: &DeValue<'_>) -> Result<T, String> {
    value.as_str().and_then(T::of_word).ok_or_else(|| {
        let words: Vec<_> = T::WORDS.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        format!("one of {} expected", words.join(", "))
    })
}

/// Reads a list of whole numbers.
pub(super) fn numbers<T: TryFrom<i64>>(value: &DeValue<'_>) -> Result<Vec<T>, String> {
    let list = value.as_array().ok_or("a list of whole numbers expected")?;
    list.iter().map(|number| integer(number.get_ref())).collect()
}

/// Reads a list of rights.
pub(super) fn rights(value: &DeValue<'_>) -> Result<Rights, String> {
    let list = value.as_array().ok_or("a list of rights expected")?;
    list.iter().try_fold(Rights::default(), |rights, right| {
        Ok(rights.with(word::<Right>(right.get_ref())?))
    })
}

/// A key, and whether it stood in the file itself.
pub(super) struct KeyText {
    pub(super) bytes: Secret,
    pub(super) in_clear: bool,
}

/// Reads a key: hexadecimal digits, or where they are: `file:PATH`, from `directory` if relative,
/// or `env:NAME`.
pub(super) fn key(directory: &Path, value: &DeValue<'_>) -> Result<KeyText, String> {
    let given = text(value)?;
    let (digits, in_clear) = if let Some(path) = given.strip_prefix("file:") {
        let digits = std::fs::read_to_string(directory.join(path));
        (digits.map_err(|error| format!("the file cannot be read: {error}"))?, false)
    } else if let Some(name) = given.strip_prefix("env:") {
        let digits = std::env::var(name);
        (digits.map_err(|_| "the environment variable is not set".to_owned())?, false)
    } else {
        (given.to_owned(), true)
    };
    let digits = Zeroizing::new(digits);
    let bytes = const_hex::decode(digits.trim());
    let bytes = bytes.map_err(|_| "hexadecimal digits, file:PATH or env:NAME expected")?;
    Ok(KeyText { bytes: Secret::new(bytes), in_clear })
}
