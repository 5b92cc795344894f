//! Taking back what was applied ahead of its commit.
//!
//! Where a journal has more than one writer, a commit may meet a newer state. What was applied
//! ahead is then undone, last first, the newer state taken in, and the command decided again.

use super::{Event, Shard};
use crate::issuing::Account;
use crate::terms::{CardId, TerminalId};
use crate::txn::{Terminal, Txn, TxnKey};

/// What a shard looked like, where one event touches it.
#[derive(Debug)]
pub struct Undo {
    seq: u64,
    account: Option<(CardId, Option<Account>)>,
    txns: Vec<(TxnKey, Option<Txn>)>,
    sale: Option<u32>,
    terminal: Option<(TerminalId, Option<Terminal>)>,
    whole: Option<Box<Shard>>,
}

impl Shard {
    /// Remembers what `event` would change. Call it before [`Shard::apply`].
    #[must_use]
    pub fn undo_of(&self, event: &Event) -> Undo {
        let mut undo = Undo {
            seq: self.seq,
            account: None,
            txns: Vec::new(),
            sale: None,
            terminal: None,
            whole: None,
        };
        match event {
            Event::CardIssued(issued) => undo.account = Some((issued.card, None)),
            Event::CutOff(_) => undo.whole = Some(Box::new(self.clone())),
            Event::Transacted(t) => {
                undo.account = self.account_of(t.card).map(|(card, a)| (card, Some(a)));
                undo.sale = Some(crate::terms::Rrn::of(self.no, self.next_seq()).number);
                for key in [Some(t.key), t.original].into_iter().flatten() {
                    undo.txns.push((key, self.txns.get(&key).cloned()));
                }
            }
            Event::Reversed(r) => {
                undo.account = self.account_of(r.card).map(|(card, a)| (card, Some(a)));
                let original = self.txns.get(&r.key).and_then(|txn| txn.original);
                for key in [Some(r.key), original].into_iter().flatten() {
                    undo.txns.push((key, self.txns.get(&key).cloned()));
                }
            }
            Event::Barred { key, card: Some(_), .. } => {
                undo.txns.push((*key, self.txns.get(key).cloned()));
            }
            Event::Barred { key: TxnKey { terminal, .. }, card: None, .. }
            | Event::TerminalRegistered { terminal, .. }
            | Event::SignedOn { terminal, .. }
            | Event::SignedOff { terminal, .. }
            | Event::Batch { terminal, .. } => {
                undo.terminal = Some((*terminal, self.terminals.get(terminal).cloned()));
            }
        }
        undo
    }

    /// Puts back what [`Shard::undo_of`] remembered. The last event applied goes first.
    pub fn undo(&mut self, undo: Undo) {
        if let Some(whole) = undo.whole {
            *self = *whole;
            return;
        }
        self.seq = undo.seq;
        if let Some((card, account)) = undo.account {
            match account {
                Some(account) => self.accounts.insert(card, account),
                None => self.accounts.remove(&card),
            };
        }
        for (key, txn) in undo.txns {
            match txn {
                Some(txn) => self.txns.insert(key, txn),
                None => self.txns.remove(&key),
            };
        }
        if let Some(number) = undo.sale {
            self.sales.remove(&number);
        }
        if let Some((id, terminal)) = undo.terminal {
            match terminal {
                Some(terminal) => self.terminals.insert(id, terminal),
                None => self.terminals.remove(&id),
            };
        }
    }
}
