//! What the machine must offer. What it does not is said, never skipped.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use crate::plan::Plan;

/// Commands, and the Debian packages they come with.
const PACKAGES: [(&str, &str); 6] = [
    ("strace", "strace"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mount", "mount"),
    ("umount", "mount"),
    ("unshare", "util-linux"),
    ("cc", "gcc"),
];
/// Set where mounts are nobody else's.
const APART: &str = "POSP_FAULTS_APART";

/// Returns what is missing for `plan`, in words.
pub fn must_be_there(plan: &Plan) -> Result<(), String> {
    let tools = tools(plan);
    let missing = PACKAGES.iter().filter(|(tool, _)| tools.contains(tool) && find(tool).is_none());
    let missing: Vec<_> = missing
        .map(|(tool, package)| format!("{tool} is missing: apt-get install {package}"))
        .collect();
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    if !tools.is_empty() && !rustix::process::geteuid().is_root() {
        return Err("this traces a hardened process and mounts file systems: root is needed".into());
    }
    Ok(())
}

/// Runs this very command where its mounts are seen by nobody else and go with it, whatever ends
/// it, and returns how that ended. Nothing if this is there already, or nothing is mounted.
pub fn run_apart(plan: &Plan) -> Option<ExitCode> {
    if !tools(plan).contains(&"mount") || env::var_os(APART).is_some() {
        return None;
    }
    let apart = ["--mount", "--propagation", "private"];
    if let Err(said) = attempt("unshare", apart.into_iter().chain(["true"])) {
        println!("mounting is not permitted on this machine, and this cannot be tested: {said}");
        return Some(ExitCode::FAILURE);
    }
    let mut unshare = Command::new("unshare");
    unshare.args(apart).arg(env::current_exe().unwrap()).args(env::args_os().skip(1));
    let status = unshare.env(APART, "yes").status().unwrap();
    if let Some(signal) = status.signal() {
        println!("ended by signal {signal}");
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn tools(plan: &Plan) -> Vec<&'static str> {
    plan.runs.iter().flat_map(|run| run.fault.tools()).copied().collect()
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let places = env::split_paths(&path).chain(system);
    places.map(|place| place.join(tool)).find(|path| path.is_file())
}

/// Runs a tool to its end, and fails with what it says if it fails.
pub fn run<S: AsRef<OsStr>>(tool: &str, arguments: impl IntoIterator<Item = S>) {
    if let Err(said) = attempt(tool, arguments) {
        panic!("{said}");
    }
}

/// Runs a tool to its end, and returns what it says if it fails.
pub fn attempt<S: AsRef<OsStr>>(
    tool: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Result<(), String> {
    let mut command = Command::new(find(tool).unwrap());
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let Output { status, stdout, stderr } = output;
    let said = [stdout, stderr].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
    if status.success() { Ok(()) } else { Err(format!("{tool}, {status}: {}", said.join(" "))) }
}

/// Compiles a few lines of C that no safe Rust can say.
pub fn compile(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (from, to) = (dir.join(format!("{name}.c")), dir.join(name));
    std::fs::write(&from, source).unwrap();
    let paths = [OsStr::new("-o"), to.as_os_str(), from.as_os_str()];
    run("cc", flags.iter().map(OsStr::new).chain(paths));
    to
}
