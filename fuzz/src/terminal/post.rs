//! What a switch knows when a frame comes in: the demonstration programme, and who is signed on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use codec::{Dialect, Message};
use domain::issuing::Rights;
use domain::shard::{Command, Event};
use domain::terms::{MerchantId, TerminalId, Timestamp};
use domain::txn::Batches;
use jiff::civil;
use jiff::tz::TimeZone;
use keys::{Hsm, Lmk, MacAlgorithm, SeededRandom, SoftHsm, TerminalKeys};
use switch::clock::{Calendar, Moment};
use switch::facts::{Cards, CareBook, Facts, Scheme, SealedKeyring, TerminalRules, Terminals};
use switch::node::plan;
use switch::programme::Programme;
use switch::telemetry::Telemetry;

/// Terminals that are signed on, one of each way to make message codes.
const SIGNED_ON: [&[u8; 8]; 3] = [b"10000001", b"10000009", b"10000010"];
/// A terminal that is not.
const SIGNED_OFF: &[u8; 8] = b"10000002";
/// 2026-11-22 10:00:00 in Shanghai.
const NOW: Timestamp = Timestamp(1_795_312_800_000);

/// The post where frames arrive.
pub(super) struct Post {
    pub(super) facts: Facts,
    pub(super) now: Moment,
    /// How many cards there are.
    pub(super) cards: usize,
    /// What brings the terminals to where they stand.
    story: Vec<Event>,
    terminals: Vec<TerminalId>,
    /// What the terminals sign with.
    keys: BTreeMap<TerminalId, (TerminalKeys, MacAlgorithm)>,
}

/// What is kept of a terminal, save for what is in flight.
#[derive(PartialEq)]
pub(super) struct State {
    merchant: MerchantId,
    scheme: Scheme,
    rights: Rights,
    keys: Option<usize>,
    batches: Batches,
}

impl Post {
    pub(super) fn new() -> Self {
        let programme = Programme::demo();
        let hsm = SoftHsm::with_randomness(Lmk::demo(), Box::new(SeededRandom::new(7)));
        let facts = facts(&programme, Arc::new(hsm));
        let terminals: Vec<_> =
            SIGNED_ON.into_iter().chain([SIGNED_OFF]).map(|id| TerminalId(*id)).collect();
        let mut story = Vec::new();
        for (_, command) in plan(&programme, &facts).unwrap().commands {
            match command {
                Command::RegisterTerminal { terminal, profile }
                    if terminals.contains(&terminal) =>
                {
                    story.push(Event::TerminalRegistered { terminal, profile });
                }
                Command::IssueCard(issued) => facts.absorb(&Event::CardIssued(issued)),
                _ => {}
            }
        }
        story.iter().for_each(|event| facts.absorb(event));
        let mut keys = BTreeMap::new();
        for setup in &programme.terminals {
            let id = setup.id;
            if !SIGNED_ON.contains(&&id.0) {
                continue;
            }
            let tmk = facts.terminals.get(id).unwrap().sealed_tmk();
            let fresh = facts.hsm.generate_working_keys(&id.0, &tmk, setup.layout).unwrap();
            let (clear, f62) = (setup.tmk.expose(), &fresh.f62);
            let own = TerminalKeys::from_sign_on(clear, setup.algorithm, f62, None).unwrap();
            keys.insert(id, (own, setup.mac));
            story.push(signed_on(id, fresh.sealed));
        }
        let now = Moment { at: NOW, micros: 0 };
        let cards = facts.cards.len();
        Self { facts, now, cards, story, terminals, keys }
    }

    /// Brings the terminals back to where they stood.
    pub(super) fn restore(&mut self) {
        self.facts.terminals = Terminals::default();
        self.story.iter().for_each(|event| self.facts.absorb(event));
    }

    /// Returns what is kept of every terminal.
    pub(super) fn state(&self) -> Vec<State> {
        assert_eq!(self.facts.terminals.len(), self.terminals.len());
        let entries = self.terminals.iter().map(|id| self.facts.terminals.get(*id).unwrap());
        entries
            .map(|entry| State {
                merchant: entry.merchant(),
                scheme: entry.scheme(),
                rights: entry.rights(),
                keys: entry.keys().map(|keys| Arc::as_ptr(&keys).addr()),
                batches: entry.batches(),
            })
            .collect()
    }

    /// True if nothing of any terminal is in flight.
    pub(super) fn is_idle(&self) -> bool {
        let mut entries = self.terminals.iter().map(|id| self.facts.terminals.get(*id).unwrap());
        entries.all(|entry| entry.begin_alone().is_ok())
    }

    /// Returns where a terminal stands.
    pub(super) fn merchant(&self, terminal: TerminalId) -> Option<MerchantId> {
        self.facts.terminals.get(terminal).map(|entry| entry.merchant())
    }

    /// Puts the right message code into a frame that has room for one.
    pub(super) fn sign(&self, frame: &mut [u8]) {
        let Some(body) = super::body(frame) else { return };
        let Some((keys, mac)) = self.keys_of(body) else { return };
        let Some((signed, _)) = body.split_last_chunk::<8>() else { return };
        let code = keys.mac(mac, signed).unwrap();
        let at = frame.len() - code.len();
        frame[at..].copy_from_slice(&code);
    }

    /// True if the last eight bytes of a message are the message code over all those before them.
    pub(super) fn is_genuine(&self, body: &[u8]) -> bool {
        let signed = self.keys_of(body).zip(body.split_last_chunk::<8>());
        signed.is_some_and(|((keys, mac), (signed, code))| keys.verify_mac(mac, signed, code))
    }

    /// Returns what the terminal that a message names signs with, if the message has a code.
    fn keys_of(&self, body: &[u8]) -> Option<(&TerminalKeys, MacAlgorithm)> {
        let message = Message::parse(self.facts.dialect, body).ok()?;
        let terminal = TerminalId::parse(message.text(41)?)?;
        let (keys, mac) = self.keys.get(&terminal).filter(|_| message.has(64))?;
        Some((keys, *mac))
    }
}

fn signed_on(terminal: TerminalId, sealed: keys::SealedWorkingKeys) -> Event {
    let keyring = SealedKeyring { current: sealed, older: Vec::new() };
    Event::SignedOn { terminal, sealed_keys: serde_json::to_vec(&keyring).unwrap().into(), at: NOW }
}

fn facts(programme: &Programme, hsm: Arc<dyn Hsm>) -> Facts {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    Facts {
        has_room: AtomicBool::new(true),
        terminals: Terminals::default(),
        merchants: programme.merchants.iter().map(|m| (m.id, m.traits())).collect(),
        cards: Cards::default(),
        routes: programme.routes.clone(),
        hsm,
        calendar: Calendar::new(zone, civil::time(23, 0, 0, 0)),
        dialect: Dialect::unionpay_pos(),
        acquirer: "48020000".into(),
        issuer: "03010000".into(),
        rules: TerminalRules {
            mac_errors_max: 3,
            answer_micros_max: 1_000_000,
            decide_micros_max: 1_000_000,
            wait_micros_max: 1_000_000,
            clock_drift_max: None,
            unsigned_per_minute: u32::MAX,
            uploads_per_minute: u32::MAX,
        },
        telemetry: Telemetry::new(0),
        care: CareBook::default(),
    }
}
