//! A write or a sync of the journal that fails ends the node, and nothing that rested on it was
//! answered. A segment that cannot be made ends it once the segment is needed.
//!
//! A failed sync is never tried again: the system may have dropped what it could not write, and
//! say of the next sync that it went well.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::audit::{audit, finish};
use crate::dice::Dice;
use crate::directory::Directory;
use crate::fleet::Fleet;
use crate::node::{Ground, last_lines};
use crate::shop::{Shop, Tuning};
use crate::summary::Row;
use crate::tracer::Tracer;
use crate::{FLOW, FLOW_MAX};

/// What fails in turn: a call of a thread, and the most of these calls that go well before.
const PLACES: [(&str, &str, u64); 4] = [
    (WRITER, "fdatasync", 300),
    (WRITER, "pwrite64", 300),
    ("posp-segments", "fdatasync", 3),
    ("posp-segments", "rename", 2),
];
/// The thread that writes what is answered.
const WRITER: &str = "posp-journal";
/// How long a node may go on after the call has failed.
const END_MAX: Duration = Duration::from_secs(1);
/// How long it may take until there were enough calls for one to fail.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lets the journal's disk fail `times` times, each time under a fresh node.
pub fn run(times: usize, seed: u64) -> Row {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(seed);
    let tuning = Tuning { segment_size: "64KiB", ..Tuning::default() };
    let shop = Shop::open_tuned(&path, seed, 1, &tuning);
    let mut ground = Ground::new(&path, &shop.config);
    let (mut unanswered, mut slowest, mut row) = (0, Duration::ZERO, Row::default());
    for (number, (name, call, most)) in PLACES.into_iter().cycle().take(times).enumerate() {
        ground.data = path.join(format!("data-{number}"));
        let trace = path.join(format!("trace-{number}"));
        let fleet = Fleet::new(&shop, ground.pos, dice.next());
        let when = dice.within(1..=most);
        let (mut node, _took) = ground.start("failing");
        let inject = format!("error=EIO:when={when}");
        let tracer = Tracer::attach(&node, name, call, Some(&inject), &trace);
        let audited = thread::scope(|scope| {
            let _closing = fleet.open(scope);
            let status = node.wait(PATIENCE);
            let said = last_lines(node.log());
            let status = status.unwrap_or_else(|| panic!("the node goes on:\n{said}"));
            assert_eq!(status.signal(), Some(6), "the node does not abort, {status}:\n{said}");
            let took = time_to_the_end(&tracer.into_all_lines());
            if name == WRITER {
                slowest = slowest.max(took);
                assert!(took <= END_MAX, "the node ended after {took:?}:\n{said}");
            }
            if (name, call) == (WRITER, "fdatasync") {
                unanswered += must_be_unanswered(&ground, &fleet);
            } else {
                audit(&ground, &fleet);
            }
            let (node, took) = ground.start("after");
            row.ready.push(took);
            assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
            finish(&ground, &fleet, node)
        });
        row.times += 1;
        row.add(&audited);
    }
    row.note = format!(
        "{unanswered} entries rested on a sync that failed, none of them answered; \
         the process ended after {slowest:?} at most"
    );
    row
}

/// Returns how many entries the last batch of the journal has, none of which may be answered.
fn must_be_unanswered(ground: &Ground, fleet: &Fleet<'_>) -> usize {
    let journal = audit(ground, fleet).journal;
    let not_durable = last_batch(&ground.data);
    let last: Vec<_> = journal.references.iter().rev().take(not_durable).collect();
    assert!(!last.is_empty(), "no sync of a batch failed");
    for client in fleet.clients() {
        let told = client.receipts.values().filter_map(|receipt| receipt.rrn.as_deref());
        for rrn in told.chain(client.inquiries.iter().map(|inquiry| inquiry.rrn.as_str())) {
            let is_durable = last.iter().all(|reference| reference.to_string() != rrn);
            assert!(is_durable, "{rrn} was answered and is not durable");
        }
    }
    last.len()
}

/// The time between the call that failed and the end of the process, as the tracer saw them.
fn time_to_the_end(lines: &[(Duration, String)]) -> Duration {
    let failed = lines.iter().find(|(_, what)| what.contains("EIO")).map(|line| line.0);
    let end = lines.iter().find(|(_, what)| what.starts_with("+++ killed")).map(|line| line.0);
    let (failed, end) = failed.zip(end).unwrap_or_else(|| panic!("no call failed: {lines:?}"));
    end - failed
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
