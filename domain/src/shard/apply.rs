//! What an event does. It cannot fail: whatever could was decided before.

use super::{BatchEvent, CardIssued, Event, Reversed, Shard, Transacted};
use crate::faults::{self, Fault};
use crate::issuing::Account;
use crate::ledger::{Balances, Hold, LedgerAccount, Parts};
use crate::terms::{Amount, BatchNo, BusinessDate, CardId, MerchantId, Rrn, TerminalId, Timestamp};
use crate::txn::{Terminal, TmkCare, Txn, TxnKey, TxnKind, TxnState};

/// How many days a transaction is remembered at least: as long as a terminal may keep one batch
/// open, the longest row of public holidays included. A copy that comes later is taken for a new
/// request, so whoever asks must not let a batch grow older.
pub const MEMORY_DAYS: i64 = 10;
/// How many days longer a sale is remembered that may be refunded without limit.
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
            terms: issued.terms.clone(),
            status: issued.status,
            expiry: issued.expiry,
            wrong_pins: 0,
            identity: issued.identity.clone(),
            balances,
        };
        self.accounts.insert(issued.card, account);
    }

    fn transacted(&mut self, t: &Transacted) {
        if let Some(wrong_pins) = t.wrong_pins
            && let Some(account) = self.accounts.get_mut(&t.card)
        {
            account.wrong_pins = wrong_pins;
        }
        if t.kind == TxnKind::Inquiry {
            return;
        }
        if t.outcome.is_err() && faults::is_planted(Fault::RefusalForgotten) {
            return;
        }
        let state = match t.outcome {
            Ok(_) => TxnState::Approved,
            Err(refusal) => TxnState::Refused(refusal),
        };
        let parts = t.outcome.unwrap_or_default();
        if let (Ok(_), Some(original)) = (t.outcome, t.original.and_then(|k| self.txns.get_mut(&k)))
        {
            match t.kind {
                TxnKind::Void => original.state = TxnState::Voided,
                TxnKind::Refund => {
                    original.refunded = original.refunded.plus(&parts);
                    original.suspense = original.suspense.minus(t.suspense);
                }
                TxnKind::Sale | TxnKind::Inquiry => {}
            }
        }
        let txn = Txn {
            kind: t.kind,
            state,
            card: t.card,
            merchant: t.merchant,
            amount: t.amount,
            parts,
            suspense: t.suspense,
            refunded: Parts::default(),
            original: t.original,
            seq: self.seq,
            at: t.at,
            date: t.date,
        };
        self.remember(t.key, txn);
    }

    fn reversed(&mut self, r: &Reversed) {
        let txn = self.txns.get_mut(&r.key).expect("only a known transaction is reversed");
        txn.state = TxnState::Reversed;
        if r.kind == TxnKind::Void
            && let Some(sale) = txn.original.and_then(|key| self.txns.get_mut(&key))
        {
            sale.state = TxnState::Approved;
            sale.parts = r.parts;
            sale.suspense = r.suspense;
        }
    }

    fn barred(&mut self, key: TxnKey, kind: TxnKind, card: Option<CardId>, at: Timestamp) {
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
            parts: Parts::default(),
            suspense: Amount::ZERO,
            refunded: Parts::default(),
            original: None,
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

    /// Begins a business date and forgets what is past use.
    fn turn_to(&mut self, date: BusinessDate) {
        let past_use: Vec<_> = self.past_use(date).map(|(&key, txn)| (key, txn.seq)).collect();
        self.date = date;
        for (key, seq) in past_use {
            self.txns.remove(&key);
            self.sales.remove(&Rrn::of(self.no, seq).number);
        }
    }

    /// Returns the transactions that nothing can refer to any more on `date`.
    pub(super) fn past_use(&self, date: BusinessDate) -> impl Iterator<Item = (&TxnKey, &Txn)> {
        self.txns.rows().filter(move |(_, txn)| {
            let refundable = match (txn.kind, txn.state) {
                (TxnKind::Sale, TxnState::Approved) => self.refund_days(txn.card),
                _ => 0,
            };
            date.days_since(txn.date) > refundable.saturating_add(MEMORY_DAYS)
        })
    }

    fn refund_days(&self, card: CardId) -> i64 {
        match self.accounts.get(&card).map_or(0, |account| account.terms.refund_days) {
            0 => REFUND_DAYS,
            days => i64::from(days),
        }
    }

    /// Takes a transaction into memory, and its reference if a refund may name it.
    pub(super) fn remember(&mut self, key: TxnKey, txn: Txn) {
        let was_paid = match txn.state {
            TxnState::Approved | TxnState::Voided | TxnState::Reversed => true,
            TxnState::Refused(_) | TxnState::Barred => false,
        };
        if txn.kind == TxnKind::Sale && was_paid {
            self.sales.insert(Rrn::of(self.no, txn.seq).number, key);
        }
        self.txns.insert(key, txn);
    }
}
