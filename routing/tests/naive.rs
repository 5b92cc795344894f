//! The flat table agrees with a linear scan over the rows.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "in a test a panic is a failure"
)]

use domain::terms::Pan;
use proptest::collection::vec;
use proptest::prelude::*;
use routing::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, Route, Table, TableError};

fn issuers() -> Vec<Issuer> {
    [("1", IssuerKind::Own, true), ("2", IssuerKind::Partner, true), ("3", IssuerKind::Own, false)]
        .map(|(code, kind, enabled)| {
            let code = IssuerCode::parse(code).unwrap();
            Issuer { code, name: code.to_string(), kind, enabled }
        })
        .into()
}

/// Prefixes over two digits only, so that many are nested, equal or neighbours.
fn bin() -> impl Strategy<Value = Bin> {
    ("[09]{2,12}", 15_u8..18, "[123]").prop_map(|(prefix, pan_length, issuer)| Bin {
        prefix: Prefix::parse(&prefix).unwrap(),
        pan_length,
        issuer: IssuerCode::parse(&issuer).unwrap(),
    })
}

fn pan() -> impl Strategy<Value = Pan> {
    "[0189]{14,17}".prop_map(|body| {
        let digits = format!("{body}{}", char::from(Pan::check_digit(body.as_bytes())));
        Pan::parse(digits.as_bytes()).unwrap()
    })
}

fn scan(issuers: &[Issuer], bins: &[Bin], pan: &Pan) -> Route {
    let digits = std::str::from_utf8(pan.digits()).unwrap();
    let best = bins
        .iter()
        .filter(|bin| usize::from(bin.pan_length) == digits.len())
        .filter(|bin| digits.starts_with(&bin.prefix.to_string()))
        .max_by_key(|bin| bin.prefix.length());
    let Some(bin) = best else { return Route::Unknown };
    let issuer = issuers.iter().find(|issuer| issuer.code == bin.issuer).unwrap();
    match (issuer.enabled, issuer.kind) {
        (false, _) => Route::Disabled,
        (true, IssuerKind::Own) => Route::Own,
        (true, IssuerKind::Partner) => Route::Partner(issuer.code),
    }
}

proptest! {
    #[test]
    fn the_table_agrees_with_a_linear_scan(bins in vec(bin(), 0..24), pans in vec(pan(), 64)) {
        let issuers = issuers();
        match Table::new(&issuers, &bins) {
            Ok(table) => for pan in &pans {
                prop_assert_eq!(table.route(pan), scan(&issuers, &bins, pan), "{:?}", pan);
            },
            Err(TableError::BinTwice { bin, first, second }) => {
                let other = bins[first - 1];
                prop_assert!(first < second);
                prop_assert_eq!(bin, bins[second - 1]);
                prop_assert_eq!((bin.prefix, bin.pan_length), (other.prefix, other.pan_length));
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_range_is_nested_if_a_shorter_prefix_covers_it(bins in vec(bin(), 0..24)) {
        let covers = |outer: &Bin, inner: &Bin| {
            outer.pan_length == inner.pan_length
                && outer.prefix.length() < inner.prefix.length()
                && inner.prefix.to_string().starts_with(&outer.prefix.to_string())
        };
        if let Ok(table) = Table::new(&issuers(), &bins) {
            let inside = bins.iter().filter(|inner| bins.iter().any(|outer| covers(outer, inner)));
            prop_assert_eq!(table.nested().len(), inside.count());
            for nested in table.nested() {
                prop_assert!(covers(&bins[nested.outer - 1], &bins[nested.inner - 1]));
            }
        }
    }
}
