//! What happens when a subscription is cancelled or paused? Paid time that is not used may be credited.

use super::{
    collecting,
    ending::{self, CancellationDetails},
    invoices::{self, NewInvoice},
    payments::Presence,
    proration::{self, credit_lines},
    voiding,
};
use crate::{
    failure::SandboxFailure, objects::Shown, state::SandboxState,
    store::subscription::SandboxSubscriptionStatus,
};

/// What an immediate cancellation does about paid time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidTime {
    /// Whether unused time is credited.
    pub prorate: bool,
    /// Whether pending items are invoiced now. Otherwise they are invoiced at the end of the period.
    pub invoice_now: bool,
}

/// The order of the events of a cancellation that credits time.
const CANCELLATION: &[&str] = &[
    "customer.subscription.deleted",
    "subscription_schedule.canceled",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "customer.updated",
    "invoiceitem.created",
];

/// The time from which a pause credits unused time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedFrom {
    Now,
    PeriodStart,
    Never,
}

/// Cancels a subscription now, as requested.
pub fn cancel_subscription(
    state: &mut SandboxState,
    id: &str,
    words: CancellationDetails,
    money: PaidTime,
) -> Result<(), SandboxFailure> {
    let place = state.outbox.place();
    let row = state.store.subscriptions.get(id)?.clone();
    // A trial has cost nothing.
    let paid_for =
        matches!(row.status, SandboxSubscriptionStatus::Active | SandboxSubscriptionStatus::PastDue);
    let mut items = Vec::new();
    if money.prorate && paid_for {
        let mut credits = Vec::new();
        for item in &row.items {
            let span = (state.store.now.min(item.period_end), item.period_end);
            credits.extend(credit_lines(state, &row, item, span)?);
        }
        proration::note_credits(state, id, &credits)?;
        items.extend(
            credits.iter().filter_map(|line| line.as_invoice_item(&row.customer, None, state.store.now)),
        );
        state.store.subscriptions.get_mut(id)?.pending.extend(credits);
    }
    ending::end_subscription(state, id, "cancellation_requested", words)?;
    for item in items {
        state.emit("invoiceitem.created", item);
    }
    if money.invoice_now {
        invoice_pending(state, id)?;
    }
    state.outbox.arrange(place, CANCELLATION);
    Ok(())
}

/// Invoices what was pending when the subscription ended. A negative total goes to the customer's balance.
pub fn invoice_pending(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let row = state.store.subscriptions.get_mut(id)?;
    let lines = std::mem::take(&mut row.pending);
    let row = row.clone();
    if lines.is_empty() {
        return Ok(());
    }
    let invoice = invoices::open_invoice(
        state,
        NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(row.id.clone()),
            reason: "subscription_update",
            lines,
            period: (state.store.now, state.store.now),
            currency: row.currency.clone(),
        },
    )?;
    collecting::finalize_invoice(state, &invoice)?;
    if state.store.invoices.get(&invoice)?.paid_at.is_none() && row.is_automatic() {
        collecting::collect(state, &invoice, None, Presence::Absent)?;
    }
    Ok(())
}

/// Expires a subscription whose first payment did not succeed in time.
pub fn expire_incomplete(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let latest = state.store.subscriptions.get(id)?.latest_invoice.clone();
    let now = state.store.now;
    state.change_subscription(id, |row| {
        row.status = SandboxSubscriptionStatus::IncompleteExpired;
        row.ended_at = Some(now);
    })?;
    match latest {
        Some(invoice) => voiding::void_invoice(state, &invoice),
        None => Ok(()),
    }
}

/// Pauses a subscription now, as requested: its period ends, and unused time is credited.
pub fn pause_now(
    state: &mut SandboxState,
    id: &str,
    unused: UnusedFrom,
    invoice_now: bool,
) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let row = state.store.subscriptions.get(id)?.clone();
    let mut credits = Vec::new();
    for item in row.items.iter().filter(|_| unused != UnusedFrom::Never) {
        let from = if unused == UnusedFrom::Now { now } else { item.period_start };
        credits.extend(credit_lines(state, &row, item, (from.min(item.period_end), item.period_end))?);
    }
    proration::note_credits(state, id, &credits)?;
    let items: Vec<_> =
        credits.iter().filter_map(|line| line.as_invoice_item(&row.customer, None, now)).collect();
    let changed = state.store.subscriptions.get_mut(id)?;
    changed.pending.extend(credits);
    changed.items.iter_mut().for_each(|item| item.period_end = now);
    state.store.subscriptions.get_mut(id)?.status = row.status;
    let before = row.render(&state.store);
    let changed = state.store.subscriptions.get_mut(id)?;
    changed.status = SandboxSubscriptionStatus::Paused;
    changed.paused = Some(("pause_requested", now));
    let after = state.store.subscriptions.get(id)?.render(&state.store);
    state.emit("customer.subscription.paused", after.clone());
    state.emit_change("customer.subscription.updated", &before, after);
    for item in items {
        state.emit("invoiceitem.created", item);
    }
    if invoice_now { invoice_pending(state, id) } else { Ok(()) }
}
