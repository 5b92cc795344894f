//! Comparing a ledger with the journal it was written from.

use std::collections::BTreeMap;
use std::path::Path;

use domain::books::Books;
use domain::issuing::Account;
use domain::ledger::{LedgerAccount, Posting, Purse, Unit};
use domain::shard::{BatchEvent, Event, Shard};
use domain::terms::{Amount, BusinessDate, CardId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::row::{self, CardRow, ClosingRow, Place, Row};
use super::sqlite::{self, LedgerError, Reached};
use crate::batch::Mark;
use crate::chain::Positions;
use crate::home::NodeId;

const SELECT_ENTRY: &str = "
    SELECT lsn, chain, kind, at_ms, business_date, terminal, merchant, batch, stan, card,
        amount_fen, refusal, rrn, auth_code, original_terminal, original_batch, original_stan
    FROM entry WHERE shard = ? AND seq = ?";
const SELECT_POSTINGS: &str = "
    SELECT leg, account, unit, amount FROM posting WHERE shard = ? AND seq = ? ORDER BY leg";
const SELECT_CARD: &str = "
    SELECT id, product, named, status, expiry, pan_index, sealed_pan FROM card WHERE id = ?";
const SELECT_CLOSING: &str = "
    SELECT terminal, batch, closed_at_ms, claimed_debit_fen, claimed_debit_count,
        claimed_credit_fen, claimed_credit_count, counted_debit_fen, counted_debit_count,
        counted_credit_fen, counted_credit_count
    FROM terminal_batch WHERE shard = ? AND seq = ?";

/// What is wrong with a ledger, or why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] LedgerError),
    #[error("the ledger: {0}")]
    Differs(String),
}

impl From<rusqlite::Error> for AuditError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}

fn differs(what: impl Into<String>) -> AuditError {
    AuditError::Differs(what.into())
}

/// A ledger as it was when the audit began; what is written to it meanwhile is not seen.
pub(crate) struct Audit {
    connection: Connection,
    reached: Reached,
    dates: [BusinessDate; domain::terms::SHARDS],
    cards: u64,
    closings: u64,
    postings: u64,
}

impl Audit {
    /// Opens the ledger at `path` for reading, or returns `None` if there is none, or nothing in
    /// it: its file comes before its first transaction, and a crash may leave it at that.
    pub(crate) fn open(path: &Path, node: NodeId) -> Result<Option<Self>, AuditError> {
        if !path.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("BEGIN")?;
        if sqlite::is_blank(&connection)? {
            return Ok(None);
        }
        let reached = sqlite::read_reached(&connection, node)?;
        let dates = [BusinessDate::ZERO; domain::terms::SHARDS];
        Ok(Some(Self { connection, reached, dates, cards: 0, closings: 0, postings: 0 }))
    }

    /// Returns the last entry of the ledger.
    pub(crate) const fn position(&self) -> u64 {
        self.reached.mark.lsn
    }

    /// Returns the place in the journal that the ledger reaches.
    pub(crate) const fn mark(&self) -> Mark {
        self.reached.mark
    }

    /// Compares one entry, in journal order, with its rows.
    pub(crate) fn compare(&mut self, place: Place, event: &Event) -> Result<(), AuditError> {
        let date = self.dates.get_mut(place.shard.index()).ok_or(LedgerError::Absurd)?;
        *date = row::date_after(*date, event);
        let expected = Row::of(place, *date, event);
        let what =
            |what: &str| differs(format!("entry {} of shard {} {what}", place.seq, place.shard.0));
        match read_row(&self.connection, &expected)? {
            None => return Err(what("is missing")),
            Some(found) if found != expected => return Err(what("differs from the journal")),
            Some(_) => {}
        }
        let legs = read_postings(&self.connection, &expected)?;
        let postings = event.postings();
        let are_same = legs.len() == postings.len()
            && (0_i64..)
                .zip(legs.iter().zip(&postings))
                .all(|(no, (leg, posting))| is_leg(leg, no, posting));
        if !are_same {
            return Err(what("has other postings than the journal"));
        }
        self.postings = self.postings.saturating_add(legs.len() as u64);
        match event {
            Event::CardIssued(issued) => {
                let row = CardRow::of(issued);
                let found = read_card(&self.connection, row.id)?;
                // Its status may have changed since: that is compared in the end.
                let found = found.map(|found| CardRow { status: row.status.clone(), ..found });
                if found != Some(row) {
                    return Err(what("has another row in card than the journal"));
                }
                self.cards = self.cards.saturating_add(1);
            }
            Event::Batch { event: BatchEvent::Closed { closing, .. }, .. } => {
                let row = ClosingRow::of(&expected, closing);
                if read_closing(&self.connection, &expected)? != Some(row) {
                    return Err(what("has another row in terminal_batch than the journal"));
                }
                self.closings = self.closings.saturating_add(1);
            }
            Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::Transacted(_)
            | Event::Reversed(_)
            | Event::Barred { .. }
            | Event::SignedOn { .. }
            | Event::SignedOff { .. }
            | Event::Batch { .. }
            | Event::Cared { .. } => {}
        }
        Ok(())
    }

    /// Compares what the ledger holds altogether with the state at its last entry. Returns the
    /// number of its balances.
    pub(crate) fn conclude(&self, books: &Books, tails: &Positions) -> Result<u64, AuditError> {
        for (table, expected) in [
            ("entry", self.position()),
            ("posting", self.postings),
            ("card", self.cards),
            ("terminal_batch", self.closings),
        ] {
            let count = self.number(&format!("SELECT count(*) FROM {table}"))?;
            if count.cast_unsigned() != expected {
                let message = format!("{count} rows in {table}, {expected} in the journal");
                return Err(differs(message));
            }
        }
        if self.reached.tails != *tails || self.reached.dates != self.dates {
            return Err(differs("its position in the shards is not that of the journal"));
        }
        let unbalanced = "SELECT count(*) FROM (SELECT 1 FROM posting GROUP BY shard, seq, unit
                          HAVING sum(amount) <> 0)";
        let count = self.number(unbalanced)?;
        if count != 0 {
            return Err(differs(format!("the postings of {count} entries do not sum to zero")));
        }
        self.compare_statuses(books)?;
        self.compare_balances(books)
    }

    fn compare_statuses(&self, books: &Books) -> Result<(), AuditError> {
        let mut statement = self.connection.prepare("SELECT id, status FROM card")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, found): (i64, String) = (row.get(0)?, row.get(1)?);
            let card = CardId(id.cast_unsigned());
            let known = books.shard(card.shard()).account(card);
            if known.is_none_or(|account| row::status_of(account.status) != found) {
                let message = format!("card {id} has another row in card than the journal");
                return Err(differs(message));
            }
        }
        Ok(())
    }

    fn number(&self, sql: &str) -> Result<i64, AuditError> {
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    fn compare_balances(&self, books: &Books) -> Result<u64, AuditError> {
        let mut expected = balances_of(books);
        let mut statement = self.connection.prepare("SELECT account, unit, amount FROM balance")?;
        let mut rows = statement.query([])?;
        let mut count: u64 = 0;
        while let Some(row) = rows.next()? {
            let key: (String, String) = (row.get(0)?, row.get(1)?);
            let found = Amount::from_fen(row.get(2)?);
            let balance = expected.remove(&key).unwrap_or_default();
            if balance != found {
                let (account, unit) = key;
                let message = format!(
                    "the balance of {account} in {unit} is {found}, by the journal {balance}"
                );
                return Err(differs(message));
            }
            count = count.saturating_add(1);
        }
        match expected.into_iter().find(|(_, balance)| !balance.is_zero()) {
            Some(((account, unit), _)) => {
                Err(differs(format!("there is no balance of {account} in {unit}")))
            }
            None => Ok(count),
        }
    }
}

type Leg = (i64, String, String, i64);

fn is_leg((leg, account, unit, amount): &Leg, expected: i64, posting: &Posting) -> bool {
    *leg == expected
        && *account == row::account_of(posting.account)
        && *unit == row::unit_of(posting.unit)
        && *amount == posting.amount.fen()
}

fn read_row(connection: &Connection, of: &Row) -> Result<Option<Row>, AuditError> {
    let mut statement = connection.prepare_cached(SELECT_ENTRY)?;
    let found = statement
        .query_row(params![of.shard, of.seq], |row| {
            Ok(Row {
                lsn: row.get(0)?,
                shard: of.shard,
                seq: of.seq,
                chain: row.get(1)?,
                kind: row.get(2)?,
                at_ms: row.get(3)?,
                business_date: row.get(4)?,
                terminal: row.get(5)?,
                merchant: row.get(6)?,
                batch: row.get(7)?,
                stan: row.get(8)?,
                card: row.get(9)?,
                amount_fen: row.get(10)?,
                refusal: row.get(11)?,
                rrn: row.get(12)?,
                auth_code: row.get(13)?,
                original: (row.get(14)?, row.get(15)?, row.get(16)?),
            })
        })
        .optional()?;
    Ok(found)
}

fn read_postings(connection: &Connection, of: &Row) -> Result<Vec<Leg>, AuditError> {
    let mut statement = connection.prepare_cached(SELECT_POSTINGS)?;
    let legs = statement.query_map(params![of.shard, of.seq], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(legs.collect::<Result<_, _>>()?)
}

fn read_card(connection: &Connection, id: i64) -> Result<Option<CardRow>, AuditError> {
    let mut statement = connection.prepare_cached(SELECT_CARD)?;
    let found = statement
        .query_row([id], |row| {
            Ok(CardRow {
                id: row.get(0)?,
                product: row.get(1)?,
                named: row.get(2)?,
                status: row.get(3)?,
                expiry: row.get(4)?,
                pan_index: row.get(5)?,
                sealed_pan: row.get(6)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Reads the settlement whose entry has the row `of`.
fn read_closing(connection: &Connection, of: &Row) -> Result<Option<ClosingRow>, AuditError> {
    let mut statement = connection.prepare_cached(SELECT_CLOSING)?;
    let found = statement
        .query_row(params![of.shard, of.seq], |row| {
            let mut numbers = [0; 10];
            for (column, number) in (1_usize..).zip(&mut numbers) {
                *number = row.get(column)?;
            }
            Ok(ClosingRow { terminal: row.get(0)?, numbers })
        })
        .optional()?;
    Ok(found)
}

/// Returns every balance of the books as the ledger names it.
fn balances_of(books: &Books) -> BTreeMap<(String, String), Amount> {
    let name = |account, unit| (row::account_of(account), row::unit_of(unit).to_owned());
    let purses = books.shards().iter().flat_map(Shard::accounts).flat_map(purses_of);
    let others = books.ledger().map(|(account, balance)| (account, account.unit(), balance));
    purses.chain(others).map(|(account, unit, balance)| (name(account, unit), balance)).collect()
}

fn purses_of(
    (card, account): (CardId, &Account),
) -> impl Iterator<Item = (LedgerAccount, Unit, Amount)> + use<> {
    let ledger = *account.balances.ledger();
    Purse::ALL.into_iter().map(move |purse| {
        let leg = Posting::purse(card, purse, ledger.of(purse));
        (leg.account, leg.unit, leg.amount)
    })
}
