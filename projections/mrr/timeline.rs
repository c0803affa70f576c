//! What was the MRR of an account on each day?
//!
//! Of the reports on a subscription that have taken effect, the one that was made last holds, and a report of its end
//! is later than any other.
//! An unpaid subscription has no revenue, whatever reports say: from the time at which one of its invoices was given up
//! until its next payment.
//! A customer's lasting discount reduces each of its subscriptions that has no discounts of its own, while it lasts.
//! So the figures follow from the set of reports, payments and discounts, in whatever order they arrived.
//!
//! Changes of one day are netted, by account and currency, as `ChartMogul` does: an account that changes its plan twice
//! a day has one movement.
//! The figure of a day is the MRR at its end, in UTC.

use std::collections::BTreeMap;

use super::{
    movements::{AccountMovements, TooLarge},
    reports::{Discounted, PaidReport, PaymentState, TimelineReport},
    worth::{MovementCause, Touched, Worth},
};
use crate::domain::{
    discounts::{DiscountStep, Discounts},
    subscription::in_order,
    time::Timestamp,
};

/// All movements that follow from the account's reports, payments and discounts, in any order.
///
/// # Errors
/// If the account's revenue does not fit.
pub fn movements(
    reports: &[TimelineReport],
    payments: &[PaidReport],
    discounted: &[Discounted],
) -> Result<AccountMovements, TooLarge> {
    let mut discounts = Discounts::default();
    for discount in discounted {
        discounts.learn(&discount.told);
    }
    let mut worth = Worth::default();
    let mut movements = AccountMovements::new();
    for fact in facts(reports, payments, discounted) {
        let touched = match fact {
            WorthChange::Reported(report) => worth.set(report),
            WorthChange::Paid(payment) => worth.pay(payment),
            WorthChange::Discounted(Discounted { told, .. }) => {
                worth.discount(&told.customer, discounts.in_force(&told.customer, told.at))
            }
        };
        for Touched { currency, subscription } in touched {
            let sum = worth.sum(&currency)?;
            worth.note(&mut movements, currency, sum, &fact.cause(subscription));
        }
    }
    Ok(movements)
}

/// Something that changes an account's revenue.
#[derive(Clone, Copy)]
enum WorthChange<'a> {
    Reported(&'a TimelineReport),
    Paid(&'a PaidReport),
    Discounted(&'a Discounted),
}

impl<'a> WorthChange<'a> {
    fn cause(self, subscription: &'a str) -> MovementCause<'a> {
        let (at, sequence, stripe_event) = match self {
            Self::Reported(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Paid(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Discounted(of) => (of.told.at, of.sequence, &of.stripe_event),
        };
        let day = at.to_utc().date_naive();
        MovementCause { day, sequence, stripe_event: stripe_event.as_ref(), subscription }
    }

    /// Within one time: reports first, then what is unpaid, then what is paid, then discounts.
    fn order(self) -> (Timestamp, u8) {
        match self {
            Self::Reported(report) => (report.effective_at, 0),
            Self::Paid(payment) => {
                (payment.effective_at, if payment.state == PaymentState::Yes { 2 } else { 1 })
            }
            Self::Discounted(Discounted { told, .. }) => match told.what {
                DiscountStep::Begun(_) => (told.at, 3),
                DiscountStep::Ended => (told.at, 4),
            },
        }
    }
}

/// Everything, in the order in which it took effect.
fn facts<'a>(
    reports: &'a [TimelineReport],
    payments: &'a [PaidReport],
    discounted: &'a [Discounted],
) -> Vec<WorthChange<'a>> {
    let reported = effective(reports).into_iter().map(WorthChange::Reported);
    let counted = payments.iter().filter(|payment| !is_behind(payment, payments));
    let discounted = discounted.iter().map(WorthChange::Discounted);
    let mut facts: Vec<WorthChange<'_>> =
        reported.chain(counted.map(WorthChange::Paid)).chain(discounted).collect();
    facts.sort_by_key(|fact| fact.order());
    facts
}

/// Whether a payment is awaited after an earlier one was made, so that it does not matter.
fn is_behind(payment: &PaidReport, payments: &[PaidReport]) -> bool {
    let earlier = |other: &PaidReport| {
        other.state == PaymentState::Yes
            && other.subscription == payment.subscription
            && other.effective_at < payment.effective_at
    };
    payment.state == PaymentState::Awaited && payments.iter().any(earlier)
}

/// The reports that held at some time, in the order in which they took effect.
fn effective(reports: &[TimelineReport]) -> Vec<&TimelineReport> {
    let mut of_each: BTreeMap<&str, Vec<&TimelineReport>> = BTreeMap::new();
    for report in reports {
        of_each.entry(&report.subscription).or_default().push(report);
    }
    let mut sorted = Vec::with_capacity(reports.len());
    for reports in of_each.into_values() {
        sorted.extend(in_order(reports).into_iter().enumerate());
    }
    sorted.sort_by_key(|(place, report)| (report.effective_at, *place, report.sequence));
    let mut best: BTreeMap<&str, usize> = BTreeMap::new();
    sorted.retain(|(place, report)| {
        let known = best.get(report.subscription.as_str());
        let holds = known.is_none_or(|known| place > known);
        if holds {
            best.insert(&report.subscription, *place);
        }
        holds
    });
    sorted.into_iter().map(|(_, report)| report).collect()
}
