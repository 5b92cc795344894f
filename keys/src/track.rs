//! Enciphering of track 2 and track 3 in place.

use zeroize::Zeroizing;

use crate::KeyError;
use crate::cipher::{BlockKey, DesKey};

/// Digits that are enciphered: one DES block.
const SLICE: usize = 16;

/// Enciphers the slice of the track in place.
pub(crate) fn encrypt(key: Option<&BlockKey>, track: &mut [u8]) -> Result<(), KeyError> {
    through(key, track, DesKey::encrypt)
}

/// Deciphers the slice of the track in place.
pub(crate) fn decrypt(key: Option<&BlockKey>, track: &mut [u8]) -> Result<(), KeyError> {
    through(key, track, DesKey::decrypt)
}

/// Replaces 16 digits by what `cipher` makes of them. The track is untouched unless that works.
///
/// The slice ends one digit before the last if the track's length is odd, two if it is even. What
/// terminals do with fewer than 17 digits, and with SM4, is not settled; both are refused.
fn through(
    key: Option<&BlockKey>,
    track: &mut [u8],
    cipher: impl Fn(&DesKey, &mut [u8; 8]),
) -> Result<(), KeyError> {
    let Some(BlockKey::Des(key)) = key else { return Err(KeyError::TrackKey) };
    let after = if track.len() % 2 == 1 { 1 } else { 2 };
    let start = track.len().checked_sub(SLICE.saturating_add(after));
    let slice = start
        .and_then(|start| track.get_mut(start..)?.first_chunk_mut::<SLICE>())
        .ok_or(KeyError::TrackMalformed)?;
    let mut block = Zeroizing::new([0; 8]);
    for (to, [high, low]) in block.iter_mut().zip(slice.as_chunks().0) {
        *to = nibble(*high)? << 4 | nibble(*low)?;
    }
    cipher(key, &mut block);
    for ([high, low], from) in slice.as_chunks_mut().0.iter_mut().zip(block.iter()) {
        *high = digit(from >> 4);
        *low = digit(from & 15);
    }
    Ok(())
}

/// The nibble of a track digit. The separator may be `=` or `D`.
const fn nibble(digit: u8) -> Result<u8, KeyError> {
    match digit {
        b'0'..=b'9' => Ok(digit & 15),
        b'=' => Ok(13),
        b'A'..=b'F' => Ok(digit.wrapping_sub(55)),
        _ => Err(KeyError::TrackMalformed),
    }
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' | nibble } else { nibble.wrapping_add(55) }
}
