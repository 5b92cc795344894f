//! Holds the laws of the fuzzer for the bytes that it has found worth keeping.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/laws.rs"]
mod laws;

fn replay(target: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 20, "{} has {} files", folder.display(), files.len());
    for file in files {
        law(&fs::read(&file).unwrap());
    }
}

#[test]
fn frame() {
    replay("frame", laws::frame);
}

#[test]
fn message() {
    replay("message", laws::message);
}

#[test]
fn tlv() {
    replay("tlv", laws::tlv);
}
