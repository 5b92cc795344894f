//! What a message says, for people and for tools, with card data masked.

mod table;
mod tags;

use crate::dialect::{HideIf, Label, Part};
use crate::digits::Digits;
use crate::error::ParseError;
use crate::field::{Content, FieldNo, Format, Justify, Sensitivity};
use crate::message::Message;
use crate::printable;
use crate::tlv::{self, Tag};

pub use table::table;
pub use tags::{Meaning, meaning};

/// How much is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Disclosure {
    /// What the dialect allows: of a card number the first six and the last four digits; of tracks,
    /// PIN blocks, keys and authentication codes nothing but their length.
    Masked,
    /// Everything.
    Full,
}

/// One field of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line<'f> {
    /// Its number.
    pub field: FieldNo,
    /// What it is called.
    pub label: &'f Label,
    /// Its bytes in the frame, length included, in hexadecimal; `*` for what is not shown.
    pub wire: String,
    /// What it holds.
    pub value: Value,
    /// The half byte that fills up an odd count of digits, in hexadecimal, unless it is the usual 0.
    pub filler: Option<char>,
    /// Its parts, if the dialect explains them and they may be shown.
    pub parts: Vec<Said<'f>>,
}

/// What a field holds. A character that is not shown is a `*`; nothing else contains one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Digits, with `D` for a track's separator; text as [`printable::print`] writes it; bytes in
    /// hexadecimal.
    Text(String),
    /// BER-TLV objects, if writing them again gives the same bytes and no tag occurs twice.
    Objects(Vec<Object>),
}

/// One BER-TLV object of the outermost level.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Its tag.
    pub tag: Tag,
    /// Its content in hexadecimal; `*` for what is not shown.
    pub value: String,
    /// What the tag means, if it is one of EMV's or UnionPay's.
    pub meaning: Option<&'static Meaning>,
}

/// One part of a field, and what it means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said<'f> {
    /// The part.
    pub part: &'f Part,
    /// Its digits or characters.
    pub value: String,
    /// What they mean, in English and in Chinese, if the dialect says so.
    pub meaning: Option<&'f [String; 2]>,
}

/// Describes every field of `message`, in their order.
///
/// # Errors
/// The first byte of a BER-TLV field that is not a whole object.
pub fn describe<'f>(
    message: &Message<'f>,
    disclosure: Disclosure,
) -> Result<Vec<Line<'f>>, ParseError> {
    message.fields().filter_map(|field| line(message, field, disclosure).transpose()).collect()
}

fn line<'f>(
    message: &Message<'f>,
    field: FieldNo,
    disclosure: Disclosure,
) -> Result<Option<Line<'f>>, ParseError> {
    let (Some((format, verbatim)), Some(label), Some(content)) =
        (message.verbatim(field.0), message.dialect().label(field.0), message.raw(field.0))
    else {
        return Ok(None);
    };
    let content = Held { format, content, digits: message.digits(field.0) };
    let mut show = match disclosure {
        Disclosure::Full => Sensitivity::Clear,
        Disclosure::Masked => content.sensitivity(message, label),
    };
    let mut objects = None;
    if let Some(reader) = message.tlv(field.0) {
        let read = read_objects(reader, disclosure)?;
        if read.iter().any(|object| object.value.contains('*')) {
            show = Sensitivity::Hide;
        }
        objects = is_regular(reader).then_some(read);
    }
    let text = content.text();
    let parts = match show {
        Sensitivity::Clear => content.parts(message, field, &text),
        Sensitivity::MaskPan | Sensitivity::Hide => Vec::new(),
    };
    let wire = content.wire(verbatim, show);
    let filler = content.filler();
    let value = objects.map_or_else(|| Value::Text(mask(&text, show)), Value::Objects);
    Ok(Some(Line { field, label, wire, value, filler, parts }))
}

/// The content of a field, with what is known of its form.
struct Held<'f> {
    format: &'f Format,
    content: &'f [u8],
    digits: Option<Digits<'f>>,
}

impl Held<'_> {
    /// How much of it may be shown in this message.
    fn sensitivity(&self, message: &Message<'_>, label: &Label) -> Sensitivity {
        let Some(HideIf { mti, starts_with, longer_than }) = &label.hide_if else {
            return label.show;
        };
        let holds = mti.as_ref().is_none_or(|mti| message.mti().as_str().starts_with(mti))
            && starts_with.as_ref().is_none_or(|start| self.text().starts_with(start))
            && longer_than.is_none_or(|longest| self.units() > usize::from(longest));
        if holds { Sensitivity::Hide } else { label.show }
    }

    /// Digits or bytes, as the field counts.
    fn units(&self) -> usize {
        self.digits.map_or(self.content.len(), |digits| digits.len())
    }

    /// All of it, as [`Value::Text`] has it.
    fn text(&self) -> String {
        match (self.format.content, self.digits) {
            (Content::Digits | Content::Track, Some(digits)) if self.format.is_packed() => {
                digits.iter().map(char::from).collect()
            }
            (Content::Binary | Content::Tlv, _) => printable::hex(self.content),
            (Content::Digits | Content::Track | Content::Text, _) => printable::print(self.content),
        }
    }

    /// The parts of `text`, which is all of it.
    fn parts<'d>(&self, message: &Message<'d>, field: FieldNo, text: &str) -> Vec<Said<'d>> {
        let Some(explanation) = message.dialect().explanation(field.0, self.units()) else {
            return Vec::new();
        };
        let mut rest = text;
        let mut said = Vec::new();
        for part in &explanation.parts {
            let length = part.length.map_or(rest.len(), usize::from);
            let Some((value, after)) = rest.split_at_checked(length).filter(|_| !rest.is_empty())
            else {
                break;
            };
            said.push(Said { part, value: value.to_owned(), meaning: part.values.get(value) });
            rest = after;
        }
        said
    }

    /// The bytes of the field, of which the content comes last, in hexadecimal.
    fn wire(&self, verbatim: &[u8], show: Sensitivity) -> String {
        let length = verbatim.len().saturating_sub(self.content.len());
        let packed = self.format.is_packed();
        let skipped = length.saturating_mul(2).saturating_add(self.nibbles_before());
        let shown = |(index, digit): (usize, char)| {
            let unit =
                index.checked_sub(skipped).map(|nibble| if packed { nibble } else { nibble / 2 });
            let shown = unit.is_none_or(|unit| is_shown(unit, self.units(), show));
            // The filler after the last digit says nothing about anyone.
            if shown || unit.is_some_and(|unit| unit >= self.units()) { digit } else { '*' }
        };
        printable::hex(verbatim).chars().enumerate().map(shown).collect()
    }

    /// Half bytes between the length and the first digit.
    fn nibbles_before(&self) -> usize {
        match self.format.justify {
            Justify::Right if self.format.is_packed() => self.units() % 2,
            Justify::Left | Justify::Right => 0,
        }
    }

    /// The half byte that fills up an odd count, unless it is 0.
    fn filler(&self) -> Option<char> {
        if !self.format.is_packed() || self.units().is_multiple_of(2) {
            return None;
        }
        let nibble = match self.format.justify {
            Justify::Right => self.content.first()? >> 4,
            Justify::Left => self.content.last()? & 0x0F,
        };
        char::from_digit(u32::from(nibble), 16)
            .map(|digit| digit.to_ascii_uppercase())
            .filter(|digit| *digit != '0')
    }
}

fn mask(text: &str, show: Sensitivity) -> String {
    let count = text.chars().count();
    let shown = |(index, character)| if is_shown(index, count, show) { character } else { '*' };
    text.chars().enumerate().map(shown).collect()
}

/// Says whether the digit or character at `index` of `count` may be shown.
fn is_shown(index: usize, count: usize, show: Sensitivity) -> bool {
    match show {
        Sensitivity::Clear => true,
        Sensitivity::Hide => false,
        // With fewer than thirteen digits, first six and last four would be nearly all.
        Sensitivity::MaskPan => count >= 13 && (index < 6 || index >= count.saturating_sub(4)),
    }
}

fn read_objects(
    reader: tlv::Reader<'_>,
    disclosure: Disclosure,
) -> Result<Vec<Object>, ParseError> {
    let describe = |object: tlv::Tlv<'_>| {
        let show = match disclosure {
            Disclosure::Full => Sensitivity::Clear,
            Disclosure::Masked => tags::sensitivity(&object),
        };
        let hex = printable::hex(object.value);
        // A card number of odd length ends in a filler that is no digit.
        let digits = hex.trim_end_matches('F');
        let value = match show {
            Sensitivity::MaskPan => {
                mask(digits, show) + hex.get(digits.len()..).unwrap_or_default()
            }
            Sensitivity::Clear | Sensitivity::Hide => mask(&hex, show),
        };
        Object { tag: object.tag, value, meaning: meaning(object.tag) }
    };
    reader.map(|object| object.map(describe)).collect()
}

/// Says whether writing the objects again gives the same bytes, and no tag occurs twice.
fn is_regular(reader: tlv::Reader<'_>) -> bool {
    let mut rewritten = Vec::new();
    reader.check().is_ok()
        && reader
            .flatten()
            .all(|object| tlv::write(&mut rewritten, object.tag, object.value).is_ok())
        && rewritten == reader.bytes()
}
