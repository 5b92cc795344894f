//! A second reader of batches and records, made from their description alone.

use std::collections::BTreeMap;

use domain::shard::Event;

use super::{SECTOR, dress};

/// What a segment holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Entries of whole batches.
    pub(super) entries: Vec<Record>,
    /// Where each batch ends, and how many entries there are up to it.
    pub(super) ends: Vec<(usize, usize)>,
    /// True if what follows them is no end of a journal.
    pub(super) is_faulty: bool,
}

/// An entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) shard: u8,
    pub(super) seq: u64,
    pub(super) chain: [u8; 16],
    pub(super) event: Event,
}

/// The header of a batch.
struct Header {
    batch: u64,
    first: u64,
    length: usize,
    count: u32,
    records: usize,
    before: u32,
    sum: u32,
    link: u32,
}

/// The shards, each with the number and the chain of its last entry.
type Tails = BTreeMap<u8, (u64, [u8; 16])>;

/// Reads what stands after the header of the segment.
pub(super) fn read(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut tails = Tails::new();
    let (mut place, mut batch, mut link) = (0, 0, 0);
    while place < bytes.len() {
        let Some(header) = header(&bytes[place..]).filter(|header| header.batch > batch) else {
            found.is_faulty = has_follower(bytes, place, batch);
            break;
        };
        let is_next = header.batch == batch + 1;
        let whole = bytes[place..].get(..header.length);
        let is_whole = whole.is_some_and(|whole| dress::sum(&whole[64..]) == header.sum);
        if is_next && !is_whole {
            found.is_faulty = has_follower(bytes, place, batch);
            break;
        }
        let follows =
            is_next && header.first == found.entries.len() as u64 + 1 && header.before == link;
        let records = whole.filter(|_| follows).map(|whole| &whole[64..64 + header.records]);
        let Some(entries) = records.and_then(|bytes| entries(bytes, header.count, &mut tails))
        else {
            found.is_faulty = true;
            break;
        };
        found.entries.extend(entries);
        (batch, link) = (header.batch, header.link);
        place += header.length;
        found.ends.push((place, found.entries.len()));
    }
    found
}

/// Reads a header, if there is one: its own sum is right, and its lengths can be.
fn header(bytes: &[u8]) -> Option<Header> {
    let head = bytes.get(..64)?;
    let long = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
    let short = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
    let (length, records) = (short(32) as usize, short(40) as usize);
    let is_valid = head[..8] == *b"POSPBAT1"
        && long(8) == super::SEGMENT
        && long(52) == 0
        && short(60) == dress::sum(&head[..60])
        && length.is_multiple_of(SECTOR)
        && length >= records + 64;
    is_valid.then(|| Header {
        batch: long(16),
        first: long(24),
        length,
        count: short(36),
        records,
        before: short(44),
        sum: short(48),
        link: short(60),
    })
}

/// Says whether a later batch stands behind bytes that are none: then those were one.
fn has_follower(bytes: &[u8], bad: usize, batch: u64) -> bool {
    let sectors = bytes[bad..].chunks(SECTOR).skip(1);
    sectors.filter_map(header).any(|header| header.batch > batch)
}

/// Reads the records of a batch, if all follow those before them.
fn entries(mut rest: &[u8], count: u32, tails: &mut Tails) -> Option<Vec<Record>> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let (record, length) = record(rest, tails)?;
        entries.push(record);
        rest = &rest[length..];
    }
    rest.is_empty().then_some(entries)
}

fn record(bytes: &[u8], tails: &mut Tails) -> Option<(Record, usize)> {
    let (prefix, rest) = bytes.split_at_checked(29)?;
    let length = u32::from_le_bytes(prefix[..4].try_into().unwrap()) as usize;
    let body = rest.get(..length)?;
    let (shard, seq) = (prefix[4], u64::from_le_bytes(prefix[5..13].try_into().unwrap()));
    let chain: [u8; 16] = prefix[13..].try_into().unwrap();
    let tail = tails.entry(shard).or_default();
    if seq != tail.0 + 1 || chain != dress::chain(tail.1, shard, seq, body) {
        return None;
    }
    *tail = (seq, chain);
    let (event, []) = postcard::take_from_bytes::<Event>(body).ok()? else { return None };
    Some((Record { shard, seq, chain, event }, 29 + length))
}
