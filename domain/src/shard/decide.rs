//! What a command would do.
//!
//! Here is the way in, and what is said to a repeat. Whether a card may do what is asked is
//! judged in `judge`; reversals are in `reverse`, a terminal's own commands in `terminal`.

use super::command::{Answer, Command, Decision, Detail, Request};
use super::judge::{Moved, wrong_pins_after};
use super::{CardIssued, Event, Shard, Transacted};
use crate::faults::{self, Fault};
use crate::issuing::Account;
use crate::ledger::Purse;
use crate::terms::{Amount, AuthCode, BusinessDate, Refusal, Rrn, Timestamp};
use crate::txn::{Txn, TxnKey, TxnKind, TxnState};

impl Shard {
    /// Says what `command` would do at `now`. Changes nothing, and says the same to a repeat.
    #[must_use]
    pub fn decide(&self, command: &Command, now: Timestamp) -> Decision {
        match command {
            Command::IssueCard(issued) => self.issue(issued, now),
            Command::CutOff(date) => self.cut_off(*date, now),
            Command::Transact(request) => self.transact(request, now),
            Command::Reverse(reversal) => self.reverse(reversal, now),
            Command::RegisterTerminal { terminal, profile } => {
                self.register(*terminal, profile, now)
            }
            Command::Bar(key) => self.bar(*key, now),
            Command::SignOn { terminal, sealed_keys } => self.sign_on(*terminal, sealed_keys, now),
            Command::SignOff(terminal) => self.sign_off(*terminal, now),
            Command::CloseBatch { terminal, batch, claimed, counted } => {
                self.close_batch(*terminal, *batch, claimed, counted, now)
            }
            Command::Upload(upload) => self.upload(upload, now),
            Command::EndBatch { terminal, batch, booked } => {
                self.end_batch(*terminal, *batch, booked, now)
            }
            Command::Care { terminal, care } => {
                self.concluded(self.care(*terminal, care, now), now)
            }
        }
    }

    /// Returns an answer under the number the next entry will have.
    pub(super) fn answer(
        &self,
        verdict: Result<(), Refusal>,
        at: Timestamp,
        detail: Detail,
    ) -> Answer {
        let rrn = Rrn::of(self.no, self.next_seq());
        Answer { verdict, rrn, at, date: self.date, detail }
    }

    /// Returns an answer under the number and time of an entry that stands.
    pub(super) fn answer_of(
        &self,
        txn: &Txn,
        verdict: Result<(), Refusal>,
        detail: Detail,
    ) -> Answer {
        Answer { verdict, rrn: Rrn::of(self.no, txn.seq), at: txn.at, date: txn.date, detail }
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.seq.saturating_add(1)
    }

    fn issue(&self, issued: &CardIssued, now: Timestamp) -> Decision {
        let (verdict, event) = match self.accounts.get(&issued.card) {
            Some(known) if known.identity.index == issued.identity.index => (Ok(()), None),
            Some(_) => (Err(Refusal::DuplicateDiffers), None),
            None => match may_open(issued) {
                Ok(()) => (Ok(()), Some(Event::CardIssued(Box::new(issued.clone())))),
                Err(refusal) => (Err(refusal), None),
            },
        };
        Decision { answer: self.answer(verdict, now, Detail::Plain), event }
    }

    fn cut_off(&self, date: BusinessDate, now: Timestamp) -> Decision {
        let event = (date > self.date).then_some(Event::CutOff(date));
        Decision { answer: self.answer(Ok(()), now, Detail::Plain), event }
    }

    fn transact(&self, request: &Request, now: Timestamp) -> Decision {
        let original = self.original_of(request);
        if let Some(txn) = self.txns.get(&request.key)
            && !faults::is_planted(Fault::DedupeSkipped)
        {
            return self.repeat(txn, request, original.map(|(key, _txn)| key), now);
        }
        // A closed batch never opens again, so nobody has to remember that refusal.
        if request.only_repeats == Some(Refusal::BatchDiffers) {
            let answer = self.answer(Err(Refusal::BatchDiffers), now, Detail::Plain);
            return Decision { answer, event: None };
        }
        let account = self.accounts.get(&request.card);
        let outcome = match (request.only_repeats, account) {
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(Refusal::UnknownCard),
            (None, Some(account)) => self.judge(account, request, original),
        };
        let verdict = outcome.as_ref().map(|_moved| ()).map_err(|&refusal| refusal);
        let detail = self.detail(request.kind, account, outcome.as_ref().ok());
        let event = Event::Transacted(Transacted {
            key: request.key,
            kind: request.kind,
            card: request.card,
            merchant: request.merchant,
            amount: request.amount,
            suspense: outcome.as_ref().map_or(Amount::ZERO, |moved| moved.suspense),
            wrong_pins: account.and_then(|a| wrong_pins_after(a, request.pin, verdict.err())),
            outcome: outcome.map(|moved| moved.parts),
            original: original.map(|(key, _txn)| key),
            at: now,
            date: self.date,
        });
        Decision { answer: self.answer(verdict, now, detail), event: Some(event) }
    }

    /// Returns what the answer to an approved request carries; nothing more for a refused one.
    fn detail(&self, kind: TxnKind, account: Option<&Account>, moved: Option<&Moved>) -> Detail {
        let (Some(account), Some(moved)) = (account, moved) else { return Detail::Plain };
        match kind {
            TxnKind::Inquiry => {
                let available = account.balances.available();
                let order = account.terms.draw.iter().copied();
                let (spendable, _rest) = available.draw_up_to(order, available.money());
                let ledger = account.balances.ledger().money();
                Detail::Balance { available: spendable.money(), ledger }
            }
            TxnKind::Sale | TxnKind::Void | TxnKind::Refund => {
                let auth = AuthCode::of(self.no, self.next_seq());
                Detail::Approval { auth, parts: moved.parts }
            }
        }
    }

    /// Answers a request whose key is taken: as the first time, if it is the same request.
    fn repeat(
        &self,
        txn: &Txn,
        request: &Request,
        original: Option<TxnKey>,
        now: Timestamp,
    ) -> Decision {
        let is_same = if txn.state == TxnState::Barred {
            txn.card == request.card
        } else {
            txn.kind == request.kind
                && txn.card == request.card
                && txn.amount == request.amount
                && txn.merchant == request.merchant
                && txn.original.is_none_or(|known| original.is_none_or(|said| said == known))
        };
        if !is_same {
            let answer = self.answer(Err(Refusal::DuplicateDiffers), now, Detail::Plain);
            return Decision { answer, event: None };
        }
        let (verdict, detail) = match txn.state {
            TxnState::Approved | TxnState::Voided => {
                let auth = AuthCode::of(self.no, txn.seq);
                (Ok(()), Detail::Approval { auth, parts: txn.parts })
            }
            TxnState::Refused(refusal) => (Err(refusal), Detail::Plain),
            TxnState::Reversed | TxnState::Barred => {
                (Err(Refusal::OriginalReversed), Detail::Plain)
            }
        };
        Decision { answer: self.answer_of(txn, verdict, detail), event: None }
    }
}

/// Checks that a card may be opened with what it is to be opened with: nothing of it negative,
/// no more held than there is, no more money than its terms allow.
fn may_open(issued: &CardIssued) -> Result<(), Refusal> {
    let CardIssued { opening, held, .. } = issued;
    if !opening.cover(opening) || !opening.cover(held) {
        return Err(Refusal::InvalidAmount);
    }
    let money = opening.of(Purse::Main).checked_add(opening.of(Purse::Bonus));
    if money.is_none_or(|money| money > issued.terms.cap()) {
        return Err(Refusal::BalanceCap);
    }
    if opening.of(Purse::Points) > Amount::MESSAGE_MAX {
        return Err(Refusal::AmountLimit);
    }
    Ok(())
}
