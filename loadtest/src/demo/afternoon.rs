//! What a shop does beside selling: it sets money aside, takes tips, loads and activates cards, takes
//! points, takes several cards for one bill, and tells later what it did not ask for.

use super::DemoError;
use super::cast::Cast;
use super::day::{COUNTER, Day, Step};
use super::trade::{minus, stan_of};
use crate::fen::Fen;
use crate::kit::TestCard;
use crate::secret::{HolderCheck, IdDocument, Pin};
use crate::terminal::{
    Chip, Entry, Hold, PartialApproval, Presented, Reason, Scheme, Terminal, TerminalError,
};

/// Sets money aside, more of it, takes it, gives it back, and takes it by telling.
pub(super) fn holding(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let [card, ..] = cast.plain;
    let swiped = Presented::swiped(card);
    let step = Step::new("pre-authorisation", "预授权", b"00").moving(card, -3_000);
    day.play(step, COUNTER, |t| t.pre_auth(&swiped, Fen(3_000)))?;
    let hold = day.counter.terminal.slips().last().and_then(Hold::of);
    let hold = hold.ok_or_else(|| step.failed(TerminalError::NothingOwed.into()))?;
    let step = Step::new("more for the same purpose", "追加预授权", b"00").moving(card, -500);
    day.play(step, COUNTER, |t| t.add_pre_auth(&hold, &swiped, Fen(500)))?;
    let step = Step::new("completion above 115 %", "预授权完成，超过 115%", b"64").moving(card, 0);
    day.play(step, COUNTER, |t| t.complete(&hold, &swiped, Fen(4_026)))?;
    let step =
        Step::new("completion, 3.00 more than held", "预授权完成(请求)", b"00").moving(card, -300);
    day.play(step, COUNTER, |t| t.complete(&hold, &swiped, Fen(3_800)))?;
    let completion = stan_of(day.counter.terminal.slips().last());
    let step =
        Step::new("its void: the money is held again", "预授权完成撤销", b"00").moving(card, 300);
    day.play(step, COUNTER, |t| t.void(completion, Some(&swiped)))?;
    let step =
        Step::new("completion by advice, of a part", "预授权完成(通知)", b"00").moving(card, 1_500);
    day.play(step, COUNTER, |t| {
        t.complete_by_advice(&hold, &swiped, Fen(2_000))?;
        t.notice()
    })?;
    let step =
        Step::new("pre-authorisation, answer lost", "预授权，应答丢失", b"00").moving(card, -800);
    day.play_lost(step, COUNTER, |t| t.pre_auth(&swiped, Fen(800)))?;
    let step = Step::new("its reversal", "预授权冲正", b"00").moving(card, 800);
    day.play(step, COUNTER, Terminal::reversal)
}

/// Tells what was sold without asking, and a tip; sells by telephone.
pub(super) fn telling(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let [card, ..] = cast.plain;
    let swiped = Presented::swiped(card);
    let step = Step::new("sale at a table", "消费", b"00").moving(card, -1_000);
    day.play(step, COUNTER, |t| t.sale(&swiped, Fen(1_000)))?;
    let meal = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("a tip on it", "小费调整", b"00").moving(card, -100);
    day.play(step, COUNTER, |t| {
        t.tip(meal, Fen(1_100), Fen(100))?;
        t.notice()
    })?;
    let step = Step::new("both given back", "冲正", b"00").moving(card, 1_100);
    day.play(step, COUNTER, |t| t.reverse(meal, Reason::NoAnswer))?;
    let step = Step::new("offline sale, told later", "离线结算", b"00").moving(card, -400);
    day.play(step, COUNTER, |t| {
        t.sell_offline(&swiped, Fen(400), Some("123456"))?;
        t.notice()
    })?;
    let offline = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("another amount for it", "结算调整", b"00").moving(card, 100);
    day.play(step, COUNTER, |t| {
        t.adjust(offline, Fen(300), None)?;
        t.notice()
    })?;
    let step = Step::new("its void", "消费撤销", b"00").moving(card, 300);
    day.play(step, COUNTER, |t| t.void(offline, Some(&swiped)))?;
    let step = Step::new("e-cash sale, uploaded", "电子现金脱机消费上送", b"00").moving(card, -60);
    let chip = Entry::Chip(Chip::simulated(7, 7, [0x26, 0x01, 0x01]));
    day.play(step, COUNTER, |t| {
        t.sell_from_chip(&Presented { entry: chip, ..swiped }, Fen(60))?;
        t.notice()
    })?;
    let Some(named) = cast.named else { return Ok(()) };
    let typed = Presented { pin: None, ..Presented::swiped(named) };
    let step = Step::new("sale by telephone", "电话订购消费", b"00").moving(named, -700);
    day.play(step, COUNTER, |t| t.moto_sale(&typed, Fen(700), &HolderCheck::default()))?;
    let order = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("its void", "电话订购撤销", b"00").moving(named, 700);
    day.play(step, COUNTER, |t| t.void(order, None))
}

/// Puts cash on a card, once with the answer lost.
pub(super) fn loading(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let (Some(named), document) = (cast.named, IdDocument::default()) else { return Ok(()) };
    let swiped = Presented::swiped(named);
    let verify = Step::new("account verification", "账户验证", b"00").moving(named, 0);
    day.play(verify, COUNTER, |t| t.verify_account(&swiped, &document))?;
    let step = Step::new("cash top-up", "磁条卡现金充值", b"00").moving(named, 5_000);
    day.play(step, COUNTER, |t| t.top_up(&swiped, Fen(5_000), &document))?;
    day.play(verify, COUNTER, |t| t.verify_account(&swiped, &document))?;
    let step =
        Step::new("cash top-up, answer lost", "现金充值，应答丢失", b"00").moving(named, 5_000);
    day.play_lost(step, COUNTER, |t| t.top_up(&swiped, Fen(5_000), &document))?;
    let step = Step::new("its confirmation: loaded once", "充值确认", b"00").moving(named, 0);
    day.play(step, COUNTER, Terminal::confirm)?;
    let step = Step::new("spending it", "消费", b"00").moving(named, -10_000);
    day.play(step, COUNTER, |t| t.sale(&swiped, Fen(10_000)))?;
    let [unnamed, ..] = cast.plain;
    let step = Step::new("a card that is not reloadable", "不可充值卡", b"57").moving(unnamed, 0);
    let presented = Presented::swiped(unnamed);
    day.play(step, COUNTER, |t| t.verify_account(&presented, &document))
}

/// Pays with points, and gives them back.
pub(super) fn points(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let Some(card) = cast.points else { return Ok(()) };
    let swiped = Presented::swiped(card);
    let step = Step::new("points inquiry", "积分查询", b"00").moving(card, 0);
    day.play(step, COUNTER, |t| t.points(&swiped))?;
    let step = Step::new("points sale: money stays", "积分消费", b"00").moving(card, 0);
    day.play(step, COUNTER, |t| t.points_sale(&swiped, 60, Scheme::Issuer, "TEA"))?;
    let sale = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("its void", "积分撤销", b"00").moving(card, 0);
    day.play(step, COUNTER, |t| t.void(sale, Some(&swiped)))?;
    let step = Step::new("more points than there are", "积分不足", b"51").moving(card, 0);
    day.play(step, COUNTER, |t| t.points_sale(&swiped, 99_999, Scheme::Issuer, "CAR"))
}

/// Takes two cards for one bill: once it works out, once it does not.
pub(super) fn combining(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let (Some(little), [card, ..]) = (cast.little, cast.plain) else { return Ok(()) };
    let (part, rest) = (little.spendable(), Fen(500));
    let bill = part.plus(rest);
    let first = Presented::swiped(little);
    let pays = |what, what_zh| Step::new(what, what_zh, b"10").moving(little, minus(part));
    let gives = |what, what_zh| {
        let fen = i64::try_from(part.0).unwrap_or(i64::MAX);
        Step::new(what, what_zh, b"00").moving(little, fen)
    };
    day.counter.terminal.profile_mut().partial = PartialApproval::Understood;
    day.play(pays("a bill, first card: a part", "组合支付，部分批准"), COUNTER, |t| {
        t.sale(&first, bill)
    })?;
    let leg = stan_of(day.counter.terminal.slips().last());
    let step =
        Step::new("the rest from another card", "组合支付，余款", b"00").moving(card, minus(rest));
    let second = Presented::swiped(card);
    day.play(step, COUNTER, |t| t.sale(&second, rest))?;
    day.play(gives("void of the first leg", "撤销第一笔"), COUNTER, |t| {
        t.void(leg, Some(&first))
    })?;
    day.play(
        pays("another bill, first card: a part", "组合支付，部分批准"),
        COUNTER,
        |t| t.sale(&first, bill),
    )?;
    let leg = stan_of(day.counter.terminal.slips().last());
    let step = Step::new("the other card is refused", "组合支付，余款被拒", b"41");
    let refused = Presented::swiped(cast.lost);
    day.play(step, COUNTER, |t| t.sale(&refused, rest))?;
    day.play(gives("so the first leg is voided", "撤销已付部分"), COUNTER, |t| {
        t.void(leg, Some(&first))
    })?;
    day.counter.terminal.profile_mut().partial = PartialApproval::Refused;
    let step = Step::new("the same without partial approval", "余额不足", b"51").moving(little, 0);
    day.play(step, COUNTER, |t| t.sale(&first, bill))
}

/// Activates a card that was sold, and takes that back; has a PIN changed.
pub(super) fn caring(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let sold = Presented::swiped(cast.sold);
    let step = Step::new("card activation, answer lost", "卡激活，应答丢失", b"00");
    day.play_lost(step, COUNTER, |t| t.activate(&sold))?;
    let step = Step::new("its reversal: not active", "卡激活冲正", b"00");
    day.play(step, COUNTER, Terminal::reversal)?;
    // A card of its own: it cannot go back to a PIN that anybody would guess.
    let Some(card) = cast.victims.last() else { return Ok(()) };
    if day.balance_of("the card has the PIN of the kit", card)?.is_none() {
        return Ok(());
    }
    let step = Step::new("PIN change", "修改密码", b"00");
    let pin =
        |text: &str| text.parse::<Pin>().map_err(|_| step.failed(TerminalError::NeedsPin.into()));
    let (fit, guessable) = (pin("135790")?, pin("111111")?);
    day.play(step, COUNTER, |t| t.change_pin(&Presented::swiped(card), &fit))?;
    let step = Step::new("the old PIN", "旧密码", b"55");
    day.play(step, COUNTER, |t| t.balance(&Presented::swiped(card)))?;
    let changed = TestCard { pin: Some(fit), ..(*card).clone() };
    let step = Step::new("a PIN that anybody would guess", "弱密码", b"55");
    day.play(step, COUNTER, |t| t.change_pin(&Presented::swiped(&changed), &guessable))
}
