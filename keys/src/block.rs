//! Building and reading the block of working keys in field 62.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::{BlockKey, refuse_weak};
use crate::layout::{CHECK_LEN, KeyLayout, Part};
use crate::{Algorithm, KeyError, RandomSource};

/// How often a weak draw is drawn again before the source itself is blamed.
const DRAWS: usize = 8;

/// Draws new keys for `layout`, one after the other. They are random in all bits, parity too.
pub(crate) fn draw(
    layout: KeyLayout,
    random: &dyn RandomSource,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut keys = Zeroizing::new(vec![0; layout.keys_len()]);
    let mut rest = keys.as_mut_slice();
    for part in layout.parts() {
        let (key, after) = rest.split_at_mut_checked(part.key).ok_or(wrong_length(part.key))?;
        draw_one(layout.algorithm(), random, key)?;
        rest = after;
    }
    Ok(keys)
}

/// Draws one key that is not weak.
pub(crate) fn draw_one(
    algorithm: Algorithm,
    random: &dyn RandomSource,
    key: &mut [u8],
) -> Result<(), KeyError> {
    for _ in 0..DRAWS {
        random.fill(key)?;
        if refuse_weak(algorithm, key).is_ok() {
            return Ok(());
        }
    }
    Err(KeyError::Randomness)
}

/// Builds the block: each key under `tmk`, its filler, its check value.
pub(crate) fn build(tmk: &BlockKey, layout: KeyLayout, keys: &[u8]) -> Result<Vec<u8>, KeyError> {
    same_algorithm(tmk, layout)?;
    let mut block = Vec::with_capacity(layout.block_len());
    let mut rest = keys;
    for part in layout.parts() {
        let (key, after) = rest.split_at_checked(part.key).ok_or(wrong_length(keys.len()))?;
        let mut slot = Zeroizing::new(key.to_vec());
        tmk.encrypt(&mut slot);
        slot.resize(part.slot, 0);
        block.extend_from_slice(&slot);
        block.extend_from_slice(&BlockKey::new(layout.algorithm(), key)?.check_value());
        rest = after;
    }
    Ok(block)
}

/// Reads a block: the keys one after the other, every check value compared.
///
/// `asked` is the layout the request asked for; the block must then have its length. Whether the
/// MAC key is single or double length, the block itself tells.
pub(crate) fn read(
    tmk: &BlockKey,
    asked: Option<KeyLayout>,
    block: &[u8],
) -> Result<(KeyLayout, Zeroizing<Vec<u8>>), KeyError> {
    let layout = KeyLayout::of_block(block, tmk.algorithm())
        .filter(|layout| asked.is_none_or(|asked| asked.block_len() == layout.block_len()))
        .ok_or(wrong_length(block.len()))?;
    let mut keys = Zeroizing::new(Vec::with_capacity(layout.keys_len()));
    let mut rest = block;
    for part in layout.parts() {
        let (slot, after) = rest.split_at_checked(part.slot).ok_or(wrong_length(block.len()))?;
        let (check, after) = after.split_at_checked(CHECK_LEN).ok_or(wrong_length(block.len()))?;
        keys.extend_from_slice(&read_one(tmk, layout, part, slot, check)?);
        rest = after;
    }
    Ok((layout, keys))
}

fn read_one(
    tmk: &BlockKey,
    layout: KeyLayout,
    part: &Part,
    slot: &[u8],
    check: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let cipher_text = slot.get(..part.key).ok_or(wrong_length(slot.len()))?;
    let mut key = Zeroizing::new(cipher_text.to_vec());
    tmk.decrypt(&mut key);
    let right = BlockKey::new(layout.algorithm(), &key)?.check_value();
    if bool::from(right.ct_eq(check)) {
        Ok(key)
    } else {
        Err(KeyError::CheckValue { usage: part.usage })
    }
}

fn same_algorithm(tmk: &BlockKey, layout: KeyLayout) -> Result<(), KeyError> {
    if tmk.algorithm() == layout.algorithm() { Ok(()) } else { Err(KeyError::LayoutNotForKey) }
}

const fn wrong_length(got: usize) -> KeyError {
    KeyError::KeyBlockLength { got }
}
