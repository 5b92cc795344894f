//! The ledger in a SQLite file.
//!
//! Entries and the position they reach are written in one transaction, and the position only
//! where it still is what this process knows: so each entry is in the ledger exactly once,
//! whatever happens in between. Each transaction is synced as it is committed: not for its own
//! sake, the journal could give it again, but because syncs of the journal wait for those of the
//! ledger, and many short waits are better than a long one at each checkpoint.

use std::path::Path;
use std::time::Duration;

use domain::ledger::Posting;
use domain::shard::{BatchEvent, CardIssued, Event};
use domain::terms::{BusinessDate, SHARDS, ShardNo};
use domain::txn::Closing;
use rusqlite::{Connection, params};

use super::row::{self, CardRow, ClosingRow, Place, Row, Sums};
use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::home::NodeId;

/// Pages of the write-ahead log after which they are brought into the database: 32 megabytes. The
/// journal waits for the sync of what is then written, a third or so of them.
const CHECKPOINT_PAGES: i64 = 8192;

/// The schema, step by step.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_ledger.sql")];

const INSERT_ENTRY: &str = "
    INSERT INTO entry (lsn, shard, seq, chain, kind, at_ms, business_date, terminal, merchant,
        batch, stan, card, amount_fen, refusal, rrn, auth_code, original_terminal,
        original_batch, original_stan)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_POSTING: &str = "
    INSERT INTO posting (shard, seq, leg, account, unit, amount) VALUES (?, ?, ?, ?, ?, ?)";
const ADD_BALANCE: &str = "
    INSERT INTO balance (account, unit, amount) VALUES (?, ?, ?)
    ON CONFLICT (account, unit) DO UPDATE SET amount = amount + excluded.amount";
const INSERT_CARD: &str = "
    INSERT INTO card (id, product, named, status, expiry, pan_index, sealed_pan)
    VALUES (?, ?, ?, ?, ?, ?, ?)";
const CHANGE_CARD: &str = "UPDATE card SET status = ? WHERE id = ?";
const INSERT_BATCH: &str = "
    INSERT INTO terminal_batch (shard, seq, terminal, batch, closed_at_ms, claimed_debit_fen,
        claimed_debit_count, claimed_credit_fen, claimed_credit_count, counted_debit_fen,
        counted_debit_count, counted_credit_fen, counted_credit_count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const MOVE_SHARD: &str = "
    UPDATE shard_position SET seq = ?, chain = ?, business_date = ?
    WHERE shard = ? AND seq = ? AND chain = ?";
const MOVE: &str = "
    UPDATE position SET lsn = ?, batch = ?, segment = ?, start = ?, ending = ?, link = ?
    WHERE id = 1 AND lsn = ? AND batch = ?";

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    #[error("it belongs to another node")]
    Foreign,
    #[error("its schema {0} is of a later version of this program")]
    Newer(usize),
    #[error("somebody else has moved its position")]
    Fenced,
    #[error("it holds what cannot be")]
    Absurd,
}

/// How far the journal is in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) mark: Mark,
    pub(crate) tails: Positions,
    pub(crate) dates: [BusinessDate; SHARDS],
}

/// The ledger, open for writing.
#[derive(Debug)]
pub(crate) struct Ledger {
    connection: Connection,
    /// What is committed.
    reached: Reached,
    /// Dates as the entries of the open transaction leave them.
    dates: [BusinessDate; SHARDS],
    /// What the entries of the open transaction post.
    sums: Sums,
}

impl Ledger {
    /// Opens the ledger of `node`, or makes it.
    pub(crate) fn open(path: &Path, node: NodeId) -> Result<Self, LedgerError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.set_prepared_statement_cache_capacity(32);
        migrate(&mut connection, node)?;
        let reached = read_reached(&connection, node)?;
        let (dates, sums) = (reached.dates, Sums::new());
        Ok(Self { connection, reached, dates, sums })
    }

    /// Returns how far the journal is in the ledger, for certain.
    pub(crate) const fn reached(&self) -> &Reached {
        &self.reached
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), LedgerError> {
        self.dates = self.reached.dates;
        self.sums.clear();
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Adds an entry.
    pub(crate) fn put(&mut self, place: Place, event: &Event) -> Result<(), LedgerError> {
        let date = self.dates.get_mut(place.shard.index()).ok_or(LedgerError::Absurd)?;
        *date = row::date_after(*date, event);
        let row = Row::of(place, *date, event);
        insert(&self.connection, &row)?;
        for (leg, posting) in event.postings().iter().enumerate() {
            self.post(&row, leg, posting)?;
        }
        if let Some((card, status)) = row::status_after(event) {
            self.connection.prepare_cached(CHANGE_CARD)?.execute(params![status, card])?;
        }
        match event {
            Event::CardIssued(issued) => self.put_card(issued),
            Event::Batch { event: BatchEvent::Closed { closing, .. }, .. } => {
                self.put_closing(&row, closing)
            }
            Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::Transacted(_)
            | Event::Reversed(_)
            | Event::Barred { .. }
            | Event::SignedOn { .. }
            | Event::SignedOff { .. }
            | Event::Batch { .. }
            | Event::Cared { .. } => Ok(()),
        }
    }

    fn post(&mut self, row: &Row, leg: usize, posting: &Posting) -> Result<(), LedgerError> {
        let Posting { account, unit, amount } = *posting;
        let leg = i64::try_from(leg).unwrap_or(i64::MAX);
        self.connection.prepare_cached(INSERT_POSTING)?.execute(params![
            row.shard,
            row.seq,
            leg,
            row::account_of(account),
            row::unit_of(unit),
            amount.fen()
        ])?;
        let sum = self.sums.entry((account, unit)).or_default();
        *sum = sum.checked_add(amount).ok_or(LedgerError::Absurd)?;
        Ok(())
    }

    fn put_card(&self, issued: &CardIssued) -> Result<(), LedgerError> {
        let CardRow { id, product, named, status, expiry, pan_index, sealed_pan } =
            CardRow::of(issued);
        self.connection
            .prepare_cached(INSERT_CARD)?
            .execute(params![id, product, named, status, expiry, pan_index, sealed_pan])?;
        Ok(())
    }

    fn put_closing(&self, row: &Row, closing: &Closing) -> Result<(), LedgerError> {
        let ClosingRow { terminal, numbers } = ClosingRow::of(row, closing);
        let [batch, at, debit, debits, credit, credits, ours @ ..] = numbers;
        let [our_debit, our_debits, our_credit, our_credits] = ours;
        self.connection.prepare_cached(INSERT_BATCH)?.execute(params![
            row.shard,
            row.seq,
            terminal,
            batch,
            at,
            debit,
            debits,
            credit,
            credits,
            our_debit,
            our_debits,
            our_credit,
            our_credits
        ])?;
        Ok(())
    }

    /// Commits what was added, and that it reaches to `mark` and `tails`.
    pub(crate) fn commit(&mut self, mark: Mark, tails: &Positions) -> Result<(), LedgerError> {
        for (&(account, unit), sum) in self.sums.iter().filter(|(_, sum)| !sum.is_zero()) {
            let name = row::account_of(account);
            let params = params![name, row::unit_of(unit), sum.fen()];
            self.connection.prepare_cached(ADD_BALANCE)?.execute(params)?;
        }
        self.move_shards(tails)?;
        let old = self.reached.mark;
        let moved = self.connection.prepare_cached(MOVE)?.execute(params![
            mark.lsn.cast_signed(),
            mark.batch.cast_signed(),
            mark.segment.cast_signed(),
            mark.start.cast_signed(),
            mark.end.cast_signed(),
            mark.link,
            old.lsn.cast_signed(),
            old.batch.cast_signed()
        ])?;
        if moved != 1 {
            return Err(LedgerError::Fenced);
        }
        self.connection.execute_batch("COMMIT")?;
        self.reached = Reached { mark, tails: *tails, dates: self.dates };
        Ok(())
    }

    fn move_shards(&self, tails: &Positions) -> Result<(), LedgerError> {
        let mut statement = self.connection.prepare_cached(MOVE_SHARD)?;
        let old = self.reached.tails.iter();
        for (shard, ((new, old), date)) in
            ShardNo::all().zip(tails.iter().zip(old).zip(&self.dates))
        {
            if new == old {
                continue;
            }
            let moved = statement.execute(params![
                new.0.cast_signed(),
                new.1.0,
                date.yyyymmdd(),
                shard.0,
                old.0.cast_signed(),
                old.1.0
            ])?;
            if moved != 1 {
                return Err(LedgerError::Fenced);
            }
        }
        Ok(())
    }

    /// Gives up the open transaction, whatever became of it, and asks the ledger how far it is.
    pub(crate) fn abandon(&mut self, node: NodeId) -> Result<(), LedgerError> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.reached = read_reached(&self.connection, node)?;
        Ok(())
    }
}

fn migrate(connection: &mut Connection, node: NodeId) -> Result<(), LedgerError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(version).map_err(|_negative| LedgerError::Absurd)?;
    let steps = MIGRATIONS.get(version..).ok_or(LedgerError::Newer(version))?;
    for (step, sql) in steps.iter().enumerate() {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        if version == 0 && step == 0 {
            found(&transaction, node)?;
        }
        let reached = version.saturating_add(step).saturating_add(1);
        transaction.pragma_update(None, "user_version", i64::try_from(reached).unwrap_or(0))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Fills a new ledger with what it begins with.
fn found(connection: &Connection, node: NodeId) -> Result<(), LedgerError> {
    let node = const_hex::encode(node.0);
    connection.execute("INSERT INTO meta (key, value) VALUES ('node', ?)", [node])?;
    let Mark { lsn, batch, segment, start, end, link } = Mark::GENESIS;
    connection.execute(
        "INSERT INTO position (id, lsn, batch, segment, start, ending, link)
         VALUES (1, ?, ?, ?, ?, ?, ?)",
        params![
            lsn.cast_signed(),
            batch.cast_signed(),
            segment.cast_signed(),
            start.cast_signed(),
            end.cast_signed(),
            link
        ],
    )?;
    for shard in ShardNo::all() {
        connection.execute(
            "INSERT INTO shard_position (shard, seq, chain, business_date) VALUES (?, 0, ?, 0)",
            params![shard.0, Chain::GENESIS.0],
        )?;
    }
    Ok(())
}

/// True if nothing was ever committed to the database.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, LedgerError> {
    let is_blank = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";
    Ok(connection.query_row(is_blank, [], |row| row.get(0))?)
}

/// Reads how far the journal of `node` is in the ledger.
pub(super) fn read_reached(connection: &Connection, node: NodeId) -> Result<Reached, LedgerError> {
    let owner: String =
        connection.query_row("SELECT value FROM meta WHERE key = 'node'", [], |row| row.get(0))?;
    if owner != const_hex::encode(node.0) {
        return Err(LedgerError::Foreign);
    }
    let mark = connection.query_row(
        "SELECT lsn, batch, segment, start, ending, link FROM position WHERE id = 1",
        [],
        |row| {
            Ok(Mark {
                lsn: row.get::<_, i64>(0)?.cast_unsigned(),
                batch: row.get::<_, i64>(1)?.cast_unsigned(),
                segment: row.get::<_, i64>(2)?.cast_unsigned(),
                start: row.get::<_, i64>(3)?.cast_unsigned(),
                end: row.get::<_, i64>(4)?.cast_unsigned(),
                link: row.get(5)?,
            })
        },
    )?;
    let mut reached =
        Reached { mark, tails: [(0, Chain::GENESIS); SHARDS], dates: [BusinessDate::ZERO; SHARDS] };
    let mut statement =
        connection.prepare("SELECT shard, seq, chain, business_date FROM shard_position")?;
    let mut rows = statement.query([])?;
    let mut shards = 0_usize;
    while let Some(row) = rows.next()? {
        let shard = ShardNo(row.get(0)?);
        let tail = (row.get::<_, i64>(1)?.cast_unsigned(), Chain(row.get(2)?));
        let date = date_of(row.get(3)?).ok_or(LedgerError::Absurd)?;
        if let Some(place) = reached.tails.get_mut(shard.index()) {
            *place = tail;
        }
        if let Some(place) = reached.dates.get_mut(shard.index()) {
            *place = date;
        }
        shards = shards.saturating_add(1);
    }
    if shards == SHARDS { Ok(reached) } else { Err(LedgerError::Absurd) }
}

fn date_of(yyyymmdd: u32) -> Option<BusinessDate> {
    if yyyymmdd == 0 {
        return Some(BusinessDate::ZERO);
    }
    let part = |divisor: u32, modulus: u32| yyyymmdd.checked_div(divisor)?.checked_rem(modulus);
    BusinessDate::new(
        u16::try_from(part(10_000, 10_000)?).ok()?,
        u8::try_from(part(100, 100)?).ok()?,
        u8::try_from(part(1, 100)?).ok()?,
    )
}

fn insert(connection: &Connection, row: &Row) -> Result<(), LedgerError> {
    let (original_terminal, original_batch, original_stan) = &row.original;
    connection.prepare_cached(INSERT_ENTRY)?.execute(params![
        row.lsn,
        row.shard,
        row.seq,
        row.chain,
        row.kind,
        row.at_ms,
        row.business_date,
        row.terminal,
        row.merchant,
        row.batch,
        row.stan,
        row.card,
        row.amount_fen,
        row.refusal,
        row.rrn,
        row.auth_code,
        original_terminal,
        original_batch,
        original_stan
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([3; 16]);

    fn place(lsn: u64) -> Place {
        Place { lsn, shard: ShardNo(4), seq: lsn, chain: Chain([9; 16]) }
    }

    fn cut_off() -> Event {
        Event::CutOff(BusinessDate::new(2026, 11, 22).unwrap())
    }

    /// Returns the place and the tails after `lsn` entries of shard 4.
    fn after(lsn: u64) -> (Mark, Positions) {
        let mut tails = [(0, Chain::GENESIS); SHARDS];
        tails[4] = (lsn, Chain([9; 16]));
        (Mark { lsn, batch: lsn, ..Mark::GENESIS }, tails)
    }

    fn count(path: &Path) -> i64 {
        let connection = Connection::open(path).unwrap();
        connection.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn rows_without_their_position_are_never_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path, NODE).unwrap();
        ledger.begin().unwrap();
        ledger.put(place(1), &cut_off()).unwrap();
        // The process dies here.
        drop(ledger);
        assert_eq!(count(&path), 0);
        let mut ledger = Ledger::open(&path, NODE).unwrap();
        assert_eq!(ledger.reached().mark, Mark::GENESIS);
        ledger.begin().unwrap();
        ledger.put(place(1), &cut_off()).unwrap();
        let (mark, tails) = after(1);
        ledger.commit(mark, &tails).unwrap();
        // Or here, before it knows that it has committed.
        drop(ledger);
        let ledger = Ledger::open(&path, NODE).unwrap();
        assert_eq!((ledger.reached().mark, ledger.reached().tails), (mark, tails));
        assert_eq!(ledger.reached().dates[4].yyyymmdd(), 20_261_122);
        assert_eq!(count(&path), 1);
    }

    #[test]
    fn who_does_not_know_the_position_does_not_move_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut first = Ledger::open(&path, NODE).unwrap();
        let mut second = Ledger::open(&path, NODE).unwrap();
        let (mark, tails) = after(1);
        first.begin().unwrap();
        first.put(place(1), &cut_off()).unwrap();
        first.commit(mark, &tails).unwrap();
        // Other rows, and the same position.
        second.begin().unwrap();
        second.put(place(2), &cut_off()).unwrap();
        assert!(matches!(second.commit(mark, &tails), Err(LedgerError::Fenced)));
        second.abandon(NODE).unwrap();
        assert_eq!(second.reached().mark, mark);
        // The same rows.
        second.begin().unwrap();
        assert!(matches!(second.put(place(1), &cut_off()), Err(LedgerError::Sql(_))));
        second.abandon(NODE).unwrap();
        assert_eq!(count(&path), 1);
    }

    #[test]
    fn a_ledger_of_a_later_program_or_another_node_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        drop(Ledger::open(&path, NODE).unwrap());
        let refused = Ledger::open(&path, NodeId([4; 16]));
        assert!(matches!(refused, Err(LedgerError::Foreign)));
        let later = MIGRATIONS.len() + 1;
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", i64::try_from(later).unwrap()).unwrap();
        assert!(matches!(Ledger::open(&path, NODE), Err(LedgerError::Newer(_))));
    }

    #[test]
    fn a_date_is_read_as_it_was_written() {
        assert_eq!(date_of(0), Some(BusinessDate::ZERO));
        assert_eq!(date_of(20_261_122), BusinessDate::new(2026, 11, 22));
        assert_eq!(date_of(20_261_322), None);
    }
}
