//! Where a message is wrong, and why.

use std::fmt;

use crate::field::FieldNo;

/// Why a message could not be read. Small, `Copy`, and never holds cardholder data.
///
/// Prints as `field 11 at byte 54: byte 0x20 is not a digit`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} at byte {offset}: {fault}", Place(*field))]
pub struct ParseError {
    /// The field at fault; 0 is the message type, 1 the bitmap.
    pub field: FieldNo,
    /// Counted from the message type's first byte, so that it can be read beside the hex dump.
    pub offset: u16,
    /// What is wrong there.
    pub fault: Fault,
}

/// A field as an error names it; what comes before the fields has no number for people.
struct Place(FieldNo);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.0 {
            0 => f.write_str("message type"),
            1 => f.write_str("bitmap"),
            number => write!(f, "field {number}"),
        }
    }
}

/// What is wrong at one place of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The message ends inside the field.
    #[error("needs {needed} bytes, {left} left")]
    Short {
        /// Bytes the field still wants.
        needed: u16,
        /// Bytes there are.
        left: u16,
    },
    /// A character that should be a digit.
    #[error("byte 0x{0:02X} is not a digit")]
    NotADigit(u8),
    /// Half a byte that should be a digit. Its neighbour may be one of a card number's digits and is
    /// therefore not shown.
    #[error("nibble 0x{0:X} is not a digit")]
    NotADecimalNibble(u8),
    /// A byte of a length that should be decimal.
    #[error("length byte 0x{0:02X} is not decimal")]
    LengthNotDecimal(u8),
    /// More digits or bytes than the field may have.
    #[error("length {got} exceeds {max}")]
    TooLong {
        /// Announced length, in digits or bytes as the field counts.
        got: u16,
        /// Longest length of the field.
        max: u16,
    },
    /// The filler of a fixed field with an odd number of digits. Anything but 0 or F says that the
    /// sender justified the digits to the other side.
    #[error("pad nibble 0x{0:X} is neither 0 nor F")]
    Pad(u8),
    /// The bitmap announces a field that the dialect does not have, so what follows has no layout.
    #[error("is not a field of this dialect")]
    Unknown,
    /// Bit 1 announces a second bitmap in which no bit is set.
    #[error("second bitmap is empty")]
    EmptyBitmap,
    /// Bytes after the last field.
    #[error("{left} bytes follow the last field")]
    Trailing {
        /// How many.
        left: u16,
    },
    /// A TLV object whose tag has more than three bytes.
    #[error("tag is longer than 3 bytes")]
    TagTooLong,
    /// A TLV object of indefinite length (0x80).
    #[error("indefinite length is not allowed")]
    IndefiniteLength,
    /// A TLV object whose length has more than three bytes.
    #[error("length is longer than 3 bytes")]
    LengthTooLong,
    /// TLV objects nested deeper than [`crate::tlv::DEPTH_MAX`].
    #[error("objects are nested deeper than {}", crate::tlv::DEPTH_MAX)]
    TooDeep,
    /// A TLV tag that occurs twice at one level.
    #[error("tag {0} occurs twice")]
    DuplicateTag(crate::tlv::Tag),
}

impl ParseError {
    /// A stable word for logs and counters, whatever the wording of the text.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        if self.field.0 == 0 && !matches!(self.fault, Fault::TooLong { .. }) {
            return "MTI_BAD";
        }
        match self.fault {
            Fault::Short { .. } => "TRUNCATED",
            Fault::NotADigit(_) | Fault::NotADecimalNibble(_) | Fault::Pad(_) => "DIGIT_BAD",
            Fault::LengthNotDecimal(_) | Fault::TooLong { .. } => "LEN_BAD",
            Fault::Unknown => "FIELD_UNKNOWN",
            Fault::EmptyBitmap => "BITMAP_BAD",
            Fault::Trailing { .. } => "TRAILING_BYTES",
            Fault::TagTooLong
            | Fault::IndefiniteLength
            | Fault::LengthTooLong
            | Fault::TooDeep
            | Fault::DuplicateTag(_) => "TLV_BAD",
        }
    }
}
