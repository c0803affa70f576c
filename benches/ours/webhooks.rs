//! How fast are deliveries of Stripe's acknowledged, and how fast is a full inbox processed?

use std::time::{Duration, Instant};

use counterfoil::{
    domain::time::Timestamp,
    load::{Choice, Histogram},
    stripe::{
        Deployment, StripeMode,
        inbound::{
            inbox::Inbox,
            processor::{InboxProgress, Processor},
            send::send,
            signature::{Secrets, WebhookSecret, sign},
        },
    },
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{OurBench, accounts, http::serve};
use crate::{
    database::Fallible,
    report::{Figure, name},
};

/// A paid pack, as Stripe reports it.
const PAID: &str =
    include_str!("../../tests/it/support/webhooks/2025-basil/checkout.session.completed.topup.json");
const SECRET: &str = "whsec_bench";
/// The deliveries of a busy shop in its busiest minute.
const DELIVERIES_PER_S: u32 = 200;
/// The events that wait after an hour in which nothing was processed.
const QUEUED: u64 = 5_000;
/// How many customers the events are about.
const CUSTOMERS: u64 = 500;

/// The event with this number: a pack for one of the customers, with its own payment.
fn event(number: u64) -> Fallible<Vec<u8>> {
    let account = accounts(Choice::Uniform).name(number % CUSTOMERS);
    let mut event: Value = serde_json::from_str(PAID)?;
    event["id"] = json!(format!("evt_bench{number:012}"));
    let session = &mut event["data"]["object"];
    session["id"] = json!(format!("cs_test_bench{number:012}"));
    session["payment_intent"] = json!(format!("pi_bench{number:012}"));
    session["customer"] = json!(format!("cus_bench{:06}", number % CUSTOMERS));
    session["client_reference_id"] = json!(account);
    session["metadata"]["account_id"] = json!(account);
    Ok(serde_json::to_vec(&event)?)
}

/// Deliveries at a fixed rate. Latencies count from when a delivery was due.
pub async fn acknowledged(bench: &OurBench, duration: Duration) -> Fallible<Figure> {
    let secrets = Secrets::parse(SECRET)?;
    let (address, server) = serve(bench, secrets).await?;
    let url = format!("http://{address}/v1/webhooks/stripe");
    let (client, secret) = (reqwest::Client::new(), WebhookSecret::new("bench", SECRET));
    let (started, mut number, mut running) = (Instant::now(), 0_u32, JoinSet::new());
    while started.elapsed() < duration {
        let due = started + Duration::from_secs(1) / DELIVERIES_PER_S * number;
        tokio::time::sleep_until(due.into()).await;
        let (body, at) = (event(u64::from(number))?, bench.ledger.clock().now());
        let (client, url, secret) = (client.clone(), url.clone(), secret.clone());
        running.spawn(async move {
            let answer = send(&client, &url, &secret, body, at).await;
            (answer.map(|answer| answer.status), due.elapsed())
        });
        number += 1;
    }
    let mut latencies = Histogram::default();
    while let Some(answered) = running.join_next().await {
        let (status, took) = answered?;
        if status? != 200 {
            return Err("a delivery was not accepted".into());
        }
        latencies.record(took);
    }
    server.abort();
    Ok(Figure::new(name::WEBHOOKS, latencies.count(), started.elapsed(), &latencies))
}

/// Processes a full inbox until nothing waits.
pub async fn worked_off(bench: &OurBench) -> Fallible<Figure> {
    let inbox = Inbox::new(bench.pool.clone());
    fill(&inbox, bench.ledger.clock().now()).await?;
    let processor = Processor::new(inbox.clone(), bench.ledger.clone(), Deployment::new(StripeMode::Test));
    let started = Instant::now();
    while processor.work().await? != InboxProgress::Idle {}
    let took = started.elapsed();
    let processed = "select count(*) from ledger.stripe_inbox where state = 'processed'";
    let processed: i64 = sqlx::query_scalar(processed).fetch_one(&bench.pool).await?;
    if processed == i64::try_from(QUEUED)? {
        Ok(Figure::new(name::INBOX, QUEUED, took, &Histogram::default()).without_latencies())
    } else {
        Err(format!("{processed} of {QUEUED} were processed: {:?}", inbox.count_open().await?).into())
    }
}

async fn fill(inbox: &Inbox, at: Timestamp) -> Fallible<()> {
    let (secrets, secret) = (Secrets::parse(SECRET)?, WebhookSecret::new("bench", SECRET));
    for number in 0..QUEUED {
        let body = event(number)?;
        let signature = sign(&secret, &body, at);
        inbox.receive(&secrets, Some(&signature), &body, at).await?;
    }
    Ok(())
}
