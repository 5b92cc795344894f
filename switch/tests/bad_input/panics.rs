//! A fault of the switch itself that one message finds: it costs that line, and nothing else.

use std::sync::Arc;

use keys::{
    Algorithm, Hsm, KeyError, KeyLayout, MacAlgorithm, NewWorkingKeys, Pan12, PanIndex, PinBlock,
    PinFormat, PinVerdict, PinVerification, SealedKey, SealedPan, SealedTransportKey,
    SealedWorkingKeys, TransportKey, TransportPadding, WorkingKeys, WrappedTmk,
};
use switch::config::Config;
use switch::node::keeper;
use zeroize::Zeroizing;

use crate::line::{Line, Seller, count, echo};
use crate::lines::turn;
use crate::town::Town;

/// A keeper of keys that has a fault: it breaks at a PIN block that is not bound to its card.
struct Faulty(Arc<dyn Hsm>);

impl Hsm for Faulty {
    fn verify_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
        expected: &PinVerification,
    ) -> PinVerdict {
        assert!(format == PinFormat::WithPan, "a fault that a test has planted");
        self.0.verify_pin(keys, block, format, pan, card, expected)
    }

    fn import_tmk(
        &self,
        terminal: &[u8; 8],
        clear: &[u8],
        algorithm: Algorithm,
    ) -> Result<SealedKey, KeyError> {
        self.0.import_tmk(terminal, clear, algorithm)
    }

    fn generate_transport_key(&self) -> Result<SealedTransportKey, KeyError> {
        self.0.generate_transport_key()
    }

    fn load_transport_key(
        &self,
        sealed: &SealedTransportKey,
    ) -> Result<Arc<TransportKey>, KeyError> {
        self.0.load_transport_key(sealed)
    }

    fn generate_tmk(
        &self,
        terminal: &[u8; 8],
        algorithm: Algorithm,
    ) -> Result<SealedKey, KeyError> {
        self.0.generate_tmk(terminal, algorithm)
    }

    fn wrap_tmk(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        key: &TransportKey,
        padding: TransportPadding,
        wrapped: &[u8],
    ) -> Result<WrappedTmk, KeyError> {
        self.0.wrap_tmk(terminal, tmk, key, padding, wrapped)
    }

    fn verify_tmk_proof(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        proof: &[u8],
    ) -> Result<(), KeyError> {
        self.0.verify_tmk_proof(terminal, tmk, proof)
    }

    fn tmk_check_value(&self, terminal: &[u8; 8], tmk: &SealedKey) -> Result<[u8; 4], KeyError> {
        self.0.tmk_check_value(terminal, tmk)
    }

    fn generate_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        layout: KeyLayout,
    ) -> Result<NewWorkingKeys, KeyError> {
        self.0.generate_working_keys(terminal, tmk, layout)
    }

    fn import_working_keys(
        &self,
        terminal: &[u8; 8],
        tmk: &SealedKey,
        f62: &[u8],
        asked: Option<KeyLayout>,
    ) -> Result<SealedWorkingKeys, KeyError> {
        self.0.import_working_keys(terminal, tmk, f62, asked)
    }

    fn load_working_keys(
        &self,
        terminal: &[u8; 8],
        sealed: &SealedWorkingKeys,
    ) -> Result<Arc<WorkingKeys>, KeyError> {
        self.0.load_working_keys(terminal, sealed)
    }

    fn mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
    ) -> Result<[u8; 8], KeyError> {
        self.0.mac(keys, algorithm, bytes)
    }

    fn verify_mac(
        &self,
        keys: &WorkingKeys,
        algorithm: MacAlgorithm,
        bytes: &[u8],
        mac: &[u8],
    ) -> Result<(), KeyError> {
        self.0.verify_mac(keys, algorithm, bytes, mac)
    }

    fn derive_pin_verification(&self, card: u64, pin: &[u8]) -> Result<PinVerification, KeyError> {
        self.0.derive_pin_verification(card, pin)
    }

    fn choose_pin(
        &self,
        keys: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
        card: u64,
    ) -> Result<PinVerification, KeyError> {
        self.0.choose_pin(keys, block, format, pan, card)
    }

    fn translate_pin(
        &self,
        from: &WorkingKeys,
        to: &WorkingKeys,
        block: &[u8],
        format: PinFormat,
        pan: &Pan12,
    ) -> Result<PinBlock, KeyError> {
        self.0.translate_pin(from, to, block, format, pan)
    }

    fn decrypt_track(&self, keys: &WorkingKeys, digits: &mut [u8]) -> Result<(), KeyError> {
        self.0.decrypt_track(keys, digits)
    }

    fn pan_index(&self, pan: &[u8]) -> PanIndex {
        self.0.pan_index(pan)
    }

    fn seal_pan(&self, pan: &[u8], card: u64) -> Result<SealedPan, KeyError> {
        self.0.seal_pan(pan, card)
    }

    fn open_pan(&self, sealed: &SealedPan, card: u64) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.open_pan(sealed, card)
    }
}

#[test]
fn a_panic_ends_its_line() {
    let _turn = turn();
    let hsm = keeper(&Config::default()).unwrap();
    let town = Town::start_with(Arc::new(Faulty(hsm)), |_| {});
    let mut seller = Seller::sign_on(&town);
    let mut beside = Line::to(&town);
    let (before, entries) = (count(["posp_conn_closed_total", "PANIC"]), town.entries());
    for times in 1..=3 {
        let (first, found, last) = (
            seller.sale(),
            seller.bent_sale(|draft| _ = draft.digits(53, "1600000000000000")),
            seller.sale(),
        );
        let mut line = Line::to(&town);
        line.write(&first);
        assert_eq!(line.read().unwrap().code(), "00");
        line.write(&[found, last].concat());
        assert_eq!(line.rest(), "closed", "what found the fault ends its line");
        assert_eq!(count(["posp_conn_closed_total", "PANIC"]), before + times);
        // Whoever is beside it notices nothing, and the terminal goes on over another line.
        beside.write(&[echo(), seller.sale()].concat());
        assert_eq!(beside.read().unwrap().code(), "00");
        assert_eq!(beside.read().unwrap().code(), "00");
        assert_eq!(town.entries(), entries + 2 * times, "what found the fault left nothing");
    }
    // Nothing of the terminal is left in flight, or its settlement would wait for ever.
    beside.write(&seller.settlement(&format!("{:012}006{}", 6, "0".repeat(47))));
    assert_eq!(beside.read().unwrap().digits(48).unwrap()[30..31], *"1");
    drop(beside);
    town.stop();
}
