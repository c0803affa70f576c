//! `/v1/payment_intents`, and the setup intents that checkout sessions make.

use super::{SandboxAnswer, SandboxOperation, operation, payment_methods};
use crate::{
    billing::{
        collecting, disputes,
        payments::{self, Attempt, Presence},
    },
    call::Call,
    failure::SandboxFailure,
    ids,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::payment_intent::{PaymentIntent, PaymentIntentStatus},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/payment_intents", create),
    operation("GET", "/v1/payment_intents", list),
    operation("GET", "/v1/payment_intents/{intent}", retrieve),
    operation("POST", "/v1/payment_intents/{intent}", update),
    operation("POST", "/v1/payment_intents/{intent}/confirm", confirm),
    operation("POST", "/v1/payment_intents/{intent}/capture", capture),
    operation("POST", "/v1/payment_intents/{intent}/cancel", cancel),
    operation("GET", "/v1/setup_intents/{intent}", retrieve_setup),
];

/// The least and the greatest charge of Stripe's, in minor units of most currencies.
const AMOUNT_MIN: i64 = 50;
const AMOUNT_MAX: i64 = 99_999_999;

fn check_amount(amount: i64) -> Result<(), SandboxFailure> {
    if amount < AMOUNT_MIN {
        let message = "Amount must convert to at least 50 cents.";
        return Err(SandboxFailure::invalid(message).code("amount_too_small").param("amount"));
    }
    if amount > AMOUNT_MAX {
        let message = "Amount must be no more than $999,999.99";
        return Err(SandboxFailure::invalid(message).code("amount_too_large").param("amount"));
    }
    Ok(())
}

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let amount = params.integer("amount").ok_or_else(|| SandboxFailure::missing("amount"))?;
    check_amount(amount)?;
    let customer =
        params.text("customer").map(|id| state.store.customer(id).map(|row| row.id.clone())).transpose()?;
    let confirms = params.boolean("confirm") == Some(true);
    if params.has("off_session") && !confirms {
        let message = "`off_session` can only be used when `confirm` is true.";
        return Err(SandboxFailure::invalid(message).param("off_session"));
    }
    let method = params.text("payment_method").map(|id| payment_methods::usable(state, id)).transpose()?;
    check_owner(state, method.as_deref(), customer.as_deref())?;
    let id = state.store.ids.make("pi");
    let intent = PaymentIntent {
        client_secret: format!("{id}_secret_{}", ids::letters(16)),
        id: id.clone(),
        created: state.store.now,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        currency: params.required("currency")?.to_lowercase(),
        customer,
        status: waiting(method.is_some()),
        payment_method: method,
        manual_capture: params.text("capture_method") == Some("manual"),
        latest_charge: None,
        last_error: None,
        last_method: None,
        description: params.owned("description"),
        receipt_email: params.owned("receipt_email"),
        setup_future_usage: params.owned("setup_future_usage"),
        return_url: params.owned("return_url"),
        canceled_at: None,
        cancellation_reason: None,
        metadata: params.metadata("metadata"),
        invoice: None,
        settles_at: None,
    };
    state.store.payment_intents.put(intent);
    payments::emit_intent(state, "payment_intent.created", &id)?;
    if confirms {
        return try_payment(state, &id, call);
    }
    Ok(state.store.payment_intents.get(&id)?.render(&state.store))
}

const fn waiting(has_method: bool) -> PaymentIntentStatus {
    if has_method {
        PaymentIntentStatus::RequiresConfirmation
    } else {
        PaymentIntentStatus::RequiresPaymentMethod
    }
}

/// A payment method that is attached to a customer is for that customer only.
fn check_owner(
    state: &SandboxState,
    method: Option<&str>,
    customer: Option<&str>,
) -> Result<(), SandboxFailure> {
    let Some(method) = method else { return Ok(()) };
    match state.store.payment_methods.get(method)?.customer.as_deref() {
        Some(owner) if Some(owner) != customer => {
            let message = "The provided PaymentMethod belongs to a Customer. Please include the Customer in the \
                           `customer` parameter on the PaymentIntent.";
            Err(SandboxFailure::invalid(message).param("payment_method"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Confirms a payment. A decline is a 402 with the intent, and its events are sent all the same.
fn try_payment(state: &mut SandboxState, id: &str, call: &Call) -> SandboxAnswer {
    let off_session = call.params.boolean("off_session") == Some(true);
    let presence = if off_session { Presence::Absent } else { Presence::Present };
    let attempt = payments::attempt(state, id, presence)?;
    let failed = match attempt {
        Attempt::Declined(decline) => Some(decline),
        Attempt::RequiresAction if off_session => Some(payments::decline_unauthenticated(state, id)?),
        Attempt::RequiresAction | Attempt::Succeeded | Attempt::Processing => None,
    };
    if attempt == Attempt::Succeeded {
        follow(state, id)?;
    }
    if attempt == Attempt::Processing
        && let Some(invoice) = state.store.payment_intents.get(id)?.invoice.clone()
    {
        collecting::trust_debit(state, &invoice)?;
    }
    let object = state.store.payment_intents.get(id)?.render(&state.store);
    match failed {
        Some(decline) => Err(decline.failure().with("payment_intent", object)),
        None => Ok(object),
    }
}

/// Marks the invoice of a successful payment as paid.
pub fn follow(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let intent = state.store.payment_intents.get(id)?;
    match intent.invoice.clone().filter(|_| intent.status == PaymentIntentStatus::Succeeded) {
        Some(invoice) if state.store.invoices.get(&invoice)?.paid_at.is_none() => {
            collecting::settle_invoice(state, &invoice, false)
        }
        Some(_) | None => Ok(()),
    }
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let customer = call.params.text("customer");
    page(&state.store, &state.store.payment_intents, call, "/v1/payment_intents", |intent| {
        customer.is_none() || intent.customer.as_deref() == customer
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.payment_intents.get(call.id())?.render(&state.store))
}

fn retrieve_setup(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.setup_intents.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let intent = state.store.payment_intents.get(call.id())?;
    let fixed = matches!(
        intent.status,
        PaymentIntentStatus::Succeeded | PaymentIntentStatus::Canceled | PaymentIntentStatus::Processing
    );
    if fixed && (params.has("amount") || params.has("payment_method") || params.has("currency")) {
        return Err(intent.unexpected("update"));
    }
    if let Some(amount) = params.integer("amount") {
        check_amount(amount)?;
    }
    let method = params.text("payment_method").map(|id| payment_methods::usable(state, id)).transpose()?;
    if let Some(customer) = params.text("customer") {
        state.store.customer(customer)?;
    }
    let intent = state.store.payment_intents.get_mut(call.id())?;
    intent.amount = params.integer("amount").unwrap_or(intent.amount);
    if let Some(currency) = params.text("currency") {
        intent.currency = currency.to_lowercase();
    }
    if method.is_some() {
        intent.payment_method = method;
        intent.status = PaymentIntentStatus::RequiresConfirmation;
    }
    params.assign("customer", &mut intent.customer);
    params.assign("description", &mut intent.description);
    params.assign("receipt_email", &mut intent.receipt_email);
    params.assign("setup_future_usage", &mut intent.setup_future_usage);
    params.merge_metadata("metadata", &mut intent.metadata);
    retrieve(state, call)
}

fn confirm(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let intent = state.store.payment_intents.get(call.id())?;
    let open = matches!(
        intent.status,
        PaymentIntentStatus::RequiresPaymentMethod
            | PaymentIntentStatus::RequiresConfirmation
            | PaymentIntentStatus::RequiresAction
    );
    if !open {
        return Err(intent.unexpected("confirm"));
    }
    let method =
        call.params.text("payment_method").map(|id| payment_methods::usable(state, id)).transpose()?;
    let customer = state.store.payment_intents.get(call.id())?.customer.clone();
    check_owner(state, method.as_deref(), customer.as_deref())?;
    let intent = state.store.payment_intents.get_mut(call.id())?;
    if method.is_some() {
        intent.payment_method = method;
    }
    call.params.assign("return_url", &mut intent.return_url);
    call.params.assign("setup_future_usage", &mut intent.setup_future_usage);
    try_payment(state, call.id(), call)
}

fn capture(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let intent = state.store.payment_intents.get(call.id())?;
    if intent.status != PaymentIntentStatus::RequiresCapture {
        return Err(intent.unexpected("capture"));
    }
    let capturable = intent.amount_capturable;
    let amount = call.params.integer("amount_to_capture").unwrap_or(capturable);
    if amount < 1 || amount > capturable {
        let message = format!("The amount to capture is 1 to {capturable}.");
        return Err(SandboxFailure::invalid(message).code("amount_too_large").param("amount_to_capture"));
    }
    let charge = intent.latest_charge.clone().unwrap_or_default();
    let row = state.store.charges.get_mut(&charge)?;
    row.captured = true;
    row.amount_captured = amount;
    let intent = state.store.payment_intents.get_mut(call.id())?;
    intent.status = PaymentIntentStatus::Succeeded;
    intent.amount_capturable = 0;
    intent.amount_received = amount;
    call.params.merge_metadata("metadata", &mut intent.metadata);
    payments::emit_charge(state, "charge.captured", &charge)?;
    payments::emit_intent(state, "payment_intent.succeeded", call.id())?;
    disputes::dispute_by_card(state, &charge)?;
    follow(state, call.id())?;
    retrieve(state, call)
}

fn cancel(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let now = state.store.now;
    let intent = state.store.payment_intents.get_mut(call.id())?;
    if matches!(
        intent.status,
        PaymentIntentStatus::Succeeded | PaymentIntentStatus::Canceled | PaymentIntentStatus::Processing
    ) {
        return Err(intent.unexpected("cancel"));
    }
    intent.status = PaymentIntentStatus::Canceled;
    intent.canceled_at = Some(now);
    intent.amount_capturable = 0;
    intent.cancellation_reason = call.params.owned("cancellation_reason");
    payments::emit_intent(state, "payment_intent.canceled", call.id())?;
    retrieve(state, call)
}
