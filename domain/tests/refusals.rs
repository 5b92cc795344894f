//! Every reason to refuse is reached by some table.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::terms::Refusal;

/// Not from a table: one takes twenty thousand details, the other is found out by who asks.
const BY_HAND: [Refusal; 2] = [Refusal::UploadTooLong, Refusal::ClockDiffers];

/// Returns what the tables in the tests expect to be refused: `-Refusal` after the bar. A table
/// that is not answered so fails where it is played.
fn expected_in_tables() -> BTreeSet<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = fs::read_dir(tests).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    let mut expected = BTreeSet::new();
    for line in texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
        let verdict = line.split_once("| ").and_then(|(_, told)| told.split_whitespace().next());
        expected.extend(verdict.and_then(|word| word.strip_prefix('-')).map(str::to_owned));
    }
    expected
}

#[test]
fn every_refusal_is_reached() {
    let expected = expected_in_tables();
    let all = (0..=u8::MAX).map_while(|number| postcard::from_bytes::<Refusal>(&[number]).ok());
    let unreached: Vec<_> =
        all.filter(|refusal| !expected.contains(&format!("{refusal:?}"))).collect();
    assert_eq!(unreached, BY_HAND);
}
