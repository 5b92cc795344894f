//! How much a card may spend in a time, and how much of that it has spent.

use serde::{Deserialize, Serialize};

use crate::terms::{Amount, BusinessDate, Refusal};

/// The most that may be spent in a time, and how often. Zero is no limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// The most in all.
    pub amount: Amount,
    /// The most times.
    pub count: u32,
}

/// The limits of a product beside that of one transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// For one business date.
    pub day: Ceiling,
    /// For the business dates of one calendar month.
    pub month: Ceiling,
}

/// What was spent in a time, and how often.
#[derive(Clone, Copy, Default)]
struct Sum {
    amount: Amount,
    count: u32,
}

/// What a card has spent of its limits: on the last business date it was used, and in that month.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    date: BusinessDate,
    day_count: u32,
    month_count: u32,
    day_amount: Amount,
    month_amount: Amount,
}

impl Spent {
    /// Returns why `amount` more on `date` is too much, if so. What is `held` for so many open
    /// pre-authorisations may still be spent on any day, so it counts as if it were.
    #[must_use]
    pub fn refusal(
        &self,
        limits: &Limits,
        date: BusinessDate,
        amount: Amount,
        held: (Amount, u32),
    ) -> Option<Refusal> {
        let now = self.on(date);
        [(now.day(), limits.day), (now.month(), limits.month)].into_iter().find_map(
            |(sum, ceiling)| {
                let is_too_often =
                    ceiling.count != 0 && sum.count.saturating_add(held.1) >= ceiling.count;
                let all = sum.amount.checked_add(held.0).and_then(|sum| sum.checked_add(amount));
                let is_too_much =
                    !ceiling.amount.is_zero() && all.is_none_or(|all| all > ceiling.amount);
                match (is_too_much, is_too_often) {
                    (true, _) => Some(Refusal::AmountLimit),
                    (false, true) => Some(Refusal::CountLimit),
                    (false, false) => None,
                }
            },
        )
    }

    /// Returns the sums as they stand on `date`: a new date begins from nothing.
    fn on(&self, date: BusinessDate) -> Self {
        let mut now = *self;
        if now.date != date {
            let is_this_month = now.date.yyyymm() == date.yyyymm();
            let month = if is_this_month { now.month() } else { Sum::default() };
            now = Self::of(date, Sum::default(), month);
        }
        now
    }

    /// Counts what was spent on `date` as it stands on `today`: more, or less where something of
    /// it is undone.
    pub(crate) fn change(
        &mut self,
        date: BusinessDate,
        today: BusinessDate,
        amount: Amount,
        count: i32,
    ) {
        let now = self.on(today);
        let (mut day, mut month) = (now.day(), now.month());
        let is_this_day = date == today;
        let is_this_month = date.yyyymm() == today.yyyymm();
        for (sum, applies) in [(&mut day, is_this_day), (&mut month, is_this_month)] {
            if applies {
                sum.amount = sum.amount.plus(amount).max(Amount::ZERO);
                sum.count = sum.count.saturating_add_signed(count);
            }
        }
        *self = Self::of(today, day, month);
    }

    const fn day(&self) -> Sum {
        Sum { amount: self.day_amount, count: self.day_count }
    }

    const fn month(&self) -> Sum {
        Sum { amount: self.month_amount, count: self.month_count }
    }

    /// Side by side, the sums would be eight bytes longer.
    const fn of(date: BusinessDate, day: Sum, month: Sum) -> Self {
        let (day_count, month_count) = (day.count, month.count);
        Self { date, day_count, month_count, day_amount: day.amount, month_amount: month.amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(month: u8, day: u8) -> BusinessDate {
        BusinessDate::new(2026, month, day).unwrap()
    }

    #[test]
    fn a_day_and_a_month_have_ends() {
        let (fen, none) = (Amount::from_fen, (Amount::ZERO, 0));
        let limits = Limits {
            day: Ceiling { amount: fen(100), count: 2 },
            month: Ceiling { amount: fen(150), count: 0 },
        };
        let mut spent = Spent::default();
        assert_eq!(spent.refusal(&limits, date(1, 30), fen(100), none), None);
        assert_eq!(spent.refusal(&limits, date(1, 30), fen(101), none), Some(Refusal::AmountLimit));
        let held =
            |amount, count| spent.refusal(&limits, date(1, 30), fen(50), (fen(amount), count));
        assert_eq!([held(50, 1), held(51, 1)], [None, Some(Refusal::AmountLimit)]);
        assert_eq!(held(0, 2), Some(Refusal::CountLimit));
        spent.change(date(1, 30), date(1, 30), fen(40), 1);
        spent.change(date(1, 30), date(1, 30), fen(40), 1);
        assert_eq!(spent.refusal(&limits, date(1, 30), fen(1), none), Some(Refusal::CountLimit));
        assert_eq!(spent.refusal(&limits, date(1, 31), fen(70), none), None);
        assert_eq!(spent.refusal(&limits, date(1, 31), fen(71), none), Some(Refusal::AmountLimit));
        assert_eq!(spent.refusal(&limits, date(2, 1), fen(100), none), None);
        spent.change(date(1, 30), date(1, 31), fen(-40), -1);
        assert_eq!(spent.refusal(&limits, date(1, 31), fen(100), none), None);
        spent.change(date(1, 31), date(2, 1), fen(-40), -1);
        assert_eq!(spent, Spent { date: date(2, 1), ..Spent::default() });
    }
}
