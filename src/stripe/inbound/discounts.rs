//! What does a discount take off, if the event has only its id?
//!
//! Current versions of Stripe's API refer to discounts, and to their coupons, by id.
//! The terms of an id are fetched from Stripe once and stored, since coupons do not change their terms.
//! An unknown discount takes nothing off, and is counted and logged; the event that reports a customer's discount waits
//! for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    domain::time::Timestamp,
    stripe::{
        client::{AskObject, CallError, Client},
        documents::{
            Document,
            envelope::{Content, Envelope},
        },
        translate::FOR_LESS,
    },
};

/// Coupons, by their own ids and by those of discounts.
pub(super) type Coupons = BTreeMap<String, Value>;

/// The fields of a coupon that are stored.
const TERMS: [&str; 5] = ["id", "duration", "percent_off", "amount_off", "currency"];
/// Where the coupon of a discount is, newest form first.
const COUPON_AT: [&str; 2] = ["/source/coupon", "/coupon"];
/// The end of a discount is reported without its coupon's terms.
const DELETED: &str = "customer.discount.deleted";

/// The terms of a coupon, and when they were read.
#[derive(Clone, Debug)]
pub struct CouponReport {
    pub id: String,
    pub coupon: Value,
    pub at: Timestamp,
}

/// An event with the terms of its discounts.
pub(super) struct Filled {
    pub(super) event: Envelope,
    /// What should be stored.
    pub(super) told: Vec<CouponReport>,
    /// The ids that are still unknown.
    pub(super) unknown: Vec<String>,
}

/// The ids that the event refers to.
pub(super) fn named(event: &Envelope) -> BTreeSet<String> {
    unexplained(event)
}

/// Whether terms of a discount have to be fetched. Those of a connected account cannot be, with our key.
pub(super) fn asks(event: &Envelope, known: &Coupons) -> bool {
    if event.account.is_some() || unexplained(event).is_empty() {
        return false;
    }
    let mut event = event.clone();
    put_in(&mut event, known);
    !unexplained(&event).is_empty()
}

/// Inserts the known terms, and fetches the others, until `until`.
pub(super) async fn fill(
    client: Option<&Client>,
    mut event: Envelope,
    known: &Coupons,
    until: Instant,
) -> Filled {
    put_in(&mut event, known);
    let mut told = Vec::new();
    if let Some(client) = client.filter(|_| event.account.is_none() && !unexplained(&event).is_empty()) {
        let fetched = fetch(client, &mut event, until).await;
        let at = event.created;
        told.extend(fetched.into_iter().map(|(id, coupon)| CouponReport { id, coupon, at }));
    }
    let unknown: Vec<String> = unexplained(&event).into_iter().collect();
    for discount in &unknown {
        metrics::counter!("counterfoil_stripe_discounts_unknown_total").increment(1);
        tracing::warn!(event = %event.id, discount, "a discount is not known, and takes nothing off the revenue");
    }
    Filled { event, told, unknown }
}

/// The ids of discounts and coupons without terms, in the object and in its earlier values.
fn unexplained(event: &Envelope) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut event = event.clone();
    each_discount(&mut event, &mut |discount, beside| {
        let alone = match discount.as_str() {
            Some(id) => Some(id).filter(|id| beside != Some(*id)),
            None => coupon_of(discount).and_then(Value::as_str),
        };
        ids.extend(alone.map(str::to_owned));
    });
    ids
}

fn put_in(event: &mut Envelope, known: &Coupons) {
    each_discount(event, &mut |discount, _| {
        if let Some(id) = discount.as_str() {
            if let Some(coupon) = known.get(id) {
                *discount = json!({ "id": id, "coupon": coupon });
            }
            return;
        }
        for path in COUPON_AT {
            let coupon = discount.pointer_mut(path).filter(|coupon| coupon.is_string());
            if let Some(coupon) = coupon
                && let Some(told) = coupon.as_str().and_then(|id| known.get(id))
            {
                *coupon = told.clone();
            }
        }
    });
}

/// Fetches the current subscription with its discounts, and each coupon that is only referred to there.
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

/// Visits each discount in an event: of a customer, of a subscription, of its items, and in their earlier values.
/// `visit` also gets the id of the discount that the older field has in full.
fn each_discount(event: &mut Envelope, visit: &mut impl FnMut(&mut Value, Option<&str>)) {
    let Content::Snapshot { object, previous } = &mut event.content else { return };
    match object.get("object").and_then(Value::as_str) {
        Some("subscription") => each_discount_of_subscription(object, previous.as_mut(), visit),
        Some("customer") => discounts_of(object, visit),
        Some("discount") if event.kind != DELETED && is_of_customer(object) => visit(object, None),
        Some(_) | None => {}
    }
}

/// Whether a discount is for everything that its customer pays.
fn is_of_customer(discount: &Value) -> bool {
    Document::new(discount).first(&FOR_LESS).is_none()
}

fn each_discount_of_subscription(
    object: &mut Value,
    previous: Option<&mut Value>,
    visit: &mut impl FnMut(&mut Value, Option<&str>),
) {
    if let Some(customer) = object.get_mut("customer") {
        discounts_of(customer, visit);
    }
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
