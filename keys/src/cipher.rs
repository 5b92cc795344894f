//! One block through DES, triple DES or SM4, with the key schedule kept.

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use serde::{Deserialize, Serialize};
use sm4::Sm4;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::KeyError;

/// The block cipher a terminal's keys are for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// DES and triple DES (FIPS 46-3), 8-byte blocks. Parity bits of keys are ignored.
    Des,
    /// SM4 (GB/T 32907), 16-byte blocks and keys.
    Sm4,
}

/// A DES key of one, two or three lengths. Schedules are boxed so that a move copies no key.
pub(crate) enum DesKey {
    Single(Box<Des>),
    Double(Box<[Des; 2]>),
    Triple(Box<[Des; 3]>),
}

impl DesKey {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let (parts, rest) = bytes.as_chunks::<8>();
        let schedule = |part: &[u8; 8]| Des::new(part.into());
        match (parts, rest) {
            ([k1], []) => Ok(Self::Single(Box::new(schedule(k1)))),
            ([k1, k2], []) => Ok(Self::Double(Box::new([schedule(k1), schedule(k2)]))),
            ([k1, k2, k3], []) => {
                Ok(Self::Triple(Box::new([schedule(k1), schedule(k2), schedule(k3)])))
            }
            _ => Err(KeyError::KeyLength { got: bytes.len() }),
        }
    }

    /// Single DES, or encrypt-decrypt-encrypt with K1, K2, K1 or K1, K2, K3.
    pub(crate) fn encrypt(&self, block: &mut [u8; 8]) {
        let block = block.into();
        let (k1, k2, k3) = match self {
            Self::Single(k1) => return k1.encrypt_block(block),
            Self::Double(keys) => two(keys),
            Self::Triple(keys) => three(keys),
        };
        k1.encrypt_block(block);
        k2.decrypt_block(block);
        k3.encrypt_block(block);
    }

    pub(crate) fn decrypt(&self, block: &mut [u8; 8]) {
        let block = block.into();
        let (k1, k2, k3) = match self {
            Self::Single(k1) => return k1.decrypt_block(block),
            Self::Double(keys) => two(keys),
            Self::Triple(keys) => three(keys),
        };
        k3.decrypt_block(block);
        k2.encrypt_block(block);
        k1.decrypt_block(block);
    }
}

const fn two([k1, k2]: &[Des; 2]) -> (&Des, &Des, &Des) {
    (k1, k2, k1)
}

const fn three([k1, k2, k3]: &[Des; 3]) -> (&Des, &Des, &Des) {
    (k1, k2, k3)
}

/// A key of either algorithm.
pub(crate) enum BlockKey {
    Des(DesKey),
    Sm4(Box<Sm4>),
}

impl BlockKey {
    pub(crate) fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Des => DesKey::new(bytes).map(Self::Des),
            Algorithm::Sm4 => match bytes.try_into() {
                Ok(bytes) => {
                    let bytes: &[u8; 16] = bytes;
                    Ok(Self::Sm4(Box::new(Sm4::new(bytes.into()))))
                }
                Err(_) => Err(KeyError::KeyLength { got: bytes.len() }),
            },
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Des(_) => Algorithm::Des,
            Self::Sm4(_) => Algorithm::Sm4,
        }
    }

    /// Enciphers whole blocks one by one (ECB). Callers give multiples of the block's length.
    pub(crate) fn encrypt(&self, bytes: &mut [u8]) {
        match self {
            Self::Des(key) => {
                bytes.as_chunks_mut().0.iter_mut().for_each(|block| key.encrypt(block));
            }
            Self::Sm4(key) => {
                let blocks = bytes.as_chunks_mut::<16>().0;
                blocks.iter_mut().for_each(|block| key.encrypt_block(block.into()));
            }
        }
    }

    /// Deciphers whole blocks one by one (ECB). Callers give multiples of the block's length.
    pub(crate) fn decrypt(&self, bytes: &mut [u8]) {
        match self {
            Self::Des(key) => {
                bytes.as_chunks_mut().0.iter_mut().for_each(|block| key.decrypt(block));
            }
            Self::Sm4(key) => {
                let blocks = bytes.as_chunks_mut::<16>().0;
                blocks.iter_mut().for_each(|block| key.decrypt_block(block.into()));
            }
        }
    }

    /// The first four bytes of one enciphered block of zeros.
    pub(crate) fn check_value(&self) -> [u8; 4] {
        let mut block = [0; 16];
        self.encrypt(&mut block);
        let [a, b, c, d, ..] = block;
        [a, b, c, d]
    }
}

/// The check value of a key: the first four bytes of one enciphered block of zeros.
///
/// An 8-byte DES key is used as single DES.
///
/// # Errors
/// [`KeyError::KeyLength`] unless the key is 8, 16 or 24 bytes (DES) or 16 bytes (SM4).
pub fn check_value(key: &[u8], algorithm: Algorithm) -> Result<[u8; 4], KeyError> {
    Ok(BlockKey::new(algorithm, key)?.check_value())
}

/// Refuses keys that are easy to guess or that undo themselves.
///
/// DES: the 64 weak, semi-weak and possibly weak keys of TPM 2.0 part 1 (section on DES), and
/// repeated parts, parity aside. SM4: one byte repeated.
pub(crate) fn refuse_weak(algorithm: Algorithm, key: &[u8]) -> Result<(), KeyError> {
    let weak = match algorithm {
        Algorithm::Des => {
            if !matches!(key.len(), 8 | 16 | 24) {
                return Err(KeyError::KeyLength { got: key.len() });
            }
            des::weak_key_test(&with_odd_parity(key)).is_err()
        }
        Algorithm::Sm4 => is_one_byte_repeated(key),
    };
    if weak { Err(KeyError::WeakKey) } else { Ok(()) }
}

/// True for an empty key too.
pub(crate) fn is_one_byte_repeated(key: &[u8]) -> bool {
    key.iter().all(|byte| Some(byte) == key.first())
}

/// True if the keys are one key: equal, for DES parity aside.
pub(crate) fn is_same_key(algorithm: Algorithm, one: &[u8], other: &[u8]) -> bool {
    match algorithm {
        Algorithm::Des => with_odd_parity(one).ct_eq(&with_odd_parity(other)).into(),
        Algorithm::Sm4 => one.ct_eq(other).into(),
    }
}

/// The key with the lowest bit of each byte set so that the byte's bits are odd in number.
fn with_odd_parity(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let odd = |byte: &u8| (byte & 0xFE) | u8::from((byte >> 1).count_ones() & 1 == 0);
    Zeroizing::new(key.iter().map(odd).collect())
}
