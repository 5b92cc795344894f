//! What terminals download, as it is sent, and what each of them has of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::tlv::{self, Tag};
use domain::terms::{TerminalId, Timestamp};
use domain::txn::{Care, CareList, Enrolment, TerminalCare, TmkCare, Version};
use keys::{Hsm, TransportKey, TransportPadding};
use sha2::{Digest, Sha256};

use crate::message::errand;
use crate::programme::{Aid, CaKey, Listed, Parameters, Programme, Terminal, Whose};

/// The most bytes of one part of a list, the digit in front included. Lines of terminals are
/// made for messages of some hundred bytes.
const PART_MAX: usize = 480;

/// What the terminals of a node download, and who may fetch a new master key.
#[derive(Default)]
pub struct CareBook {
    parameters: BTreeMap<TerminalId, Sheet>,
    status: Option<Version>,
    ca_keys: Option<Shelf>,
    aids: Option<Shelf>,
    blacklist: Option<Shelf>,
    permissions: BTreeMap<TerminalId, Permission>,
    host_key: Option<Arc<TransportKey>>,
}

/// The parameters of one terminal.
struct Sheet {
    version: Version,
    bytes: Vec<u8>,
}

/// A list, entry by entry.
struct Shelf {
    version: Version,
    entries: Vec<Entry>,
}

/// An entry of a list.
struct Entry {
    /// What a query tells of it, or a part of the list.
    brief: Vec<u8>,
    /// What it is asked for by.
    key: Vec<u8>,
    /// All of it.
    whole: Vec<u8>,
}

/// The permission to fetch a new master key, ready for use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permission {
    /// What tells it from others.
    pub enrolment: Enrolment,
    /// The serial number the terminal must name.
    pub serial: Box<[u8]>,
    /// The last moment at which a key is made.
    pub until: Timestamp,
    /// True if requests must carry a message code.
    pub signed: bool,
    /// How the terminal pads its transport key.
    pub padding: TransportPadding,
}

/// A part of a list.
#[derive(Debug, Eq, PartialEq)]
pub struct Part {
    /// What is sent, the digit in front.
    pub bytes: Vec<u8>,
    /// True if nothing follows.
    pub is_last: bool,
}

impl CareBook {
    /// Takes what terminals download out of a programme. `host_key` is the RSA key that transport
    /// keys come under.
    #[must_use]
    pub fn of(programme: &Programme, hsm: &dyn Hsm, host_key: Option<Arc<TransportKey>>) -> Self {
        let lists = &programme.care;
        let sheets = lists.parameters.iter().flat_map(|parameters| {
            let sheet = |t: &Terminal| (t.id, Sheet::of(parameters, t));
            programme.terminals.iter().map(sheet)
        });
        let wanted = lists.parameters.as_ref().and_then(|p| p.report_wanted.as_deref());
        let permissions = programme.terminals.iter().filter_map(|terminal| {
            Permission::of(terminal).map(|permission| (terminal.id, permission))
        });
        Self {
            parameters: sheets.collect(),
            status: wanted.map(|word| version_of([word.as_bytes()])),
            ca_keys: lists.ca_keys.as_ref().map(|keys| Shelf::of(keys.iter().map(ca_key))),
            aids: lists.aids.as_ref().map(|aids| Shelf::of(aids.iter().map(aid))),
            blacklist: lists.blacklist.as_ref().map(|listed| Shelf::of_cards(listed, hsm)),
            permissions: permissions.collect(),
            host_key,
        }
    }

    /// Returns the version of a list that a terminal should have; `None` if it is not offered.
    #[must_use]
    pub fn version(&self, list: CareList, terminal: TerminalId) -> Option<Version> {
        match list {
            CareList::Parameters => self.parameters.get(&terminal).map(|sheet| sheet.version),
            CareList::Status => self.status,
            CareList::CaKeys | CareList::Aids | CareList::Blacklist => {
                self.shelf(list).map(|shelf| shelf.version)
            }
        }
    }

    /// Returns the parameters of a terminal, as they are sent.
    #[must_use]
    pub fn parameters(&self, terminal: TerminalId) -> Option<&[u8]> {
        self.parameters.get(&terminal).map(|sheet| &*sheet.bytes)
    }

    /// Returns the part of a list that begins with the entry `start`, counted from zero; `None`
    /// if the list is not offered, or is shorter than that.
    #[must_use]
    pub fn part(&self, list: CareList, start: usize) -> Option<Part> {
        let rest = self.shelf(list)?.entries.get(start..)?;
        let mut bytes = vec![b'1'];
        let mut taken = 0_usize;
        for entry in rest {
            if bytes.len().saturating_add(entry.brief.len()) > PART_MAX {
                break;
            }
            bytes.extend_from_slice(&entry.brief);
            taken = taken.saturating_add(1);
        }
        let is_last = taken == rest.len();
        let digit = match (rest.is_empty(), is_last) {
            (true, _) => b'0',
            (false, true) => b'1',
            (false, false) => b'2',
        };
        bytes.iter_mut().take(1).for_each(|first| *first = digit);
        Some(Part { bytes, is_last })
    }

    /// Returns an entry of a list, as it is sent: `0` alone if there is none of this key. `None`
    /// if the list is not offered.
    #[must_use]
    pub fn entry(&self, list: CareList, key: &[u8]) -> Option<Vec<u8>> {
        let entry = self.shelf(list)?.entries.iter().find(|entry| entry.key == key);
        Some(entry.map_or_else(|| vec![b'0'], |entry| [b"1", &*entry.whole].concat()))
    }

    /// Returns the permission of a terminal to fetch a new master key.
    #[must_use]
    pub fn permission(&self, terminal: TerminalId) -> Option<&Permission> {
        self.permissions.get(&terminal)
    }

    /// Returns the RSA key that transport keys come under.
    #[must_use]
    pub const fn host_key(&self) -> Option<&Arc<TransportKey>> {
        self.host_key.as_ref()
    }

    fn shelf(&self, list: CareList) -> Option<&Shelf> {
        match list {
            CareList::CaKeys => self.ca_keys.as_ref(),
            CareList::Aids => self.aids.as_ref(),
            CareList::Blacklist => self.blacklist.as_ref(),
            CareList::Parameters | CareList::Status => None,
        }
    }
}

impl Sheet {
    fn of(parameters: &Parameters, terminal: &Terminal) -> Self {
        let mut bytes = Vec::new();
        for item in &parameters.items {
            let of = |whose| {
                let mut fitting = parameters.overrides.iter().rev();
                fitting.find(|own| own.code == item.code && own.whose == whose)
            };
            let own = of(Whose::Terminal(terminal.id));
            let own = own.or_else(|| of(Whose::Merchant(terminal.merchant)));
            bytes.extend_from_slice(&item.code);
            bytes.extend_from_slice(own.map_or(&item.value, |own| &own.value));
        }
        Self { version: version_of([&*bytes]), bytes }
    }
}

impl Shelf {
    fn of(entries: impl Iterator<Item = Entry>) -> Self {
        let entries: Vec<_> = entries.collect();
        Self { version: version_of(entries.iter().map(|entry| &*entry.whole)), entries }
    }

    /// The version of the cards is made of their keyed indices: that of their numbers would give
    /// a single card away to whoever reads the journal.
    fn of_cards(listed: &[Listed], hsm: &dyn Hsm) -> Self {
        let digits = |listed: &'_ Listed| match listed {
            Listed::Card(pan) => pan.digits().to_vec(),
            Listed::Range(prefix) => prefix.clone(),
        };
        let indices = listed.iter().map(|listed| hsm.pan_index(&digits(listed)).0);
        let version = version_of(indices);
        let entries = listed.iter().map(|listed| {
            let digits = digits(listed);
            let brief = [format!("{:02}", digits.len()).as_bytes(), &digits].concat();
            Entry { brief, key: Vec::new(), whole: Vec::new() }
        });
        Self { version, entries: entries.collect() }
    }
}

impl Permission {
    fn of(terminal: &Terminal) -> Option<Self> {
        let said = terminal.tmk_download.as_ref()?;
        let until = said.until.to_be_bytes();
        Some(Self {
            enrolment: Enrolment(version_of([said.serial.as_bytes(), &until]).0),
            serial: said.serial.as_bytes().into(),
            until: Timestamp(said.until),
            signed: said.signed,
            padding: said.padding,
        })
    }
}

fn ca_key(key: &CaKey) -> Entry {
    let CaKey { rid, index, expiry, modulus, exponent, check } = key;
    let name = [(errand::NAME, &rid[..]), (errand::INDEX, &[*index])];
    let brief = objects(name.into_iter().chain([(errand::EXPIRY, &expiry[..])]));
    let rest = [
        (errand::HASH, &[1][..]),
        (errand::SIGNATURE, &[1]),
        (errand::MODULUS, modulus),
        (errand::EXPONENT, exponent),
        (errand::CHECK, check),
    ];
    let whole = [&*brief, &objects(rest)].concat();
    Entry { brief, key: [&rid[..], &[*index]].concat(), whole }
}

fn aid(aid: &Aid) -> Entry {
    let brief = objects([(errand::NAME, &*aid.name)]);
    let tags = aid.tags.iter().map(|(tag, value)| (tag.value(), &**value));
    let whole = [&*brief, &objects(tags)].concat();
    Entry { brief, key: aid.name.clone(), whole }
}

/// Writes objects one after the other.
#[must_use]
pub fn objects<'o>(objects: impl IntoIterator<Item = (u32, &'o [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in objects {
        if let Some(tag) = Tag::new(tag) {
            // Fails for content of 64 KiB alone, which no list has.
            _ = tlv::write(&mut bytes, tag, value);
        }
    }
    bytes
}

/// A digest of what is sent, so that a change of it is seen: each piece with its length in front.
fn version_of(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Version {
    let mut digest = Sha256::new();
    for piece in pieces {
        let piece = piece.as_ref();
        digest.update(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(piece);
    }
    let digest: [u8; 32] = digest.finalize().into();
    Version(digest.first_chunk().copied().unwrap_or_default())
}

/// What a terminal has, and what this node gave it since it started.
#[derive(Debug, Default)]
pub(super) struct Looked {
    acknowledged: BTreeMap<CareList, Version>,
    tmk: TmkCare,
    given: BTreeMap<CareList, Version>,
}

impl Looked {
    pub(super) fn after(care: &TerminalCare) -> Self {
        let (acknowledged, tmk) = (care.acknowledged.clone(), care.tmk.clone());
        Self { acknowledged, tmk, given: BTreeMap::new() }
    }

    /// Takes in what was done.
    pub(super) fn take(&mut self, care: &Care, at: Timestamp) {
        let mut all = TerminalCare {
            acknowledged: std::mem::take(&mut self.acknowledged),
            tmk: std::mem::take(&mut self.tmk),
            report: None,
        };
        all.take(care, at);
        (self.acknowledged, self.tmk) = (all.acknowledged, all.tmk);
    }

    /// Takes in that a master key was put in by hand.
    pub(super) fn forget_tmk(&mut self) {
        self.tmk = TmkCare::default();
    }

    pub(super) const fn tmk(&self) -> &TmkCare {
        &self.tmk
    }

    pub(super) fn gave(&mut self, list: CareList, version: Version) {
        self.given.insert(list, version);
    }

    pub(super) fn given(&self, list: CareList) -> Option<Version> {
        self.given.get(&list).copied()
    }

    pub(super) fn has(&self, list: CareList, version: Version) -> bool {
        self.acknowledged.get(&list) == Some(&version)
    }
}
