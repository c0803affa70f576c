//! `/v1/subscriptions`

use serde_json::Value;

use super::{SandboxAnswer, SandboxOperation, coupons, operation, payment_methods};
use crate::{
    billing::{
        changing::{ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
        ending::{CancellationDetails, PaidTime},
        pausing::UnusedFrom,
        payments::Presence,
        subscribing::{First, NewItem, NewSubscription},
    },
    calendar::DAY_S,
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::{page, page_of_values},
    state::SandboxState,
    store::subscription::{
        PauseCollection, SandboxSubscription, SandboxSubscriptionStatus, SubscriptionItem,
    },
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/subscriptions", create),
    operation("GET", "/v1/subscriptions", list),
    operation("GET", "/v1/subscriptions/{subscription_exposed_id}", retrieve),
    operation("POST", "/v1/subscriptions/{subscription_exposed_id}", update),
    operation("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel),
    operation("POST", "/v1/subscriptions/{subscription}/pause", pause),
    operation("POST", "/v1/subscriptions/{subscription}/resume", resume),
    operation("GET", "/v1/subscription_items", list_items),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let customer = state.store.customer(params.required("customer")?)?.id.clone();
    let method = params.text("default_payment_method");
    let method = method.map(|id| payment_methods::owned_by(state, id, &customer)).transpose()?;
    let new = describe(state, params, customer, method)?;
    let id = state.subscribe(new)?;
    Ok(state.store.subscriptions.get(&id)?.render(&state.store))
}

fn describe(
    state: &mut SandboxState,
    params: &Params,
    customer: String,
    method: Option<String>,
) -> Result<NewSubscription, SandboxFailure> {
    let items = new_items(state, &params.list("items"))?;
    let behavior = params.text("payment_behavior");
    let first = match behavior {
        Some("default_incomplete") => First::Later,
        Some("error_if_incomplete") => First::OrNothing,
        Some(_) | None => First::Try(Presence::Absent),
    };
    let automatic = params.text("collection_method") != Some("send_invoice");
    if !automatic && params.integer("days_until_due").is_none() {
        return Err(SandboxFailure::missing("days_until_due"));
    }
    Ok(NewSubscription {
        customer,
        items,
        first,
        flexible: params.text("billing_mode.type") != Some("classic"),
        trial_end: trial_end(state, params, "")?,
        anchor: anchor(params, ""),
        backdate: params.integer("backdate_start_date"),
        prorates: params.text("proration_behavior") != Some("none"),
        trial_without_method: missing_method(params, "trial_settings"),
        cancel_at_period_end: params.boolean("cancel_at_period_end") == Some(true),
        cancel_at: params.integer("cancel_at"),
        automatic,
        days_until_due: params.integer("days_until_due"),
        default_payment_method: method,
        description: params.owned("description"),
        metadata: params.metadata("metadata"),
        pause_collection: None,
        discounts: coupons::redeemed(state, params, "discounts")?,
        once: once(params),
        session: None,
    })
}

pub fn missing_method(params: &Params, name: &str) -> String {
    let name = format!("{name}.end_behavior.missing_payment_method");
    params.owned(&name).unwrap_or_else(|| "create_invoice".to_owned())
}

/// `trial_end` or `trial_period_days`, under `prefix`.
pub fn trial_end(state: &SandboxState, params: &Params, prefix: &str) -> Result<Option<i64>, SandboxFailure> {
    let days = params.integer(&format!("{prefix}trial_period_days"));
    if let Some(days) = days {
        if days < 1 {
            return Err(
                SandboxFailure::invalid("The minimum number of trial days is 1.").param("trial_period_days")
            );
        }
        return Ok(Some(state.store.now.saturating_add(days.saturating_mul(DAY_S))));
    }
    let end = params.integer(&format!("{prefix}trial_end"));
    if end.is_some_and(|end| end <= state.store.now) {
        return Err(SandboxFailure::invalid("Invalid timestamp: must be in the future").param("trial_end"));
    }
    Ok(end)
}

/// What is asked for once, with the first invoice.
fn once(params: &Params) -> Vec<(String, i64)> {
    let items = params.list("add_invoice_items");
    items
        .iter()
        .filter_map(|item| Some((item.owned("price")?, item.integer("quantity").unwrap_or(1))))
        .collect()
}

/// From when on whole periods are counted, under `prefix`.
pub fn anchor(params: &Params, prefix: &str) -> Option<i64> {
    params.integer(&format!("{prefix}billing_cycle_anchor"))
}

fn new_items(state: &mut SandboxState, items: &[Params]) -> Result<Vec<NewItem>, SandboxFailure> {
    if items.is_empty() {
        return Err(SandboxFailure::missing("items"));
    }
    let mut new = Vec::with_capacity(items.len());
    for item in items {
        new.push(NewItem {
            price: price_of(state, item)?.ok_or_else(|| SandboxFailure::missing("items[0][price]"))?,
            quantity: item.integer("quantity").unwrap_or(1),
            metadata: item.metadata("metadata"),
            discounts: coupons::redeemed(state, item, "discounts")?,
        });
    }
    Ok(new)
}

/// A price by its id, or one that is made for this subscription alone.
pub fn price_of(state: &mut SandboxState, item: &Params) -> Result<Option<String>, SandboxFailure> {
    match (item.text("price"), item.nested("price_data")) {
        (Some(price), _) => Ok(Some(price.to_owned())),
        (None, Some(data)) => {
            let product = data.required("product")?.to_owned();
            state.store.products.get(&product).map_err(|failure| failure.status(400))?;
            super::prices::make(state, &data, product).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// A subscription of these parameters that nobody keeps.
pub fn imagine(
    state: &mut SandboxState,
    params: &Params,
    customer: String,
) -> Result<SandboxSubscription, SandboxFailure> {
    let details = params.nested("subscription_details").unwrap_or_default();
    let items = new_items(state, &details.list("items"))?;
    let new = NewSubscription {
        customer,
        items,
        first: First::Later,
        flexible: true,
        trial_end: details.integer("trial_end"),
        anchor: anchor(&details, ""),
        backdate: None,
        prorates: details.text("proration_behavior") != Some("none"),
        trial_without_method: String::new(),
        cancel_at_period_end: false,
        cancel_at: None,
        automatic: true,
        days_until_due: None,
        default_payment_method: None,
        description: None,
        metadata: details.metadata("metadata"),
        pause_collection: None,
        discounts: Vec::new(),
        once: Vec::new(),
        session: None,
    };
    state.build(new)
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let (customer, price, status) = (params.text("customer"), params.text("price"), params.text("status"));
    page(&state.store, &state.store.subscriptions, call, "/v1/subscriptions", |row| {
        let shown = match status {
            None => !row.status.has_ended(),
            Some("all") => true,
            Some("ended") => row.status.has_ended(),
            Some(status) => row.status.as_str() == status,
        };
        shown
            && customer.is_none_or(|customer| row.customer == customer)
            && price.is_none_or(|price| row.items.iter().any(|item| item.price == price))
    })
}

fn list_items(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let row = state.store.subscriptions.get(call.params.required("subscription")?)?;
    let items: Vec<Value> = row.items.iter().map(|item| row.item(item, &state.store)).collect();
    page_of_values(&items, call, "/v1/subscription_items")
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.subscriptions.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let row = state.store.subscriptions.get(call.id())?;
    if row.status.has_ended() {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(SandboxFailure::invalid(message));
    }
    refuse_scheduled(row, params)?;
    let customer = row.customer.clone();
    let method = params.text("default_payment_method");
    let method = method.map(|id| payment_methods::owned_by(state, id, &customer)).transpose()?;
    let wish = wish(state, params, call.id())?;
    let mut planned = state.plan_change(call.id(), &wish)?;
    assign(&mut planned.after, params, state.store.now, method)?;
    assign_discounts(state, &mut planned.after, params)?;
    let terms = PaymentBehavior {
        or_nothing: params.text("payment_behavior") == Some("error_if_incomplete"),
        when_paid: params.text("payment_behavior") == Some("pending_if_incomplete"),
    };
    state.apply_change(planned, wish.proration, terms)?;
    retrieve(state, call)
}

fn wish(state: &mut SandboxState, params: &Params, id: &str) -> Result<SubscriptionUpdate, SandboxFailure> {
    let proration = Proration::parse(params.text("proration_behavior"));
    let at = params.integer("proration_date").unwrap_or(state.store.now);
    let mut wish = SubscriptionUpdate::new(changes(state, params, "items")?, proration, at);
    wish.restart = params.text("billing_cycle_anchor.type") == Some("now");
    wish.trial_end = params.integer("trial_end");
    wish.ends_trial = params.text("trial_end") == Some("now");
    if params.clears("cancel_at") {
        wish.cancel_at = Some(None);
    }
    if let Some(at) = params.integer("cancel_at") {
        let row = state.store.subscriptions.get(id)?;
        let whole = row.cancel_at.is_none() && at >= row.period_end();
        wish.cancel_at = (!whole).then_some(Some(at));
    }
    Ok(wish)
}

/// When one under a schedule ends is for the schedule to say.
fn refuse_scheduled(row: &SandboxSubscription, params: &Params) -> Result<(), SandboxFailure> {
    let Some(schedule) = &row.schedule else { return Ok(()) };
    if params.has("cancel_at") || params.has("cancel_at_period_end") {
        let message = format!(
            "The subscription is managed by the subscription schedule `{schedule}`, and updating any cancelation \
             behavior directly is not allowed. Please update the schedule instead."
        );
        return Err(SandboxFailure::invalid(message));
    }
    Ok(())
}

/// What is to become of the items.
pub fn changes(
    state: &mut SandboxState,
    params: &Params,
    name: &str,
) -> Result<Vec<ItemAmendment>, SandboxFailure> {
    let mut changes = Vec::new();
    for item in params.list(name) {
        changes.push(ItemAmendment {
            item: item.owned("id"),
            price: price_of(state, &item)?,
            quantity: item.integer("quantity"),
            metadata: item.has("metadata").then(|| item.metadata("metadata")),
            deleted: item.boolean("deleted") == Some(true),
        });
    }
    Ok(changes)
}

fn assign(
    row: &mut SandboxSubscription,
    params: &Params,
    now: i64,
    method: Option<String>,
) -> Result<(), SandboxFailure> {
    params.merge_metadata("metadata", &mut row.metadata);
    params.assign("description", &mut row.description);
    params.assign("cancellation_details.comment", &mut row.cancellation_comment);
    params.assign("cancellation_details.feedback", &mut row.cancellation_feedback);
    if method.is_some() {
        row.default_payment_method = method;
    }
    if params.has("trial_settings") {
        row.trial_without_method = missing_method(params, "trial_settings");
    }
    if params.clears("pause_collection") {
        row.pause_collection = None;
    }
    if let Some(behavior) = params.owned("pause_collection.behavior") {
        let resumes_at = params.integer("pause_collection.resumes_at");
        row.pause_collection = Some(PauseCollection { behavior, resumes_at });
    }
    schedule_end(row, params, now)
}

/// Discounts of the subscription and of its items: others, or none any more.
fn assign_discounts(
    state: &mut SandboxState,
    row: &mut SandboxSubscription,
    params: &Params,
) -> Result<(), SandboxFailure> {
    let (customer, id) = (row.customer.clone(), row.id.clone());
    if params.has("discounts") {
        row.discounts = kept(&row.discounts, params);
        for one in coupons::redeemed(state, params, "discounts")? {
            row.discounts.push(state.redeem(&one, &customer, Some(&id), None, None)?);
        }
    }
    for change in params.list("items").iter().filter(|change| change.has("discounts")) {
        let new = coupons::redeemed(state, change, "discounts")?;
        let of_change = |item: &&mut SubscriptionItem| {
            change.text("id").map_or_else(|| change.text("price") == Some(&item.price), |id| id == item.id)
        };
        let Some(item) = row.items.iter_mut().find(of_change) else { continue };
        item.discounts = kept(&item.discounts, change);
        for one in new {
            item.discounts.push(state.redeem(&one, &customer, Some(&id), Some(&item.id), None)?);
        }
    }
    Ok(())
}

/// Those that are named go on.
fn kept(discounts: &[String], params: &Params) -> Vec<String> {
    let named: Vec<String> =
        params.list("discounts").iter().filter_map(|one| one.owned("discount")).collect();
    discounts.iter().filter(|id| named.contains(id)).cloned().collect()
}

/// A cancellation that is asked for, or withdrawn.
fn schedule_end(row: &mut SandboxSubscription, params: &Params, now: i64) -> Result<(), SandboxFailure> {
    let before = row.ends_at();
    if let Some(flag) = params.boolean("cancel_at_period_end") {
        row.cancel_at_period_end = flag;
        // Both are shown: when, and that it is with the period.
        row.cancel_at = flag.then(|| row.period_end());
    }
    if params.clears("cancel_at") {
        row.cancel_at = None;
    }
    if let Some(at) = params.integer("cancel_at") {
        if at <= now {
            return Err(
                SandboxFailure::invalid("Invalid timestamp: must be in the future").param("cancel_at")
            );
        }
        row.cancel_at = Some(at);
    }
    if matches!(params.text("cancel_at"), Some("max_period_end" | "min_period_end")) {
        row.cancel_at = Some(row.period_end());
    }
    match (before, row.ends_at()) {
        (None, Some(_)) => {
            row.canceled_at = Some(now);
            row.cancellation_reason = Some("cancellation_requested".to_owned());
        }
        (Some(_), None) => {
            row.canceled_at = None;
            row.cancellation_reason = None;
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    Ok(())
}

fn cancel(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let row = state.store.subscriptions.get(call.id())?;
    if row.status.has_ended() {
        return Err(SandboxFailure::no_such("subscription", call.id()));
    }
    let words = CancellationDetails {
        comment: call.params.owned("cancellation_details.comment"),
        feedback: call.params.owned("cancellation_details.feedback"),
    };
    let money = PaidTime {
        prorate: call.params.boolean("prorate") == Some(true),
        invoice_now: call.params.boolean("invoice_now") == Some(true),
    };
    state.cancel_subscription(call.id(), words, money)?;
    retrieve(state, call)
}

/// New in today's version: the subscription itself stands still.
fn pause(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let row = state.store.subscriptions.get(call.id())?;
    if !row.flexible {
        return Err(SandboxFailure::invalid(
            "Only subscriptions with `billing_mode[type]=flexible` can be paused.",
        ));
    }
    if !matches!(row.status, SandboxSubscriptionStatus::Active | SandboxSubscriptionStatus::PastDue) {
        let message = format!("This subscription cannot be paused: it is {}.", row.status.as_str());
        return Err(SandboxFailure::invalid(message));
    }
    if !row.is_automatic() || row.schedule.is_some() {
        let message = "A subscription with a schedule, or that sends its invoices, cannot be paused.";
        return Err(SandboxFailure::invalid(message));
    }
    let unused = match call.params.text("bill_for.unused_time_from.type") {
        Some("none") => UnusedFrom::Never,
        Some("item_current_period_start") => UnusedFrom::PeriodStart,
        Some(_) | None => UnusedFrom::Now,
    };
    let invoice_now = call.params.text("invoicing_behavior") == Some("invoice");
    state.pause_now(call.id(), unused, invoice_now)?;
    retrieve(state, call)
}

fn resume(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    state.store.subscriptions.get(call.id())?;
    let anew = call.params.text("billing_cycle_anchor.type") != Some("unchanged");
    let on_success = call.params.text("payment_behavior") == Some("resume_on_payment_success");
    state.resume(call.id(), anew, on_success)?;
    retrieve(state, call)
}
