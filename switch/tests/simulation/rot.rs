//! Damage to a journal that was durable: a start must see it, or lose nothing by it.

use std::fs;
use std::path::{Path, PathBuf};

use domain::books::Books;

use super::audit::Violation;
use super::dice::Dice;
use super::journal::Files;

/// Where the first batch of a segment begins.
const FIRST: usize = 4096;
const MAGIC: &[u8] = b"POSPBAT1";

/// The bytes of a file of the journal, and where its batches are.
struct Segment {
    path: PathBuf,
    bytes: Vec<u8>,
    batches: Vec<(usize, usize)>,
}

/// Damages what a batch before the last says, or writes one over another, and looks what a start
/// makes of it. `books` is what the journal amounts to. Afterwards it is as it was.
///
/// The last batch is not touched: damage to it looks as if it had never been whole.
pub fn probe(files: &Files, books: &Books, dice: &mut Dice) -> Result<(), Violation> {
    let segments = segments(files.dir());
    let all: Vec<_> = segments
        .iter()
        .enumerate()
        .flat_map(|(number, segment)| segment.batches.iter().map(move |&span| (number, span)))
        .collect();
    let Some(choices) = all.len().checked_sub(1).filter(|&choices| choices > 0) else {
        return Ok(());
    };
    let (number, (begin, end)) = all[dice.place(choices)];
    let segment = &segments[number];
    let mut bytes = segment.bytes.clone();
    if dice.chance(500) {
        let bit = dice.place((end - begin) * 8);
        bytes[begin + bit / 8] ^= 1 << (bit % 8);
    } else {
        let (from, (first, last)) = *dice.pick(&all);
        let length = (last - first).min(end - begin);
        let strayed = &segments[from].bytes[first..first + length];
        bytes[begin..begin + length].copy_from_slice(strayed);
    }
    if bytes == segment.bytes {
        return Ok(());
    }
    fs::write(&segment.path, &bytes).unwrap();
    let verdict = match files.probe() {
        // From a snapshot on, nobody reads what lies before it.
        Ok(found) if found == *books => Ok(()),
        Ok(_) => Err(Violation::new("I10", "a start takes a damaged journal for a shorter one")),
        Err(_) if fs::read(&segment.path).unwrap() == bytes => Ok(()),
        Err(_) => Err(Violation::new("I10", "a start that is refused changes the journal")),
    };
    fs::write(&segment.path, &segment.bytes).unwrap();
    verdict
}

fn segments(dir: &Path) -> Vec<Segment> {
    let journal = dir.join("journal");
    let paths = fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "seg")).collect();
    paths.sort();
    paths.into_iter().map(segment).collect()
}

fn segment(path: PathBuf) -> Segment {
    let bytes = fs::read(&path).unwrap();
    let (mut batches, mut begin) = (Vec::new(), FIRST);
    while bytes.get(begin..begin + 8) == Some(MAGIC) {
        let length = bytes[begin + 32..begin + 36].try_into().unwrap();
        let end = begin + u32::from_le_bytes(length) as usize;
        if end > bytes.len() {
            break;
        }
        batches.push((begin, end));
        begin = end;
    }
    Segment { path, bytes, batches }
}
