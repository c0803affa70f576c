//! How is a subscription updated?

use super::{
    creating::{missing_method, price_of},
    retrieve,
};
use crate::{
    billing::{
        changing::{self, ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
        discounting, planning,
    },
    call::{Call, Params},
    failure::SandboxFailure,
    operations::{SandboxAnswer, coupons, payment_methods},
    state::SandboxState,
    store::subscription::{PauseCollection, SandboxSubscription, SubscriptionItem},
};

pub fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
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
    let mut planned = planning::plan_change(state, call.id(), &wish)?;
    assign(&mut planned.after, params, state.store.now, method)?;
    assign_discounts(state, &mut planned.after, params)?;
    let terms = PaymentBehavior {
        or_nothing: params.text("payment_behavior") == Some("error_if_incomplete"),
        when_paid: params.text("payment_behavior") == Some("pending_if_incomplete"),
    };
    changing::apply_change(state, planned, wish.proration, terms)?;
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

/// Refuses to change the end of a subscription that has a schedule, which decides about the end.
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

/// The requested changes of the items.
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

/// Replaces or removes the discounts of the subscription and of its items.
fn assign_discounts(
    state: &mut SandboxState,
    row: &mut SandboxSubscription,
    params: &Params,
) -> Result<(), SandboxFailure> {
    let (customer, id) = (row.customer.clone(), row.id.clone());
    if params.has("discounts") {
        row.discounts = kept(&row.discounts, params);
        for one in coupons::redeemed(state, params, "discounts")? {
            row.discounts.push(discounting::redeem(state, &one, &customer, Some(&id), None, None)?);
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
            item.discounts.push(discounting::redeem(
                state,
                &one,
                &customer,
                Some(&id),
                Some(&item.id),
                None,
            )?);
        }
    }
    Ok(())
}

/// The discounts that the request names, which stay.
fn kept(discounts: &[String], params: &Params) -> Vec<String> {
    let named: Vec<String> =
        params.list("discounts").iter().filter_map(|one| one.owned("discount")).collect();
    discounts.iter().filter(|id| named.contains(id)).cloned().collect()
}

/// Schedules or withdraws a cancellation.
fn schedule_end(row: &mut SandboxSubscription, params: &Params, now: i64) -> Result<(), SandboxFailure> {
    let before = row.ends_at();
    if let Some(flag) = params.boolean("cancel_at_period_end") {
        row.cancel_at_period_end = flag;
        // Both fields are shown: the time, and that it is the end of the period.
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
