//! Keys that are refused: wrong, weak, published.

use keys::{
    Algorithm, Hsm, KeyError, KeyLayout, Lmk, RandomSource, SoftHsm, check_value,
    combine_components, demo_tmk,
};

use crate::fixture::{MAK_DOUBLE, PIK, TERMINAL, TMK, hex, part, show};

/// A key in no published document.
const OWN_LMK: &str = "8f4a1d07c2be6953e0718da42b96fc3517d8406eb3a5290c74fe61d83b0a9c25";
const OWN_TMK: &str = "C7D3A1580E29B64FF1846A0D37925BCE";

fn own_lmk() -> Lmk {
    Lmk::from_hex(OWN_LMK).unwrap()
}

#[test]
fn wrong_lengths_are_refused() {
    let hsm = SoftHsm::new(Lmk::demo());
    for (algorithm, length) in [
        (Algorithm::Des, 0),
        (Algorithm::Des, 8),
        (Algorithm::Des, 15),
        (Algorithm::Des, 32),
        (Algorithm::Sm4, 8),
        (Algorithm::Sm4, 24),
    ] {
        let key: Vec<u8> = (0..length).collect();
        let got = usize::from(length);
        let refused = hsm.import_tmk(TERMINAL, &key, algorithm);
        assert_eq!(refused, Err(KeyError::KeyLength { got }));
    }
    assert_eq!(check_value(&[1; 7], Algorithm::Des), Err(KeyError::KeyLength { got: 7 }));
    assert_eq!(check_value(&[1; 8], Algorithm::Sm4), Err(KeyError::KeyLength { got: 8 }));
}

#[test]
fn weak_keys_are_refused() {
    let hsm = SoftHsm::new(Lmk::demo());
    for (algorithm, key) in [
        (Algorithm::Des, "00000000000000000000000000000000"),
        (Algorithm::Des, "0123456789ABCDEF0123456789ABCDEF"), // the halves are equal
        (Algorithm::Des, "0022446688AACCEE0123456789ABCDEF"), // equal but for parity
        (Algorithm::Des, "0123456789ABCDEF0101010101010101"), // a weak half
        (Algorithm::Des, "0123456789ABCDEFE1E0E1E0F0F1F0F1"), // weak but for parity
        (Algorithm::Des, "0123456789ABCDEF01FE01FE01FE01FE"), // semi-weak
        (Algorithm::Des, "0123456789ABCDEFFEDCBA98765432100123456789ABCDEF"),
        (Algorithm::Sm4, "00000000000000000000000000000000"),
        (Algorithm::Sm4, "ABABABABABABABABABABABABABABABAB"),
    ] {
        let refused = hsm.import_tmk(TERMINAL, &hex(key), algorithm);
        assert_eq!(refused, Err(KeyError::WeakKey), "{key}");
    }
    assert!(hsm.import_tmk(TERMINAL, &hex(OWN_TMK), Algorithm::Des).is_ok());
    let triple = format!("{OWN_TMK}0123456789ABCDEF");
    assert!(hsm.import_tmk(TERMINAL, &hex(&triple), Algorithm::Des).is_ok());
}

/// A source that gives what no key may be, as a broken generator would.
struct Stuck;

impl RandomSource for Stuck {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), KeyError> {
        bytes.fill(0);
        Ok(())
    }
}

/// A source that gives nothing.
struct Dead;

impl RandomSource for Dead {
    fn fill(&self, _: &mut [u8]) -> Result<(), KeyError> {
        Err(KeyError::Randomness)
    }
}

#[test]
fn a_broken_source_makes_no_keys() {
    let tmk = SoftHsm::new(Lmk::demo()).import_tmk(TERMINAL, &hex(TMK), Algorithm::Des).unwrap();
    for source in [Box::new(Stuck) as Box<dyn RandomSource>, Box::new(Dead)] {
        let hsm = SoftHsm::with_randomness(Lmk::demo(), source);
        let made = hsm.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des40A);
        assert_eq!(made.err(), Some(KeyError::Randomness));
    }
    let dead = SoftHsm::with_randomness(Lmk::demo(), Box::new(Dead));
    assert_eq!(dead.seal_pan(b"6212142000000000012", 7).err(), Some(KeyError::Randomness));
}

#[test]
fn a_layout_is_for_its_algorithm() {
    let hsm = SoftHsm::new(Lmk::demo());
    for (algorithm, layout) in
        [(Algorithm::Des, KeyLayout::Sm4x40), (Algorithm::Sm4, KeyLayout::Des40A)]
    {
        let tmk = hsm.import_tmk(TERMINAL, &hex(TMK), algorithm).unwrap();
        let made = hsm.generate_working_keys(TERMINAL, &tmk, layout);
        assert_eq!(made.err(), Some(KeyError::LayoutNotForKey));
    }
}

#[test]
fn production_refuses_what_everybody_knows() {
    assert_eq!(SoftHsm::production(Lmk::demo()).err(), Some(KeyError::LmkPublished));
    let hsm = SoftHsm::production(own_lmk()).unwrap();
    let import = |key: &[u8], algorithm| hsm.import_tmk(TERMINAL, key, algorithm);
    for published in [
        hex(TMK),
        hex("258FB0AB70D025CDB99DF2C4D302D646"),
        hex("248EB1AA71D124CCB89CF3C5D203D747"), // the same key, parity aside
        hex(PIK),
        hex(MAK_DOUBLE),
        demo_tmk(TERMINAL).to_vec(),
    ] {
        let refused = import(&published, Algorithm::Des);
        assert_eq!(refused, Err(KeyError::KeyPublished), "{}", show(&published));
    }
    assert_eq!(import(&hex(TMK), Algorithm::Sm4), Err(KeyError::KeyPublished));
    assert!(import(&hex(OWN_TMK), Algorithm::Des).is_ok());
    assert!(import(&hex(OWN_TMK), Algorithm::Sm4).is_ok());
}

/// A published key that came into the store before is not used either.
#[test]
fn production_does_not_use_a_published_key_from_the_store() {
    let before = SoftHsm::new(own_lmk());
    let tmk = before.import_tmk(TERMINAL, &hex(TMK), Algorithm::Des).unwrap();
    let f62 = before.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des40A).unwrap().f62;
    let hsm = SoftHsm::production(own_lmk()).unwrap();
    let made = hsm.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des40A);
    assert_eq!(made.err(), Some(KeyError::KeyPublished));
    let imported = hsm.import_working_keys(TERMINAL, &tmk, &f62, None);
    assert_eq!(imported.err(), Some(KeyError::KeyPublished));
}

#[test]
fn production_makes_and_takes_no_single_length_pin_key() {
    let hsm = SoftHsm::production(own_lmk()).unwrap();
    let tmk = hsm.import_tmk(TERMINAL, &hex(OWN_TMK), Algorithm::Des).unwrap();
    let made = hsm.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des24);
    assert_eq!(made.err(), Some(KeyError::LayoutRefused));
    let key = hex("0B1C2C3E4F516173");
    let f62 = [part(&hex(OWN_TMK), &key, 8), part(&hex(OWN_TMK), &key, 8)].concat();
    let taken = hsm.import_working_keys(TERMINAL, &tmk, &f62, None);
    assert_eq!(taken.err(), Some(KeyError::LayoutRefused));
    assert!(hsm.generate_working_keys(TERMINAL, &tmk, KeyLayout::Des40A).is_ok());
}

#[test]
fn components_make_the_key_together() {
    let (one, other) = (hex("0F0F0F0F0F0F0F0FF0F0F0F0F0F0F0F0"), hex(OWN_TMK));
    let both = combine_components(&[&one, &other]).unwrap();
    assert_eq!(show(&*both), "C8DCAE570126B94001749AFDC762AB3E");
    let third = combine_components(&[&one, &both]).unwrap();
    assert_eq!(*third, other);
    let zero = [0; 16];
    let refused: [&[&[u8]]; 7] = [
        &[],
        &[&one],
        &[&one, &one],
        &[&one, &other, &one],
        &[&one, &zero],
        &[&one, &other[..8]],
        &[&[], &[]],
    ];
    for components in refused {
        assert_eq!(combine_components(components), Err(KeyError::Components));
    }
}
