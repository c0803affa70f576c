//! When does a day, week, month, quarter or year begin, and when the next one?

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use crate::domain::time::Timestamp;

const QUARTER_OF_AN_HOUR_S: i64 = 15 * 60;

/// The start of the quarter of an hour that contains `at`. The days of all time zones begin with one.
pub(super) fn quarter_of_an_hour(at: Timestamp) -> DateTime<Utc> {
    let begun = at.seconds().div_euclid(QUARTER_OF_AN_HOUR_S).saturating_mul(QUARTER_OF_AN_HOUR_S);
    Timestamp::from_seconds(begun).unwrap_or(at).to_utc()
}

/// What figures are summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureInterval {
    Day,
    /// From Monday, as in ISO 8601.
    Week,
    Month,
    /// From January, April, July or October.
    Quarter,
    Year,
}

impl FigureInterval {
    /// The intervals of the days from `from` until before `until`: the first day of each, and the first one after it.
    /// The first one begins with `from`, and the last one ends with `until`.
    #[must_use]
    pub fn of_days(self, from: NaiveDate, until: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut intervals = Vec::new();
        let mut first = from;
        while first < until {
            let next = self.next_first_day(first).filter(|next| *next > first && *next < until);
            let next = next.unwrap_or(until);
            intervals.push((first, next));
            first = next;
        }
        intervals
    }

    /// The first day of the interval that contains `day`.
    #[must_use]
    pub fn first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Self::Month => day.with_day(1),
            Self::Quarter => {
                day.with_day(1).and_then(|day| day.with_month0(day.month0().saturating_sub(day.month0() % 3)))
            }
            Self::Year => day.with_ordinal(1),
        }
        .unwrap_or(day)
    }

    /// The first day of the next interval. `None`: it is beyond the calendar's end.
    pub(super) fn next_first_day(self, day: NaiveDate) -> Option<NaiveDate> {
        let first = self.first_day(day);
        match self {
            Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }
}
