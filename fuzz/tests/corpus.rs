//! Holds every law for the bytes that were found worth keeping.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

use std::fs;
use std::path::Path;

use fuzz::LAWS;

fn replay(target: &str) {
    let (_, law) = LAWS.into_iter().find(|(name, _)| *name == target).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 20, "{} has {} files", folder.display(), files.len());
    let (mut taken, mut refused) = (0, 0);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let held = std::panic::catch_unwind(|| law(&bytes));
        match held {
            Ok(true) => taken += 1,
            Ok(false) => refused += 1,
            Err(_) => panic!("{} breaks the law", file.display()),
        }
    }
    // A corpus all of whose inputs end early would prove nothing.
    assert!(taken >= 10 && refused >= 3, "{target}: {taken} go all the way, {refused} do not");
}

#[test]
fn frame() {
    replay("frame");
}

#[test]
fn message() {
    replay("message");
}

#[test]
fn tlv() {
    replay("tlv");
}

#[test]
fn capture() {
    replay("capture");
}

#[test]
fn terminal() {
    replay("terminal");
}

#[test]
fn journal() {
    replay("journal");
}

#[test]
fn every_law_has_a_target_and_a_corpus() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let files = fs::read_dir(here.join(folder)).unwrap().map(|file| file.unwrap().path());
        let mut names: Vec<_> =
            files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let mut laws = LAWS.map(|(name, _)| name.to_owned());
    laws.sort_unstable();
    assert_eq!(names("targets"), laws);
    assert_eq!(names("corpus"), laws);
}
