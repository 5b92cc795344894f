//! PIN verification and translation: one verdict for whatever is wrong.

use keys::{Hsm, KeyError, KeyLayout, Pan12, PinFormat, PinVerdict, PinVerification, SoftHsm};
use proptest::prelude::*;

use crate::fixture::{MAK, PAN, PIK, SM4_MAK, SM4_PIK, TERMINAL, TMK, hex, host, terminal, under};

const CARD: u64 = 7;

/// A module with keys, and what it kept of PIN 123456 for card 7.
struct Bank {
    hsm: SoftHsm,
    keys: std::sync::Arc<keys::WorkingKeys>,
    kept: PinVerification,
    pan: Pan12,
}

fn bank(layout: KeyLayout) -> Bank {
    let keys = if layout == KeyLayout::Sm4x40 { [SM4_PIK, SM4_MAK] } else { [PIK, MAK] };
    let (hsm, new) = host(layout, TMK, &keys);
    let keys = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
    let kept = hsm.derive_pin_verification(CARD, b"123456").unwrap();
    Bank { hsm, keys, kept, pan: Pan12::from_pan(PAN).unwrap() }
}

impl Bank {
    fn verify(&self, block: &[u8], format: PinFormat) -> PinVerdict {
        self.hsm.verify_pin(&self.keys, block, format, &self.pan, CARD, &self.kept)
    }

    /// A clear block as a terminal with the right key would encipher it.
    fn verify_clear(&self, clear: &str, format: PinFormat) -> PinVerdict {
        self.verify(&under(&hex(PIK), &hex(clear)), format)
    }
}

#[test]
fn the_right_pin_is_right() {
    for (layout, with, without) in [
        (KeyLayout::Des40A, "1AEAF7C6A730543B", "6115EE60D6960AE0"),
        (KeyLayout::Sm4x40, "AE19DC30D27B12F44A8A1E2778E8A30E", "D616124FF99B73AB890AA61028B8816B"),
    ] {
        let bank = bank(layout);
        assert_eq!(bank.verify(&hex(with), PinFormat::WithPan), PinVerdict::Right);
        assert_eq!(bank.verify(&hex(without), PinFormat::WithoutPan), PinVerdict::Right);
        assert_eq!(bank.verify(&hex(with), PinFormat::WithoutPan), PinVerdict::Wrong);
        assert_eq!(bank.verify(&hex(without), PinFormat::WithPan), PinVerdict::Wrong);
    }
}

/// Every way to be wrong gives one word.
#[test]
fn every_wrong_block_is_just_wrong() {
    let bank = bank(KeyLayout::Des40A);
    for clear in [
        "06123456FFFFFFFF", // right, to show that the rest is wrong for its own reason
        "06123457FFFFFFFF", // another PIN
        "05123456FFFFFFFF", // a length too short, and a digit in the filler
        "07123456FFFFFFFF", // a length too long, and filler among the digits
        "16123456FFFFFFFF", // another format
        "0612345AFFFFFFFF", // a digit beyond 9
        "06123456FFFFFFF0", // filler that is none
        "03123FFFFFFFFFFF", // too short to be a PIN
        "00FFFFFFFFFFFFFF",
        "0D1234561234567F", // too long to be a PIN
        "131234561234567F",
        "0F12345612345612",
        "FFFFFFFFFFFFFFFF",
        "0000000000000000",
    ] {
        let verdict = bank.verify_clear(clear, PinFormat::WithoutPan);
        let right = clear == "06123456FFFFFFFF";
        assert_eq!(verdict == PinVerdict::Right, right, "{clear}");
    }
    for length in 0..40 {
        let zeros = vec![0; length];
        assert_eq!(bank.verify(&zeros, PinFormat::WithoutPan), PinVerdict::Wrong);
    }
    let block = hex("6115EE60D6960AE0");
    for block in [&block[..7], &[&block[..], &[0xFF; 8]].concat(), &[&block[..], &[0]].concat()] {
        assert_eq!(bank.verify(block, PinFormat::WithoutPan), PinVerdict::Wrong);
    }
}

/// Long PINs: the length as two decimal digits, and as ISO 9564 writes it.
#[test]
fn both_spellings_of_long_lengths_are_read() {
    let bank = bank(KeyLayout::Des40A);
    for (pin, bcd, iso) in [
        (&b"1234567890"[..], "101234567890FFFF", "0A1234567890FFFF"),
        (b"12345678901", "1112345678901FFF", "0B12345678901FFF"),
        (b"123456789012", "12123456789012FF", "0C123456789012FF"),
    ] {
        let kept = bank.hsm.derive_pin_verification(CARD, pin).unwrap();
        for clear in [bcd, iso] {
            let block = under(&hex(PIK), &hex(clear));
            let verdict = bank.hsm.verify_pin(
                &bank.keys,
                &block,
                PinFormat::WithoutPan,
                &bank.pan,
                CARD,
                &kept,
            );
            assert_eq!(verdict, PinVerdict::Right, "{clear}");
        }
        let ours = terminal(KeyLayout::Des40A, &[PIK, MAK])
            .pin_block(pin, PinFormat::WithoutPan, None)
            .unwrap();
        assert_eq!(ours.as_bytes(), under(&hex(PIK), &hex(bcd)));
    }
}

/// What is kept is bound to the card: moved to another, it is worth nothing.
#[test]
fn a_verification_value_is_the_cards_own() {
    let bank = bank(KeyLayout::Des40A);
    let block = hex("6115EE60D6960AE0");
    let verdict = bank.hsm.verify_pin(
        &bank.keys,
        &block,
        PinFormat::WithoutPan,
        &bank.pan,
        CARD + 1,
        &bank.kept,
    );
    assert_eq!(verdict, PinVerdict::Wrong);
    let other = bank.hsm.derive_pin_verification(CARD + 1, b"123456").unwrap();
    assert_ne!(other, bank.kept);
}

#[test]
fn a_pin_to_keep_or_to_send_must_be_four_to_twelve_digits() {
    let bank = bank(KeyLayout::Des40A);
    let keys = terminal(KeyLayout::Des40A, &[PIK, MAK]);
    for pin in [&b""[..], b"123", b"1234567890123", b"12a4", b"12 4", b"\x01\x02\x03\x04"] {
        let kept = bank.hsm.derive_pin_verification(CARD, pin);
        assert_eq!(kept, Err(KeyError::PinMalformed));
        let block = keys.pin_block(pin, PinFormat::WithoutPan, None);
        assert_eq!(block, Err(KeyError::PinMalformed));
    }
    assert_eq!(keys.pin_block(b"1234", PinFormat::WithPan, None), Err(KeyError::PanNeeded));
}

/// Translation says no in one word too, and what it lets through binds the card number.
#[test]
fn translation_refuses_what_is_no_pin_block() {
    let bank = bank(KeyLayout::Des40A);
    for clear in [
        "0612345AFFFFFFFF",
        "03123FFFFFFFFFFF",
        "16123456FFFFFFFF",
        "0D1234561234567F",
        "06123456FFFFFFF0",
    ] {
        let block = under(&hex(PIK), &hex(clear));
        for block in [&block[..], &block[..7], &[]] {
            let translated = bank.hsm.translate_pin(
                &bank.keys,
                &bank.keys,
                block,
                PinFormat::WithoutPan,
                &bank.pan,
            );
            assert_eq!(translated, Err(KeyError::PinRefused), "{clear}");
        }
    }
}

#[test]
fn translation_crosses_from_des_to_sm4() {
    let from = bank(KeyLayout::Des40A);
    let (_, to) = host(KeyLayout::Sm4x40, TMK, &[SM4_PIK, SM4_MAK]);
    let to = from.hsm.load_working_keys(TERMINAL, &to.sealed).unwrap();
    let block = hex("6115EE60D6960AE0");
    let block =
        from.hsm.translate_pin(&from.keys, &to, &block, PinFormat::WithoutPan, &from.pan).unwrap();
    assert_eq!(block.as_bytes(), hex("AE19DC30D27B12F44A8A1E2778E8A30E"));
}

#[test]
fn twelve_digits_are_taken_from_the_right() {
    let pan = |digits: &[u8]| Pan12::from_pan(digits);
    let same = pan(b"1234567890123").unwrap();
    assert_eq!(pan(b"1234567890129"), Some(same), "the check digit is not in it");
    assert_eq!(pan(b"9991234567890123"), Some(same), "nor is what stands further left");
    assert_ne!(pan(b"2234567890123"), Some(same));
    assert_eq!(pan(b"123456789012"), pan(b"0123456789012"), "a short number is filled up");
    for wrong in
        [&b""[..], b"12345678901", b"12345678901234567890", b"123456789012x", b"1234 67890123"]
    {
        assert_eq!(pan(wrong), None);
    }
}

fn pin() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(b'0'..=b'9', 4..=12)
}

fn pan() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(b'0'..=b'9', 12..=19)
}

fn format() -> impl Strategy<Value = PinFormat> {
    prop::sample::select(vec![PinFormat::WithPan, PinFormat::WithoutPan])
}

fn layout() -> impl Strategy<Value = KeyLayout> {
    prop::sample::select(vec![KeyLayout::Des40A, KeyLayout::Sm4x40])
}

fn keys_of(layout: KeyLayout) -> [&'static str; 2] {
    if layout == KeyLayout::Sm4x40 { [SM4_PIK, SM4_MAK] } else { [PIK, MAK] }
}

/// A PIN that is chosen verifies afterwards; one that anybody would guess is refused.
#[test]
fn a_chosen_pin_is_none_that_anybody_would_guess() {
    for layout in [KeyLayout::Des40A, KeyLayout::Sm4x40] {
        let (bank, terminal) = (bank(layout), terminal(layout, &keys_of(layout)));
        let (format, pan) = (PinFormat::WithPan, Pan12::from_pan(PAN).unwrap());
        let choose = |pin: &[u8]| {
            let block = terminal.pin_block(pin, format, Some(&pan)).unwrap();
            let chosen = bank.hsm.choose_pin(&bank.keys, block.as_bytes(), format, &pan, 7);
            chosen.map(|kept| {
                bank.hsm.verify_pin(&bank.keys, block.as_bytes(), format, &pan, 7, &kept)
            })
        };
        for guessable in [&b"0000"[..], b"888888", b"123456", b"7890", b"654321", b"2109"] {
            assert_eq!(choose(guessable), Err(KeyError::PinRefused));
        }
        for fit in [&b"1357"[..], b"112233", b"123457", b"0246", b"135790246813"] {
            assert_eq!(choose(fit), Ok(PinVerdict::Right));
        }
        let chosen = bank.hsm.choose_pin(&bank.keys, &[0; 3], format, &pan, 7);
        assert_eq!(chosen, Err(KeyError::PinRefused));
    }
}

proptest! {
    /// A PIN typed is the PIN verified: no other PIN, card or bound number is.
    #[test]
    fn a_pin_makes_the_round_trip(
        (pin, other_pin) in (pin(), pin()),
        (pan, other_pan) in (pan(), pan()),
        (layout, format, card) in (layout(), format(), any::<u64>()),
    ) {
        let bank = bank(layout);
        let (pan, other_pan) =
            (Pan12::from_pan(&pan).unwrap(), Pan12::from_pan(&other_pan).unwrap());
        let kept = bank.hsm.derive_pin_verification(card, &pin).unwrap();
        let block = terminal(layout, &keys_of(layout)).pin_block(&pin, format, Some(&pan)).unwrap();
        let verify = |pan: &Pan12, card: u64, kept: &PinVerification| {
            bank.hsm.verify_pin(&bank.keys, block.as_bytes(), format, pan, card, kept)
        };
        prop_assert_eq!(verify(&pan, card, &kept), PinVerdict::Right);
        prop_assert_eq!(verify(&pan, !card, &kept), PinVerdict::Wrong);
        let other_kept = bank.hsm.derive_pin_verification(card, &other_pin).unwrap();
        let same_pin = pin == other_pin;
        prop_assert_eq!(verify(&pan, card, &other_kept) == PinVerdict::Right, same_pin);
        let same_pan = pan == other_pan || format == PinFormat::WithoutPan;
        prop_assert_eq!(verify(&other_pan, card, &kept) == PinVerdict::Right, same_pan);
    }

    /// A PIN translated is the same PIN, bound to the same card number.
    #[test]
    fn translation_keeps_the_pin(
        (pin, pan) in (pin(), pan()),
        (from_layout, to_layout, format) in (layout(), layout(), format()),
    ) {
        let from = bank(from_layout);
        let to = bank(to_layout);
        let pan = Pan12::from_pan(&pan).unwrap();
        let block = terminal(from_layout, &keys_of(from_layout))
            .pin_block(&pin, format, Some(&pan))
            .unwrap();
        let translated = from
            .hsm
            .translate_pin(&from.keys, &to.keys, block.as_bytes(), format, &pan)
            .unwrap();
        let direct = terminal(to_layout, &keys_of(to_layout))
            .pin_block(&pin, PinFormat::WithPan, Some(&pan))
            .unwrap();
        prop_assert_eq!(translated, direct);
    }

    /// No bytes make it panic, and none are a PIN by chance.
    #[test]
    fn any_bytes_are_wrong(
        block in prop::collection::vec(any::<u8>(), 0..40),
        (layout, format) in (layout(), format()),
    ) {
        prop_assert_eq!(bank(layout).verify(&block, format), PinVerdict::Wrong);
    }
}
