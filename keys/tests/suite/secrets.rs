//! What holds a secret cannot be copied, printed or serialised, and is wiped.

use std::fmt::{Debug, Display};

use keys::{Algorithm, Hsm, KeyLayout, Lmk, Pan12, PinFormat, SoftHsm, TerminalKeys, WorkingKeys};
use serde::Serialize;
use zeroize::ZeroizeOnDrop;

use crate::fixture::{MAK, PAN, PIK, TMK, host, sealed_tmk, terminal};

/// Compiles only if the type does not have the trait: with it, two implementations fit the call
/// and the compiler cannot choose.
macro_rules! assert_lacks {
    ($type:ty: $($lacking:path),+) => {$({
        trait Choice<Of> { fn choose() {} }
        impl<T: ?Sized> Choice<()> for T {}
        struct Has;
        impl<T: ?Sized + $lacking> Choice<Has> for T {}
        <$type as Choice<_>>::choose();
    })+};
}

#[test]
fn secrets_cannot_be_copied_printed_or_serialised() {
    assert_lacks!(Lmk: Debug, Display, Clone, Copy, Serialize, AsRef<[u8]>);
    assert_lacks!(WorkingKeys: Debug, Display, Clone, Copy, Serialize, AsRef<[u8]>);
    assert_lacks!(TerminalKeys: Debug, Display, Clone, Copy, Serialize, AsRef<[u8]>);
    assert_lacks!(SoftHsm: Debug, Display, Clone, Copy, Serialize, AsRef<[u8]>);
    assert_lacks!(Pan12: Display, Serialize, AsRef<[u8]>);
}

/// The schedules wipe themselves, which each crate does only if its feature is on.
#[test]
fn schedules_are_wiped() {
    const fn wiped<T: ZeroizeOnDrop>() {}
    wiped::<des::Des>();
    wiped::<sm4::Sm4>();
    wiped::<aes::Aes128Enc>();
    wiped::<aes::Aes256Enc>();
    wiped::<aes_gcm::Aes256Gcm>();
    // HMAC keeps its key only as the states of two hashes.
    wiped::<sha2::Sha256>();
}

#[test]
fn keys_are_shared_between_threads() {
    const fn shared<T: Send + Sync>() {}
    shared::<WorkingKeys>();
    shared::<TerminalKeys>();
    shared::<SoftHsm>();
    shared::<Box<dyn Hsm>>();
}

/// What can be printed prints nothing that helps anyone.
#[test]
fn what_is_printed_says_nothing() {
    let (hsm, new) = host(KeyLayout::Des40A, TMK, &[PIK, MAK]);
    let pan = Pan12::from_pan(PAN).unwrap();
    let block = terminal(KeyLayout::Des40A, &[PIK, MAK])
        .pin_block(b"123456", PinFormat::WithPan, Some(&pan))
        .unwrap();
    let tmk = sealed_tmk(&hsm, TMK, Algorithm::Des);
    assert_eq!(format!("{pan:?}"), "Pan12(..)");
    assert_eq!(format!("{block:?}"), "PinBlock(8 bytes)");
    assert_eq!(format!("{:?}", hsm.derive_pin_verification(7, b"1234")), "Ok(PinVerification(..))");
    assert_eq!(format!("{:?}", hsm.seal_pan(PAN, 7).unwrap()), "SealedPan(39 bytes)");
    assert_eq!(format!("{tmk:?}"), "SealedKey(46 bytes)");
    assert_eq!(format!("{:?}", new.sealed), "SealedWorkingKeys(Des40A, 53 bytes)");
    let index = format!("{:?}", hsm.pan_index(PAN));
    assert_eq!(index.len(), "PanIndex()".len() + 16);
    assert!(!index.contains("6212"));
}
