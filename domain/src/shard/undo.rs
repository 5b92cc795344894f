//! Taking back what was applied ahead of its commit.
//!
//! Where a journal has more than one writer, a commit may meet a newer state. What was applied
//! ahead is then undone, last first, the newer state taken in, and the command decided again.

use smallvec::SmallVec;

use super::{BatchEvent, Event, Shard};
use crate::issuing::Account;
use crate::ledger::Balances;
use crate::terms::{Amount, AuthCode, BatchNo, BusinessDate, CardId, Rrn, Stan, TerminalId};
use crate::txn::{
    Difference, Terminal, TerminalCare, TerminalProfile, TmkCare, Txn, TxnKey, TxnKind,
};

/// What a shard looked like, where one event touches it.
#[derive(Debug)]
pub struct Undo {
    seq: u64,
    before: Before,
}

#[derive(Debug)]
enum Before {
    /// There was no such card.
    NoCard(CardId),
    Money(Box<Money>),
    Date(Box<Day>),
    Terminal(TerminalId, Part),
}

/// What a cut-off touches: what it forgets, and what it lets expire with the accounts of that.
#[derive(Debug)]
struct Day {
    date: BusinessDate,
    txns: Vec<(TxnKey, Txn)>,
    balances: Vec<(CardId, Balances)>,
}

/// What a transaction or its undoing touches. An inquiry, refusal or bar touches less.
#[derive(Debug, Default)]
struct Money {
    account: Option<(CardId, Account)>,
    txns: SmallVec<[(TxnKey, Option<Txn>); 3]>,
    /// The number under which it can be found by its reference.
    sale: Option<u32>,
    /// What could be found before by the authorisation code it takes.
    hold: Option<((CardId, AuthCode), Option<TxnKey>)>,
}

/// The part of a terminal that an event touches.
#[derive(Debug)]
enum Part {
    /// There was no such terminal.
    None,
    Profile(TerminalProfile, TmkCare),
    Keys(Option<Box<[u8]>>, bool),
    /// There was no such bar.
    NoBar(BatchNo, Stan),
    Upload(Vec<(Stan, Option<Amount>)>, Option<Vec<Difference>>),
    Differences(Option<Vec<Difference>>),
    All(Box<Terminal>),
    Care(Box<TerminalCare>),
}

impl Shard {
    /// Remembers what `event` would change. Call it before [`Shard::apply`].
    #[must_use]
    pub fn undo_of(&self, event: &Event) -> Undo {
        let before = match event {
            Event::CardIssued(issued) => Before::NoCard(issued.card),
            Event::CutOff(date) => Before::Date(Box::new(self.day(*date))),
            Event::Transacted(t) => {
                let mut money = self.money_of(t.card, t.key, t.original);
                let is_new = t.outcome.is_ok();
                let seq = self.next_seq();
                money.sale =
                    (is_new && t.kind.is_refundable()).then_some(Rrn::of(self.no, seq).number);
                let place = (t.card, AuthCode::of(self.no, seq));
                let is_first = is_new && t.kind == TxnKind::PreAuth && t.original.is_none();
                money.hold = is_first.then(|| (place, self.holds.get(&place).copied()));
                Before::Money(Box::new(money))
            }
            Event::Reversed(r) => {
                let original = self.txns.get(&r.key).and_then(|txn| txn.original);
                Before::Money(Box::new(self.money_of(r.card, r.key, original)))
            }
            Event::Barred { key, card: Some(card), .. } => {
                Before::Money(Box::new(self.money_of(*card, *key, None)))
            }
            Event::Barred { key: TxnKey { terminal, .. }, card: None, .. }
            | Event::TerminalRegistered { terminal, .. }
            | Event::SignedOn { terminal, .. }
            | Event::SignedOff { terminal, .. }
            | Event::Batch { terminal, .. }
            | Event::Cared { terminal, .. } => {
                let known = self.terminals.get(terminal);
                Before::Terminal(*terminal, known.map_or(Part::None, |t| part_of(t, event)))
            }
        };
        Undo { seq: self.seq, before }
    }

    fn money_of(&self, card: CardId, key: TxnKey, original: Option<TxnKey>) -> Money {
        let account = self.accounts.get(&card);
        // The void of a completion touches its pre-authorisation, too.
        let first = original.and_then(|key| self.txns.get(&key)).and_then(|txn| txn.original);
        let keys = [Some(key), original, first].into_iter().flatten();
        Money {
            account: account.map(|account| (card, account.clone())),
            txns: keys.map(|key| (key, self.txns.get(&key).cloned())).collect(),
            sale: None,
            hold: None,
        }
    }

    fn day(&self, date: BusinessDate) -> Day {
        let forgotten = self.past_use(date).map(|(&key, txn)| (key, txn.clone()));
        let expired: Vec<_> = self.expired_on(date).map(|(&key, txn)| (key, txn.clone())).collect();
        let cards = expired.iter().map(|(_key, txn)| txn.card);
        let balances =
            cards.filter_map(|card| Some((card, self.accounts.get(&card)?.balances.clone())));
        Day {
            date: self.date,
            balances: balances.collect(),
            txns: forgotten.chain(expired.iter().cloned()).collect(),
        }
    }

    /// Puts back what [`Shard::undo_of`] remembered. The last event applied goes first.
    pub fn undo(&mut self, undo: Undo) {
        self.seq = undo.seq;
        match undo.before {
            Before::NoCard(card) => {
                self.accounts.remove(&card);
            }
            Before::Money(money) => self.put_back(*money),
            Before::Date(day) => {
                self.date = day.date;
                day.txns.into_iter().for_each(|(key, txn)| self.remember(key, txn));
                for (card, balances) in day.balances {
                    if let Some(account) = self.accounts.get_mut(&card) {
                        account.balances = balances;
                    }
                }
            }
            Before::Terminal(id, Part::None) => {
                self.terminals.remove(&id);
            }
            Before::Terminal(id, part) => {
                if let Some(terminal) = self.terminals.get_mut(&id) {
                    part.put_back(terminal);
                }
            }
        }
    }

    fn put_back(&mut self, money: Money) {
        if let Some((card, account)) = money.account {
            self.accounts.insert(card, account);
        }
        for (key, txn) in money.txns {
            match txn {
                Some(txn) => self.txns.insert(key, txn),
                None => self.txns.remove(&key),
            };
        }
        if let Some(number) = money.sale {
            self.sales.remove(&number);
        }
        match money.hold {
            Some((place, Some(key))) => _ = self.holds.insert(place, key),
            Some((place, None)) => _ = self.holds.remove(&place),
            None => {}
        }
    }
}

fn part_of(terminal: &Terminal, event: &Event) -> Part {
    match event {
        Event::Barred { key, .. } => Part::NoBar(key.batch, key.stan),
        Event::TerminalRegistered { .. } => {
            Part::Profile(terminal.profile.clone(), terminal.care.tmk.clone())
        }
        Event::SignedOn { .. } | Event::SignedOff { .. } => {
            Part::Keys(terminal.sealed_keys.clone(), terminal.is_signed_on)
        }
        Event::Batch { event: BatchEvent::Uploaded { details, .. }, .. } => {
            let before = |&(stan, _): &_| (stan, terminal.upload.get(&stan).copied());
            Part::Upload(details.iter().map(before).collect(), terminal.differences.clone())
        }
        Event::Batch { event: BatchEvent::Ended { .. }, .. } => {
            Part::Differences(terminal.differences.clone())
        }
        Event::Cared { .. } => Part::Care(Box::new(terminal.care.clone())),
        Event::Batch { event: BatchEvent::Closed { .. }, .. }
        | Event::CardIssued(_)
        | Event::CutOff(_)
        | Event::Transacted(_)
        | Event::Reversed(_) => Part::All(Box::new(terminal.clone())),
    }
}

impl Part {
    fn put_back(self, terminal: &mut Terminal) {
        match self {
            Self::None => {}
            Self::Profile(profile, tmk) => {
                (terminal.profile, terminal.care.tmk) = (profile, tmk);
            }
            Self::Keys(keys, is_on) => {
                (terminal.sealed_keys, terminal.is_signed_on) = (keys, is_on)
            }
            Self::NoBar(batch, stan) => {
                terminal.bars.remove(&(batch, stan));
            }
            Self::Upload(details, differences) => {
                for (stan, amount) in details {
                    match amount {
                        Some(amount) => terminal.upload.insert(stan, amount),
                        None => terminal.upload.remove(&stan),
                    };
                }
                terminal.differences = differences;
            }
            Self::Differences(differences) => terminal.differences = differences,
            Self::All(all) => *terminal = *all,
            Self::Care(care) => terminal.care = *care,
        }
    }
}
