//! What everything on a data directory begins with: the journal open and folded, the ledger
//! behind it, the facts taken in.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::books::Books;
use keys::{Hsm, TransportKey};
use store::{Drain, DrainHandle, EmbeddedJournal};

use super::{NodeError, Settings, transport};
use crate::facts::{Cards, CareBook, Facts, Terminals};
use crate::programme::Programme;
use crate::telemetry::Telemetry;

/// A data directory that this process holds.
pub(super) struct Base {
    pub(super) journal: Arc<EmbeddedJournal>,
    pub(super) drain: DrainHandle,
    pub(super) facts: Arc<Facts>,
    /// What the journal amounts to; the account actors take it over.
    pub(super) books: Books,
}

impl Base {
    /// Opens the journal, folds it, starts what follows it, and takes the facts in.
    ///
    /// # Errors
    /// The first step that failed; another process on the directory is one.
    pub(super) fn open(
        settings: &Settings,
        programme: &Programme,
        hsm: Arc<dyn Hsm>,
    ) -> Result<Self, NodeError> {
        let (journal, recovered) = EmbeddedJournal::open(&settings.data, settings.journal.clone())?;
        let journal = Arc::new(journal);
        tracing::info!(
            entries = recovered.entries,
            replayed = recovered.report.replayed,
            snapshot = recovered.report.snapshot_lsn,
            cut_off_bytes = recovered.report.truncated_bytes,
            "journal open"
        );
        // Before anything is added: what it finds in the journal then is what the books hold.
        let drain = Drain::start(&journal, settings.ledger.clone())?;
        let host_key = transport::host_key(&settings.data, programme, hsm.as_ref())?;
        let facts = Arc::new(facts_of(settings, programme, hsm, host_key));
        facts.restore(&recovered.books);
        Ok(Self { journal, drain, facts, books: recovered.books })
    }
}

/// Returns the facts of a node whose books hold nothing yet.
#[must_use]
pub fn facts_of(
    settings: &Settings,
    programme: &Programme,
    hsm: Arc<dyn Hsm>,
    host_key: Option<Arc<TransportKey>>,
) -> Facts {
    Facts {
        care: CareBook::of(programme, hsm.as_ref(), host_key),
        terminals: Terminals::default(),
        merchants: programme.merchants.iter().map(|m| (m.id, m.traits())).collect(),
        cards: Cards::default(),
        has_room: AtomicBool::new(true),
        routes: programme.routes.clone(),
        hsm,
        calendar: settings.calendar.clone(),
        dialect: codec::Dialect::unionpay_pos(),
        acquirer: settings.acquirer.clone(),
        issuer: settings.issuer.clone(),
        rules: settings.terminals,
        telemetry: Telemetry::new(settings.log_every),
    }
}
