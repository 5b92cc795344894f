//! Known answers: public ones, and synthetic ones computed with two other implementations.

use keys::{Algorithm, Hsm, KeyLayout, MacAlgorithm, Pan12, PinFormat, TerminalKeys, check_value};

use crate::fixture::{
    MAK, MAK_DOUBLE, PAN, PIK, SM4_MAK, SM4_PIK, SM4_TDK, TDK, TERMINAL, TMK, hex, host, part,
    show, terminal,
};

/// Both ways: the host makes exactly this block of these keys, and the terminal takes it.
fn sign_on(layout: KeyLayout, tmk: &str, keys: &[&str], f62: &str) {
    let (_, new) = host(layout, tmk, keys);
    assert_eq!(show(&new.f62), f62, "{layout:?}");
    assert_eq!(new.f62.len(), layout.block_len());
    for asked in [None, Some(layout)] {
        let read =
            TerminalKeys::from_sign_on(&hex(tmk), layout.algorithm(), &hex(f62), asked).unwrap();
        assert_eq!(read.layout(), layout);
    }
}

/// Public, from a captured sign-on.
#[test]
fn v1_forty_bytes_form_a() {
    sign_on(
        KeyLayout::Des40A,
        "258FB0AB70D025CDB99DF2C4D302D646",
        &["D931648F3DE313A4A22C15DCA4F4299E", "AB7C577CC7A18045"],
        "46F161A743497B32EAC760DF5EA57DF5900ECCE3977731A7EA402DDF0000000000000000CFF1592A",
    );
}

#[test]
fn v2_twenty_four_bytes() {
    assert_eq!(show(check_value(&hex(TMK), Algorithm::Des).unwrap()), "08D7B4FB");
    sign_on(
        KeyLayout::Des24,
        TMK,
        &["1A2A3D4C5E6E7080", "FEDCBA9876543210"],
        "4B3BA18A6291BA20A2AFCD721FD1B02B237AF9AEA68CDCA9",
    );
}

const TRIPLE: [&str; 3] = [
    "1023324554677689A1B3C2D5E5F707190E1F2C3D4A5B6879",
    "8976675445322310133457799BBCDFF18697A4B5C2D3E0F1",
    "98ABBACDDCEFFE010102020404070708DFADBFEFCBFEBABF",
];
const TRIPLE_F62: &str = "F16C5AA64E30FC15541B3C01A77841665E7B93CC18947DEBD2F5087E0CEC1FFAD618E767BAD32B371DF2EA5473852F4C7C5229C84986415F81258FE4B8B2B54F48707E1C13661EB8F8AD4DEE62A5B0BC4B471B08";

#[test]
fn v3_eighty_four_bytes_and_its_first_fifty_six() {
    sign_on(KeyLayout::Des84, TMK, &TRIPLE, TRIPLE_F62);
    sign_on(KeyLayout::Des56, TMK, &TRIPLE[..2], &TRIPLE_F62[..112]);
}

#[test]
fn v4_forty_and_sixty_bytes_in_both_forms() {
    let a = "4DE539CF4B2B17845D17E2C7B0AD5F394B12C1B351E0C72AABA45C3B000000000000000067D6A501";
    let b = "4DE539CF4B2B17845D17E2C7B0AD5F394B12C1B351E0C72AABA45C3B86A1E312A1BE4FEB71ECED9C";
    let track = "4230EF1CB268495597F4494DD23D8A72EB7A8DF9";
    sign_on(KeyLayout::Des40A, TMK, &[PIK, MAK], a);
    sign_on(KeyLayout::Des60A, TMK, &[PIK, MAK, TDK], &format!("{a}{track}"));
    sign_on(KeyLayout::Des40B, TMK, &[PIK, MAK_DOUBLE], b);
    sign_on(KeyLayout::Des60B, TMK, &[PIK, MAK_DOUBLE, TDK], &format!("{b}{track}"));
}

/// A triple-length master key, for which there is no published block, against another path.
#[test]
fn a_triple_length_master_key() {
    let tmk = "1023324554677689A1B3C2D5E5F707190E1F2C3D4A5B6879";
    let f62 = [part(&hex(tmk), &hex(PIK), 16), part(&hex(tmk), &hex(MAK), 16)].concat();
    sign_on(KeyLayout::Des40A, tmk, &[PIK, MAK], &show(f62));
}

/// Public.
#[test]
fn v5_union_pay_mac_single() {
    let keys = terminal(KeyLayout::Des40A, &[PIK, "029EF2B06B3BF88F"]);
    let message = hex(
        "0200202004C020C098113100000000010220001224CF3EB03BE436D90E4F57B515043BF79963425C5A27CA2ACB3130303535343737333030343430313339393830303231313536363837303738393626000000000000000019010000010005",
    );
    assert_eq!(&keys.mac(MacAlgorithm::UnionPay, &message).unwrap(), b"A45EE63E");
}

const V6: &str = "0200302004C020C0981100000000000000005100183402100006324392260000000008D1312101000000393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001";

#[test]
fn v6_one_message_under_single_and_double_keys() {
    let code =
        |layout, mak, algorithm| terminal(layout, &[PIK, mak]).mac(algorithm, &hex(V6)).unwrap();
    let union_pay = MacAlgorithm::UnionPay;
    assert_eq!(&code(KeyLayout::Des40A, "C24A8FB57AA20123", union_pay), b"1E67CBE0");
    assert_eq!(&code(KeyLayout::Des40B, MAK_DOUBLE, union_pay), b"F34E86C8");
    assert_eq!(show(code(KeyLayout::Des40A, MAK, MacAlgorithm::X99)), "B010943B5AC7A33E");
    assert_eq!(show(code(KeyLayout::Des40B, MAK_DOUBLE, MacAlgorithm::X919)), "E8D45A9723D78172");
}

/// Public: the code of a key reset between institutions.
#[test]
fn x99_of_a_key_reset() {
    let keys = terminal(KeyLayout::Des40A, &[PIK, "51490E75F192EF91"]);
    let text = b"0800 0517160726 000535 2000000000000000 101 0844190440";
    assert_eq!(show(keys.mac(MacAlgorithm::X99, text).unwrap()), "FFAB6DBF1136E560");
}

/// The key and texts of RFC 4493, 4, the left halves of its codes.
#[test]
fn aes_cmac_of_rfc_4493() {
    let keys = terminal(KeyLayout::Des40B, &[PIK, "2B7E151628AED2A6ABF7158809CF4F3C"]);
    let text = hex(
        "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710",
    );
    for (length, code) in [
        (0, "BB1D6929E9593728"),
        (16, "070A16B46B4D4144"),
        (40, "DFA66747DE9AE630"),
        (64, "51F0BEBF7E3B9D92"),
    ] {
        assert_eq!(show(keys.mac(MacAlgorithm::Cmac, &text[..length]).unwrap()), code);
    }
}

fn pin_block(layout: KeyLayout, pik: &str, pin: &[u8], pan: Option<&[u8]>) -> String {
    let mak = if layout == KeyLayout::Sm4x40 { SM4_MAK } else { MAK };
    let format = if pan.is_some() { PinFormat::WithPan } else { PinFormat::WithoutPan };
    let pan = pan.map(|pan| Pan12::from_pan(pan).unwrap());
    let keys = terminal(layout, &[pik, mak]);
    show(keys.pin_block(pin, format, pan.as_ref()).unwrap())
}

#[test]
fn v7_pin_blocks_under_des() {
    let double = KeyLayout::Des40A;
    assert_eq!(pin_block(double, PIK, b"123456", Some(PAN)), "1AEAF7C6A730543B");
    assert_eq!(pin_block(double, PIK, b"123456", None), "6115EE60D6960AE0");
    assert_eq!(pin_block(double, PIK, b"888888", Some(b"6225000000000014")), "D737F3F1CF763D08");
    let single = "1A2A3D4C5E6E7080";
    assert_eq!(pin_block(KeyLayout::Des24, single, b"123456", Some(PAN)), "C92EA1FCA7B5B2E3");
}

#[test]
fn v7_translation_to_a_zone_key() {
    let (hsm, from) = host(KeyLayout::Des40A, TMK, &[PIK, MAK]);
    let (_, to) = host(KeyLayout::Des40A, TMK, &["6B9E4A7C13F2D58089ABCDEF01234567", MAK]);
    let from = hsm.load_working_keys(TERMINAL, &from.sealed).unwrap();
    let to = hsm.load_working_keys(TERMINAL, &to.sealed).unwrap();
    let pan = Pan12::from_pan(PAN).unwrap();
    for (block, format) in
        [("1AEAF7C6A730543B", PinFormat::WithPan), ("6115EE60D6960AE0", PinFormat::WithoutPan)]
    {
        let translated = hsm.translate_pin(&from, &to, &hex(block), format, &pan).unwrap();
        assert_eq!(show(translated), "47D5E49709BDE76B");
    }
}

#[test]
fn v8_tracks() {
    let keys = terminal(KeyLayout::Des60A, &[PIK, MAK, TDK]);
    let (hsm, new) = host(KeyLayout::Des60A, TMK, &[PIK, MAK, TDK]);
    let host_keys = hsm.load_working_keys(TERMINAL, &new.sealed).unwrap();
    for (clear, enciphered) in [
        ("6212142000000000012D29122010000000000", "6212142000000000012D15623776C33195C20"),
        ("6225000000000014D151210100000000000", "6225000000000014D162969D37858A19B30"),
    ] {
        let mut track = clear.as_bytes().to_vec();
        keys.encrypt_track(&mut track).unwrap();
        assert_eq!(track, enciphered.as_bytes());
        hsm.decrypt_track(&host_keys, &mut track).unwrap();
        assert_eq!(track, clear.as_bytes());
    }
}

#[test]
fn v9_sm4_keys() {
    let f62 = "52D8EFDF698B77A8C3F5CBE82153B70E165B182D27ED9DC015F7D087CC2B338CF86D513984BEC79113DB3699CCA829A260BDB1A4A629506C660D19F4";
    assert_eq!(show(check_value(&hex(TMK), Algorithm::Sm4).unwrap()), "2677F46B");
    sign_on(KeyLayout::Sm4x60, TMK, &[SM4_PIK, SM4_MAK, SM4_TDK], f62);
    sign_on(KeyLayout::Sm4x40, TMK, &[SM4_PIK, SM4_MAK], &f62[..80]);
}

/// Public: one key under another, and the start of an enciphered block of zeros.
#[test]
fn v9_sm4_public_check() {
    let tmk = hex("1234567890ABCDEFABCDEF0987654321");
    let enciphered = "3D66234C49E4296FF9C78D8BACBD6A76";
    let f62 = hex(&format!("{enciphered}861E83E3{enciphered}861E83E3"));
    assert!(TerminalKeys::from_sign_on(&tmk, Algorithm::Sm4, &f62, None).is_ok());
    let key = hex("F351D490994603795C6EBEE8FAEBB481");
    assert_eq!(show(check_value(&key, Algorithm::Sm4).unwrap()), "861E83E3");
}

#[test]
fn v10_pin_blocks_under_sm4() {
    let layout = KeyLayout::Sm4x40;
    assert_eq!(
        pin_block(layout, SM4_PIK, b"123456", Some(PAN)),
        "AE19DC30D27B12F44A8A1E2778E8A30E"
    );
    assert_eq!(pin_block(layout, SM4_PIK, b"123456", None), "D616124FF99B73AB890AA61028B8816B");
}

#[test]
fn v11_sm4_mac() {
    let keys = terminal(KeyLayout::Sm4x40, &[SM4_PIK, SM4_MAK]);
    let code = |algorithm| keys.mac(algorithm, &hex(V6)).unwrap();
    assert_eq!(&code(MacAlgorithm::Sm4A), b"A5E4AA0A");
    assert_eq!(show(code(MacAlgorithm::Sm4B)), "A5E4AA0AB9297AEA");
    assert_eq!(show(code(MacAlgorithm::Sm4Cbc)), "89C03457CB9DE9B9");
}

/// A whole sale and its approval: everything from the type to the byte before field 64.
#[test]
fn whole_messages() {
    let keys = terminal(KeyLayout::Des40A, &[PIK, MAK]);
    for (message, code) in [
        (
            "0200702406C020C09A1119621214200000000001200000000000000100000000022912051000010012376212142000000000012D29122010000000000031303030303030313839383030303030303030303030313135361AEAF7C6A730543B260000000000000001459F2608A1B2C3D4E5F607189F2701809F101307010103A0A802010A010000000000112233449F3704DEADBEEF9F36020001950500000000009A032401159C01009F02060000000100005F2A02015682027C009F1A0201569F03060000000000009F3303E0F1C89F34034203009F3501229F1E0831323334353637388408A0000003330101019F090200309F410400000001001422000001000601",
            b"659DBCA4",
        ),
        (
            "0210703E00810ED08213196212142000000000012000000000000001000000000210153001152912011500080001000030313135313031353030303241313233343530303130303030303031383938303030303030303030303031223031303230303030202020303030313030303020202031353600179F36020001910A112233445566778830300014220000010006010003435550",
            b"A2A79718",
        ),
    ] {
        assert_eq!(&keys.mac(MacAlgorithm::UnionPay, &hex(message)).unwrap(), code);
    }
}
