//! What a command would do.

use super::command::{Answer, Command, Decision, Detail, Original, Request, Reversal};
use super::{Event, Reversed, Shard, Transacted};
use crate::issuing::{Account, CardStatus, Terms};
use crate::ledger::Parts;
use crate::risk::{self, Ask, PinFact};
use crate::terms::{Amount, AuthCode, BusinessDate, CardId, Refusal, Rrn, Timestamp};
use crate::txn::{Action, Txn, TxnKey, TxnKind, TxnState};

/// What an approved request moves.
struct Moved {
    parts: Parts,
    suspense: Amount,
}

impl Shard {
    /// Says what `command` would do at `now`. Changes nothing, and says the same to a repeat.
    #[must_use]
    pub fn decide(&self, command: &Command, now: Timestamp) -> Decision {
        match command {
            Command::Transact(request) => self.transact(request, now),
            Command::Reverse(reversal) => self.reverse(reversal, now),
            Command::CutOff(date) => self.cut_off(*date, now),
            Command::IssueCard(issued) => {
                let is_new = !self.accounts.contains_key(&issued.card);
                let event = is_new.then(|| Event::CardIssued(issued.clone()));
                Decision { answer: self.answer(Ok(()), now, Detail::Plain), event }
            }
            Command::RegisterTerminal { .. }
            | Command::Bar(_)
            | Command::SignOn { .. }
            | Command::SignOff(_)
            | Command::CloseBatch { .. }
            | Command::Upload(_)
            | Command::EndBatch { .. } => self.decide_for_terminal(command, now),
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

    pub(super) fn next_seq(&self) -> u64 {
        self.seq.saturating_add(1)
    }

    fn cut_off(&self, date: BusinessDate, now: Timestamp) -> Decision {
        let event = (date > self.date).then_some(Event::CutOff(date));
        Decision { answer: self.answer(Ok(()), now, Detail::Plain), event }
    }

    fn transact(&self, request: &Request, now: Timestamp) -> Decision {
        if let Some(txn) = self.txns.get(&request.key) {
            return self.repeat(txn, request, now);
        }
        let account = self.accounts.get(&request.card);
        let original = self.original_of(request);
        let outcome = match account {
            None => Err(Refusal::UnknownCard),
            Some(account) => self.judge(account, request, original.as_ref()),
        };
        let detail = match (&outcome, account, request.kind) {
            (Err(_), _, _) | (_, None, _) => Detail::Plain,
            (Ok(_), Some(account), TxnKind::Inquiry) => Detail::Balance {
                available: account.balances.available().money(),
                ledger: account.balances.ledger().money(),
            },
            (Ok(moved), Some(_), TxnKind::Sale | TxnKind::Void | TxnKind::Refund) => {
                Detail::Approval {
                    auth: AuthCode::of(self.no, self.next_seq()),
                    parts: moved.parts,
                }
            }
        };
        let verdict = outcome.as_ref().map(|_moved| ()).map_err(|&refusal| refusal);
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

    /// Answers a request whose key is taken: as the first time, if it is the same request.
    fn repeat(&self, txn: &Txn, request: &Request, now: Timestamp) -> Decision {
        let is_same = txn.state == TxnState::Barred && txn.card == request.card
            || txn.kind == request.kind
                && txn.card == request.card
                && txn.amount == request.amount
                && txn.merchant == request.merchant;
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

    /// Returns an answer under the number and time of an entry that stands.
    fn answer_of(&self, txn: &Txn, verdict: Result<(), Refusal>, detail: Detail) -> Answer {
        Answer { verdict, rrn: Rrn::of(self.no, txn.seq), at: txn.at, date: txn.date, detail }
    }

    fn original_of(&self, request: &Request) -> Option<(TxnKey, &Txn)> {
        let said = request.original?;
        let key = match request.kind {
            TxnKind::Void => {
                TxnKey { terminal: request.key.terminal, batch: said.batch?, stan: said.stan? }
            }
            TxnKind::Refund => {
                *self.sales.get(&said.rrn.filter(|rrn| rrn.shard == self.no)?.number)?
            }
            TxnKind::Sale | TxnKind::Inquiry => return None,
        };
        self.txns.get(&key).map(|txn| (key, txn))
    }

    fn judge(
        &self,
        account: &Account,
        request: &Request,
        original: Option<&(TxnKey, &Txn)>,
    ) -> Result<Moved, Refusal> {
        match request.kind {
            TxnKind::Sale | TxnKind::Inquiry => {
                let is_sale = request.kind == TxnKind::Sale;
                let debit = is_sale.then_some(request.amount);
                let ask =
                    Ask { pin: request.pin, debit, date: self.date, pin_policy_applies: true };
                match risk::first_refusal(account, &ask) {
                    Some(refusal) => Err(refusal),
                    None => {
                        let order = account.terms.draw.iter().copied();
                        let parts = account
                            .balances
                            .available()
                            .draw(order, debit.unwrap_or_default())
                            .ok_or(Refusal::InsufficientFunds)?;
                        Ok(Moved { parts, suspense: Amount::ZERO })
                    }
                }
            }
            TxnKind::Void | TxnKind::Refund => {
                may_take_back(account, request.pin)?;
                let said = request.original.unwrap_or_default();
                let found = self.check_original(request, &said, original)?;
                if request.kind == TxnKind::Void {
                    void(request, found)
                } else {
                    self.refund(account, request, found)
                }
            }
        }
    }

    /// Checks that the original is there and is the one the request means.
    fn check_original<'t>(
        &self,
        request: &Request,
        said: &Original,
        found: Option<&(TxnKey, &'t Txn)>,
    ) -> Result<(TxnKey, &'t Txn), Refusal> {
        let &(key, txn) = found.ok_or(if said.other_card {
            Refusal::CardDiffers
        } else {
            Refusal::OriginalNotFound
        })?;
        if txn.card != request.card {
            return Err(Refusal::CardDiffers);
        }
        let is_meant = said.rrn == Some(Rrn::of(self.no, txn.seq))
            && said.auth.is_none_or(|auth| auth == AuthCode::of(self.no, txn.seq))
            && said.stan.is_none_or(|stan| stan == key.stan)
            && said.batch.is_none_or(|batch| batch == key.batch);
        if !is_meant {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.merchant != request.merchant {
            return Err(Refusal::MerchantDiffers);
        }
        if txn.kind != TxnKind::Sale {
            return Err(Refusal::OriginalOutOfReach);
        }
        Ok((key, txn))
    }

    fn refund(
        &self,
        account: &Account,
        request: &Request,
        (key, original): (TxnKey, &Txn),
    ) -> Result<Moved, Refusal> {
        original.state.after(Action::Refund)?;
        if key.terminal == request.key.terminal && key.batch == request.key.batch {
            return Err(Refusal::OriginalOutOfReach);
        }
        let age = self.date.day_number().saturating_sub(original.date.day_number());
        if account.terms.refund_days != 0 && age > i64::from(account.terms.refund_days) {
            return Err(Refusal::RefundTooLate);
        }
        if !request.amount.is_positive() {
            return Err(Refusal::InvalidAmount);
        }
        let order = account.terms.draw.iter().rev().copied();
        let parts = original
            .parts
            .minus(&original.refunded)
            .draw(order, request.amount)
            .ok_or(Refusal::AmountDiffers)?;
        let balance = account.balances.ledger().money();
        match balance.checked_add(request.amount) {
            Some(sum) if sum <= account.terms.cap() => Ok(Moved { parts, suspense: Amount::ZERO }),
            Some(_) | None => Err(Refusal::BalanceCap),
        }
    }

    fn reverse(&self, reversal: &Reversal, now: Timestamp) -> Decision {
        let Some(txn) = self.txns.get(&reversal.key) else {
            let answer = self.answer(Err(Refusal::OriginalNotFound), now, Detail::Plain);
            let Reversal { key, kind, card, .. } = *reversal;
            let event = Event::Barred { key, kind, card: Some(card), at: now };
            return Decision { answer, event: Some(event) };
        };
        match self.judge_reversal(txn, reversal) {
            Err(refusal) => {
                // Nothing to give back is what the terminal wants to hear of a refused original,
                // and of one that is undone already.
                let is_settled =
                    matches!(refusal, Refusal::OriginalReversed | Refusal::OriginalRefused);
                let verdict = if is_settled { Ok(()) } else { Err(refusal) };
                Decision { answer: self.answer_of(txn, verdict, Detail::Plain), event: None }
            }
            Ok(moved) => {
                let event = Event::Reversed(Reversed {
                    key: reversal.key,
                    kind: txn.kind,
                    card: txn.card,
                    merchant: txn.merchant,
                    parts: moved.parts,
                    suspense: moved.suspense,
                    at: now,
                    date: self.date,
                });
                let answer = self.answer_of(txn, Ok(()), Detail::Plain);
                Decision { answer, event: Some(event) }
            }
        }
    }

    fn judge_reversal(&self, txn: &Txn, reversal: &Reversal) -> Result<Moved, Refusal> {
        if txn.state == TxnState::Barred || txn.card != reversal.card {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.merchant != reversal.merchant {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.kind != reversal.kind {
            return Err(Refusal::OriginalOutOfReach);
        }
        if txn.amount != reversal.amount {
            return Err(Refusal::AmountDiffers);
        }
        txn.state.after(Action::Reverse)?;
        if !txn.refunded.money().is_zero() {
            return Err(Refusal::OriginalRefunded);
        }
        if !reversal.batch_is_open {
            return Err(Refusal::OriginalOutOfReach);
        }
        match txn.kind {
            TxnKind::Sale => Ok(Moved { parts: txn.parts, suspense: txn.suspense }),
            TxnKind::Void => self.pay_again(txn),
            TxnKind::Refund | TxnKind::Inquiry => Err(Refusal::OriginalOutOfReach),
        }
    }

    /// What it takes to make the sale live again that `void` undid. The card pays what it has;
    /// suspense bears the rest, because the merchant's slip stands.
    fn pay_again(&self, void: &Txn) -> Result<Moved, Refusal> {
        let sale = void.original.and_then(|key| self.txns.get(&key));
        let sale = sale.ok_or(Refusal::OriginalNotFound)?;
        sale.state.after(Action::Unvoid)?;
        let account = self.accounts.get(&void.card).ok_or(Refusal::UnknownCard)?;
        let order = account.terms.draw.iter().copied();
        let (parts, suspense) = account.balances.available().draw_up_to(order, sale.amount);
        Ok(Moved { parts, suspense })
    }

    /// Returns the account a command works on, for the one who keeps pre-images.
    pub(super) fn account_of(&self, card: CardId) -> Option<(CardId, Account)> {
        self.accounts.get(&card).map(|account| (card, account.clone()))
    }
}

fn void(request: &Request, (key, original): (TxnKey, &Txn)) -> Result<Moved, Refusal> {
    if key.batch != request.key.batch {
        return Err(Refusal::OriginalOutOfReach);
    }
    original.state.after(Action::Void)?;
    if !original.refunded.money().is_zero() {
        return Err(Refusal::OriginalRefunded);
    }
    if original.amount != request.amount {
        return Err(Refusal::AmountDiffers);
    }
    Ok(Moved { parts: original.parts, suspense: original.suspense })
}

/// Checks what a card must pass to take money back: it exists to be paid, and a PIN that comes
/// is right. A lost, frozen or expired card keeps what is given back.
fn may_take_back(account: &Account, pin: PinFact) -> Result<(), Refusal> {
    if account.status == CardStatus::Cancelled {
        return Err(Refusal::CardCancelled);
    }
    match pin {
        PinFact::Absent => Ok(()),
        PinFact::Right | PinFact::Wrong if account.wrong_pins >= Terms::PIN_TRIES => {
            Err(Refusal::PinTriesExceeded)
        }
        PinFact::Right => Ok(()),
        PinFact::Wrong => Err(Refusal::WrongPin),
    }
}

/// Returns the count of wrong PINs after this request, where the request changes it. Only a
/// request that got as far as the PIN check does.
fn wrong_pins_after(account: &Account, pin: PinFact, refusal: Option<Refusal>) -> Option<u8> {
    match (pin, refusal) {
        (PinFact::Wrong, Some(Refusal::WrongPin)) => Some(account.wrong_pins.saturating_add(1)),
        (
            PinFact::Right,
            Some(
                Refusal::UnknownCard
                | Refusal::CardNotActive
                | Refusal::CardLost
                | Refusal::CardFrozen
                | Refusal::CardCancelled
                | Refusal::CardExpired
                | Refusal::PinTriesExceeded,
            ),
        ) => None,
        (PinFact::Right, _) => (account.wrong_pins > 0).then_some(0),
        (PinFact::Wrong | PinFact::Absent, _) => None,
    }
}
