//! Into which months does a paid period fall?
//!
//! A whole period has its own months.
//! A part of one, such as the rest after a change of plan or the days before a billing anchor, belongs to the months of
//! the whole period that ends with it.
//! If no such period is known, months are counted back from its end.

use std::collections::BTreeMap;

use chrono::{Datelike, TimeDelta};

use super::lines::ClassifiedLine;
use crate::{
    report::SubscriptionState,
    time::{Period, Timestamp},
};

/// By how many days a month may be off: a period that begins on the 31st begins on the 28th in February.
const ANCHOR_DAYS: TimeDelta = TimeDelta::days(4);
/// By how many days a period may be shorter than its months although the whole price was charged.
const SHORT_DAYS: TimeDelta = TimeDelta::days(3);
/// The most months of one line, so that no loop is endless.
const MONTHS_MAX: u32 = 60;

/// The number of months between two instants. A few days more do not count as a month.
#[must_use]
pub fn months_between(start: Timestamp, end: Timestamp) -> u32 {
    let number = |at: Timestamp| {
        let at = at.to_utc();
        i64::from(at.year()).saturating_mul(12).saturating_add(i64::from(at.month()))
    };
    let whole = u32::try_from(number(end).saturating_sub(number(start))).unwrap_or(0);
    // The calendar's difference is at most one month off, to either side.
    (whole.saturating_sub(1)..=whole.saturating_add(1))
        .find(|months| start.plus_months(*months).plus(ANCHOR_DAYS) >= end)
        .unwrap_or(whole)
}

/// The known months, by their ends.
pub(super) struct Grid(BTreeMap<Timestamp, Period>);

impl Grid {
    pub(super) fn of(lines: &[ClassifiedLine<'_>], reports: &[SubscriptionState]) -> Self {
        let whole = lines.iter().filter_map(|line| split(line.paid.period, line.paid.full));
        let reported = reports.iter().filter_map(|report| split(report.period, false));
        let mut by_end = BTreeMap::new();
        for month in whole.chain(reported).flatten() {
            by_end.entry(month.end).or_insert(month);
        }
        Self(by_end)
    }

    /// The months that a line's period touches, the last one first.
    pub(super) fn months_of(&self, line: &ClassifiedLine<'_>) -> Vec<Period> {
        let period = line.paid.period;
        if let Some(months) = split(period, line.paid.full) {
            let known = |month: Period| self.0.get(&month.end).copied().unwrap_or(month);
            return months.into_iter().rev().map(known).collect();
        }
        self.back_from(period)
    }

    /// Months counted from the end of a part of a period back to its start.
    fn back_from(&self, period: Period) -> Vec<Period> {
        let (mut anchor, mut number, mut end) = (period.end, 0_u32, period.end);
        let mut months = Vec::new();
        while period.start < end && months.len() < usize::try_from(MONTHS_MAX).unwrap_or(usize::MAX) {
            let month = self.0.get(&end).copied().filter(|month| month.start < end);
            let month = if let Some(month) = month {
                (anchor, number) = (month.start, 0);
                month
            } else {
                number = number.saturating_add(1);
                Period { start: anchor.minus_months(number), end }
            };
            end = month.start;
            months.push(month);
        }
        months
    }
}

/// Whether a period began on the last day of a month only because that month is too short for the billing day: one that
/// began on 28 February ends on 31 March.
fn ends_on_the_anchor(period: Period, ends: Timestamp) -> bool {
    let (start, end) = (period.start.to_utc(), period.end.to_utc());
    let next_day = start.date_naive().succ_opt();
    let is_last_day = next_day.is_some_and(|next| next.month() != start.month());
    is_last_day && ends < period.end && (start.time(), ends.to_utc().month()) == (end.time(), end.month())
}

/// The months of a whole period. `None`: it is a part of one.
pub(super) fn split(period: Period, full: bool) -> Option<Vec<Period>> {
    let months = months_between(period.start, period.end).min(MONTHS_MAX);
    let ends = period.start.plus_months(months);
    let about = ends.minus(SHORT_DAYS) <= period.end && period.end <= ends.plus(ANCHOR_DAYS);
    let is_whole = period.end == ends || ends_on_the_anchor(period, ends) || (full && about);
    if months == 0 || !is_whole {
        return None;
    }
    let boundary = |number: u32| if number >= months { period.end } else { period.start.plus_months(number) };
    let month = |number: u32| Period { start: boundary(number), end: boundary(number.saturating_add(1)) };
    Some((0..months).map(month).collect())
}
