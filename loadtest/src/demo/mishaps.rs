//! What goes wrong in a shop: cards that may not pay, lines that break, codes that do not match.

use super::DemoError;
use super::cast::{Cast, NO_VICTIM};
use super::day::{COUNTER, Day, Expect, MOBILE, Step};
use super::trade::minus;
use crate::fen::Fen;
use crate::kit::TestCard;
use crate::secret::Pin;
use crate::terminal::{Presented, Reply, SignOn, Terminal, TerminalError};

/// Cards that are refused, and why.
pub(super) fn cards(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let sell = |day: &mut Day, step: Step<'_>, card: &TestCard, fen| {
        day.play(step, MOBILE, |terminal| terminal.sale(&Presented::swiped(card), Fen(fen)))
    };
    let [_, _, card] = cast.plain;
    let step = Step::new("sale of nothing", "金额为零", b"13").moving(card, 0);
    sell(day, step, card, 0)?;
    let poor = cast.poor;
    let too_much = poor.spendable().plus(Fen(1)).0;
    let step = Step::new("sale, too little money", "余额不足", b"51").moving(poor, 0);
    sell(day, step, poor, too_much)?;
    let refused: [(&str, &str, &[u8; 2], &TestCard); 6] = [
        ("lost card", "挂失卡", b"41", cast.lost),
        ("frozen card", "冻结卡", b"62", cast.frozen),
        ("expired card", "过期卡", b"54", cast.expired),
        ("card not activated", "未激活卡", b"21", cast.sold),
        ("card number that was never issued", "卡号不存在", b"14", &cast.unknown),
        ("card number of no issuer", "无此发卡方", b"15", &cast.foreign),
    ];
    for (what, what_zh, code, card) in refused {
        sell(day, Step::new(what, what_zh, code), card, 100)?;
    }
    let what = "which cards still take a PIN";
    let victim = day.first_with_balance(what, &cast.victims)?.ok_or(NO_VICTIM)?;
    // The clerk must not ask in between: a right PIN would forgive the wrong ones.
    let step = Step::new("balance before wrong PINs", "余额查询", b"00").moving(victim, 0);
    day.play(step, MOBILE, |terminal| terminal.balance(&Presented::swiped(victim)))?;
    let wrong = TestCard { pin: victim.pin.as_ref().map(Pin::other), ..victim.clone() };
    for (what, what_zh) in [
        ("wrong PIN", "密码错"),
        ("wrong PIN, second time", "密码错，第二次"),
        ("wrong PIN, third time", "密码错，第三次"),
    ] {
        sell(day, Step::new(what, what_zh, b"55"), &wrong, 100)?;
    }
    let step = Step::new("right PIN after three wrong ones", "密码正确，次数已超限", b"75");
    sell(day, step, victim, 100)
}

/// Lines that break: a repeat, a reversal that overtakes its sale.
pub(super) fn lines(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let [_, _, card] = cast.plain;
    let swiped = Presented::swiped(card);
    let amount = Fen(1_500);
    let step = Step::new("sale", "消费", b"00").moving(card, minus(amount));
    day.play(step, MOBILE, |terminal| terminal.sale(&swiped, amount))?;
    let step = Step::new("the same bytes again: the same answer", "重复报文，应答相同", b"00")
        .moving(card, 0);
    repeat(day, step)?;

    // The sale is under way and does not arrive; its reversal does.
    let step = Step::new("reversal before its sale", "冲正先于消费到达", b"25").moving(card, 0);
    let late = day.mobile.terminal.sale(&swiped, Fen(2_500));
    let late = late.map_err(|error| step.failed(error.into()))?;
    day.mobile.terminal.on_timeout();
    day.play(step, MOBILE, Terminal::reversal)?;
    let step = Step::new("the sale arrives late", "消费迟到，拒绝", b"22").moving(card, 0);
    day.look_first(&step)?;
    let received = day.mobile.send_past_terminal(&late).map_err(|error| step.failed(error))?;
    let reply = Reply::read(&received).map_err(TerminalError::from);
    let reply = reply.map_err(|error| step.failed(error.into()))?;
    let id = day.mobile.terminal.setup().id;
    day.note(step, id, &late, &reply, None)?;

    // Settled in between, so that the codes that follow have a batch of their own.
    super::trade::settle(day, MOBILE)
}

/// Message codes that do not match.
pub(super) fn codes(day: &mut Day, cast: &Cast<'_>) -> Result<(), DemoError> {
    let [_, _, card] = cast.plain;
    let swiped = Presented::swiped(card);
    let wrong = Expect::Code(b"A0");
    let third = Expect::CodeAndSignOn(b"A0");
    for (what, what_zh, expect) in [
        ("wrong message code", "MAC 错", wrong),
        ("wrong message code, second time", "MAC 错，第二次", wrong),
        ("wrong message code, third time: sign on again", "MAC 错，第三次，要求签到", third),
    ] {
        let step = Step::expecting(what, what_zh, expect).moving(card, 0);
        day.play(step, MOBILE, |terminal| {
            let mut frame = terminal.sale(&swiped, Fen(100))?;
            if let Some(last) = frame.last_mut() {
                *last ^= 1;
            }
            Ok(frame)
        })?;
    }
    let step = Step::new("sign-on, as the header asked", "按要求重新签到", b"00");
    day.play(step, MOBILE, |terminal| terminal.sign_on(SignOn::Double))?;
    let step = Step::new("sale under the new keys", "新密钥下消费", b"00").moving(card, -100);
    day.play(step, MOBILE, |terminal| terminal.sale(&swiped, Fen(100)))?;
    let step = Step::new("sale at another terminal, whose keys stand", "其他终端不受影响", b"00");
    let step = step.moving(card, -100);
    day.play(step, COUNTER, |terminal| terminal.sale(&swiped, Fen(100)))
}

/// Sends the last request again, to the byte, and compares the answers.
fn repeat(day: &mut Day, step: Step<'_>) -> Result<(), DemoError> {
    day.look_first(&step)?;
    let last = day.mobile.terminal.slips().last().cloned();
    let exchange = day.mobile.ask(Terminal::again).map_err(|error| step.failed(error))?;
    let reply = &exchange.reply;
    let first = last.map(|slip| (Some(slip.rrn), slip.auth));
    let same = first == Some((reply.rrn.clone(), reply.auth_code.clone()));
    let fault = (!same).then(|| "another reference than the first answer".to_owned());
    let id = day.mobile.terminal.setup().id;
    day.note(step, id, &exchange.sent, reply, fault)
}
