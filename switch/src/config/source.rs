//! Reading TOML row by row, so that everything wrong is found at once and has a place.
//!
//! What is reported names keys and places. It repeats no value, because a value may be a key, a
//! PIN or a card number.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong in a configuration, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The file, or the environment variable.
    pub origin: Box<str>,
    /// Line and column, both from one; `None` if the whole of it is meant.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub text: Box<str>,
}

impl fmt::Display for Problem {
    /// Writes `posp.toml:12:3: what is wrong`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.origin)?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.text)
    }
}

/// A configuration cannot be used. Says everything that is wrong with it, one problem a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// What is wrong; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        self.problems.iter().try_for_each(|problem| {
            write!(f, "{between}{problem}")?;
            between = "\n";
            Ok(())
        })
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// Returns `value` if there is no problem.
    pub(crate) fn unless_none<T>(problems: Vec<Problem>, value: T) -> Result<T, Self> {
        if problems.is_empty() { Ok(value) } else { Err(Self { problems }) }
    }

    /// Returns the error of a file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let origin = path.display().to_string().into();
        let text = format!("cannot be read: {error}").into();
        Self { problems: vec![Problem { origin, place: None, text }] }
    }
}

/// A text under reading, and what was found wrong in it.
pub(crate) struct Source<'t> {
    origin: String,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(origin: impl Into<String>, text: &'t str) -> Self {
        Self { origin: origin.into(), text, problems: RefCell::default() }
    }

    /// Parses the text. Where it is no TOML, that is reported, and the rest is read on.
    pub(crate) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.report(&error.span().unwrap_or(0..0), error.message());
        }
        table
    }

    /// Reads a text that holds nothing but the rows of one array of tables.
    pub(crate) fn rows<T>(
        &self,
        key: &'static str,
        read: impl FnMut(&mut Row<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let table = self.parse();
        let mut whole = Row::new(self, table.span(), table.get_ref());
        let rows = whole.rows(key, read);
        whole.finish();
        rows
    }

    /// Reports a problem at a place.
    pub(crate) fn report(&self, span: &Range<usize>, text: impl Into<Box<str>>) {
        self.problems.borrow_mut().push(self.problem(span, text));
    }

    /// Returns a problem at a place, without reporting it.
    pub(crate) fn problem(&self, span: &Range<usize>, text: impl Into<Box<str>>) -> Problem {
        let place = Some(self.place(span.start));
        Problem { origin: self.origin.as_str().into(), place, text: text.into() }
    }

    /// True while nothing wrong was found.
    pub(crate) fn is_sound(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Returns line and column of a byte, both from one.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count();
        let column = before.chars().rev().take_while(|&c| c != '\n').count();
        (line.saturating_add(1), column.saturating_add(1))
    }

    /// Returns the problems in the order of their places.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place);
        problems
    }
}

/// A table under reading. Keys are taken from it; what is left at the end is unknown.
pub(crate) struct Row<'r, 't> {
    source: &'r Source<'t>,
    span: Range<usize>,
    table: &'r DeTable<'t>,
    known: BTreeSet<&'static str>,
}

impl<'r, 't> Row<'r, 't> {
    pub(crate) fn new(source: &'r Source<'t>, span: Range<usize>, table: &'r DeTable<'t>) -> Self {
        Self { source, span, table, known: BTreeSet::new() }
    }

    /// Returns where the row stands.
    pub(crate) const fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Returns the text the row is part of.
    pub(crate) const fn source(&self) -> &'r Source<'t> {
        self.source
    }

    /// True if the key is there, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes a key that may be absent.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, String>,
    ) -> Option<Spanned<T>> {
        self.known.insert(key);
        let value = self.table.get(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(Spanned::new(value.span(), read)),
            Err(text) => {
                self.source.report(&value.span(), format!("{key}: {text}"));
                None
            }
        }
    }

    /// Takes a key that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, String>,
    ) -> Option<Spanned<T>> {
        if !self.has(key) {
            self.source.report(&self.span, format!("{key} is missing"));
        }
        self.optional(key, read)
    }

    /// Takes a table that may be absent.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Row<'r, 't>> {
        self.known.insert(key);
        let value = self.table.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.source.report(&value.span(), format!("{key}: a [{key}] table is expected"));
        }
        Some(Row::new(self.source, value.span(), table?))
    }

    /// Reads every row of an array of tables; none if the key is absent.
    pub(crate) fn rows<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Row<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        self.known.insert(key);
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let rows = value.get_ref().as_array().map_or(&[][..], |rows| rows);
        if rows.is_empty() {
            self.source.report(&value.span(), format!("[[{key}]] tables are expected"));
        }
        let mut found = Vec::new();
        for row in rows {
            let Some(table) = row.get_ref().as_table() else {
                self.source.report(&row.span(), format!("a [[{key}]] table is expected"));
                continue;
            };
            let mut row = Row::new(self.source, row.span(), table);
            found.extend(read(&mut row));
            row.finish();
        }
        found
    }

    /// Reports every key that was not taken.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            if !self.known.contains(key.get_ref().as_ref()) {
                let text = unknown_key(key.get_ref(), self.known.iter().copied());
                self.source.report(&key.span(), text);
            }
        }
    }
}

/// Says that a key is unknown, and which it may have been meant to be.
pub(crate) fn unknown_key<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> String {
    let near = known
        .map(|known| (strsim::damerau_levenshtein(key, known), known))
        .filter(|&(distance, known)| distance <= known.len().div_ceil(3))
        .min();
    // What a stranger wrote must not steer the terminal of whoever reads this.
    let key = key.escape_debug();
    match near {
        Some((_, known)) => format!("unknown key {key}; did you mean {known}?"),
        None => format!("unknown key {key}"),
    }
}

/// Values of a key that must differ from row to row.
pub(crate) struct Distinct<K> {
    key: &'static str,
    /// The byte where each begins. Its line is counted only for one that comes again: to count all
    /// of them would read the text as often as it has rows.
    starts: BTreeMap<K, usize>,
}

impl<K: Ord> Distinct<K> {
    pub(crate) const fn new(key: &'static str) -> Self {
        Self { key, starts: BTreeMap::new() }
    }

    /// Takes note of a value; reports one that was there before.
    pub(crate) fn note(&mut self, source: &Source<'_>, value: Spanned<K>) {
        let span = value.span();
        if let Some(first) = self.starts.insert(value.into_inner(), span.start) {
            let (line, _) = source.place(first);
            source.report(&span, format!("{} is the same as in line {line}", self.key));
        }
    }
}

/// Reads a text.
pub(crate) fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| "a text in quotes is expected".into())
}

/// Reads a yes or no.
pub(crate) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "true or false is expected".into())
}

/// Reads a whole number within the bounds of `T`.
pub(crate) fn integer<T: TryFrom<i64>>(value: &DeValue<'_>) -> Result<T, String> {
    let digits = value.as_integer().ok_or("a whole number is expected")?;
    let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| "is out of bounds".into())
}

/// Returns a reader of texts that are what `parse` takes.
pub(crate) fn parsed<T>(
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| text(value).ok().and_then(&parse).ok_or_else(|| format!("{expected} expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let source = Source::new("x.toml", text);
        let table = source.parse();
        let mut row = Row::new(&source, table.span(), table.get_ref());
        _ = row.required("number", integer::<u8>);
        _ = row.optional("name", text_of);
        _ = row.rows("card", |card| card.required("pan", text_of));
        row.finish();
        source.into_problems().iter().map(Problem::to_string).collect()
    }

    fn text_of(value: &DeValue<'_>) -> Result<String, String> {
        text(value).map(str::to_owned)
    }

    #[test]
    fn everything_wrong_is_found_at_its_place() {
        let text = "nmae = 'x'\nnumber = 256\n[[card]]\npan = 6212142000000000012\n[[card]]\n";
        assert_eq!(
            problems(text),
            [
                "x.toml:1:1: unknown key nmae; did you mean name?",
                "x.toml:2:10: number: is out of bounds",
                "x.toml:4:7: pan: a text in quotes is expected",
                "x.toml:5:1: pan is missing",
            ]
        );
        assert_eq!(problems("number = 255"), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_toml_has_a_place_and_shows_no_value() {
        for text in ["number = 1\nname = '123456", "number = 1\nname = 123456x", "number = 1\nname"]
        {
            let found = problems(text).join("\n");
            assert!(found.starts_with("x.toml:2:"), "{found}");
            assert!(!found.contains("123456"), "{found}");
        }
    }

    #[test]
    fn a_key_far_from_every_other_gets_no_advice() {
        assert_eq!(unknown_key("colour", ["pan", "pin"].into_iter()), "unknown key colour");
    }
}
