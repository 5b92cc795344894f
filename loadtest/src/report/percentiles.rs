//! How long the answers took: each further nine of them takes the same length of the axis.

use std::fmt::Display;

use super::axis::{Axis, Px};
use super::markup::Markup;
use super::number::{WHOLE_PPM, millis, percent};
use super::plot::{Caption, Plot, Width, legend, polyline};
use crate::measured::{Percentile, Series};

/// Half the size of a point's mark.
const HALF_POINT: Px = Px::tenths(35);

/// What a series is drawn with: three colours, and then the same again with other dashes.
pub(super) fn class(number: usize) -> String {
    format!("colour-{} dash-{}", number % 3, (number / 3) % 3)
}

/// One chart for all series, and their figures beside it.
pub(super) fn section(page: &mut Markup, series: &[Series]) {
    let all = || series.iter().flat_map(|series| &series.percentiles);
    let Some(most) = all().map(|percentile| percentile.micros).max() else {
        page.leaf("p", &[("class", &"note")], "No answer was timed.");
        return;
    };
    let least = all().map(|percentile| percentile.micros).min().unwrap_or_default();
    let mut shares: Vec<u32> = all().map(|percentile| percentile.share_ppm).collect();
    shares.sort_unstable();
    shares.dedup();
    let x = Axis::shares(&shares, "share of the answers");
    let y = Axis::latencies(least, most, "ms, logarithmic");
    let slowest = format!("the slowest answers took {} ms", millis(most));
    let title = "Latency by share of the answers";
    let caption = Caption { width: Width::Whole, title, summary: &slowest };
    page.element("figure", &[("class", &"beside")], |figure| {
        figure.element("div", &[("class", &"wide")], |wide| {
            let names = series.iter().map(|series| series.name.as_str());
            let classes = (0..).map(|number| format!("line {}", class(number)));
            legend(wide, classes.zip(names));
            Plot::draw(wide, &caption, (&x, &y), |svg, plot| {
                for (number, series) in series.iter().enumerate() {
                    curve(svg, plot, number, series);
                }
            });
        });
        table(figure, series, &shares);
    });
}

fn curve(svg: &mut Markup, plot: &Plot<'_>, number: usize, series: &Series) {
    let place = |point: &Percentile| (plot.x(point.share_ppm.into()), plot.y(point.micros));
    let points: Vec<_> = series.percentiles.iter().map(|point| Some(place(point))).collect();
    polyline(svg, &class(number), &points);
    for point in &series.percentiles {
        let (x, y) = place(point);
        let text =
            format!("{}, {}: {} ms", series.name, name(point.share_ppm), millis(point.micros));
        mark(svg, number, (x, y), &text);
    }
}

/// A circle, a square or a diamond, so that colour is not all that tells series apart.
fn mark(svg: &mut Markup, number: usize, (x, y): (Px, Px), text: &str) {
    let size = HALF_POINT.plus(HALF_POINT);
    let class = format!("point colour-{}", number % 3);
    let (left, top) = (x.minus(HALF_POINT), y.minus(HALF_POINT));
    let turn = if number % 3 == 2 { format!("rotate(45 {x} {y})") } else { String::new() };
    let radius = if number.is_multiple_of(3) { HALF_POINT } else { Px::default() };
    svg.element(
        "rect",
        &[
            ("class", &class),
            ("x", &left),
            ("y", &top),
            ("width", &size),
            ("height", &size),
            ("rx", &radius),
            ("transform", &turn),
        ],
        |rect| rect.leaf("title", &[], text),
    );
}

fn name(share_ppm: u32) -> String {
    if share_ppm >= WHOLE_PPM { String::from("max") } else { percent(share_ppm) }
}

fn table(page: &mut Markup, series: &[Series], shares: &[u32]) {
    let column: [(_, &dyn Display); 1] = [("scope", &"col")];
    page.element("div", &[("class", &"scroll")], |scroll| {
        scroll.element("table", &[], |table| {
            table.leaf("caption", &[], "Within how many milliseconds a share of the answers came");
            table.element("thead", &[], |head| {
                head.element("tr", &[], |row| {
                    row.leaf("th", &column, "share");
                    for series in series {
                        row.leaf("th", &column, &series.name);
                    }
                });
            });
            table.element("tbody", &[], |body| {
                for share in shares {
                    body.element("tr", &[], |row| {
                        row.leaf("th", &[("scope", &"row")], &name(*share));
                        for series in series {
                            row.leaf("td", &[], &cell(series, *share));
                        }
                    });
                }
            });
        });
    });
}

fn cell(series: &Series, share: u32) -> String {
    let found = series.percentiles.iter().find(|percentile| percentile.share_ppm == share);
    found.map_or_else(|| String::from("–"), |percentile| millis(percentile.micros))
}
