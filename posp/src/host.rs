//! A node inside a command: what `serve`, `demo` and `bench` run, and what they read of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use admin::server::Ports;
use anyhow::{Context as _, Result, anyhow};
use domain::shard::Event;
use domain::terms::Rrn;
use domain::txn::TxnKind;
use loadtest::audit::{Entry, Key};
use loadtest::bench::JournalCounters;
use loadtest::terminal::SlipKind;
use switch::config::{Config, Profile};
use switch::node::{Node, Settings, keeper};
use switch::programme::Programme;
use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};

use crate::signals::Signals;

/// How long a command waits for the ledger to hold what the journal holds.
const LEDGER_WAIT: Duration = Duration::from_secs(120);
/// How often it is looked whether a node has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Reads the programme that a configuration names.
///
/// # Errors
/// What is wrong with it; in production, also that its keys or PINs stand in clear.
pub(crate) fn programme_of(config: &Config) -> Result<Programme> {
    let programme = match &config.programme.directory {
        Some(directory) => Programme::load(directory)?,
        None => Programme::demo(),
    };
    if config.node.profile == Profile::Production {
        programme.check_production()?;
    }
    Ok(programme)
}

/// Where a node can be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    /// By terminals.
    pub(crate) pos: SocketAddr,
    /// By operators and scrapers.
    pub(crate) http: SocketAddr,
}

/// What the one who runs a node may ask of it.
enum Ask {
    /// Tell when the ledger holds all that is durable now.
    Drained(mpsc::Sender<bool>),
    /// End in order.
    End,
}

/// What ends a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heeds {
    /// A signal, or the one who runs it.
    Signals,
    /// Only the one who runs it: signals are heard elsewhere.
    Owner,
}

/// Runs a node until a signal comes, and stops it in order.
pub(crate) async fn run(
    config: &Config,
    programme: &Programme,
    ready: impl FnOnce(Doors),
) -> Result<()> {
    let (_kept, asks) = channel(1);
    run_asked(config, programme, ready, asks, Heeds::Signals).await
}

/// Runs a node until it is asked to end, or nobody is left who could ask.
async fn run_asked(
    config: &Config,
    programme: &Programme,
    ready: impl FnOnce(Doors),
    mut asks: Receiver<Ask>,
    heeds: Heeds,
) -> Result<()> {
    let mut signals = match heeds {
        Heeds::Signals => Some(Signals::listen()?),
        Heeds::Owner => None,
    };
    let metrics = admin::metrics::install();
    let settings = Settings::of(config, programme);
    let data = config.node.directory.display();
    let node = Node::start(settings, programme, keeper(config)?).await;
    let node = node.with_context(|| format!("cannot start on {data}"))?;
    let ports = Ports { health: node.vitals(), metrics };
    let http = admin::server::serve(config.http.listen, ports)?;
    ready(Doors { pos: node.pos_address(), http: http.listen() });
    loop {
        tokio::select! {
            ask = asks.recv() => match ask {
                // Whoever asked may have given up waiting.
                Some(Ask::Drained(tell)) => {
                    tell.send(node.drained(LEDGER_WAIT).await).unwrap_or_default();
                }
                Some(Ask::End) | None => break,
            },
            () = heard(&mut signals) => break,
        }
    }
    tracing::info!("going to rest");
    actix_rt::spawn(async move {
        heard(&mut signals).await;
        std::process::exit(1);
    });
    node.stop().await.context("the ledger is behind; the next start goes on from there")?;
    http.stop().await;
    Ok(())
}

/// Waits for the next signal, for ever if none is heeded.
async fn heard(signals: &mut Option<Signals>) {
    match signals {
        Some(signals) => _ = signals.next().await,
        None => std::future::pending().await,
    }
}

/// A node on a thread of its own.
pub(crate) struct Host {
    /// Where it can be reached.
    pub(crate) doors: Doors,
    /// Where its journal lives.
    pub(crate) data: PathBuf,
    asks: Sender<Ask>,
    thread: JoinHandle<Result<()>>,
}

impl Host {
    /// Starts a node, and returns once terminals may connect. `started` gets what ends it from
    /// elsewhere, at once.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn start(
        config: Config,
        programme: Programme,
        heeds: Heeds,
        started: impl FnOnce(Stopper),
    ) -> Result<Self> {
        let data = config.node.directory.clone();
        let (asks, asked) = channel(2);
        let (ready, is_ready) = mpsc::channel();
        let alive = Arc::new(());
        started(Stopper { asks: asks.downgrade(), lives: Arc::downgrade(&alive) });
        let thread = std::thread::spawn(move || {
            let _alive = alive;
            let tell = move |doors| ready.send(doors).unwrap_or_default();
            let node = run_asked(&config, &programme, tell, asked, heeds);
            actix_rt::System::new().block_on(node)
        });
        match is_ready.recv() {
            Ok(doors) => Ok(Self { doors, data, asks, thread }),
            Err(_ended) => Err(match thread.join() {
                Ok(Err(error)) => error,
                Ok(Ok(())) | Err(_) => anyhow!("the node ended before it was ready"),
            }),
        }
    }

    /// Waits until the ledger holds what is durable now. False if that takes too long.
    pub(crate) fn drained(&self) -> bool {
        let (tell, told) = mpsc::channel();
        self.asks.blocking_send(Ask::Drained(tell)).is_ok() && told.recv().unwrap_or(false)
    }

    /// Waits until a signal ends the node.
    ///
    /// # Errors
    /// What kept it from ending well.
    pub(crate) fn wait(self) -> Result<()> {
        let Self { thread, asks: _kept, .. } = self;
        join(thread)
    }

    /// Ends the node.
    ///
    /// # Errors
    /// What kept it from ending well.
    pub(crate) fn stop(self) -> Result<()> {
        // A node that ended by itself hears nothing, and tells by its result.
        self.asks.blocking_send(Ask::End).unwrap_or_default();
        join(self.thread)
    }
}

fn join(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().map_err(|_panic| anyhow!("the node panicked"))?
}

/// Ends a node that runs on a thread of its own.
pub(crate) struct Stopper {
    /// Not what keeps it running: a host that is dropped ends its node.
    asks: WeakSender<Ask>,
    lives: Weak<()>,
}

impl Stopper {
    /// Asks it to end in order, and waits until it has, but not longer than `patience`.
    pub(crate) fn stop(&self, patience: Duration) {
        let begun = Instant::now();
        // One that hears nothing has ended, or has been asked already.
        if let Some(asks) = self.asks.upgrade() {
            drop(asks.try_send(Ask::End));
        }
        while self.lives.strong_count() > 0 && begun.elapsed() < patience {
            std::thread::sleep(LOOK);
        }
    }
}

/// What an audit from outside wants to know of an entry of the journal.
pub(crate) enum Fact {
    /// A transaction that leaves a slip. Whether it is reversed shows later.
    Transacted(Entry),
    /// A transaction is undone.
    Reversed(Key),
    /// A terminal has signed on.
    SignedOn,
}

/// Reads a journal from its beginning, fact by fact.
///
/// # Errors
/// If it cannot be read, or is damaged, and what `take` says.
pub(crate) fn facts(data: &Path, mut take: impl FnMut(Fact) -> Result<()>) -> Result<()> {
    for entry in store::entries(data)? {
        let entry = entry?;
        match &entry.event {
            Event::Transacted(t) => {
                let Some(kind) = slip_kind(t.kind) else { continue };
                take(Fact::Transacted(Entry {
                    key: key_of(&t.key)?,
                    kind,
                    amount: loadtest::Fen(u64::try_from(t.approved().fen())?),
                    approved: t.outcome.is_ok(),
                    reversed: false,
                    rrn: Some(Rrn::of(entry.shard, entry.seq).to_string()),
                }))?;
            }
            Event::Reversed(r) => take(Fact::Reversed(key_of(&r.key)?))?,
            Event::SignedOn { .. } => take(Fact::SignedOn)?,
            Event::CardIssued(_)
            | Event::TerminalRegistered { .. }
            | Event::CutOff(_)
            | Event::Barred { .. }
            | Event::SignedOff { .. }
            | Event::Batch { .. }
            | Event::Cared { .. } => {}
        }
    }
    Ok(())
}

/// Reads a journal as an audit from outside wants it: one entry for each transaction that leaves a
/// slip.
///
/// # Errors
/// If it cannot be read, or is damaged.
pub(crate) fn journal(data: &Path) -> Result<Vec<Entry>> {
    let mut found: Vec<Entry> = Vec::new();
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    facts(data, |fact| {
        match fact {
            Fact::Transacted(entry) => {
                places.insert(entry.key, found.len());
                found.push(entry);
            }
            Fact::Reversed(key) => {
                let original = places.get(&key).and_then(|&place| found.get_mut(place));
                original.context("a reversal without its original")?.reversed = true;
            }
            Fact::SignedOn => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// Returns what a terminal calls a transaction that leaves a slip.
fn slip_kind(kind: TxnKind) -> Option<SlipKind> {
    [
        (TxnKind::Sale, SlipKind::Sale),
        (TxnKind::Void, SlipKind::Void),
        (TxnKind::Refund, SlipKind::Refund),
        (TxnKind::PreAuth, SlipKind::PreAuth),
        (TxnKind::PreAuthVoid, SlipKind::PreAuthVoid),
        (TxnKind::Completion, SlipKind::Completion),
        (TxnKind::CompletionAdvice, SlipKind::CompletionAdvice),
        (TxnKind::CompletionVoid, SlipKind::CompletionVoid),
        (TxnKind::OfflineSale, SlipKind::OfflineSale),
        (TxnKind::ECash, SlipKind::ECash),
        (TxnKind::TopUp, SlipKind::TopUp),
        (TxnKind::PointsSale, SlipKind::PointsSale),
        (TxnKind::PointsVoid, SlipKind::PointsVoid),
        (TxnKind::Activation, SlipKind::Activation),
    ]
    .into_iter()
    .find_map(|(known, slip)| (known == kind).then_some(slip))
}

fn key_of(key: &domain::txn::TxnKey) -> Result<Key> {
    let batch = loadtest::BatchNo::new(key.batch.number()).context("a batch of the journal")?;
    let stan = loadtest::Stan::new(key.stan.number()).context("a trace number of the journal")?;
    Ok(Key { terminal: loadtest::TerminalId(key.terminal.0), batch, stan })
}

/// Returns the figures of the node in this process, as a scraper gets them.
pub(crate) fn metrics() -> String {
    admin::metrics::install().render()
}

/// Reads the counters of the journal from the text that a scraper gets.
pub(crate) fn counters_in(metrics: &str) -> Option<JournalCounters> {
    Some(JournalCounters {
        records: figure(metrics, "posp_journal_batch_size_sum")?,
        syncs: figure(metrics, "posp_journal_batch_size_count")?,
    })
}

/// Reads from the same text how many entries the ledger is behind.
pub(crate) fn ledger_lag_in(metrics: &str) -> Option<u64> {
    figure(metrics, "posp_writebehind_lag_records")
}

fn figure(metrics: &str, name: &str) -> Option<u64> {
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    let digits = line.rsplit(' ').next()?;
    digits.split('.').next()?.parse().ok()
}
