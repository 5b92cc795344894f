//! Where the local master key comes from, and what is said when it does not.

use std::fs;
use std::process::Command;

use keys::{KeyError, Lmk};

/// The demonstration key, as it would stand in a file.
const DEMO: &str = "706f73702064656d6f204c4d4b202d206e657665722070726f64756374696f6e";

#[test]
fn hexadecimal_digits_make_a_key() {
    assert!(Lmk::from_hex(DEMO).unwrap().is_demo());
    assert!(Lmk::from_hex(&DEMO.to_uppercase()).unwrap().is_demo());
    assert!(Lmk::from_hex(&format!(" {DEMO}\n")).unwrap().is_demo());
    assert!(Lmk::demo().is_demo());
    assert!(!Lmk::from_hex(&DEMO.replace("706f", "706e")).unwrap().is_demo());
}

#[test]
fn anything_else_does_not() {
    let long = format!("{DEMO}00");
    let other_letter = DEMO.replace('7', "g");
    for text in ["", &DEMO[..62], &DEMO[..63], &long, &other_letter, "posp demo LMK"] {
        let error = Lmk::from_hex(text).err().unwrap();
        assert!(matches!(error, KeyError::LmkMalformed { .. }), "{text}");
    }
    for byte in ["00", "a5", "ff"] {
        let error = Lmk::from_hex(&byte.repeat(32)).err().unwrap();
        assert!(matches!(error, KeyError::LmkWeak { .. }));
    }
}

#[test]
fn a_file_holds_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmk");
    fs::write(&path, format!("{DEMO}\n")).unwrap();
    assert!(Lmk::from_file(&path).unwrap().is_demo());
}

/// The error names the file, says what is wrong, and shows nothing of what is in it.
#[test]
fn a_file_that_holds_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmk");
    let name = path.display().to_string();

    let missing = Lmk::from_file(&path).err().unwrap().to_string();
    assert_eq!(missing, format!("local master key: file {name} cannot be read: entity not found"));
    for content in [&DEMO.as_bytes()[..60], &DEMO.repeat(2_000).into_bytes(), &[0xC3; 64]] {
        fs::write(&path, content).unwrap();
        let error = Lmk::from_file(&path).err().unwrap();
        let rule = "must hold 64 hexadecimal digits (32 bytes)";
        assert_eq!(error.to_string(), format!("local master key: file {name} {rule}"));
        assert!(!format!("{error:?}").contains(&DEMO[..8]));
    }
}

/// Starts itself again with the variable set, since a running process may not change its own.
#[test]
fn a_variable_holds_the_key() {
    const NAME: &str = "POSP_TEST_LMK";
    if std::env::var_os(NAME).is_some() {
        assert!(Lmk::from_env(NAME).unwrap().is_demo());
        return;
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "master_key::a_variable_holds_the_key"])
        .env(NAME, DEMO)
        .output()
        .unwrap();
    assert!(again.status.success());
    assert!(String::from_utf8_lossy(&again.stdout).contains("1 passed"));
}

#[test]
fn a_variable_that_holds_none_is_named() {
    let missing = Lmk::from_env("POSP_NO_SUCH_VARIABLE").err().unwrap();
    assert_eq!(
        missing.to_string(),
        "local master key: environment variable POSP_NO_SUCH_VARIABLE cannot be read: entity not found"
    );
    let malformed = Lmk::from_env("CARGO_MANIFEST_DIR").err().unwrap();
    assert_eq!(
        malformed.to_string(),
        "local master key: environment variable CARGO_MANIFEST_DIR must hold 64 hexadecimal digits (32 bytes)"
    );
}
