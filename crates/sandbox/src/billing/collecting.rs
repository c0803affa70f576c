//! How is an invoice finalized and collected, and what happens to the subscription that waits for its payment?
//!
//! A payment lets the subscription continue, which can make another invoice: so all of this is in one file.

use super::{
    ending,
    invoices::{self, NewInvoice},
    pausing,
    payments::{self, Attempt, Presence},
    proration::{debit_line, period_line},
};
use crate::{
    calendar::{self, DAY_S},
    failure::SandboxFailure,
    state::{AfterRetries, SandboxState},
    store::{
        card::Decline,
        invoice::InvoiceStatus,
        subscription::{SandboxSubscription, SandboxSubscriptionStatus},
    },
};

/// The days from each failed attempt to the next one.
const RETRY_DAYS: [i64; 4] = [3, 5, 7, 7];

const NO_METHOD: Decline = Decline {
    code: "resource_missing",
    decline_code: None,
    message: "This customer has no attached payment source or default payment method. Please consider adding a \
              default payment method.",
};

/// Finalizes an invoice, which fixes its amount. An invoice with nothing due is paid at once.
pub fn finalize_invoice(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let invoice = state.store.invoices.get(id)?;
    if invoice.status != InvoiceStatus::Draft {
        return Err(SandboxFailure::invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
        )
        .code("invoice_not_editable"));
    }
    let (customer, total) = (invoice.customer.clone(), invoice.total());
    let number = invoices::number(state, &customer)?;
    let starting = state.store.customers.get(&customer)?.balance;
    // A credit balance pays up to the total, a negative total becomes a credit, and a debt is added to the amount due.
    let ending =
        if total < 0 { starting.saturating_add(total) } else { starting.saturating_add(total).min(0) };
    let now = state.store.now;
    let invoice = state.store.invoices.get_mut(id)?;
    invoice.status = InvoiceStatus::Open;
    invoice.number = Some(number);
    invoice.finalized_at = Some(now);
    invoice.finalizes_at = None;
    invoice.starting_balance = starting;
    invoice.ending_balance = Some(ending);
    let due = invoice.due();
    if ending != starting {
        state.change_customer(&customer, |customer| customer.balance = ending)?;
    }
    if due > 0 {
        invoices::intend(state, id, due)?;
    }
    invoices::emit_invoice(state, "invoice.finalized", id)?;
    if due == 0 { settle_invoice(state, id, false) } else { Ok(()) }
}

/// Tries to collect an open invoice.
pub fn collect(
    state: &mut SandboxState,
    id: &str,
    method: Option<String>,
    presence: Presence,
) -> Result<Attempt, SandboxFailure> {
    let method = if method.is_some() { method } else { invoices::method_for(state, id)? };
    let invoice = state.store.invoices.get_mut(id)?;
    invoice.attempts = invoice.attempts.saturating_add(1);
    invoice.next_attempt = None;
    let intent = invoice.payment_intent.clone().unwrap_or_default();
    let Some(method) = method else {
        fail_invoice(state, id, false, true)?;
        return Ok(Attempt::Declined(NO_METHOD));
    };
    state.store.payment_intents.get_mut(&intent)?.payment_method = Some(method);
    let attempt = payments::attempt(state, &intent, presence)?;
    match attempt {
        Attempt::Succeeded => settle_invoice(state, id, false)?,
        Attempt::Processing => trust_debit(state, id)?,
        Attempt::RequiresAction => {
            invoices::emit_invoice(state, "invoice.payment_action_required", id)?;
            fail_invoice(state, id, presence != Presence::Absent, true)?;
        }
        Attempt::Declined(_) => fail_invoice(state, id, false, true)?,
    }
    Ok(attempt)
}

/// Records that a bank debit is processing.
/// If first debits are trusted, the subscription becomes active without waiting for this one.
pub fn trust_debit(state: &mut SandboxState, invoice: &str) -> Result<(), SandboxFailure> {
    let Some(subscription) = state.store.invoices.get(invoice)?.subscription.clone() else {
        return Ok(());
    };
    let row = state.store.subscriptions.get(&subscription)?;
    let first =
        row.status == SandboxSubscriptionStatus::Incomplete && row.latest_invoice.as_deref() == Some(invoice);
    if first && state.trusts_first_debit {
        state.change_subscription(&subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
    }
    Ok(())
}

/// Marks an invoice as paid: by its payment, by a balance, or outside of Stripe.
pub fn settle_invoice(state: &mut SandboxState, id: &str, out_of_band: bool) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let invoice = state.store.invoices.get_mut(id)?;
    invoice.status = InvoiceStatus::Paid;
    invoice.paid_at = Some(now);
    invoice.paid_out_of_band = out_of_band;
    invoice.amount_paid = invoice.due();
    invoice.auto_advance = false;
    invoice.next_attempt = None;
    // If there was something to pay and it was not paid outside of Stripe, at least one attempt is counted.
    invoice.attempts = invoice.attempts.max(i64::from(!out_of_band && invoice.amount_paid > 0));
    let own =
        invoice.payment().filter(|payment| payment.get("status").is_some_and(|status| status == "paid"));
    let payment = own.filter(|_| !out_of_band && invoice.amount_paid > 0);
    let subscription = invoice.subscription.clone();
    invoices::emit_invoice(state, "invoice.paid", id)?;
    invoices::emit_invoice(state, "invoice.payment_succeeded", id)?;
    if let Some(payment) = payment {
        state.emit_last("invoice_payment.paid", payment);
    }
    match subscription {
        Some(subscription) => recover(state, &subscription, id),
        None => Ok(()),
    }
}

/// Lets a subscription that waited for this invoice continue.
fn recover(state: &mut SandboxState, subscription: &str, invoice: &str) -> Result<(), SandboxFailure> {
    if pausing::apply_pending(state, subscription, invoice)? {
        return Ok(());
    }
    let row = state.store.subscriptions.get(subscription)?;
    let failed = row.paused.is_some_and(|(reason, _)| reason.ends_with("_payment_failure"));
    if failed && row.latest_invoice.as_deref() == Some(invoice) {
        return resume(state, subscription, false, false);
    }
    let waits = match row.status {
        SandboxSubscriptionStatus::Incomplete
        | SandboxSubscriptionStatus::PastDue
        | SandboxSubscriptionStatus::Unpaid => true,
        SandboxSubscriptionStatus::Active
        | SandboxSubscriptionStatus::Trialing
        | SandboxSubscriptionStatus::Paused
        | SandboxSubscriptionStatus::Canceled
        | SandboxSubscriptionStatus::IncompleteExpired => false,
    };
    if waits && row.latest_invoice.as_deref() == Some(invoice) {
        state.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
    }
    Ok(())
}

/// Handles a failed payment: the invoice is retried, or given up after the last attempt.
/// With `falls_behind`, the subscription becomes past due or paused, as the settings say.
/// With `silently`, nothing changes, because a person is still authenticating the payment.
pub fn fail_invoice(
    state: &mut SandboxState,
    id: &str,
    silently: bool,
    falls_behind: bool,
) -> Result<(), SandboxFailure> {
    if silently {
        return Ok(());
    }
    let now = state.store.now;
    let invoice = state.store.invoices.get_mut(id)?;
    let tried = usize::try_from(invoice.attempts.saturating_sub(1)).unwrap_or(0);
    let first = invoice.billing_reason == "subscription_create";
    let days = RETRY_DAYS.get(tried).filter(|_| !first && invoice.auto_advance);
    invoice.next_attempt = days.map(|days| now.saturating_add(days.saturating_mul(DAY_S)));
    // An invoice that is not collected automatically is not retried, and its failure ends nothing.
    let over = invoice.next_attempt.is_none() && !first && invoice.auto_advance;
    let subscription = invoice.subscription.clone();
    invoices::emit_invoice(state, "invoice.payment_failed", id)?;
    let row = subscription.as_deref().and_then(|id| state.store.subscriptions.find(id));
    let waits = row.and_then(|row| row.pending_update.as_ref()).is_some_and(|update| update.invoice == id);
    let falls_behind = falls_behind && !waits;
    let active = row.is_some_and(|row| row.status == SandboxSubscriptionStatus::Active);
    let cycle = state.store.invoices.get(id)?.billing_reason == "subscription_cycle";
    let at_once = state.after_retries == AfterRetries::PauseAtOnce && active && cycle;
    match subscription {
        Some(subscription) if over => ending::give_up(state, &subscription, id),
        Some(subscription) if falls_behind && at_once => {
            pausing::pause_subscription(state, &subscription, "first_payment_failure")
        }
        Some(subscription) if falls_behind => fall_behind(state, &subscription),
        Some(_) | None => Ok(()),
    }
}

fn fall_behind(state: &mut SandboxState, subscription: &str) -> Result<(), SandboxFailure> {
    let status = state.store.subscriptions.get(subscription)?.status;
    if matches!(status, SandboxSubscriptionStatus::Active | SandboxSubscriptionStatus::Trialing) {
        state.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::PastDue)?;
    }
    Ok(())
}

/// Resumes a paused subscription: in its current period, or in a new one that has to be paid.
pub fn resume(
    state: &mut SandboxState,
    id: &str,
    anew: bool,
    on_success: bool,
) -> Result<(), SandboxFailure> {
    let row = state.store.subscriptions.get(id)?.clone();
    if row.status != SandboxSubscriptionStatus::Paused {
        let message = format!(
            "Only subscriptions with a `paused` status can be resumed. This subscription is `{}`.",
            row.status.as_str()
        );
        return Err(SandboxFailure::invalid(message));
    }
    let now = state.store.now;
    let mut after =
        SandboxSubscription { status: SandboxSubscriptionStatus::Active, paused: None, ..row.clone() };
    let over = row.period_end() <= now;
    if !anew && !over {
        return pausing::go_on(state, id, after);
    }
    after.billing_cycle_anchor = if anew { now } else { row.billing_cycle_anchor };
    for item in &mut after.items {
        let recurring = state.store.prices.get(&item.price)?.recurring;
        let end = recurring.map(|recurring| calendar::period_end(after.billing_cycle_anchor, recurring, now));
        item.period_start = now;
        item.period_end = end.unwrap_or(item.period_end);
    }
    let mut lines = std::mem::take(&mut state.store.subscriptions.get_mut(id)?.pending);
    for item in &after.items {
        let period = (item.period_start, item.period_end);
        // With an unchanged anchor, the time until its next period is only a part of a period.
        lines.push(if anew {
            period_line(state, &after, item, period)?
        } else {
            debit_line(state, &after, item, period)?
        });
    }
    let invoice = invoices::open_invoice(
        state,
        NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(id.to_owned()),
            reason: "subscription_update",
            lines,
            period: (now, now),
            currency: row.currency.clone(),
        },
    )?;
    after.latest_invoice = Some(invoice.clone());
    after.pending.clear();
    pausing::wait_for(state, id, after.clone(), &invoice, true)?;
    finalize_invoice(state, &invoice)?;
    if state.store.invoices.get(&invoice)?.status != InvoiceStatus::Open {
        return Ok(());
    }
    state.store.invoices.get_mut(&invoice)?.auto_advance = false;
    state.quiet = Some(id.to_owned());
    let tried = collect(state, &invoice, None, Presence::Absent);
    state.quiet = None;
    let failed = matches!(tried?, Attempt::Declined(_) | Attempt::RequiresAction);
    if failed && !on_success {
        return pausing::go_on(
            state,
            id,
            SandboxSubscription { status: SandboxSubscriptionStatus::PastDue, ..after },
        );
    }
    Ok(())
}
