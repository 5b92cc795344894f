//! A slow disk, and one that stands still for a while: a terminal that has given up is not told
//! that its sale was approved, and what waits does not grow without bound.

use std::thread;
use std::time::Duration;

use crate::audit::finish;
use crate::directory::Directory;
use crate::fleet::Fleet;
use crate::node::Ground;
use crate::shop::{Shop, Tuning};
use crate::summary::Row;
use crate::tracer::Tracer;
use crate::{FLOW, FLOW_MAX};

/// After this a node does not answer any more.
const DEADLINE: &str = "1s";
/// When a terminal would have given up. What lies between is for a busy machine.
const LATE: Duration = Duration::from_millis(2_500);
/// How long terminals wait all the same, to see what comes late.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A slow disk: each sync takes this many microseconds more. It is watched for so long.
const SLOW: (&str, Duration) = ("delay_enter=50000", Duration::from_secs(3));
/// A disk that stands still: every third sync takes 4 seconds.
const STILL: (&str, Duration) = ("delay_enter=4000000:when=1+3", Duration::from_secs(10));
/// By how much the memory of a node may grow meanwhile.
const GROWTH_MAX_KIB: u64 = 64 << 10;

/// Slows the disk of a node down, and then stops it again and again, `times` times over.
pub fn run(times: usize, seed: u64) -> Row {
    let (_directory, path) = Directory::new();
    let tuning = Tuning { answer_deadline: DEADLINE, ..Tuning::default() };
    let shop = Shop::open_tuned(&path, seed, 1, &tuning);
    let ground = Ground::new(&path, &shop.config);
    let fleet = Fleet::of(&shop, &shop.terminals, ground.pos, seed, TIMEOUT);
    let (node, _took) = ground.start("slow");
    let (mut row, mut growth) = (Row::default(), 0);
    let audited = thread::scope(|scope| {
        let _closing = fleet.open(scope);
        for number in 1..=times {
            assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
            let before = node.resident_kib();
            for (inject, watched) in [SLOW, STILL] {
                let trace = path.join("trace");
                let _tracer =
                    Tracer::attach(&node, "posp-journal", "fdatasync", Some(inject), &trace);
                thread::sleep(watched);
            }
            growth = growth.max(node.resident_kib().saturating_sub(before));
            row.times += 1;
            println!("{number} of {times} slow disks, {} answers", fleet.answers());
        }
        assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
        let late = ground.figure("posp_late_total");
        assert!(late > 0, "no answer was too late: nothing was tested");
        let audited = finish(&ground, &fleet, node);
        row.note = format!("{late} answers were too late and not given");
        audited
    });
    row.add(&audited);
    let slowest = fleet.clients().map(|client| client.slowest).max().unwrap();
    assert!(slowest < LATE, "an answer was given after {slowest:?}");
    assert!(growth < GROWTH_MAX_KIB, "the node grew by {growth} KiB");
    row.note += &format!(
        ", the slowest that was came after {} ms; the node grew by {growth} KiB",
        slowest.as_millis()
    );
    row
}
