//! The same journal without threads: its owner says when a batch is written and when it is synced.

use std::path::Path;
use std::sync::Arc;

use super::ahead::OnDemand;
use super::queue::{Pending, Status};
use super::writer::{EmbeddedWriter, Scribe};
use super::{Loss, OpenError, Opened, Options, Source};
use crate::commit::{Lsn, Outcome, Recovered};
use crate::drain::{FollowError, Snapshots};

/// The journal of a node, in files, moved on step by step: the code of [`crate::EmbeddedJournal`]
/// for a simulation that decides what happens between a write and its sync.
///
/// To drop it is to crash: nothing is written any more.
#[derive(Debug)]
pub struct SteppedJournal {
    source: Source,
    scribe: Scribe<OnDemand>,
    /// The batch that is written next, or is in flight.
    pending: Option<Pending>,
    is_in_flight: bool,
    snapshots: Option<Snapshots>,
    segment_bytes: u64,
}

impl SteppedJournal {
    /// Opens the journal in `dir` as [`crate::EmbeddedJournal::open`] does.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Panics
    /// If valid entries do not amount to a state: the program that wrote them had other rules.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovered), OpenError> {
        let (opened, recovered) = Opened::open(dir.as_ref(), &options)?;
        let recipe = opened.recipe(&options);
        let Opened { source, segment } = opened;
        let segments = OnDemand::new(recipe, segment.number.saturating_add(1));
        let shared = Arc::clone(&source.shared);
        let scribe = Scribe::new(shared, (options.disk, source.node), segment, segments);
        let journal = Self {
            source,
            scribe,
            pending: None,
            is_in_flight: false,
            snapshots: None,
            segment_bytes: options.segment_bytes,
        };
        Ok((journal, recovered))
    }

    /// Returns a writer whose outcomes `listener` is told, within [`SteppedJournal::sync`].
    pub fn writer(&self, listener: impl Fn(Outcome) + Send + 'static) -> EmbeddedWriter {
        EmbeddedWriter::new(Arc::clone(&self.source.shared), Box::new(listener))
    }

    /// Writes the next batch, if one waits and none is in flight. One for which the disk has no
    /// room goes on waiting.
    ///
    /// # Errors
    /// The disk failed: nothing is taken or told any more.
    pub fn write(&mut self) -> Result<(), Loss> {
        if self.is_in_flight {
            return Ok(());
        }
        if self.pending.is_none() {
            self.pending = self.source.shared.queue.try_take();
        }
        let Some(pending) = &mut self.pending else { return Ok(()) };
        match self.scribe.write(pending) {
            Ok(()) => self.is_in_flight = true,
            Err(loss) if loss.source.kind() == std::io::ErrorKind::StorageFull => {}
            Err(loss) => return Err(self.lose(loss)),
        }
        Ok(())
    }

    /// Makes the batch in flight durable, and tells its writers.
    ///
    /// # Errors
    /// The disk failed: nothing is taken or told any more.
    pub fn sync(&mut self) -> Result<(), Loss> {
        if !std::mem::take(&mut self.is_in_flight) {
            return Ok(());
        }
        self.scribe.sync().map_err(|loss| self.lose(loss))?;
        if let Some(pending) = self.pending.take() {
            self.scribe.tell(pending);
        }
        Ok(())
    }

    /// Writes a snapshot of all that is durable, as the drain does.
    ///
    /// # Errors
    /// What keeps the drain from it, in words. The journal goes on.
    pub fn snapshot(&mut self) -> Result<(), String> {
        let written = self.write_snapshot();
        written.map_err(|error| error.to_string())
    }

    fn write_snapshot(&mut self) -> Result<(), FollowError> {
        let snapshots = match &mut self.snapshots {
            Some(snapshots) => snapshots,
            none => none.insert(Snapshots::new(&self.source)?),
        };
        snapshots.write(&self.source, self.source.durable(), &|| true)
    }

    /// Takes no more entries, and makes everything submitted durable. The journal is not used
    /// after that.
    ///
    /// # Errors
    /// The disk failed.
    pub fn close(&mut self) -> Result<Lsn, Loss> {
        self.source.shared.queue.close();
        self.sync()?;
        loop {
            self.write()?;
            if !self.is_in_flight {
                break;
            }
            self.sync()?;
        }
        self.scribe.end().map_err(|loss| self.lose(loss))?;
        self.source.shared.queue.end(Status::Closed);
        Ok(self.durable())
    }

    fn lose(&self, loss: Loss) -> Loss {
        self.source.shared.queue.end(Status::Lost);
        loss
    }

    /// Returns the last entry that was submitted.
    #[must_use]
    pub fn submitted(&self) -> Lsn {
        self.source.shared.queue.submitted()
    }

    /// Returns the last entry that is durable.
    #[must_use]
    pub fn durable(&self) -> Lsn {
        Lsn(self.source.durable_lsn())
    }

    /// False when less than two segments of disk space remain: take no more debits.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.source.has_room(self.segment_bytes)
    }
}
