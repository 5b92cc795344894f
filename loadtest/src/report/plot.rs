//! The frame of a chart: its axes with their marks, and where values lie between them.

use std::fmt::Display;

use super::axis::{Axis, Px};
use super::markup::Markup;

/// The height of every chart; the page scales it with the width.
const HEIGHT: Px = Px::new(280);

/// What is left free above the plot, to its right and below: a title, half a label, two lines.
const ABOVE: Px = Px::new(32);
const RIGHT: Px = Px::new(36);
const BELOW: Px = Px::new(44);

/// The length of a mark on an axis, and from an axis to its labels.
const MARK: Px = Px::new(4);
const GAP: Px = Px::new(8);

/// No character of a label is wider.
const CHARACTER: Px = Px::new(8);

/// Half the height of a label's digits.
const HALF_DIGIT: Px = Px::new(4);

/// How wide a chart is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Width {
    /// As the page.
    Whole,
    /// Two stand side by side.
    Half,
}

/// What a chart is called and what it shows.
pub(super) struct Caption<'a> {
    /// How wide it is.
    pub(super) width: Width,
    /// Its title.
    pub(super) title: &'a str,
    /// What it shows, in a sentence.
    pub(super) summary: &'a str,
}

/// Where values are drawn.
pub(super) struct Plot<'a> {
    x: &'a Axis,
    y: &'a Axis,
    left: Px,
    width: Px,
    height: Px,
}

impl<'a> Plot<'a> {
    /// Draws a chart with these axes, and in it what `inner` draws.
    pub(super) fn draw(
        page: &mut Markup,
        caption: &Caption<'_>,
        (x, y): (&'a Axis, &'a Axis),
        inner: impl FnOnce(&mut Markup, &Self),
    ) {
        let longest = y.ticks.iter().map(|tick| tick.label.chars().count()).max();
        let left = (0..longest.unwrap_or_default()).fold(GAP.plus(GAP), |at, _| at.plus(CHARACTER));
        let whole = match caption.width {
            Width::Whole => Px::new(860),
            Width::Half => Px::new(500),
        };
        let (width, height) = (whole.minus(left).minus(RIGHT), HEIGHT.minus(ABOVE).minus(BELOW));
        let plot = Self { x, y, left, width, height };
        let view = format!("0 0 {whole} {HEIGHT}");
        page.element("div", &[("class", &"scroll")], |scroll| {
            let attributes: [(_, &dyn Display); 3] =
                [("class", &"chart"), ("viewBox", &view), ("role", &"img")];
            scroll.element("svg", &attributes, |svg| {
                svg.leaf("title", &[], &format!("{}: {}", caption.title, caption.summary));
                plot.grid(svg);
                inner(svg, &plot);
                plot.base(svg);
            });
        });
    }

    /// Where `value` lies from left to right.
    pub(super) fn x(&self, value: u64) -> Px {
        self.left.plus(self.x.place(value, self.width))
    }

    /// Where `value` lies from top to bottom.
    pub(super) fn y(&self, value: u64) -> Px {
        self.bottom().minus(self.y.place(value, self.height))
    }

    /// The lower edge.
    pub(super) fn bottom(&self) -> Px {
        ABOVE.plus(self.height)
    }

    fn right(&self) -> Px {
        self.left.plus(self.width)
    }

    /// A column over its whole height that shows `text` to who points at it.
    pub(super) fn hint(&self, svg: &mut Markup, (from, to): (Px, Px), text: &str) {
        let width = to.minus(from);
        svg.element(
            "rect",
            &[
                ("class", &"hint"),
                ("x", &from),
                ("y", &ABOVE),
                ("width", &width),
                ("height", &self.height),
            ],
            |rect| rect.leaf("title", &[], text),
        );
    }

    /// Lines at the marks of both axes, their labels and their titles.
    fn grid(&self, svg: &mut Markup) {
        let titles = [
            (&self.y.title, "start", Px::default(), ABOVE.minus(GAP).minus(GAP)),
            (&self.x.title, "end", self.right(), HEIGHT.minus(MARK)),
        ];
        for (title, anchor, x, y) in titles {
            let place: [(_, &dyn Display); 3] = [("x", &x), ("y", &y), ("text-anchor", &anchor)];
            svg.leaf("text", &place, title);
        }
        for tick in &self.y.ticks {
            let y = self.y(tick.value);
            line(svg, "grid", (self.left, y), (self.right(), y));
            let at = (self.left.minus(GAP), y.plus(HALF_DIGIT));
            let place: [(_, &dyn Display); 3] =
                [("x", &at.0), ("y", &at.1), ("text-anchor", &"end")];
            svg.leaf("text", &place, &tick.label);
        }
        for tick in &self.x.ticks {
            let x = self.x(tick.value);
            line(svg, "axis", (x, self.bottom()), (x, self.bottom().plus(MARK)));
            let y = self.bottom().plus(GAP).plus(GAP).plus(MARK);
            let place: [(_, &dyn Display); 3] = [("x", &x), ("y", &y), ("text-anchor", &"middle")];
            svg.leaf("text", &place, &tick.label);
        }
    }

    /// The line everything stands on.
    fn base(&self, svg: &mut Markup) {
        line(svg, "axis", (self.left, self.bottom()), (self.right(), self.bottom()));
    }
}

fn line(svg: &mut Markup, class: &str, from: (Px, Px), to: (Px, Px)) {
    svg.empty(
        "line",
        &[("class", &class), ("x1", &from.0), ("y1", &from.1), ("x2", &to.0), ("y2", &to.1)],
    );
}

/// Draws a line through points, with a gap where there is none. A point between gaps is a dot.
pub(super) fn polyline(svg: &mut Markup, class: &str, points: &[Option<(Px, Px)>]) {
    let (mut lines, mut dots) = (String::new(), String::new());
    for run in points.split(Option::is_none) {
        let steps: Vec<String> = run.iter().flatten().map(|(x, y)| format!("{x} {y}")).collect();
        match steps.as_slice() {
            [] => {}
            [dot] => dots.push_str(&format!("M{dot}h0")),
            line => lines.push_str(&format!("M{}", line.join("L"))),
        }
    }
    for (kind, path) in [("line", lines), ("line dot", dots)] {
        if !path.is_empty() {
            svg.empty("path", &[("class", &format!("{kind} {class}")), ("d", &path)]);
        }
    }
}

/// The names of what a chart shows, each with its colour.
pub(super) fn legend<'a>(page: &mut Markup, entries: impl Iterator<Item = (String, &'a str)>) {
    page.element("ul", &[("class", &"legend")], |list| {
        for (class, name) in entries {
            list.element("li", &[], |item| {
                item.element(
                    "svg",
                    &[("viewBox", &"0 0 26 12"), ("aria-hidden", &"true")],
                    |svg| {
                        svg.empty("path", &[("class", &class), ("d", &"M2 6H24")]);
                    },
                );
                item.text(name);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_gaps_and_lonely_points_are_dots() {
        let at = |x| Some((Px::new(x), Px::tenths(25)));
        let mut svg = Markup::page();
        polyline(&mut svg, "a", &[at(1), at(2), None, at(4), None, None, at(7), at(8)]);
        polyline(&mut svg, "b", &[None]);
        let drawn = svg.into_string();
        assert!(drawn.contains("class=\"line a\" d=\"M1 2.5L2 2.5M7 2.5L8 2.5\""), "{drawn}");
        assert!(drawn.contains("class=\"line dot a\" d=\"M4 2.5h0\""), "{drawn}");
        assert!(!drawn.contains(" b\""), "{drawn}");
    }
}
