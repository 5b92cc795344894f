//! Keys at rest: enciphered and authenticated under the local master key.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::keyed;
use crate::{Algorithm, KeyError, KeyLayout, Lmk, RandomSource, text};

/// A terminal master key at rest. Safe to store; opens only in the module that sealed it, for the
/// same terminal and the same use.
///
/// Bytes: version (1), algorithm (1), nonce (12), cipher text, tag (16); AES-256-GCM, with
/// version, use, algorithm and terminal as associated data. `Debug` shows only the length; text
/// formats get hexadecimal digits.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedKey(#[serde(with = "text")] Vec<u8>);

impl SealedKey {
    /// Takes what [`Self::as_bytes`] gave. Nothing is checked until the key is used.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// For keeping it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedKey({} bytes)", self.0.len())
    }
}

/// A terminal's working keys at rest, sealed as one so that old and new cannot be mixed.
///
/// Sealed as [`SealedKey`] is, the layout in the algorithm's place. `Debug` shows the layout and
/// the length.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedWorkingKeys {
    layout: KeyLayout,
    #[serde(with = "text")]
    sealed: Vec<u8>,
}

impl SealedWorkingKeys {
    /// The layout of the keys, which says their algorithm too.
    #[must_use]
    pub const fn layout(&self) -> KeyLayout {
        self.layout
    }
}

impl fmt::Debug for SealedWorkingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedWorkingKeys({:?}, {} bytes)", self.layout, self.sealed.len())
    }
}

const VERSION: u8 = 1;
const NONCE_LEN: usize = 12;

/// AES-256-GCM with a nonce computed from fresh randomness and all that is sealed.
///
/// The computed nonce means that a source of randomness that repeats itself, as that of a
/// simulation does, shows at most that two sealed values are equal.
pub(crate) struct Sealer {
    cipher: Aes256Gcm,
    nonce: Hmac<Sha256>,
}

impl Sealer {
    pub(crate) fn new(lmk: &Lmk, purpose: &str) -> Self {
        let cipher = Aes256Gcm::new((&*lmk.derive(purpose)).into());
        Self { cipher, nonce: keyed(&lmk.derive(&format!("{purpose} nonce"))) }
    }

    /// Gives nonce, cipher text and tag.
    pub(crate) fn seal(
        &self,
        random: &dyn RandomSource,
        bound: &[u8],
        clear: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let mut fresh = [0; 16];
        random.fill(&mut fresh)?;
        let mut mac = self.nonce.clone();
        mac.update(&fresh);
        mac.update(&u64::try_from(bound.len()).map_err(|_| KeyError::Sealed)?.to_be_bytes());
        mac.update(bound);
        mac.update(clear);
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let nonce = bytes.first_chunk::<NONCE_LEN>().ok_or(KeyError::Sealed)?;
        let mut sealed = nonce.to_vec();
        let payload = Payload { msg: clear, aad: bound };
        sealed.extend(self.cipher.encrypt(nonce.into(), payload).map_err(|_| KeyError::Sealed)?);
        Ok(sealed)
    }

    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (nonce, cipher_text) =
            sealed.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::Sealed)?;
        let payload = Payload { msg: cipher_text, aad: bound };
        let clear = self.cipher.decrypt(nonce.into(), payload).map_err(|_| KeyError::Sealed)?;
        Ok(Zeroizing::new(clear))
    }
}

/// Seals and opens keys.
pub(crate) struct KeySealer(Sealer);

impl KeySealer {
    pub(crate) fn new(lmk: &Lmk) -> Self {
        Self(Sealer::new(lmk, "keys"))
    }

    pub(crate) fn seal_tmk(
        &self,
        random: &dyn RandomSource,
        terminal: &[u8; 8],
        algorithm: Algorithm,
        tmk: &[u8],
    ) -> Result<SealedKey, KeyError> {
        let mut sealed = vec![VERSION, algorithm_code(algorithm)];
        sealed.extend(self.0.seal(random, &bound_tmk(algorithm, terminal), tmk)?);
        Ok(SealedKey(sealed))
    }

    pub(crate) fn open_tmk(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
    ) -> Result<(Algorithm, Zeroizing<Vec<u8>>), KeyError> {
        let [VERSION, code, sealed @ ..] = tmk.0.as_slice() else {
            return Err(KeyError::Sealed);
        };
        let algorithm = match code {
            1 => Algorithm::Des,
            2 => Algorithm::Sm4,
            _ => return Err(KeyError::Sealed),
        };
        Ok((algorithm, self.0.open(&bound_tmk(algorithm, terminal), sealed)?))
    }

    pub(crate) fn seal_working(
        &self,
        random: &dyn RandomSource,
        terminal: &[u8; 8],
        layout: KeyLayout,
        keys: &[u8],
    ) -> Result<SealedWorkingKeys, KeyError> {
        let mut sealed = vec![VERSION];
        sealed.extend(self.0.seal(random, &bound_working(layout, terminal), keys)?);
        Ok(SealedWorkingKeys { layout, sealed })
    }

    pub(crate) fn open_working(
        &self,
        terminal: &[u8; 8],
        keys: &SealedWorkingKeys,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let [VERSION, sealed @ ..] = keys.sealed.as_slice() else {
            return Err(KeyError::Sealed);
        };
        self.0.open(&bound_working(keys.layout, terminal), sealed)
    }
}

const fn algorithm_code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Des => 1,
        Algorithm::Sm4 => 2,
    }
}

const fn layout_code(layout: KeyLayout) -> u8 {
    match layout {
        KeyLayout::Des24 => 1,
        KeyLayout::Des40A => 2,
        KeyLayout::Des40B => 3,
        KeyLayout::Des56 => 4,
        KeyLayout::Des60A => 5,
        KeyLayout::Des60B => 6,
        KeyLayout::Des84 => 7,
        KeyLayout::Sm4x40 => 8,
        KeyLayout::Sm4x60 => 9,
    }
}

fn bound_tmk(algorithm: Algorithm, terminal: &[u8; 8]) -> [u8; 11] {
    bound(b'T', algorithm_code(algorithm), terminal)
}

fn bound_working(layout: KeyLayout, terminal: &[u8; 8]) -> [u8; 11] {
    bound(b'W', layout_code(layout), terminal)
}

/// The associated data: version, use, algorithm or layout, terminal.
fn bound(usage: u8, kind: u8, terminal: &[u8; 8]) -> [u8; 11] {
    let [a, b, c, d, e, f, g, h] = *terminal;
    [VERSION, usage, kind, a, b, c, d, e, f, g, h]
}
