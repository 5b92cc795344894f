//! What terminals download: parameters, chip card keys and applications, cards they must not
//! take. Each is a file beside the programme that may be absent: then it is not offered.

use std::collections::BTreeMap;
use std::fmt;

use codec::tlv::Tag;
use domain::terms::{MerchantId, Pan, TerminalId};
use keys::TransportPadding;

/// The files of what terminals download, in the order in which they are read.
pub const CARE_FILES: [&str; 4] =
    ["parameters.toml", "ca-keys.toml", "aids.toml", "blacklist.toml"];

/// What terminals download.
#[derive(Clone, Debug, Default)]
pub struct CareLists {
    /// The parameters of terminals.
    pub parameters: Option<Parameters>,
    /// The public keys of chip card schemes.
    pub ca_keys: Option<Vec<CaKey>>,
    /// The chip applications a terminal takes.
    pub aids: Option<Vec<Aid>>,
    /// The cards a terminal must not take.
    pub blacklist: Option<Vec<Listed>>,
}

/// The parameters of terminals.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parameters {
    /// The items, in the order in which they are sent.
    pub items: Vec<Item>,
    /// Values of their own that some terminals have; of two for the same terminal, the one for
    /// the terminal by name counts.
    pub overrides: Vec<Override>,
    /// A word that is changed to have every terminal report of itself; `None` asks for nothing.
    pub report_wanted: Option<String>,
}

/// One item of the parameters: a code of two digits, and a value of a fixed length.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// Its code.
    pub code: [u8; 2],
    /// Its value, as it is sent.
    pub value: Vec<u8>,
}

/// A value that some terminals have instead of the common one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Override {
    /// Whose.
    pub whose: Whose,
    /// The code of the item.
    pub code: [u8; 2],
    /// Its value, as it is sent.
    pub value: Vec<u8>,
}

/// Terminals, by name or by where they stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whose {
    /// One terminal.
    Terminal(TerminalId),
    /// Every terminal of a merchant.
    Merchant(MerchantId),
}

/// A public key of a chip card scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaKey {
    /// The scheme (tag 9F06): five bytes.
    pub rid: [u8; 5],
    /// Its number within the scheme (tag 9F22).
    pub index: u8,
    /// The last day it is good (tag DF05): `YYYYMMDD`.
    pub expiry: [u8; 8],
    /// The modulus (tag DF02).
    pub modulus: Vec<u8>,
    /// The exponent (tag DF04).
    pub exponent: Vec<u8>,
    /// The check value (tag DF03): what a terminal verifies the key with.
    pub check: [u8; 20],
}

/// A chip application, with the parameters a terminal handles it by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Aid {
    /// Its name (tag 9F06): 5 to 16 bytes.
    pub name: Vec<u8>,
    /// Its parameters.
    pub tags: BTreeMap<Tag, Vec<u8>>,
}

/// Cards that a terminal must not take: one card, or all whose numbers begin alike. `Debug` shows
/// of a card what may be shown.
#[derive(Clone, Eq, PartialEq)]
pub enum Listed {
    /// One card.
    Card(Pan),
    /// All whose numbers begin with these 2 to 11 digits.
    Range(Vec<u8>),
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(pan) => write!(f, "Card({pan:?})"),
            Self::Range(prefix) => write!(f, "Range({})", prefix.escape_ascii()),
        }
    }
}

/// The permission of a terminal to fetch a new master key, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TmkDownload {
    /// The serial number the terminal must name.
    pub serial: String,
    /// The moment (milliseconds of the epoch) after which no key is made any more.
    pub until: i64,
    /// True if its requests must carry the message code of the keys it has.
    pub signed: bool,
    /// How it pads its transport key.
    pub padding: TransportPadding,
}
