//! What is subscribed to, and how does the subscription begin?

use crate::{
    billing::{
        payments::Presence,
        subscribing::{self, First, NewItem, NewSubscription},
    },
    calendar::DAY_S,
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    operations::{SandboxAnswer, coupons, payment_methods, prices},
    state::SandboxState,
    store::subscription::SandboxSubscription,
};

pub fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let customer = state.store.customer(params.required("customer")?)?.id.clone();
    let method = params.text("default_payment_method");
    let method = method.map(|id| payment_methods::owned_by(state, id, &customer)).transpose()?;
    let new = describe(state, params, customer, method)?;
    let id = subscribing::subscribe(state, new)?;
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

/// The end of the trial in Unix seconds, from `trial_end` or `trial_period_days`, which follow `prefix`.
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

/// Single sales on the first invoice: the ids of prices, with a quantity each.
fn once(params: &Params) -> Vec<(String, i64)> {
    let items = params.list("add_invoice_items");
    items
        .iter()
        .filter_map(|item| Some((item.owned("price")?, item.integer("quantity").unwrap_or(1))))
        .collect()
}

/// When whole periods begin, in Unix seconds, from the parameters that follow `prefix`.
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

/// The id of an existing price, or of one that is made for this subscription.
pub fn price_of(state: &mut SandboxState, item: &Params) -> Result<Option<String>, SandboxFailure> {
    match (item.text("price"), item.nested("price_data")) {
        (Some(price), _) => Ok(Some(price.to_owned())),
        (None, Some(data)) => {
            let product = data.required("product")?.to_owned();
            state.store.products.get(&product).map_err(|failure| failure.status(400))?;
            prices::make(state, &data, product).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// Makes a subscription from these parameters that is not kept.
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
    subscribing::build(state, new)
}
