//! The node as a process: started, watched, killed, and never left behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The program under test.
const POSP: &str = env!("CARGO_BIN_EXE_posp");
/// How long a start may take before the test gives up on it.
const START_MAX: Duration = Duration::from_secs(30);
/// How long a node may take to end when it is told to: its default for requests under way.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Lines of the log that a failure shows.
const LINES_SHOWN: usize = 15;

/// Where nodes are run.
pub struct Ground {
    /// Where the configuration is.
    pub config: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// Where terminals connect.
    pub pos: SocketAddr,
    /// Where it says how it is.
    pub http: SocketAddr,
    /// Where the output of each node goes.
    pub logs: PathBuf,
    /// What is loaded into a node before anything else.
    pub preload: Option<PathBuf>,
}

/// A running node. Killed and reaped when dropped.
pub struct Node {
    child: Child,
    log: PathBuf,
}

impl Ground {
    pub fn new(dir: &Path, config: &Path) -> Self {
        let logs = dir.join("logs");
        fs::create_dir_all(&logs).unwrap();
        let [pos, http] = free_ports();
        Self { config: config.to_owned(), data: dir.join("data"), pos, http, logs, preload: None }
    }

    /// The SQL ledger.
    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// Starts a node and does not wait for it.
    pub fn spawn(&self, name: &str) -> Node {
        self.spawn_at(name, self.pos, self.http)
    }

    /// Starts a node whose first thread is traced from its first call on, as `tracer` says, and
    /// does not wait for it.
    pub fn spawn_traced(&self, name: &str, mut tracer: Command) -> Node {
        // The node is the child, and the tracer a process beside it.
        tracer.args(["-D", POSP]);
        self.run(tracer, name, self.pos, self.http)
    }

    fn spawn_at(&self, name: &str, pos: SocketAddr, http: SocketAddr) -> Node {
        self.run(Command::new(POSP), name, pos, http)
    }

    /// Runs `program`, which is a node or takes the command of one as its last arguments.
    fn run(&self, program: Command, name: &str, pos: SocketAddr, http: SocketAddr) -> Node {
        let log = self.logs.join(format!("{name}.log"));
        let out = File::create(&log).unwrap();
        let err = out.try_clone().unwrap();
        let mut command = untouched(program);
        command.args(["serve", "--config"]).arg(&self.config).arg("--data").arg(&self.data);
        command.arg("--pos-listen").arg(pos.to_string());
        command.arg("--http-listen").arg(http.to_string());
        command.envs(self.preload.as_ref().map(|library| ("LD_PRELOAD", library)));
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Node { child, log }
    }

    /// Starts a node and waits until it says that it is ready. Returns how long that took.
    pub fn start(&self, name: &str) -> (Node, Duration) {
        let begun = Instant::now();
        let mut node = self.spawn(name);
        self.await_readiness(&mut node);
        (node, begun.elapsed())
    }

    /// Waits until a node says that it is ready.
    pub fn await_readiness(&self, node: &mut Node) {
        let begun = Instant::now();
        while !self.is_ready() {
            if let Some(status) = node.child.try_wait().unwrap() {
                panic!("the node did not start, {status}:\n{}", node.last_words());
            }
            assert!(begun.elapsed() < START_MAX, "the node is not ready:\n{}", node.last_words());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// True if the node says that it is ready to serve.
    pub fn is_ready(&self) -> bool {
        ask(self.http, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The sum of a figure that the node counts, over all its labels.
    pub fn figure(&self, name: &str) -> u64 {
        let answer = ask(self.http, "/metrics").unwrap();
        let lines = answer.lines().filter(|line| line.starts_with(name));
        let number = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        lines.filter_map(number).sum()
    }

    /// Has the program check the directory, and returns how it ended and what it said.
    pub fn check(&self) -> (ExitStatus, String) {
        let mut check = untouched(Command::new(POSP));
        check.arg("check").arg(&self.data).arg("--json");
        let output = check.output().unwrap();
        (output.status, String::from_utf8(output.stdout).unwrap())
    }

    /// Starts another node on the same directory, which must end of itself, and returns how it did
    /// and what it said.
    pub fn start_second(&self, patience: Duration) -> (Option<ExitStatus>, String) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut node = self.spawn_at("second", any, any);
        let status = node.wait(patience);
        let said = node.last_words();
        (status, said)
    }
}

impl Node {
    /// What `kill -9` does, in the middle of whatever the node does; the process is gone then.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the node to end, and returns how it ended and how long that took; no status if it did
    /// not within `patience`.
    fn terminate(mut self, patience: Duration) -> (Option<ExitStatus>, Duration) {
        let begun = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.wait(patience);
        (status, begun.elapsed())
    }

    /// Tells a node to stop: it ends with 0, in time. Returns how long that took.
    pub fn stop(self) -> Duration {
        let log = self.log.clone();
        let (status, took) = self.terminate(STOP_MAX);
        let said = last_lines(&log);
        assert!(status.is_some_and(|status| status.success()), "told to stop: {status:?}\n{said}");
        took
    }

    /// The directory in which the system tells about the thread `name`, once it has begun.
    pub fn thread(&self, name: &str) -> PathBuf {
        let begun = Instant::now();
        loop {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
            let mut tasks = tasks.map(|task| task.unwrap().path());
            let is_it = |task: &PathBuf| {
                fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
            };
            if let Some(task) = tasks.find(is_it) {
                return task;
            }
            assert!(begun.elapsed() < START_MAX, "no thread {name}:\n{}", self.last_words());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The memory that the node has in use, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// True unless the process has ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How long the first thread of the node, which recovers, was ready to run and had no
    /// processor: the machine was busy with something else. Zero where the system does not tell.
    pub fn starved(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()));
        // Nanoseconds on a processor, nanoseconds waiting for one, times it was given one.
        let waited = |text: &str| text.split_whitespace().nth(1)?.parse().ok();
        Duration::from_nanos(text.ok().and_then(|text| waited(&text)).unwrap_or(0))
    }

    /// Where the node writes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The end of what the node wrote.
    pub fn last_words(&self) -> String {
        last_lines(&self.log)
    }

    /// Waits until the node has ended; nothing if it has not within `patience`.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let status = self.child.try_wait().unwrap();
            if status.is_some() || begun.elapsed() >= patience {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only if the process is gone and reaped already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The end of a log.
pub fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}

/// Returns `command`, untouched by the environment of whoever runs the test.
fn untouched(mut command: Command) -> Command {
    command.stdin(Stdio::null());
    let is_setting = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("POSP__") || name.ends_with("_BACKTRACE")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
        command.env_remove(name);
    }
    command
}

/// Two ports that nobody listens on, below those that systems give to outgoing connections: a
/// terminal that calls while the node is down must not be given the node's own port and call
/// itself.
fn free_ports() -> [SocketAddr; 2] {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut free = (first..32_000).chain(20_000..first).map(address);
    let mut next = || free.find(|address| TcpListener::bind(address).is_ok()).unwrap();
    [next(), next()]
}

/// Asks the node for a page.
fn ask(http: SocketAddr, page: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(stream, "GET {page} HTTP/1.1\r\nHost: posp\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
