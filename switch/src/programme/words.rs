//! The words that files and output use for things of other crates.

use domain::issuing::{CardStatus, Right};
use domain::ledger::Purse;
use keys::{Algorithm, KeyLayout, MacAlgorithm, TransportPadding};

/// A thing that has one word.
pub trait Word: Copy + Eq + 'static {
    /// Every value with its word.
    const WORDS: &'static [(&'static str, Self)];

    /// Returns the word.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("?", |(word, _)| word)
    }

    /// Returns what `word` stands for.
    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

impl Word for Algorithm {
    const WORDS: &'static [(&'static str, Self)] = &[("3des", Self::Des), ("sm4", Self::Sm4)];
}

impl Word for KeyLayout {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("des-24", Self::Des24),
        ("des-40a", Self::Des40A),
        ("des-40b", Self::Des40B),
        ("des-56", Self::Des56),
        ("des-60a", Self::Des60A),
        ("des-60b", Self::Des60B),
        ("des-84", Self::Des84),
        ("sm4-40", Self::Sm4x40),
        ("sm4-60", Self::Sm4x60),
    ];
}

impl Word for MacAlgorithm {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("union-pay", Self::UnionPay),
        ("x99", Self::X99),
        ("x919", Self::X919),
        ("cmac", Self::Cmac),
        ("sm4-a", Self::Sm4A),
        ("sm4-b", Self::Sm4B),
        ("sm4-cbc", Self::Sm4Cbc),
    ];
}

impl Word for TransportPadding {
    const WORDS: &'static [(&'static str, Self)] =
        &[("oaep-sha256", Self::OaepSha256), ("pkcs1-v1.5", Self::Pkcs1V15)];
}

impl Word for CardStatus {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("sold", Self::Sold),
        ("active", Self::Active),
        ("frozen", Self::Frozen),
        ("lost", Self::Lost),
        ("cancelled", Self::Cancelled),
    ];
}

impl Word for Right {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("sale", Self::Sale),
        ("inquiry", Self::Inquiry),
        ("refund", Self::Refund),
        ("pre-auth", Self::PreAuth),
        ("top-up", Self::TopUp),
        ("points", Self::Points),
        ("mail-order", Self::MailOrder),
        ("offline", Self::Offline),
        ("e-cash", Self::ECash),
        ("activation", Self::Activation),
        ("pin-change", Self::PinChange),
        ("partial", Self::Partial),
    ];
}

impl Word for Purse {
    const WORDS: &'static [(&'static str, Self)] =
        &[("main", Self::Main), ("bonus", Self::Bonus), ("points", Self::Points)];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_layout_has_a_word_of_its_own() {
        let words: BTreeSet<_> = KeyLayout::ALL.iter().map(|layout| layout.word()).collect();
        assert_eq!(words.len(), KeyLayout::ALL.len());
        assert!(!words.contains("?"));
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        fn check<T: Word + std::fmt::Debug>() {
            for &(word, value) in T::WORDS {
                assert_eq!(T::of_word(word), Some(value));
                assert_eq!(value.word(), word);
            }
        }
        check::<Algorithm>();
        check::<KeyLayout>();
        check::<MacAlgorithm>();
        check::<TransportPadding>();
        check::<CardStatus>();
        check::<Purse>();
        check::<Right>();
        assert_eq!(KeyLayout::of_word("des-41"), None);
    }
}
