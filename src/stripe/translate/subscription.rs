//! What is the state of a subscription?
//!
//! Every event has the whole subscription at its time.
//! It is read as a whole state, so that the newer of two reports holds, whichever arrives first.
//!
//! A report is read as far as possible.
//! If the catalog does not have its price, it gives no plan, and ends an earlier one; whether the subscription is known
//! at all is checked when the event is handled ([`SubscriptionRef::unpriced`]).

use super::{
    SetAside, SubscriptionRef, Translation, TranslationContext, TranslationStep, held, ignored, revenue,
};
use crate::{
    domain::{
        amount::{Credits, Currency, Money},
        catalog::{Catalog, Plan, PlanPrice},
        command::{Command, SubscriptionCommand},
        discounts::Undiscounted,
        ids::PlanId,
        metadata::Metadata,
        reported_details::{Every, EveryUnit, ReportedDetails},
        subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
        time::{Period, Timestamp},
    },
    stripe::documents::{Document, quoted},
};
use revenue::Brought;

pub(super) const DELETED: &str = "customer.subscription.deleted";

/// The state that a report has, and why it gives no plan, if it does not.
pub(super) struct Reported {
    pub(super) terms: SubscriptionState,
    pub(super) unpriced: Option<String>,
}

/// The trial ends soon.
pub(super) fn trial_will_end(report: TranslationContext<'_>) -> Translation {
    let unpriced = plan_item(report.object, report.catalog)?.unpriced();
    let (subscription, trial_end) = (report.id()?, report.object.time("trial_end"));
    let trial_end = trial_end.ok_or_else(|| ignored("the subscription has no trial"))?;
    let key = format!("trial_end:{subscription}:{}", trial_end.seconds());
    let about =
        SubscriptionRef { subscription: subscription.clone(), at: report.at(), report: None, unpriced };
    let command = Command::Subscription(SubscriptionCommand::AnnounceTrialEnd {
        subscription,
        trial_end,
        effective_at: report.at(),
    });
    report.instruct_about(Some(about), vec![TranslationStep::new(key, command)])
}

/// The item of a subscription that is the plan. Other items are add-ons.
pub(super) struct PlanItem<'a> {
    pub(super) item: Document<'a>,
    /// `None`: the catalog has none of the subscription's prices, and this is its first item.
    known: Option<(&'a Plan, &'a PlanPrice)>,
}

impl<'a> PlanItem<'a> {
    pub(super) fn price(&self) -> Option<&'a PlanPrice> {
        self.known.map(|(_, price)| price)
    }

    /// Why the item gives no plan.
    fn unpriced(&self) -> Option<String> {
        if self.known.is_some() {
            return None;
        }
        let price = self.item.first_id(&["price", "plan"]);
        Some(price.map_or_else(
            || "the subscription has no price that can be read".to_owned(),
            |price| format!("no plan of the catalog has the price {price}"),
        ))
    }

    /// The plan of the item, and its credits a month for a quantity of one. A quantity of 0 gives nothing.
    fn gives(&self, quantity: u32, catalog: &Catalog) -> (PlanId, Credits) {
        match self.known.filter(|_| quantity > 0) {
            Some((plan, _)) => (plan.id.clone(), plan.allocation.monthly()),
            None => (catalog.free_plan.clone(), Credits::ZERO),
        }
    }
}

/// The item of the largest plan, if there are several.
pub(super) fn plan_item<'a>(
    subscription: Document<'a>,
    catalog: &'a Catalog,
) -> Result<PlanItem<'a>, SetAside> {
    if subscription.is_cut_off("items") {
        let because = "the subscription has more items than the event carries";
        return Err(SetAside::Incomplete(because.to_owned()));
    }
    let place = |plan: &Plan| catalog.plans.iter().position(|known| known.id == plan.id);
    let plans = subscription.members("items").filter_map(|item| {
        let price_id = item.first_id(&["price", "plan"])?;
        let (plan, price) = catalog.plan_by_price_id(price_id.as_str())?;
        Some((item.integer("quantity") != Some(0), place(plan), item, plan, price))
    });
    // The first one, if several are equally large.
    let largest =
        plans.reduce(|best, other| if (other.0, other.1) > (best.0, best.1) { other } else { best });
    if let Some((_, _, item, plan, price)) = largest {
        return Ok(PlanItem { item, known: Some((plan, price)) });
    }
    let first = subscription.members("items").next();
    let item = first.ok_or_else(|| held("the subscription has no price that can be read"))?;
    Ok(PlanItem { item, known: None })
}

/// The state in the report's object, which may be the current or the earlier one.
pub(super) fn terms(
    report: TranslationContext<'_>,
    status: SubscriptionStatus,
) -> Result<Reported, SetAside> {
    let object = report.object;
    let plan = plan_item(object, report.catalog)?;
    let ended = status == SubscriptionStatus::Cancelled;
    let period = period(object, plan.item).or_else(|| ended.then(|| moment(report.at())));
    let period = period.ok_or_else(|| held("the subscription has no period"))?;
    let quantity = quantity(plan.item)?;
    let (plan_id, unit) = plan.gives(quantity, report.catalog);
    let (monthly, undiscounted) = monthly(report, &plan, ended)?;
    let terms = SubscriptionState {
        subscription: report.id()?,
        status,
        plan: plan_id,
        quantity,
        monthly,
        undiscounted,
        period,
        cancel_at: cancel_at(object, period),
        trial_end: object.time("trial_end"),
        ended_at: ended.then(|| object.time("ended_at").unwrap_or_else(|| report.at())),
        collection_paused: object.find("pause_collection").is_some(),
        grace_days: (status == SubscriptionStatus::PastDue).then_some(report.catalog.payments.grace_days),
        unit: Some(unit),
        free: plan.price().is_some_and(|price| price.amount.minor == 0),
        moved_to: None,
        metadata: metadata(object),
        shown: Some(Box::new(shown(object, plan.item))),
        evidence: ReportOrder {
            reported_at: report.at(),
            rank: rank(&report.event.kind),
            id: report.event.id.clone(),
            step: None,
        },
    };
    Ok(Reported { terms, unpriced: plan.unpriced() })
}

/// Details that are only shown. Those that cannot be read are left out, since no decision depends on them.
fn shown(object: Document<'_>, item: Document<'_>) -> ReportedDetails {
    let price = item.first(&["price", "plan"]);
    let recurring = item.find("price.recurring").or_else(|| item.find("plan"));
    let unit = recurring.and_then(|recurring| match recurring.text("interval")? {
        "day" => Some(EveryUnit::Day),
        "week" => Some(EveryUnit::Week),
        "month" => Some(EveryUnit::Month),
        "year" => Some(EveryUnit::Year),
        _ => None,
    });
    let count = recurring.and_then(|recurring| recurring.integer("interval_count")).unwrap_or(1);
    ReportedDetails {
        price: item.first_id(&["price", "plan"]),
        product: price.and_then(|price| price.id("product")),
        amount: price.and_then(|price| {
            let minor = price.integer("unit_amount").or_else(|| price.integer("amount"))?;
            Some(Money { minor, currency: Currency::parse(price.text("currency")?).ok()? })
        }),
        every: unit.zip(u32::try_from(count).ok()).map(|(unit, count)| Every { unit, count }),
        trial_start: object.time("trial_start"),
    }
}

/// The monthly revenue in the currency of its charges. A subscription that has ended has none, and needs no price.
fn monthly(
    report: TranslationContext<'_>,
    plan: &PlanItem<'_>,
    ended: bool,
) -> Result<(Money, Option<Undiscounted>), SetAside> {
    let monthly = revenue::currency(report.object, plan.item).and_then(|code| {
        let currency = Currency::parse(code).map_err(|_| held(format!("{} is no currency", quoted(code))))?;
        let Brought { monthly, undiscounted } =
            revenue::monthly(report.object, plan.item, plan.price(), code)?;
        Ok((Money { minor: monthly, currency }, undiscounted))
    });
    let nothing = || (Money { minor: 0, currency: report.catalog.currency.clone() }, None);
    if ended { Ok(monthly.unwrap_or_else(|_| nothing())) } else { monthly }
}

/// The caller's metadata, and nothing else that is there.
fn metadata(object: Document<'_>) -> Metadata {
    let metadata = object.find("metadata");
    Metadata::read(|name| metadata?.text(name))
}

const fn moment(at: Timestamp) -> Period {
    Period { start: at, end: at }
}

/// Only known statuses: a guess would give or take a plan without a reason.
pub(super) fn status(object: Document<'_>) -> Result<SubscriptionStatus, SetAside> {
    match object.text("status") {
        // If the first payment expired, the subscription never started.
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

/// The period is in the item from API version 2025-03-31 on, and in the subscription before.
fn period(object: Document<'_>, item: Document<'_>) -> Option<Period> {
    let of = |document: Document<'_>| {
        let start = document.time("current_period_start")?;
        Some(Period { start, end: document.time("current_period_end")? })
    };
    of(item).or_else(|| of(object))
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
