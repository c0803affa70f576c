//! What can be done here that Stripe does not offer? Moving the clock, repeating events, opening disputes, and faults.
//!
//! Requests and answers are JSON, under `/_sandbox`.
//! No API key of Stripe's is needed: `doors` decides who may use the sandbox.

mod body;
mod people;
mod sales;
mod settings;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shares,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use body::ControlBody;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    billing::passing,
    calendar::{self, parse_advance},
    failure::{ApiFault, SandboxFailure},
    outbox::{
        self,
        api_versions::is_version,
        queue::{Faults, Resend},
    },
    shared::SharedSandbox,
    state::SandboxState,
    store::event::SandboxEvent,
};

/// The number of deliveries in a list.
const DELIVERIES_LISTED_MAX: usize = 200;

/// How often one fault may be repeated.
const FAULTS_MAX: usize = 10_000;

pub(super) fn routes() -> Router<Arc<SharedSandbox>> {
    Router::new()
        .route("/_sandbox", get(about))
        .route("/_sandbox/clock", get(about).post(advance))
        .route("/_sandbox/deliveries", get(deliveries))
        .route("/_sandbox/documents", post(load))
        .route("/_sandbox/webhooks", post(resend))
        .route("/_sandbox/faults", post(set_faults))
        .route("/_sandbox/settings", post(settings::set))
        .route("/_sandbox/keys", post(restrict))
        .route("/_sandbox/disputes", post(people::dispute))
        .route("/_sandbox/disputes/{id}", post(people::decide_dispute))
        .route("/_sandbox/refunds/{id}/fail", post(people::fail_refund))
        .route("/_sandbox/payment_intents/{id}/settle", post(people::settle))
        .route("/_sandbox/payment_intents/{id}/authenticate", post(people::authenticate))
        .route("/_sandbox/checkout/{id}/pay", post(people::pay))
        .route("/_sandbox/customers/{id}/discount", post(sales::discount_customer))
        .route("/_sandbox/payment_links", post(sales::make_link))
}

fn answer(shared: &SharedSandbox, answer: Result<Value, SandboxFailure>) -> Response {
    shared.wake.notify_one();
    match answer {
        Ok(body) => Json(body).into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn about(Shares(shared): Shares<Arc<SharedSandbox>>) -> Response {
    answer(&shared, Ok(shared.with(|state| described(state))))
}

fn described(state: &SandboxState) -> Value {
    json!({
        "sandbox": true,
        "now": state.store.now,
        "now_shown": calendar::shown(state.store.now),
        "customers": state.store.customers.len(),
        "subscriptions": state.store.subscriptions.len(),
        "events": state.outbox.events.len(),
        "deliveries_waiting": state.outbox.queue.waiting(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// A duration such as `1 month`, or a time.
    advance: Option<String>,
    /// Unix seconds.
    to: Option<i64>,
}

async fn advance(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(wanted): ControlBody<Advance>,
) -> Response {
    let now = shared.with(|state| state.store.now);
    let until = wanted.to.or_else(|| wanted.advance.as_deref().and_then(|text| parse_advance(text, now)));
    answer(&shared, move_clock(&shared, now, until))
}

/// How far the clock can be moved at once, in seconds: some 20 years.
const ADVANCE_S_MAX: i64 = 20 * 366 * 86_400;

/// Lets time pass for all users of the clock.
pub(super) fn move_clock(
    shared: &SharedSandbox,
    now: i64,
    until: Option<i64>,
) -> Result<Value, SandboxFailure> {
    let until = until.filter(|until| *until > now).ok_or_else(|| {
        let message = "Say how far, such as {\"advance\": \"1 month\"} or {\"advance\": \"2026-02-01T00:00:00Z\"}. \
                       Time goes forward only.";
        SandboxFailure::invalid(message).param("advance")
    })?;
    if until.saturating_sub(now) > ADVANCE_S_MAX {
        let message =
            "At most 20 years at a time: everything that is due on the way happens, each at its time.";
        return Err(SandboxFailure::invalid(message).param("advance"));
    }
    // First everything due happens, each at its time; then the clock is moved.
    shared.with(|state| passing::pass(state, until));
    shared.clock.advance(calendar::delta(until.saturating_sub(shared.clock_seconds())));
    Ok(shared.with(|state| described(state)))
}

async fn deliveries(Shares(shared): Shares<Arc<SharedSandbox>>) -> Response {
    let rows = shared.with(|state| {
        state
            .outbox
            .queue
            .recent()
            .take(DELIVERIES_LISTED_MAX)
            .map(outbox::queue::QueuedDelivery::render)
            .collect::<Vec<_>>()
    });
    answer(&shared, Ok(json!({ "deliveries": rows })))
}

/// Objects and events that were recorded elsewhere.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Documents {
    events: Vec<Value>,
    /// Objects in their current state, if no event has it.
    objects: Vec<Value>,
}

async fn load(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(documents): ControlBody<Documents>,
) -> Response {
    let loaded = shared.with(|state| keep(state, &documents));
    answer(&shared, loaded)
}

fn keep(state: &mut SandboxState, documents: &Documents) -> Result<Value, SandboxFailure> {
    let events: Option<Vec<SandboxEvent>> = documents.events.iter().map(SandboxEvent::of_document).collect();
    let no_event =
        || SandboxFailure::invalid("An event has `id`, `created`, `type` and `data.object`.").param("events");
    for event in events.ok_or_else(no_event)? {
        state.store.recorded.keep(event.created, &event.left_of_it());
        state.outbox.events.put(event);
    }
    for object in &documents.objects {
        state.store.recorded.keep(state.store.now, object);
    }
    Ok(json!({ "events": documents.events.len(), "objects": documents.objects.len() }))
}

/// Which events are sent again, and how they are sent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Again {
    /// The ids of events. Empty: all events of `types`, or all.
    events: Vec<String>,
    types: Vec<String>,
    /// `as_it_was` or `reversed`.
    order: Option<String>,
    /// How often each event is sent.
    copies: u64,
    delay_ms: u64,
    corrupt: bool,
    secrets: Vec<String>,
    api_version: Option<String>,
    /// The URL to deliver to. `None`: the endpoints.
    url: Option<String>,
}

async fn resend(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(again): ControlBody<Again>,
) -> Response {
    let sent = shared.with(|state| send_again(state, &again));
    answer(&shared, sent)
}

/// How often one event can be sent. More copies would show nothing new, and would delay all other deliveries.
const COPIES_MAX: u64 = 100;

fn at_most_copies(copies: u64, param: &'static str) -> Result<(), SandboxFailure> {
    if copies <= COPIES_MAX {
        return Ok(());
    }
    Err(SandboxFailure::invalid(format!("An event is sent {COPIES_MAX} times at most.")).param(param))
}

fn send_again(state: &mut SandboxState, again: &Again) -> Result<Value, SandboxFailure> {
    if again.api_version.as_deref().is_some_and(|version| !is_version(version)) {
        return Err(SandboxFailure::invalid("This is no version of Stripe's API.").param("api_version"));
    }
    at_most_copies(again.copies, "copies")?;
    for id in &again.events {
        state.outbox.events.get(id)?;
    }
    let wanted = |event: &&SandboxEvent| {
        (again.events.is_empty() || again.events.contains(&event.id))
            && (again.types.is_empty() || again.types.contains(&event.kind))
    };
    let mut events: Vec<SandboxEvent> = state.outbox.events.iter().filter(wanted).cloned().collect();
    if again.order.as_deref() == Some("reversed") {
        events.reverse();
    }
    let resend = Resend {
        copies: again.copies,
        delay_ms: again.delay_ms,
        corrupt: again.corrupt,
        secrets: again.secrets.clone(),
    };
    let mut sent = 0_u64;
    for event in &events {
        let endpoints: Vec<_> =
            state.store.endpoints.iter().filter(|row| row.wants(&event.kind)).cloned().collect();
        for mut endpoint in endpoints {
            let version = again.api_version.clone().or_else(|| endpoint.api_version.clone());
            let body = outbox::body(&state.store, event, version.as_deref());
            if let Some(url) = &again.url {
                endpoint.url.clone_from(url);
            }
            state.outbox.queue.resend(event, &endpoint, &body, &resend);
            sent = sent.saturating_add(resend.copies.max(1));
        }
    }
    Ok(json!({ "events": events.len(), "deliveries": sent }))
}

fn at_most_all(percent: u64, param: &'static str) -> Result<(), SandboxFailure> {
    if percent <= 100 { Ok(()) } else { Err(SandboxFailure::invalid("It is 100 at most.").param(param)) }
}

/// The faults from now on.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewFaults {
    drop_percent: u64,
    duplicates: u64,
    delay_ms: u64,
    reorder_ms: u64,
    corrupt_percent: u64,
    /// The faults of the next calls to the API, in order.
    api: Vec<ApiFault>,
}

async fn set_faults(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(new): ControlBody<NewFaults>,
) -> Response {
    let set = shared.with(|state| {
        at_most_copies(new.duplicates, "duplicates")?;
        at_most_all(new.drop_percent, "drop_percent")?;
        at_most_all(new.corrupt_percent, "corrupt_percent")?;
        state.outbox.queue.faults = Faults {
            drop_percent: new.drop_percent,
            duplicates: new.duplicates,
            delay_ms: new.delay_ms,
            reorder_ms: new.reorder_ms,
            corrupt_percent: new.corrupt_percent,
        };
        state.faults.clear();
        for fault in &new.api {
            let times = fault.times.unwrap_or(1).min(FAULTS_MAX);
            state.faults.extend(std::iter::repeat_n(fault.clone(), times));
        }
        Ok(json!({ "api_faults_waiting": state.faults.len() }))
    });
    answer(&shared, set)
}

/// Restricts a key from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restricted {
    /// `rk_test_…`
    key: String,
    /// The resources that the key may use, such as `products`.
    may: Vec<String>,
}

async fn restrict(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(new): ControlBody<Restricted>,
) -> Response {
    let known = new.key.starts_with("rk_test_");
    let refused = || SandboxFailure::invalid("A restricted key begins with rk_test_.").param("key");
    let restricted = known.then_some(()).ok_or_else(refused).map(|()| {
        shared.with(|state| state.restricted.insert(new.key.clone(), new.may.clone()));
        json!({ "key": new.key, "may": new.may })
    });
    answer(&shared, restricted)
}
