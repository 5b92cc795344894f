//! The mix of response codes (field 39): a table whose last column is the chart.

use std::fmt::Display;

use super::markup::Markup;
use super::number::{grouped, share};
use crate::code::Code;
use crate::measured::Series;

/// The length of the bar of the most frequent code.
const LONGEST: u64 = 1000;

/// The mix of one series.
pub(super) fn figure(page: &mut Markup, series: &Series) {
    let all = series.codes.values().copied().fold(0, u64::saturating_add);
    let most = series.codes.values().copied().max().unwrap_or_default();
    let mut codes: Vec<(&str, u64)> =
        series.codes.iter().map(|(code, count)| (code.as_str(), *count)).collect();
    codes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    page.element("figure", &[], |figure| {
        figure.leaf("figcaption", &[], &series.name);
        if codes.is_empty() {
            figure.leaf("p", &[("class", &"note")], "No answer had a response code.");
            return;
        }
        figure.element("div", &[("class", &"scroll")], |scroll| {
            scroll.element("table", &[("class", &"codes")], |table| {
                head(table);
                table.element("tbody", &[], |body| {
                    for (code, count) in codes {
                        row(body, code, (count, all, most));
                    }
                });
            });
        });
    });
}

fn head(table: &mut Markup) {
    let column: [(_, &dyn Display); 1] = [("scope", &"col")];
    table.element("thead", &[], |head| {
        head.element("tr", &[], |row| {
            row.leaf("th", &column, "code");
            row.leaf("th", &[("scope", &"col"), ("class", &"words")], "meaning");
            row.leaf("th", &column, "answers");
            row.leaf("th", &column, "share");
            row.leaf("th", &[("class", &"bar"), ("aria-hidden", &"true")], "");
        });
    });
}

fn row(body: &mut Markup, text: &str, (count, all, most): (u64, u64, u64)) {
    let code = <[u8; 2]>::try_from(text.as_bytes()).ok().map(Code);
    let class = if code.is_some_and(Code::is_success) { "approved" } else { "refused" };
    body.element("tr", &[], |row| {
        row.leaf("th", &[("scope", &"row")], text);
        row.element("td", &[("class", &"words")], |cell| match code.map(Code::meaning) {
            Some(meaning) => {
                cell.text(meaning.en);
                cell.text(" ");
                cell.leaf("span", &[("lang", &"zh"), ("class", &"note")], meaning.zh);
            }
            None => cell.text("not a response code"),
        });
        row.leaf("td", &[], &grouped(count));
        row.leaf("td", &[], &share(count, all));
        row.element("td", &[("class", &"bar"), ("aria-hidden", &"true")], |cell| {
            let length = bar_length(count, most);
            let view = format!("0 0 {LONGEST} 10");
            let size: [(_, &dyn Display); 2] =
                [("viewBox", &view), ("preserveAspectRatio", &"none")];
            cell.element("svg", &size, |svg| {
                svg.empty("rect", &[("class", &class), ("width", &length), ("height", &"10")]);
            });
        });
    });
}

/// In proportion, but never too short to be seen.
fn bar_length(count: u64, most: u64) -> u64 {
    let product = u128::from(count).saturating_mul(LONGEST.into());
    let length = product.checked_div(u128::from(most)).unwrap_or_default();
    let length = u64::try_from(length).unwrap_or(LONGEST);
    if count > 0 { length.max(LONGEST / 250) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_can_be_seen() {
        for (count, most, length) in
            [(0, 0, 0), (0, 9, 0), (1, u64::MAX, 4), (1, 4, 250), (u64::MAX, u64::MAX, LONGEST)]
        {
            assert_eq!(bar_length(count, most), length, "{count} of {most}");
        }
    }
}
