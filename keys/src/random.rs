//! Where random bytes come from.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::KeyError;

/// A source of random bytes for keys and nonces.
pub trait RandomSource: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`KeyError::Randomness`] if the source fails; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), KeyError>;
}

/// The operating system's generator; what every module uses unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), KeyError> {
        getrandom::fill(bytes).map_err(|_| KeyError::Randomness)
    }
}

/// The same bytes for the same seed, for simulations that must be repeatable.
///
/// Whoever knows the seed knows every key. Block `n` of call `c` is
/// HMAC-SHA-256(key = seed, c, n), all numbers 8 bytes big-endian.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    calls: AtomicU64,
}

impl SeededRandom {
    /// A source that starts over from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, calls: AtomicU64::new(0) }
    }
}

impl RandomSource for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), KeyError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        for (number, chunk) in (0_u64..).zip(bytes.chunks_mut(32)) {
            let mut mac = keyed(&self.seed.to_be_bytes());
            mac.update(&call.to_be_bytes());
            mac.update(&number.to_be_bytes());
            let block = mac.finalize().into_bytes();
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// HMAC-SHA-256 under a key of at most 64 bytes.
pub(crate) fn keyed<const N: usize>(key: &[u8; N]) -> Hmac<Sha256> {
    const { assert!(N <= 64, "a longer key would have to be hashed first") };
    // HMAC fills a shorter key up with zeros (RFC 2104, 2); done here, no length can be wrong.
    let mut filled = Zeroizing::new([0; 64]);
    filled.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hmac::new((&*filled).into())
}
