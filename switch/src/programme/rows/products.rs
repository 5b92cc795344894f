//! `products.toml`: what cards promise and demand.

use domain::issuing::{
    Acceptance, AcceptanceRule, Ceiling, Limits, PinPolicy, ProductId, Right, Rights, Terms,
};
use domain::ledger::{Purse, PurseOrder};
use toml::Spanned;
use toml::de::DeValue;

use super::values::{label, money, numbers, rights, word};
use crate::config::source::{Distinct, Row, Source, boolean, integer};
use crate::programme::Product;

/// The shortest validity of an unnamed card in months (Measures for the Administration of Prepaid
/// Card Business of Payment Institutions, PBOC 2012 no. 12, article 9).
const VALID_MONTHS_MIN: u16 = 36;

/// What cards may be used for where a product does not say: neither loaded nor used unseen.
const RIGHTS: Rights = Rights::ALL.without(Right::TopUp).without(Right::MailOrder);

pub(super) fn read(source: &Source<'_>) -> Vec<Product> {
    let mut numbers = Distinct::new("number");
    source.rows("product", |row| {
        let number = row.required("number", integer::<u16>);
        let name = row.required("name", label);
        let name_zh = row.required("name_zh", label);
        let named = row.required("named", boolean);
        let pin = row.required("pin", pin);
        let draw = row.required("draw", draw);
        let refund_days = row.required("refund_days", integer);
        let (number, named) = (number?, named?.into_inner());
        numbers.note(row.source(), number.clone());
        let product = ProductId(number.into_inner());
        let valid_months = valid_months(row, named);
        let rights = row.optional("rights", rights).map_or(RIGHTS, Spanned::into_inner);
        let (acceptance, limits) = (acceptance(row), limits(row));
        let hold_days = days(row);
        let completion_percent = percent(row, "completion_percent", 100..=200);
        let tip_percent = percent(row, "tip_percent", 0..=100);
        let transaction_max = row.required("transaction_max", money)?;
        let terms = Terms {
            product,
            named,
            pin: pin?.into_inner(),
            transaction_max: *transaction_max.get_ref(),
            draw: draw?.into_inner(),
            refund_days: refund_days?.into_inner(),
            rights,
            acceptance,
            limits,
            hold_days: hold_days.unwrap_or(Terms::HOLD_DAYS),
            completion_percent: completion_percent.unwrap_or(Terms::COMPLETION_PERCENT),
            tip_percent: tip_percent.unwrap_or(Terms::TIP_PERCENT),
        };
        let (most, cap) = (terms.transaction_max, terms.cap());
        if !most.is_positive() || most > cap {
            let text = format!("transaction_max: above 0.00 and at most {cap}, the legal ceiling");
            row.source().report(&transaction_max.span(), text);
        }
        let (name, name_zh) = (name?.into_inner(), name_zh?.into_inner());
        Some(Product { terms, name, name_zh, valid_months })
    })
}

/// Reads where cards of the product may be used.
fn acceptance(row: &mut Row<'_, '_>) -> Acceptance {
    type Numbers = Option<Spanned<Vec<u16>>>;
    fn add(rules: &mut Vec<AcceptanceRule>, numbers: Numbers, rule: fn(u16) -> AcceptanceRule) {
        rules.extend(numbers.map(Spanned::into_inner).unwrap_or_default().into_iter().map(rule));
    }
    let mut rules = Vec::new();
    add(&mut rules, row.optional("categories", categories), AcceptanceRule::Category);
    add(&mut rules, row.optional("not_categories", categories), AcceptanceRule::NotCategory);
    add(&mut rules, row.optional("brands", numbers), AcceptanceRule::Brand);
    add(&mut rules, row.optional("goods", numbers), AcceptanceRule::Goods);
    add(&mut rules, row.optional("not_goods", numbers), AcceptanceRule::NotGoods);
    let regions = row.optional("regions", numbers::<u32>).map(Spanned::into_inner);
    rules.extend(regions.unwrap_or_default().into_iter().map(AcceptanceRule::Region));
    Acceptance(rules.into())
}

/// Reads merchant category codes (ISO 18245).
fn categories(value: &DeValue<'_>) -> Result<Vec<u16>, String> {
    let codes = numbers::<u16>(value)?;
    let are_codes = codes.iter().all(|&code| code <= 9999);
    are_codes.then_some(codes).ok_or_else(|| "codes of four digits expected".into())
}

fn limits(row: &mut Row<'_, '_>) -> Limits {
    let mut ceiling = |amount, count| {
        let amount = row.optional(amount, money).map(Spanned::into_inner);
        let count = row.optional(count, integer).map(Spanned::into_inner);
        Ceiling { amount: amount.unwrap_or_default(), count: count.unwrap_or_default() }
    };
    Limits {
        day: ceiling("day_amount", "day_count"),
        month: ceiling("month_amount", "month_count"),
    }
}

fn days(row: &mut Row<'_, '_>) -> Option<u16> {
    let days = row.optional("hold_days", integer::<u16>)?;
    if !(1..=365).contains(days.get_ref()) {
        row.source().report(&days.span(), "hold_days: 1 to 365");
    }
    Some(days.into_inner())
}

fn percent(
    row: &mut Row<'_, '_>,
    key: &'static str,
    range: std::ops::RangeInclusive<u16>,
) -> Option<u16> {
    let percent = row.optional(key, integer::<u16>)?;
    if !range.contains(percent.get_ref()) {
        let text = format!("{key}: {} to {}", range.start(), range.end());
        row.source().report(&percent.span(), text);
    }
    Some(percent.into_inner())
}

fn valid_months(row: &mut Row<'_, '_>, named: bool) -> Option<u16> {
    let months = row.optional("valid_months", integer::<u16>);
    let at = months.as_ref().map_or_else(|| row.span().clone(), Spanned::span);
    let months = months.map(Spanned::into_inner);
    match (named, row.has("valid_months"), months) {
        (true, true, _) => row.source().report(&at, "valid_months: named cards do not expire"),
        (false, false, _) => row.source().report(&at, "valid_months is missing"),
        (false, true, Some(months)) if months < VALID_MONTHS_MIN => {
            let text = format!("valid_months: at least {VALID_MONTHS_MIN} for unnamed cards");
            row.source().report(&at, text);
        }
        (true, false, _) | (false, true, _) => {}
    }
    months
}

fn pin(value: &DeValue<'_>) -> Result<PinPolicy, String> {
    let above = value.as_table().and_then(|table| {
        let amount = money(table.get("above")?.get_ref()).ok()?;
        (table.len() == 1).then_some(PinPolicy::Above(amount))
    });
    match value.as_str() {
        Some("always") => Ok(PinPolicy::Always),
        Some("never") => Ok(PinPolicy::Never),
        _ => above.ok_or("\"always\", \"never\" or { above = \"100.00\" } expected".into()),
    }
}

fn draw(value: &DeValue<'_>) -> Result<PurseOrder, String> {
    let purses = value.as_array().into_iter().flat_map(|purses| purses.iter());
    let purses = purses.map(|purse| word::<Purse>(purse.get_ref()).ok());
    let order: PurseOrder = purses.collect::<Option<_>>().unwrap_or_default();
    match order.as_slice() {
        [Purse::Main | Purse::Bonus]
        | [Purse::Main, Purse::Bonus]
        | [Purse::Bonus, Purse::Main] => Ok(order),
        _ => Err("\"main\", \"bonus\" or both expected, in the order they are drawn on".into()),
    }
}
