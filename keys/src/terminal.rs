//! The terminal's end: working keys as a terminal holds them.

use crate::cipher::BlockKey;
use crate::pin::ClearPin;
use crate::{
    Algorithm, KeyError, KeyLayout, MacAlgorithm, Pan12, PinBlock, PinFormat, WorkingKeys, block,
    track,
};

/// Working keys in a terminal, for virtual terminals and tests.
///
/// A terminal keeps the set it has until a new one has been read without an error; hence a failed
/// sign-on changes nothing. It cannot be printed, copied or serialised:
///
/// ```compile_fail,E0277
/// fn print(keys: &keys::TerminalKeys) { println!("{keys:?}"); }
/// ```
pub struct TerminalKeys(WorkingKeys);

impl TerminalKeys {
    /// Reads field 62 of a sign-on response (without length prefix) under the terminal master key.
    ///
    /// `asked` is the layout the sign-on asked for; a block of another length is then refused.
    /// Between form A and B the block itself decides ([`KeyLayout::of_block`]).
    ///
    /// # Errors
    /// [`KeyError::KeyBlockLength`], [`KeyError::CheckValue`] at the first key that does not
    /// match, [`KeyError::KeyLength`] for a master key of a wrong length.
    pub fn from_sign_on(
        tmk: &[u8],
        algorithm: Algorithm,
        f62: &[u8],
        asked: Option<KeyLayout>,
    ) -> Result<Self, KeyError> {
        let (layout, keys) = block::read(&BlockKey::new(algorithm, tmk)?, asked, f62)?;
        WorkingKeys::from_clear(layout, &keys).map(Self)
    }

    /// The layout the keys came in.
    #[must_use]
    pub const fn layout(&self) -> KeyLayout {
        self.0.layout()
    }

    /// Computes field 64 over `bytes`.
    ///
    /// # Errors
    /// [`KeyError::MacNotForKey`] if the algorithm does not fit the MAC key.
    pub fn mac(&self, algorithm: MacAlgorithm, bytes: &[u8]) -> Result<[u8; 8], KeyError> {
        self.0.mac.code(algorithm, bytes)
    }

    /// True if `mac` is right. An algorithm that does not fit the key makes it wrong.
    #[must_use]
    pub fn verify_mac(&self, algorithm: MacAlgorithm, bytes: &[u8], mac: &[u8]) -> bool {
        self.0.mac.verify(algorithm, bytes, mac).is_ok()
    }

    /// Enciphers a PIN of 4 to 12 ASCII digits. Without a card number to bind, `pan` is ignored.
    ///
    /// # Errors
    /// [`KeyError::PinMalformed`]; [`KeyError::PanNeeded`] if the format binds a card number and
    /// there is none.
    pub fn pin_block(
        &self,
        pin: &[u8],
        format: PinFormat,
        pan: Option<&Pan12>,
    ) -> Result<PinBlock, KeyError> {
        let bound = match format {
            PinFormat::WithPan => Some(pan.ok_or(KeyError::PanNeeded)?),
            PinFormat::WithoutPan => None,
        };
        Ok(ClearPin::from_digits(pin)?.encrypt(&self.0.pin, bound))
    }

    /// Enciphers a track in place, as [`crate::Hsm::decrypt_track`] deciphers it.
    ///
    /// # Errors
    /// [`KeyError::TrackKey`] and [`KeyError::TrackMalformed`]; the track is then untouched.
    pub fn encrypt_track(&self, digits: &mut [u8]) -> Result<(), KeyError> {
        track::encrypt(self.0.track.as_ref(), digits)
    }
}
