//! Bytes as printable text and back, without loss.

use std::fmt::Write;

/// Writes printable ASCII as it is, a backslash as `\\` and any other byte as `\x` and two digits.
/// The asterisk counts as another byte: it stands for what is not shown.
#[must_use]
pub fn print(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b')' | b'+'..=b'~' => text.push(char::from(*byte)),
            _ => push_hex(&mut text, "\\x", *byte),
        }
    }
    text
}

/// Reads what [`print()`] writes; `None` if it is something else.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', b'x', high, low, rest @ ..] => {
                let digit = |character: u8| char::from(character).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
                rest
            }
            [byte @ (b' '..=b')' | b'+'..=b'[' | b']'..=b'~'), rest @ ..] => {
                bytes.push(*byte);
                rest
            }
            _ => return None,
        }
    }
}

/// Writes bytes in upper-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        push_hex(&mut text, "", *byte);
    }
    text
}

fn push_hex(text: &mut String, before: &str, byte: u8) {
    write!(text, "{before}{byte:02X}").expect("a string takes whatever is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(parse(&print(&all)), Some(all));
        assert_eq!(print(b"01 *\\\x1B\xB0"), "01 \\x2A\\\\\\x1B\\xB0");
        assert_eq!(hex(b"\x00\x9F\xAB"), "009FAB");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["\\", "\\x", "\\x1", "\\xG0", "\\n", "\u{1}", "店", "*"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
