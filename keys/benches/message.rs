//! What a message costs in keys: one code, one PIN check.
#![allow(clippy::unwrap_used, reason = "in a bench a panic is a failure")]

use divan::{Bencher, black_box};
use keys::{Hsm, KeyLayout, Lmk, MacAlgorithm, Pan12, PinFormat, SoftHsm, TerminalKeys, demo_tmk};

const TERMINAL: &[u8; 8] = b"00000001";
/// As long as a sale with chip data.
const MESSAGE: [u8; 200] = [0x5A; 200];

/// Counts what each measured call allocates.
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [
    (KeyLayout::Des40A, MacAlgorithm::UnionPay),
    (KeyLayout::Des40A, MacAlgorithm::X99),
    (KeyLayout::Des40B, MacAlgorithm::UnionPay),
    (KeyLayout::Des40B, MacAlgorithm::X919),
    (KeyLayout::Des40B, MacAlgorithm::Cmac),
    (KeyLayout::Sm4x40, MacAlgorithm::Sm4A),
    (KeyLayout::Sm4x40, MacAlgorithm::Sm4Cbc),
])]
fn mac(bencher: Bencher, (layout, algorithm): (KeyLayout, MacAlgorithm)) {
    let hsm = SoftHsm::new(Lmk::demo());
    let tmk = hsm.import_tmk(TERMINAL, &*demo_tmk(TERMINAL), layout.algorithm()).unwrap();
    let new = hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap();
    let keys = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
    bencher.bench(|| hsm.mac(&keys, algorithm, black_box(&MESSAGE)).unwrap());
}

#[divan::bench(args = [KeyLayout::Des24, KeyLayout::Des40A, KeyLayout::Sm4x40])]
fn verify_pin(bencher: Bencher, layout: KeyLayout) {
    let hsm = SoftHsm::new(Lmk::demo());
    let clear = demo_tmk(TERMINAL);
    let tmk = hsm.import_tmk(TERMINAL, &*clear, layout.algorithm()).unwrap();
    let new = hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap();
    let keys = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
    let terminal =
        TerminalKeys::from_sign_on(&*clear, layout.algorithm(), &new.f62, Some(layout)).unwrap();
    let pan = Pan12::from_pan(b"6212142000000000012").unwrap();
    let block = terminal.pin_block(b"123456", PinFormat::WithPan, Some(&pan)).unwrap();
    let expected = hsm.derive_pin_verification(7, b"123456").unwrap();
    bencher.bench(|| {
        hsm.verify_pin(&keys, black_box(block.as_bytes()), PinFormat::WithPan, &pan, 7, &expected)
    });
}

/// What is paid once a sign-on, not once a message.
#[divan::bench(args = [KeyLayout::Des40A, KeyLayout::Des60B, KeyLayout::Sm4x60])]
fn load_working_keys(bencher: Bencher, layout: KeyLayout) {
    let hsm = SoftHsm::new(Lmk::demo());
    let tmk = hsm.import_tmk(TERMINAL, &*demo_tmk(TERMINAL), layout.algorithm()).unwrap();
    let new = hsm.generate_working_keys(TERMINAL, &tmk, layout).unwrap();
    bencher.bench(|| hsm.load_working_keys(TERMINAL, black_box(&new.sealed)).unwrap());
}

#[divan::bench]
fn pan_index(bencher: Bencher) {
    let hsm = SoftHsm::new(Lmk::demo());
    bencher.bench(|| hsm.pan_index(black_box(b"6212142000000000012")));
}

#[divan::bench]
fn seal_and_open_pan(bencher: Bencher) {
    let hsm = SoftHsm::new(Lmk::demo());
    bencher.bench(|| {
        let sealed = hsm.seal_pan(black_box(b"6212142000000000012"), 7).unwrap();
        hsm.open_pan(&sealed, 7).unwrap()
    });
}
