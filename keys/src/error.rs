//! Why something with a key failed.

use crate::hierarchy::KeyUsage;

/// Why a key operation failed.
///
/// Never holds key material, a PIN, a card number or a code; at most a length, or the name of the
/// file or variable a master key was to come from.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// The file or variable that should hold the local master key is missing or unreadable.
    #[error("local master key: {origin} cannot be read: {reason}")]
    LmkUnreadable {
        /// The file's path, or the variable's name.
        origin: Box<str>,
        /// What the system said.
        reason: std::io::ErrorKind,
    },
    /// The local master key is not 64 hexadecimal digits.
    #[error("local master key: {origin} must hold 64 hexadecimal digits (32 bytes)")]
    LmkMalformed {
        /// The file's path, or the variable's name.
        origin: Box<str>,
    },
    /// The local master key is one byte repeated, which no generator makes.
    #[error("local master key: {origin} holds one byte repeated, which is no key")]
    LmkWeak {
        /// The file's path, or the variable's name.
        origin: Box<str>,
    },
    /// The published demonstration master key was offered to a production module.
    #[error("the demonstration master key is published and refused in production")]
    LmkPublished,
    /// A key has a length its algorithm does not know.
    #[error("a key of {got} bytes does not fit its algorithm")]
    KeyLength {
        /// Bytes given.
        got: usize,
    },
    /// A key is weak, semi-weak, or its parts repeat.
    #[error("the key is weak, or its parts are equal")]
    WeakKey,
    /// Key components are fewer than two, of different lengths, all zero, or repeated.
    #[error("key components must be two or more, equally long, different and not all zero")]
    Components,
    /// A key from published documents was offered to a production module.
    #[error("the key is a published test key and refused in production")]
    KeyPublished,
    /// A block of keys does not have the length of the layout asked for.
    #[error("a key block of {got} bytes fits no layout that was asked for")]
    KeyBlockLength {
        /// Bytes given.
        got: usize,
    },
    /// The layout is for another algorithm than the key that should protect it.
    #[error("the key layout is for another algorithm than the terminal master key")]
    LayoutNotForKey,
    /// The layout's PIN key is single DES, which a production module does not make.
    #[error("a single-length PIN key is refused in production")]
    LayoutRefused,
    /// A working key does not give the check value that came with it.
    #[error("the check value of the {usage} key does not match")]
    CheckValue {
        /// The first key that did not match.
        usage: KeyUsage,
    },
    /// A sealed value does not open: altered, or sealed for another holder, use or master key.
    #[error("the sealed value does not open: altered, or for another holder, usage or master key")]
    Sealed,
    /// What should be a transport key for a new master key is none. It does not say why.
    #[error("the transport key is refused")]
    TransportRefused,
    /// A new master key does not give the check value that came with it.
    #[error("the check value of the master key does not match")]
    TmkCheckValue,
    /// What should prove that a terminal has its new master key does not.
    #[error("the proof of the new master key is wrong")]
    TmkProof,
    /// The algorithm of the code does not fit the key's cipher or length.
    #[error("the authentication algorithm does not fit the key")]
    MacNotForKey,
    /// The code is wrong.
    #[error("the message authentication code is wrong")]
    MacWrong,
    /// A PIN to be enciphered or enrolled is not 4 to 12 digits.
    #[error("a PIN must be 4 to 12 digits")]
    PinMalformed,
    /// A PIN block to be translated is not right. It does not say how.
    #[error("the PIN block is refused")]
    PinRefused,
    /// A PIN block with card number was asked for without one.
    #[error("this PIN block needs a card number")]
    PanNeeded,
    /// A card number to be sealed is not 12 to 19 digits.
    #[error("a card number must be 12 to 19 digits")]
    PanMalformed,
    /// The set of working keys has no track key, or one whose use on tracks is not defined (SM4).
    #[error("there is no key for tracks")]
    TrackKey,
    /// A track has fewer than 17 digits or something that is no digit where it is enciphered.
    #[error("the track cannot be enciphered: fewer than 17 digits, or not digits")]
    TrackMalformed,
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Randomness,
}
