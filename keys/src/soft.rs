//! The security module in software.

use std::sync::Arc;

use aes::Aes256Enc;
use aes::cipher::KeyInit;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::{BlockKey, refuse_weak};
use crate::hsm::{Hsm, NewWorkingKeys, PinVerdict};
use crate::mac::cmac_256;
use crate::pin::ClearPin;
use crate::seal::KeySealer;
use crate::transport::{TRANSPORT_LEN, TransportKeeper};
use crate::vault::PanVault;
use crate::{
    Algorithm, KeyError, KeyLayout, Lmk, MacAlgorithm, Pan12, PanIndex, PinBlock, PinFormat,
    PinVerification, RandomSource, SealedKey, SealedPan, SealedTransportKey, SealedWorkingKeys,
    SystemRandom, TransportKey, TransportPadding, WorkingKeys, WrappedTmk, block, is_published,
    tmk_proof, track,
};

/// The security module in software, under one local master key.
///
/// Not a secure cryptographic device; the crate's documentation says what that means. It cannot be
/// printed or copied:
///
/// ```compile_fail,E0277
/// fn print(hsm: &keys::SoftHsm) { println!("{hsm:?}"); }
/// ```
pub struct SoftHsm {
    keys: KeySealer,
    vault: PanVault,
    transport: TransportKeeper,
    pin: Box<Aes256Enc>,
    random: Box<dyn RandomSource>,
    rules: Rules,
}

/// What a module lets pass.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Rules {
    /// Published keys and every layout, for demonstrations and tests.
    Development,
    /// No published key, no single-length PIN key.
    Production,
}

impl SoftHsm {
    /// A module for development: published keys pass.
    #[must_use]
    pub fn new(lmk: Lmk) -> Self {
        Self::with_randomness(lmk, Box::new(SystemRandom))
    }

    /// A module for development with its own source of randomness, for simulations.
    #[must_use]
    pub fn with_randomness(lmk: Lmk, random: Box<dyn RandomSource>) -> Self {
        Self::build(&lmk, random, Rules::Development)
    }

    /// A module for production: it refuses the published local master key, published terminal
    /// master keys, and [`KeyLayout::Des24`]. Its randomness is the operating system's.
    ///
    /// # Errors
    /// [`KeyError::LmkPublished`]; [`KeyError::Randomness`] if the system gives none.
    pub fn production(lmk: Lmk) -> Result<Self, KeyError> {
        if lmk.is_demo() {
            return Err(KeyError::LmkPublished);
        }
        SystemRandom.fill(&mut [0; 32])?;
        Ok(Self::build(&lmk, Box::new(SystemRandom), Rules::Production))
    }

    fn build(lmk: &Lmk, random: Box<dyn RandomSource>, rules: Rules) -> Self {
        Self {
            keys: KeySealer::new(lmk),
            vault: PanVault::new(lmk),
            transport: TransportKeeper::new(lmk),
            pin: Box::new(Aes256Enc::new((&*lmk.derive("pin verification")).into())),
            random,
            rules,
        }
    }

    fn open_tmk(&self, terminal: &[u8; 8], tmk: &SealedKey) -> Result<BlockKey, KeyError> {
        let (algorithm, clear) = self.keys.open_tmk(terminal, tmk)?;
        self.refuse_published(terminal, &clear, algorithm)?;
        BlockKey::new(algorithm, &clear)
    }

    fn refuse_published(
        &self,
        terminal: &[u8; 8],
        tmk: &[u8],
        algorithm: Algorithm,
    ) -> Result<(), KeyError> {
        if self.rules == Rules::Production && is_published(terminal, tmk, algorithm) {
            return Err(KeyError::KeyPublished);
        }
        Ok(())
    }

    fn refuse_single_length(&self, layout: KeyLayout) -> Result<(), KeyError> {
        if self.rules == Rules::Production && layout == KeyLayout::Des24 {
            return Err(KeyError::LayoutRefused);
        }
        Ok(())
    }

    fn verification(&self, card: u64, pin: &ClearPin) -> PinVerification {
        let mut text = Zeroizing::new([0; 16]);
        let bytes = card.to_be_bytes().into_iter().chain(*pin.as_bytes());
        text.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        PinVerification::from_bytes(cmac_256(&self.pin, &*text))
    }
}

impl Hsm for SoftHsm {
    fn import_tmk(
        &self,
        terminal: &[u8; 8],
        clear: &[u8],
        algorithm: Algorithm,
    ) -> Result<SealedKey, KeyError> {
        let right_length = match algorithm {
            Algorithm::Des => matches!(clear.len(), 16 | 24),
            Algorithm::Sm4 => clear.len() == 16,
        };
        if !right_length {
            return Err(KeyError::KeyLength { got: clear.len() });
        }
        refuse_weak(algorithm, clear)?;
        self.refuse_published(terminal, clear, algorithm)?;
        self.keys.seal_tmk(&*self.random, terminal, algorithm, clear)
    }

    fn tmk_check_value(&self, terminal: &[u8; 8], tmk: &SealedKey) -> Result<[u8; 4], KeyError> {
        let (algorithm, clear) = self.keys.open_tmk(terminal, tmk)?;
        Ok(BlockKey::new(algorithm, &clear)?.check_value())
    }

    fn generate_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        layout: KeyLayout,
    ) -> Result<NewWorkingKeys, KeyError> {
        self.refuse_single_length(layout)?;
        let tmk = self.open_tmk(terminal, tmk)?;
        let keys = block::draw(layout, &*self.random)?;
        Ok(NewWorkingKeys {
            f62: block::build(&tmk, layout, &keys)?,
            sealed: self.keys.seal_working(&*self.random, terminal, layout, &keys)?,
        })
    }

    fn import_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        f62: &[u8],
        asked: Option<KeyLayout>,
    ) -> Result<SealedWorkingKeys, KeyError> {
        let tmk = self.open_tmk(terminal, tmk)?;
        let (layout, keys) = block::read(&tmk, asked, f62)?;
        self.refuse_single_length(layout)?;
        self.keys.seal_working(&*self.random, terminal, layout, &keys)
    }

    fn load_working_keys(
        &self,
        terminal: &[u8; 8],
        sealed: &SealedWorkingKeys,
    ) -> Result<Arc<WorkingKeys>, KeyError> {
        let keys = self.keys.open_working(terminal, sealed)?;
        WorkingKeys::from_clear(sealed.layout(), &keys).map(Arc::new)
    }

    fn mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
    ) -> Result<[u8; 8], KeyError> {
        keys.mac.code(algorithm, bytes)
    }

    fn verify_mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
        mac: &[u8],
    ) -> Result<(), KeyError> {
        keys.mac.verify(algorithm, bytes, mac)
    }

    fn verify_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
        expected: &PinVerification,
    ) -> PinVerdict {
        let (is_pin, pin) = ClearPin::decrypt(&keys.pin, block, format.bound(pan));
        let is_right = self.verification(card, &pin).ct_eq(expected);
        if bool::from(is_pin & is_right) { PinVerdict::Right } else { PinVerdict::Wrong }
    }

    fn derive_pin_verification(&self, card: u64, pin: &[u8]) -> Result<PinVerification, KeyError> {
        Ok(self.verification(card, &ClearPin::from_digits(pin)?))
    }

    fn choose_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
    ) -> Result<PinVerification, KeyError> {
        let (is_pin, pin) = ClearPin::decrypt(&keys.pin, block, format.bound(pan));
        let kept = self.verification(card, &pin);
        if bool::from(is_pin & !pin.is_guessable()) { Ok(kept) } else { Err(KeyError::PinRefused) }
    }

    fn translate_pin(
        &self,
        from: &WorkingKeys,
        to: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
    ) -> Result<PinBlock, KeyError> {
        let (is_pin, pin) = ClearPin::decrypt(&from.pin, block, format.bound(pan));
        let translated = pin.encrypt(&to.pin, Some(pan));
        if is_pin.into() { Ok(translated) } else { Err(KeyError::PinRefused) }
    }

    fn decrypt_track(&self, keys: &WorkingKeys, digits: &mut [u8]) -> Result<(), KeyError> {
        track::decrypt(keys.track.as_ref(), digits)
    }

    fn pan_index(&self, pan: &[u8]) -> PanIndex {
        self.vault.index(pan)
    }

    fn seal_pan(&self, pan: &[u8], card: u64) -> Result<SealedPan, KeyError> {
        self.vault.seal(&*self.random, pan, card)
    }

    fn open_pan(&self, sealed: &SealedPan, card: u64) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.vault.open(sealed, card)
    }

    fn generate_transport_key(&self) -> Result<SealedTransportKey, KeyError> {
        TransportKey::generate(&self.transport.sealer, &*self.random)
    }

    fn load_transport_key(
        &self,
        sealed: &SealedTransportKey,
    ) -> Result<Arc<TransportKey>, KeyError> {
        self.transport.load(sealed).map(Arc::new)
    }

    fn generate_tmk(
        &self,
        terminal: &[u8; 8],
        algorithm: Algorithm,
    ) -> Result<SealedKey, KeyError> {
        let mut clear = Zeroizing::new([0; TRANSPORT_LEN]);
        block::draw_one(algorithm, &*self.random, &mut *clear)?;
        self.keys.seal_tmk(&*self.random, terminal, algorithm, &*clear)
    }

    fn wrap_tmk(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        key: &TransportKey,
        padding: TransportPadding,
        wrapped: &[u8],
    ) -> Result<WrappedTmk, KeyError> {
        let (algorithm, clear) = self.keys.open_tmk(terminal, tmk)?;
        self.refuse_published(terminal, &clear, algorithm)?;
        key.wrap(&*self.random, padding, wrapped, (algorithm, &clear))
    }

    fn verify_tmk_proof(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        proof: &[u8],
    ) -> Result<(), KeyError> {
        let (algorithm, clear) = self.keys.open_tmk(terminal, tmk)?;
        let right = tmk_proof(algorithm, &clear, terminal)?;
        if right.ct_eq(proof).into() { Ok(()) } else { Err(KeyError::TmkProof) }
    }
}
