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
