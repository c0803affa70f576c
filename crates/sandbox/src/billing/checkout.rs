//! What happens when a person pays on the checkout page? After a declined card, the session stays open.

use super::{
    payments::{self, Attempt, Presence, foresee},
    subscribing::{self, First, NewItem, NewSubscription},
};
use crate::{
    call::ObjectMetadata,
    failure::SandboxFailure,
    ids,
    objects::Shown,
    state::SandboxState,
    store::{
        card::{Behaviour, Decline, TestCard},
        checkout::{CheckoutItem, CheckoutMode, CheckoutStatus, SandboxCheckout},
        customer::Customer,
        invoice::Invoice,
        payment_intent::{PaymentIntent, PaymentIntentStatus},
        payment_method::PaymentMethod,
        setup_intent::SetupIntent,
    },
};

/// What a person entered.
#[derive(Clone, Debug)]
pub struct Payer {
    pub card: TestCard,
    pub exp_year: i32,
    pub exp_month: u32,
    pub email: Option<String>,
    pub name: Option<String>,
    /// Whether the person is there, and has already authenticated the payment.
    pub presence: Presence,
}

/// Where the person goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPayment {
    Complete,
    /// The bank requires authentication.
    Authenticate,
    Declined(Decline),
}

/// The order of the events of a paid subscription, as recorded at Stripe.
const SUBSCRIBED: &[&str] = &[
    "charge.succeeded",
    "charge.pending",
    "payment_method.attached",
    "customer.created",
    "customer.updated",
    "checkout.session.completed",
    "customer.subscription.created",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.created",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
];

pub fn pay_session(
    state: &mut SandboxState,
    id: &str,
    payer: &Payer,
) -> Result<AfterPayment, SandboxFailure> {
    let place = state.outbox.place();
    let paid = take_payment(state, id, payer)?;
    if paid == AfterPayment::Complete && state.store.sessions.get(id)?.mode == CheckoutMode::Subscription {
        state.outbox.arrange(place, SUBSCRIBED);
    }
    Ok(paid)
}

fn take_payment(state: &mut SandboxState, id: &str, payer: &Payer) -> Result<AfterPayment, SandboxFailure> {
    let session = state.store.sessions.get(id)?.clone();
    if session.status != CheckoutStatus::Open {
        return Err(SandboxFailure::invalid("This Checkout Session is not open any more."));
    }
    let method = method_of(state, payer);
    let asked = foresee(&method, payer.presence);
    let free = session.mode == CheckoutMode::Setup || session.total(&state.store) == 0;
    match asked {
        Attempt::RequiresAction => return Ok(AfterPayment::Authenticate),
        // A card that fails only when it is charged can be saved if nothing is charged now.
        Attempt::Declined(decline) if !(free && method.card.behaviour == Behaviour::AttachesThenFails) => {
            return declined(state, &session, method, decline);
        }
        Attempt::Succeeded | Attempt::Processing | Attempt::Declined(_) => {}
    }
    let customer = customer_for(state, &session, payer)?;
    let method = PaymentMethod { set_up: payer.presence == Presence::Authenticated, ..method };
    let method_id = method.id.clone();
    state.store.payment_methods.put(method);
    let row = state.store.sessions.get_mut(id)?;
    row.customer.clone_from(&customer);
    row.paid_by = Some((payer.email.clone(), payer.name.clone()));
    match session.mode {
        CheckoutMode::Payment => pay_once(state, id, customer, &method_id, payer.presence)?,
        CheckoutMode::Subscription => pay_again_and_again(state, id, customer, &method_id, payer.presence)?,
        CheckoutMode::Setup => keep_card(state, id, customer, &method_id)?,
    }
    Ok(AfterPayment::Complete)
}

fn method_of(state: &mut SandboxState, payer: &Payer) -> PaymentMethod {
    PaymentMethod {
        id: state.store.ids.make("pm"),
        created: state.store.now,
        customer: None,
        card: payer.card,
        exp_year: payer.exp_year,
        exp_month: payer.exp_month,
        set_up: false,
        email: payer.email.clone(),
        name: payer.name.clone(),
        metadata: ObjectMetadata::new(),
    }
}

/// Answers a declined payment.
/// A single payment keeps its failed attempts, but a subscription is made only when it is paid.
fn declined(
    state: &mut SandboxState,
    session: &SandboxCheckout,
    method: PaymentMethod,
    decline: Decline,
) -> Result<AfterPayment, SandboxFailure> {
    if session.mode == CheckoutMode::Payment {
        let intent = intent_of(state, session)?;
        let id = method.id.clone();
        state.store.payment_methods.put(method);
        state.store.payment_intents.get_mut(&intent)?.payment_method = Some(id);
        payments::attempt(state, &intent, Presence::Present)?;
    }
    Ok(AfterPayment::Declined(decline))
}

fn customer_for(
    state: &mut SandboxState,
    session: &SandboxCheckout,
    payer: &Payer,
) -> Result<Option<String>, SandboxFailure> {
    if let Some(customer) = &session.customer {
        // A customer without an email address gets the one that the person entered.
        let known = state.store.customers.get(customer)?.email.is_some();
        if let Some(email) = payer.email.clone().filter(|_| !known) {
            state.change_customer(customer, |customer| customer.email = Some(email))?;
        }
        return Ok(session.customer.clone());
    }
    let guest =
        session.mode == CheckoutMode::Payment && session.customer_creation.as_deref() != Some("always");
    if guest {
        return Ok(None);
    }
    let customer = Customer {
        id: state.store.ids.make("cus"),
        created: state.store.now,
        email: payer.email.clone(),
        name: payer.name.clone(),
        invoice_prefix: ids::letters(8).to_uppercase(),
        ..Customer::default()
    };
    let id = customer.id.clone();
    state.store.customers.put(customer);
    let object = state.store.customers.get(&id)?.render(&state.store);
    state.emit("customer.created", object);
    Ok(Some(id))
}

/// The payment intent of a session, which the first attempt makes.
fn intent_of(state: &mut SandboxState, session: &SandboxCheckout) -> Result<String, SandboxFailure> {
    if let Some(intent) = &session.payment_intent {
        return Ok(intent.clone());
    }
    let id = state.store.ids.make("pi");
    let intent = PaymentIntent {
        client_secret: format!("{id}_secret_{}", ids::letters(12)),
        id: id.clone(),
        created: state.store.now,
        amount: session.total(&state.store),
        amount_capturable: 0,
        amount_received: 0,
        currency: session.currency.clone().unwrap_or_default(),
        customer: session.customer.clone(),
        payment_method: None,
        status: PaymentIntentStatus::RequiresPaymentMethod,
        manual_capture: session.intent_manual_capture,
        latest_charge: None,
        last_error: None,
        last_method: None,
        description: session.intent_description.clone(),
        receipt_email: None,
        setup_future_usage: session.intent_future_usage.clone(),
        return_url: None,
        canceled_at: None,
        cancellation_reason: None,
        metadata: session.intent_metadata.clone(),
        invoice: None,
        settles_at: None,
    };
    state.store.payment_intents.put(intent);
    state.store.sessions.get_mut(&session.id)?.payment_intent = Some(id.clone());
    payments::emit_intent(state, "payment_intent.created", &id)?;
    Ok(id)
}

fn pay_once(
    state: &mut SandboxState,
    id: &str,
    customer: Option<String>,
    method: &str,
    presence: Presence,
) -> Result<(), SandboxFailure> {
    let session = state.store.sessions.get(id)?.clone();
    if session.total(&state.store) == 0 {
        return complete(state, id, "no_payment_required");
    }
    let intent = intent_of(state, &session)?;
    let row = state.store.payment_intents.get_mut(&intent)?;
    row.customer = customer;
    row.payment_method = Some(method.to_owned());
    let paid = payments::attempt(state, &intent, presence)? == Attempt::Succeeded;
    let taken = paid && !state.store.sessions.get(id)?.intent_manual_capture;
    complete(state, id, if taken { "paid" } else { "unpaid" })
}

fn pay_again_and_again(
    state: &mut SandboxState,
    id: &str,
    customer: Option<String>,
    method: &str,
    presence: Presence,
) -> Result<(), SandboxFailure> {
    let customer = customer.ok_or_else(|| SandboxFailure::missing("customer"))?;
    payments::attach(state, method, &customer)?;
    let session = state.store.sessions.get(id)?.clone();
    let subscription = subscribing::subscribe(
        state,
        NewSubscription {
            customer,
            items: session.items.iter().filter(|item| recurs(state, &item.price)).map(new_item).collect(),
            first: First::Try(presence),
            flexible: session.flexible,
            trial_end: session.trial_end,
            anchor: session.anchor,
            backdate: None,
            prorates: session.prorates,
            trial_without_method: session.trial_without_method.clone(),
            cancel_at_period_end: false,
            cancel_at: None,
            automatic: true,
            days_until_due: None,
            default_payment_method: Some(method.to_owned()),
            description: session.subscription_description.clone(),
            metadata: session.subscription_metadata.clone(),
            pause_collection: None,
            discounts: session.discounts.clone(),
            once: session
                .items
                .iter()
                .filter(|item| !recurs(state, &item.price))
                .map(|item| (item.price.clone(), item.quantity))
                .collect(),
            session: Some(id.to_owned()),
        },
    )?;
    let invoice = state.store.subscriptions.get(&subscription)?.latest_invoice.clone();
    let of_invoice = invoice.as_deref().and_then(|invoice| state.store.invoices.find(invoice));
    let paid = of_invoice.is_none_or(|invoice: &Invoice| invoice.paid_at.is_some());
    let row = state.store.sessions.get_mut(id)?;
    row.subscription = Some(subscription);
    row.invoice = invoice;
    complete(state, id, if paid { "paid" } else { "unpaid" })
}

fn recurs(state: &SandboxState, price: &str) -> bool {
    state.store.prices.find(price).is_some_and(|price| price.recurring.is_some())
}

fn keep_card(
    state: &mut SandboxState,
    id: &str,
    customer: Option<String>,
    method: &str,
) -> Result<(), SandboxFailure> {
    let intent = SetupIntent {
        id: state.store.ids.make("seti"),
        created: state.store.now,
        customer: customer.clone(),
        payment_method: Some(method.to_owned()),
        metadata: ObjectMetadata::new(),
    };
    let intent_id = intent.id.clone();
    state.store.setup_intents.put(intent);
    if let Some(customer) = customer {
        payments::attach(state, method, &customer)?;
    }
    let object = state.store.setup_intents.get(&intent_id)?.render(&state.store);
    state.emit("setup_intent.succeeded", object);
    state.store.sessions.get_mut(id)?.setup_intent = Some(intent_id);
    complete(state, id, "no_payment_required")
}

fn complete(state: &mut SandboxState, id: &str, payment_status: &'static str) -> Result<(), SandboxFailure> {
    let row = state.store.sessions.get_mut(id)?;
    row.status = CheckoutStatus::Complete;
    row.payment_status = payment_status;
    emit_session(state, "checkout.session.completed", id)
}

/// Emits that the bank debit of a session has succeeded or failed.
pub fn settle_session(state: &mut SandboxState, intent: &str, paid: bool) -> Result<(), SandboxFailure> {
    let invoice = state.store.payment_intents.get(intent)?.invoice.clone();
    let session = state.store.sessions.iter().find(|session| {
        session.payment_intent.as_deref() == Some(intent)
            || (session.invoice.is_some() && session.invoice == invoice)
    });
    let Some(id) = session.map(|session| session.id.clone()) else { return Ok(()) };
    if paid {
        state.store.sessions.get_mut(&id)?.payment_status = "paid";
        emit_session(state, "checkout.session.async_payment_succeeded", &id)
    } else {
        emit_session(state, "checkout.session.async_payment_failed", &id)
    }
}

pub fn expire_session(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    state.store.sessions.get_mut(id)?.status = CheckoutStatus::Expired;
    emit_session(state, "checkout.session.expired", id)
}

pub fn emit_session(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.sessions.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

fn new_item(item: &CheckoutItem) -> NewItem {
    NewItem {
        price: item.price.clone(),
        quantity: item.quantity,
        metadata: ObjectMetadata::new(),
        discounts: Vec::new(),
    }
}
