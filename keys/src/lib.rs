//! Keys, PIN blocks, message authentication codes, and the security module that keeps them.
//!
//! The crate knows no message, card or terminal beyond the identifiers it binds keys to. Two
//! types stand for the two ends of a line:
//!
//! - [`Hsm`] is the host's end. Keys leave it only sealed ([`SealedKey`], [`SealedWorkingKeys`]),
//!   a PIN never leaves it. [`SoftHsm`] is the implementation in software.
//! - [`TerminalKeys`] is the terminal's end, for virtual terminals and tests.
//!
//! # Limits, said plainly
//!
//! [`SoftHsm`] is not a secure cryptographic device: clear keys are in this process's memory. It
//! serves development and schemes that accept software; PCI PIN wants a certified device behind
//! the same trait. SM4 is not among the algorithms PCI PIN names for online PIN. Types that hold
//! secrets are wiped when dropped and can be neither copied, printed nor serialised, but copies
//! that a move leaves on the stack are beyond what safe code can wipe.
//!
//! The `des` crate looks its S-boxes up in a 512-byte table, so it is not strictly constant-time
//! against an attacker who shares the processor's cache.
//!
//! # Modules, lowest first
//!
//! `error`, `text` (bytes for serde), `random`, `cipher` (one block), `layout` and `block` (field 62
//! of a sign-on), `mac_des`, `mac`, `pin`, `track`, `published` (keys everybody knows), `hierarchy` (master key
//! and working keys), `seal` and `vault` (at rest), `transport` (a new master key on its way), `hsm`,
//! `soft`, `terminal`.

mod block;
mod cipher;
mod error;
mod hierarchy;
mod hsm;
mod layout;
mod mac;
mod mac_des;
mod pin;
mod published;
mod random;
mod seal;
mod soft;
mod terminal;
mod text;
mod track;
mod transport;
mod vault;

pub use cipher::{Algorithm, check_value};
pub use error::KeyError;
pub use hierarchy::{KeyUsage, Lmk, WorkingKeys, combine_components};
pub use hsm::{Hsm, NewWorkingKeys, PinVerdict};
pub use layout::KeyLayout;
pub use mac::MacAlgorithm;
pub use pin::{Pan12, PinBlock, PinFormat, PinVerification};
pub use published::{demo_tmk, is_published};
pub use random::{RandomSource, SeededRandom, SystemRandom};
pub use seal::{SealedKey, SealedWorkingKeys};
pub use soft::SoftHsm;
pub use terminal::TerminalKeys;
pub use transport::{
    SealedTransportKey, TransportKey, TransportPadding, TransportPublic, WrappedTmk, tmk_proof,
};
pub use vault::{PanIndex, SealedPan};
