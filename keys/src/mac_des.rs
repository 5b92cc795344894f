//! DES for message codes alone: each S-box and the permutation behind it in one table.
//!
//! A block takes a quarter of the time that the `des` crate needs, and message codes are the
//! largest cost of a sale. The price is that what is looked up shows in the processor's cache, to
//! whoever runs code on the same processor. The tables of the `des` crate are four times as small
//! and show less. So PINs, keys and tracks stay with it, and only here, where a key serves one
//! terminal from one sign-on to the next and protects no secret, is the time worth more.
//!
//! Numbers of bits are those of FIPS 46-3: from 1, the most significant first.

use zeroize::ZeroizeOnDrop;

use crate::KeyError;

/// A key of one, two or three lengths. Schedules are boxed so that a move copies no key.
pub(crate) enum MacDesKey {
    Single(Box<Schedule>),
    Double(Box<[Schedule; 2]>),
    Triple(Box<[Schedule; 3]>),
}

impl MacDesKey {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes.as_chunks::<8>() {
            ([k1], []) => Ok(Self::Single(Box::new(Schedule::new(k1)))),
            ([k1, k2], []) => Ok(Self::Double(Box::new([k1, k2].map(Schedule::new)))),
            ([k1, k2, k3], []) => Ok(Self::Triple(Box::new([k1, k2, k3].map(Schedule::new)))),
            _ => Err(KeyError::KeyLength { got: bytes.len() }),
        }
    }

    /// Single DES, or encrypt-decrypt-encrypt with K1, K2, K1 or K1, K2, K3.
    pub(crate) fn encrypt(&self, block: u64) -> u64 {
        let (k1, k2, k3) = match self {
            Self::Single(k1) => return k1.encrypt(block),
            Self::Double(keys) => {
                let [k1, k2] = &**keys;
                (k1, k2, k1)
            }
            Self::Triple(keys) => {
                let [k1, k2, k3] = &**keys;
                (k1, k2, k3)
            }
        };
        k3.encrypt(k2.decrypt(k1.encrypt(block)))
    }
}

/// The sixteen keys of the rounds, each in two words: what the odd S-boxes take (1, 3, 5, 7), and
/// the even ones, six bits in each byte from its top.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Schedule([[u32; 2]; 16]);

impl Schedule {
    fn new(key: &[u8; 8]) -> Self {
        let halves = permute(u64::from_be_bytes(*key), 64, &PC1);
        let (mut c, mut d) = (halves >> 28, halves & HALF);
        Self(SHIFTS.map(|shift| {
            (c, d) = (rotate(c, shift), rotate(d, shift));
            let key = permute(c << 28 | d, 56, &PC2);
            [0, 6].map(|first| {
                [42_u32, 30, 18, 6].into_iter().fold(0, |word, place| {
                    let six = (key >> place.wrapping_sub(first)) & 63;
                    word << 8 | ((six << 2) & 0xFF) as u32
                })
            })
        }))
    }

    /// Enciphers a block.
    pub(crate) fn encrypt(&self, block: u64) -> u64 {
        rounds(block, self.0.iter())
    }

    /// Deciphers a block.
    pub(crate) fn decrypt(&self, block: u64) -> u64 {
        rounds(block, self.0.iter().rev())
    }
}

#[inline]
fn rounds<'k>(block: u64, keys: impl Iterator<Item = &'k [u32; 2]>) -> u64 {
    let block = initial(block);
    let (mut left, mut right) = ((block >> 32) as u32, (block & 0xFFFF_FFFF) as u32);
    for key in keys {
        (left, right) = (right, left ^ round(right, *key));
    }
    last(u64::from(right) << 32 | u64::from(left))
}

/// What a round adds to the left half: the expansion is two rotations, since each S-box takes four
/// bits of its own and one of each neighbour.
#[inline]
fn round(right: u32, [odd, even]: [u32; 2]) -> u32 {
    let [s1, s2, s3, s4, s5, s6, s7, s8] = &TABLES;
    let (odd, even) = (right.rotate_right(1) ^ odd, right.rotate_left(3) ^ even);
    look(s1, odd >> 26)
        ^ look(s3, odd >> 18)
        ^ look(s5, odd >> 10)
        ^ look(s7, odd >> 2)
        ^ look(s2, even >> 26)
        ^ look(s4, even >> 18)
        ^ look(s6, even >> 10)
        ^ look(s8, even >> 2)
}

#[inline]
fn look(table: &[u32; 64], six: u32) -> u32 {
    table.get((six & 63) as usize).copied().unwrap_or_default()
}

/// Exchanges the bits of `mask` with those so many places above them.
#[inline]
const fn swap(block: u64, places: u32, mask: u64) -> u64 {
    let differ = (block ^ block.wrapping_shr(places)) & mask;
    block ^ differ ^ differ.wrapping_shl(places)
}

/// The initial permutation, which is a transposition of the bits as a square.
#[inline]
const fn initial(block: u64) -> u64 {
    let block = swap(block, 9, 0x0055_0055_0055_0055);
    let block = swap(block, 18, 0x0000_3333_0000_3333);
    let block = swap(block, 36, 0x0000_0000_0F0F_0F0F);
    let block = swap(block, 24, 0x0000_0000_FF00_FF00);
    swap(block, 24, 0x0000_00FF_0000_00FF)
}

/// Undoes the initial permutation.
#[inline]
const fn last(block: u64) -> u64 {
    let block = swap(block, 24, 0x0000_00FF_0000_00FF);
    let block = swap(block, 24, 0x0000_0000_FF00_FF00);
    let block = swap(block, 36, 0x0000_0000_0F0F_0F0F);
    let block = swap(block, 18, 0x0000_3333_0000_3333);
    swap(block, 9, 0x0055_0055_0055_0055)
}

/// Takes the bits that `table` names out of a number of `width` bits, in its order.
const fn permute(number: u64, width: u8, table: &[u8]) -> u64 {
    let (mut out, mut rest) = (0, table);
    while let Some((&bit, after)) = rest.split_first() {
        out = out << 1 | (number.wrapping_shr(width.wrapping_sub(bit) as u32) & 1);
        rest = after;
    }
    out
}

/// Rotates a half of the key to the left.
const fn rotate(half: u64, places: u32) -> u64 {
    (half.wrapping_shl(places) | half.wrapping_shr(28_u32.wrapping_sub(places))) & HALF
}

/// The 28 bits of a half of the key.
const HALF: u64 = 0x0FFF_FFFF;
/// How far the halves of the key move before each round.
const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

#[rustfmt::skip]
const PC1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
    60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37,
    29, 21, 13, 5, 28, 20, 12, 4,
];

#[rustfmt::skip]
const PC2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

#[rustfmt::skip]
const P: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

/// What each S-box makes of six bits, where P puts it.
static TABLES: [[u32; 64]; 8] = tables();

#[expect(clippy::indexing_slicing, reason = "counted within the arrays, when this is compiled")]
const fn tables() -> [[u32; 64]; 8] {
    let mut tables = [[0; 64]; 8];
    let mut number = 0;
    while number < 8 {
        let mut six = 0;
        while six < 64 {
            let out = (S[number][six] as u64) << 28 >> number.wrapping_mul(4);
            tables[number][six] = (permute(out, 32, &P) & 0xFFFF_FFFF) as u32;
            six = six.wrapping_add(1);
        }
        number = number.wrapping_add(1);
    }
    tables
}

/// The S-boxes, by the six bits as they come.
#[rustfmt::skip]
const S: [[u8; 64]; 8] = [
    [
        14, 0, 4, 15, 13, 7, 1, 4, 2, 14, 15, 2, 11, 13, 8, 1,
        3, 10, 10, 6, 6, 12, 12, 11, 5, 9, 9, 5, 0, 3, 7, 8,
        4, 15, 1, 12, 14, 8, 8, 2, 13, 4, 6, 9, 2, 1, 11, 7,
        15, 5, 12, 11, 9, 3, 7, 14, 3, 10, 10, 0, 5, 6, 0, 13,
    ],
    [
        15, 3, 1, 13, 8, 4, 14, 7, 6, 15, 11, 2, 3, 8, 4, 14,
        9, 12, 7, 0, 2, 1, 13, 10, 12, 6, 0, 9, 5, 11, 10, 5,
        0, 13, 14, 8, 7, 10, 11, 1, 10, 3, 4, 15, 13, 4, 1, 2,
        5, 11, 8, 6, 12, 7, 6, 12, 9, 0, 3, 5, 2, 14, 15, 9,
    ],
    [
        10, 13, 0, 7, 9, 0, 14, 9, 6, 3, 3, 4, 15, 6, 5, 10,
        1, 2, 13, 8, 12, 5, 7, 14, 11, 12, 4, 11, 2, 15, 8, 1,
        13, 1, 6, 10, 4, 13, 9, 0, 8, 6, 15, 9, 3, 8, 0, 7,
        11, 4, 1, 15, 2, 14, 12, 3, 5, 11, 10, 5, 14, 2, 7, 12,
    ],
    [
        7, 13, 13, 8, 14, 11, 3, 5, 0, 6, 6, 15, 9, 0, 10, 3,
        1, 4, 2, 7, 8, 2, 5, 12, 11, 1, 12, 10, 4, 14, 15, 9,
        10, 3, 6, 15, 9, 0, 0, 6, 12, 10, 11, 1, 7, 13, 13, 8,
        15, 9, 1, 4, 3, 5, 14, 11, 5, 12, 2, 7, 8, 2, 4, 14,
    ],
    [
        2, 14, 12, 11, 4, 2, 1, 12, 7, 4, 10, 7, 11, 13, 6, 1,
        8, 5, 5, 0, 3, 15, 15, 10, 13, 3, 0, 9, 14, 8, 9, 6,
        4, 11, 2, 8, 1, 12, 11, 7, 10, 1, 13, 14, 7, 2, 8, 13,
        15, 6, 9, 15, 12, 0, 5, 9, 6, 10, 3, 4, 0, 5, 14, 3,
    ],
    [
        12, 10, 1, 15, 10, 4, 15, 2, 9, 7, 2, 12, 6, 9, 8, 5,
        0, 6, 13, 1, 3, 13, 4, 14, 14, 0, 7, 11, 5, 3, 11, 8,
        9, 4, 14, 3, 15, 2, 5, 12, 2, 9, 8, 5, 12, 15, 3, 10,
        7, 11, 0, 14, 4, 1, 10, 7, 1, 6, 13, 0, 11, 8, 6, 13,
    ],
    [
        4, 13, 11, 0, 2, 11, 14, 7, 15, 4, 0, 9, 8, 1, 13, 10,
        3, 14, 12, 3, 9, 5, 7, 12, 5, 2, 10, 15, 6, 8, 1, 6,
        1, 6, 4, 11, 11, 13, 13, 8, 12, 1, 3, 4, 7, 10, 14, 7,
        10, 9, 15, 5, 6, 0, 8, 15, 0, 14, 5, 2, 9, 3, 2, 12,
    ],
    [
        13, 1, 2, 15, 8, 13, 4, 8, 6, 10, 15, 3, 11, 7, 1, 4,
        10, 12, 9, 5, 3, 6, 14, 11, 5, 0, 0, 14, 12, 9, 7, 2,
        7, 2, 11, 1, 4, 14, 1, 7, 9, 4, 12, 10, 14, 8, 2, 13,
        0, 15, 6, 12, 10, 9, 13, 0, 15, 3, 3, 5, 5, 6, 8, 11,
    ],
];

#[cfg(test)]
mod tests {
    use des::Des;
    use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_published_block_is_right() {
        let key = Schedule::new(&0x1334_5779_9BBC_DFF1_u64.to_be_bytes());
        assert_eq!(key.encrypt(0x0123_4567_89AB_CDEF), 0x85E8_1354_0F0A_B405);
        assert_eq!(key.decrypt(0x85E8_1354_0F0A_B405), 0x0123_4567_89AB_CDEF);
    }

    proptest! {
        #[test]
        fn it_is_the_des_of_others(key: [u8; 8], block: [u8; 8]) {
            let (ours, theirs) = (Schedule::new(&key), Des::new((&key).into()));
            let (mut there, mut back) = (block, block);
            theirs.encrypt_block((&mut there).into());
            theirs.decrypt_block((&mut back).into());
            let block = u64::from_be_bytes(block);
            prop_assert_eq!(ours.encrypt(block).to_be_bytes(), there);
            prop_assert_eq!(ours.decrypt(block).to_be_bytes(), back);
        }
    }
}
