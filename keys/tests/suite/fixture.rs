//! Keys of the vectors, and a source of randomness that deals them out.

use std::collections::VecDeque;
use std::sync::Mutex;

use des::cipher::{BlockCipherEncrypt, KeyInit};
use des::{TdesEde2, TdesEde3};
use keys::{
    Algorithm, Hsm, KeyError, KeyLayout, Lmk, NewWorkingKeys, RandomSource, SealedKey, SoftHsm,
    TerminalKeys, check_value,
};

pub(crate) const TERMINAL: &[u8; 8] = b"00000001";
pub(crate) const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
pub(crate) const PIK: &str = "3B5E9D1C7A4F6280C1D3E3F4041626A8";
pub(crate) const MAK: &str = "0B1C2C3E4F516173";
pub(crate) const MAK_DOUBLE: &str = "0B1C2C3E4F5161738998ABBACDDCEFF1";
pub(crate) const TDK: &str = "89ABCDEF0123456776543210FEDCBA98";
pub(crate) const SM4_PIK: &str = "1122334455667788990011223344556A";
pub(crate) const SM4_MAK: &str = "A1B2C3D4E5F60718293A4B5C6D7E8F90";
pub(crate) const SM4_TDK: &str = "0F1E2D3C4B5A69788796A5B4C3D2E1F0";
pub(crate) const PAN: &[u8; 19] = b"6212142000000000012";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    const_hex::decode(text).unwrap()
}

/// Upper case, as the vectors are written.
pub(crate) fn show(bytes: impl AsRef<[u8]>) -> String {
    const_hex::encode_upper(bytes)
}

/// Deals out the keys it was given, in order; then bytes of zero, as for nonces.
struct Dealt(Mutex<VecDeque<Vec<u8>>>);

impl RandomSource for Dealt {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), KeyError> {
        match self.0.lock().unwrap().pop_front() {
            Some(next) => bytes.copy_from_slice(&next),
            None => bytes.fill(0),
        }
        Ok(())
    }
}

/// A module that makes just these working keys, its master key, and what it sends.
pub(crate) fn host(layout: KeyLayout, tmk: &str, keys: &[&str]) -> (SoftHsm, NewWorkingKeys) {
    // The master key is sealed by another module, so that its nonce uses up none of the keys.
    let sealed = sealed_tmk(&SoftHsm::new(Lmk::demo()), tmk, layout.algorithm());
    let dealt = Dealt(Mutex::new(keys.iter().map(|key| hex(key)).collect()));
    let hsm = SoftHsm::with_randomness(Lmk::demo(), Box::new(dealt));
    let new = hsm.generate_working_keys(TERMINAL, &sealed, layout).unwrap();
    (hsm, new)
}

pub(crate) fn sealed_tmk(hsm: &SoftHsm, tmk: &str, algorithm: Algorithm) -> SealedKey {
    hsm.import_tmk(TERMINAL, &hex(tmk), algorithm).unwrap()
}

/// The terminal after it has read what such a module sends.
pub(crate) fn terminal(layout: KeyLayout, keys: &[&str]) -> TerminalKeys {
    let (_, new) = host(layout, TMK, keys);
    TerminalKeys::from_sign_on(&hex(TMK), layout.algorithm(), &new.f62, Some(layout)).unwrap()
}

/// Enciphers a key under a double or triple length DES key, by means of its own.
pub(crate) fn under(tmk: &[u8], key: &[u8]) -> Vec<u8> {
    let mut bytes = key.to_vec();
    for block in bytes.as_chunks_mut::<8>().0 {
        match tmk.len() {
            16 => TdesEde2::new_from_slice(tmk).unwrap().encrypt_block(block.into()),
            _ => TdesEde3::new_from_slice(tmk).unwrap().encrypt_block(block.into()),
        }
    }
    bytes
}

/// One key's part of a DES block: cipher text, zeros up to `slot` bytes, check value.
pub(crate) fn part(tmk: &[u8], key: &[u8], slot: usize) -> Vec<u8> {
    let mut part = under(tmk, key);
    part.resize(slot, 0);
    part.extend(check_value(key, Algorithm::Des).unwrap());
    part
}
