//! What a run is asked to do.

use std::fmt::Write as _;

/// What chance follows, unless the command line says otherwise.
const SEED: u64 = 20_261_122;
/// Kills of a plain `cargo test`.
const KILLS: usize = 6;

/// What happens to a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// SIGKILL at random moments.
    Kills,
    /// SIGKILL at each system call that a roll of the journal and a snapshot are made of.
    CrashPoints,
    /// What was not synced is gone.
    PowerCuts,
    /// Power cuts of a node whose syncs do nothing: they must be found out.
    NoFsync,
    /// A write or a sync of the journal fails.
    Eio,
    /// The disk is full.
    Enospc,
    /// The disk is slow, or stands still.
    SlowDisk,
}

/// A fault, how often it happens in a whole and in a short run (`None`: at every place there is),
/// and the tools it takes.
type Line = (Fault, &'static str, [Option<usize>; 2], &'static [&'static str]);

const MOUNTS: &[&str] = &["mount", "umount", "unshare", "mkfs.ext4", "cc"];

/// All faults.
#[rustfmt::skip]
const FAULTS: [Line; 7] = [
    (Fault::Kills,       "kills",        [Some(200), Some(5)], &[]),
    (Fault::CrashPoints, "crash-points", [None, Some(40)],     &["strace"]),
    (Fault::PowerCuts,   "power-cuts",   [Some(50), Some(5)],  MOUNTS),
    (Fault::NoFsync,     "no-fsync",     [Some(5), Some(5)],   MOUNTS),
    (Fault::Eio,         "eio",          [Some(20), Some(4)],  &["strace"]),
    (Fault::Enospc,      "enospc",       [Some(5), Some(1)],   &["mount", "umount", "unshare"]),
    (Fault::SlowDisk,    "slow-disk",    [Some(3), Some(1)],   &["strace"]),
];

impl Fault {
    fn line(self) -> &'static Line {
        FAULTS.iter().find(|line| line.0 == self).unwrap()
    }

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        self.line().1
    }

    /// The commands it takes.
    pub fn tools(self) -> &'static [&'static str] {
        self.line().3
    }
}

/// A fault, and how often; at every place there is if nothing is said.
#[derive(Debug, Eq, PartialEq)]
pub struct Run {
    pub fault: Fault,
    pub times: Option<usize>,
}

/// What is asked of this run.
#[derive(Debug, Eq, PartialEq)]
pub struct Plan {
    pub runs: Vec<Run>,
    pub seed: u64,
}

impl Plan {
    /// Reads the command line. After `run` it says what to do; otherwise it is that of `cargo
    /// test`, and nothing is returned if it asks for other tests.
    pub fn from_command_line(words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let words: Vec<_> = words.collect();
        match words.split_first() {
            Some((first, rest)) if first == "run" => Self::from_words(rest).map(Some),
            _ => Ok(Self::of_cargo_test(&words)),
        }
    }

    fn of_cargo_test(words: &[String]) -> Option<Self> {
        let mut filters = words.iter().filter(|word| !word.starts_with('-'));
        let is_listing = words.iter().any(|word| word == "--list");
        let is_other = filters.any(|filter| !"kills".contains(filter.as_str()));
        let runs = vec![Run { fault: Fault::Kills, times: Some(KILLS) }];
        (!is_listing && !is_other).then_some(Self { runs, seed: SEED })
    }

    fn from_words(words: &[String]) -> Result<Self, String> {
        let (mut runs, mut seed, mut is_short) = (Vec::<Run>::new(), SEED, false);
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let named = FAULTS.iter().find(|line| line.1 == word);
            match (word, named, word.parse(), runs.last_mut()) {
                ("--short", ..) => is_short = true,
                ("--seed", ..) => {
                    let said = words.next().and_then(|said| said.parse().ok());
                    seed = said.ok_or_else(|| format!("--seed NUMBER\n{}", usage()))?;
                }
                (_, Some(line), ..) => {
                    runs.push(Run { fault: line.0, times: line.2[usize::from(is_short)] });
                }
                (_, None, Ok(times), Some(last)) => last.times = Some(times),
                _ => return Err(format!("{word}?\n{}", usage())),
            }
        }
        if runs.is_empty() {
            let times = |line: &Line| line.2[usize::from(is_short)];
            runs = FAULTS.iter().map(|line| Run { fault: line.0, times: times(line) }).collect();
        }
        Ok(Self { runs, seed })
    }
}

fn usage() -> String {
    let mut text = "cargo faults [--short] [--seed NUMBER] [FAULT [TIMES]]...\n".to_owned();
    for (_, name, [whole, short], _) in FAULTS {
        let count = |times: Option<usize>| times.map_or_else(|| "all".into(), |n| n.to_string());
        writeln!(text, "  {name:<13} {:>4}, short {:>3}", count(whole), count(short)).unwrap();
    }
    text
}
