//! `/v1/customers`

use serde_json::Value;

use super::{SandboxAnswer, SandboxOperation, gone, operation};
use crate::{
    billing::{
        ending::{self, CancellationDetails},
        payments,
    },
    call::{Call, Params},
    ids,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::customer::Customer,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/customers", create),
    operation("GET", "/v1/customers", list),
    operation("GET", "/v1/customers/{customer}", retrieve),
    operation("POST", "/v1/customers/{customer}", update),
    operation("DELETE", "/v1/customers/{customer}", delete),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let id = state.store.ids.make("cus");
    let prefix = call.params.owned("invoice_prefix").unwrap_or_else(|| ids::letters(8).to_uppercase());
    let mut customer =
        Customer { id: id.clone(), created: state.store.now, invoice_prefix: prefix, ..Customer::default() };
    assign(&mut customer, &call.params);
    state.store.customers.put(customer);
    if let Some(method) = call.params.text("payment_method") {
        let method = super::payment_methods::usable(state, method)?;
        payments::attach(state, &method, &id)?;
    }
    if let Some(method) = call.params.text("invoice_settings.default_payment_method") {
        let method = super::payment_methods::owned_by(state, method, &id)?;
        state.store.customers.get_mut(&id)?.default_payment_method = Some(method);
    }
    let object = state.store.customers.get(&id)?.render(&state.store);
    state.emit("customer.created", object.clone());
    Ok(object)
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let email = call.params.text("email");
    page(&state.store, &state.store.customers, call, "/v1/customers", |customer| {
        email.is_none() || customer.email.as_deref() == email
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.customers.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    state.store.customer(call.id()).map_err(|failure| failure.status(404).param("id"))?;
    let method = call.params.text("invoice_settings.default_payment_method");
    let method =
        method.map(|method| super::payment_methods::owned_by(state, method, call.id())).transpose()?;
    state.change_customer(call.id(), |customer| {
        assign(customer, &call.params);
        if call.params.has("invoice_settings.default_payment_method") {
            customer.default_payment_method = method;
        }
    })?;
    retrieve(state, call)
}

/// Deletes a customer, and ends its subscriptions.
fn delete(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let id = state.store.customer(call.id()).map_err(|failure| failure.status(404).param("id"))?.id.clone();
    let going = state.store.subscriptions.iter().filter(|row| row.customer == id && !row.status.has_ended());
    let going: Vec<String> = going.map(|row| row.id.clone()).collect();
    for subscription in going {
        ending::end_subscription(
            state,
            &subscription,
            "cancellation_requested",
            CancellationDetails::default(),
        )?;
    }
    let whole = state.store.customers.get(&id)?.whole(&state.store);
    state.store.customers.get_mut(&id)?.deleted = true;
    state.emit("customer.deleted", whole);
    Ok(gone(&id, "customer"))
}

fn assign(customer: &mut Customer, params: &Params) {
    params.assign("email", &mut customer.email);
    params.assign("name", &mut customer.name);
    params.assign("phone", &mut customer.phone);
    params.assign("description", &mut customer.description);
    params.merge_metadata("metadata", &mut customer.metadata);
    if let Some(balance) = params.integer("balance") {
        customer.balance = balance;
    }
    for (name, field) in [("address", &mut customer.address), ("shipping", &mut customer.shipping)] {
        if params.has(name) {
            *field = params.find(name).filter(|value| value.is_object()).map(filled);
        }
    }
}

/// An address with all of its fields, or shipping details as they are. Empty texts become `null`.
fn filled(value: &Value) -> Value {
    let mut value = value.clone();
    for line in value.as_object_mut().into_iter().flat_map(|object| object.values_mut()) {
        if line.as_str() == Some("") {
            *line = Value::Null;
        }
    }
    if let Some(object) = value.as_object_mut().filter(|object| !object.contains_key("address")) {
        for name in ["city", "country", "line1", "line2", "postal_code", "state"] {
            object.entry(name).or_insert(Value::Null);
        }
    }
    value
}
