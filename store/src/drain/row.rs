//! An entry as the ledger shows it.

use domain::books::terminal_of;
use domain::issuing::CardStatus;
use domain::ledger::{LedgerAccount, Purse, Unit};
use domain::shard::{BatchEvent, CardIssued, Event};
use domain::terms::{Amount, AuthCode, BusinessDate, Refusal, Rrn, ShardNo};
use domain::txn::{Care, Closing, TxnKey, TxnKind, worth_of};

use crate::chain::Chain;

/// Terminal, batch and trace number of another transaction, column by column.
pub(crate) type Original = (Option<String>, Option<u32>, Option<u32>);

/// A row of the table `entry`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    pub(crate) lsn: i64,
    pub(crate) shard: u8,
    pub(crate) seq: i64,
    pub(crate) chain: [u8; 16],
    pub(crate) kind: String,
    pub(crate) at_ms: Option<i64>,
    pub(crate) business_date: u32,
    pub(crate) terminal: Option<String>,
    pub(crate) merchant: Option<String>,
    pub(crate) batch: Option<u32>,
    pub(crate) stan: Option<u32>,
    pub(crate) card: Option<i64>,
    pub(crate) amount_fen: Option<i64>,
    pub(crate) refusal: Option<String>,
    pub(crate) rrn: String,
    pub(crate) auth_code: Option<String>,
    pub(crate) original: Original,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) lsn: u64,
    pub(crate) shard: ShardNo,
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
}

/// Returns the business date of the shard after `event`, which came on `date`.
pub(crate) const fn date_after(date: BusinessDate, event: &Event) -> BusinessDate {
    match event {
        Event::CutOff(date) => *date,
        Event::CardIssued(_)
        | Event::TerminalRegistered { .. }
        | Event::Transacted(_)
        | Event::Reversed(_)
        | Event::Barred { .. }
        | Event::SignedOn { .. }
        | Event::SignedOff { .. }
        | Event::Batch { .. }
        | Event::Cared { .. } => date,
    }
}

impl Row {
    /// Returns the row of `event`; `date` is that of its shard after it.
    pub(crate) fn of(place: Place, date: BusinessDate, event: &Event) -> Self {
        let mut row = Self {
            lsn: place.lsn.cast_signed(),
            shard: place.shard.0,
            seq: place.seq.cast_signed(),
            chain: place.chain.0,
            kind: kind_of(event),
            at_ms: event.at().map(|at| at.0),
            business_date: date.yyyymmdd(),
            terminal: terminal_of(event).map(|terminal| terminal.to_string()),
            merchant: None,
            batch: None,
            stan: None,
            card: None,
            amount_fen: None,
            refusal: None,
            rrn: Rrn::of(place.shard, place.seq).to_string(),
            auth_code: None,
            original: (None, None, None),
        };
        row.tell(place, event);
        row
    }

    fn tell(&mut self, place: Place, event: &Event) {
        match event {
            Event::CardIssued(issued) => {
                self.card = Some(issued.card.0.cast_signed());
                self.amount_fen = Some(issued.opening.money().fen());
            }
            Event::TerminalRegistered { profile, .. } => {
                self.merchant = Some(profile.merchant.to_string());
            }
            Event::CutOff(_) => {}
            Event::Transacted(t) => {
                self.business_date = t.date.yyyymmdd();
                self.tell_key(&t.key);
                self.card = Some(t.card.0.cast_signed());
                self.merchant = Some(t.merchant.to_string());
                self.amount_fen = Some(t.amount.fen());
                self.refusal = t.outcome.err().map(name_of);
                if let Some(key) = &t.original {
                    self.original = original_of(key);
                }
                // An addition to a pre-authorisation has the code of that.
                let has_code = t.kind != TxnKind::PreAuth || t.original.is_none();
                if t.outcome.is_ok() && !t.kind.is_inquiry() && has_code {
                    self.auth_code = Some(AuthCode::of(place.shard, place.seq).to_string());
                }
            }
            Event::Reversed(r) => {
                self.business_date = r.date.yyyymmdd();
                self.tell_key(&r.key);
                self.card = Some(r.card.0.cast_signed());
                self.merchant = Some(r.merchant.to_string());
                self.amount_fen = Some(worth_of(r.kind, &r.parts).plus(r.suspense).fen());
                self.original = original_of(&r.key);
            }
            Event::Barred { key, card, .. } => {
                self.tell_key(key);
                self.card = card.map(|card| card.0.cast_signed());
                self.original = original_of(key);
            }
            Event::SignedOn { terminal, .. }
            | Event::SignedOff { terminal, .. }
            | Event::Cared { terminal, .. } => {
                self.terminal = Some(terminal.to_string());
            }
            Event::Batch { event, .. } => {
                let batch = match event {
                    BatchEvent::Closed { closing, .. } => closing.batch,
                    BatchEvent::Uploaded { batch, .. } | BatchEvent::Ended { batch, .. } => *batch,
                };
                self.batch = Some(batch.number());
            }
        }
    }

    fn tell_key(&mut self, key: &TxnKey) {
        self.terminal = Some(key.terminal.to_string());
        self.batch = Some(key.batch.number());
        self.stan = Some(key.stan.number());
    }
}

fn original_of(key: &TxnKey) -> Original {
    (Some(key.terminal.to_string()), Some(key.batch.number()), Some(key.stan.number()))
}

/// A row of the table `card`. It is not for print: what it holds of the number is the cardholder's.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct CardRow {
    pub(crate) id: i64,
    pub(crate) product: i64,
    /// An integer, so that what stands for neither true nor false is told from both.
    pub(crate) named: i64,
    /// As it was issued; what became of it since, the entries say.
    pub(crate) status: String,
    pub(crate) expiry: Option<i64>,
    pub(crate) pan_index: Vec<u8>,
    pub(crate) sealed_pan: Vec<u8>,
}

impl CardRow {
    /// Returns the row of a card that was issued.
    pub(crate) fn of(issued: &CardIssued) -> Self {
        Self {
            id: issued.card.0.cast_signed(),
            product: i64::from(issued.terms.product.0),
            named: i64::from(issued.terms.named),
            status: status_of(issued.status).to_owned(),
            expiry: issued.expiry.yymm().map(i64::from),
            pan_index: issued.identity.index.to_vec(),
            sealed_pan: issued.identity.sealed_pan.to_vec(),
        }
    }
}

/// A row of the table `terminal_batch`, without the entry that names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ClosingRow {
    pub(crate) terminal: Option<String>,
    /// The other columns, in the order of the table.
    pub(crate) numbers: [i64; 10],
}

impl ClosingRow {
    /// Returns the row of a settlement whose entry has the row `entry`.
    pub(crate) fn of(entry: &Row, closing: &Closing) -> Self {
        let Closing { batch, claimed, counted, at, .. } = closing;
        let numbers = [
            i64::from(batch.number()),
            at.0,
            claimed.debit.fen(),
            i64::from(claimed.debit_count),
            claimed.credit.fen(),
            i64::from(claimed.credit_count),
            counted.debit.fen(),
            i64::from(counted.debit_count),
            counted.credit.fen(),
            i64::from(counted.credit_count),
        ];
        Self { terminal: entry.terminal.clone(), numbers }
    }
}

fn kind_of(event: &Event) -> String {
    match event {
        Event::CardIssued(_) => "card-issued".to_owned(),
        Event::TerminalRegistered { .. } => "terminal-registered".to_owned(),
        Event::CutOff(_) => "cut-off".to_owned(),
        Event::Transacted(t) => with_hyphens(t.kind),
        Event::Reversed(r) => format!("{}-reversal", with_hyphens(r.kind)),
        Event::Barred { .. } => "bar".to_owned(),
        Event::SignedOn { .. } => "sign-on".to_owned(),
        Event::SignedOff { .. } => "sign-off".to_owned(),
        Event::Batch { event, .. } => match event {
            BatchEvent::Closed { .. } => "batch-close".to_owned(),
            BatchEvent::Uploaded { .. } => "batch-upload".to_owned(),
            BatchEvent::Ended { .. } => "batch-end".to_owned(),
        },
        Event::Cared { care, .. } => match care {
            Care::Acknowledged { .. } => "list-acknowledged".to_owned(),
            Care::Reported { .. } => "status-report".to_owned(),
            Care::TmkIssued(_) => "tmk-issued".to_owned(),
            Care::TmkActivated { .. } => "tmk-activated".to_owned(),
        },
    }
}

fn with_hyphens(kind: TxnKind) -> String {
    kind.name().replace('_', "-")
}

/// Returns the card whose status `event` changes, and the status it has then.
pub(crate) fn status_after(event: &Event) -> Option<(i64, &'static str)> {
    match event {
        Event::Transacted(t) if t.kind == TxnKind::Activation && t.outcome.is_ok() => {
            Some((t.card.0.cast_signed(), status_of(CardStatus::Active)))
        }
        Event::Reversed(r) if r.kind == TxnKind::Activation => {
            Some((r.card.0.cast_signed(), status_of(CardStatus::Sold)))
        }
        Event::CardIssued(_)
        | Event::TerminalRegistered { .. }
        | Event::CutOff(_)
        | Event::Transacted(_)
        | Event::Reversed(_)
        | Event::Barred { .. }
        | Event::SignedOn { .. }
        | Event::SignedOff { .. }
        | Event::Batch { .. }
        | Event::Cared { .. } => None,
    }
}

/// Returns the name of a refusal in words with hyphens.
fn name_of(refusal: Refusal) -> String {
    let mut name = String::new();
    for letter in format!("{refusal:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

pub(crate) const fn status_of(status: CardStatus) -> &'static str {
    match status {
        CardStatus::Sold => "sold",
        CardStatus::Active => "active",
        CardStatus::Frozen => "frozen",
        CardStatus::Lost => "lost",
        CardStatus::Cancelled => "cancelled",
    }
}

pub(crate) const fn unit_of(unit: Unit) -> &'static str {
    match unit {
        Unit::Fen => "fen",
        Unit::Points => "points",
    }
}

/// Returns an account of the general ledger as the tables name it.
pub(crate) fn account_of(account: LedgerAccount) -> String {
    match account {
        LedgerAccount::Purse(card, Purse::Main) => format!("card:{}:main", card.0),
        LedgerAccount::Purse(card, Purse::Bonus) => format!("card:{}:bonus", card.0),
        LedgerAccount::Purse(card, Purse::Points) => format!("card:{}:points", card.0),
        LedgerAccount::Merchant(merchant) => format!("merchant:{merchant}"),
        LedgerAccount::Funding => "funding".to_owned(),
        LedgerAccount::BonusGranted => "bonus-granted".to_owned(),
        LedgerAccount::PointsGranted => "points-granted".to_owned(),
        LedgerAccount::Suspense => "suspense".to_owned(),
        LedgerAccount::TopUps(merchant) => format!("merchant:{merchant}:top-ups"),
        LedgerAccount::PointsRedeemed(merchant) => format!("merchant:{merchant}:points"),
        LedgerAccount::PointsSuspense => "points-suspense".to_owned(),
    }
}

/// What is posted to each account, in the order of accounts.
pub(crate) type Sums = std::collections::BTreeMap<(LedgerAccount, Unit), Amount>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_named_in_words() {
        assert_eq!(name_of(Refusal::InsufficientFunds), "insufficient-funds");
        assert_eq!(name_of(Refusal::PinMissing), "pin-missing");
    }
}
