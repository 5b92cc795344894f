//! `posp decode`: what the bytes of a message say.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use codec::capture::{self, Capture, Framing};
use codec::describe::{Disclosure, Line, Value as Content, describe, table};
use codec::{Dialect, printable};
use serde_json::{Map, Value, json};

use crate::output::print;

/// What a script gets if the input is wrong, as for wrong arguments.
const BAD_INPUT: u8 = 2;

/// Prints what a message says, field by field.
///
/// Length, TPDU and header may be there or not, each is found by itself. Card numbers are masked,
/// and tracks, PIN blocks, keys and message codes are not shown, unless --reveal asks for them.
#[derive(clap::Args, Debug)]
pub(crate) struct Decode {
    /// `auto` tries every built-in dialect; otherwise its name, or a TOML file.
    #[arg(long, default_value = "auto")]
    dialect: String,
    /// Print JSON, from which `posp encode` makes the same bytes if it is revealed.
    #[arg(long)]
    json: bool,
    /// Show everything, card data too.
    #[arg(long)]
    reveal: bool,
    /// The bytes in hexadecimal, spaces and line breaks as you like; - reads standard input.
    #[arg(required = true)]
    hex: Vec<String>,
}

impl Decode {
    /// Prints the message. If there is none, one line on standard error says where it breaks off.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        conclude(self.text())
    }

    fn text(&self) -> anyhow::Result<String> {
        let bytes = capture::bytes(&input(&self.hex.join(" "))?)?;
        let dialects = match self.dialect.as_str() {
            "auto" => Dialect::builtin_names().filter_map(Dialect::builtin).collect(),
            name => vec![dialect(name)?],
        };
        let capture = capture::read(&bytes, &dialects)?;
        let disclosure = if self.reveal { Disclosure::Full } else { Disclosure::Masked };
        let lines = describe(&capture.message, disclosure)?;
        if self.json {
            return Ok(serde_json::to_string_pretty(&as_json(&capture, &lines))? + "\n");
        }
        Ok(table(&capture, &lines))
    }
}

/// Prints what a command has made of its input, or the one line that says why it could not.
///
/// # Errors
/// Output that cannot be written.
pub(crate) fn conclude(text: anyhow::Result<String>) -> anyhow::Result<ExitCode> {
    match text {
        Ok(text) => {
            print(text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let words = format!("{error:#}");
            let line: Vec<&str> = words.split_whitespace().collect();
            writeln!(io::stderr().lock(), "{}", line.join(" "))?;
            Ok(ExitCode::from(BAD_INPUT))
        }
    }
}

/// What stands at `place`: standard input for `-`, otherwise the place itself.
fn input(place: &str) -> anyhow::Result<String> {
    if place != "-" {
        return Ok(place.to_owned());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("standard input")?;
    Ok(text)
}

/// The dialect of a name, or of a TOML file. A file's dialect stays until the process ends.
///
/// # Errors
/// No such dialect, or a file that is none.
pub(crate) fn dialect(name: &str) -> anyhow::Result<&'static Dialect> {
    if let Some(dialect) = Dialect::builtin(name) {
        return Ok(dialect);
    }
    if !name.ends_with(".toml") {
        let known: Vec<&str> = Dialect::builtin_names().collect();
        bail!("dialect {name}: not one of {}, nor a .toml file", known.join(", "));
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("dialect {name}"))?;
    let dialect =
        Dialect::from_toml(&text, &|_| None).with_context(|| format!("dialect {name}"))?;
    Ok(Box::leak(Box::new(dialect)))
}

/// The message as `posp encode` reads it.
fn as_json(capture: &Capture<'_>, lines: &[Line<'_>]) -> Value {
    let Framing { length, tpdu, line, header } = capture.framing;
    let mut framing = Map::new();
    framing.insert("length".to_owned(), json!(length));
    framing.insert("tpdu".to_owned(), json!(tpdu.map(|tpdu| printable::hex(&tpdu.0))));
    if let Some(line) = line {
        framing.insert("line".to_owned(), json!(printable::hex(line)));
    }
    framing.insert("header".to_owned(), json!(header.map(|header| printable::hex(&header.0))));
    let mut document = Map::new();
    document.insert("dialect".to_owned(), json!(capture.message.dialect().name()));
    document.insert("framing".to_owned(), Value::Object(framing));
    document.insert("mti".to_owned(), json!(capture.message.mti().as_str()));
    let fields = lines.iter().map(|line| (line.field.to_string(), content(&line.value)));
    document.insert("fields".to_owned(), Value::Object(fields.collect()));
    let filler = |line: &Line<'_>| Some((line.field.to_string(), json!(line.filler?)));
    let pads: Map<String, Value> = lines.iter().filter_map(filler).collect();
    if !pads.is_empty() {
        document.insert("pads".to_owned(), Value::Object(pads));
    }
    Value::Object(document)
}

fn content(value: &Content) -> Value {
    match value {
        Content::Text(text) => json!(text),
        Content::Objects(objects) => {
            objects.iter().map(|object| (object.tag.to_string(), json!(object.value))).collect()
        }
    }
}
