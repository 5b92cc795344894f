//! What a transaction looks like, for people and for tools.

use std::io::{self, Write};
use std::path::Path;

use codec::describe::{Disclosure, Value, describe};
use codec::{Dialect, Envelope, Message};
use loadtest::pay::Ended;
use loadtest::terminal::Reconciled;
use loadtest::{Exchange, Fen, Reply, StationError, Terminal};
use serde_json::{Value as Json, json};

use super::{Done, Failure};
use crate::output::print;

/// Prints what was said and what came of it.
pub(super) fn done(done: &Done, terminal: &Terminal, as_json: bool) -> io::Result<()> {
    if as_json {
        let last = done.exchanges.first().or(done.before.last());
        // The answer to one tender is not the answer to the bill: `after` has them all.
        let last = last.filter(|_| done.receipt.is_none());
        let mut object = last.map_or_else(|| json!({}), |exchange| fields(&exchange.reply));
        if let Some(object) = object.as_object_mut() {
            let replies = |list: &[Exchange]| -> Json {
                list.iter().map(|exchange| fields(&exchange.reply)).collect()
            };
            object.insert("ok".to_owned(), json!(done.is_success));
            object.insert("before".to_owned(), replies(&done.before));
            let first = usize::from(done.receipt.is_none());
            let after = done.exchanges.get(first..).unwrap_or_default();
            object.insert("after".to_owned(), replies(after));
            object.insert("reversal_owed".to_owned(), json!(terminal.owed().is_some()));
            let owed = terminal.confirmation_owed().is_some();
            object.insert("confirmation_owed".to_owned(), json!(owed));
            object.insert("notices_due".to_owned(), json!(terminal.has_notices_due()));
            if let Some(receipt) = &done.receipt {
                object.insert("due_fen".to_owned(), json!(receipt.due.0));
                let tenders: Json = receipt.tenders.iter().map(tender_fields).collect();
                object.insert("tenders".to_owned(), tenders);
            }
        }
        return print(format!("{object}\n"));
    }
    let mut text = String::new();
    for exchange in done.before.iter().chain(&done.exchanges) {
        message(&mut text, "->", exchange.sent.get(2..).unwrap_or_default());
        message(&mut text, "<-", &exchange.received);
        text.push_str(&format!("{}\n\n", sentence(&exchange.reply)));
    }
    if let Some(receipt) = &done.receipt {
        for (place, ended) in (1..).zip(&receipt.tenders) {
            text.push_str(&format!("tender {place}: {}\n", tender_sentence(ended)));
        }
        text.push_str(&format!("still due 尚欠: {}\n", receipt.due));
    }
    print(text.trim_end().to_owned() + "\n")
}

/// How a tender ended, as a tool reads it.
fn tender_fields(ended: &Ended) -> Json {
    let of = |how: &str, fen: u64| json!({ "ended": how, "amount_fen": fen });
    match ended {
        Ended::NotTried => of("not-tried", 0),
        Ended::Paid { sale: Some(sale), amount } => {
            json!({ "ended": "paid", "amount_fen": amount.0, "stan": sale.to_string() })
        }
        Ended::Paid { sale: None, amount } => of("cash", amount.0),
        Ended::Refused(code) => json!({ "ended": "refused", "amount_fen": 0, "f39": code }),
        Ended::Reversed => of("reversed", 0),
        Ended::Voided(amount) => of("voided", amount.0),
        Ended::NotVoided { sale, amount, code } => json!({
            "ended": "not-voided", "amount_fen": amount.0, "stan": sale.to_string(), "f39": code,
        }),
        Ended::InDoubt => of("in-doubt", 0),
    }
}

/// The same for people.
fn tender_sentence(ended: &Ended) -> String {
    match ended {
        Ended::NotTried => "not tried 未使用".to_owned(),
        Ended::Paid { sale: Some(sale), amount } => format!("paid {amount} 已付 (F11 {sale})"),
        Ended::Paid { sale: None, amount } => format!("paid {amount} in cash 现金"),
        Ended::Refused(code) => {
            let meaning = code.meaning();
            format!("{code} {} {}", meaning.en, meaning.zh)
        }
        Ended::Reversed => "no answer, reversed 已冲正".to_owned(),
        Ended::Voided(amount) => format!("{amount} voided 已撤销"),
        Ended::NotVoided { sale, amount, code } => {
            let why = code.map_or_else(|| "no answer".to_owned(), |code| code.to_string());
            format!("{amount} still paid, its void failed ({why}) 撤销失败 (F11 {sale})")
        }
        Ended::InDoubt => "no answer, its reversal is owed 待冲正".to_owned(),
    }
}

/// Prints why nothing came of it.
pub(super) fn failed(
    failure: &Failure,
    terminal: Option<&Terminal>,
    keep: Option<&Path>,
    as_json: bool,
) -> io::Result<()> {
    let is_owed = terminal.is_some_and(|terminal| terminal.owed().is_some());
    let must_confirm = terminal.is_some_and(|terminal| terminal.confirmation_owed().is_some());
    let must_tell = terminal.is_some_and(Terminal::has_notices_due);
    let sent = match failure {
        Failure::Station(StationError::NoAnswer { sent, .. }) => sent.get(2..),
        Failure::Station(_) | Failure::Usage(_) => None,
    };
    if as_json {
        let error = failure.to_string();
        let object = json!({
            "ok": false,
            "error": error,
            "reversal_owed": is_owed,
            "confirmation_owed": must_confirm,
            "notices_due": must_tell,
        });
        print(format!("{object}\n"))?;
    } else if let Some(sent) = sent {
        let mut text = String::new();
        message(&mut text, "->", sent);
        print(text)?;
    }
    let mut out = io::stderr().lock();
    writeln!(out, "posp pos: {failure}")?;
    let left = [
        (is_owed, "its reversal", "goes first next time"),
        (must_confirm, "its confirmation", "goes first next time"),
        (must_tell, "a notice", "is told before the batch is settled"),
    ];
    for (_, what, when) in left.into_iter().filter(|(is_left, ..)| *is_left) {
        match keep {
            Some(path) => writeln!(out, "{what} is kept in {} and {when}", path.display())?,
            None => writeln!(out, "{what} is lost: nothing is kept without --keep")?,
        }
    }
    Ok(())
}

/// What an answer says, as a tool reads it.
fn fields(reply: &Reply) -> Json {
    let meaning = reply.code.map(loadtest::Code::meaning);
    json!({
        "mti": reply.mti.to_string(),
        "stan": reply.stan.map(|stan| stan.to_string()),
        "batch": reply.batch.map(|batch| batch.to_string()),
        "f39": reply.code.map(|code| code.to_string()),
        "meaning": meaning.map(|meaning| meaning.en),
        "meaning_zh": meaning.map(|meaning| meaning.zh),
        "rrn": reply.rrn,
        "auth_code": reply.auth_code,
        "amount": reply.amount.map(|amount| amount.to_string()),
        "amount_fen": reply.amount.map(|amount| amount.0),
        "balance_fen": reply.balance_fen,
        "points": reply.points,
        "loadable_fen": reply.loadable.map(|amount| amount.0),
        "rest_due_fen": reply.rest_due.map(|amount| amount.0),
        "display": reply.display,
        "date": reply.date.map(|date| date.to_string()),
        "time": reply.time.map(|time| time.to_string()),
        "reconciled": reply.reconciled.map(reconciled).map(|(en, _zh)| en),
        "accepted": reply.accepted,
        "sign_on_wanted": reply.requirement == 3,
        "header_asks": asked_by_header(reply.requirement),
    })
}

/// The answer in one line.
fn sentence(reply: &Reply) -> String {
    let mut parts = Vec::new();
    if let Some(code) = reply.code {
        let meaning = code.meaning();
        parts.push(format!("{code} {} {}", meaning.en, meaning.zh));
    }
    if let Some((en, zh)) = reply.reconciled.map(reconciled) {
        parts.push(format!("totals {en} {zh}"));
    }
    if let Some(auth) = &reply.auth_code {
        parts.push(format!("authorisation {auth}"));
    }
    if let Some(balance) = reply.balance_fen {
        let sign = if balance < 0 { "-" } else { "" };
        parts.push(format!("balance {sign}{}", Fen(balance.unsigned_abs())));
    }
    if let Some(points) = reply.points {
        parts.push(format!("{points} points 积分"));
    }
    if let Some(amount) = reply.loadable {
        parts.push(format!("{amount} may be loaded 可充值"));
    }
    if let (Some(amount), Some(rest)) = (reply.amount, reply.rest_due) {
        parts.push(format!("{amount} approved, {rest} still due 尚欠"));
    }
    if let Some(display) = &reply.display {
        parts.push(format!("\"{display}\""));
    }
    if let Some(what) = asked_by_header(reply.requirement) {
        parts.push(format!("the header asks for {what}"));
    }
    parts.join(", ")
}

/// What the host wants of the terminal next.
const fn asked_by_header(digit: u8) -> Option<&'static str> {
    match digit {
        0 => None,
        1 => Some("a download of parameters"),
        2 => Some("a status report"),
        3 => Some("a sign-on"),
        4 => Some("a download of CA public keys"),
        5 => Some("a download of IC card parameters"),
        6 => Some("a download of TMS parameters"),
        7 => Some("a download of the blacklist"),
        _ => Some("something this terminal does not know"),
    }
}

const fn reconciled(reconciled: Reconciled) -> (&'static str, &'static str) {
    match reconciled {
        Reconciled::Balanced => ("balanced", "对账平"),
        Reconciled::Unbalanced => ("unbalanced", "对账不平"),
        Reconciled::Failed => ("failed", "对账错"),
    }
}

/// A message field by field, card data masked.
fn message(text: &mut String, arrow: &str, frame: &[u8]) {
    let dialect = Dialect::unionpay_pos();
    let Ok(envelope) = Envelope::parse(frame) else { return };
    let Ok(message) = Message::parse(dialect, envelope.body) else { return };
    let Ok(lines) = describe(&message, Disclosure::Masked) else { return };
    text.push_str(&format!("{arrow} {}\n", message.mti()));
    for line in lines {
        let value = match line.value {
            Value::Text(value) => value,
            Value::Objects(objects) => format!("{} objects", objects.len()),
        };
        let (name, zh) = (&line.label.name, &line.label.zh);
        text.push_str(&format!("   F{:<3} {value:<38} {name} {zh}\n", line.field.0));
    }
}
