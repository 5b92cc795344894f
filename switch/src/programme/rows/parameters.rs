//! `parameters.toml`: the items terminals are set up with.

use std::collections::BTreeMap;

use domain::terms::{MerchantId, TerminalId};
use toml::Spanned;
use toml::de::DeValue;

use crate::config::source::{Distinct, Row, Source, integer, parsed, text};
use crate::programme::{Item, Override, Parameters, Terminal, Whose};

/// The most bytes the items of a terminal may have together: field 62 takes no more.
const TOTAL_MAX: usize = 512;
/// The longest value of one item.
const VALUE_MAX: u16 = 99;

/// Reads the items. `terminals` are those that overrides may name, if their file is sound.
pub(super) fn read(source: &Source<'_>, terminals: Option<&[Terminal]>) -> Parameters {
    let table = source.parse();
    let mut whole = Row::new(source, table.span(), table.get_ref());
    let mut lengths = BTreeMap::new();
    let mut codes = Distinct::new("code");
    let items = whole.rows("item", |row| item(row, &mut lengths, &mut codes));
    let overrides = whole.rows("override", |row| an_override(row, &lengths, terminals));
    let report_wanted = whole.optional("report_wanted", report_wanted).map(Spanned::into_inner);
    let total: usize = items.iter().map(|item| item.value.len().saturating_add(2)).sum();
    if total > TOTAL_MAX {
        let text = format!("item: {total} bytes together, and one answer takes {TOTAL_MAX}");
        source.report(whole.span(), text);
    }
    whole.finish();
    Parameters { items, overrides, report_wanted }
}

fn report_wanted(value: &DeValue<'_>) -> Result<String, String> {
    let word = text(value)?;
    if word.is_empty() { Err("a word is expected".into()) } else { Ok(word.to_owned()) }
}

fn code(row: &mut Row<'_, '_>) -> Option<Spanned<[u8; 2]>> {
    row.required(
        "code",
        parsed("two digits", |text| {
            let code: [u8; 2] = text.as_bytes().try_into().ok()?;
            code.iter().all(u8::is_ascii_digit).then_some(code)
        }),
    )
}

fn item(
    row: &mut Row<'_, '_>,
    lengths: &mut BTreeMap<[u8; 2], usize>,
    codes: &mut Distinct<[u8; 2]>,
) -> Option<Item> {
    let code = code(row);
    let length = row.required("length", integer::<u16>);
    _ = row.optional("name", super::values::label);
    let length = length?;
    if !(1..=VALUE_MAX).contains(length.get_ref()) {
        row.source().report(&length.span(), format!("length: 1 to {VALUE_MAX} expected"));
        return None;
    }
    let length = usize::from(length.into_inner());
    let value = row.required("value", |text| value(text, length));
    let code = code?;
    codes.note(row.source(), code.clone());
    lengths.insert(*code.get_ref(), length);
    Some(Item { code: code.into_inner(), value: value?.into_inner() })
}

fn an_override(
    row: &mut Row<'_, '_>,
    lengths: &BTreeMap<[u8; 2], usize>,
    terminals: Option<&[Terminal]>,
) -> Option<Override> {
    let code = code(row);
    let whose = whose(row, terminals);
    let Some(code) = code else {
        _ = row.required("value", |text| value(text, VALUE_MAX.into()));
        return None;
    };
    let Some(&length) = lengths.get(code.get_ref()) else {
        row.source().report(&code.span(), "code: no [[item]] above has it");
        _ = row.required("value", |text| value(text, VALUE_MAX.into()));
        return None;
    };
    let value = row.required("value", |text| value(text, length));
    Some(Override { whose: whose?, code: code.into_inner(), value: value?.into_inner() })
}

fn whose(row: &mut Row<'_, '_>, terminals: Option<&[Terminal]>) -> Option<Whose> {
    let terminal = row.optional(
        "terminal",
        parsed("8 printable characters", |text| TerminalId::parse(text.as_bytes())),
    );
    let merchant = row.optional(
        "merchant",
        parsed("15 printable characters", |text| MerchantId::parse(text.as_bytes())),
    );
    if row.has("terminal") == row.has("merchant") {
        row.source().report(row.span(), "either terminal or merchant is expected");
        return None;
    }
    let known = |is_it: &dyn Fn(&Terminal) -> bool| terminals.is_none_or(|t| t.iter().any(is_it));
    if let Some(id) = &terminal
        && !known(&|t: &Terminal| t.id == *id.get_ref())
    {
        row.source().report(&id.span(), "terminal: terminals.toml has no such id");
    }
    if let Some(id) = &merchant
        && !known(&|t: &Terminal| t.merchant == *id.get_ref())
    {
        row.source().report(&id.span(), "merchant: terminals.toml has no terminal of it");
    }
    let terminal = terminal.map(|id| Whose::Terminal(id.into_inner()));
    terminal.or_else(|| merchant.map(|id| Whose::Merchant(id.into_inner())))
}

/// Reads a value: printable ASCII characters, filled up with spaces, or `hex:` and exactly as
/// many bytes as the item has, for characters of another set.
fn value(value: &DeValue<'_>, length: usize) -> Result<Vec<u8>, String> {
    let given = text(value)?;
    if let Some(digits) = given.strip_prefix("hex:") {
        let bytes = const_hex::decode(digits).ok().filter(|bytes| bytes.len() == length);
        return bytes.ok_or_else(|| format!("{length} bytes in hexadecimal digits expected"));
    }
    if given.len() > length || !given.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(format!("at most {length} printable ASCII characters expected"));
    }
    let mut bytes = given.as_bytes().to_vec();
    bytes.resize(length, b' ');
    Ok(bytes)
}
