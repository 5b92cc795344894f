//! Message codes: what they catch, what the XOR algorithms cannot catch, and which key fits which.

use keys::{Hsm, KeyError, KeyLayout, MacAlgorithm, TerminalKeys};

use crate::fixture::{MAK, MAK_DOUBLE, PIK, SM4_MAK, SM4_PIK, TERMINAL, TMK, host, terminal};

const ALL: [MacAlgorithm; 7] = [
    MacAlgorithm::UnionPay,
    MacAlgorithm::X99,
    MacAlgorithm::X919,
    MacAlgorithm::Cmac,
    MacAlgorithm::Sm4A,
    MacAlgorithm::Sm4B,
    MacAlgorithm::Sm4Cbc,
];

fn single() -> TerminalKeys {
    terminal(KeyLayout::Des40A, &[PIK, MAK])
}

fn double() -> TerminalKeys {
    terminal(KeyLayout::Des40B, &[PIK, MAK_DOUBLE])
}

fn triple() -> TerminalKeys {
    let key = "1023324554677689A1B3C2D5E5F707190E1F2C3D4A5B6879";
    terminal(KeyLayout::Des56, &[key, key])
}

fn sm4() -> TerminalKeys {
    terminal(KeyLayout::Sm4x40, &[SM4_PIK, SM4_MAK])
}

/// A message of 200 bytes, no two of its blocks equal.
fn message() -> Vec<u8> {
    (0..200_u8).map(|place| place.wrapping_mul(37) ^ (place >> 3)).collect()
}

#[test]
fn an_algorithm_works_only_with_the_key_it_is_for() {
    use MacAlgorithm::{Cmac, Sm4A, Sm4B, Sm4Cbc, UnionPay, X99, X919};
    for (name, keys, fitting) in [
        ("single", single(), &[UnionPay, X99][..]),
        ("double", double(), &[UnionPay, X919, Cmac]),
        ("triple", triple(), &[UnionPay]),
        ("sm4", sm4(), &[Sm4A, Sm4B, Sm4Cbc, Cmac]),
    ] {
        for algorithm in ALL {
            let code = keys.mac(algorithm, &message());
            if fitting.contains(&algorithm) {
                assert!(keys.verify_mac(algorithm, &message(), &code.unwrap()));
            } else {
                assert_eq!(code, Err(KeyError::MacNotForKey), "{name} {algorithm:?}");
                assert!(!keys.verify_mac(algorithm, &message(), &[0; 8]));
            }
        }
    }
}

/// Each bit of a 200-byte message, and each bit of its code, counts.
#[test]
fn every_flipped_bit_is_caught() {
    for (keys, algorithm) in [
        (single(), MacAlgorithm::UnionPay),
        (double(), MacAlgorithm::UnionPay),
        (single(), MacAlgorithm::X99),
        (double(), MacAlgorithm::X919),
        (double(), MacAlgorithm::Cmac),
        (sm4(), MacAlgorithm::Sm4A),
        (sm4(), MacAlgorithm::Sm4B),
        (sm4(), MacAlgorithm::Sm4Cbc),
    ] {
        let mut message = message();
        let mut code = keys.mac(algorithm, &message).unwrap();
        assert!(keys.verify_mac(algorithm, &message, &code));
        let mut caught = 0;
        for bit in 0..message.len() * 8 {
            message[bit / 8] ^= 1 << (bit % 8);
            caught += usize::from(!keys.verify_mac(algorithm, &message, &code));
            message[bit / 8] ^= 1 << (bit % 8);
        }
        for bit in 0..64 {
            code[bit / 8] ^= 1 << (bit % 8);
            caught += usize::from(!keys.verify_mac(algorithm, &message, &code));
            code[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(caught, 1_600 + 64, "{algorithm:?}");
    }
}

#[test]
fn a_code_of_another_length_is_wrong() {
    let keys = single();
    let code = keys.mac(MacAlgorithm::UnionPay, &message()).unwrap();
    let longer = [&code[..], &[0]].concat();
    for other in [&code[..7], &longer, &[]] {
        assert!(!keys.verify_mac(MacAlgorithm::UnionPay, &message(), other));
    }
}

/// Even over nothing the key decides the code.
#[test]
fn an_empty_message_has_no_code_that_anyone_could_guess() {
    let other = terminal(KeyLayout::Des40A, &[PIK, "AB7C577CC7A18045"]);
    for algorithm in [MacAlgorithm::UnionPay, MacAlgorithm::X99] {
        let codes = (single().mac(algorithm, &[]).unwrap(), other.mac(algorithm, &[]).unwrap());
        assert_ne!(codes.0, codes.1);
    }
    assert_ne!(sm4().mac(MacAlgorithm::Sm4Cbc, &[]), Ok([0; 8]));
}

/// The host's end says the same, and calls a wrong code by its name.
#[test]
fn both_ends_agree() {
    let (hsm, new) = host(KeyLayout::Des40A, TMK, &[PIK, MAK]);
    let keys = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
    let code = single().mac(MacAlgorithm::UnionPay, &message()).unwrap();
    assert_eq!(hsm.mac(&keys, MacAlgorithm::UnionPay, &message()), Ok(code));
    assert_eq!(hsm.verify_mac(&keys, MacAlgorithm::UnionPay, &message(), &code), Ok(()));
    assert_eq!(
        hsm.verify_mac(&keys, MacAlgorithm::UnionPay, &message(), &[b'0'; 8]),
        Err(KeyError::MacWrong)
    );
    assert_eq!(
        hsm.verify_mac(&keys, MacAlgorithm::X919, &message(), &code),
        Err(KeyError::MacNotForKey)
    );
}

/// The weakness of the XOR algorithms, kept here so that nobody takes them for protection: without
/// the key, an amount of 0.51 becomes 9 000 000 000.51 and the code stays right. The same
/// difference goes into a byte one block further on; or two blocks change places.
#[test]
fn xor_mac_is_forgeable() {
    for (keys, algorithm, block) in [
        (single(), MacAlgorithm::UnionPay, 8),
        (double(), MacAlgorithm::UnionPay, 8),
        (sm4(), MacAlgorithm::Sm4A, 16),
        (sm4(), MacAlgorithm::Sm4B, 16),
    ] {
        let mut message = message();
        message[16..22].copy_from_slice(&[0, 0, 0, 0, 0, 0x51]);
        let code = keys.mac(algorithm, &message).unwrap();

        let mut amount_forged = message.clone();
        amount_forged[16] ^= 0x90;
        assert!(!keys.verify_mac(algorithm, &amount_forged, &code));
        amount_forged[16 + block] ^= 0x90;
        assert!(keys.verify_mac(algorithm, &amount_forged, &code));

        let mut blocks_swapped = message.clone();
        let (head, tail) = blocks_swapped.split_at_mut(block);
        head.swap_with_slice(&mut tail[..block]);
        assert_ne!(blocks_swapped, message);
        assert!(keys.verify_mac(algorithm, &blocks_swapped, &code));
    }
}

/// The others do catch it.
#[test]
fn chained_codes_catch_that_forgery() {
    for (keys, algorithm, block) in [
        (single(), MacAlgorithm::X99, 8),
        (double(), MacAlgorithm::X919, 8),
        (double(), MacAlgorithm::Cmac, 16),
        (sm4(), MacAlgorithm::Sm4Cbc, 16),
    ] {
        let mut message = message();
        let code = keys.mac(algorithm, &message).unwrap();
        message[16] ^= 0x90;
        message[16 + block] ^= 0x90;
        assert!(!keys.verify_mac(algorithm, &message, &code));
    }
}

/// Zero padding does not tell a message from the same message with zeros behind it; CMAC does.
#[test]
fn only_cmac_tells_trailing_zeros() {
    for (keys, algorithm, told) in [
        (single(), MacAlgorithm::UnionPay, false),
        (single(), MacAlgorithm::X99, false),
        (double(), MacAlgorithm::X919, false),
        (sm4(), MacAlgorithm::Sm4A, false),
        (sm4(), MacAlgorithm::Sm4Cbc, false),
        (double(), MacAlgorithm::Cmac, true),
    ] {
        let short = keys.mac(algorithm, b"0200 12345").unwrap();
        let long = keys.mac(algorithm, b"0200 12345\0\0").unwrap();
        assert_eq!(short != long, told, "{algorithm:?}");
    }
}
