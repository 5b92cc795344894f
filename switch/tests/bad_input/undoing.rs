//! Voids, refunds and reversals of what is not there, not theirs, or not undone any more (catalogue
//! B35 to B39).

use crate::acts::{
    ACTIVATION, ADVICE, Act, COMPLETION, COMPLETION_VOID, POINTS_SALE, POINTS_VOID, PRE_AUTH,
    PRE_AUTH_VOID, REFUND, SALE, VOID, authorised, closed, did, followed, present, refer, send,
    turn, turn_in, undo,
};
use crate::bench::Bench;
use crate::bench::draft::{Draft, FEN, SOLD, STAN};
use crate::table::Effect::{NoMoney, Pays};
use crate::table::{check, reversed, row, sold};

/// The card with 500 points.
const POINTED: &str = "6212142000000000061";

/// The reversal of what has this trace number.
fn undoing(act: Act, stan: u32, fen: i64) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| undo(draft, bench, act, stan, fen)
}

/// Before a case: 100 points were spent.
fn points_spent(bench: &mut Bench) {
    let code = send(bench, POINTS_SALE, STAN, 100, |d, b| present(d, b, POINTED));
    assert_eq!(code, "00");
}

/// Before a case: 100.00 were set aside, and taken.
fn completed(bench: &mut Bench) {
    authorised(bench);
    assert_eq!(send(bench, COMPLETION, STAN + 1, FEN, refer), "00");
}

/// Before a case: a sale was refused.
fn refused(bench: &mut Bench) {
    assert_eq!(send(bench, SALE, STAN, 50_001, |_, _| {}), "51");
}

/// Before a case: the good sale was voided.
fn voided(bench: &mut Bench) {
    sold(bench);
    followed(bench, VOID, FEN);
}

/// Before a case: the good sale was made and its batch settled.
fn settled(bench: &mut Bench) {
    sold(bench);
    closed(bench);
}

/// Before a case: it was refunded from the next batch, too.
fn refunded(bench: &mut Bench) {
    settled(bench);
    let sale = bench.last.clone();
    let code = send(bench, REFUND, 3, FEN, |d, b| {
        turn_in(d, REFUND, 3, FEN, 2);
        refer(d, b);
    });
    assert_eq!(code, "00");
    bench.last = sale;
}

#[test]
fn amounts_of_reversals() {
    let activation = |draft: &mut Draft, bench: &Bench| undo(draft, bench, ACTIVATION, STAN, 1);
    check(&[
        row("B35", "a fen less", undoing(SALE, STAN, FEN - 1), "64").after(sold),
        row("B35", "a fen more", undoing(SALE, STAN, FEN + 1), "64").after(sold),
        row("B35", "nothing", undoing(SALE, STAN, 0), "64").after(sold),
        row("B35", "all that twelve digits hold", undoing(SALE, STAN, 999_999_999_999), "64")
            .after(sold),
        row("B35", "no amount", |d, b| _ = (undo(d, b, SALE, STAN, FEN), d.without(4)), "30")
            .after(sold),
        row("B35", "of a pre-authorisation", undoing(PRE_AUTH, STAN, FEN + 1), "64")
            .after(authorised),
        row("B35", "of a completion", undoing(COMPLETION, STAN + 1, FEN - 1), "64")
            .after(completed),
        row("B35", "of a void", undoing(VOID, STAN + 1, FEN - 1), "64").after(voided),
        row("B35", "of points", undoing(POINTS_SALE, STAN, 99), "64").after(points_spent),
        row("B35", "of an activation, which had none", activation, "64")
            .after(crate::acts::activated),
        row(
            "B35",
            "in another currency",
            |d, b| {
                undo(d, b, SALE, STAN, FEN);
                d.text(49, b"840");
            },
            "00",
        )
        .after(sold)
        .with(Pays(-FEN)),
    ]);
}

#[test]
fn reversals_that_have_nothing_to_undo() {
    let twice = |bench: &mut Bench| {
        authorised(bench);
        let mut reversal = crate::bench::draft::sale(bench.keys());
        undo(&mut reversal, bench, PRE_AUTH, STAN, FEN);
        assert_eq!(bench.send(&reversal).code(), "00");
    };
    let taken_back = |bench: &mut Bench| {
        authorised(bench);
        followed(bench, PRE_AUTH_VOID, FEN);
    };
    let in_use = |bench: &mut Bench| {
        crate::acts::activated(bench);
        assert_eq!(send(bench, SALE, 3, 100, |d, b| present(d, b, SOLD)), "00");
    };
    check(&[
        row(
            "B36",
            "of what was refused",
            |d, b| {
                undo(d, b, SALE, STAN, 50_001);
                d.digits(2, crate::bench::draft::PAN);
            },
            "00",
        )
        .after(refused),
        row(
            "B36",
            "the same without a card: nobody can tell that it came",
            undoing(SALE, STAN, 50_001),
            "25",
        )
        .after(refused)
        .with(NoMoney),
        row("B36", "of what was reversed", undoing(SALE, STAN, FEN), "00").after(reversed),
        row("B36", "of what was voided", undoing(SALE, STAN, FEN), "12").after(voided),
        row("B36", "of what was settled", undoing(SALE, STAN, FEN), "12").after(settled),
        row("B36", "of what was refunded", undoing(SALE, STAN, FEN), "12").after(refunded),
        row("B36", "of a pre-authorisation that was reversed", undoing(PRE_AUTH, STAN, FEN), "00")
            .after(twice),
        row("B36", "of one that was voided", undoing(PRE_AUTH, STAN, FEN), "12").after(taken_back),
        row("B36", "of one that was completed", undoing(PRE_AUTH, STAN, FEN), "12")
            .after(completed),
        row("B36", "of an activation, and the card was used", undoing(ACTIVATION, STAN, 0), "12")
            .after(in_use),
        row("B36", "of an inquiry", |d, b| undo(d, b, crate::acts::INQUIRY, STAN, 0), "12"),
        row("B36", "as another kind than it was", undoing(PRE_AUTH, STAN, FEN), "12").after(sold),
        row("B36", "as a sale, of a pre-authorisation", undoing(SALE, STAN, FEN), "12")
            .after(authorised),
    ]);
}

#[test]
fn originals_that_are_malformed() {
    let with_f90 =
        |bits: u64| [(bits | 1 << 63).to_be_bytes(), (1_u64 << (128 - 90)).to_be_bytes()].concat();
    let unknown: &[_] = &["posp_decode_errors_total", "field=\"90\"", "kind=\"FIELD_UNKNOWN\""];
    let void = |f61: &'static str| {
        move |draft: &mut Draft, bench: &Bench| {
            turn(draft, VOID, 3, FEN);
            refer(draft, bench);
            draft.digits(61, f61);
        }
    };
    check(&[
        row(
            "B37",
            "F90, which terminals do not have: F61 names the original",
            move |d, b| {
                undo(d, b, SALE, STAN, FEN);
                d.bitmap = with_f90;
                d.wire(90, b"020000000211220000000000000000000000000000");
            },
            "30",
        )
        .after(sold)
        .says(unknown),
        row(
            "B37",
            "a letter in F61",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                d.wire(61, &[0x00, 0x12, 0, 0, 0x0A, 0, 0, 2]);
            },
            "30",
        )
        .after(sold),
        row("B37", "half an F61", void("000001"), "25").after(sold).with(NoMoney),
        row("B37", "an F61 of zeros", void("000000000000"), "25").after(sold).with(NoMoney),
        row(
            "B37",
            "no F61",
            |d, b| {
                turn(d, VOID, 3, FEN);
                refer(d, b);
                d.without(61);
            },
            "30",
        )
        .after(sold),
        row("B37", "a reversal of a reversal is a repeat of it", undoing(SALE, STAN, FEN), "00")
            .after(reversed)
            .repeats(),
        row("B37", "a reversal of an advice", undoing(ADVICE, STAN, FEN), "40"),
        row(
            "B37",
            "a reversal of a top-up, which is confirmed",
            |d, b| {
                undo(d, b, crate::acts::TOP_UP, STAN, FEN);
            },
            "40",
        ),
        row(
            "B37",
            "a reversal of a new PIN",
            |d, b| {
                undo(d, b, crate::acts::PIN_CHANGE, STAN, 0);
            },
            "12",
        ),
    ]);
}

/// What follows the last answer.
fn voiding(act: Act) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, act, 9, FEN);
        refer(draft, bench);
    }
}

/// A void of the last answer, and something changed in it.
fn void(fen: i64, bend: fn(&mut Draft, &Bench)) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn(draft, VOID, 9, fen);
        refer(draft, bench);
        bend(draft, bench);
    }
}

#[test]
fn voids() {
    check(&[
        row(
            "B38",
            "of another batch, it says",
            void(FEN, |d, _| {
                d.digits(61, "0000090000021122");
            }),
            "25",
        )
        .after(sold)
        .with(NoMoney),
        row(
            "B38",
            "of the batch before",
            |d, b| {
                turn_in(d, VOID, 9, FEN, 2);
                refer(d, b);
            },
            "12",
        )
        .after(settled)
        .with(NoMoney),
        row("B38", "in the batch before, which is closed", void(FEN, |_, _| {}), "77")
            .after(settled),
        row("B38", "twice", void(FEN, |_, _| {}), "22").after(voided).with(NoMoney),
        row("B38", "of what was reversed", void(FEN, |_, _| {}), "22")
            .after(|bench| {
                sold(bench);
                let sale = bench.last.clone();
                let mut reversal = crate::bench::draft::sale(bench.keys());
                undo(&mut reversal, bench, SALE, STAN, FEN);
                assert_eq!(bench.send(&reversal).code(), "00");
                bench.last = sale;
            })
            .with(NoMoney),
    ]);
}

#[test]
fn voids_of_other_amounts() {
    check(&[
        row("B38", "a fen less", void(FEN - 1, |_, _| {}), "64").after(sold).with(NoMoney),
        row("B38", "a fen more", void(FEN + 1, |_, _| {}), "64").after(sold).with(NoMoney),
        row("B38", "of nothing", void(0, |_, _| {}), "64").after(sold).with(NoMoney),
        row(
            "B38",
            "with a reference of nobody",
            void(FEN, |d, _| {
                d.text(37, b"000000000000");
            }),
            "25",
        )
        .after(sold)
        .with(NoMoney),
        row(
            "B38",
            "with a reference of letters",
            void(FEN, |d, _| {
                d.text(37, b"ABCDEFGHIJKL");
            }),
            "25",
        )
        .after(sold)
        .with(NoMoney),
        row(
            "B38",
            "with another authorisation code",
            void(FEN, |d, _| {
                d.text(38, b"000000");
            }),
            "25",
        )
        .after(sold)
        .with(NoMoney),
        row(
            "B38",
            "with another card",
            void(FEN, |d, b| {
                present(d, b, "6212142000000000020");
            }),
            "14",
        )
        .after(sold)
        .with(NoMoney),
    ]);
}

#[test]
fn voids_of_other_kinds() {
    check(&[
        row("B38", "of a pre-authorisation, as of a sale", void(FEN, |_, _| {}), "12")
            .after(authorised)
            .with(NoMoney),
        row("B38", "of a sale, as of a completion", voiding(COMPLETION_VOID), "12")
            .after(sold)
            .with(NoMoney),
        row(
            "B38",
            "of points twice",
            |d, b| {
                turn(d, POINTS_VOID, 9, 100);
                refer(d, b);
                present(d, b, POINTED);
            },
            "22",
        )
        .after(|bench| {
            points_spent(bench);
            let first = bench.last.clone();
            let code = send(bench, POINTS_VOID, 3, 100, |d, b| {
                refer(d, b);
                present(d, b, POINTED);
            });
            assert_eq!(code, "00");
            bench.last = first;
        })
        .with(NoMoney),
        row("B38", "of a completion twice", voiding(COMPLETION_VOID), "22")
            .after(|bench| {
                completed(bench);
                let completion = bench.last.clone();
                assert_eq!(send(bench, COMPLETION_VOID, 4, FEN, refer), "00");
                bench.last = completion;
            })
            .with(NoMoney),
    ]);
}

/// A refund of the last answer in the second batch, and something changed in it.
fn refund(fen: i64, bend: fn(&mut Draft, &Bench)) -> impl Fn(&mut Draft, &Bench) {
    move |draft, bench| {
        turn_in(draft, REFUND, 9, fen, 2);
        refer(draft, bench);
        bend(draft, bench);
    }
}

#[test]
fn refunds() {
    check(&[
        row("B39", "a fen above what was paid", refund(FEN + 1, |_, _| {}), "64")
            .after(settled)
            .with(NoMoney),
        row("B39", "a fen, once all is back", refund(1, |_, _| {}), "64")
            .after(refunded)
            .with(NoMoney),
        row("B39", "of nothing", refund(0, |_, _| {}), "13").after(settled).with(NoMoney),
        row("B39", "without a reference", refund(FEN, |d, _| _ = d.without(37)), "30")
            .after(settled),
        row(
            "B39",
            "with a reference of nobody",
            refund(FEN, |d, _| {
                d.text(37, b"000000000000");
            }),
            "25",
        )
        .after(settled)
        .with(NoMoney),
        row(
            "B39",
            "with a reference of letters",
            refund(FEN, |d, _| {
                d.text(37, b"<script>    ");
            }),
            "25",
        )
        .after(settled)
        .with(NoMoney),
        row(
            "B39",
            "to another card",
            refund(FEN, |d, b| {
                present(d, b, "6212142000000000020");
            }),
            "14",
        )
        .after(settled)
        .with(NoMoney),
        row(
            "B39",
            "to a cancelled card",
            refund(FEN, |d, b| {
                present(d, b, crate::bench::draft::CANCELLED);
            }),
            "14",
        )
        .after(settled)
        .with(NoMoney),
    ]);
}

#[test]
fn refunds_of_what_is_none() {
    check(&[
        row(
            "B39",
            "in the batch of the sale",
            |d, b| {
                turn(d, REFUND, 9, FEN);
                refer(d, b);
            },
            "12",
        )
        .after(sold)
        .with(NoMoney),
        row("B39", "of what was voided", refund(FEN, |_, _| {}), "22")
            .after(|bench| {
                voided(bench);
                closed(bench);
            })
            .with(NoMoney),
        row(
            "B39",
            "of points: they are no money",
            refund(100, |d, b| present(d, b, POINTED)),
            "25",
        )
        .after(|bench| {
            points_spent(bench);
            closed(bench);
        })
        .with(NoMoney),
        row("B39", "of money that was only set aside", refund(FEN, |_, _| {}), "25")
            .after(|bench| {
                did(bench, PRE_AUTH, FEN);
                closed(bench);
            })
            .with(NoMoney),
        row("B39", "too late", refund(FEN, |_, _| {}), "12")
            .after(|bench| {
                settled(bench);
                bench.set_time("2026-12-24T10:00:00+08:00");
            })
            .with(NoMoney),
    ]);
}
