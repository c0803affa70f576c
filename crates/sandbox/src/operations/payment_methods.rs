//! `/v1/payment_methods`: test cards by their names at Stripe.

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    billing::payments,
    call::{Call, ObjectMetadata},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::{
        card::{Behaviour, TestCard},
        payment_method::PaymentMethod,
    },
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/payment_methods", create),
    operation("GET", "/v1/payment_methods", list),
    operation("GET", "/v1/payment_methods/{payment_method}", retrieve),
    operation("POST", "/v1/payment_methods/{payment_method}/attach", attach),
    operation("POST", "/v1/payment_methods/{payment_method}/detach", detach),
    operation("GET", "/v1/customers/{customer}/payment_methods", list_of_customer),
    operation("GET", "/v1/customers/{customer}/payment_methods/{payment_method}", retrieve_of_customer),
];

/// The expiry year of cards that are made from a name.
const EXP_YEAR: i32 = 2034;
const EXP_MONTH: u32 = 8;

/// The id of a payment method: the given one, or that of a new one for a name such as `pm_card_visa`.
pub fn usable(state: &mut SandboxState, id: &str) -> Result<String, SandboxFailure> {
    let Some(card) = TestCard::by_token(id) else {
        return Ok(state.store.payment_methods.get(id).map_err(|failure| failure.status(400))?.id.clone());
    };
    Ok(make(state, card))
}

/// As [`usable`], and attached to the customer if it is not attached yet.
pub fn owned_by(state: &mut SandboxState, id: &str, customer: &str) -> Result<String, SandboxFailure> {
    let method = usable(state, id)?;
    match state.store.payment_methods.get(&method)?.customer.clone() {
        Some(owner) if owner == customer => {}
        None if TestCard::by_token(id).is_some() => payments::attach(state, &method, customer)?,
        Some(_) | None => {
            let message = format!(
                "The customer does not have a payment method with the ID {id}. The payment method must be attached \
                 to the customer."
            );
            return Err(SandboxFailure::invalid(message)
                .code("resource_missing")
                .param("default_payment_method"));
        }
    }
    Ok(method)
}

fn make(state: &mut SandboxState, card: TestCard) -> String {
    let id = state.store.ids.make("pm");
    state.store.payment_methods.put(PaymentMethod {
        id: id.clone(),
        created: state.store.now,
        customer: None,
        card,
        exp_year: EXP_YEAR,
        exp_month: EXP_MONTH,
        set_up: false,
        email: None,
        name: None,
        metadata: ObjectMetadata::new(),
    });
    id
}

/// Makes a card from its name at Stripe. Card numbers are accepted on the checkout page only.
fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let kind = call.params.required("type")?;
    if kind != "card" {
        return Err(
            SandboxFailure::invalid(format!("The sandbox makes cards only, not {kind}.")).param("type")
        );
    }
    let token = call.params.text("card.token").map(|token| token.replace("tok_", "pm_card_"));
    let by_token = token.and_then(|token| TestCard::by_token(&token));
    let by_number = call.params.text("card.number").and_then(TestCard::by_number);
    let card = by_token.or(by_number).ok_or_else(|| {
        SandboxFailure::card("incorrect_number", None, "Your card number is incorrect.").param("card[number]")
    })?;
    let id = make(state, card);
    let method = state.store.payment_methods.get_mut(&id)?;
    method.email = call.params.owned("billing_details.email");
    method.name = call.params.owned("billing_details.name");
    method.metadata = call.params.metadata("metadata");
    Ok(state.store.payment_methods.get(&id)?.render(&state.store))
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let customer = call.params.text("customer");
    let kind = call.params.text("type");
    page(&state.store, &state.store.payment_methods, call, "/v1/payment_methods", |method| {
        method.customer.is_some()
            && (customer.is_none() || method.customer.as_deref() == customer)
            && kind.is_none_or(|kind| method.card.kind() == kind)
    })
}

fn list_of_customer(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let customer = state.store.customer(call.id())?.id.clone();
    let kind = call.params.text("type");
    let url = format!("/v1/customers/{customer}/payment_methods");
    page(&state.store, &state.store.payment_methods, call, &url, |method| {
        method.customer.as_ref() == Some(&customer) && kind.is_none_or(|kind| method.card.kind() == kind)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    if let Some(card) = TestCard::by_token(call.id()) {
        let id = make(state, card);
        return Ok(state.store.payment_methods.get(&id)?.render(&state.store));
    }
    Ok(state.store.payment_methods.get(call.id())?.render(&state.store))
}

fn retrieve_of_customer(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let method = state.store.payment_methods.get(call.id())?;
    let own = method.customer.as_ref() == call.ids.first();
    if own {
        Ok(method.render(&state.store))
    } else {
        Err(SandboxFailure::no_such("PaymentMethod", call.id()))
    }
}

/// Attaches a method. A card that declines every charge is refused, except for the one that fails later.
fn attach(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let customer = state.store.customer(call.params.required("customer")?)?.id.clone();
    let method = usable(state, call.id()).map_err(|failure| failure.status(404))?;
    let row = state.store.payment_methods.get(&method)?;
    if row.customer.as_ref().is_some_and(|owner| *owner != customer) {
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(SandboxFailure::invalid(message).code("payment_method_already_attached"));
    }
    if let Behaviour::Refuses(decline) = row.card.behaviour {
        return Err(decline.failure());
    }
    if row.customer.is_none() {
        payments::attach(state, &method, &customer)?;
    }
    Ok(state.store.payment_methods.get(&method)?.render(&state.store))
}

fn detach(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = state.store.payment_methods.get(call.id())?.render(&state.store);
    let Some(customer) = state.store.payment_methods.get(call.id())?.customer.clone() else {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(SandboxFailure::invalid(message));
    };
    state.store.payment_methods.get_mut(call.id())?.customer = None;
    let after = state.store.payment_methods.get(call.id())?.render(&state.store);
    state.emit_change("payment_method.detached", &before, after.clone());
    if state.store.customers.get(&customer)?.default_payment_method.as_deref() == Some(call.id()) {
        state.change_customer(&customer, |customer| customer.default_payment_method = None)?;
    }
    Ok(after)
}
