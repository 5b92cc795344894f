//! Reading a journal entry by entry, without the node that writes it.

use std::path::Path;
use std::vec;

use domain::terms::SHARDS;

use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::commit::Entry;
use crate::fault::JournalFault;
use crate::home::Paths;
use crate::walk::{Step, Walk};

/// The entries of a journal, from the first. Ends after the last whole batch, or after the first
/// fault.
#[derive(Debug)]
pub struct Entries {
    walk: Walk,
    tails: Positions,
    batch: vec::IntoIter<Entry>,
    is_over: bool,
}

/// Reads the journal of the data directory `dir`, checking that every entry follows the one
/// before it. Changes nothing, and asks nobody who may be writing: while a node runs, the last
/// entries may not be durable yet.
///
/// # Errors
/// There is no journal, or it cannot be read. Damage is told by the iterator, where it is.
pub fn entries(dir: &Path) -> Result<Entries, JournalFault> {
    let paths = Paths::new(dir);
    let node = paths.read_node()?.ok_or_else(|| JournalFault::Missing { path: paths.node() })?;
    Ok(Entries {
        walk: Walk::new(&paths.journal(), node, Mark::GENESIS),
        tails: [(0, Chain::GENESIS); SHARDS],
        batch: Vec::new().into_iter(),
        is_over: false,
    })
}

impl Entries {
    /// Takes the next batch; false at the end.
    fn turn(&mut self) -> Result<bool, JournalFault> {
        let mut entries = Vec::new();
        match self.walk.next(None)? {
            Step::Batch(batch) => batch.visit(&mut self.tails, &mut |_lsn, record, event| {
                let (shard, seq, chain) = (record.shard, record.seq, record.chain);
                entries.push(Entry { shard, seq, chain, event });
            })?,
            Step::End => return Ok(false),
            Step::Bad(place) => {
                self.walk.judge_end(place)?;
                return Ok(false);
            }
        }
        self.batch = entries.into_iter();
        Ok(true)
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, JournalFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.batch.next() {
                return Some(Ok(entry));
            }
            if self.is_over {
                return None;
            }
            match self.turn() {
                Ok(true) => {}
                Ok(false) => self.is_over = true,
                Err(fault) => {
                    self.is_over = true;
                    return Some(Err(fault));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::shard::Event;
    use domain::terms::{BusinessDate, ShardNo};
    use tempfile::TempDir;

    use super::*;
    use crate::commit::Commit;
    use crate::embedded::{EmbeddedJournal, Options};

    fn event() -> Event {
        Event::CutOff(BusinessDate::new(2026, 11, 22).unwrap())
    }

    /// A journal of two starts, each of which writes an entry to shards 7 and 9.
    fn journal() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 1 << 20, ..Options::default() };
        for seq in [1, 2] {
            let (journal, _) = EmbeddedJournal::open(dir.path(), options.clone()).unwrap();
            let mut writer = journal.writer(|_outcome| {});
            for shard in [7, 9] {
                writer.submit(ShardNo(shard), seq, &event()).unwrap();
            }
            journal.close().unwrap();
        }
        dir
    }

    #[test]
    fn what_was_written_is_read_in_its_order() {
        let dir = journal();
        let read: Vec<_> = entries(dir.path()).unwrap().map(Result::unwrap).collect();
        let places: Vec<_> = read.iter().map(|entry| (entry.shard.0, entry.seq)).collect();
        assert_eq!(places, [(7, 1), (9, 1), (7, 2), (9, 2)]);
        assert!(read.iter().all(|entry| entry.event == event()));
    }

    #[test]
    fn damage_is_told_once_and_ends_it() {
        let dir = journal();
        let path = crate::segment::path(&Paths::new(dir.path()).journal(), 1);
        let mut bytes = std::fs::read(&path).unwrap();
        let first = bytes.windows(8).position(|window| window == b"POSPBAT1").unwrap();
        bytes[first + 70] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let read: Vec<_> = entries(dir.path()).unwrap().collect();
        assert!(matches!(read[..], [Err(JournalFault::Damaged { .. })]), "{read:?}");
    }

    #[test]
    fn a_directory_without_a_journal_has_no_entries() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(entries(dir.path()), Err(JournalFault::Missing { .. })));
    }
}
