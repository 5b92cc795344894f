//! What a terminal's own commands would do.

use std::collections::BTreeMap;

use super::command::{Decision, Detail, Upload};
use super::{BatchEvent, Event, Shard};
use crate::terms::{Amount, BatchNo, Refusal, Stan, TerminalId, Timestamp};
use crate::txn::{Closing, Difference, Terminal, TerminalProfile, Totals, TxnKey, TxnKind};

/// The most details one upload may have.
const UPLOAD_DETAILS_MAX: usize = 20_000;

/// What is done, or why not.
type Outcome = Result<(Detail, Option<Event>), Refusal>;

impl Shard {
    pub(super) fn register(
        &self,
        terminal: TerminalId,
        profile: &TerminalProfile,
        now: Timestamp,
    ) -> Decision {
        let known = self.terminals.get(&terminal);
        let event = known
            .is_none_or(|t| t.profile != *profile)
            .then(|| Event::TerminalRegistered { terminal, profile: profile.clone() });
        self.concluded(Ok((Detail::Plain, event)), now)
    }

    /// Keeps in mind that a transaction must not happen any more. One of a batch that neither
    /// takes slips nor is the next to do so is refused for its batch, and needs no bar.
    pub(super) fn bar(&self, key: TxnKey, now: Timestamp) -> Decision {
        let is_needed = self.terminals.get(&key.terminal).is_some_and(|terminal| {
            [terminal.open_batch, terminal.open_batch.next()].contains(&key.batch)
                && !terminal.bars.contains(&(key.batch, key.stan))
        });
        let event =
            is_needed.then_some(Event::Barred { key, kind: TxnKind::Sale, card: None, at: now });
        let refusal = self.known(key.terminal).err().unwrap_or(Refusal::OriginalNotFound);
        Decision { answer: self.answer(Err(refusal), now, Detail::Plain), event }
    }

    pub(super) fn sign_on(
        &self,
        terminal: TerminalId,
        sealed_keys: &[u8],
        now: Timestamp,
    ) -> Decision {
        let outcome = self.known(terminal).map(|known| {
            let is_same = known.is_signed_on && known.sealed_keys.as_deref() == Some(sealed_keys);
            let event = (!is_same).then(|| Event::SignedOn {
                terminal,
                sealed_keys: sealed_keys.into(),
                at: now,
            });
            (Detail::Batch(known.open_batch), event)
        });
        self.concluded(outcome, now)
    }

    pub(super) fn sign_off(&self, terminal: TerminalId, now: Timestamp) -> Decision {
        let outcome = self.known(terminal).map(|known| {
            let event = known.is_signed_on.then_some(Event::SignedOff { terminal, at: now });
            (Detail::Batch(known.open_batch), event)
        });
        self.concluded(outcome, now)
    }

    pub(super) fn close_batch(
        &self,
        terminal: TerminalId,
        batch: BatchNo,
        claimed: &Totals,
        counted: &Totals,
        now: Timestamp,
    ) -> Decision {
        let outcome = self.known(terminal).and_then(|known| {
            if let Some(closing) = known.last_closing.filter(|closing| closing.batch == batch) {
                return Ok((Detail::Closed(closing), None));
            }
            if known.open_batch != batch {
                return Err(Refusal::BatchDiffers);
            }
            let rrn = self.answer(Ok(()), now, Detail::Plain).rrn;
            let closing = Closing { batch, claimed: *claimed, counted: *counted, rrn, at: now };
            let event = BatchEvent::Closed { closing, next: batch.next() };
            Ok((Detail::Closed(closing), Some(Event::Batch { terminal, event })))
        });
        self.concluded(outcome, now)
    }

    /// Takes in the details that are new or differ from what was uploaded before.
    pub(super) fn upload(&self, upload: &Upload, now: Timestamp) -> Decision {
        let &Upload { terminal, batch, ref details } = upload;
        let outcome = self.closed(terminal, batch).and_then(|known| {
            let taken = u32::try_from(details.len()).unwrap_or(u32::MAX);
            // Of two details with one trace number, the later stands.
            let mut fresh: BTreeMap<_, _> = details.iter().copied().collect();
            fresh.retain(|stan, amount| known.upload.get(stan) != Some(amount));
            if known.upload.len().saturating_add(fresh.len()) > UPLOAD_DETAILS_MAX {
                return Err(Refusal::UploadTooLong);
            }
            let event = (!fresh.is_empty()).then(|| {
                let details = fresh.into_iter().collect();
                Event::Batch { terminal, event: BatchEvent::Uploaded { batch, details, at: now } }
            });
            Ok((Detail::Uploaded(taken), event))
        });
        self.concluded(outcome, now)
    }

    pub(super) fn end_batch(
        &self,
        terminal: TerminalId,
        batch: BatchNo,
        booked: &[(Stan, Amount)],
        now: Timestamp,
    ) -> Decision {
        let outcome = self.closed(terminal, batch).map(|known| {
            if let Some(differences) = &known.differences {
                return (Detail::Ended(differences.clone()), None);
            }
            let mut differences = compare(booked, &known.upload);
            if known.last_closing.is_some_and(|closing| closing.is_balanced()) {
                // A balanced batch is uploaded in part, or not at all.
                differences.retain(|difference| !matches!(difference, Difference::Missing(_)));
            }
            let event = BatchEvent::Ended { batch, differences: differences.clone(), at: now };
            (Detail::Ended(differences), Some(Event::Batch { terminal, event }))
        });
        self.concluded(outcome, now)
    }

    pub(super) fn concluded(&self, outcome: Outcome, now: Timestamp) -> Decision {
        let (verdict, detail, event) = match outcome {
            Ok((detail, event)) => (Ok(()), detail, event),
            Err(refusal) => (Err(refusal), Detail::Plain, None),
        };
        let mut answer = self.answer(verdict, now, detail);
        // A repeated settlement is answered with the reference of the first.
        if let (Detail::Closed(closing), None) = (&answer.detail, &event) {
            (answer.rrn, answer.at) = (closing.rrn, closing.at);
        }
        Decision { answer, event }
    }

    pub(super) fn known(&self, terminal: TerminalId) -> Result<&Terminal, Refusal> {
        self.terminals.get(&terminal).ok_or(Refusal::UnknownTerminal)
    }

    /// Returns the terminal if `batch` is the one it closed last.
    fn closed(&self, terminal: TerminalId, batch: BatchNo) -> Result<&Terminal, Refusal> {
        let known = self.known(terminal)?;
        let is_last = known.last_closing.is_some_and(|closing| closing.batch == batch);
        if is_last { Ok(known) } else { Err(Refusal::BatchDiffers) }
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
