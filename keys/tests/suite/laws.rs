//! Laws of sign-on blocks and tracks.

use keys::{
    Algorithm, Hsm, KeyError, KeyLayout, KeyUsage, Lmk, MacAlgorithm, SoftHsm, TerminalKeys,
};
use proptest::prelude::*;

use crate::fixture::{MAK, PIK, TDK, TERMINAL, TMK, hex, host, sealed_tmk, terminal};

fn layout() -> impl Strategy<Value = KeyLayout> {
    prop::sample::select(KeyLayout::ALL.to_vec())
}

/// A MAC algorithm that a layout's key allows.
const fn algorithm_of(layout: KeyLayout) -> MacAlgorithm {
    match layout.algorithm() {
        Algorithm::Des => MacAlgorithm::UnionPay,
        Algorithm::Sm4 => MacAlgorithm::Sm4A,
    }
}

proptest! {
    /// Whatever keys a module draws, host, terminal and a second host read the same from them.
    #[test]
    fn every_layout_is_read_as_it_was_built(layout in layout(), message: Vec<u8>) {
        let hsm = SoftHsm::new(Lmk::demo());
        let tmk = sealed_tmk(&hsm, TMK, layout.algorithm());
        let new = hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap();
        prop_assert_eq!(new.f62.len(), layout.block_len());
        prop_assert_eq!(KeyLayout::of_block(&new.f62, layout.algorithm()), Some(layout));

        let there =
            TerminalKeys::from_sign_on(&hex(TMK), layout.algorithm(), &new.f62, None).unwrap();
        prop_assert_eq!(there.layout(), layout);
        let code = there.mac(algorithm_of(layout), &message);

        let here = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
        prop_assert_eq!(hsm.mac(&here, algorithm_of(layout), &message), code.clone());

        let imported = hsm.import_working_keys(TERMINAL, &tmk, &new.f62, Some(layout)).unwrap();
        prop_assert_eq!(imported.layout(), layout);
        let imported = hsm.load_working_keys(TERMINAL, &imported).unwrap();
        prop_assert_eq!(hsm.mac(&imported, algorithm_of(layout), &message), code);
    }

    /// No bytes make the terminal panic, and none are working keys by chance.
    #[test]
    fn any_block_is_refused(
        f62 in prop::collection::vec(any::<u8>(), 0..100),
        asked in prop::option::of(layout()),
        sm4: bool,
    ) {
        let algorithm = if sm4 { Algorithm::Sm4 } else { Algorithm::Des };
        prop_assert!(TerminalKeys::from_sign_on(&hex(TMK), algorithm, &f62, asked).is_err());
    }

    /// A track comes back as it was, and only 16 of its digits have changed on the way.
    #[test]
    fn tracks_make_the_round_trip(track in "[0-9]{12,19}[=D][0-9]{4,20}") {
        let keys = terminal(KeyLayout::Des60A, &[PIK, MAK, TDK]);
        let (hsm, new) = host(KeyLayout::Des60A, TMK, &[PIK, MAK, TDK]);
        let here = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
        let mut bytes = track.clone().into_bytes();
        keys.encrypt_track(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), track.len());
        let clear_behind = if track.len() % 2 == 1 { 1 } else { 2 };
        let start = track.len() - clear_behind - 16;
        prop_assert_eq!(&bytes[..start], &track.as_bytes()[..start]);
        prop_assert_eq!(&bytes[start + 16..], &track.as_bytes()[start + 16..]);
        prop_assert_ne!(&bytes[start..start + 16], &track.as_bytes()[start..start + 16]);
        hsm.decrypt_track(&here, &mut bytes).unwrap();
        let separated = |text: &[u8]| String::from_utf8_lossy(text).replace('=', "D");
        prop_assert_eq!(separated(&bytes), separated(track.as_bytes()));
    }

    /// What is no track is left as it is.
    #[test]
    fn what_is_no_track_is_untouched(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let keys = terminal(KeyLayout::Des60A, &[PIK, MAK, TDK]);
        let mut track = bytes.clone();
        if keys.encrypt_track(&mut track).is_err() {
            prop_assert_eq!(track, bytes);
        } else {
            prop_assert!(bytes.len() >= 17);
        }
    }
}

#[test]
fn a_short_track_and_one_without_a_key_are_refused() {
    let keys = terminal(KeyLayout::Des60A, &[PIK, MAK, TDK]);
    for length in 0..=16 {
        let mut track = vec![b'1'; length];
        assert_eq!(keys.encrypt_track(&mut track), Err(KeyError::TrackMalformed));
    }
    assert_eq!(keys.encrypt_track(&mut [b'1'; 17]), Ok(()));
    assert_eq!(keys.encrypt_track(&mut [b'1'; 18]), Ok(()));
    assert_eq!(keys.encrypt_track(&mut [b' '; 20]), Err(KeyError::TrackMalformed));
    let without = terminal(KeyLayout::Des40A, &[PIK, MAK]);
    assert_eq!(without.encrypt_track(&mut [b'1'; 37]), Err(KeyError::TrackKey));
    let sm4 = terminal(KeyLayout::Sm4x60, &[PIK, PIK, TDK]);
    assert_eq!(sm4.encrypt_track(&mut [b'1'; 37]), Err(KeyError::TrackKey));
}

/// Every bit of a block counts: one wrong and no key is taken.
#[test]
fn a_damaged_block_gives_no_keys() {
    for layout in KeyLayout::ALL {
        let hsm = SoftHsm::new(Lmk::demo());
        let tmk = sealed_tmk(&hsm, TMK, layout.algorithm());
        let f62 = hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap().f62;
        for bit in 0..f62.len() * 8 {
            let mut damaged = f62.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let algorithm = layout.algorithm();
            let there = TerminalKeys::from_sign_on(&hex(TMK), algorithm, &damaged, Some(layout));
            assert!(matches!(there.err(), Some(KeyError::CheckValue { .. })), "{layout:?} {bit}");
            let here = hsm.import_working_keys(TERMINAL, &tmk, &damaged, Some(layout));
            assert!(matches!(here.err(), Some(KeyError::CheckValue { .. })), "{layout:?} {bit}");
        }
    }
}

/// The error names the first wrong key, and the set in use stays in use.
#[test]
fn a_wrong_check_value_changes_nothing() {
    let (_, new) = host(KeyLayout::Des60A, TMK, &[PIK, MAK, TDK]);
    let mut keys = terminal(KeyLayout::Des60A, &[PIK, MAK, TDK]);
    let before = keys.mac(MacAlgorithm::UnionPay, b"0200");
    for (place, usage) in [(16, KeyUsage::Pin), (36, KeyUsage::Mac), (56, KeyUsage::Track)] {
        let mut f62 = new.f62.clone();
        f62[place] ^= 1;
        match TerminalKeys::from_sign_on(&hex(TMK), Algorithm::Des, &f62, None) {
            Ok(next) => keys = next,
            Err(error) => assert_eq!(error, KeyError::CheckValue { usage }),
        }
    }
    assert_eq!(keys.mac(MacAlgorithm::UnionPay, b"0200"), before);
    let wrong_tmk = hex("0123456789ABCDEFFEDCBA9876543219");
    let there = TerminalKeys::from_sign_on(&wrong_tmk, Algorithm::Des, &new.f62, None);
    assert_eq!(there.err(), Some(KeyError::CheckValue { usage: KeyUsage::Pin }));
}

#[test]
fn a_block_of_another_length_than_asked_for_is_refused() {
    let (_, new) = host(KeyLayout::Des40A, TMK, &[PIK, MAK]);
    for (asked, taken) in [
        (KeyLayout::Des40A, true),
        (KeyLayout::Des40B, true), // which form it is, the block says
        (KeyLayout::Des60A, false),
        (KeyLayout::Des24, false),
    ] {
        let there = TerminalKeys::from_sign_on(&hex(TMK), Algorithm::Des, &new.f62, Some(asked));
        assert_eq!(there.is_ok(), taken, "{asked:?}");
    }
}

/// What a terminal asks for, and what is configured for it, decide together.
#[test]
fn layouts_for_requests() {
    use KeyLayout::{Des24, Des40A, Des40B, Des56, Des60A, Des60B, Des84, Sm4x40, Sm4x60};
    for (default, answers) in [
        // Asked for:  001          003           004
        (Des24, [Some(Des24), Some(Des40A), Some(Des60A)]),
        (Des40A, [None, Some(Des40A), Some(Des60A)]),
        (Des40B, [None, Some(Des40B), Some(Des60B)]),
        (Des56, [None, Some(Des56), Some(Des56)]),
        (Des60A, [None, Some(Des40A), Some(Des60A)]),
        (Des60B, [None, Some(Des40B), Some(Des60B)]),
        (Des84, [None, Some(Des56), Some(Des84)]),
        (Sm4x40, [None, None, None]),
        (Sm4x60, [None, None, None]),
    ] {
        for (request, answer) in [b"001", b"003", b"004"].into_iter().zip(answers) {
            assert_eq!(KeyLayout::for_request(request, Algorithm::Des, default), answer);
            assert_eq!(KeyLayout::for_request(request, Algorithm::Sm4, default), None);
        }
        for (request, answer) in [(b"005", Sm4x40), (b"006", Sm4x60)] {
            let sm4 = KeyLayout::for_request(request, Algorithm::Sm4, default);
            assert_eq!(sm4, Some(answer));
            assert_eq!(KeyLayout::for_request(request, Algorithm::Des, default), None);
        }
        for unknown in [b"000", b"002", b"007", b"   "] {
            assert_eq!(KeyLayout::for_request(unknown, Algorithm::Des, default), None);
        }
    }
}
