//! What does a discount take off of which an event has only the id?
//!
//! Current versions of Stripe's API name discounts by their ids, and say nowhere in a subscription what its customer has. What
//! is behind an id is asked of Stripe once and remembered: coupons do not change their terms. A customer's discount is
//! remembered from the events that tell of it. What stays unknown takes nothing off, and is counted and said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    client::{AskObject, CallError, Client},
    document::Document,
    envelope::{Content, Envelope},
};
use crate::domain::time::Timestamp;

/// Coupons by their own ids, by those of discounts, and by those of the customers that have one. Null: there is none.
pub(super) type Coupons = BTreeMap<String, Value>;

/// What is kept of a coupon.
const TERMS: [&str; 5] = ["id", "duration", "percent_off", "amount_off", "currency"];
/// Where the coupon of a discount is, newest shape first.
const COUPON_AT: [&str; 2] = ["/source/coupon", "/coupon"];

/// What became known of a coupon, and when that was so.
#[derive(Clone, Debug)]
pub struct CouponTold {
    pub id: String,
    pub coupon: Value,
    pub at: Timestamp,
}

/// An event with what its discounts are.
pub(super) struct Filled {
    pub(super) event: Envelope,
    /// What is to be remembered.
    pub(super) told: Vec<CouponTold>,
    /// The ids that nothing is known of.
    pub(super) unknown: Vec<String>,
}

/// The ids that the event names, its customer's among them.
pub(super) fn named(event: &Envelope) -> BTreeSet<String> {
    let Some(object) = subscription(event) else { return BTreeSet::new() };
    let customer = object.get("customer").and_then(Value::as_str).map(str::to_owned);
    unexplained(event).into_iter().chain(customer).collect()
}

/// Puts in what is known, and asks Stripe for the rest, until then.
pub(super) async fn fill(
    client: Option<&Client>,
    mut event: Envelope,
    known: &Coupons,
    until: Instant,
) -> Filled {
    put_in(&mut event, known);
    let mut told = told_by(&event);
    if let Some(client) = client.filter(|_| event.account.is_none() && !unexplained(&event).is_empty()) {
        let fetched = fetch(client, &mut event, until).await;
        let at = event.created;
        told.extend(fetched.into_iter().map(|(id, coupon)| CouponTold { id, coupon, at }));
    }
    let unknown: Vec<String> = unexplained(&event).into_iter().collect();
    for discount in &unknown {
        metrics::counter!("counterfoil_stripe_discounts_unknown_total").increment(1);
        tracing::warn!(event = %event.id, discount, "a discount is not known, and takes nothing off the revenue");
    }
    Filled { event, told, unknown }
}

/// What an event about a customer, or about its discount, tells.
fn told_by(event: &Envelope) -> Vec<CouponTold> {
    let Content::Snapshot { object, .. } = &event.content else { return Vec::new() };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let (customer, discount) = match text("object") {
        Some("customer") => (text("id"), object.get("discount").unwrap_or(&Value::Null)),
        // One of a subscription is told by the subscription.
        Some("discount") if text("subscription").is_none() && event.kind == "customer.discount.deleted" => {
            (text("customer"), &Value::Null)
        }
        Some("discount") if text("subscription").is_none() => (text("customer"), object),
        _ => return Vec::new(),
    };
    let Some(id) = customer.map(str::to_owned) else { return Vec::new() };
    vec![CouponTold { id, coupon: coupon_of(discount).map_or(Value::Null, terms), at: event.created }]
}

/// The ids of discounts and coupons that stand alone, now or before.
fn unexplained(event: &Envelope) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut event = event.clone();
    each_discount(&mut event, &mut |discount, beside| {
        let alone = match discount {
            Value::String(id) => Some(id.clone()).filter(|id| beside != Some(id.as_str())),
            discount => coupon_of(discount).and_then(Value::as_str).map(str::to_owned),
        };
        ids.extend(alone);
    });
    ids
}

fn put_in(event: &mut Envelope, known: &Coupons) {
    each_discount(event, &mut |discount, _| {
        let explained = match &*discount {
            Value::String(id) => known.get(id).map(|coupon| json!({ "id": id, "coupon": coupon })),
            other => coupon_of(other)
                .and_then(Value::as_str)
                .and_then(|id| known.get(id))
                .map(|coupon| json!({ "id": other.get("id"), "coupon": coupon })),
        };
        if let Some(explained) = explained {
            *discount = explained;
        }
    });
    let Content::Snapshot { object, .. } = &mut event.content else { return };
    let customer = object.get_mut("customer").filter(|customer| customer.is_string());
    if let Some(customer) = customer
        && let Some(coupon) =
            customer.as_str().and_then(|id| known.get(id)).filter(|coupon| !coupon.is_null())
    {
        *customer = json!({ "id": customer.clone(), "discount": { "coupon": coupon } });
    }
}

/// Reads the subscription as it is now, where its discounts are told, and each coupon that is only named there.
async fn fetch(client: &Client, event: &mut Envelope, until: Instant) -> Coupons {
    let mut fetched = Coupons::new();
    let discounts = unexplained(event).into_iter().any(|id| id.starts_with("di_"));
    let subscription = event.object().and_then(Document::id_of).filter(|_| discounts);
    if let Some(subscription) = subscription {
        let expand = &["discounts", "items.data.discounts"];
        let asked = AskObject { path: format!("/subscriptions/{subscription}"), expand };
        if let Some(object) = ask(client, &asked, until).await {
            fetched.extend(explained(&object));
            put_in(event, &fetched);
        }
    }
    for id in unexplained(event).into_iter().filter(|id| !id.starts_with("di_")) {
        let asked = AskObject { path: format!("/coupons/{id}"), expand: &[] };
        if let Some(coupon) = ask(client, &asked, until).await {
            let coupon = terms(&coupon);
            for named in fetched.values_mut().filter(|named| named.as_str() == Some(&id)) {
                *named = coupon.clone();
            }
            fetched.insert(id, coupon);
        }
    }
    fetched.retain(|_, coupon| coupon.is_object());
    put_in(event, &fetched);
    fetched
}

async fn ask(client: &Client, asked: &AskObject<'_>, until: Instant) -> Option<Value> {
    match timeout_at(until, client.object(asked)).await {
        Ok(Ok(object)) => Some(object),
        Ok(Err(CallError::Rejected(_) | CallError::KeyNotTaken | CallError::Unavailable))
        | Ok(Err(CallError::OutcomeUnknown))
        | Err(_) => None,
    }
}

/// The coupons of a subscription's discounts, or their ids.
fn explained(subscription: &Value) -> Coupons {
    let of = |of: &Value| of.get("discounts").and_then(Value::as_array).cloned().unwrap_or_default();
    let items = subscription.pointer("/items/data").and_then(Value::as_array);
    let discounts = items.into_iter().flatten().flat_map(of).chain(of(subscription));
    let told = discounts.filter_map(|discount| {
        let coupon = coupon_of(&discount)?;
        let coupon = if coupon.is_string() { coupon.clone() } else { terms(coupon) };
        Some((discount.get("id")?.as_str()?.to_owned(), coupon))
    });
    told.collect()
}

fn coupon_of(discount: &Value) -> Option<&Value> {
    COUPON_AT.iter().find_map(|path| discount.pointer(path)).filter(|coupon| !coupon.is_null())
}

fn terms(coupon: &Value) -> Value {
    TERMS.iter().map(|name| ((*name).to_owned(), coupon.get(name).cloned().unwrap_or_default())).collect()
}

fn subscription(event: &Envelope) -> Option<&Value> {
    let Content::Snapshot { object, .. } = &event.content else { return None };
    (object.get("object").and_then(Value::as_str) == Some("subscription")).then_some(object)
}

/// Visits each discount of a subscription, of its items, and of what they were before, with the id of the one that the older
/// field has in full beside it.
fn each_discount(event: &mut Envelope, visit: &mut impl FnMut(&mut Value, Option<&str>)) {
    if subscription(event).is_none() {
        return;
    }
    let Content::Snapshot { object, previous } = &mut event.content else { return };
    for of in std::iter::once(object).chain(previous) {
        discounts_of(of, visit);
        for item in of.pointer_mut("/items/data").and_then(Value::as_array_mut).into_iter().flatten() {
            discounts_of(item, visit);
        }
    }
}

fn discounts_of(of: &mut Value, visit: &mut impl FnMut(&mut Value, Option<&str>)) {
    let beside = of.pointer("/discount/id").and_then(Value::as_str).map(str::to_owned);
    for discount in of.get_mut("discounts").and_then(Value::as_array_mut).into_iter().flatten() {
        visit(discount, beside.as_deref());
    }
    if let Some(discount) = of.get_mut("discount").filter(|discount| !discount.is_null()) {
        visit(discount, None);
    }
}
