//! `ca-keys.toml` and `aids.toml`: what a terminal needs to read chip cards.

use std::collections::BTreeMap;

use codec::tlv::Tag;
use domain::terms::BusinessDate;
use toml::Spanned;
use toml::de::DeValue;

use crate::config::source::{Distinct, Row, Source, text};
use crate::programme::{Aid, CaKey};

/// The most rows of one file: a terminal counts what it has in two digits.
const ROWS_MAX: usize = 99;
/// The most bytes of one row as it is sent: field 62 takes 512, the first of which says "found".
const SENT_MAX: usize = 511;
/// The parameters that every application has.
const AID_MUST: [u32; 5] = [0xDF01, 0x9F08, 0xDF11, 0xDF12, 0xDF13];
/// The tag of a name, which is no parameter.
const NAME: u32 = 0x9F06;

pub(super) fn ca_keys(source: &Source<'_>) -> Vec<CaKey> {
    let mut names = Distinct::new("index");
    let keys = source.rows("ca_key", |row| {
        let rid = row.required("rid", bytes::<5>);
        let index = row.required("index", bytes::<1>);
        let expiry = row.required("expiry", expiry);
        let modulus = row.required("modulus", |value| hex(value, 64..=248));
        let exponent = row.required("exponent", |value| hex(value, 1..=3));
        let check = row.required("check", bytes::<20>);
        let (rid, index) = (rid?.into_inner(), index?);
        names.note(row.source(), Spanned::new(index.span(), (rid, *index.get_ref())));
        let [index] = index.into_inner();
        Some(CaKey {
            rid,
            index,
            expiry: expiry?.into_inner(),
            modulus: modulus?.into_inner(),
            exponent: exponent?.into_inner(),
            check: check?.into_inner(),
        })
    });
    check_count(source, keys.len());
    keys
}

pub(super) fn aids(source: &Source<'_>) -> Vec<Aid> {
    let mut names = Distinct::new("aid");
    let aids = source.rows("aid", |row| {
        let name = row.required("aid", |value| hex(value, 5..=16));
        let tags = row.required("tags", tags)?;
        let name = name?;
        names.note(row.source(), name.clone());
        check_tags(row, name.get_ref(), &tags);
        Some(Aid { name: name.into_inner(), tags: tags.into_inner() })
    });
    check_count(source, aids.len());
    aids
}

fn check_count(source: &Source<'_>, count: usize) {
    if count > ROWS_MAX {
        source.report(&(0..0), format!("{count} rows, and a terminal counts to {ROWS_MAX}"));
    }
}

fn check_tags(row: &Row<'_, '_>, name: &[u8], tags: &Spanned<BTreeMap<Tag, Vec<u8>>>) {
    let has = |tag: u32| tags.get_ref().keys().any(|known| known.value() == tag);
    if let Some(missing) = AID_MUST.into_iter().find(|&tag| !has(tag)) {
        row.source().report(&tags.span(), format!("tags: {missing:04X} is missing"));
    }
    if has(NAME) {
        row.source().report(&tags.span(), "tags: 9F06 is the aid itself");
    }
    let sent = tags.get_ref().iter().map(|(tag, value)| {
        // Tag, length, content.
        tag.bytes().len().saturating_add(value.len()).saturating_add(1)
    });
    let sent = sent.fold(name.len().saturating_add(3), usize::saturating_add);
    if sent > SENT_MAX {
        let text = format!("tags: {sent} bytes together, and one answer takes {SENT_MAX}");
        row.source().report(&tags.span(), text);
    }
}

/// Reads a table of tags: `DF01 = "00"`.
fn tags(value: &DeValue<'_>) -> Result<BTreeMap<Tag, Vec<u8>>, String> {
    let table = value.as_table().ok_or("a table of tags is expected, as in DF01 = \"00\"")?;
    let read = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &toml::de::DeString<'_> = name.get_ref();
        let tag = Tag::from_hex(name).ok_or_else(|| format!("{name} is no tag"))?;
        let content = hex(value.get_ref(), 0..=127).map_err(|text| format!("{name}: {text}"))?;
        Ok((tag, content))
    };
    let tags: Result<BTreeMap<_, _>, String> = table.iter().map(read).collect();
    let tags = tags?;
    // `df01` and `DF01` are two keys and one tag.
    if tags.len() == table.len() { Ok(tags) } else { Err("a tag stands there twice".into()) }
}

fn hex(value: &DeValue<'_>, length: std::ops::RangeInclusive<usize>) -> Result<Vec<u8>, String> {
    let bytes = const_hex::decode(text(value)?).ok();
    bytes.filter(|bytes| length.contains(&bytes.len())).ok_or_else(|| {
        let (least, most) = (length.start(), length.end());
        format!("{least} to {most} bytes in hexadecimal digits expected")
    })
}

fn bytes<const N: usize>(value: &DeValue<'_>) -> Result<[u8; N], String> {
    let bytes = const_hex::decode(text(value)?).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| match N {
        1 => "1 byte in hexadecimal digits expected".to_owned(),
        _ => format!("{N} bytes in hexadecimal digits expected"),
    })
}

/// Reads a day that the calendar has.
fn expiry(value: &DeValue<'_>) -> Result<[u8; 8], String> {
    let day = || {
        let digits: [u8; 8] = value.as_str()?.as_bytes().try_into().ok()?;
        let part = |range| std::str::from_utf8(digits.get::<std::ops::Range<_>>(range)?).ok();
        let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
        BusinessDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        digits.iter().all(u8::is_ascii_digit).then_some(digits)
    };
    day().ok_or_else(|| "YYYYMMDD expected".to_owned())
}
