//! What happened when: throughput and latency over time, a chart for each series.
//!
//! All series have the same axes, so that they can be compared. A long load is drawn in stretches
//! of several seconds: counts as the rate over the stretch, latencies as the worst second's.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use super::axis::{Axis, Px, round_time};
use super::markup::Markup;
use super::number::{grouped, millis};
use super::plot::{Caption, Plot, Width, legend, polyline};
use crate::measured::{Second, Series};

/// Stretches in a chart, at most.
const STRETCHES: u64 = 240;

/// The least height of a count that is not zero.
const HAIR: Px = Px::tenths(15);

/// Between two columns.
const BETWEEN: Px = Px::tenths(5);

/// What becomes of requests, from the ground up, with the class each is drawn with.
const OUTCOMES: [&str; 3] = ["approved", "refused", "unanswered"];

/// Some seconds in a row.
struct Stretch {
    /// The first second.
    at: u64,
    /// The first second after it.
    end: u64,
    /// Approved, refused, unanswered.
    counts: [u64; 3],
    /// Microseconds of the worst second.
    p50_us: u64,
    p99_us: u64,
}

impl Stretch {
    /// Requests in a second that had one of the first `outcomes`; at least 1 if there were any.
    fn rate(&self, outcomes: usize) -> u64 {
        let count = self.counts.iter().take(outcomes).copied().fold(0, u64::saturating_add);
        count.div_ceil(self.end.saturating_sub(self.at).max(1))
    }

    fn has_answers(&self) -> bool {
        let [approved, refused, _] = self.counts;
        approved > 0 || refused > 0
    }

    /// "12" or "10–20".
    fn name(&self) -> String {
        if self.end.saturating_sub(self.at) == 1 {
            grouped(self.at)
        } else {
            format!("{}–{}", grouped(self.at), grouped(self.end))
        }
    }
}

/// The charts over time of all series.
pub(super) struct OverTime<'a> {
    time: Axis,
    step: u64,
    series: Vec<(&'a Series, Vec<Stretch>)>,
}

impl<'a> OverTime<'a> {
    /// Nothing if there is not one second.
    pub(super) fn of(series: &'a [Series]) -> Option<Self> {
        let seconds = || series.iter().flat_map(|series| &series.seconds);
        let first = u64::from(seconds().map(|second| second.at).min()?);
        let end = u64::from(seconds().map(|second| second.at).max()?).saturating_add(1);
        let step = round_time(end.saturating_sub(first), STRETCHES);
        let series =
            series.iter().map(|series| (series, stretches(&series.seconds, step, (first, end))));
        Some(Self { time: Axis::time(first, end), step, series: series.collect() })
    }

    /// How much was done when.
    pub(super) fn throughput(&self, page: &mut Markup) {
        let stretches = self.series.iter().flat_map(|(_, stretches)| stretches);
        let most = stretches.map(|stretch| stretch.rate(OUTCOMES.len())).max().unwrap_or_default();
        let rate = Axis::counts(most, "requests per second");
        if self.step > 1 {
            let note = format!("Each column is the mean of {} seconds.", grouped(self.step));
            page.leaf("p", &[("class", &"note")], &note);
        }
        self.figures(page, totals, |figure, caption, stretches| {
            legend(figure, OUTCOMES.map(|name| (format!("swatch {name}"), name)).into_iter());
            Plot::draw(figure, caption, (&self.time, &rate), |svg, plot| {
                columns(svg, plot, stretches);
            });
            counts_table(figure, stretches);
        });
    }

    /// How long it took when.
    pub(super) fn latency(&self, page: &mut Markup) {
        let answered = || {
            let stretches = self.series.iter().flat_map(|(_, stretches)| stretches);
            stretches.filter(|stretch| stretch.has_answers())
        };
        let most = answered().map(|stretch| stretch.p99_us.max(stretch.p50_us)).max();
        let least = answered().map(|stretch| stretch.p50_us.min(stretch.p99_us)).min();
        let axis =
            Axis::latencies(least.unwrap_or_default(), most.unwrap_or_default(), "ms, logarithmic");
        if self.step > 1 {
            let note = format!("Each point is the worst of {} seconds.", grouped(self.step));
            page.leaf("p", &[("class", &"note")], &note);
        }
        self.figures(page, worst, |figure, caption, stretches| {
            let names =
                [("line colour-1", "99 % of the answers"), ("line colour-0", "half of them")];
            legend(figure, names.map(|(class, name)| (class.to_owned(), name)).into_iter());
            Plot::draw(figure, caption, (&self.time, &axis), |svg, plot| {
                lines(svg, plot, stretches);
            });
            latencies_table(figure, stretches);
        });
    }

    /// Each series under its name and in a sentence; two side by side if there are several.
    fn figures(
        &self,
        page: &mut Markup,
        summary: impl Fn(&[Stretch]) -> String,
        inner: impl Fn(&mut Markup, &Caption<'_>, &[Stretch]),
    ) {
        let (class, width) =
            if self.series.len() > 1 { ("pairs", Width::Half) } else { ("", Width::Whole) };
        page.element("div", &[("class", &class)], |page| {
            for (series, stretches) in &self.series {
                page.element("figure", &[], |figure| {
                    figure.leaf("figcaption", &[], &series.name);
                    if stretches.is_empty() {
                        let nothing = "Not one second was measured.";
                        figure.leaf("p", &[("class", &"note")], nothing);
                        return;
                    }
                    let summary = summary(stretches);
                    figure.leaf("p", &[("class", &"note")], &summary);
                    let caption = Caption { width, title: &series.name, summary: &summary };
                    inner(figure, &caption, stretches);
                });
            }
        });
    }
}

/// Puts seconds together.
fn stretches(seconds: &[Second], step: u64, (first, end): (u64, u64)) -> Vec<Stretch> {
    let mut stretches = BTreeMap::new();
    for second in seconds {
        let from = u64::from(second.at).checked_div(step).unwrap_or_default().saturating_mul(step);
        let stretch = stretches.entry(from).or_insert_with(|| Stretch {
            at: from.max(first),
            end: from.saturating_add(step).min(end),
            counts: [0; 3],
            p50_us: 0,
            p99_us: 0,
        });
        let counts = [second.approved, second.refused, second.unanswered];
        for (sum, count) in stretch.counts.iter_mut().zip(counts) {
            *sum = sum.saturating_add(count);
        }
        stretch.p50_us = stretch.p50_us.max(second.p50_us);
        stretch.p99_us = stretch.p99_us.max(second.p99_us);
    }
    stretches.into_values().collect()
}

/// What became of all requests, in words.
fn totals(stretches: &[Stretch]) -> String {
    let mut sums = [0_u64; 3];
    for stretch in stretches {
        for (sum, count) in sums.iter_mut().zip(stretch.counts) {
            *sum = sum.saturating_add(count);
        }
    }
    let [approved, refused, unanswered] = sums.map(grouped);
    format!("{approved} approved, {refused} refused, {unanswered} unanswered")
}

/// When the slowest answers took how long, in words.
fn worst(stretches: &[Stretch]) -> String {
    let answered = stretches.iter().filter(|stretch| stretch.has_answers());
    answered.max_by_key(|stretch| stretch.p99_us).map_or_else(
        || String::from("no answers"),
        |worst| format!("p99 at most {} ms, in second {}", millis(worst.p99_us), worst.name()),
    )
}

/// A column for each stretch, its parts one on the other. A part of one outcome is one path.
fn columns(svg: &mut Markup, plot: &Plot<'_>, stretches: &[Stretch]) {
    let mut paths = OUTCOMES.map(|_| String::new());
    for stretch in stretches {
        let (left, right) = (plot.x(stretch.at), plot.x(stretch.end));
        // Narrow columns touch.
        let gap = if right.minus(left) > Px::new(3) { BETWEEN } else { Px::default() };
        let mut ground = plot.bottom();
        for (number, (path, count)) in (1..).zip(paths.iter_mut().zip(stretch.counts)) {
            if count == 0 {
                continue;
            }
            let top = plot.y(stretch.rate(number)).min(ground.minus(HAIR));
            let right = right.minus(gap);
            write!(path, "M{left} {ground}V{top}H{right}V{ground}z")
                .expect("a string takes any text");
            ground = top;
        }
    }
    for (class, path) in OUTCOMES.iter().zip(&paths).filter(|(_, path)| !path.is_empty()) {
        svg.empty("path", &[("class", class), ("d", path)]);
    }
    for stretch in stretches {
        let [approved, refused, unanswered] = stretch.counts.map(grouped);
        let text = format!(
            "second {}: {approved} approved, {refused} refused, {unanswered} unanswered",
            stretch.name()
        );
        plot.hint(svg, (plot.x(stretch.at), plot.x(stretch.end)), &text);
    }
}

/// A line for 99 % of the answers and one for half of them; seconds without an answer are gaps.
fn lines(svg: &mut Markup, plot: &Plot<'_>, stretches: &[Stretch]) {
    let middle = |stretch: &Stretch| {
        let (left, right) = (plot.x(stretch.at), plot.x(stretch.end));
        left.plus(right.minus(left).half())
    };
    for (class, micros) in [
        ("colour-1", (|stretch| stretch.p99_us) as fn(&Stretch) -> u64),
        ("colour-0", |stretch| stretch.p50_us),
    ] {
        let mut points = Vec::with_capacity(stretches.len());
        let mut end = None;
        for stretch in stretches {
            if end.is_some_and(|end| end < stretch.at) {
                points.push(None);
            }
            let point = stretch.has_answers().then(|| (middle(stretch), plot.y(micros(stretch))));
            points.push(point);
            end = Some(stretch.end);
        }
        polyline(svg, class, &points);
    }
    for stretch in stretches.iter().filter(|stretch| stretch.has_answers()) {
        let (p50, p99) = (millis(stretch.p50_us), millis(stretch.p99_us));
        let text = format!("second {}: p50 {p50} ms, p99 {p99} ms", stretch.name());
        plot.hint(svg, (plot.x(stretch.at), plot.x(stretch.end)), &text);
    }
}

fn counts_table(page: &mut Markup, stretches: &[Stretch]) {
    let heads = ["second", "approved", "refused", "unanswered", "all, per second"];
    table(page, &heads, stretches, |stretch| {
        let [approved, refused, unanswered] = stretch.counts.map(grouped);
        vec![approved, refused, unanswered, grouped(stretch.rate(OUTCOMES.len()))]
    });
}

fn latencies_table(page: &mut Markup, stretches: &[Stretch]) {
    table(page, &["second", "p50, ms", "p99, ms"], stretches, |stretch| {
        let micros = [stretch.p50_us, stretch.p99_us];
        let show = |micros| if stretch.has_answers() { millis(micros) } else { "–".to_owned() };
        micros.map(show).to_vec()
    });
}

/// The figures of a chart, folded away: there may be many.
fn table(
    page: &mut Markup,
    heads: &[&str],
    stretches: &[Stretch],
    cells: impl Fn(&Stretch) -> Vec<String>,
) {
    let column: [(_, &dyn Display); 1] = [("scope", &"col")];
    page.element("details", &[], |details| {
        details.leaf("summary", &[], "The same figures as a table");
        details.element("div", &[("class", &"scroll long"), ("tabindex", &"0")], |scroll| {
            scroll.element("table", &[], |table| {
                table.element("thead", &[], |head| {
                    head.element("tr", &[], |row| {
                        heads.iter().for_each(|head| row.leaf("th", &column, head));
                    });
                });
                table.element("tbody", &[], |body| {
                    for stretch in stretches {
                        body.element("tr", &[], |row| {
                            row.leaf("th", &[("scope", &"row")], &stretch.name());
                            cells(stretch).iter().for_each(|cell| row.leaf("td", &[], cell));
                        });
                    }
                });
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u32, approved: u64, p99_us: u64) -> Second {
        Second { at, approved, refused: 1, unanswered: 0, p50_us: p99_us / 2, p99_us }
    }

    #[test]
    fn a_long_load_is_put_together_in_stretches() {
        let seconds: Vec<Second> = (3..=11).map(|at| second(at, 10, u64::from(at))).collect();
        let found = stretches(&seconds, 5, (3, 12));
        let rows: Vec<_> =
            found.iter().map(|s| (s.name(), s.counts, s.rate(1), s.p99_us)).collect();
        assert_eq!(
            rows,
            [
                ("3–5".to_owned(), [20, 2, 0], 10, 4),
                ("5–10".to_owned(), [50, 5, 0], 10, 9),
                ("10–12".to_owned(), [20, 2, 0], 10, 11),
            ]
        );
        assert_eq!(stretches(&[], 5, (0, 1)).len(), 0);
    }

    #[test]
    fn charts_do_not_grow_with_the_load() {
        for seconds in [1, 240, 241, 86_400, u64::from(u32::MAX)] {
            assert!(seconds.div_ceil(round_time(seconds, STRETCHES)) <= STRETCHES, "{seconds}");
        }
    }
}
