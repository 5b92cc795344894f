//! What each entry must be, in the books it comes to.

use domain::issuing::Terms;
use domain::ledger::{LedgerAccount, Unit};
use domain::shard::{BatchEvent, Event, Transacted};
use domain::terms::{Amount, BatchNo, Refusal, Rrn, Stan, TerminalId};
use domain::txn::{Closing, Totals, TxnKey, TxnKind};
use store::Entry;

use super::{Audit, Violation, ensure};

impl Audit {
    /// Checks an entry before it is applied.
    pub(super) fn check_entry(&mut self, entry: &Entry) -> Result<(), Violation> {
        let Entry { shard, seq, event, .. } = entry;
        let before = self.last.get(shard).map_or(0, |&(seq, _)| seq);
        let follows = *seq == before + 1;
        ensure(follows, "I10", || format!("entry {seq} of {shard:?} follows {before}"))?;
        let today = self.books.shard(*shard).date();
        let (date, is_later) = match event {
            Event::Transacted(t) => (t.date, false),
            Event::Reversed(r) => (r.date, false),
            Event::CutOff(date) => (*date, true),
            _ => (today, false),
        };
        let is_right = if is_later { date > today } else { date == today };
        ensure(is_right, "I12", || format!("{date} while it is {today}: {event:?}"))?;
        for unit in [Unit::Fen, Unit::Points] {
            let legs = event.postings().into_iter().filter(|posting| posting.unit == unit);
            let sum: i64 = legs.map(|posting| posting.amount.fen()).sum();
            ensure(sum == 0, "I4", || format!("the legs of {event:?} sum to {sum}"))?;
        }
        match event {
            Event::Transacted(t) => self.check_transacted(t)?,
            Event::Reversed(r) => {
                let is_first = !self.reversed.contains_key(&r.key);
                // A void can be reversed once, and so can its sale: by other keys.
                ensure(is_first, "I6", || format!("{:?} is reversed twice", r.key))?;
                self.check_is_open(&r.key)?;
            }
            Event::Batch { terminal, event: BatchEvent::Closed { closing, .. } } => {
                self.check_closing(*terminal, closing)?;
            }
            Event::Batch { terminal, event: BatchEvent::Ended { batch, differences, .. } } => {
                let closing = self.closed.get(&(*terminal, *batch)).map(|&at| &self.entries[at]);
                let is_balanced = closing.is_some_and(|entry| is_balanced(&entry.event));
                let is_right = !is_balanced || differences.is_empty();
                ensure(is_right, "I12", || {
                    format!("{terminal} {batch} balanced: {differences:?}")
                })?;
            }
            _ => {}
        }
        let fits = self.books.inspect(*shard, event);
        fits.map_err(|violation| Violation::new("I10", &format!("{violation}: {event:?}")))
    }

    fn check_transacted(&mut self, t: &Transacted) -> Result<(), Violation> {
        let tries = self.wrong_pins.entry(t.card).or_default();
        match (t.wrong_pins, t.outcome) {
            (_, Err(Refusal::WrongPin)) => *tries += 1,
            (Some(0), _) => *tries = 0,
            _ => {}
        }
        let tries = *tries;
        let is_allowed = tries <= u32::from(Terms::PIN_TRIES);
        ensure(is_allowed, "I17", || format!("{tries} wrong PINs on {:?}", t.card))?;
        if t.kind == TxnKind::Inquiry {
            return Ok(());
        }
        for &place in self.by_key.get(&t.key).into_iter().flatten() {
            let Event::Transacted(other) = &self.entries[place].event else { continue };
            let is_other = other.card != t.card && (other.outcome.is_err() || t.outcome.is_err());
            ensure(is_other, "I3", || format!("{:?} is entered twice: {other:?}, {t:?}", t.key))?;
        }
        if t.outcome.is_ok() {
            let mut bars = self.barred.get(&t.key).into_iter().flatten();
            let is_barred = bars.any(|card| card.is_none_or(|card| card == t.card));
            ensure(!is_barred, "I8", || format!("{:?} was barred, and happens", t.key))?;
            self.check_is_open(&t.key)?;
        }
        Ok(())
    }

    /// Checks that nothing happens in a batch that is closed.
    fn check_is_open(&self, key: &TxnKey) -> Result<(), Violation> {
        let is_open = !self.closed.contains_key(&(key.terminal, key.batch));
        ensure(is_open, "I9", || format!("{key:?} changes a batch that is closed"))
    }

    fn check_closing(&self, terminal: TerminalId, closing: &Closing) -> Result<(), Violation> {
        let mut totals = Totals::default();
        for t in self.standing(terminal, closing.batch) {
            let (sum, count) = match t.kind {
                TxnKind::Sale => (&mut totals.debit, &mut totals.debit_count),
                _ => (&mut totals.credit, &mut totals.credit_count),
            };
            *sum = sum.plus(t.amount);
            *count += 1;
        }
        ensure(totals == closing.counted, "I12", || {
            format!("{terminal} {} counted {closing:?}, its slips are {totals:?}", closing.batch)
        })
    }

    /// Returns what was approved in a batch and not reversed.
    pub(super) fn standing(
        &self,
        terminal: TerminalId,
        batch: BatchNo,
    ) -> impl Iterator<Item = &Transacted> {
        let key = |stan| TxnKey { terminal, batch, stan: Stan::new(stan).unwrap() };
        let places = self.by_key.range(key(1)..=key(999_999)).flat_map(|(_, places)| places);
        places.filter_map(|&place| match &self.entries[place].event {
            Event::Transacted(t) if t.outcome.is_ok() && !self.reversed.contains_key(&t.key) => {
                Some(t)
            }
            _ => None,
        })
    }

    /// Checks what an entry did.
    pub(super) fn check_effect(&mut self, entry: &Entry) -> Result<(), Violation> {
        let shard = self.books.shard(entry.shard);
        for posting in entry.event.postings() {
            let LedgerAccount::Purse(card, purse) = posting.account else { continue };
            let balances = &shard.account(card).unwrap().balances;
            let (ledger, available) = (balances.ledger().of(purse), balances.available().of(purse));
            let is_covered = ledger >= Amount::ZERO && available >= Amount::ZERO;
            ensure(is_covered, "I5", || format!("{card:?} holds {ledger:?}, free {available:?}"))?;
        }
        let Event::Transacted(t) = &entry.event else { return Ok(()) };
        let Some(account) = shard.account(t.card) else { return Ok(()) };
        let available = account.balances.available();
        if t.kind == TxnKind::Refund && t.outcome.is_ok() {
            let (money, cap) = (account.balances.ledger().money(), account.terms.cap());
            ensure(money <= cap, "I5", || format!("a refund lifts {:?} to {money:?}", t.card))?;
        }
        if t.kind == TxnKind::Inquiry && t.outcome.is_ok() {
            self.spendable.insert(Rrn::of(entry.shard, entry.seq), available.money().fen());
        }
        Ok(())
    }
}

fn is_balanced(event: &Event) -> bool {
    matches!(event, Event::Batch { event: BatchEvent::Closed { closing, .. }, .. } if closing.is_balanced())
}
