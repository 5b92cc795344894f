//! A dialect that cannot be is refused, with the reason.

use codec::field::{Content, Encoding, Justify, Prefix, Sensitivity};
use codec::{Dialect, Message, MessageBuilder};

const HEAD: &str = r#"
name = "mine"
title = "Mine"
mti = "bcd"
digits = "bcd"
prefix = "bcd"
"#;

fn read(text: &str) -> Result<Dialect, String> {
    Dialect::from_toml(text, &|_| None).map_err(|error| error.to_string())
}

#[test]
fn the_built_in_ones_are_read_and_named() {
    for name in Dialect::builtin_names() {
        let dialect = Dialect::builtin(name).unwrap();
        assert_eq!(dialect.name(), name);
        assert!(dialect.fields().all(|field| dialect.label(field).is_some()));
    }
    assert!(Dialect::builtin("iso93").is_none());
    assert!(Dialect::builtin_text("iso93").is_none());
}

/// The whole table of what terminals speak, so that nothing changes in it unseen.
#[test]
fn the_fields_of_a_unionpay_terminal() {
    let dialect = Dialect::unionpay_pos();
    let mut table = String::new();
    for field in dialect.fields() {
        let format = dialect.format(field).unwrap();
        let letters = match format.prefix {
            Prefix::None => "",
            Prefix::Bcd2 => "LL",
            Prefix::Bcd3 => "LLL",
            Prefix::Ascii2 | Prefix::Ascii3 => "characters",
        };
        let content = match format.content {
            Content::Digits => "n",
            Content::Track => "z",
            Content::Text => "t",
            Content::Binary => "b",
            Content::Tlv => "tlv",
        };
        let left = format.justify == Justify::Left && format.is_fixed() && format.max % 2 == 1;
        let show = match dialect.label(field).unwrap().show {
            Sensitivity::Clear => "",
            Sensitivity::MaskPan => " masked",
            Sensitivity::Hide => " hidden",
        };
        let left = if left { " left" } else { "" };
        table += &format!("{field} {letters}{content}{}{left}{show}; ", format.max);
        assert_eq!(format.encoding, Encoding::Bcd);
    }
    assert_eq!(
        table.trim_end(),
        "2 LLn19 masked; 3 n6; 4 n12; 11 n6; 12 n6; 13 n4; 14 n4 hidden; 15 n4; 22 n3 left; 23 n3; \
         25 n2; 26 n2; 32 LLn11; 35 LLz37 hidden; 36 LLLz104 hidden; 37 t12; 38 t6; 39 t2; 41 t8; \
         42 t15; 43 t40; 44 LLt25; 46 LLLt512 hidden; 48 LLLn322; 49 t3; 52 b8 hidden; 53 n16; 54 LLLt20; \
         55 LLLtlv255; 56 LLLb512 hidden; 57 LLLb512 hidden; 58 LLLb512 hidden; 59 LLLt600 hidden; \
         60 LLLn17; 61 LLLn29; 62 LLLb512 hidden; 63 LLLt163; 64 b8 hidden;"
    );
}

#[test]
fn a_dialect_states_what_differs_from_another() {
    let mine = read(
        r#"
        name = "mine"
        title = "Mine"
        extends = "unionpay-pos"
        [fields]
        62 = { max = 600 }
        63 = { length = 3 }
        70 = { name = "Code", zh = "码", content = "n", encoding = "ascii", length = "LL", max = 5, prefix = "ascii" }
        "#,
    )
    .unwrap();
    let parent = Dialect::unionpay_pos();
    assert_eq!(mine.format(62).unwrap().max, 600);
    assert_eq!(mine.label(62), parent.label(62));
    assert_eq!(mine.format(63).unwrap().prefix, Prefix::None);
    assert_eq!(mine.format(22), parent.format(22));
    assert_eq!(mine.explanation(60, 11), parent.explanation(60, 11));
    assert_eq!(mine.track_cipher(), parent.track_cipher());

    let mut buffer = Vec::new();
    let mut builder = MessageBuilder::start(&mine, &mut buffer, b"0800").unwrap();
    builder.text(63, b"01").unwrap().digits(70, b"00301").unwrap();
    builder.finish().unwrap();
    assert_eq!(
        codec::printable::hex(&buffer),
        "0800800000000000000204000000000000003031203035303033303\
         1"
    );
    let message = Message::parse(&mine, &buffer).unwrap();
    assert_eq!(message.number(70), Some(301));
}

#[test]
fn only_listed_fields_are_inherited_on_demand() {
    let mine = read(
        r#"
        name = "mine"
        title = "Mine"
        extends = "unionpay-pos"
        inherit = "listed"
        [fields]
        3 = {}
        53 = {}
        60 = { max = 11 }
        "#,
    )
    .unwrap();
    assert_eq!(mine.fields().collect::<Vec<u8>>(), [3, 53, 60]);
    assert_eq!(mine.format(3), Dialect::unionpay_pos().format(3));
    assert!(mine.explanation(3, 6).is_some());
    assert!(mine.explanation(22, 3).is_none());
}

#[test]
fn a_dialect_extends_through_the_resolver() {
    let parent =
        format!("{HEAD}[fields]\n3 = {{ name = \"a\", zh = \"b\", content = \"n\", length = 6 }}");
    let child = "name = \"child\"\ntitle = \"Child\"\nextends = \"mine\"";
    let find = |name: &str| (name == "mine").then(|| parent.clone());
    let dialect = Dialect::from_toml(child, &find).unwrap();
    assert_eq!((dialect.name(), dialect.title()), ("child", "Child"));
    assert_eq!(dialect.fields().collect::<Vec<u8>>(), [3]);
    assert_eq!(read(child).unwrap_err(), "extends mine, which is not known");
    let circle = |_: &str| Some(child.to_owned());
    assert_eq!(
        Dialect::from_toml(child, &circle).unwrap_err().to_string(),
        "extends mine through more than 8 generations"
    );
}

/// Each line: one field, and why it cannot be.
#[test]
fn impossible_fields() {
    let table = r#"
        0 = {} -> field 0: is not a number from 2 to 128
        1 = {} -> field 1: is not a number from 2 to 128
        129 = {} -> field 129: is not a number from 2 to 128
        x = {} -> field x: is not a number from 2 to 128
        3 = { zh = "b", content = "n", length = 6 } -> field 3: has no name
        3 = { name = "a", content = "n", length = 6 } -> field 3: has no zh, its name in Chinese
        3 = { name = "a", zh = "b", length = 6 } -> field 3: has no content
        3 = { name = "a", zh = "b", content = "n" } -> field 3: has no length
        3 = { name = "a", zh = "b", content = "n", length = "LL" } -> field 3: has no max
        3 = { name = "a", zh = "b", content = "n", length = 0 } -> field 3: has room for nothing
        3 = { name = "a", zh = "b", content = "n", length = "LL", max = 0 } -> field 3: has room for nothing
        3 = { name = "a", zh = "b", content = "n", length = 1000 } -> field 3: is longer than its length can say
        3 = { name = "a", zh = "b", content = "n", length = "LL", max = 100 } -> field 3: is longer than its length can say
        3 = { name = "a", zh = "b", content = "n", length = "LLL", max = 1000 } -> field 3: is longer than its length can say
        3 = { name = "a", zh = "b", content = "n", length = 6, max = 6 } -> field 3: max and prefix are for length LL and LLL
        3 = { name = "a", zh = "b", content = "n", length = 6, prefix = "bcd" } -> field 3: max and prefix are for length LL and LLL
        3 = { name = "a", zh = "b", content = "an", encoding = "bcd", length = 6 } -> field 3: encoding is for content n and z
        3 = { name = "a", zh = "b", content = "b", justify = "left", length = 6 } -> field 3: justify is for content n and z
        3 = { name = "a", zh = "b", content = "b", length = 6, show = "mask_pan" } -> field 3: show = "mask_pan" is for content n
    "#;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (field, expected) = line.split_once(" -> ").unwrap();
        assert_eq!(read(&format!("{HEAD}[fields]\n{field}")).unwrap_err(), expected, "{field}");
    }
}

#[test]
fn impossible_files() {
    let field = "[fields]\n3 = { name = \"a\", zh = \"b\", content = \"n\", length = 6 }\n";
    let table = [
        (
            "name = \"mine\"\ntitle = \"m\"\ndigits = \"bcd\"\nprefix = \"bcd\"".to_owned(),
            "mti is missing",
        ),
        (
            "name = \"mine\"\ntitle = \"m\"\nmti = \"bcd\"\nprefix = \"bcd\"".to_owned(),
            "digits is missing",
        ),
        (format!("{HEAD}[[explain]]\nfield = 3\nparts = []"), "field 3: is explained by no parts"),
        (
            format!("{HEAD}[[explain]]\nfield = 3\nparts = [{{ name = \"a\", zh = \"b\" }}]"),
            "field 3: is explained, but unknown",
        ),
        (
            format!(
                "{HEAD}{field}[[explain]]\nfield = 3\nparts = [{{ name = \"a\", zh = \"b\", length = 2, values = {{ 1 = [\"c\", \"d\"] }} }}]"
            ),
            "field 3: a part's value does not have the part's length",
        ),
        (
            format!(
                "{HEAD}{field}[[explain]]\nfield = 3\nparts = [{{ name = \"a\", zh = \"b\", values = {{ 1 = [\"c\", \"d\"] }} }}]"
            ),
            "field 3: a part with values has no length",
        ),
        (
            format!("{HEAD}track_cipher = {{ field = 3, digit = 7, value = 1 }}\n{field}"),
            "field 3: has no such digit, which track_cipher names",
        ),
        (
            format!("{HEAD}track_cipher = {{ field = 3, digit = 0, value = 1 }}\n{field}"),
            "field 3: has no such digit, which track_cipher names",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(&text).unwrap_err(), expected);
    }
}

#[test]
fn unknown_keys_and_values_are_pointed_at() {
    for (text, word) in [
        (format!("{HEAD}colour = 1"), "unknown field `colour`"),
        (format!("{HEAD}[fields]\n3 = {{ len = 1 }}"), "unknown field `len`"),
        (format!("{HEAD}[fields]\n3 = {{ content = \"q\" }}"), "unknown variant `q`"),
        (format!("{HEAD}[fields]\n3 = {{ length = \"L\" }}"), "a number of digits or bytes"),
        (format!("{HEAD}[fields]\n3 = {{ hide_if = {{ colour = 1 }} }}"), "unknown field `colour`"),
        (format!("{HEAD}[fields]\n3 = {{ encoding = \"ebcdic\" }}"), "unknown variant `ebcdic`"),
        ("name =".to_owned(), "line 1"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}
