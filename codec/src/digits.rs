//! Decimal and track content, whatever its encoding.

use std::fmt;
use std::ops::Range;

use crate::error::Fault;
use crate::field::{Content, Format, Justify};
use crate::plan::over_nine;

/// The digits of an `n` field, or the digits and separators of a `z` field. A view: nothing is
/// copied or decoded before it is asked for. An encrypted track has `A` to `F` among its digits.
///
/// `Debug` shows the count alone, since the digits may be a card number.
#[derive(Clone, Copy)]
pub struct Digits<'f> {
    bytes: &'f [u8],
    /// Digits of `bytes` before the first of ours.
    skip: usize,
    len: usize,
    packed: bool,
}

impl<'f> Digits<'f> {
    /// Two digits a byte; `skip` half bytes come before the first of the `len` digits.
    #[must_use]
    #[inline]
    pub(crate) const fn packed(bytes: &'f [u8], skip: usize, len: usize) -> Self {
        Self { bytes, skip, len, packed: true }
    }

    /// One character a digit.
    #[must_use]
    #[inline]
    pub(crate) const fn characters(bytes: &'f [u8]) -> Self {
        Self { bytes, skip: 0, len: bytes.len(), packed: false }
    }

    /// How many digits and separators there are.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Says whether there are none.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digit at `index` as an ASCII character, `b'D'` for a separator (also where the line
    /// writes `=`), or 0 past the end.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> u8 {
        if index >= self.len {
            return 0;
        }
        let at = self.skip.wrapping_add(index);
        if !self.packed {
            return match self.bytes.get(at) {
                Some(b'=') => b'D',
                Some(byte) => *byte,
                None => 0,
            };
        }
        let byte = self.bytes.get(at / 2).copied().unwrap_or_default();
        character(if at.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F })
    }

    /// The digits as ASCII characters.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u8> + use<'f> {
        let digits = *self;
        (0..digits.len).map(move |index| digits.get(index))
    }

    /// The number the digits make, or `None` if there are none, it does not fit, or there is a
    /// separator among them.
    #[must_use]
    #[inline]
    pub fn to_u64(&self) -> Option<u64> {
        let end = self.skip.saturating_add(self.len);
        let first = self.skip / 2;
        let bytes = self.bytes.get(first..end.div_ceil(2))?;
        if !self.packed || self.len == 0 || bytes.len() > 8 {
            return self.to_u64_slowly();
        }
        let word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let word = if end.is_multiple_of(2) { word } else { word >> 4 };
        // What stands before the first digit is shifted out and back.
        let spare = u32::try_from(16_usize.saturating_sub(self.len)).ok()?.saturating_mul(4);
        let word = word.wrapping_shl(spare).wrapping_shr(spare);
        if over_nine(word) == 0 { Some(decimal(word)) } else { None }
    }

    fn to_u64_slowly(self) -> Option<u64> {
        let add = |sum: u64, digit| {
            let digit = char::from(digit).to_digit(10)?;
            sum.checked_mul(10)?.checked_add(u64::from(digit))
        };
        if self.len == 0 { None } else { self.iter().try_fold(0, add) }
    }

    /// Writes the digits as ASCII characters to the front of `buffer` and returns them, or `None` if
    /// it is too small.
    #[inline]
    pub fn copy_to<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let out = buffer.get_mut(..self.len)?;
        if self.packed && self.skip.is_multiple_of(2) {
            let mut packed = self.bytes.get(self.skip / 2..)?;
            let mut places = &mut *out;
            while places.len() >= 8 {
                let (four, bytes) = packed.split_first_chunk()?;
                let (eight, after) = places.split_first_chunk_mut()?;
                *eight = spread(u32::from_be_bytes(*four));
                (packed, places) = (bytes, after);
            }
            let (pairs, last) = places.as_chunks_mut::<2>();
            for pair in pairs {
                let (byte, bytes) = packed.split_first()?;
                *pair = [character(byte >> 4), character(byte & 0x0F)];
                packed = bytes;
            }
            if let ([last], [byte, ..]) = (last, packed) {
                *last = character(byte >> 4);
            }
        } else {
            for (place, digit) in out.iter_mut().zip(self.iter()) {
                *place = digit;
            }
        }
        Some(out)
    }

    /// The digits of a part, or `None` if it reaches past the end.
    #[must_use]
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        Some(Self { skip: self.skip.wrapping_add(range.start), len: range.len(), ..*self })
    }

    /// Where the first separator stands.
    #[must_use]
    pub fn separator(&self) -> Option<usize> {
        self.iter().position(|digit| digit == b'D')
    }
}

/// Equal if the digits are, whatever their encoding.
impl PartialEq for Digits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Digits<'_> {}

impl PartialEq<[u8]> for Digits<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Digits<'_> {
    fn eq(&self, other: &[u8; N]) -> bool {
        *self == other[..]
    }
}

impl fmt::Debug for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({})", self.len)
    }
}

/// The character of half a byte; `D` (13) is a track's separator.
#[inline]
const fn character(nibble: u8) -> u8 {
    if nibble > 9 { nibble.wrapping_add(b'A' - 10) } else { nibble | b'0' }
}

/// The characters of eight half bytes, all at once.
#[inline]
const fn spread(packed: u32) -> [u8; 8] {
    let halves = (packed as u64 | (packed as u64) << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (bytes | bytes << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // A sum with six reaches the upper half for A to F, which stand seven places after `9`.
    let letters = (nibbles.wrapping_add(0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    (nibbles | 0x3030_3030_3030_3030).wrapping_add(letters.wrapping_mul(7)).to_be_bytes()
}

/// The number that sixteen decimal half bytes make: pairs of digits first, then pairs of pairs.
#[inline]
const fn decimal(packed: u64) -> u64 {
    let tens = (packed >> 4) & 0x0F0F_0F0F_0F0F_0F0F;
    let twos = packed.wrapping_sub(tens.wrapping_mul(16 - 10));
    let hundreds = (twos >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = twos.wrapping_sub(hundreds.wrapping_mul(256 - 100));
    let myriads = (fours >> 16) & 0x0000_FFFF_0000_FFFF;
    let eights = fours.wrapping_sub(myriads.wrapping_mul(65_536 - 10_000));
    eights.wrapping_sub((eights >> 32).wrapping_mul((1 << 32) - 100_000_000))
}

/// Checks the digits of a packed `n` field, or the digits and separators of a packed `z` field.
pub(crate) fn check_packed(
    format: &Format,
    content: &[u8],
    units: u16,
) -> Result<(), (u16, Fault)> {
    let odd = !units.is_multiple_of(2);
    let last = content.len().saturating_sub(1);
    for (index, byte) in content.iter().enumerate() {
        let at = u16::try_from(index).unwrap_or(u16::MAX);
        let halves = [byte >> 4, byte & 0x0F];
        let filler = match format.justify {
            Justify::Left if odd && index == last => 1,
            Justify::Right if odd && index == 0 => 0,
            Justify::Left | Justify::Right => 2,
        };
        for (half, nibble) in halves.into_iter().enumerate() {
            let separator = nibble == 0x0D && format.content == Content::Track;
            if half == filler {
                if format.is_fixed() && !matches!(nibble, 0 | 0x0F) {
                    return Err((at, Fault::Pad(nibble)));
                }
            } else if nibble > 9 && !separator {
                return Err((at, Fault::NotADecimalNibble(nibble)));
            }
        }
    }
    Ok(())
}

/// Checks digits written as characters.
pub(crate) fn check_characters(
    content: &[u8],
    allowed: impl Fn(u8) -> bool,
) -> Result<(), (u16, Fault)> {
    match content.iter().position(|byte| !allowed(*byte)) {
        None => Ok(()),
        Some(index) => {
            let byte = content.get(index).copied().unwrap_or_default();
            Err((u16::try_from(index).unwrap_or(u16::MAX), Fault::NotADigit(byte)))
        }
    }
}

/// Checks the characters of an `n` or `z` field; returns the position of the first that cannot be
/// written. In a dialect that encrypts tracks, these hold any half byte.
#[inline]
pub(crate) fn check_ascii(content: Content, encrypts: bool, digits: &[u8]) -> Result<(), u16> {
    if digits.iter().fold(true, |right, digit| right & digit.is_ascii_digit()) {
        return Ok(());
    }
    let is_track = content == Content::Track;
    let right = |digit: &u8| match digit {
        b'0'..=b'9' => true,
        b'=' | b'D' => is_track,
        b'A'..=b'F' => is_track && encrypts,
        _ => false,
    };
    match digits.iter().position(|digit| !right(digit)) {
        None => Ok(()),
        Some(index) => Err(u16::try_from(index).unwrap_or(u16::MAX)),
    }
}

/// Says whether `units` digits leave half a byte in which a reader accepts `filler`.
pub(crate) fn may_fill(format: &Format, units: u16, filler: u8) -> bool {
    let room = format.is_packed() && !units.is_multiple_of(2);
    room && filler <= 0x0F && (!format.is_fixed() || matches!(filler, 0 | 0x0F))
}

/// Appends ASCII digits, two to a byte; `=` becomes the separator, and `filler` the half byte that is
/// left of an odd count.
#[inline]
pub(crate) fn pack(buffer: &mut Vec<u8>, digits: &[u8], justify: Justify, filler: u8) {
    let nibble = |digit: u8| match digit {
        b'=' => 0x0D,
        // `A` to `F` are 0x41 to 0x46: bit 6 is worth nine.
        _ => (digit & 0x0F).wrapping_add((digit >> 6).wrapping_mul(9)),
    };
    let mut digits = digits;
    if let (Justify::Right, true, [first, rest @ ..]) =
        (justify, !digits.len().is_multiple_of(2), digits)
    {
        buffer.push(filler << 4 | nibble(*first));
        digits = rest;
    }
    let (pairs, last) = digits.as_chunks::<2>();
    buffer.extend(pairs.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)));
    if let [last] = last {
        buffer.push(nibble(*last) << 4 | filler);
    }
}

/// Says whether a number has more than `digits` digits.
#[inline]
pub(crate) fn exceeds(number: u64, digits: u16) -> bool {
    10_u64.checked_pow(u32::from(digits)).is_some_and(|limit| number >= limit)
}

/// Packs a number that fits into `out` from the right.
#[inline]
pub(crate) fn pack_number(out: &mut [u8], number: u64, format: &Format) {
    let mut rest = number;
    let mut bytes = out.iter_mut().rev();
    if format.justify == Justify::Left && !format.max.is_multiple_of(2) {
        // The filler stands on the right, so the last digit has a byte of its own.
        if let Some(byte) = bytes.next() {
            *byte = (rest % 10).to_le_bytes()[0] << 4;
            rest /= 10;
        }
    }
    for byte in bytes {
        let pair = (rest % 100).to_le_bytes()[0];
        rest /= 100;
        *byte = (pair / 10) << 4 | (pair % 10);
    }
}

/// Writes a number that fits as characters into `out` from the right.
#[inline]
pub(crate) fn write_number(out: &mut [u8], number: u64) {
    let mut rest = number;
    for byte in out.iter_mut().rev() {
        *byte = b'0' | (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
}
