//! The journal as it lies on the disk, read without the node, and held against what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::ledger::{LedgerAccount, Purse, Unit};
use domain::shard::{CardIssued, Event, Transacted};
use domain::terms::{AuthCode, CardId, Rrn};
use domain::txn::{TxnKey, TxnKind};
use loadtest::audit::{self, Key, Seen, Violation};
use loadtest::terminal::SlipKind;
use loadtest::{BatchNo, Code, Fen, Stan, TerminalId};

use crate::client::{Client, Receipt};
use crate::ledger::Approval;

/// Wrong PINs after which a card takes no more.
const PIN_TRIES: u32 = 3;

/// What the entries of a journal amount to.
#[derive(Default)]
pub struct Journal {
    /// How many there are.
    pub entries: u64,
    /// The money on each card.
    balances: BTreeMap<CardId, i64>,
    /// What is wrong with the entries themselves.
    pub faults: Vec<String>,
    /// The references of all entries, in the order of the journal.
    pub references: Vec<Rrn>,
    approved: Vec<audit::Entry>,
    /// The place of each approval in `approved`, with its authorisation code and card.
    places: BTreeMap<Key, (usize, String, CardId)>,
    /// Inquiries by reference: what the card held then.
    inquiries: BTreeMap<String, (Key, CardId, i64)>,
    refused: BTreeSet<Key>,
    barred: BTreeSet<Key>,
    seqs: BTreeMap<u8, u64>,
    cards_issued: BTreeSet<[u8; 16]>,
}

/// What does not agree.
#[derive(Default)]
pub struct Findings {
    /// Approvals that were answered and are gone.
    pub lost: u64,
    /// Transactions that were applied twice.
    pub doubled: u64,
    /// All of it, in words.
    pub words: Vec<String>,
    /// Approvals that terminals saw.
    pub approvals_seen: u64,
}

impl Findings {
    /// Fails if there are any, and says the first of them.
    pub fn must_be_none(&self) {
        let Self { lost, doubled, words, .. } = self;
        let first = words[..words.len().min(20)].join("\n");
        assert!(
            words.is_empty(),
            "{} findings, {lost} lost, {doubled} doubled:\n{first}",
            words.len()
        );
    }
}

impl Journal {
    /// Reads the journal of the data directory `data`.
    pub fn read(data: &Path) -> Self {
        let mut journal = Self::default();
        for entry in store::entries(data).unwrap() {
            let store::Entry { shard, seq, event, .. } = entry.unwrap();
            journal.entries += 1;
            journal.references.push(Rrn::of(shard, seq));
            let last = journal.seqs.insert(shard.0, seq).unwrap_or(0);
            if seq != last + 1 {
                journal.faults.push(format!("shard {}: {seq} follows {last}", shard.0));
            }
            journal.post(&event);
            journal.take(&event, Rrn::of(shard, seq), AuthCode::of(shard, seq));
        }
        journal
    }

    /// The money on each card, by the number of the card.
    pub fn balances_by_number(&self) -> BTreeMap<u64, i64> {
        self.balances.iter().map(|(card, fen)| (card.0, *fen)).collect()
    }

    /// Everything that was approved, in the order of the journal.
    pub fn approvals(&self) -> Vec<Approval> {
        let approval = |entry: &audit::Entry| {
            let kind = entry.kind.name();
            let auth = self.places[&entry.key].1.clone();
            let amount = i64::try_from(entry.amount.0).unwrap();
            let rrn = entry.rrn.clone().unwrap_or_default();
            (entry.key.to_string(), kind.to_owned(), amount, rrn, auth)
        };
        self.approved.iter().map(approval).collect()
    }

    /// How many different cards were issued.
    pub fn cards_issued(&self) -> usize {
        self.cards_issued.len()
    }

    /// Compares what terminals saw with the journal.
    pub fn audit(
        &self,
        clients: impl Iterator<Item = impl std::ops::Deref<Target = Client>>,
    ) -> Findings {
        let mut findings = Findings { words: self.faults.clone(), ..Findings::default() };
        let mut seen: Vec<Seen> = Vec::new();
        let mut guesses: BTreeMap<String, u32> = BTreeMap::new();
        let mut cards: BTreeMap<String, CardId> = BTreeMap::new();
        for client in clients {
            findings.words.extend(client.faults.iter().cloned());
            seen.extend(client.station.history().iter().cloned());
            for (card, count) in &client.guesses {
                *guesses.entry(card.clone()).or_default() += count;
            }
            let approved = |(_, receipt): &(&Key, &Receipt)| receipt.code == Some(Code::APPROVED);
            for (key, receipt) in client.receipts.iter().filter(approved) {
                findings.approvals_seen += 1;
                self.check_receipt(*key, receipt, &mut cards, &mut findings);
            }
            self.check_inquiries(&client, &mut cards, &mut findings);
        }
        let mut owners: BTreeMap<CardId, &String> = BTreeMap::new();
        for (number, card) in &cards {
            if owners.insert(*card, number).is_some() {
                findings.words.push(format!("{card:?} stands for two card numbers"));
            }
        }
        for (_, count) in guesses.iter().filter(|(_, count)| **count > PIN_TRIES) {
            findings.words.push(format!("a PIN was guessed at {count} times"));
        }
        for violation in audit::compare(&seen, &self.approved) {
            findings.lost += u64::from(matches!(violation, Violation::Lost(_)));
            findings.doubled += u64::from(matches!(violation, Violation::Twice(..)));
            findings.words.push(violation.to_string());
        }
        findings
    }

    fn check_receipt(
        &self,
        key: Key,
        receipt: &Receipt,
        cards: &mut BTreeMap<String, CardId>,
        findings: &mut Findings,
    ) {
        // One that is not there at all is found by the comparison.
        let Some((place, auth, card)) = self.places.get(&key) else { return };
        let entry = &self.approved[*place];
        if (receipt.auth.as_ref(), &receipt.rrn) != (Some(auth), &entry.rrn) {
            findings
                .words
                .push(format!("{key} was answered {receipt:?}, and is {entry:?}, {auth}"));
        }
        if *cards.entry(receipt.card.clone()).or_insert(*card) != *card {
            findings.words.push(format!("{key} was paid by another card"));
        }
    }

    /// A balance that was told is the one that the card had at that very entry.
    fn check_inquiries(
        &self,
        client: &Client,
        cards: &mut BTreeMap<String, CardId>,
        findings: &mut Findings,
    ) {
        for asked in &client.inquiries {
            let Some((key, card, balance)) = self.inquiries.get(&asked.rrn) else {
                findings.words.push(format!("the inquiry {} is lost", asked.key));
                continue;
            };
            if (*key, *balance) != (asked.key, asked.balance_fen) {
                let told = asked.balance_fen;
                findings.words.push(format!("{key} was told {told} fen, and had {balance}"));
            }
            if *cards.entry(asked.card.clone()).or_insert(*card) != *card {
                findings.words.push(format!("{key} was told of another card"));
            }
        }
    }

    fn post(&mut self, event: &Event) {
        let (mut fen, mut points) = (0_i64, 0_i64);
        for posting in event.postings() {
            match posting.unit {
                Unit::Fen => fen += posting.amount.fen(),
                Unit::Points => points += posting.amount.fen(),
            }
            if let LedgerAccount::Purse(card, Purse::Main | Purse::Bonus) = posting.account {
                *self.balances.entry(card).or_default() += posting.amount.fen();
            }
        }
        if (fen, points) != (0, 0) {
            self.faults.push(format!("the legs of {event:?} do not balance"));
        }
    }

    fn take(&mut self, event: &Event, rrn: Rrn, auth: AuthCode) {
        match event {
            Event::CardIssued(issued) => self.issued(issued),
            Event::Transacted(transacted) => self.transacted(transacted, rrn, auth),
            Event::Reversed(reversed) => {
                let key = key(&reversed.key);
                let entry = self.places.get(&key).map(|place| &mut self.approved[place.0]);
                match entry {
                    Some(entry) if !entry.reversed => entry.reversed = true,
                    Some(_) => self.faults.push(format!("{key} is reversed twice")),
                    None => self.faults.push(format!("{key} is reversed and was never approved")),
                }
            }
            Event::Barred { key: barred, .. } => {
                self.barred.insert(key(barred));
            }
            _ => {}
        }
        self.overdrawn(event);
    }

    fn issued(&mut self, issued: &CardIssued) {
        if !self.cards_issued.insert(issued.identity.index) {
            self.faults.push(format!("{:?} was issued before", issued.card));
        }
    }

    fn transacted(&mut self, t: &Transacted, rrn: Rrn, auth: AuthCode) {
        let key = key(&t.key);
        if t.outcome.is_err() {
            self.refused.insert(key);
            return;
        }
        let kind = match t.kind {
            TxnKind::Sale => SlipKind::Sale,
            TxnKind::Void => SlipKind::Void,
            TxnKind::Refund => SlipKind::Refund,
            TxnKind::Inquiry => {
                let balance = self.balances.get(&t.card).copied().unwrap_or_default();
                self.inquiries.insert(rrn.to_string(), (key, t.card, balance));
                return;
            }
            other => panic!("the fleet makes no {}", other.name()),
        };
        for (before, what) in [(&self.refused, "refused"), (&self.barred, "barred")] {
            if before.contains(&key) {
                self.faults.push(format!("{key} was {what} before it was approved"));
            }
        }
        let place = (self.approved.len(), auth.to_string(), t.card);
        self.places.insert(key, place);
        self.approved.push(audit::Entry {
            key,
            kind,
            amount: Fen(u64::try_from(t.amount.fen()).unwrap()),
            approved: true,
            reversed: false,
            rrn: Some(rrn.to_string()),
        });
    }

    fn overdrawn(&mut self, event: &Event) {
        let card = match event {
            Event::Transacted(t) => t.card,
            Event::Reversed(r) => r.card,
            _ => return,
        };
        if self.balances.get(&card).is_some_and(|balance| *balance < 0) {
            self.faults.push(format!("{card:?} is overdrawn"));
        }
    }
}

fn key(key: &TxnKey) -> Key {
    Key {
        terminal: TerminalId(key.terminal.0),
        batch: BatchNo::new(key.batch.number()).unwrap(),
        stan: Stan::new(key.stan.number()).unwrap(),
    }
}
