//! `/v1/subscriptions`

mod creating;
mod updating;

use serde_json::Value;

use crate::{
    billing::{
        collecting,
        ending::CancellationDetails,
        stopping::{self, PaidTime, UnusedFrom},
    },
    call::Call,
    failure::SandboxFailure,
    objects::{
        Shown,
        paging::{page, page_of_values},
    },
    operations::{SandboxAnswer, SandboxOperation, operation},
    state::SandboxState,
    store::subscription::SandboxSubscriptionStatus,
};

pub use creating::{anchor, imagine, missing_method, price_of, trial_end};
pub use updating::changes;

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/subscriptions", creating::create),
    operation("GET", "/v1/subscriptions", list),
    operation("GET", "/v1/subscriptions/{subscription_exposed_id}", retrieve),
    operation("POST", "/v1/subscriptions/{subscription_exposed_id}", updating::update),
    operation("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel),
    operation("POST", "/v1/subscriptions/{subscription}/pause", pause),
    operation("POST", "/v1/subscriptions/{subscription}/resume", resume),
    operation("GET", "/v1/subscription_items", list_items),
];

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
    stopping::cancel_subscription(state, call.id(), words, money)?;
    retrieve(state, call)
}

/// Pauses a subscription itself, and not only its collection. New in the newest API version.
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
    stopping::pause_now(state, call.id(), unused, invoice_now)?;
    retrieve(state, call)
}

fn resume(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    state.store.subscriptions.get(call.id())?;
    let anew = call.params.text("billing_cycle_anchor.type") != Some("unchanged");
    let on_success = call.params.text("payment_behavior") == Some("resume_on_payment_success");
    collecting::resume(state, call.id(), anew, on_success)?;
    retrieve(state, call)
}
