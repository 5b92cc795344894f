//! What the compiler cannot see: which way modules point, and how large files grow.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A module of the crate may use those before it, never those after it.
const ORDER: [&str; 8] = ["terms", "faults", "ledger", "issuing", "risk", "txn", "shard", "books"];
/// No file of the workspace is longer.
const LINES_MAX: usize = 600;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 4] = ["utils", "common", "helpers", "misc"];

/// What a crate may depend on, among ours.
const ARROWS: [(&str, &[&str]); 10] = [
    ("codec", &[]),
    ("keys", &[]),
    ("domain", &[]),
    ("routing", &["domain"]),
    ("store", &["domain"]),
    ("admin", &[]),
    ("switch", &["codec", "keys", "domain", "routing", "store", "admin"]),
    ("loadtest", &["codec", "keys"]),
    ("posp", &["codec", "keys", "domain", "routing", "store", "admin", "switch", "loadtest"]),
    ("fuzz", &["codec", "keys", "domain", "store", "switch"]),
];

fn manifest_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every source file below `dir`, what is built or hidden left out.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Returns the modules of the crate that `text` names after `crate::`, grouped ones too.
fn modules_named(text: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut named = Vec::new();
    for (at, start) in text.match_indices("crate::") {
        let rest = &text[at + start.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.push(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut is_first = true;
        for (place, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_first = true,
                c if depth == 1 && is_first && c.is_ascii_alphabetic() => {
                    named.push(word(&group[place..]));
                    is_first = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

#[test]
fn grouped_imports_are_seen() {
    let text = "use crate::txn::Txn; use crate::{terms::{Amount, Stan}, books::Books}; crate::risk";
    assert_eq!(modules_named(text), ["txn", "terms", "books", "risk"]);
}

#[test]
fn every_module_has_its_place() {
    let lib = fs::read_to_string(manifest_dir().join("src/lib.rs")).unwrap();
    let mut declared: Vec<_> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut placed = ORDER;
    declared.sort_unstable();
    placed.sort_unstable();
    assert_eq!(declared, placed);
}

#[test]
fn modules_point_one_way() {
    for (rank, module) in ORDER.iter().enumerate() {
        let dir = manifest_dir().join("src").join(module);
        let files = if dir.is_dir() { sources(&dir) } else { vec![dir.with_extension("rs")] };
        assert!(!files.is_empty(), "{module} has no source");
        for file in files {
            let named = modules_named(&fs::read_to_string(&file).unwrap());
            for later in &ORDER[rank + 1..] {
                assert!(
                    !named.iter().any(|name| name == later),
                    "{}: {module} must not know {later}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn files_stay_short_and_their_names_say_something() {
    let root = manifest_dir().join("..");
    let files = sources(&root);
    assert!(files.iter().any(|file| file.ends_with("domain/src/lib.rs")), "the walk missed us");
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", file.display());
        let below = file.strip_prefix(&root).unwrap();
        let is_empty = below
            .components()
            .map(|part| Path::new(part.as_os_str()).file_stem().unwrap().to_str().unwrap())
            .find(|name| EMPTY_NAMES.contains(name));
        assert_eq!(is_empty, None, "{}: the name says nothing", file.display());
        let text = fs::read_to_string(&file).unwrap();
        let declared = text.lines().find(|line| {
            let line = line.trim_start().trim_start_matches("pub ");
            EMPTY_NAMES.iter().any(|name| {
                line.strip_prefix("mod ")
                    .is_some_and(|rest| rest.trim_end_matches([';', '{', ' ']) == *name)
            })
        });
        assert_eq!(declared, None, "{}: the name says nothing", file.display());
    }
}

#[test]
fn crates_point_one_way() {
    for (name, allowed) in ARROWS {
        let manifest = manifest_dir().join("..").join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let section = text.split_once("\n[dependencies]\n").map_or("", |(_, after)| after);
        let section = section.split("\n[").next().unwrap();
        let named = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        for dependency in named {
            let is_ours = ARROWS.iter().any(|(ours, _)| *ours == dependency);
            assert!(!is_ours || allowed.contains(&dependency), "{name} must not know {dependency}");
        }
    }
}
