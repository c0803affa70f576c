//! What happens when an invoice is voided or uncollectible?

use super::{collecting, invoices, pausing};
use crate::{
    failure::SandboxFailure,
    state::SandboxState,
    store::{invoice::InvoiceStatus, subscription::SandboxSubscriptionStatus},
};

/// Handles a returned bank debit.
/// If the first debit of an active subscription is returned, its invoice is voided and the subscription stays active.
pub fn fail_debit(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let invoice = state.store.invoices.get(id)?;
    let first = invoice.billing_reason == "subscription_create";
    let subscription = invoice.subscription.as_deref().and_then(|id| state.store.subscriptions.find(id));
    let active = subscription.is_some_and(|row| row.status == SandboxSubscriptionStatus::Active);
    collecting::fail_invoice(state, id, false, !(first && active))?;
    if first && active { void_invoice(state, id) } else { Ok(()) }
}

/// Voids an invoice: nothing is due any more.
pub fn void_invoice(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let invoice = state.store.invoices.get_mut(id)?;
    invoice.status = InvoiceStatus::Void;
    invoice.voided_at = Some(now);
    invoice.auto_advance = false;
    invoice.finalizes_at = None;
    invoice.next_attempt = None;
    let intent = invoice.payment_intent.clone();
    let ending = invoice.ending_balance.unwrap_or(invoice.starting_balance);
    let (customer, used) = (invoice.customer.clone(), ending.saturating_sub(invoice.starting_balance));
    if used != 0 {
        state.change_customer(&customer, |row| row.balance = row.balance.saturating_sub(used))?;
    }
    invoices::cancel_intent(state, intent.as_deref(), "void_invoice")?;
    invoices::emit_invoice(state, "invoice.voided", id)?;
    forgive(state, id)
}

/// Lets a subscription become active again if its latest invoice is this one, although it was not paid.
fn forgive(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let Some(subscription) = state.store.invoices.get(id)?.subscription.clone() else { return Ok(()) };
    if state.store.invoices.get(id)?.status == InvoiceStatus::Uncollectible {
        pausing::apply_pending(state, &subscription, id)?;
    } else {
        pausing::drop_pending(state, &subscription, id)?;
    }
    let row = state.store.subscriptions.get(&subscription)?;
    let behind = matches!(row.status, SandboxSubscriptionStatus::PastDue | SandboxSubscriptionStatus::Unpaid);
    if behind && row.latest_invoice.as_deref() == Some(id) {
        state.change_subscription(&subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
    }
    Ok(())
}

/// Marks an invoice as uncollectible. It can still be paid.
pub fn mark_uncollectible(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let invoice = state.store.invoices.get_mut(id)?;
    invoice.status = InvoiceStatus::Uncollectible;
    invoice.marked_uncollectible_at = Some(now);
    invoice.auto_advance = false;
    invoice.finalizes_at = None;
    invoice.next_attempt = None;
    invoices::emit_invoice(state, "invoice.marked_uncollectible", id)?;
    forgive(state, id)
}

/// Voids the invoice of a pending change that has expired.
pub fn expire_pending(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let pending = state.store.subscriptions.get(id)?.pending_update.clone();
    let Some(invoice) = pending.map(|pending| pending.invoice) else { return Ok(()) };
    void_invoice(state, &invoice)
}
