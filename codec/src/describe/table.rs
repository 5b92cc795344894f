//! A described message as a table for people.

use std::fmt::Write;

use super::{Line, Value};
use crate::capture::{Capture, Framing};
use crate::framing::LENGTH_BYTES;
use crate::printable;

/// The message for a person to read: each field with its names, its bytes and what they say.
#[must_use]
pub fn table(capture: &Capture<'_>, lines: &[Line<'_>]) -> String {
    let Framing { length, tpdu, line, header } = capture.framing;
    let message = &capture.message;
    let mut out = format!("{} - {}\n", message.dialect().name(), message.dialect().title());
    if length {
        let rest = capture.framing.bytes().saturating_sub(LENGTH_BYTES);
        push(&mut out, "length", &message.body().len().saturating_add(rest).to_string());
    }
    for (name, bytes) in [
        ("TPDU", tpdu.map(|tpdu| printable::hex(&tpdu.0))),
        ("line", line.map(printable::hex)),
        ("header", header.map(|header| printable::hex(&header.0))),
    ] {
        bytes.into_iter().for_each(|bytes| push(&mut out, name, &bytes));
    }
    push(&mut out, "MTI", message.mti().as_str());
    for line in lines {
        out.push_str(&entry(line));
    }
    out
}

fn push(out: &mut String, name: &str, text: &str) {
    writeln!(out, "     {name:<6} {text}").expect("a string takes whatever is written to it");
}

fn entry(line: &Line<'_>) -> String {
    let mut out = format!("{:>3}  {} / {}\n", line.field, line.label.name, line.label.zh);
    push(&mut out, "wire", &line.wire);
    match &line.value {
        Value::Text(text) => push(&mut out, "value", text),
        Value::Objects(objects) => {
            for object in objects {
                let names = object.meaning.map(|meaning| (meaning.name, meaning.zh));
                let names = names.map_or(String::new(), |(en, zh)| format!("  {en} / {zh}"));
                push(&mut out, &object.tag.to_string(), &format!("{}{names}", object.value));
            }
        }
    }
    for (number, said) in (1..).zip(&line.parts) {
        let meaning = said.meaning.map_or(String::new(), |[en, zh]| format!(": {en} / {zh}"));
        let names = format!("{} / {}", said.part.name, said.part.zh);
        let name = format!("{}.{number}", line.field);
        push(&mut out, &name, &format!("{}  {names}{meaning}", said.value));
    }
    out
}
