//! The judge: folds the journal, and holds it against itself and against what terminals were told.
//!
//! | rule | says |
//! | --- | --- |
//! | I1 | an approval that a terminal saw has exactly one entry, of its key, kind, card, amount, reference and code |
//! | I2 | a refusal that a terminal saw has no standing entry, and is in the journal if a shard gave it |
//! | I3 | nothing is entered twice, and nothing that no terminal asked for |
//! | I4 | the legs of an entry sum to zero, and so do the books |
//! | I5 | no purse holds less than nothing or than is held of it; no refund lifts a card above its ceiling |
//! | I6 | what is reversed or voided has no effect, and a terminal that was told so is right |
//! | I8 | what was barred never happens |
//! | I9 | no more is refunded than was paid; nothing happens in a batch that is closed |
//! | I10 | entries of a shard have no gap and form a chain; each fits the books; what was durable stays; a start gives the same books, and takes no damage for an end |
//! | I11 | the desks hold what the journal amounts to |
//! | I12 | an entry falls on the business date of its shard; a settlement counts the slips of its batch; terminal and books agree on them |
//! | I13 | no two approvals have one reference; a refusal has no code of approval |
//! | I15 | what was answered before another request was sent comes first |
//! | I16 | a balance is that of some moment between request and answer |
//! | I17 | a PIN is never tried more often than it may, whatever crashes |
//! | I18 | no card number, PIN block or key is in the journal, a log line or what is printed |
//! | I19 | when the weather has cleared, everything comes to an end, and nothing is held any more |
//! | I20 | ten seconds later, every shard answers a sale within one |
//! | F8 | no answer leaves later than a terminal waits |
//!
//! I7 (partial approvals) and I14 (what an issuer elsewhere is owed) have nothing to hold here.

mod answers;
mod beliefs;
mod entry;
mod secrets;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use domain::books::Books;
use domain::ledger::Unit;
use domain::shard::{BatchEvent, Event, Shard};
use domain::terms::{BatchNo, CardId, Rrn, ShardNo, TerminalId};
use domain::txn::{TxnKey, TxnKind};
use store::{Chain, Entry};

use super::cast::Cast;
use super::core::Core;
use super::tally::Counts;
pub use secrets::Canaries;

/// A rule that a world broke.
#[derive(Clone, Debug)]
pub struct Violation {
    pub rule: String,
    pub text: String,
}

impl Violation {
    pub fn new(rule: &str, text: &str) -> Self {
        Self { rule: rule.to_owned(), text: text.to_owned() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}

/// Says what rule is broken unless `holds`.
fn ensure(holds: bool, rule: &str, text: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(rule, &text())) }
}

/// The journal as far as it has been followed, and what it amounts to.
#[derive(Default)]
pub struct Audit {
    books: Books,
    entries: Vec<Entry>,
    last: BTreeMap<ShardNo, (u64, Chain)>,
    by_rrn: BTreeMap<Rrn, usize>,
    /// Sales, voids and refunds, refused ones too.
    by_key: BTreeMap<TxnKey, Vec<usize>>,
    reversed: BTreeMap<TxnKey, usize>,
    barred: BTreeMap<TxnKey, Vec<Option<CardId>>>,
    /// Settlements.
    closed: BTreeMap<(TerminalId, BatchNo), usize>,
    /// What inquiries had to answer.
    spendable: BTreeMap<Rrn, i64>,
    wrong_pins: BTreeMap<CardId, u32>,
    pub canaries: Canaries,
}

impl Audit {
    pub fn new(cast: &Cast) -> Self {
        Self { canaries: Canaries::of(cast), ..Self::default() }
    }

    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Takes in what the journal holds beyond what it held the last time.
    pub fn follow(&mut self, entries: &[Entry]) -> Result<(), Violation> {
        let known = self.entries.len();
        let is_longer = entries.len() >= known && entries[..known].last() == self.entries.last();
        ensure(is_longer, "I10", || format!("{known} entries were durable, and are not"))?;
        for entry in &entries[known..] {
            self.check_entry(entry)?;
            let stored = postcard::to_stdvec(&entry.event).unwrap();
            self.check_chain(entry, &stored)?;
            let is_read =
                postcard::from_bytes(&stored).is_ok_and(|read: Event| read == entry.event);
            ensure(is_read, "I10", || format!("is not read as stored: {:?}", entry.event))?;
            self.books.apply(entry.shard, &entry.event);
            self.index(entry);
            self.entries.push(entry.clone());
            self.check_effect(entry)?;
        }
        Ok(())
    }

    fn check_chain(&mut self, entry: &Entry, stored: &[u8]) -> Result<(), Violation> {
        let before = self.last.get(&entry.shard).map_or(Chain::GENESIS, |&(_, chain)| chain);
        let follows = entry.chain == before.then(entry.shard, entry.seq, stored);
        ensure(follows, "I10", || format!("entry {} breaks its chain", entry.seq))?;
        let place = self.canaries.find(stored);
        ensure(place.is_none(), "I18", || format!("a secret in {}", name_of(&entry.event).0))
    }

    /// Checks that nothing that was printed or written betrays a secret.
    pub fn check_secrets(&self, what: &str, bytes: &[u8]) -> Result<(), Violation> {
        let place = self.canaries.find(bytes);
        ensure(place.is_none(), "I18", || format!("a secret in {what}, at byte {place:?}"))
    }

    fn index(&mut self, entry: &Entry) {
        let place = self.entries.len();
        let rrn = Rrn::of(entry.shard, entry.seq);
        self.by_rrn.insert(rrn, place);
        self.last.insert(entry.shard, (entry.seq, entry.chain));
        match &entry.event {
            Event::Transacted(t) if t.kind.is_inquiry() => {}
            Event::Transacted(t) => self.by_key.entry(t.key).or_default().push(place),
            Event::Reversed(r) => _ = self.reversed.insert(r.key, place),
            Event::Barred { key, card, .. } => self.barred.entry(*key).or_default().push(*card),
            Event::Batch { terminal, event: BatchEvent::Closed { closing, .. } } => {
                self.closed.insert((*terminal, closing.batch), place);
            }
            Event::Batch { .. }
            | Event::CardIssued(_)
            | Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::SignedOn { .. }
            | Event::SignedOff { .. }
            | Event::Cared { .. } => {}
        }
    }

    /// Checks that a start finds the books that were followed.
    pub fn check_replay(&self, books: &Books) -> Result<(), Violation> {
        ensure(*books == self.books, "I10", || "a replay gives other books".to_owned())?;
        let stored = postcard::to_stdvec(books).unwrap();
        let is_read = postcard::from_bytes(&stored).is_ok_and(|read: Books| read == self.books);
        ensure(is_read, "I10", || "books are not read as stored".to_owned())
    }

    /// Returns everything as a debugger would print it.
    pub fn printed(&self) -> String {
        let mut text = format!("{:?}", self.books);
        for entry in &self.entries {
            let _ = write!(text, "{entry:?}");
        }
        text
    }

    /// Counts what the journal holds.
    pub fn census(&self) -> Counts {
        let mut census = Counts::new();
        for entry in &self.entries {
            *census.entry(name_of(&entry.event)).or_default() += 1;
        }
        census
    }

    /// Checks that the desks hold what the journal amounts to, and that it balances.
    pub fn check_live(&self, core: &Core) -> Result<(), Violation> {
        for shard in core.desks().flat_map(|desk| desk.shards()) {
            let folded = self.books.shard(shard.no());
            ensure(shard == folded, "I11", || {
                format!("a desk has {}, its entries {}", first(shard, folded), first(folded, shard))
            })?;
        }
        for unit in [Unit::Fen, Unit::Points] {
            let imbalance = self.books.imbalance(unit);
            ensure(imbalance.is_zero(), "I4", || format!("the books are {imbalance:?} off"))?;
        }
        Ok(())
    }
}

/// Returns the first thing in `shard` that is not so in `other`.
fn first(shard: &Shard, other: &Shard) -> String {
    let account = shard.accounts().find(|(card, account)| other.account(*card) != Some(account));
    let txn = shard.txns().find(|(key, txn)| other.txn(key) != Some(txn));
    let terminal = shard.terminals().find(|(id, known)| other.terminal(*id) != Some(known));
    let head = (shard.no(), shard.seq(), shard.date());
    format!("{head:?} {account:?} {txn:?} {:?}", terminal.map(|(id, known)| (id, known.open_batch)))
}

/// What an entry is, in the words of the census.
fn name_of(event: &Event) -> (&'static str, String) {
    let (what, how) = match event {
        Event::CardIssued(_) => ("card", "issued"),
        Event::TerminalRegistered { .. } => ("terminal", "set up"),
        Event::SignedOn { .. } => ("terminal", "signed on"),
        Event::SignedOff { .. } => ("terminal", "signed off"),
        Event::Cared { .. } => ("terminal", "looked after"),
        Event::CutOff(_) => ("day", "turned"),
        Event::Barred { card: None, .. } => ("bar", "by terminal"),
        Event::Barred { card: Some(_), .. } => ("bar", "by card"),
        Event::Reversed(r) if r.suspense.is_positive() => ("reversal", "with suspense"),
        Event::Reversed(r) if r.kind == TxnKind::Void => ("reversal", "of a void"),
        Event::Reversed(_) => ("reversal", "of a sale"),
        Event::Transacted(t) if t.suspense.is_positive() => ("return", "with suspense"),
        Event::Transacted(t) => {
            let how = if t.outcome.is_ok() { "approved" } else { "refused" };
            (t.kind.name(), how)
        }
        Event::Batch { event: BatchEvent::Closed { closing, .. }, .. } => {
            ("batch", if closing.is_balanced() { "balanced" } else { "unbalanced" })
        }
        Event::Batch { event: BatchEvent::Uploaded { .. }, .. } => ("batch", "uploaded"),
        Event::Batch { event: BatchEvent::Ended { differences, .. }, .. } => {
            ("batch", if differences.is_empty() { "ended" } else { "ended with differences" })
        }
    };
    (what, how.to_owned())
}
