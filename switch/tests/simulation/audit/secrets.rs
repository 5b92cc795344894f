//! Secrets that must not turn up anywhere but on the wire.

use std::collections::HashMap;

use crate::cast::Cast;

/// A needle is looked for by its first bytes.
const HEAD: usize = 8;
/// Bits of the sieve that most bytes fall through.
const SIEVE_BITS: u32 = 16;

/// Card numbers, keys and PIN blocks, in every form they may be printed or stored in.
pub struct Canaries {
    needles: HashMap<[u8; HEAD], Vec<Vec<u8>>>,
    sieve: Vec<u64>,
}

impl Default for Canaries {
    fn default() -> Self {
        Self { needles: HashMap::new(), sieve: vec![0; 1 << (SIEVE_BITS - 6)] }
    }
}

impl Canaries {
    pub fn of(cast: &Cast) -> Self {
        let mut canaries = Self::default();
        for card in &cast.cards {
            let digits = card.plastic.pan.digits().as_bytes();
            canaries.add(digits.to_vec());
            canaries.add(debugged(digits));
            // As digits of a message, from an even place and from an odd one.
            for digits in [digits, &digits[1..]] {
                let pairs = digits.chunks_exact(2);
                canaries.add(pairs.map(|p| (p[0] - b'0') << 4 | (p[1] - b'0')).collect());
            }
        }
        for terminal in &cast.terminals {
            canaries.add_bytes(terminal.tmk.as_bytes());
        }
        canaries
    }

    /// Adds bytes, as they are and as they may be printed.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        // Where the block is in another field, this one is zero.
        if bytes.iter().all(|&byte| byte == 0) {
            return;
        }
        self.add(bytes.to_vec());
        self.add(debugged(bytes));
        self.add(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        self.add(bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
    }

    fn add(&mut self, needle: Vec<u8>) {
        let head: [u8; HEAD] = needle[..HEAD].try_into().unwrap();
        let (word, bit) = place(head);
        self.sieve[word] |= bit;
        let needles = self.needles.entry(head).or_default();
        if !needles.contains(&needle) {
            needles.push(needle);
        }
    }

    /// Returns where in `bytes` a secret begins, or `None` if there is none.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes.array_windows::<HEAD>().enumerate().find_map(|(at, head)| {
            let (word, bit) = place(*head);
            let is_it = |needle: &Vec<u8>| bytes[at..].starts_with(needle);
            let is_found = self.sieve[word] & bit != 0 && self.needles.get(head)?.iter().any(is_it);
            is_found.then_some(at)
        })
    }
}

fn place(head: [u8; HEAD]) -> (usize, u64) {
    let mixed = u64::from_le_bytes(head).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let slot = mixed >> (64 - SIEVE_BITS);
    ((slot / 64) as usize, 1 << (slot % 64))
}

/// Bytes as a derived `Debug` prints them.
fn debugged(bytes: &[u8]) -> Vec<u8> {
    format!("{bytes:?}").trim_matches(['[', ']']).as_bytes().to_vec()
}
