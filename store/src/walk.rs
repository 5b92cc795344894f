//! Reading the batches of a journal in order, and judging where they end.

use std::path::{Path, PathBuf};

use domain::shard::Event;

use crate::batch::{HEADER, Header, Mark, SECTOR, Seed};
use crate::chain::Positions;
use crate::fault::JournalFault;
use crate::home::NodeId;
use crate::record::{self, Record};
use crate::segment::{self, Access, FILE_HEADER, Segment};

/// How much is read ahead.
const WINDOW: u64 = 1 << 20;

/// A reader of batches that stands at a mark.
#[derive(Debug)]
pub(crate) struct Walk {
    journal: PathBuf,
    node: NodeId,
    mark: Mark,
    anchor: Mark,
    open: Option<Segment>,
    /// Bytes of the open segment, from `from` on.
    window: Vec<u8>,
    from: u64,
}

/// What stands after a mark.
#[derive(Debug)]
pub(crate) enum Step<'w> {
    /// A valid batch that follows. The walk stands behind it.
    Batch(Batch<'w>),
    /// Nothing.
    End,
    /// Bytes that are no batch.
    Bad(Place),
}

/// A place in the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// A valid batch.
#[derive(Debug)]
pub(crate) struct Batch<'w> {
    /// The place behind it.
    pub(crate) mark: Mark,
    first: u64,
    count: u32,
    records: &'w [u8],
    journal: &'w Path,
}

impl Batch<'_> {
    /// Returns the records as they stand, for whoever has checked before that they follow.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut rest = self.records;
        std::iter::from_fn(move || record::take(&mut rest))
    }

    /// Hands each entry to `take`, with its number in the journal, once it is known to follow
    /// `tails`, which move along.
    pub(crate) fn visit(
        &self,
        tails: &mut Positions,
        take: &mut dyn FnMut(u64, &Record<'_>, Event),
    ) -> Result<(), JournalFault> {
        let mut rest = self.records;
        let mut lsn = self.first;
        for _ in 0..self.count {
            let Some(record) = record::take(&mut rest) else {
                return Err(self.gap("its records are cut short"));
            };
            let tail =
                tails.get_mut(record.shard.index()).expect("there is a place for every shard");
            if record.seq != tail.0.saturating_add(1) {
                return Err(self.broken(lsn, &record, "its number does not follow"));
            }
            if record.chain != tail.1.then(record.shard, record.seq, record.body) {
                return Err(self.broken(lsn, &record, "its chain does not follow"));
            }
            *tail = (record.seq, record.chain);
            match record.event() {
                Some(event) => take(lsn, &record, event),
                None => return Err(self.broken(lsn, &record, "it is no event")),
            }
            lsn = lsn.saturating_add(1);
        }
        if rest.is_empty() { Ok(()) } else { Err(self.gap("it holds more than its entries")) }
    }

    fn gap(&self, what: &'static str) -> JournalFault {
        let path = segment::path(self.journal, self.mark.segment);
        JournalFault::Gap { path, offset: self.mark.start, what }
    }

    fn broken(&self, entry: u64, record: &Record<'_>, what: &'static str) -> JournalFault {
        let path = segment::path(self.journal, self.mark.segment);
        let Record { shard, seq, .. } = *record;
        JournalFault::Broken { path, offset: self.mark.start, entry, shard, seq, what }
    }
}

impl Walk {
    /// Returns a walk that stands at `mark`.
    pub(crate) fn new(journal: &Path, node: NodeId, mark: Mark) -> Self {
        let journal = journal.to_path_buf();
        Self { journal, node, mark, anchor: mark, open: None, window: Vec::new(), from: 0 }
    }

    /// Returns the mark at which the walk stands.
    pub(crate) const fn mark(&self) -> Mark {
        self.mark
    }

    /// Returns the mark behind the last batch that holds entries: where others may begin later.
    /// An empty one behind it says nothing that they need, and may be cut off.
    pub(crate) const fn anchor(&self) -> Mark {
        self.anchor
    }

    /// Returns the directory it reads from.
    pub(crate) fn journal(&self) -> &Path {
        &self.journal
    }

    /// Forgets what was read ahead.
    pub(crate) fn refresh(&mut self) {
        self.window.clear();
        self.open = None;
    }

    /// True if the batch before the mark is the one the mark tells of.
    pub(crate) fn is_founded(&mut self) -> Result<bool, JournalFault> {
        let Mark { lsn, batch, segment, start, end, link } = self.mark;
        if self.mark == Mark::GENESIS {
            return Ok(true);
        }
        if start < FILE_HEADER || end <= start || !self.turn_to(segment)? {
            return Ok(false);
        }
        let length = end.saturating_sub(start);
        if self.length() < end || !length.is_multiple_of(SECTOR as u64) {
            return Ok(false);
        }
        self.load(start, length, end)?;
        let seed = Seed::new(self.node, segment);
        let bytes = self.seen(start, length);
        let Some(header) = seed.header(bytes) else { return Ok(false) };
        let last = header.first.saturating_add(u64::from(header.count)).saturating_sub(1);
        Ok(header.link == link
            && header.batch == batch
            && last == lsn
            && u64::from(header.length) == length
            && header.sum == seed.sum(bytes.get(HEADER..).unwrap_or_default()))
    }

    /// Takes the next step. With `limit`, reads nothing behind that place, and ends there.
    pub(crate) fn next(&mut self, limit: Option<Mark>) -> Result<Step<'_>, JournalFault> {
        if limit.is_some_and(|limit| self.mark.batch >= limit.batch) {
            return Ok(Step::End);
        }
        let mut place = Place { segment: self.mark.segment, offset: self.mark.end };
        if !self.turn_to(place.segment)? {
            return Err(JournalFault::Missing {
                path: segment::path(&self.journal, place.segment),
            });
        }
        loop {
            let until = match limit {
                Some(limit) if limit.segment == place.segment => limit.end,
                Some(_) | None => self.length(),
            };
            if until.saturating_sub(place.offset) >= SECTOR as u64 {
                self.load(place.offset, SECTOR as u64, until)?;
                let sector = self.seen(place.offset, SECTOR as u64);
                if sector.iter().any(|&byte| byte != 0) {
                    return self.judge(place, until);
                }
            }
            // Below the limit all is durable, so there is no end before it.
            let is_bad = match limit {
                Some(limit) => limit.segment == place.segment,
                None => self.rest_is_used(place.offset)?,
            };
            if is_bad {
                return Ok(Step::Bad(place));
            }
            place = Place { segment: place.segment.saturating_add(1), offset: FILE_HEADER };
            if !self.turn_to(place.segment)? {
                return match limit {
                    Some(_) => Err(JournalFault::Missing {
                        path: segment::path(&self.journal, place.segment),
                    }),
                    None => Ok(Step::End),
                };
            }
        }
    }

    /// Judges the bytes at `place`, which are not all zero.
    fn judge(&mut self, place: Place, until: u64) -> Result<Step<'_>, JournalFault> {
        let seed = Seed::new(self.node, place.segment);
        let sector = self.seen(place.offset, SECTOR as u64);
        let expected = self.mark.batch.saturating_add(1);
        let Some(header) = seed.header(sector).filter(|header| header.batch >= expected) else {
            return Ok(Step::Bad(place));
        };
        let length = u64::from(header.length);
        if header.batch == expected && length > until.saturating_sub(place.offset) {
            return Ok(Step::Bad(place));
        }
        if header.batch == expected {
            self.load(place.offset, length, until)?;
            let body = self.seen(place.offset, length).get(HEADER..).unwrap_or_default();
            if seed.sum(body) != header.sum {
                return Ok(Step::Bad(place));
            }
        }
        self.follows(&header).map_err(|what| {
            let path = segment::path(&self.journal, place.segment);
            JournalFault::Gap { path, offset: place.offset, what }
        })?;
        self.mark = Mark {
            lsn: self.mark.lsn.saturating_add(u64::from(header.count)),
            batch: header.batch,
            segment: place.segment,
            start: place.offset,
            end: place.offset.saturating_add(length),
            link: header.link,
        };
        if header.count > 0 {
            self.anchor = self.mark;
        }
        let bytes = self.seen(place.offset, length);
        let records = usize::try_from(header.records).unwrap_or(usize::MAX);
        let records = bytes.get(HEADER..).and_then(|body| body.get(..records)).unwrap_or_default();
        let (first, count) = (header.first, header.count);
        Ok(Step::Batch(Batch { mark: self.mark, first, count, records, journal: &self.journal }))
    }

    fn follows(&self, header: &Header) -> Result<(), &'static str> {
        if header.batch != self.mark.batch.saturating_add(1) {
            return Err("batches are missing before it");
        }
        if header.first != self.mark.lsn.saturating_add(1) {
            return Err("its first entry has the wrong number");
        }
        if header.before != self.mark.link {
            return Err("it follows another batch than the one before it");
        }
        Ok(())
    }

    /// Looks for a valid batch behind the bad bytes at `bad`: there was more, once.
    pub(crate) fn follower(&mut self, bad: Place) -> Result<Option<(u64, Place)>, JournalFault> {
        let mut place = bad;
        place.offset = place.offset.saturating_add(SECTOR as u64);
        while self.turn_to(place.segment)? {
            let seed = Seed::new(self.node, place.segment);
            while place.offset < self.length() {
                let length = self.length().saturating_sub(place.offset).min(WINDOW);
                self.load(place.offset, length, self.length())?;
                let bytes = self.seen(place.offset, length);
                for sector in bytes.chunks(SECTOR) {
                    match seed.header(sector) {
                        Some(header) if header.batch > self.mark.batch => {
                            return Ok(Some((header.batch, place)));
                        }
                        Some(_) | None => {}
                    }
                    place.offset = place.offset.saturating_add(sector.len() as u64);
                }
            }
            place = Place { segment: place.segment.saturating_add(1), offset: FILE_HEADER };
        }
        Ok(None)
    }

    /// Judges bad bytes at `bad` as the end of the journal.
    ///
    /// Only one batch is ever in flight, so only the last can be half written. If a valid one
    /// follows, the bad one was durable and has been damaged since.
    pub(crate) fn judge_end(&mut self, bad: Place) -> Result<(), JournalFault> {
        let Some((follower, found)) = self.follower(bad)? else { return Ok(()) };
        Err(JournalFault::Damaged {
            path: segment::path(&self.journal, bad.segment),
            offset: bad.offset,
            entry: self.mark.lsn.saturating_add(1),
            follower,
            segment: found.segment,
            at: found.offset,
        })
    }

    /// Returns the runs of bytes from `bad` on that are not zero: segment, begin and end.
    pub(crate) fn leftovers(&mut self, bad: Place) -> Result<Vec<(Place, u64)>, JournalFault> {
        let mut runs = Vec::new();
        let mut place = bad;
        while self.turn_to(place.segment)? {
            let end = match &self.open {
                Some(segment) => segment.last_nonzero(place.offset)?,
                None => None,
            };
            runs.extend(end.map(|end| (place, end)));
            place = Place { segment: place.segment.saturating_add(1), offset: FILE_HEADER };
        }
        Ok(runs)
    }

    /// Opens `segment`, if it is not open; false if there is none.
    fn turn_to(&mut self, segment: u64) -> Result<bool, JournalFault> {
        if self.open.as_ref().is_none_or(|open| open.number != segment) {
            self.open = segment::open(&self.journal, (self.node, segment), Access::Read)?;
            self.window.clear();
        }
        Ok(self.open.is_some())
    }

    fn length(&self) -> u64 {
        self.open.as_ref().map_or(0, |segment| segment.length)
    }

    fn rest_is_used(&self, offset: u64) -> Result<bool, JournalFault> {
        match &self.open {
            Some(segment) => Ok(segment.last_nonzero(offset)?.is_some()),
            None => Ok(false),
        }
    }

    /// Makes `length` bytes at `offset` of the open segment seen, and perhaps more, but none from
    /// `until` on.
    fn load(&mut self, offset: u64, length: u64, until: u64) -> Result<(), JournalFault> {
        if self.seen(offset, length).len() as u64 == length {
            return Ok(());
        }
        let size = until.saturating_sub(offset).min(WINDOW.max(length));
        self.window.resize(usize::try_from(size).unwrap_or(0), 0);
        self.from = offset;
        match &self.open {
            Some(segment) => segment.read(&mut self.window, offset),
            None => Ok(()),
        }
    }

    /// Returns `length` bytes at `offset` if they are in the window, or none.
    fn seen(&self, offset: u64, length: u64) -> &[u8] {
        let begin = offset.checked_sub(self.from).and_then(|place| usize::try_from(place).ok());
        let length = usize::try_from(length).ok();
        let seen = begin
            .and_then(|begin| self.window.get(begin..))
            .and_then(|window| length.and_then(|length| window.get(..length)));
        seen.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
