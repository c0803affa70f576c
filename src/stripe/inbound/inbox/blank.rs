//! What of a delivery is stored?
//! Nothing that identifies a person or a card, or that lets others pay in a person's name.
//!
//! None of it is used by the program, so that an event has the same result when it is processed again.

use serde_json::{Map, Value};

/// Replaces values that are not stored.
const BLANK: &str = "…";

/// Fields of Stripe's objects about a person or a card, wherever they are.
/// Source: <https://docs.stripe.com/api>, of customers, checkout sessions, invoices, charges, payment methods and
/// disputes.
const PERSONAL: [&str; 40] = [
    "account_holder_name",
    "account_number",
    "address",
    "billing_details",
    "business_name",
    "cardholder_name",
    "client_ip",
    "client_secret",
    "collected_information",
    "custom_fields",
    "customer_address",
    "customer_details",
    "customer_email",
    "customer_email_address",
    "customer_name",
    "customer_phone",
    "customer_purchase_ip",
    "customer_shipping",
    "customer_tax_ids",
    "dynamic_last4",
    "email",
    "evidence",
    "fingerprint",
    "generated_from",
    "hosted_invoice_url",
    "hosted_verification_url",
    "iban",
    "iin",
    "individual_name",
    "invoice_pdf",
    "ip_address",
    "last4",
    "owner",
    "payer_details",
    "phone",
    "receipt_email",
    "receipt_number",
    "receipt_url",
    "shipping",
    "shipping_details",
];

/// Personal only in a customer. In other objects they describe what is sold.
const OF_CUSTOMER: [&str; 2] = ["name", "description"];

/// The caller's own fields.
const METADATA: &str = "metadata";

/// The body of an event without personal values; unchanged if it has none.
#[must_use]
pub fn blanked(body: &[u8]) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let is_of_customer = document
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.starts_with("customer.") && kind.matches('.').count() == 1);
    let mut found = false;
    if let Some(data) = document.get_mut("data").and_then(Value::as_object_mut) {
        for (name, part) in data {
            // The earlier values of a customer do not say that they are of a customer.
            if is_of_customer
                && name == "previous_attributes"
                && let Some(members) = part.as_object_mut()
            {
                found |= blank_all(members, &OF_CUSTOMER);
            }
            found |= blank(part);
        }
    }
    let kept = found.then(|| serde_json::to_vec(&document).ok()).flatten();
    kept.unwrap_or_else(|| body.to_vec())
}

/// Replaces personal values. Returns whether there were any.
fn blank(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut found = blank_all(members, &PERSONAL);
            if members.get("object").and_then(Value::as_str) == Some("customer") {
                found |= blank_all(members, &OF_CUSTOMER);
            }
            let others = members.iter_mut().filter(|(name, _)| *name != METADATA);
            others.fold(found, |found, (_, member)| blank(member) | found)
        }
        Value::Array(members) => members.iter_mut().fold(false, |found, member| blank(member) | found),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn blank_all(members: &mut Map<String, Value>, names: &[&str]) -> bool {
    let mut found = false;
    for name in names {
        if let Some(member) = members.get_mut(*name).filter(|member| !member.is_null()) {
            *member = Value::from(BLANK);
            found = true;
        }
    }
    found
}
