//! The ranges laid out flat, and the search in them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::terms::Pan;

use crate::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, TableError};

/// Where the owner of a card number is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    /// The card is ours.
    Own,
    /// The card is this institution's.
    Partner(IssuerCode),
    /// The range is known, but its issuer's cards are not taken.
    Disabled,
    /// No range holds the number.
    Unknown,
}

/// A range inside another: its numbers go its own way. Row numbers count from one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Nested {
    /// The row of the longer prefix, which decides.
    pub inner: usize,
    /// The row of the next shorter prefix around it.
    pub outer: usize,
}

/// Disjoint segments of the numbers of twelve digits, in order, each until the next one begins.
/// Where they begin stands apart from where they lead, so that a search touches little memory.
#[derive(Clone, Debug, Default)]
struct Segments {
    starts: Vec<u64>,
    routes: Vec<Route>,
    /// For the first four digits, how many segments begin before any number that has them.
    before: Vec<usize>,
}

/// Shortest and longest card number (ISO/IEC 7812-1, as [`Pan`] takes them).
const PAN_LENGTHS: std::ops::RangeInclusive<u8> = 12..=19;

/// Ranges by length of the number, each length a flat list.
#[derive(Clone, Debug, Default)]
pub struct Table {
    lengths: [Segments; 8],
    nested: Vec<Nested>,
}

/// A range as it is swept over: where it ends, its row, its route.
type Open = (u64, usize, Route);

impl Table {
    /// Lays out `bins`, which belong to `issuers`.
    ///
    /// # Errors
    /// Two rows that say the same, a range without issuer, or an impossible length: see
    /// [`TableError`]. A range inside a shorter prefix is no error, see [`Table::nested`].
    pub fn new(issuers: &[Issuer], bins: &[Bin]) -> Result<Self, TableError> {
        let issuers = by_code(issuers)?;
        let mut sorted: BTreeMap<(u8, u64, u8), (usize, Bin, Route)> = BTreeMap::new();
        for (row, &bin) in (1_usize..).zip(bins) {
            let route = route_of(&issuers, row, &bin)?;
            match sorted.entry((bin.pan_length, bin.prefix.range().start, bin.prefix.length())) {
                Entry::Vacant(slot) => _ = slot.insert((row, bin, route)),
                Entry::Occupied(other) => {
                    return Err(TableError::BinTwice { bin, first: other.get().0, second: row });
                }
            }
        }
        let mut table = Self::default();
        for length in PAN_LENGTHS {
            let ranges = sorted.range((length, 0, 0)..(length.saturating_add(1), 0, 0));
            let segments = sweep(ranges.map(|(_, range)| range), &mut table.nested);
            if let Some(slot) = table.lengths.get_mut(place_of(length)) {
                *slot = segments;
            }
        }
        Ok(table)
    }

    /// Returns where `pan` belongs: the longest prefix among ranges of its length decides.
    #[must_use]
    pub fn route(&self, pan: &Pan) -> Route {
        let digits = pan.digits();
        let Some(segments) = self.lengths.get(digits.len().wrapping_sub(FIRST_LENGTH)) else {
            return Route::Unknown;
        };
        let head = digits.iter().take(usize::from(Prefix::LENGTH_MAX));
        let head = head.fold(0_u64, |number, &digit| {
            number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
        });
        segments.find(head).unwrap_or(Route::Unknown)
    }

    /// Returns the ranges that lie inside another, for a person to look over: legitimate where an
    /// issuer cut a finer range, a slip of the pen where not.
    #[must_use]
    pub fn nested(&self) -> &[Nested] {
        &self.nested
    }
}

const FIRST_LENGTH: usize = *PAN_LENGTHS.start() as usize;

fn place_of(length: u8) -> usize {
    usize::from(length).wrapping_sub(FIRST_LENGTH)
}

fn by_code(issuers: &[Issuer]) -> Result<BTreeMap<IssuerCode, &Issuer>, TableError> {
    let mut rows = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (row, issuer) in (1_usize..).zip(issuers) {
        if let Some(first) = rows.insert(issuer.code, row) {
            return Err(TableError::IssuerTwice { code: issuer.code, first, second: row });
        }
        found.insert(issuer.code, issuer);
    }
    Ok(found)
}

fn route_of(
    issuers: &BTreeMap<IssuerCode, &Issuer>,
    row: usize,
    bin: &Bin,
) -> Result<Route, TableError> {
    if !PAN_LENGTHS.contains(&bin.pan_length) {
        return Err(TableError::PanLength { row, pan_length: bin.pan_length });
    }
    let code = bin.issuer;
    let issuer = issuers.get(&code).ok_or(TableError::NoSuchIssuer { row, code })?;
    Ok(match (issuer.enabled, issuer.kind) {
        (false, IssuerKind::Own | IssuerKind::Partner) => Route::Disabled,
        (true, IssuerKind::Own) => Route::Own,
        (true, IssuerKind::Partner) => Route::Partner(code),
    })
}

impl Segments {
    /// The first four digits of a number of twelve.
    const HEADS: u64 = 10_000;
    const SCALE: u64 = 100_000_000;

    fn find(&self, number: u64) -> Option<Route> {
        let head = usize::try_from(number.checked_div(Self::SCALE)?).ok()?;
        let (&first, &end) = (self.before.get(head)?, self.before.get(head.checked_add(1)?)?);
        let within = self.starts.get(first..end)?.partition_point(|&start| start <= number);
        self.routes.get(first.checked_add(within)?.checked_sub(1)?).copied()
    }

    /// Begins a segment, in place of one that would be empty.
    fn begin(&mut self, start: u64, route: Route) {
        if self.starts.pop_if(|last| *last == start).is_some() {
            self.routes.pop();
        }
        self.starts.push(start);
        self.routes.push(route);
    }

    /// Ends every open range that does not reach beyond `start`; what is around it goes on.
    fn close(&mut self, open: &mut Vec<Open>, start: u64) {
        while let Some((end, ..)) = open.pop_if(|(end, ..)| *end <= start) {
            self.begin(end, open.last().map_or(Route::Unknown, |&(.., route)| route));
        }
    }

    fn index(&mut self) {
        let heads = (0..=Self::HEADS).map(|head| head.saturating_mul(Self::SCALE));
        self.before =
            heads.map(|number| self.starts.partition_point(|&start| start < number)).collect();
    }
}

/// Cuts ranges, which come by start and then by length of prefix, into disjoint segments.
fn sweep<'a>(
    ranges: impl Iterator<Item = &'a (usize, Bin, Route)>,
    nested: &mut Vec<Nested>,
) -> Segments {
    let mut segments = Segments::default();
    let mut open: Vec<Open> = Vec::new();
    for &(row, bin, route) in ranges {
        let range = bin.prefix.range();
        segments.close(&mut open, range.start);
        if let Some(&(_, outer, _)) = open.last() {
            nested.push(Nested { inner: row, outer });
        }
        segments.begin(range.start, route);
        open.push((range.end, row, route));
    }
    segments.close(&mut open, u64::MAX);
    if !segments.starts.is_empty() {
        segments.index();
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(code: &str, kind: IssuerKind, enabled: bool) -> Issuer {
        let code = IssuerCode::parse(code).unwrap();
        Issuer { code, name: String::new(), kind, enabled }
    }

    fn bin(prefix: &str, pan_length: u8, issuer: &str) -> Bin {
        let issuer = IssuerCode::parse(issuer).unwrap();
        Bin { prefix: Prefix::parse(prefix).unwrap(), pan_length, issuer }
    }

    fn issuers() -> Vec<Issuer> {
        vec![
            issuer("01", IssuerKind::Own, true),
            issuer("02", IssuerKind::Partner, true),
            issuer("03", IssuerKind::Partner, false),
        ]
    }

    fn route(table: &Table, body: &str) -> Route {
        let digits = format!("{body}{}", char::from(Pan::check_digit(body.as_bytes())));
        table.route(&Pan::parse(digits.as_bytes()).unwrap())
    }

    #[test]
    fn the_longest_prefix_of_the_right_length_decides() {
        let bins = [bin("62", 16, "02"), bin("6212", 16, "01"), bin("62125", 16, "03")];
        let table = Table::new(&issuers(), &bins).unwrap();
        let partner = Route::Partner(IssuerCode::parse("02").unwrap());
        for (body, expected) in [
            ("612999999999999", Route::Unknown),
            ("620000000000000", partner),
            ("621200000000000", Route::Own),
            ("621250000000000", Route::Disabled),
            ("621259999999999", Route::Disabled),
            ("621260000000000", Route::Own),
            ("621300000000000", partner),
            ("629999999999999", partner),
            ("630000000000000", Route::Unknown),
            ("621200000000000000", Route::Unknown),
        ] {
            assert_eq!(route(&table, body), expected, "{body}");
        }
    }

    #[test]
    fn a_range_inside_another_is_shown_with_both_rows() {
        let bins = [bin("621214", 19, "01"), bin("62", 19, "02"), bin("62", 16, "02")];
        let table = Table::new(&issuers(), &bins).unwrap();
        assert_eq!(table.nested(), [Nested { inner: 1, outer: 2 }]);
    }

    #[test]
    fn rows_that_contradict_are_named() {
        let twice = [bin("621214", 19, "01"), bin("62", 19, "02"), bin("621214", 19, "02")];
        let error = Table::new(&issuers(), &twice).unwrap_err();
        assert_eq!(error.to_string(), "bin rows 1 and 3 are both 621214 (19 digits)");

        let error = Table::new(&issuers(), &[bin("62", 19, "09")]).unwrap_err();
        assert_eq!(error.to_string(), "bin row 1 belongs to issuer 09, which has no row");

        let error = Table::new(&issuers(), &[bin("62", 20, "01")]).unwrap_err();
        assert_eq!(error.to_string(), "bin row 1: a card number has 12 to 19 digits, not 20");

        let mut two = issuers();
        two.push(issuer("01", IssuerKind::Partner, true));
        let error = Table::new(&two, &[]).unwrap_err();
        assert_eq!(error.to_string(), "issuer rows 1 and 4 are both 01");
        assert!(error.is_of_issuer());
    }
}
