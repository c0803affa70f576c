//! How is an invoice made, and how is it numbered when it is finalized?

use super::{discounting, payments};
use crate::{
    calendar::DAY_S,
    call::ObjectMetadata,
    failure::SandboxFailure,
    ids,
    objects::Shown,
    state::SandboxState,
    store::{
        invoice::{Invoice, InvoiceStatus},
        line::SandboxInvoiceLine,
        payment_intent::{PaymentIntent, PaymentIntentStatus},
    },
};

/// What an invoice is made from.
pub struct NewInvoice {
    pub customer: String,
    pub subscription: Option<String>,
    pub reason: &'static str,
    pub lines: Vec<SandboxInvoiceLine>,
    pub period: (i64, i64),
    pub currency: String,
}

/// Makes a draft, and keeps it.
pub fn open_invoice(state: &mut SandboxState, new: NewInvoice) -> Result<String, SandboxFailure> {
    let mut invoice = draft(state, new, "in", state.store.now)?;
    let id = invoice.id.clone();
    trace_credits(state, &mut invoice);
    if let Some(subscription) = &invoice.subscription {
        state.store.subscriptions.get_mut(subscription)?.latest_invoice = Some(id.clone());
        discounting::use_up(state, subscription, &invoice.lines)?;
    }
    state.store.invoices.put(invoice);
    emit_invoice(state, "invoice.created", &id)?;
    Ok(id)
}

/// Finds the invoices of credited debits that had none when the credit was made.
fn trace_credits(state: &SandboxState, invoice: &mut Invoice) {
    let own: Vec<String> = invoice.lines.iter().map(|line| line.id.clone()).collect();
    let id = invoice.id.clone();
    let untraced = invoice.lines.iter_mut().filter_map(|line| line.credited.as_mut());
    for credited in untraced.filter(|credited| credited.invoice.is_none()) {
        let Some(first) = credited.lines.first() else { continue };
        let elsewhere =
            state.store.invoices.iter().find(|row| row.lines.iter().any(|line| line.id == *first));
        credited.invoice =
            if own.contains(first) { Some(id.clone()) } else { elsewhere.map(|row| row.id.clone()) };
    }
}

/// Makes an invoice that is not kept, with the discounts that are valid at a time.
pub fn draft(
    state: &mut SandboxState,
    mut new: NewInvoice,
    prefix: &str,
    at: i64,
) -> Result<Invoice, SandboxFailure> {
    discounting::discount(state, new.subscription.as_deref(), &mut new.lines, at);
    let subscription = new.subscription.as_deref().and_then(|id| state.store.subscriptions.find(id));
    let automatic = subscription.is_none_or(|subscription| subscription.is_automatic());
    let due_date = subscription.and_then(|subscription| subscription.days_until_due);
    let due_date = due_date.map(|days| state.store.now.saturating_add(days.saturating_mul(DAY_S)));
    let metadata = subscription.map(|subscription| subscription.metadata.clone()).unwrap_or_default();
    let starting_balance = state.store.customers.get(&new.customer)?.balance;
    Ok(Invoice {
        id: state.store.ids.make(prefix),
        created: state.store.now,
        customer: new.customer,
        subscription: new.subscription,
        status: InvoiceStatus::Draft,
        billing_reason: new.reason,
        lines: new.lines,
        currency: new.currency,
        period: new.period,
        number: None,
        attempts: 0,
        auto_advance: true,
        automatic,
        finalizes_at: None,
        next_attempt: None,
        due_date,
        payment_intent: None,
        amount_paid: 0,
        paid_out_of_band: false,
        notes_before_payment: 0,
        notes_after_payment: 0,
        other_payments: Vec::new(),
        starting_balance,
        ending_balance: None,
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        marked_uncollectible_at: None,
        metadata: ObjectMetadata::new(),
        subscription_metadata: metadata,
    })
}

pub fn number(state: &mut SandboxState, customer: &str) -> Result<String, SandboxFailure> {
    let customer = state.store.customers.get_mut(customer)?;
    customer.invoices_numbered = customer.invoices_numbered.saturating_add(1);
    Ok(format!("{}-{:04}", customer.invoice_prefix, customer.invoices_numbered))
}

/// Makes the payment intent of an invoice.
pub fn intend(state: &mut SandboxState, invoice: &str, amount: i64) -> Result<(), SandboxFailure> {
    let id = state.store.ids.make("pi");
    let row = state.store.invoices.get(invoice)?;
    let described = row.billing_reason.replace("subscription_", "Subscription ");
    let intent = PaymentIntent {
        client_secret: format!("{id}_secret_{}", ids::letters(12)),
        id: id.clone(),
        created: state.store.now,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        currency: row.currency.clone(),
        customer: Some(row.customer.clone()),
        payment_method: None,
        status: PaymentIntentStatus::RequiresPaymentMethod,
        manual_capture: false,
        latest_charge: None,
        last_error: None,
        last_method: None,
        description: Some(described),
        receipt_email: None,
        setup_future_usage: Some("off_session".to_owned()),
        return_url: None,
        canceled_at: None,
        cancellation_reason: None,
        metadata: ObjectMetadata::new(),
        invoice: Some(invoice.to_owned()),
        settles_at: None,
    };
    state.store.payment_intents.put(intent);
    state.store.invoices.get_mut(invoice)?.payment_intent = Some(id.clone());
    payments::emit_intent(state, "payment_intent.created", &id)
}

/// The payment method for an invoice: its own, or else the subscription's, or else the customer's.
pub fn method_for(state: &SandboxState, invoice: &str) -> Result<Option<String>, SandboxFailure> {
    let invoice = state.store.invoices.get(invoice)?;
    let subscription = invoice.subscription.as_deref().and_then(|id| state.store.subscriptions.find(id));
    let method = subscription.and_then(|subscription| subscription.default_payment_method.clone());
    let of_customer = state.store.customers.get(&invoice.customer)?.default_payment_method.clone();
    Ok(method.or(of_customer))
}

pub fn emit_invoice(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.invoices.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

pub fn cancel_intent(state: &mut SandboxState, id: Option<&str>, reason: &str) -> Result<(), SandboxFailure> {
    let Some(id) = id else { return Ok(()) };
    let now = state.store.now;
    let intent = state.store.payment_intents.get_mut(id)?;
    if matches!(intent.status, PaymentIntentStatus::Succeeded | PaymentIntentStatus::Canceled) {
        return Ok(());
    }
    intent.status = PaymentIntentStatus::Canceled;
    intent.canceled_at = Some(now);
    intent.cancellation_reason = Some(reason.to_owned());
    payments::emit_intent(state, "payment_intent.canceled", id)
}
