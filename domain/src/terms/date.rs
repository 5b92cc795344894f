//! Dates and times that come in as arguments.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

/// The day an entry belongs to in clearing and accounting, as `yyyymmdd`.
///
/// It changes by a journalled cut-off only, never because a clock passed midnight.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct BusinessDate(u32);

impl BusinessDate {
    /// No date: before the first cut-off.
    pub const ZERO: Self = Self(0);

    /// Returns the date, or `None` if month or day is impossible.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if month == 0 || month > 12 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        let number = u32::from(year)
            .checked_mul(10_000)?
            .checked_add(u32::from(month).checked_mul(100)?)?
            .checked_add(u32::from(day))?;
        Some(Self(number))
    }

    /// Returns the date as a number, `yyyymmdd`; zero before the first cut-off.
    #[must_use]
    pub const fn yyyymmdd(self) -> u32 {
        self.0
    }

    /// Returns month and day as F13 and F15 carry them: `MMDD`.
    #[must_use]
    pub const fn mmdd(self) -> u32 {
        self.0.wrapping_rem(10_000)
    }

    /// Returns year and month, `yyyymm`.
    #[must_use]
    pub const fn yyyymm(self) -> u32 {
        self.0.wrapping_div(100)
    }

    /// Returns the number of the day, counted from 0000-03-01, so that two dates can be
    /// subtracted (civil calendar, proleptic Gregorian).
    #[must_use]
    pub fn day_number(self) -> i64 {
        let year = i64::from(self.0.wrapping_div(10_000));
        let month = i64::from(self.mmdd().wrapping_div(100));
        let day = i64::from(self.0.wrapping_rem(100));
        // A year that begins in March has its leap day last, so no month needs a correction.
        let is_before_march = month <= 2;
        let year = year.saturating_sub(i64::from(is_before_march));
        let month = if is_before_march { month.saturating_add(9) } else { month.saturating_sub(3) };
        let leap_days = year
            .div_euclid(4)
            .saturating_sub(year.div_euclid(100))
            .saturating_add(year.div_euclid(400));
        // March to July, and August to December: 153 days in five months.
        let days_before_month = month.saturating_mul(153).saturating_add(2).div_euclid(5);
        [year.saturating_mul(365), leap_days, days_before_month, day, -1]
            .into_iter()
            .fold(0, i64::saturating_add)
    }

    /// Returns how many days this date is after `earlier`; nothing if either is no date.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        if self == Self::ZERO || earlier == Self::ZERO {
            return 0;
        }
        self.day_number().saturating_sub(earlier.day_number())
    }
}

impl fmt::Display for BusinessDate {
    /// Writes `2026-11-22`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, mmdd) = (self.0.wrapping_div(10_000), self.mmdd());
        write!(f, "{year:04}-{:02}-{:02}", mmdd.wrapping_div(100), mmdd.wrapping_rem(100))
    }
}

/// The last month in which a card is valid (F14), as `yyyymm`. Zero: the card does not expire.
#[derive(
    Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize,
)]
pub struct Expiry(u32);

impl Expiry {
    /// A card without an expiry, as the law asks of named cards.
    pub const NEVER: Self = Self(0);

    /// Returns the expiry from the `YYMM` of F14 or a track (years 2000 to 2099), or `None` for
    /// an impossible month.
    #[must_use]
    pub fn from_yymm(yymm: u16) -> Option<Self> {
        let (year, month) = (yymm.wrapping_div(100), yymm.wrapping_rem(100));
        if month == 0 || month > 12 || year > 99 {
            return None;
        }
        Some(Self(200_000_u32.checked_add(u32::from(yymm))?))
    }

    /// Returns `YYMM`, or `None` for a card that never expires.
    #[must_use]
    pub const fn yymm(self) -> Option<u32> {
        if self.0 == 0 { None } else { Some(self.0.wrapping_rem(10_000)) }
    }

    /// True if the last valid month is over on `date`.
    #[must_use]
    pub const fn is_over_on(self, date: BusinessDate) -> bool {
        self.0 != 0 && date.0.wrapping_div(100) > self.0
    }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_dates_are_refused() {
        for (year, month, day) in [(2026, 2, 29), (2026, 13, 1), (2026, 4, 31), (2026, 1, 0)] {
            assert_eq!(BusinessDate::new(year, month, day), None);
        }
        assert!(BusinessDate::new(2028, 2, 29).is_some());
        assert!(BusinessDate::new(2000, 2, 29).is_some());
        assert!(BusinessDate::new(2100, 2, 29).is_none());
    }

    #[test]
    fn days_are_counted_across_months_and_years() {
        let day = |y, m, d| BusinessDate::new(y, m, d).unwrap().day_number();
        assert_eq!(day(2026, 3, 1) - day(2026, 2, 28), 1);
        assert_eq!(day(2028, 3, 1) - day(2028, 2, 28), 2);
        assert_eq!(day(2027, 1, 1) - day(2026, 1, 1), 365);
        assert_eq!(day(2400, 3, 1) - day(2000, 3, 1), 146_097);
        assert_eq!(day(1970, 1, 1), 719_468);
        let date = BusinessDate::new(2026, 3, 1).unwrap();
        assert_eq!(date.days_since(BusinessDate::new(2026, 2, 27).unwrap()), 2);
        assert_eq!(date.days_since(BusinessDate::ZERO), 0);
    }

    #[test]
    fn a_card_is_valid_through_its_last_month() {
        let expiry = Expiry::from_yymm(2611).unwrap();
        assert!(!expiry.is_over_on(BusinessDate::new(2026, 11, 30).unwrap()));
        assert!(expiry.is_over_on(BusinessDate::new(2026, 12, 1).unwrap()));
        assert!(!Expiry::NEVER.is_over_on(BusinessDate::new(2099, 12, 31).unwrap()));
        assert_eq!(Expiry::from_yymm(2613), None);
    }
}
