//! Which ids are shown as the objects that they identify?

use serde_json::Value;

use super::{Shown, inner_list, render_any};
use crate::{failure::SandboxFailure, store::Store};

/// The number of levels that can be expanded, as at Stripe.
const DEPTH_MAX: usize = 4;

/// Expands the fields that `paths` name, such as `data.customer`.
pub fn expand(store: &Store, answer: &mut Value, paths: &[String]) -> Result<(), SandboxFailure> {
    for path in paths {
        let names: Vec<&str> = path.split('.').collect();
        if names.len() > DEPTH_MAX {
            let message =
                format!("You cannot expand more than {DEPTH_MAX} levels of a property. Property: {path}");
            return Err(SandboxFailure::invalid(message).param("expand"));
        }
        if !descend(store, answer, &names) {
            let message = format!("This property cannot be expanded ({path}).");
            return Err(SandboxFailure::invalid(message).param("expand"));
        }
    }
    Ok(())
}

fn descend(store: &Store, value: &mut Value, names: &[&str]) -> bool {
    let Some((first, rest)) = names.split_first() else { return true };
    if let Some(list) = value.as_array_mut() {
        return list.iter_mut().all(|element| descend(store, element, names));
    }
    let included = include(store, value, first);
    let Some(object) = value.as_object_mut() else { return value.is_null() };
    if let Some(included) = included {
        object.insert((*first).to_owned(), included);
    }
    // A recorded object may be from an API version without the field.
    let Some(field) = object.get_mut(*first) else { return !store.recorded.is_empty() };
    if let Some(found) = field.as_str().and_then(|id| render_any(store, id)) {
        *field = found;
    }
    if let Some(elements) = field.as_array_mut() {
        for element in elements {
            if let Some(found) = element.as_str().and_then(|id| render_any(store, id)) {
                *element = found;
            }
        }
    }
    // A recorded object may refer to an object that was not recorded.
    if field.is_string() && !store.recorded.is_empty() {
        return true;
    }
    let expandable = field.is_object() || field.is_array() || field.is_null();
    expandable && (field.is_null() || descend(store, field, rest))
}

/// A field that an object has only if it is expanded.
fn include(store: &Store, value: &Value, name: &str) -> Option<Value> {
    let id = value.get("id").and_then(Value::as_str)?;
    let kind = value.get("object").and_then(Value::as_str)?;
    match (kind, name) {
        ("checkout.session", "line_items") => {
            let items = store.sessions.find(id)?.line_items(store);
            Some(inner_list(items, &format!("/v1/checkout/sessions/{id}/line_items")))
        }
        ("invoice", "payments") => {
            let payments = store.invoices.find(id)?.payments();
            Some(inner_list(payments, "/v1/invoice_payments"))
        }
        ("invoice", "confirmation_secret") => {
            let intent = store.invoices.find(id)?.payment_intent.as_deref()?;
            let secret = store.payment_intents.find(intent)?.client_secret.clone();
            Some(serde_json::json!({ "client_secret": secret, "type": "payment_intent" }))
        }
        ("charge", "refunds") => {
            let refunds = store.refunds.iter().filter(|refund| refund.charge == id);
            let refunds = refunds.map(|refund| refund.render(store)).collect();
            Some(inner_list(refunds, &format!("/v1/charges/{id}/refunds")))
        }
        ("customer", "subscriptions") => {
            let rows = store.subscriptions.iter().filter(|row| row.customer == id && !row.status.has_ended());
            let rows = rows.map(|row| row.render(store)).collect();
            Some(inner_list(rows, &format!("/v1/customers/{id}/subscriptions")))
        }
        _ => None,
    }
}
