//! The security module as the host sees it.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{
    Algorithm, KeyError, KeyLayout, MacAlgorithm, Pan12, PanIndex, PinBlock, PinFormat,
    PinVerification, SealedKey, SealedPan, SealedTransportKey, SealedWorkingKeys, TransportKey,
    TransportPadding, WorkingKeys, WrappedTmk,
};

/// What comes of looking at a PIN.
///
/// [`Self::Wrong`] is the one word for a wrong PIN, a block that is no PIN block, a wrong format
/// and a wrong card number, so that answers teach an attacker nothing but that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum PinVerdict {
    /// The PIN is the card's.
    Right,
    /// Anything else.
    Wrong,
}

/// Working keys just made.
#[derive(Clone, Debug)]
pub struct NewWorkingKeys {
    /// The block for field 62 of the sign-on response, without a length prefix.
    pub f62: Vec<u8>,
    /// The same keys for the store.
    pub sealed: SealedWorkingKeys,
}

/// A security module: everything that needs a clear key or a clear PIN happens behind it.
///
/// `terminal` is the 8 bytes of field 41 (or an equally long name of a partner): a sealed value
/// opens only for the terminal it was sealed for. There is no way to get a clear key out.
pub trait Hsm: Send + Sync {
    /// Seals a terminal master key: 16 or 24 bytes (DES) or 16 bytes (SM4).
    ///
    /// # Errors
    /// [`KeyError::KeyLength`], [`KeyError::WeakKey`], [`KeyError::KeyPublished`] in production,
    /// [`KeyError::Randomness`].
    fn import_tmk(
        &self,
        terminal: &[u8; 8],
        clear: &[u8],
        algorithm: Algorithm,
    ) -> Result<SealedKey, KeyError>;

    /// The check value of a terminal master key.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if the key does not open for this terminal.
    fn tmk_check_value(&self, terminal: &[u8; 8], tmk: &SealedKey) -> Result<[u8; 4], KeyError>;

    /// Makes new working keys: for the terminal under its master key, for the store sealed.
    ///
    /// # Errors
    /// [`KeyError::Sealed`], [`KeyError::LayoutNotForKey`], [`KeyError::Randomness`]; in
    /// production [`KeyError::KeyPublished`], and [`KeyError::LayoutRefused`] for
    /// [`KeyLayout::Des24`].
    fn generate_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        layout: KeyLayout,
    ) -> Result<NewWorkingKeys, KeyError>;

    /// Takes working keys that another host made, as a terminal does at sign-on.
    ///
    /// `tmk` is the master key shared with that host, sealed for `terminal`; `asked` the layout
    /// asked for, if one was.
    ///
    /// # Errors
    /// [`KeyError::Sealed`], [`KeyError::KeyBlockLength`], [`KeyError::CheckValue`],
    /// [`KeyError::Randomness`]; in production [`KeyError::KeyPublished`], and
    /// [`KeyError::LayoutRefused`] for [`KeyLayout::Des24`].
    fn import_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        f62: &[u8],
        asked: Option<KeyLayout>,
    ) -> Result<SealedWorkingKeys, KeyError>;

    /// Opens working keys and builds their schedules. Done once, not for every message.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if they do not open for this terminal.
    fn load_working_keys(
        &self,
        terminal: &[u8; 8],
        sealed: &SealedWorkingKeys,
    ) -> Result<Arc<WorkingKeys>, KeyError>;

    /// Computes field 64 over `bytes`.
    ///
    /// # Errors
    /// [`KeyError::MacNotForKey`] if the algorithm does not fit the MAC key.
    fn mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
    ) -> Result<[u8; 8], KeyError>;

    /// Verifies a received field 64 in constant time.
    ///
    /// # Errors
    /// [`KeyError::MacWrong`] if the code is not right, [`KeyError::MacNotForKey`] if the
    /// algorithm does not fit the MAC key.
    fn verify_mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
        mac: &[u8],
    ) -> Result<(), KeyError>;

    /// Verifies a PIN block of 8 bytes (DES) or 16 (SM4) against what was kept of the card's PIN.
    ///
    /// Takes the same way, and the same time, whatever is wrong.
    fn verify_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
        expected: &PinVerification,
    ) -> PinVerdict;

    /// Computes what is kept of a new PIN: `card` is the card's surrogate id, `pin` ASCII digits.
    ///
    /// # Errors
    /// [`KeyError::PinMalformed`] unless the PIN is 4 to 12 digits.
    fn derive_pin_verification(&self, card: u64, pin: &[u8]) -> Result<PinVerification, KeyError>;

    /// Computes what is kept of a PIN that a cardholder has chosen: a block of 8 bytes (DES) or 16
    /// (SM4), made like those of [`Self::verify_pin`].
    ///
    /// # Errors
    /// [`KeyError::PinRefused`] if the block is no PIN block, and for a PIN that anybody would
    /// guess: one digit over and over, or digits that count up or down.
    fn choose_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
    ) -> Result<PinVerification, KeyError>;

    /// Re-enciphers a PIN block from one set of keys to another, for a partner.
    ///
    /// `format` is that of the received block. The result always binds the card number: a block
    /// that binds one must never become one that does not (PCI PIN 3.1, requirement 3-3), so there
    /// is no way to ask for it, nor to change the number.
    ///
    /// # Errors
    /// [`KeyError::PinRefused`] whatever is wrong with the block.
    fn translate_pin(
        &self,
        from: &WorkingKeys,
        to: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
    ) -> Result<PinBlock, KeyError>;

    /// Deciphers a track in place: ASCII digits, the separator as `D`, the length kept.
    ///
    /// 16 digits were enciphered, ending one digit before the last if the length is odd, two if it
    /// is even. Under a wrong key they come out as any of `0` to `9` and `A` to `F`.
    ///
    /// # Errors
    /// [`KeyError::TrackKey`] if there is no DES track key, [`KeyError::TrackMalformed`] for fewer
    /// than 17 digits or something that is no digit. The track is then untouched.
    fn decrypt_track(&self, keys: &WorkingKeys, digits: &mut [u8]) -> Result<(), KeyError>;

    /// The index a card number (ASCII digits) is found by.
    fn pan_index(&self, pan: &[u8]) -> PanIndex;

    /// Seals a card number of 12 to 19 ASCII digits for the card with surrogate id `card`.
    ///
    /// # Errors
    /// [`KeyError::PanMalformed`], [`KeyError::Randomness`].
    fn seal_pan(&self, pan: &[u8], card: u64) -> Result<SealedPan, KeyError>;

    /// Opens a sealed card number.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if it was altered, or sealed for another card or master key.
    fn open_pan(&self, sealed: &SealedPan, card: u64) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// Makes an RSA key of 2048 bits, under which terminals send transport keys. Takes a moment.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    fn generate_transport_key(&self) -> Result<SealedTransportKey, KeyError>;

    /// Opens an RSA key and prepares it. Done once, not for every message.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if it was altered, or sealed under another master key.
    fn load_transport_key(
        &self,
        sealed: &SealedTransportKey,
    ) -> Result<Arc<TransportKey>, KeyError>;

    /// Makes a terminal master key of 16 bytes.
    ///
    /// # Errors
    /// [`KeyError::Randomness`].
    fn generate_tmk(&self, terminal: &[u8; 8], algorithm: Algorithm)
    -> Result<SealedKey, KeyError>;

    /// Enciphers a master key of 16 bytes for the terminal it was sealed for, under a transport
    /// key that the terminal sent as `wrapped`.
    ///
    /// Whoever calls this answers for who sent it: nothing in `wrapped` says.
    ///
    /// # Errors
    /// [`KeyError::TransportRefused`] whatever is wrong with `wrapped`, [`KeyError::Sealed`],
    /// [`KeyError::KeyLength`] for a master key of another length, [`KeyError::KeyPublished`] in
    /// production.
    fn wrap_tmk(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        key: &TransportKey,
        padding: TransportPadding,
        wrapped: &[u8],
    ) -> Result<WrappedTmk, KeyError>;

    /// Says whether `proof` is what only a holder of the master key can tell
    /// ([`crate::tmk_proof`]), in constant time.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if the key does not open for this terminal, [`KeyError::TmkProof`] if
    /// the proof is wrong.
    fn verify_tmk_proof(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        proof: &[u8],
    ) -> Result<(), KeyError>;
}
