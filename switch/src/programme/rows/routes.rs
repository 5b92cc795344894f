//! `routing.toml`: issuers and their ranges of card numbers.

use std::ops::Range;

use routing::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, Table, TableError};
use toml::Spanned;

use crate::config::source::{Row, Source, boolean, integer, parsed};

use super::values::{label, word};
use crate::programme::Word;

impl Word for IssuerKind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("own", Self::Own), ("partner", Self::Partner)];
}

/// Reads issuers and ranges; a table of them if they are sound.
pub(super) fn read(source: &Source<'_>) -> (Vec<Issuer>, Vec<Bin>, Option<Table>) {
    let table = source.parse();
    let mut whole = Row::new(source, table.span(), table.get_ref());
    let issuers = whole.rows("issuer", issuer);
    let bins = whole.rows("bin", bin);
    whole.finish();

    let (issuer_spans, issuers): (Vec<_>, Vec<_>) = issuers.into_iter().map(parted).unzip();
    let (bin_spans, bins): (Vec<_>, Vec<_>) = bins.into_iter().map(parted).unzip();
    if !source.is_sound() {
        return (issuers, bins, None);
    }
    let routes = Table::new(&issuers, &bins).map_err(|error: TableError| {
        let spans = if error.is_of_issuer() { &issuer_spans } else { &bin_spans };
        let span = error.row().checked_sub(1).and_then(|place| spans.get(place));
        source.report(span.unwrap_or(&(0..0)), error.to_string());
    });
    (issuers, bins, routes.ok())
}

fn parted<T>(row: Spanned<T>) -> (Range<usize>, T) {
    (row.span(), row.into_inner())
}

fn issuer(row: &mut Row<'_, '_>) -> Option<Spanned<Issuer>> {
    let code = row.required("code", parsed("1 to 11 digits", IssuerCode::parse));
    let name = row.required("name", label);
    let kind = row.required("kind", word);
    let enabled = row.required("enabled", boolean);
    let issuer = Issuer {
        code: code?.into_inner(),
        name: name?.into_inner(),
        kind: kind?.into_inner(),
        enabled: enabled?.into_inner(),
    };
    Some(Spanned::new(row.span().clone(), issuer))
}

fn bin(row: &mut Row<'_, '_>) -> Option<Spanned<Bin>> {
    let prefix = row.required("prefix", parsed("2 to 12 digits", Prefix::parse));
    let pan_length = row.required("pan_length", integer);
    let issuer = row.required("issuer", parsed("1 to 11 digits", IssuerCode::parse));
    let bin = Bin {
        prefix: prefix?.into_inner(),
        pan_length: pan_length?.into_inner(),
        issuer: issuer?.into_inner(),
    };
    Some(Spanned::new(row.span().clone(), bin))
}
