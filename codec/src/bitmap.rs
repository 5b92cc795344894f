//! The bitmap: which fields a message carries (ISO 8583-1:1987, 4.2).

use crate::field::FieldNo;

/// A set of field numbers 1 to 128. Field 1 is the most significant bit of the first byte.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bitmap {
    first: u64,
    second: u64,
}

impl Bitmap {
    /// Reads the eight or sixteen bytes of a bitmap.
    #[must_use]
    pub const fn new(first: u64, second: u64) -> Self {
        Self { first, second }
    }

    /// Says whether the field's bit is set.
    #[must_use]
    #[inline]
    pub const fn has(self, field: u8) -> bool {
        (self.first & Self::bit(field, 1)) | (self.second & Self::bit(field, 65)) != 0
    }

    /// Sets the field's bit; numbers beyond 128 and 0 have none.
    #[inline]
    pub const fn insert(&mut self, field: u8) {
        self.first |= Self::bit(field, 1);
        self.second |= Self::bit(field, 65);
    }

    /// Clears the field's bit.
    #[inline]
    pub const fn remove(&mut self, field: u8) {
        self.first &= !Self::bit(field, 1);
        self.second &= !Self::bit(field, 65);
    }

    /// The sixty-four bits of fields 1 to 64.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The sixty-four bits of fields 65 to 128.
    #[must_use]
    pub const fn second(self) -> u64 {
        self.second
    }

    /// The highest field.
    #[must_use]
    #[inline]
    pub const fn last(self) -> Option<FieldNo> {
        let (bits, base) = if self.second == 0 { (self.first, 64) } else { (self.second, 128_u8) };
        if bits == 0 {
            return None;
        }
        let [below, ..] = bits.trailing_zeros().to_le_bytes();
        Some(FieldNo(base.wrapping_sub(below)))
    }

    /// The fields, ascending.
    #[must_use]
    #[inline]
    pub const fn fields(self) -> Fields {
        Fields { bits: self.first.reverse_bits(), base: 1, next: self.second }
    }

    /// The bit of `field` in the half that begins with `base`, or 0 if it is in the other half.
    #[inline]
    const fn bit(field: u8, base: u8) -> u64 {
        let place = field.wrapping_sub(base);
        if place < 64 { (1 << 63) >> place } else { 0 }
    }
}

/// Iterator over the fields of a [`Bitmap`].
#[derive(Clone, Debug)]
pub struct Fields {
    /// Turned round: the lowest field is the least significant bit, which is found and cleared
    /// faster than the most significant.
    bits: u64,
    base: u8,
    next: u64,
}

impl Iterator for Fields {
    type Item = FieldNo;

    #[inline]
    fn next(&mut self) -> Option<FieldNo> {
        if self.bits == 0 {
            if self.next == 0 {
                return None;
            }
            self.bits = std::mem::take(&mut self.next).reverse_bits();
            self.base = 65;
        }
        let place = self.bits.trailing_zeros();
        self.bits &= self.bits.wrapping_sub(1);
        Some(FieldNo(self.base.wrapping_add(place.to_le_bytes()[0])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_set_found_listed_and_cleared() {
        for field in 1..=128 {
            let mut bitmap = Bitmap::default();
            bitmap.insert(field);
            assert!(bitmap.has(field));
            assert_eq!(bitmap.fields().collect::<Vec<_>>(), [FieldNo(field)]);
            assert_eq!(bitmap.last(), Some(FieldNo(field)));
            bitmap.remove(field);
            assert_eq!(bitmap, Bitmap::default());
        }
        assert_eq!(Bitmap::default().last(), None);
        assert_eq!(Bitmap::new(u64::MAX, 2).last(), Some(FieldNo(127)));
        assert!(!Bitmap::new(u64::MAX, u64::MAX).has(0));
        assert!(!Bitmap::new(u64::MAX, u64::MAX).has(129));
        assert_eq!(Bitmap::new(u64::MAX, u64::MAX).fields().count(), 128);
    }

    #[test]
    fn bits_count_from_the_most_significant() {
        let sale = Bitmap::new(0x7024_0480_20C0_9A11, 0);
        let fields: Vec<u8> = sale.fields().map(|field| field.0).collect();
        assert_eq!(fields, [2, 3, 4, 11, 14, 22, 25, 35, 41, 42, 49, 52, 53, 55, 60, 64]);
    }
}
