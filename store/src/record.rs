//! One entry as it is stored, and a run of them.
//!
//! | bytes | what |
//! |---|---|
//! | 0-3 | length of the body, little-endian |
//! | 4 | shard |
//! | 5-12 | number of the entry in the shard, little-endian |
//! | 13-28 | chain |
//! | 29- | body: the event in postcard form |

use domain::shard::Event;
use domain::terms::ShardNo;
use postcard::ser_flavors::Flavor;

use crate::chain::Chain;

/// The bytes before the body of a record.
pub(crate) const PREFIX: usize = 29;

/// A record in a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'b> {
    pub(crate) shard: ShardNo,
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    pub(crate) body: &'b [u8],
}

impl Record<'_> {
    /// Returns the event, or `None` if the body is none.
    pub(crate) fn event(&self) -> Option<Event> {
        match postcard::take_from_bytes(self.body) {
            Ok((event, [])) => Some(event),
            Ok((_, [_, ..])) | Err(_) => None,
        }
    }
}

/// Appends the stored form of an event to a buffer.
struct Appending<'b>(&'b mut Vec<u8>);

impl Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Makes `buffer` the record of the entry `seq` of `shard` that follows `before`, and returns its
/// chain. What was in the buffer is gone; its room is used again.
pub(crate) fn encode(
    buffer: &mut Vec<u8>,
    before: Chain,
    (shard, seq): (ShardNo, u64),
    event: &Event,
) -> Chain {
    buffer.clear();
    buffer.resize(PREFIX, 0);
    postcard::serialize_with_flavor(event, Appending(buffer))
        .expect("every event has a stored form");
    let (prefix, body) = buffer.split_at_mut(PREFIX);
    let chain = before.then(shard, seq, body);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let fields = length.to_le_bytes().into_iter().chain([shard.0]).chain(seq.to_le_bytes());
    prefix.iter_mut().zip(fields.chain(chain.0)).for_each(|(to, from)| *to = from);
    chain
}

/// Takes the first record off `bytes`, or returns `None` if there is no whole one.
pub(crate) fn take<'b>(bytes: &mut &'b [u8]) -> Option<Record<'b>> {
    let mut rest = *bytes;
    let length = u32::from_le_bytes(*split(&mut rest)?);
    let [shard] = *split(&mut rest)?;
    let seq = u64::from_le_bytes(*split(&mut rest)?);
    let chain = Chain(*split(&mut rest)?);
    let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(Record { shard: ShardNo(shard), seq, chain, body })
}

/// Takes `N` bytes off the front of `bytes`.
pub(crate) fn split<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use domain::terms::BusinessDate;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let event = Event::CutOff(BusinessDate::new(2026, 11, 22).unwrap());
        let mut buffer = vec![7; 90];
        let chain = encode(&mut buffer, Chain::GENESIS, (ShardNo(9), 1), &event);
        let mut rest = &buffer[..];
        let record = take(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!((record.shard, record.seq, record.chain), (ShardNo(9), 1, chain));
        assert_eq!(record.event(), Some(event));
        assert_eq!(Chain::GENESIS.then(ShardNo(9), 1, record.body), chain);
    }

    #[test]
    fn a_record_that_is_cut_short_is_none() {
        let event = Event::CutOff(BusinessDate::new(2026, 11, 22).unwrap());
        let mut buffer = Vec::new();
        encode(&mut buffer, Chain::GENESIS, (ShardNo(9), 1), &event);
        for length in 0..buffer.len() {
            assert!(take(&mut &buffer[..length]).is_none(), "{length}");
        }
    }
}
