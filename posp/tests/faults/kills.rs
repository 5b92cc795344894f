//! A node that is killed at any moment loses nothing that it has answered.
//!
//! It is killed with SIGKILL a random time after traffic has begun to flow, sometimes while it is
//! still recovering from the last time. At the end it is told to stop, and journal, ledger and
//! terminals must agree.

use std::thread;
use std::time::Duration;

use crate::audit::{audit, finish};
use crate::dice::Dice;
use crate::directory::Directory;
use crate::fleet::Fleet;
use crate::journal::Journal;
use crate::node::{Ground, Node};
use crate::shop::Shop;
use crate::summary::Row;
use crate::tally::Tally;
use crate::{FLOW, FLOW_MAX};

/// How long a node may take from its start until it is ready.
const READY_MAX: Duration = Duration::from_secs(2);
/// How often a node may miss that in a row.
const ATTEMPTS: usize = 3;

/// Kills in one directory: what an audit reads grows with each.
const SPELL: usize = 20;

/// Kills a node `times` times under load, and now and then before it can be ready.
pub fn run(times: usize, seed: u64) -> Row {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed);
    let mut left = times;
    while left > 0 {
        let kills = left.min(SPELL);
        kill_first_starts(kills, dice.next(), &mut tally);
        kill_under_load(kills, dice.next(), &mut tally);
        left -= kills;
        println!("{} of {times} kills", times - left);
    }
    println!("{tally}");
    tally.row
}

/// A node that is killed while it sets up a programme for the first time goes on with it at the
/// next start: every card is there, and none twice.
fn kill_first_starts(kills: usize, seed: u64, tally: &mut Tally) {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, 50 + 8 * kills);
    let mut ground = Ground::new(&path, &shop.config);
    let (node, whole) = ground.start("whole");
    drop(node);
    for number in 0..kills.div_ceil(5) {
        ground.data = path.join(format!("first-{number}"));
        let node = ground.spawn("killed");
        thread::sleep(Duration::from_micros(dice.within(0..=micros(whole))));
        node.kill();
        tally.kills_of_starts += 1;
        must_go_on_with_programme(&ground, &shop);
    }
}

/// Starts a node where another did not come to its end with a programme: after that, every card
/// is there, and none twice.
pub fn must_go_on_with_programme(ground: &Ground, shop: &Shop) {
    let (node, _took) = ground.start("next");
    node.kill();
    let journal = Journal::read(&ground.data);
    assert!(journal.faults.is_empty(), "{:?}", journal.faults);
    assert_eq!(journal.cards_issued(), shop.cards.len(), "cards of the programme");
}

fn kill_under_load(kills: usize, seed: u64, tally: &mut Tally) {
    let (_directory, path) = Directory::new();
    let mut dice = Dice::new(seed);
    let shop = Shop::open(&path, seed, kills);
    let ground = Ground::new(&path, &shop.config);
    let fleet = Fleet::new(&shop, ground.pos, seed);
    let audited = thread::scope(|scope| {
        let (mut node, _took) = ground.start("life-0");
        let _closing = fleet.open(scope);
        for life in 1..=kills {
            let flow = fleet.wait_for_answers(FLOW, FLOW_MAX);
            assert!(flow.is_some(), "nobody is answered:\n{}", node.last_words());
            thread::sleep(Duration::from_millis(dice.within(5..=500)));
            assert!(node.is_running(), "the node ended by itself:\n{}", node.last_words());
            node.kill();
            tally.row.times += 1;
            fleet.next_life(&mut dice);
            tally.row.torn_tails += u64::from(audit(&ground, &fleet).is_torn);
            if life == kills.div_ceil(2) {
                rest_under_load(&ground, &fleet, tally);
            }
            if dice.in_thousand(250) {
                kill_recovery(&ground, &mut dice, tally);
            }
            node = restart(&ground, &fleet, &format!("life-{life}"), tally);
            if life % 10 == 0 {
                println!("{} kills, {} answers in this spell", tally.row.times, fleet.answers());
            }
        }
        refuse_second(&ground);
        finish(&ground, &fleet, node)
    });
    tally.take(&audited, &fleet);
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
        tally.row.ready.push(took);
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
    let usual = tally.row.ready.last().copied().unwrap_or(Duration::from_millis(50));
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
    tally.stops.push(node.stop());
    audit(ground, fleet);
}

/// A second node on the same directory does not start, and says why.
fn refuse_second(ground: &Ground) {
    let (status, said) = ground.start_second(Duration::from_secs(10));
    let status = status.expect("a second node ends of itself");
    assert!(!status.success(), "a second node ran:\n{said}");
    assert!(said.contains("another process"), "a second node says:\n{said}");
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}
