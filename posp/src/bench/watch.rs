//! A benchmark that is told to end does so at once, and leaves nothing behind.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use indicatif::ProgressBar;
use tempfile::TempDir;

use crate::host::Stopper;
use crate::output::complain;
use crate::signals::{Asked, Signals};

use super::child::Process;

/// How long a node in this process may take to come to rest. Its journal is closed long before.
const REST: Duration = Duration::from_millis(1_500);
/// How often the removal of a directory is tried: what is still at work may add files to it.
const TRIES: u32 = 20;
/// How long after one attempt the next is made.
const AGAIN: Duration = Duration::from_millis(20);

/// Hears SIGTERM and SIGINT for as long as it lives, and ends the process when one comes: first
/// what serves, then the files, then itself.
pub(super) struct Watch(Arc<Mutex<State>>);

/// What is to be cleared away.
struct State {
    scratch: Option<TempDir>,
    serving: Serving,
    bar: ProgressBar,
}

/// What is at work on the files.
enum Serving {
    /// Nothing.
    Nothing,
    /// A node in this process.
    Here(Stopper),
    /// A process of its own.
    Apart(Process),
}

impl Watch {
    /// Begins to hear, and makes the directory that is to go in the end.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn begin(bar: &ProgressBar) -> Result<Self> {
        let state = State { scratch: None, serving: Serving::Nothing, bar: bar.clone() };
        let state = Arc::new(Mutex::new(state));
        let (tell, told) = mpsc::channel();
        let watched = Arc::clone(&state);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let asked = actix_rt::System::new().block_on(async {
                match Signals::listen() {
                    Ok(mut signals) => {
                        tell.send(Ok(())).unwrap_or_default();
                        Some(signals.next().await)
                    }
                    Err(error) => {
                        tell.send(Err(error)).unwrap_or_default();
                        None
                    }
                }
            });
            if let Some(asked) = asked {
                end(&watched, asked);
            }
        })?;
        told.recv()?.context("no signal can be heard")?;
        let watch = Self(state);
        let mut state = lock(&watch.0);
        state.scratch = Some(tempfile::Builder::new().prefix("posp-bench-").tempdir()?);
        drop(state);
        Ok(watch)
    }

    /// Returns where files may be put that go with the benchmark.
    pub(super) fn scratch(&self) -> PathBuf {
        let state = lock(&self.0);
        state.scratch.as_ref().map(|dir| dir.path().to_path_buf()).unwrap_or_default()
    }

    /// Takes note of a node in this process.
    pub(super) fn serves(&self, node: Stopper) {
        lock(&self.0).serving = Serving::Here(node);
    }

    /// Starts a process. A signal that comes meanwhile ends it, too.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn spawn(&self, command: &mut Command) -> Result<Process> {
        let mut state = lock(&self.0);
        let process = Process::start(command)?;
        state.serving = Serving::Apart(process.clone());
        Ok(process)
    }
}

impl Drop for Watch {
    /// Once a signal has come this waits for the end of the process, so that nothing else is said.
    fn drop(&mut self) {
        let scratch = lock(&self.0).scratch.take();
        drop(scratch);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clears away and exits, with the lock held: whoever wants it waits until there is nobody.
fn end(state: &Mutex<State>, asked: Asked) {
    let mut state = lock(state);
    match &state.serving {
        Serving::Nothing => {}
        Serving::Here(node) => node.stop(REST),
        Serving::Apart(process) => process.kill(),
    }
    if let Some(scratch) = state.scratch.take() {
        let path = scratch.keep();
        for _ in 0..TRIES {
            if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
                break;
            }
            std::thread::sleep(AGAIN);
        }
    }
    state.bar.finish_and_clear();
    complain(&anyhow!("ended by {}", asked.name()));
    std::process::exit(asked.status());
}
