//! What is a subscription now?
//!
//! Every event carries the whole subscription as it was then. It becomes absolute terms, so that of two
//! reports the newer one holds, whichever arrives first. What changed ([`super::change`]) only gives the
//! event its name.

use super::{
    Report, SetAside, Step, Translation,
    change::{self, Before},
    held, ignored, revenue,
};
use crate::{
    domain::{
        amount::Money,
        catalog::{Catalog, Plan, PlanPrice},
        command::{Command, RecordSubscription},
        names::ProviderId,
        subscription::{Evidence, SubscriptionStatus, SubscriptionTerms},
        time::{Period, Timestamp},
    },
    stripe::document::{Document, quoted},
};

const DELETED: &str = "customer.subscription.deleted";

pub(super) fn reported(report: Report<'_>) -> Translation {
    let reported = status(report.object)?;
    if reported == SubscriptionStatus::Incomplete {
        return Err(ignored("the first payment has not been made: the subscription has not started"));
    }
    let status = if report.event.kind == DELETED { SubscriptionStatus::Cancelled } else { reported };
    let terms = terms(report, status)?;
    let item = plan_item(report.object, report.catalog)?;
    let before = Before::of(report, &item);
    let change = change::name(&report.event.kind, &terms, &before)
        .ok_or_else(|| ignored("nothing changed that the ledger keeps"))?;
    let effective_at = effective_at(&terms, report.at());
    let command = Command::RecordSubscription(RecordSubscription { change, terms, effective_at });
    report.instruct(vec![Step::new(format!("sub:{}", report.event.id), command)])
}

/// People are told that a trial ends soon.
pub(super) fn trial_will_end(report: Report<'_>) -> Translation {
    plan_item(report.object, report.catalog)?;
    let (subscription, trial_end) = (report.id()?, report.object.time("trial_end"));
    let trial_end = trial_end.ok_or_else(|| ignored("the subscription has no trial"))?;
    let key = format!("trial_end:{subscription}:{}", trial_end.seconds());
    let command = Command::AnnounceTrialEnd { subscription, trial_end, effective_at: report.at() };
    report.instruct(vec![Step::new(key, command)])
}

/// The one item of a subscription that is a plan. The others are add-ons.
pub(super) struct PlanItem<'a> {
    pub(super) item: Document<'a>,
    pub(super) price_id: ProviderId,
    pub(super) plan: &'a Plan,
    pub(super) price: &'a PlanPrice,
}

pub(super) fn plan_item<'a>(
    subscription: Document<'a>,
    catalog: &'a Catalog,
) -> Result<PlanItem<'a>, SetAside> {
    if subscription.is_cut_off("items") {
        let because = "the subscription has more items than the event carries";
        return Err(SetAside::Incomplete(because.to_owned()));
    }
    let mut plans = subscription.members("items").filter_map(|item| {
        let price_id = item.first_id(&["price", "plan"])?;
        let (plan, price) = catalog.plan_by_price_id(price_id.as_str())?;
        Some(PlanItem { item, price_id, plan, price })
    });
    let first = plans.next().ok_or_else(|| unknown_prices(subscription))?;
    if plans.any(|other| other.plan.id != first.plan.id) {
        return Err(held("the subscription has several plans"));
    }
    Ok(first)
}

fn unknown_prices(subscription: Document<'_>) -> SetAside {
    let price = subscription.members("items").find_map(|item| item.first_id(&["price", "plan"]));
    match price {
        Some(price) => held(format!("no plan of the catalog has the price {price}")),
        None => held("the subscription has no price that can be read"),
    }
}

fn terms(report: Report<'_>, status: SubscriptionStatus) -> Result<SubscriptionTerms, SetAside> {
    let object = report.object;
    let PlanItem { item, plan, price, .. } = plan_item(object, report.catalog)?;
    let currency = report.currency()?;
    if currency != price.amount.currency {
        return Err(held(format!(
            "charged in {currency}, and the plan's price is in {}",
            price.amount.currency
        )));
    }
    let period = period(object, item)?;
    let ended = status == SubscriptionStatus::Cancelled;
    Ok(SubscriptionTerms {
        subscription: report.id()?,
        status,
        plan: plan.id.clone(),
        quantity: quantity(item)?,
        monthly: Money { minor: revenue::monthly(object, item, price)?, currency },
        period,
        cancel_at: cancel_at(object, period),
        trial_end: object.time("trial_end"),
        ended_at: ended.then(|| object.time("ended_at").unwrap_or_else(|| report.at())),
        collection_paused: object.find("pause_collection").is_some(),
        grace_days: (status == SubscriptionStatus::PastDue).then_some(report.catalog.payments.grace_days),
        unit: Some(plan.allocation.monthly()),
        evidence: Evidence {
            reported_at: report.at(),
            rank: rank(&report.event.kind),
            id: report.event.id.clone(),
        },
    })
}

/// Known ones only: to guess would be to give or take a plan on no ground.
fn status(object: Document<'_>) -> Result<SubscriptionStatus, SetAside> {
    match object.text("status") {
        // An expired first payment leaves a subscription that never was.
        Some("incomplete" | "incomplete_expired") => Ok(SubscriptionStatus::Incomplete),
        Some("trialing") => Ok(SubscriptionStatus::Trialing),
        Some("active") => Ok(SubscriptionStatus::Active),
        Some("past_due") => Ok(SubscriptionStatus::PastDue),
        Some("unpaid") => Ok(SubscriptionStatus::Unpaid),
        Some("paused") => Ok(SubscriptionStatus::Paused),
        Some("canceled") => Ok(SubscriptionStatus::Cancelled),
        Some(other) => Err(held(format!("the subscription's status is {}, which is unknown", quoted(other)))),
        None => Err(held("the subscription has no status")),
    }
}

pub(super) fn quantity(item: Document<'_>) -> Result<u32, SetAside> {
    u32::try_from(item.integer("quantity").unwrap_or(1)).map_err(|_| held("the quantity is out of bounds"))
}

/// The period is the item's from 2025-03-31 on, and the subscription's before.
fn period(object: Document<'_>, item: Document<'_>) -> Result<Period, SetAside> {
    let of = |document: Document<'_>| {
        let start = document.time("current_period_start")?;
        Some(Period { start, end: document.time("current_period_end")? })
    };
    of(item).or_else(|| of(object)).ok_or_else(|| held("the subscription has no period"))
}

/// In flexible billing mode only `cancel_at` is set, and some tools send only the flag.
fn cancel_at(object: Document<'_>, period: Period) -> Option<Timestamp> {
    object.time("cancel_at").or_else(|| object.is_true("cancel_at_period_end").then_some(period.end))
}

/// Among reports of one second: created before updated before ended.
fn rank(kind: &str) -> u8 {
    match kind {
        "customer.subscription.created" => 0,
        DELETED => 2,
        _ => 1,
    }
}

/// The report's own time, but an end may have been earlier than its report.
fn effective_at(terms: &SubscriptionTerms, reported_at: Timestamp) -> Timestamp {
    terms.ended_at.map_or(reported_at, |ended_at| ended_at.min(reported_at))
}
