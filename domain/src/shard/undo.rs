//! Taking back what was applied ahead of its commit.
//!
//! Where a journal has more than one writer, a commit may meet a newer state. What was applied
//! ahead is then undone, last first, the newer state taken in, and the command decided again.

use smallvec::SmallVec;

use super::{BatchEvent, Event, Shard};
use crate::ledger::Balances;
use crate::terms::{Amount, BatchNo, BusinessDate, CardId, Rrn, Stan, TerminalId};
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
    Date(BusinessDate, Vec<(TxnKey, Txn)>),
    Terminal(TerminalId, Part),
}

/// What a transaction or its undoing touches. An inquiry, refusal or bar touches less.
#[derive(Debug, Default)]
struct Money {
    account: Option<(CardId, u8, Balances)>,
    txns: SmallVec<[(TxnKey, Option<Txn>); 2]>,
    sale: Option<u32>,
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
            Event::CutOff(date) => {
                let forgotten = self.past_use(*date).map(|(&key, txn)| (key, txn.clone()));
                Before::Date(self.date, forgotten.collect())
            }
            Event::Transacted(t) => {
                let mut money = self.money_of(t.card, [Some(t.key), t.original]);
                let is_sale = t.kind == TxnKind::Sale && t.outcome.is_ok();
                money.sale = is_sale.then_some(Rrn::of(self.no, self.next_seq()).number);
                Before::Money(Box::new(money))
            }
            Event::Reversed(r) => {
                let original = self.txns.get(&r.key).and_then(|txn| txn.original);
                Before::Money(Box::new(self.money_of(r.card, [Some(r.key), original])))
            }
            Event::Barred { key, card: Some(card), .. } => {
                Before::Money(Box::new(self.money_of(*card, [Some(*key), None])))
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

    fn money_of(&self, card: CardId, keys: [Option<TxnKey>; 2]) -> Money {
        let account = self.accounts.get(&card);
        let known = keys.into_iter().flatten().map(|key| (key, self.txns.get(&key).cloned()));
        Money {
            account: account.map(|a| (card, a.wrong_pins, a.balances.clone())),
            txns: known.collect(),
            sale: None,
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
            Before::Date(date, forgotten) => {
                self.date = date;
                forgotten.into_iter().for_each(|(key, txn)| self.remember(key, txn));
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
        if let Some((card, wrong_pins, balances)) = money.account
            && let Some(account) = self.accounts.get_mut(&card)
        {
            account.wrong_pins = wrong_pins;
            account.balances = balances;
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
