//! Who sends deliveries to endpoints? One task sends them in order, one after the other.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    outbox::{queue::QueuedDelivery, signature::sign},
    shared::SharedSandbox,
};

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time between two checks whether something is due.
const TICK: Duration = Duration::from_secs(1);

pub async fn run(shared: Arc<SharedSandbox>, stop: CancellationToken) {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
    loop {
        let next = shared.with(|state| state.outbox.queue.next().cloned());
        let now = Instant::now();
        match next {
            Some(delivery) if delivery.due <= now => {
                let outcome = post(&client, &shared, &delivery).await;
                shared.look(|state| {
                    let accepted = matches!(outcome, Ok(200..=299));
                    state.outbox.queue.note(delivery.id, outcome);
                    if let (true, Ok(event)) = (accepted, state.outbox.events.get_mut(&delivery.event)) {
                        event.pending = event.pending.saturating_sub(1);
                    }
                });
            }
            Some(delivery) => wait(&shared, &stop, delivery.due.min(now + TICK)).await,
            None => wait(&shared, &stop, now + TICK).await,
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn wait(shared: &SharedSandbox, stop: &CancellationToken, until: Instant) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = shared.wake.notified() => {}
        () = tokio::time::sleep_until(until) => {}
    }
}

async fn post(
    client: &reqwest::Client,
    shared: &SharedSandbox,
    delivery: &QueuedDelivery,
) -> Result<u16, String> {
    let signature = sign(&delivery.secrets, &delivery.body, shared.signing_clock.now().seconds());
    // A corrupt body differs from the signed one by a space.
    let body = if delivery.corrupt { delivery.body.replacen('{', "{ ", 1) } else { delivery.body.clone() };
    let request = client
        .post(&delivery.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks) Counterfoil-Sandbox")
        .header("stripe-signature", signature)
        .header("counterfoil-sandbox", "true")
        .body(body);
    match request.send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) => Err(error.to_string()),
    }
}
