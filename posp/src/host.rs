//! A node inside a command: what `serve`, `demo` and `bench` run, and what they read of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

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
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How long a command waits for the ledger to hold what the journal holds.
const LEDGER_WAIT: Duration = Duration::from_secs(120);

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
}

/// Runs a node until a signal comes or `asks` ends, and stops it in order.
pub(crate) async fn run(
    config: &Config,
    programme: &Programme,
    ready: impl FnOnce(Doors),
) -> Result<()> {
    let (_kept, asks) = tokio::sync::mpsc::channel(1);
    run_asked(config, programme, ready, asks, std::future::pending()).await
}

async fn run_asked(
    config: &Config,
    programme: &Programme,
    ready: impl FnOnce(Doors),
    mut asks: tokio::sync::mpsc::Receiver<Ask>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let metrics = admin::metrics::install();
    let settings = Settings::of(config, programme);
    let data = config.node.directory.display();
    let node = Node::start(settings, programme, keeper(config)?).await;
    let node = node.with_context(|| format!("cannot start on {data}"))?;
    let ports = Ports { health: node.vitals(), metrics };
    let http = admin::server::serve(config.http.listen, ports)?;
    ready(Doors { pos: node.pos_address(), http: http.listen() });
    tokio::pin!(stop);
    loop {
        tokio::select! {
            Some(Ask::Drained(tell)) = asks.recv() => {
                // Whoever asked may have given up waiting.
                tell.send(node.drained(LEDGER_WAIT).await).unwrap_or_default();
            }
            () = &mut stop => break,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("going to rest");
    actix_rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    node.stop().await.context("the ledger is behind; the next start goes on from there")?;
    http.stop().await;
    Ok(())
}

/// A node on a thread of its own.
pub(crate) struct Host {
    /// Where it can be reached.
    pub(crate) doors: Doors,
    /// Where its journal lives.
    pub(crate) data: PathBuf,
    asks: tokio::sync::mpsc::Sender<Ask>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Host {
    /// Starts a node, and returns once terminals may connect.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn start(config: Config, programme: Programme) -> Result<Self> {
        let data = config.node.directory.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (asks, asked) = tokio::sync::mpsc::channel(1);
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let stopped = async {
                drop(stopped.await);
            };
            let tell = move |doors| ready.send(doors).unwrap_or_default();
            let node = run_asked(&config, &programme, tell, asked, stopped);
            actix_rt::System::new().block_on(node)
        });
        match is_ready.recv() {
            Ok(doors) => Ok(Self { doors, data, asks, stop, thread }),
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
        let Self { thread, stop: _kept, asks: _asks, .. } = self;
        join(thread)
    }

    /// Ends the node.
    ///
    /// # Errors
    /// What kept it from ending well.
    pub(crate) fn stop(self) -> Result<()> {
        // A node that ended by itself hears nothing, and tells by its result.
        self.stop.send(()).unwrap_or_default();
        join(self.thread)
    }
}

fn join(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().map_err(|_panic| anyhow!("the node panicked"))?
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

/// Reads the counters of the journal from the node's own figures.
pub(crate) fn journal_counters() -> Option<JournalCounters> {
    counters_in(&admin::metrics::install().render())
}

/// Reads the counters of the journal from the text that a scraper gets.
pub(crate) fn counters_in(metrics: &str) -> Option<JournalCounters> {
    let figure = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name))?;
        let digits = line.rsplit(' ').next()?;
        digits.split('.').next()?.parse::<u64>().ok()
    };
    Some(JournalCounters {
        records: figure("posp_journal_batch_size_sum")?,
        syncs: figure("posp_journal_batch_size_count")?,
    })
}
