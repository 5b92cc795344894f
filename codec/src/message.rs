//! The index of a received message: every field is a view of the frame, never a copy.

use std::fmt;

use crate::bitmap::Bitmap;
use crate::dialect::Dialect;
use crate::digits::Digits;
use crate::error::{Fault, ParseError};
use crate::field::{Content, Encoding, FieldNo, Format};
use crate::tlv;

/// Bytes of the longest message: every offset in it, and the one after its end, fits 16 bits.
const BODY_MAX: u16 = u16::MAX - 1;

/// A message type: four decimal digits, such as `0200` (ISO 8583-1:1987, 4.1).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mti([u8; 4]);

impl Mti {
    /// Takes four ASCII digits; `None` if one of them is not.
    #[must_use]
    pub fn new(digits: [u8; 4]) -> Option<Self> {
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The four ASCII digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// The four digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a field's content begins and ends, counted from the message type.
#[derive(Clone, Copy)]
struct Span {
    start: u16,
    end: u16,
}

/// A parsed message: an index over the bytes it was read from.
///
/// Made without a heap allocation; about 600 bytes that live where the caller puts them. `Debug`
/// shows which fields there are, never what they hold.
#[derive(Clone, Copy)]
pub struct Message<'f> {
    dialect: &'f Dialect,
    body: &'f [u8],
    mti: Mti,
    present: Bitmap,
    /// By field number; only those of present fields mean anything.
    spans: [Span; 129],
}

impl<'f> Message<'f> {
    /// Indexes `body`, which begins with the message type and ends with the last field.
    ///
    /// Digits are checked here, so every number read later is one; the objects of a TLV field are
    /// checked as they are walked.
    ///
    /// # Errors
    /// The first place that breaks the dialect's rules. Bytes after the last field are an error.
    #[inline]
    pub fn parse(dialect: &'f Dialect, body: &'f [u8]) -> Result<Self, ParseError> {
        let head = Head::read(dialect, body)?;
        // Made where the caller wants it, and filled there: moving it would cost as much as reading.
        let mut result = Ok(Self::new(dialect, body, &head));
        if let Ok(message) = &mut result
            && let Some(error) = head.empty.or_else(|| message.index(head.fields))
        {
            result = Err(error);
        }
        result
    }

    /// Indexes what can be read of `body` and says what could not: a receiver needs a few fields
    /// of a broken request to tell its sender so.
    ///
    /// A field with a wrong digit is left out and the next one read; past a field whose end is
    /// unknown nothing is read.
    ///
    /// # Errors
    /// If there is not even a message type and a bitmap.
    pub fn salvage(
        dialect: &'f Dialect,
        body: &'f [u8],
    ) -> Result<(Self, Option<ParseError>), ParseError> {
        let head = Head::read(dialect, body)?;
        let mut message = Self::new(dialect, body, &head);
        let error = message.index(head.fields);
        Ok((message, head.empty.or(error)))
    }

    #[inline]
    const fn new(dialect: &'f Dialect, body: &'f [u8], head: &Head) -> Self {
        let spans = [Span { start: 0, end: 0 }; 129];
        Self { dialect, body, mti: head.mti, present: head.present, spans }
    }

    /// Finds every field from `start` on; returns the first thing that is wrong.
    #[inline]
    fn index(&mut self, start: u16) -> Option<ParseError> {
        if self.index_quickly(start).is_some() { None } else { self.diagnose(start) }
    }

    /// Finds every field from `start` on, or gives up if anything may be wrong.
    #[inline]
    fn index_quickly(&mut self, start: u16) -> Option<()> {
        let mut at = u32::from(start);
        let mut doubts = 0;
        for field in self.present.fields() {
            let plan = self.dialect.plan(field.0)?;
            let mut units = plan.format.max;
            if plan.is_variable() {
                let stated = plan.stated(self.from(at)?)?;
                (units, doubts) = (stated.units, doubts | stated.doubts);
                at = at.wrapping_add(stated.prefix);
            }
            let bytes = plan.bytes(units);
            if plan.is_numeric {
                doubts |= plan.doubts(self.from(at)?, bytes);
            }
            let [a, b, ..] = at.to_le_bytes();
            at = at.wrapping_add(bytes);
            let [c, d, ..] = at.to_le_bytes();
            // Whether the ends fit is asked once, when all are known: they only grow.
            let span = Span { start: u16::from_le_bytes([a, b]), end: u16::from_le_bytes([c, d]) };
            *self.spans.get_mut(usize::from(field.0))? = span;
        }
        let is_whole = usize::try_from(at).is_ok_and(|at| at == self.body.len());
        (doubts == 0 && is_whole).then_some(())
    }

    #[inline]
    fn from(&self, at: u32) -> Option<&'f [u8]> {
        self.body.get(usize::try_from(at).ok()?..)
    }

    /// Notes where a field at `at` has its content; returns where the next begins.
    #[inline]
    fn put(&mut self, field: FieldNo, at: u16, (prefix, bytes): (u16, u16)) -> u16 {
        let start = at.saturating_add(prefix);
        let end = start.saturating_add(bytes);
        if let Some(span) = self.spans.get_mut(usize::from(field.0)) {
            *span = Span { start, end };
        }
        end
    }

    /// Goes through a message in which something is wrong, and says what; keeps the fields that can
    /// be read.
    #[cold]
    fn diagnose(&mut self, start: u16) -> Option<ParseError> {
        let mut at = start;
        let mut faults = Faults::default();
        let announced = self.present;
        for field in announced.fields() {
            let rest = self.body.get(usize::from(at)..).unwrap_or_default();
            let found = match locate(self.dialect, field, rest) {
                Ok(found) => found,
                Err(broken) => {
                    let offset = at.saturating_add(broken.offset);
                    let error = ParseError { field, offset, fault: broken.fault };
                    let Some(found) = broken.found else {
                        faults.refused.get_or_insert(error);
                        self.forget_from(field);
                        return self.settle(&faults);
                    };
                    faults.take(self.dialect, error);
                    found
                }
            };
            at = self.put(field, at, found);
        }
        let left = self.body.len().saturating_sub(usize::from(at));
        if left != 0 {
            let fault = Fault::Trailing { left: u16::try_from(left).unwrap_or(u16::MAX) };
            let field = announced.last().unwrap_or(FieldNo(1));
            faults.refused.get_or_insert(ParseError { field, offset: at, fault });
        }
        self.settle(&faults)
    }

    /// Drops the fields that hold something wrong and returns the first fault.
    fn settle(&mut self, faults: &Faults) -> Option<ParseError> {
        for field in faults.unusable.fields() {
            self.present.remove(field.0);
        }
        if self.is_track_encrypted() {
            return faults.refused;
        }
        for field in faults.doubtful.fields() {
            self.present.remove(field.0);
        }
        faults.refused.into_iter().chain(faults.doubted).min_by_key(|error| error.offset)
    }

    /// Says whether the track fields hold ciphertext, and so any half bytes.
    #[must_use]
    pub fn is_track_encrypted(&self) -> bool {
        let Some(cipher) = self.dialect.track_cipher() else {
            return false;
        };
        let flag = self.digits(cipher.field).map(|digits| digits.get(cipher.index()));
        flag == Some(cipher.value())
    }

    /// Drops `field` and all after it, whose places are unknown.
    fn forget_from(&mut self, field: FieldNo) {
        for lost in self.present.fields().filter(|lost| *lost >= field) {
            self.present.remove(lost.0);
        }
    }

    /// The message type.
    #[must_use]
    #[inline]
    pub const fn mti(&self) -> Mti {
        self.mti
    }

    /// The dialect it was read by.
    #[must_use]
    #[inline]
    pub const fn dialect(&self) -> &'f Dialect {
        self.dialect
    }

    /// The bytes it was read from, from the message type on.
    #[must_use]
    #[inline]
    pub const fn body(&self) -> &'f [u8] {
        self.body
    }

    /// Says whether the message carries the field.
    #[must_use]
    #[inline]
    pub const fn has(&self, field: u8) -> bool {
        self.present.has(field)
    }

    /// The fields it carries, ascending, without the bitmap.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = FieldNo> + use<> {
        self.present.fields()
    }

    /// The field's content as it stands in the frame, without its length, or `None` if the bitmap
    /// left it out.
    #[must_use]
    #[inline]
    pub fn raw(&self, field: u8) -> Option<&'f [u8]> {
        let Span { start, end } = self.span(field)?;
        self.body.get(usize::from(start)..usize::from(end))
    }

    /// The digits of an `n` or `z` field, whatever their encoding; `None` if it is absent or holds
    /// something else.
    #[must_use]
    #[inline]
    pub fn digits(&self, field: u8) -> Option<Digits<'f>> {
        let bytes = self.raw(field)?;
        let plan = self.dialect.plan(field)?;
        if !plan.is_numeric {
            return None;
        }
        if !plan.is_packed() {
            return Some(Digits::characters(bytes));
        }
        let odd = if plan.is_variable() {
            // The length says so, and its last digit stands right before the content, however it
            // is written.
            let before = usize::from(self.span(field)?.start).wrapping_sub(1);
            usize::from(*self.body.get(before)? & 1)
        } else {
            usize::from(plan.format.max & 1)
        };
        let len = bytes.len().wrapping_mul(2).wrapping_sub(odd);
        Some(Digits::packed(bytes, if plan.is_right { odd } else { 0 }, len))
    }

    /// The content of a field in which one byte is one character; `None` if it is absent or packed.
    #[must_use]
    #[inline]
    pub fn text(&self, field: u8) -> Option<&'f [u8]> {
        let bytes = self.raw(field)?;
        if self.dialect.plan(field)?.is_packed() { None } else { Some(bytes) }
    }

    /// The number an `n` field makes: an amount in minor units, a counter. `None` if it is absent,
    /// no number, or does not fit.
    #[must_use]
    #[inline]
    pub fn number(&self, field: u8) -> Option<u64> {
        self.digits(field)?.to_u64()
    }

    /// The BER-TLV objects of a field; `None` if it is absent or holds something else. Objects with
    /// unknown tags are kept.
    #[must_use]
    #[inline]
    pub fn tlv(&self, field: u8) -> Option<tlv::Reader<'f>> {
        let bytes = self.raw(field)?;
        if self.dialect.plan(field)?.format.content != Content::Tlv {
            return None;
        }
        Some(tlv::Reader::new(FieldNo(field), self.span(field)?.start, bytes))
    }

    /// What the message's authentication code is made over: from the message type up to the byte
    /// before field 64 or 128. `None` unless one of them ends the message.
    #[must_use]
    pub fn mac_input(&self) -> Option<&'f [u8]> {
        let last = self.present.last()?;
        if !matches!(last.0, 64 | 128) {
            return None;
        }
        self.body.get(..usize::from(self.span(last.0)?.start))
    }

    /// The content's offset from the message type, for error messages about its inside.
    #[must_use]
    pub fn offset(&self, field: u8) -> Option<u16> {
        Some(self.span(field)?.start)
    }

    /// The field as it stands in the frame, length and content.
    pub(crate) fn verbatim(&self, field: u8) -> Option<(&'f Format, &'f [u8])> {
        let Span { start, end } = self.span(field)?;
        let format = self.dialect.format(field)?;
        let start = start.saturating_sub(format.prefix.bytes());
        Some((format, self.body.get(usize::from(start)..usize::from(end))?))
    }

    #[inline]
    fn span(&self, field: u8) -> Option<Span> {
        if self.present.has(field) { self.spans.get(usize::from(field)).copied() } else { None }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.mti)?;
        f.debug_set().entries(self.fields().map(|field| field.0)).finish()
    }
}

/// What stands before the fields.
struct Head {
    mti: Mti,
    /// Without bit 1, which announces no field.
    present: Bitmap,
    /// Where the fields begin.
    fields: u16,
    /// A second bitmap of nothing, which hides no field from a reader.
    empty: Option<ParseError>,
}

impl Head {
    #[inline]
    fn read(dialect: &Dialect, body: &[u8]) -> Result<Self, ParseError> {
        if body.len() > usize::from(BODY_MAX) {
            let got = u16::try_from(body.len()).unwrap_or(u16::MAX);
            let fault = Fault::TooLong { got, max: BODY_MAX };
            return Err(ParseError { field: FieldNo(0), offset: 0, fault });
        }
        let (mti, rest) = read_mti(dialect.mti_encoding(), body)?;
        let at = u16::try_from(body.len().saturating_sub(rest.len())).unwrap_or(u16::MAX);
        let (first, rest) = split::<8>(rest, FieldNo(1), at)?;
        let mut present = Bitmap::new(u64::from_be_bytes(*first), 0);
        let mut fields = at.wrapping_add(8);
        let mut empty = None;
        if present.has(1) {
            let (second, _) = split::<8>(rest, FieldNo(1), fields)?;
            present = Bitmap::new(present.first(), u64::from_be_bytes(*second));
            present.remove(1);
            if present.second() == 0 {
                let fault = Fault::EmptyBitmap;
                empty = Some(ParseError { field: FieldNo(1), offset: fields, fault });
            }
            fields = fields.wrapping_add(8);
        }
        Ok(Self { mti, present, fields, empty })
    }
}

/// A field that breaks the rules: where in it, why, and, if its end is known, what [`locate`] would
/// have returned.
struct Broken {
    offset: u16,
    fault: Fault,
    found: Option<(u16, u16)>,
}

/// What is wrong with a message, until all of it has been seen.
#[derive(Default)]
struct Faults {
    /// The first fault that cannot be excused.
    refused: Option<ParseError>,
    /// Fields whose content is wrong.
    unusable: Bitmap,
    /// The first fault that is none if the tracks are encrypted, which a later field says.
    doubted: Option<ParseError>,
    /// Track fields whose content may be wrong.
    doubtful: Bitmap,
}

impl Faults {
    #[cold]
    fn take(&mut self, dialect: &Dialect, error: ParseError) {
        let is_track =
            dialect.format(error.field.0).is_some_and(|format| format.content == Content::Track);
        if is_track && dialect.track_cipher().is_some() {
            self.doubtful.insert(error.field.0);
            self.doubted.get_or_insert(error);
        } else {
            self.unusable.insert(error.field.0);
            self.refused.get_or_insert(error);
        }
    }
}

/// Measures and checks the field at the front of `rest`: bytes of its length, and of its content.
fn locate(dialect: &Dialect, field: FieldNo, rest: &[u8]) -> Result<(u16, u16), Broken> {
    let lost = |offset, fault| Broken { offset, fault, found: None };
    let format = dialect.format(field.0).ok_or(lost(0, Fault::Unknown))?;
    let (prefix, units) = format.measure(rest).map_err(|fault| lost(0, fault))?;
    let bytes = format.bytes(units);
    let after = rest.get(usize::from(prefix)..).unwrap_or_default();
    let Some(content) = after.get(..usize::from(bytes)) else {
        let left = u16::try_from(after.len()).unwrap_or(u16::MAX);
        return Err(lost(prefix, Fault::Short { needed: bytes, left }));
    };
    match format.check(content, units) {
        Ok(()) => Ok((prefix, bytes)),
        Err((index, fault)) => Err(Broken {
            offset: prefix.saturating_add(index),
            fault,
            found: Some((prefix, bytes)),
        }),
    }
}

/// Reads the message type and returns it with what follows.
#[inline]
fn read_mti(encoding: Encoding, body: &[u8]) -> Result<(Mti, &[u8]), ParseError> {
    let (digits, rest) = match encoding {
        Encoding::Bcd => {
            let ([a, b], rest) = split::<2>(body, FieldNo(0), 0)?;
            ([a >> 4, a & 0x0F, b >> 4, b & 0x0F], rest)
        }
        Encoding::Ascii => {
            let (digits, rest) = split::<4>(body, FieldNo(0), 0)?;
            (digits.map(|digit| digit.wrapping_sub(b'0')), rest)
        }
    };
    match (0_u16..).zip(digits).find(|(_, digit)| *digit > 9) {
        None => Ok((Mti(digits.map(|digit| digit | b'0')), rest)),
        Some((index, digit)) => {
            let (offset, fault) = match encoding {
                Encoding::Bcd => (index / 2, Fault::NotADecimalNibble(digit)),
                Encoding::Ascii => (index, Fault::NotADigit(digit.wrapping_add(b'0'))),
            };
            Err(ParseError { field: FieldNo(0), offset, fault })
        }
    }
}

/// Takes `N` bytes from the front of `rest`, which begins at `at`.
#[inline]
fn split<const N: usize>(
    rest: &[u8],
    field: FieldNo,
    at: u16,
) -> Result<(&[u8; N], &[u8]), ParseError> {
    rest.split_first_chunk::<N>().ok_or_else(|| {
        let (needed, left) = (u16::try_from(N), u16::try_from(rest.len()));
        let fault =
            Fault::Short { needed: needed.unwrap_or(u16::MAX), left: left.unwrap_or(u16::MAX) };
        ParseError { field, offset: at, fault }
    })
}
