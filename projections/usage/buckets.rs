//! Which day, week or month does a time belong to? Days are those of a time zone, as for limits.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::{domain::time::start_of_day, projections::calendar::FigureInterval};

/// The days, weeks or months of a span of days, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    pub(super) starts: Vec<DateTime<Utc>>,
    /// The first day of each, which may be before the span.
    pub(super) days: Vec<NaiveDate>,
    pub(super) end: DateTime<Utc>,
}

impl Buckets {
    /// The buckets of the days from `from` until before `until`.
    #[must_use]
    pub fn of(from: NaiveDate, until: NaiveDate, interval: FigureInterval, zone: Tz) -> Self {
        let instant = |day: NaiveDate| start_of_day(day, zone).to_utc();
        let (mut starts, mut days, mut day) = (Vec::new(), Vec::new(), from);
        while day < until {
            starts.push(instant(day));
            days.push(interval.first_day(day));
            let Some(next) = interval.next_first_day(day).filter(|next| *next > day) else { break };
            day = next;
        }
        Self { starts, days, end: instant(until) }
    }

    pub(super) fn begin(&self) -> DateTime<Utc> {
        self.starts.first().copied().unwrap_or(self.end)
    }
}
