//! A full disk: nothing more is sold, but what was sold can be undone; and it goes on by itself
//! once there is room.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::finish;
use crate::client::WithoutRoom;
use crate::directory::Directory;
use crate::fleet::Fleet;
use crate::node::{Ground, Node};
use crate::shop::Shop;
use crate::summary::Row;
use crate::volume::Volume;
use crate::{FLOW, FLOW_MAX};

/// The bytes of the disk.
const DISK: u64 = 128 << 20;
/// How long a terminal waits for an answer: a sale without room gets none.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long after the disk is full the node may take to see it.
const SEEN_MAX: Duration = Duration::from_secs(5);
/// How often the node looks whether there is room, and then some.
const LOOK: Duration = Duration::from_millis(1_500);
/// How long after there is room the node may go on to sell nothing.
const RESUME_MAX: Duration = Duration::from_secs(5);

/// Fills the disk of a node `times` times and frees it again.
pub fn run(times: usize, seed: u64) -> Row {
    let (_directory, path) = Directory::new();
    let volume = Volume::in_memory(&path, DISK);
    let shop = Shop::open(&path, seed, 1);
    let mut ground = Ground::new(&path, &shop.config);
    ground.data = volume.path.join("data");
    let fleet = Fleet::of(&shop, &shop.terminals, ground.pos, seed, TIMEOUT);
    let (mut row, mut sum, mut slowest) = (Row::default(), WithoutRoom::default(), Duration::ZERO);
    let (node, _took) = ground.start("full");
    for number in 1..=times {
        serve(&fleet, &node);
        let ballast = volume.path.join("ballast");
        fill(&ballast);
        let begun = Instant::now();
        while ground.is_ready() {
            assert!(begun.elapsed() < SEEN_MAX, "a full disk is not seen:\n{}", node.last_words());
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(LOOK);
        for found in fleet.everybody(|client| client.work_without_room(&shop)) {
            sum.reversals += found.reversals;
            sum.debits += found.debits;
        }
        fs::remove_file(&ballast).unwrap();
        let begun = Instant::now();
        let sold = fleet.everybody(|client| {
            while !client.sells_again(&shop) {
                assert!(begun.elapsed() < FLOW_MAX, "nothing is sold any more");
            }
            begun.elapsed()
        });
        let took = sold.into_iter().min().unwrap();
        assert!(took <= RESUME_MAX, "sold again only after {took:?}");
        slowest = slowest.max(took);
        row.times += 1;
        println!("{number} of {times} full disks");
    }
    let audited = thread::scope(|scope| {
        let _closing = fleet.open(scope);
        assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
        finish(&ground, &fleet, node)
    });
    row.add(&audited);
    let WithoutRoom { reversals, debits } = sum;
    assert!(reversals > 0 && debits > 0, "nobody tried");
    row.note = format!(
        "without room {reversals} reversals were taken and {debits} sales were not; \
         sold again after {} ms at most",
        slowest.as_millis()
    );
    row
}

/// Lets everybody work for a while.
fn serve(fleet: &Fleet<'_>, node: &Node) {
    thread::scope(|scope| {
        let _closing = fleet.open(scope);
        assert!(fleet.wait_for_answers(20 * FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
    });
}

/// Writes a file until there is no room left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 4096] {
        let bytes = vec![1; size];
        while file.write_all(&bytes).is_ok() {}
    }
}
