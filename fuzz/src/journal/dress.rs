//! Makes right what nobody can guess: sums, numbers and chains.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{NODE, SECTOR, SEGMENT};

/// Sums and marks of each batch are made right.
const SUMS: u8 = 1;
/// Each batch follows the one before, and ends where there are bytes.
const ORDER: u8 = 2;
/// Each entry follows the one before in its shard, and batches hold as many as they say.
const CHAINS: u8 = 4;

/// Returns the header of a segment of `length` bytes.
pub(super) fn header(length: usize) -> Vec<u8> {
    let mut header = b"POSPSEG2".to_vec();
    header.extend(NODE);
    header.extend(SEGMENT.to_le_bytes());
    header.extend((length as u64).to_le_bytes());
    header.resize(4092, 0);
    let sum = crc32c::crc32c(&header);
    header.extend(sum.to_le_bytes());
    header
}

/// The sum over bytes of the segment.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    let seed = crc32c::crc32c(&[NODE.as_slice(), &SEGMENT.to_le_bytes()].concat());
    crc32c::crc32c_append(seed, bytes)
}

/// The chain of an entry.
pub(super) fn chain(before: [u8; 16], shard: u8, seq: u64, body: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update([shard]);
    hash.update(seq.to_be_bytes());
    hash.update(body);
    hash.finalize()[..16].try_into().unwrap()
}

/// Makes right what `choice` asks for, batch by batch.
pub(super) fn dress(bytes: &mut [u8], choice: u8) {
    let does = |what| choice & what != 0;
    let mut tails = BTreeMap::new();
    let (mut batch, mut first, mut link) = (1_u64, 1_u64, 0_u32);
    let mut place = 0;
    while place < bytes.len() {
        let left = bytes.len() - place;
        let mut length = number(bytes, place + 32);
        if does(ORDER) {
            let fits = (SECTOR..=left).contains(&length) && length.is_multiple_of(SECTOR);
            length = if fits { length } else { left };
            put(bytes, place + 32, &narrow(length));
        }
        if !(SECTOR..=left).contains(&length) || !length.is_multiple_of(SECTOR) {
            length = SECTOR;
        }
        let whole = &mut bytes[place..place + length];
        if does(CHAINS) {
            let room = number(whole, 40).min(length - 64);
            let (used, count) = follow(&mut whole[64..64 + room], &mut tails);
            put(whole, 36, &narrow(count));
            put(whole, 40, &narrow(used));
        }
        if does(ORDER) {
            put(whole, 16, &batch.to_le_bytes());
            put(whole, 24, &first.to_le_bytes());
            put(whole, 44, &link.to_le_bytes());
        }
        if does(SUMS) {
            put(whole, 0, b"POSPBAT1");
            put(whole, 8, &SEGMENT.to_le_bytes());
            let body = sum(&whole[64..]);
            put(whole, 48, &body.to_le_bytes());
            put(whole, 52, &[0; 8]);
            let own = sum(&whole[..60]);
            put(whole, 60, &own.to_le_bytes());
        }
        batch += 1;
        first = first.saturating_add(number(whole, 36) as u64);
        link = narrow_of(whole, 60);
        place += length;
    }
}

/// Numbers and chains the records at the front of `bytes`; returns how many bytes and how many
/// records they are.
fn follow(bytes: &mut [u8], tails: &mut BTreeMap<u8, (u64, [u8; 16])>) -> (usize, usize) {
    let (mut used, mut count) = (0, 0);
    while used + 29 <= bytes.len() {
        let length = number(bytes, used);
        let Some(end) = Some(used + 29 + length).filter(|end| *end <= bytes.len()) else { break };
        let shard = bytes[used + 4];
        let tail = tails.entry(shard).or_default();
        tail.0 += 1;
        tail.1 = chain(tail.1, shard, tail.0, &bytes[used + 29..end]);
        let (seq, link) = *tail;
        put(bytes, used + 5, &seq.to_le_bytes());
        put(bytes, used + 13, &link);
        (used, count) = (end, count + 1);
    }
    (used, count)
}

fn put(bytes: &mut [u8], place: usize, what: &[u8]) {
    bytes[place..place + what.len()].copy_from_slice(what);
}

fn narrow_of(bytes: &[u8], place: usize) -> u32 {
    u32::from_le_bytes(bytes[place..place + 4].try_into().unwrap())
}

fn number(bytes: &[u8], place: usize) -> usize {
    narrow_of(bytes, place) as usize
}

fn narrow(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_le_bytes()
}
