//! A node that is killed at any moment loses nothing that it has answered.
//!
//! A real `posp serve` serves many terminals and is killed with SIGKILL again and again, a random
//! time after traffic has begun to flow, sometimes while it is still recovering from the last
//! time. After each kill the journal on the disk is held against what the terminals saw; then a
//! node starts on the same directory and the terminals go on with what they kept. At the end the
//! node is told to stop, and journal, ledger and terminals must agree.
//!
//! `cargo test --release -p posp --test kill -- 50` kills 50 times; `--seed 7` repeats what chance
//! decides, though not the moments at which the machine does what it does. Without a number,
//! `KILLS` in the environment says it, or it is a short run.
//!
//! `-- --failing-sync 20` does something else 20 times: a sync of the journal fails with EIO. It
//! needs `strace`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    reason = "in a test a panic is a failure, and its report goes to whoever runs it"
)]

mod client;
mod dice;
mod failing_sync;
mod fleet;
mod journal;
mod ledger;
mod node;
mod shop;
mod tally;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use dice::Dice;
use fleet::Fleet;
use journal::Journal;
use node::{Ground, Node};
use shop::Shop;
use tally::Tally;

/// Kills of a short run.
const KILLS: usize = 6;
/// What chance follows, unless the command line says otherwise.
const SEED: u64 = 20_261_122;
/// How long a node may take from its start until it is ready.
const READY_MAX: Duration = Duration::from_secs(2);
/// How often a node may miss that in a row.
const ATTEMPTS: usize = 3;
/// How long after a start the first requests must be answered.
const FLOW_MAX: Duration = Duration::from_secs(20);
/// Answers that make traffic flow.
const FLOW: u64 = 50;
/// How long a node may take to end when it is told to: its default for requests under way.
const STOP_MAX: Duration = Duration::from_secs(30);
/// How long everybody may take to send what is owed and settle.
const CLOSE_MAX: Duration = Duration::from_secs(30);

/// What is asked of this run.
struct Plan {
    kills: usize,
    failing_syncs: usize,
    seed: u64,
}

fn main() {
    let Some(plan) = Plan::from_command_line() else { return };
    if plan.failing_syncs > 0 {
        return failing_sync::run(plan.failing_syncs, plan.seed);
    }
    println!("kill -9, {} times, seed {}", plan.kills, plan.seed);
    let mut tally = Tally::default();
    kill_first_starts(&plan, &mut tally);
    kill_under_load(&plan, &mut tally);
    println!("{tally}");
}

impl Plan {
    /// Reads the command line like other tests do; nothing if it asks for another test.
    fn from_command_line() -> Option<Self> {
        let from_environment = std::env::var("KILLS").map(|kills| kills.parse().unwrap());
        let kills = from_environment.unwrap_or(KILLS);
        let mut plan = Self { kills, failing_syncs: 0, seed: SEED };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => return None,
                "--seed" => plan.seed = arguments.next().unwrap().parse().unwrap(),
                "--failing-sync" => {
                    plan.failing_syncs = arguments.next().unwrap().parse().unwrap();
                }
                flag if flag.starts_with('-') => {}
                other => match other.parse() {
                    Ok(kills) => plan.kills = kills,
                    Err(_) if "kill".contains(other) => {}
                    Err(_) => return None,
                },
            }
        }
        Some(plan)
    }
}

/// A directory that stays if the test fails, so that one can look at it.
struct Directory(Option<TempDir>);

impl Directory {
    fn new() -> (Self, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        (Self(Some(dir)), path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(dir) = self.0.take()
        {
            println!("everything is kept in {}", dir.keep().display());
        }
    }
}

/// A node that is killed while it sets up a programme for the first time goes on with it at the
/// next start: every card is there, and none twice.
fn kill_first_starts(plan: &Plan, tally: &mut Tally) {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(plan.seed);
    let shop = Shop::open(&path, plan.seed, 50 + 8 * plan.kills);
    let mut ground = Ground::new(&path, &shop.config);
    let (node, whole) = ground.start("whole");
    drop(node);
    for number in 0..plan.kills.div_ceil(2) {
        ground.data = path.join(format!("first-{number}"));
        let node = ground.spawn("killed");
        thread::sleep(Duration::from_micros(dice.within(0..=micros(whole))));
        node.kill();
        tally.kills_of_starts += 1;
        let (node, _took) = ground.start("next");
        node.kill();
        let journal = Journal::read(&ground.data);
        assert!(journal.faults.is_empty(), "{:?}", journal.faults);
        assert_eq!(journal.cards_issued(), shop.cards.len(), "cards of the programme");
    }
}

fn kill_under_load(plan: &Plan, tally: &mut Tally) {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(plan.seed);
    let shop = Shop::open(&path, plan.seed, plan.kills);
    let ground = Ground::new(&path, &shop.config);
    let fleet = Fleet::new(&shop, ground.pos, plan.seed);
    let node = thread::scope(|scope| {
        let (mut node, _took) = ground.start("life-0");
        let _closing = fleet.open(scope);
        for life in 1..=plan.kills {
            let flow = fleet.wait_for_answers(FLOW, FLOW_MAX);
            assert!(flow.is_some(), "nobody is answered:\n{}", node.last_words());
            thread::sleep(Duration::from_millis(dice.within(5..=500)));
            assert!(node.is_running(), "the node ended by itself:\n{}", node.last_words());
            node.kill();
            tally.kills += 1;
            fleet.next_life(&mut dice);
            audit(&ground, &fleet, tally);
            if life == plan.kills.div_ceil(2) {
                rest_under_load(&ground, &fleet, tally);
            }
            if dice.in_thousand(250) {
                kill_recovery(&ground, &mut dice, tally);
            }
            node = restart(&ground, &fleet, &format!("life-{life}"), tally);
        }
        assert!(fleet.close(CLOSE_MAX), "not everybody could settle:\n{}", node.last_words());
        node
    });
    refuse_second(&ground);
    stop(node, tally);
    let journal = audit(&ground, &fleet, tally);
    let differences = ledger::differences(&ground.ledger(), &journal);
    assert!(differences.is_empty(), "{differences:?}");
    let (status, report) = ground.check();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert!(status.success() && report["ok"] == true, "{status}: {report}");
    assert_eq!(report["ledger_entries"], report["entries"], "{report}");
}

/// Starts a node on what the last one left, and measures how soon it is ready.
///
/// What counts is the time without that in which the machine was busy with something else. A busy
/// disk is still in it, but makes a start slow once; a node that is slow is slow each time.
fn restart(ground: &Ground, fleet: &Fleet<'_>, name: &str, tally: &mut Tally) -> Node {
    let mut slow = 0;
    loop {
        let (node, took) = ground.start(name);
        let starved = node.starved();
        tally.ready.push(took);
        tally.starved.push(starved.min(took));
        if took.saturating_sub(starved) <= READY_MAX {
            let first = fleet.wait_for_answers(1, FLOW_MAX);
            tally.first_answer.extend(first.map(|first| took + first));
            return node;
        }
        slow += 1;
        assert!(
            slow < ATTEMPTS,
            "ready after {took:?}, starved {starved:?}:\n{}",
            node.last_words()
        );
        node.kill();
    }
}

/// Kills a node before it can be ready.
fn kill_recovery(ground: &Ground, dice: &mut Dice, tally: &mut Tally) {
    let usual = tally.ready.last().copied().unwrap_or(Duration::from_millis(50));
    let node = ground.spawn("recovery");
    thread::sleep(Duration::from_micros(dice.within(0..=micros(usual))));
    node.kill();
    tally.kills_of_starts += 1;
}

/// A node that is told to stop under load answers what it has taken and ends well; the next one
/// starts from its snapshot.
fn rest_under_load(ground: &Ground, fleet: &Fleet<'_>, tally: &mut Tally) {
    let node = restart(ground, fleet, "rest", tally);
    assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
    stop(node, tally);
    audit(ground, fleet, tally);
}

/// Tells a node to stop: it ends with 0, in time.
fn stop(node: Node, tally: &mut Tally) {
    let log = node.log().to_owned();
    let (status, took) = node.terminate(STOP_MAX);
    let said = node::last_lines(&log);
    assert!(status.is_some_and(|status| status.success()), "told to stop: {status:?}\n{said}");
    tally.stops.push(took);
}

/// A second node on the same directory does not start, and says why.
fn refuse_second(ground: &Ground) {
    let (status, said) = ground.start_second(Duration::from_secs(10));
    let status = status.expect("a second node ends of itself");
    assert!(!status.success(), "a second node ran:\n{said}");
    assert!(said.contains("another process"), "a second node says:\n{said}");
}

/// Holds the journal, as it lies on the disk, against what the terminals saw.
fn audit(ground: &Ground, fleet: &Fleet<'_>, tally: &mut Tally) -> Journal {
    let report = store::check(&ground.data, |_| {}).unwrap();
    assert!(report.ok && !report.running, "{report:?}");
    tally.torn_tails += u64::from(report.torn_bytes > 0);
    let journal = Journal::read(&ground.data);
    let findings = journal.audit(fleet.clients());
    tally.take(&journal, &findings, fleet);
    findings.must_be_none();
    journal
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}
