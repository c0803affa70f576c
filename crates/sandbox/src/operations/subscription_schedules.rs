//! `/v1/subscription_schedules`: schedules of existing subscriptions.

use super::{SandboxAnswer, SandboxOperation, operation, subscriptions};
use crate::{
    billing::{
        changing::Proration,
        ending::CancellationDetails,
        phases, schedules,
        stopping::{self, PaidTime},
    },
    calendar::{self, SandboxInterval},
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::schedule::{SchedulePhase, SchedulePhaseItem, ScheduleStatus, SubscriptionSchedule},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/subscription_schedules", create),
    operation("GET", "/v1/subscription_schedules", list),
    operation("GET", "/v1/subscription_schedules/{schedule}", retrieve),
    operation("POST", "/v1/subscription_schedules/{schedule}", update),
    operation("POST", "/v1/subscription_schedules/{schedule}/cancel", cancel),
    operation("POST", "/v1/subscription_schedules/{schedule}/release", release),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let Some(subscription) = params.text("from_subscription") else {
        let message = "The sandbox makes schedules from subscriptions only: say `from_subscription`.";
        return Err(SandboxFailure::invalid(message).param("from_subscription"));
    };
    if params.has("phases") || params.has("end_behavior") {
        let message =
            "You cannot set `phases` if `from_subscription` is set: update the schedule afterwards.";
        return Err(SandboxFailure::invalid(message).param("phases"));
    }
    let id = schedules::schedule_subscription(state, subscription, params.metadata("metadata"))?;
    Ok(state.store.schedules.get(&id)?.render(&state.store))
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let customer = call.params.text("customer");
    let scheduled = call.params.boolean("scheduled") == Some(true);
    page(&state.store, &state.store.schedules, call, "/v1/subscription_schedules", |row| {
        customer.is_none_or(|customer| row.customer == customer) && !scheduled
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.schedules.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let row = state.store.schedules.get(call.id())?.clone();
    let phases = if params.has("phases") { Some(phases(state, params, &row)?) } else { None };
    let proration = Proration::parse(params.text("proration_behavior"));
    let ends = params.owned("end_behavior").map(|behavior| match behavior.as_str() {
        // The older values for the same.
        "none" | "renew" => "release".to_owned(),
        _ => behavior,
    });
    phases::change_schedule(state, call.id(), proration, |row| {
        row.phases = phases.unwrap_or_else(|| std::mem::take(&mut row.phases));
        row.end_behavior = ends.unwrap_or_else(|| std::mem::take(&mut row.end_behavior));
        params.merge_metadata("metadata", &mut row.metadata);
    })?;
    retrieve(state, call)
}

fn phases(
    state: &mut SandboxState,
    params: &Params,
    row: &SubscriptionSchedule,
) -> Result<Vec<SchedulePhase>, SandboxFailure> {
    let wanted = params.list("phases");
    let last = wanted.len().saturating_sub(1);
    let present = row.current().map_or(state.store.now, |phase| phase.start);
    let mut phases: Vec<SchedulePhase> = Vec::with_capacity(wanted.len());
    for (place, one) in wanted.iter().enumerate() {
        let named = |name: &str| format!("phases[{place}][{name}]");
        let before = phases.last().and_then(|phase| phase.end);
        let start = instant(one, "start_date", state.store.now).or(before).unwrap_or(present);
        if before.is_some_and(|before| before != start) {
            let message = "A phase begins when the one before it ends.";
            return Err(SandboxFailure::invalid(message).param(named("start_date")));
        }
        let end = end_of(one, start, state.store.now);
        if end.is_none() && place != last {
            return Err(SandboxFailure::missing(&named("end_date")));
        }
        if end.is_some_and(|end| end <= start) {
            let message = "The end date of a phase must be after its start date.";
            return Err(SandboxFailure::invalid(message).param(named("end_date")));
        }
        phases.push(SchedulePhase {
            start,
            end,
            items: items(state, one, &named("items"))?,
            proration_behavior: one
                .owned("proration_behavior")
                .unwrap_or_else(|| "create_prorations".to_owned()),
            metadata: one.metadata("metadata"),
        });
    }
    if phases.first().is_none_or(|phase| phase.start > state.store.now) {
        let message = "You can not update the schedule without the phase that it is in.";
        return Err(SandboxFailure::invalid(message).param("phases"));
    }
    Ok(phases)
}

fn instant(params: &Params, name: &str, now: i64) -> Option<i64> {
    params.integer(name).or_else(|| (params.text(name) == Some("now")).then_some(now))
}

fn end_of(phase: &Params, start: i64, now: i64) -> Option<i64> {
    let interval = phase.text("duration.interval").and_then(SandboxInterval::parse);
    let count = phase.integer("duration.interval_count").and_then(|count| u32::try_from(count).ok());
    let lasts = interval.map(|interval| calendar::add(start, interval, count.unwrap_or(1)));
    instant(phase, "end_date", now).or(lasts)
}

fn items(
    state: &mut SandboxState,
    phase: &Params,
    name: &str,
) -> Result<Vec<SchedulePhaseItem>, SandboxFailure> {
    let mut items = Vec::new();
    for item in phase.list("items") {
        let price = subscriptions::price_of(state, &item)?.ok_or_else(|| SandboxFailure::missing(name))?;
        let known = state.store.prices.get(&price).map_err(|failure| failure.status(400).param(name))?;
        if known.recurring.is_none() {
            return Err(SandboxFailure::invalid("The price specified is set to `type=one_time`.").param(name));
        }
        items.push(SchedulePhaseItem {
            price,
            quantity: item.integer("quantity").unwrap_or(1),
            metadata: item.metadata("metadata"),
        });
    }
    if items.is_empty() { Err(SandboxFailure::missing(name)) } else { Ok(items) }
}

/// Cancels a schedule and its subscription.
fn cancel(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let row = state.store.schedules.get(call.id())?.clone();
    if row.status != ScheduleStatus::Active {
        let message = format!(
            "You can only cancel a subscription schedule that is `active`; this one is `{}`.",
            row.status.as_str()
        );
        return Err(SandboxFailure::invalid(message));
    }
    let subscription = row.subscription.unwrap_or_default();
    // Unlike in the cancellation of a subscription, both default to true.
    let money = PaidTime {
        prorate: call.params.boolean("prorate") != Some(false),
        invoice_now: call.params.boolean("invoice_now") != Some(false),
    };
    stopping::cancel_subscription(state, &subscription, CancellationDetails::default(), money)?;
    retrieve(state, call)
}

fn release(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    schedules::release_schedule(state, call.id())?;
    retrieve(state, call)
}
