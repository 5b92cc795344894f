//! `posp encode`: the bytes of a message, from what they say.

use std::io::{self, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use codec::field::{Content, Format};
use codec::tlv::{self, Tag};
use codec::{Dialect, MessageBuilder, printable};
use serde_json::{Map, Value};

use crate::decode::{conclude, dialect};

/// What every error about something that `posp decode` has masked says.
const MASKED: &str = "is masked; decode with --reveal";

/// Prints a message in hexadecimal, made from the JSON that `posp decode --json --reveal` prints.
#[derive(clap::Args, Debug)]
pub(crate) struct Encode {
    /// A built-in dialect or a TOML file, instead of the one that the JSON names.
    #[arg(long)]
    dialect: Option<String>,
    /// The JSON; - reads standard input.
    file: String,
}

impl Encode {
    /// Prints the bytes. If they cannot be made, one line on standard error says why.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        conclude(self.text())
    }

    fn text(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        if self.file == "-" {
            io::stdin().read_to_string(&mut text).context("standard input")?;
        } else {
            text = std::fs::read_to_string(&self.file).with_context(|| self.file.clone())?;
        }
        let document = serde_json::from_str(&text).context("JSON")?;
        let document = Object::new("JSON", &document)?;
        document.only(&["dialect", "framing", "mti", "fields", "pads"])?;
        let name = match &self.dialect {
            Some(name) => name,
            None => document.text("dialect")?.context("dialect: is missing")?,
        };
        Ok(printable::hex(&frame(dialect(name)?, &document)?) + "\n")
    }
}

/// A JSON object, and where it stands in the document.
struct Object<'j> {
    place: &'static str,
    map: &'j Map<String, Value>,
}

impl<'j> Object<'j> {
    fn new(place: &'static str, value: &'j Value) -> anyhow::Result<Self> {
        Ok(Self {
            place,
            map: value.as_object().with_context(|| format!("{place}: not an object"))?,
        })
    }

    /// Refuses keys that mean nothing here.
    fn only(&self, keys: &[&str]) -> anyhow::Result<()> {
        match self.map.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => bail!("{}: unknown key {key}", self.place),
        }
    }

    /// The object of a key; null is as good as nothing.
    fn object(&self, key: &'static str) -> anyhow::Result<Option<Object<'j>>> {
        self.map.get(key).filter(|value| !value.is_null()).map(|v| Object::new(key, v)).transpose()
    }

    /// The text of a key; null is as good as nothing.
    fn text(&self, key: &str) -> anyhow::Result<Option<&'j String>> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => bail!("{key}: not a text"),
        }
    }

    /// The bytes of a key that holds so many, in hexadecimal.
    fn bytes(&self, key: &str, count: usize) -> anyhow::Result<Vec<u8>> {
        let Some(text) = self.text(key)? else { return Ok(Vec::new()) };
        let bytes = const_hex::decode(text).with_context(|| key.to_owned())?;
        if bytes.len() != count {
            bail!("{key}: has {} bytes, not {count}", bytes.len());
        }
        Ok(bytes)
    }
}

/// Everything: what stands before the message, and the message.
fn frame(dialect: &Dialect, document: &Object<'_>) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut has_length = false;
    if let Some(framing) = document.object("framing")? {
        framing.only(&["length", "tpdu", "line", "header"])?;
        has_length = match framing.map.get("length") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(length)) => *length,
            Some(_) => bail!("length: neither true nor false"),
        };
        out.extend(framing.bytes("tpdu", codec::framing::TPDU_BYTES)?);
        out.extend(framing.bytes("line", codec::framing::LINE_BYTES)?);
        out.extend(framing.bytes("header", codec::framing::HEADER_BYTES)?);
    }
    message(dialect, document, &mut out)?;
    if has_length {
        let length = u16::try_from(out.len()).context("longer than a length can say")?;
        out.splice(..0, length.to_be_bytes());
    }
    Ok(out)
}

fn message(dialect: &Dialect, document: &Object<'_>, out: &mut Vec<u8>) -> anyhow::Result<()> {
    let mti = document.text("mti")?.context("mti: is missing")?;
    let mti = mti.as_bytes().try_into().ok().context("mti: not four digits")?;
    let fields = document.object("fields")?.context("fields: are missing")?;
    let pads = document.object("pads")?;
    let mut numbered = Vec::new();
    for (key, value) in fields.map {
        let number: u8 = key.parse().ok().with_context(|| format!("field {key}: not a number"))?;
        numbered.push((number, value));
    }
    numbered.sort_by_key(|(number, _)| *number);
    for key in pads.iter().flat_map(|pads| pads.map.keys()) {
        if !fields.map.contains_key(key) {
            bail!("pads: there is no field {key}");
        }
    }
    let mut builder = MessageBuilder::start(dialect, out, mti)?;
    for (number, value) in numbered {
        let pad = pads.as_ref().map(|pads| pads.text(&number.to_string())).transpose()?.flatten();
        let format = dialect.format(number);
        let format =
            format.with_context(|| format!("field {number}: is not one of {}", dialect.name()))?;
        field(&mut builder, number, format, value, pad)?;
    }
    builder.finish()?;
    Ok(())
}

fn field(
    builder: &mut MessageBuilder<'_>,
    number: u8,
    format: &Format,
    value: &Value,
    pad: Option<&String>,
) -> anyhow::Result<()> {
    let place = || format!("field {number}");
    if pad.is_some() && !format.is_packed() {
        bail!("field {number}: has no pad");
    }
    let text = match value {
        Value::String(text) if text.contains('*') => bail!("field {number}: {MASKED}"),
        Value::String(text) => text,
        Value::Object(objects) if format.content == Content::Tlv => {
            let content = chip_data(objects).with_context(place)?;
            builder.binary(number, &content)?;
            return Ok(());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            bail!("field {number}: not a text")
        }
    };
    match format.content {
        Content::Digits | Content::Track => {
            let digit =
                |text: &String| u8::from_str_radix(text, 16).ok().filter(|_| text.len() == 1);
            let filler = pad.map(|pad| digit(pad).context("its pad is not one hexadecimal digit"));
            let filler = filler.transpose().with_context(place)?.unwrap_or(0);
            builder.digits_filled(number, text.as_bytes(), filler)?;
        }
        Content::Text => {
            let bytes = printable::parse(text);
            builder.text(
                number,
                &bytes.with_context(|| {
                    format!("field {number}: not printable, with \\xNN for other bytes")
                })?,
            )?;
        }
        Content::Binary | Content::Tlv => {
            builder.binary(number, &const_hex::decode(text).with_context(place)?)?;
        }
    }
    Ok(())
}

/// The bytes of BER-TLV objects, in their order.
fn chip_data(objects: &Map<String, Value>) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    for (tag, value) in objects {
        let place = || format!("tag {tag}");
        let known = Tag::from_hex(tag).with_context(|| format!("{tag} is not a tag"))?;
        let text = value.as_str().with_context(|| format!("tag {tag}: not a text"))?;
        if text.contains('*') {
            bail!("tag {tag}: {MASKED}");
        }
        let value = const_hex::decode(text).with_context(place)?;
        tlv::write(&mut content, known, &value).with_context(place)?;
    }
    Ok(content)
}
