//! What somebody out there may do, at random.

use domain::risk::PinFact;
use domain::txn::TxnKind;
use proptest::prelude::*;

/// What somebody out there does. Numbers pick from what the world has.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// What belongs to nothing before it.
    Ask {
        kind: TxnKind,
        key: Pick,
        card: usize,
        fen: i64,
        pin: PinFact,
        is_part: bool,
        lie: Lie,
    },
    /// What belongs to the transaction that is so many before the last of those it may belong to:
    /// to all of it, or so much.
    Follow {
        kind: TxnKind,
        key: Pick,
        nth: usize,
        fen: Option<i64>,
        pin: PinFact,
        lie: Lie,
    },
    /// A reversal of the transaction of its kind that is so many before the last.
    Reverse {
        kind: TxnKind,
        txn: usize,
        fen: Option<i64>,
        lie: Lie,
    },
    /// A reversal of whatever that key is.
    ReverseAny {
        kind: TxnKind,
        key: Pick,
        card: usize,
        fen: i64,
    },
    Bar(Pick),
    Close {
        terminal: u32,
        batch: i8,
        claimed: Option<i64>,
    },
    Upload {
        terminal: u32,
        batch: i8,
        details: Vec<(u32, i64)>,
    },
    End {
        terminal: u32,
        batch: i8,
    },
    CutOff(u8),
    SignOn(u32, u8),
    SignOff(u32),
    Issue {
        card: usize,
        main: i64,
        points: i64,
        held: i64,
    },
    Register(u32),
}

/// A transaction key: a terminal, a batch counted from its open one, a trace number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pick {
    pub(super) terminal: u32,
    pub(super) batch: i8,
    pub(super) stan: u32,
}

/// One thing that is not so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    None,
    Merchant,
    /// Of a reversal: another kind. Of what follows a pre-authorisation: it may follow what only
    /// adds to one. Of a confirmation: it has the number of its top-up.
    Kind,
    Card(usize),
    NoOriginal,
    NoReference,
    OtherAuth,
    Original(Pick),
}

fn pick() -> impl Strategy<Value = Pick> {
    let batch = prop_oneof![12 => Just(0_i8), 1 => -1..=1_i8];
    (1..=3_u32, batch, 1..=60_u32).prop_map(|(terminal, batch, stan)| Pick {
        terminal,
        batch,
        stan,
    })
}

fn fen() -> impl Strategy<Value = i64> {
    prop_oneof![
        12 => prop::sample::select(vec![40_i64, 60, 100]),
        1 => prop::sample::select(vec![0, 1, -1, 999_999_999_999, i64::MAX, i64::MIN]),
    ]
}

fn pin() -> impl Strategy<Value = PinFact> {
    prop_oneof![9 => Just(PinFact::Absent), 3 => Just(PinFact::Right), 1 => Just(PinFact::Wrong)]
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        14 => Just(Lie::None),
        1 => Just(Lie::Merchant),
        1 => Just(Lie::Kind),
        1 => (0..6_usize).prop_map(Lie::Card),
        1 => Just(Lie::NoOriginal),
        1 => Just(Lie::NoReference),
        1 => Just(Lie::OtherAuth),
        1 => pick().prop_map(Lie::Original),
    ]
}

fn batch() -> impl Strategy<Value = i8> {
    prop_oneof![4 => Just(0_i8), 4 => Just(-1_i8), 1 => Just(1_i8)]
}

fn asked() -> impl Strategy<Value = TxnKind> {
    prop_oneof![
        8 => Just(TxnKind::Sale),
        5 => Just(TxnKind::PreAuth),
        2 => Just(TxnKind::OfflineSale),
        3 => Just(TxnKind::PointsSale),
        2 => Just(TxnKind::Verification),
        1 => Just(TxnKind::ECash),
        1 => Just(TxnKind::Activation),
        1 => Just(TxnKind::PinChange),
        1 => Just(TxnKind::ScriptNotice),
        1 => Just(TxnKind::Inquiry),
        1 => Just(TxnKind::PointsInquiry),
    ]
}

fn follows() -> impl Strategy<Value = TxnKind> {
    prop_oneof![
        5 => Just(TxnKind::Void),
        3 => Just(TxnKind::Refund),
        3 => Just(TxnKind::Adjustment),
        2 => Just(TxnKind::PreAuth),
        2 => Just(TxnKind::PreAuthVoid),
        4 => Just(TxnKind::Completion),
        2 => Just(TxnKind::CompletionAdvice),
        3 => Just(TxnKind::CompletionVoid),
        3 => Just(TxnKind::PointsVoid),
        2 => Just(TxnKind::TopUp),
        1 => Just(TxnKind::TopUpConfirm),
    ]
}

fn reversed() -> impl Strategy<Value = TxnKind> {
    prop_oneof![
        2 => Just(TxnKind::Sale),
        4 => Just(TxnKind::Void),
        2 => Just(TxnKind::PreAuth),
        2 => Just(TxnKind::PreAuthVoid),
        3 => Just(TxnKind::Completion),
        4 => Just(TxnKind::CompletionVoid),
        2 => Just(TxnKind::PointsSale),
        4 => Just(TxnKind::PointsVoid),
        2 => Just(TxnKind::Activation),
        1 => prop::sample::select(TxnKind::ALL.to_vec()),
    ]
}

fn of_cards() -> impl Strategy<Value = Step> {
    let card = || prop_oneof![15 => 0..5_usize, 1 => Just(5)];
    let ask = (asked(), pick(), card(), fen(), pin(), any::<bool>(), lie()).prop_map(
        |(kind, key, card, fen, pin, is_part, lie)| Step::Ask {
            kind,
            key,
            card,
            fen,
            pin,
            is_part,
            lie,
        },
    );
    let some_fen = || prop_oneof![3 => Just(None), 1 => fen().prop_map(Some)];
    let follow = (follows(), pick(), 0..3_usize, some_fen(), pin(), lie())
        .prop_map(|(kind, key, nth, fen, pin, lie)| Step::Follow { kind, key, nth, fen, pin, lie });
    let some_fen = prop_oneof![9 => Just(None), 1 => fen().prop_map(Some)];
    let reverse = (reversed(), 0..3_usize, some_fen, lie())
        .prop_map(|(kind, txn, fen, lie)| Step::Reverse { kind, txn, fen, lie });
    let kind = prop::sample::select(TxnKind::ALL.to_vec());
    let any = (kind, pick(), card(), fen()).prop_map(|(kind, key, card, fen)| Step::ReverseAny {
        kind,
        key,
        card,
        fen,
    });
    prop_oneof![8 => ask, 9 => follow, 6 => reverse, 1 => any]
}

fn of_terminals() -> impl Strategy<Value = Step> {
    let details = prop::collection::vec((1..=30_u32, fen()), 0..4);
    prop_oneof![
        pick().prop_map(Step::Bar),
        (1..=3_u32, batch(), prop::option::of(fen()))
            .prop_map(|(terminal, batch, claimed)| Step::Close { terminal, batch, claimed }),
        (1..=3_u32, batch(), details).prop_map(|(terminal, batch, details)| Step::Upload {
            terminal,
            batch,
            details
        }),
        (1..=3_u32, batch()).prop_map(|(terminal, batch)| Step::End { terminal, batch }),
        prop_oneof![3 => 0..=2_u8, 1 => 3..=12_u8].prop_map(Step::CutOff),
        (1..=4_u32, 0..2_u8).prop_map(|(terminal, key)| Step::SignOn(terminal, key)),
        (1..=4_u32).prop_map(Step::SignOff),
        (0..10_usize, fen(), fen(), fen()).prop_map(|(card, main, points, held)| Step::Issue {
            card,
            main,
            points,
            held
        }),
        (1..=3_u32).prop_map(Step::Register),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![9 => of_cards(), 1 => of_terminals()], 0..100)
}
