//! How is a subscription paused, and which change waits for a payment?
//!
//! A resumption, or a change that has to be paid first, waits for its invoice.
//! The subscription stays as it is until the invoice is paid, for at most 23 hours.

use crate::{
    calendar::HOUR_S,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::subscription::{PendingUpdate, SandboxSubscription, SandboxSubscriptionStatus},
};

/// How long a change waits for its invoice, in seconds.
const PENDING_S: i64 = 23 * HOUR_S;

/// Pauses a subscription until it is resumed.
pub fn pause_subscription(
    state: &mut SandboxState,
    id: &str,
    reason: &'static str,
) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let before = state.store.subscriptions.get(id)?.render(&state.store);
    let row = state.store.subscriptions.get_mut(id)?;
    row.status = SandboxSubscriptionStatus::Paused;
    row.paused = Some((reason, now));
    let after = state.store.subscriptions.get(id)?.render(&state.store);
    state.emit("customer.subscription.paused", after.clone());
    state.emit_change("customer.subscription.updated", &before, after);
    Ok(())
}

/// Stores a change that takes effect when an invoice is paid.
pub fn wait_for(
    state: &mut SandboxState,
    id: &str,
    after: SandboxSubscription,
    invoice: &str,
    resumes: bool,
) -> Result<(), SandboxFailure> {
    let expires_at = state.store.now.saturating_add(PENDING_S);
    let invoice = invoice.to_owned();
    let update = PendingUpdate { after: Box::new(after), invoice, expires_at, resumes };
    state.change_subscription(id, |row| row.pending_update = Some(update))
}

/// Applies the change that waits for an invoice: the invoice is paid, or marked uncollectible.
pub fn apply_pending(state: &mut SandboxState, id: &str, invoice: &str) -> Result<bool, SandboxFailure> {
    let pending = state.store.subscriptions.get(id)?.pending_update.clone();
    let Some(pending) = pending.filter(|pending| pending.invoice == invoice) else { return Ok(false) };
    if !pending.resumes {
        let object = pending.after.render(&state.store);
        state.emit("customer.subscription.pending_update_applied", object);
    }
    go_on(state, id, *pending.after)?;
    Ok(true)
}

/// Drops the change that waits for an invoice: it is not paid in time, or void.
pub fn drop_pending(state: &mut SandboxState, id: &str, invoice: &str) -> Result<(), SandboxFailure> {
    let pending = state.store.subscriptions.get(id)?.pending_update.clone();
    let Some(pending) = pending.filter(|pending| pending.invoice == invoice) else { return Ok(()) };
    if !pending.resumes {
        let object = state.store.subscriptions.get(id)?.render(&state.store);
        state.emit("customer.subscription.pending_update_expired", object);
    }
    state.change_subscription(id, |row| row.pending_update = None)
}

pub fn go_on(state: &mut SandboxState, id: &str, after: SandboxSubscription) -> Result<(), SandboxFailure> {
    let quiet = state.quiet.take();
    let before = state.store.subscriptions.get(id)?.clone();
    let pending =
        if after.latest_invoice == before.latest_invoice { after.pending.clone() } else { Vec::new() };
    let resumes = before.status == SandboxSubscriptionStatus::Paused
        && after.status != SandboxSubscriptionStatus::Paused;
    let shown = before.render(&state.store);
    state.store.subscriptions.put(SandboxSubscription { pending_update: None, pending, ..after });
    let after = state.store.subscriptions.get(id)?.render(&state.store);
    if resumes {
        state.emit("customer.subscription.resumed", after.clone());
    }
    state.emit_change("customer.subscription.updated", &shown, after);
    state.quiet = quiet;
    Ok(())
}
