//! Names and numbers of things. Each is its own type, so that two of them never change places.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SHARDS;

/// The surrogate of a card: what the journal and the ledger know it by. Says nothing of its PAN.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct CardId(pub u64);

/// One of the [`SHARDS`] logical shards.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct ShardNo(pub u8);

impl ShardNo {
    /// Every shard, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// Returns the place of the shard in a table of [`SHARDS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

const _: () = assert!(SHARDS == 1 << u8::BITS, "a shard number is one byte");

impl CardId {
    /// Returns the shard that owns the card's account. Neighbouring ids land far apart.
    #[must_use]
    pub const fn shard(self) -> ShardNo {
        let mut x = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ShardNo(((x ^ (x >> 31)) >> 56) as u8)
    }
}

/// A terminal id as F41 carries it: eight characters.
#[derive(Clone, Copy, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct TerminalId(pub [u8; 8]);

impl TerminalId {
    /// Returns the id if `text` is eight printable ASCII characters.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let id: [u8; 8] = text.try_into().ok()?;
        id.iter().all(u8::is_ascii_graphic).then_some(Self(id))
    }

    /// Returns the shard that owns the terminal's state.
    #[must_use]
    pub const fn shard(self) -> ShardNo {
        CardId(u64::from_be_bytes(self.0)).shard()
    }
}

/// A merchant id as F42 carries it: fifteen characters.
#[derive(Clone, Copy, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct MerchantId(pub [u8; 15]);

impl MerchantId {
    /// Returns the id if `text` is fifteen printable ASCII characters.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let id: [u8; 15] = text.try_into().ok()?;
        id.iter().all(u8::is_ascii_graphic).then_some(Self(id))
    }
}

macro_rules! show_as_text {
    ($($id:ty),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{}", byte.escape_ascii()))
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
show_as_text!(TerminalId, MerchantId, AuthCode);

/// A system trace audit number (F11): 1 to 999 999, counted by the terminal, wraps to 1.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct Stan(u32);

/// A terminal batch number (F60.2): 1 to 999 999, rolls over to 1 after a close.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct BatchNo(u32);

impl BatchNo {
    /// The batch a fresh terminal begins with.
    pub const FIRST: Self = Self(1);
}

macro_rules! six_digits {
    ($($id:ty),*) => {$(
        impl $id {
            /// Returns the number if it is 1 to 999 999.
            #[must_use]
            pub const fn new(number: u32) -> Option<Self> {
                if number >= 1 && number <= 999_999 { Some(Self(number)) } else { None }
            }

            /// Returns the number.
            #[must_use]
            pub const fn number(self) -> u32 {
                self.0
            }

            /// Returns the one that follows; 999 999 is followed by 1.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 >= 999_999 { Self(1) } else { Self(self.0.wrapping_add(1)) }
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:06}", self.0)
            }
        }
    )*};
}
six_digits!(Stan, BatchNo);

/// A retrieval reference number (F37): three digits of the shard and nine of the entry's number
/// in it. So it is unique for a thousand million entries a shard, needs no counter of its own,
/// and says where to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Rrn {
    /// The shard that holds the entry.
    pub shard: ShardNo,
    /// The entry's number in the shard, modulo 1 000 000 000.
    pub number: u32,
}

impl Rrn {
    const NUMBERS: u64 = 1_000_000_000;

    /// Returns the reference of entry `seq` of `shard`.
    #[must_use]
    pub const fn of(shard: ShardNo, seq: u64) -> Self {
        Self { shard, number: (seq % Self::NUMBERS) as u32 }
    }

    /// Returns the reference from the twelve digits of F37, or `None` if it is none of ours.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 12)?;
        let (shard, number) = text.split_at_checked(3)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { shard: ShardNo(shard.parse().ok()?), number: number.parse().ok()? })
    }
}

impl fmt::Display for Rrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}{:09}", self.shard.0, self.number)
    }
}

/// An authorisation code (F38): six digits, only on approvals.
#[derive(Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct AuthCode(pub [u8; 6]);

impl AuthCode {
    /// Returns the code of entry `seq` of `shard`: the same each time, and not to be guessed
    /// from the one before at a glance.
    #[must_use]
    pub const fn of(shard: ShardNo, seq: u64) -> Self {
        let mixed = seq.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((shard.0 as u64) << 40);
        let code = (mixed >> 20) % 1_000_000;
        Self([
            digit(code / 100_000),
            digit(code / 10_000),
            digit(code / 1_000),
            digit(code / 100),
            digit(code / 10),
            digit(code),
        ])
    }
}

/// Returns the last digit of `number` in ASCII.
const fn digit(number: u64) -> u8 {
    b'0'.wrapping_add((number % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_to_one_and_never_are_zero() {
        assert_eq!(Stan::new(0), None);
        assert_eq!(Stan::new(1_000_000), None);
        assert_eq!(Stan::new(999_999).unwrap().next(), Stan::new(1).unwrap());
        assert_eq!(BatchNo::new(41).unwrap().next(), BatchNo::new(42).unwrap());
    }

    #[test]
    fn a_reference_is_read_back_as_written() {
        let rrn = Rrn::of(ShardNo(7), 1_000_000_042);
        assert_eq!(rrn.to_string(), "007000000042");
        assert_eq!(Rrn::parse(b"007000000042"), Some(rrn));
        for not_ours in [&b"256000000001"[..], b"00700000004", b"00700000004x", b"+07000000042"] {
            assert_eq!(Rrn::parse(not_ours), None);
        }
    }

    #[test]
    fn cards_spread_over_all_shards() {
        let mut seen = [0_u32; SHARDS];
        (1..=25_600).for_each(|id| seen[CardId(id).shard().index()] += 1);
        assert!(seen.iter().all(|&cards| (50..=170).contains(&cards)), "{seen:?}");
    }
}
