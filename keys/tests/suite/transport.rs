//! A new master key on its way: under a transport key, which came under the host's RSA key.

use std::sync::{Arc, OnceLock};

use keys::{
    Algorithm, Hsm, KeyError, Lmk, SealedKey, SealedTransportKey, SoftHsm, SystemRandom,
    TransportKey, TransportPadding, TransportPublic, WrappedTmk, check_value, tmk_proof,
};

use crate::fixture::{TERMINAL, TMK, hex, sealed_tmk};

const OTHER_TERMINAL: &[u8; 8] = b"00000002";
const TRANSPORT: &str = "404142434445464748494A4B4C4D4E4F";
const PADDINGS: [TransportPadding; 2] = [TransportPadding::OaepSha256, TransportPadding::Pkcs1V15];

fn module() -> SoftHsm {
    SoftHsm::new(Lmk::demo())
}

/// One RSA key for all tests: making it takes a while.
fn made() -> &'static SealedTransportKey {
    static MADE: OnceLock<SealedTransportKey> = OnceLock::new();
    MADE.get_or_init(|| module().generate_transport_key().unwrap())
}

fn loaded() -> Arc<TransportKey> {
    module().load_transport_key(made()).unwrap()
}

fn enciphered(padding: TransportPadding, transport: &[u8]) -> Vec<u8> {
    loaded().public().encipher(&SystemRandom, padding, transport).unwrap()
}

fn wrap(
    tmk: &SealedKey,
    padding: TransportPadding,
    wrapped: &[u8],
) -> Result<WrappedTmk, KeyError> {
    module().wrap_tmk(TERMINAL, tmk, &loaded(), padding, wrapped)
}

#[test]
fn a_fresh_key_makes_the_whole_way() {
    for (padding, algorithm) in [
        (TransportPadding::OaepSha256, Algorithm::Des),
        (TransportPadding::OaepSha256, Algorithm::Sm4),
        (TransportPadding::Pkcs1V15, Algorithm::Des),
    ] {
        let hsm = module();
        let sealed = hsm.generate_tmk(TERMINAL, algorithm).unwrap();
        let way = wrap(&sealed, padding, &enciphered(padding, &hex(TRANSPORT))).unwrap();
        let tmk = way.open(algorithm, &hex(TRANSPORT)).unwrap();
        assert_eq!(hsm.tmk_check_value(TERMINAL, &sealed), Ok(way.check));
        assert_eq!(check_value(&*tmk, algorithm), Ok(way.check));
        let proof = tmk_proof(algorithm, &*tmk, TERMINAL).unwrap();
        assert_eq!(hsm.verify_tmk_proof(TERMINAL, &sealed, &proof), Ok(()));
    }
}

/// What is sent depends on nothing but the two keys, so a repeat gets the same bytes.
#[test]
fn a_repeat_gets_the_same_answer() {
    let sealed = sealed_tmk(&module(), TMK, Algorithm::Des);
    for padding in PADDINGS {
        let ways = [(); 2].map(|()| wrap(&sealed, padding, &enciphered(padding, &hex(TRANSPORT))));
        assert_eq!(ways[0], ways[1]);
        assert_eq!(ways[0].as_ref().unwrap().check, [0x08, 0xD7, 0xB4, 0xFB]);
    }
}

#[test]
fn two_fresh_keys_are_two() {
    let hsm = module();
    let fresh = || hsm.generate_tmk(TERMINAL, Algorithm::Des).unwrap();
    let checks = [fresh(), fresh()].map(|key| hsm.tmk_check_value(TERMINAL, &key).unwrap());
    assert_ne!(checks[0], checks[1]);
}

#[test]
fn another_transport_key_opens_nothing() {
    let sealed = sealed_tmk(&module(), TMK, Algorithm::Des);
    let padding = TransportPadding::OaepSha256;
    let way = wrap(&sealed, padding, &enciphered(padding, &hex(TRANSPORT))).unwrap();
    let other = hex("404142434445464748494A4B4C4D4E3F");
    assert_eq!(way.open(Algorithm::Des, &other).err(), Some(KeyError::TmkCheckValue));
    let short = way.open(Algorithm::Des, &other[..7]).err();
    assert_eq!(short, Some(KeyError::KeyLength { got: 7 }));
    let altered = WrappedTmk { check: [0; 4], ..way };
    let altered = altered.open(Algorithm::Des, &hex(TRANSPORT)).err();
    assert_eq!(altered, Some(KeyError::TmkCheckValue));
}

/// Wrong lengths, damage, and weak keys are refused with one word.
#[test]
fn what_is_no_transport_key_is_refused() {
    let sealed = sealed_tmk(&module(), TMK, Algorithm::Des);
    let padding = TransportPadding::OaepSha256;
    let refused = |wrapped: &[u8]| wrap(&sealed, padding, wrapped).err();
    let said = Some(KeyError::TransportRefused);
    for length in [0, 1, 8, 15, 17, 24, 32] {
        let key: Vec<u8> = (1..=length).collect();
        assert_eq!(refused(&enciphered(padding, &key)), said, "{length} bytes");
    }
    let right = enciphered(padding, &hex(TRANSPORT));
    for (place, bit) in [(0, 0x40), (100, 1), (255, 1)] {
        let mut damaged = right.clone();
        damaged[place] ^= bit;
        assert_eq!(refused(&damaged), said);
    }
    for wrapped in [&right[..255], &[&right[..], &[0]].concat(), &[], &[0; 256], &[0xFF; 256]] {
        assert_eq!(refused(wrapped), said, "{} bytes", wrapped.len());
    }
    // Padded the other way.
    let other = enciphered(TransportPadding::Pkcs1V15, &hex(TRANSPORT));
    assert_eq!(refused(&other), said);
    for weak in ["0101010101010101FEFEFEFEFEFEFEFE", "40414243444546474041424344454647"] {
        assert_eq!(refused(&enciphered(padding, &hex(weak))), said);
    }
    assert!(refused(&right).is_none());
}

/// Whether the padding was good cannot be told from the answer: there is one either way, and the
/// same again for the same bytes.
#[test]
fn bad_padding_under_pkcs1_looks_like_good() {
    let sealed = sealed_tmk(&module(), TMK, Algorithm::Des);
    let padding = TransportPadding::Pkcs1V15;
    let mut damaged = enciphered(padding, &hex(TRANSPORT));
    damaged[200] ^= 1;
    let too_long = enciphered(padding, &[7; 24]);
    for wrapped in [damaged, too_long] {
        let ways = [(); 2].map(|()| wrap(&sealed, padding, &wrapped).unwrap());
        assert_eq!(ways[0], ways[1]);
        let opened = ways[0].open(Algorithm::Des, &hex(TRANSPORT)).err();
        assert_eq!(opened, Some(KeyError::TmkCheckValue));
    }
}

#[test]
fn a_master_key_travels_to_its_terminal_only() {
    let (hsm, padding) = (module(), TransportPadding::OaepSha256);
    let wrapped = enciphered(padding, &hex(TRANSPORT));
    let sealed = sealed_tmk(&hsm, TMK, Algorithm::Des);
    let way = hsm.wrap_tmk(OTHER_TERMINAL, &sealed, &loaded(), padding, &wrapped);
    assert_eq!(way.err(), Some(KeyError::Sealed));
    let triple = sealed_tmk(&hsm, &format!("{TMK}1111222233334444"), Algorithm::Des);
    assert_eq!(wrap(&triple, padding, &wrapped).err(), Some(KeyError::KeyLength { got: 24 }));
}

#[test]
fn a_proof_is_of_one_key_and_one_terminal() {
    let hsm = module();
    let sealed = sealed_tmk(&hsm, TMK, Algorithm::Des);
    let right = tmk_proof(Algorithm::Des, &hex(TMK), TERMINAL).unwrap();
    let verify = |proof: &[u8]| hsm.verify_tmk_proof(TERMINAL, &sealed, proof);
    assert_eq!(verify(&right), Ok(()));
    let others = [
        tmk_proof(Algorithm::Des, &hex(TMK), OTHER_TERMINAL).unwrap(),
        tmk_proof(Algorithm::Sm4, &hex(TMK), TERMINAL).unwrap(),
        check_value(&hex(TMK), Algorithm::Des).unwrap(),
    ];
    for wrong in others.iter().map(|proof| &proof[..]).chain([&right[..3], &[], &[0; 8]]) {
        assert_eq!(verify(wrong), Err(KeyError::TmkProof));
    }
    let other = hsm.verify_tmk_proof(OTHER_TERMINAL, &sealed, &right);
    assert_eq!(other, Err(KeyError::Sealed));
}

#[test]
fn production_sends_no_published_key() {
    let lmk = || Lmk::from_hex(&"0123456789abcdef".repeat(4)).unwrap();
    let hsm = SoftHsm::production(lmk()).unwrap();
    // Sealed by a module for development under the same master key.
    let published = sealed_tmk(&SoftHsm::new(lmk()), TMK, Algorithm::Des);
    let padding = TransportPadding::OaepSha256;
    let wrapped = enciphered(padding, &hex(TRANSPORT));
    let way = hsm.wrap_tmk(TERMINAL, &published, &loaded(), padding, &wrapped);
    assert_eq!(way.err(), Some(KeyError::KeyPublished));
}

#[test]
fn an_rsa_key_at_rest_opens_in_its_module_only() {
    let public = loaded().public();
    assert_eq!((public.modulus.len(), &*public.exponent), (256, &[1, 0, 1][..]));
    assert_eq!(module().load_transport_key(made()).unwrap().public(), public);
    let other = SoftHsm::new(Lmk::from_hex(&"0123456789abcdef".repeat(4)).unwrap());
    assert_eq!(other.load_transport_key(made()).err(), Some(KeyError::Sealed));
    let bytes = made().as_bytes();
    for place in [0, 1, 13, 100, bytes.len() - 1] {
        let mut damaged = bytes.to_vec();
        damaged[place] ^= 1;
        let wrong = module().load_transport_key(&SealedTransportKey::from_bytes(damaged)).err();
        assert_eq!(wrong, Some(KeyError::Sealed));
    }
    for length in [0, 1, 12, 29, bytes.len() - 1] {
        let cut = SealedTransportKey::from_bytes(bytes[..length].to_vec());
        assert_eq!(module().load_transport_key(&cut).err(), Some(KeyError::Sealed));
    }
    // A master key in its place, and it in the place of a master key.
    let tmk = sealed_tmk(&module(), TMK, Algorithm::Des);
    let wrong = SealedTransportKey::from_bytes([&[1], &tmk.as_bytes()[2..]].concat());
    assert_eq!(module().load_transport_key(&wrong).err(), Some(KeyError::Sealed));
    let wrong = SealedKey::from_bytes([&[1, 1], &bytes[1..]].concat());
    assert_eq!(module().tmk_check_value(TERMINAL, &wrong), Err(KeyError::Sealed));
}

/// A key that a module wrote in the past must stay readable.
#[test]
fn a_stored_rsa_key_is_read_as_it_ever_was() {
    let stored = SealedTransportKey::from_bytes(hex(STORED.trim()));
    let public = module().load_transport_key(&stored).unwrap().public();
    assert_eq!(crate::fixture::show(public.fingerprint()), FINGERPRINT);
    assert_eq!(format!("{stored:?}"), "SealedTransportKey(285 bytes)");
}

#[test]
fn what_is_no_rsa_key_enciphers_nothing() {
    for (modulus, exponent) in
        [(vec![], vec![1, 0, 1]), (vec![0xFF; 16], vec![3]), (vec![8; 256], vec![])]
    {
        let key = TransportPublic { modulus, exponent };
        let wrapped = key.encipher(&SystemRandom, TransportPadding::OaepSha256, &[1; 16]);
        assert_eq!(wrapped, Err(KeyError::TransportRefused));
    }
}

const STORED: &str = include_str!("transport.key");
const FINGERPRINT: &str = "1F0F72B99F9D6731013EF4945B965DA12058D98D6F7C50B10872F4492A1D5AB5";
