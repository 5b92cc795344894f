//! Terminals as the front of the switch sees them: keys, open batch, and what is in flight.
//!
//! A terminal's money lies in the shards of many cards. What must not happen at the same time
//! for one terminal is settled here, under the lock of its entry: a settlement waits for what is
//! in flight, and a reversal that names no card finds the one of its original or bars it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use domain::faults::{self, Fault};
use domain::issuing::Rights;
use domain::shard::Event;
use domain::terms::{Amount, BatchNo, CardId, MerchantId, Stan, TerminalId, Timestamp};
use domain::txn::{
    Batches, Care, CareList, Terminal, TerminalProfile, TmkCare, Totals, TxnKind, Version,
};
use hashbrown::DefaultHashBuilder;
use keys::{Hsm, SealedKey, SealedWorkingKeys, WorkingKeys};

use super::care::Looked;
use super::keyring::{Keyed, Scheme, SealedKeyring};
use super::pace::{Paces, Unsigned};
use crate::clock::Moment;

/// How many sets of working keys a terminal may have at the most, beside the current one: more than
/// the sign-ons that are taken in a minute, so that strangers cannot push out the keys of a terminal
/// in the time it takes to use them.
const KEYS_KEPT: usize = 24;

/// How many transactions of a batch are turned away at the most: each is remembered.
const TURNED_AWAY: usize = 256;

/// The terminals of a node.
#[derive(Debug, Default)]
pub struct Terminals(DashMap<TerminalId, Arc<TerminalEntry>, DefaultHashBuilder>);

impl Terminals {
    /// Finds a terminal.
    #[must_use]
    pub fn get(&self, id: TerminalId) -> Option<Arc<TerminalEntry>> {
        self.0.get(&id).map(|entry| Arc::clone(&entry))
    }

    /// Returns how many terminals there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a terminal that was set up.
    pub(super) fn register(&self, id: TerminalId, profile: &TerminalProfile) {
        let Some(setup) = Setup::of(profile) else { return };
        match self.get(id) {
            Some(known) => known.set_up(setup),
            None => {
                let batches = Batches::starting_at(BatchNo::FIRST);
                self.0.insert(id, Arc::new(TerminalEntry::new(setup, batches)));
            }
        }
    }

    /// Takes in a terminal as the books hold it.
    pub(super) fn restore(
        &self,
        id: TerminalId,
        terminal: &Terminal,
        batches: Option<Batches>,
        hsm: &dyn Hsm,
    ) {
        let Some(setup) = Setup::of(&terminal.profile) else { return };
        let batches = batches.unwrap_or_else(|| Batches::starting_at(terminal.open_batch));
        let entry = TerminalEntry::new(setup, batches);
        entry.lane().bars.clone_from(&terminal.bars);
        entry.lane().looked = Looked::after(&terminal.care);
        if let Some(sealed) = &terminal.sealed_keys {
            entry.signed_on(id, sealed, hsm);
        }
        self.0.insert(id, Arc::new(entry));
    }
}

/// What a terminal is set up with, ready for use.
#[derive(Clone, Debug)]
struct Setup {
    merchant: MerchantId,
    scheme: Scheme,
    sealed_tmk: SealedKey,
    rights: Rights,
}

impl Setup {
    fn of(profile: &TerminalProfile) -> Option<Self> {
        Some(Self {
            merchant: profile.merchant,
            scheme: Scheme::parse(&profile.scheme)?,
            sealed_tmk: SealedKey::from_bytes(profile.sealed_tmk.to_vec()),
            rights: profile.rights,
        })
    }
}

/// One terminal.
#[derive(Debug)]
pub struct TerminalEntry {
    lane: Mutex<Lane>,
}

struct Lane {
    setup: Setup,
    keys: Option<Keyed>,
    /// The keys that the terminal may have instead, good until the current ones are used for the
    /// first time: a sign-on is not authenticated, and must not lock out the terminal it names.
    older: Vec<Keyed>,
    keys_are_used: bool,
    mac_errors: u32,
    batches: Batches,
    in_flight: Vec<(Stan, CardId)>,
    bars: BTreeSet<(BatchNo, Stan)>,
    /// Numbers of the open batch that were refused before they were decided.
    turned_away: BTreeSet<Stan>,
    is_taken: bool,
    looked: Looked,
    paces: Paces,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("in_flight", &self.in_flight.len()).finish_non_exhaustive()
    }
}

/// Why a terminal's request cannot begin now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Busy {
    /// Its reversal came first.
    Barred,
    /// It was turned away.
    TurnedAway,
    /// The same trace number is taken by another card.
    TakenByOtherCard,
    /// Something of the terminal is still in flight, or a settlement or sign-on is: ask again in a moment.
    InFlight,
}

/// The message code of a request is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WrongMac {
    /// How many were wrong in a row, this one included.
    pub in_a_row: u32,
}

/// A transaction in flight. The settlement of its batch waits until it is dropped, which happens
/// after its outcome was taken in, or when it is given up.
#[derive(Debug)]
pub struct Claim {
    terminal: Arc<TerminalEntry>,
    stan: Stan,
    card: CardId,
    /// True if its batch takes slips, and goes on doing so until the claim is dropped.
    pub batch_is_open: bool,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut lane = self.terminal.lane();
        if let Some(place) = lane.in_flight.iter().position(|&f| f == (self.stan, self.card)) {
            lane.in_flight.swap_remove(place);
        }
    }
}

/// A settlement or sign-on in progress: nothing of the terminal is in flight, and nothing begins
/// until it is dropped.
#[derive(Debug)]
pub struct Alone {
    terminal: Arc<TerminalEntry>,
}

impl Alone {
    /// Returns the totals of the open batch, which nothing changes meanwhile.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.terminal.lane().batches.open.totals()
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.terminal.lane().is_taken = false;
    }
}

/// What is kept for a terminal while its command is on its way. Dropped after the outcome was
/// taken in, or when the command is given up.
#[derive(Debug)]
pub enum Guard {
    /// Nothing.
    Free,
    /// The transaction in flight.
    Claim(Claim),
    /// The settlement or sign-on in progress.
    Alone(Alone),
}

/// Where the original of a reversal is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// It was made, or is being made, with this card.
    Card(CardId),
    /// Nowhere; from now on it is barred.
    Barred,
    /// Its batch takes no slips any more: whatever it was, it stands.
    Settled,
}

impl TerminalEntry {
    fn new(setup: Setup, batches: Batches) -> Self {
        let lane = Lane {
            setup,
            keys: None,
            older: Vec::new(),
            keys_are_used: false,
            mac_errors: 0,
            batches,
            in_flight: Vec::new(),
            bars: BTreeSet::new(),
            turned_away: BTreeSet::new(),
            is_taken: false,
            looked: Looked::default(),
            paces: Paces::default(),
        };
        Self { lane: Mutex::new(lane) }
    }

    /// A panic elsewhere leaves an entry that is still whole: every change under the lock is one
    /// assignment or one insertion.
    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the merchant the terminal stands at.
    #[must_use]
    pub fn merchant(&self) -> MerchantId {
        self.lane().setup.merchant
    }

    /// Returns how its keys and message codes are made.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.lane().setup.scheme
    }

    /// Returns its master key, sealed: the one it fetched, or else that of its profile.
    #[must_use]
    pub fn sealed_tmk(&self) -> SealedKey {
        let lane = self.lane();
        let fetched = lane.looked.tmk().active.as_ref();
        let fetched = fetched.map(|tmk| SealedKey::from_bytes(tmk.sealed.to_vec()));
        fetched.unwrap_or_else(|| lane.setup.sealed_tmk.clone())
    }

    /// Returns the master key of its profile, sealed.
    #[must_use]
    pub fn profile_tmk(&self) -> SealedKey {
        self.lane().setup.sealed_tmk.clone()
    }

    /// Returns the master keys it fetched.
    #[must_use]
    pub fn tmk_care(&self) -> TmkCare {
        self.lane().looked.tmk().clone()
    }

    /// Keeps in mind that the terminal was given all of a list.
    pub fn gave(&self, list: CareList, version: Version) {
        self.lane().looked.gave(list, version);
    }

    /// Returns which content of a list the terminal was given since this node started.
    #[must_use]
    pub fn given(&self, list: CareList) -> Option<Version> {
        self.lane().looked.given(list)
    }

    /// True if the terminal said that it has this content of a list.
    #[must_use]
    pub fn has(&self, list: CareList, version: Version) -> bool {
        self.lane().looked.has(list, version)
    }

    /// Takes in what a durable entry did to look after it.
    pub(super) fn cared(&self, care: &Care, at: Timestamp) {
        self.lane().looked.take(care, at);
    }

    fn set_up(&self, setup: Setup) {
        let mut lane = self.lane();
        if lane.setup.sealed_tmk != setup.sealed_tmk {
            lane.looked.forget_tmk();
        }
        lane.setup = setup;
    }

    /// Returns what it may ask for.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.lane().setup.rights
    }

    /// Returns its working keys, if it is signed on.
    #[must_use]
    pub fn keys(&self) -> Option<Arc<WorkingKeys>> {
        self.lane().keys.as_ref().map(|keyed| Arc::clone(&keyed.keys))
    }

    /// True if it is signed on.
    #[must_use]
    pub fn is_signed_on(&self) -> bool {
        self.lane().keys.is_some()
    }

    /// Returns the keys that a sign-on must keep: those that the terminal may have.
    #[must_use]
    pub fn kept_keys(&self) -> Vec<SealedWorkingKeys> {
        let lane = self.lane();
        let (first, rest) = match lane.older.split_first() {
            Some((first, rest)) if !lane.keys_are_used => (Some(first), rest),
            Some(_) | None => (None, [].as_slice()),
        };
        let kept = first.into_iter().chain(&lane.keys).chain(rest);
        kept.map(|keyed| keyed.sealed.clone()).take(KEYS_KEPT).collect()
    }

    /// Returns the number of the batch that takes slips.
    #[must_use]
    pub fn open_batch(&self) -> BatchNo {
        self.lane().batches.open.number
    }

    /// Returns a copy of its batches.
    #[must_use]
    pub fn batches(&self) -> Batches {
        self.lane().batches.clone()
    }

    /// Verifies the message code of a request, and returns the keys it was made with.
    ///
    /// # Errors
    /// How many codes were wrong in a row, if this one is.
    pub fn verify_mac(
        &self,
        hsm: &dyn Hsm,
        bytes: &[u8],
        mac: &[u8],
    ) -> Result<Arc<WorkingKeys>, WrongMac> {
        let (keys, older, algorithm) = {
            let lane = self.lane();
            let keys = lane.keys.as_ref().map(|keyed| Arc::clone(&keyed.keys));
            (keys, lane.older.clone(), lane.setup.scheme.mac)
        };
        let fits = |keys: &Arc<WorkingKeys>| hsm.verify_mac(keys, algorithm, bytes, mac).is_ok();
        if let Some(keys) = keys.filter(fits) {
            let mut lane = self.lane();
            lane.mac_errors = 0;
            // A sign-on may have brought other keys meanwhile, which prove nothing.
            if lane.keys.as_ref().is_some_and(|now| Arc::ptr_eq(&now.keys, &keys)) {
                lane.keys_are_used = true;
                lane.older.clear();
            }
            return Ok(keys);
        }
        if let Some(proven) = older.into_iter().find(|keyed| fits(&keyed.keys)) {
            let mut lane = self.lane();
            lane.mac_errors = 0;
            lane.older.retain(|keyed| keyed.sealed != proven.sealed);
            lane.older.insert(0, proven.clone());
            return Ok(proven.keys);
        }
        let mut lane = self.lane();
        lane.mac_errors = lane.mac_errors.saturating_add(1);
        Err(WrongMac { in_a_row: lane.mac_errors })
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Why it may not begin.
    pub fn begin(
        self: &Arc<Self>,
        kind: TxnKind,
        (batch, stan): (BatchNo, Stan),
        card: CardId,
    ) -> Result<Claim, Busy> {
        let mut lane = self.lane();
        // Not a refusal: a settlement that is refused leaves the batch open.
        if lane.is_taken {
            return Err(Busy::InFlight);
        }
        if lane.bars.contains(&(batch, stan)) {
            return Err(Busy::Barred);
        }
        let batch_is_open = lane.batches.open.number == batch;
        if batch_is_open {
            let slip = lane.batches.open.slips.get(&stan);
            if slip.is_some_and(|slip| slip.card != card) {
                return Err(Busy::TakenByOtherCard);
            }
            // What tells of it is no copy of it: a top-up is confirmed under its own number.
            let is_copy = slip.is_none() && !kind.is_told() && lane.turned_away.contains(&stan);
            if is_copy && !faults::is_planted(Fault::TurnedAwayForgotten) {
                return Err(Busy::TurnedAway);
            }
            // Whether that one will have a slip is not known yet, and a refusal must stay true.
            if lane.in_flight.iter().any(|&(taken, other)| taken == stan && other != card) {
                return Err(Busy::InFlight);
            }
        }
        lane.in_flight.push((stan, card));
        drop(lane);
        Ok(Claim { terminal: Arc::clone(self), stan, card, batch_is_open })
    }

    /// Turns a transaction away: it is not decided, however often it comes again before its batch is
    /// settled. So the refusal is true, though no shard and no journal knows of it. A start forgets it,
    /// but then the connections are gone on which copies may be.
    ///
    /// False if that cannot be: it is in flight, was made, or may be told otherwise; or too many of the
    /// batch were turned away.
    #[must_use]
    pub fn turn_away(&self, batch: BatchNo, stan: Stan) -> bool {
        let mut lane = self.lane();
        let open = &lane.batches.open;
        let is_known = open.number != batch
            || open.slips.contains_key(&stan)
            || lane.bars.contains(&(batch, stan))
            || lane.in_flight.iter().any(|&(taken, _)| taken == stan);
        let is_full = lane.turned_away.len() >= TURNED_AWAY && !lane.turned_away.contains(&stan);
        let can_be = !is_known && !lane.is_taken && !is_full;
        if can_be {
            lane.turned_away.insert(stan);
        }
        can_be
    }

    /// Begins a reversal: in flight like any transaction, whatever its batch.
    ///
    /// # Errors
    /// [`Busy::InFlight`] while a settlement or sign-on is.
    pub fn begin_reversal(
        self: &Arc<Self>,
        batch: BatchNo,
        stan: Stan,
        card: CardId,
    ) -> Result<Claim, Busy> {
        let mut lane = self.lane();
        if lane.is_taken {
            return Err(Busy::InFlight);
        }
        let batch_is_open = lane.batches.open.number == batch;
        lane.in_flight.push((stan, card));
        drop(lane);
        Ok(Claim { terminal: Arc::clone(self), stan, card, batch_is_open })
    }

    /// Finds the card of an original that a reversal names by batch and trace number only, or
    /// bars the original in the same breath.
    #[must_use]
    pub fn find_or_bar(&self, batch: BatchNo, stan: Stan) -> Found {
        let mut lane = self.lane();
        if let Some(card) = lane.card_of(batch, stan) {
            return Found::Card(card);
        }
        let open = lane.batches.open.number;
        if batch != open && batch != open.next() {
            return Found::Settled;
        }
        lane.bars.insert((batch, stan));
        Found::Barred
    }

    /// Returns the card of a transaction of the open batch, or of the one before.
    #[must_use]
    pub fn card_of(&self, batch: BatchNo, stan: Stan) -> Option<CardId> {
        self.lane().card_of(batch, stan)
    }

    /// True for the open batch, and for the one before, whose result may be asked for again.
    #[must_use]
    pub fn may_close(&self, batch: BatchNo) -> bool {
        let lane = self.lane();
        let closed = lane.batches.closed.as_ref().map(|closed| closed.number);
        lane.batches.open.number == batch || closed == Some(batch)
    }

    /// Takes in one more request without a message code, if there were fewer than `most` of its kind
    /// in this minute.
    #[must_use]
    pub fn takes(&self, kind: Unsigned, now: Moment, most: u32) -> bool {
        self.lane().paces.take(kind, now, most)
    }

    /// Begins what needs the terminal for itself: a settlement, a sign-on.
    ///
    /// # Errors
    /// [`Busy::InFlight`] while something is, another of its kind too.
    pub fn begin_alone(self: &Arc<Self>) -> Result<Alone, Busy> {
        let mut lane = self.lane();
        if lane.is_taken || !lane.in_flight.is_empty() {
            return Err(Busy::InFlight);
        }
        lane.is_taken = true;
        drop(lane);
        Ok(Alone { terminal: Arc::clone(self) })
    }

    /// Returns the slips that count in the batch that was closed last, if it is `batch`.
    #[must_use]
    pub fn closed_slips(&self, batch: BatchNo) -> Vec<(Stan, Amount)> {
        let lane = self.lane();
        let closed = lane.batches.closed.as_ref().filter(|closed| closed.number == batch);
        closed.map(|closed| closed.counted().collect()).unwrap_or_default()
    }

    /// Takes in what a durable entry means for the batches.
    pub(super) fn absorb(&self, event: &Event) {
        let mut lane = self.lane();
        let before = lane.batches.open.number;
        lane.batches.absorb(event);
        let open = lane.batches.open.number;
        lane.bars.retain(|(batch, _)| *batch == open || *batch == open.next());
        if open != before {
            lane.turned_away.clear();
        }
    }

    pub(super) fn signed_on(&self, id: TerminalId, keyring: &[u8], hsm: &dyn Hsm) {
        let keyring = match serde_json::from_slice::<SealedKeyring>(keyring) {
            Ok(keyring) => keyring,
            Err(error) => {
                tracing::error!(%error, terminal = %id, "the journal's keyring cannot be read");
                return;
            }
        };
        let keys = Keyed::open(id, keyring.current, hsm);
        let older = keyring.older.into_iter().filter_map(|sealed| Keyed::open(id, sealed, hsm));
        let mut older: Vec<_> = older.collect();
        let mut lane = self.lane();
        // Used while the sign-on was on its way.
        if lane.keys_are_used
            && let Some(used) = lane.keys.take()
            && older.iter().all(|kept| kept.sealed != used.sealed)
        {
            older.insert(0, used);
        }
        (lane.keys, lane.older) = (keys, older);
        (lane.keys_are_used, lane.mac_errors) = (false, 0);
    }
}

impl Lane {
    fn card_of(&self, batch: BatchNo, stan: Stan) -> Option<CardId> {
        let closed = self.batches.closed.as_ref().filter(|closed| closed.number == batch);
        if let Some(closed) = closed {
            return closed.slips.get(&stan).map(|slip| slip.card);
        }
        if self.batches.open.number != batch {
            return None;
        }
        let made = self.batches.open.slips.get(&stan).map(|slip| slip.card);
        made.or_else(|| self.in_flight.iter().find(|f| f.0 == stan).map(|f| f.1))
    }
}
