//! A node that is killed at any one of the system calls that a roll of the journal and a snapshot
//! are made of loses nothing; nor does one that is killed while it cuts off a batch that a crash
//! has left half written.
//!
//! First a node is watched until its journal has gone on to another segment, the segment after
//! that is made, and a snapshot was written and an old one removed. Then a node is killed at the
//! first of the calls that were seen, another one at the second, and so on, for each thread that
//! makes any: before the call is made, which is after the one before it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::{audit, finish};
use crate::dice::Dice;
use crate::directory::{Directory, copy};
use crate::fleet::Fleet;
use crate::node::{Ground, last_lines};
use crate::shop::{Shop, Tuning};
use crate::summary::Row;
use crate::tracer::{self, Tracer};
use crate::{FLOW_MAX, client};

/// The threads that write, as the node calls them.
const THREADS: [&str; 3] = ["posp-journal", "posp-segments", "posp-drain-idle"];
/// The first thread, which does what comes before a node is ready.
const STARTER: &str = "posp";
/// The calls by which anything becomes durable, or has a name.
const CALLS: &str = "pwrite64,fdatasync,fsync,ftruncate,fallocate,openat,/^rename,/^unlink";
/// The bytes of a segment before its first batch.
const HEADER: usize = 4096;
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
    /// The same, and its last batch is half written.
    torn: PathBuf,
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
    let torn = path.join("torn");
    copy(&base, &torn);
    tear(&torn);
    ground.data = path.join("data");
    let scene = Scene { shop, ground, base, torn, path };
    let mut dice = Dice::new(seed);
    let points = in_any_order(scene.points(&mut dice), &mut dice);
    let total = points.len();
    let count = count.min(total);
    let mut row = Row::default();
    for (number, point) in points.into_iter().take(count).enumerate() {
        scene.kill_at(&point, dice.next(), &mut row);
        row.times += 1;
        if (number + 1) % 25 == 0 {
            println!("{} of {count} crash points", number + 1);
        }
    }
    row.note =
        format!("of {total} calls that a roll, a snapshot and the start after it are made of");
    row
}

impl Scene {
    /// Lays out a fresh data directory.
    fn lay_out(&self, base: &Path) {
        drop(fs::remove_dir_all(&self.ground.data));
        copy(base, &self.ground.data);
    }

    /// Terminals that have seen nothing yet.
    fn fleet(&self, seed: u64) -> Fleet<'_> {
        let terminals = &self.shop.terminals[..TERMINALS];
        Fleet::of(&self.shop, terminals, self.ground.pos, seed, client::TIMEOUT)
    }

    /// Watches a node through a roll and a snapshot, and another one through a start, and returns
    /// the calls of each thread.
    fn watch(&self, dice: &mut Dice) -> Vec<(&'static str, Vec<String>)> {
        self.lay_out(&self.base);
        let fleet = self.fleet(dice.next());
        let (node, _took) = self.ground.start("watched");
        let tracers = THREADS.map(|name| {
            let trace = self.path.join(format!("watched-{name}"));
            Tracer::attach(&node, name, CALLS, None, &trace)
        });
        let begun = Instant::now();
        let seen = thread::scope(|scope| {
            let _closing = fleet.open(scope);
            loop {
                let seen = tracers.each_ref().map(|tracer| calls(&tracer.lines()));
                if let Some(whole) = whole(seen) {
                    break whole;
                }
                assert!(begun.elapsed() < PATIENCE, "no roll or snapshot: {}", node.last_words());
                thread::sleep(Duration::from_millis(20));
            }
        });
        drop(tracers);
        node.kill();
        THREADS.into_iter().zip(seen).chain([(STARTER, self.watch_start())]).collect()
    }

    /// Watches the first thread of a node that finds a batch half written.
    fn watch_start(&self) -> Vec<String> {
        self.lay_out(&self.torn);
        let trace = self.path.join("watched-start");
        let mut node = self.ground.spawn_traced("start", tracer::command(CALLS, None, &trace));
        self.ground.await_readiness(&mut node);
        node.kill();
        calls(&tracer::lines(&trace))
    }

    /// Returns a point for each call that was seen, by kind.
    fn points(&self, dice: &mut Dice) -> BTreeMap<(&'static str, String), Vec<Point>> {
        let mut kinds: BTreeMap<_, Vec<Point>> = BTreeMap::new();
        for (thread, calls) in self.watch(dice) {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for call in &calls {
                let name = name(call);
                let nth = counts.entry(name).or_default();
                *nth += 1;
                // A start also reads its configuration, and is still nothing then.
                if thread != STARTER || call.contains(self.ground.data.to_str().unwrap()) {
                    let point = Point { thread, call: name.to_owned(), nth: *nth };
                    kinds.entry((thread, name.to_owned())).or_default().push(point);
                }
            }
        }
        for ((thread, call), points) in &kinds {
            println!("{thread:<14} {call:<10} {:>4}", points.len());
        }
        kinds
    }

    /// Kills a node at `point`, starts another on what is left, and lets everybody settle.
    fn kill_at(&self, point: &Point, seed: u64, row: &mut Row) {
        let inject = format!("signal=SIGKILL:when={}", point.nth);
        let (call, trace) = (&point.call, self.path.join("trace"));
        let is_start = point.thread == STARTER;
        self.lay_out(if is_start { &self.torn } else { &self.base });
        let fleet = self.fleet(seed);
        let (mut node, tracer);
        if is_start {
            let command = tracer::command(call, Some(&inject), &trace);
            (node, tracer) = (self.ground.spawn_traced("killed", command), None);
        } else {
            node = self.ground.start("killed").0;
            let attached = Tracer::attach(&node, point.thread, call, Some(&inject), &trace);
            tracer = Some(attached);
        }
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

/// Of each kind one, in any order, then of each another one, and so on.
fn in_any_order(
    kinds: BTreeMap<(&'static str, String), Vec<Point>>,
    dice: &mut Dice,
) -> Vec<Point> {
    let mut points = Vec::new();
    for mut of_kind in kinds.into_values() {
        dice.shuffle(&mut of_kind);
        points.extend(of_kind.into_iter().enumerate());
    }
    points.sort_by_key(|(rank, _)| *rank);
    points.into_iter().map(|(_, point)| point).collect()
}

/// Spoils the last byte of the journal in `data`, as if its last batch had not been written whole.
fn tear(data: &Path) {
    let segments = fs::read_dir(data.join("journal")).unwrap();
    let mut segments: Vec<_> = segments.map(|segment| segment.unwrap().path()).collect();
    segments.sort();
    for path in segments.iter().rev() {
        let mut bytes = fs::read(path).unwrap();
        if let Some(last) = bytes[HEADER..].iter().rposition(|byte| *byte != 0) {
            bytes[HEADER + last] ^= 1;
            return fs::write(path, bytes).unwrap();
        }
    }
    panic!("a journal without a batch");
}

/// The calls among what was traced.
fn calls(lines: &[(Duration, String)]) -> Vec<String> {
    let lines = lines.iter().map(|(_, what)| what);
    lines.filter(|what| what.contains('(')).cloned().collect()
}

fn name(call: &str) -> &str {
    call.split('(').next().unwrap()
}

/// Returns the calls of each thread up to where its part is done, once all are: the journal has
/// gone on to another segment, the one after that is made, and a snapshot was written and an old
/// one removed.
fn whole([mut journal, mut segments, mut drain]: [Vec<String>; 3]) -> Option<[Vec<String>; 3]> {
    let segment = |call: &str| call.split(['<', '>']).nth(1).map(str::to_owned);
    let first = segment(journal.first()?);
    let is_on = |call: &String| name(call) == "fdatasync" && segment(call) != first;
    let rolled = journal.iter().position(is_on)?;
    let is_named = segments.iter().position(|call| name(call).starts_with("rename"))?;
    let made = segments.iter().skip(is_named).position(|call| name(call) == "fsync")?;
    let removes = |call: &String| name(call).starts_with("unlink") && call.contains(".snapshot");
    let removed = drain.iter().position(removes)?;
    journal.truncate(rolled + 1);
    segments.truncate(is_named + made + 1);
    drain.truncate(removed + 1);
    Some([journal, segments, drain])
}
