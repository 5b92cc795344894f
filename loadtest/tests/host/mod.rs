//! A tiny host that answers what a script tells it to.

pub mod shop;

use codec::{Dialect, Envelope, Message, MessageBuilder, write_frame};
use keys::{Algorithm, KeyLayout, MacAlgorithm, TerminalKeys};
use loadtest::terminal::SignOn;
use loadtest::{CardStatus, Fen, Kit, Stan, Terminal, TerminalSetup, TestCard, Tmk};

/// Master key and working keys of the published test vectors.
pub const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
pub const BLOCK_40: &str = "4DE539CF4B2B17845D17E2C7B0AD5F394B12C1B351E0C72AABA45C3B\
                            000000000000000067D6A501";
pub const TRACK_KEY: &str = "4230EF1CB268495597F4494DD23D8A72EB7A8DF9";
pub const SM4_BLOCK_60: &str = "52D8EFDF698B77A8C3F5CBE82153B70E165B182D\
                                27ED9DC015F7D087CC2B338CF86D513984BEC791\
                                13DB3699CCA829A260BDB1A4A629506C660D19F4";

pub fn hex(text: &str) -> Vec<u8> {
    const_hex::decode(text.replace([' ', '\n'], "")).unwrap()
}

/// The terminal of the test vectors.
pub fn setup() -> TerminalSetup {
    let mut setup = Kit::generate(1, 0, 0).terminals.remove(0);
    setup.id = "10000001".parse().unwrap();
    setup.merchant = "898000000000001".parse().unwrap();
    setup.tmk = TMK.parse::<Tmk>().unwrap();
    setup
}

pub fn sm4_setup() -> TerminalSetup {
    let (algorithm, layout) = (Algorithm::Sm4, KeyLayout::Sm4x60);
    TerminalSetup { algorithm, layout, mac: MacAlgorithm::Sm4A, ..setup() }
}

/// What an answer carries beside the fields it repeats.
#[derive(Clone, Default)]
pub struct Answer<'a> {
    pub code: &'a str,
    pub rrn: &'a str,
    pub auth: &'a str,
    pub f48: &'a str,
    pub f54: &'a str,
    pub f55: &'a [u8],
    pub f60: &'a str,
    pub f62: &'a [u8],
    pub f63: &'a str,
    pub requirement: u8,
    pub amount: Option<u64>,
    pub stan: Option<u64>,
    pub mac: Mac,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub enum Mac {
    #[default]
    Right,
    Wrong,
    Missing,
}

pub struct Host {
    keys: TerminalKeys,
    mac: MacAlgorithm,
    pub block: Vec<u8>,
}

impl Host {
    pub fn new(setup: &TerminalSetup, block: &str) -> Self {
        let block = hex(block);
        let keys = TerminalKeys::from_sign_on(setup.tmk.as_bytes(), setup.algorithm, &block, None);
        Self { keys: keys.unwrap(), mac: setup.mac, block }
    }

    /// Answers a request, length and all; returns the frame without its length.
    pub fn answer(&self, request: &[u8], answer: &Answer<'_>) -> Vec<u8> {
        let dialect = Dialect::unionpay_pos();
        let envelope = Envelope::parse(&request[2..]).unwrap();
        let request = Message::parse(dialect, envelope.body).unwrap();
        let mut mti = *request.mti().as_bytes();
        mti[2] += 1;
        let has_mac = matches!(&mti, b"0110" | b"0210" | b"0230" | b"0410" | b"0630");
        let has_mac = has_mac && answer.mac != Mac::Missing;
        let header = envelope.header.with_requirement(answer.requirement);
        let mut frame = Vec::new();
        write_frame(&mut frame, envelope.tpdu.swapped(), header, |body| {
            let mut message = MessageBuilder::start(dialect, body, &mti)?;
            message.copy(&request, 3)?;
            match answer.amount {
                Some(amount) => message.number(4, amount)?,
                None => message.copy(&request, 4)?,
            };
            match answer.stan {
                Some(stan) => message.number(11, stan)?,
                None => message.copy(&request, 11)?,
            };
            message.number(12, 101_530)?.number(13, 115)?;
            if !answer.rrn.is_empty() {
                message.text(37, answer.rrn.as_bytes())?;
            }
            if !answer.auth.is_empty() {
                message.text(38, answer.auth.as_bytes())?;
            }
            if !answer.code.is_empty() {
                message.text(39, answer.code.as_bytes())?;
            }
            message.copy(&request, 41)?.copy(&request, 42)?;
            if !answer.f48.is_empty() {
                message.digits(48, answer.f48.as_bytes())?;
            }
            if !answer.f54.is_empty() {
                message.text(54, answer.f54.as_bytes())?;
            }
            if !answer.f55.is_empty() {
                message.binary(55, answer.f55)?;
            }
            if answer.f60.is_empty() {
                message.copy(&request, 60)?;
            } else {
                message.digits(60, answer.f60.as_bytes())?;
            }
            if !answer.f62.is_empty() {
                message.binary(62, answer.f62)?;
            }
            if !answer.f63.is_empty() {
                message.text(63, answer.f63.as_bytes())?;
            }
            if !has_mac {
                return message.finish();
            }
            message.finish_with_mac(64, |bytes| {
                let mut mac = self.keys.mac(self.mac, bytes).unwrap();
                if answer.mac == Mac::Wrong {
                    mac[7] ^= 1;
                }
                mac
            })
        })
        .unwrap();
        frame.split_off(2)
    }

    /// Answers a sign-on: the keys, and the batch to use.
    pub fn sign_on(&self, request: &[u8], f60: &str) -> Vec<u8> {
        let rrn = "011510150001";
        self.answer(
            request,
            &Answer { code: "00", rrn, f60, f62: &self.block, ..Answer::default() },
        )
    }

    /// Says yes.
    pub fn approve(&self, request: &[u8], rrn: &str) -> Vec<u8> {
        self.answer(request, &Answer { code: "00", rrn, auth: "A12345", ..Answer::default() })
    }

    /// Says no.
    pub fn refuse(&self, request: &[u8], code: &str) -> Vec<u8> {
        self.answer(request, &Answer { code, rrn: "011510150099", ..Answer::default() })
    }

    /// True if the request's message code is right.
    pub fn accepts(&self, request: &[u8]) -> bool {
        let envelope = Envelope::parse(&request[2..]).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        self.keys.verify_mac(self.mac, message.mac_input().unwrap(), message.raw(64).unwrap())
    }
}

pub fn card() -> TestCard {
    TestCard {
        pan: "6212142000000000012".parse().unwrap(),
        pin: Some("123456".parse().unwrap()),
        product: 1,
        expiry: Some("2912".parse().unwrap()),
        status: CardStatus::Active,
        main: Fen(50_000),
        bonus: Fen(0),
        points: 0,
        held: Fen(0),
    }
}

/// A terminal that has signed on, and its host.
pub fn signed_on() -> (Terminal, Host) {
    signed_on_as(&setup(), BLOCK_40, SignOn::Double)
}

pub fn signed_on_as(setup: &TerminalSetup, block: &str, ask: SignOn) -> (Terminal, Host) {
    let host = Host::new(setup, block);
    let mut terminal = Terminal::new(setup);
    let request = terminal.sign_on(ask).unwrap();
    terminal.on_frame(&host.sign_on(&request, "00000007003")).unwrap();
    (terminal, host)
}

pub fn stan(number: u32) -> Stan {
    Stan::new(number).unwrap()
}

/// Field by field what a request carries; `None` if a field is absent.
pub fn field(request: &[u8], number: u8) -> Option<String> {
    let envelope = Envelope::parse(&request[2..]).unwrap();
    let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
    if number == 0 {
        return Some(message.mti().to_string());
    }
    if let Some(digits) = message.digits(number) {
        return Some(digits.iter().map(char::from).collect());
    }
    let bytes = message.raw(number)?;
    let text = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    Some(if text {
        String::from_utf8(bytes.to_vec()).unwrap()
    } else {
        const_hex::encode_upper(bytes)
    })
}
