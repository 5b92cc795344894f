//! Every transaction of the dialect and every outcome, a line each: request in, code and effect
//! out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

/// Scripts, each of them a test of its name.
macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident: $text:literal;)*) => {
        pub(crate) const SCRIPTS: &[(&str, &str)] = &[$((stringify!($name), $text)),*];

        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                crate::play::check($text);
            }
        )*
    };
}

mod answer;
#[path = "../bench/mod.rs"]
#[allow(dead_code, reason = "the bench serves other tests too")]
mod bench;
mod cards;
mod care;
mod checks;
mod complete;
mod coverage;
mod docs;
mod effect;
mod form;
mod line;
mod loads;
mod mail;
mod offline;
mod order;
mod play;
mod points;
mod pre_auth;
mod races;
mod sales;
mod section;
mod settlement;
mod undone;
