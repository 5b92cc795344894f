//! What a load measured as one page that a person reads: figures against their goals, and charts.
//!
//! The page stands alone: it has its styles and its charts in it, asks for nothing and runs
//! nothing, so that it can be sent, kept and printed. Every chart has its figures as a table.

mod axis;
mod codes;
mod markup;
mod number;
mod over_time;
mod percentiles;
mod plot;

use std::fmt::Display;

use markup::Markup;
use number::counted;
use over_time::OverTime;

use crate::measured::{Figure, Measured};

/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page for what was measured.
#[must_use]
pub fn html(measured: &Measured) -> String {
    let mut page = Markup::page();
    page.element("html", &[("lang", &"en")], |html| {
        html.element("head", &[], |head| {
            head.empty("meta", &[("charset", &"utf-8")]);
            let policy: [(_, &dyn Display); 2] =
                [("http-equiv", &"Content-Security-Policy"), ("content", &POLICY)];
            head.empty("meta", &policy);
            let width = "width=device-width, initial-scale=1";
            head.empty("meta", &[("name", &"viewport"), ("content", &width)]);
            head.empty("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
            head.leaf("title", &[], &format!("{} – load test", measured.scenario));
            head.style(include_str!("report/style.css"));
        });
        html.element("body", &[], |body| {
            body.element("main", &[], |main| content(main, measured));
        });
    });
    page.into_string()
}

fn content(main: &mut Markup, measured: &Measured) {
    heading(main, measured);
    verdict(main, measured);
    section(main, "Figures", |main| figures(main, &measured.figures));
    if measured.series.is_empty() {
        main.leaf("p", &[("class", &"note")], "No load was put on.");
        return;
    }
    let over_time = OverTime::of(&measured.series);
    let nothing = |main: &mut Markup| {
        main.leaf("p", &[("class", &"note")], "Not one second was measured.");
    };
    section(main, "Throughput over time", |main| match &over_time {
        Some(over_time) => over_time.throughput(main),
        None => nothing(main),
    });
    section(main, "Latency by share of the answers", |main| {
        percentiles::section(main, &measured.series);
    });
    section(main, "Latency over time", |main| match &over_time {
        Some(over_time) => over_time.latency(main),
        None => nothing(main),
    });
    section(main, "Response codes (field 39)", |main| {
        measured.series.iter().for_each(|series| codes::figure(main, series));
    });
}

fn section(main: &mut Markup, title: &str, inner: impl FnOnce(&mut Markup)) {
    main.element("section", &[], |section| {
        section.leaf("h2", &[], title);
        inner(section);
    });
}

/// What was run, by what, how.
fn heading(main: &mut Markup, measured: &Measured) {
    main.element("header", &[], |header| {
        header.leaf("h1", &[], &measured.scenario);
        let program = concat!("Load test by posp ", env!("CARGO_PKG_VERSION"));
        header.leaf("p", &[("class", &"note")], program);
        if measured.settings.is_empty() {
            return;
        }
        header.element("dl", &[], |list| {
            for (name, value) in &measured.settings {
                list.element("div", &[], |pair| {
                    pair.leaf("dt", &[], name);
                    pair.leaf("dd", &[], value);
                });
            }
        });
    });
}

/// The answer first: is all as it should be?
fn verdict(main: &mut Markup, measured: &Measured) {
    let count = |is: fn(&Figure) -> bool| {
        let figures = measured.figures.iter().filter(|figure| is(figure));
        u64::try_from(figures.count()).unwrap_or(u64::MAX)
    };
    let met = count(|figure| figure.is_met == Some(true));
    let missed = count(|figure| figure.is_met == Some(false));
    let open = count(|figure| figure.is_met.is_none() && figure.goal.is_some());
    let faults = u64::try_from(measured.faults.len()).unwrap_or(u64::MAX);
    let goals = |count| counted(count, "goal");
    let (class, text) = match (faults, missed, open, met) {
        (0, 0, 0, 0) => ("plain", String::from("No faults, and no goal to meet")),
        (0, 0, 0, 1) => ("good", String::from("✓ The goal is met")),
        (0, 0, 0, met) => ("good", format!("✓ All {} are met", goals(met))),
        (0, 0, open, met) => ("plain", format!("{} met, {open} not judged", goals(met))),
        (0, missed, ..) => ("bad", format!("✗ {} missed", goals(missed))),
        (faults, 0, ..) => ("bad", format!("✗ {}", counted(faults, "fault"))),
        (faults, missed, ..) => {
            ("bad", format!("✗ {}, and {} missed", counted(faults, "fault"), goals(missed)))
        }
    };
    main.element("div", &[("class", &format!("verdict {class}"))], |verdict| {
        verdict.leaf("p", &[], &text);
        let missed = measured.figures.iter().filter(|figure| figure.is_met == Some(false));
        let missed = missed.map(|figure| match &figure.goal {
            Some(goal) => format!("{}: {}, the goal is {goal}", figure.name, figure.value),
            None => format!("{}: {}", figure.name, figure.value),
        });
        let lines: Vec<String> = measured.faults.iter().cloned().chain(missed).collect();
        if !lines.is_empty() {
            verdict.element("ul", &[], |list| {
                lines.iter().for_each(|line| list.leaf("li", &[], line));
            });
        }
    });
}

fn figures(main: &mut Markup, figures: &[Figure]) {
    if figures.is_empty() {
        main.leaf("p", &[("class", &"note")], "There are none.");
        return;
    }
    main.element("div", &[("class", &"scroll")], |scroll| {
        scroll.element("table", &[("class", &"figures")], |table| {
            table.element("thead", &[], |head| {
                head.element("tr", &[], |row| {
                    row.leaf("th", &[("scope", &"col"), ("class", &"words")], "figure");
                    row.leaf("th", &[("scope", &"col")], "value");
                    row.leaf("th", &[("scope", &"col")], "goal");
                    row.leaf("th", &[("scope", &"col"), ("class", &"words")], "met");
                });
            });
            table.element("tbody", &[], |body| figures.iter().for_each(|one| figure(body, one)));
        });
    });
}

fn figure(body: &mut Markup, figure: &Figure) {
    let (class, met) = match (&figure.goal, figure.is_met) {
        (None, None) => ("words", ""),
        (Some(_), None) => ("words", "not judged"),
        (_, Some(true)) => ("words good", "✓ met"),
        (_, Some(false)) => ("words bad", "✗ missed"),
    };
    body.element("tr", &[], |row| {
        row.leaf("th", &[("scope", &"row"), ("class", &"words")], &figure.name);
        row.leaf("td", &[], &figure.value);
        row.leaf("td", &[], figure.goal.as_deref().unwrap_or_default());
        row.leaf("td", &[("class", &class)], met);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::{Percentile, Second, Series};

    /// Says what is wrong with the page, if anything: a tag that is not closed or not open, an
    /// attribute without quotes, a bare `<`, `>` or `&`.
    fn check(page: &str) -> Result<(), String> {
        let mut open = Vec::new();
        let body = page.strip_prefix("<!DOCTYPE html>").ok_or("no document type")?;
        for part in body.split('<').skip(1) {
            let (tag, text) = part.split_once('>').ok_or_else(|| format!("<{part} has no end"))?;
            if let Some(name) = tag.strip_prefix('/') {
                let opened = open.pop();
                if opened != Some(name) {
                    return Err(format!("{opened:?} is closed by {name}"));
                }
            } else {
                let name = tag.split([' ', '/']).next().unwrap_or_default();
                if !tag.ends_with('/') {
                    open.push(name);
                }
                check_attributes(tag.strip_prefix(name).unwrap().trim_end_matches('/'))?;
            }
            check_text(text)?;
        }
        if open.is_empty() { Ok(()) } else { Err(format!("open at the end: {open:?}")) }
    }

    fn check_attributes(mut rest: &str) -> Result<(), String> {
        while !rest.is_empty() {
            let attribute = rest.strip_prefix(' ').and_then(|rest| rest.split_once("=\""));
            let (name, after) = attribute.ok_or_else(|| format!("not an attribute: {rest}"))?;
            let (value, after) = after.split_once('"').ok_or_else(|| format!("{name} is open"))?;
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                return Err(format!("not a name: {name}"));
            }
            check_text(value)?;
            rest = after;
        }
        Ok(())
    }

    fn check_text(text: &str) -> Result<(), String> {
        let is_entity = |rest: &str| {
            ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| rest.starts_with(entity))
        };
        let is_bare = text.contains('>') || !text.split('&').skip(1).all(is_entity);
        if is_bare { Err(format!("not escaped: {text}")) } else { Ok(()) }
    }

    #[test]
    fn the_check_finds_what_is_wrong() {
        for wrong in [
            "<p><b></p></b>",
            "<p>",
            "</p>",
            "<p",
            "<p a=b></p>",
            "<p a=\"1\"b=\"2\"></p>",
            "<p>a & b</p>",
            "<p>a > b</p>",
            "<p a=\"&\"></p>",
        ] {
            assert!(check(&format!("<!DOCTYPE html>{wrong}")).is_err(), "{wrong}");
        }
        assert_eq!(check("<!DOCTYPE html><p a=\"1\" b=\"\">&amp;<br/></p>"), Ok(()));
    }

    fn second(at: u32, value: u64) -> Second {
        Second {
            at,
            approved: value,
            refused: value,
            unanswered: value,
            p50_us: value,
            p99_us: value,
        }
    }

    fn series(name: &str, seconds: &[(u32, u64)], percentiles: &[(u32, u64)]) -> Series {
        let percentile = |&(share_ppm, micros)| Percentile { share_ppm, micros };
        Series {
            name: name.to_owned(),
            seconds: seconds.iter().map(|&(at, value)| second(at, value)).collect(),
            percentiles: percentiles.iter().map(percentile).collect(),
            codes: seconds.iter().map(|&(at, value)| (format!("{:02}", at % 100), value)).collect(),
        }
    }

    fn page_of(series: Vec<Series>) -> String {
        let page = html(&Measured {
            scenario: "steady".to_owned(),
            settings: vec![("connections".to_owned(), "500".to_owned())],
            series,
            figures: Vec::new(),
            faults: Vec::new(),
        });
        assert_eq!(check(&page), Ok(()));
        assert!(!page.contains("NaN") && !page.contains("inf\"") && !page.contains("\"-"));
        page
    }

    #[test]
    fn nothing_one_second_zeros_and_the_greatest_values_can_be_drawn() {
        const MOST: u64 = u64::MAX;
        for (seconds, percentiles) in [
            (&[][..], &[][..]),
            (&[], &[(500_000, 100)]),
            (&[(0, 7)], &[]),
            (&[(0, 0), (1, 0)], &[(500_000, 0), (1_000_000, 0)]),
            (&[(0, MOST), (1, 0), (u32::MAX, MOST)], &[(0, 0), (u32::MAX, MOST)]),
            (&[(u32::MAX, 1)], &[(999_999, MOST)]),
            (&[(5, 1), (3, 1), (5, 1)], &[(990_000, 5), (500_000, 9)]),
        ] {
            let page = page_of(vec![series("one", seconds, percentiles)]);
            assert!(page.contains(">one<"));
            let two = vec![series("one", seconds, percentiles), series("two", &[(0, 3)], &[])];
            assert!(page_of(two).contains(">two<"));
        }
        assert!(page_of(Vec::new()).contains("No load was put on."));
    }

    #[test]
    fn no_text_becomes_markup() {
        let nasty = "</title><script>alert('x')</script>&\"\u{0}";
        let mut one = series(nasty, &[(0, 1)], &[(500_000, 1)]);
        one.codes.insert(nasty.to_owned(), 3);
        let page = html(&Measured {
            scenario: nasty.to_owned(),
            settings: vec![(nasty.to_owned(), nasty.to_owned())],
            series: vec![one],
            figures: vec![Figure {
                name: nasty.to_owned(),
                value: nasty.to_owned(),
                goal: Some(nasty.to_owned()),
                is_met: Some(false),
            }],
            faults: vec![nasty.to_owned()],
        });
        assert_eq!(check(&page), Ok(()));
        assert!(!page.contains("<script") && !page.contains('\0'));
        // Twice in the head and in the heading, and wherever else it is shown.
        assert!(page.matches("&lt;script&gt;").count() >= 10);
    }

    #[test]
    fn the_page_asks_for_nothing_and_runs_nothing() {
        let page = page_of(vec![series("switch", &[(0, 4), (1, 5)], &[(500_000, 90)])]);
        for word in ["http:", "https:", "url(", "@import", "<script", "<link", "<img", " on"] {
            let found = page.match_indices(word).filter(|(at, _)| {
                // An event's handler is an attribute: `onclick="..."`.
                let rest = page.get(*at..).unwrap().trim_start();
                word != " on" || rest.trim_start_matches(char::is_alphabetic).starts_with('=')
            });
            assert_eq!(found.count(), 0, "{word}");
        }
    }

    #[test]
    fn the_verdict_comes_from_goals_and_faults() {
        let figure = |is_met: Option<bool>| Figure {
            name: "p99".to_owned(),
            value: "0.8 ms".to_owned(),
            goal: Some("1 ms or less".to_owned()),
            is_met,
        };
        for (goals, faults, expected) in [
            (&[][..], 0, "No faults, and no goal to meet"),
            (&[Some(true)], 0, "✓ The goal is met"),
            (&[Some(true), Some(true)], 0, "✓ All 2 goals are met"),
            (&[Some(true), Some(false)], 0, "✗ 1 goal missed"),
            (&[Some(true)], 2, "✗ 2 faults"),
            (&[Some(false)], 1, "✗ 1 fault, and 1 goal missed"),
            (&[Some(true), None], 0, "1 goal met, 1 not judged"),
            (&[None], 0, "0 goals met, 1 not judged"),
            (&[Some(false), None], 0, "✗ 1 goal missed"),
        ] {
            let page = html(&Measured {
                scenario: "smoke".to_owned(),
                settings: Vec::new(),
                series: Vec::new(),
                figures: goals.iter().copied().map(figure).collect(),
                faults: (0..faults).map(|number| format!("fault {number}")).collect(),
            });
            assert_eq!(check(&page), Ok(()));
            assert!(page.contains(expected), "{expected}");
            assert_eq!(page.contains("verdict bad"), expected.contains('✗'), "{expected}");
            assert_eq!(page.contains("verdict good"), expected.contains('✓'), "{expected}");
            let missed = "p99: 0.8 ms, the goal is 1 ms or less";
            assert_eq!(page.contains(missed), goals.contains(&Some(false)));
        }
    }
}
