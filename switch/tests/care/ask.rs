//! A terminal that asks, frame by frame.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use codec::{BuildError, Dialect, Envelope, Header, Message, MessageBuilder, Tpdu, write_frame};
use keys::{Algorithm, MacAlgorithm, TerminalKeys};

use crate::house::House;

/// What an answer says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Told {
    pub(crate) mti: String,
    /// F39.
    pub(crate) code: String,
    /// Digit 6 of the header.
    pub(crate) asks: u8,
    /// F62.
    pub(crate) f62: Option<Vec<u8>>,
}

impl Told {
    /// Returns code, header digit, and whether there is an F62.
    pub(crate) fn short(&self) -> (&str, u8, bool) {
        (&self.code, self.asks, self.f62.is_some())
    }
}

/// A terminal of the demonstration.
pub(crate) struct Till {
    pub(crate) id: &'static str,
    merchant: &'static str,
    line: TcpStream,
}

impl Till {
    /// A terminal, connected to the node.
    pub(crate) fn at(house: &House, id: &'static str) -> Self {
        let merchant = match id {
            "10000005" => "898000000000002",
            _ => "898000000000001",
        };
        let line = TcpStream::connect(house.address).unwrap();
        line.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { id, merchant, line }
    }

    /// Asks with a message type, a network management code (F60.3), and F62 if there is one.
    pub(crate) fn ask(&mut self, mti: &str, network: &str, f62: Option<&[u8]>) -> Told {
        self.send(mti, network, f62, None)
    }

    /// Asks with a message code.
    pub(crate) fn ask_signed(
        &mut self,
        (mti, network): (&str, &str),
        f62: &[u8],
        keys: &TerminalKeys,
    ) -> Told {
        self.send(mti, network, Some(f62), Some(keys))
    }

    fn send(
        &mut self,
        mti: &str,
        network: &str,
        f62: Option<&[u8]>,
        keys: Option<&TerminalKeys>,
    ) -> Told {
        self.write(mti, network, f62, keys);
        self.hear()
    }

    /// Sends a request twice before it hears an answer.
    pub(crate) fn ask_twice(&mut self, mti: &str, network: &str, f62: &[u8]) -> [Told; 2] {
        self.write(mti, network, Some(f62), None);
        self.write(mti, network, Some(f62), None);
        [self.hear(), self.hear()]
    }

    /// Sends a sale with a message code that is none.
    pub(crate) fn forged_sale(&mut self) -> Told {
        let id = self.id;
        self.write_frame(|out| {
            let mut message = MessageBuilder::start(Dialect::unionpay_pos(), out, b"0200")?;
            message.digits(3, b"000000")?.digits(4, b"000000000100")?.digits(11, b"000002")?;
            message.digits(22, b"012")?.digits(25, b"00")?.text(41, id.as_bytes())?;
            message.text(42, b"898000000000001")?.digits(60, b"22000001000")?;
            message.finish_with_mac(64, |_| *b"00000000")
        });
        self.hear()
    }

    fn write(&mut self, mti: &str, network: &str, f62: Option<&[u8]>, keys: Option<&TerminalKeys>) {
        let (id, merchant) = (self.id, self.merchant);
        self.write_frame(|out| {
            let mti = mti.as_bytes().try_into().unwrap();
            let mut message = MessageBuilder::start(Dialect::unionpay_pos(), out, mti)?;
            if matches!(network, "001" | "003") {
                message.digits(11, b"000001")?;
            }
            message.text(41, id.as_bytes())?.text(42, merchant.as_bytes())?;
            message.digits(60, format!("00000001{network}").as_bytes())?;
            if let Some(f62) = f62 {
                message.binary(62, f62)?;
            }
            match keys {
                Some(keys) => message
                    .finish_with_mac(64, |bytes| keys.mac(MacAlgorithm::UnionPay, bytes).unwrap()),
                None => message.finish(),
            }
        });
    }

    fn write_frame(&mut self, build: impl FnOnce(&mut Vec<u8>) -> Result<(), BuildError>) {
        let mut frame = Vec::new();
        let (tpdu, header) = (Tpdu([0x60, 0, 3, 0, 0]), Header([0x60, 0x31, 0, 0x31, 0x13, 0x04]));
        write_frame(&mut frame, tpdu, header, build).unwrap();
        self.line.write_all(&frame).unwrap();
    }

    fn hear(&mut self) -> Told {
        let mut length = [0; 2];
        self.line.read_exact(&mut length).unwrap();
        let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
        self.line.read_exact(&mut frame).unwrap();
        let envelope = Envelope::parse(&frame).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        assert!(!message.has(64), "nothing of this is signed");
        Told {
            mti: message.mti().as_str().to_owned(),
            code: String::from_utf8(message.text(39).unwrap().to_vec()).unwrap(),
            asks: envelope.header.requirement(),
            f62: message.raw(62).map(<[u8]>::to_vec),
        }
    }

    /// Returns what the header asks for in the answer to an echo.
    pub(crate) fn asked(&mut self) -> u8 {
        let told = self.ask("0820", "301", None);
        assert_eq!((&*told.mti, &*told.code, told.f62), ("0830", "00", None));
        told.asks
    }

    /// Signs on; returns the working keys, if they open under this master key.
    pub(crate) fn sign_on(&mut self, tmk: &[u8]) -> Option<TerminalKeys> {
        let told = self.ask("0800", "003", None);
        assert_eq!(told.code, "00");
        TerminalKeys::from_sign_on(tmk, Algorithm::Des, &told.f62.unwrap(), None).ok()
    }

    /// Fetches and acknowledges everything that the header asks for, as a terminal does.
    pub(crate) fn catch_up(&mut self) {
        for (network, end) in [("360", "361"), ("390", "391")] {
            self.done("0800", network, None);
            self.done("0800", end, None);
        }
        for (query, end) in [("372", "371"), ("382", "381")] {
            self.done("0820", query, Some(b"100"));
            self.done("0800", end, None);
        }
        self.done("0820", "362", Some(b"010"));
        assert_eq!(self.asked(), 0);
    }

    /// Asks, and holds the answer to success.
    pub(crate) fn done(&mut self, mti: &str, network: &str, f62: Option<&[u8]>) -> Told {
        let told = self.ask(mti, network, f62);
        assert_eq!(told.code, "00", "{network}");
        told
    }
}
