//! Batches that are valid and still do not belong where they stand.
#![allow(clippy::arithmetic_side_effects, reason = "in a test a panic is a failure")]

use std::fs;

use domain::terms::{BusinessDate, SHARDS, ShardNo};
use tempfile::TempDir;

use super::*;
use crate::batch;
use crate::chain::Chain;
use crate::disk::SystemDisk;

const NODE: NodeId = NodeId([5; 16]);

type Change = fn(&mut Mark);

/// Writes batches with every sum right, whatever they say.
struct Forge {
    dir: TempDir,
    bytes: Vec<u8>,
    mark: Mark,
    tails: Positions,
}

impl Forge {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let segment =
            segment::create(&SystemDisk, dir.path(), (NODE, 1), 1 << 16, &|_took| true).unwrap();
        let bytes = fs::read(segment.path).unwrap();
        Self { dir, bytes, mark: Mark::GENESIS, tails: [(0, Chain::GENESIS); SHARDS] }
    }

    /// Returns the record of the next cut-off of `shard`.
    fn record(&mut self, shard: u8) -> Vec<u8> {
        let mut record = Vec::new();
        let event = Event::CutOff(BusinessDate::new(2026, 11, 22).unwrap());
        let tail = &mut self.tails[usize::from(shard)];
        let seq = tail.0 + 1;
        *tail = (seq, record::encode(&mut record, tail.1, (ShardNo(shard), seq), &event));
        record
    }

    /// Adds a batch that says it follows `mark`.
    fn add(&mut self, mark: Mark, count: u32, records: &[u8]) {
        let mut bytes = vec![0; HEADER];
        bytes.extend(records);
        let start = self.mark.end;
        self.mark = batch::seal(&mut bytes, count, mark, (NODE, 1, start));
        let start = usize::try_from(start).unwrap();
        self.bytes[start..start + bytes.len()].copy_from_slice(&bytes);
    }

    fn add_cut_off(&mut self, shard: u8) {
        let record = self.record(shard);
        self.add(self.mark, 1, &record);
    }

    fn walk(&self) -> Walk {
        fs::write(segment::path(self.dir.path(), 1), &self.bytes).unwrap();
        Walk::new(self.dir.path(), NODE, Mark::GENESIS)
    }

    /// Returns the entries before the first fault, and the fault.
    fn fault(&self) -> (u64, String) {
        let (mut walk, mut tails) = (self.walk(), [(0, Chain::GENESIS); SHARDS]);
        let mut entries = 0;
        let fault = loop {
            match walk.next(None) {
                Ok(Step::Batch(batch)) => {
                    let visited = batch.visit(&mut tails, &mut |lsn, _, _| entries = lsn);
                    if let Err(fault) = visited {
                        break fault.to_string();
                    }
                }
                Ok(end) => panic!("no fault but {end:?}"),
                Err(fault) => break fault.to_string(),
            }
        };
        let (_, fault) = fault.split_once(".seg: ").unwrap();
        (entries, fault.to_owned())
    }
}

#[test]
fn a_batch_that_does_not_follow_is_refused() {
    let cases: [(Change, &str); 3] = [
        (|mark| mark.batch += 1, "batches are missing before it"),
        (|mark| mark.lsn += 1, "its first entry has the wrong number"),
        (|mark| mark.link += 1, "it follows another batch than the one before it"),
    ];
    for (change, expected) in cases {
        let mut forge = Forge::new();
        forge.add_cut_off(7);
        let (record, mut mark) = (forge.record(7), forge.mark);
        change(&mut mark);
        forge.add(mark, 1, &record);
        let message = format!("the batch at byte 4608 does not follow the one before: {expected}");
        assert_eq!(forge.fault(), (1, message));
    }
}

#[test]
fn an_entry_that_does_not_follow_is_refused() {
    let broken = |what: &str| format!("in the batch at byte 4608, entry 2 (shard 7, number {what}");
    let mut forge = Forge::new();
    forge.add_cut_off(7);
    forge.record(7);
    forge.add_cut_off(7);
    assert_eq!(forge.fault(), (1, broken("3): its number does not follow")));

    let mut forge = Forge::new();
    forge.add_cut_off(7);
    forge.tails[7].1.0[3] ^= 1;
    forge.add_cut_off(7);
    assert_eq!(forge.fault(), (1, broken("2): its chain does not follow")));

    // A body that is no event, under the right chain.
    let mut forge = Forge::new();
    forge.add_cut_off(7);
    let (before, mut record) = (forge.tails[7], forge.record(7));
    let last = record.len() - 1;
    record.truncate(last);
    record[0] -= 1;
    let chain = before.1.then(ShardNo(7), 2, &record[record::PREFIX..]);
    record[13..29].copy_from_slice(&chain.0);
    forge.add(forge.mark, 1, &record);
    assert_eq!(forge.fault(), (1, broken("2): it is no event")));
}

#[test]
fn a_batch_holds_as_many_entries_as_it_says() {
    for (count, expected) in
        [(1, "it holds more than its entries"), (3, "its records are cut short")]
    {
        let mut forge = Forge::new();
        let records = [forge.record(1), forge.record(2)].concat();
        forge.add(Mark::GENESIS, count, &records);
        let message = format!("the batch at byte 4096 does not follow the one before: {expected}");
        assert_eq!(forge.fault().1, message);
    }
}

#[test]
fn nothing_behind_the_limit_is_read() {
    let mut forge = Forge::new();
    forge.add_cut_off(1);
    let limit = forge.mark;
    forge.add_cut_off(1);
    let mut walk = forge.walk();
    assert!(matches!(walk.next(Some(limit)), Ok(Step::Batch(_))));
    assert!(matches!(walk.next(Some(limit)), Ok(Step::End)));
    assert_eq!(walk.mark(), limit);
    // What is durable later is seen then, though it was not when the bytes before it were read.
    assert!(matches!(walk.next(Some(forge.mark)), Ok(Step::Batch(_))));
    // What should be durable and is not there is bad, and no end.
    let mut beyond = forge.mark;
    (beyond.batch, beyond.end) = (beyond.batch + 1, beyond.end + 512);
    assert!(matches!(walk.next(Some(beyond)), Ok(Step::Bad(_))));
}

#[test]
fn an_empty_batch_is_no_anchor() {
    let mut forge = Forge::new();
    forge.add_cut_off(1);
    let anchor = forge.mark;
    forge.add(forge.mark, 0, &[]);
    let mut walk = forge.walk();
    while let Ok(Step::Batch(_)) = walk.next(None) {}
    assert_eq!((walk.mark(), walk.anchor()), (forge.mark, anchor));
}

#[test]
fn a_mark_is_founded_on_its_batch_alone() {
    let mut forge = Forge::new();
    forge.add_cut_off(1);
    forge.add_cut_off(2);
    drop(forge.walk());
    let is_founded = |mark| Walk::new(forge.dir.path(), NODE, mark).is_founded().unwrap();
    assert!(is_founded(Mark::GENESIS));
    assert!(is_founded(forge.mark));
    let changes: [Change; 9] = [
        |mark| mark.lsn += 1,
        |mark| mark.batch += 1,
        |mark| mark.segment += 1,
        |mark| mark.start -= 512,
        |mark| mark.start = 0,
        |mark| mark.end += 512,
        |mark| mark.end += 1,
        |mark| mark.end = 1 << 40,
        |mark| mark.link += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut mark = forge.mark;
        change(&mut mark);
        assert!(!is_founded(mark), "change {number}");
    }
}
