//! What does an event look like in an older API version? The newest form is taken back, change by change.

use serde_json::{Map, Value, json};

use crate::{
    objects::{NEWEST, Shown},
    store::{Store, price::SandboxPrice},
};

type ObjectShape = Map<String, Value>;

/// Whether an API version has this type of event.
pub fn sends(kind: &str, version: &str) -> bool {
    match kind {
        "invoice_payment.paid" => version >= "2025-05-28",
        "refund.created" | "refund.updated" | "refund.failed" => version >= "2024-10-28",
        _ => true,
    }
}

/// Whether a text is a known API version: a date, often followed by a name.
pub fn is_version(text: &str) -> bool {
    is_dated(text) && text <= NEWEST
}

/// Whether a text is an API version, known or newer, such as that of a newer SDK.
pub fn is_dated(text: &str) -> bool {
    let date = text.split('.').next().unwrap_or_default();
    chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok()
}

/// Rewrites an event for the API version `version`.
pub fn render(store: &Store, event: &mut Value, version: &str) {
    let Some(event) = event.as_object_mut() else { return };
    event.insert("api_version".to_owned(), json!(version));
    let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) else { return };
    if let Some(object) = data.get_mut("object").and_then(Value::as_object_mut) {
        older(store, object, version);
    }
    let kind = data.get("object").and_then(|object| object.get("object")).and_then(Value::as_str);
    if kind == Some("subscription") && version < "2025-03-31" {
        let now = data.get("object").cloned().unwrap_or_default();
        if let Some(previous) = data.get_mut("previous_attributes").and_then(Value::as_object_mut) {
            previous_subscription(store, previous, &now);
        }
    }
}

fn older(store: &Store, object: &mut ObjectShape, version: &str) {
    let kind = object.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
    match kind.as_str() {
        "subscription" => subscription(store, object, version),
        "invoice" if version < "2025-03-31" => invoice(store, object),
        "payment_intent" | "charge" if version < "2025-03-31" => {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            let of_intent = store.payment_intents.find(id).and_then(|intent| intent.invoice.clone());
            let of_charge = store.charges.find(id).and_then(|charge| charge.invoice.clone());
            object.insert("invoice".to_owned(), json!(of_intent.or(of_charge)));
        }
        "discount" if version < "2025-09-30" => whole_coupon(store, object),
        "customer" if version < "2025-09-30" => {
            if let Some(discount) = object.get_mut("discount").and_then(Value::as_object_mut) {
                whole_coupon(store, discount);
            }
        }
        "checkout.session" if version < "2025-09-30" => {
            object.insert("ui_mode".to_owned(), json!("hosted"));
        }
        _ => {}
    }
}

/// Replaces a discount by its older form, which includes the coupon.
fn whole_coupon(store: &Store, discount: &mut ObjectShape) {
    let id = discount.get("id").and_then(Value::as_str).unwrap_or_default();
    if let Some(Value::Object(older)) = store.discounts.find(id).map(|row| row.older(store)) {
        *discount = older;
    }
}

fn subscription(store: &Store, object: &mut ObjectShape, version: &str) {
    if version < "2026-09-30" {
        object.remove("status_details");
        object.remove("billing_schedules");
    }
    if version < "2025-09-30" {
        let first = first_item(object);
        for name in ["plan", "quantity"] {
            let value = first.get(name).cloned().unwrap_or_default();
            object.insert(name.to_owned(), value);
        }
    }
    if version < "2025-06-30" {
        object.remove("billing_mode");
    }
    if version < "2025-03-31" {
        let first = first_item(object);
        for name in ["current_period_start", "current_period_end"] {
            let value = first.get(name).cloned().unwrap_or_default();
            object.insert(name.to_owned(), value);
        }
        let first = first_discount(store, object);
        object.insert("discount".to_owned(), first);
        strip_periods(object);
    }
}

/// The first discount, in the older form. Older objects could have only one.
fn first_discount(store: &Store, object: &ObjectShape) -> Value {
    let first = object.get("discounts").and_then(Value::as_array).and_then(|ids| ids.first());
    let first = first.and_then(Value::as_str).and_then(|id| store.discounts.find(id));
    first.map(|discount| discount.older(store)).unwrap_or_default()
}

fn first_item(object: &ObjectShape) -> ObjectShape {
    let items = object.get("items").and_then(|items| items.get("data"));
    let first = items.and_then(Value::as_array).and_then(|items| items.first());
    first.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Removes the periods of items, which older items do not have.
fn strip_periods(object: &mut ObjectShape) {
    let items = object.get_mut("items").and_then(|items| items.get_mut("data"));
    for item in items.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(item) = item.as_object_mut() {
            item.remove("current_period_start");
            item.remove("current_period_end");
        }
    }
}

fn previous_subscription(store: &Store, previous: &mut ObjectShape, now: &Value) {
    if previous.contains_key("discounts") {
        let first = first_discount(store, previous);
        previous.insert("discount".to_owned(), first);
    }
    let first = first_item(previous);
    for name in ["current_period_start", "current_period_end"] {
        if let Some(value) = first.get(name).filter(|value| now.get(name) != Some(*value)) {
            previous.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(plan) = first.get("plan").filter(|plan| now.get("plan") != Some(*plan)) {
        previous.insert("plan".to_owned(), plan.clone());
    }
    strip_periods(previous);
    let items = |object: Option<&Value>| object.and_then(|items| items.get("data")).cloned();
    if items(previous.get("items")) == items(now.get("items")) {
        previous.remove("items");
    }
    previous.remove("status_details");
}

fn invoice(store: &Store, object: &mut ObjectShape) {
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let row = store.invoices.find(&id);
    let intent = row.and_then(|invoice| invoice.payment_intent.clone());
    let charge = intent.as_deref().and_then(|id| store.payment_intents.find(id));
    let charge = charge.and_then(|intent| intent.latest_charge.clone());
    let details = object.get("parent").and_then(|parent| parent.get("subscription_details")).cloned();
    let details = details.unwrap_or_default();
    let paid = object.get("status").and_then(Value::as_str) == Some("paid");
    let metadata = details.get("metadata").map(|metadata| json!({ "metadata": metadata }));
    for gone in
        ["parent", "amount_overpaid", "amount_paid_off_stripe", "total_taxes", "total_pretax_credit_amounts"]
    {
        object.remove(gone);
    }
    let old = json!({
        "application_fee_amount": null,
        "charge": charge,
        "discount": null,
        "paid": paid,
        "paid_out_of_band": row.is_some_and(|invoice| invoice.paid_out_of_band),
        "payment_intent": intent,
        "quote": null,
        "subscription": details.get("subscription"),
        "subscription_details": metadata,
        "tax": null,
        "total_tax_amounts": [],
        "transfer_data": null,
    });
    if let Value::Object(old) = old {
        object.extend(old);
    }
    let lines = object.get_mut("lines").and_then(|lines| lines.get_mut("data")).and_then(Value::as_array_mut);
    for line in lines.into_iter().flatten().filter_map(Value::as_object_mut) {
        invoice_line(store, line);
    }
}

fn invoice_line(store: &Store, line: &mut ObjectShape) {
    let parent = line.remove("parent").unwrap_or_default();
    let item = parent.get("subscription_item_details").filter(|details| !details.is_null());
    let details = item.or_else(|| parent.get("invoice_item_details")).cloned().unwrap_or_default();
    let credited = details.pointer("/proration_details/credited_items").cloned().unwrap_or_default();
    let pricing = line.remove("pricing").unwrap_or_default();
    let price = pricing.pointer("/price_details/price").and_then(Value::as_str).unwrap_or_default();
    let price = store.prices.find(price);
    let amount = line.get("amount").cloned().unwrap_or_default();
    let id = line.get("id").and_then(Value::as_str).unwrap_or_default();
    let known = store.invoices.iter().flat_map(|invoice| &invoice.lines).find(|known| known.id == id);
    let subscription_item = known.and_then(|known| known.subscription_item.clone());
    for gone in ["taxes", "subtotal", "pretax_credit_amounts"] {
        line.remove(gone);
    }
    let old = json!({
        "amount_excluding_tax": amount,
        "invoice_item": details.get("invoice_item"),
        "plan": price.map(SandboxPrice::plan),
        "price": price.map(|price| price.render(store)),
        "proration": details.get("proration"),
        "proration_details": { "credited_items": credited },
        "subscription": details.get("subscription"),
        "subscription_item": subscription_item,
        "tax_amounts": [],
        "tax_rates": [],
        "type": if item.is_some() { "subscription" } else { "invoiceitem" },
        "unit_amount_excluding_tax": price.map(|price| price.unit_amount.to_string()),
    });
    if let Value::Object(mut old) = old {
        // An older line that was not an invoice item lacks this field.
        if old.get("invoice_item").is_some_and(Value::is_null) {
            old.remove("invoice_item");
        }
        line.extend(old);
    }
}
