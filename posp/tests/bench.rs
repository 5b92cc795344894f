//! `posp bench` as a script sees it: what it prints, what it writes, how it exits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is a failure")]

use std::fs;
use std::process::{Command, Output};

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
