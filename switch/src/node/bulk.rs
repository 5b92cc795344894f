//! Cards in bulk: a run of numbers, issued into a data directory that no node holds.
//!
//! Each card goes the way of any other: sealed and indexed by the keeper of keys, decided by its
//! shard, journalled. What is there already is left alone, so a run that was cut short goes on
//! when it is asked for again.

use std::sync::Arc;
use std::time::Duration;

use domain::issuing::{CardStatus, ProductId};
use domain::ledger::{Parts, Purse};
use domain::shard::Command;
use domain::terms::{Amount, BusinessDate, CardId, Expiry, Pan, ShardNo};
use keys::{Hsm, KeyError};
use routing::{Bin, IssuerKind, Route};
use store::DrainError;

use super::base::Base;
use super::provision::{issue, provision};
use super::{NodeError, Settings};
use crate::account::{Accounts, NotDecided};
use crate::clock::{Clock, SystemClock};
use crate::facts::Facts;
use crate::programme::{Card, Product, Programme, Secret};

/// How often the ledger is asked how far it is, while the command waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// Which cards to issue.
#[derive(Clone, Debug)]
pub struct Bulk {
    /// Their product.
    pub product: ProductId,
    /// How many numbers, counted from `first`.
    pub count: u64,
    /// The first number; `None`: where the last tenth of the first own range begins.
    pub first: Option<Pan>,
    /// Where they stand in their lives.
    pub status: CardStatus,
    /// What their main purses are opened with.
    pub opening: Amount,
    /// The PIN of each of them, for tests; `None`: they have none.
    pub pin: Option<Secret>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// So many numbers of the run were looked at.
    Issuing(u64),
    /// The ledger is so many entries behind the journal.
    Following(u64),
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BulkReport {
    /// Cards that are new.
    pub issued: u64,
    /// Numbers of the run that a card had already.
    pub known: u64,
    /// Cards there are, those of the programme and of other runs included.
    pub cards: usize,
    /// Entries of the journal.
    pub entries: u64,
}

/// Why cards were not issued. Those before the one at fault stand.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// There is no such product.
    #[error("the programme has no product {}", .0.0)]
    NoProduct(ProductId),
    /// No range of numbers is the programme's own.
    #[error("routing.toml has no range of an own, enabled issuer")]
    NoRange,
    /// The run is longer than the numbers of its length go.
    #[error("number {0} of the run, counted from 1, has more digits than the first")]
    TooMany(u64),
    /// A number of the run is not one of an own, enabled issuer.
    #[error("number {0} of the run, counted from 1, is not of an own, enabled issuer")]
    NotOwn(u64),
    /// The opening balance is above what the law allows for such a card.
    #[error("{0} is more than a card of this product may hold")]
    AboveCap(Amount),
}

impl From<KeyError> for BulkError {
    fn from(error: KeyError) -> Self {
        Self::Node(error.into())
    }
}

impl From<NotDecided> for BulkError {
    fn from(error: NotDecided) -> Self {
        Self::Node(error.into())
    }
}

impl Bulk {
    /// Checks the run against `programme`, and returns its first number.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, programme: &Programme) -> Result<Pan, BulkError> {
        let product = programme.product(self.product).ok_or(BulkError::NoProduct(self.product))?;
        if self.opening > product.terms.cap() {
            return Err(BulkError::AboveCap(self.opening));
        }
        let first = match self.first {
            Some(first) => first,
            None => default_first(programme).ok_or(BulkError::NoRange)?,
        };
        for place in [0, self.count.saturating_sub(1)] {
            own(programme, &first, place)?;
        }
        Ok(first)
    }

    /// Issues the cards into the data directory of `settings`, brings the ledger up to date and
    /// leaves a snapshot. Sets up what `programme` holds first, as a start does, so that no
    /// number of it is given twice. `tell` hears how far it is.
    ///
    /// # Errors
    /// The first thing that failed. A process that holds the directory is one.
    pub async fn issue(
        &self,
        settings: &Settings,
        programme: &Programme,
        hsm: Arc<dyn Hsm>,
        tell: &dyn Fn(Stage),
    ) -> Result<BulkReport, BulkError> {
        let first = self.check(programme)?;
        let Base { journal, drain, facts, books } = Base::open(settings, programme, hsm)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let accounts = Accounts::new(settings.threads.max(1), books, &journal, &facts, &clock);
        provision(programme, &facts, &accounts).await?;
        let today = facts.calendar.business_date(clock.now().at);
        let done = self.issue_all(programme, (&facts, &accounts), (first, today), tell).await;
        // Whatever came of it: what was taken is kept.
        let closed = journal.close().map_err(NodeError::from);
        let (issued, known) = done?;
        let entries = closed?.0;
        while drain.lag_entries() > 0 && drain.error().is_none() {
            tell(Stage::Following(drain.lag_entries()));
            tokio::time::sleep(LOOK).await;
        }
        let stopping = actix_rt::task::spawn_blocking(move || drain.stop_when_drained());
        let stopped = stopping.await.map_err(|_panic| NodeError::DrainPanicked)?;
        stopped.map_err(|error: DrainError| NodeError::from(error))?;
        Ok(BulkReport { issued, known, cards: facts.cards.len(), entries })
    }

    /// Issues each card of the run that is not there. Returns how many were new, and how many not.
    async fn issue_all(
        &self,
        programme: &Programme,
        (facts, accounts): (&Facts, &Accounts),
        (first, today): (Pan, BusinessDate),
        tell: &dyn Fn(Stage),
    ) -> Result<(u64, u64), BulkError> {
        let product = programme.product(self.product).ok_or(BulkError::NoProduct(self.product))?;
        let expiry = expiry_of(product, today);
        let mut last = facts.cards.last().unwrap_or_default();
        let (mut issued, mut known, mut failed) = (0_u64, 0_u64, None);
        // Made one by one as they are asked for: a run of any length takes no memory.
        let commands = (0..self.count).map_while(|place| {
            tell(Stage::Issuing(place));
            let made = own(programme, &first, place).and_then(|pan| {
                let index = facts.hsm.pan_index(pan.digits());
                if facts.cards.get(&index).is_some() {
                    return Ok(None);
                }
                let id = CardId(last.0.saturating_add(1));
                let card = self.card(pan, expiry);
                let made = issue(&card, id, index.0, product.terms.clone(), facts)?;
                Ok(Some((id, Command::IssueCard(Box::new(made)))))
            });
            match made {
                Ok(Some((id, command))) => {
                    last = id;
                    issued = issued.saturating_add(1);
                    Some(Some((id.shard(), command)))
                }
                Ok(None) => {
                    known = known.saturating_add(1);
                    Some(None)
                }
                Err(error) => {
                    failed = Some(error);
                    None
                }
            }
        });
        let commands: Box<dyn Iterator<Item = (ShardNo, Command)>> = Box::new(commands.flatten());
        accounts.decide_all(commands).await?;
        tell(Stage::Issuing(self.count));
        failed.map_or(Ok((issued, known)), Err)
    }

    fn card(&self, pan: Pan, expiry: Expiry) -> Card {
        Card {
            pan,
            pin: self.pin.clone(),
            product: self.product,
            expiry,
            status: self.status,
            opening: Parts::only(Purse::Main, self.opening),
            held: Parts::default(),
        }
    }
}

/// Returns the number that is `place` after `first`, if it is one of ours.
fn own(programme: &Programme, first: &Pan, place: u64) -> Result<Pan, BulkError> {
    let number = place.saturating_add(1);
    let pan = first.later(place).ok_or(BulkError::TooMany(number))?;
    match programme.routes.route(&pan) {
        Route::Own => Ok(pan),
        Route::Partner(_) | Route::Disabled | Route::Unknown => Err(BulkError::NotOwn(number)),
    }
}

/// Returns where the last tenth of the first own range begins: programmes list their cards from
/// the front.
fn default_first(programme: &Programme) -> Option<Pan> {
    let is_own = |bin: &&Bin| {
        programme.issuers.iter().any(|issuer| {
            issuer.code == bin.issuer && issuer.kind == IssuerKind::Own && issuer.enabled
        })
    };
    let Bin { prefix, pan_length, .. } = programme.bins.iter().find(is_own)?;
    let body = usize::from(*pan_length).checked_sub(1)?;
    let mut digits = format!("{:0<body$}", format!("{prefix}9")).into_bytes();
    digits.truncate(body);
    digits.push(Pan::check_digit(&digits));
    Pan::parse(&digits).ok()
}

/// Returns the last month in which a card of `product` is valid that is issued `today`.
fn expiry_of(product: &Product, today: BusinessDate) -> Expiry {
    let Some(valid) = product.valid_months else { return Expiry::NEVER };
    let (year, month) = (today.yyyymm().wrapping_div(100), today.yyyymm().wrapping_rem(100));
    let now = year.saturating_mul(12).saturating_add(month).saturating_sub(1);
    let end = now.saturating_add(u32::from(valid));
    let (year, month) = (end.wrapping_div(12), end.wrapping_rem(12).saturating_add(1));
    let yymm = year.wrapping_rem(100).saturating_mul(100).saturating_add(month);
    u16::try_from(yymm).ok().and_then(Expiry::from_yymm).unwrap_or(Expiry::NEVER)
}
