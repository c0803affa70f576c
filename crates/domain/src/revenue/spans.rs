//! How much of a paid period is earned by when? Its money is spread evenly over its time, to the microsecond.

use chrono::{Days, NaiveDate};

use crate::{
    amount::Currency,
    time::{Period, Timestamp},
};

use super::share;

/// Money that is earned evenly over `period`, counted from `since` until before `until`.
///
/// `money` is that of the whole period: what was earned of it before `since` is not counted here, and what would be
/// earned after `until` is not either, because from then on there is more or less of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningSpan {
    pub currency: Currency,
    /// In minor units. Negative for what gives money back.
    pub minor: i64,
    pub period: Period,
    pub since: Timestamp,
    pub until: Timestamp,
}

impl EarningSpan {
    /// What was earned of money by `at`, if all of it is earned over `period`.
    #[must_use]
    pub fn earned_by(minor: i64, period: Period, at: Timestamp) -> i64 {
        if at >= period.end {
            return minor;
        }
        let micros =
            |from: Timestamp, until: Timestamp| i128::from(until.micros()) - i128::from(from.micros());
        share(minor, micros(period.start, at.max(period.start)), micros(period.start, period.end))
    }

    /// What is earned on each day, in UTC, on which it is not nothing.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, i64)> + '_ {
        let begin = self.since.max(self.period.start);
        let end = self.until.min(self.period.end);
        let first = begin.to_utc().date_naive();
        let days = first.iter_days().take_while(move |day| begin < end && midnight(*day) < end);
        days.map(move |day| {
            let next = day.checked_add_days(Days::new(1)).map_or(end, midnight);
            (day, self.between(midnight(day), next))
        })
        .filter(|(_, minor)| *minor != 0)
    }

    /// What is earned from one time until before another.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> i64 {
        // The bounds can be the wrong way round if the span is over before it begins.
        let within = |at: Timestamp| at.min(self.until).max(self.since);
        let by = |at: Timestamp| Self::earned_by(self.minor, self.period, within(at));
        by(until).saturating_sub(by(from))
    }
}

fn midnight(day: NaiveDate) -> Timestamp {
    Timestamp::from(day.and_time(chrono::NaiveTime::MIN).and_utc())
}
