//! A node in a directory and a thread of its own, for tests that talk to it over TCP.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use admin::ports::Health;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use keys::Hsm;
use switch::clock::Calendar;
use switch::config::Config;
use switch::node::{Node, Settings, Vitals, keeper};
use switch::programme::Programme;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A node that serves the demonstration programme.
pub(crate) struct Town {
    /// Where terminals connect.
    pub(crate) address: SocketAddr,
    directory: TempDir,
    vitals: Arc<Vitals>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Town {
    /// Starts a node; `change` may set it up differently.
    pub(crate) fn start(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with(keeper(&Config::default()).unwrap(), change)
    }

    /// Starts a node whose keys somebody else keeps.
    pub(crate) fn start_with(hsm: Arc<dyn Hsm>, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = TempDir::new().unwrap();
        let (config, programme) = (Config::default(), Programme::demo());
        let mut settings = Settings::of(&config, &programme);
        settings.data = directory.path().to_owned();
        settings.pos_listen.set_port(0);
        settings.threads = 2;
        settings.ledger.writes_ledger = false;
        settings.calendar = far_from_cut_off();
        change(&mut settings);
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
        Self { address, directory, vitals, stop, thread }
    }

    /// Stops the node, and audits what it leaves.
    pub(crate) fn stop(self) {
        drop(self.stop);
        self.thread.join().unwrap();
        let report = store::check(self.directory.path(), |_| {}).unwrap();
        assert!(report.ok, "{:?}", report.first_violation);
    }

    /// Returns how many entries are durable.
    pub(crate) fn entries(&self) -> u64 {
        self.detail("journal").split(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until no line is open; false if there is one still.
    pub(crate) fn is_left_alone(&self) -> bool {
        within(PATIENCE, || self.detail("terminals").contains(" 0 lines open"))
    }

    /// Returns what the node says of one of its parts.
    pub(crate) fn detail(&self, part: &str) -> String {
        let checks = self.vitals.checks();
        checks.iter().find(|check| check.name == part).unwrap().detail.clone()
    }
}

/// A calendar whose business day ends in twelve hours, so that no test sees it end.
fn far_from_cut_off() -> Calendar {
    let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC);
    Calendar::new(TimeZone::UTC, Time::constant((now.hour() + 12) % 24, 0, 0, 0))
}

/// Waits until something is so; false if it was not in time.
pub(crate) fn within(time: Duration, is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > time {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}
