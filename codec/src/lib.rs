//! ISO 8583 bytes: dialects as data, a parser that copies nothing, a builder, framing, and a masked
//! description for people.
//!
//! ```
//! use codec::{Dialect, Message, MessageBuilder};
//!
//! let dialect = Dialect::unionpay_pos();
//! let mut body = Vec::new();
//! let mut builder = MessageBuilder::start(dialect, &mut body, b"0820")?;
//! builder.number(11, 42)?.text(41, b"10000001")?.digits(60, b"00000001301")?;
//! builder.finish()?;
//!
//! let message = Message::parse(dialect, &body)?;
//! assert_eq!(message.mti().as_str(), "0820");
//! assert_eq!(message.number(11), Some(42));
//! assert_eq!(message.text(41), Some(&b"10000001"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | [`dialect`] | a field table, read from TOML: which fields there are and how each is laid out |
//! | [`message`] | the index of a received message; every field is a view of the frame |
//! | [`digits`] | decimal and track content, whatever its encoding |
//! | [`tlv`] | BER-TLV objects inside a field |
//! | [`build`] | writing a message into a caller's buffer |
//! | [`framing`] | cutting frames from a stream; TPDU and header of the POS line |
//! | [`capture`] | finding the message in bytes of unknown framing and dialect |
//! | [`describe`] | what a message says, with card data masked |
//! | [`printable`] | bytes as text that can be read back |
//! | [`error`] | where a message is wrong, and why |

pub mod bitmap;
pub mod build;
pub mod capture;
pub mod describe;
pub mod dialect;
pub mod digits;
pub mod error;
pub mod field;
pub mod framing;
pub mod message;
mod plan;
pub mod printable;
pub mod tlv;

pub use build::{BuildError, BuildFault, MessageBuilder};
pub use dialect::{Dialect, DialectError};
pub use digits::Digits;
pub use error::{Fault, ParseError};
pub use field::FieldNo;
pub use framing::{Cut, Envelope, FrameError, Header, Limits, Tpdu, cut, write_frame};
pub use message::{Message, Mti};
