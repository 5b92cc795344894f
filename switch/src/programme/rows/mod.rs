//! The files of a programme, read row by row and held against each other.

mod blacklist;
mod cards;
mod chips;
mod parameters;
mod products;
mod routes;
mod terminals;
mod values;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use domain::terms::MerchantId;
use toml::Spanned;
use toml::de::DeValue;

use super::{CareLists, Merchant, Programme, Terminal};
use crate::config::source::{Distinct, Source, integer, parsed};
use crate::config::{ConfigError, Problem};

use values::label;

/// A file: its name and its text.
type File<'t> = (&'t str, &'t str);

/// Reads the files, in the order of [`super::FILES`], and of [`super::CARE_FILES`] those that
/// there are. Keys that stand in files of their own are looked for from `directory`.
pub(super) fn read(
    directory: &Path,
    files: [File<'_>; 5],
    lists: [Option<File<'_>>; 4],
) -> Result<Programme, ConfigError> {
    let sources = files.map(|(origin, text)| Source::new(origin, text));
    let [in_routing, in_products, in_merchants, in_terminals, in_cards] = &sources;
    let (issuers, bins, routes) = routes::read(in_routing);
    let products = products::read(in_products);
    let merchants = merchants(in_merchants);
    let known = in_merchants.is_sound().then(|| merchants.iter().map(|m| m.id).collect());
    let terminals = terminals::read(in_terminals, directory, known.as_ref());
    let cards =
        cards::read(in_cards, in_products.is_sound().then_some(&*products), routes.as_ref());
    let lists = lists.map(|file| file.map(|(origin, text)| Source::new(origin, text)));
    let care = care(&lists, in_terminals.is_sound().then_some(&*terminals.rows));
    let programme = Programme {
        issuers,
        bins,
        routes: routes.unwrap_or_default(),
        products,
        merchants,
        terminals: terminals.rows,
        cards: cards.rows,
        care,
        readable: terminals.readable.into_iter().chain(cards.readable).collect(),
    };
    let sources = sources.into_iter().chain(lists.into_iter().flatten());
    let problems = sources.flat_map(Source::into_problems).collect();
    ConfigError::unless_none(problems, programme)
}

/// Reads what terminals download; `terminals` if their file is sound.
fn care(lists: &[Option<Source<'_>>; 4], terminals: Option<&[Terminal]>) -> CareLists {
    let [parameters, ca_keys, aids, blacklist] = lists;
    CareLists {
        parameters: parameters.as_ref().map(|source| parameters::read(source, terminals)),
        ca_keys: ca_keys.as_ref().map(chips::ca_keys),
        aids: aids.as_ref().map(chips::aids),
        blacklist: blacklist.as_ref().map(blacklist::read),
    }
}

/// The ids of the merchants, if their file is sound.
type Merchants = BTreeSet<MerchantId>;

fn merchants(source: &Source<'_>) -> Vec<Merchant> {
    let mut ids = Distinct::new("id");
    source.rows("merchant", |row| {
        let id = row.required(
            "id",
            parsed("15 printable characters", |text| MerchantId::parse(text.as_bytes())),
        );
        let name = row.required("name", label);
        let name_zh = row.required("name_zh", label);
        let mcc = row.required("mcc", parsed("four digits", four_digits));
        let brand = row.optional("brand", integer);
        let region = row.optional("region", region);
        let goods = row.optional("goods", integer);
        let id = id?;
        ids.note(row.source(), id.clone());
        Some(Merchant {
            id: id.into_inner(),
            name: name?.into_inner(),
            name_zh: name_zh?.into_inner(),
            mcc: mcc?.into_inner(),
            brand: brand.map_or(0, Spanned::into_inner),
            region: region.map_or(0, Spanned::into_inner),
            goods: goods.map_or(0, Spanned::into_inner),
        })
    })
}

/// Reads an administrative division of six digits (GB/T 2260).
fn region(value: &DeValue<'_>) -> Result<u32, String> {
    let region = integer::<u32>(value)?;
    let is_one = (110_000..=829_999).contains(&region);
    is_one.then_some(region).ok_or_else(|| "a division of six digits expected".into())
}

fn four_digits(text: &str) -> Option<String> {
    (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned())
}

/// Rows that may hold keys or PINs, and a note of what a production node refuses in them.
struct Rows<T> {
    rows: Vec<T>,
    readable: Vec<Problem>,
}

/// Places of what everybody can read, of one kind.
struct Readable {
    what: &'static str,
    first: Option<Range<usize>>,
    more: usize,
}

impl Readable {
    const fn new(what: &'static str) -> Self {
        Self { what, first: None, more: 0 }
    }

    fn note<T>(&mut self, value: &Spanned<T>) {
        match self.first {
            None => self.first = Some(value.span()),
            Some(_) => self.more = self.more.saturating_add(1),
        }
    }

    fn into_problem(self, source: &Source<'_>) -> Option<Problem> {
        let Self { what, first, more } = self;
        let text = format!("{what}, here and in {more} more rows, is not for production");
        first.map(|span| source.problem(&span, text))
    }
}
