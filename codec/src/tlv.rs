//! BER-TLV objects inside a field (ISO/IEC 8825-1, as EMV Book 3, Annex B narrows it).

use std::fmt;

use crate::error::{Fault, ParseError};
use crate::field::FieldNo;

/// How deep objects may be nested.
pub const DEPTH_MAX: usize = 8;

/// A tag of one to three bytes, such as `9F26`; the bytes are kept as they are written.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(u32);

impl Tag {
    /// The tag with these bytes, first byte most significant: `Tag::new(0x9F26)`.
    ///
    /// `None` if they are not one whole tag: subsequent bytes belong to a first byte that ends in
    /// five ones, and all of them but the last have bit 8 set.
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Self> {
        let [a, b, c, d] = bytes.to_be_bytes();
        let whole = match (a, b, c) {
            (0, 0, 0) => d != 0 && d & 0x1F != 0x1F,
            (0, 0, c) => c & 0x1F == 0x1F && d & 0x80 == 0,
            (0, b, c) => b & 0x1F == 0x1F && c & 0x80 != 0 && d & 0x80 == 0,
            _ => false,
        };
        if whole { Some(Self(bytes)) } else { None }
    }

    /// Reads a tag as [`Tag`]'s `Display` writes it; letters may be lower-case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u32::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Self::new(value).filter(|tag| tag.bytes().len().saturating_mul(2) == text.len())
    }

    /// The tag's bytes as they are written.
    #[must_use]
    pub fn bytes(self) -> impl ExactSizeIterator<Item = u8> {
        let zeros = self.0.leading_zeros() / 8;
        self.0.to_be_bytes().into_iter().skip(usize::try_from(zeros).unwrap_or_default())
    }

    /// The tag's bytes as a number, first byte most significant.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Says whether the object holds objects itself.
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        let [_, a, b, c] = self.0.to_be_bytes();
        let first = match (a, b) {
            (0, 0) => c,
            (0, b) => b,
            (a, _) => a,
        };
        first & 0x20 != 0
    }
}

/// Upper-case hexadecimal, as tags are written in tables.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = match self.0 {
            0..=0xFF => 2,
            0x100..=0xFFFF => 4,
            _ => 6,
        };
        write!(f, "{:0width$X}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One object: its tag and its content. `Debug` leaves the content out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Tlv<'f> {
    /// Its tag.
    pub tag: Tag,
    /// Its content.
    pub value: &'f [u8],
    /// Where its tag begins, counted from the message type.
    pub offset: u16,
}

impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.tag, self.value.len())
    }
}

/// Appends an object, its length in as few bytes as it takes.
///
/// # Errors
/// [`Fault::TooLong`] if the content has more than 65535 bytes; nothing is written then.
#[inline]
pub fn write(buffer: &mut Vec<u8>, tag: Tag, value: &[u8]) -> Result<(), Fault> {
    let too_long = Fault::TooLong { got: u16::MAX, max: u16::MAX };
    let length = u16::try_from(value.len()).map_err(|_| too_long)?;
    let [high, low] = length.to_be_bytes();
    buffer.extend(tag.bytes());
    match length {
        0..=0x7F => buffer.push(low),
        0x80..=0xFF => buffer.extend_from_slice(&[0x81, low]),
        _ => buffer.extend_from_slice(&[0x82, high, low]),
    }
    buffer.extend_from_slice(value);
    Ok(())
}

/// Iterator over the objects of one level. It does not descend into constructed ones; see
/// [`Reader::nested`]. After an error it ends.
///
/// Zero bytes before, between and after objects mean nothing and are skipped (EMV Book 3, B.1).
#[derive(Clone, Copy)]
pub struct Reader<'f> {
    field: FieldNo,
    offset: u16,
    rest: &'f [u8],
}

impl<'f> Reader<'f> {
    /// Reads the objects in `bytes`, which begin at `offset` from the message type; field and
    /// offset are for error messages.
    #[must_use]
    pub const fn new(field: FieldNo, offset: u16, bytes: &'f [u8]) -> Self {
        Self { field, offset, rest: bytes }
    }

    /// The bytes that have not been read yet.
    #[must_use]
    pub const fn bytes(&self) -> &'f [u8] {
        self.rest
    }

    /// The first object with `tag` at this level.
    ///
    /// # Errors
    /// If the bytes up to it are not whole objects.
    pub fn find(self, tag: Tag) -> Result<Option<Tlv<'f>>, ParseError> {
        for object in self {
            let object = object?;
            if object.tag == tag {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Walks the whole level and says how many objects it has.
    ///
    /// # Errors
    /// The first byte that is not a whole object, or the first tag that occurs again.
    pub fn check(self) -> Result<usize, ParseError> {
        let mut seen = Seen::default();
        let mut count = 0_usize;
        for object in self {
            let object = object?;
            let mut earlier = self.take(count).filter_map(Result::ok);
            if seen.is_likely(object.tag) && earlier.any(|earlier| earlier.tag == object.tag) {
                let fault = Fault::DuplicateTag(object.tag);
                return Err(ParseError { field: self.field, offset: object.offset, fault });
            }
            count = count.saturating_add(1);
        }
        Ok(count)
    }

    /// Walks this level and everything inside its constructed objects, parents first.
    #[must_use]
    pub const fn nested(self) -> Nested<'f> {
        Nested { levels: [Some(self), None, None, None, None, None, None, None], depth: 0 }
    }

    #[inline]
    fn read(&mut self) -> Result<Option<Tlv<'f>>, ParseError> {
        let start = self.rest.iter().position(|byte| *byte != 0);
        let Some(object) = start.and_then(|start| self.rest.get(start..)) else {
            self.rest = &[];
            return Ok(None);
        };
        let skipped = self.rest.len().saturating_sub(object.len());
        let offset = self.offset.saturating_add(u16::try_from(skipped).unwrap_or(u16::MAX));
        let read = split_object(object);
        let (tag, value, rest) = read.map_err(|fault| {
            self.rest = &[];
            ParseError { field: self.field, offset, fault }
        })?;
        let taken = object.len().saturating_sub(rest.len());
        self.offset = offset.saturating_add(u16::try_from(taken).unwrap_or(u16::MAX));
        self.rest = rest;
        Ok(Some(Tlv { tag, value, offset }))
    }
}

impl<'f> Iterator for Reader<'f> {
    type Item = Result<Tlv<'f>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({} bytes left)", self.rest.len())
    }
}

/// Iterator over nested objects, each with its depth; the outermost level is 0.
#[derive(Clone, Debug)]
pub struct Nested<'f> {
    levels: [Option<Reader<'f>>; DEPTH_MAX],
    depth: usize,
}

impl<'f> Iterator for Nested<'f> {
    type Item = Result<(usize, Tlv<'f>), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let level = self.levels.get_mut(self.depth)?.as_mut()?;
            let field = level.field;
            match level.next() {
                None => {
                    // Out of the outermost level there is no way up: the walk has ended.
                    self.depth = self.depth.checked_sub(1)?;
                }
                Some(Err(error)) => return Some(Err(self.end(error))),
                Some(Ok(object)) => {
                    let depth = self.depth;
                    if object.tag.is_constructed() {
                        let after = level.offset;
                        let inside = u16::try_from(object.value.len()).unwrap_or(u16::MAX);
                        let inner = Reader::new(field, after.saturating_sub(inside), object.value);
                        let Some(place) = self.levels.get_mut(depth.saturating_add(1)) else {
                            let fault = Fault::TooDeep;
                            let error = ParseError { field, offset: object.offset, fault };
                            return Some(Err(self.end(error)));
                        };
                        *place = Some(inner);
                        self.depth = depth.saturating_add(1);
                    }
                    return Some(Ok((depth, object)));
                }
            }
        }
    }
}

impl Nested<'_> {
    fn end(&mut self, error: ParseError) -> ParseError {
        self.levels = Default::default();
        error
    }
}

/// Tags that have been met. Tags of one and two bytes have a bit each, so that only those of three
/// bytes can be taken for another.
#[derive(Default)]
struct Seen([u64; 32]);

impl Seen {
    /// Takes a tag in, and says whether it may have been met before.
    fn is_likely(&mut self, tag: Tag) -> bool {
        let [_, a, b, c] = tag.0.to_be_bytes().map(u32::from);
        let place = match (a, b) {
            (0, 0) => c,
            // Of the first byte three bits differ, of the second seven.
            (0, b) => 256_u32.wrapping_add((b >> 5) << 7 | c & 0x7F),
            (a, b) => 1280_u32.wrapping_add((a << 4 ^ b << 3 ^ c) % 768),
        };
        let bit = 1_u64.wrapping_shl(place);
        let Some(word) = usize::try_from(place / 64).ok().and_then(|word| self.0.get_mut(word))
        else {
            return true;
        };
        let was = *word & bit != 0;
        *word |= bit;
        was
    }
}

/// Splits the first object off `bytes`, which are not empty: tag, content, what follows.
#[inline]
fn split_object(bytes: &[u8]) -> Result<(Tag, &[u8], &[u8]), Fault> {
    let (tag, rest) = split_tag(bytes)?;
    let (first, rest) = rest.split_first().ok_or_else(|| short(1, rest))?;
    let (length, rest) = match (*first, rest) {
        (length @ 0..0x80, rest) => (usize::from(length), rest),
        (0x80, _) => return Err(Fault::IndefiniteLength),
        (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        (bytes @ (0x81 | 0x82), cut) => return Err(short(usize::from(bytes & 0x7F), cut)),
        (0x83.., _) => return Err(Fault::LengthTooLong),
    };
    let (value, rest) = rest.split_at_checked(length).ok_or_else(|| short(length, rest))?;
    Ok((tag, value, rest))
}

#[inline]
fn split_tag(bytes: &[u8]) -> Result<(Tag, &[u8]), Fault> {
    match bytes {
        [] => Err(short(1, bytes)),
        [a, rest @ ..] if a & 0x1F != 0x1F => Ok((Tag(u32::from(*a)), rest)),
        [a, b, rest @ ..] if b & 0x80 == 0 => Ok((Tag(u32::from_be_bytes([0, 0, *a, *b])), rest)),
        [a, b, c, rest @ ..] if c & 0x80 == 0 => {
            Ok((Tag(u32::from_be_bytes([0, *a, *b, *c])), rest))
        }
        [_, _, _, ..] => Err(Fault::TagTooLong),
        [_, rest @ ..] => Err(short(rest.len().saturating_add(1), rest)),
    }
}

fn short(needed: usize, rest: &[u8]) -> Fault {
    let narrow = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Fault::Short { needed: narrow(needed), left: narrow(rest.len()) }
}
