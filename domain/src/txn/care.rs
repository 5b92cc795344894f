//! What a terminal is looked after with from afar: lists it downloads, its report, its next
//! master key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::terms::Timestamp;

/// Something that a terminal is asked to bring up to date.
///
/// The order of the variants is their stored form: append, never insert.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub enum CareList {
    /// Its parameters.
    Parameters,
    /// What it reports of itself.
    Status,
    /// The public keys of chip card schemes.
    CaKeys,
    /// The chip applications it takes, with their parameters.
    Aids,
    /// The cards it must not take.
    Blacklist,
}

/// What tells one content of a list from another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Version(pub [u8; 8]);

/// A permission to be given a new master key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Enrolment(pub [u8; 8]);

/// The request for a new master key, told from others by a digest of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct TmkRequest(pub [u8; 16]);

/// A master key that was made for a terminal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct IssuedTmk {
    /// The permission it was made under.
    pub enrolment: Enrolment,
    /// The request it answers.
    pub request: TmkRequest,
    /// The key, sealed under the local master key.
    pub sealed: Box<[u8]>,
}

/// What a terminal said of itself last.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Its words.
    pub text: Box<[u8]>,
    /// When it said so first.
    pub at: Timestamp,
}

/// One thing that was done to look after a terminal.
///
/// The order of the variants, and of the fields in them, is the stored form: append, never
/// insert.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Care {
    /// The terminal has this content of a list.
    Acknowledged {
        /// The list.
        list: CareList,
        /// Its content.
        version: Version,
    },
    /// The terminal reported of itself.
    Reported {
        /// Its words.
        text: Box<[u8]>,
        /// Which request for a report that met, if one was made.
        version: Option<Version>,
    },
    /// A new master key was made. The old one stays good.
    TmkIssued(IssuedTmk),
    /// The new master key is the terminal's.
    TmkActivated {
        /// The request that the key was made for.
        request: TmkRequest,
    },
}

/// How a terminal is looked after.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TerminalCare {
    /// What it has of each list.
    pub acknowledged: BTreeMap<CareList, Version>,
    /// Its last report.
    pub report: Option<StatusReport>,
    /// Its master keys beyond that of its profile.
    pub tmk: TmkCare,
}

/// The master keys of a terminal beyond that of its profile.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TmkCare {
    /// Made, and not in use.
    pub pending: Option<IssuedTmk>,
    /// In use, in the place of the profile's.
    pub active: Option<IssuedTmk>,
    /// The last permission that a key was made under, and how many were.
    pub issued: Option<(Enrolment, u8)>,
}

impl TmkCare {
    /// Returns how many keys were made under a permission.
    #[must_use]
    pub fn issued_under(&self, enrolment: Enrolment) -> u8 {
        self.issued.filter(|(known, _)| *known == enrolment).map_or(0, |(_, count)| count)
    }
}

impl TerminalCare {
    /// Takes in what was done.
    pub fn take(&mut self, care: &Care, at: Timestamp) {
        match care {
            Care::Acknowledged { list, version } => {
                self.acknowledged.insert(*list, *version);
            }
            Care::Reported { text, version } => {
                self.report = Some(StatusReport { text: text.clone(), at });
                if let Some(version) = version {
                    self.acknowledged.insert(CareList::Status, *version);
                }
            }
            Care::TmkIssued(issued) => {
                let before = self.tmk.issued_under(issued.enrolment);
                self.tmk.issued = Some((issued.enrolment, before.saturating_add(1)));
                self.tmk.pending = Some(issued.clone());
            }
            Care::TmkActivated { .. } => {
                if let Some(pending) = self.tmk.pending.take() {
                    self.tmk.active = Some(pending);
                }
            }
        }
    }
}
