//! Keys that everybody can read: for demonstrations and tests, never for production.

use hmac::Mac;
use zeroize::Zeroizing;

use crate::Algorithm;
use crate::cipher::is_same_key;
use crate::random::keyed;

/// The demonstration master key.
pub(crate) const DEMO_LMK: &[u8; 32] = b"posp demo LMK - never production";

/// Master keys that stand in public documents, in this project's test vectors among others.
const TEST_KEYS: [u128; 12] = [
    0x258F_B0AB_70D0_25CD_B99D_F2C4_D302_D646,
    0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210,
    0xFEDC_BA98_7654_3210_0123_4567_89AB_CDEF,
    0x1234_5678_90AB_CDEF_ABCD_EF09_8765_4321,
    0x1023_4576_89BA_DCEF_0132_5467_98AB_CDFE,
    0x89AB_CDEF_0123_4567_7654_3210_FEDC_BA98,
    0x3B5E_9D1C_7A4F_6280_C1D3_E3F4_0416_26A8,
    0x6B9E_4A7C_13F2_D580_89AB_CDEF_0123_4567,
    0x0B1C_2C3E_4F51_6173_8998_ABBA_CDDC_EFF1,
    0x1122_3344_5566_7788_9900_1122_3344_556A,
    0xA1B2_C3D4_E5F6_0718_293A_4B5C_6D7E_8F90,
    0x0F1E_2D3C_4B5A_6978_8796_A5B4_C3D2_E1F0,
];

/// A master key for a demonstration terminal: published, yet different for each.
#[must_use]
pub fn demo_tmk(terminal: &[u8; 8]) -> Zeroizing<[u8; 16]> {
    let mut mac = keyed(DEMO_LMK);
    mac.update(b"demo tmk ");
    mac.update(terminal);
    let mut tmk = Zeroizing::new([0; 16]);
    tmk.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    tmk
}

/// True if a terminal master key is one that everybody can know: a test key of this project or of
/// public documents, or the terminal's [`demo_tmk`]. DES keys are compared parity aside.
#[must_use]
pub fn is_published(terminal: &[u8; 8], key: &[u8], algorithm: Algorithm) -> bool {
    let same = |published: &[u8]| is_same_key(algorithm, published, key);
    TEST_KEYS.iter().any(|published| same(&published.to_be_bytes()))
        || same(demo_tmk(terminal).as_slice())
}
