//! A master key on its way to a terminal: under a key of the terminal's choice, which came under
//! the host's RSA key.
//!
//! Both ends are here. The host's is reached through [`crate::Hsm`]; the terminal's serves virtual
//! terminals and tests.

use std::fmt;

use hmac::{Hmac, Mac};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, Oaep, Pkcs1v15Encrypt, PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::{BlockKey, refuse_weak};
use crate::random::keyed;
use crate::seal::Sealer;
use crate::{Algorithm, KeyError, Lmk, RandomSource, text};

/// Length of the host's modulus in bits.
const BITS: usize = 2048;
/// Length of one of its two primes in bytes.
const PRIME_LEN: usize = BITS / 16;
/// The public exponent.
const EXPONENT: u64 = 65_537;
/// Length in bytes of a transport key, and of the master key that travels under it.
pub(crate) const TRANSPORT_LEN: usize = 16;
const VERSION: u8 = 1;
/// The associated data: version, use.
const BOUND: [u8; 2] = [VERSION, b'R'];

/// The host's private RSA key at rest.
///
/// Bytes: version (1), nonce (12), cipher text (256: the two primes), tag (16); AES-256-GCM.
/// `Debug` shows only the length; text formats get hexadecimal digits.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedTransportKey(#[serde(with = "text")] Vec<u8>);

impl SealedTransportKey {
    /// Takes what [`Self::as_bytes`] gave. Nothing is checked until it is loaded.
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

impl fmt::Debug for SealedTransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedTransportKey({} bytes)", self.0.len())
    }
}

/// How a transport key is padded before it is enciphered under the RSA key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportPadding {
    /// OAEP, SHA-256 in both places, no label (RFC 8017, 7.1).
    OaepSha256,
    /// PKCS#1 v1.5 (RFC 8017, 7.2), for terminals that know no other.
    Pkcs1V15,
}

/// The host's private RSA key, ready for use. It cannot be printed, copied or serialised:
///
/// ```compile_fail,E0277
/// fn print(key: &keys::TransportKey) { println!("{key:?}"); }
/// ```
pub struct TransportKey {
    private: PrivateKey,
    /// What stands in for a transport key that was not there.
    decoy: Hmac<Sha256>,
}

/// The host's public RSA key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransportPublic {
    /// The modulus, big-endian.
    pub modulus: Vec<u8>,
    /// The public exponent, big-endian.
    pub exponent: Vec<u8>,
}

/// A master key under a transport key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WrappedTmk {
    /// The key, enciphered block by block.
    pub cipher_text: [u8; TRANSPORT_LEN],
    /// Its check value.
    pub check: [u8; 4],
}

impl TransportKey {
    pub(crate) fn generate(
        sealer: &Sealer,
        random: &dyn RandomSource,
    ) -> Result<SealedTransportKey, KeyError> {
        let private = PrivateKey::new(&mut Dice(random), BITS).map_err(|_| KeyError::Randomness)?;
        let mut primes = Zeroizing::new(Vec::with_capacity(PRIME_LEN.saturating_mul(2)));
        for prime in private.primes() {
            primes.extend_from_slice(&Zeroizing::new(prime.to_be_bytes()));
        }
        let mut sealed = vec![VERSION];
        sealed.extend(sealer.seal(random, &BOUND, &primes)?);
        Ok(SealedTransportKey(sealed))
    }

    pub(crate) fn load(
        lmk_decoy: &[u8; 32],
        sealer: &Sealer,
        sealed: &SealedTransportKey,
    ) -> Result<Self, KeyError> {
        let [VERSION, sealed @ ..] = sealed.0.as_slice() else { return Err(KeyError::Sealed) };
        let primes = sealer.open(&BOUND, sealed)?;
        let (p, q) = primes.split_at_checked(PRIME_LEN).ok_or(KeyError::Sealed)?;
        let bits = u32::try_from(BITS / 2).map_err(|_| KeyError::Sealed)?;
        let read = |bytes| BoxedUint::from_be_slice(bytes, bits).map_err(|_| KeyError::Sealed);
        let private = PrivateKey::from_p_q(read(p)?, read(q)?, EXPONENT.into());
        Ok(Self { private: private.map_err(|_| KeyError::Sealed)?, decoy: keyed(lmk_decoy) })
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> TransportPublic {
        let public = self.private.as_public_key();
        TransportPublic { modulus: public.n_bytes().into(), exponent: public.e_bytes().into() }
    }

    /// Deciphers a transport key, blinded with fresh randomness.
    ///
    /// Under PKCS#1 v1.5 whatever is no transport key comes out as one that nobody knows, always
    /// the same for the same bytes: an answer that told good padding from bad would give the
    /// private operation away piece by piece.
    fn open(
        &self,
        random: &dyn RandomSource,
        padding: TransportPadding,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; TRANSPORT_LEN]>, KeyError> {
        if wrapped.len() != self.private.as_public_key().size() {
            return Err(KeyError::TransportRefused);
        }
        let dice = &mut Dice(random);
        let opened = match padding {
            TransportPadding::OaepSha256 => {
                self.private.decrypt_blinded(dice, Oaep::<Sha256>::new(), wrapped)
            }
            TransportPadding::Pkcs1V15 => {
                self.private.decrypt_blinded(dice, Pkcs1v15Encrypt, wrapped)
            }
        };
        let opened = Zeroizing::new(opened.unwrap_or_default());
        let is_key = opened.len() == TRANSPORT_LEN;
        let mut key = Zeroizing::new([0; TRANSPORT_LEN]);
        match padding {
            TransportPadding::OaepSha256 if !is_key => return Err(KeyError::TransportRefused),
            TransportPadding::Pkcs1V15 if !is_key => {
                let mut decoy = self.decoy.clone();
                decoy.update(wrapped);
                let decoy: [u8; 32] = decoy.finalize().into_bytes().into();
                key.iter_mut().zip(decoy).for_each(|(to, from)| *to = from);
            }
            TransportPadding::OaepSha256 | TransportPadding::Pkcs1V15 => {
                key.iter_mut().zip(&*opened).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(key)
    }

    /// Enciphers a master key under the transport key that came in `wrapped`.
    pub(crate) fn wrap(
        &self,
        random: &dyn RandomSource,
        padding: TransportPadding,
        wrapped: &[u8],
        (algorithm, tmk): (Algorithm, &[u8]),
    ) -> Result<WrappedTmk, KeyError> {
        let transport = self.open(random, padding, wrapped)?;
        // A weak transport key is the terminal's fault, and nobody's secret.
        refuse_weak(algorithm, &*transport).map_err(|_| KeyError::TransportRefused)?;
        let mut cipher_text: [u8; TRANSPORT_LEN] =
            tmk.try_into().map_err(|_| KeyError::KeyLength { got: tmk.len() })?;
        BlockKey::new(algorithm, &*transport)?.encrypt(&mut cipher_text);
        Ok(WrappedTmk { cipher_text, check: BlockKey::new(algorithm, tmk)?.check_value() })
    }
}

impl TransportPublic {
    /// SHA-256 over modulus and exponent: what a terminal compares with the value it was given
    /// when it was set up, because nothing else tells it whose key this is.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(&self.modulus).chain_update(&self.exponent).finalize().into()
    }

    /// Enciphers a transport key, as a terminal does.
    ///
    /// # Errors
    /// [`KeyError::TransportRefused`] if this is no RSA key of 1024 to 8192 bits, or the transport
    /// key is too long for it.
    pub fn encipher(
        &self,
        random: &dyn RandomSource,
        padding: TransportPadding,
        transport: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let number = |bytes: &[u8]| {
            let bits = u32::try_from(bytes.len().saturating_mul(8)).ok()?;
            BoxedUint::from_be_slice(bytes, bits).ok()
        };
        let (n, e) =
            number(&self.modulus).zip(number(&self.exponent)).ok_or(KeyError::TransportRefused)?;
        let public = PublicKey::new(n, e).map_err(|_| KeyError::TransportRefused)?;
        let dice = &mut Dice(random);
        let wrapped = match padding {
            TransportPadding::OaepSha256 => public.encrypt(dice, Oaep::<Sha256>::new(), transport),
            TransportPadding::Pkcs1V15 => public.encrypt(dice, Pkcs1v15Encrypt, transport),
        };
        wrapped.map_err(|_| KeyError::TransportRefused)
    }
}

impl WrappedTmk {
    /// Deciphers the master key under the transport key, as a terminal does.
    ///
    /// # Errors
    /// [`KeyError::KeyLength`] for a transport key that does not fit, [`KeyError::TmkCheckValue`]
    /// if the check value does not match: the key must then not be used.
    pub fn open(
        &self,
        algorithm: Algorithm,
        transport: &[u8],
    ) -> Result<Zeroizing<[u8; TRANSPORT_LEN]>, KeyError> {
        let mut tmk = Zeroizing::new(self.cipher_text);
        BlockKey::new(algorithm, transport)?.decrypt(&mut *tmk);
        let right = BlockKey::new(algorithm, &*tmk)?.check_value();
        if right.ct_eq(&self.check).into() { Ok(tmk) } else { Err(KeyError::TmkCheckValue) }
    }
}

/// What proves that somebody has a terminal's new master key: the first four bytes of a CBC-MAC
/// under it over one block of zeros and the terminal's name, filled up with zeros.
///
/// The block of zeros keeps the proof from being an enciphered block that somebody chose: cut
/// short as it is, it could otherwise still help to pass a known working key to the terminal.
///
/// # Errors
/// [`KeyError::KeyLength`] if the key does not fit the algorithm.
pub fn tmk_proof(
    algorithm: Algorithm,
    tmk: &[u8],
    terminal: &[u8; 8],
) -> Result<[u8; 4], KeyError> {
    let key = BlockKey::new(algorithm, tmk)?;
    let length = match algorithm {
        Algorithm::Des => 8,
        Algorithm::Sm4 => 16,
    };
    let mut state = Zeroizing::new([0; 16]);
    let block = state.get_mut(..length).unwrap_or_default();
    key.encrypt(block);
    block.iter_mut().zip(terminal).for_each(|(to, from)| *to ^= from);
    key.encrypt(block);
    Ok(state.first_chunk().copied().unwrap_or_default())
}

/// The crate's randomness in the words of the RSA side.
struct Dice<'r>(&'r dyn RandomSource);

impl TryRng for Dice<'_> {
    type Error = KeyError;

    fn try_next_u32(&mut self) -> Result<u32, KeyError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, KeyError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), KeyError> {
        self.0.fill(bytes)
    }
}

impl TryCryptoRng for Dice<'_> {}

/// What the module keeps for transport keys.
pub(crate) struct TransportKeeper {
    pub(crate) sealer: Sealer,
    decoy: Zeroizing<[u8; 32]>,
}

impl TransportKeeper {
    pub(crate) fn new(lmk: &Lmk) -> Self {
        let sealer = Sealer::new(lmk, "transport");
        Self { sealer, decoy: lmk.derive("transport decoy") }
    }

    pub(crate) fn load(&self, sealed: &SealedTransportKey) -> Result<TransportKey, KeyError> {
        TransportKey::load(&self.decoy, &self.sealer, sealed)
    }
}
