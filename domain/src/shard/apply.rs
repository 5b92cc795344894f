//! What an event does. It cannot fail: whatever could was decided before.

use super::{BatchEvent, CardIssued, Event, Reversed, Shard, Transacted};
use crate::issuing::Account;
use crate::ledger::{Balances, Hold, LedgerAccount};
use crate::terms::{Amount, BusinessDate, CardId, MerchantId, Timestamp};
use crate::txn::{Terminal, Txn, TxnKey, TxnKind, TxnState};

/// How many days a transaction is remembered that can no longer be refunded.
const SHORT_MEMORY_DAYS: i64 = 2;
/// How many days a sale is remembered that may be refunded without limit.
const LONG_MEMORY_DAYS: i64 = 180;

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
                let first = crate::terms::BatchNo::FIRST;
                self.terminals
                    .entry(*terminal)
                    .and_modify(|known| known.profile = profile.clone())
                    .or_insert_with(|| Terminal::new(profile.clone(), first));
            }
            Event::CutOff(date) => self.turn_to(*date),
            Event::Transacted(transacted) => self.transacted(transacted),
            Event::Reversed(reversed) => self.reversed(reversed),
            Event::Barred { key, kind, card, at } => self.barred(*key, *kind, *card, *at),
            Event::SignedOn { terminal, sealed_keys, .. } => {
                self.terminal_mut(terminal).sealed_keys = Some(sealed_keys.clone());
            }
            Event::SignedOff { terminal, .. } => self.terminal_mut(terminal).sealed_keys = None,
            Event::Batch { terminal, event } => self.batch(terminal, event),
        }
    }

    fn terminal_mut(&mut self, id: &crate::terms::TerminalId) -> &mut Terminal {
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
        if let (Some(wrong_pins), Some(account)) = (t.wrong_pins, self.accounts.get_mut(&t.card)) {
            account.wrong_pins = wrong_pins;
        }
        if t.kind == TxnKind::Inquiry {
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
                TxnKind::Refund => original.refunded = original.refunded.plus(&parts),
                TxnKind::Sale | TxnKind::Inquiry => {}
            }
        }
        if t.kind == TxnKind::Sale && t.outcome.is_ok() {
            self.sales.insert(crate::terms::Rrn::of(self.no, self.seq).number, t.key);
        }
        let txn = Txn {
            kind: t.kind,
            state,
            card: t.card,
            merchant: t.merchant,
            amount: t.amount,
            parts,
            suspense: t.suspense,
            refunded: crate::ledger::Parts::default(),
            original: t.original,
            seq: self.seq,
            at: t.at,
            date: t.date,
        };
        self.txns.insert(t.key, txn);
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
            parts: crate::ledger::Parts::default(),
            suspense: Amount::ZERO,
            refunded: crate::ledger::Parts::default(),
            original: None,
            seq: self.seq,
            at,
            date: self.date,
        };
        self.txns.insert(key, txn);
    }

    fn batch(&mut self, id: &crate::terms::TerminalId, event: &BatchEvent) {
        let terminal = self.terminal_mut(id);
        match event {
            BatchEvent::Closed { closing, next } => {
                terminal.open_batch = *next;
                terminal.last_closing = Some(*closing);
                terminal.upload.clear();
                terminal.differences = None;
                terminal.bars.retain(|(batch, _)| batch == next);
            }
            BatchEvent::Uploaded { details, .. } => terminal.upload.extend(details.iter().copied()),
            BatchEvent::Ended { differences, .. } => {
                terminal.differences = Some(differences.clone());
            }
        }
    }

    /// Begins a business date and forgets what is past use.
    fn turn_to(&mut self, date: BusinessDate) {
        self.date = date;
        let today = date.day_number();
        let accounts = &self.accounts;
        self.txns.retain(|_, txn| {
            let days = match (txn.kind, txn.state) {
                (TxnKind::Sale, TxnState::Approved) => {
                    match accounts.get(&txn.card).map_or(0, |account| account.terms.refund_days) {
                        0 => LONG_MEMORY_DAYS,
                        days => i64::from(days).max(SHORT_MEMORY_DAYS),
                    }
                }
                _ => SHORT_MEMORY_DAYS,
            };
            txn.date == BusinessDate::ZERO || today.saturating_sub(txn.date.day_number()) <= days
        });
        let txns = &self.txns;
        self.sales.retain(|_, key| txns.contains_key(key));
    }
}
