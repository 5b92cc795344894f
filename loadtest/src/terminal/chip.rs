//! What a chip card and the terminal's kernel put into field 55.

use codec::FieldNo;
use codec::tlv::Reader;

use crate::fen::Fen;
use crate::ids::CardNumber;
use crate::seed::Seeded;

/// What a chip card gave for one transaction. The cryptogram is made up: no issuer can verify it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chip {
    /// The application cryptogram (tag 9F26).
    pub cryptogram: [u8; 8],
    /// The terminal's unpredictable number (tag 9F37).
    pub unpredictable: [u8; 4],
    /// The card's transaction counter (tag 9F36).
    pub counter: u16,
    /// The terminal's date (tag 9A): YYMMDD, two digits a byte.
    pub date: [u8; 3],
}

impl Chip {
    /// A chip whose cryptogram and unpredictable number follow from `seed`.
    #[must_use]
    pub fn simulated(seed: u64, counter: u16, date: [u8; 3]) -> Self {
        let mut seeded = Seeded::new(seed);
        let cryptogram = seeded.next().to_be_bytes();
        let [a, b, c, d, ..] = seeded.next().to_be_bytes();
        Self { cryptogram, unpredictable: [a, b, c, d], counter, date }
    }
}

/// Issuer application data (tag 9F10) in UnionPay's format.
const ISSUER_DATA: &[u8] = b"\x07\x01\x01\x03\xA0\xA8\x02\x01\x0A\x01\0\0\0\0\0\x11\x22\x33\x44";
/// UnionPay debit (tag 84).
const APPLICATION: &[u8] = b"\xA0\x00\x00\x03\x33\x01\x01\x01";
/// Nothing has failed (tag 95).
const VERIFICATION_RESULTS: &[u8] = &[0; 5];
/// China and its currency (tags 9F1A and 5F2A).
const CHINA: &[u8] = b"\x01\x56";

/// What the terminal adds to what the card gives.
pub(super) struct Kernel {
    /// Serial number of the card reader (tag 9F1E).
    pub(super) reader: [u8; 8],
    /// How many chip transactions the terminal has made, this one included (tag 9F41).
    pub(super) sequence: u32,
}

/// Field 55 of an online request. `kind` is the first two digits of the processing code in BCD.
pub(super) fn request(chip: &Chip, kernel: &Kernel, kind: u8, amount: Option<Fen>) -> Vec<u8> {
    let mut field = Objects::default();
    field
        .put(0x9F26, &chip.cryptogram)
        .put(0x9F27, &[0x80])
        .put(0x9F10, ISSUER_DATA)
        .put(0x9F37, &chip.unpredictable)
        .put(0x9F36, &chip.counter.to_be_bytes())
        .put(0x95, VERIFICATION_RESULTS)
        .put(0x9A, &chip.date)
        .put(0x9C, &[kind])
        .put(0x9F02, &bcd(amount.unwrap_or_default().0))
        .put(0x5F2A, CHINA)
        .put(0x82, b"\x7C\x00")
        .put(0x9F1A, CHINA)
        .put(0x9F03, &[0; 6])
        .put(0x9F33, b"\xE0\xF1\xC8")
        .put(0x9F34, b"\x42\x03\x00")
        .put(0x9F35, &[0x22])
        .put(0x9F1E, &kernel.reader)
        .put(0x84, APPLICATION)
        .put(0x9F09, b"\x00\x30");
    let [_, _, sequence @ ..] = bcd(u64::from(kernel.sequence));
    field.put(0x9F41, &sequence);
    field.0
}

/// Field 55 of a sale that the card itself agreed to: that of a request, with the card's word.
pub(super) fn e_cash(mut request: Vec<u8>) -> Vec<u8> {
    let mut field = Objects::default();
    field.put(0x8A, b"Y1");
    request.append(&mut field.0);
    request
}

/// Field 55 of an upload: that of the request, its cryptogram a certificate.
pub(super) fn certificate(request: &[u8]) -> Vec<u8> {
    let mut field = Objects::default();
    for (tag, value) in objects(request) {
        field.put(tag, if tag == 0x9F27 { &[0x40] } else { value });
    }
    field.0
}

/// Objects of the request that the notice of a script's outcome repeats.
const SCRIPT_NOTICE: [u16; 10] =
    [0x9F33, 0x95, 0x9F37, 0x9F1E, 0x9F10, 0x9F26, 0x9F36, 0x82, 0x9F1A, 0x9A];

/// Field 55 of the notice that a script of the issuer was carried out.
pub(super) fn script_notice(request: &[u8]) -> Vec<u8> {
    let mut field = Objects::default();
    for tag in SCRIPT_NOTICE {
        if let Some((_, value)) = objects(request).find(|(found, _)| *found == tag) {
            field.put(tag, value);
        }
    }
    // The whole script was carried out; it has no number.
    field.put(0xDF31, &[0x20, 0, 0, 0, 0]);
    field.0
}

/// True if field 55 of an answer holds a script for the card.
pub(super) fn has_script(answer: &[u8]) -> bool {
    objects(answer).any(|(tag, _)| matches!(tag, 0x71 | 0x72))
}

/// The objects of a field, as far as they can be read; tags have two bytes at most.
fn objects(field: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let whole = Reader::new(FieldNo(55), 0, field).map_while(Result::ok);
    whole.map(|object| {
        let tag = object.tag.bytes().fold(0_u16, |tag, byte| (tag << 8) | u16::from(byte));
        (tag, object.value)
    })
}

/// Field 55 of a reversal.
pub(super) fn reversal(chip: &Chip, kernel: &Kernel) -> Vec<u8> {
    let mut field = Objects::default();
    field
        .put(0x95, VERIFICATION_RESULTS)
        .put(0x9F1E, &kernel.reader)
        .put(0x9F10, ISSUER_DATA)
        .put(0x9F36, &chip.counter.to_be_bytes());
    field.0
}

/// A card's track 2: number, separator, expiry date, service code, ten zeros.
pub(super) fn track2(card: &CardNumber, expiry: Option<&[u8; 4]>) -> Vec<u8> {
    // A card without an expiry date has zeros in its place.
    let expiry = expiry.unwrap_or(b"0000");
    [card.digits().as_bytes(), b"D", expiry, b"2010000000000"].concat()
}

/// BER-TLV objects of at most 127 bytes, one after the other.
#[derive(Default)]
struct Objects(Vec<u8>);

impl Objects {
    fn put(&mut self, tag: u16, value: &[u8]) -> &mut Self {
        let bytes = tag.to_be_bytes();
        let tag = match &bytes {
            [0, tag] => std::slice::from_ref(tag),
            both => both,
        };
        self.0.extend_from_slice(tag);
        self.0.push(u8::try_from(value.len()).unwrap_or(0x7F));
        self.0.extend_from_slice(value);
        self
    }
}

/// Twelve decimal digits, two a byte.
fn bcd(number: u64) -> [u8; 6] {
    let mut rest = number;
    let mut bytes = [0; 6];
    for byte in bytes.iter_mut().rev() {
        let [pair, ..] = (rest % 100).to_le_bytes();
        *byte = (pair / 10) << 4 | (pair % 10);
        rest /= 100;
    }
    bytes
}
