//! What can be done here that cannot be done at Stripe? Move the clock, send events again or badly, open disputes,
//! fail.
//!
//! JSON in, JSON out, under `/_sandbox`. No key is asked for on this machine; `doors` says who may come in.

mod sales;
mod settings;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Shares},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    billing::{
        checkout::{AfterPayment, Payer},
        payments::Presence,
    },
    calendar::{self, parse_advance, year},
    failure::{ApiFault, SandboxFailure},
    objects::Shown,
    operations,
    outbox::{
        self,
        api_versions::is_version,
        queue::{Faults, Resend},
    },
    shared::SharedSandbox,
    state::SandboxState,
    store::{card::TestCard, dispute::DisputeStatus, event::SandboxEvent},
};

/// Deliveries that are listed.
const DELIVERIES_LISTED_MAX: usize = 200;
/// Times that one fault may be asked for.
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
        .route("/_sandbox/disputes", post(dispute))
        .route("/_sandbox/disputes/{id}", post(decide_dispute))
        .route("/_sandbox/refunds/{id}/fail", post(fail_refund))
        .route("/_sandbox/payment_intents/{id}/settle", post(settle))
        .route("/_sandbox/payment_intents/{id}/authenticate", post(authenticate))
        .route("/_sandbox/checkout/{id}/pay", post(pay))
        .route("/_sandbox/customers/{id}/discount", post(sales::discount_customer))
        .route("/_sandbox/payment_links", post(sales::make_link))
}

fn answer(shared: &SharedSandbox, answer: Result<Value, SandboxFailure>) -> Response {
    shared.wake.notify_one();
    match answer {
        Ok(body) => Json(body).into_response(),
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(failure.render("sandbox"))).into_response()
        }
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
    /// `1 month`, or until when.
    advance: Option<String>,
    /// Unix seconds.
    to: Option<i64>,
}

async fn advance(Shares(shared): Shares<Arc<SharedSandbox>>, Json(wanted): Json<Advance>) -> Response {
    let now = shared.with(|state| state.store.now);
    let until = wanted.to.or_else(|| wanted.advance.as_deref().and_then(|text| parse_advance(text, now)));
    answer(&shared, move_clock(&shared, now, until))
}

/// How far the clock is moved at a time, in seconds: some twenty years.
const ADVANCE_S_MAX: i64 = 20 * 366 * 86_400;

/// Lets time pass, for everybody who shares the clock.
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
    // First everything happens at its time; then the clock says that it is later.
    shared.with(|state| state.pass(until));
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

/// What was recorded elsewhere.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Documents {
    events: Vec<Value>,
    /// As they are now, where no event tells so.
    objects: Vec<Value>,
}

async fn load(Shares(shared): Shares<Arc<SharedSandbox>>, Json(documents): Json<Documents>) -> Response {
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

/// Which events are sent again, and how.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Again {
    /// Ids; without any, all of `types`, or all.
    events: Vec<String>,
    types: Vec<String>,
    /// `as_it_was`, `reversed`
    order: Option<String>,
    /// How often each is sent.
    copies: u64,
    delay_ms: u64,
    corrupt: bool,
    secrets: Vec<String>,
    api_version: Option<String>,
    /// Somewhere else than to the endpoints.
    url: Option<String>,
}

async fn resend(Shares(shared): Shares<Arc<SharedSandbox>>, Json(again): Json<Again>) -> Response {
    let sent = shared.with(|state| send_again(state, &again));
    answer(&shared, sent)
}

fn send_again(state: &mut SandboxState, again: &Again) -> Result<Value, SandboxFailure> {
    if again.api_version.as_deref().is_some_and(|version| !is_version(version)) {
        return Err(SandboxFailure::invalid("This is no version of Stripe's API.").param("api_version"));
    }
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

/// What goes wrong from here on.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewFaults {
    drop_percent: u64,
    duplicates: u64,
    delay_ms: u64,
    reorder_ms: u64,
    corrupt_percent: u64,
    /// Of the next calls to the API, in order.
    api: Vec<ApiFault>,
}

async fn set_faults(Shares(shared): Shares<Arc<SharedSandbox>>, Json(new): Json<NewFaults>) -> Response {
    let set = shared.with(|state| {
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
        json!({ "api_faults_waiting": state.faults.len() })
    });
    answer(&shared, Ok(set))
}

/// From here on, a key may ask for less.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restricted {
    /// `rk_test_…`
    key: String,
    /// What it may ask for, such as `products`.
    may: Vec<String>,
}

async fn restrict(Shares(shared): Shares<Arc<SharedSandbox>>, Json(new): Json<Restricted>) -> Response {
    let known = new.key.starts_with("rk_test_");
    let refused = || SandboxFailure::invalid("A restricted key begins with rk_test_.").param("key");
    let restricted = known.then_some(()).ok_or_else(refused).map(|()| {
        shared.with(|state| state.restricted.insert(new.key.clone(), new.may.clone()));
        json!({ "key": new.key, "may": new.may })
    });
    answer(&shared, restricted)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    charge: Option<String>,
    payment_intent: Option<String>,
    amount: Option<i64>,
    reason: Option<String>,
    /// `needs_response`, `warning_needs_response` (an inquiry) or `prevented`.
    status: Option<String>,
}

async fn dispute(Shares(shared): Shares<Arc<SharedSandbox>>, Json(new): Json<NewDispute>) -> Response {
    let opened = shared.with(|state| {
        let intent =
            new.payment_intent.as_deref().map(|id| state.store.payment_intents.get(id)).transpose()?;
        let of_intent = intent.and_then(|intent| intent.latest_charge.clone());
        let charge = new.charge.clone().or(of_intent).ok_or_else(|| SandboxFailure::missing("charge"))?;
        let row = state.store.charges.get(&charge)?;
        // What went back to the customer already is not disputed.
        let left = row.amount_captured.saturating_sub(row.amount_refunded);
        let status = new.status.as_deref().map_or(Some(DisputeStatus::NeedsResponse), DisputeStatus::parse);
        let status =
            status.ok_or_else(|| SandboxFailure::invalid("There is no such status.").param("status"))?;
        let reason = new.reason.as_deref().unwrap_or("fraudulent");
        let id = state.open_dispute(&charge, new.amount.unwrap_or(left), reason, status)?;
        Ok(state.store.disputes.get(&id)?.render(&state.store))
    });
    answer(&shared, opened)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonsDecision {
    status: String,
}

async fn decide_dispute(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    Json(decision): Json<PersonsDecision>,
) -> Response {
    let closed = shared.with(|state| {
        let status = DisputeStatus::parse(&decision.status).filter(|status| !status.is_open());
        let status = status.ok_or_else(|| {
            SandboxFailure::invalid("It is `won`, `lost`, `warning_closed` or `prevented`.").param("status")
        })?;
        state.close_dispute(&id, status)?;
        Ok(state.store.disputes.get(&id)?.render(&state.store))
    });
    answer(&shared, closed)
}

async fn fail_refund(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let failed = shared.with(|state| {
        state.fail_refund(&id)?;
        Ok(state.store.refunds.get(&id)?.render(&state.store))
    });
    answer(&shared, failed)
}

async fn settle(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let settled = shared.with(|state| {
        if state.store.payment_intents.get(&id)?.settles_at.is_none() {
            return Err(SandboxFailure::invalid("No bank debit of this payment is on its way."));
        }
        state.settle_intent(&id)?;
        Ok(state.store.payment_intents.get(&id)?.render(&state.store))
    });
    answer(&shared, settled)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authentication {
    succeeds: bool,
}

async fn authenticate(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    Json(wanted): Json<Authentication>,
) -> Response {
    let done = shared.with(|state| {
        operations::authenticate(state, &id, wanted.succeeds)?;
        Ok(state.store.payment_intents.get(&id)?.render(&state.store))
    });
    answer(&shared, done)
}

/// What a person would type in on the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentForm {
    card: String,
    email: Option<String>,
    name: Option<String>,
    /// Whether the bank is told yes when it asks.
    #[serde(default)]
    authenticated: bool,
    /// A code that a person types in, where the session takes one.
    promotion_code: Option<String>,
    /// Other quantities, by the place of the line, where they may be changed.
    #[serde(default)]
    quantities: Vec<i64>,
}

async fn pay(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    Json(payment): Json<PaymentForm>,
) -> Response {
    let paid = shared.with(|state| {
        let card = TestCard::by_number(&payment.card).or_else(|| TestCard::by_token(&payment.card));
        let card = card.ok_or_else(|| {
            SandboxFailure::card("incorrect_number", None, "Your card number is incorrect.")
        })?;
        if let Some(code) = &payment.promotion_code {
            state.enter_code(&id, code)?;
        }
        for (place, quantity) in payment.quantities.iter().enumerate() {
            state.adjust_quantity(&id, place, *quantity)?;
        }
        let payer = Payer {
            card,
            exp_year: year(state.store.now).saturating_add(4),
            exp_month: 12,
            email: payment.email.clone(),
            name: payment.name.clone(),
            presence: if payment.authenticated { Presence::Authenticated } else { Presence::Present },
        };
        match state.pay_session(&id, &payer)? {
            AfterPayment::Complete => Ok(state.store.sessions.get(&id)?.render(&state.store)),
            AfterPayment::Declined(decline) => Err(decline.failure()),
            AfterPayment::Authenticate => {
                let message = "The bank wants to ask the person: send it again with `authenticated`.";
                Err(SandboxFailure::card("authentication_required", None, message))
            }
        }
    });
    answer(&shared, paid)
}
