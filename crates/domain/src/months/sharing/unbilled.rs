//! How many credits are taken back because of a downgrade that no invoice has returned money for?
//!
//! A report of a smaller plan than was charged for reduces what the rest of the month gives.
//! The credits are given again if a later report or line says that the larger plan holds after all.

use super::{LinePart, MonthShare, credits};
use crate::{
    amount::Credits,
    months::lines::ClassifiedLine,
    report::{SubscriptionState, SubscriptionStatus},
    time::{Period, Timestamp},
};

/// A part of the month in which nothing changes.
struct Stretch {
    span: Period,
    /// The credits that lines give, for a whole month.
    billed: i128,
    /// The credits of the plan that holds, for a whole month: by a report that is newer than the lines, else by the
    /// lines.
    held: i128,
}

pub(super) fn taken(
    share: &MonthShare,
    lines: &[ClassifiedLine<'_>],
    reports: &[SubscriptionState],
) -> Credits {
    let reports = about(share, reports);
    if reports.is_empty() {
        return Credits::ZERO;
    }
    let excess = excesses(share, lines, &reports).into_iter().fold(0_i128, |sum, (span, excess)| {
        sum.saturating_add(excess.saturating_mul(i128::from(span.seconds())))
    });
    credits(excess.checked_div(i128::from(share.period.seconds().max(1))).unwrap_or(0))
}

/// By how many credits lines give more than the plan that holds at `at`, for a whole month.
pub(super) fn at(
    share: &MonthShare,
    lines: &[ClassifiedLine<'_>],
    reports: &[SubscriptionState],
    at: Timestamp,
) -> i128 {
    let reports = about(share, reports);
    let found = excesses(share, lines, &reports).into_iter().find(|(span, _)| span.contains(at));
    found.map_or(0, |(_, excess)| excess)
}

/// The reports on the period that the month is in; the last one holds.
/// A report that repeats what holds is left out: it may not have been stored.
fn about<'r>(share: &MonthShare, reports: &'r [SubscriptionState]) -> Vec<&'r SubscriptionState> {
    let counts = |report: &&SubscriptionState| {
        let holds = matches!(report.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue);
        holds && report.period.start <= share.period.start && share.period.end <= report.period.end
    };
    let mut about: Vec<&SubscriptionState> = reports.iter().filter(counts).collect();
    about.dedup_by(|later, earlier| (&later.plan, later.quantity) == (&earlier.plan, earlier.quantity));
    about
}

/// The parts of the month in which lines give more than the plan that holds then or at any later time.
fn excesses(
    share: &MonthShare,
    lines: &[ClassifiedLine<'_>],
    reports: &[&SubscriptionState],
) -> Vec<(Period, i128)> {
    let mut most = i128::MIN;
    let mut excesses = Vec::new();
    for stretch in stretches(share, lines, reports).iter().rev() {
        most = most.max(stretch.held);
        let excess = stretch.billed.saturating_sub(most);
        if excess > 0 {
            excesses.push((stretch.span, excess));
        }
    }
    excesses
}

fn stretches(
    share: &MonthShare,
    lines: &[ClassifiedLine<'_>],
    reports: &[&SubscriptionState],
) -> Vec<Stretch> {
    let bounds = share.parts.iter().flat_map(|part| [part.span.start, part.span.end]);
    let times = reports.iter().map(|report| report.evidence.reported_at);
    let inside = |at: &Timestamp| share.period.contains(*at) || *at == share.period.end;
    let mut points: Vec<Timestamp> =
        bounds.chain(times).chain([share.period.start, share.period.end]).filter(inside).collect();
    points.sort_unstable();
    points.dedup();
    let pairs = points.iter().zip(points.iter().skip(1));
    pairs.map(|(start, end)| stretch(share, lines, reports, Period { start: *start, end: *end })).collect()
}

fn stretch(
    share: &MonthShare,
    lines: &[ClassifiedLine<'_>],
    reports: &[&SubscriptionState],
    span: Period,
) -> Stretch {
    let covering: Vec<&LinePart> = share.parts.iter().filter(|part| part.span.contains(span.start)).collect();
    let billed = covering.iter().fold(0_i128, |sum, part| sum.saturating_add(part.monthly));
    let of_part = |part: &&LinePart| lines.get(part.line);
    let billed_since = covering.iter().filter_map(of_part).map(ClassifiedLine::billed_since).max();
    let newest = reports.iter().rfind(|report| report.evidence.reported_at <= span.start);
    let newest = newest.filter(|report| billed_since.is_none_or(|since| report.evidence.reported_at > since));
    let held = newest.and_then(|report| {
        let charged =
            covering.iter().filter_map(of_part).find(|line| line.sign > 0 && line.paid.plan == report.plan);
        let unit = charged.map(|line| line.unit).or(report.unit)?;
        let is_free = report.free || charged.is_some_and(|line| line.paid.free);
        let quantity = if is_free { report.quantity.min(1) } else { report.quantity };
        Some(i128::from(unit.get()).saturating_mul(i128::from(quantity)))
    });
    Stretch { span, billed, held: held.unwrap_or(billed) }
}
