//! Many cashiers at once, each on a thread of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use loadtest::TerminalSetup;

use crate::client::{Client, Next, TIMEOUT};
use crate::dice::Dice;
use crate::shop::Shop;

/// How long a terminal waits before it calls again.
const CALL_AGAIN: Duration = Duration::from_millis(10);

/// What the cashiers do.
const OPEN: usize = 0;
/// Send what is owed, settle, and go home.
const CLOSING: usize = 1;
/// Go home at once.
const GONE: usize = 2;

/// The terminals of the shop.
pub struct Fleet<'s> {
    shop: &'s Shop,
    clients: Vec<Mutex<Client>>,
    mood: AtomicUsize,
    life: AtomicUsize,
    answers: AtomicU64,
    at_home: AtomicUsize,
}

/// Sends everybody home when dropped, so that a failed check does not wait for them for ever.
pub struct Closing<'f, 's>(&'f Fleet<'s>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        self.0.mood.store(GONE, Ordering::Relaxed);
    }
}

impl<'s> Fleet<'s> {
    /// All terminals of the shop.
    pub fn new(shop: &'s Shop, address: SocketAddr, seed: u64) -> Self {
        Self::of(shop, &shop.terminals, address, seed, TIMEOUT)
    }

    /// Some of them, which wait `timeout` for an answer.
    pub fn of(
        shop: &'s Shop,
        setups: &[TerminalSetup],
        address: SocketAddr,
        seed: u64,
        timeout: Duration,
    ) -> Self {
        let mut dice = Dice::new(seed);
        let client = |setup| Mutex::new(Client::new(setup, address, dice.next(), timeout));
        Self {
            shop,
            clients: setups.iter().map(client).collect(),
            mood: AtomicUsize::new(OPEN),
            life: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            at_home: AtomicUsize::new(0),
        }
    }

    /// Lets everybody begin, until what is returned is dropped.
    pub fn open<'f>(&'f self, scope: &'f Scope<'f, '_>) -> Closing<'f, 's> {
        self.mood.store(OPEN, Ordering::Relaxed);
        for client in &self.clients {
            scope.spawn(|| self.work(client));
        }
        Closing(self)
    }

    /// Waits until so many requests more were answered, and returns how long the first took.
    pub fn wait_for_answers(&self, count: u64, patience: Duration) -> Option<Duration> {
        let (begun, before) = (Instant::now(), self.answers());
        let mut first = None;
        while self.answers() < before + count {
            if self.answers() > before {
                first.get_or_insert_with(|| begun.elapsed());
            }
            if begun.elapsed() > patience {
                return None;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Some(first.unwrap_or_else(|| begun.elapsed()))
    }

    /// How many requests were answered.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Tells everybody that the node was killed once more. Some terminals lose power with it.
    pub fn next_life(&self, dice: &mut Dice) {
        self.life.fetch_add(1, Ordering::Relaxed);
        for mut client in self.clients() {
            if dice.in_thousand(200) {
                client.power_cycle();
            }
        }
    }

    /// Has everybody send what is owed and settle. False if that is not done in time.
    pub fn close(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        self.mood.store(CLOSING, Ordering::Relaxed);
        while self.at_home.load(Ordering::Relaxed) < self.clients.len() {
            if begun.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Everybody, one after the other, between two requests.
    pub fn clients(&self) -> impl Iterator<Item = MutexGuard<'_, Client>> {
        self.clients.iter().map(lock)
    }

    /// Has everybody do the same at once, while the shop is not open.
    pub fn everybody<T: Send>(&self, act: impl Fn(&mut Client) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let act = &act;
            let acting: Vec<_> = self
                .clients
                .iter()
                .map(|client| scope.spawn(move || act(&mut lock(client))))
                .collect();
            acting.into_iter().map(|acting| acting.join().unwrap()).collect()
        })
    }

    fn work(&self, client: &Mutex<Client>) {
        loop {
            let next = match self.mood.load(Ordering::Relaxed) {
                OPEN => lock(client).step(self.shop, self.life.load(Ordering::Relaxed)),
                CLOSING if lock(client).close() => break,
                CLOSING => Next::Wait,
                _ => return,
            };
            match next {
                Next::Go => drop(self.answers.fetch_add(1, Ordering::Relaxed)),
                Next::Wait => thread::sleep(CALL_AGAIN),
            }
        }
        self.at_home.fetch_add(1, Ordering::Relaxed);
    }
}

fn lock(client: &Mutex<Client>) -> MutexGuard<'_, Client> {
    client.lock().unwrap_or_else(PoisonError::into_inner)
}
