//! Keys and card numbers at rest: what opens them, and what does not.

use keys::{
    Algorithm, Hsm, KeyError, KeyLayout, Lmk, PanIndex, SealedKey, SealedPan, SealedWorkingKeys,
    SeededRandom, SoftHsm,
};
use proptest::prelude::*;

use crate::fixture::{PAN, TERMINAL, TMK, hex, sealed_tmk};

const OTHER_TERMINAL: &[u8; 8] = b"00000002";

fn module() -> SoftHsm {
    SoftHsm::new(Lmk::demo())
}

fn other_module() -> SoftHsm {
    SoftHsm::new(Lmk::from_hex(&"0123456789abcdef".repeat(4)).unwrap())
}

fn working(hsm: &SoftHsm, layout: KeyLayout) -> SealedWorkingKeys {
    let tmk = sealed_tmk(hsm, TMK, layout.algorithm());
    hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap().sealed
}

/// Puts sealed bytes under a layout's name, as an attacker at the store could.
fn relabelled(layout: &str, sealed: &[u8]) -> SealedWorkingKeys {
    let text = serde_json::json!({ "layout": layout, "sealed": const_hex::encode(sealed) });
    serde_json::from_value(text).unwrap()
}

fn bytes_of(sealed: &SealedWorkingKeys) -> Vec<u8> {
    hex(serde_json::to_value(sealed).unwrap()["sealed"].as_str().unwrap())
}

#[test]
fn a_master_key_opens_for_its_terminal_in_its_module_only() {
    let hsm = module();
    let tmk = sealed_tmk(&hsm, TMK, Algorithm::Des);
    assert_eq!(hsm.tmk_check_value(TERMINAL, &tmk), Ok([0x08, 0xD7, 0xB4, 0xFB]));
    assert_eq!(hsm.tmk_check_value(OTHER_TERMINAL, &tmk), Err(KeyError::Sealed));
    assert_eq!(other_module().tmk_check_value(TERMINAL, &tmk), Err(KeyError::Sealed));
    let made = hsm.generate_working_keys(OTHER_TERMINAL, &tmk, KeyLayout::Des40A);
    assert_eq!(made.err(), Some(KeyError::Sealed));
    assert_eq!(module().tmk_check_value(TERMINAL, &tmk), Ok([0x08, 0xD7, 0xB4, 0xFB]));
}

/// Every byte of the terminal's name counts.
#[test]
fn a_terminal_with_almost_the_same_name_is_another() {
    let hsm = module();
    let (tmk, keys) = (sealed_tmk(&hsm, TMK, Algorithm::Des), working(&hsm, KeyLayout::Des40A));
    for place in 0..8 {
        let mut other = *TERMINAL;
        other[place] ^= 1;
        assert_eq!(hsm.tmk_check_value(&other, &tmk), Err(KeyError::Sealed));
        assert_eq!(hsm.load_working_keys(&other, &keys).err(), Some(KeyError::Sealed));
    }
}

#[test]
fn working_keys_open_for_their_terminal_in_their_module_only() {
    let hsm = module();
    let sealed = working(&hsm, KeyLayout::Des40B);
    assert!(hsm.load_working_keys(TERMINAL, &sealed).is_ok());
    assert!(module().load_working_keys(TERMINAL, &sealed).is_ok());
    let wrong = hsm.load_working_keys(OTHER_TERMINAL, &sealed).err();
    assert_eq!(wrong, Some(KeyError::Sealed));
    let wrong = other_module().load_working_keys(TERMINAL, &sealed).err();
    assert_eq!(wrong, Some(KeyError::Sealed));
}

/// A key sealed for one use does not open for another, whatever the store says it is.
#[test]
fn a_key_keeps_its_use_and_its_algorithm() {
    let hsm = module();
    let tmk = sealed_tmk(&hsm, TMK, Algorithm::Des);
    let keys = working(&hsm, KeyLayout::Des40B);

    // A master key in the place of working keys, with each of the headers it could be given.
    for layout in ["des24", "des40-a", "des40-b", "sm4x40"] {
        for skip in [1, 2] {
            let sealed = [&[1], &tmk.as_bytes()[skip..]].concat();
            let wrong = hsm.load_working_keys(TERMINAL, &relabelled(layout, &sealed)).err();
            assert_eq!(wrong, Some(KeyError::Sealed));
        }
    }
    // Working keys in the place of a master key, those of the same length among them.
    for keys in [&keys, &working(&hsm, KeyLayout::Des24)] {
        for algorithm in [1, 2] {
            let sealed = [&[1, algorithm], &bytes_of(keys)[1..]].concat();
            let wrong = hsm.tmk_check_value(TERMINAL, &SealedKey::from_bytes(sealed));
            assert_eq!(wrong, Err(KeyError::Sealed));
        }
    }
    // Working keys under another layout of the same length.
    assert!(hsm.load_working_keys(TERMINAL, &relabelled("des40-b", &bytes_of(&keys))).is_ok());
    let wrong = hsm.load_working_keys(TERMINAL, &relabelled("sm4x40", &bytes_of(&keys))).err();
    assert_eq!(wrong, Some(KeyError::Sealed));
    // A DES master key as an SM4 one.
    let mut bytes = tmk.as_bytes().to_vec();
    bytes[1] = 2;
    let wrong = hsm.tmk_check_value(TERMINAL, &SealedKey::from_bytes(bytes));
    assert_eq!(wrong, Err(KeyError::Sealed));
}

#[test]
fn every_flipped_bit_and_every_missing_byte_is_noticed() {
    let hsm = module();
    let tmk = sealed_tmk(&hsm, TMK, Algorithm::Des);
    for damaged in damages(tmk.as_bytes()) {
        let wrong = hsm.tmk_check_value(TERMINAL, &SealedKey::from_bytes(damaged));
        assert_eq!(wrong, Err(KeyError::Sealed));
    }
    for damaged in damages(&bytes_of(&working(&hsm, KeyLayout::Des40A))) {
        let wrong = hsm.load_working_keys(TERMINAL, &relabelled("des40-a", &damaged)).err();
        assert_eq!(wrong, Some(KeyError::Sealed));
    }
    for damaged in damages(hsm.seal_pan(PAN, 7).unwrap().as_bytes()) {
        let wrong = hsm.open_pan(&SealedPan::from_bytes(damaged), 7).err();
        assert_eq!(wrong, Some(KeyError::Sealed));
    }
}

/// Every single bit flipped, and every shorter piece from the front.
fn damages(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    flipped.chain((0..bytes.len()).map(|length| bytes[..length].to_vec()))
}

/// The clear key is nowhere in what is stored.
#[test]
fn what_is_stored_shows_no_key() {
    let tmk = sealed_tmk(&module(), TMK, Algorithm::Des);
    assert!(!tmk.as_bytes().windows(4).any(|piece| hex(TMK).windows(4).any(|key| key == piece)));
}

#[test]
fn sealing_twice_gives_two_values() {
    let hsm = module();
    assert_ne!(hsm.seal_pan(PAN, 7).unwrap(), hsm.seal_pan(PAN, 7).unwrap());
    assert_ne!(sealed_tmk(&hsm, TMK, Algorithm::Des), sealed_tmk(&hsm, TMK, Algorithm::Des));
    let keys = (working(&hsm, KeyLayout::Des24), working(&hsm, KeyLayout::Des24));
    assert_ne!(keys.0, keys.1);
}

/// A source that repeats itself must not repeat a nonce over different content, or two sealed
/// values would give each other away.
#[test]
fn a_repeating_source_repeats_no_nonce() {
    let sealed = |pan: &[u8], card| {
        let random = Box::new(SeededRandom::new(1));
        SoftHsm::with_randomness(Lmk::demo(), random).seal_pan(pan, card).unwrap()
    };
    let nonce = |sealed: &SealedPan| sealed.as_bytes()[1..13].to_vec();
    let first = sealed(PAN, 7);
    assert_eq!(first, sealed(PAN, 7), "a simulation is repeatable");
    assert_ne!(nonce(&first), nonce(&sealed(b"6225000000000014", 7)));
    assert_ne!(nonce(&first), nonce(&sealed(PAN, 8)));
}

#[test]
fn the_same_seed_makes_the_same_keys() {
    let made = |seed| {
        let random = Box::new(SeededRandom::new(seed));
        let hsm = SoftHsm::with_randomness(Lmk::demo(), random);
        let tmk = sealed_tmk(&hsm, TMK, Algorithm::Des);
        let next = || hsm.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des84).unwrap().f62;
        (next(), next())
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    assert_ne!(made(1).0, made(1).1, "the second set is another");
}

#[test]
fn a_card_number_is_found_by_a_keyed_index() {
    let hsm = module();
    assert_eq!(hsm.pan_index(PAN), module().pan_index(PAN));
    assert_ne!(hsm.pan_index(PAN), hsm.pan_index(b"6225000000000014"));
    assert_ne!(hsm.pan_index(PAN), other_module().pan_index(PAN));
    let sealed = hsm.seal_pan(PAN, 7).unwrap();
    assert_eq!(hsm.open_pan(&sealed, 8).err(), Some(KeyError::Sealed));
    assert_eq!(other_module().open_pan(&sealed, 7).err(), Some(KeyError::Sealed));
    for wrong in [&b""[..], b"12345678901", b"12345678901234567890", b"621214200000000001x"] {
        assert_eq!(hsm.seal_pan(wrong, 7).err(), Some(KeyError::PanMalformed));
    }
}

/// All that may be stored survives text and binary formats; text is hexadecimal digits.
#[test]
fn what_may_be_stored_survives_storing() {
    let hsm = module();
    survives(&sealed_tmk(&hsm, TMK, Algorithm::Des));
    survives(&working(&hsm, KeyLayout::Sm4x60));
    survives(&hsm.seal_pan(PAN, 7).unwrap());
    survives(&hsm.pan_index(PAN));
    survives(&hsm.derive_pin_verification(7, b"1234").unwrap());
    let index = serde_json::to_string(&PanIndex([0xAB; 16])).unwrap();
    assert_eq!(index, format!("\"{}\"", "ab".repeat(16)));
    assert!(serde_json::from_str::<PanIndex>("\"abab\"").is_err());
    assert!(serde_json::from_str::<PanIndex>("\"zz\"").is_err());
    assert_eq!(serde_json::to_string(&KeyLayout::ALL).unwrap(), LAYOUT_NAMES);
}

/// Configuration and stored keys use these names; they must not change.
const LAYOUT_NAMES: &str =
    r#"["des24","des40-a","des40-b","sm4x40","des56","des60-a","des60-b","sm4x60","des84"]"#;

fn survives<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
    let binary = postcard::to_stdvec(value).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&binary).unwrap(), *value);
}

proptest! {
    /// A card number sealed is the card number opened, by its card alone; its length stays hidden.
    #[test]
    fn card_numbers_make_the_round_trip(
        pan in prop::collection::vec(b'0'..=b'9', 12..=19),
        card in any::<u64>(),
        other in any::<u64>(),
    ) {
        let hsm = module();
        let sealed = hsm.seal_pan(&pan, card).unwrap();
        prop_assert_eq!(&*hsm.open_pan(&sealed, card).unwrap(), &pan);
        prop_assert_eq!(hsm.open_pan(&sealed, other).is_ok(), other == card);
        prop_assert_eq!(sealed.as_bytes().len(), 39);
    }

    /// No bytes open, none panic.
    #[test]
    fn any_bytes_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let hsm = module();
        let sealed = SealedKey::from_bytes(bytes.clone());
        prop_assert_eq!(hsm.tmk_check_value(TERMINAL, &sealed), Err(KeyError::Sealed));
        let wrong = hsm.load_working_keys(TERMINAL, &relabelled("des60-a", &bytes)).err();
        prop_assert_eq!(wrong, Some(KeyError::Sealed));
        let wrong = hsm.open_pan(&SealedPan::from_bytes(bytes), 7).err();
        prop_assert_eq!(wrong, Some(KeyError::Sealed));
    }
}
