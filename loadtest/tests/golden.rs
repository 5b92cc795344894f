//! The terminal's frames against published golden messages: made for this project with the keys of
//! the test vectors, PIN 123456, card 6212142000000000012.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]
#![allow(dead_code, unreachable_pub, reason = "the scripted host is shared with other tests")]

mod host;

use codec::{Header, Tpdu};
use host::{BLOCK_40, Host, TRACK_KEY, hex, setup};
use loadtest::terminal::{
    Chip, Digits, Entry, Original, PartialApproval, Profile, SignOn, Totals, TrackLine,
};
use loadtest::{CardNumber, Expiry, Fen, Pin, Presented, Stan, Terminal};

const G1: &str = "005B600001000260220000000008000020000000C0001600000131303030303030313839383030303030303030303030\
    310011000000010030002953657175656E6365204E6F313633303630534E303030303030303030310003303120";
const G2: &str = "007960000200016022000000000810003800010AC0001400000110150001150800010000303131353130313530303031\
    30303130303030303031383938303030303030303030303031001100000001003000404DE539CF4B2B17845D17E2C7B0\
    AD5F394B12C1B351E0C72AABA45C3B000000000000000067D6A501";
const G3: &str = "011660000100026022000000000200702406C020C09A1119621214200000000001200000000000000100000000022912\
    051000010012376212142000000000012D29122010000000000031303030303030313839383030303030303030303030\
    313135361AEAF7C6A730543B260000000000000001459F2608A1B2C3D4E5F607189F2701809F101307010103A0A80201\
    0A010000000000112233449F3704DEADBEEF9F36020001950500000000009A032401159C01009F02060000000100005F\
    2A02015682027C009F1A0201569F03060000000000009F3303E0F1C89F34034203009F3501229F1E0831323334353637\
    388408A0000003330101019F090200309F4104000000010014220000010006013635394442434134";
const G4: &str = "00A960000200016022000000000210703E00810ED0821319621214200000000001200000000000000100000000021015\
    300115291201150008000100003031313531303135303030324131323334353030313030303030303138393830303030\
    3030303030303031223031303230303030202020303030313030303020202031353600179F36020001910A1122334455\
    667788303000142200000100060100034355504132413739373138";
const G6: &str = "008F600001000260220000000004007024068002C0821119621214200000000001200000000000000100000000022912\
    0510000100393831303030303030313839383030303030303030303030313135360045950500000000009F1E08313233\
    34353637389F101307010103A0A802010A010000000000112233449F3602000100142200000100060146413342334236\
    45";
const G8: &str = "009B60000100026022000000000200702404C02CC0981919621214200000000001202000000000000100000000032912\
    02100012376212142000000000012D291220100000000000303131353130313530303032413132333435313030303030\
    30313839383030303030303030303030313135361AEAF7C6A730543B2600000000000000001423000001000600001200\
    00010000024239373445414330";
const G9: &str = "009960000100026022000000000220702404802CC0881B19621214200000000001202000000000000100000000042912\
    022000376212142000000000012D29122010000000000030313135313031353030303241313233343531303030303030\
    313839383030303030303030303030313135360600000000000000001425000002000600001600000100000201150003\
    4355503435454337343433";
const G10: &str = "007B60000100026022000000000200602404C020C0981119621214200000000001203100000000052912021000123762\
    12142000000000012D29122010000000000031303030303030313839383030303030303030303030313135361AEAF7C6\
    A730543B26000000000000000014010000020006003236463137414537";
const G12: &str = "0060600001000260220000000005000020000000C1801200000631303030303030313839383030303030303030303030\
    310062000000015000002000000003000001000000000000000000000000000000003135360011000000022010000330\
    3120";
const G14: &str = "0034600001000260220000000008200000000000C0001031303030303030313839383030303030303030303030310011\
    000000023010";
const G16: &str = "008160000100026022000000000200702404C020C0981119621214200000000001200000000000000100000000082912\
    02100012376212142000000000012D15623776C33195C200313030303030303138393830303030303030303030303131\
    35361AEAF7C6A730543B26100000000000000014220000020006004132354532444430";

struct Card {
    pan: CardNumber,
    expiry: Expiry,
    pin: Pin,
}

fn card() -> Card {
    Card {
        pan: "6212142000000000012".parse().unwrap(),
        expiry: "2912".parse().unwrap(),
        pin: "123456".parse().unwrap(),
    }
}

fn presented(card: &Card, entry: Entry) -> Presented<'_> {
    let pin = Some(&card.pin);
    Presented { card: &card.pan, expiry: Some(card.expiry), entry, pin }
}

fn chip() -> Entry {
    Entry::Chip(Chip {
        cryptogram: [0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18],
        unpredictable: [0xDE, 0xAD, 0xBE, 0xEF],
        counter: 1,
        date: [0x24, 0x01, 0x15],
    })
}

fn terminal() -> Terminal {
    let setup = setup();
    let profile = Profile {
        tpdu: Tpdu([0x60, 0x00, 0x01, 0x00, 0x02]),
        header: Header([0x60, 0x22, 0, 0, 0, 0]),
        licence: "3060".to_owned(),
        serial: "SN0000000001".to_owned(),
        operator: *b"01 ",
        reader: *b"12345678",
        partial: PartialApproval::Understood,
        track: TrackLine::Clear,
    };
    Terminal::with_profile(&setup, profile)
}

/// A terminal that has signed on, in batch 2, with the track key too.
fn terminal_in_batch_2(next: u32) -> Terminal {
    let mut terminal = terminal();
    let host = Host::new(&setup(), &format!("{BLOCK_40}{TRACK_KEY}"));
    let request = terminal.sign_on(SignOn::DoubleWithTrack).unwrap();
    terminal.on_frame(&host.sign_on(&request, "00000002004")).unwrap();
    terminal.set_stan(Stan::new(next).unwrap());
    terminal.profile_mut().partial = PartialApproval::Refused;
    terminal
}

#[track_caller]
fn same(frame: Vec<u8>, golden: &str) {
    assert_eq!(const_hex::encode_upper(frame), golden);
}

fn answer(golden: &str) -> Vec<u8> {
    hex(golden).split_off(2)
}

#[test]
fn a_day_of_batch_1() {
    let card = card();
    let mut terminal = terminal();
    same(terminal.sign_on(SignOn::Double).unwrap(), G1);
    terminal.on_frame(&answer(G2)).unwrap();
    same(terminal.sale(&presented(&card, chip()), Fen(10_000)).unwrap(), G3);
    let reply = terminal.on_frame(&answer(G4)).unwrap();
    assert_eq!(reply.rrn.as_deref(), Some("011510150002"));
    assert_eq!(reply.auth_code.as_deref(), Some("A12345"));
    let swiped = presented(&card, Entry::StripeWithPan);
    same(terminal.void(Stan::new(2).unwrap(), Some(&swiped)).unwrap(), G8);
}

#[test]
fn a_sale_without_answer_is_reversed() {
    let card = card();
    let mut terminal = terminal();
    terminal.sign_on(SignOn::Double).unwrap();
    terminal.on_frame(&answer(G2)).unwrap();
    same(terminal.sale(&presented(&card, chip()), Fen(10_000)).unwrap(), G3);
    terminal.on_timeout();
    same(terminal.reversal().unwrap(), G6);
}

#[test]
fn batch_2() {
    let card = card();
    let swiped = presented(&card, Entry::StripeWithPan);
    let original = Original {
        rrn: "011510150002".to_owned(),
        auth: Some("A12345".to_owned()),
        batch: "1".parse().unwrap(),
        stan: Stan::new(2).unwrap(),
        date: Digits::new(b"0115").unwrap(),
    };
    let mut terminal = terminal_in_batch_2(4);
    same(terminal.refund(&original, &swiped, Fen(10_000)).unwrap(), G9);
    terminal.on_timeout();
    same(terminal.balance(&swiped).unwrap(), G10);
    terminal.on_timeout();
    let totals = Totals { debit: Fen(15_000), debit_count: 2, credit: Fen(3000), credit_count: 1 };
    same(terminal.settle_claiming(&totals).unwrap(), G12);
    terminal.on_timeout();
    same(terminal.echo().unwrap(), G14);
    terminal.on_timeout();
    terminal.set_stan(Stan::new(8).unwrap());
    terminal.profile_mut().track = TrackLine::Enciphered;
    same(terminal.sale(&swiped, Fen(10_000)).unwrap(), G16);
}
