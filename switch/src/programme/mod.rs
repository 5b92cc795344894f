//! The card programme: products, merchants, terminals, cards, and whose cards are whose.
//!
//! A programme is a directory of five files (`products.toml`, `merchants.toml`, `terminals.toml`,
//! `cards.toml`, `routing.toml`), and up to four of what terminals download ([`CARE_FILES`]).
//! [`Programme::load`] takes it whole or not at all.
//! [`Programme::demo`] is one that is built in.

mod care;
mod money;
mod rows;
mod words;

use std::fmt;
use std::path::Path;

use domain::issuing::{CardStatus, MerchantTraits, ProductId, Rights, Terms};
use domain::ledger::Parts;
use domain::terms::{Expiry, MerchantId, Pan, TerminalId};
use keys::{Algorithm, KeyLayout, MacAlgorithm};
use zeroize::Zeroizing;

use crate::config::{ConfigError, Problem};

pub use care::{
    Aid, CARE_FILES, CaKey, CareLists, Item, Listed, Override, Parameters, TmkDownload, Whose,
};
pub use money::parse_yuan;
pub use words::Word;

/// The files of a programme directory, in the order in which they are read.
pub const FILES: [&str; 5] =
    ["routing.toml", "products.toml", "merchants.toml", "terminals.toml", "cards.toml"];

/// The files of the built-in programme, in the same order.
const DEMO: [(&str, &str); 5] = [
    ("routing.toml", include_str!("../../../config/demo/routing.toml")),
    ("products.toml", include_str!("../../../config/demo/products.toml")),
    ("merchants.toml", include_str!("../../../config/demo/merchants.toml")),
    ("terminals.toml", include_str!("../../../config/demo/terminals.toml")),
    ("cards.toml", include_str!("../../../config/demo/cards.toml")),
];

/// What terminals of the built-in programme download, in the order of [`CARE_FILES`].
const DEMO_CARE: [(&str, &str); 4] = [
    ("parameters.toml", include_str!("../../../config/demo/parameters.toml")),
    ("ca-keys.toml", include_str!("../../../config/demo/ca-keys.toml")),
    ("aids.toml", include_str!("../../../config/demo/aids.toml")),
    ("blacklist.toml", include_str!("../../../config/demo/blacklist.toml")),
];

/// A card programme whose parts fit each other.
#[derive(Clone, Debug)]
pub struct Programme {
    /// The institutions whose cards may come.
    pub issuers: Vec<routing::Issuer>,
    /// The ranges of card numbers.
    pub bins: Vec<routing::Bin>,
    /// The same, ready for look-ups.
    pub routes: routing::Table,
    /// The card products.
    pub products: Vec<Product>,
    /// The merchants.
    pub merchants: Vec<Merchant>,
    /// The terminals.
    pub terminals: Vec<Terminal>,
    /// The cards.
    pub cards: Vec<Card>,
    /// What terminals download.
    pub care: CareLists,
    /// What a production node must not have: keys and PINs that anybody can read.
    readable: Vec<Problem>,
}

/// A card product.
#[derive(Clone, Debug)]
pub struct Product {
    /// What a card of it promises and demands.
    pub terms: Terms,
    /// Its name in English.
    pub name: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// For how many months a new card is valid; `None` for named cards, which do not expire.
    pub valid_months: Option<u16>,
}

/// A merchant.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Its id (field 42).
    pub id: MerchantId,
    /// Its name in English.
    pub name: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its category code (ISO 18245): four digits.
    pub mcc: String,
    /// The brand it trades under, by number; 0: none.
    pub brand: u16,
    /// The administrative division it stands in (GB/T 2260); 0: unknown.
    pub region: u32,
    /// The class of goods it sells, by number; 0: none in particular.
    pub goods: u16,
}

impl Merchant {
    /// Returns what decides which cards it takes.
    #[must_use]
    pub fn traits(&self) -> MerchantTraits {
        let category = self.mcc.parse().unwrap_or_default();
        let Self { brand, region, goods, .. } = *self;
        MerchantTraits { category, brand, region, goods }
    }
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Its id (field 41).
    pub id: TerminalId,
    /// The merchant it stands at.
    pub merchant: MerchantId,
    /// The cipher of its keys.
    pub algorithm: Algorithm,
    /// Its master key: 16 or 24 bytes, 16 for SM4.
    pub tmk: Secret,
    /// True if the key stood in the programme's own file.
    pub tmk_in_clear: bool,
    /// How its working keys stand in field 62, unless it asks for another family.
    pub layout: KeyLayout,
    /// How its message codes are made.
    pub mac: MacAlgorithm,
    /// What it may ask for.
    pub rights: Rights,
    /// Its permission to fetch a new master key, if it has one.
    pub tmk_download: Option<TmkDownload>,
}

/// A card to be issued.
#[derive(Clone, Debug)]
pub struct Card {
    /// Its number.
    pub pan: Pan,
    /// Its PIN, 4 to 12 digits, if it has one.
    pub pin: Option<Secret>,
    /// Its product.
    pub product: ProductId,
    /// The last month in which it is valid.
    pub expiry: Expiry,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// What its purses are opened with.
    pub opening: Parts,
    /// What of that is set aside.
    pub held: Parts,
}

/// Bytes that are wiped after use and never printed.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes `bytes` into custody.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes. Whoever calls this answers for where they go.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Programme {
    /// Reads the programme in `directory`.
    ///
    /// # Errors
    /// A file that cannot be read, or everything that is wrong in the files, with its place.
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        let read = |file: &str| {
            let path = directory.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => Ok((path.display().to_string(), Zeroizing::new(text))),
                Err(error) => Err(ConfigError::unreadable(&path, &error)),
            }
        };
        let [routing, products, merchants, terminals, cards] = FILES;
        let texts =
            [read(routing)?, read(products)?, read(merchants)?, read(terminals)?, read(cards)?];
        let mut lists = [const { None }; CARE_FILES.len()];
        for (list, file) in lists.iter_mut().zip(CARE_FILES) {
            if directory.join(file).exists() {
                *list = Some(read(file)?);
            }
        }
        rows::read(
            directory,
            texts.each_ref().map(|(path, text)| (path.as_str(), text.as_str())),
            lists
                .each_ref()
                .map(|list| list.as_ref().map(|(path, text)| (path.as_str(), text.as_str()))),
        )
    }

    /// Returns the built-in programme for demonstrations and tests: its keys and PINs are
    /// published.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn demo() -> Self {
        rows::read(Path::new(""), DEMO, DEMO_CARE.map(Some))
            .expect("the built-in programme is sound")
    }

    /// Writes the files of the built-in programme into `directory`, for whoever reads them from
    /// outside: a virtual terminal, or a person who wants a programme to start from.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_demo(directory: &Path) -> std::io::Result<()> {
        DEMO.iter()
            .chain(&DEMO_CARE)
            .try_for_each(|(file, text)| std::fs::write(directory.join(file), text))
    }

    /// Refuses a programme that is not for production: keys or PINs in clear, or published keys.
    ///
    /// # Errors
    /// Where the first of each kind stands, and how many there are.
    pub fn check_production(&self) -> Result<(), ConfigError> {
        ConfigError::unless_none(self.readable.clone(), ())
    }

    /// Returns the product with this number.
    #[must_use]
    pub fn product(&self, id: ProductId) -> Option<&Product> {
        self.products.iter().find(|product| product.terms.product == id)
    }
}
