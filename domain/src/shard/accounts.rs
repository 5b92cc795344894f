//! The accounts of a shard.
//!
//! Cards of one product share the terms they were issued under: in memory by a pointer, in the
//! stored form by a place in a list. What is stored depends on the accounts alone, not on how
//! they came to be.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeTuple as _, Serializer};

use super::table::Table;
use crate::issuing::{Account, CardStatus, Identity, Spent, Terms};
use crate::ledger::Balances;
use crate::terms::{CardId, Expiry};

/// Accounts by card.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    table: Table<CardId, Account>,
    /// Every terms that a card was issued under since the shard was read in.
    terms: Vec<Arc<Terms>>,
}

impl Accounts {
    pub(super) const fn new() -> Self {
        Self { table: Table::new(), terms: Vec::new() }
    }

    pub(super) fn get(&self, card: &CardId) -> Option<&Account> {
        self.table.get(card)
    }

    pub(super) fn get_mut(&mut self, card: &CardId) -> Option<&mut Account> {
        self.table.get_mut(card)
    }

    pub(super) fn insert(&mut self, card: CardId, account: Account) {
        self.table.insert(card, account);
    }

    pub(super) fn remove(&mut self, card: &CardId) {
        self.table.remove(card);
    }

    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the accounts by card.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&CardId, &Account)> {
        self.table.iter()
    }

    /// Returns the accounts in no order. Nothing that shows may depend on it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&CardId, &Account)> {
        self.table.rows()
    }

    /// Returns `terms` as those cards hold them that have the same.
    pub(super) fn share(&mut self, terms: &Terms) -> Arc<Terms> {
        // A programme has few products; the last terms are those of most new cards.
        match self.terms.iter().rev().find(|known| ***known == *terms) {
            Some(known) => Arc::clone(known),
            None => {
                let terms = Arc::new(terms.clone());
                self.terms.push(Arc::clone(&terms));
                terms
            }
        }
    }
}

impl PartialEq for Accounts {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl Eq for Accounts {}

/// An account as it is stored, beside its terms.
type Rest<I, B> = (CardStatus, Expiry, u8, I, B, Spent);

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut terms: Vec<&Terms> = Vec::new();
        let mut last: Option<(&Arc<Terms>, usize)> = None;
        let rows = self.iter().map(|(card, account)| {
            let place = match last {
                Some((known, place)) if Arc::ptr_eq(known, &account.terms) => place,
                Some(_) | None => {
                    let place = terms.iter().position(|known| **known == *account.terms);
                    place.unwrap_or_else(|| {
                        terms.push(&account.terms);
                        terms.len().saturating_sub(1)
                    })
                }
            };
            last = Some((&account.terms, place));
            (card, place, account)
        });
        let rows: Vec<_> = rows.collect();
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&terms)?;
        tuple.serialize_element(&Rows(&rows))?;
        tuple.end()
    }
}

struct Rows<'a>(&'a [(&'a CardId, usize, &'a Account)]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|&(card, terms, account)| {
            let Account { status, expiry, wrong_pins, identity, balances, spent, .. } = account;
            let rest: Rest<_, _> = (*status, *expiry, *wrong_pins, identity, balances, *spent);
            (card, terms, rest)
        }))
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Row = (CardId, usize, Rest<Identity, Balances>);
        let (terms, rows): (Vec<Terms>, Vec<Row>) = Deserialize::deserialize(deserializer)?;
        let terms: Vec<_> = terms.into_iter().map(Arc::new).collect();
        let mut table = Table::with_capacity(rows.len());
        for (card, place, rest) in rows {
            let (status, expiry, wrong_pins, identity, balances, spent) = rest;
            let terms = terms.get(place).map(Arc::clone);
            let terms = terms.ok_or_else(|| D::Error::custom("an account without its terms"))?;
            let account = Account { terms, status, expiry, wrong_pins, identity, balances, spent };
            table.insert(card, account);
        }
        Ok(Self { table, terms })
    }
}
