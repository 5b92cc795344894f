//! A sync that fails ends the node, and nothing that rested on it was answered.
//!
//! A failed sync is never tried again: the system may have dropped what it could not write, and
//! say of the next sync that it went well.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::journal::Journal;
use crate::node::{Ground, last_lines};
use crate::shop::Shop;
use crate::{Directory, FLOW, FLOW_MAX};

/// How long a node may go on after the sync has failed.
const END_MAX: Duration = Duration::from_secs(1);
/// How long it may take until enough was synced for one to fail.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lets the journal's disk fail `times` times, each time under a fresh node.
pub fn run(times: usize, seed: u64) {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, 1);
    let mut ground = Ground::new(&path, &shop.config);
    let (mut answered, mut unanswered, mut slowest) = (0, 0, Duration::ZERO);
    for number in 0..times {
        ground.data = path.join(format!("data-{number}"));
        let trace = path.join(format!("trace-{number}"));
        let fleet = Fleet::new(&shop, ground.pos, dice.next());
        let when = dice.within(20..=300);
        let mut node = ground.start_with_failing_sync("failing", when, &trace);
        let status = thread::scope(|scope| {
            let _closing = fleet.open(scope);
            node.wait(PATIENCE)
        });
        let said = last_lines(node.log());
        let status = status.unwrap_or_else(|| panic!("the node goes on:\n{said}"));
        assert_eq!(status.signal(), Some(6), "the node does not abort, {status}:\n{said}");
        slowest = slowest.max(time_to_the_end(&trace));
        assert!(slowest <= END_MAX, "the node ended after {slowest:?}:\n{said}");
        let journal = Journal::read(&ground.data);
        journal.audit(fleet.clients()).must_be_none();
        let not_durable = last_batch(&ground.data);
        let last: Vec<_> = journal.references.iter().rev().take(not_durable).collect();
        assert!(!last.is_empty(), "no sync of a batch failed:\n{said}");
        for client in fleet.clients() {
            let told = client.receipts.values().filter_map(|receipt| receipt.rrn.as_deref());
            let told = told.chain(client.inquiries.iter().map(|inquiry| inquiry.rrn.as_str()));
            for rrn in told {
                answered += 1;
                let is_durable = last.iter().all(|reference| reference.to_string() != rrn);
                assert!(is_durable, "{rrn} was answered and is not durable");
            }
        }
        unanswered += last.len();
        let (node, _took) = ground.start("after");
        thread::scope(|scope| {
            let _closing = fleet.open(scope);
            assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
        });
    }
    println!("failing syncs              {times}");
    println!("answers before them        {answered}");
    println!("entries that rested on one {unanswered}, none of them answered");
    println!("failure to end of process  max {slowest:?}");
}

/// The time between the call that failed and the end of the process, as the tracer saw them.
fn time_to_the_end(trace: &Path) -> Duration {
    let text = fs::read_to_string(trace).unwrap();
    // Thread, seconds since 1970 with six decimals, what happened.
    let time = |line: &str| {
        let (seconds, micros) = line.split_whitespace().nth(1).unwrap().split_once('.').unwrap();
        let micros = Duration::from_micros(micros.parse().unwrap());
        Duration::from_secs(seconds.parse().unwrap()) + micros
    };
    let failed = text.lines().find(|line| line.contains("EIO")).map(time);
    let failed = failed.unwrap_or_else(|| panic!("no call failed:\n{text}"));
    time(text.lines().last().unwrap()) - failed
}

/// How many entries the last batch of the journal has. A batch begins with `POSPBAT1`; bytes 16
/// to 23 are its number, bytes 36 to 39 the count of its entries, both little-endian.
fn last_batch(data: &Path) -> usize {
    let mut last = (0, 0);
    for segment in fs::read_dir(data.join("journal")).unwrap() {
        let bytes = fs::read(segment.unwrap().path()).unwrap();
        for sector in bytes.chunks(512).filter(|sector| sector.starts_with(b"POSPBAT1")) {
            let number = u64::from_le_bytes(sector[16..24].try_into().unwrap());
            let count = u32::from_le_bytes(sector[36..40].try_into().unwrap());
            last = last.max((number, count));
        }
    }
    usize::try_from(last.1).unwrap()
}
