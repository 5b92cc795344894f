//! No damage goes unseen, and none costs an entry that others follow.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "in a test a panic is a failure"
)]

mod files;
mod world;

use std::fs;

use domain::books::Books;
use files::{Span, Still, copy, hasty, reopen, submit};
use store::{Drain, DrainOptions, EmbeddedJournal, JournalFault, OpenError};
use world::World;

const SMALL: u64 = 4096 + 2048;

fn after(seed: u64, entries: usize) -> Books {
    let mut world = World::new(seed);
    world.make(entries);
    world.books
}

#[test]
fn a_last_batch_that_is_cut_anywhere_goes_whole_or_stays_whole() {
    let still = Still::new(&mut World::new(1), 16 << 10, &[4, 3, 5], false);
    let batches = still.batches();
    assert_eq!(batches.len(), 6);
    let Span { file, begin, end, upto: 12 } = batches[5] else { panic!("{batches:?}") };
    let (before, whole) = (after(1, 8), after(1, 12));
    let used = still.bytes(file).iter().rposition(|&byte| byte != 0).unwrap() + 1;
    for cut in begin..=end {
        let dir = still.lay_out(file, |bytes| bytes[cut..end].fill(0));
        let recovered = reopen(dir, 16 << 10).unwrap();
        if cut >= used {
            assert!(recovered.books == whole, "{cut}");
            assert_eq!(recovered.report.truncated_bytes, 0);
            continue;
        }
        assert!(recovered.books == before, "{cut}");
        assert_eq!(recovered.report.truncated_bytes > 0, cut > begin, "{cut}");
        // What was cut off is gone for good.
        let again = reopen(dir, 16 << 10).unwrap();
        assert_eq!((again.entries, again.report.truncated_bytes), (8, 0));
    }
}

#[test]
fn what_is_cut_off_is_kept_every_time() {
    let still = Still::new(&mut World::new(1), 16 << 10, &[4, 3, 5], false);
    let Span { file, begin, end, .. } = still.batches()[5];
    let batch = &still.bytes(file)[begin..end];
    let length = batch.iter().rposition(|&byte| byte != 0).unwrap();
    let dir = still.lay_out(file, |_| {});
    let segment = dir.join(format!("journal/{:010}.seg", file + 1));
    let kept = |again: &str| dir.join(format!("torn-{:010}-{begin}{again}.bin", file + 1));
    for again in ["", "-2", "-3"] {
        // Each time another batch, torn at the same place.
        let mut torn = batch[..length].to_vec();
        torn[length - 1] = 100 + again.len() as u8 + again.as_bytes().last().unwrap_or(&0);
        let mut bytes = fs::read(&segment).unwrap();
        bytes[begin..].fill(0);
        bytes[begin..begin + length].copy_from_slice(&torn);
        fs::write(&segment, &bytes).unwrap();
        let recovered = reopen(dir, 16 << 10).unwrap();
        assert_eq!((recovered.entries, recovered.report.truncated_bytes), (8, length as u64));
        assert!(fs::read(kept(again)).unwrap() == torn, "{again}");
    }
    let first = fs::read(kept("")).unwrap();
    assert_eq!((first.len(), first[length - 1]), (length, 100), "it is never written over");
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_str().unwrap().starts_with("torn-")).count(), 3);
}

#[test]
fn sectors_of_a_last_batch_may_arrive_in_any_order() {
    let still = Still::new(&mut World::new(2), 16 << 10, &[21], false);
    let Span { file, begin, end, .. } = still.batches()[1];
    let sectors = (end - begin) / 512;
    assert!((3..=10).contains(&sectors), "{sectors}");
    for arrived in 0..(1_u32 << sectors) - 1 {
        let dir = still.lay_out(file, |bytes| {
            for sector in (0..sectors).filter(|sector| arrived >> sector & 1 == 0) {
                bytes[begin + sector * 512..begin + (sector + 1) * 512].fill(0);
            }
        });
        let recovered = reopen(dir, 16 << 10).unwrap();
        assert_eq!(recovered.entries, 1, "{arrived:b}");
        assert_eq!(recovered.report.truncated_bytes > 0, arrived != 0, "{arrived:b}");
    }
}

/// Flips one bit of each byte of a journal, and returns how often it was opened in spite of it.
fn flip_every_byte(still: &Still, entries: usize) -> usize {
    let batches = still.batches();
    let last = *batches.last().unwrap();
    let mut opened = 0;
    still.lay_out(0, |_| {});
    for file in 0..2 {
        for place in 0..still.bytes(file).len() {
            let (sound, flip) = (still.bytes(file)[place], 1 << (place % 8));
            still.poke(file, place, sound ^ flip);
            let report = store::check(still.path(), |_| {}).unwrap();
            still.poke(file, place, sound);
            assert!(!report.ok || report.torn_bytes > 0, "byte {place} of file {file} unseen");
            // To open takes longer than to look; where nothing is written, some places do.
            if sound == 0 && place % 41 != 0 {
                continue;
            }
            let dir = still.lay_out(file, |bytes| bytes[place] ^= flip);
            let is_last = file == last.file && (last.begin..last.end).contains(&place);
            let is_behind = (file, place) >= (last.file, last.end) && place >= 4096;
            let reopened = reopen(dir, SMALL);
            still.lay_out(file, |_| {});
            match reopened {
                Ok(recovered) => {
                    opened += 1;
                    assert!(recovered.report.truncated_bytes > 0, "{place} of {file} unseen");
                    assert!(is_last || is_behind, "byte {place} of file {file}");
                    let kept = if is_last { batches[batches.len() - 2].upto } else { entries };
                    assert_eq!(recovered.entries, kept as u64, "byte {place} of file {file}");
                }
                Err(OpenError::Journal(_)) => {
                    assert!(!is_last && !is_behind, "byte {place} of file {file}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    opened
}

#[test]
fn every_flipped_byte_is_seen() {
    let still = Still::new(&mut World::new(3), SMALL, &[4], false);
    assert_eq!(still.batches().len(), 2);
    let opened = flip_every_byte(&still, 4);
    assert!(opened > 200, "{opened}");
}

#[test]
fn after_a_clean_close_no_flipped_byte_costs_an_entry() {
    let still = Still::new(&mut World::new(4), SMALL, &[1], true);
    let batches = still.batches();
    assert_eq!(batches.len(), 2, "the second says that the first is whole");
    for place in batches[0].begin..batches[0].end {
        let dir = still.lay_out(0, |bytes| bytes[place] ^= 0x10);
        match reopen(dir, SMALL) {
            Err(OpenError::Journal(JournalFault::Damaged { offset: 4096, entry: 1, .. })) => {}
            other => panic!("byte {place}: {other:?}"),
        }
    }
    for place in batches[1].begin..batches[1].end {
        let dir = still.lay_out(0, |bytes| bytes[place] ^= 0x10);
        let recovered = reopen(dir, SMALL).unwrap();
        assert_eq!(recovered.entries, 1);
        assert!(recovered.report.truncated_bytes > 0);
    }
}

#[test]
fn a_damaged_batch_before_another_is_named_by_file_offset_and_entry() {
    let still = Still::new(&mut World::new(5), 16 << 10, &[4, 5], false);
    let Span { begin, .. } = still.batches()[2];
    let last = still.batches()[3];
    // The last one is damaged too, but its header tells that there was more.
    let dir = still.lay_out(0, |bytes| {
        bytes[begin + 80] ^= 1;
        bytes[last.begin + 80] ^= 1;
    });
    let refused = reopen(dir, 16 << 10).unwrap_err().to_string();
    let expected = format!(
        "journal/0000000001.seg: the batch at byte {begin} that begins with entry 5 is damaged, \
         and batch 4 follows it at byte {} of segment 1",
        last.begin
    );
    assert!(refused.ends_with(&expected), "{refused}");
    let report = store::check(dir, |_| {}).unwrap();
    assert!(report.first_violation.unwrap().ends_with(&expected));
    assert_eq!((report.ok, report.entries), (false, 4));
}

#[test]
fn stale_bytes_of_another_life_are_no_batch() {
    let still = Still::new(&mut World::new(6), 16 << 10, &[4, 3], false);
    let foreign = Still::new(&mut World::new(6), 16 << 10, &[4, 3, 2], false);
    let batches = still.batches();
    let (first, last) = (batches[0], batches[3]);
    let next = foreign.batches()[4];
    // An earlier batch of this segment, and the very batch that would follow in another journal.
    let own = still.bytes(0)[first.begin..first.end].to_vec();
    let other = foreign.bytes(0)[next.begin..next.end].to_vec();
    for stale in [own, other] {
        let dir = still.lay_out(0, |bytes| {
            bytes[last.end..last.end + stale.len()].copy_from_slice(&stale);
        });
        let recovered = reopen(dir, 16 << 10).unwrap();
        assert!(recovered.books == after(6, 7));
        assert!(recovered.report.truncated_bytes > 100);
    }
    // In another segment of the same journal they are none either.
    let dir = still.lay_out(1, |bytes| {
        let batch = &still.bytes(0)[last.begin..last.end];
        bytes[4096..4096 + batch.len()].copy_from_slice(batch);
    });
    let recovered = reopen(dir, 16 << 10).unwrap();
    assert_eq!(recovered.entries, 7);
    assert!(recovered.report.truncated_bytes > 100);
}

#[test]
fn a_file_that_is_not_what_its_name_says_is_refused() {
    let still = Still::new(&mut World::new(7), 16 << 10, &[4], false);
    type Change = fn(&mut Vec<u8>);
    let cases: [(usize, &str, Change); 5] = [
        (0, "not as long as its header says", |bytes| bytes.truncate(9000)),
        (0, "shorter than the header of a segment", |bytes| bytes.truncate(90)),
        (1, "not as long as its header says", |bytes| bytes.push(0)),
        (0, "the header of the segment is damaged", |bytes| bytes[20] ^= 1),
        (2, "not the id of a node", |bytes| bytes[0] = b'x'),
    ];
    for (file, expected, change) in cases {
        let dir = still.lay_out(file, change);
        let refused = reopen(dir, 16 << 10).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    let dir = still.lay_out(2, |node| *node = "ab".repeat(16).into_bytes());
    let refused = reopen(dir, 16 << 10).unwrap_err().to_string();
    assert!(refused.contains("the segment belongs to another node"), "{refused}");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(8));
    let (journal, _) = EmbeddedJournal::open(&dir, hasty(SMALL)).unwrap();
    for _ in 0..8 {
        submit(&mut journal.writer(|_| {}), &world.make(8));
        files::wait_until("durable", || journal.durable() == journal.submitted());
    }
    drop(journal);
    let lost = copy(dir.path());
    fs::remove_file(lost.path().join("journal/0000000002.seg")).unwrap();
    let refused = reopen(lost.path(), SMALL).unwrap_err().to_string();
    assert!(refused.ends_with("journal/0000000002.seg is missing"), "{refused}");
    let lost = copy(dir.path());
    fs::remove_file(lost.path().join("node")).unwrap();
    let refused = reopen(lost.path(), SMALL).unwrap_err().to_string();
    assert!(refused.ends_with("node is missing"), "{refused}");
    let swapped = copy(dir.path());
    let path = |number: u8| swapped.path().join(format!("journal/000000000{number}.seg"));
    let aside = swapped.path().join("aside");
    fs::rename(path(2), &aside).unwrap();
    fs::rename(path(3), path(2)).unwrap();
    fs::rename(&aside, path(3)).unwrap();
    let refused = reopen(swapped.path(), SMALL).unwrap_err().to_string();
    assert!(refused.contains("another number than its name says"), "{refused}");
}

#[test]
fn a_snapshot_that_is_damaged_costs_time_and_nothing_else() {
    let (dir, mut world) = (tempfile::tempdir().unwrap(), World::new(9));
    for _life in 0..3 {
        let (journal, _) = EmbeddedJournal::open(&dir, hasty(64 << 10)).unwrap();
        let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
        submit(&mut journal.writer(|_| {}), &world.make(50));
        journal.close().unwrap();
        drain.stop_when_drained().unwrap();
    }
    let path = |dir: &tempfile::TempDir, lsn: u64| {
        dir.path().join(format!("snapshots/{lsn:020}.snapshot"))
    };
    assert!(!path(&dir, 50).exists(), "only the last two are kept");
    let recover = |dir: &tempfile::TempDir| {
        let recovered = reopen(dir.path(), 64 << 10).unwrap();
        assert!(recovered.books == world.books);
        assert_eq!(recovered.entries, 150);
        (recovered.report.snapshot_lsn, recovered.report.snapshots_rejected)
    };
    assert_eq!(recover(&copy(dir.path())), (150, 0));
    let whole = fs::read(path(&dir, 150)).unwrap();
    for place in (0..whole.len()).step_by(211).chain([0, 10, 30, 70, whole.len() - 1]) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x40;
        fs::write(path(&dir, 150), damaged).unwrap();
        assert_eq!(recover(&dir), (100, 1), "byte {place}");
    }
    let report = store::check(dir.path(), |_| {}).unwrap();
    assert!(report.first_violation.unwrap().ends_with("150.snapshot: it is damaged"));
    fs::write(path(&dir, 100), "").unwrap();
    assert_eq!(recover(&dir), (0, 2));
    // A sound one of another journal.
    fs::write(path(&dir, 150), &whole).unwrap();
    let (other, mut world) = (tempfile::tempdir().unwrap(), World::new(9));
    let (journal, _) = EmbeddedJournal::open(&other, hasty(64 << 10)).unwrap();
    let drain = Drain::start(&journal, DrainOptions::default()).unwrap();
    submit(&mut journal.writer(|_| {}), &world.make(50));
    journal.close().unwrap();
    drain.stop_when_drained().unwrap();
    drop(journal);
    fs::copy(path(&dir, 150), path(&other, 150)).unwrap();
    let recovered = reopen(other.path(), 64 << 10).unwrap();
    assert_eq!((recovered.report.snapshot_lsn, recovered.report.snapshots_rejected), (50, 1));
}
