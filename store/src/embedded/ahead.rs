//! Making the next segment before it is needed.
//!
//! A failure to make it is told when it is needed: until then nothing was promised that would
//! rest on it. A full disk is no failure.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::disk::Disk;
use crate::fault::JournalFault;
use crate::home::NodeId;
use crate::segment::{self, Access, Segment};

/// How long after a disk was found full it is looked at again.
const RETRY: Duration = Duration::from_millis(200);
/// How much longer than a step of making a segment took, the disk is left alone after it.
const PAUSE: u32 = 2;
/// The longest pause: a stop waits for it.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// What a segment is made from.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) journal: PathBuf,
    pub(super) node: NodeId,
    pub(super) length: u64,
}

/// Whoever has the next segment.
pub(super) trait Segments {
    /// Returns the next segment.
    fn next(&mut self, is_closing: &dyn Fn() -> bool) -> io::Result<Segment>;
}

/// Makes each segment when it is asked for.
#[derive(Debug)]
pub(super) struct OnDemand {
    recipe: Recipe,
    number: u64,
}

impl OnDemand {
    pub(super) const fn new(recipe: Recipe, next: u64) -> Self {
        Self { recipe, number: next }
    }
}

impl Segments for OnDemand {
    fn next(&mut self, _is_closing: &dyn Fn() -> bool) -> io::Result<Segment> {
        let segment = make_one(&self.recipe, self.number, &|_took| true)?;
        self.number = self.number.saturating_add(1);
        Ok(segment)
    }
}

/// What the two threads tell each other.
#[derive(Debug)]
struct Signs {
    is_wanted: AtomicBool,
    is_full: AtomicBool,
    /// True while the journal cannot go on without the next segment.
    is_awaited: AtomicBool,
}

impl Signs {
    /// Leaves the disk to the journal for a while after a step, unless the journal waits for the
    /// segment. False if none is wanted any more.
    fn pause(&self, took: Duration) -> bool {
        let is_wanted = || self.is_wanted.load(Ordering::Relaxed);
        if is_wanted() && !self.is_awaited.load(Ordering::Relaxed) {
            thread::sleep(took.saturating_mul(PAUSE).min(PAUSE_MAX));
        }
        is_wanted()
    }
}

/// The thread that makes segments: one is ready ahead of the one in use.
#[derive(Debug)]
pub(super) struct Ahead {
    ready: Option<Receiver<io::Result<Segment>>>,
    signs: Arc<Signs>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts to make segments from `next` on. One that is there already is taken as it is.
    pub(super) fn start(recipe: Recipe, next: u64) -> io::Result<Self> {
        // Nobody waits in the channel: the maker is one segment ahead and then waits itself.
        let (give, ready) = sync_channel(0);
        let signs = Arc::new(Signs {
            is_wanted: AtomicBool::new(true),
            is_full: AtomicBool::new(false),
            is_awaited: AtomicBool::new(false),
        });
        let shared = Arc::clone(&signs);
        let thread = thread::Builder::new()
            .name("posp-segments".to_owned())
            .spawn(move || make(&recipe, next, &give, &shared))?;
        Ok(Self { ready: Some(ready), signs, thread: Some(thread) })
    }
}

impl Segments for Ahead {
    /// Waits for the next segment, and gives up only where there is no room for it and
    /// `is_closing`: what waits was told to nobody, and a stop must not wait for a full disk.
    fn next(&mut self, is_closing: &dyn Fn() -> bool) -> io::Result<Segment> {
        let gone = || io::Error::other("the thread that makes segments has ended");
        let ready = self.ready.as_ref().ok_or_else(gone)?;
        self.signs.is_awaited.store(true, Ordering::Relaxed);
        loop {
            match ready.recv_timeout(RETRY) {
                Ok(made) => {
                    self.signs.is_awaited.store(false, Ordering::Relaxed);
                    return made;
                }
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                Err(RecvTimeoutError::Timeout) => {
                    if is_closing() && self.signs.is_full.load(Ordering::Relaxed) {
                        return Err(io::ErrorKind::StorageFull.into());
                    }
                }
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.signs.is_wanted.store(false, Ordering::Relaxed);
        self.ready = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes segments panicked");
        }
    }
}

fn make(recipe: &Recipe, first: u64, give: &SyncSender<io::Result<Segment>>, signs: &Signs) {
    for number in first.. {
        let made = loop {
            match make_one(recipe, number, &|took| signs.pause(took)) {
                // A full disk is no loss, nor are too many open files: what is there goes on, and
                // debits are no longer taken.
                Err(error) if is_for_want_of_room(&error) => {
                    if !signs.is_full.swap(true, Ordering::Relaxed) {
                        tracing::error!(segment = number, %error, "no room for a segment");
                    }
                    thread::sleep(RETRY);
                }
                made => break made,
            }
        };
        signs.is_full.store(false, Ordering::Relaxed);
        let is_end = made.is_err();
        if give.send(made).is_err() || is_end {
            return;
        }
    }
}

fn is_for_want_of_room(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let no_files = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    error.kind() == io::ErrorKind::StorageFull || no_files.contains(&error.raw_os_error())
}

fn make_one(
    recipe: &Recipe,
    number: u64,
    goes_on: &dyn Fn(Duration) -> bool,
) -> io::Result<Segment> {
    let Recipe { disk, journal, node, length } = recipe;
    if !goes_on(Duration::ZERO) {
        return Err(io::ErrorKind::Interrupted.into());
    }
    match segment::open(journal, (*node, number), Access::Write) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => segment::create(&**disk, journal, (*node, number), *length, goes_on),
        Err(JournalFault::Io { source, .. }) => Err(source),
        Err(fault) => Err(io::Error::other(fault)),
    }
}
