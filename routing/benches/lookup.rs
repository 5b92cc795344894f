//! The search in a table of 100 000 ranges.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "in a bench a panic is a failure"
)]

use divan::{Bencher, black_box};
use domain::terms::Pan;
use routing::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, Table};

const RANGES: u64 = 100_000;

fn table() -> Table {
    let code = IssuerCode::parse("03010000").unwrap();
    let issuer = Issuer { code, name: String::new(), kind: IssuerKind::Partner, enabled: true };
    let bins: Vec<Bin> = (0..RANGES)
        .map(|n| Bin {
            prefix: Prefix::parse(&format!("{:08}", 60_000_000 + n * 37)).unwrap(),
            pan_length: 19,
            issuer: code,
        })
        .collect();
    Table::new(&[issuer], &bins).unwrap()
}

fn pans() -> Vec<Pan> {
    (0..4096_u64)
        .map(|n| {
            let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (RANGES * 37);
            let body = format!("{:08}{:010}", 60_000_000 + spread, n);
            let digits = format!("{body}{}", char::from(Pan::check_digit(body.as_bytes())));
            Pan::parse(digits.as_bytes()).unwrap()
        })
        .collect()
}

#[divan::bench(sample_size = 10_000)]
fn route(bencher: Bencher<'_, '_>) {
    let (table, pans) = (table(), pans());
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 1) % pans.len();
        black_box(&table).route(&pans[next])
    });
}

#[divan::bench(sample_count = 10)]
fn build(bencher: Bencher<'_, '_>) {
    bencher.bench_local(table);
}

/// Counts what each measured call allocates.
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
