//! Reads the message files of `tests/vectors`.

use codec::{Dialect, Envelope, Limits, cut};

/// One message of a vector file.
pub(crate) struct Vector {
    pub(crate) title: String,
    /// All bytes, with whatever stands before the message.
    pub(crate) bytes: Vec<u8>,
    /// Where the message begins in `bytes`.
    pub(crate) at: usize,
    pub(crate) mti: String,
    /// Number and content of each field, as the file writes it.
    pub(crate) fields: Vec<(u8, String)>,
    pub(crate) dialect: &'static Dialect,
}

impl Vector {
    /// The message, from its type on.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

/// All messages of both files.
pub(crate) fn all() -> Vec<Vector> {
    let mut all = read(Dialect::unionpay_pos(), include_str!("../vectors/unionpay-pos.txt"));
    all.extend(read(
        Dialect::builtin("iso87-ascii").unwrap(),
        include_str!("../vectors/iso87-ascii.txt"),
    ));
    all
}

/// The one whose title begins so.
pub(crate) fn titled(title: &str) -> Vector {
    all().into_iter().find(|vector| vector.title.starts_with(title)).unwrap()
}

fn read(dialect: &'static Dialect, text: &str) -> Vec<Vector> {
    let blocks = text.split("\n= ").skip(1);
    blocks.map(|block| read_one(dialect, block)).collect()
}

fn read_one(dialect: &'static Dialect, block: &str) -> Vector {
    let mut lines = block.trim_end().lines();
    let title = lines.next().unwrap().to_owned();
    let form = lines.next().unwrap();
    let mut hex = String::new();
    let mti = loop {
        match lines.next().unwrap() {
            line if line.starts_with("mti ") => break line[4..].to_owned(),
            line => hex.push_str(line),
        }
    };
    let bytes = bytes(&hex);
    let at = match form {
        "frame" => {
            let cut = cut(&bytes, &Limits::default()).unwrap().unwrap();
            assert_eq!(cut.consumed, bytes.len(), "{title}");
            bytes.len() - Envelope::parse(cut.frame).unwrap().body.len()
        }
        "tpdu" => bytes.len() - Envelope::parse(&bytes).unwrap().body.len(),
        "header" => 6,
        "body" => 0,
        other => panic!("{other} is no form"),
    };
    let fields = lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(field, value)| (field.parse().unwrap(), value.to_owned()))
        .collect();
    Vector { title, bytes, at, mti, fields, dialect }
}

/// Bytes from hexadecimal.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "{hex}");
    let text = |pair: &[u8]| String::from_utf8(pair.to_vec()).unwrap();
    digits.chunks(2).map(|pair| u8::from_str_radix(&text(pair), 16).unwrap()).collect()
}
