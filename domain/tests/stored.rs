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
use domain::txn::{Closing, Difference, TerminalProfile, Totals, TxnKey, TxnKind};

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
            acceptance: Acceptance(
                [
                    AcceptanceRule::Category(5_411),
                    AcceptanceRule::NotCategory(6_010),
                    AcceptanceRule::Brand(3),
                    AcceptanceRule::Region(330_106),
                    AcceptanceRule::Goods(4),
                    AcceptanceRule::NotGoods(5),
                ]
                .into(),
            ),
            limits: Limits {
                day: Ceiling { amount: Amount::from_fen(5_000), count: 3 },
                month: Ceiling { amount: Amount::ZERO, count: 40 },
            },
            hold_days: 29,
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
        held: Parts::default(),
        at: AT,
        date: date(),
    };
    let held = Parts::only(Purse::Bonus, Amount::from_fen(9));
    let adjusted = Transacted {
        kind: TxnKind::Adjustment,
        amount: Amount::from_fen(6_000),
        outcome: Ok(Parts::only(Purse::Main, Amount::from_fen(-30))),
        suspense: Amount::from_fen(-20),
        original: Some(key(9)),
        wrong_pins: None,
        ..transacted()
    };
    let voided = Transacted { kind: TxnKind::CompletionVoid, held, ..adjusted.clone() };
    let pin_changed = Transacted {
        kind: TxnKind::PinChange,
        amount: Amount::ZERO,
        outcome: Ok(Parts::default()),
        new_pin: Some([0xCD; 8]),
        ..transacted()
    };
    let completion = Reversed { kind: TxnKind::Completion, held, ..reversed.clone() };
    let barred = |card| Event::Barred { key: key(3), kind: TxnKind::Inquiry, card, at: AT };
    vec![
        ("issued", issued()),
        ("cut off", Event::CutOff(date())),
        ("approved", Event::Transacted(transacted())),
        ("refused", Event::Transacted(refused)),
        ("adjusted", Event::Transacted(adjusted)),
        ("completion voided", Event::Transacted(voided)),
        ("PIN changed", Event::Transacted(pin_changed)),
        ("reversed", Event::Reversed(reversed)),
        ("completion reversed", Event::Reversed(completion)),
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

const STORED: &str = "
    issued
    008104020102e807c09a0c0201001e81100600a32a01fa2e020303fa92140404
    0505904e0300281d731401a0b10caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa03bb
    bbbb01cccccccccccccccce05d64020e0000

    cut off
    0282d2d409

    approved
    035430303030303031ac02010081044d3030303030303030303030303031c45e
    00e05d6402000000000001000080a0a7a4c06882d2d409

    refused
    035430303030303031ac02010281044d3030303030303030303030303031c45e
    011a00000000015430303030303031ac0209000080a0a7a4c06882d2d409

    adjusted
    035430303030303031ac02010a81044d3030303030303030303030303031e05d
    003b000027000000015430303030303031ac0209000080a0a7a4c06882d2d409

    completion voided
    035430303030303031ac02010881044d3030303030303030303030303031e05d
    003b000027001200015430303030303031ac0209000080a0a7a4c06882d2d409

    PIN changed
    035430303030303031ac02011381044d30303030303030303030303030310000
    0000000000000000010001cdcdcdcdcdcdcdcd80a0a7a4c06882d2d409

    reversed
    045430303030303031ac02020181044d3030303030303030303030303031e05d
    64022800000080a0a7a4c06882d2d409

    completion reversed
    045430303030303031ac02020681044d3030303030303030303030303031e05d
    64022800120080a0a7a4c06882d2d409

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
";

#[test]
fn events_are_stored_as_they_ever_were() {
    let events: Vec<_> = of_cards().into_iter().chain(of_terminals()).collect();
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

/// Checks that values are stored as their places in the list, and that there are no more.
fn are_numbered<T>(values: &[T])
where
    T: Copy + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    for (number, value) in (0_u8..).zip(values) {
        assert_eq!(postcard::to_stdvec(value).unwrap(), [number], "{value:?}");
        assert_eq!(postcard::from_bytes::<T>(&[number]).unwrap(), *value);
    }
    assert!(postcard::from_bytes::<T>(&[u8::try_from(values.len()).unwrap()]).is_err());
}

#[test]
fn refusals_keep_their_numbers() {
    are_numbered(&[
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
        Refusal::ClockDiffers,
    ]);
}

#[test]
fn kinds_keep_their_numbers() {
    are_numbered(&[
        TxnKind::Sale,
        TxnKind::Void,
        TxnKind::Refund,
        TxnKind::Inquiry,
        TxnKind::PreAuth,
        TxnKind::PreAuthVoid,
        TxnKind::Completion,
        TxnKind::CompletionAdvice,
        TxnKind::CompletionVoid,
        TxnKind::OfflineSale,
        TxnKind::Adjustment,
        TxnKind::ECash,
        TxnKind::Verification,
        TxnKind::TopUp,
        TxnKind::TopUpConfirm,
        TxnKind::PointsInquiry,
        TxnKind::PointsSale,
        TxnKind::PointsVoid,
        TxnKind::Activation,
        TxnKind::PinChange,
        TxnKind::ScriptNotice,
    ]);
}

#[test]
fn rights_keep_their_bits() {
    let rights = [
        Right::Sale,
        Right::Inquiry,
        Right::Refund,
        Right::PreAuth,
        Right::TopUp,
        Right::Points,
        Right::MailOrder,
        Right::Offline,
        Right::ECash,
        Right::Activation,
        Right::PinChange,
        Right::Partial,
    ];
    let all = postcard::to_stdvec(&Rights::ALL).unwrap();
    assert_eq!(all, postcard::to_stdvec(&((1_u16 << rights.len()) - 1)).unwrap());
    for (place, right) in rights.into_iter().enumerate() {
        let stored = postcard::to_stdvec(&Rights::of(&[right])).unwrap();
        assert_eq!(stored, postcard::to_stdvec(&(1_u16 << place)).unwrap(), "{right:?}");
    }
}

#[test]
fn statuses_and_policies_keep_their_numbers() {
    use CardStatus::{Active, Cancelled, Frozen, Lost, Sold};
    let stored = postcard::to_stdvec(&[Sold, Active, Frozen, Lost, Cancelled]).unwrap();
    assert_eq!(stored, [0, 1, 2, 3, 4]);
    use PinPolicy::{Above, Always, Never};
    let stored = postcard::to_stdvec(&[Never, Always, Above(Amount::ZERO)]).unwrap();
    assert_eq!(stored, [0, 1, 2, 0]);
    assert_eq!(postcard::to_stdvec(&Purse::ALL).unwrap(), [0, 1, 2]);
}
