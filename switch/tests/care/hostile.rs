//! Requests that are wrong: each has its code, and changes nothing.

use tempfile::TempDir;

use crate::ask::Till;
use crate::house::{House, demo};

/// Message type, network management code, F62 in hexadecimal (`-` for none), and F39.
const WRONG: &str = "
    0820 372 31                          30   no place to begin
    0820 372 3130                        30   one digit of two
    0820 372 31303030                    30   three digits
    0820 372 303030                      30   not the digit 1 in front
    0820 372 313F30                      30   no digit
    0820 372 313939                      30   beyond the end
    0820 382 FFFFFF                      30   no text at all
    0800 390 313030                      30   two digits where six are counted
    0800 390 31393939393939              30   beyond the end
    0800 370 -                           30   no key is named
    0800 370 9F0605A000000333            30   a scheme without a key
    0800 370 9F220108                    30   a key without a scheme
    0800 370 9F0605A0000003339F2201      30   cut short
    0800 370 9F0680A0000003339F220108    30   an indefinite length
    0800 370 9F0605A0000003339F2201089F220108 30  a tag twice
    0800 370 9F0604A00000039F22023308    30   a scheme of four bytes, a number of two
    0800 370 9F06009F2200                30   names without bytes
    0800 380 -                           30   no application is named
    0800 380 9F0683FFFFFF                30   a length of three bytes
    0800 380 5F                          30   half a tag
    0820 362 -                           30   no report
    0820 362 30                          30   less than a code
    0820 362 4F4B                        30   no code in front
    0820 362 303101                      30   what cannot be shown
    0800 373 -                           40   keys of another kind
    0820 363 -                           40   nothing of the kind
    0800 352 -                           58   no permission to fetch a master key
    0800 350 DF240131DF250131            58   the same
    0800 351 DF23040000000031            30   more than the proof
    0800 351 DF230400000000              25   no new master key
    0800 351 -                           30   no proof
";

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, "10000001");
    let before = house.entries();
    for line in WRONG.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let f62 = (words[2] != "-").then(|| const_hex::decode(words[2]).unwrap());
        let code = words[3];
        let told = till.ask(words[0], words[1], f62.as_deref());
        assert_eq!((&*told.code, told.f62), (code, None), "{line}");
    }
    assert_eq!(house.entries(), before);
    // None of this hinders what is right.
    assert_eq!(till.ask("0820", "362", Some(&[b'0'; 256])).code, "00");
    assert_eq!(till.ask("0820", "362", Some(&[b'0'; 257])).code, "30");
    assert_eq!(till.ask("0820", "362", Some(&[b'0'; 512])).code, "30");
    drop(till);
    house.stop(directory.path());
}

/// What is asked for and is not there is not found: that is an answer.
#[test]
fn unknown_keys_and_applications_are_not_found() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, "10000001");
    for (network, name) in [
        ("370", "9F0605A0000003349F220108"),
        ("370", "9F0605A0000003339F220109"),
        ("380", "9F0607A0000003330101"),
        ("380", "9F0600"),
    ] {
        let told = till.done("0800", network, Some(&const_hex::decode(name).unwrap()));
        assert_eq!(told.f62.as_deref(), Some(&b"0"[..]), "{name}");
    }
    // A terminal that is not the merchant's, and one that nobody knows.
    let mut stranger = Till::at(&house, "99999999");
    assert_eq!(stranger.ask("0800", "360", None).short(), ("97", 0, false));
    drop((till, stranger));
    house.stop(directory.path());
}
