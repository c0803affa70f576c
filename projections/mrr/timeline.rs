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
    causes,
    churn::{CancellationRequest, ChurnCause, SubscriptionAtRisk},
    movements::{AccountMovements, TooLarge},
    reports::{Discounted, PaidReport, PaymentState, TimelineReport},
    worth::{MovementCause, Touched, Worth},
};
use crate::domain::{
    discounts::{DiscountStep, Discounts},
    subscription::in_order,
    time::Timestamp,
};

/// What is known of an account's revenue. The order in which it became known does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct RevenueFacts<'a> {
    pub reports: &'a [TimelineReport],
    pub payments: &'a [PaidReport],
    pub discounted: &'a [Discounted],
    /// They change no revenue, and say why it ended.
    pub requests: &'a [CancellationRequest],
}

/// What follows from them: all movements, and what is at risk by all that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRevenue {
    pub movements: AccountMovements,
    pub at_risk: Vec<SubscriptionAtRisk>,
}

/// # Errors
/// If the account's revenue does not fit.
pub fn revenue(known: RevenueFacts<'_>) -> Result<AccountRevenue, TooLarge> {
    let mut discounts = Discounts::default();
    for discount in known.discounted {
        discounts.learn(&discount.told);
    }
    let mut worth = Worth::default();
    let mut movements = AccountMovements::new();
    for fact in facts(known) {
        let why = fact.takes(&worth, known.requests);
        let touched = match fact {
            WorthChange::Reported(report) => worth.set(report),
            WorthChange::Paid(payment) => worth.pay(payment),
            WorthChange::Discounted(Discounted { told, .. }) => {
                worth.discount(&told.customer, discounts.in_force(&told.customer, told.at))
            }
        };
        for Touched { currency, subscription } in touched {
            let sum = worth.sum(&currency)?;
            worth.note(&mut movements, currency, sum, &fact.cause(subscription, why));
        }
    }
    Ok(AccountRevenue { movements, at_risk: worth.at_risk() })
}

/// Something that changes an account's revenue.
#[derive(Clone, Copy)]
enum WorthChange<'a> {
    Reported(&'a TimelineReport),
    Paid(&'a PaidReport),
    Discounted(&'a Discounted),
}

impl<'a> WorthChange<'a> {
    /// Why it takes revenue away, if it does. What it changes has not taken effect yet.
    fn takes(self, worth: &Worth<'_>, requests: &[CancellationRequest]) -> ChurnCause {
        match self {
            Self::Reported(of) => causes::of_report(of, worth.holding(&of.subscription), requests),
            Self::Paid(PaidReport { state: PaymentState::Awaited | PaymentState::No, .. }) => {
                ChurnCause::Unpaid
            }
            Self::Paid(PaidReport { state: PaymentState::Yes, .. }) | Self::Discounted(_) => {
                ChurnCause::Uncharged
            }
        }
    }

    fn cause(self, subscription: &'a str, churn: ChurnCause) -> MovementCause<'a> {
        let (at, sequence, stripe_event) = match self {
            Self::Reported(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Paid(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Discounted(of) => (of.told.at, of.sequence, &of.stripe_event),
        };
        let day = at.to_utc().date_naive();
        MovementCause { day, sequence, stripe_event: stripe_event.as_ref(), subscription, churn }
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
fn facts(known: RevenueFacts<'_>) -> Vec<WorthChange<'_>> {
    let RevenueFacts { reports, payments, discounted, .. } = known;
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
