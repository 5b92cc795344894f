//! Writing a message into a caller's buffer.

use crate::bitmap::Bitmap;
use crate::dialect::Dialect;
use crate::digits;
use crate::field::{Content, Encoding, FieldNo, Format, Prefix};
use crate::message::Message;

/// Why a field could not be written. Never holds what was to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("field {}: {fault}", field.0)]
pub struct BuildError {
    /// The field at fault; 0 is the message type.
    pub field: FieldNo,
    /// What is wrong with it.
    pub fault: BuildFault,
}

/// What is wrong with a field that was to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BuildFault {
    /// Fields are written in ascending order, each once.
    #[error("must come before field {}", after.0)]
    OutOfOrder {
        /// The field that stands already.
        after: FieldNo,
    },
    /// More digits or bytes than the field may have.
    #[error("length {got} exceeds {max}")]
    TooLong {
        /// What was given, in digits or bytes as the field counts.
        got: usize,
        /// The longest allowed.
        max: u16,
    },
    /// Fewer digits or bytes than the field must have.
    #[error("length {got} is less than {min}")]
    TooShort {
        /// What was given, in digits or bytes as the field counts.
        got: usize,
        /// The length it must have.
        min: u16,
    },
    /// Something that is neither a digit nor, in a track, a separator.
    #[error("not a digit at position {0}")]
    NotADigit(u16),
    /// A filler that a reader would refuse, or for which there is no place.
    #[error("filler 0x{0:X} cannot stand here")]
    Filler(u8),
    /// Text or bytes for a field of digits, or digits for one that is not.
    #[error("does not hold this kind of content")]
    OtherContent,
    /// A field copied from a message whose dialect lays it out differently.
    #[error("is laid out differently in the message it is copied from")]
    OtherLayout,
    /// The dialect has no such field.
    #[error("is not a field of this dialect")]
    Unknown,
}

/// Writes one message, field by field in ascending order, at the end of a buffer.
///
/// The buffer grows as `Vec` does; nothing else is allocated. A builder that is dropped before it
/// has finished leaves the buffer as it found it.
#[derive(Debug)]
pub struct MessageBuilder<'b> {
    dialect: &'b Dialect,
    buffer: &'b mut Vec<u8>,
    /// Where the message type stands.
    start: usize,
    /// Where the bitmap stands.
    bitmap: usize,
    present: Bitmap,
    last: FieldNo,
    finished: bool,
}

impl<'b> MessageBuilder<'b> {
    /// Writes the message type and leaves room for the bitmap.
    ///
    /// # Errors
    /// [`BuildFault::NotADigit`] on field 0.
    #[inline]
    pub fn start(
        dialect: &'b Dialect,
        buffer: &'b mut Vec<u8>,
        mti: &[u8; 4],
    ) -> Result<Self, BuildError> {
        let start = buffer.len();
        if let Some(index) = (0..).zip(mti).find(|(_, digit)| !digit.is_ascii_digit()) {
            let fault = BuildFault::NotADigit(index.0);
            return Err(BuildError { field: FieldNo(0), fault });
        }
        match dialect.mti_encoding() {
            Encoding::Bcd => {
                let [a, b, c, d] = mti.map(|digit| digit & 0x0F);
                buffer.extend_from_slice(&[a << 4 | b, c << 4 | d]);
            }
            Encoding::Ascii => buffer.extend_from_slice(mti),
        }
        let bitmap = buffer.len();
        buffer.extend_from_slice(&[0; 8]);
        let present = Bitmap::default();
        let last = FieldNo(1);
        Ok(Self { dialect, buffer, start, bitmap, present, last, finished: false })
    }

    /// Writes an `n` or `z` field from ASCII digits; a track's separator may be `D` or `=`. In a
    /// dialect that encrypts tracks, these may hold `A` to `F`.
    ///
    /// # Errors
    /// A fixed field takes exactly its digits, a variable one at most its longest.
    #[inline]
    pub fn digits(&mut self, field: u8, digits: &[u8]) -> Result<&mut Self, BuildError> {
        self.digits_filled(field, digits, 0)
    }

    /// Writes digits as [`Self::digits`] does; `filler` takes the place of the half byte 0 that
    /// fills up an odd count in BCD.
    ///
    /// # Errors
    /// [`BuildFault::Filler`] too.
    #[inline]
    pub fn digits_filled(
        &mut self,
        field: u8,
        digits: &[u8],
        filler: u8,
    ) -> Result<&mut Self, BuildError> {
        let format = self.open(field)?;
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        if !format.is_numeric() {
            return Err(fail(BuildFault::OtherContent));
        }
        let units = count(format, digits.len()).map_err(fail)?;
        if filler != 0 && !digits::may_fill(format, units, filler) {
            return Err(fail(BuildFault::Filler(filler)));
        }
        let encrypts = self.dialect.track_cipher().is_some();
        digits::check_ascii(format.content, encrypts, digits)
            .map_err(|index| fail(BuildFault::NotADigit(index)))?;
        self.note(field).prefix(format, units);
        if format.is_packed() {
            digits::pack(self.buffer, digits, format.justify, filler);
        } else {
            self.buffer.extend_from_slice(digits);
        }
        Ok(self)
    }

    /// Writes an `n` field of fixed length from a number, filled with zeros on the left.
    ///
    /// # Errors
    /// [`BuildFault::TooLong`] if it has more digits than the field.
    #[inline]
    pub fn number(&mut self, field: u8, number: u64) -> Result<&mut Self, BuildError> {
        let format = self.open(field)?;
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        if format.content != Content::Digits || !format.is_fixed() {
            return Err(fail(BuildFault::OtherContent));
        }
        if digits::exceeds(number, format.max) {
            let got = usize::try_from(number.ilog10()).unwrap_or(usize::MAX).saturating_add(1);
            return Err(fail(BuildFault::TooLong { got, max: format.max }));
        }
        self.note(field);
        let room = self.grow(format.bytes(format.max));
        if format.is_packed() {
            digits::pack_number(room, number, format);
        } else {
            digits::write_number(room, number);
        }
        Ok(self)
    }

    /// Writes a field of characters; a fixed one is filled with spaces on the right.
    ///
    /// # Errors
    /// [`BuildFault::TooLong`]; [`BuildFault::OtherContent`] for a field of digits.
    #[inline]
    pub fn text(&mut self, field: u8, text: &[u8]) -> Result<&mut Self, BuildError> {
        let format = self.open(field)?;
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        if format.is_numeric() {
            return Err(fail(BuildFault::OtherContent));
        }
        let units = match (format.content, format.prefix) {
            (Content::Text, Prefix::None) if text.len() < usize::from(format.max) => format.max,
            _ => count(format, text.len()).map_err(fail)?,
        };
        self.note(field).prefix(format, units);
        self.buffer.extend_from_slice(text);
        let fill = usize::from(units).saturating_sub(text.len());
        self.buffer.resize(self.buffer.len().saturating_add(fill), b' ');
        Ok(self)
    }

    /// Writes a field of bytes.
    ///
    /// # Errors
    /// A fixed field takes exactly its length; [`BuildFault::OtherContent`] for a field of digits.
    #[inline]
    pub fn binary(&mut self, field: u8, bytes: &[u8]) -> Result<&mut Self, BuildError> {
        let format = self.open(field)?;
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        if format.is_numeric() {
            return Err(fail(BuildFault::OtherContent));
        }
        let units = count(format, bytes.len()).map_err(fail)?;
        self.note(field).prefix(format, units);
        self.buffer.extend_from_slice(bytes);
        Ok(self)
    }

    /// Writes a field's content as it stands on the wire, `units` digits or bytes of it, so that a
    /// filler other than the usual one is kept.
    ///
    /// # Errors
    /// As a reader of the dialect would find.
    pub fn raw(
        &mut self,
        field: u8,
        content: &[u8],
        units: usize,
    ) -> Result<&mut Self, BuildError> {
        let format = self.open(field)?;
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        let units = count(format, units).map_err(fail)?;
        let bytes = format.bytes(units);
        if content.len() > usize::from(bytes) {
            return Err(fail(BuildFault::TooLong { got: content.len(), max: bytes }));
        }
        if content.len() < usize::from(bytes) {
            return Err(fail(BuildFault::TooShort { got: content.len(), min: bytes }));
        }
        format.check(content, units).map_err(|(index, _)| fail(BuildFault::NotADigit(index)))?;
        self.note(field).prefix(format, units);
        self.buffer.extend_from_slice(content);
        Ok(self)
    }

    /// Copies a field of `message` as it stands; a field that the message lacks is left out.
    ///
    /// # Errors
    /// [`BuildFault::OtherLayout`] if the two dialects disagree about the field.
    #[inline]
    pub fn copy(&mut self, message: &Message<'_>, field: u8) -> Result<&mut Self, BuildError> {
        let Some((theirs, bytes)) = message.verbatim(field) else {
            return Ok(self);
        };
        let format = self.open(field)?;
        if !std::ptr::eq(format, theirs) && format != theirs {
            return Err(BuildError { field: FieldNo(field), fault: BuildFault::OtherLayout });
        }
        self.note(field);
        self.buffer.extend_from_slice(bytes);
        Ok(self)
    }

    /// Writes the bitmap; the message is complete.
    ///
    /// # Errors
    /// None today; the result is there so that every step of a builder ends in `?`.
    #[inline]
    pub fn finish(mut self) -> Result<(), BuildError> {
        self.patch();
        self.finished = true;
        Ok(())
    }

    /// Completes the message with an authentication code in field 64 or 128. `mac` is given the
    /// message type up to the byte before that field, with the field's bit set.
    ///
    /// # Errors
    /// If the dialect's field does not take eight bytes, or a later one stands already.
    #[inline]
    pub fn finish_with_mac(
        mut self,
        field: u8,
        mac: impl FnOnce(&[u8]) -> [u8; 8],
    ) -> Result<(), BuildError> {
        let format = self.open(field)?;
        if format.is_numeric() || !format.is_fixed() || format.max != 8 {
            let fault = BuildFault::OtherContent;
            return Err(BuildError { field: FieldNo(field), fault });
        }
        self.note(field);
        self.patch();
        let code = mac(self.buffer.get(self.start..).unwrap_or_default());
        self.buffer.extend_from_slice(&code);
        self.finished = true;
        Ok(())
    }

    /// The field's layout, if it may be written next.
    #[inline]
    fn open(&self, field: u8) -> Result<&'b Format, BuildError> {
        let fail = |fault| BuildError { field: FieldNo(field), fault };
        let format = self.dialect.format(field).ok_or(fail(BuildFault::Unknown))?;
        if field <= self.last.0 {
            return Err(fail(BuildFault::OutOfOrder { after: self.last }));
        }
        Ok(format)
    }

    /// Takes the field into the bitmap; its bytes follow.
    #[inline]
    fn note(&mut self, field: u8) -> &mut Self {
        if field > 64 && self.present.second() == 0 {
            self.widen();
        }
        self.present.insert(field);
        self.last = FieldNo(field);
        self
    }

    /// Makes room for the second bitmap, on the first field that needs it.
    #[cold]
    fn widen(&mut self) {
        let fields = self.bitmap.saturating_add(8);
        let end = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 8]);
        self.buffer.copy_within(fields..end, fields.saturating_add(8));
    }

    #[inline]
    fn prefix(&mut self, format: &Format, units: u16) {
        // Digits of decimal numbers, two to a byte: every ten ones are sixteen.
        let packed = |two: u16| two.wrapping_add((two / 10).wrapping_mul(6)).to_le_bytes()[0];
        let character = |digit: u16| (digit % 10).to_le_bytes()[0] | b'0';
        match format.prefix {
            Prefix::None => {}
            Prefix::Bcd2 => self.buffer.push(packed(units)),
            Prefix::Bcd3 => {
                self.buffer.extend_from_slice(&[packed(units / 100), packed(units % 100)]);
            }
            Prefix::Ascii2 => {
                self.buffer.extend_from_slice(&[character(units / 10), character(units)]);
            }
            Prefix::Ascii3 => self.buffer.extend_from_slice(&[
                character(units / 100),
                character(units / 10),
                character(units),
            ]),
        }
    }

    #[inline]
    fn grow(&mut self, bytes: u16) -> &mut [u8] {
        let at = self.buffer.len();
        self.buffer.resize(at.saturating_add(usize::from(bytes)), 0);
        self.buffer.get_mut(at..).unwrap_or_default()
    }

    #[inline]
    fn patch(&mut self) {
        if self.present.second() != 0 {
            self.present.insert(1);
        }
        let room = self.buffer.get_mut(self.bitmap..).unwrap_or_default();
        if let Some((first, rest)) = room.split_first_chunk_mut() {
            *first = self.present.first().to_be_bytes();
            if let (true, Some(second)) = (self.present.has(1), rest.first_chunk_mut()) {
                *second = self.present.second().to_be_bytes();
            }
        }
    }
}

impl Drop for MessageBuilder<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.finished {
            self.buffer.truncate(self.start);
        }
    }
}

/// Checks a count of digits or bytes against the field's length.
#[inline]
fn count(format: &Format, given: usize) -> Result<u16, BuildFault> {
    let too_long = BuildFault::TooLong { got: given, max: format.max };
    let units = u16::try_from(given).map_err(|_| too_long)?;
    if units > format.max {
        return Err(too_long);
    }
    if format.is_fixed() && units < format.max {
        return Err(BuildFault::TooShort { got: given, min: format.max });
    }
    Ok(units)
}
