//! The configuration file: what it says, what overrides it, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is a failure")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use switch::config::{Config, LmkSource, Origin, Profile, Resolved};
use tempfile::TempDir;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name)
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// Reads `text` as a file, and `environment` over it; what is said of the file starts with `x`.
fn read(text: &str, environment: &[(&str, &str)]) -> Result<Resolved, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x");
    fs::write(&path, text).unwrap();
    let said = Resolved::read(Some(&path), variables(environment));
    said.map_err(|error| error.to_string().replace(&path.display().to_string(), "x"))
}

#[test]
fn the_file_that_is_shipped_states_every_default() {
    let shipped = Resolved::read(Some(&shipped("posp.toml")), []).unwrap();
    assert_eq!(shipped.config, Config::default());
    for row in shipped.rows() {
        let (section, name, origin) = (row.section, row.name, row.origin);
        assert!(matches!(origin, Origin::File { .. }), "{section}.{name} is not in the file");
    }
}

#[test]
fn the_file_that_is_shipped_explains_every_key() {
    let text = fs::read_to_string(shipped("posp.toml")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for pair in lines.windows(2) {
        let [before, line] = pair else { panic!("windows are of two") };
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with('#'), "nothing is said of {line}");
        }
    }
}

#[test]
fn the_example_for_production_is_sound() {
    let config = Resolved::read(Some(&shipped("production.toml")), []).unwrap().config;
    assert_eq!(config.node.profile, Profile::Production);
    assert_eq!(config.keys.lmk, LmkSource::File("/run/secrets/posp-lmk".into()));
}

#[test]
fn the_environment_overrides_the_file_and_the_file_the_default() {
    let file = "[pos]\nin_flight_max = 7\nidle_timeout = \"90s\"\n";
    let resolved = read(file, &[("POSP__POS__IN_FLIGHT_MAX", "9"), ("POSP_LMK", "x")]).unwrap();
    assert_eq!(resolved.config.pos.in_flight_max, 9);
    assert_eq!(resolved.config.pos.idle_timeout, Duration::from_secs(90));
    assert_eq!(resolved.config.pos.write_timeout, Config::default().pos.write_timeout);

    let origins: BTreeMap<_, _> = resolved
        .rows()
        .map(|row| (row.name, row.origin.to_string().rsplit('/').next().unwrap().to_owned()))
        .collect();
    assert_eq!(origins.get("in_flight_max").unwrap(), "POSP__POS__IN_FLIGHT_MAX");
    assert_eq!(origins.get("idle_timeout").unwrap(), "x:3:16");
    assert_eq!(origins.get("write_timeout").unwrap(), "default");
}

/// A file, and what is said of it.
const REFUSALS: &[(&str, &str)] = &[
    (
        "[pos]\nlisten = \"8583\"",
        "x:2:10: listen: an address and port, as in \"127.0.0.1:8583\", expected",
    ),
    ("[pos]\nlistne = \"127.0.0.1:1\"", "x:2:1: unknown key listne; did you mean listen?"),
    ("[poss]\nlisten = \"127.0.0.1:1\"", "x:1:2: unknown key poss; did you mean pos?"),
    ("colour = 1", "x:1:1: unknown key colour"),
    ("pos = 1", "x:1:7: pos: a [pos] table is expected"),
    ("[pos]\nidle_timeout = 60", "x:2:16: idle_timeout: a text in quotes is expected"),
    (
        "[pos]\nidle_timeout = \"60\"",
        "x:2:16: idle_timeout: a duration above zero, as in \"500ms\", \"30s\" or \"2m\", expected",
    ),
    ("[pos]\nin_flight_max = \"32\"", "x:2:17: in_flight_max: a whole number is expected"),
    ("[pos]\nin_flight_max = 0", "x:2:17: pos.in_flight_max: at least 1"),
    (
        "[pos]\nframe_max = \"64KiB\"",
        "x:2:13: pos.frame_max: 128B to 65535B, the most that a length prefix says",
    ),
    ("[journal]\nsegment_size = \"63KiB\"", "x:2:16: journal.segment_size: 64KiB to 1GiB"),
    ("[journal]\nsnapshot_entries = 0", "x:2:20: journal.snapshot_entries: at least 1"),
    ("[ledger]\nenabled = 1", "x:2:11: enabled: true or false is expected"),
    (
        "[keys]\nlmk = \"00112233445566778899AABBCCDDEEFF\"",
        "x:2:7: lmk: where the key is found (\"file:PATH\", \"env:NAME\" or \"demo\"), never the key \
         itself, is expected",
    ),
    (
        "[cutoff]\nzone = \"Asia/Shangai\"",
        "x:2:8: zone: a time zone, as in \"Asia/Shanghai\", expected",
    ),
    ("[http]\nlisten = \"127.0.0.1:8583\"", "x:2:10: http.listen: must differ from pos.listen"),
    (
        "[pos]\nconnections_max = 9",
        "x:2:19: pos.connections_per_address_max: must not be above pos.connections_max",
    ),
    (
        "[pos]\nframe_deadline = \"2m\"",
        "x:2:18: pos.frame_deadline: must not be above pos.idle_timeout, or the first frame is cut off",
    ),
    (
        "[terminal]\nanswer_deadline = \"31s\"",
        "x:2:19: shutdown.drain_timeout: must not be below terminal.answer_deadline, or answers are \
         lost",
    ),
    (
        "[terminal]\nwait_max = \"19001ms\"",
        "x:2:12: terminal.wait_max: must leave terminal.decide_margin of terminal.answer_deadline",
    ),
    (
        "[node]\nprofile = \"production\"",
        "x:2:11: keys.lmk: the production profile needs a key of its own\n\
         x:2:11: programme.directory: the production profile needs a programme of its own",
    ),
    ("[pos\n", "x:1:5: unclosed table, expected `]`"),
];

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, expected) in REFUSALS {
        assert_eq!(read(text, &[]).unwrap_err(), *expected, "{text}");
    }
}

#[test]
fn what_is_wrong_in_the_environment_is_said_with_its_name() {
    for (name, value, expected) in [
        ("POSP__POS__LISTNE", "127.0.0.1:1", "unknown key pos.listne; did you mean pos.listen?"),
        ("POSP__POS", "1", "unknown key pos"),
        ("POSP__POS__IN_FLIGHT_MAX", "many", "a whole number from 0 to 4294967295 expected"),
        ("POSP__POS__IN_FLIGHT_MAX", "0", "pos.in_flight_max: at least 1"),
    ] {
        let said = read("", &[(name, value)]).unwrap_err();
        assert_eq!(said, format!("{name}: {expected}"));
    }
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let key = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
    for text in [format!("[keys]\nlmk = \"{key}\""), format!("[keys]\nlmk = {key}")] {
        let said = read(&text, &[]).unwrap_err();
        assert!(!said.contains("00112233"), "{said}");
    }
    let said = read("", &[("POSP__KEYS__LMK", key)]).unwrap_err();
    assert!(!said.contains("00112233"), "{said}");
}

#[test]
fn what_is_shown_can_be_read_and_hides_where_the_key_is() {
    let file = "[node]\nprofile = \"test\"\n[keys]\nlmk = \"file:/run/secrets/lmk\"\n";
    let config = read(file, &[]).unwrap().config;
    let shown = config.to_toml();
    assert!(shown.contains("lmk = \"file:***\"") && !shown.contains("/run/secrets"));
    let again = read(&shown, &[]).unwrap().config;
    assert_eq!(again.node, config.node);
    assert_eq!(again.fingerprint(), config.fingerprint());
    assert_ne!(config.fingerprint(), Config::default().fingerprint());
    assert_eq!(config.fingerprint().len(), 16);
}

#[test]
fn a_change_by_hand_can_be_checked() {
    let mut config = Config::default();
    config.check().unwrap();
    config.node.profile = Profile::Production;
    let said = config.check().unwrap_err().to_string();
    assert!(said.starts_with("configuration: keys.lmk: the production profile"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Config::load(Some(Path::new("/nowhere/posp.toml"))).unwrap_err().to_string();
    assert!(said.starts_with("/nowhere/posp.toml: cannot be read: "), "{said}");
}

#[test]
fn a_clock_is_looked_at_if_somebody_asks_for_it() {
    let drift = |text: &str| read(text, &[]).map(|read| read.config.terminal.clock_drift_max);
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(drift(""), Ok(None));
    assert_eq!(drift("[terminal]\nclock_drift_max = \"24h\""), Ok(Some(day)));
    assert_eq!(drift("[terminal]\nclock_drift_max = \"0s\""), Ok(None));
    let said = drift("[terminal]\nclock_drift_max = \"a day\"").unwrap_err();
    assert!(said.contains("clock_drift_max") && said.contains("\"0s\" for none"), "{said}");
}
