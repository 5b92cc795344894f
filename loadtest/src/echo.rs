//! A bare server with the framing of the POS line: it cuts frames, decodes nothing, and answers
//! each with the same bytes. What it reaches is the limit of machine, kernel and runtime.
//!
//! One thread accepts and hands lines out in turn; each worker has a single-threaded runtime.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use codec::{Limits, cut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// A running echo server. It ends when it is dropped.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Echo {
    /// Starts one on a free port of this machine with `workers` threads, one at least. It answers
    /// every frame with `reply`, which has its length in front.
    ///
    /// # Errors
    /// If no port or thread is to be had.
    pub fn start(workers: usize, reply: &[u8]) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (closing, closed) = watch::channel(false);
        let reply: Arc<[u8]> = reply.into();
        let mut threads = Vec::new();
        let mut hands = Vec::new();
        for number in 0..workers.max(1) {
            let (hand, lines) = unbounded_channel();
            hands.push(hand);
            let (runtime, reply, closed) = (runtime()?, Arc::clone(&reply), closed.clone());
            let work = move || runtime.block_on(work(lines, reply, closed));
            threads.push(thread::Builder::new().name(format!("echo-{number}")).spawn(work)?);
        }
        let runtime = runtime()?;
        let accept = move || runtime.block_on(accept(listener, hands, closed));
        threads.push(thread::Builder::new().name("echo-door".to_owned()).spawn(accept)?);
        Ok(Self { address, closing, threads })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        for thread in self.threads.drain(..) {
            // A worker that panicked has nothing left to end.
            drop(thread.join());
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

async fn accept(
    listener: TcpListener,
    hands: Vec<UnboundedSender<TcpStream>>,
    mut closed: watch::Receiver<bool>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    for hand in hands.iter().cycle() {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        let stream = accepted.and_then(|(stream, _peer)| {
            stream.set_nodelay(true)?;
            stream.into_std()
        });
        if let Ok(stream) = stream {
            // A worker only ends when all is over.
            drop(hand.send(stream));
        }
    }
}

async fn work(
    mut lines: UnboundedReceiver<TcpStream>,
    reply: Arc<[u8]>,
    mut closed: watch::Receiver<bool>,
) {
    loop {
        let stream = tokio::select! {
            stream = lines.recv() => stream,
            _ = closed.changed() => return,
        };
        let Some(stream) = stream else { return };
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            tokio::spawn(serve(stream, Arc::clone(&reply)));
        }
    }
}

/// Serves one line until it ends, or until what comes is not a frame.
async fn serve(mut stream: tokio::net::TcpStream, reply: Arc<[u8]>) {
    let mut unread = Vec::with_capacity(512);
    let mut unsent = Vec::new();
    while matches!(stream.read_buf(&mut unread).await, Ok(1..)) {
        let mut taken = 0_usize;
        loop {
            match cut(unread.get(taken..).unwrap_or_default(), &Limits::default()) {
                Ok(Some(cut)) => {
                    taken = taken.saturating_add(cut.consumed);
                    unsent.extend_from_slice(&reply);
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
        unread.drain(..taken);
        if stream.write_all(&unsent).await.is_err() {
            return;
        }
        unsent.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::line::Line;

    #[test]
    fn every_frame_is_answered_with_the_same_bytes() {
        let frame = [&[0, 21][..], &[7; 21]].concat();
        let reply = [&[0, 22][..], &[9; 22]].concat();
        let echo = Echo::start(2, &reply).unwrap();
        for _line in 0..3 {
            let mut line = Line::open(echo.address(), Duration::from_secs(5)).unwrap();
            // Two frames at once, and one in pieces.
            line.send(&[&frame[..], &frame[..], &frame[..5]].concat()).unwrap();
            line.send(&frame[5..]).unwrap();
            for _frame in 0..3 {
                assert_eq!(line.receive().unwrap(), [9; 22]);
            }
        }
    }
}
