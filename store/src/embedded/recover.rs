//! Finding out what the journal amounts to, at a start.

use std::fs::File;
use std::path::PathBuf;

use domain::books::Books;
use domain::faults::{self, Fault};
use domain::terms::SHARDS;

use crate::batch::Mark;
use crate::chain::{Chain, Positions};
use crate::commit::{Recovered, RecoveryReport};
use crate::disk::Disk;
use crate::drain::Audit;
use crate::embedded::{OpenError, Options};
use crate::fault::JournalFault;
use crate::home::{NodeId, Paths};
use crate::segment::{self, Access};
use crate::snapshot::{self, Snapshot};
use crate::walk::{Place, Step, Walk};

/// Where a replay begins, and what the state is there.
struct Base {
    mark: Mark,
    positions: Positions,
    books: Books,
    /// Snapshots that were passed over.
    rejected: u32,
    /// The last entry of any snapshot, used or not.
    newest: u64,
}

/// The snapshots of a journal.
pub(crate) struct Sighted {
    /// The newest first; `None` for one that cannot be used, or does not fit the journal.
    pub(crate) snapshots: Vec<Option<Snapshot>>,
    /// The last entry of any of them, as far as they can be read.
    pub(crate) newest: u64,
}

/// Looks at the snapshots of a journal. Their parts are not read.
pub(crate) fn sight(paths: &Paths, node: NodeId) -> Result<Sighted, JournalFault> {
    let mut sighted = Sighted { snapshots: Vec::new(), newest: 0 };
    for path in snapshot::list(&paths.snapshots())? {
        let mut fitting = None;
        match Snapshot::open(&path, node) {
            Ok(found) => {
                sighted.newest = sighted.newest.max(found.mark.lsn);
                if Walk::new(&paths.journal(), node, found.mark).is_founded()? {
                    fitting = Some(found);
                } else {
                    tracing::warn!(path = %path.display(), "snapshot does not fit the journal");
                }
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "snapshot cannot be used");
            }
        }
        sighted.snapshots.push(fitting);
    }
    Ok(sighted)
}

/// Returns the newest snapshot that fits the journal, or the beginning.
fn base(paths: &Paths, node: NodeId) -> Result<Base, JournalFault> {
    let Sighted { snapshots, newest } = sight(paths, node)?;
    let mut rejected: u32 = 0;
    for found in snapshots {
        if let Some(found) = found {
            match found.books() {
                Ok(books) => {
                    let Snapshot { mark, positions, .. } = found;
                    return Ok(Base { mark, positions, books, rejected, newest });
                }
                Err(error) => {
                    let path = found.path.display();
                    tracing::warn!(%path, %error, "snapshot cannot be used");
                }
            }
        }
        rejected = rejected.saturating_add(1);
    }
    let positions = [(0, Chain::GENESIS); SHARDS];
    Ok(Base { mark: Mark::GENESIS, positions, books: Books::default(), rejected, newest })
}

/// Folds the journal, cuts off a batch that a crash left half written, and returns the state and
/// the place where the next batch goes. Everything that is returned is durable. What is refused
/// is left as it was.
pub(crate) fn recover(
    paths: &Paths,
    node: NodeId,
    options: &Options,
) -> Result<(Recovered, Mark), OpenError> {
    let Base { mark, mut positions, mut books, rejected, newest } = base(paths, node)?;
    let snapshot_lsn = mark.lsn;
    let mut walk = Walk::new(&paths.journal(), node, mark);
    let leftovers = loop {
        match walk.next(None)? {
            Step::Batch(batch) => batch.visit(&mut positions, &mut |_lsn, record, event| {
                books.apply(record.shard, &event);
            })?,
            Step::End => break Vec::new(),
            Step::Bad(place) => {
                if !faults::is_planted(Fault::CutAnywhere) {
                    walk.judge_end(place)?;
                }
                break walk.leftovers(place)?;
            }
        }
    };
    let mark = walk.mark();
    if newest > mark.lsn {
        return Err(OpenError::Behind { journal: mark.lsn, snapshot: newest });
    }
    let ledger = options.ledger.clone().unwrap_or_else(|| paths.ledger());
    refuse_ledger_ahead(ledger, node, mark.lsn)?;
    let disk = &*options.disk;
    let truncated_bytes = cut(paths, node, disk, leftovers)?;
    make_durable(paths, node, disk, mark)?;
    let report = RecoveryReport {
        truncated_bytes,
        snapshot_lsn,
        snapshots_rejected: rejected,
        replayed: mark.lsn.saturating_sub(snapshot_lsn),
    };
    Ok((Recovered { books, positions, entries: mark.lsn, report }, mark))
}

/// Makes what was read durable: it may be in the cache of the system alone, if the process before
/// was killed.
///
/// The last batch is written once more. A sync of it may have failed, and then the cache holds it
/// as if it were written, and no sync ever writes it.
fn make_durable(
    paths: &Paths,
    node: NodeId,
    disk: &dyn Disk,
    mark: Mark,
) -> Result<(), JournalFault> {
    for number in [mark.segment.saturating_sub(1), mark.segment] {
        let found = segment::open(&paths.journal(), (node, number), Access::Write)?;
        let Some(found) = found else { continue };
        let length = mark.end.saturating_sub(mark.start);
        if number == mark.segment && mark.start > 0 {
            let mut last = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
            found.read(&mut last, mark.start)?;
            let write = disk.write_all_at(&found.file, &last, mark.start);
            write.map_err(JournalFault::io(&found.path))?;
        }
        disk.sync_data(&found.file).map_err(JournalFault::io(&found.path))?;
    }
    // The name of a segment, too: without it, all that it holds is gone.
    for dir in [paths.journal(), paths.dir.clone()] {
        disk.sync_dir(&dir).map_err(JournalFault::io(&dir))?;
    }
    Ok(())
}

/// Refuses a journal of fewer entries than its ledger: what is torn may then be an answered one.
fn refuse_ledger_ahead(path: PathBuf, node: NodeId, journal: u64) -> Result<(), OpenError> {
    match Audit::open(&path, node) {
        Ok(Some(audit)) if audit.position() > journal => {
            Err(OpenError::Ahead { path, ledger: audit.position(), journal })
        }
        Ok(Some(_) | None) => Ok(()),
        // Only who follows the journal knows whether this ledger is wanted at all.
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "ledger not compared with the journal");
            Ok(())
        }
    }
}

/// Zeroes `runs`, each once its bytes are kept elsewhere, and returns how many bytes they had.
fn cut(
    paths: &Paths,
    node: NodeId,
    disk: &dyn Disk,
    runs: Vec<(Place, u64)>,
) -> Result<u64, JournalFault> {
    let mut bytes: u64 = 0;
    for (place, end) in runs {
        let journal = paths.journal();
        let Some(found) = segment::open(&journal, (node, place.segment), Access::Write)? else {
            return Err(JournalFault::Missing { path: segment::path(&journal, place.segment) });
        };
        let offset = place.offset;
        let length = end.saturating_sub(offset);
        let mut torn = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        found.read(&mut torn, offset)?;
        let kept = keep(paths, disk, place, &torn)?;
        tracing::warn!(
            path = %found.path.display(), offset, bytes = length, kept = %kept.display(),
            "cut off a batch that a crash left half written"
        );
        torn.fill(0);
        let write = || {
            disk.write_all_at(&found.file, &torn, offset)?;
            disk.sync_data(&found.file)
        };
        write().map_err(JournalFault::io(&found.path))?;
        bytes = bytes.saturating_add(length);
    }
    Ok(bytes)
}

/// Keeps what is cut off at `place` in a file of the data directory, durable before this returns:
/// whoever finds that an answered entry is gone still has what was there. Returns its path.
fn keep(
    paths: &Paths,
    disk: &dyn Disk,
    place: Place,
    torn: &[u8],
) -> Result<PathBuf, JournalFault> {
    // The next batch goes to the same place, and may be torn as well.
    let path = (1_u64..)
        .map(|time| paths.torn(place.segment, place.offset, time))
        .find(|path| !path.exists())
        .unwrap_or_else(|| paths.torn(place.segment, place.offset, 0));
    let fresh = path.with_extension("new");
    let write = || {
        let file = File::create(&fresh)?;
        disk.write_all_at(&file, torn, 0)?;
        disk.sync_data(&file)?;
        disk.rename(&fresh, &path)?;
        disk.sync_dir(&paths.dir)
    };
    write().map_err(JournalFault::io(&path))?;
    Ok(path)
}
