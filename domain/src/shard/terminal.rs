//! What a terminal's own commands would do.

use std::collections::BTreeMap;

use super::command::{Command, Decision, Detail, Upload};
use super::{BatchEvent, Event, Shard};
use crate::terms::{Amount, BatchNo, Refusal, Stan, TerminalId, Timestamp};
use crate::txn::{Closing, Difference, Terminal, Totals, TxnKind};

/// The most details one upload may have.
const UPLOAD_DETAILS_MAX: usize = 20_000;

impl Shard {
    pub(super) fn decide_for_terminal(&self, command: &Command, now: Timestamp) -> Decision {
        let (id, result) = match command {
            Command::RegisterTerminal { terminal, profile } => {
                let known = self.terminals.get(terminal);
                let event = known.is_none_or(|t| t.profile != *profile).then(|| {
                    Event::TerminalRegistered { terminal: *terminal, profile: profile.clone() }
                });
                return Decision { answer: self.answer(Ok(()), now, Detail::Plain), event };
            }
            Command::Bar(key) => {
                let is_new = self
                    .terminals
                    .get(&key.terminal)
                    .is_none_or(|t| !t.bars.contains(&(key.batch, key.stan)));
                let event = is_new.then_some(Event::Barred {
                    key: *key,
                    kind: TxnKind::Sale,
                    card: None,
                    at: now,
                });
                let answer = self.answer(Err(Refusal::OriginalNotFound), now, Detail::Plain);
                return Decision { answer, event };
            }
            Command::SignOn { terminal, sealed_keys } => {
                let sealed_keys = sealed_keys.clone();
                let event = Event::SignedOn { terminal: *terminal, sealed_keys, at: now };
                (
                    *terminal,
                    self.known(*terminal).map(|t| (Detail::Batch(t.open_batch), Some(event))),
                )
            }
            Command::SignOff(terminal) => {
                let event = Event::SignedOff { terminal: *terminal, at: now };
                (
                    *terminal,
                    self.known(*terminal).map(|t| (Detail::Batch(t.open_batch), Some(event))),
                )
            }
            Command::CloseBatch { terminal, batch, claimed, counted } => {
                (*terminal, self.close_batch(*terminal, *batch, claimed, counted, now))
            }
            Command::Upload(upload) => (upload.terminal, self.upload(upload, now)),
            Command::EndBatch { terminal, batch, booked } => {
                (*terminal, self.end_batch(*terminal, *batch, booked, now))
            }
            Command::IssueCard(_)
            | Command::CutOff(_)
            | Command::Transact(_)
            | Command::Reverse(_) => return self.decide(command, now),
        };
        self.concluded(id, result, now)
    }

    fn concluded(
        &self,
        terminal: TerminalId,
        result: Result<(Detail, Option<Event>), Refusal>,
        now: Timestamp,
    ) -> Decision {
        let (verdict, detail, event) = match result {
            Ok((detail, event)) => (Ok(()), detail, event),
            Err(refusal) => (Err(refusal), Detail::Plain, None),
        };
        let mut answer = self.answer(verdict, now, detail);
        // A repeated settlement is answered with the reference of the first.
        if let (Detail::Closed(closing), None) = (&answer.detail, &event) {
            (answer.rrn, answer.at) = (closing.rrn, closing.at);
        }
        debug_assert_eq!(terminal.shard(), self.no, "a terminal is asked of its own shard");
        Decision { answer, event }
    }

    fn known(&self, terminal: TerminalId) -> Result<&Terminal, Refusal> {
        self.terminals.get(&terminal).ok_or(Refusal::UnknownTerminal)
    }

    fn close_batch(
        &self,
        id: TerminalId,
        batch: BatchNo,
        claimed: &Totals,
        counted: &Totals,
        now: Timestamp,
    ) -> Result<(Detail, Option<Event>), Refusal> {
        let terminal = self.known(id)?;
        if let Some(closing) = terminal.last_closing.filter(|closing| closing.batch == batch) {
            return Ok((Detail::Closed(closing), None));
        }
        if terminal.open_batch != batch {
            return Err(Refusal::BatchDiffers);
        }
        let rrn = self.answer(Ok(()), now, Detail::Plain).rrn;
        let closing = Closing { batch, claimed: *claimed, counted: *counted, rrn, at: now };
        let event = BatchEvent::Closed { closing, next: batch.next() };
        Ok((Detail::Closed(closing), Some(Event::Batch { terminal: id, event })))
    }

    /// Returns the terminal if `batch` is the one it closed last.
    fn closed(&self, id: TerminalId, batch: BatchNo) -> Result<&Terminal, Refusal> {
        let terminal = self.known(id)?;
        let is_last = terminal.last_closing.is_some_and(|closing| closing.batch == batch);
        if is_last { Ok(terminal) } else { Err(Refusal::BatchDiffers) }
    }

    fn upload(&self, upload: &Upload, now: Timestamp) -> Result<(Detail, Option<Event>), Refusal> {
        let terminal = self.closed(upload.terminal, upload.batch)?;
        let taken = u32::try_from(upload.details.len()).unwrap_or(u32::MAX);
        let details: Vec<_> = upload
            .details
            .iter()
            .filter(|(stan, amount)| terminal.upload.get(stan) != Some(amount))
            .copied()
            .collect();
        if terminal.upload.len().saturating_add(details.len()) > UPLOAD_DETAILS_MAX {
            return Err(Refusal::UploadTooLong);
        }
        let event = (!details.is_empty()).then(|| Event::Batch {
            terminal: upload.terminal,
            event: BatchEvent::Uploaded { batch: upload.batch, details, at: now },
        });
        Ok((Detail::Uploaded(taken), event))
    }

    fn end_batch(
        &self,
        id: TerminalId,
        batch: BatchNo,
        booked: &[(Stan, Amount)],
        now: Timestamp,
    ) -> Result<(Detail, Option<Event>), Refusal> {
        let terminal = self.closed(id, batch)?;
        if let Some(differences) = &terminal.differences {
            return Ok((Detail::Ended(differences.clone()), None));
        }
        let is_balanced = terminal.last_closing.is_some_and(|closing| closing.is_balanced());
        let differences = if is_balanced && terminal.upload.is_empty() {
            Vec::new()
        } else {
            compare(booked, &terminal.upload)
        };
        let event = BatchEvent::Ended { batch, differences: differences.clone(), at: now };
        Ok((Detail::Ended(differences), Some(Event::Batch { terminal: id, event })))
    }
}

/// Compares the books with an upload, slip by slip.
fn compare(booked: &[(Stan, Amount)], uploaded: &BTreeMap<Stan, Amount>) -> Vec<Difference> {
    let booked: BTreeMap<_, _> = booked.iter().copied().collect();
    let ours = booked.iter().filter_map(|(&stan, amount)| match uploaded.get(&stan) {
        None => Some(Difference::Missing(stan)),
        Some(told) => (told != amount).then_some(Difference::Amount(stan)),
    });
    let theirs = uploaded.keys().filter(|stan| !booked.contains_key(stan));
    ours.chain(theirs.map(|&stan| Difference::Foreign(stan))).collect()
}
