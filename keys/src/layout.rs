//! The layouts of the working keys in field 62 of a sign-on response.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, KeyUsage};

/// How working keys stand in field 62 of a sign-on response.
///
/// Each key is its cipher text under the terminal master key (ECB, block by block) and a 4-byte
/// check value, in the order PIN, MAC, track, without separators. Names are the cipher and the
/// length in bytes. In the `A` forms the MAC key is single DES: 8 bytes, then 8 bytes of zero
/// before its check value. In the `B` forms it is double length.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyLayout {
    /// PIN 8 + 4, MAC 8 + 4. Field 60.3 is `001`.
    Des24,
    /// PIN 16 + 4, MAC 8 + 8 zero + 4. Field 60.3 is `003`; what terminals usually expect.
    Des40A,
    /// PIN 16 + 4, MAC 16 + 4. Field 60.3 is `003`.
    Des40B,
    /// PIN 24 + 4, MAC 24 + 4. Field 60.3 is `003` or `004`.
    Des56,
    /// `Des40A`, track 16 + 4. Field 60.3 is `004`.
    Des60A,
    /// `Des40B`, track 16 + 4. Field 60.3 is `004`.
    Des60B,
    /// PIN 24 + 4, MAC 24 + 4, track 24 + 4. Field 60.3 is `004`.
    Des84,
    /// PIN 16 + 4, MAC 16 + 4. Field 60.3 is `005`.
    Sm4x40,
    /// PIN 16 + 4, MAC 16 + 4, track 16 + 4. Field 60.3 is `006`.
    Sm4x60,
}

/// One key's place: `key` bytes of cipher text, zeros up to `slot` bytes, then the check value.
pub(crate) struct Part {
    pub(crate) usage: KeyUsage,
    pub(crate) key: usize,
    pub(crate) slot: usize,
}

const fn part(usage: KeyUsage, key: usize, slot: usize) -> Part {
    Part { usage, key, slot }
}

/// Length of a check value in a block of keys, in bytes.
pub(crate) const CHECK_LEN: usize = 4;

impl KeyLayout {
    /// Every layout, shortest first.
    pub const ALL: [Self; 9] = [
        Self::Des24,
        Self::Des40A,
        Self::Des40B,
        Self::Sm4x40,
        Self::Des56,
        Self::Des60A,
        Self::Des60B,
        Self::Sm4x60,
        Self::Des84,
    ];

    /// Chooses the layout to answer a sign-on request with.
    ///
    /// `f60_3` is what the terminal asks for (network management code, field 60.3), `default` what
    /// is configured for it; the default decides between forms of one request: single or double
    /// MAC key, double or triple length. `None` if the request is unknown or not for the master
    /// key's algorithm. A request for single DES (`001`) is met only if the default is
    /// [`Self::Des24`]: a sign-on request is not authenticated, so it must not be able to weaken
    /// the keys.
    #[must_use]
    pub const fn for_request(
        f60_3: &[u8; 3],
        tmk_algorithm: Algorithm,
        default: Self,
    ) -> Option<Self> {
        match (f60_3, tmk_algorithm) {
            (b"001", Algorithm::Des) => match default {
                Self::Des24 => Some(Self::Des24),
                Self::Des40A
                | Self::Des40B
                | Self::Des56
                | Self::Des60A
                | Self::Des60B
                | Self::Des84
                | Self::Sm4x40
                | Self::Sm4x60 => None,
            },
            (b"003", Algorithm::Des) => match default {
                Self::Des24 | Self::Des40A | Self::Des60A => Some(Self::Des40A),
                Self::Des40B | Self::Des60B => Some(Self::Des40B),
                Self::Des56 | Self::Des84 => Some(Self::Des56),
                Self::Sm4x40 | Self::Sm4x60 => None,
            },
            (b"004", Algorithm::Des) => match default {
                Self::Des24 | Self::Des40A | Self::Des60A => Some(Self::Des60A),
                Self::Des40B | Self::Des60B => Some(Self::Des60B),
                Self::Des56 => Some(Self::Des56),
                Self::Des84 => Some(Self::Des84),
                Self::Sm4x40 | Self::Sm4x60 => None,
            },
            (b"005", Algorithm::Sm4) => Some(Self::Sm4x40),
            (b"006", Algorithm::Sm4) => Some(Self::Sm4x60),
            _ => None,
        }
    }

    /// Tells the layout of a received block from its length and, where two share one, its filler.
    ///
    /// A block of 40 or 60 bytes under a DES key is form A if bytes 28 to 35 are zero.
    #[must_use]
    pub fn of_block(block: &[u8], tmk_algorithm: Algorithm) -> Option<Self> {
        let single_mac = block.get(28..36).is_some_and(|filler| filler == [0; 8]);
        match (tmk_algorithm, block.len()) {
            (Algorithm::Des, 24) => Some(Self::Des24),
            (Algorithm::Des, 40) => Some(if single_mac { Self::Des40A } else { Self::Des40B }),
            (Algorithm::Des, 56) => Some(Self::Des56),
            (Algorithm::Des, 60) => Some(if single_mac { Self::Des60A } else { Self::Des60B }),
            (Algorithm::Des, 84) => Some(Self::Des84),
            (Algorithm::Sm4, 40) => Some(Self::Sm4x40),
            (Algorithm::Sm4, 60) => Some(Self::Sm4x60),
            _ => None,
        }
    }

    /// The cipher of the keys, and of the master key that protects them.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Des24
            | Self::Des40A
            | Self::Des40B
            | Self::Des56
            | Self::Des60A
            | Self::Des60B
            | Self::Des84 => Algorithm::Des,
            Self::Sm4x40 | Self::Sm4x60 => Algorithm::Sm4,
        }
    }

    /// Length of the block in bytes.
    #[must_use]
    pub fn block_len(self) -> usize {
        self.parts().iter().map(|part| part.slot.saturating_add(CHECK_LEN)).sum()
    }

    /// Length of the keys alone in bytes, as they stand one after the other when sealed.
    pub(crate) fn keys_len(self) -> usize {
        self.parts().iter().map(|part| part.key).sum()
    }

    pub(crate) const fn parts(self) -> &'static [Part] {
        use KeyUsage::{Mac, Pin, Track};
        match self {
            Self::Des24 => const { &[part(Pin, 8, 8), part(Mac, 8, 8)] },
            Self::Des40A => const { &[part(Pin, 16, 16), part(Mac, 8, 16)] },
            Self::Des40B | Self::Sm4x40 => const { &[part(Pin, 16, 16), part(Mac, 16, 16)] },
            Self::Des56 => const { &[part(Pin, 24, 24), part(Mac, 24, 24)] },
            Self::Des60A => const { &[part(Pin, 16, 16), part(Mac, 8, 16), part(Track, 16, 16)] },
            Self::Des60B | Self::Sm4x60 => {
                const { &[part(Pin, 16, 16), part(Mac, 16, 16), part(Track, 16, 16)] }
            }
            Self::Des84 => const { &[part(Pin, 24, 24), part(Mac, 24, 24), part(Track, 24, 24)] },
        }
    }
}
