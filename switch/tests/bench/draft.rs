//! A request as the bytes it is made of, so that a case can bend any of them before it is signed.

use std::collections::BTreeMap;

use codec::{Dialect, MessageBuilder};
use keys::{MacAlgorithm, PinFormat, TerminalKeys};

/// The card of a good sale: active, 500.00 in its purse, published PIN.
pub(crate) const PAN: &str = "6212142000000000012";
/// A card whose last month was in 2023.
pub(crate) const EXPIRED: &str = "6212142000000000681";
/// A card that was lost.
pub(crate) const LOST: &str = "6212142000000000723";
/// A frozen card.
pub(crate) const FROZEN: &str = "6212142000000000764";
/// A card that was sold and not activated.
pub(crate) const SOLD: &str = "6212142000000000806";
/// A cancelled card.
pub(crate) const CANCELLED: &str = "6212142000000000848";
/// A named card with 600.00, which may be loaded up to 5000.00.
pub(crate) const NAMED: &str = "6225000000000048";
/// A named card that holds all it may.
pub(crate) const FULL: &str = "6225000000000055";
/// The cards of the demonstration that cases use beside its first twenty.
pub(crate) const OTHER_CARDS: [&str; 7] = [EXPIRED, LOST, FROZEN, SOLD, CANCELLED, NAMED, FULL];
/// The PIN of all cards.
pub(crate) const PIN: &[u8] = b"123456";
/// The terminal of a good sale.
pub(crate) const TERMINAL: &str = "10000001";
/// How its message codes are made.
pub(crate) const MAC: MacAlgorithm = MacAlgorithm::UnionPay;
/// Its merchant.
pub(crate) const MERCHANT: &str = "898000000000001";
/// Another terminal of the same merchant, not signed on.
pub(crate) const OTHER_TERMINAL: &str = "10000002";
/// Another merchant.
pub(crate) const OTHER_MERCHANT: &str = "898000000000002";
/// The trace number of a good sale; the sign-on before it took the first.
pub(crate) const STAN: u32 = 2;
/// The amount of a good sale, in fen.
pub(crate) const FEN: i64 = 10_000;

/// What stands in F64.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// The right message code.
    Right,
    /// These bytes.
    Bytes(Vec<u8>),
    /// No F64.
    Absent,
}

/// A request before it is a frame.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// TPDU and header.
    pub(crate) envelope: Vec<u8>,
    /// The message type, as it stands on the wire.
    pub(crate) mti: Vec<u8>,
    /// Turns the bits that the fields make, F64 among them, into those that are sent.
    pub(crate) bitmap: fn(u64) -> Vec<u8>,
    /// Fields as they stand on the wire, length in front.
    pub(crate) fields: BTreeMap<u8, Vec<u8>>,
    /// The message code.
    pub(crate) code: Code,
    /// The terminal whose keys sign it.
    pub(crate) signer: &'static str,
    /// Bytes after the last field.
    pub(crate) tail: Vec<u8>,
}

impl Draft {
    /// An empty request.
    pub(crate) fn new(mti: [u8; 2]) -> Self {
        Self {
            envelope: vec![0x60, 0x00, 0x03, 0x00, 0x00, 0x60, 0x31, 0x00, 0x31, 0x13, 0x04],
            mti: mti.to_vec(),
            bitmap: |bits| bits.to_be_bytes().to_vec(),
            fields: BTreeMap::new(),
            code: Code::Right,
            signer: TERMINAL,
            tail: Vec::new(),
        }
    }

    /// Sets a field of digits, as the dialect writes it.
    pub(crate) fn digits(&mut self, field: u8, digits: &str) -> &mut Self {
        let wire = alone(|message| _ = message.digits(field, digits.as_bytes()).unwrap());
        self.wire(field, &wire)
    }

    /// Sets a field of text or bytes, as the dialect writes it.
    pub(crate) fn text(&mut self, field: u8, text: &[u8]) -> &mut Self {
        let wire = alone(|message| _ = message.text(field, text).unwrap());
        self.wire(field, &wire)
    }

    /// Sets a field to bytes that need not be right, length in front where it has one.
    pub(crate) fn wire(&mut self, field: u8, bytes: &[u8]) -> &mut Self {
        self.fields.insert(field, bytes.to_vec());
        self
    }

    /// Leaves a field out.
    pub(crate) fn without(&mut self, field: u8) -> &mut Self {
        self.fields.remove(&field);
        self
    }

    /// Names the card by F2 alone, as typed in.
    pub(crate) fn typed(&mut self, pan: &str) -> &mut Self {
        self.digits(22, "011").without(35).digits(2, pan)
    }

    /// Returns the frame without its length; `sign` makes the message code.
    pub(crate) fn frame(&self, sign: impl FnOnce(&[u8]) -> [u8; 8]) -> Vec<u8> {
        let fields = self.fields.keys().filter(|field| **field <= 64);
        let mut bits = fields.fold(0_u64, |bits, field| bits | 1 << (64 - u32::from(*field)));
        if !matches!(self.code, Code::Absent) {
            bits |= 1;
        }
        let mut body = [self.mti.as_slice(), &(self.bitmap)(bits)].concat();
        let before = self.fields.range(..64).flat_map(|(_, wire)| wire);
        body.extend(before);
        match &self.code {
            Code::Right => {
                let code = sign(&body);
                body.extend(code);
            }
            Code::Bytes(code) => body.extend(code),
            Code::Absent => {}
        }
        body.extend(self.fields.range(64..).flat_map(|(_, wire)| wire));
        body.extend(&self.tail);
        [self.envelope.as_slice(), &body].concat()
    }
}

/// Writes one field and returns its bytes on the wire.
fn alone(write: impl FnOnce(&mut MessageBuilder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut message = MessageBuilder::start(Dialect::unionpay_pos(), &mut bytes, b"0200").unwrap();
    write(&mut message);
    message.finish().unwrap();
    bytes.split_off(10)
}

/// A sale that is approved: swiped and typed, PIN entered, signed.
pub(crate) fn sale(keys: &TerminalKeys) -> Draft {
    let pan = keys::Pan12::from_pan(PAN.as_bytes()).unwrap();
    let pin = keys.pin_block(PIN, PinFormat::WithPan, Some(&pan)).unwrap();
    let mut draft = Draft::new([0x02, 0x00]);
    draft
        .digits(2, PAN)
        .digits(3, "000000")
        .digits(4, &format!("{FEN:012}"))
        .digits(11, &format!("{STAN:06}"))
        .digits(22, "021")
        .digits(25, "00")
        .digits(26, "12")
        .digits(35, &format!("{PAN}D2912201000000000"))
        .text(41, TERMINAL.as_bytes())
        .text(42, MERCHANT.as_bytes())
        .text(49, b"156")
        .text(52, pin.as_bytes())
        .digits(53, "2600000000000000")
        .digits(60, "22000001000500");
    draft
}

/// The reversal of a good sale, which names no card.
pub(crate) fn reversal(keys: &TerminalKeys) -> Draft {
    let mut draft = sale(keys);
    draft.mti = vec![0x04, 0x00];
    for field in [2, 26, 35, 52, 53] {
        draft.without(field);
    }
    draft.text(39, b"98");
    draft
}

/// A request of the terminal itself: no card, no message code.
pub(crate) fn management(mti: [u8; 2], f60: &str) -> Draft {
    let mut draft = Draft::new(mti);
    draft
        .digits(11, "000001")
        .text(41, TERMINAL.as_bytes())
        .text(42, MERCHANT.as_bytes())
        .digits(60, f60)
        .code = Code::Absent;
    draft
}
