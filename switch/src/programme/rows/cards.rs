//! `cards.toml`: cards to be issued.

use domain::issuing::ProductId;
use domain::ledger::{Parts, Purse};
use domain::terms::{Amount, Expiry, Pan};
use routing::{Route, Table};
use toml::Spanned;

use super::values::{money, word};
use super::{Readable, Rows};
use crate::config::source::{Distinct, Row, Source, integer, parsed};
use crate::programme::{Card, Product, Secret};

/// Reads the cards of these `products`; `None` where that file, or the routing, is not sound.
pub(super) fn read(
    source: &Source<'_>,
    products: Option<&[Product]>,
    routes: Option<&Table>,
) -> Rows<Card> {
    let mut pans = Distinct::new("pan");
    let mut pins = Readable::new("a pin in clear");
    let rows = source.rows("card", |row| {
        let pan = row.required("pan", parsed("12 to 19 digits with a right check digit", pan));
        let pin = row.optional("pin", parsed("4 to 12 digits", pin));
        let product = row.required("product", integer::<u16>);
        let status = row.required("status", word);
        let expiry = row.optional("expiry", parsed("YYMM", yymm));
        let (opening, held) = (opening(row), row.optional("held", money));
        let pan = pan?;
        pans.note(row.source(), Spanned::new(pan.span(), pan.get_ref().digits().to_vec()));
        if routes.is_some_and(|routes| routes.route(pan.get_ref()) != Route::Own) {
            let text = "pan: routing.toml has no range of an own, enabled issuer for it";
            row.source().report(&pan.span(), text);
        }
        pin.iter().for_each(|pin| pins.note(pin));
        let (product, opening) = (product?, opening?);
        if let Some(products) = products {
            check_product(row, products, &product, &opening);
        }
        Some(Card {
            pan: pan.into_inner(),
            pin: pin.map(Spanned::into_inner),
            product: ProductId(product.into_inner()),
            expiry: expiry.map_or(Expiry::NEVER, Spanned::into_inner),
            status: status?.into_inner(),
            held: Parts::only(Purse::Main, check_held(row, held, &opening)),
            opening,
        })
    });
    Rows { rows, readable: pins.into_problem(source).into_iter().collect() }
}

fn pan(text: &str) -> Option<Pan> {
    Pan::parse(text.as_bytes()).ok()
}

fn pin(text: &str) -> Option<Secret> {
    let fits = (4..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| Secret::new(text.into()))
}

fn yymm(text: &str) -> Option<Expiry> {
    let fits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    Expiry::from_yymm(text.parse().ok().filter(|_| fits)?)
}

fn opening(row: &mut Row<'_, '_>) -> Option<Parts> {
    let main = row.required("main", money);
    let bonus = row.optional("bonus", money);
    let points = row.optional("points", integer::<u32>);
    let bonus = bonus.map_or(Amount::ZERO, Spanned::into_inner);
    let points = points.map_or(0, Spanned::into_inner);
    let parts = Parts::only(Purse::Main, main?.into_inner());
    let parts = parts.plus(&Parts::only(Purse::Bonus, bonus));
    Some(parts.plus(&Parts::only(Purse::Points, Amount::from_fen(points.into()))))
}

fn check_held(row: &Row<'_, '_>, held: Option<Spanned<Amount>>, opening: &Parts) -> Amount {
    let Some(held) = held else { return Amount::ZERO };
    if *held.get_ref() > opening.of(Purse::Main) {
        row.source().report(&held.span(), "held: more than the main purse holds");
    }
    held.into_inner()
}

fn check_product(row: &Row<'_, '_>, products: &[Product], number: &Spanned<u16>, opening: &Parts) {
    let id = ProductId(*number.get_ref());
    let Some(product) = products.iter().find(|product| product.terms.product == id) else {
        row.source().report(&number.span(), "product: products.toml has no such number");
        return;
    };
    match (product.terms.named, row.has("expiry")) {
        (true, true) => row.source().report(row.span(), "expiry: a named card does not expire"),
        (false, false) => row.source().report(row.span(), "expiry is missing"),
        (true, false) | (false, true) => {}
    }
    let cap = product.terms.cap();
    if opening.money() > cap {
        let text = format!("main and bonus: together more than {cap}, the legal ceiling");
        row.source().report(row.span(), text);
    }
}
