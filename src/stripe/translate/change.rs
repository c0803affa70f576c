//! What has changed in a subscription, and between which terms?
//!
//! If several things changed at once, the change is the most important one.
//! No decision depends on it, since the report has the whole subscription.
//! An update has the earlier values of the changed fields; with these in the document, the earlier terms can be read.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    TranslationContext,
    subscription::{Reported, status, terms},
};
use crate::{
    domain::{
        command::SubscriptionChange,
        subscription::{SubscriptionState, TermsChange},
    },
    stripe::documents::Document,
};

/// How many hexadecimal digits of a hash identify terms.
const DIGITS: usize = 16;

/// The change, and the terms before and after it if the event has them.
pub(super) fn of(
    report: TranslationContext<'_>,
    now: &SubscriptionState,
) -> (SubscriptionChange, Option<TermsChange>) {
    let before = before(report);
    let to = name_of(report.object, now);
    let from = before.as_ref().and_then(|before| before.name.clone());
    let is_same = from == to;
    let step = to.map(|to| TermsChange { from, to });
    let change = match report.event.kind.as_str() {
        "customer.subscription.deleted" => SubscriptionChange::Ended,
        "customer.subscription.paused" => SubscriptionChange::Paused,
        "customer.subscription.resumed" => SubscriptionChange::Resumed,
        "customer.subscription.updated" => by_difference(report, now, before.as_ref(), is_same),
        _ => now.status.reported(),
    };
    (change, step)
}

fn by_difference(
    report: TranslationContext<'_>,
    now: &SubscriptionState,
    before: Option<&Before>,
    is_same: bool,
) -> SubscriptionChange {
    // The update of a tool that does not say what changed, or not in a readable form.
    let Some(before) = before else { return now.status.reported() };
    let changed = now.change_since(&before.said.terms);
    match changed {
        Some(SubscriptionChange::PlanChanged { from }) => {
            SubscriptionChange::PlanChanged { from: from.filter(|_| before.said.unpriced.is_none()) }
        }
        Some(change) => change,
        None if announces(report) => SubscriptionChange::PlanChangeScheduled,
        None if is_same => SubscriptionChange::Unnamed,
        // The account has changed.
        None => now.status.reported(),
    }
}

/// Whether something will change later.
fn announces(report: TranslationContext<'_>) -> bool {
    let previous = report.event.previous();
    previous.is_some_and(|previous| ["schedule", "pending_update"].iter().any(|name| previous.mentions(name)))
}

/// The terms before an update, and their name.
struct Before {
    said: Reported,
    name: Option<String>,
}

fn before(report: TranslationContext<'_>) -> Option<Before> {
    let previous = report.event.previous()?.to_value()?;
    let mut object = report.object.to_value()?;
    put_back(&mut object, &previous);
    let before = TranslationContext { object: Document::new(&object), ..report };
    let said = terms(before, status(before.object).ok()?).ok()?;
    Some(Before { name: name_of(before.object, &said.terms), said })
}

/// Restores the fields that an update changed.
/// Older API versions have the plan and the quantity of a single item in the subscription itself.
fn put_back(object: &mut Value, previous: &Value) {
    merge(object, previous);
    // The older field has only the first discount.
    if previous.get("discounts").is_some() && previous.get("discount").is_none() {
        merge(object, &json!({ "discount": null }));
    }
    if previous.get("items").is_some() {
        return;
    }
    let items = object.pointer_mut("/items/data").and_then(Value::as_array_mut);
    let Some([Value::Object(item)]) = items.map(Vec::as_mut_slice) else { return };
    if let Some(plan) = previous.get("plan").filter(|plan| plan.is_object()) {
        item.insert("price".to_owned(), Value::Null);
        item.insert("plan".to_owned(), plan.clone());
    }
    if let Some(quantity) = previous.get("quantity").filter(|quantity| quantity.is_number()) {
        item.insert("quantity".to_owned(), quantity.clone());
    }
}

/// Merges earlier values.
/// If the object is another one now, only earlier values count; if it is the same, or has no id, unchanged fields stay.
fn merge(now: &mut Value, before: &Value) {
    let id = |value: &Value| value.get("id").cloned();
    let is_other = id(before).is_some() && id(now).is_some() && id(now) != id(before);
    match (now, before) {
        (Value::Object(now), Value::Object(before)) if !is_other => {
            for (name, before) in before {
                merge(now.entry(name.clone()).or_insert(Value::Null), before);
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            let same = |member: &Value| now.iter().find(|now| id(now).is_some() && id(now) == id(member));
            let members = before.iter().map(|member| {
                let mut kept = same(member).cloned().unwrap_or(Value::Null);
                merge(&mut kept, member);
                kept
            });
            *now = members.collect();
        }
        (now, before) => *now = before.clone(),
    }
}

/// A name that is equal for equal terms of one account, whenever they were reported.
fn name_of(object: Document<'_>, terms: &SubscriptionState) -> Option<String> {
    let mut facts = serde_json::to_value(terms).ok()?;
    let fields = facts.as_object_mut()?;
    // Releases that did not know `shown` had the same names for equal terms.
    for left_out in ["evidence", "shown"] {
        fields.remove(left_out);
    }
    fields.insert("account".to_owned(), object.text("metadata.account_id").into());
    let hash = hex::encode(Sha256::digest(facts.to_string()));
    hash.get(..DIGITS).map(ToOwned::to_owned)
}
