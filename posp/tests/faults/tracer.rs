//! `strace` beside one thread of a node, to count or spoil its system calls.
//!
//! Beside one thread only: the others keep their speed, and the tracer counts calls by thread.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::node::Node;

/// How long a tracer may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running tracer. It lets the node go when dropped.
pub struct Tracer {
    child: Child,
    trace: PathBuf,
}

impl Tracer {
    /// Traces the `calls` of the thread `name` of `node` into `trace`, and spoils them as
    /// `inject` says.
    pub fn attach(
        node: &Node,
        name: &str,
        calls: &str,
        inject: Option<&str>,
        trace: &Path,
    ) -> Self {
        let task = node.thread(name);
        let id = task.file_name().unwrap();
        let mut strace = command(calls, inject, trace);
        strace.arg("-p").arg(id);
        let said = trace.with_extension("said");
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        let mut tracer = Self { child: strace.spawn().unwrap(), trace: trace.to_owned() };
        let begun = Instant::now();
        while !is_traced(&task) {
            let ended = tracer.child.try_wait().unwrap();
            let said = || fs::read_to_string(&said).unwrap_or_default();
            assert!(ended.is_none(), "strace ended, {ended:?}: {}", said());
            assert!(begun.elapsed() < PATIENCE, "strace does not begin: {}", said());
            thread::sleep(Duration::from_millis(1));
        }
        tracer
    }

    /// What was traced so far.
    pub fn lines(&self) -> Vec<(Duration, String)> {
        lines(&self.trace)
    }

    /// Waits until the tracer has seen the end of the node, and returns the lines.
    pub fn into_all_lines(mut self) -> Vec<(Duration, String)> {
        self.await_end();
        self.lines()
    }

    fn await_end(&mut self) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                drop(self.child.kill());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Returns the tracer for `calls`, to which there is still to be said of what.
pub fn command(calls: &str, inject: Option<&str>, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-q", "-ttt", "-y", "-s", "0", "-o"]).arg(trace);
    strace.arg("-e").arg(format!("trace={calls}"));
    if let Some(inject) = inject {
        strace.arg("-e").arg(format!("inject={calls}:{inject}"));
    }
    strace
}

/// What was traced, line by line: the time since 1970, and what happened.
pub fn lines(trace: &Path) -> Vec<(Duration, String)> {
    let text = fs::read_to_string(trace).unwrap_or_default();
    text.lines().filter_map(line).collect()
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It lets go of the thread before it ends.
            kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap_or_default();
            self.await_end();
        }
    }
}

/// A line has the seconds with six decimals, and what happened.
fn line(line: &str) -> Option<(Duration, String)> {
    let (time, what) = line.split_once(' ')?;
    let (seconds, micros) = time.split_once('.')?;
    let micros = Duration::from_micros(micros.parse().ok()?);
    Some((Duration::from_secs(seconds.parse().ok()?) + micros, what.trim_start().to_owned()))
}

fn is_traced(task: &Path) -> bool {
    let status = fs::read_to_string(task.join("status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
