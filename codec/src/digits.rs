//! Decimal and track content, whatever its encoding.

use std::fmt;
use std::ops::Range;

use crate::error::Fault;
use crate::field::{Content, Format, Justify};

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
        if self.len == 0 {
            return None;
        }
        // Eighteen digits always fit.
        if self.len <= 18
            && self.packed
            && self.skip.is_multiple_of(2)
            && self.len.is_multiple_of(2)
        {
            let first = self.skip / 2;
            let bytes = self.bytes.get(first..first.saturating_add(self.len / 2))?;
            return bytes.iter().try_fold(0_u64, |sum, byte| {
                let (high, low) = (byte >> 4, byte & 0x0F);
                let pair = u64::from(high).wrapping_mul(10).wrapping_add(u64::from(low));
                (high <= 9 && low <= 9).then(|| sum.wrapping_mul(100).wrapping_add(pair))
            });
        }
        self.iter().try_fold(0_u64, add_digit)
    }

    /// Writes the digits as ASCII characters to the front of `buffer` and returns them, or `None` if
    /// it is too small.
    #[inline]
    pub fn copy_to<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let out = buffer.get_mut(..self.len)?;
        if self.packed && self.skip.is_multiple_of(2) {
            let bytes = self.bytes.get(self.skip / 2..)?;
            let (pairs, last) = out.as_chunks_mut::<2>();
            for (pair, byte) in pairs.iter_mut().zip(bytes) {
                *pair = [character(byte >> 4), character(byte & 0x0F)];
            }
            if let ([last], Some(byte)) = (last, bytes.get(self.len / 2)) {
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

#[inline]
fn add_digit(sum: u64, digit: u8) -> Option<u64> {
    let digit = char::from(digit).to_digit(10)?;
    sum.checked_mul(10)?.checked_add(u64::from(digit))
}

/// The character of half a byte; `D` (13) is a track's separator.
#[inline]
const fn character(nibble: u8) -> u8 {
    if nibble > 9 { nibble.wrapping_add(b'A' - 10) } else { nibble | b'0' }
}

/// Bit 0 of every half byte: where the tests below leave their verdicts.
const VERDICTS: u64 = 0x1111_1111_1111_1111;

/// Marks each half byte that is more than nine: bit 3 and one of the bits 2 and 1 are set.
#[inline]
const fn over_nine(bytes: u64) -> u64 {
    (bytes >> 3) & ((bytes >> 2) | (bytes >> 1)) & VERDICTS
}

/// Marks each half byte that is neither a digit nor the separator 13, binary 1101.
#[inline]
const fn outside_track(bytes: u64) -> u64 {
    over_nine(bytes) & !((bytes >> 2) & !(bytes >> 1) & bytes)
}

/// Checks the digits of a packed `n` field.
#[inline]
pub(crate) fn check_packed(
    format: &Format,
    content: &[u8],
    units: u16,
) -> Result<(), (u16, Fault)> {
    check_nibbles(format, content, units, over_nine)
}

/// Checks the digits and separators of a packed `z` field.
#[inline]
pub(crate) fn check_packed_track(
    format: &Format,
    content: &[u8],
    units: u16,
) -> Result<(), (u16, Fault)> {
    check_nibbles(format, content, units, outside_track)
}

#[inline]
fn check_nibbles(
    format: &Format,
    content: &[u8],
    units: u16,
    marks: impl Fn(u64) -> u64 + Copy,
) -> Result<(), (u16, Fault)> {
    let (eights, rest) = content.as_chunks::<8>();
    let whole = eights.iter().fold(0, |found, eight| found | marks(u64::from_be_bytes(*eight)));
    let tail = rest.iter().fold(0, |tail, byte| tail << 8 | u64::from(*byte));
    let found = whole | marks(tail);
    if found == 0 && (units.is_multiple_of(2) || !format.is_fixed()) {
        return Ok(());
    }
    check_each_nibble(format, content, units, marks)
}

/// The slow way: to find the culprit, unless it is a filler, which has rules of its own.
fn check_each_nibble(
    format: &Format,
    content: &[u8],
    units: u16,
    marks: impl Fn(u64) -> u64,
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
            if half != filler {
                if marks(u64::from(nibble)) != 0 {
                    return Err((at, Fault::NotADecimalNibble(nibble)));
                }
            } else if format.is_fixed() && !matches!(nibble, 0 | 0x0F) {
                return Err((at, Fault::Pad(nibble)));
            }
        }
    }
    Ok(())
}

/// Checks digits written as characters.
#[inline]
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
    let separators = content == Content::Track;
    let right = |digit: &u8| match digit {
        b'0'..=b'9' => true,
        b'=' | b'D' => separators,
        b'A'..=b'F' => separators && encrypts,
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

/// Packs ASCII digits into `out`, which is just long enough; `=` becomes the separator, and
/// `filler` the half byte that is left of an odd count.
#[inline]
pub(crate) fn pack(out: &mut [u8], digits: &[u8], justify: Justify, filler: u8) {
    let nibble = |digit: u8| match digit {
        b'A'..=b'F' => digit.wrapping_sub(b'A' - 10),
        b'=' => 0x0D,
        _ => digit & 0x0F,
    };
    let (lone, digits) = match justify {
        Justify::Right if !digits.len().is_multiple_of(2) => digits.split_at(1),
        Justify::Left | Justify::Right => digits.split_at(0),
    };
    let (first, out) = out.split_at_mut(lone.len());
    for (byte, digit) in first.iter_mut().zip(lone) {
        *byte = filler << 4 | nibble(*digit);
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
        *byte = match pair {
            [high, low] => nibble(*high) << 4 | nibble(*low),
            [high] => nibble(*high) << 4 | filler,
            _ => 0,
        };
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
