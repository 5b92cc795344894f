//! What a terminal comes for when it is looked after, and what field 62 says of it.

use codec::tlv::{Reader, Tag};
use codec::{FieldNo, Message};
use domain::txn::CareList;

/// What a terminal comes for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Errand {
    /// It asks what there is in a list of chip card keys or applications.
    Query(CareList),
    /// It fetches one entry of such a list, its parameters, or a part of the blacklist.
    Fetch(CareList),
    /// It has all of a list.
    End(CareList),
    /// It reports of itself.
    Report,
    /// It fetches the host's RSA key.
    HostKey,
    /// It fetches a new master key.
    NewTmk,
    /// It takes its new master key into use.
    UseTmk,
}

impl Errand {
    /// Returns the name that metrics and logs carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query(_) => "list_query",
            Self::Fetch(_) => "list_download",
            Self::End(_) => "list_end",
            Self::Report => "status_upload",
            Self::HostKey => "host_key",
            Self::NewTmk => "tmk_download",
            Self::UseTmk => "tmk_activation",
        }
    }
}

/// The name of a chip application, or of a scheme (9F06).
pub const NAME: u32 = 0x9F06;
/// The number of a scheme's key (9F22).
pub const INDEX: u32 = 0x9F22;
/// The last day of a scheme's key.
pub const EXPIRY: u32 = 0xDF05;
/// The hash algorithm of a scheme's key.
pub const HASH: u32 = 0xDF06;
/// The signature algorithm of a scheme's key.
pub const SIGNATURE: u32 = 0xDF07;
/// A modulus.
pub const MODULUS: u32 = 0xDF02;
/// An exponent.
pub const EXPONENT: u32 = 0xDF04;
/// The check value of a scheme's key; the fingerprint of the host's.
pub const CHECK: u32 = 0xDF03;
/// How a terminal pads its transport key: 1 is OAEP with SHA-256, 2 is PKCS#1 v1.5.
pub const PADDING: u32 = 0xDF08;
/// A new master key under the transport key.
pub const TMK: u32 = 0xDF21;
/// The check value of the new master key.
pub const TMK_CHECK: u32 = 0xDF22;
/// The proof that the terminal has the new master key.
pub const TMK_PROOF: u32 = 0xDF23;
/// The serial number of the terminal.
pub const SERIAL: u32 = 0xDF24;
/// The transport key under the host's RSA key.
pub const TRANSPORT: u32 = 0xDF25;

/// Reads where a list shall go on: `1` and as many digits as the list counts in. Without F62 it
/// begins at its start.
#[must_use]
pub fn start(message: &Message<'_>, digits: usize) -> Option<usize> {
    let Some(field) = message.raw(62) else { return Some(0) };
    let (b'1', number) = field.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let fits = number.len() == digits && number.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(number).ok().filter(|_| fits)?.parse().ok()
}

/// Reads the objects of F62: those with these tags, all of which must be there, and nothing
/// twice.
#[must_use]
pub fn objects<'f, const N: usize>(message: &Message<'f>, tags: [u32; N]) -> Option<[&'f [u8]; N]> {
    let reader = Reader::new(FieldNo(62), 0, message.raw(62)?);
    reader.check().ok()?;
    let mut found = [&[][..]; N];
    for (to, tag) in found.iter_mut().zip(tags) {
        *to = reader.find(Tag::new(tag)?).ok()??.value;
    }
    Some(found)
}

/// Reads a report: items that each begin with two digits, so two digits at least, in characters
/// that can be shown.
#[must_use]
pub fn report<'f>(message: &Message<'f>, longest: usize) -> Option<&'f [u8]> {
    let text = message.raw(62)?;
    let is_text = text.iter().all(|byte| *byte == b' ' || byte.is_ascii_graphic());
    let begins = text.first_chunk::<2>().is_some_and(|code| code.iter().all(u8::is_ascii_digit));
    (is_text && begins && text.len() <= longest).then_some(text)
}

#[cfg(test)]
mod tests {
    use codec::Dialect;
    use codec::MessageBuilder;

    use super::*;

    fn with_f62<T>(content: Option<&[u8]>, read: impl FnOnce(&Message<'_>) -> T) -> T {
        let (dialect, mut bytes) = (Dialect::unionpay_pos(), Vec::new());
        let mut builder = MessageBuilder::start(dialect, &mut bytes, b"0800").unwrap();
        if let Some(content) = content {
            builder.binary(62, content).unwrap();
        }
        builder.finish().unwrap();
        read(&Message::parse(dialect, &bytes).unwrap())
    }

    #[test]
    fn a_list_goes_on_where_it_is_told_to() {
        let at = |content: &[u8]| with_f62(Some(content), |message| start(message, 2));
        assert_eq!(with_f62(None, |message| start(message, 2)), Some(0));
        assert_eq!((at(b"100"), at(b"107"), at(b"199")), (Some(0), Some(7), Some(99)));
        for wrong in
            [&b""[..], b"1", b"10", b"1000", b"000", b"200", b"1+1", b"1a0", b"1 7", b"\xFF00"]
        {
            assert_eq!(at(wrong), None, "{wrong:?}");
        }
        assert_eq!(with_f62(Some(b"1000012"), |message| start(message, 6)), Some(12));
    }

    #[test]
    fn objects_are_all_there_and_once() {
        let read = |content: &[u8]| {
            with_f62(Some(content), |message| {
                objects(message, [NAME, INDEX]).map(|o| o.map(<[u8]>::to_vec))
            })
        };
        let right = [&[0x9F, 0x06, 2, 1, 2, 0x9F, 0x22, 1, 8][..], &[]].concat();
        assert_eq!(read(&right), Some([vec![1, 2], vec![8]]));
        let twice = [&right[..], &[0x9F, 0x22, 1, 9]].concat();
        for wrong in [&right[..5], &right[..8], &twice, &[], &[0x9F], &[0x9F, 0x06, 0x80, 0, 0]] {
            assert_eq!(read(wrong), None, "{wrong:02X?}");
        }
        assert!(with_f62(None, |message| objects(message, [NAME]).is_none()));
    }

    #[test]
    fn a_report_is_a_text_that_begins_with_a_code() {
        let read = |content: &[u8]| with_f62(Some(content), |message| report(message, 8).is_some());
        assert!(read(b"01") && read(b"010 0211"));
        for wrong in [&b""[..], b"0", b"x1", b"010021100", b"01\n", b"01\xFF"] {
            assert!(!read(wrong), "{wrong:?}");
        }
    }
}
