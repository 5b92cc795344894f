//! A node in a directory that outlives it, so that a test can start it again.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use admin::ports::Health;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use switch::clock::Calendar;
use switch::config::Config;
use switch::node::{Node, Settings, Vitals, keeper};
use switch::programme::Programme;
use tokio::sync::oneshot;

/// The demonstration with few cards, so that a start takes little time.
pub(crate) fn demo() -> Programme {
    let mut programme = Programme::demo();
    programme.cards.truncate(2);
    programme
}

/// A running node.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    vitals: Arc<Vitals>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl House {
    /// Starts a node that serves `programme` out of `directory`.
    pub(crate) fn start(directory: &Path, programme: Programme) -> Self {
        let config = Config::default();
        let hsm = keeper(&config).unwrap();
        let mut settings = Settings::of(&config, &programme);
        settings.data = directory.to_owned();
        settings.pos_listen.set_port(0);
        settings.threads = 1;
        let ledger = directory.join("ledger.db");
        settings.ledger.ledger = Some(ledger.clone());
        settings.journal.ledger = Some(ledger);
        settings.journal.segment_bytes = 1 << 20;
        let hour = jiff::Timestamp::now().to_zoned(TimeZone::UTC).hour();
        settings.calendar = Calendar::new(TimeZone::UTC, Time::constant((hour + 12) % 24, 0, 0, 0));
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let node = Node::start(settings, &programme, hsm).await.unwrap();
                ready.send((node.pos_address(), node.vitals())).unwrap();
                drop(stopped.await);
                node.stop().await.unwrap();
            });
        });
        let (address, vitals) = is_ready.recv().unwrap();
        Self { address, vitals, stop, thread }
    }

    /// Returns how many entries are durable.
    pub(crate) fn entries(&self) -> u64 {
        let checks = self.vitals.checks();
        let journal = checks.iter().find(|check| check.name == "journal").unwrap();
        journal.detail.split(' ').next().unwrap().parse().unwrap()
    }

    /// Stops the node, and audits what it leaves.
    pub(crate) fn stop(self, directory: &Path) {
        drop(self.stop);
        self.thread.join().unwrap();
        let report = store::check(directory, |_| {}).unwrap();
        assert!(report.ok, "{:?}", report.first_violation);
    }
}
