//! A new master key: who gets one, how it comes into use, and that nobody is locked out.

use domain::issuing::{Right, Rights};
use keys::{
    Algorithm, SystemRandom, TerminalKeys, TransportPadding, TransportPublic, WrappedTmk, tmk_proof,
};
use switch::programme::{Programme, Terminal, TmkDownload};
use tempfile::TempDir;

use crate::ask::{Till, Told};
use crate::house::{House, demo};

const ID: &str = "10000001";
/// A terminal without a permission.
const OTHER: &str = "10000002";
const SERIAL: &str = "99999906";
const TRANSPORT: [u8; 16] = *b"a transport key!";
const OTHER_TRANSPORT: [u8; 16] = *b"and another one.";
/// The end of the year 2100, in milliseconds.
const FAR: i64 = 4_133_980_800_000;

/// The demonstration, whose first terminal may fetch a master key; `change` bends that.
fn enrolled(change: impl FnOnce(&mut TmkDownload)) -> Programme {
    let mut programme = demo();
    programme.care = Default::default();
    let mut download = TmkDownload {
        serial: SERIAL.to_owned(),
        until: FAR,
        signed: false,
        padding: TransportPadding::OaepSha256,
    };
    change(&mut download);
    programme.terminals[0].tmk_download = Some(download);
    programme
}

fn unbent() -> Programme {
    enrolled(|_| {})
}

fn first_key() -> Vec<u8> {
    demo().terminals[0].tmk.expose().to_vec()
}

/// Writes an object of less than 64 KiB.
fn object(tag: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&tag.to_be_bytes()[..], &[0x82], &length, value].concat()
}

/// Returns the content of an object.
fn content(bytes: &[u8], tag: u32) -> Vec<u8> {
    let mut objects = codec::tlv::Reader::new(codec::FieldNo(62), 0, bytes).map(Result::unwrap);
    objects.find(|object| object.tag.value() == tag).unwrap().value.to_vec()
}

/// Fetches the host's RSA key.
fn host_key(till: &mut Till) -> TransportPublic {
    let sent = till.done("0800", "352", None).f62.unwrap();
    assert_eq!((sent[0], &*content(&sent[1..], 0xDF08)), (b'1', &[1][..]));
    let key = TransportPublic {
        modulus: content(&sent[1..], 0xDF02),
        exponent: content(&sent[1..], 0xDF04),
    };
    assert_eq!(content(&sent[1..], 0xDF03), key.fingerprint());
    key
}

/// Makes F62 of a request for a master key.
fn request(key: &TransportPublic, serial: &str, transport: &[u8]) -> Vec<u8> {
    let wrapped = key.encipher(&SystemRandom, TransportPadding::OaepSha256, transport).unwrap();
    [object(0xDF24, serial.as_bytes()), object(0xDF25, &wrapped)].concat()
}

/// Reads the master key out of an answer.
fn opened(told: &Told, transport: &[u8]) -> Vec<u8> {
    assert_eq!(told.code, "00");
    let f62 = told.f62.as_ref().unwrap();
    assert_eq!(f62[0], b'1');
    let way = WrappedTmk {
        cipher_text: content(&f62[1..], 0xDF21).try_into().unwrap(),
        check: content(&f62[1..], 0xDF22).try_into().unwrap(),
    };
    way.open(Algorithm::Des, transport).unwrap().to_vec()
}

/// Makes F62 that takes a master key into use.
fn activation(tmk: &[u8]) -> Vec<u8> {
    object(0xDF23, &tmk_proof(Algorithm::Des, tmk, ID.as_bytes().try_into().unwrap()).unwrap())
}

/// True if the node gives working keys under this master key and no other.
fn signs_on_with(till: &mut Till, tmk: &[u8]) -> bool {
    till.sign_on(tmk).is_some()
}

#[test]
fn a_terminal_changes_its_master_key() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let entries = house.entries();

    let asked = request(&key, SERIAL, &TRANSPORT);
    let told = till.ask("0800", "350", Some(&asked));
    let tmk = opened(&told, &TRANSPORT);
    assert_ne!(tmk, first_key());
    assert_eq!(house.entries(), entries + 1);
    assert_eq!(till.ask("0800", "350", Some(&asked)), told, "a repeat gets the same");
    assert_eq!(house.entries(), entries + 1);
    assert!(signs_on_with(&mut till, &first_key()), "the old key is good until then");
    assert!(!signs_on_with(&mut till, &tmk));

    let used = activation(&tmk);
    assert_eq!(till.ask("0800", "351", Some(&used)).short(), ("00", 0, false));
    let entries = house.entries();
    assert_eq!(till.ask("0800", "351", Some(&used)).short(), ("00", 0, false));
    assert_eq!(till.ask("0800", "350", Some(&asked)), told, "a late copy changes nothing");
    assert_eq!(house.entries(), entries);
    assert!(signs_on_with(&mut till, &tmk));
    assert!(!signs_on_with(&mut till, &first_key()));

    // The permission is used up.
    let again = till.ask("0800", "350", Some(&request(&key, SERIAL, &OTHER_TRANSPORT)));
    assert_eq!(again.short(), ("58", 0, false));
    drop(till);
    house.stop(directory.path());
}

/// Two copies of one request, both on their way, are one request.
#[test]
fn two_copies_get_one_key() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let asked = request(&host_key(&mut till), SERIAL, &TRANSPORT);
    let entries = house.entries();
    let [one, other] = till.ask_twice("0800", "350", &asked);
    assert_eq!(one, other);
    assert_eq!(house.entries(), entries + 1);
    let tmk = opened(&one, &TRANSPORT);
    let [one, other] = till.ask_twice("0800", "351", &activation(&tmk));
    assert_eq!((one.short(), other.short()), (("00", 0, false), ("00", 0, false)));
    assert_eq!(house.entries(), entries + 2);
    drop(till);
    house.stop(directory.path());
}

/// What costs work with the private key, or is a guess, is taken so often a minute.
#[test]
fn requests_about_a_key_have_a_pace() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let noise = [object(0xDF24, SERIAL.as_bytes()), object(0xDF25, &[0x55; 256])].concat();
    let mut codes = |network, f62: &[u8]| -> Vec<String> {
        (0..21).map(|_| till.ask("0800", network, Some(f62)).code).collect()
    };
    let told = codes("350", &noise);
    assert_eq!((&*told[19], &*told[20]), ("30", "65"));
    assert_eq!(codes("351", &activation(&first_key())), ["65"; 21]);
    let asked = request(&key, SERIAL, &TRANSPORT);
    assert_eq!(till.ask("0800", "350", Some(&asked)).code, "65");
    drop(till);
    house.stop(directory.path());
}

/// A key that was made, and one in use, outlast a restart; so does the RSA key.
#[test]
fn a_restart_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let asked = request(&key, SERIAL, &TRANSPORT);
    let told = till.ask("0800", "350", Some(&asked));
    let tmk = opened(&told, &TRANSPORT);
    drop(till);
    house.stop(directory.path());

    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    assert_eq!(host_key(&mut till), key);
    assert_eq!(till.ask("0800", "350", Some(&asked)), told);
    assert!(signs_on_with(&mut till, &first_key()));
    assert_eq!(till.ask("0800", "351", Some(&activation(&tmk))).code, "00");
    drop(till);
    house.stop(directory.path());

    // Another change of the terminal, and no permission any more, leave it its key.
    let mut programme = demo();
    programme.terminals[0].rights = Rights::of(&[Right::Sale]);
    let house = House::start(directory.path(), programme);
    let mut till = Till::at(&house, ID);
    assert!(signs_on_with(&mut till, &tmk));
    assert_eq!(till.ask("0800", "351", Some(&activation(&tmk))).code, "00", "a repeat of before");
    drop(till);
    house.stop(directory.path());

    // A key that was put in by hand is the terminal's.
    let mut programme = demo();
    programme.terminals[0].tmk = programme.terminals[1].tmk.clone();
    let by_hand = programme.terminals[0].tmk.expose().to_vec();
    let house = House::start(directory.path(), programme);
    let mut till = Till::at(&house, ID);
    assert!(signs_on_with(&mut till, &by_hand));
    assert_eq!(till.ask("0800", "351", Some(&activation(&tmk))).code, "25");
    drop(till);
    house.stop(directory.path());
}

/// Nothing shows a key, and nobody but the owner may read what is kept.
#[test]
fn the_rsa_key_is_kept_sealed_and_only_if_needed() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("transport.key");
    House::start(directory.path(), demo()).stop(directory.path());
    assert!(!path.exists());
    let house = House::start(directory.path(), unbent());
    let key = host_key(&mut Till::at(&house, ID));
    house.stop(directory.path());
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(kept.trim().len(), 2 * 285);
    assert!(!kept.contains(&const_hex::encode(&key.modulus[..8])));
}

/// Every condition of a permission, broken alone.
#[test]
fn only_a_terminal_with_a_permission_gets_a_key() {
    type Bend = fn(&mut TmkDownload);
    let bends: [(&str, Bend, &str, &str); 4] = [
        (ID, |_| {}, SERIAL, "00"),
        (ID, |_| {}, "99999907", "58"),
        (ID, |download| download.until = 0, SERIAL, "58"),
        (OTHER, |_| {}, SERIAL, "58"),
    ];
    for (place, (id, bend, serial, code)) in bends.into_iter().enumerate() {
        let directory = TempDir::new().unwrap();
        let house = House::start(directory.path(), enrolled(bend));
        let key = host_key(&mut Till::at(&house, ID));
        let entries = house.entries();
        let told =
            Till::at(&house, id).ask("0800", "350", Some(&request(&key, serial, &TRANSPORT)));
        assert_eq!((&*told.code, told.f62.is_some()), (code, code == "00"), "row {place}");
        assert_eq!(house.entries() - entries, u64::from(code == "00"), "row {place}");
        house.stop(directory.path());
    }
}

/// Whatever is wrong with the transport key has one answer, and makes nothing.
#[test]
fn what_is_no_transport_key_makes_no_key() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let entries = house.entries();
    let serial = object(0xDF24, SERIAL.as_bytes());
    let short = request(&key, SERIAL, &TRANSPORT[..15]);
    let weak = request(&key, SERIAL, &[1; 16]);
    let right = request(&key, SERIAL, &TRANSPORT);
    let mut damaged = right.clone();
    damaged[100] ^= 1;
    let noise = [serial.clone(), object(0xDF25, &[0x55; 256])].concat();
    let cut = [serial.clone(), object(0xDF25, &[0x55; 255])].concat();
    for wrong in
        [&short, &weak, &damaged, &noise, &cut, &serial, &right[..right.len() - 1].to_vec()]
    {
        assert_eq!(till.ask("0800", "350", Some(wrong)).short(), ("30", 0, false));
    }
    assert_eq!(house.entries(), entries);
    assert!(signs_on_with(&mut till, &first_key()));
    drop(till);
    house.stop(directory.path());
}

/// Who does not hold the new key cannot bring it into use, and the old one stays.
#[test]
fn only_the_holder_takes_a_key_into_use() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), unbent());
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let told = till.ask("0800", "350", Some(&request(&key, SERIAL, &TRANSPORT)));
    let lost = opened(&told, &TRANSPORT);
    // It lost power on the way, and begins anew.
    let told = till.ask("0800", "350", Some(&request(&key, SERIAL, &OTHER_TRANSPORT)));
    let tmk = opened(&told, &OTHER_TRANSPORT);
    assert_ne!(lost, tmk);
    let check = content(&told.f62.unwrap()[1..], 0xDF22);
    let entries = house.entries();
    for wrong in [&activation(&lost), &activation(&first_key()), &object(0xDF23, &check)] {
        assert_eq!(till.ask("0800", "351", Some(wrong)).short(), ("25", 0, false));
    }
    assert_eq!(house.entries(), entries);
    assert!(signs_on_with(&mut till, &first_key()));
    assert_eq!(till.ask("0800", "351", Some(&activation(&tmk))).code, "00");
    assert!(signs_on_with(&mut till, &tmk));
    drop(till);
    house.stop(directory.path());
}

/// Where the permission asks for a message code, a stranger cannot even begin.
#[test]
fn a_terminal_in_use_proves_itself_by_the_keys_it_has() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), enrolled(|download| download.signed = true));
    let mut till = Till::at(&house, ID);
    let key = host_key(&mut till);
    let asked = request(&key, SERIAL, &TRANSPORT);
    assert_eq!(till.ask("0800", "350", Some(&asked)).code, "A0", "there are no keys yet");
    let keys = till.sign_on(&first_key()).unwrap();
    let strangers = TerminalKeys::from_sign_on(&first_key(), Algorithm::Des, &other_block(), None);
    let strangers = strangers.unwrap();
    let entries = house.entries();
    assert_eq!(till.ask("0800", "350", Some(&asked)).code, "A0");
    assert_eq!(till.ask_signed(("0800", "350"), &asked, &strangers).code, "A0");
    assert_eq!(house.entries(), entries);
    let tmk = opened(&till.ask_signed(("0800", "350"), &asked, &keys), &TRANSPORT);
    assert_eq!(till.ask("0800", "351", Some(&activation(&tmk))).code, "A0");
    assert!(signs_on_with(&mut till, &first_key()));
    let keys = till.sign_on(&first_key()).unwrap();
    assert_eq!(till.ask_signed(("0800", "351"), &activation(&tmk), &keys).code, "00");
    assert!(signs_on_with(&mut till, &tmk));
    drop(till);
    house.stop(directory.path());
}

/// Working keys under the terminal's master key that the node did not give.
fn other_block() -> Vec<u8> {
    use keys::{Hsm as _, KeyLayout, Lmk, SoftHsm};
    let hsm = SoftHsm::new(Lmk::demo());
    let Terminal { id, tmk, algorithm, .. } = demo().terminals[0].clone();
    let sealed = hsm.import_tmk(&id.0, tmk.expose(), algorithm).unwrap();
    hsm.generate_working_keys(&id.0, &sealed, KeyLayout::Des40A).unwrap().f62
}
