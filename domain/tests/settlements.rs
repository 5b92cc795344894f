//! What a terminal asks for itself: keys, settlements, uploads, bars.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "in a test a panic is a failure"
)]

mod fixtures;
mod script;

use domain::shard::{Command, Shard, Upload};
use domain::terms::{Amount, BatchNo, Refusal, Stan, Timestamp};
use domain::txn::Totals;
use script::check;

#[test]
fn a_terminal_settles_its_batch_once() {
    check(
        "
        card A main=10000
        signon k1                        | ok noted detail=batch:1
        signon k1                        | ok quiet detail=batch:1
        signon k2                        | ok noted detail=batch:1
        sale 1 A 100                     | ok
        sale 2 A 200                     | ok
        void 3 A 100 of=1                | ok
        sale 4 A 50                      | ok
        reverse 4 A 50                   | ok
        sale 5 A 99999                   | -AmountLimit
        inquiry 6 A                      | ok
        sale 7 A 30                      | ok
        void 8 A 30 of=7                 | ok
        reverse 8 A 30 as=void           | ok
        close 2                          | -BatchDiffers quiet
        close 1 claimed=330/3/100/1      | ok noted detail=balanced
        close 1 claimed=0/0/0/0          | ok quiet detail=balanced
        close 3                          | -BatchDiffers quiet
        end 1                            | ok noted detail=
        signoff                          | ok noted detail=batch:2
        signoff                          | ok quiet detail=batch:2
        refund 9 A 200 of=1/2            | ok
        close 2 claimed=0/0/200/1        | ok noted detail=balanced
        close 1                          | -BatchDiffers quiet
        close 3                          | ok noted detail=balanced
        close 3 at=T9                    | -UnknownTerminal quiet
        upload 3 1:1 at=T9               | -UnknownTerminal quiet
        end 3 at=T9                      | -UnknownTerminal quiet
        signon k at=T9                   | -UnknownTerminal quiet
        signoff at=T9                    | -UnknownTerminal quiet
        ",
    );
}

#[test]
fn an_upload_explains_a_difference_slip_by_slip() {
    check(
        "
        card A main=10000
        sale 1 A 100                     | ok
        sale 2 A 200                     | ok
        sale 3 A 300                     | ok
        close 1 claimed=700/3/0/0        | ok noted detail=unbalanced
        upload 2 1:100                   | -BatchDiffers quiet
        upload 1 1:100,2:250             | ok noted detail=uploaded:2
        upload 1 1:100,2:250             | ok quiet detail=uploaded:2
        upload 1 9:1,9:2                 | ok noted detail=uploaded:2
        upload 1 9:1,9:2                 | ok quiet detail=uploaded:2
        end 2                            | -BatchDiffers quiet
        end 1                            | ok noted detail=amount:2,missing:3,foreign:9
        end 1                            | ok quiet detail=amount:2,missing:3,foreign:9
        upload 1 1:100                   | ok quiet detail=uploaded:1
        end 1                            | ok quiet detail=amount:2,missing:3,foreign:9
        upload 1 2:200,3:300             | ok noted detail=uploaded:2
        end 1                            | ok noted detail=foreign:9
        sale 4 A 100                     | ok
        sale 5 A 100                     | ok
        close 2 claimed=200/2/0/0        | ok detail=balanced
        upload 1 1:100                   | -BatchDiffers quiet
        upload 2 5:100,6:100             | ok
        end 2                            | ok noted detail=foreign:6
        close 3 claimed=1/1/0/0          | ok detail=unbalanced
        end 3                            | ok noted detail=
        ",
    );
}

#[test]
fn totals_count_what_merchants_get_and_give_back_and_nothing_else() {
    check(
        "
        card A main=50000 points=500
        card S main=0 status=Sold
        card P main=300
        activation 1 S 700               | ok T1.totals=0/0/0/0
        inquiry 2 A                      | ok T1.totals=0/0/0/0
        points-inquiry 3 A               | ok T1.totals=0/0/0/0
        pre-auth 4 A 1000                | ok T1.totals=0/0/0/0
        pre-auth 5 A 500 of=4            | ok T1.totals=0/0/0/0
        pre-auth-void 6 A 1500 of=4      | ok T1.totals=0/0/0/0
        verification 7 A                 | ok T1.totals=0/0/0/0
        top-up 8 A 100 of=7              | ok T1.totals=0/0/0/0
        top-up-confirm 9 A 100 of=7      | ok T1.totals=0/0/0/0
        pin-change 10 A pin=right newpin=5 | ok T1.totals=0/0/0/0
        script-notice 11 A               | ok T1.totals=0/0/0/0
        sale 12 A 1000                   | ok T1.totals=1000/1/0/0
        sale 13 P 500 part               | ok T1.totals=1300/2/0/0
        sale 14 A 100 bymail             | ok T1.totals=1400/3/0/0
        sale 15 A 99999                  | -AmountLimit T1.totals=1400/3/0/0
        adjustment 16 A 1200 of=12       | ok T1.totals=1600/3/0/0
        offline-sale 17 A 500            | ok T1.totals=2100/4/0/0
        adjustment 18 A 400 of=17        | ok T1.totals=2000/4/0/0
        e-cash 19 A 10                   | ok T1.totals=2010/5/0/0
        points-sale 20 A 70              | ok T1.totals=2080/6/0/0
        points-void 21 A 70 of=20        | ok T1.totals=2080/6/70/1
        void 22 A 1200 of=12             | ok T1.totals=2080/6/1270/2
        pre-auth 23 A 1000               | ok T1.totals=2080/6/1270/2
        completion 24 A 1100 of=23       | ok T1.totals=3180/7/1270/2
        completion-void 25 A 1100 of=24  | ok T1.totals=3180/7/2370/3
        completion-advice 26 A 800 of=23 | ok T1.totals=3980/8/2370/3
        reverse 25 A 1100 as=completion-void | ok T1.totals=3980/8/1270/2
        sale 27 A 5                      | ok T1.totals=3985/9/1270/2
        reverse 27 A 5                   | ok T1.totals=3980/8/1270/2
        reverse 21 A 70 as=points-void   | ok T1.totals=3980/8/1200/1
        reverse 22 A 1200 as=void        | ok T1.totals=3980/8/0/0
        close 1 claimed=3980/8/0/0    | ok detail=balanced
        upload 1 12:1200,13:300,14:100,17:400,19:10 | ok
        upload 1 20:70,24:1100,26:800       | ok
        end 1                            | ok detail=
        refund 28 A 1200 of=1/12         | ok T1.totals=0/0/1200/1
        ",
    );
}

#[test]
fn a_bar_lasts_as_long_as_its_batch_may_take_slips() {
    check(
        "
        card A main=10000
        bar 5                            | -OriginalNotFound noted T1.bars=1
        bar 5                            | -OriginalNotFound quiet T1.bars=1
        bar 6                            | -OriginalNotFound noted T1.bars=2
        bar 6 batch=2                    | -OriginalNotFound noted T1.bars=3
        bar 6 batch=3                    | -OriginalNotFound quiet T1.bars=3
        bar 6 batch=999999               | -OriginalNotFound quiet T1.bars=3
        bar 6 at=T9 batch=1              | -UnknownTerminal quiet
        sale 1 A 100                     | ok
        close 1                          | ok T1.bars=1
        bar 5 batch=1                    | -OriginalNotFound quiet T1.bars=1
        close 2                          | ok T1.bars=0
        ",
    );
}

#[test]
fn an_upload_has_an_end() {
    let terminal = fixtures::terminal(1);
    let mut shard = Shard::new(terminal.shard());
    let say = |shard: &mut Shard, command: Command| {
        let decision = shard.decide(&command, Timestamp(1));
        decision.event.iter().for_each(|event| shard.apply(event));
        decision.answer.verdict
    };
    let profile = fixtures::profile(fixtures::merchant(1));
    say(&mut shard, Command::RegisterTerminal { terminal, profile }).unwrap();
    let (batch, none) = (BatchNo::FIRST, Totals::default());
    let close = Command::CloseBatch { terminal, batch, claimed: none, counted: none };
    say(&mut shard, close).unwrap();
    let details = |range: std::ops::RangeInclusive<u32>| {
        let details = range.map(|n| (Stan::new(n).unwrap(), Amount::from_fen(1))).collect();
        Command::Upload(Upload { terminal, batch, details })
    };
    assert_eq!(say(&mut shard, details(1..=20_000)), Ok(()));
    assert_eq!(say(&mut shard, details(20_001..=20_001)), Err(Refusal::UploadTooLong));
    assert_eq!(say(&mut shard, details(1..=20_000)), Ok(()));
}
