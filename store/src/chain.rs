//! The hash chain of a shard: every entry names all entries before it.

use std::fmt;

use domain::terms::{SHARDS, ShardNo};
use sha2::{Digest as _, Sha256};

/// What an entry's place in its shard amounts to: the first 16 bytes of SHA-256 over the chain
/// before it, the shard (1 byte), the number of the entry (8 bytes, big-endian) and the stored
/// form of the event. Two histories that agree here agree in every entry before.
#[derive(Clone, Copy, Default, Eq, PartialEq, Hash)]
pub struct Chain(pub [u8; 16]);

/// The last entry of every shard: its number and its chain. Zero and [`Chain::GENESIS`] where
/// there is none.
pub type Positions = [(u64, Chain); SHARDS];

impl Chain {
    /// The chain before the first entry.
    pub const GENESIS: Self = Self([0; 16]);

    /// Returns the chain of the entry `seq` of `shard` that follows this one, whose stored form
    /// is `body`.
    #[must_use]
    pub fn then(self, shard: ShardNo, seq: u64, body: &[u8]) -> Self {
        let mut place = [0; 25];
        let (before, number) = place.split_at_mut(17);
        for (to, from) in before.iter_mut().zip(self.0.iter().chain([&shard.0])) {
            *to = *from;
        }
        number.copy_from_slice(&seq.to_be_bytes());
        let mut hash = Sha256::new();
        hash.update(place);
        hash.update(body);
        let digest: [u8; 32] = hash.finalize().into();
        let mut chain = [0; 16];
        for (to, from) in chain.iter_mut().zip(digest) {
            *to = from;
        }
        Self(chain)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_the_hash_of_all_that_it_names() {
        let chain = Chain::GENESIS.then(ShardNo(3), 1, b"opened");
        let mut whole = vec![0; 16];
        whole.push(3);
        whole.extend(1_u64.to_be_bytes());
        whole.extend(b"opened");
        assert_eq!(chain.0[..], Sha256::digest(&whole)[..16]);
    }

    #[test]
    fn any_difference_shows() {
        let chain = Chain::GENESIS.then(ShardNo(3), 1, b"opened");
        for other in [
            Chain::GENESIS.then(ShardNo(4), 1, b"opened"),
            Chain::GENESIS.then(ShardNo(3), 2, b"opened"),
            Chain::GENESIS.then(ShardNo(3), 1, b"opener"),
            chain.then(ShardNo(3), 1, b"opened"),
        ] {
            assert_ne!(chain, other);
        }
    }
}
