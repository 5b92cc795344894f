//! Lists: what is sent of them, when the header asks for them, and what an end acknowledges.

use std::collections::BTreeMap;

use codec::FieldNo;
use codec::tlv::{Reader, Tag};
use domain::terms::Pan;
use switch::programme::{CaKey, CareLists, Listed, Programme};
use tempfile::TempDir;

use crate::ask::Till;
use crate::house::{House, demo};

const FIRST: &str = "10000001";
const SECOND: &str = "10000002";
/// A terminal of another merchant.
const RESTAURANT: &str = "10000005";

/// Returns objects by tag.
fn objects(bytes: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let reader = Reader::new(FieldNo(62), 0, bytes);
    reader.map(|object| object.map(|o| (o.tag.value(), o.value.to_vec())).unwrap()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A request (message type, F60.3, F62), what is answered (F39, header digit, whether there is an
/// F62), and how many entries it makes.
type Step<'s> = (&'s str, &'s str, Option<&'s [u8]>, (&'s str, u8, bool), u64);

/// Each request in its order, what is answered, and what the header asks for then.
#[test]
fn the_header_asks_until_a_terminal_has_everything() {
    let (directory, key) = (
        TempDir::new().unwrap(),
        [&[0x9F, 6, 5, 0xA0, 0, 0, 3, 0x33][..], &[0x9F, 0x22, 1, 8]].concat(),
    );
    let aid = [0x9F, 0x06, 8, 0xA0, 0, 0, 3, 0x33, 1, 1, 1];
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, FIRST);
    assert_eq!(till.asked(), 1);
    let steps: &[Step<'_>] = &[
        ("0800", "360", None, ("00", 1, true), 0),
        ("0800", "361", None, ("00", 4, false), 1),
        ("0800", "361", None, ("00", 4, false), 0),
        ("0820", "372", Some(b"100"), ("00", 4, true), 0),
        ("0800", "370", Some(&key), ("00", 4, true), 0),
        ("0800", "371", None, ("00", 5, false), 1),
        ("0820", "382", None, ("00", 5, true), 0),
        ("0800", "380", Some(&aid), ("00", 5, true), 0),
        ("0800", "381", None, ("00", 7, false), 1),
        ("0800", "390", None, ("00", 7, true), 0),
        ("0800", "391", None, ("00", 2, false), 1),
        ("0820", "362", Some(b"01002103"), ("00", 0, false), 1),
        ("0820", "362", Some(b"01002103"), ("00", 0, false), 0),
        ("0820", "362", Some(b"01102103"), ("00", 0, false), 1),
        ("0800", "371", None, ("00", 0, false), 0),
    ];
    for (mti, network, f62, expected, entries) in steps {
        let before = house.entries();
        let told = till.ask(mti, network, *f62);
        assert_eq!(told.short(), *expected, "{network}");
        assert_eq!(told.mti, if *mti == "0800" { "0810" } else { "0830" });
        assert_eq!(house.entries() - before, *entries, "{network}");
    }
    assert_eq!(Till::at(&house, SECOND).asked(), 1, "another terminal has nothing");
    drop(till);
    house.stop(directory.path());
}

/// A sign-on is asked for before anything else, as long as it is needed.
#[test]
fn a_sign_on_wins_over_all() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, FIRST);
    assert_eq!(till.forged_sale().short(), ("A0", 3, false), "there are no keys yet");
    assert_eq!(till.asked(), 1);
    let told = till.done("0800", "003", None);
    assert_eq!((told.asks, told.f62.is_some()), (1, true), "the answer to a sign-on asks for more");
    for _ in 0..2 {
        assert_eq!(till.forged_sale().code, "A0");
    }
    assert_eq!(till.forged_sale().short(), ("A0", 3, false), "the third wrong code in a row");
    drop(till);
    house.stop(directory.path());
}

#[test]
fn what_is_sent_is_what_the_files_say() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, FIRST);
    let sent = |till: &mut Till| text(&till.done("0800", "360", None).f62.unwrap());
    assert_eq!(
        sent(&mut till),
        format!(
            "116012601331402150000001   1502150000002   1602150000003   1702150000009   180\
             1900201210{:<42}233251",
            "22Riverside Supermarket"
        )
    );
    // The terminal's own value, and those of its merchant.
    assert!(sent(&mut Till::at(&house, SECOND)).contains("200210"));
    let restaurant = sent(&mut Till::at(&house, RESTAURANT));
    assert!(restaurant.contains("18119152012") && restaurant.contains("22Lantern Restaurant  "));

    let list = till.done("0820", "372", Some(b"100")).f62.unwrap();
    assert_eq!(list[0], b'1');
    let brief = objects(&list[1..]);
    assert_eq!(brief[&0x9F06], [0xA0, 0, 0, 3, 0x33]);
    assert_eq!((&*brief[&0x9F22], &*brief[&0xDF05]), (&[8][..], &b"20301231"[..]));
    let whole = till.done("0800", "370", Some(&list[1..13])).f62.unwrap();
    // As a host was seen to send this key, but for its last day.
    assert_eq!(
        const_hex::encode_upper(&whole),
        CA_KEY.replace("3230323031323331", "3230333031323331").replace("9F220101", "9F220108")
    );

    let list = till.done("0820", "382", Some(b"100")).f62.unwrap();
    let aid = "9F0608A000000333010101";
    assert_eq!(const_hex::encode_upper(&list), format!("31{aid}9F0608A000000333010102"));
    let whole = till.done("0800", "380", Some(&const_hex::decode(aid).unwrap())).f62.unwrap();
    let tags = objects(&whole[1..]);
    assert_eq!((whole[0], tags.len()), (b'1', 16));
    assert_eq!(
        (&*tags[&0xDF11], &*tags[&0xDF14]),
        (&[0xD8, 0x40, 0, 0xA8, 0][..], &[0x9F, 0x37, 4][..])
    );

    let listed = till.done("0800", "390", None).f62.unwrap();
    assert_eq!(text(&listed), "11662518800000000080862999900");
    drop(till);
    house.stop(directory.path());
}

const CA_KEY: &str = "319F0605A0000003339F220108DF05083230323031323331DF060101DF070101DF028190B61645EDFD5498FB246444037A0FA18C0F101EBD8EFA54573CE6E6A7FBF63ED21D66340852B0211CF5EEF6A1CD989F66AF21A8EB19DBD8DBC3706D135363A0D683D046304F5A836BC1BC632821AFE7A2F75DA3C50AC74C545A754562204137169663CFCC0B06E67E2109EBA41BC67FF20CC8AC80D7B6EE1A95465B3B2657533EA56D92D539E5064360EA4850FED2D1BFDF040103DF0314EE23B616C95C02652AD18860E48787C079E8E85A";

/// A programme with so many keys and listed cards that no message takes all of them.
fn large() -> Programme {
    let mut programme = demo();
    let first = programme.care.ca_keys.as_ref().unwrap()[0].clone();
    let keys = (0..60).map(|index| CaKey { index, ..first.clone() });
    programme.care.ca_keys = Some(keys.collect());
    let cards = (0..100_u32).map(|number| {
        let body = format!("621214200000{number:06}");
        let check = char::from(Pan::check_digit(body.as_bytes()));
        Listed::Card(Pan::parse(format!("{body}{check}").as_bytes()).unwrap())
    });
    programme.care.blacklist = Some(cards.collect());
    programme
}

/// Fetches a list part by part; returns how many entries each part had, and all of it.
fn parts(
    till: &mut Till,
    (mti, network): (&str, &str),
    digits: usize,
    size: usize,
) -> (Vec<usize>, Vec<u8>) {
    let (mut counts, mut all) = (Vec::new(), Vec::new());
    loop {
        let start = format!("1{:0digits$}", counts.iter().sum::<usize>());
        let part = till.done(mti, network, Some(start.as_bytes())).f62.unwrap();
        assert!(part.len() <= 512 && (part.len() - 1).is_multiple_of(size));
        counts.push((part.len() - 1) / size);
        all.extend_from_slice(&part[1..]);
        match part[0] {
            b'2' => {}
            b'1' => return (counts, all),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_long_list_comes_in_parts_and_is_had_with_the_last() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), large());
    let mut till = Till::at(&house, FIRST);
    till.done("0800", "360", None);
    till.done("0800", "361", None);

    // Less than all of it is not all of it.
    assert_eq!(till.done("0820", "372", Some(b"100")).f62.unwrap()[0], b'2');
    assert_eq!(till.done("0800", "371", None).asks, 4);
    let (counts, all) = parts(&mut till, ("0820", "372"), 2, 23);
    assert_eq!(counts, [20, 20, 20]);
    let indices: Vec<_> = all.chunks(23).map(|entry| entry[11]).collect();
    assert_eq!(indices, (0..60).collect::<Vec<u8>>());
    assert_eq!(till.done("0800", "371", None).asks, 5);
    till.done("0820", "382", None);
    assert_eq!(till.done("0800", "381", None).asks, 7);

    let (counts, all) = parts(&mut till, ("0800", "390"), 6, 21);
    assert_eq!((counts.iter().sum::<usize>(), counts.len()), (100, 5));
    assert!(all.starts_with(b"196212142000000000"), "a length, then the number");
    assert_eq!(till.done("0800", "391", None).asks, 2);

    // From the end on there is nothing; beyond it is no place.
    for (mti, network, at, expected) in [
        ("0820", "372", "160", ("00", Some(vec![b'0']))),
        ("0820", "372", "161", ("30", None)),
        ("0800", "390", "1000100", ("00", Some(vec![b'0']))),
        ("0800", "390", "1000101", ("30", None)),
        ("0800", "390", "1999999", ("30", None)),
    ] {
        let told = till.ask(mti, network, Some(at.as_bytes()));
        assert_eq!((&*told.code, told.f62), expected, "{network} {at}");
    }
    drop(till);
    house.stop(directory.path());
}

/// The digit stays away over a restart, and comes back for those whose content changed.
#[test]
fn a_change_of_the_files_is_asked_for() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    for id in [FIRST, RESTAURANT] {
        Till::at(&house, id).catch_up();
    }
    house.stop(directory.path());

    type Change = fn(&mut CareLists);
    let own_item = |lists: &mut CareLists| {
        let parameters = lists.parameters.as_mut().unwrap();
        parameters.overrides[0].value = b"Lantern Restaurant & Bar".to_vec();
    };
    let shared_item: Change =
        |lists| lists.parameters.as_mut().unwrap().items[1].value = b"45".to_vec();
    let key: Change = |lists| lists.ca_keys.as_mut().unwrap()[0].expiry = *b"20311231";
    let aid: Change = |lists| {
        let tags = &mut lists.aids.as_mut().unwrap()[1].tags;
        tags.insert(Tag::new(0x9F1B).unwrap(), vec![0, 0, 1, 0]);
    };
    let one_more: Change = |lists| {
        let listed = lists.blacklist.as_mut().unwrap();
        listed.push(Listed::Range(b"629998".to_vec()));
    };
    let wanted: Change =
        |lists| lists.parameters.as_mut().unwrap().report_wanted = Some("2".into());
    let changes: [(Change, u8, u8); 8] = [
        (|_| {}, 0, 0),
        (own_item, 0, 1),
        (shared_item, 1, 1),
        (key, 4, 4),
        (aid, 5, 5),
        (one_more, 7, 7),
        (wanted, 2, 2),
        (|lists| *lists = CareLists::default(), 0, 0),
    ];
    for (place, (change, first, restaurant)) in changes.into_iter().enumerate() {
        let mut programme = demo();
        change(&mut programme.care);
        let house = House::start(directory.path(), programme);
        let asked = [FIRST, RESTAURANT].map(|id| Till::at(&house, id).asked());
        assert_eq!(asked, [first, restaurant], "change {place}");
        house.stop(directory.path());
    }
}

/// An end acknowledges what this node gave, not what it might have given before it started.
#[test]
fn an_end_after_a_restart_acknowledges_nothing() {
    let directory = TempDir::new().unwrap();
    let house = House::start(directory.path(), demo());
    let mut till = Till::at(&house, FIRST);
    assert_eq!(till.done("0800", "361", None).asks, 1, "nothing was fetched");
    till.done("0800", "360", None);
    drop(till);
    house.stop(directory.path());

    let mut programme = demo();
    programme.care.parameters.as_mut().unwrap().items[1].value = b"45".to_vec();
    let house = House::start(directory.path(), programme);
    let mut till = Till::at(&house, FIRST);
    let before = house.entries();
    assert_eq!(till.done("0800", "361", None).asks, 1, "what it fetched is out of date");
    assert_eq!(house.entries(), before);
    till.done("0800", "360", None);
    assert_eq!(till.done("0800", "361", None).asks, 4);
    drop(till);
    house.stop(directory.path());
}

#[test]
fn what_has_no_file_is_not_offered() {
    let directory = TempDir::new().unwrap();
    let mut programme = demo();
    programme.care = CareLists::default();
    let house = House::start(directory.path(), programme);
    let mut till = Till::at(&house, FIRST);
    let before = house.entries();
    for (mti, network) in [
        ("0800", "360"),
        ("0800", "361"),
        ("0820", "372"),
        ("0800", "371"),
        ("0820", "382"),
        ("0800", "381"),
        ("0800", "390"),
        ("0800", "391"),
    ] {
        assert_eq!(till.ask(mti, network, None).short(), ("40", 0, false), "{network}");
    }
    let key = const_hex::decode("9F0605A0000003339F220108").unwrap();
    for network in ["370", "380"] {
        assert_eq!(till.ask("0800", network, Some(&key)).short(), ("40", 0, false), "{network}");
    }
    assert_eq!(house.entries(), before);
    // A report is taken although nobody asked for one.
    assert_eq!(till.ask("0820", "362", Some(b"010")).short(), ("00", 0, false));
    assert_eq!(house.entries(), before + 1);
    drop(till);
    house.stop(directory.path());
}
