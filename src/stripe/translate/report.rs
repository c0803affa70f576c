//! What does an event say about a subscription: its state, and what has changed?
//!
//! The state is complete and holds by itself; the change gives the event its name, and orders reports of one second.

use super::{
    SubscriptionRef, Translation, TranslationContext, TranslationStep, change, discount, ignored,
    subscription::{DELETED, Reported, status, terms},
};
use crate::domain::{
    command::{Command, RecordSubscription, SubscriptionCommand},
    subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
    time::Timestamp,
};

pub(super) fn reported(report: TranslationContext<'_>) -> Translation {
    let reported = status(report.object)?;
    if reported == SubscriptionStatus::Incomplete {
        return Err(ignored("the first payment has not been made: the subscription has not started"));
    }
    let status = if report.event.kind == DELETED { SubscriptionStatus::Cancelled } else { reported };
    let Reported { terms, unpriced } = terms(report, status)?;
    let (change, step) = change::of(report, &terms);
    let terms = SubscriptionState { evidence: ReportOrder { step, ..terms.evidence }, ..terms };
    let effective_at = effective_at(&terms, report.at());
    let about = SubscriptionRef {
        subscription: terms.subscription.clone(),
        at: report.at(),
        report: Some(terms.evidence.clone()),
        unpriced,
    };
    let command = Command::Subscription(SubscriptionCommand::RecordSubscription(RecordSubscription {
        change,
        terms,
        effective_at,
    }));
    let told = TranslationStep::new(format!("sub:{}", report.event.id), command);
    let steps = discount::of_subscription(report).into_iter().chain([told]).collect();
    report.instruct_about(Some(about), steps)
}

/// The report's own time, except that an end may be earlier than its report.
fn effective_at(terms: &SubscriptionState, reported_at: Timestamp) -> Timestamp {
    terms.ended_at.map_or(reported_at, |ended_at| ended_at.min(reported_at))
}
