//! Axes: how far along them a value lies, and where they are marked, at round values.
//!
//! All in whole numbers: logarithms are binary ones in 65 536ths.

use super::number::{self, WHOLE_PPM};

/// Marks on the axis of a count or a latency, about.
const MARKS: u64 = 5;

/// Marks on a time axis, at most so many and one.
const TIME_MARKS: u64 = 8;

/// Marks on a logarithmic axis, at most.
const LOG_MARKS: usize = 8;

/// A factor of about three: half of ten on a logarithmic axis.
const HALF_DECADE: u64 = 108_853;

/// The shares at which the axis of shares is marked.
const SHARES: [u32; 7] = [0, 500_000, 900_000, 990_000, 999_000, 999_900, 999_990];

/// Round numbers of seconds, up to a day.
const ROUND_TIMES: [u64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY];

/// Seconds of a day.
const DAY: u64 = 86_400;

/// A length in tenths of a pixel, or the distance from the upper left corner.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Px(u64);

impl Px {
    /// Whole pixels.
    pub(super) const fn new(pixels: u32) -> Self {
        // A u32 times ten fits.
        Self((pixels as u64).saturating_mul(10))
    }

    /// Tenths of a pixel.
    pub(super) const fn tenths(tenths: u64) -> Self {
        Self(tenths)
    }

    /// Farther by `by`.
    pub(super) const fn plus(self, by: Self) -> Self {
        Self(self.0.saturating_add(by.0))
    }

    /// The middle of it.
    pub(super) const fn half(self) -> Self {
        Self(self.0 / 2)
    }

    /// Nearer by `by`, but not beyond the edge.
    pub(super) const fn minus(self, by: Self) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenth => write!(f, "{}.{tenth}", self.0 / 10),
        }
    }
}

/// A mark on an axis.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tick {
    /// What is marked.
    pub(super) value: u64,
    /// What is written there, without the unit.
    pub(super) label: String,
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scale {
    /// Evenly.
    Linear,
    /// Each factor of ten takes the same length.
    Log,
    /// Shares in millionths: each further nine takes the same length, and the whole is at the end.
    Nines,
}

impl Scale {
    fn spread(self, value: u64) -> u64 {
        match self {
            Self::Linear => value,
            Self::Log => log2(value),
            Self::Nines => match u64::from(WHOLE_PPM).checked_sub(value) {
                None | Some(0) => u64::MAX,
                Some(rest) => log2(u64::from(WHOLE_PPM)).saturating_sub(log2(rest)),
            },
        }
    }
}

/// An axis of a chart.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    /// Where it begins and ends, as its scale spreads values.
    start: u64,
    end: u64,
    /// Its marks.
    pub(super) ticks: Vec<Tick>,
    /// What it shows, with the unit.
    pub(super) title: String,
}

impl Axis {
    fn new(scale: Scale, (from, to): (u64, u64), ticks: Vec<Tick>, title: &str) -> Self {
        let (start, end) = (scale.spread(from), scale.spread(to));
        Self { scale, start, end, ticks, title: title.to_owned() }
    }

    /// Counts from nothing to at least `most`.
    pub(super) fn counts(most: u64, title: &str) -> Self {
        let step = nice_up(most.div_ceil(MARKS).max(1));
        let end = most.max(1).div_ceil(step).saturating_mul(step);
        let ticks = multiples(step, 0, end)
            .map(|value| Tick { value, label: number::grouped(value) })
            .collect();
        Self::new(Scale::Linear, (0, end), ticks, title)
    }

    /// Latencies in microseconds from `least` or less to `most` or more, marked in milliseconds.
    pub(super) fn latencies(least: u64, most: u64, title: &str) -> Self {
        let from = nice_numbers().take_while(|nice| *nice <= least).last().unwrap_or(1);
        let to = nice_up(most.max(from.saturating_add(1)));
        let inside = |value: &u64| (from..=to).contains(value);
        let mut values: Vec<u64> = nice_numbers().filter(inside).collect();
        if values.len() > LOG_MARKS {
            values.retain(|value| value.checked_ilog10().is_some_and(|n| 10_u64.pow(n) == *value));
        }
        let each = values.len().div_ceil(LOG_MARKS).max(1);
        let ticks = values
            .into_iter()
            .step_by(each)
            .map(|value| Tick { value, label: number::short_millis(value) })
            .collect();
        Self::new(Scale::Log, (from, to), ticks, title)
    }

    /// The seconds from `from` to `to`.
    pub(super) fn time(from: u64, to: u64) -> Self {
        let step = round_time(to.saturating_sub(from), TIME_MARKS);
        let (unit, seconds) = [("days", DAY), ("hours", 3600), ("minutes", 60)]
            .into_iter()
            .find(|(_, seconds)| step.is_multiple_of(*seconds))
            .unwrap_or(("seconds", 1));
        let label = |value: u64| number::grouped(value.checked_div(seconds).unwrap_or_default());
        let ticks = multiples(step, from, to).map(|value| Tick { value, label: label(value) });
        Self::new(Scale::Linear, (from, to), ticks.collect(), unit)
    }

    /// Shares of the answers in millionths, from the least of `shares` to the greatest.
    pub(super) fn shares(shares: &[u32], title: &str) -> Self {
        let whole = u64::from(WHOLE_PPM);
        let least = shares.iter().copied().min().unwrap_or(500_000);
        let last = shares.iter().copied().filter(|share| *share < WHOLE_PPM).max();
        let last = last.unwrap_or_default().max(500_000);
        let from = if least < 500_000 { 0 } else { 500_000 };
        let mut ticks: Vec<Tick> = SHARES
            .into_iter()
            .chain([999_999])
            .filter(|share| (from..=last).contains(share))
            .map(|share| Tick { value: share.into(), label: number::percent(share) })
            .collect();
        let mut axis = Self::new(Scale::Nines, (from.into(), last.into()), Vec::new(), title);
        if shares.iter().any(|share| *share >= WHOLE_PPM) || axis.start == axis.end {
            axis.end = axis.end.saturating_add(HALF_DECADE);
            ticks.push(Tick { value: whole, label: String::from("max") });
        }
        axis.ticks = ticks;
        axis
    }

    /// How far along an axis of this length `value` lies; what is outside lies at the edge.
    pub(super) fn place(&self, value: u64, length: Px) -> Px {
        let spread = self.scale.spread(value).clamp(self.start, self.end.max(self.start));
        let part = u128::from(spread.saturating_sub(self.start));
        let whole = u128::from(self.end.saturating_sub(self.start));
        let tenths = part.saturating_mul(length.0.into()).checked_div(whole).unwrap_or_default();
        Px(u64::try_from(tenths).unwrap_or(length.0))
    }
}

/// The least round number of seconds that is contained at most `times` times in `span`.
pub(super) fn round_time(span: u64, times: u64) -> u64 {
    let step = span.div_ceil(times.max(1)).max(1);
    let round = ROUND_TIMES.into_iter().find(|round| *round >= step);
    round.unwrap_or_else(|| nice_up(step.div_ceil(DAY)).saturating_mul(DAY))
}

/// 1, 2, 5, 10, 20, 50 and so on.
fn nice_numbers() -> impl Iterator<Item = u64> {
    let decades = (0..=u64::MAX.ilog10()).filter_map(|n| 10_u64.checked_pow(n));
    decades.flat_map(|decade| [1, 2, 5].into_iter().filter_map(move |by| decade.checked_mul(by)))
}

/// The least nice number that is not below `value`.
fn nice_up(value: u64) -> u64 {
    nice_numbers().find(|nice| *nice >= value).unwrap_or(u64::MAX)
}

/// The multiples of `step` from `from` to `to`.
fn multiples(step: u64, from: u64, to: u64) -> impl Iterator<Item = u64> {
    let first = from.div_ceil(step.max(1)).checked_mul(step);
    let next = move |value: &u64| value.checked_add(step.max(1));
    std::iter::successors(first, next).take_while(move |value| *value <= to)
}

/// The binary logarithm in 65 536ths; that of nothing is 0 like that of 1.
fn log2(value: u64) -> u64 {
    const ONE: u64 = 1 << 31;
    let value = value.max(1);
    // What is left of the value: at least one, less than two.
    let mut rest = value.checked_shl(value.leading_zeros()).unwrap_or_default() >> 32;
    let mut log = u64::from(value.ilog2());
    for _ in 0..16 {
        rest = rest.saturating_mul(rest) / ONE;
        log = log.saturating_mul(2);
        if rest >= ONE.saturating_mul(2) {
            rest /= 2;
            log = log.saturating_add(1);
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> String {
        let labels: Vec<&str> = axis.ticks.iter().map(|tick| tick.label.as_str()).collect();
        labels.join(" | ").replace(['\u{202f}', '\u{a0}'], " ")
    }

    #[test]
    fn counts_are_marked_at_round_values() {
        for (most, expected) in [
            (0, "0 | 1"),
            (1, "0 | 1"),
            (3, "0 | 1 | 2 | 3"),
            (7, "0 | 2 | 4 | 6 | 8"),
            (10, "0 | 2 | 4 | 6 | 8 | 10"),
            (11, "0 | 5 | 10 | 15"),
            (5_010, "0 | 2 000 | 4 000 | 6 000"),
            (93_417, "0 | 20 000 | 40 000 | 60 000 | 80 000 | 100 000"),
        ] {
            assert_eq!(labels(&Axis::counts(most, "")), expected, "{most}");
        }
        let huge = Axis::counts(u64::MAX, "");
        assert_eq!(huge.ticks.len(), 4);
        assert_eq!(huge.place(u64::MAX, Px::new(100)), Px::new(100));
    }

    #[test]
    fn latencies_are_marked_in_milliseconds() {
        for (least, most, expected) in [
            (0, 0, "0.001 | 0.002"),
            (180, 950, "0.1 | 0.2 | 0.5 | 1"),
            (200, 200, "0.2 | 0.5"),
            (100, 19_000, "0.1 | 0.2 | 0.5 | 1 | 2 | 5 | 10 | 20"),
            (100, 21_000, "0.1 | 1 | 10"),
            (40, 9_000_000, "0.1 | 1 | 10 | 100 | 1 000 | 10 000"),
        ] {
            assert_eq!(labels(&Axis::latencies(least, most, "")), expected, "{least} to {most}");
        }
        assert_eq!(Axis::latencies(0, u64::MAX, "").ticks.len(), 7);
        let top = Axis::latencies(u64::MAX, u64::MAX, "");
        assert_eq!(top.place(u64::MAX, Px::new(100)), Px::new(100));
    }

    #[test]
    fn time_is_marked_in_its_own_units() {
        for (from, to, expected, unit) in [
            (0, 1, "0 | 1", "seconds"),
            (0, 10, "0 | 2 | 4 | 6 | 8 | 10", "seconds"),
            (3, 60, "10 | 20 | 30 | 40 | 50 | 60", "seconds"),
            (0, 100, "0 | 15 | 30 | 45 | 60 | 75 | 90", "seconds"),
            (0, 600, "0 | 2 | 4 | 6 | 8 | 10", "minutes"),
            (0, 20_000, "0 | 1 | 2 | 3 | 4 | 5", "hours"),
            (0, 1_000_000, "0 | 2 | 4 | 6 | 8 | 10", "days"),
        ] {
            let axis = Axis::time(from, to);
            assert_eq!((labels(&axis).as_str(), axis.title.as_str()), (expected, unit));
        }
        assert!(Axis::time(0, u64::from(u32::MAX)).ticks.len() <= 9);
    }

    #[test]
    fn shares_are_marked_at_their_nines() {
        for (shares, expected) in [
            (&[][..], "50 % | max"),
            (&[500_000], "50 % | max"),
            (&[0, 999_000], "0 % | 50 % | 90 % | 99 % | 99.9 %"),
            (&[500_000, 900_000, 1_000_000], "50 % | 90 % | max"),
            (&[500_000, 999_999], "50 % | 90 % | 99 % | 99.9 % | 99.99 % | 99.999 % | 99.9999 %"),
        ] {
            let axis = Axis::shares(shares, "");
            assert_eq!(labels(&axis), expected);
        }
        let axis = Axis::shares(&[500_000, 999_950, 1_000_000], "");
        let place = |share| axis.place(share, Px::new(1000));
        assert_eq!((place(500_000), place(1_000_000)), (Px::new(0), Px::new(1000)));
        let decades = [place(900_000), place(990_000), place(999_000)];
        let [first, second, third] = decades;
        assert!(second.minus(first).minus(third.minus(second)) <= Px(1), "{decades:?}");
    }

    #[test]
    fn logarithms_are_logarithms() {
        for power in 0_u64..64 {
            assert_eq!(log2(1 << power), power << 16);
        }
        // 65 536 times 1.584 962, 3.321 928, 19.931 568.
        for (value, log) in [(3, 103_872), (10, 217_705), (1_000_000, 1_306_235)] {
            assert_eq!(log2(value), log, "{value}");
        }
        assert_eq!(log2(u64::MAX), (64 << 16) - 1);
        assert_eq!(log2(0), 0);
    }
}
