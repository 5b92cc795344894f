//! What an event does. It cannot fail: whatever could was decided before.

use super::pre_auth::is_used_by;
use super::{BatchEvent, CardIssued, Event, Reversed, Shard, Transacted};
use crate::faults::{self, Fault};
use crate::issuing::{Account, CardStatus, Spent};
use crate::ledger::{Balances, Hold, LedgerAccount, Parts};
use crate::terms::{Amount, BatchNo, BusinessDate, CardId, MerchantId, Rrn, TerminalId, Timestamp};
use crate::txn::{Flow, Terminal, TmkCare, Txn, TxnKey, TxnKind, TxnState, worth_of};

/// How many days a transaction is remembered at least: as long as a terminal may keep one batch
/// open, the longest row of public holidays included. A copy that comes later is taken for a new
/// request, so whoever asks must not let a batch grow older.
pub const MEMORY_DAYS: i64 = 10;
/// How many days longer a transaction is remembered that may be refunded without limit.
const REFUND_DAYS: i64 = 180;

impl Shard {
    /// Does what `event` says, as entry number `seq() + 1` of the shard.
    ///
    /// # Panics
    /// If the event could not have been decided in this state: the journal and the state have
    /// parted, and a shard like that must not serve.
    pub fn apply(&mut self, event: &Event) {
        self.seq = self.next_seq();
        for posting in event.postings() {
            if let LedgerAccount::Purse(card, purse) = posting.account
                && let Some(account) = self.accounts.get_mut(&card)
            {
                account.balances.post(purse, posting.amount);
            }
        }
        match event {
            Event::CardIssued(issued) => self.open_account(issued),
            Event::TerminalRegistered { terminal, profile } => {
                self.terminals
                    .entry(*terminal)
                    .and_modify(|known| {
                        // A key that was put in by hand ends what came from afar.
                        if known.profile.sealed_tmk != profile.sealed_tmk {
                            known.care.tmk = TmkCare::default();
                        }
                        known.profile = profile.clone();
                    })
                    .or_insert_with(|| Terminal::new(profile.clone(), BatchNo::FIRST));
            }
            Event::CutOff(date) => self.turn_to(*date),
            Event::Transacted(transacted) => self.transacted(transacted),
            Event::Reversed(reversed) => self.reversed(reversed),
            Event::Barred { key, kind, card, at } => self.barred(*key, *kind, *card, *at),
            Event::SignedOn { terminal, sealed_keys, .. } => {
                let terminal = self.terminal_mut(terminal);
                (terminal.sealed_keys, terminal.is_signed_on) = (Some(sealed_keys.clone()), true);
            }
            Event::SignedOff { terminal, .. } => self.terminal_mut(terminal).is_signed_on = false,
            Event::Batch { terminal, event } => self.batch(terminal, event),
            Event::Cared { terminal, care, at } => self.terminal_mut(terminal).care.take(care, *at),
        }
    }

    fn terminal_mut(&mut self, id: &TerminalId) -> &mut Terminal {
        self.terminals.get_mut(id).expect("only a known terminal does anything")
    }

    fn open_account(&mut self, issued: &CardIssued) {
        let mut balances = Balances::default();
        for (purse, amount) in issued.opening.iter() {
            balances.post(purse, amount);
        }
        if issued.held.iter().next().is_some() {
            balances.place(Hold { number: 1, parts: issued.held });
        }
        let account = Account {
            terms: self.accounts.share(&issued.terms),
            status: issued.status,
            expiry: issued.expiry,
            wrong_pins: 0,
            identity: issued.identity.clone(),
            balances,
            spent: Spent::default(),
        };
        self.accounts.insert(issued.card, account);
    }

    fn transacted(&mut self, t: &Transacted) {
        if let Some(account) = self.accounts.get_mut(&t.card) {
            account.wrong_pins = t.wrong_pins.unwrap_or(account.wrong_pins);
            account.identity.pin = t.new_pin.or(account.identity.pin);
        }
        if t.kind.is_inquiry() {
            return;
        }
        if t.outcome.is_err() && faults::is_planted(Fault::RefusalForgotten) {
            return;
        }
        let state = match t.outcome {
            Ok(_) => TxnState::Approved,
            Err(refusal) => TxnState::Refused(refusal),
        };
        let txn = Txn {
            kind: t.kind,
            state,
            card: t.card,
            merchant: t.merchant,
            amount: t.amount,
            approved: t.approved(),
            parts: t.outcome.unwrap_or_default(),
            suspense: t.suspense,
            refunded: Parts::default(),
            is_refunded: false,
            original: t.original,
            follower: None,
            seq: self.seq,
            at: t.at,
            date: t.date,
        };
        if t.outcome.is_ok() {
            self.hold_or_free(t, &txn);
            self.change_original(t, &txn);
            self.change_account(t, &txn);
        }
        self.remember(t.key, txn);
    }

    /// Sets aside and frees what an approved transaction does.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds change nothing here")]
    fn hold_or_free(&mut self, t: &Transacted, txn: &Txn) {
        let original = t.original.and_then(|key| self.txns.get(&key));
        let first = original.map_or_else(|| self.hold_of(txn), |pre_auth| self.hold_of(pre_auth));
        let restored = t
            .original
            .zip(original)
            .and_then(|(key, completion)| self.pre_auth_used_by(&key, completion))
            .map(|pre_auth| self.hold_of(pre_auth));
        let Some(account) = self.accounts.get_mut(&t.card) else { return };
        match t.kind {
            TxnKind::PreAuth => account.balances.place(Hold { number: first, parts: txn.parts }),
            TxnKind::PreAuthVoid | TxnKind::Completion | TxnKind::CompletionAdvice => {
                account.balances.release(first);
            }
            TxnKind::CompletionVoid => {
                if let Some(number) = restored {
                    account.balances.place(Hold { number, parts: t.held });
                }
            }
            _ => {}
        }
    }

    /// Notes on the original of an approved transaction what became of it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds change nothing here")]
    fn change_original(&mut self, t: &Transacted, txn: &Txn) {
        let Some(original) = t.original.and_then(|key| self.txns.get_mut(&key)) else { return };
        match t.kind {
            TxnKind::Void
            | TxnKind::PointsVoid
            | TxnKind::CompletionVoid
            | TxnKind::PreAuthVoid => original.state = TxnState::Voided,
            TxnKind::Refund => {
                original.refunded = original.refunded.plus(&txn.parts);
                original.suspense = original.suspense.minus(t.suspense);
                original.is_refunded = true;
            }
            TxnKind::PreAuth => original.parts = original.parts.plus(&txn.parts),
            TxnKind::Adjustment => {
                original.parts = original.parts.plus(&txn.parts);
                original.suspense = original.suspense.plus(t.suspense);
            }
            TxnKind::Completion | TxnKind::CompletionAdvice | TxnKind::TopUp => {
                (original.state, original.follower) = (TxnState::Used, Some(t.key));
            }
            TxnKind::TopUpConfirm if original.state == TxnState::Approved => {
                (original.state, original.follower) = (TxnState::Used, Some(t.key));
            }
            _ => {}
        }
        if let (TxnKind::CompletionVoid, Some(completion), Some(pre_auth)) =
            (t.kind, t.original, original.original)
        {
            self.set_unused(&pre_auth, &completion);
        }
    }

    /// A completion that was undone leaves its pre-authorisation live, unless it was not that
    /// one which used it up. Returns the number of its hold.
    fn set_unused(&mut self, key: &TxnKey, completion: &TxnKey) -> Option<u32> {
        let pre_auth = self.txns.get_mut(key).filter(|known| is_used_by(known, completion))?;
        (pre_auth.state, pre_auth.follower) = (TxnState::Approved, None);
        Some(Rrn::of(self.no, pre_auth.seq).number)
    }

    /// Notes on the account what an approved transaction means beside its money.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds change nothing here")]
    fn change_account(&mut self, t: &Transacted, txn: &Txn) {
        let original = t.original.and_then(|key| self.txns.get(&key)).map(|o| o.date);
        let Some(account) = self.accounts.get_mut(&t.card) else { return };
        match t.kind {
            TxnKind::Activation => account.status = CardStatus::Active,
            TxnKind::Adjustment => {
                if let Some(date) = original {
                    let more = worth_of(t.kind, &txn.parts).plus(t.suspense);
                    account.spent.change(date, t.date, more, 0);
                }
            }
            _ if t.kind.is_of_points() => {}
            _ if t.kind.flow() == Flow::Pay => {
                account.spent.change(t.date, t.date, txn.approved, 1);
            }
            TxnKind::Void | TxnKind::CompletionVoid => {
                if let Some(date) = original {
                    account.spent.change(date, t.date, txn.approved.negated(), -1);
                }
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds change nothing here")]
    fn reversed(&mut self, r: &Reversed) {
        let txn = self.txns.get_mut(&r.key).expect("only a known transaction is reversed");
        txn.state = TxnState::Reversed;
        let (original, date, own) = (txn.original, txn.date, txn.seq);
        let sold = original.and_then(|key| self.txns.get(&key)).map_or(date, |sale| sale.date);
        let account = self.accounts.get_mut(&r.card).expect("only a known card did anything");
        let moved = worth_of(r.kind, &r.parts).plus(r.suspense);
        match r.kind.flow() {
            _ if r.kind == TxnKind::Activation => account.status = CardStatus::Sold,
            _ if r.kind.is_of_points() => {}
            Flow::Pay => account.spent.change(date, r.date, moved.negated(), -1),
            Flow::PayBack => account.spent.change(sold, r.date, moved, 1),
            Flow::Hold | Flow::Release | Flow::Load | Flow::Nothing => {}
        }
        match r.kind {
            TxnKind::Void | TxnKind::PointsVoid | TxnKind::CompletionVoid => {
                self.revive(original, r);
            }
            TxnKind::PreAuth if original.is_none() => {
                let number = Rrn::of(self.no, own).number;
                self.change_balances(r.card, |balances| balances.release(number));
            }
            TxnKind::PreAuth => self.shrink(original, r),
            TxnKind::PreAuthVoid => self.unvoid_pre_auth(original, r),
            TxnKind::Completion => {
                let number = original.and_then(|key| self.set_unused(&key, &r.key));
                self.hold_again(number, r);
            }
            _ => {}
        }
    }

    /// A void was undone: what it had undone stands again, for what was paid anew.
    fn revive(&mut self, original: Option<TxnKey>, r: &Reversed) {
        let Some((key, sale)) = original.and_then(|key| Some((key, self.txns.get_mut(&key)?)))
        else {
            return;
        };
        (sale.state, sale.parts, sale.suspense) = (TxnState::Approved, r.parts, r.suspense);
        let pre_auth = sale.original.filter(|_| r.kind == TxnKind::CompletionVoid);
        let Some(pre_auth) = pre_auth
            .and_then(|key| self.txns.get_mut(&key))
            .filter(|pre_auth| pre_auth.state == TxnState::Approved)
        else {
            return;
        };
        (pre_auth.state, pre_auth.follower) = (TxnState::Used, Some(key));
        let number = Rrn::of(self.no, pre_auth.seq).number;
        self.change_balances(r.card, |balances| balances.release(number));
    }

    /// An addition to a pre-authorisation was undone. That holds for one that is given up, too: it
    /// may come to life again.
    fn shrink(&mut self, first: Option<TxnKey>, r: &Reversed) {
        let added = self.txns.get(&r.key).map(|txn| txn.parts).unwrap_or_default();
        let Some(first) = first.and_then(|key| self.txns.get_mut(&key)) else { return };
        first.parts = first.parts.minus(&first.parts.least(&added));
        let number = Rrn::of(self.no, first.seq).number;
        self.change_balances(r.card, |balances| balances.release_part(number, &r.parts));
    }

    /// The void of a pre-authorisation was undone: it is live again.
    fn unvoid_pre_auth(&mut self, pre_auth: Option<TxnKey>, r: &Reversed) {
        let Some(pre_auth) = pre_auth.and_then(|key| self.txns.get_mut(&key)) else { return };
        pre_auth.state = TxnState::Approved;
        let number = Rrn::of(self.no, pre_auth.seq).number;
        self.hold_again(Some(number), r);
    }

    fn hold_again(&mut self, number: Option<u32>, r: &Reversed) {
        let Some(number) = number else { return };
        self.change_balances(r.card, |balances| balances.place(Hold { number, parts: r.held }));
    }

    fn change_balances(&mut self, card: CardId, change: impl FnOnce(&mut Balances)) {
        if let Some(account) = self.accounts.get_mut(&card) {
            change(&mut account.balances);
        }
    }

    fn barred(&mut self, key: TxnKey, kind: TxnKind, card: Option<CardId>, at: Timestamp) {
        if faults::is_planted(Fault::BarForgotten) {
            return;
        }
        let Some(card) = card else {
            self.terminal_mut(&key.terminal).bars.insert((key.batch, key.stan));
            return;
        };
        let txn = Txn {
            kind,
            state: TxnState::Barred,
            card,
            merchant: MerchantId::default(),
            amount: Amount::ZERO,
            approved: Amount::ZERO,
            parts: Parts::default(),
            suspense: Amount::ZERO,
            refunded: Parts::default(),
            is_refunded: false,
            original: None,
            follower: None,
            seq: self.seq,
            at,
            date: self.date,
        };
        self.remember(key, txn);
    }

    fn batch(&mut self, id: &TerminalId, event: &BatchEvent) {
        let terminal = self.terminal_mut(id);
        match event {
            BatchEvent::Closed { closing, next } => {
                terminal.open_batch = *next;
                terminal.last_closing = Some(*closing);
                terminal.upload.clear();
                terminal.differences = None;
                terminal.bars.retain(|(batch, _)| batch == next);
            }
            BatchEvent::Uploaded { details, .. } => {
                terminal.upload.extend(details.iter().copied());
                // What ended goes on: the next end compares again.
                terminal.differences = None;
            }
            BatchEvent::Ended { differences, .. } => {
                terminal.differences = Some(differences.clone());
            }
        }
    }

    /// Begins a business date, frees what was set aside for too long, and forgets what is past use.
    fn turn_to(&mut self, date: BusinessDate) {
        let expired: Vec<_> =
            self.expired_on(date).map(|(&key, txn)| (key, txn.card, self.hold_of(txn))).collect();
        for (key, card, number) in expired {
            self.change_balances(card, |balances| balances.release(number));
            if let Some(txn) = self.txns.get_mut(&key) {
                txn.state = TxnState::Expired;
            }
        }
        let past_use: Vec<_> =
            self.past_use(date).map(|(&key, txn)| (key, txn.seq, self.place_of(txn))).collect();
        self.date = date;
        for (key, seq, place) in past_use {
            self.txns.remove(&key);
            self.sales.remove(&Rrn::of(self.no, seq).number);
            if self.holds.get(&place) == Some(&key) {
                self.holds.remove(&place);
            }
        }
    }

    /// Returns the transactions that nothing can refer to any more on `date`.
    pub(super) fn past_use(&self, date: BusinessDate) -> impl Iterator<Item = (&TxnKey, &Txn)> {
        self.txns.rows().filter(move |(_, txn)| {
            let useful = match txn.state {
                TxnState::Approved if txn.kind.is_refundable() => self.refund_days(txn.card),
                TxnState::Refused(_) | TxnState::Barred => 0,
                TxnState::Approved
                | TxnState::Voided
                | TxnState::Reversed
                | TxnState::Used
                | TxnState::Expired => self.hold_days(txn),
            };
            let days = if faults::is_planted(Fault::MemoryShort) { 0 } else { MEMORY_DAYS };
            date.days_since(txn.date) > useful.saturating_add(days)
        })
    }

    fn refund_days(&self, card: CardId) -> i64 {
        match self.accounts.get(&card).map_or(0, |account| account.terms.refund_days) {
            0 => REFUND_DAYS,
            days => i64::from(days),
        }
    }

    /// Takes a transaction into memory, with what later ones find it by.
    pub(super) fn remember(&mut self, key: TxnKey, txn: Txn) {
        let happened = !matches!(txn.state, TxnState::Refused(_) | TxnState::Barred);
        if happened && txn.kind.is_refundable() {
            self.sales.insert(Rrn::of(self.no, txn.seq).number, key);
        }
        if happened && txn.kind == TxnKind::PreAuth && txn.original.is_none() {
            self.holds.insert(self.place_of(&txn), key);
        }
        self.txns.insert(key, txn);
    }
}
