//! When does a period end? Periods count from the anchor, so that the 31st returns after February.

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc, Weekday};
use strum::{EnumString, IntoStaticStr};

pub const MINUTE_S: i64 = 60;
pub const HOUR_S: i64 = 3_600;
pub const DAY_S: i64 = 86_400;

/// More periods than any date in the sandbox is away from its anchor.
const PERIODS_MAX: u32 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SandboxInterval {
    Day,
    Week,
    Month,
    Year,
}

impl SandboxInterval {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurring {
    pub interval: SandboxInterval,
    pub count: u32,
}

/// The first end of a period after `after`, in Unix seconds.
pub fn period_end(anchor: i64, recurring: Recurring, after: i64) -> i64 {
    let count = recurring.count.max(1);
    // A first guess that is never too late, from which the search goes forward.
    let longest = longest(recurring.interval);
    let passed = after.saturating_sub(anchor).max(0) / longest.saturating_mul(i64::from(count));
    let first = u32::try_from(passed).unwrap_or(0);
    let ends = (first..first.saturating_add(PERIODS_MAX))
        .map(|periods| add(anchor, recurring.interval, count.saturating_mul(periods)));
    ends.into_iter().find(|end| *end > after).unwrap_or(after.saturating_add(longest))
}

/// When the period that ends at `end` began, in Unix seconds. The anchor may be its end.
pub fn period_start(anchor: i64, recurring: Recurring, end: i64) -> i64 {
    let count = recurring.count.max(1);
    if end <= anchor {
        return earlier(end, recurring.interval, count);
    }
    let longest = longest(recurring.interval).saturating_mul(i64::from(count));
    let passed = u32::try_from(end.saturating_sub(anchor) / longest.max(1)).unwrap_or(0);
    // A first guess that is never too late, from which the search goes forward.
    let from = |periods: u32| add(anchor, recurring.interval, count.saturating_mul(periods));
    let starts = (passed.saturating_sub(1)..passed.saturating_add(PERIODS_MAX)).map(from);
    starts.take_while(|start| *start < end).last().unwrap_or(anchor)
}

const fn longest(interval: SandboxInterval) -> i64 {
    match interval {
        SandboxInterval::Day => DAY_S,
        SandboxInterval::Week => 7 * DAY_S,
        SandboxInterval::Month => 31 * DAY_S,
        SandboxInterval::Year => 366 * DAY_S,
    }
}

fn earlier(from: i64, interval: SandboxInterval, count: u32) -> i64 {
    let days = |days: i64| from.saturating_sub(days.saturating_mul(DAY_S).saturating_mul(i64::from(count)));
    let months = |months: u32| {
        let date: Option<DateTime<Utc>> = DateTime::from_timestamp(from, 0);
        let before = date.and_then(|date| date.checked_sub_months(Months::new(months.saturating_mul(count))));
        before.map_or(from, |before| before.timestamp())
    };
    match interval {
        SandboxInterval::Day => days(1),
        SandboxInterval::Week => days(7),
        SandboxInterval::Month => months(1),
        SandboxInterval::Year => months(12),
    }
}

/// `count` intervals later, in Unix seconds. In a month that is too short, it is the last day.
pub fn add(from: i64, interval: SandboxInterval, count: u32) -> i64 {
    let days = |days: i64| from.saturating_add(days.saturating_mul(DAY_S).saturating_mul(i64::from(count)));
    match interval {
        SandboxInterval::Day => days(1),
        SandboxInterval::Week => days(7),
        SandboxInterval::Month => months(from, count),
        SandboxInterval::Year => months(from, count.saturating_mul(12)),
    }
}

fn months(from: i64, count: u32) -> i64 {
    let date: Option<DateTime<Utc>> = DateTime::from_timestamp(from, 0);
    let later = date.and_then(|date| date.checked_add_months(Months::new(count)));
    later.map_or(from, |later| later.timestamp())
}

/// `count` business days later, at the same time of day. Saturdays and Sundays do not count.
pub fn business_days_after(from: i64, count: i64) -> i64 {
    let rests = |at: i64| {
        let date: Option<DateTime<Utc>> = DateTime::from_timestamp(at, 0);
        date.is_some_and(|date| matches!(date.weekday(), Weekday::Sat | Weekday::Sun))
    };
    let mut at = from;
    for _ in 0..count {
        at = at.saturating_add(DAY_S);
        while rests(at) {
            at = at.saturating_add(DAY_S);
        }
    }
    at
}

/// The time that `text` names, in Unix seconds.
/// It is `1 month`, `2 weeks`, `3 days`, `90 minutes`, a number of seconds, or a time such as `2026-02-01T00:00:00Z`.
pub fn parse_advance(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp());
    }
    let (count, unit) = text.split_once(' ').unwrap_or((text, "seconds"));
    let count: u32 = count.parse().ok()?;
    let seconds = |unit: i64| now.checked_add(unit.checked_mul(i64::from(count))?);
    match unit.trim().trim_end_matches('s') {
        "second" => seconds(1),
        "minute" => seconds(MINUTE_S),
        "hour" => seconds(HOUR_S),
        "day" => Some(add(now, SandboxInterval::Day, count)),
        "week" => Some(add(now, SandboxInterval::Week, count)),
        "month" => Some(add(now, SandboxInterval::Month, count)),
        "year" => Some(add(now, SandboxInterval::Year, count)),
        _ => None,
    }
}

/// A time for people, such as `2026-02-01 00:00:00 UTC`.
pub fn shown(at: i64) -> String {
    let date: Option<DateTime<Utc>> = DateTime::from_timestamp(at, 0);
    date.map_or_else(|| at.to_string(), |date| date.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A date as on the lines of an invoice, such as `1 Feb 2026`.
pub fn day(at: i64) -> String {
    let date: Option<DateTime<Utc>> = DateTime::from_timestamp(at, 0);
    date.map_or_else(String::new, |date| date.format("%-d %b %Y").to_string())
}

pub const fn delta(seconds: i64) -> TimeDelta {
    match TimeDelta::try_seconds(seconds) {
        Some(delta) => delta,
        None => TimeDelta::zero(),
    }
}

/// The year of a time in Unix seconds.
pub fn year(at: i64) -> i32 {
    DateTime::from_timestamp(at, 0).map_or(2_030, |date| date.year())
}
