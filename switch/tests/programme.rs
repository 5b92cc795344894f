//! Programme directories: what is taken, what is refused, and what the refusal says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::issuing::{CardStatus, PinPolicy, ProductId};
use domain::ledger::Purse;
use domain::terms::{Amount, BusinessDate, Pan};
use keys::{Algorithm, KeyLayout, MacAlgorithm, check_value, is_published};
use switch::programme::{CARE_FILES, Card, FILES, Listed, Programme};
use tempfile::TempDir;

/// The demonstration, as files that a test may spoil.
fn demo_with(file: &str, from: &str, to: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    for name in FILES.into_iter().chain(CARE_FILES) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/demo").join(name);
        let text = fs::read_to_string(source).unwrap();
        let text = if name == file {
            assert!(text.contains(from), "{from} is not in {file}");
            text.replacen(from, to, 1)
        } else {
            text
        };
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Returns what is said of the demonstration after `from` became `to` in `file`.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let directory = demo_with(file, from, to);
    let error = Programme::load(directory.path()).unwrap_err().to_string();
    error.replace(&format!("{}/", directory.path().display()), "")
}

/// A file, what becomes what in it, and what is then said first.
const REFUSALS: &[(&str, &str, &str, &str)] = &[
    (
        "cards.toml",
        "6212142000000000012",
        "6212142000000000013",
        "cards.toml:6:7: pan: 12 to 19 digits with a right check digit expected",
    ),
    (
        "cards.toml",
        "6212142000000000020",
        "6212142000000000012",
        "cards.toml:14:7: pan is the same as in line 6",
    ),
    (
        "cards.toml",
        "6212142000000000012",
        "6222000000000000004",
        "cards.toml:6:7: pan: routing.toml has no range of an own, enabled issuer for it",
    ),
    (
        "cards.toml",
        "product = 1",
        "product = 7",
        "cards.toml:8:11: product: products.toml has no such number",
    ),
    ("cards.toml", "expiry = \"2912\"\n", "", "cards.toml:5:1: expiry is missing"),
    ("cards.toml", "2912", "2913", "cards.toml:9:10: expiry: YYMM expected"),
    (
        "cards.toml",
        "500.00",
        "1000.01",
        "cards.toml:5:1: main and bonus: together more than 1000.00, the legal ceiling",
    ),
    (
        "cards.toml",
        "product = 1\nexpiry",
        "product = 2\nexpiry",
        "cards.toml:5:1: expiry: a named card does not expire",
    ),
    (
        "cards.toml",
        "main = \"500.00\"",
        "main = \"500.00\"\nheld = \"500.01\"",
        "cards.toml:12:8: held: more than the main purse holds",
    ),
    (
        "cards.toml",
        "\"500.00\"",
        "500.00",
        "cards.toml:11:8: main: yuan with two decimals in quotes expected, as in \"60.00\"",
    ),
    ("cards.toml", "pin =", "pim =", "cards.toml:7:1: unknown key pim; did you mean pin?"),
    (
        "products.toml",
        "valid_months = 36",
        "valid_months = 35",
        "products.toml:12:16: valid_months: at least 36 for unnamed cards",
    ),
    (
        "products.toml",
        "transaction_max = \"1000.00\"",
        "transaction_max = \"1000.01\"",
        "products.toml:9:19: transaction_max: above 0.00 and at most 1000.00, the legal ceiling",
    ),
    (
        "products.toml",
        "transaction_max = \"5000.00\"",
        "transaction_max = \"5000.01\"",
        "products.toml:24:19: transaction_max: above 0.00 and at most 5000.00, the legal ceiling",
    ),
    (
        "products.toml",
        "number = 2",
        "number = 1",
        "products.toml:19:10: number is the same as in line 4",
    ),
    (
        "products.toml",
        "[\"main\"]",
        "[\"points\"]",
        "products.toml:25:8: draw: \"main\", \"bonus\" or both expected, in the order they are \
             drawn on",
    ),
    (
        "terminals.toml",
        "898000000000001",
        "898000000000009",
        "terminals.toml:10:12: merchant: merchants.toml has no such id",
    ),
    (
        "terminals.toml",
        "FEDCBA9876543210",
        "FEDCBA98765432",
        "terminals.toml:12:7: tmk: 3des takes 16 or 24 bytes",
    ),
    (
        "terminals.toml",
        "FEDCBA9876543210",
        "FEDCBA987654321G",
        "terminals.toml:12:7: tmk: hexadecimal digits, file:PATH or env:NAME expected",
    ),
    (
        "terminals.toml",
        "des-40a",
        "sm4-40",
        "terminals.toml:13:10: layout: not for a terminal with algorithm 3des",
    ),
    (
        "terminals.toml",
        "union-pay",
        "x919",
        "terminals.toml:14:7: mac: does not fit the MAC key of layout des-40a",
    ),
    ("terminals.toml", "10000002", "10000001", "terminals.toml:19:6: id is the same as in line 9"),
    (
        "merchants.toml",
        "310104",
        "3101",
        "merchants.toml:9:10: region: a division of six digits expected",
    ),
    ("products.toml", "200\n", "-1\n", "products.toml:30:13: day_count: is out of bounds"),
    (
        "products.toml",
        "6010",
        "60100",
        "products.toml:13:18: not_categories: codes of four digits expected",
    ),
    (
        "products.toml",
        "valid_months = 36",
        "tip_percent = 101\nvalid_months = 36",
        "products.toml:12:15: tip_percent: 0 to 100",
    ),
    ("merchants.toml", "\"5411\"", "\"541\"", "merchants.toml:8:7: mcc: four digits expected"),
    (
        "terminals.toml",
        "mac = \"union-pay\"",
        "mac = \"union-pay\"\ntmk_download = { serial = \"1\", until = \"tomorrow\", signed = true, padding = \"oaep-sha256\" }",
        "terminals.toml:15:40: until: a moment as in 2026-12-01T00:00:00+08:00 expected",
    ),
    (
        "parameters.toml",
        "code = \"12\"",
        "code = \"11\"",
        "parameters.toml:14:8: code is the same as in line 8",
    ),
    (
        "parameters.toml",
        "code = \"12\"",
        "code = \"1x\"",
        "parameters.toml:14:8: code: two digits expected",
    ),
    (
        "parameters.toml",
        "value = \"3\"",
        "value = \"33\"",
        "parameters.toml:23:9: value: at most 1 printable ASCII characters expected",
    ),
    (
        "parameters.toml",
        "value = \"60\"",
        "value = \"hex:60\"",
        "parameters.toml:11:9: value: 2 bytes in hexadecimal digits expected",
    ),
    (
        "parameters.toml",
        "length = 40",
        "length = 100",
        "parameters.toml:75:10: length: 1 to 99 expected",
    ),
    (
        "parameters.toml",
        "code = \"22\"\nvalue = \"Lantern",
        "code = \"29\"\nvalue = \"Lantern",
        "parameters.toml:95:8: code: no [[item]] above has it",
    ),
    (
        "parameters.toml",
        "terminal = \"10000002\"",
        "terminal = \"10000099\"",
        "parameters.toml:114:12: terminal: terminals.toml has no such id",
    ),
    (
        "parameters.toml",
        "terminal = \"10000002\"\n",
        "",
        "parameters.toml:113:1: either terminal or merchant is expected",
    ),
    (
        "ca-keys.toml",
        "rid = \"A0",
        "rid = \"",
        "ca-keys.toml:6:7: rid: 5 bytes in hexadecimal digits expected",
    ),
    ("ca-keys.toml", "20301231", "20301232", "ca-keys.toml:8:10: expiry: YYYYMMDD expected"),
    (
        "aids.toml",
        "A000000333010102",
        "A000000333010101",
        "aids.toml:23:7: aid is the same as in line 4",
    ),
    ("aids.toml", "DF11 =", "DF10 =", "aids.toml:5:1: tags: DF11 is missing"),
    ("aids.toml", "DF11 =", "DF =", "aids.toml:5:1: tags: DF is no tag"),
    (
        "blacklist.toml",
        "6251880000000008",
        "6251880000000009",
        "blacklist.toml:5:7: pan: 12 to 19 digits with a right check digit expected",
    ),
    (
        "blacklist.toml",
        "prefix = \"62999900\"",
        "",
        "blacklist.toml:7:1: either pan or prefix is expected",
    ),
    (
        "routing.toml",
        "622500",
        "621214\"\npan_length = 19\nissuer = \"03010000\"\n\n[[bin]]\nprefix = \"622500",
        "routing.toml:20:1: bin rows 1 and 2 are both 621214 (19 digits)",
    ),
];

#[test]
fn what_does_not_fit_is_refused_at_its_place() {
    for (file, from, to, expected) in REFUSALS {
        assert_eq!(refusal(file, from, to).lines().next(), Some(*expected), "{from} -> {to}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let said = refusal("merchants.toml", "name = ", "nmae = ");
    assert_eq!(
        said,
        "merchants.toml:4:1: name is missing\n\
         merchants.toml:6:1: unknown key nmae; did you mean name?"
    );
}

#[test]
fn no_refusal_repeats_a_number_a_pin_or_a_key() {
    for (file, from, to) in [
        ("cards.toml", "\"6212142000000000012\"", "6212142000000000012"),
        ("cards.toml", "\"123456\"", "123456"),
        ("cards.toml", "\"123456\"", "\"123456"),
        ("cards.toml", "\"123456\"", "123456x"),
        ("terminals.toml", "FEDCBA9876543210\"", "FEDCBA9876543210X\""),
        ("terminals.toml", "\"0123456789ABCDEFFEDCBA9876543210\"", "0123456789ABCDEFFEDCBA"),
    ] {
        let said = refusal(file, from, to);
        for secret in ["62121420000", "123456", "FEDCBA98"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn keys_may_stand_in_files_of_their_own() {
    let directory =
        demo_with("terminals.toml", "\"0123456789ABCDEFFEDCBA9876543210\"", "\"file:first.key\"");
    let said = Programme::load(directory.path()).unwrap_err().to_string();
    assert!(said.contains("terminals.toml:12:7: tmk: the file cannot be read"), "{said}");

    fs::write(directory.path().join("first.key"), "5D1F0A9B3C7E2864918273645546372F\n").unwrap();
    let programme = Programme::load(directory.path()).unwrap();
    assert_eq!(programme.terminals[0].tmk.expose()[..2], [0x5D, 0x1F]);
}

#[test]
fn a_missing_file_is_named() {
    let directory = demo_with("cards.toml", "", "");
    fs::remove_file(directory.path().join("merchants.toml")).unwrap();
    let said = Programme::load(directory.path()).unwrap_err().to_string();
    assert!(said.contains("merchants.toml: cannot be read"), "{said}");
}

#[test]
fn production_refuses_what_everybody_can_read() {
    let said = Programme::demo().check_production().unwrap_err().to_string();
    assert_eq!(
        said,
        "terminals.toml:12:7: a tmk in clear, here and in 9 more rows, is not for production\n\
         terminals.toml:12:7: a published test tmk, here and in 9 more rows, is not for production\n\
         cards.toml:7:7: a pin in clear, here and in 99 more rows, is not for production"
    );
}

#[test]
fn production_takes_keys_from_files_and_cards_without_pins() {
    let directory = demo_with("cards.toml", "", "");
    let key = |n: u8| format!("5D1F0A9B3C7E2864918273645546{n:02X}2F");
    for file in ["terminals.toml", "cards.toml"] {
        let path = directory.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("pin ="));
        let mut count = 0;
        let lines = lines.map(|line| {
            if !line.starts_with("tmk =") {
                return line.to_owned();
            }
            count += 1;
            fs::write(directory.path().join(format!("{count}.key")), key(count)).unwrap();
            format!("tmk = \"file:{count}.key\"")
        });
        let text: Vec<_> = lines.collect();
        fs::write(path, text.join("\n")).unwrap();
    }
    Programme::load(directory.path()).unwrap().check_production().unwrap();
}

#[test]
fn the_built_in_programme_is_the_one_in_the_directory() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/demo");
    let (loaded, demo) = (Programme::load(&directory).unwrap(), Programme::demo());
    assert_eq!(format!("{:?}", loaded.cards), format!("{:?}", demo.cards));
    assert_eq!(format!("{:?}", loaded.products), format!("{:?}", demo.products));
    assert_eq!(format!("{:?}", loaded.bins), format!("{:?}", demo.bins));
    assert_eq!(format!("{:?}", loaded.care), format!("{:?}", demo.care));
}

#[test]
fn the_demonstration_has_terminals_of_every_family() {
    let demo = Programme::demo();
    assert_eq!((demo.merchants.len(), demo.terminals.len()), (3, 10));
    let double: Vec<_> = demo
        .terminals
        .iter()
        .filter(|t| t.algorithm == Algorithm::Des && t.tmk.expose().len() == 16)
        .collect();
    assert!(double.len() >= 8);
    let merchants: BTreeSet<_> = double.iter().map(|t| t.merchant).collect();
    assert!(merchants.len() >= 2);
    assert!(demo.terminals.iter().any(|t| t.layout == KeyLayout::Sm4x40));
    assert!(demo.terminals.iter().any(|t| t.mac == MacAlgorithm::X919));

    let keys: BTreeSet<_> = demo.terminals.iter().map(|t| t.tmk.expose()).collect();
    assert_eq!(keys.len(), 10, "each terminal has a key of its own");
    for terminal in &demo.terminals {
        assert!(is_published(&terminal.id.0, terminal.tmk.expose(), terminal.algorithm));
    }
    let first = &demo.terminals[0];
    assert_eq!(first.id.to_string(), "10000001");
    let check = check_value(first.tmk.expose(), first.algorithm).unwrap();
    assert_eq!(check, [0x08, 0xD7, 0xB4, 0xFB]);
}

fn is_usable(card: &Card) -> bool {
    let today = BusinessDate::new(2026, 12, 31).unwrap();
    card.status == CardStatus::Active && !card.expiry.is_over_on(today)
}

#[test]
fn the_demonstration_has_cards_in_every_state() {
    let demo = Programme::demo();
    assert_eq!(demo.cards.len(), 100);
    let count = |wanted: &dyn Fn(&Card) -> bool| demo.cards.iter().filter(|c| wanted(c)).count();
    let rich = |card: &Card| {
        let spendable = card.opening.minus(&card.held).money();
        card.pin.as_ref().is_some_and(|pin| pin.expose() == b"123456")
            && spendable >= Amount::from_fen(20_000)
    };
    assert!(count(&|card| is_usable(card) && rich(card)) >= 40);
    for status in [CardStatus::Sold, CardStatus::Frozen, CardStatus::Lost, CardStatus::Cancelled] {
        assert!(count(&|card| card.status == status) >= 1, "{status:?}");
    }
    assert!(count(&|card| card.status == CardStatus::Active && !is_usable(card)) >= 1);
    assert!(count(&|card| card.held.money().is_positive()) >= 1);
    assert!(count(&|card| card.opening.of(Purse::Bonus).is_positive()) >= 1);
    assert!(count(&|card| card.opening.of(Purse::Points).is_positive()) >= 1);
    assert!(count(&|card| card.pan.digits().len() == 16) >= 1);

    let first = &demo.cards[0];
    assert_eq!(first.pan.digits(), b"6212142000000000012");
    assert!(is_usable(first) && rich(first));
}

#[test]
fn the_demonstration_has_both_kinds_of_product() {
    let demo = Programme::demo();
    let gift = demo.product(ProductId(1)).unwrap();
    assert!(!gift.terms.named && gift.terms.pin == PinPolicy::Always);
    assert_eq!(gift.terms.draw.as_slice(), [Purse::Bonus, Purse::Main]);
    assert_eq!(gift.valid_months, Some(36));
    let staff = demo.product(ProductId(2)).unwrap();
    assert!(staff.terms.named && staff.valid_months.is_none());
    assert_eq!(staff.terms.pin, PinPolicy::Above(Amount::from_fen(10_000)));
}

#[test]
fn no_debug_print_shows_a_key_or_a_pin() {
    let shown = format!("{:?}", Programme::demo());
    assert!(!shown.contains("123456") && !shown.contains("[1, 35, 69"), "a secret is printed");
    assert!(!shown.contains("6212142000000000012"), "a card number is printed");
    assert!(!shown.contains("6251880000000008"), "a listed card number is printed");
}

#[test]
fn what_terminals_download_may_be_left_out() {
    let directory = demo_with("cards.toml", "", "");
    for file in ["ca-keys.toml", "blacklist.toml"] {
        fs::remove_file(directory.path().join(file)).unwrap();
    }
    let care = Programme::load(directory.path()).unwrap().care;
    assert!(care.ca_keys.is_none() && care.blacklist.is_none());
    assert!(care.parameters.is_some() && care.aids.is_some());
    assert_eq!(Programme::demo().care.blacklist.unwrap().len(), 2);
}

#[test]
fn a_prefix_is_no_card_number() {
    let load = |prefix: &str| {
        let directory = demo_with("blacklist.toml", "62999900", prefix);
        Programme::load(directory.path())
            .map(|programme| programme.care.blacklist.unwrap()[1].clone())
    };
    assert_eq!(load("62999900000").unwrap(), Listed::Range(b"62999900000".to_vec()));
    for wrong in ["6", "629999000000", "62x"] {
        let said = load(wrong).unwrap_err().to_string();
        assert!(said.contains("prefix: 2 to 11 digits expected"), "{said}");
    }
}

/// The time for a row must not depend on how many stand before it: with a look at the text before
/// each row this takes minutes.
#[test]
fn a_long_list_of_cards_is_read_in_one_go() {
    let directory = demo_with("cards.toml", "", "");
    let first = Pan::parse(b"6212142000000000012").unwrap();
    let mut text = String::new();
    for place in 0..60_000 {
        let pan = first.later(place).unwrap();
        let digits = str::from_utf8(pan.digits()).unwrap();
        writeln!(text, "[[card]]\npan = \"{digits}\"\nproduct = 1\nexpiry = \"2912\"").unwrap();
        writeln!(text, "status = \"sold\"\nmain = \"500.00\"\n").unwrap();
    }
    fs::write(directory.path().join("cards.toml"), text).unwrap();
    let begun = Instant::now();
    assert_eq!(Programme::load(directory.path()).unwrap().cards.len(), 60_000);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn a_permission_to_fetch_a_master_key_is_read_whole() {
    let permission = "e-cash\", \"activation\", \"pin-change\"]\n[terminal.tmk_download]\nserial = \"S1\"\n\
                      until = \"2026-12-01T00:00:00+08:00\"\nsigned = true\n\
                      padding = \"oaep-sha256\"";
    let last = "e-cash\", \"activation\", \"pin-change\"]";
    let directory = demo_with("terminals.toml", last, permission);
    let programme = Programme::load(directory.path()).unwrap();
    let download = programme.terminals[0].tmk_download.as_ref().unwrap();
    assert_eq!((download.until, download.signed), (1_796_054_400_000, true));
    assert!(programme.terminals[1].tmk_download.is_none(), "off by default");
    for key in ["serial", "until", "signed", "padding"] {
        let to = permission.replace(&format!("{key} ="), &format!("# {key} ="));
        let directory = demo_with("terminals.toml", last, &to);
        let said = Programme::load(directory.path()).unwrap_err().to_string();
        assert!(said.contains(&format!("{key} is missing")), "{said}");
    }
}
