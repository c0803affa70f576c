//! When does a subscription give a plan that costs nothing, and by which line?
//!
//! An account has a plan with a price of 0 only once, even if several of its subscriptions name it.
//! A line that charges nothing gives the plan until it is given back, except while another line already gives it.

use std::collections::BTreeMap;

use super::{
    KnownInvoice,
    lines::{self, ClassifiedLine},
};
use crate::{
    ids::{PlanId, ProviderId},
    report::SubscriptionState,
    time::{Period, Timestamp},
};

/// When each line gives its free plan.
pub type FreeSpans = BTreeMap<ProviderId, Vec<Period>>;

/// A line that charges nothing, and its period until it is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeLine {
    pub line: ProviderId,
    pub plan: PlanId,
    pub span: Period,
}

/// The lines of one subscription that charge nothing, each until it is given back.
#[must_use]
pub fn held(invoices: &[KnownInvoice], reports: &[SubscriptionState]) -> Vec<FreeLine> {
    let lines = lines::read(invoices, reports);
    let free = || lines.iter().filter(|line| line.paid.free);
    let given_back = |charge: &ClassifiedLine<'_>| -> Option<Timestamp> {
        let of_charge = free().filter(|line| {
            line.gives_back == Some(&charge.invoice.invoice) && line.paid.plan == charge.paid.plan
        });
        of_charge.map(|line| line.paid.period.start.max(charge.paid.period.start)).min()
    };
    let held = free().filter(|line| line.sign > 0).map(|charge| {
        let Period { start, end } = charge.paid.period;
        let span = Period { start, end: given_back(charge).unwrap_or(end) };
        FreeLine { line: charge.paid.line.clone(), plan: charge.paid.plan.clone(), span }
    });
    held.collect()
}

/// When each line gives its plan, among all lines of an account: the first to begin gives for all of its period, each
/// later one for what earlier ones leave.
/// `own`: when the account has the plan without a line.
#[must_use]
pub fn spans(own: Vec<(PlanId, Period)>, mut all: Vec<FreeLine>) -> FreeSpans {
    all.sort_by(|one, other| (one.span.start, &one.line).cmp(&(other.span.start, &other.line)));
    let mut until: BTreeMap<PlanId, Vec<Period>> = BTreeMap::new();
    for (plan, period) in own {
        until.entry(plan).or_default().push(period);
    }
    let mut spans = FreeSpans::new();
    for FreeLine { line, plan, span } in all {
        let had = until.entry(plan).or_default();
        spans.insert(line, without(span, had));
        had.push(span);
    }
    spans
}

/// The parts of `span` that are in none of `had`.
fn without(span: Period, had: &[Period]) -> Vec<Period> {
    let mut left = vec![span];
    for had in had {
        left = left
            .into_iter()
            .flat_map(|span| {
                let before = Period { start: span.start, end: span.end.min(had.start) };
                let after = Period { start: span.start.max(had.end), end: span.end };
                let is_apart = had.end <= span.start || span.end <= had.start;
                if is_apart { [Some(span), None] } else { [Some(before), Some(after)] }
            })
            .flatten()
            .filter(|span| span.start < span.end)
            .collect();
    }
    left
}
