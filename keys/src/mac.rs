//! Message authentication codes.

use std::sync::OnceLock;

use aes::{Aes128Enc, Aes256Enc};
use cmac::digest::InnerInit;
use cmac::{Cmac, Mac};
use serde::{Deserialize, Serialize};
use sm4::Sm4;
use sm4::cipher::{BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::mac_des::{MacDesKey, Schedule};
use crate::{Algorithm, KeyError};

/// How field 64 is computed over the message's bytes, from the type to the byte before the field.
///
/// The XOR algorithms ([`Self::UnionPay`], [`Self::Sm4A`], [`Self::Sm4B`]) are forgeable: whoever
/// sees one message can change two bytes that stand a multiple of the block's length apart by the
/// same difference, or swap blocks, and the code stays right. They are for lines that TLS protects.
/// The plain CBC codes ([`Self::X99`], [`Self::Sm4Cbc`]) can be extended where the length of a
/// message is free. [`Self::Cmac`] has neither fault.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacAlgorithm {
    /// UnionPay POS "ECB": XOR of all 8-byte blocks as 16 upper-case hexadecimal characters A and
    /// B; V = E(E(A) xor B); the code is the first 8 hexadecimal characters of V. E is DES for an
    /// 8-byte key, triple DES else.
    UnionPay,
    /// ANSI X9.9: DES CBC, zero IV; the last block. For a single-length key.
    X99,
    /// ANSI X9.19: as X9.9 with K1, the last block then through D(K2) and E(K1). For a
    /// double-length key.
    X919,
    /// AES-CMAC (NIST SP 800-38B) with the 16 bytes of the key as AES-128 key; the left 8 bytes.
    Cmac,
    /// The UnionPay shape over 16-byte blocks with SM4; the first 8 hexadecimal characters.
    Sm4A,
    /// As `Sm4A`, but the first 8 bytes as they are.
    Sm4B,
    /// SM4 CBC, zero IV; the left 8 bytes of the last block.
    Sm4Cbc,
}

/// A MAC key with its schedule, and AES's for [`MacAlgorithm::Cmac`] made when first used.
pub(crate) struct MacKey {
    cipher: MacCipher,
    cmac: Option<CmacKey>,
}

enum MacCipher {
    Des(MacDesKey),
    Sm4(Box<Sm4>),
}

struct CmacKey {
    bytes: Box<Zeroizing<[u8; 16]>>,
    schedule: OnceLock<Box<Aes128Enc>>,
}

impl MacKey {
    pub(crate) fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let wrong_length = KeyError::KeyLength { got: bytes.len() };
        let double = <&[u8; 16]>::try_from(bytes);
        let cipher = match algorithm {
            Algorithm::Des => MacCipher::Des(MacDesKey::new(bytes)?),
            Algorithm::Sm4 => {
                let bytes = double.map_err(|_other| wrong_length)?;
                MacCipher::Sm4(Box::new(Sm4::new(bytes.into())))
            }
        };
        let cmac = double.ok().map(|bytes| CmacKey {
            bytes: Box::new(Zeroizing::new(*bytes)),
            schedule: OnceLock::new(),
        });
        Ok(Self { cipher, cmac })
    }

    /// Computes the code, or says that the key is not for `algorithm`.
    pub(crate) fn code(&self, algorithm: MacAlgorithm, bytes: &[u8]) -> Result<[u8; 8], KeyError> {
        match algorithm {
            MacAlgorithm::UnionPay => Ok(union_pay(self.des()?, bytes)),
            MacAlgorithm::X99 => self.single().map(|key| des_cbc(key, bytes).to_be_bytes()),
            MacAlgorithm::X919 => self.double().map(|keys| retail(keys, bytes).to_be_bytes()),
            MacAlgorithm::Cmac => self.cmac(bytes),
            MacAlgorithm::Sm4A => Ok(hex_head(&sm4_xor(self.sm4()?, bytes))),
            MacAlgorithm::Sm4B => Ok(head(&sm4_xor(self.sm4()?, bytes))),
            MacAlgorithm::Sm4Cbc => Ok(head(&sm4_cbc(self.sm4()?, bytes))),
        }
    }

    /// Compares in constant time. A code of another length than 8 is wrong.
    pub(crate) fn verify(
        &self,
        algorithm: MacAlgorithm,
        bytes: &[u8],
        code: &[u8],
    ) -> Result<(), KeyError> {
        let right = self.code(algorithm, bytes)?;
        if right.ct_eq(code).into() { Ok(()) } else { Err(KeyError::MacWrong) }
    }

    const fn des(&self) -> Result<&MacDesKey, KeyError> {
        match &self.cipher {
            MacCipher::Des(key) => Ok(key),
            MacCipher::Sm4(_) => Err(KeyError::MacNotForKey),
        }
    }

    fn single(&self) -> Result<&Schedule, KeyError> {
        match self.des()? {
            MacDesKey::Single(key) => Ok(key),
            MacDesKey::Double(_) | MacDesKey::Triple(_) => Err(KeyError::MacNotForKey),
        }
    }

    fn double(&self) -> Result<&[Schedule; 2], KeyError> {
        match self.des()? {
            MacDesKey::Double(keys) => Ok(keys),
            MacDesKey::Single(_) | MacDesKey::Triple(_) => Err(KeyError::MacNotForKey),
        }
    }

    fn sm4(&self) -> Result<&Sm4, KeyError> {
        match &self.cipher {
            MacCipher::Sm4(key) => Ok(key),
            MacCipher::Des(_) => Err(KeyError::MacNotForKey),
        }
    }

    fn cmac(&self, bytes: &[u8]) -> Result<[u8; 8], KeyError> {
        let key = self.cmac.as_ref().ok_or(KeyError::MacNotForKey)?;
        let schedule = key.schedule.get_or_init(|| Box::new(Aes128Enc::new((&**key.bytes).into())));
        let mut mac = Cmac::inner_init(&**schedule);
        mac.update(bytes);
        Ok(head(&mac.finalize().into_bytes().into()))
    }
}

/// AES-256-CMAC, its left 8 bytes.
pub(crate) fn cmac_256(key: &Aes256Enc, bytes: &[u8]) -> [u8; 8] {
    let mut mac = Cmac::inner_init(key);
    mac.update(bytes);
    head(&mac.finalize().into_bytes().into())
}

fn union_pay(key: &MacDesKey, bytes: &[u8]) -> [u8; 8] {
    let mut folded = 0;
    for_each_padded(bytes, |block| folded ^= u64::from_be_bytes(*block));
    let hex = upper_hex::<8, 16>(&folded.to_be_bytes());
    let ([first, second], _) = hex.as_chunks::<8>() else { return [0; 8] };
    let state = key.encrypt(u64::from_be_bytes(*first)) ^ u64::from_be_bytes(*second);
    let [a, b, c, d, ..] = key.encrypt(state).to_be_bytes();
    upper_hex::<4, 8>(&[a, b, c, d])
}

fn des_cbc(key: &Schedule, bytes: &[u8]) -> u64 {
    let mut state = 0;
    for_each_padded(bytes, |block| state = key.encrypt(state ^ u64::from_be_bytes(*block)));
    state
}

fn retail([k1, k2]: &[Schedule; 2], bytes: &[u8]) -> u64 {
    k1.encrypt(k2.decrypt(des_cbc(k1, bytes)))
}

fn sm4_xor(key: &Sm4, bytes: &[u8]) -> [u8; 16] {
    let mut folded = 0;
    for_each_padded(bytes, |block| folded ^= u128::from_be_bytes(*block));
    let hex = upper_hex::<16, 32>(&folded.to_be_bytes());
    let ([first, second], _) = hex.as_chunks::<16>() else { return [0; 16] };
    let mut state = *first;
    key.encrypt_block((&mut state).into());
    xor(&mut state, second);
    key.encrypt_block((&mut state).into());
    state
}

fn sm4_cbc(key: &Sm4, bytes: &[u8]) -> [u8; 16] {
    let mut state = [0; 16];
    for_each_padded(bytes, |block| {
        xor(&mut state, block);
        key.encrypt_block((&mut state).into());
    });
    state
}

/// Calls `each` with every block of `bytes`, the last filled up with zeros. No bytes are one block
/// of zeros, so that even then the key decides the code.
fn for_each_padded<const N: usize>(bytes: &[u8], mut each: impl FnMut(&[u8; N])) {
    let (blocks, rest) = bytes.as_chunks::<N>();
    blocks.iter().for_each(&mut each);
    if !rest.is_empty() || blocks.is_empty() {
        let mut last = [0; N];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        each(&last);
    }
}

fn xor<const N: usize>(state: &mut [u8; N], block: &[u8; N]) {
    state.iter_mut().zip(block).for_each(|(to, from)| *to ^= from);
}

/// `2 * N` must be `H`.
fn upper_hex<const N: usize, const H: usize>(bytes: &[u8; N]) -> [u8; H] {
    let mut hex = [0; H];
    let digit = |nibble: u8| if nibble < 10 { b'0' | nibble } else { nibble.wrapping_add(55) };
    for ([high, low], byte) in hex.as_chunks_mut().0.iter_mut().zip(bytes) {
        *high = digit(byte >> 4);
        *low = digit(byte & 15);
    }
    hex
}

const fn head(block: &[u8; 16]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *block;
    [a, b, c, d, e, f, g, h]
}

fn hex_head(block: &[u8; 16]) -> [u8; 8] {
    let [a, b, c, d, ..] = *block;
    upper_hex::<4, 8>(&[a, b, c, d])
}
