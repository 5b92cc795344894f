//! Time: the one place that reads a clock.

use std::time::Instant;

use domain::terms::{BusinessDate, Timestamp};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned, civil};

/// A point in time, by two clocks: one that people set, one that only runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// The time of day, which may jump.
    pub at: Timestamp,
    /// Microseconds since some start, for measuring how long things take.
    pub micros: u64,
}

/// Tells the time. The simulation brings its own.
pub trait Clock: Send + Sync {
    /// Returns the time.
    fn now(&self) -> Moment;
}

/// The clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Moment { at: Timestamp(jiff::Timestamp::now().as_millisecond()), micros }
    }
}

/// Where the programme lives: its time zone and the hour its business day ends.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    cut_off: civil::Time,
}

/// A moment as a slip prints it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Local {
    /// `hhmmss`, for F12.
    pub time: [u8; 6],
    /// `MMDD`, for F13.
    pub date: [u8; 4],
}

impl Calendar {
    /// Returns the calendar of a zone, with business days that end at `cut_off`.
    #[must_use]
    pub const fn new(zone: TimeZone, cut_off: civil::Time) -> Self {
        Self { zone, cut_off }
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(self.zone.clone())
    }

    /// Returns local time and date.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Local {
        let zoned = self.zoned(at);
        let mut local = Local { time: *b"000000", date: *b"0000" };
        let parts = [zoned.hour(), zoned.minute(), zoned.second(), zoned.month(), zoned.day()];
        let pairs = local.time.chunks_exact_mut(2).chain(local.date.chunks_exact_mut(2));
        for (pair, part) in pairs.zip(parts) {
            let part = part.unsigned_abs();
            pair.copy_from_slice(&[b'0' | part.wrapping_div(10), b'0' | part.wrapping_rem(10)]);
        }
        local
    }

    /// Returns the business date that a moment falls on: from the cut-off on, the next day's.
    #[must_use]
    pub fn business_date(&self, at: Timestamp) -> BusinessDate {
        let zoned = self.zoned(at);
        let date = if zoned.time() >= self.cut_off {
            zoned.date().tomorrow().unwrap_or(zoned.date())
        } else {
            zoned.date()
        };
        let (year, month, day) = (date.year(), date.month(), date.day());
        BusinessDate::new(year.unsigned_abs(), month.unsigned_abs(), day.unsigned_abs())
            .unwrap_or_default()
    }

    /// Returns how far it is from `at` to a local time that is told without its year: month, day,
    /// hour, minute, second. It is taken to be of the year in which it is nearest; `None` if no
    /// year around has that day.
    #[must_use]
    pub fn distance(&self, at: Timestamp, told: [i8; 5]) -> Option<std::time::Duration> {
        let [month, day, hour, minute, second] = told;
        let now = self.zoned(at);
        let years = now.year().saturating_sub(1)..=now.year().saturating_add(1);
        let distances = years.filter_map(|year| {
            let date = civil::Date::new(year, month, day).ok()?;
            let time = civil::Time::new(hour, minute, second, 0).ok()?;
            let then = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
            Some(now.duration_until(&then).unsigned_abs())
        });
        distances.min()
    }

    /// Returns how long it is from `at` to the next cut-off.
    #[must_use]
    pub fn until_cut_off(&self, at: Timestamp) -> std::time::Duration {
        let zoned = self.zoned(at);
        let day = if zoned.time() >= self.cut_off {
            zoned.date().tomorrow().unwrap_or(zoned.date())
        } else {
            zoned.date()
        };
        let next = day.to_datetime(self.cut_off).to_zoned(self.zone.clone());
        let left = next.map_or(SignedDuration::from_hours(1), |next| zoned.duration_until(&next));
        std::time::Duration::try_from(left).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), civil::time(23, 0, 0, 0))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn slips_print_local_time() {
        let local = calendar().local(at("2026-11-22T16:05:09Z"));
        assert_eq!(local, Local { time: *b"000509", date: *b"1123" });
    }

    #[test]
    fn the_year_of_a_local_time_is_the_nearest() {
        let hours = |now, told| calendar().distance(at(now), told).map(|d| d.as_secs() / 3600);
        let new_year = "2026-12-31T16:30:00Z";
        assert_eq!(hours(new_year, [12, 31, 23, 30, 0]), Some(1));
        assert_eq!(hours(new_year, [1, 1, 0, 30, 0]), Some(0));
        assert_eq!(hours("2026-12-31T15:30:00Z", [1, 1, 0, 30, 0]), Some(1));
        assert_eq!(hours("2028-02-29T16:30:00Z", [2, 29, 23, 30, 0]), Some(1));
        assert_eq!(hours("2026-03-01T00:00:00Z", [2, 29, 23, 30, 0]), None);
        assert_eq!(hours("2026-11-22T02:00:00Z", [11, 20, 10, 0, 0]), Some(48));
    }

    #[test]
    fn the_business_day_turns_at_the_cut_off() {
        let date = |text| calendar().business_date(at(text)).yyyymmdd();
        assert_eq!(date("2026-11-22T14:59:59Z"), 20_261_122);
        assert_eq!(date("2026-11-22T15:00:00Z"), 20_261_123);
        assert_eq!(date("2026-12-31T15:00:00Z"), 20_270_101);
        let left = calendar().until_cut_off(at("2026-11-22T14:59:00Z"));
        assert_eq!(left, std::time::Duration::from_secs(60));
    }
}
