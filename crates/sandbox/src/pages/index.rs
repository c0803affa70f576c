//! What is in the sandbox, what time is it there, and which webhooks were delivered?

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use maud::{Markup, html};

use super::{
    super::{
        calendar, control,
        outbox::{
            self,
            queue::{DeliveryOutcome, QueuedDelivery, Resend},
        },
        shared::SharedSandbox,
        state::SandboxState,
    },
    filled,
    html::table,
    lead_to,
    offers::sold,
    shop, show, wrong,
};

const ROWS_MAX: usize = 50;

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>) -> Response {
    let main = shared.with(|state| {
        html! {
            (clock(state))
            (shop::form(state))
            h2 { "Customers" } (customers(state))
            h2 { "Subscriptions" } (subscriptions(state))
            h2 { "Checkout sessions" } (sessions(state))
            h2 { "Webhooks" } (deliveries(state))
        }
    });
    show("Overview", &main)
}

fn clock(state: &SandboxState) -> Markup {
    html! {
        p {
            "It is " strong { (calendar::shown(state.store.now)) } " here. Time goes on by itself; put it forward to \
            see renewals, trials end, and payments tried again."
        }
        form.row method="post" action="/clock" {
            @for by in ["1 hour", "1 day", "1 week", "1 month", "1 year"] {
                button name="advance" value=(by) { "+ " (by) }
            }
        }
    }
}

fn customers(state: &SandboxState) -> Markup {
    let rows = state.store.customers.iter().rev().take(ROWS_MAX).map(|customer| {
        html! {
            tr {
                td { code { (customer.id) } }
                td { (customer.email.as_deref().unwrap_or("–")) }
                td { @if customer.deleted { "deleted" } }
            }
        }
    });
    table(&["id", "e-mail", ""], rows, "None yet.")
}

fn subscriptions(state: &SandboxState) -> Markup {
    let rows = state.store.subscriptions.iter().rev().take(ROWS_MAX).map(|row| {
        html! {
            tr {
                td { code { (row.id) } }
                td { code { (row.customer) } }
                td { (row.status.as_str()) }
                td { (sold(state, row)) }
                td { (calendar::shown(row.period_end())) }
                td { @if let Some(at) = row.ends_at() { "ends " (calendar::shown(at)) } }
            }
        }
    });
    table(&["id", "customer", "status", "what", "until", ""], rows, "None yet.")
}

fn sessions(state: &SandboxState) -> Markup {
    let rows = state.store.sessions.iter().rev().take(ROWS_MAX).map(|session| {
        html! {
            tr {
                td { a href={ "/checkout/" (session.id) } { code { (session.id) } } }
                td { (session.status.as_str()) }
                td { (session.payment_status) }
            }
        }
    });
    table(&["id", "status", "payment"], rows, "None yet.")
}

fn deliveries(state: &SandboxState) -> Markup {
    let rows = state.outbox.queue.recent().take(ROWS_MAX).map(|delivery| {
        html! {
            tr {
                td { (delivery.kind) }
                td { code { (delivery.event) } }
                td { (fate(delivery)) }
                td {
                    form method="post" action={ "/resend/" (delivery.event) } {
                        button.quiet aria-label={ "Send " (delivery.kind) " again" } { "Send again" }
                    }
                }
            }
        }
    });
    table(&["type", "event", "delivery", ""], rows, "None was to be sent yet.")
}

fn fate(delivery: &QueuedDelivery) -> String {
    match &delivery.fate {
        DeliveryOutcome::Waiting => "waiting".to_owned(),
        DeliveryOutcome::Delivered(status) => format!("accepted ({status})"),
        DeliveryOutcome::Retrying(why) => format!("tried {} times, again soon: {why}", delivery.attempts),
        DeliveryOutcome::GivenUp(why) => format!("given up: {why}"),
        DeliveryOutcome::Dropped => "dropped on request".to_owned(),
    }
}

pub(super) async fn advance(Shares(shared): Shares<Arc<SharedSandbox>>, body: String) -> Response {
    let now = shared.with(|state| state.store.now);
    let until = filled(&body).text("advance").and_then(|text| calendar::parse_advance(text, now));
    let moved = control::move_clock(&shared, now, until);
    shared.wake.notify_one();
    match moved {
        Ok(_) => lead_to("/"),
        Err(failure) => wrong(&failure),
    }
}

pub(super) async fn resend(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let sent = shared.with(|state| {
        let event = state.outbox.events.get(&id)?.clone();
        let endpoints: Vec<_> =
            state.store.endpoints.iter().filter(|row| row.wants(&event.kind)).cloned().collect();
        for endpoint in endpoints {
            let body = outbox::body(&state.store, &event, endpoint.api_version.as_deref());
            state.outbox.queue.resend(&event, &endpoint, &body, &Resend::default());
        }
        Ok(())
    });
    shared.wake.notify_one();
    match sent {
        Ok(()) => lead_to("/"),
        Err(failure) => wrong(&failure),
    }
}
