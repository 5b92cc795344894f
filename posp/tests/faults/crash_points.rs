//! A node that is killed at any one of the system calls that a roll of the journal and a snapshot
//! are made of loses nothing.
//!
//! First a node is watched until its journal has gone on to another segment, the segment after
//! that is made, and a snapshot was written and an old one removed. Then a node is killed at the
//! first of the calls that were seen, another one at the second, and so on, for each thread that
//! makes any: before the call is made, which is after the one before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::{audit, finish};
use crate::dice::Dice;
use crate::directory::{Directory, copy};
use crate::fleet::Fleet;
use crate::node::{Ground, last_lines};
use crate::shop::{Shop, Tuning};
use crate::summary::Row;
use crate::tracer::Tracer;
use crate::{FLOW_MAX, client};

/// The threads that write, as the node calls them.
const THREADS: [&str; 3] = ["posp-journal", "posp-segments", "posp-drain"];
/// The calls by which anything becomes durable, or has a name.
const CALLS: &str = "pwrite64,fdatasync,fsync,ftruncate,fallocate,openat,/^rename,/^unlink";
/// Terminals: few, so that a batch of the journal is small and a roll has many of them.
const TERMINALS: usize = 4;
/// How long it may take until a call comes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Answers after which a node that was started again is taken to serve.
const FLOW: u64 = 20;

/// A call at which a node is killed.
#[derive(Clone, Debug)]
struct Point {
    thread: &'static str,
    call: String,
    /// Counted from 1 when the tracer is there.
    nth: usize,
}

/// Where nodes are killed, and with what they begin.
struct Scene {
    shop: Shop,
    ground: Ground,
    /// A data directory with the programme and nothing else.
    base: PathBuf,
    path: PathBuf,
}

/// Kills a node at each point, or at `count` of them, some of every kind.
pub fn run(count: usize, seed: u64) -> Row {
    let (_directory, path) = Directory::new();
    let tuning = Tuning { segment_size: "64KiB", snapshot_entries: 40, ..Tuning::default() };
    let shop = Shop::open_tuned(&path, seed, 0, &tuning);
    let mut ground = Ground::new(&path, &shop.config);
    let base = path.join("base");
    ground.data.clone_from(&base);
    ground.start("base").0.stop();
    ground.data = path.join("data");
    let scene = Scene { shop, ground, base, path };
    let mut dice = Dice::new(seed);
    let points = scene.points(&mut dice);
    let total = points.len();
    let count = count.min(total);
    println!("one roll and a snapshot are {total} calls");
    let mut row = Row::default();
    for (number, point) in points.into_iter().take(count).enumerate() {
        scene.kill_at(&point, dice.next(), &mut row);
        row.times += 1;
        if (number + 1) % 25 == 0 {
            println!("{} of {count} crash points", number + 1);
        }
    }
    row.note = format!("of {total} calls that one roll of the journal and a snapshot are made of");
    row
}

impl Scene {
    /// Lays out a fresh data directory, and returns terminals that have seen nothing yet.
    fn begin(&self, seed: u64) -> Fleet<'_> {
        drop(fs::remove_dir_all(&self.ground.data));
        copy(&self.base, &self.ground.data);
        let terminals = &self.shop.terminals[..TERMINALS];
        Fleet::of(&self.shop, terminals, self.ground.pos, seed, client::TIMEOUT)
    }

    /// Watches a node through a roll and a snapshot, and returns the calls that it made: of each
    /// kind the first, in any order, then of each another one, and so on.
    fn points(&self, dice: &mut Dice) -> Vec<Point> {
        let fleet = self.begin(dice.next());
        let (node, _took) = self.ground.start("watched");
        let tracers = THREADS.map(|name| {
            let trace = self.path.join(format!("watched-{name}"));
            Tracer::attach(&node, name, CALLS, None, &trace)
        });
        let begun = Instant::now();
        let seen = thread::scope(|scope| {
            let _closing = fleet.open(scope);
            loop {
                let lines = tracers.each_ref().map(|tracer| calls(&tracer.lines()));
                if is_whole(&lines) {
                    break lines;
                }
                assert!(
                    begun.elapsed() < PATIENCE,
                    "no roll or no snapshot: {}",
                    node.last_words()
                );
                thread::sleep(Duration::from_millis(20));
            }
        });
        let mut kinds: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for (thread, calls) in THREADS.into_iter().zip(seen) {
            for call in calls {
                *kinds.entry((thread, name(&call).to_owned())).or_default() += 1;
            }
        }
        let mut points = Vec::new();
        for ((thread, call), count) in kinds {
            println!("{thread:<14} {call:<10} {count:>4}");
            let point = |nth| Point { thread, call: call.clone(), nth };
            let mut of_kind: Vec<_> = (1..=count).map(point).collect();
            dice.shuffle(&mut of_kind);
            points.extend(of_kind.into_iter().enumerate());
        }
        points.sort_by_key(|(rank, _)| *rank);
        points.into_iter().map(|(_, point)| point).collect()
    }

    /// Kills a node at `point`, starts another on what is left, and lets everybody settle.
    fn kill_at(&self, point: &Point, seed: u64, row: &mut Row) {
        let fleet = self.begin(seed);
        let (mut node, _took) = self.ground.start("killed");
        let inject = format!("signal=SIGKILL:when={}", point.nth);
        let trace = self.path.join("trace");
        let tracer = Tracer::attach(&node, point.thread, &point.call, Some(&inject), &trace);
        let audited = thread::scope(|scope| {
            let _closing = fleet.open(scope);
            let status = node.wait(PATIENCE);
            let said = last_lines(node.log());
            let status = status.unwrap_or_else(|| panic!("{point:?} does not come:\n{said}"));
            assert_eq!(status.signal(), Some(9), "{point:?}: {status}\n{said}");
            drop(tracer);
            row.torn_tails += u64::from(audit(&self.ground, &fleet).is_torn);
            let (node, took) = self.ground.start("next");
            row.ready.push(took);
            let flow = fleet.wait_for_answers(FLOW, FLOW_MAX);
            assert!(flow.is_some(), "{point:?}: nobody is answered\n{}", node.last_words());
            finish(&self.ground, &fleet, node)
        });
        row.add(&audited);
    }
}

/// The calls among what was traced.
fn calls(lines: &[(Duration, String)]) -> Vec<String> {
    let lines = lines.iter().map(|(_, what)| what);
    lines.filter(|what| what.contains('(')).cloned().collect()
}

fn name(call: &str) -> &str {
    call.split('(').next().unwrap()
}

/// True once the journal has gone on to another segment, the one after that is made, and a
/// snapshot was written and an old one removed.
fn is_whole([journal, segments, drain]: &[Vec<String>; 3]) -> bool {
    let syncs = journal.iter().filter(|call| name(call) == "fdatasync");
    let synced: BTreeSet<_> = syncs.filter_map(|call| call.split(['<', '>']).nth(1)).collect();
    let renamed = segments.iter().position(|call| name(call).starts_with("rename"));
    let is_made = renamed.is_some_and(|place| segments[place..].iter().any(|c| name(c) == "fsync"));
    let removes = |call: &String| name(call).starts_with("unlink") && call.contains(".snapshot");
    synced.len() > 1 && is_made && drain.iter().any(removes)
}
