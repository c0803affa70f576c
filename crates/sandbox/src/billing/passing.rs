//! What happens as time passes? Everything due happens in order, each at its time, however far the clock is moved.

use super::{
    checkout, collecting,
    ending::{self, CancellationDetails},
    pausing,
    payments::{self, Attempt, Presence},
    phases, refunds, stopping, subscribing, voiding,
};
use crate::{
    calendar::{DAY_S, HOUR_S},
    failure::SandboxFailure,
    objects::Shown,
    state::{DueEvent, SandboxState},
    store::{
        checkout::CheckoutStatus,
        invoice::{Invoice, InvoiceStatus},
        schedule::SubscriptionSchedule,
        subscription::{SandboxSubscription, SandboxSubscriptionStatus},
    },
};

/// How long before the end of a trial its event is sent, in seconds.
const TRIAL_NOTICE_S: i64 = 3 * DAY_S;

/// How long after the end of a period Stripe begins the next one, in seconds, as observed.
const RENEWS_AFTER_S: i64 = 16;

/// How long a first payment may take, in seconds.
const INCOMPLETE_S: i64 = 23 * HOUR_S;

/// A limit that no realistic advance reaches, so that every advance ends.
const HAPPENINGS_MAX: usize = 200_000;

/// Lets time pass up to `until`, in Unix seconds.
pub fn pass(state: &mut SandboxState, until: i64) {
    for _ in 0..HAPPENINGS_MAX {
        let Some((at, happening)) = next_due(state).filter(|(at, _)| *at <= until) else { break };
        state.store.now = state.store.now.max(at);
        if let Err(failure) = happen(state, &happening) {
            tracing::error!(?happening, message = failure.message(), "this could not happen in the sandbox");
            // If it stayed due, nothing after it would happen.
            state.stuck.push(happening);
        }
        state.outbox.flush();
    }
    state.store.now = state.store.now.max(until);
}

/// What happens next, and when.
pub fn next_due(state: &SandboxState) -> Option<(i64, DueEvent)> {
    let subscriptions = state.store.subscriptions.iter().flat_map(of_subscription);
    let invoices = state.store.invoices.iter().flat_map(of_invoice);
    let incomplete = state.store.subscriptions.iter().filter(|row| waits_in_vain(state, row)).map(|row| {
        let at = row.created.saturating_add(INCOMPLETE_S);
        (at, DueEvent::IncompleteExpires(row.id.clone()))
    });
    let phases = state.store.schedules.iter().filter_map(|row| phase_end(state, row));
    let open = state.store.sessions.iter().filter(|session| session.status == CheckoutStatus::Open);
    let sessions = open.map(|session| (session.expires_at, DueEvent::SessionExpires(session.id.clone())));
    let debits = state
        .store
        .payment_intents
        .iter()
        .filter_map(|intent| Some((intent.settles_at?, DueEvent::DebitSettles(intent.id.clone()))));
    let refunds = state
        .store
        .refunds
        .iter()
        .filter_map(|refund| Some((refund.fails_at?, DueEvent::RefundFails(refund.id.clone()))));
    subscriptions
        .chain(incomplete)
        .chain(phases)
        .chain(invoices)
        .chain(sessions)
        .chain(debits)
        .chain(refunds)
        .filter(|(_, happening)| !state.stuck.contains(happening))
        .min()
}

/// Whether a first payment is missing, and none is processing.
fn waits_in_vain(state: &SandboxState, row: &SandboxSubscription) -> bool {
    let invoice = row.latest_invoice.as_deref().and_then(|id| state.store.invoices.find(id));
    let intent = invoice.and_then(|invoice| invoice.payment_intent.as_deref());
    let processing = intent
        .and_then(|id| state.store.payment_intents.find(id))
        .is_some_and(|intent| intent.settles_at.is_some());
    row.status == SandboxSubscriptionStatus::Incomplete && !processing
}

/// The end of a phase, unless it is also the end of a period: then both are handled together.
fn phase_end(state: &SandboxState, row: &SubscriptionSchedule) -> Option<(i64, DueEvent)> {
    let at = row.due()?;
    let subscription = row.subscription.as_deref().and_then(|id| state.store.subscriptions.find(id))?;
    let with_period = subscription.status.renews() && subscription.period_end() <= at;
    (!with_period).then(|| (at, DueEvent::PhaseEnds(row.id.clone())))
}

fn happen(state: &mut SandboxState, happening: &DueEvent) -> Result<(), SandboxFailure> {
    match happening {
        DueEvent::TrialWillEnd(id) => {
            state.store.subscriptions.get_mut(id)?.trial_end_told = true;
            let object = state.store.subscriptions.get(id)?.render(&state.store);
            state.emit("customer.subscription.trial_will_end", object);
            Ok(())
        }
        DueEvent::CollectionResumes(id) => state.change_subscription(id, |row| row.pause_collection = None),
        DueEvent::Ends(id) => {
            ending::end_subscription(state, id, "cancellation_requested", CancellationDetails::default())
        }
        DueEvent::PeriodEnds(id) => end_period(state, id),
        DueEvent::PhaseEnds(id) => phases::end_phase(state, id),
        DueEvent::PendingExpires(id) => voiding::expire_pending(state, id),
        DueEvent::PendingIsAsked(id) => stopping::invoice_pending(state, id),
        DueEvent::IncompleteExpires(id) => stopping::expire_incomplete(state, id),
        DueEvent::Finalizes(id) => finalize_when_due(state, id),
        DueEvent::Retries(id) => collecting::collect(state, id, None, Presence::Absent).map(drop),
        DueEvent::SessionExpires(id) => checkout::expire_session(state, id),
        DueEvent::DebitSettles(id) => settle_intent(state, id),
        DueEvent::RefundFails(id) => refunds::fail_refund(state, id),
    }
}

/// Ends a period. A trial without a payment method is cancelled, paused, or invoiced all the same.
fn end_period(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let row = state.store.subscriptions.get(id)?;
    let of_customer = state.store.customers.get(&row.customer)?.default_payment_method.is_some();
    let payable = row.default_payment_method.is_some() || of_customer || !row.is_automatic();
    if row.status == SandboxSubscriptionStatus::Trialing && !payable {
        match row.trial_without_method.as_str() {
            "pause" => return pausing::pause_subscription(state, id, "trial_end_without_payment_method"),
            "cancel" => {
                return ending::end_subscription(
                    state,
                    id,
                    "cancellation_requested",
                    CancellationDetails::default(),
                );
            }
            _ => {}
        }
    }
    subscribing::renew(state, id)
}

fn finalize_when_due(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let invoice = state.store.invoices.get(id)?;
    let subscription = invoice.subscription.as_deref().and_then(|id| state.store.subscriptions.find(id));
    let behavior =
        subscription.and_then(|row| row.pause_collection.as_ref()).map(|pause| pause.behavior.clone());
    // Invoices of an unpaid subscription are not collected.
    let unpaid = subscription.is_some_and(|row| row.status == SandboxSubscriptionStatus::Unpaid);
    let automatic = invoice.automatic;
    match behavior.as_deref() {
        Some("void") => return voiding::void_invoice(state, id),
        Some("mark_uncollectible") => {
            // The customer's balance is applied first, and may pay for all of it.
            collecting::finalize_invoice(state, id)?;
            let open = state.store.invoices.get(id)?.status == InvoiceStatus::Open;
            return if open { voiding::mark_uncollectible(state, id) } else { Ok(()) };
        }
        Some(_) => {
            state.store.invoices.get_mut(id)?.finalizes_at = None;
            return Ok(());
        }
        None => {}
    }
    if unpaid {
        state.store.invoices.get_mut(id)?.finalizes_at = None;
        return Ok(());
    }
    collecting::finalize_invoice(state, id)?;
    if automatic && state.store.invoices.get(id)?.status == InvoiceStatus::Open {
        collecting::collect(state, id, None, Presence::Absent)?;
    }
    Ok(())
}

/// Decides a bank debit, and continues what waited for it.
pub fn settle_intent(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let attempt = payments::settle_debit(state, id)?;
    let invoice = state.store.payment_intents.get(id)?.invoice.clone();
    let paid = attempt == Attempt::Succeeded;
    match invoice {
        Some(invoice) if paid => collecting::settle_invoice(state, &invoice, false)?,
        Some(invoice) => voiding::fail_debit(state, &invoice)?,
        None => {}
    }
    checkout::settle_session(state, id, paid)
}

fn of_subscription(row: &SandboxSubscription) -> Vec<(i64, DueEvent)> {
    let mut due = Vec::new();
    if let Some(at) = row.pause_collection.as_ref().and_then(|pause| pause.resumes_at) {
        due.push((at, DueEvent::CollectionResumes(row.id.clone())));
    }
    let going = !row.status.has_ended() && row.status != SandboxSubscriptionStatus::Incomplete;
    if let Some(at) = row.ends_at().filter(|_| going) {
        due.push((at, DueEvent::Ends(row.id.clone())));
    }
    if let Some(update) = &row.pending_update {
        due.push((update.expires_at, DueEvent::PendingExpires(row.id.clone())));
    }
    if row.status == SandboxSubscriptionStatus::Canceled && !row.pending.is_empty() {
        due.push((row.period_end(), DueEvent::PendingIsAsked(row.id.clone())));
    }
    if !row.status.renews() {
        return due;
    }
    due.push((row.period_end().saturating_add(RENEWS_AFTER_S), DueEvent::PeriodEnds(row.id.clone())));
    let notice =
        row.trial_end.filter(|_| row.status == SandboxSubscriptionStatus::Trialing && !row.trial_end_told);
    if let Some(end) = notice {
        due.push((end.saturating_sub(TRIAL_NOTICE_S), DueEvent::TrialWillEnd(row.id.clone())));
    }
    due
}

fn of_invoice(row: &Invoice) -> Vec<(i64, DueEvent)> {
    let finalizes = row.finalizes_at.filter(|_| row.status == InvoiceStatus::Draft);
    let retries = row.next_attempt.filter(|_| row.status == InvoiceStatus::Open);
    let finalizes = finalizes.map(|at| (at, DueEvent::Finalizes(row.id.clone())));
    let retries = retries.map(|at| (at, DueEvent::Retries(row.id.clone())));
    finalizes.into_iter().chain(retries).collect()
}
