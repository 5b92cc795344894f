//! Markup under construction: what is opened is closed, and what is said is escaped.

use std::fmt::{self, Display, Write};

/// The attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// HTML that is well-formed XML too, but for the line above it.
pub(super) struct Markup(String);

impl Markup {
    /// A page without an element yet.
    pub(super) fn page() -> Self {
        Self(String::from("<!DOCTYPE html>\n"))
    }

    /// The finished text.
    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// An element, with what `inner` puts into it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inner: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        self.0.push('>');
        inner(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        if is_block(tag) {
            self.0.push('\n');
        }
    }

    /// An element that holds text and nothing else.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |leaf| leaf.text(text));
    }

    /// An element that holds nothing.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.open(tag, attributes);
        self.0.push_str("/>");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        for character in text.chars() {
            escape(&mut self.0, character);
        }
    }

    /// The sheet of styles, which is the program's own and stands as it is.
    pub(super) fn style(&mut self, sheet: &'static str) {
        self.0.push_str("<style>\n");
        self.0.push_str(sheet);
        self.0.push_str("</style>\n");
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            write!(Escaped(&mut self.0), "{value}").expect("a string takes any text");
            self.0.push('"');
        }
    }
}

/// Escapes what is written through it.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            escape(self.0, character);
        }
        Ok(())
    }
}

/// Appends a character so that it is text and nothing else, inside quotes too.
fn escape(to: &mut String, character: char) {
    match character {
        '&' => to.push_str("&amp;"),
        '<' => to.push_str("&lt;"),
        '>' => to.push_str("&gt;"),
        '"' => to.push_str("&quot;"),
        '\'' => to.push_str("&#39;"),
        '\t' | '\n' => to.push(character),
        // A page must not hold them, nor the two that are no characters.
        _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
            to.push(char::REPLACEMENT_CHARACTER);
        }
        _ => to.push(character),
    }
}

/// True if a line of the source ends after the element.
fn is_block(tag: &str) -> bool {
    !matches!(tag, "td" | "th" | "span" | "title" | "text" | "b")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut page = Markup(String::new());
        page.leaf("b", &[("class", &"a\"b'<&>")], "</b><script>\u{0}\u{1b}'&amp;\"");
        assert_eq!(
            page.into_string(),
            "<b class=\"a&quot;b&#39;&lt;&amp;&gt;\">\
             &lt;/b&gt;&lt;script&gt;\u{fffd}\u{fffd}&#39;&amp;amp;&quot;</b>"
        );
    }

    #[test]
    fn what_is_opened_is_closed() {
        let mut page = Markup(String::new());
        page.element("td", &[], |td| {
            td.empty("br", &[]);
            td.leaf("b", &[("id", &7)], "x");
        });
        assert_eq!(page.into_string(), "<td><br/><b id=\"7\">x</b></td>");
    }
}
