//! What a terminal keeps while it is switched off.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::slip::{self, Slip};
use super::{Confirmation, Notice, Owed, Terminal, TerminalError, Verified};
use crate::ids::{BatchNo, MerchantId, Stan, TerminalId};
use crate::kit::TerminalSetup;

/// What a terminal keeps: counters, slips, what it still has to say to the host, and its working keys as they came,
/// under its master key.
///
/// Slips hold card numbers, as a terminal's memory does; [`State::save`] lets nobody but the owner
/// read them.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    terminal: TerminalId,
    merchant: MerchantId,
    stan: Stan,
    batch: BatchNo,
    chip_count: u32,
    wants_sign_on: bool,
    /// Field 62 of the last sign-on.
    #[serde(default, with = "slip::hex")]
    keys: Option<Vec<u8>>,
    owed: Option<Owed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmation: Option<Confirmation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
    slips: Vec<Slip>,
    archive: Vec<Slip>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({}, batch {}, {} slips)", self.terminal, self.batch, self.slips.len())
    }
}

/// Why a state file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is not a state.
    #[error("not the state of a terminal (line {line})")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
}

impl State {
    /// Reads a state file; `None` if there is none yet.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a state.
    pub fn load(path: &Path) -> Result<Option<Self>, StateError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // The parser's own message may quote a card number.
        let malformed = |error: serde_json::Error| StateError::Malformed { line: error.line() };
        serde_json::from_str(&text).map(Some).map_err(malformed)
    }

    /// Writes the state file whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let text = serde_json::to_string_pretty(self).map_err(io::Error::from)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        Ok(())
    }
}

impl Terminal {
    /// What the terminal keeps. What is under way is kept as what its silence leaves, an owed
    /// reversal for instance: if the terminal dies now, nobody will have seen the outcome.
    #[must_use]
    pub fn state(&self) -> State {
        let under_way = self.awaiting.as_ref();
        let owed = under_way.and_then(|awaiting| awaiting.owed_on_silence());
        let confirmation = under_way.and_then(|awaiting| self.confirmation_of(awaiting));
        State {
            terminal: self.setup.id,
            merchant: self.setup.merchant,
            stan: self.stan,
            batch: self.batch,
            chip_count: self.chip_count,
            wants_sign_on: self.wants_sign_on,
            keys: self.keys.as_ref().map(|held| held.block.clone()),
            owed: owed.or_else(|| self.owed.clone()),
            verified: self.verified.clone(),
            confirmation: confirmation.or_else(|| self.confirmation.clone()),
            notices: self.notices.clone(),
            slips: self.slips.values().cloned().collect(),
            archive: self.archive.iter().cloned().collect(),
        }
    }

    /// Switches a terminal on with what it kept.
    ///
    /// # Errors
    /// [`TerminalError::OtherTerminal`] if another terminal kept it; [`TerminalError::Key`] if the
    /// working keys do not open under this master key.
    pub fn resume(setup: &TerminalSetup, state: State) -> Result<Self, TerminalError> {
        if (state.terminal, state.merchant) != (setup.id, setup.merchant) {
            return Err(TerminalError::OtherTerminal);
        }
        let mut terminal = Self::new(setup);
        terminal.stan = state.stan;
        terminal.batch = state.batch;
        terminal.chip_count = state.chip_count;
        terminal.wants_sign_on = state.wants_sign_on;
        terminal.keys = state.keys.map(|block| terminal.unlock(&block, None)).transpose()?;
        terminal.owed = state.owed;
        terminal.verified = state.verified;
        terminal.confirmation = state.confirmation;
        terminal.notices = state.notices;
        terminal.slips = state.slips.into_iter().map(|slip| (slip.imprint.stan, slip)).collect();
        terminal.archive = state.archive.into();
        Ok(terminal)
    }
}
