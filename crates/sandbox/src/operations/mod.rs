//! Which operations of Stripe's API are there? One line for each operation, and one file for each kind of object.

pub mod billing_portal;
mod charges;
mod checkout;
mod coupons;
mod credit_notes;
mod customers;
mod disputes;
mod events;
mod invoices;
pub mod linking;
mod payment_intents;
mod payment_methods;
mod prices;
mod products;
mod refunds;
mod subscription_schedules;
mod subscriptions;
mod webhook_endpoints;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

pub use super::failure::SandboxAnswer;
use super::{
    billing::payments::{self, Presence},
    call::Call,
    failure::SandboxFailure,
    state::SandboxState,
    store::payment_intent::PaymentIntentStatus,
};

pub struct SandboxOperation {
    pub method: &'static str,
    /// Ids are in braces, with Stripe's names for them.
    pub path: &'static str,
    pub run: fn(&mut SandboxState, &Call) -> SandboxAnswer,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    run: fn(&mut SandboxState, &Call) -> SandboxAnswer,
) -> SandboxOperation {
    SandboxOperation { method, path, run }
}

/// All operations.
pub const OPERATIONS: &[&[SandboxOperation]] = &[
    customers::OPERATIONS,
    payment_methods::OPERATIONS,
    products::OPERATIONS,
    prices::OPERATIONS,
    checkout::OPERATIONS,
    billing_portal::OPERATIONS,
    subscriptions::OPERATIONS,
    subscription_schedules::OPERATIONS,
    invoices::OPERATIONS,
    credit_notes::OPERATIONS,
    coupons::OPERATIONS,
    payment_intents::OPERATIONS,
    charges::OPERATIONS,
    refunds::OPERATIONS,
    disputes::OPERATIONS,
    events::OPERATIONS,
    webhook_endpoints::OPERATIONS,
];

/// Opens a checkout session without a request to the API, and returns its id.
pub fn open_checkout(state: &mut SandboxState, call: &Call) -> Result<String, SandboxFailure> {
    let session = checkout::create(state, call)?;
    Ok(session.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
}

pub use checkout::check_items;
pub use coupons::by_code;

/// The operation of a request, and the ids in its path.
pub fn find(method: &str, path: &str) -> Option<(&'static SandboxOperation, Vec<String>)> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut operations = OPERATIONS.iter().flat_map(|operations| operations.iter());
    operations.find_map(|operation| {
        let ids = matched(operation.path, &parts).filter(|_| operation.method == method)?;
        Some((operation, ids))
    })
}

fn matched(template: &str, parts: &[&str]) -> Option<Vec<String>> {
    let names: Vec<&str> = template.split('/').collect();
    let same = names.len() == parts.len();
    let mut ids = Vec::new();
    for (name, part) in names.iter().zip(parts).filter(|_| same) {
        if name.starts_with('{') {
            ids.push(percent_decode_str(part).decode_utf8_lossy().into_owned());
        } else if name != part {
            return None;
        }
    }
    same.then_some(ids)
}

/// The answer for a deleted object.
fn gone(id: &str, kind: &str) -> Value {
    json!({ "id": id, "object": kind, "deleted": true })
}

/// Continues or fails a payment after the person has answered the bank's authentication.
pub fn authenticate(state: &mut SandboxState, intent: &str, succeeds: bool) -> Result<(), SandboxFailure> {
    let row = state.store.payment_intents.get(intent)?;
    if row.status != PaymentIntentStatus::RequiresAction {
        return Err(row.unexpected("authenticate"));
    }
    if succeeds {
        payments::attempt(state, intent, Presence::Authenticated)?;
        return payment_intents::follow(state, intent);
    }
    payments::fail_authentication(state, intent)
}
