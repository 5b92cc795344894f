//! One shard: accounts, their transactions, and terminals, changed by commands one at a time.
//!
//! [`Shard::decide`] says what a command would do and changes nothing. [`Shard::apply`] does
//! what an event says and cannot fail. Whoever calls them commits the event in between.

mod accounts;
mod apply;
mod care;
mod command;
mod decide;
mod event;
mod give_back;
mod judge;
mod original;
mod pre_auth;
mod reverse;
mod table;
mod terminal;
mod undo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use apply::MEMORY_DAYS;
pub(crate) use care::fits;
pub use care::{REPORT_MAX, TMK_ISSUES_MAX};
pub use command::{Answer, Command, Decision, Detail, NewPin, Original, Request, Reversal, Upload};
pub use event::{BatchEvent, CardIssued, Event, Reversed, Transacted};
pub use undo::Undo;

use crate::issuing::Account;
use crate::terms::{AuthCode, BusinessDate, CardId, ShardNo, TerminalId};
use crate::txn::{Terminal, Txn, TxnKey};
use accounts::Accounts;
use table::Table;

/// The state of one shard.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    no: ShardNo,
    seq: u64,
    date: BusinessDate,
    accounts: Accounts,
    txns: Table<TxnKey, Txn>,
    /// What may be refunded, by the number in its reference, for refunds from another terminal.
    sales: BTreeMap<u32, TxnKey>,
    /// Pre-authorisations by card and authorisation code, for what belongs to them.
    holds: BTreeMap<(CardId, AuthCode), TxnKey>,
    terminals: BTreeMap<TerminalId, Terminal>,
}

impl Shard {
    /// Returns an empty shard.
    #[must_use]
    pub const fn new(no: ShardNo) -> Self {
        Self {
            no,
            seq: 0,
            date: BusinessDate::ZERO,
            accounts: Accounts::new(),
            txns: Table::new(),
            sales: BTreeMap::new(),
            holds: BTreeMap::new(),
            terminals: BTreeMap::new(),
        }
    }

    /// Returns the number of the shard.
    #[must_use]
    pub const fn no(&self) -> ShardNo {
        self.no
    }

    /// Returns how many entries the shard has seen: the number of the last one.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the business date that entries fall on; zero before the first cut-off.
    #[must_use]
    pub const fn date(&self) -> BusinessDate {
        self.date
    }

    /// Returns the account of a card.
    #[must_use]
    pub fn account(&self, card: CardId) -> Option<&Account> {
        self.accounts.get(&card)
    }

    /// Returns every account, by card.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (CardId, &Account)> {
        self.accounts.iter().map(|(&card, account)| (card, account))
    }

    /// Returns how many accounts there are.
    #[must_use]
    pub const fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// Returns every account, in no order: quicker, where it does not show.
    pub fn accounts_unordered(&self) -> impl Iterator<Item = (CardId, &Account)> {
        self.accounts.rows().map(|(&card, account)| (card, account))
    }

    /// Returns a transaction.
    #[must_use]
    pub fn txn(&self, key: &TxnKey) -> Option<&Txn> {
        self.txns.get(key)
    }

    /// Returns every transaction that is remembered, by key.
    pub fn txns(&self) -> impl ExactSizeIterator<Item = (&TxnKey, &Txn)> {
        self.txns.iter()
    }

    /// Returns a terminal.
    #[must_use]
    pub fn terminal(&self, id: TerminalId) -> Option<&Terminal> {
        self.terminals.get(&id)
    }

    /// Returns every terminal, by id.
    pub fn terminals(&self) -> impl ExactSizeIterator<Item = (TerminalId, &Terminal)> {
        self.terminals.iter().map(|(&id, terminal)| (id, terminal))
    }
}
