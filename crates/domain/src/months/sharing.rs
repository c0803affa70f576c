//! How much of each month does each invoice give or take back?

use std::collections::BTreeMap;

mod unbilled;

use super::{Month, Piece, Taking, grid::Grid, held_monthly, lines::ClassifiedLine, monthly};
use crate::{
    amount::{Credits, Money},
    ids::{PlanId, ProviderId},
    report::SubscriptionState,
    time::{Period, Timestamp},
};

/// What lines give and take back, by the end of each month.
pub(super) struct Shares(BTreeMap<Timestamp, MonthShare>);

/// One month, with the parts of lines that belong to it.
pub(super) struct MonthShare {
    pub period: Period,
    /// By start and by invoice, so that each change is rounded once.
    changes: BTreeMap<(Timestamp, ProviderId), InvoiceChange>,
    pub parts: Vec<LinePart>,
}

/// What one invoice changes from one time on.
#[derive(Default)]
struct InvoiceChange {
    /// Credits × seconds of the month.
    credit_seconds: i128,
    /// Indices into the lines.
    lines: Vec<usize>,
    cost: i64,
}

/// The part of a line that belongs to a month.
pub(super) struct LinePart {
    pub line: usize,
    pub span: Period,
    /// By how much the credits of the held plan are more or less by this line, for a whole month.
    pub monthly: i128,
}

impl Shares {
    pub(super) fn of(lines: &[ClassifiedLine<'_>], grid: &Grid) -> Self {
        let mut shares = Self(BTreeMap::new());
        for (index, line) in lines.iter().enumerate() {
            let months = grid.months_of(line);
            let count = months.len();
            for (back, month) in months.into_iter().enumerate() {
                let number = count.saturating_sub(back).saturating_sub(1);
                shares.add(index, line, month, (number, count));
            }
        }
        shares
    }

    pub(super) fn months(&self) -> impl Iterator<Item = &MonthShare> {
        self.0.values()
    }

    fn add(&mut self, index: usize, line: &ClassifiedLine<'_>, month: Period, place: (usize, usize)) {
        let share = self.0.entry(month.end).or_insert_with(|| MonthShare {
            period: month,
            changes: BTreeMap::new(),
            parts: Vec::new(),
        });
        let whole = line.paid.full || line.paid.period.end >= month.end;
        let from = line.paid.period.start.max(share.period.start);
        let until = if whole { share.period.end } else { line.paid.period.end.min(share.period.end) };
        let span = Period { start: from, end: until };
        let change = share.changes.entry((from, line.invoice.invoice.clone())).or_default();
        let seconds = match line.free_spans {
            // A free plan is given for as long as this line gives it, and nothing of it can be given back.
            Some(spans) => spans.iter().fold(0_u64, |sum, held| sum.saturating_add(overlap(*held, span))),
            None if line.paid.free && line.sign < 0 => 0,
            None => span.seconds(),
        };
        let seconds = i128::from(seconds);
        change.credit_seconds = change.credit_seconds.saturating_add(monthly(line).saturating_mul(seconds));
        change.lines.push(index);
        change.cost = change.cost.saturating_add(cost_share(line, span, place));
        share.parts.push(LinePart { line: index, span, monthly: held_monthly(line) });
    }
}

fn overlap(one: Period, other: Period) -> u64 {
    Period { start: one.start.max(other.start), end: one.end.min(other.end) }.seconds()
}

/// The part of a line's cost for one of its months: equal parts of a whole period, else by seconds.
/// The parts sum to the cost.
fn cost_share(line: &ClassifiedLine<'_>, span: Period, (number, count): (usize, usize)) -> i64 {
    let minor = i128::from(line.paid.cost.minor);
    let of = |part: i128, whole: i128| minor.saturating_mul(part).checked_div(whole).unwrap_or(0);
    let between = |from: i128, until: i128, whole: i128| of(until, whole).saturating_sub(of(from, whole));
    let share = if super::grid::split(line.paid.period, line.paid.full).is_some() {
        let number = i128::try_from(number).unwrap_or(0);
        let count = i128::try_from(count).unwrap_or(1);
        between(number, number.saturating_add(1), count)
    } else {
        let whole = line.paid.period;
        let until = |at: Timestamp| i128::from(Period { start: whole.start, end: at }.seconds());
        between(until(span.start), until(span.end), i128::from(whole.seconds().max(1)))
    };
    i64::try_from(share).unwrap_or(0)
}

impl MonthShare {
    pub(super) fn month(
        &self,
        lines: &[ClassifiedLine<'_>],
        grid: &Grid,
        reports: &[SubscriptionState],
        ended_at: Option<Timestamp>,
    ) -> Option<Month> {
        let pieces: Vec<Piece> =
            self.changes.iter().filter_map(|change| self.piece(change, lines, grid, ended_at)).collect();
        let given = Credits::checked_sum(pieces.iter().map(|piece| piece.amount)).unwrap_or(Credits::MAX);
        let (plan, allocation, carry_max) = self.opening(lines, reports)?;
        Some(Month {
            period: self.period,
            plan,
            allocation,
            carry_max,
            pieces,
            takings: self.takings(given, lines),
            unbilled: unbilled::taken(self, lines, reports),
            free: self.parts.iter().all(|part| lines.get(part.line).is_some_and(|line| line.paid.free)),
        })
    }

    fn seconds(&self) -> i128 {
        i128::from(self.period.seconds().max(1))
    }

    fn piece(
        &self,
        ((from, invoice), change): (&(Timestamp, ProviderId), &InvoiceChange),
        lines: &[ClassifiedLine<'_>],
        grid: &Grid,
        ended_at: Option<Timestamp>,
    ) -> Option<Piece> {
        let amount = credits(change.credit_seconds.checked_div(self.seconds())?);
        let of_change = || change.lines.iter().filter_map(|index| lines.get(*index));
        let charge = of_change().find(|line| line.sign > 0)?;
        if amount.is_zero() {
            return None;
        }
        Some(Piece {
            invoice: invoice.clone(),
            line: charge.paid.line.clone(),
            from: *from,
            amount,
            plan: charge.paid.plan.clone(),
            cost: Money { minor: change.cost.max(0), currency: charge.paid.cost.currency.clone() },
            life: self.life(charge, lines, grid, ended_at),
        })
    }

    /// Credits whose money comes after the end of the month, or of the subscription, are not lost: they live until the
    /// end of the month that the same invoice opens, or for a month from the payment.
    fn life(
        &self,
        charge: &ClassifiedLine<'_>,
        lines: &[ClassifiedLine<'_>],
        grid: &Grid,
        ended_at: Option<Timestamp>,
    ) -> Option<Period> {
        let paid_at = charge.paid_at;
        let has_ended = ended_at.is_some_and(|ended_at| ended_at <= paid_at);
        if paid_at < self.period.end {
            let from_payment = Period { start: paid_at, end: paid_at.plus_months(1) };
            return (has_ended && self.period.start <= paid_at).then_some(from_payment);
        }
        let beside = lines.iter().filter(|line| line.sign > 0 && line.invoice == charge.invoice);
        let opened = beside.flat_map(|line| grid.months_of(line));
        let opened = opened.filter(|month| month.start >= self.period.end && month.end > paid_at);
        let opened = opened.min_by_key(|month| month.start);
        let end = opened.map_or_else(|| paid_at.plus_months(1), |month| month.end);
        Some(Period { start: paid_at, end })
    }

    /// What lines take back.
    /// Each change is rounded down, and the total so that no more is left than was paid for, rounded up.
    fn takings(&self, given: Credits, lines: &[ClassifiedLine<'_>]) -> Vec<Taking> {
        let seconds = self.seconds();
        let whole =
            self.changes.values().fold(0_i128, |sum, change| sum.saturating_add(change.credit_seconds));
        let most = whole.saturating_add(seconds).saturating_sub(1).checked_div(seconds).unwrap_or(0).max(0);
        let excess = credits(i128::from(given.get()).saturating_sub(most));
        let taken = self.changes.iter().filter(|(_, change)| change.credit_seconds < 0);
        let mut takings: Vec<Taking> = taken
            .map(|((_, invoice), change)| {
                let amount = change.credit_seconds.saturating_neg().checked_div(seconds).unwrap_or(0);
                let own = change.lines.iter().filter_map(|index| lines.get(*index));
                let gives_back = own.filter_map(|line| line.gives_back).next().cloned();
                Taking { invoice: invoice.clone(), gives_back, amount: credits(amount) }
            })
            .collect();
        let sum = Credits::checked_sum(takings.iter().map(|taking| taking.amount)).unwrap_or(Credits::MAX);
        if let Some(last) = takings.last_mut() {
            last.amount = last.amount.checked_add(excess.saturating_sub(sum)).unwrap_or(Credits::MAX);
        }
        takings
    }

    /// The plan at the month's start, the credits that it gives for the whole month, and how many may roll over into
    /// it.
    fn opening(
        &self,
        lines: &[ClassifiedLine<'_>],
        reports: &[SubscriptionState],
    ) -> Option<(PlanId, Credits, Option<Credits>)> {
        let first = self.parts.iter().map(|part| part.span.start).min().unwrap_or(self.period.start);
        let at_first = || self.parts.iter().filter(|part| part.span.start == first);
        let allocation = at_first().fold(0_i128, |sum, part| sum.saturating_add(part.monthly));
        let allocation = allocation.saturating_sub(unbilled::at(self, lines, reports, first));
        let allocation = credits(allocation);
        let charges = at_first().filter_map(|part| lines.get(part.line)).filter(|line| line.sign > 0);
        let newest = charges.max_by_key(|line| (line.paid.period.start, line.billed_since()));
        let any = self.parts.first().and_then(|part| lines.get(part.line));
        let plan = newest.or(any).map(|line| line.paid.plan.clone());
        let carry = newest.and_then(|line| line.paid.rollover).map(|cap| cap.carry_max(allocation));
        Some((plan?, allocation, carry))
    }
}

/// A number of credits: zero if it is negative, and the largest amount if it is too large.
pub(super) fn credits(amount: i128) -> Credits {
    i64::try_from(amount.max(0)).ok().and_then(Credits::new).unwrap_or(Credits::MAX)
}
