//! What a command would do.
//!
//! Here is the way in, and what is said to a repeat. Whether a card may do what is asked is
//! judged in `judge`; reversals are in `reverse`, a terminal's own commands in `terminal`.

use super::command::{Answer, Command, Decision, Detail, NewPin, Request};
use super::judge::{Moved, room, wrong_pins_after};
use super::{CardIssued, Event, Shard, Transacted};
use crate::faults::{self, Fault};
use crate::issuing::Account;
use crate::ledger::{Parts, Purse};
use crate::terms::{Amount, AuthCode, BusinessDate, Refusal, Rrn, Timestamp};
use crate::txn::{Flow, Txn, TxnKey, TxnKind, TxnState};

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
        let with_its_stan =
            |key: &TxnKey| (key.terminal, key.stan) == (request.key.terminal, request.key.stan);
        let known = if faults::is_planted(Fault::DedupeByStan) {
            self.txns.rows().find(|(key, _)| with_its_stan(key)).map(|(_, txn)| txn)
        } else {
            self.txns.get(&request.key)
        };
        if let Some(txn) = known
            && !faults::is_planted(Fault::DedupeSkipped)
        {
            return self.repeat(txn, request, original.map(|(key, _txn)| key), now);
        }
        // A closed batch never opens again, so nobody has to remember that refusal.
        let takes_any = faults::is_planted(Fault::ClosedBatchTaken);
        let only_repeats = request.only_repeats.filter(|_| !takes_any);
        if only_repeats == Some(Refusal::BatchDiffers) {
            let answer = self.answer(Err(Refusal::BatchDiffers), now, Detail::Plain);
            return Decision { answer, event: None };
        }
        let account = self.accounts.get(&request.card);
        let outcome = match (only_repeats, account) {
            (Some(Refusal::CardExpired), Some(account)) => {
                // What is wrong with the card comes before what is told of its expiry.
                let state = account.status.refusal();
                Err(state
                    .filter(|_| request.kind != TxnKind::Activation)
                    .unwrap_or(Refusal::CardExpired))
            }
            (None | Some(Refusal::CardExpired), None) => Err(Refusal::UnknownCard),
            (Some(refusal), _) => Err(refusal),
            (None, Some(account)) => self.judge(account, request, original),
        };
        let verdict = outcome.as_ref().map(|_moved| ()).map_err(|&refusal| refusal);
        let original = original.map(|(key, _txn)| key);
        let moved = outcome.unwrap_or_default();
        let new_pin = match request.new_pin {
            Some(NewPin::Fit(value)) if verdict.is_ok() && request.kind == TxnKind::PinChange => {
                Some(value)
            }
            Some(NewPin::Fit(_) | NewPin::Unfit) | None => None,
        };
        let transacted = Transacted {
            key: request.key,
            kind: request.kind,
            card: request.card,
            merchant: request.merchant,
            amount: request.amount,
            outcome: verdict.map(|()| moved.parts),
            suspense: moved.suspense,
            held: moved.held,
            wrong_pins: account.and_then(|a| wrong_pins_after(a, request.pin, verdict.err())),
            new_pin,
            original,
            at: now,
            date: faults::date_of(self.date, now),
        };
        let detail = match (verdict, account) {
            (Ok(()), Some(account)) => self.detail(account, &transacted, &moved),
            (Ok(()), None) | (Err(_), _) => Detail::Plain,
        };
        let event = Some(Event::Transacted(transacted));
        Decision { answer: self.answer(verdict, now, detail), event }
    }

    /// Returns what the answer to an approved request carries.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all but inquiries are approved alike")]
    fn detail(&self, account: &Account, t: &Transacted, moved: &Moved) -> Detail {
        match t.kind {
            TxnKind::Inquiry => Detail::Balance {
                available: spendable(account, &account.balances.available()),
                ledger: account.balances.ledger().money(),
            },
            TxnKind::PointsInquiry => {
                Detail::Points(account.balances.available().of(Purse::Points))
            }
            TxnKind::Verification => Detail::Room(room(account)),
            _ => {
                let first = t.original.filter(|_| t.kind == TxnKind::PreAuth);
                let first = first.and_then(|key| self.txns.get(&key)).map(|first| first.seq);
                let auth = AuthCode::of(self.no, first.unwrap_or_else(|| self.next_seq()));
                let (before, parts) = (account.balances.available(), moved.parts);
                let after = match t.kind.flow() {
                    Flow::Pay
                        if matches!(t.kind, TxnKind::Completion | TxnKind::CompletionAdvice) =>
                    {
                        let held = t.original.and_then(|key| self.txns.get(&key));
                        let held = held.map(|txn| account.balances.held(self.hold_of(txn)));
                        before.plus(&held.unwrap_or_default()).minus(&parts)
                    }
                    Flow::Pay | Flow::Hold => before.minus(&parts),
                    Flow::PayBack | Flow::Release | Flow::Load => {
                        before.plus(&parts).minus(&moved.held)
                    }
                    Flow::Nothing => before,
                };
                let available = available(account, t.kind, &after);
                Detail::Approval { auth, approved: t.approved(), parts, available }
            }
        }
    }

    /// True unless a PIN was changed, and the request chooses another than the card has now.
    fn chooses_the_same(&self, txn: &Txn, request: &Request) -> bool {
        let is_done = txn.kind == TxnKind::PinChange && txn.state == TxnState::Approved;
        let pin = self.accounts.get(&txn.card).and_then(|account| account.identity.pin);
        !is_done || pin.map(NewPin::Fit) == request.new_pin
    }

    /// Answers a request whose key is taken: as the first time, if it is the same request.
    fn repeat(
        &self,
        txn: &Txn,
        request: &Request,
        original: Option<TxnKey>,
        now: Timestamp,
    ) -> Decision {
        // A terminal may confirm a top-up under the number of the top-up itself.
        let is_confirmed = request.kind == TxnKind::TopUpConfirm && txn.kind == TxnKind::TopUp;
        let is_same = if txn.state == TxnState::Barred {
            txn.card == request.card
        } else {
            (txn.kind == request.kind || is_confirmed)
                && txn.card == request.card
                && txn.amount == request.amount
                && txn.merchant == request.merchant
                && txn.original.is_none_or(|known| original.is_none_or(|said| said == known))
                && self.chooses_the_same(txn, request)
        };
        if !is_same {
            let answer = self.answer(Err(Refusal::DuplicateDiffers), now, Detail::Plain);
            return Decision { answer, event: None };
        }
        let (verdict, detail) = match txn.state {
            TxnState::Approved | TxnState::Voided | TxnState::Used | TxnState::Expired => {
                (Ok(()), self.detail_again(txn))
            }
            TxnState::Refused(refusal) => (Err(refusal), Detail::Plain),
            TxnState::Reversed | TxnState::Barred => {
                (Err(Refusal::OriginalReversed), Detail::Plain)
            }
        };
        Decision { answer: self.answer_of(txn, verdict, detail), event: None }
    }

    /// Returns what the answer to a repeat carries: what may be spent is that of now.
    fn detail_again(&self, txn: &Txn) -> Detail {
        let account = self.accounts.get(&txn.card);
        if txn.kind == TxnKind::Verification {
            return account.map_or(Detail::Plain, |account| Detail::Room(room(account)));
        }
        let left = account.map(|a| available(a, txn.kind, &a.balances.available()));
        Detail::Approval {
            auth: self.auth_of(txn),
            approved: txn.approved,
            parts: txn.parts,
            available: left.unwrap_or_default(),
        }
    }
}

/// Returns what of `left` a card may spend: points for a points transaction, money for others.
fn available(account: &Account, kind: TxnKind, left: &Parts) -> Amount {
    if kind.is_of_points() { left.of(Purse::Points) } else { spendable(account, left) }
}

/// Returns the money of `left` that the card's terms let it spend.
fn spendable(account: &Account, left: &Parts) -> Amount {
    let order = account.terms.draw.iter().copied();
    left.draw_up_to(order, left.money()).0.money()
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
