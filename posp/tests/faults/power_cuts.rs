//! A power cut: what was written and not synced is gone.
//!
//! kill -9 cannot show a missing sync, because the system still writes what a dead process wrote.
//! So the node runs on an ext4 of its own, which is told to forget what it has not written.

use std::thread;
use std::time::Duration;

use crate::audit::{audit, finish};
use crate::dice::Dice;
use crate::directory::Directory;
use crate::fleet::Fleet;
use crate::journal::Journal;
use crate::kills::{micros, must_go_on_with_programme};
use crate::node::Ground;
use crate::shop::Shop;
use crate::summary::Row;
use crate::tools::compile;
use crate::volume::Volume;
use crate::{FLOW, FLOW_MAX};

/// A sync that does nothing and says that it went well.
const NO_SYNC: &str = "int fsync(int file) { return 0; }\nint fdatasync(int file) { return 0; }\n";

/// Cuts the power `times` times under load, and now and then before a node is ready.
pub fn run(times: usize, seed: u64) -> Row {
    let mut row = Row::default();
    cut_first_starts(times.div_ceil(5), seed, &mut row);
    let before = row.times;
    cut_under_load(times, seed, &mut row);
    row.note = format!("{before} of the cuts while a programme was set up");
    row
}

/// A node whose machine loses power while it sets up a programme for the first time goes on with
/// it at the next start.
fn cut_first_starts(times: usize, seed: u64, row: &mut Row) {
    let (_directory, path) = Directory::new();
    let mut volume = Volume::ext4(&path);
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, 50);
    let mut ground = Ground::new(&path, &shop.config);
    ground.data = volume.path.join("whole");
    let (node, whole) = ground.start("whole");
    drop(node);
    for number in 0..times {
        ground.data = volume.path.join(format!("first-{number}"));
        cut_start(&ground, &mut volume, dice.within(0..=micros(whole)));
        row.times += 1;
        must_go_on_with_programme(&ground, &shop);
    }
}

/// Starts a node and cuts its power so many microseconds later.
fn cut_start(ground: &Ground, volume: &mut Volume, later: u64) {
    let node = ground.spawn("cut");
    thread::sleep(Duration::from_micros(later));
    volume.cut_power();
    node.kill();
    volume.start_again();
}

fn cut_under_load(times: usize, seed: u64, row: &mut Row) {
    let (_directory, path) = Directory::new();
    let mut volume = Volume::ext4(&path);
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, times);
    let mut ground = Ground::new(&path, &shop.config);
    ground.data = volume.path.join("data");
    let fleet = Fleet::new(&shop, ground.pos, seed);
    let audited = thread::scope(|scope| {
        let (mut node, mut took) = ground.start("life-0");
        let _closing = fleet.open(scope);
        for life in 1..=times {
            let flow = fleet.wait_for_answers(FLOW, FLOW_MAX);
            assert!(flow.is_some(), "nobody is answered:\n{}", node.last_words());
            thread::sleep(Duration::from_millis(dice.within(5..=500)));
            assert!(node.is_running(), "the node ended by itself:\n{}", node.last_words());
            volume.cut_power();
            node.kill();
            row.times += 1;
            fleet.next_life(&mut dice);
            volume.start_again();
            row.torn_tails += u64::from(audit(&ground, &fleet).is_torn);
            if dice.in_thousand(250) {
                cut_start(&ground, &mut volume, dice.within(0..=micros(took)));
                row.times += 1;
                audit(&ground, &fleet);
            }
            (node, took) = ground.start(&format!("life-{life}"));
            row.ready.push(took);
            if life % 10 == 0 {
                println!("{life} of {times} power cuts under load, {} answers", fleet.answers());
            }
        }
        finish(&ground, &fleet, node)
    });
    row.add(&audited);
}

/// Does the same to a node whose syncs do nothing, and fails unless that is found out within
/// `times` cuts.
pub fn catch_mutant(times: usize, seed: u64) -> Row {
    let (_directory, path) = Directory::new();
    let mut volume = Volume::ext4(&path);
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, times);
    let mut ground = Ground::new(&path, &shop.config);
    let library = compile(&path, "no-sync.so", NO_SYNC, &["-shared", "-fPIC", "-x", "c"]);
    let mut row = Row::default();
    for cut in 1..=times {
        // A directory that was set up with syncs that work: only what is answered can be lost.
        ground.data = volume.path.join(format!("data-{cut}"));
        ground.preload = None;
        ground.start("sound").0.stop();
        ground.preload = Some(library.clone());
        let fleet = Fleet::new(&shop, ground.pos, dice.next());
        thread::scope(|scope| {
            let (node, _took) = ground.start("mutant");
            let _closing = fleet.open(scope);
            assert!(fleet.wait_for_answers(FLOW, FLOW_MAX).is_some(), "{}", node.last_words());
            thread::sleep(Duration::from_millis(dice.within(5..=500)));
            volume.cut_power();
            node.kill();
        });
        volume.start_again();
        row.times += 1;
        if let Some(found) = find_out(&ground, &fleet) {
            row.note = format!("found out at cut {cut}: {found}");
            println!("{}", row.note);
            return row;
        }
    }
    panic!("a node that does not sync was not found out in {times} power cuts");
}

/// Returns what an audit says of a node that forgot something, if it sees it.
fn find_out(ground: &Ground, fleet: &Fleet<'_>) -> Option<String> {
    match store::check(&ground.data, |_| {}) {
        Err(error) => return Some(error.to_string()),
        Ok(report) if !report.ok => return Some(format!("{:?}", report.first_violation)),
        Ok(_) => {}
    }
    let findings = Journal::read(&ground.data).audit(fleet.clients());
    let (lost, seen) = (findings.lost, findings.approvals_seen);
    (lost > 0).then(|| format!("{lost} of {seen} approvals are lost"))
}
