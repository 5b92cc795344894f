//! Numbers as a person reads them.

/// Parts of a whole: millionths.
pub(super) const WHOLE_PPM: u32 = 1_000_000;

/// Between groups of digits: a narrow space at which no line breaks.
const GAP: char = '\u{202f}';

/// The digits in groups of three.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (left, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        text.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            text.push(GAP);
        }
    }
    text
}

/// Milliseconds, to the microsecond.
pub(super) fn millis(micros: u64) -> String {
    format!("{}.{:03}", grouped(micros / 1000), micros % 1000)
}

/// Milliseconds without needless zeros.
pub(super) fn short_millis(micros: u64) -> String {
    trimmed(&millis(micros))
}

/// A share of the answers: 99.9 %.
pub(super) fn percent(ppm: u32) -> String {
    format!("{}\u{a0}%", trimmed(&format!("{}.{:04}", ppm / 10_000, ppm % 10_000)))
}

/// What `count` is of `all`, to two decimals, and neither nothing nor all if it is not.
pub(super) fn share(count: u64, all: u64) -> String {
    let parts = u128::from(count).saturating_mul(10_000);
    match parts.checked_div(u128::from(all)) {
        None => String::from("–"),
        Some(0) if count > 0 => String::from("<\u{a0}0.01\u{a0}%"),
        Some(parts) => format!("{}.{:02}\u{a0}%", parts / 100, parts % 100),
    }
}

/// "1 fault", "2 faults": for nouns whose plural takes an s.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

fn trimmed(decimal: &str) -> String {
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_read() {
        let plain = |text: String| text.replace([GAP, '\u{a0}'], " ");
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(plain(grouped(value)), text);
        }
        assert_eq!(plain(grouped(u64::MAX)), "18 446 744 073 709 551 615");
        assert_eq!(plain(millis(1_234_005)), "1 234.005");
        for (micros, text) in [(0, "0"), (5, "0.005"), (20, "0.02"), (500, "0.5"), (10_000, "10")] {
            assert_eq!(plain(short_millis(micros)), text);
        }
        for (ppm, text) in [(500_000, "50 %"), (999_900, "99.99 %"), (999_999, "99.9999 %")] {
            assert_eq!(plain(percent(ppm)), text);
        }
        assert_eq!(plain(share(1, 3)), "33.33 %");
        assert_eq!(plain(share(99_999, 100_000)), "99.99 %", "not all of them");
        assert_eq!(plain(share(1, 100_000)), "< 0.01 %", "not none of them");
        assert_eq!(plain(share(u64::MAX, u64::MAX)), "100.00 %");
        assert_eq!(share(0, 0), "–");
        assert_eq!((counted(1, "goal"), counted(0, "goal")), ("1 goal".into(), "0 goals".into()));
    }
}
