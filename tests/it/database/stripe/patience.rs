//! How long does a claim of the inbox wait for Stripe? Not longer because more events wait for it.

use std::time::{Duration, Instant};

use counterfoil::{
    domain::time::Timestamp,
    stripe::{
        client::{ApiUrl, Client, Patience, SecretKey},
        inbound::{inbox::InboxState, processor::Processor},
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::inbox::top_up;
use crate::support::{
    bureau::Bureau,
    documents::{here, value},
};

const FETCHING: Duration = Duration::from_secs(5);
/// More than twice as many as are fetched at the same time: with a patience of their own, they would take three times
/// as long.
const EVENTS: usize = 17;

/// An invoice of which the event has only some of the lines, and all of it.
fn long_invoice(number: usize) -> (Value, Value) {
    let mut event = value("edge", "invoice_lines_truncated.json");
    event["id"] = json!(format!("evt_long_{number}"));
    event["data"]["object"]["id"] = json!(format!("in_long_{number}"));
    let mut invoice = event["data"]["object"].clone();
    invoice["lines"]["has_more"] = json!(false);
    (event, invoice)
}

/// Stripe takes longer than anybody waits for, and its client waits longer still.
async fn open(at: Timestamp) -> Bureau {
    let mut bureau = Bureau::open(at).await;
    let (key, url) =
        (SecretKey::parse("sk_test_bureau").unwrap(), ApiUrl::parse(&bureau.sandbox.url()).unwrap());
    let patience = Patience { timeout: 12 * FETCHING, pauses: Vec::new() };
    let client = Client::new(&key, &url, patience).unwrap();
    let (inbox, ledger) = (bureau.desk.inbox.clone(), bureau.desk.test.ledger.clone());
    bureau.desk.processor = Processor::new(inbox, ledger, here()).asking(Some(client));
    bureau
}

#[tokio::test]
async fn a_claim_fetches_for_five_seconds_and_what_is_not_there_waits_for_its_next_attempt() {
    let invoices: Vec<(Value, Value)> = (0..EVENTS).map(long_invoice).collect();
    let made = invoices[0].0["created"].as_i64().unwrap();
    let bureau = open(Timestamp::from_seconds(made + 60).unwrap()).await;
    bureau.desk.tell(&["customer.created.json"]).await;
    bureau.fail(json!([{ "delay_ms": 60_000, "times": EVENTS }])).await;
    let mut events = Vec::new();
    for (event, _) in &invoices {
        events.push(bureau.desk.take(event).await);
    }

    bureau.desk.processor.work().await.unwrap();
    let begun = Instant::now();
    bureau.desk.processor.work().await.unwrap();
    let took = begun.elapsed();
    assert!((FETCHING..3 * FETCHING).contains(&took), "{took:?}");
    for event in &events {
        assert_eq!(bureau.desk.state(event).await, InboxState::Waiting);
        assert!(bureau.desk.reason(event).await.contains("was not there in time"));
    }

    bureau.fail(json!([])).await;
    let objects: Vec<Value> = invoices.into_iter().map(|(_, invoice)| invoice).collect();
    bureau.happened(&[], &objects).await;
    bureau.desk.pass(2);
    bureau.desk.work().await;
    for event in &events {
        assert_eq!(
            bureau.desk.state(event).await,
            InboxState::Processed,
            "{}",
            bureau.desk.reason(event).await
        );
    }
}

/// What Stripe is asked about is waited for beside the others, and not before them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_what_stripe_is_asked_about_another() {
    let (long, invoice) = long_invoice(1);
    let made = long["created"].as_i64().unwrap();
    let bureau = open(Timestamp::from_seconds(made + 60).unwrap()).await;
    bureau.desk.tell(&["customer.created.json"]).await;
    bureau.fail(json!([{ "delay_ms": 60_000 }])).await;
    let asking = bureau.desk.take(&long).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(bureau.desk.processor.clone().run(stop.clone()));
    let begun = Instant::now();
    for number in 0..5 {
        let other = bureau.desk.take(&top_up(number, 5)).await;
        while bureau.desk.state(&other).await != InboxState::Processed {
            assert!(begun.elapsed() < FETCHING, "{number}: {}", bureau.desk.reason(&other).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(bureau.desk.state(&asking).await, InboxState::Received);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(bureau.desk.state(&asking).await, InboxState::Waiting);
    bureau.fail(json!([])).await;
    bureau.happened(&[], &[invoice]).await;
    bureau.desk.pass(2);
    bureau.desk.work().await;
    assert_eq!(
        bureau.desk.state(&asking).await,
        InboxState::Processed,
        "{}",
        bureau.desk.reason(&asking).await
    );
}
