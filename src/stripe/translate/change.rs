//! What has just happened to a subscription, in one word?
//!
//! The name says what a person would say first when several things changed at once. It decides nothing: the
//! terms that come with it are absolute.

use super::{Report, subscription::PlanItem};
use crate::{
    domain::{
        command::SubscriptionChange,
        names::PlanId,
        subscription::{SubscriptionStatus, SubscriptionTerms},
    },
    stripe::document::Document,
};

/// What an update says of the time before it.
pub(super) struct Before {
    /// Whether the event says anything of it at all.
    known: bool,
    status: Option<String>,
    /// The plan that was left, where the price, its quantity or a discount changed.
    price: Option<OldPrice>,
    /// Another period, or another end of the trial.
    period_moved: bool,
    cancellation: Toggle,
    collection: Toggle,
    scheduled: Toggle,
}

struct OldPrice {
    plan: Option<PlanId>,
}

/// Whether something that may be set was set or unset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Toggle {
    Unchanged,
    Changed,
}

impl Before {
    pub(super) fn of(report: Report<'_>, now: &PlanItem<'_>) -> Self {
        let previous = report.event.previous();
        let changed = |names: &[&str]| {
            let changed = previous.is_some_and(|previous| names.iter().any(|name| previous.mentions(name)));
            if changed { Toggle::Changed } else { Toggle::Unchanged }
        };
        Self {
            known: previous.is_some(),
            status: previous.and_then(|previous| previous.text("status")).map(ToOwned::to_owned),
            price: previous.and_then(|previous| old_price(report, previous, now)),
            period_moved: previous.is_some_and(|previous| period_moved(report.object, previous, now)),
            cancellation: changed(&["cancel_at", "cancel_at_period_end"]),
            collection: changed(&["pause_collection"]),
            scheduled: changed(&["schedule", "pending_update"]),
        }
    }
}

/// `None`: nothing changed that the ledger keeps.
pub(super) fn name(kind: &str, terms: &SubscriptionTerms, before: &Before) -> Option<SubscriptionChange> {
    match kind {
        "customer.subscription.deleted" => Some(SubscriptionChange::Ended),
        "customer.subscription.paused" => Some(SubscriptionChange::Paused),
        "customer.subscription.resumed" => Some(SubscriptionChange::Resumed),
        "customer.subscription.updated" if before.known => by_difference(terms, before),
        // What was created, or an update by a tool that does not say what changed.
        _ => Some(by_status(terms.status)),
    }
}

fn by_difference(terms: &SubscriptionTerms, before: &Before) -> Option<SubscriptionChange> {
    by_change_of_status(terms.status, before.status.as_deref())
        .or_else(|| {
            before.price.as_ref().map(|old| SubscriptionChange::PlanChanged { from: old.plan.clone() })
        })
        .or_else(|| before.period_moved.then(|| by_period(terms.status)))
        .or_else(|| {
            let (on, off) =
                (SubscriptionChange::CancellationScheduled, SubscriptionChange::CancellationWithdrawn);
            before.cancellation.to(terms.cancel_at.is_some(), on, off)
        })
        .or_else(|| {
            before.collection.to(
                terms.collection_paused,
                SubscriptionChange::Paused,
                SubscriptionChange::Resumed,
            )
        })
        .or_else(|| (before.scheduled == Toggle::Changed).then_some(SubscriptionChange::PlanChangeScheduled))
}

impl Toggle {
    fn to(self, is_on: bool, on: SubscriptionChange, off: SubscriptionChange) -> Option<SubscriptionChange> {
        match self {
            Self::Unchanged => None,
            Self::Changed => Some(if is_on { on } else { off }),
        }
    }
}

fn by_change_of_status(now: SubscriptionStatus, before: Option<&str>) -> Option<SubscriptionChange> {
    let before = before?;
    Some(match (now, before) {
        (SubscriptionStatus::Active | SubscriptionStatus::Trialing, "paused") => SubscriptionChange::Resumed,
        (SubscriptionStatus::Active, "past_due" | "unpaid") => SubscriptionChange::Recovered,
        (now, _) => by_status(now),
    })
}

const fn by_status(status: SubscriptionStatus) -> SubscriptionChange {
    match status {
        SubscriptionStatus::Trialing => SubscriptionChange::TrialStarted,
        SubscriptionStatus::Active | SubscriptionStatus::Incomplete => SubscriptionChange::Started,
        SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => SubscriptionChange::PastDue,
        SubscriptionStatus::Paused => SubscriptionChange::Paused,
        SubscriptionStatus::Cancelled => SubscriptionChange::Ended,
    }
}

/// What was charged for before, if that is not what is charged for now.
fn old_price(report: Report<'_>, previous: Document<'_>, now: &PlanItem<'_>) -> Option<OldPrice> {
    let catalog = report.catalog;
    let items = previous.members("items");
    let priced: Vec<_> = items.filter_map(|item| Some((item.first_id(&["price", "plan"])?, item))).collect();
    let known = priced.iter().find(|(id, _)| catalog.plan_by_price_id(id.as_str()).is_some());
    let old_id = known.or(priced.first()).map(|(id, _)| id.clone()).or_else(|| previous.id("plan"));
    let old_quantity = known
        .and_then(|(_, item)| item.integer("quantity"))
        .or_else(|| previous.integer("quantity"))
        .unwrap_or_else(|| now.item.integer("quantity").unwrap_or(1));
    let same_price = old_id.as_ref().is_none_or(|id| *id == now.price_id);
    let same_quantity = old_quantity == now.item.integer("quantity").unwrap_or(1);
    let same_discounts = !previous.mentions("discount") && !previous.mentions("discounts");
    if same_price && same_quantity && same_discounts {
        return None;
    }
    let plan = match &old_id {
        Some(id) => catalog.plan_by_price_id(id.as_str()).map(|(plan, _)| plan.id.clone()),
        None => Some(now.plan.id.clone()),
    };
    Some(OldPrice { plan })
}

/// Whether the current period is another one than before. The older shape says so of the subscription, the
/// newer one of the item.
fn period_moved(object: Document<'_>, previous: Document<'_>, now: &PlanItem<'_>) -> bool {
    let item = previous.members("items").find(|item| item.id_of() == now.item.id_of());
    let moved = |bound: &str| {
        let old = previous.time(bound).or_else(|| item.and_then(|item| item.time(bound)));
        old.is_some() && old != now.item.time(bound).or_else(|| object.time(bound))
    };
    moved("current_period_start") || moved("current_period_end") || previous.mentions("trial_end")
}

/// A trial that is extended is told as a trial that starts, with its new end.
fn by_period(status: SubscriptionStatus) -> SubscriptionChange {
    if status == SubscriptionStatus::Trialing {
        SubscriptionChange::TrialStarted
    } else {
        SubscriptionChange::Renewed
    }
}
