//! Transactions in two steps, and cards that are not as they should be (catalogue B40 to B42).

use crate::acts::{
    ACTIVATION, ADDITION, ADVICE, Act, COMPLETION, INQUIRY, OFFLINE, POINTS_SALE, PRE_AUTH,
    PRE_AUTH_VOID, SALE, TOP_UP, VERIFICATION, activated, authorised, followed, present, refer,
    send, turn, undo, verified,
};
use crate::bench::Bench;
use crate::bench::draft::{
    CANCELLED, Draft, EXPIRED, FEN, FROZEN, FULL, LOST, NAMED, PAN, SOLD, STAN,
};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, row, sold};

/// What follows the last answer.
fn then(act: Act, fen: i64) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, act, 9, fen);
        refer(draft, bench);
    }
}

/// The same, with another authorisation code.
fn with_code(act: Act, code: &'static [u8]) -> impl Fn(&mut Draft, &Bench) {
    move |draft, _| {
        turn(draft, act, 9, FEN);
        draft.text(38, code);
    }
}

/// Before a case: 100.00 were set aside a month and a day ago.
fn authorised_long_ago(bench: &mut Bench) {
    authorised(bench);
    bench.set_time("2026-12-24T10:00:00+08:00");
}

/// Before a case: 100.00 were set aside, and taken.
fn completed(bench: &mut Bench) {
    authorised(bench);
    followed(bench, COMPLETION, FEN);
}

/// Before a case: 100.00 were set aside, and are free again.
fn freed(bench: &mut Bench) {
    authorised(bench);
    followed(bench, PRE_AUTH_VOID, FEN);
}

/// Before a case: all that is on the card was set aside.
fn all_authorised(bench: &mut Bench) {
    assert_eq!(send(bench, PRE_AUTH, STAN, 50_000, |_, _| {}), "00");
}

#[test]
fn completions() {
    check(&[
        row("B40", "of nothing that was set aside", with_code(COMPLETION, b"999999"), "25")
            .with(NoMoney),
        row("B40", "an advice of nothing", with_code(ADVICE, b"999999"), "25").with(NoMoney),
        row("B40", "with a code of letters", with_code(COMPLETION, b"ABCDEF"), "25")
            .after(authorised)
            .with(NoMoney),
        row("B40", "with a code of something else", with_code(COMPLETION, b"'OR'1="), "25")
            .after(authorised)
            .with(NoMoney),
        row("B40", "without a code", |d, _| _ = (turn(d, COMPLETION, 9, FEN), d.without(38)), "30")
            .after(authorised),
        row("B40", "15 percent more", then(COMPLETION, 11_500), "00")
            .after(authorised)
            .with(Pays(11_500)),
        row("B40", "a fen above that", then(COMPLETION, 11_501), "64")
            .after(authorised)
            .with(NoMoney),
        row("B40", "an advice a fen above that", then(ADVICE, 11_501), "64")
            .after(authorised)
            .with(NoMoney),
        row("B40", "all that twelve digits hold", then(COMPLETION, 999_999_999_999), "64")
            .after(authorised)
            .with(NoMoney),
        row("B40", "nothing", then(COMPLETION, 0), "13").after(authorised).with(NoMoney),
        row("B40", "more than there is", then(COMPLETION, 50_001), "51")
            .after(all_authorised)
            .with(NoMoney),
        row(
            "B40",
            "an advice of more than there is is taken: suspense bears it",
            then(ADVICE, 50_001),
            "00",
        )
        .after(all_authorised)
        .with(Pays(50_000)),
        row("B40", "too late", then(COMPLETION, FEN), "22")
            .after(authorised_long_ago)
            .with(NoMoney),
        row("B40", "an advice that is late is taken: the goods are gone", then(ADVICE, FEN), "00")
            .after(authorised_long_ago)
            .with(Pays(FEN)),
        row("B40", "twice", then(COMPLETION, FEN), "22").after(completed).with(NoMoney),
        row("B40", "an advice after it", then(ADVICE, FEN), "22").after(completed).with(NoMoney),
        row(
            "B40",
            "again, with another amount",
            |d, b| {
                turn(d, COMPLETION, STAN + 1, FEN + 1);
                refer(d, b);
            },
            "94",
        )
        .after(completed),
        row("B40", "of what is free again", then(COMPLETION, FEN), "22").after(freed).with(NoMoney),
        row(
            "B40",
            "with another card",
            |d, b| {
                then(COMPLETION, FEN)(d, b);
                present(d, b, "6212142000000000020");
            },
            "14",
        )
        .after(authorised)
        .with(NoMoney),
        row("B40", "of a sale", then(COMPLETION, FEN), "25").after(sold).with(NoMoney),
    ]);
}

#[test]
fn what_is_set_aside() {
    check(&[
        row("B40", "nothing is set aside", |d, _| turn(d, PRE_AUTH, 9, 0), "13").with(NoMoney),
        row("B40", "more than there is", |d, _| turn(d, PRE_AUTH, 9, 50_001), "51").with(NoMoney),
        row("B40", "more than the product allows", |d, _| turn(d, PRE_AUTH, 9, 100_001), "61")
            .with(NoMoney),
        row("B40", "more than is left beside it", |d, _| turn(d, PRE_AUTH, 9, 1), "51")
            .after(all_authorised)
            .with(NoMoney),
        row("B40", "a sale of what is set aside", |d, _| turn(d, SALE, 9, 1), "51")
            .after(all_authorised)
            .with(NoMoney),
        row("B40", "more, for nothing", with_code(ADDITION, b"999999"), "25").with(NoMoney),
        row(
            "B40",
            "more, without a code",
            |d, _| {
                turn(d, ADDITION, 9, FEN);
                d.without(38);
            },
            "30",
        )
        .after(authorised),
        row("B40", "more, after it was taken", then(ADDITION, FEN), "22")
            .after(completed)
            .with(NoMoney),
        row("B40", "more, after its time", then(ADDITION, FEN), "22")
            .after(authorised_long_ago)
            .with(NoMoney),
        row("B40", "freed in part", then(PRE_AUTH_VOID, FEN - 1), "64")
            .after(authorised)
            .with(NoMoney),
        row("B40", "freed, and more", then(PRE_AUTH_VOID, FEN + 1), "64")
            .after(authorised)
            .with(NoMoney),
        row("B40", "freed twice", then(PRE_AUTH_VOID, FEN), "22").after(freed).with(NoMoney),
        row("B40", "freed after it was taken", then(PRE_AUTH_VOID, FEN), "22")
            .after(completed)
            .with(NoMoney),
        row("B40", "freed after its time", then(PRE_AUTH_VOID, FEN), "22")
            .after(authorised_long_ago)
            .with(NoMoney),
        row(
            "B40",
            "given back in part by a reversal",
            |d, b| {
                undo(d, b, PRE_AUTH, STAN, FEN - 1);
            },
            "64",
        )
        .after(authorised),
    ]);
}

#[test]
fn cards_that_may_not() {
    let of = |act: Act, pan: &'static str| {
        move |draft: &mut Draft, bench: &Bench| {
            turn(draft, act, 9, 100);
            present(draft, bench, pan);
        }
    };
    let states = [(LOST, "41"), (FROZEN, "62"), (CANCELLED, "14"), (EXPIRED, "54"), (SOLD, "21")];
    let acts = [
        (SALE, "a sale"),
        (PRE_AUTH, "money set aside"),
        (INQUIRY, "a balance"),
        (POINTS_SALE, "points"),
    ];
    let rows: Vec<_> = states
        .iter()
        .flat_map(|&(pan, code)| {
            acts.map(|(act, what)| row("B42", what, of(act, pan), code).with(NoMoney))
        })
        .collect();
    check(&rows);
    check(&[
        row("B42", "an activation of a lost card", of(ACTIVATION, LOST), "41").with(NoMoney),
        row("B42", "of a frozen one", of(ACTIVATION, FROZEN), "62").with(NoMoney),
        row("B42", "of a cancelled one", of(ACTIVATION, CANCELLED), "14").with(NoMoney),
        row("B42", "of one that is over", of(ACTIVATION, EXPIRED), "12").with(NoMoney),
        row("B42", "of one that is active", of(ACTIVATION, PAN), "12").with(NoMoney),
        row("B42", "twice", of(ACTIVATION, SOLD), "12").after(activated).with(NoMoney),
        row(
            "B42",
            "the same request again",
            |d, b| {
                turn(d, ACTIVATION, STAN, 0);
                present(d, b, SOLD);
            },
            "00",
        )
        .after(activated)
        .repeats(),
        row(
            "B42",
            "of a card of nobody",
            |d, _| {
                turn(d, ACTIVATION, 9, 0);
                d.typed("6212142000000009997");
            },
            "14",
        ),
        row(
            "B42",
            "an offline sale with a lost card is taken: it was made",
            move |d, b| {
                of(OFFLINE, LOST)(d, b);
                d.text(38, b"123456");
            },
            "00",
        )
        .with(Pays(100)),
    ]);
}

/// A top-up of the card that was verified.
fn load(fen: i64) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, TOP_UP, 9, fen);
        refer(draft, bench);
        present(draft, bench, NAMED);
    }
}

#[test]
fn loads() {
    let full = |bench: &mut Bench| {
        let code = send(bench, VERIFICATION, STAN, 0, |d, b| {
            d.without(4);
            present(d, b, FULL);
        });
        assert_eq!((code.as_str(), bench.last.text(62).as_deref()), ("00", Some("000000000000")));
    };
    check(&[
        row("B42", "up to the ceiling", load(440_000), "00").after(verified).with(Pays(-440_000)),
        row("B42", "a fen above it", load(440_001), "61").after(verified).with(NoMoney),
        row("B42", "all that twelve digits hold", load(999_999_999_999), "61")
            .after(verified)
            .with(NoMoney),
        row("B42", "of nothing", load(0), "13").after(verified).with(NoMoney),
        row(
            "B42",
            "of a full card",
            move |d, b| {
                load(1)(d, b);
                present(d, b, FULL);
            },
            "61",
        )
        .after(full)
        .with(NoMoney),
    ]);
}

#[test]
fn loads_that_nobody_verified() {
    check(&[
        row(
            "B42",
            "without a verification",
            |d, b| {
                turn(d, TOP_UP, 9, FEN);
                present(d, b, NAMED);
                d.text(37, b"000000000001").digits(61, "0000010000021122");
            },
            "25",
        )
        .with(NoMoney),
        row("B42", "twice for one verification", load(FEN), "22")
            .after(|bench| {
                verified(bench);
                let first = bench.last.clone();
                let code = send(bench, TOP_UP, 3, FEN, |d, b| {
                    refer(d, b);
                    present(d, b, NAMED);
                });
                assert_eq!(code, "00");
                bench.last = first;
            })
            .with(NoMoney),
        row(
            "B42",
            "of another card than was verified",
            move |d, b| {
                load(FEN)(d, b);
                present(d, b, FULL);
            },
            "14",
        )
        .after(verified)
        .with(NoMoney),
        row(
            "B42",
            "of a card that is not reloadable",
            |d, b| {
                turn(d, VERIFICATION, 9, 0);
                present(d, b, PAN);
                d.without(4);
            },
            "57",
        )
        .with(NoMoney),
    ]);
}

/// No transaction takes money from one card to another, so of B41 only what looks like one can come.
#[test]
fn from_card_to_card() {
    let processing = |f3: &'static str, kind: &'static str| {
        move |draft: &mut Draft, _: &Bench| _ = draft.digits(3, f3).digits(60, kind)
    };
    let none = "22000001000500";
    check(&[
        row("B41", "a transfer", processing("400000", none), "40"),
        row("B41", "a transfer between accounts", processing("401020", none), "12"),
        row("B41", "a transfer as other networks have it", processing("470000", none), "12"),
        row("B41", "a credit", processing("210000", none), "12"),
        row("B41", "a payment to somebody", processing("260000", none), "12"),
        row("B41", "a top-up from another account", processing("400000", "41000001000500"), "40"),
        row("B41", "a load from another account", processing("620000", "47000001000500"), "40"),
    ]);
}
