//! Which rows have the figures of some intervals? Whole days, in UTC, and quarters of an hour at their ends.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::{domain::time::start_of_day, projections::calendar::FigureInterval};

/// Intervals of days of a time zone, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The first day of each. The first one begins with the first requested day.
    pub starts: Vec<NaiveDate>,
    pub(super) days: DaySpans,
    pub(super) quarters: QuarterSpans,
    /// When the first one begins, and when the last one is over.
    pub(super) begin: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

/// Days of intervals, by the number of the interval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DaySpans {
    pub places: Vec<i32>,
    pub firsts: Vec<NaiveDate>,
    pub untils: Vec<NaiveDate>,
}

/// Quarters of an hour of intervals, by the number of the interval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QuarterSpans {
    pub places: Vec<i32>,
    pub begins: Vec<DateTime<Utc>>,
    pub untils: Vec<DateTime<Utc>>,
}

impl Spans {
    /// The intervals of the days from `from` until before `until`, in `zone`.
    #[must_use]
    pub fn of(from: NaiveDate, until: NaiveDate, interval: FigureInterval, zone: Tz) -> Self {
        let instant = |day: NaiveDate| start_of_day(day, zone).to_utc();
        let mut spans = Self { begin: instant(from), end: instant(until), ..Self::default() };
        for (place, (first, next)) in (0..).zip(interval.of_days(from, until)) {
            spans.starts.push(first);
            spans.add(place, instant(first), instant(next));
        }
        spans
    }

    fn add(&mut self, place: i32, begin: DateTime<Utc>, end: DateTime<Utc>) {
        let (first, until) = whole_days(begin, end);
        if first >= until {
            self.quarters.add(place, begin, end);
            return;
        }
        self.days.places.push(place);
        self.days.firsts.push(first);
        self.days.untils.push(until);
        self.quarters.add(place, begin, midnight(first));
        self.quarters.add(place, midnight(until), end);
    }
}

impl QuarterSpans {
    fn add(&mut self, place: i32, begin: DateTime<Utc>, until: DateTime<Utc>) {
        if begin < until {
            self.places.push(place);
            self.begins.push(begin);
            self.untils.push(until);
        }
    }
}

/// The days, in UTC, that are whole between two times: the first one, and the first one after them.
fn whole_days(begin: DateTime<Utc>, end: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    let day = begin.date_naive();
    let is_whole = midnight(day) == begin;
    let first = if is_whole { Some(day) } else { day.checked_add_days(Days::new(1)) };
    (first.unwrap_or(day), end.date_naive())
}

pub(super) const fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}
