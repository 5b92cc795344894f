//! What should happen in a shop.

use super::DemoError;
use super::cast::Cast;
use super::day::{
    COUNTER, DOUBLE, Day, Expect, KIOSK, MOBILE, NATIONAL, Place, SINGLE, STRANGER, Step,
};
use crate::fen::Fen;
use crate::ids::Stan;
use crate::terminal::{
    Chip, Entry, Original, Presented, Reconciled, SignOn, Slip, Terminal, TerminalError, TrackLine,
};

/// Signs everybody on, in every way there is.
pub(super) fn opening(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let double = Step::new("sign-on, double-length keys (003)", "签到，双倍长密钥", b"00");
    for place in [COUNTER, KIOSK, MOBILE] {
        day.play(double, place, |terminal| terminal.sign_on(SignOn::Double))?;
    }
    let track = Step::new("sign-on with track key (004)", "签到，含磁道密钥", b"00");
    day.play(track, COUNTER, |t| t.sign_on(SignOn::DoubleWithTrack))?;
    let single = Step::new("sign-on, single-length keys (001)", "签到，单倍长密钥", b"00");
    day.play(single, SINGLE, |t| t.sign_on(SignOn::Single))?;
    let mac = Step::new("sign-on, double-length MAC key (003)", "签到，双倍长 MAC 密钥", b"00");
    day.play(mac, DOUBLE, |t| t.sign_on(SignOn::Double))?;
    let sm4 = Step::new("sign-on, SM4 keys (005)", "签到，国密 SM4 密钥", b"00");
    day.play(sm4, NATIONAL, |t| t.sign_on(SignOn::Sm4))?;
    let sm4 = Step::new("sign-on, SM4 with track key (006)", "签到，国密 SM4 含磁道密钥", b"00");
    day.play(sm4, NATIONAL, |t| t.sign_on(SignOn::Sm4WithTrack))?;
    let unknown = Step::new("sign-on of an unregistered terminal", "未登记终端签到", b"97");
    day.play(unknown, STRANGER, |t| t.sign_on(SignOn::Double))?;
    let echo = Step::new("echo test", "回响测试", b"00");
    day.play(echo, COUNTER, Terminal::echo)?;
    let [card, ..] = cast.plain;
    let balance = Step::new("balance inquiry", "余额查询", b"00").moving(card, 0);
    day.play(balance, COUNTER, |t| t.balance(&Presented::swiped(card)))?;
    Ok(())
}

/// Sells, with every way to read a card and every kind of key.
pub(super) fn morning(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let [card, ..] = cast.plain;
    let swiped = Presented::swiped(card);
    let chip = Entry::Chip(Chip::simulated(1, 1, [0x26, 0x01, 0x01]));
    let sale = |what, what_zh, fen| Step::new(what, what_zh, b"00").moving(card, minus(Fen(fen)));
    let step = sale("sale, magnetic stripe and PIN", "消费，磁条卡加密码", 6_000);
    day.play(step, COUNTER, |t| t.sale(&swiped, Fen(6_000)))?;
    let step = sale("sale, chip", "消费，IC 卡", 1_250);
    let by_chip = Presented { entry: chip, ..swiped };
    day.play(step, COUNTER, |t| t.sale(&by_chip, Fen(1_250)))?;
    let step = sale("sale, number typed", "消费，手工输入卡号", 800);
    let typed = Presented { entry: Entry::Manual, ..swiped };
    day.play(step, COUNTER, |t| t.sale(&typed, Fen(800)))?;
    let step = sale("sale, encrypted track", "消费，磁道加密", 499);
    day.counter.terminal.profile_mut().track = TrackLine::Enciphered;
    day.play(step, COUNTER, |t| t.sale(&swiped, Fen(499)))?;
    day.counter.terminal.profile_mut().track = TrackLine::Clear;
    let both = cast.bonus.bonus.plus(Fen(1_000));
    let step = Step::new("sale from bonus and main purse", "消费，先赠款后主账户", b"00")
        .moving(cast.bonus, minus(both));
    let bonus = Presented::swiped(cast.bonus);
    day.play(step, COUNTER, |t| t.sale(&bonus, both))?;
    let step = sale("sale at a single-length terminal", "消费，单倍长密钥终端", 700);
    day.play(step, SINGLE, |t| t.sale(&swiped, Fen(700)))?;
    let step = sale("sale at a double-length MAC terminal", "消费，双倍长 MAC 终端", 600);
    day.play(step, DOUBLE, |t| t.sale(&swiped, Fen(600)))?;
    let step = sale("sale with SM4 PIN block and MAC", "消费，国密密码与 MAC", 500);
    day.play(step, NATIONAL, |t| t.sale(&swiped, Fen(500)))?;
    Ok(())
}

/// Undoes sales, by the cashier and because nobody saw the outcome, then settles.
/// Returns a sale that stands.
pub(super) fn undoing(day: &mut Day, cast: &Cast<'_>) -> Result<Original, DemoError> {
    let [card, other, _] = cast.plain;
    let swiped = Presented::swiped(card);
    let first = stan_of(day.counter.terminal.slips().next());
    let step = Step::new("void with another card", "撤销，卡号不符", b"14").moving(card, 0);
    let wrong = Presented::swiped(other);
    day.play(step, COUNTER, |t| t.void(first, Some(&wrong)))?;
    let step = Step::new("void of the first sale", "消费撤销", b"00").moving(card, 6_000);
    day.play(step, COUNTER, |t| t.void(first, Some(&swiped)))?;
    let step = Step::new("void of a voided sale", "重复撤销", b"22").moving(card, 0);
    day.play(step, COUNTER, |t| t.void(first, Some(&swiped)))?;

    let step = Step::new("sale to be voided", "消费，待撤销", b"00").moving(card, -2_000);
    day.play(step, COUNTER, |t| t.sale(&swiped, Fen(2_000)))?;
    let sale = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("its void, answer lost", "撤销，应答丢失", b"00").moving(card, 2_000);
    day.play_lost(step, COUNTER, |t| t.void(sale, Some(&swiped)))?;
    let step = Step::new("reversal of the void: the sale stands", "撤销冲正，消费恢复", b"00")
        .moving(card, -2_000);
    day.play(step, COUNTER, Terminal::reversal)?;

    let step = Step::new("sale, answer lost", "消费，应答丢失", b"00").moving(card, -3_000);
    day.play_lost(step, COUNTER, |t| t.sale(&swiped, Fen(3_000)))?;
    let step = Step::new("reversal of the sale", "消费冲正", b"00").moving(card, 3_000);
    day.play(step, COUNTER, Terminal::reversal)?;
    let step = Step::new("the same reversal again", "重复冲正", b"00").moving(card, 0);
    day.play(step, COUNTER, Terminal::again)?;
    let step = Step::new("refund in the same batch", "同批次退货", b"12").moving(card, 0);
    let slip = day.counter.terminal.slip(sale).map(Original::of);
    let original = slip.ok_or_else(|| step.failed(TerminalError::NoSuchSlip(sale).into()))?;
    day.play(step, COUNTER, |t| t.refund(&original, &swiped, Fen(100)))?;
    settle(day, COUNTER)?;
    Ok(original)
}

/// Refunds in the next batch, and settles a batch whose totals do not agree.
pub(super) fn refunding(
    day: &mut Day,
    cast: &Cast<'_>,
    original: &Original,
) -> Result<(), DemoError> {
    let [card, other, _] = cast.plain;
    let swiped = Presented::swiped(card);
    let refund = |what, what_zh, code, fen| Step::new(what, what_zh, code).moving(card, fen);
    let step = refund("refund of a part, next batch", "跨批次部分退货", b"00", 500);
    day.play(step, COUNTER, |t| t.refund(original, &swiped, Fen(500)))?;
    let step = refund("refund of the rest", "退货，余下金额", b"00", 1_500);
    day.play(step, COUNTER, |t| t.refund(original, &swiped, Fen(1_500)))?;
    let step = refund("refund beyond the sale", "退货超过原金额", b"64", 0);
    day.play(step, COUNTER, |t| t.refund(original, &swiped, Fen(1)))?;
    let foreign = Original { rrn: "000000000001".to_owned(), auth: None, ..original.clone() };
    let step = refund("refund of an unknown sale", "退货，无原交易", b"25", 0);
    day.play(step, COUNTER, |t| t.refund(&foreign, &swiped, Fen(100)))?;

    let swiped = Presented::swiped(other);
    for amount in [Fen(1_100), Fen(1_200)] {
        let step = Step::new("sale", "消费", b"00").moving(other, minus(amount));
        day.play(step, KIOSK, |t| t.sale(&swiped, amount))?;
    }
    let mut totals = day.kiosk.terminal.totals();
    totals.debit = totals.debit.plus(Fen(100));
    let step = Step::expecting(
        "settlement with wrong totals",
        "批结算，对账不平",
        Expect::Reconciled(Reconciled::Unbalanced),
    );
    day.play(step, KIOSK, |t| t.settle_claiming(&totals))?;
    while day.kiosk.terminal.must_upload() {
        let step = Step::new("upload of the details", "批上送", b"00");
        day.play(step, KIOSK, Terminal::upload)?;
    }
    let step = Step::new("end of the upload (202)", "批上送结束", b"00");
    day.play(step, KIOSK, Terminal::end_upload)?;
    Ok(())
}

/// Settles what is open and signs everybody off.
pub(super) fn closing(day: &mut Day) -> Result<(), DemoError> {
    settle(day, COUNTER)?;
    settle(day, MOBILE)?;
    let off = Step::new("sign-off", "签退", b"00");
    for place in [COUNTER, KIOSK, MOBILE] {
        day.play(off, place, Terminal::sign_off)?;
    }
    for place in [SINGLE, DOUBLE, NATIONAL] {
        settle(day, place)?;
        day.play(off, place, Terminal::sign_off)?;
    }
    Ok(())
}

/// Settles a batch whose totals agree.
pub(super) fn settle(day: &mut Day, place: Place) -> Result<(), DemoError> {
    let agree = Expect::Reconciled(Reconciled::Balanced);
    let step = Step::expecting("settlement", "批结算", agree);
    day.play(step, place, Terminal::settle)?;
    let step = Step::new("end of batch (207)", "批结算结束", b"00");
    day.play(step, place, Terminal::end_upload)?;
    Ok(())
}

/// An amount taken from a card, in fen.
pub(super) fn minus(amount: Fen) -> i64 {
    i64::try_from(amount.0).map_or(i64::MIN, |fen| fen.saturating_neg())
}

pub(super) fn stan_of(slip: Option<&Slip>) -> Stan {
    slip.map_or(Stan::FIRST, |slip| slip.imprint.stan)
}
