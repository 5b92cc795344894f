//! `cargo fuzz-all [SECONDS] [TARGET...]`: builds the targets of the crate `fuzz` with
//! instrumentation, and lets the fuzzer look for that many seconds at each.
//!
//! It needs a stable toolchain and a C++ compiler. The passes that count coverage are LLVM's own,
//! so no nightly flag is involved.

mod progress;

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use progress::Progress;

/// How long each target is fuzzed, unless it is said.
const SECONDS: u64 = 60;
/// How long a target may take beside that, to read its corpus and to say what it found.
const GRACE: Duration = Duration::from_secs(60);
/// How often it is said how far a target is.
const BEAT: Duration = Duration::from_secs(10);
/// The longest input, in bytes: twice the longest frame. The most memory, in MiB, and the longest
/// time for one input, in seconds; what takes more is a find.
const LIMITS: [&str; 3] = ["-max_len=4096", "-rss_limit_mb=512", "-timeout=10"];
/// How much of what a target said is shown if it finds something.
const LINES: usize = 60;
/// Counts how often each edge is taken, and sees what numbers are compared.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args().skip(1).peekable();
    let seconds = match arguments.peek().map(|first| first.parse()) {
        Some(Ok(seconds)) => {
            arguments.next();
            seconds
        }
        Some(Err(_)) | None => SECONDS,
    };
    let house = House::find()?;
    let known = house.targets()?;
    let asked: Vec<String> = arguments.collect();
    if let Some(unknown) = asked.iter().find(|target| !known.contains(target)) {
        let known = known.join(", ");
        return Err(format!("{unknown} is neither a number of seconds nor one of {known}").into());
    }
    let targets = if asked.is_empty() { known } else { asked };
    house.build()?;
    let mut ends = Vec::new();
    for target in &targets {
        ends.push((target, house.fuzz(target, seconds)?));
    }
    let mut out = io::stdout().lock();
    for (target, end) in &ends {
        let finds = if end.is_clean { "no finds" } else { "A FIND" };
        writeln!(out, "{target:<10} {end}: {finds}")?;
    }
    let is_clean = ends.iter().all(|(_, end)| end.is_clean);
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where everything is.
struct House {
    /// The crate of the targets.
    source: PathBuf,
    /// Whatever is built, grown or found.
    work: PathBuf,
    /// The machine, as rustc calls it.
    host: String,
}

impl House {
    fn find() -> Result<Self, Box<dyn Error>> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = here.parent().ok_or("the runner stands nowhere")?.to_owned();
        let root = source.parent().ok_or("the targets stand nowhere")?;
        let work = root.join("target").join("fuzz");
        let said = Command::new("rustc").arg("-vV").output()?.stdout;
        let said = String::from_utf8(said)?;
        let host = said.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self { host: host.ok_or("rustc does not say its host")?.to_owned(), source, work })
    }

    /// Returns the names of the targets, in alphabetical order.
    fn targets(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in fs::read_dir(self.source.join("targets"))? {
            let path = file?.path();
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn build(&self) -> Result<(), Box<dyn Error>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--locked", "--profile", "fuzz", "--features", "libfuzzer", "--bins"])
            // Naming the target keeps build scripts free of instrumentation.
            .args(["--package", "fuzz", "--target", &self.host, "--target-dir"])
            .arg(&self.work)
            .env("RUSTFLAGS", RUSTFLAGS)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .current_dir(&self.source)
            .status()?;
        if status.success() { Ok(()) } else { Err("the targets cannot be built".into()) }
    }

    fn fuzz(&self, target: &str, seconds: u64) -> Result<Progress, Box<dyn Error>> {
        let grown = self.work.join("corpus").join(target);
        let found = self.work.join("found");
        fs::create_dir_all(&grown)?;
        fs::create_dir_all(&found)?;
        let mut prefix = found.join(target).into_os_string();
        prefix.push("-");
        let mut artifacts = std::ffi::OsString::from("-artifact_prefix=");
        artifacts.push(prefix);
        let child = Command::new(self.work.join(&self.host).join("fuzz").join(target))
            .arg(format!("-max_total_time={seconds}"))
            .args(LIMITS)
            .args(["-print_final_stats=1"])
            .arg(artifacts)
            .args([grown, self.source.join("corpus").join(target)])
            // The fuzzer tells where it stood; a second list would push out what was wrong.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let most = Duration::from_secs(seconds).saturating_add(GRACE);
        follow(target, child, most)
    }
}

/// Follows a target to its end; one that does not end in time has found something too.
fn follow(target: &str, mut child: Child, most: Duration) -> Result<Progress, Box<dyn Error>> {
    let pipe = child.stderr.take().ok_or("a target without a voice")?;
    let (says, hears) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if says.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    let began = Instant::now();
    let (mut progress, mut last) = (Progress::default(), began);
    loop {
        match hears.recv_timeout(BEAT) {
            Ok(line) => progress.take(line, LINES),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if last.elapsed() >= BEAT {
            last = Instant::now();
            let seconds = began.elapsed().as_secs();
            writeln!(io::stderr().lock(), "{target:<10} {seconds:>4} s: {progress}")?;
        }
        if began.elapsed() > most {
            child.kill()?;
        }
    }
    progress.is_clean = child.wait()?.success();
    drop(reader.join());
    if !progress.is_clean {
        let mut out = io::stderr().lock();
        for line in progress.tail() {
            writeln!(out, "{target}: {line}")?;
        }
    }
    Ok(progress)
}
