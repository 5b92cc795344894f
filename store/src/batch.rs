//! A batch: what is written and synced at once.
//!
//! A batch begins on a sector, ends on one, and is written by one contiguous write. Numbers are
//! little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0-7 | `POSPBAT1` |
//! | 8-15 | segment it is written for |
//! | 16-23 | number of the batch, counted from 1 |
//! | 24-31 | number of its first entry in the journal |
//! | 32-35 | length of the batch, with this header and the padding |
//! | 36-39 | number of entries; none in the batch that a clean close leaves |
//! | 40-43 | length of the records |
//! | 44-47 | link of the batch before: bytes 60-63 of its header |
//! | 48-51 | CRC-32C of everything after the header |
//! | 52-59 | zero |
//! | 60-63 | CRC-32C of bytes 0-59 |
//! | 64- | records, then zeros up to a sector |
//!
//! Both sums begin with one over the node and the segment, so that bytes of another journal or
//! of another segment are never valid, however well formed. The header has a sum of its own
//! because recovery must know a header beside a damaged body.

use crate::home::NodeId;
use crate::record::split;

/// What a disk writes whole. No two batches share one, so that a write which is cut off cannot
/// hurt the batch before.
pub(crate) const SECTOR: usize = 512;
/// The length of the header of a batch.
pub(crate) const HEADER: usize = 64;
const MAGIC: [u8; 8] = *b"POSPBAT1";

/// A place between two batches, and what stands before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Mark {
    /// The last entry before it.
    pub(crate) lsn: u64,
    /// The number of the batch before it.
    pub(crate) batch: u64,
    /// The segment of that batch.
    pub(crate) segment: u64,
    /// Where that batch begins.
    pub(crate) start: u64,
    /// Where it ends.
    pub(crate) end: u64,
    /// Its link.
    pub(crate) link: u32,
}

impl Mark {
    /// The place before the first batch.
    pub(crate) const GENESIS: Self =
        Self { lsn: 0, batch: 0, segment: 1, start: 0, end: crate::segment::FILE_HEADER, link: 0 };
}

/// The header of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) batch: u64,
    pub(crate) first: u64,
    pub(crate) length: u32,
    pub(crate) count: u32,
    pub(crate) records: u32,
    pub(crate) before: u32,
    pub(crate) sum: u32,
    /// Its own sum, by which the next batch knows it.
    pub(crate) link: u32,
}

/// What the sums of a segment begin with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    segment: u64,
    sum: u32,
}

impl Seed {
    pub(crate) fn new(node: NodeId, segment: u64) -> Self {
        let sum = crc32c::crc32c_append(crc32c::crc32c(&node.0), &segment.to_le_bytes());
        Self { segment, sum }
    }

    pub(crate) fn sum(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(self.sum, bytes)
    }

    /// Reads the header at the front of `bytes`, or returns `None` if there is no valid one.
    pub(crate) fn header(self, bytes: &[u8]) -> Option<Header> {
        let (header, _) = bytes.split_at_checked(HEADER)?;
        let (fields, _) = header.split_at_checked(60)?;
        let mut rest = header;
        let magic = *split(&mut rest)?;
        let segment = u64::from_le_bytes(*split(&mut rest)?);
        let batch = u64::from_le_bytes(*split(&mut rest)?);
        let first = u64::from_le_bytes(*split(&mut rest)?);
        let length = u32::from_le_bytes(*split(&mut rest)?);
        let count = u32::from_le_bytes(*split(&mut rest)?);
        let records = u32::from_le_bytes(*split(&mut rest)?);
        let before = u32::from_le_bytes(*split(&mut rest)?);
        let sum = u32::from_le_bytes(*split(&mut rest)?);
        let zero = u64::from_le_bytes(*split(&mut rest)?);
        let link = u32::from_le_bytes(*split(&mut rest)?);
        let is_valid = magic == MAGIC
            && segment == self.segment
            && zero == 0
            && link == self.sum(fields)
            && usize::try_from(length).is_ok_and(|length| length.is_multiple_of(SECTOR))
            && u64::from(length) >= u64::from(records).saturating_add(HEADER as u64);
        is_valid.then_some(Header { batch, first, length, count, records, before, sum, link })
    }
}

/// Makes `bytes`, which is [`HEADER`] bytes of anything and the records after them, the batch
/// that follows `mark`. Returns the place after it, in segment `to` from byte `start` on.
pub(crate) fn seal(
    bytes: &mut Vec<u8>,
    count: u32,
    mark: Mark,
    (node, to, start): (NodeId, u64, u64),
) -> Mark {
    let seed = Seed::new(node, to);
    let records = bytes.len().saturating_sub(HEADER);
    bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
    let length = bytes.len();
    let number = |length: usize| u32::try_from(length).expect("a batch is shorter than 4 GiB");
    let (header, body) = bytes.split_at_mut(HEADER);
    let batch = mark.batch.saturating_add(1);
    let fields = MAGIC
        .into_iter()
        .chain(to.to_le_bytes())
        .chain(batch.to_le_bytes())
        .chain(mark.lsn.saturating_add(1).to_le_bytes())
        .chain(number(length).to_le_bytes())
        .chain(count.to_le_bytes())
        .chain(number(records).to_le_bytes())
        .chain(mark.link.to_le_bytes())
        .chain(seed.sum(body).to_le_bytes())
        .chain([0; 8]);
    header.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    let (fields, own) = header.split_at_mut(60);
    let link = seed.sum(fields);
    own.copy_from_slice(&link.to_le_bytes());
    Mark {
        lsn: mark.lsn.saturating_add(u64::from(count)),
        batch,
        segment: to,
        start,
        end: start.saturating_add(length as u64),
        link,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([7; 16]);

    fn sealed() -> (Vec<u8>, Mark) {
        let mut bytes = vec![0xAA; HEADER + 700];
        let mark = Mark { lsn: 41, batch: 8, segment: 2, start: 0, end: 4096, link: 99 };
        let after = seal(&mut bytes, 3, mark, (NODE, 2, 4096));
        (bytes, after)
    }

    #[test]
    fn what_is_sealed_is_read() {
        let (bytes, after) = sealed();
        assert_eq!(bytes.len(), 1024);
        let header = Seed::new(NODE, 2).header(&bytes).unwrap();
        assert_eq!((header.batch, header.first, header.count), (9, 42, 3));
        assert_eq!((header.length, header.records, header.before), (1024, 700, 99));
        assert_eq!(header.sum, Seed::new(NODE, 2).sum(&bytes[HEADER..]));
        let expected =
            Mark { lsn: 44, batch: 9, segment: 2, start: 4096, end: 5120, link: header.link };
        assert_eq!(after, expected);
    }

    #[test]
    fn a_header_of_another_life_is_none() {
        let (bytes, _) = sealed();
        assert_eq!(Seed::new(NODE, 3).header(&bytes), None);
        assert_eq!(Seed::new(NodeId([8; 16]), 2).header(&bytes), None);
    }

    #[test]
    fn a_header_with_a_flipped_bit_is_none() {
        let (bytes, _) = sealed();
        for place in 0..HEADER * 8 {
            let mut bytes = bytes.clone();
            bytes[place / 8] ^= 1 << (place % 8);
            assert_eq!(Seed::new(NODE, 2).header(&bytes), None, "bit {place}");
        }
    }
}
