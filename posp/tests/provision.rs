//! `posp provision` end to end: what it issues, what it leaves alone, and what a kill leaves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use domain::shard::{CardIssued, Event};
use serde_json::Value;
use switch::programme::Programme;
use tempfile::TempDir;

fn command(data: &Path, count: u64, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posp"));
    let count = count.to_string();
    command.args(["provision", "--demo", "--product", "2", "--json", "--count", &count]);
    command.arg("--data").arg(data).args(more);
    command
}

fn provision(data: &Path, count: u64, more: &[&str]) -> Output {
    command(data, count, more).output().unwrap()
}

/// Runs the command, and returns what it says: how many are new, how many were there.
fn done(data: &Path, count: u64, more: &[&str]) -> (u64, u64) {
    let output = provision(data, count, more);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["cards"], issued(data).len());
    (said["issued"].as_u64().unwrap(), said["known"].as_u64().unwrap())
}

/// Returns every card of the journal, after a look that no two share a number.
fn issued(data: &Path) -> Vec<CardIssued> {
    let events = store::entries(data).unwrap().map(|entry| entry.unwrap().event);
    let cards: Vec<_> = events
        .filter_map(|event| if let Event::CardIssued(card) = event { Some(*card) } else { None })
        .collect();
    let numbers: BTreeSet<_> = cards.iter().map(|card| card.identity.index).collect();
    assert_eq!(numbers.len(), cards.len(), "no two cards have one number");
    cards
}

fn check(data: &Path) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_posp"));
    let output = check.args(["check", "--json"]).arg(data).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["ok"], true, "{said}");
    assert_eq!(said["entries"], said["ledger_entries"], "the ledger is up to date");
    assert_eq!(said["entries"], said["snapshot_lsn"], "and so is the snapshot");
}

fn fresh() -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    (dir, data)
}

#[test]
fn cards_are_issued_once_and_the_books_hold_them() {
    let (_dir, data) = fresh();
    assert_eq!(done(&data, 300, &["--opening", "12.34"]), (300, 0));
    check(&data);
    assert_eq!(done(&data, 500, &["--opening", "12.34"]), (200, 300));
    check(&data);
    let cards = issued(&data);
    assert_eq!(cards.len(), Programme::demo().cards.len() + 500);
    let bulk = &cards[Programme::demo().cards.len()..];
    assert!(bulk.iter().all(|card| card.opening.money().fen() == 1234));
    assert!(bulk.iter().all(|card| card.terms.product.0 == 2 && card.identity.pin.is_none()));
}

/// What lies there is sealed, and is still nobody else's to read.
#[test]
fn files_are_their_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_kept, data) = fresh();
    done(&data, 1, &[]);
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
}

#[test]
fn a_number_of_the_programme_is_not_given_again() {
    let (_dir, data) = fresh();
    let programme = Programme::demo();
    // The run begins with the first number of the programme's longest range.
    let first = "6212142000000000004";
    let run = b"6212142000000000000"..b"6212142000000003000";
    let listed = programme.cards.iter().filter(|card| {
        let digits = card.pan.digits();
        digits.len() == 19 && run.contains(&digits.first_chunk::<19>().unwrap())
    });
    let listed = u64::try_from(listed.count()).unwrap();
    assert!(listed > 0, "the programme has cards there");
    assert_eq!(done(&data, 300, &["--first-pan", first]), (300 - listed, listed));
    check(&data);
}

#[test]
fn what_a_kill_cut_short_goes_on() {
    let (_dir, data) = fresh();
    let mut child = command(&data, 10_000_000, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let durable = || store::entries(&data).map_or(0, |entries| entries.flatten().count());
    while durable() < 10_000 {
        assert!(begun.elapsed() < Duration::from_secs(120), "it issues nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = u64::try_from(issued(&data).len() - Programme::demo().cards.len()).unwrap();
    let (fresh, known) = done(&data, before + 2000, &[]);
    // Two actors commit side by side: of the last cards on their way, some may be missing.
    assert_eq!(fresh + known, before + 2000);
    assert!((before - 4096..=before).contains(&known), "{known} of {before} were kept");
    check(&data);
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is() {
    let (_dir, data) = fresh();
    let refused = |count: u64, more: &[&str], why: &str| {
        let output = provision(&data, count, more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused(1, &["--opening", "5000.01"], "more than a card of this product may hold");
    refused(1, &["--first-pan", "6251880000000008"], "not of an own, enabled issuer");
    refused(2_000_000_000_000, &[], "not of an own, enabled issuer");
    refused(1, &["--first-pan", "6212142000000000005"], "not a card number");
    assert!(!data.exists(), "nothing was begun");
    let (held, _) = store::EmbeddedJournal::open(&data, store::Options::default()).unwrap();
    refused(1, &[], "another process runs on this data directory");
    drop(held);
}
