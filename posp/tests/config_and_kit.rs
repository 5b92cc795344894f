//! `posp config` and `posp kit` as a script sees them: output and exit codes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is a failure")]

use std::process::{Command, Output};

use serde_json::Value;

fn posp(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posp"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_sound_file_passes_and_a_wrong_one_fails_with_the_place() {
    let sound = posp(&["config", "check", "config/posp.toml"], &[]);
    assert_eq!(sound.status.code(), Some(0));
    assert_eq!(text(&sound.stdout), "config/posp.toml: sound\n");

    let wrong = posp(&["config", "check", "config/demo/merchants.toml"], &[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(text(&wrong.stderr), "config/demo/merchants.toml:4:3: unknown key merchant\n");
    assert!(wrong.stdout.is_empty());

    let no_room = [("POSP__POS__IN_FLIGHT_MAX", "0")];
    let wrong = posp(&["config", "check", "config/posp.toml"], &no_room);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(text(&wrong.stderr), "POSP__POS__IN_FLIGHT_MAX: pos.in_flight_max: at least 1\n");
}

#[test]
fn what_is_shown_says_where_it_comes_from_and_hides_where_the_key_is() {
    let set = [("POSP__KEYS__LMK", "env:NAME_OF_THE_KEY")];
    let shown = posp(&["config", "show", "config/posp.toml", "--origin"], &set);
    assert_eq!(shown.status.code(), Some(0));
    let line = |key: &str| text(&shown.stdout).lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("keys.lmk ").contains("\"env:***\""));
    assert!(line("keys.lmk ").ends_with("POSP__KEYS__LMK"));
    assert!(line("pos.listen ").contains("config/posp.toml:"));

    let plain = posp(&["config", "show"], &set);
    assert!(text(&plain.stdout).starts_with("[node]\nprofile = \"demo\"\n"));
    assert!(!text(&plain.stdout).contains("NAME_OF_THE_KEY"));
}

#[test]
fn the_kit_is_json_for_a_script_and_a_table_for_a_person() {
    let kit = posp(&["kit", "--json"], &[]);
    assert_eq!(kit.status.code(), Some(0));
    let kit: Value = serde_json::from_slice(&kit.stdout).unwrap();
    assert_eq!(kit["terminals"].as_array().unwrap().len(), 10);
    assert_eq!(kit["cards"].as_array().unwrap().len(), 100);
    assert_eq!(kit["cards"][0]["pan"], "6212142000000000012");

    let table = posp(&["kit"], &[]);
    assert!(text(&table.stdout).contains("6212142000000000012  123456  2912    active"));

    let nowhere = posp(&["kit", "--programme", "config/nowhere"], &[]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stderr).contains("config/nowhere/routing.toml: cannot be read"));
}
