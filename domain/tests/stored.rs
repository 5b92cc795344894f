//! The stored form of events. A journal that was written must stay readable, so these bytes must
//! not change: a field or variant may be appended where old bytes still read, never inserted.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

use domain::issuing::{
    Acceptance, AcceptanceRule, CardStatus, Ceiling, Identity, Limits, PinPolicy, ProductId, Right,
    Rights, Terms,
};
use domain::ledger::{Parts, Purse};
use domain::shard::{BatchEvent, CardIssued, Event, Reversed, Transacted};
use domain::terms::{
    Amount, BatchNo, BusinessDate, CardId, Expiry, MerchantId, Refusal, Rrn, ShardNo, Stan,
    TerminalId, Timestamp,
};
use domain::txn::{
    Care, CareList, Closing, Difference, Enrolment, IssuedTmk, TerminalProfile, TmkRequest, Totals,
    TxnKey, TxnKind, Version,
};

const TERMINAL: TerminalId = TerminalId(*b"T0000001");
const MERCHANT: MerchantId = MerchantId(*b"M00000000000001");
const AT: Timestamp = Timestamp(1_795_334_400_000);

fn batch() -> BatchNo {
    BatchNo::new(300).unwrap()
}

fn stan(number: u32) -> Stan {
    Stan::new(number).unwrap()
}

fn date() -> BusinessDate {
    BusinessDate::new(2026, 11, 22).unwrap()
}

fn key(number: u32) -> TxnKey {
    TxnKey { terminal: TERMINAL, batch: batch(), stan: stan(number) }
}

fn parts() -> Parts {
    Parts::only(Purse::Main, Amount::from_fen(6_000))
        .plus(&Parts::only(Purse::Bonus, Amount::from_fen(50)))
        .plus(&Parts::only(Purse::Points, Amount::from_fen(1)))
}

fn issued() -> Event {
    Event::CardIssued(Box::new(CardIssued {
        card: CardId(513),
        terms: Terms {
            product: ProductId(2),
            named: true,
            pin: PinPolicy::Above(Amount::from_fen(500)),
            transaction_max: Amount::from_fen(100_000),
            draw: [Purse::Bonus, Purse::Main].into_iter().collect(),
            refund_days: 30,
            rights: Rights::of(&[Right::Sale, Right::Partial]),
            acceptance: Acceptance([AcceptanceRule::NotCategory(6011)].into()),
            limits: Limits {
                day: Ceiling { amount: Amount::from_fen(200), count: 3 },
                month: Ceiling::default(),
            },
            hold_days: 30,
            completion_percent: 115,
            tip_percent: 20,
        },
        status: CardStatus::Active,
        expiry: Expiry::from_yymm(2912).unwrap(),
        identity: Identity {
            index: [0xAA; 16],
            sealed_pan: [0xBB; 3].into(),
            pin: Some([0xCC; 8]),
        },
        opening: parts(),
        held: Parts::only(Purse::Main, Amount::from_fen(7)),
    }))
}

fn transacted() -> Transacted {
    Transacted {
        key: key(1),
        kind: TxnKind::Sale,
        card: CardId(513),
        merchant: MERCHANT,
        amount: Amount::from_fen(6_050),
        outcome: Ok(parts()),
        suspense: Amount::ZERO,
        held: Parts::default(),
        original: None,
        wrong_pins: Some(0),
        new_pin: None,
        at: AT,
        date: date(),
    }
}

fn of_cards() -> Vec<(&'static str, Event)> {
    let refused = Transacted {
        kind: TxnKind::Refund,
        outcome: Err(Refusal::UploadTooLong),
        original: Some(key(9)),
        wrong_pins: None,
        ..transacted()
    };
    let reversed = Reversed {
        key: key(2),
        kind: TxnKind::Void,
        card: CardId(513),
        merchant: MERCHANT,
        parts: parts(),
        suspense: Amount::from_fen(20),
        held: Parts::only(Purse::Main, Amount::from_fen(5)),
        at: AT,
        date: date(),
    };
    let chosen = Transacted {
        kind: TxnKind::PinChange,
        amount: Amount::ZERO,
        outcome: Ok(Parts::default()),
        new_pin: Some([0xCC; 8]),
        ..transacted()
    };
    let voided = Transacted {
        kind: TxnKind::CompletionVoid,
        held: Parts::only(Purse::Bonus, Amount::from_fen(9)),
        original: Some(key(9)),
        ..transacted()
    };
    let barred = |card| Event::Barred { key: key(3), kind: TxnKind::Inquiry, card, at: AT };
    vec![
        ("issued", issued()),
        ("cut off", Event::CutOff(date())),
        ("approved", Event::Transacted(transacted())),
        ("refused", Event::Transacted(refused)),
        ("a PIN chosen", Event::Transacted(chosen)),
        ("a completion voided", Event::Transacted(voided)),
        ("reversed", Event::Reversed(reversed)),
        ("barred for a card", barred(Some(CardId(513)))),
        ("barred", barred(None)),
    ]
}

fn of_terminals() -> Vec<(&'static str, Event)> {
    let profile = TerminalProfile {
        merchant: MERCHANT,
        sealed_tmk: [0xDD; 3].into(),
        scheme: "classic".into(),
        rights: Rights::of(&[Right::Sale, Right::Refund]),
    };
    let claimed = Totals {
        debit: Amount::from_fen(500),
        debit_count: 2,
        credit: Amount::from_fen(100),
        credit_count: 1,
    };
    let counted = Totals::default();
    let rrn = Rrn::of(ShardNo(200), 1_000);
    let closing = Closing { batch: batch(), claimed, counted, rrn, at: AT };
    let of_batch = |event| Event::Batch { terminal: TERMINAL, event };
    let details = vec![(stan(1), Amount::from_fen(500)), (stan(2), Amount::from_fen(1))];
    let differences = vec![
        Difference::Missing(stan(1)),
        Difference::Foreign(stan(2)),
        Difference::Amount(stan(3)),
    ];
    vec![
        ("registered", Event::TerminalRegistered { terminal: TERMINAL, profile }),
        (
            "signed on",
            Event::SignedOn { terminal: TERMINAL, sealed_keys: [0xEE; 3].into(), at: AT },
        ),
        ("signed off", Event::SignedOff { terminal: TERMINAL, at: AT }),
        ("closed", of_batch(BatchEvent::Closed { closing, next: batch().next() })),
        ("uploaded", of_batch(BatchEvent::Uploaded { batch: batch(), details, at: AT })),
        ("ended", of_batch(BatchEvent::Ended { batch: batch(), differences, at: AT })),
    ]
}

fn of_care() -> Vec<(&'static str, Event)> {
    let cared = |care| Event::Cared { terminal: TERMINAL, care, at: AT };
    let issued = IssuedTmk {
        enrolment: Enrolment([0xA1; 8]),
        request: TmkRequest([0xA2; 16]),
        sealed: [0xA3; 3].into(),
    };
    let acknowledged = |list| cared(Care::Acknowledged { list, version: Version([0xA4; 8]) });
    let reported = |version| cared(Care::Reported { text: (*b"01").into(), version });
    vec![
        ("has its parameters", acknowledged(CareList::Parameters)),
        ("has its blacklist", acknowledged(CareList::Blacklist)),
        ("reported", reported(None)),
        ("reported when asked", reported(Some(Version([0xA5; 8])))),
        ("master key made", cared(Care::TmkIssued(issued))),
        ("master key in use", cared(Care::TmkActivated { request: TmkRequest([0xA6; 16]) })),
    ]
}

const STORED: &str = "
    issued
    008104020102e807c09a0c0201001e81100101fb2e90030300001e731401a0b1
    0caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa03bbbbbb01cccccccccccccccce05d
    64020e0000

    cut off
    0282d2d409

    approved
    035430303030303031ac02010081044d3030303030303030303030303031c45e
    00e05d6402000000000001000080a0a7a4c06882d2d409

    refused
    035430303030303031ac02010281044d3030303030303030303030303031c45e
    011a00000000015430303030303031ac0209000080a0a7a4c06882d2d409

    a PIN chosen
    035430303030303031ac02011381044d30303030303030303030303030310000
    0000000000000000010001cccccccccccccccc80a0a7a4c06882d2d409

    a completion voided
    035430303030303031ac02010881044d3030303030303030303030303031c45e
    00e05d640200001200015430303030303031ac020901000080a0a7a4c06882d2
    d409

    reversed
    045430303030303031ac02020181044d3030303030303030303030303031e05d
    6402280a000080a0a7a4c06882d2d409

    barred for a card
    055430303030303031ac02030301810480a0a7a4c068

    barred
    055430303030303031ac0203030080a0a7a4c068

    registered
    0154303030303030314d303030303030303030303030303103dddddd07636c61
    7373696305

    signed on
    06543030303030303103eeeeee80a0a7a4c068

    signed off
    07543030303030303180a0a7a4c068

    closed
    08543030303030303100ac02e80702c8010100000000c8e80780a0a7a4c068ad
    02

    uploaded
    08543030303030303101ac020201e807020280a0a7a4c068

    ended
    08543030303030303102ac020300010102020380a0a7a4c068

    has its parameters
    0954303030303030310000a4a4a4a4a4a4a4a480a0a7a4c068

    has its blacklist
    0954303030303030310004a4a4a4a4a4a4a4a480a0a7a4c068

    reported
    095430303030303031010230310080a0a7a4c068

    reported when asked
    0954303030303030310102303101a5a5a5a5a5a5a5a580a0a7a4c068

    master key made
    09543030303030303102a1a1a1a1a1a1a1a1a2a2a2a2a2a2a2a2a2a2a2a2a2a2
    a2a203a3a3a380a0a7a4c068

    master key in use
    09543030303030303103a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a680a0a7a4c068
";

#[test]
fn events_are_stored_as_they_ever_were() {
    let events: Vec<_> = of_cards().into_iter().chain(of_terminals()).chain(of_care()).collect();
    let stored: Vec<_> = STORED.split_terminator("\n\n").map(str::trim).collect();
    assert_eq!(stored.len(), events.len());
    for ((name, event), stored) in events.iter().zip(stored) {
        let bytes = postcard::to_stdvec(event).unwrap();
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<_> = hex.chunks(32).map(|line| line.concat()).collect();
        let shown = format!("{name}\n{}", lines.join("\n"));
        assert_eq!(shown, stored.lines().map(str::trim).collect::<Vec<_>>().join("\n"));
        assert_eq!(postcard::from_bytes::<Event>(&bytes).unwrap(), *event, "{name}");
    }
}

#[test]
fn refusals_keep_their_numbers() {
    let refusals = [
        Refusal::UnknownCard,
        Refusal::CardNotActive,
        Refusal::CardLost,
        Refusal::CardFrozen,
        Refusal::CardCancelled,
        Refusal::CardExpired,
        Refusal::PinTriesExceeded,
        Refusal::WrongPin,
        Refusal::PinMissing,
        Refusal::InvalidAmount,
        Refusal::AmountLimit,
        Refusal::InsufficientFunds,
        Refusal::BalanceCap,
        Refusal::OriginalNotFound,
        Refusal::OriginalRefused,
        Refusal::OriginalOutOfReach,
        Refusal::OriginalReversed,
        Refusal::OriginalVoided,
        Refusal::OriginalRefunded,
        Refusal::CardDiffers,
        Refusal::AmountDiffers,
        Refusal::MerchantDiffers,
        Refusal::DuplicateDiffers,
        Refusal::RefundTooLate,
        Refusal::UnknownTerminal,
        Refusal::BatchDiffers,
        Refusal::UploadTooLong,
        Refusal::TerminalMayNot,
        Refusal::CardMayNot,
        Refusal::MerchantNotAccepted,
        Refusal::CountLimit,
        Refusal::CardIsActive,
        Refusal::OriginalUsed,
        Refusal::OriginalExpired,
        Refusal::AboveOriginal,
        Refusal::UnfitPin,
    ];
    for (number, refusal) in refusals.iter().enumerate() {
        let stored = postcard::to_stdvec(refusal).unwrap();
        assert_eq!(stored, [u8::try_from(number).unwrap()], "{refusal:?}");
    }
}

#[test]
fn statuses_keep_their_numbers() {
    use CardStatus::{Active, Cancelled, Frozen, Lost, Sold};
    let stored = postcard::to_stdvec(&[Sold, Active, Frozen, Lost, Cancelled]).unwrap();
    assert_eq!(stored, [0, 1, 2, 3, 4]);
    let kinds = postcard::to_stdvec(&TxnKind::ALL).unwrap();
    assert_eq!(kinds, (0..21).collect::<Vec<u8>>());
    let first = [TxnKind::Sale, TxnKind::Void, TxnKind::Refund, TxnKind::Inquiry];
    assert_eq!(TxnKind::ALL[..4], first);
    assert_eq!(TxnKind::ALL[20], TxnKind::ScriptNotice);
    use PinPolicy::{Above, Always, Never};
    let stored = postcard::to_stdvec(&[Never, Always, Above(Amount::ZERO)]).unwrap();
    assert_eq!(stored, [0, 1, 2, 0]);
    assert_eq!(postcard::to_stdvec(&Purse::ALL).unwrap(), [0, 1, 2]);
}
