//! When does a day, week or month begin, and when the next one?

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::domain::time::CalendarUnit;

/// The first day of the unit that contains `day`.
pub(super) fn first_day(unit: CalendarUnit, day: NaiveDate) -> NaiveDate {
    match unit {
        CalendarUnit::Day => day,
        CalendarUnit::Week => {
            let since = Days::new(u64::from(day.weekday().num_days_from_monday()));
            day.checked_sub_days(since).unwrap_or(day)
        }
        CalendarUnit::Month => day.with_day(1).unwrap_or(day),
    }
}

/// The first day of the next unit. `None`: it is beyond the calendar's end.
pub(super) fn next_first_day(unit: CalendarUnit, day: NaiveDate) -> Option<NaiveDate> {
    match unit {
        CalendarUnit::Day => day.succ_opt(),
        CalendarUnit::Week => first_day(unit, day).checked_add_days(Days::new(7)),
        CalendarUnit::Month => first_day(unit, day).checked_add_months(Months::new(1)),
    }
}
