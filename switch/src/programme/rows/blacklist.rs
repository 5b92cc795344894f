//! `blacklist.toml`: cards that a terminal must not take.

use domain::terms::Pan;
use toml::Spanned;

use crate::config::source::{Row, Source, parsed};
use crate::programme::Listed;

/// The most rows: a terminal counts what it has in six digits.
const ROWS_MAX: usize = 999_999;

pub(super) fn read(source: &Source<'_>) -> Vec<Listed> {
    let listed = source.rows("card", card);
    if listed.len() > ROWS_MAX {
        let text = format!("{} rows, and a terminal counts to {ROWS_MAX}", listed.len());
        source.report(&(0..0), text);
    }
    listed
}

fn card(row: &mut Row<'_, '_>) -> Option<Listed> {
    let pan = row.optional(
        "pan",
        parsed("12 to 19 digits with a right check digit", |text| Pan::parse(text.as_bytes()).ok()),
    );
    let prefix = row.optional("prefix", parsed("2 to 11 digits", digits));
    if row.has("pan") == row.has("prefix") {
        row.source().report(row.span(), "either pan or prefix is expected");
        return None;
    }
    let pan = pan.map(|pan| Listed::Card(pan.into_inner()));
    pan.or_else(|| prefix.map(Spanned::into_inner).map(Listed::Range))
}

/// A prefix is shorter than any card number, so that no card is listed as a range.
fn digits(text: &str) -> Option<Vec<u8>> {
    let fits = (2..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.into())
}
