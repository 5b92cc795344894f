//! What a transaction looks like, for people and for tools.

use std::io::{self, Write};
use std::path::Path;

use codec::describe::{Disclosure, Value, describe};
use codec::{Dialect, Envelope, Message};
use loadtest::terminal::Reconciled;
use loadtest::{Exchange, Fen, Reply, StationError, Terminal};
use serde_json::{Value as Json, json};

use super::{Done, Failure};
use crate::output::print;

/// Prints what was said and what came of it.
pub(super) fn done(done: &Done, terminal: &Terminal, as_json: bool) -> io::Result<()> {
    if as_json {
        let last = done.exchanges.first().or(done.before.last());
        let mut object = last.map_or_else(|| json!({}), |exchange| fields(&exchange.reply));
        if let Some(object) = object.as_object_mut() {
            let replies = |list: &[Exchange]| -> Json {
                list.iter().map(|exchange| fields(&exchange.reply)).collect()
            };
            object.insert("ok".to_owned(), json!(done.is_success));
            object.insert("before".to_owned(), replies(&done.before));
            object.insert("after".to_owned(), replies(done.exchanges.get(1..).unwrap_or_default()));
            object.insert("reversal_owed".to_owned(), json!(terminal.owed().is_some()));
        }
        return print(format!("{object}\n"));
    }
    let mut text = String::new();
    for exchange in done.before.iter().chain(&done.exchanges) {
        message(&mut text, "->", exchange.sent.get(2..).unwrap_or_default());
        message(&mut text, "<-", &exchange.received);
        text.push_str(&format!("{}\n\n", sentence(&exchange.reply)));
    }
    print(text.trim_end().to_owned() + "\n")
}

/// Prints why nothing came of it.
pub(super) fn failed(
    failure: &Failure,
    terminal: Option<&Terminal>,
    keep: Option<&Path>,
    as_json: bool,
) -> io::Result<()> {
    let is_owed = terminal.is_some_and(|terminal| terminal.owed().is_some());
    let sent = match failure {
        Failure::Station(StationError::NoAnswer { sent, .. }) => sent.get(2..),
        Failure::Station(_) | Failure::Usage(_) => None,
    };
    if as_json {
        let error = failure.to_string();
        print(format!("{}\n", json!({ "ok": false, "error": error, "reversal_owed": is_owed })))?;
    } else if let Some(sent) = sent {
        let mut text = String::new();
        message(&mut text, "->", sent);
        print(text)?;
    }
    let mut out = io::stderr().lock();
    writeln!(out, "posp pos: {failure}")?;
    match (is_owed, keep) {
        (true, Some(path)) => {
            writeln!(out, "its reversal is kept in {} and goes first next time", path.display())
        }
        (true, None) => writeln!(out, "its reversal is lost: nothing is kept without --keep"),
        (false, _) => Ok(()),
    }
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
        "date": reply.date.map(|date| date.to_string()),
        "time": reply.time.map(|time| time.to_string()),
        "reconciled": reply.reconciled.map(reconciled).map(|(en, _zh)| en),
        "accepted": reply.accepted,
        "sign_on_wanted": reply.requirement == 3,
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
    if reply.requirement != 0 {
        parts.push(format!("the header asks for {}", reply.requirement));
    }
    parts.join(", ")
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
