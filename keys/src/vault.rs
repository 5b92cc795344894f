//! Card numbers at rest: a keyed index to find them, a sealed value to read them.

use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::keyed;
use crate::seal::Sealer;
use crate::{KeyError, Lmk, RandomSource, text};

/// What a card number is found by: HMAC-SHA-256 over its ASCII digits, under a key derived from
/// the local master key, the left 16 bytes (PCI DSS 4.0, 3.5.1.1).
///
/// `Debug` shows the first 8 bytes, enough to tell cards apart in a log. Text formats get
/// hexadecimal digits.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct PanIndex(#[serde(with = "text")] pub [u8; 16]);

impl fmt::Debug for PanIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanIndex(")?;
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A card number at rest, bound to the card's surrogate id.
///
/// Bytes: version (1), nonce (12), cipher text (10), tag (16); AES-256-GCM over the digits packed
/// and filled with `F`, so that the length tells nothing. `Debug` shows only the length; text
/// formats get hexadecimal digits.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedPan(#[serde(with = "text")] Vec<u8>);

impl SealedPan {
    /// Takes what [`Self::as_bytes`] gave. Nothing is checked until it is opened.
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

impl fmt::Debug for SealedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedPan({} bytes)", self.0.len())
    }
}

const VERSION: u8 = 1;

pub(crate) struct PanVault {
    sealer: Sealer,
    index: Hmac<Sha256>,
}

impl PanVault {
    pub(crate) fn new(lmk: &Lmk) -> Self {
        Self { sealer: Sealer::new(lmk, "pan"), index: keyed(&lmk.derive("pan index")) }
    }

    pub(crate) fn index(&self, pan: &[u8]) -> PanIndex {
        let mut mac = self.index.clone();
        mac.update(pan);
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let mut index = [0; 16];
        index.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        PanIndex(index)
    }

    pub(crate) fn seal(
        &self,
        random: &dyn RandomSource,
        pan: &[u8],
        card: u64,
    ) -> Result<SealedPan, KeyError> {
        if !matches!(pan.len(), 12..=19) || !pan.iter().all(u8::is_ascii_digit) {
            return Err(KeyError::PanMalformed);
        }
        let mut packed = Zeroizing::new([0xFF; 10]);
        for (to, pair) in packed.iter_mut().zip(pan.chunks(2)) {
            *to = match *pair {
                [high, low] => (high & 15) << 4 | (low & 15),
                [high] => (high & 15) << 4 | 15,
                _ => 0xFF,
            };
        }
        let mut sealed = vec![VERSION];
        sealed.extend(self.sealer.seal(random, &bound(card), &*packed)?);
        Ok(SealedPan(sealed))
    }

    pub(crate) fn open(
        &self,
        sealed: &SealedPan,
        card: u64,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let [VERSION, sealed @ ..] = sealed.0.as_slice() else { return Err(KeyError::Sealed) };
        let packed = self.sealer.open(&bound(card), sealed)?;
        let mut digits = Zeroizing::new(Vec::with_capacity(20));
        let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.extend(nibbles.take_while(|nibble| *nibble < 10).map(|nibble| b'0' | nibble));
        Ok(digits)
    }
}

/// The associated data: version, then the card's id.
fn bound(card: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = card.to_be_bytes();
    [VERSION, a, b, c, d, e, f, g, h]
}
