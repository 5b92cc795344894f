//! How a terminal's keys are made, and its working keys.

use std::sync::Arc;

use domain::terms::TerminalId;
use keys::{Algorithm, Hsm, KeyLayout, MacAlgorithm, SealedWorkingKeys, WorkingKeys};
use serde::{Deserialize, Serialize};

/// How the keys and message codes of a terminal are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Scheme {
    /// The cipher of its master key.
    pub algorithm: Algorithm,
    /// The working-key block it is given.
    pub layout: KeyLayout,
    /// Its message code.
    pub mac: MacAlgorithm,
}

impl Scheme {
    /// Returns the text that is journalled.
    #[must_use]
    pub fn to_text(self) -> Box<str> {
        serde_json::to_string(&self).unwrap_or_default().into()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The working keys of a terminal, as the journal keeps them: sealed.
#[derive(Debug, Deserialize, Serialize)]
pub struct SealedKeyring {
    /// The keys of the last sign-on.
    pub current: SealedWorkingKeys,
    /// Keys that the terminal may have instead: the last it is known to have used first, then
    /// those of sign-ons since, newest first.
    pub older: Vec<SealedWorkingKeys>,
}

/// Working keys, ready for use, and as they are kept.
#[derive(Clone)]
pub(super) struct Keyed {
    pub(super) sealed: SealedWorkingKeys,
    pub(super) keys: Arc<WorkingKeys>,
}

impl Keyed {
    pub(super) fn open(id: TerminalId, sealed: SealedWorkingKeys, hsm: &dyn Hsm) -> Option<Self> {
        match hsm.load_working_keys(&id.0, &sealed) {
            Ok(keys) => Some(Self { sealed, keys }),
            Err(error) => {
                tracing::error!(%error, terminal = %id, "working keys cannot be opened");
                None
            }
        }
    }
}
