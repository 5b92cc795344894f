//! `posp bench` as a script sees it: what it prints, what it writes, how it exits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is a failure")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posp"));
    command.arg("bench").args(arguments).output().unwrap()
}

#[test]
fn a_short_run_holds_every_slip_against_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("report.html");
    let page = page.to_str().unwrap();
    let done = bench(&["smoke", "--seconds", "1", "--rounds", "1", "--json", "--html", page]);
    let result: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{:#}", result["faults"]);
    assert_eq!(result["ok"], true);
    let report = &result["report"];
    assert_eq!(report["signed_on"], 16);
    assert!(report["slips"].as_u64().unwrap() > 100);
    assert!(report["approved"].as_u64().unwrap() > 50);
    assert!(report["codes_verified"].as_u64().unwrap() > 0);
    assert_eq!(result["series"][0]["name"], "switch");
    assert!(result["figures"][0]["value"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    assert!(fs::read_to_string(page).unwrap().contains("smoke"));
}

#[test]
fn accounts_that_nobody_uses_are_there_beside_the_load() {
    let options = ["--seconds", "1", "--rounds", "1", "--accounts", "5000", "--json"];
    let done = bench(&[&["smoke"][..], &options].concat());
    let result: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{:#}", result["faults"]);
    let crowded = &result["report"]["crowded"];
    let figure = |value: &Value| value.as_u64().unwrap();
    assert_eq!(figure(&crowded["accounts"]["count"]), 5000);
    assert!(figure(&crowded["accounts"]["issued_per_second"]) > 0);
    assert!(figure(&crowded["accounts"]["restart_ms"]) > 0);
    // A switch that does not hold them has grown by less.
    assert!(figure(&crowded["accounts"]["resident_each"]) > 20, "{crowded}");
    assert!(figure(&crowded["tps_without"]) > 0);
    assert!(figure(&crowded["kept_permille"]) > 0);
}

#[test]
fn a_scenario_that_cannot_be_used_is_said_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    fs::write(&file, "about = \"Mine.\"\nconnections = 1\nspeed = 9\n").unwrap();
    let wrong = bench(&[file.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("mine.toml:3: unknown field `speed`"), "{said}");
    let unsound = bench(&["smoke", "--seconds", "0"]);
    assert_eq!(unsound.status.code(), Some(1));
    let said = String::from_utf8(unsound.stderr).unwrap();
    assert_eq!(said, "error: seconds: 1 to 600\n");
}

/// Processes that this one started and that are not gone.
fn children(parent: u32) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        entry.unwrap().file_name().to_str().and_then(|name| name.parse::<u32>().ok())
    });
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest.to_owned());
        after_name.is_some_and(|rest| rest.split_whitespace().nth(1) == Some(&parent.to_string()))
    };
    numbers.filter(is_child).collect()
}

/// Sends `signal` to a benchmark under way, and expects that it goes without a trace.
fn ends_at_once(arguments: &[&str], signal: Signal, name: &str, status: i32) {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_posp"));
    command.arg("bench").args(arguments).env("TMPDIR", scratch.path());
    let bench = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !is_under_load(scratch.path()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it puts nothing on");
        std::thread::sleep(Duration::from_millis(20));
    }
    let children = children(bench.id());
    let sent = Instant::now();
    kill_process(Pid::from_child(&bench), signal).unwrap();
    let done = bench.wait_with_output().unwrap();
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(
        (said.as_str(), done.status.code()),
        (&*format!("error: ended by {name}\n"), Some(status))
    );
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "the scratch directory is left");
    for child in children {
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "a process is left");
    }
}

/// True once the journal of the benchmark below `scratch` has entries of its terminals.
fn is_under_load(scratch: &Path) -> bool {
    let Some(Ok(bench)) = fs::read_dir(scratch).unwrap().next() else { return false };
    let entries = store::entries(&bench.path().join("data"));
    entries.is_ok_and(|entries| entries.flatten().count() > 600)
}

#[test]
fn a_signal_ends_it_at_once_and_leaves_nothing() {
    let smoke = ["smoke", "--seconds", "60"];
    ends_at_once(&smoke, Signal::TERM, "SIGTERM", 143);
    ends_at_once(&smoke, Signal::INT, "SIGINT", 130);
}

#[test]
fn a_signal_ends_the_process_of_the_switch_too() {
    let idle = ["smoke", "--seconds", "60", "--rate", "200", "--idle", "10"];
    ends_at_once(&idle, Signal::TERM, "SIGTERM", 143);
}
