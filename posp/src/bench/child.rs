//! The switch as a process of its own: what it uses is then its alone.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};
use loadtest::bench::Usage;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use switch::config::Config;

use super::watch::Watch;
use crate::host::Doors;

/// How long the answer to a scrape may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take to end in order. Its journal is closed long before: what lasts is a ledger
/// that is far behind, for which nobody waits.
const REST: Duration = Duration::from_secs(2);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// The product of cards that nobody uses, which is that of the kit, and what is on them, in yuan.
const PRODUCT: &str = "1";
const OPENING: &str = "100.00";

/// The clock ticks in which the system counts processor time, in a second: on Linux, always.
const TICKS: u64 = 100;

/// A process, for all who may end it.
#[derive(Clone)]
pub(super) struct Process(Arc<Mutex<std::process::Child>>);

impl Process {
    /// Starts one.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let process = command.spawn().context("the switch cannot be started")?;
        Ok(Self(Arc::new(Mutex::new(process))))
    }

    fn child(&self) -> MutexGuard<'_, std::process::Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills it, and waits until it is gone. One that has ended already needs neither.
    pub(super) fn kill(&self) {
        let mut child = self.child();
        drop(child.kill());
        drop(child.wait());
    }

    /// Waits until it has ended, but not longer than `patience`. Others may end it meanwhile.
    ///
    /// # Errors
    /// What the system said.
    fn wait(&self, patience: Duration) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            let status = self.child().try_wait()?;
            if status.is_some() || begun.elapsed() >= patience {
                return Ok(status);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A node as a process of its own. Killed and reaped when dropped.
pub(super) struct Child {
    process: Process,
    /// Where it can be reached.
    pub(super) doors: Doors,
}

impl Child {
    /// Starts it, and returns once terminals may connect.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(config: &Config, watch: &Watch) -> Result<Self> {
        let mut command = command("serve", config, &watch.scratch())?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let process = watch.spawn(&mut command)?;
        let out = process.child().stdout.take().context("the switch has no output")?;
        let nowhere = Doors { pos: ([127, 0, 0, 1], 0).into(), http: ([127, 0, 0, 1], 0).into() };
        let mut child = Self { process, doors: nowhere };
        let mut lines = BufReader::new(out).lines();
        child.doors = loop {
            let Some(line) = lines.next() else { bail!("the switch ended before it was ready") };
            if let Some(doors) = doors_in(&line?) {
                break doors;
            }
        };
        // Somebody must read what it logs, or it would lose lines.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(child)
    }

    /// What it uses: processor time, and resident memory.
    pub(super) fn usage(&self) -> Option<Usage> {
        let id = self.process.child().id();
        let read = |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).ok();
        usage_in(&read("stat")?, &read("statm")?)
    }

    /// Its figures, as a scraper gets them.
    pub(super) fn metrics(&self) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.doors.http, SCRAPE_TIMEOUT).ok()?;
        stream.set_read_timeout(Some(SCRAPE_TIMEOUT)).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Ends it in order. One whose ledger is far behind is killed: its journal is whole.
    ///
    /// # Errors
    /// If it does not end well.
    pub(super) fn stop(self) -> Result<()> {
        kill_process(Pid::from_child(&self.process.child()), Signal::TERM)?;
        match self.process.wait(REST)? {
            Some(status) if !status.success() => bail!("the switch ended with {status}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// Issues cards that nobody uses into the data directory of `config`, in a process of its own: what
/// that takes of memory goes with it. Returns how many it issued in a second.
///
/// # Errors
/// If they cannot be issued.
pub(super) fn issue(config: &Config, count: u32, watch: &Watch, bar: &ProgressBar) -> Result<u64> {
    let mut command = command("provision", config, &watch.scratch())?;
    command.args(["--product", PRODUCT, "--opening", OPENING, "--json", "--count"]);
    command.arg(count.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    // It has a bar of its own.
    bar.set_draw_target(ProgressDrawTarget::hidden());
    let process = watch.spawn(&mut command)?;
    let mut said = String::new();
    let out = process.child().stdout.take().context("the process has no output")?;
    BufReader::new(out).read_to_string(&mut said)?;
    let status = process.wait(REST)?.context("the process closed its output and goes on")?;
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if !status.success() {
        bail!("the accounts could not be issued: {status}");
    }
    let said: Value = serde_json::from_str(&said)?;
    said.get("per_second").and_then(Value::as_u64).context("it does not say how fast it was")
}

/// Returns a command of this program, on a configuration that it finds in a file of `scratch`.
fn command(name: &str, config: &Config, scratch: &Path) -> Result<Command> {
    let file = scratch.join("posp.toml");
    fs::write(&file, text_of(config)?)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([name, "--config"]).arg(&file);
    Ok(command)
}

/// The keys that a benchmark sets, as a file.
fn text_of(config: &Config) -> Result<String> {
    let text = |path: &Path| Value::from(path.display().to_string()).to_string();
    let programme = config.programme.directory.as_deref().context("a programme is needed")?;
    Ok(format!(
        "[node]\ndirectory = {}\n[programme]\ndirectory = {}\n\
         [pos]\nlisten = \"{}\"\nconnections_per_address_max = {}\naccepts_per_second = {}\n\
         [http]\nlisten = \"{}\"\n[ledger]\nenabled = {}\n\
         [terminal]\nwait_max = \"{}ms\"\n\
         [log]\nformat = \"json\"\napproved_one_in = {}\n",
        text(&config.node.directory),
        text(programme),
        config.pos.listen,
        config.pos.connections_per_address_max,
        config.pos.accepts_per_second,
        config.http.listen,
        config.ledger.enabled,
        config.terminal.wait_max.as_millis(),
        config.log.approved_one_in,
    ))
}

/// Where the node can be reached, if this line of its log says so.
fn doors_in(line: &str) -> Option<Doors> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").unwrap_or(&line);
    let door = |name: &str| fields.get(name)?.as_str()?.parse().ok();
    Some(Doors { pos: door("pos")?, http: door("http")? })
}

/// Reads `/proc/PID/stat` and `/proc/PID/statm`: user and system time are the fields 14 and 15, the
/// name in field 2 may hold spaces; resident pages are the second number of the other.
fn usage_in(stat: &str, statm: &str) -> Option<Usage> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<u64>().ok();
    let ticks = time()?.saturating_add(time()?);
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    let millis = ticks.saturating_mul(1000).checked_div(TICKS)?;
    Some(Usage { cpu: Duration::from_millis(millis), resident: pages.saturating_mul(page) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        let stat = "77 (a (b) c) S 1 77 77 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 9 0 99";
        let usage = usage_in(stat, "9000 300 200 10 0 50 0").unwrap();
        assert_eq!(usage.cpu, Duration::from_secs(2));
        assert_eq!(usage.resident, 300 * u64::try_from(rustix::param::page_size()).unwrap());
        assert_eq!(usage_in("", ""), None);
    }

    #[test]
    fn the_line_that_says_ready_has_the_doors() {
        let ready =
            r#"{"level":"INFO","message":"ready","pos":"127.0.0.1:5","http":"127.0.0.1:6"}"#;
        assert_eq!(doors_in(ready).map(|doors| doors.pos.port()), Some(5));
        assert!(doors_in(r#"{"message":"opened"}"#).is_none());
    }
}
