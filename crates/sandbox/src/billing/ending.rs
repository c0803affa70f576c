//! How does a subscription end?

use super::{pausing, schedules};
use crate::{
    failure::SandboxFailure,
    objects::Shown,
    state::{AfterRetries, SandboxState},
    store::{
        invoice::{Invoice, InvoiceStatus},
        schedule::ScheduleStatus,
        subscription::SandboxSubscriptionStatus,
    },
};

/// What a person says when cancelling.
#[derive(Clone, Debug, Default)]
pub struct CancellationDetails {
    pub comment: Option<String>,
    pub feedback: Option<String>,
}

/// Ends a subscription now.
/// `reason` is one of Stripe's: `cancellation_requested`, `payment_failed`, `payment_disputed`.
pub fn end_subscription(
    state: &mut SandboxState,
    id: &str,
    reason: &str,
    words: CancellationDetails,
) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let row = state.store.subscriptions.get_mut(id)?;
    row.status = SandboxSubscriptionStatus::Canceled;
    row.ended_at = Some(now);
    // A scheduled cancellation keeps the time at which it was requested.
    row.canceled_at = row.canceled_at.or(Some(now));
    row.cancellation_reason = row.cancellation_reason.clone().or_else(|| Some(reason.to_owned()));
    row.cancellation_comment = words.comment.or_else(|| row.cancellation_comment.clone());
    row.cancellation_feedback = words.feedback.or_else(|| row.cancellation_feedback.clone());
    let schedule = row.schedule.clone();
    row.paused = None;
    let object = state.store.subscriptions.get(id)?.render(&state.store);
    state.emit("customer.subscription.deleted", object);
    if let Some(schedule) = schedule {
        let over = state.store.schedules.get(&schedule)?.is_over(now);
        let status = if over { ScheduleStatus::Completed } else { ScheduleStatus::Canceled };
        schedules::cancel_schedule(state, &schedule, status)?;
    }
    stop_invoices(state, id)
}

/// Stops the automatic collection of an ended subscription's invoices.
fn stop_invoices(state: &mut SandboxState, subscription: &str) -> Result<(), SandboxFailure> {
    let of_it = |invoice: &&Invoice| invoice.subscription.as_deref() == Some(subscription);
    let going = state
        .store
        .invoices
        .iter()
        .filter(of_it)
        .filter(|invoice| matches!(invoice.status, InvoiceStatus::Draft | InvoiceStatus::Open));
    let going: Vec<String> = going.map(|invoice| invoice.id.clone()).collect();
    for id in going {
        let invoice = state.store.invoices.get_mut(&id)?;
        invoice.auto_advance = false;
        invoice.finalizes_at = None;
        invoice.next_attempt = None;
    }
    Ok(())
}

/// Does what the account has set for a subscription whose last retry has failed.
pub fn give_up(state: &mut SandboxState, subscription: &str, invoice: &str) -> Result<(), SandboxFailure> {
    if state.store.invoices.get(invoice)?.status != InvoiceStatus::Open
        || state.store.subscriptions.get(subscription)?.status.has_ended()
    {
        return Ok(());
    }
    match state.after_retries {
        AfterRetries::Cancel => {
            end_subscription(state, subscription, "payment_failed", CancellationDetails::default())
        }
        AfterRetries::Unpaid => {
            state.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::Unpaid)
        }
        AfterRetries::Pause | AfterRetries::PauseAtOnce => {
            pausing::pause_subscription(state, subscription, "final_payment_failure")
        }
        AfterRetries::PastDue => {
            state.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::PastDue)
        }
    }
}
