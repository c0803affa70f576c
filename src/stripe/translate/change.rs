//! What has just happened to a subscription, in one word, and between which terms?
//!
//! The name says what a person would say first when several things changed at once. It decides nothing: the
//! terms that come with it are absolute. An update tells what the changed fields were before; put into the document,
//! they say what the terms were.

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

/// How many hexadecimal digits tell terms apart.
const DIGITS: usize = 16;

/// The name of the change, and its step where the event tells one.
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
    // An update by a tool that does not say what changed, or not so that it can be read.
    let Some(before) = before else { return now.status.reported() };
    let changed = now.change_since(&before.said.terms);
    match changed {
        Some(SubscriptionChange::PlanChanged { from }) => {
            SubscriptionChange::PlanChanged { from: from.filter(|_| before.said.unpriced.is_none()) }
        }
        Some(change) => change,
        None if announces(report) => SubscriptionChange::PlanChangeScheduled,
        None if is_same => SubscriptionChange::Unnamed,
        // Whose it is.
        None => now.status.reported(),
    }
}

/// Whether something is to change later.
fn announces(report: TranslationContext<'_>) -> bool {
    let previous = report.event.previous();
    previous.is_some_and(|previous| ["schedule", "pending_update"].iter().any(|name| previous.mentions(name)))
}

/// What was so before an update, and the name of it.
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

/// Puts the fields back that an update changed. Older versions name the plan and the quantity of the only item at the
/// subscription itself.
fn put_back(object: &mut Value, previous: &Value) {
    merge(object, previous);
    // The older field has the first of them, and nothing else.
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

/// Of an object that is another one now, nothing is kept; of the same one, and of one without an id, what did not
/// change.
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

/// Equal for equal terms of one account, whenever they were reported.
fn name_of(object: Document<'_>, terms: &SubscriptionState) -> Option<String> {
    let mut facts = serde_json::to_value(terms).ok()?;
    let fields = facts.as_object_mut()?;
    // Releases that did not know what is shown named equal terms the same.
    for left_out in ["evidence", "shown"] {
        fields.remove(left_out);
    }
    fields.insert("account".to_owned(), object.text("metadata.account_id").into());
    let hash = hex::encode(Sha256::digest(facts.to_string()));
    hash.get(..DIGITS).map(ToOwned::to_owned)
}
