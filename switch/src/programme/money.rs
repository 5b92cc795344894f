//! Money as a person writes it.

use domain::terms::Amount;

/// Reads yuan with exactly two decimals, `60.00`: no sign, no separators, no leading zero.
///
/// Strict, because a slip in an amount must not become another amount. `None` for anything else,
/// and beyond twelve digits of fen (ISO 8583-1:1987, field 4).
#[must_use]
pub fn parse_yuan(text: &str) -> Option<Amount> {
    let (yuan, fen) = text.split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = yuan.len() > 1 && yuan.starts_with('0');
    if !(1..=10).contains(&yuan.len()) || fen.len() != 2 || leading_zero {
        return None;
    }
    if !digits(yuan) || !digits(fen) {
        return None;
    }
    let yuan: i64 = yuan.parse().ok()?;
    let fen: i64 = fen.parse().ok()?;
    Some(Amount::from_fen(yuan.checked_mul(100)?.checked_add(fen)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yuan_with_two_decimals_are_money() {
        for (text, fen) in [("60.00", 6000), ("0.05", 5), ("9999999999.99", 999_999_999_999)] {
            assert_eq!(parse_yuan(text), Some(Amount::from_fen(fen)), "{text}");
        }
        for wrong in
            ["60", "60.0", "60.000", ".50", "-1.00", "+1.00", "1,000.00", "01.00", " 1.00", ""]
        {
            assert_eq!(parse_yuan(wrong), None, "{wrong}");
        }
        assert_eq!(parse_yuan("10000000000.00"), None);
        assert_eq!(parse_yuan("６0.00"), None);
    }

    #[test]
    fn what_is_printed_is_read() {
        for fen in [0, 1, 99, 100, 123_456] {
            let amount = Amount::from_fen(fen);
            assert_eq!(parse_yuan(&amount.to_string()), Some(amount));
        }
    }
}
