//! What is in the sandbox, what time is it there, and have the webhooks arrived?

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};

use super::{
    super::{
        calendar, control,
        outbox::{
            self,
            queue::{DeliveryOutcome, QueuedDelivery, Resend},
        },
        shared::SharedSandbox,
        state::SandboxState,
        store::subscription::SandboxSubscription,
    },
    filled,
    html::{code, escape, money, table},
    lead_to, shop, show, wrong,
};

const ROWS_MAX: usize = 50;

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>) -> Response {
    let main = shared.with(|state| {
        format!(
            "{}{}<h2>Customers</h2>{}<h2>Subscriptions</h2>{}<h2>Checkout sessions</h2>{}<h2>Webhooks</h2>{}",
            clock(state),
            shop::form(state),
            customers(state),
            subscriptions(state),
            sessions(state),
            deliveries(state)
        )
    });
    show("Overview", &main)
}

fn clock(state: &SandboxState) -> String {
    let buttons: String = ["1 hour", "1 day", "1 week", "1 month", "1 year"]
        .iter()
        .map(|by| format!("<button name=\"advance\" value=\"{by}\">+ {by}</button>"))
        .collect();
    format!(
        "<p>It is <strong>{}</strong> here. Time goes on by itself; put it forward to see renewals, trials end, and \
         payments tried again.</p><form method=\"post\" action=\"/clock\" class=\"row\">{buttons}</form>",
        calendar::shown(state.store.now)
    )
}

fn customers(state: &SandboxState) -> String {
    let rows = state.store.customers.iter().rev().take(ROWS_MAX).map(|customer| {
        let shown = if customer.deleted { "deleted" } else { "" };
        let email = escape(customer.email.as_deref().unwrap_or("–"));
        vec![code(&customer.id), email, shown.to_owned()]
    });
    table(&["id", "e-mail", ""], &rows.collect::<Vec<_>>(), "None yet.")
}

fn subscriptions(state: &SandboxState) -> String {
    let rows = state.store.subscriptions.iter().rev().take(ROWS_MAX).map(|row| {
        let ends = row.ends_at().map_or_else(String::new, |at| format!("ends {}", calendar::shown(at)));
        vec![
            code(&row.id),
            code(&row.customer),
            row.status.as_str().to_owned(),
            sold(state, row),
            calendar::shown(row.period_end()),
            ends,
        ]
    });
    table(&["id", "customer", "status", "what", "until", ""], &rows.collect::<Vec<_>>(), "None yet.")
}

/// What a subscription is of.
pub(super) fn sold(state: &SandboxState, row: &SandboxSubscription) -> String {
    let items = row.items.iter().map(|item| {
        let price = state.store.prices.find(&item.price);
        let name = price
            .and_then(|price| state.store.products.find(&price.product))
            .map(|product| product.name.clone());
        let cost = price.map_or_else(String::new, |price| money(price.unit_amount, &price.currency));
        format!("{} × {} ({cost})", item.quantity, escape(&name.unwrap_or_default()))
    });
    items.collect::<Vec<String>>().join(", ")
}

fn sessions(state: &SandboxState) -> String {
    let rows = state.store.sessions.iter().rev().take(ROWS_MAX).map(|session| {
        vec![
            format!("<a href=\"/checkout/{0}\"><code>{0}</code></a>", escape(&session.id)),
            session.status.as_str().to_owned(),
            session.payment_status.to_owned(),
        ]
    });
    table(&["id", "status", "payment"], &rows.collect::<Vec<_>>(), "None yet.")
}

fn deliveries(state: &SandboxState) -> String {
    let rows = state.outbox.queue.recent().take(ROWS_MAX).map(|delivery| {
        let again = format!(
            "<form method=\"post\" action=\"/resend/{}\"><button class=\"quiet\" aria-label=\"Send {} again\">\
             Send again</button></form>",
            escape(&delivery.event),
            escape(&delivery.kind)
        );
        vec![escape(&delivery.kind), code(&delivery.event), fate(delivery), again]
    });
    table(&["type", "event", "delivery", ""], &rows.collect::<Vec<_>>(), "None was to be sent yet.")
}

fn fate(delivery: &QueuedDelivery) -> String {
    match &delivery.fate {
        DeliveryOutcome::Waiting => "waiting".to_owned(),
        DeliveryOutcome::Delivered(status) => format!("accepted ({status})"),
        DeliveryOutcome::Retrying(why) => {
            format!("tried {} times, again soon: {}", delivery.attempts, escape(why))
        }
        DeliveryOutcome::GivenUp(why) => format!("given up: {}", escape(why)),
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
