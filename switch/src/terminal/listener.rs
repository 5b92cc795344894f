//! The door: accepts lines, and deals them out to the cores.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::ArbiterHandle;
use dashmap::DashMap;
use metrics::counter;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::actor::{LineParts, TerminalActor};
use super::mail::LineMail;

/// How many lines there may be.
#[derive(Clone, Copy, Debug)]
pub struct DoorRules {
    /// In all.
    pub lines_max: usize,
    /// From one address.
    pub lines_per_peer_max: usize,
    /// Opened in a second; more wait for the next.
    pub accepts_per_second: u32,
}

/// The lines that are open.
#[derive(Clone, Default)]
pub struct Lines(Arc<LineTable>);

#[derive(Default)]
struct LineTable {
    open: DashMap<u64, LineMail>,
    peers: DashMap<IpAddr, usize>,
    count: AtomicUsize,
    next: AtomicU64,
}

impl Lines {
    /// Takes in a line.
    pub fn add(&self, number: u64, line: LineMail) {
        self.0.open.insert(number, line);
    }

    /// Forgets a line.
    pub fn remove(&self, number: u64) {
        self.0.open.remove(&number);
    }

    /// Returns how many lines are open, or about to be.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Tells every line to end with what is in flight.
    pub fn rest(&self) {
        for line in &self.0.open {
            line.rest();
        }
    }

    /// Makes room for a line from `peer`, if there is any.
    fn admit(&self, peer: IpAddr, rules: &DoorRules) -> Option<Place> {
        if self.count() >= rules.lines_max {
            return None;
        }
        let mut lines = self.0.peers.entry(peer).or_default();
        if *lines >= rules.lines_per_peer_max {
            return None;
        }
        *lines = lines.saturating_add(1);
        drop(lines);
        self.0.count.fetch_add(1, Ordering::Relaxed);
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        Some(Place { lines: self.clone(), peer, number })
    }
}

/// The room that one line takes. Given back when it is dropped.
pub struct Place {
    lines: Lines,
    peer: IpAddr,
    /// The number of the line.
    pub number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lines.0.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut lines) = self.lines.0.peers.get_mut(&self.peer) {
            *lines = lines.saturating_sub(1);
        }
        self.lines.0.peers.remove_if(&self.peer, |_, lines| *lines == 0);
    }
}

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenerError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// An open door.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Opens the door at `address`; port 0 picks a free one.
    ///
    /// # Errors
    /// The address is taken, or not one of this machine.
    pub fn open(address: SocketAddr) -> Result<Self, ListenerError> {
        let fail = |source| ListenerError { address, source };
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )
        .map_err(fail)?;
        socket.set_reuse_address(true).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        socket.bind(&address.into()).map_err(fail)?;
        socket.listen(4096).map_err(fail)?;
        let listener = TcpListener::from_std(socket.into()).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, address })
    }

    /// Returns where the door is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets lines in until `closing` says so.
    pub async fn serve(
        self,
        arbiters: Vec<ArbiterHandle>,
        parts: LineParts,
        rules: DoorRules,
        mut closing: watch::Receiver<bool>,
    ) {
        let refused = counter!("posp_conn_closed_total", "channel" => "pos", "reason" => "NO_ROOM");
        let mut arbiters = arbiters.iter().cycle();
        let mut second = Second { began: Instant::now(), left: rules.accepts_per_second };
        loop {
            let accepted = tokio::select! {
                accepted = second.accept(&self.listener, rules.accepts_per_second) => accepted,
                _ = closing.changed() => return,
            };
            match accepted {
                Ok((stream, peer)) => match parts.lines.admit(peer.ip(), &rules) {
                    Some(place) => {
                        if let Some(arbiter) = arbiters.next() {
                            open(stream, place, arbiter, parts.clone());
                        }
                    }
                    None => refused.increment(1),
                },
                Err(error) => {
                    // Too many open files, most likely: give some time to close.
                    tracing::warn!(target: "posp::line", %error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// The second that lines are counted in. A flood of lines that come and go takes no more of the
/// processors than so many a second; those that wait do so in the system's queue.
struct Second {
    began: Instant,
    left: u32,
}

impl Second {
    async fn accept(
        &mut self,
        listener: &TcpListener,
        most: u32,
    ) -> std::io::Result<(TcpStream, SocketAddr)> {
        let end = self.began.checked_add(Duration::from_secs(1)).unwrap_or(self.began);
        if self.left == 0 {
            tokio::time::sleep_until(end).await;
        }
        let accepted = listener.accept().await?;
        if Instant::now() >= end {
            *self = Self { began: Instant::now(), left: most };
        }
        self.left = self.left.saturating_sub(1);
        Ok(accepted)
    }
}

/// Starts the actor of a line on a core.
fn open(stream: TcpStream, place: Place, arbiter: &ArbiterHandle, parts: LineParts) {
    // A peer that vanished without a word gives its place back in some minutes.
    let keepalive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(120));
    let socket = socket2::SockRef::from(&stream);
    if let Err(error) = socket.set_tcp_nodelay(true).and(socket.set_tcp_keepalive(&keepalive)) {
        tracing::debug!(target: "posp::line", %error, "a socket keeps its defaults");
    }
    let Ok(stream) = stream.into_std() else { return };
    arbiter.spawn_fn(move || {
        if let Ok(stream) = TcpStream::from_std(stream) {
            actix_rt::spawn(TerminalActor::new(place, stream, parts));
        }
    });
}
