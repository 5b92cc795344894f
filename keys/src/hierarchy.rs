//! The local master key, and a terminal's working keys ready for use.

use std::fmt;
use std::io::Read;
use std::path::Path;

use hmac::Mac;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::cipher::{BlockKey, is_one_byte_repeated};
use crate::mac::MacKey;
use crate::published::DEMO_LMK;
use crate::random::keyed;
use crate::{KeyError, KeyLayout};

/// What a key is for. A key sealed for one use opens for no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyUsage {
    /// Enciphers PIN blocks.
    Pin,
    /// Authenticates messages.
    Mac,
    /// Enciphers tracks.
    Track,
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN",
            Self::Mac => "MAC",
            Self::Track => "track",
        })
    }
}

/// The local master key: 32 bytes from which every key of the store is derived.
///
/// It cannot be printed, copied or serialised:
///
/// ```compile_fail,E0277
/// println!("{:?}", keys::Lmk::demo());
/// ```
/// ```compile_fail,E0277
/// println!("{}", keys::Lmk::demo());
/// ```
/// ```compile_fail,E0599
/// let twice = keys::Lmk::demo().clone();
/// ```
pub struct Lmk(Box<[u8; 32]>);

/// A file or variable longer than this is no master key; nothing beyond it is read.
const LMK_TEXT_MAX: u64 = 256;

impl Lmk {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::LmkMalformed`] and [`KeyError::LmkWeak`]; neither repeats what was given.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Self::parse(text.as_bytes(), "the text")
    }

    /// Reads 64 hexadecimal digits from a file; white space around them is ignored.
    ///
    /// # Errors
    /// [`KeyError::LmkUnreadable`], [`KeyError::LmkMalformed`] and [`KeyError::LmkWeak`], naming
    /// the file and nothing of its content.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let origin = format!("file {}", path.display());
        // Room for all, so that the vector does not grow and leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(512));
        std::fs::File::open(path)
            .and_then(|file| file.take(LMK_TEXT_MAX).read_to_end(&mut text))
            .map_err(|error| KeyError::LmkUnreadable {
            origin: origin.as_str().into(),
            reason: error.kind(),
        })?;
        Self::parse(&text, &origin)
    }

    /// Reads 64 hexadecimal digits from an environment variable.
    ///
    /// # Errors
    /// As [`Self::from_file`], naming the variable.
    pub fn from_env(name: &str) -> Result<Self, KeyError> {
        let origin = format!("environment variable {name}");
        match std::env::var(name).map(Zeroizing::new) {
            Ok(text) => Self::parse(text.as_bytes(), &origin),
            Err(std::env::VarError::NotPresent) => Err(KeyError::LmkUnreadable {
                origin: origin.into(),
                reason: std::io::ErrorKind::NotFound,
            }),
            Err(std::env::VarError::NotUnicode(text)) => {
                text.into_encoded_bytes().zeroize();
                Err(KeyError::LmkMalformed { origin: origin.into() })
            }
        }
    }

    /// The published key of demonstrations and tests. Production modules refuse it.
    #[must_use]
    pub fn demo() -> Self {
        Self(Box::new(*DEMO_LMK))
    }

    /// True if this is the published key.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.0.ct_eq(DEMO_LMK).into()
    }

    fn parse(text: &[u8], origin: &str) -> Result<Self, KeyError> {
        let mut lmk = Self(Box::new([0; 32]));
        const_hex::decode_to_slice(text.trim_ascii(), &mut *lmk.0)
            .map_err(|_| KeyError::LmkMalformed { origin: origin.into() })?;
        if is_one_byte_repeated(&*lmk.0) {
            return Err(KeyError::LmkWeak { origin: origin.into() });
        }
        Ok(lmk)
    }

    /// A key of its own for each use: HMAC-SHA-256 under the master key over the use's name.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut mac = keyed(&self.0);
        mac.update(b"posp lmk 1 ");
        mac.update(purpose.as_bytes());
        let mut derived = Zeroizing::new([0; 32]);
        derived.copy_from_slice(&mac.finalize().into_bytes());
        derived
    }
}

impl Drop for Lmk {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A terminal's working keys, deciphered, with their key schedules: ready for every message.
///
/// Share it in an [`std::sync::Arc`]; building the schedules costs more than using them. Wiped
/// when dropped. It cannot be printed, copied or serialised:
///
/// ```compile_fail,E0277
/// fn print(keys: &keys::WorkingKeys) { println!("{keys:?}"); }
/// ```
/// ```compile_fail,E0277
/// fn store(keys: &keys::WorkingKeys) -> String { serde_json::to_string(keys).unwrap() }
/// ```
pub struct WorkingKeys {
    layout: KeyLayout,
    pub(crate) pin: BlockKey,
    pub(crate) mac: MacKey,
    pub(crate) track: Option<BlockKey>,
}

impl WorkingKeys {
    /// The layout the keys were made for.
    #[must_use]
    pub const fn layout(&self) -> KeyLayout {
        self.layout
    }

    /// Builds the schedules of keys that stand one after the other.
    pub(crate) fn from_clear(layout: KeyLayout, keys: &[u8]) -> Result<Self, KeyError> {
        let wrong_length = || KeyError::KeyLength { got: keys.len() };
        let algorithm = layout.algorithm();
        let mut rest = keys;
        let mut parts = layout.parts().iter().map(|part| {
            let (key, after) = rest.split_at_checked(part.key).ok_or_else(wrong_length)?;
            rest = after;
            Ok(key)
        });
        let mut next = || parts.next().transpose();
        let pin = BlockKey::new(algorithm, next()?.ok_or_else(wrong_length)?)?;
        let mac = MacKey::new(algorithm, next()?.ok_or_else(wrong_length)?)?;
        let track = next()?.map(|key| BlockKey::new(algorithm, key)).transpose()?;
        Ok(Self { layout, pin, mac, track })
    }
}

/// XORs key components into the key they stand for (split knowledge).
///
/// # Errors
/// [`KeyError::Components`] if there are fewer than two, or they differ in length, or one is zero
/// throughout, or two are equal.
pub fn combine_components(components: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let [first, others @ ..] = components else { return Err(KeyError::Components) };
    let is_zero = |component: &[u8]| component.iter().all(|byte| *byte == 0);
    let repeats = components.iter().enumerate().any(|(place, component)| {
        let later = components.iter().skip(place.saturating_add(1));
        later.fold(0, |found, other| found | component.ct_eq(other).unwrap_u8()) == 1
    });
    let unequal = others.iter().any(|other| other.len() != first.len());
    if others.is_empty() || unequal || repeats || components.iter().any(|part| is_zero(part)) {
        return Err(KeyError::Components);
    }
    let mut key = Zeroizing::new(first.to_vec());
    for other in others {
        key.iter_mut().zip(*other).for_each(|(to, from)| *to ^= from);
    }
    Ok(key)
}
