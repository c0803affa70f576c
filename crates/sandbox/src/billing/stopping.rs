//! What happens when somebody ends a subscription, or has it stand still? What was paid for and not used is worked out.

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

/// What is done about the time that was paid for, by whoever cancels now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidTime {
    /// What is not used is given back.
    pub prorate: bool,
    /// What waits for an invoice is asked for, or given back, now; else when the period would have ended.
    pub invoice_now: bool,
}

/// In which order a cancellation is told that gives money back.
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

/// From when on unused time is given back by a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedFrom {
    Now,
    PeriodStart,
    Never,
}

/// Somebody ends it now.
pub fn cancel_subscription(
    state: &mut SandboxState,
    id: &str,
    words: CancellationDetails,
    money: PaidTime,
) -> Result<(), SandboxFailure> {
    let place = state.outbox.place();
    let row = state.store.subscriptions.get(id)?.clone();
    // A trial costs nothing.
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

/// Asks for what was waiting when the subscription ended, or gives it back to the customer's balance.
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

/// A first payment that did not come within a day.
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

/// Somebody asks for it: the period ends here, and what is not used is given back.
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
