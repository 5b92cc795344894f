//! PIN blocks: ANSI X9.8 with and without the card number, and the 16-byte form for SM4.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::{
    Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess,
};
use zeroize::Zeroizing;

use crate::KeyError;
use crate::cipher::BlockKey;
use crate::text;

/// Whether the card number is folded into the PIN block (ANSI X9.8).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinFormat {
    /// The PIN field XOR the card number field; digit 1 of field 53 is 2.
    WithPan,
    /// The PIN field alone; digit 1 of field 53 is 1.
    WithoutPan,
}

/// The part of a card number that a PIN block binds: its 12 rightmost digits without the check
/// digit, in ASCII. `Debug` shows none of them.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pan12([u8; 12]);

impl Pan12 {
    /// Takes the digits from a card number of 12 to 19 ASCII digits, its check digit last.
    ///
    /// A number of 12 digits has 11 before its check digit; a zero then stands before them.
    /// `None` if the length or a digit is wrong; the check digit is not checked.
    #[must_use]
    pub fn from_pan(pan: &[u8]) -> Option<Self> {
        if !matches!(pan.len(), 12..=19) || !pan.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [b'0'; 12];
        let from_right = pan.iter().rev().skip(1);
        digits.iter_mut().rev().zip(from_right).for_each(|(to, from)| *to = *from);
        Some(Self(digits))
    }

    /// Two digits in each byte.
    fn packed(&self) -> [u8; 6] {
        let mut packed = [0; 6];
        for (to, [high, low]) in packed.iter_mut().zip(self.0.as_chunks().0) {
            *to = (high & 15) << 4 | (low & 15);
        }
        packed
    }
}

impl fmt::Debug for Pan12 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pan12(..)")
    }
}

/// An enciphered PIN block: 8 bytes under a DES key, 16 under an SM4 key.
///
/// Safe to put on the wire and nowhere else; `Debug` shows only its length.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum PinBlock {
    /// For field 52.
    Des([u8; 8]),
    /// Field 52 has no room for it; it travels in field 63 under the tag `SM`.
    Sm4([u8; 16]),
}

impl PinBlock {
    /// The block's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Des(bytes) => bytes,
            Self::Sm4(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for PinBlock {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for PinBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinBlock({} bytes)", self.as_bytes().len())
    }
}

/// What is kept of a PIN: a keyed code over the card's surrogate id and the PIN.
///
/// The left 8 bytes of AES-256-CMAC, under a key derived from the local master key, over the id (8
/// bytes big-endian), the PIN's length (1 byte) and its digits packed and filled with `F` (7
/// bytes). Without that key it says nothing about the PIN. Compared in constant time; `Debug`
/// shows nothing. Text formats get it as hexadecimal digits.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub struct PinVerification(#[serde(with = "text")] [u8; 8]);

impl PinVerification {
    /// Takes what [`Self::to_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// For keeping it.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl ConstantTimeEq for PinVerification {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for PinVerification {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for PinVerification {}

impl fmt::Debug for PinVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinVerification(..)")
    }
}

const PIN_LEN_MIN: u8 = 4;
const PIN_LEN_MAX: u8 = 12;

/// A clear PIN: its length in binary, then the digits packed and filled with `F` nibbles.
pub(crate) struct ClearPin(Zeroizing<[u8; 8]>);

impl ClearPin {
    /// Takes 4 to 12 ASCII digits.
    pub(crate) fn from_digits(digits: &[u8]) -> Result<Self, KeyError> {
        let length = u8::try_from(digits.len()).map_err(|_| KeyError::PinMalformed)?;
        let right =
            (PIN_LEN_MIN..=PIN_LEN_MAX).contains(&length) && digits.iter().all(u8::is_ascii_digit);
        if !right {
            return Err(KeyError::PinMalformed);
        }
        let mut field = Zeroizing::new([0xFF; 8]);
        let [first, packed @ ..] = &mut *field;
        *first = length;
        for (to, pair) in packed.iter_mut().zip(digits.chunks(2)) {
            *to = match *pair {
                [high, low] => (high & 15) << 4 | (low & 15),
                [high] => (high & 15) << 4 | 15,
                _ => 0xFF,
            };
        }
        Ok(Self(field))
    }

    /// The 8 bytes a verification value is computed over, beside the card's id.
    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// True for a PIN that anybody would guess: each digit is as far from the one before it as the
    /// second from the first, and that is 0, 1 or 9 (counting in tens).
    pub(crate) fn is_guessable(&self) -> Choice {
        let [length, packed @ ..] = &*self.0;
        let mut digits = Zeroizing::new([0_u8; 14]);
        for (to, from) in digits.as_chunks_mut::<2>().0.iter_mut().zip(packed) {
            *to = [from >> 4, from & 15];
        }
        [0_u8, 1, 9].into_iter().fold(Choice::from(0), |found, step| {
            let pairs = digits.iter().zip(digits.iter().skip(1)).zip(1_u8..);
            let all = pairs.fold(Choice::from(1), |all, ((first, second), place)| {
                let next = first.wrapping_add(step).wrapping_rem(10);
                all & (next.ct_eq(second) | !place.ct_lt(length))
            });
            found | all
        })
    }

    /// Enciphers the PIN; with a card number the block binds it.
    pub(crate) fn encrypt(&self, key: &BlockKey, pan: Option<&Pan12>) -> PinBlock {
        let mut clear = Zeroizing::new([0xFF; 16]);
        let [length, packed @ ..] = *self.0;
        clear.iter_mut().skip(1).zip(packed).for_each(|(to, from)| *to = from);
        if let Some(first) = clear.first_mut() {
            *first = bcd(length);
        }
        let [head @ .., _, _, _, _, _, _, _, _] = &mut *clear;
        match key {
            BlockKey::Des(key) => {
                let mut block = Zeroizing::new(*head);
                fold(&mut *block, pan);
                key.encrypt(&mut block);
                PinBlock::Des(*block)
            }
            BlockKey::Sm4(_) => {
                fold(&mut *clear, pan);
                key.encrypt(&mut *clear);
                PinBlock::Sm4(*clear)
            }
        }
    }

    /// Deciphers a block. Takes the same way whatever is wrong with it; the choice says whether
    /// it was a PIN block at all. The PIN is then meaningless, but still there to compute with.
    pub(crate) fn decrypt(key: &BlockKey, block: &[u8], pan: Option<&Pan12>) -> (Choice, Self) {
        let mut clear = Zeroizing::new([0xFF; 16]);
        let length = match key {
            BlockKey::Des(_) => 8,
            BlockKey::Sm4(_) => 16,
        };
        clear.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
        if let Some(used) = clear.get_mut(..length) {
            key.decrypt(used);
            fold(used, pan);
        }
        let right_length = Choice::from(u8::from(block.len() == length));
        let (head, tail) = clear.split_at(8);
        // Under DES the tail is what it was filled with only if the block was not too long.
        let filled = tail.ct_eq(&[0xFF; 8]);
        let mut field = Zeroizing::new([0xFF; 8]);
        field.copy_from_slice(head);
        let (is_pin, pin) = Self::from_field(field);
        (right_length & filled & is_pin, pin)
    }

    /// Reads a PIN field in constant time: length, digits, filler.
    ///
    /// Lengths 10 to 12 are taken as BCD (`10` to `12`, the UnionPay dialect) and as one nibble
    /// (`0A` to `0C`, ISO 9564-1 format 0).
    fn from_field(mut field: Zeroizing<[u8; 8]>) -> (Choice, Self) {
        /// One in each of the 14 nibbles behind the length.
        const ONES: u64 = 0x0011_1111_1111_1111;
        const ALL: u64 = ONES * 15;
        let nibbles = u64::from_be_bytes(*field) & ALL;
        let [first, ..] = &mut *field;
        let (tens, units) = (*first >> 4, *first & 15);
        let two_digits = tens.ct_eq(&1) & units.ct_lt(&3);
        let length = u8::conditional_select(&units, &units.wrapping_add(10), two_digits);
        let length_right = (tens.ct_eq(&0) | two_digits)
            & length.ct_gt(&PIN_LEN_MIN.wrapping_sub(1))
            & length.ct_lt(&PIN_LEN_MAX.wrapping_add(1));
        let filler = ALL.wrapping_shr(u32::from(length) << 2);
        // A nibble is beyond 9 if its eight and its four or its two are set.
        let beyond_9 = (nibbles >> 3) & ((nibbles >> 2) | (nibbles >> 1)) & ONES;
        let digits_right = (beyond_9 & !filler).ct_eq(&0) & (nibbles & filler).ct_eq(&filler);
        *first = length;
        (length_right & digits_right, Self(field))
    }
}

/// XORs the card number field into a block: zeros, the 12 digits rightmost.
fn fold(block: &mut [u8], pan: Option<&Pan12>) {
    if let Some(pan) = pan {
        block.iter_mut().rev().zip(pan.packed().iter().rev()).for_each(|(to, from)| *to ^= from);
    }
}

/// A PIN's length as the two decimal digits of one byte.
const fn bcd(length: u8) -> u8 {
    if length < 10 { length } else { length.wrapping_add(6) }
}

impl PinFormat {
    /// The card number, if the format folds it in.
    pub(crate) const fn bound(self, pan: &Pan12) -> Option<&Pan12> {
        match self {
            Self::WithPan => Some(pan),
            Self::WithoutPan => None,
        }
    }
}
