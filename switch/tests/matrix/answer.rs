//! What every answer must carry, and what none may.

use domain::txn::{Flow, TxnKind};
use switch::message::matrix::{self, Transaction};
use switch::message::request;

use crate::bench::Heard;
use crate::line::Line;
use crate::play::World;

/// The only fields an answer may have. Tracks, PIN and what belongs to it are not among them.
const ALLOWED: [u8; 25] = [
    2, 3, 4, 11, 12, 13, 14, 15, 23, 25, 32, 37, 38, 39, 41, 42, 44, 48, 49, 54, 55, 60, 62, 63, 64,
];
/// What an answer repeats of the request, if it was there.
const REPEATED: [u8; 4] = [3, 11, 25, 49];

/// Returns what is wrong with an answer.
pub(crate) fn faults(world: &World, line: &Line<'_>, asked: &Heard, heard: &Heard) -> Vec<String> {
    let mut faults = Vec::new();
    if heard.frame.is_empty() {
        return faults;
    }
    if !asked.is_readable() {
        told(world, line, heard, &mut faults);
        return faults;
    }
    shape(line, asked, heard, &mut faults);
    let codes = asked.read(request::codes);
    let row = matrix::lookup(&codes).ok().map(|row| row.transaction);
    if let Some(Transaction::Card(kind)) = row {
        of_card(kind, asked, heard, &mut faults);
    }
    if row.is_none() && has(asked, 3) {
        faults.extend((!shows(heard)).then(|| "F63 shows nothing".to_owned()));
    }
    let is_of_card = matches!(row, Some(Transaction::Card(_) | Transaction::Reversal(_)));
    let is_done = matches!(heard.code().as_str(), "00" | "10");
    if is_of_card && is_done {
        let must = [15, 44, 64];
        faults.extend(must.iter().filter(|f| !has(heard, **f)).map(|f| format!("lacks F{f}")));
    }
    if !is_of_card && heard.is_signed() {
        faults.push("is signed".to_owned());
    }
    told(world, line, heard, &mut faults);
    faults
}

fn has(heard: &Heard, field: u8) -> bool {
    heard.read(|message| message.has(field))
}

/// Returns a field as scripts write it.
fn field(heard: &Heard, number: u8) -> Option<String> {
    match number {
        37..=39 | 41..=44 | 49 | 54 | 62 | 63 => heard.text(number).map(|t| t.replace(' ', "_")),
        _ => heard.digits(number),
    }
}

/// Rules that no transaction is free of.
fn shape(line: &Line<'_>, asked: &Heard, heard: &Heard, faults: &mut Vec<String>) {
    let (mti, answered) = (asked.mti(), heard.mti());
    let ten_more = format!("{}{}0", &mti[..2], mti[2..3].parse::<u8>().unwrap() + 1);
    if answered != ten_more {
        faults.push(format!("{mti} is answered {answered}"));
    }
    for number in REPEATED {
        if field(asked, number) != field(heard, number) {
            faults.push(format!("F{number} is not that of the request"));
        }
    }
    for number in [41, 42] {
        if asked.text(number) != heard.text(number) {
            faults.push(format!("F{number} is not that of the request"));
        }
    }
    if heard.code() != "10" && field(asked, 4) != field(heard, 4) {
        faults.push("F4 is not that of the request".to_owned());
    }
    for number in [12, 13, 32, 37] {
        if !has(heard, number) {
            faults.push(format!("lacks F{number}"));
        }
    }
    if has(heard, 39) == (answered == "0510" && line.code == "-") {
        faults.push("F39 is there, or is not, against the rule".to_owned());
    }
    let unknown = (1..=64).filter(|f| has(heard, *f) && !ALLOWED.contains(f));
    faults.extend(unknown.map(|f| format!("carries F{f}")));
    let (f60, told) = (asked.digits(60), heard.digits(60));
    let kind = |f60: &Option<String>| {
        f60.as_ref().map(|t| (t[..2].to_owned(), t.get(8..11).map(str::to_owned)))
    };
    if kind(&f60) != kind(&told) {
        faults.push("F60 is not that of the request".to_owned());
    }
    // All of the header but its sixth digit, which asks something of the terminal.
    let header = |frame: &[u8]| [&frame[5..7], &[frame[7] & 0xF0], &frame[8..11]].concat();
    if header(&asked.frame) != header(&heard.frame) {
        faults.push("the header is not that of the request".to_owned());
    }
}

/// True if a refusal has something for the display.
fn shows(heard: &Heard) -> bool {
    let remark = heard.text(63).unwrap_or_default();
    remark.len() == 23 && remark.starts_with("CUP") && !remark[3..].trim().is_empty()
}

/// Rules for the transactions of a card.
fn of_card(kind: TxnKind, asked: &Heard, heard: &Heard, faults: &mut Vec<String>) {
    let code = heard.code();
    let is_done = matches!(code.as_str(), "00" | "10");
    for number in [2, 14, 23] {
        if field(asked, number) != field(heard, number) {
            faults.push(format!("F{number} is not that of the request"));
        }
    }
    if has(heard, 38) && !is_done || is_done && !has(heard, 38) && kind.flow() != Flow::Nothing {
        faults.push("F38 is there, or is not, against the rule".to_owned());
    }
    let takes_part = asked.digits(60).is_some_and(|f60| f60.get(13..14) == Some("1"));
    let is_asked = kind.is_inquiry() || (takes_part && kind.flow() != Flow::Nothing);
    if has(heard, 54) != (is_done && is_asked) {
        faults.push("F54 is there, or is not, against the rule".to_owned());
    }
    let remark = heard.text(63).unwrap_or_default();
    let is_shown = match code.as_str() {
        "00" => remark == "CUP",
        "10" => remark.starts_with("CUPDUE"),
        "51" => remark.starts_with("CUPEL2"),
        _ => shows(heard),
    };
    faults.extend((!is_shown).then(|| format!("F63 is {remark:?}")));
}

/// What a line says of the answer.
fn told(world: &World, line: &Line<'_>, heard: &Heard, faults: &mut Vec<String>) {
    let mut digit = "0";
    for word in &line.expected {
        if let Some(number) = word.strip_prefix('+').and_then(|n| n.parse().ok()) {
            faults.extend((!has(heard, number)).then(|| format!("lacks F{number}")));
        } else if let Some(number) = word.strip_prefix('-').and_then(|n| n.parse().ok()) {
            faults.extend(has(heard, number).then(|| format!("carries F{number}")));
        } else if let Some((name, wanted)) = word.split_once('=') {
            let number = name.strip_prefix('f').and_then(|n| n.parse().ok());
            let Some(number) = number else {
                digit = if name == "digit" { wanted } else { digit };
                continue;
            };
            let wanted = match wanted.strip_prefix('@') {
                Some(of) => field(world.answer_to(line, of), number),
                None => Some(wanted.to_owned()),
            };
            let is = field(heard, number);
            faults.extend((is != wanted).then(|| format!("{name} is {is:?}, not {wanted:?}")));
        }
    }
    let is = heard.frame[7] & 0x0F;
    faults.extend((is.to_string() != digit).then(|| format!("the header asks for {is}")));
}
