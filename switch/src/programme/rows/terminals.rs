//! `terminals.toml`: terminals, their merchants and keys.

use std::ops::Range;
use std::path::Path;

use domain::issuing::{Right, Rights};
use domain::terms::{MerchantId, TerminalId};
use keys::{Algorithm, KeyLayout, MacAlgorithm, is_published};
use toml::Spanned;

use super::values::{key, rights, word};
use super::{Merchants, Readable, Rows};
use crate::config::source::{Distinct, Row, Source, boolean, parsed};
use crate::programme::{Terminal, TmkDownload, Word};

/// What a terminal may ask for where its row does not say: nothing that brings money onto a card
/// or takes it unseen.
const RIGHTS: Rights =
    Rights::of(&[Right::Sale, Right::Inquiry, Right::PreAuth, Right::Points, Right::PinChange]);

pub(super) fn read(
    source: &Source<'_>,
    directory: &Path,
    merchants: Option<&Merchants>,
) -> Rows<Terminal> {
    let mut ids = Distinct::new("id");
    let mut in_clear = Readable::new("a tmk in clear");
    let mut published = Readable::new("a published test tmk");
    let rows = source.rows("terminal", |row| {
        let id = row.required(
            "id",
            parsed("8 printable characters", |text| TerminalId::parse(text.as_bytes())),
        );
        let merchant = merchant(row, merchants);
        let algorithm = row.required("algorithm", word);
        let tmk = row.required("tmk", |value| key(directory, value));
        let layout = row.required("layout", word);
        let mac = row.required("mac", word);
        let rights = row.optional("rights", rights).map_or(RIGHTS, Spanned::into_inner);
        let tmk_download = row.table("tmk_download").map(tmk_download);
        let (id, algorithm) = (id?, algorithm?.into_inner());
        ids.note(row.source(), id.clone());
        let (id, tmk) = (id.into_inner(), tmk?);
        if tmk.get_ref().in_clear {
            in_clear.note(&tmk);
        }
        if is_published(&id.0, tmk.get_ref().bytes.expose(), algorithm) {
            published.note(&tmk);
        }
        let layout = layout?;
        check_layout(row.source(), algorithm, &layout);
        let mac = mac?;
        check_mac(row.source(), *layout.get_ref(), &mac);
        check_length(row.source(), algorithm, tmk.get_ref().bytes.expose().len(), &tmk.span());
        Some(Terminal {
            id,
            merchant: merchant?,
            algorithm,
            tmk_in_clear: tmk.get_ref().in_clear,
            tmk: tmk.into_inner().bytes,
            layout: layout.into_inner(),
            mac: mac.into_inner(),
            rights,
            tmk_download: tmk_download.flatten(),
        })
    });
    let readable = [in_clear, published].into_iter().filter_map(|r| r.into_problem(source));
    Rows { rows, readable: readable.collect() }
}

/// Reads the permission to fetch a new master key.
fn tmk_download(mut row: Row<'_, '_>) -> Option<TmkDownload> {
    let serial = row.required("serial", parsed("1 to 38 printable characters", serial));
    let until = row.required("until", parsed("a moment as in 2026-12-01T00:00:00+08:00", moment));
    let signed = row.required("signed", boolean);
    let padding = row.required("padding", word);
    row.finish();
    Some(TmkDownload {
        serial: serial?.into_inner(),
        until: until?.into_inner(),
        signed: signed?.into_inner(),
        padding: padding?.into_inner(),
    })
}

fn serial(text: &str) -> Option<String> {
    let fits = (1..=38).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

fn moment(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

fn merchant(row: &mut Row<'_, '_>, known: Option<&Merchants>) -> Option<MerchantId> {
    let id = row.required(
        "merchant",
        parsed("15 printable characters", |text| MerchantId::parse(text.as_bytes())),
    )?;
    if known.is_some_and(|known| !known.contains(id.get_ref())) {
        row.source().report(&id.span(), "merchant: merchants.toml has no such id");
    }
    Some(id.into_inner())
}

fn check_layout(source: &Source<'_>, algorithm: Algorithm, layout: &Spanned<KeyLayout>) {
    if layout.get_ref().algorithm() != algorithm {
        let text = format!("layout: not for a terminal with algorithm {}", algorithm.word());
        source.report(&layout.span(), text);
    }
}

/// A message code needs a MAC key of its own cipher and length, which the layout decides.
fn check_mac(source: &Source<'_>, layout: KeyLayout, mac: &Spanned<MacAlgorithm>) {
    use KeyLayout as L;
    let single = matches!(layout, L::Des24 | L::Des40A | L::Des60A);
    let double = matches!(layout, L::Des40B | L::Des60B);
    let is_sm4 = layout.algorithm() == Algorithm::Sm4;
    let fits = match mac.get_ref() {
        MacAlgorithm::UnionPay => !is_sm4,
        MacAlgorithm::X99 => single,
        MacAlgorithm::X919 => double,
        MacAlgorithm::Cmac => double || is_sm4,
        MacAlgorithm::Sm4A | MacAlgorithm::Sm4B | MacAlgorithm::Sm4Cbc => is_sm4,
    };
    if !fits {
        let text = format!("mac: does not fit the MAC key of layout {}", layout.word());
        source.report(&mac.span(), text);
    }
}

fn check_length(source: &Source<'_>, algorithm: Algorithm, length: usize, span: &Range<usize>) {
    match (algorithm, length) {
        (Algorithm::Des, 16 | 24) | (Algorithm::Sm4, 16) => {}
        (Algorithm::Des, _) => source.report(span, "tmk: 3des takes 16 or 24 bytes"),
        (Algorithm::Sm4, _) => source.report(span, "tmk: sm4 takes 16 bytes"),
    }
}
