//! `posp decode` and `posp encode` as a person or a script sees them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "in a test a panic is a failure"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// Runs posp with `input` on its standard input.
fn posp(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posp"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", str::from_utf8(&output.stderr).unwrap());
    str::from_utf8(&output.stdout).unwrap()
}

/// The one line on standard error of a command that refused its input.
fn refusal(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let line = str::from_utf8(&output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end()
}

fn decode(hex: &str) -> Value {
    serde_json::from_str(out(&posp(&["decode", "--json", "--reveal", hex], ""))).unwrap()
}

/// Title, bytes in hexadecimal, and the lines that say what is in them, of every known message.
fn messages() -> Vec<(String, String, Vec<String>)> {
    let files = [
        include_str!("../../codec/tests/vectors/unionpay-pos.txt"),
        include_str!("../../codec/tests/vectors/iso87-ascii.txt"),
    ];
    let blocks = files.into_iter().flat_map(|file| file.split("\n= ").skip(1));
    let read = |block: &str| {
        let mut lines = block.trim_end().lines();
        let title = lines.next().unwrap().to_owned();
        let rest: Vec<&str> = lines.skip(1).collect();
        let (bytes, fields) =
            rest.split_at(rest.iter().position(|line| line.starts_with("mti ")).unwrap());
        (title, bytes.concat(), fields.iter().map(|line| (*line).to_owned()).collect())
    };
    blocks.map(read).collect()
}

#[test]
fn every_message_is_decoded_and_encoded_to_the_same_bytes() {
    let messages = messages();
    assert!(messages.len() > 60);
    for (title, hex, fields) in messages {
        let json = out(&posp(&["decode", "--json", "--reveal", &hex], "")).to_owned();
        let document: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["mti"], fields[0].strip_prefix("mti ").unwrap(), "{title}");
        let numbers = document["fields"].as_object().unwrap().keys();
        let known = fields[1..].iter().map(|line| line.split_once(' ').unwrap().0);
        assert!(numbers.eq(known), "{title}");
        for line in &fields[1..] {
            let (number, value) = line.split_once(' ').unwrap();
            if let Some(text) = document["fields"][number].as_str() {
                let value = value.trim_matches('"');
                assert!(text == value || text.contains("\\x"), "{title}: {line} {text}");
            }
        }
        assert_eq!(out(&posp(&["encode", "-"], &json)).trim_end(), hex, "{title}");
    }
}

#[test]
fn a_message_is_json_for_a_script() {
    let (_, hex, _) = messages().swap_remove(0);
    let spaced = format!("{}\n {}\t{}\n", &hex[..7], &hex[7..50].to_lowercase(), &hex[50..]);
    let expected = json!({
        "dialect": "unionpay-pos",
        "framing": { "length": true, "tpdu": "6005010000", "header": "613100311108" },
        "mti": "0800",
        "fields": {
            "11": "000001",
            "41": "99999906",
            "42": "001430170119999",
            "60": "00000000003",
            "62": "53657175656E6365204E6F3132333036303939393939393036",
            "63": "001",
        },
    });
    assert_eq!(decode(&spaced), expected);
    let piped = posp(&["decode", "--json", "--reveal", "-"], &spaced);
    assert_eq!(serde_json::from_str::<Value>(out(&piped)).unwrap(), expected);
    let bare = decode(&hex[26..]);
    assert_eq!(bare["framing"], json!({ "length": false, "tpdu": null, "header": null }));
    assert_eq!(bare["fields"], expected["fields"]);
}

/// A message with one of everything that is written in more than one way.
fn odd_message(chip: &str) -> String {
    let chip_length = format!("{:04}", chip.len() / 2);
    format!(
        "0200 4000060020000206 196212142000000000012F 021F F001 246212142000000000012D2512 \
         {chip_length}{chip} 000401FF0A41 00062A5C41B5EA20"
    )
}

#[test]
fn whatever_is_unusual_about_bytes_survives() {
    for chip in ["9F3602001A9A03161122", "9A8103161122", "9A031611229A03161122", "", "009A03161122"]
    {
        let hex: String = odd_message(chip).split_whitespace().collect();
        let document = decode(&hex);
        assert_eq!(document["pads"], json!({ "2": "F", "22": "F", "23": "F" }));
        assert_eq!(document["fields"]["63"], "\\x2A\\\\A\\xB5\\xEA ");
        assert_eq!(document["fields"]["55"].is_object(), chip.starts_with("9F") || chip.is_empty());
        let again = posp(&["encode", "-"], &document.to_string());
        assert_eq!(out(&again).trim_end(), hex, "{chip}");
    }
}

#[test]
fn card_data_is_shown_only_when_it_is_asked_for() {
    let known = messages();
    let (_, hex, _) = known
        .iter()
        .find(|(title, ..)| title.starts_with("golden: sale request of a chip"))
        .unwrap();
    let pan = "6212142000000000012";
    let masked = posp(&["decode", "--json", hex], "");
    let document: Value = serde_json::from_str(out(&masked)).unwrap();
    assert_eq!(document["fields"]["35"].as_str().unwrap().trim_matches('*'), "");
    assert_eq!(document["fields"]["52"], "****************");
    assert_eq!(document["fields"]["4"], "000000010000");
    assert!(!out(&masked).contains(pan));
    let table = posp(&["decode", hex], "");
    assert!(!out(&table).contains(pan));
    assert!(out(&table).contains("PIN block / 个人标识码数据"));
    assert!(out(&table).contains("0510"));
    assert!(out(&table).contains("05  Card read by / 卡号输入方式: chip, contact / 接触式 IC 卡"));
    assert!(out(&posp(&["decode", "--reveal", hex], "")).contains(pan));
    assert_eq!(
        refusal(&posp(&["encode", "-"], out(&masked))),
        "field 2: is masked; decode with --reveal"
    );
}

#[test]
fn bad_bytes_are_refused_with_their_place() {
    let known = messages();
    let (_, hex, _) = known
        .iter()
        .find(|(title, ..)| title.starts_with("golden: sale response, approved"))
        .unwrap();
    let refuse = |hex: &str| refusal(&posp(&["decode", hex], "")).to_owned();
    assert_eq!(refuse("0200 40X0"), "character 8: 'X' is not a hexadecimal digit");
    assert_eq!(refuse("0200 4 0 0"), "character 10: the last byte has one digit only");
    assert_eq!(refuse(" "), "message type at byte 0: needs 2 bytes, 0 left");
    assert_eq!(refuse(&hex[..hex.len() - 2]), "field 64 at byte 150: needs 8 bytes, 7 left");
    assert_eq!(
        refuse(&hex.replacen("1962121", "1A62121", 1)),
        "field 2 at byte 10: length byte 0x1A is not decimal"
    );
    assert_eq!(
        refuse(&hex.replacen("9F3602", "9F3680", 1)),
        "field 55 at byte 119: indefinite length is not allowed"
    );
    assert_eq!(refuse("474554202F"), "these bytes are an HTTP request, not a frame");
    assert_eq!(
        refusal(&posp(&["decode", "--dialect", "iso93", "00"], "")),
        "dialect iso93: not one of unionpay-pos, iso87-bcd, iso87-ascii, nor a .toml file"
    );
}

#[test]
fn bad_json_is_refused_with_its_place() {
    let refuse = |text: &str| refusal(&posp(&["encode", "-"], text)).to_owned();
    let with = |fields: Value| {
        refuse(&json!({ "dialect": "unionpay-pos", "mti": "0200", "fields": fields }).to_string())
    };
    assert_eq!(refuse("{"), "JSON: EOF while parsing an object at line 1 column 1");
    assert_eq!(refuse("[]"), "JSON: not an object");
    assert_eq!(refuse("{}"), "dialect: is missing");
    assert_eq!(refuse(r#"{"dialect":"unionpay-pos"}"#), "mti: is missing");
    assert_eq!(refuse(r#"{"dialect":"unionpay-pos","mti":"020"}"#), "mti: not four digits");
    assert_eq!(refuse(r#"{"colour":1}"#), "JSON: unknown key colour");
    assert_eq!(with(json!({ "5": "1" })), "field 5: is not one of unionpay-pos");
    assert_eq!(with(json!({ "x": "1" })), "field x: not a number");
    assert_eq!(with(json!({ "3": 0 })), "field 3: not a text");
    assert_eq!(with(json!({ "3": "00000A" })), "field 3: not a digit at position 5");
    assert_eq!(with(json!({ "3": "00000" })), "field 3: length 5 is less than 6");
    assert_eq!(
        with(json!({ "63": "a\nb" })),
        "field 63: not printable, with \\xNN for other bytes"
    );
    assert_eq!(with(json!({ "55": { "9F": "00" } })), "field 55: 9F is not a tag");
    assert_eq!(
        with(json!({ "55": { "9F36": "**" } })),
        "field 55: tag 9F36: is masked; decode with --reveal"
    );
    let pads = json!({ "dialect": "unionpay-pos", "mti": "0200", "fields": { "3": "000000" }, "pads": { "3": "F" } });
    assert_eq!(refuse(&pads.to_string()), "field 3: filler 0xF cannot stand here");
}

#[test]
fn a_dialect_may_come_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.toml");
    std::fs::write(
        &file,
        "name = \"mine\"\ntitle = \"Mine\"\nextends = \"unionpay-pos\"\n[fields]\n\
         40 = { name = \"Code\", zh = \"码\", content = \"n\", length = 4 }\n",
    )
    .unwrap();
    let hex = "020000000000010000001234";
    let name = file.to_str().unwrap();
    assert_eq!(
        refusal(&posp(&["decode", hex], "")),
        "field 40 at byte 10: is not a field of this dialect"
    );
    let json = posp(&["decode", "--json", "--dialect", name, hex], "");
    let document: Value = serde_json::from_str(out(&json)).unwrap();
    assert_eq!(document["fields"], json!({ "40": "1234" }));
    let again = posp(&["encode", "--dialect", name, "-"], out(&json));
    assert_eq!(out(&again).trim_end(), hex);
}
