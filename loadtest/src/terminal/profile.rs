//! How terminals of different makes differ.

use codec::{Header, Tpdu};

use crate::kit::TerminalSetup;

/// How a terminal of one make differs from one of another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// Where its frames go.
    pub tpdu: Tpdu,
    /// Application class, software version and state.
    pub header: Header,
    /// Network licence, four characters, in a sign-on.
    pub licence: String,
    /// Serial number in a sign-on.
    pub serial: String,
    /// Operator (field 63.1).
    pub operator: [u8; 3],
    /// Serial number of the chip reader.
    pub reader: [u8; 8],
    /// What it does with a smaller amount than it asked for.
    pub partial: PartialApproval,
    /// How tracks travel.
    pub track: TrackLine,
}

/// What a terminal does with an approval of less than it asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartialApproval {
    /// It asks for all or nothing.
    Refused,
    /// It says that it can take the rest in another way (field 60.6).
    Understood,
}

/// How tracks travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrackLine {
    /// As they are.
    Clear,
    /// Under the track key, which the last sign-on must have brought.
    Enciphered,
}

impl Profile {
    /// The usual one, with a serial number made of the terminal's.
    #[must_use]
    pub fn of(setup: &TerminalSetup) -> Self {
        Self {
            tpdu: Tpdu([0x60, 0x00, 0x01, 0x00, 0x02]),
            header: Header([0x60, 0x22, 0, 0, 0, 0]),
            licence: "3060".to_owned(),
            serial: format!("SN{:0>10}", setup.id),
            operator: *b"01 ",
            reader: setup.id.0,
            partial: PartialApproval::Refused,
            track: TrackLine::Clear,
        }
    }
}
