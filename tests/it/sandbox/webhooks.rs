//! Are webhooks signed, repeated, and as wrong as somebody asks?

use std::time::{Duration, Instant};

use counterfoil::{
    clock::Clock,
    sandbox::{RETRIES, Sandbox, SandboxOptions, Webhook},
    stripe::inbound::signature::{Secrets, SignatureError, WebhookSecret, verify},
};
use serde_json::{Value, json};

use super::{Bench, SECRET, text};
use crate::support::receiver::{Received, Receiver};

fn verified(bench: &Bench, received: &Received, secret: &str) -> Result<(), SignatureError> {
    let secrets = Secrets::new(vec![WebhookSecret::new("test", secret)]);
    verify(&secrets, Some(&received.signature), &received.body, bench.clock.now()).map(drop)
}

#[tokio::test]
async fn they_are_signed_and_tried_again() {
    let bench = Bench::start().await;
    bench.receiver.fail(2);
    bench.post("/v1/customers", &[("name", "Ada")]).await;
    let all = bench.receiver.wait("the third try", |all| !all.is_empty()).await;
    assert_eq!(verified(&bench, &all[0], SECRET), Ok(()));
    assert_eq!(verified(&bench, &all[0], "whsec_other"), Err(SignatureError::NoMatch));
    let events = bench.get("/v1/events?delivery_success=true").await;
    assert_eq!(events["data"][0]["id"], all[0].event()["id"]);
}

/// Whoever checks them elsewhere has today's date, also when the sandbox is a month ahead.
#[tokio::test]
async fn they_are_dated_by_the_clock_of_those_who_check_them() {
    let (receiver, signing_clock) = (Receiver::start().await, Clock::system());
    let webhook = Webhook { url: receiver.url(), secret: SECRET.to_owned(), api_version: None };
    let listen = "127.0.0.1:0".parse().unwrap();
    let clock = Clock::system();
    let options =
        SandboxOptions { listen, webhook: Some(webhook), clock, signing_clock: signing_clock.clone() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = reqwest::Client::new();
    let ahead =
        client.post(format!("{}/_sandbox/clock", sandbox.url())).json(&json!({ "advance": "1 month" }));
    assert!(ahead.send().await.unwrap().status().is_success());
    client.post(format!("{}/v1/customers", sandbox.url())).bearer_auth("sk_test_x").send().await.unwrap();
    let all = receiver.wait("the customer", |all| !all.is_empty()).await;
    let secrets = Secrets::new(vec![WebhookSecret::new("test", SECRET)]);
    let now = signing_clock.now();
    assert!(verify(&secrets, Some(&all[0].signature), &all[0].body, now).is_ok());
    assert!(all[0].event()["created"].as_i64().unwrap() > now.seconds() + 27 * 86_400);
}

/// What was recorded elsewhere is listed, in its shape, and told to nobody.
#[tokio::test]
async fn recorded_documents_are_listed_beside_what_happens_here() {
    let bench = Bench::start().await;
    let now = bench.clock.now().seconds();
    let event = |id: &str, created: i64, status: &str| {
        let line = json!({ "id": "il_1", "object": "line_item" });
        let invoice = json!({
            "id": "in_recorded", "object": "invoice", "created": now - 10, "status": status, "customer": "cus_1",
            "lines": { "object": "list", "data": [line], "has_more": false },
        });
        json!({
            "id": id, "object": "event", "type": format!("invoice.{status}"), "created": created,
            "api_version": "2024-04-10", "data": { "object": invoice },
        })
    };
    let newest = event("evt_paid", now - 1, "paid");
    let events = [newest.clone(), event("evt_open", now - 5, "open")];
    bench.control("documents", json!({ "events": events })).await;
    let client = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        let url = format!("{}{path}", bench.sandbox.url());
        client.get(url).bearer_auth("sk_test_x").send().await.unwrap().json().await.unwrap()
    };
    let paid = get("/v1/events?types[]=invoice.paid").await;
    assert_eq!(paid["data"], json!([newest]));
    let listed = get("/v1/invoices?status=paid").await;
    assert_eq!(listed["data"], json!([newest["data"]["object"]]), "as the newest event says");
    assert_eq!(get("/v1/invoices?status=open").await["data"], json!([]));
    assert_eq!(get(&format!("/v1/invoices?created[gte]={now}")).await["data"], json!([]));
    assert_eq!(get("/v1/invoices/in_recorded/lines").await["data"][0]["id"], "il_1");
    bench.post("/v1/customers", &[("name", "Ada")]).await;
    let told = bench.receiver.wait("the customer", |all| !all.is_empty()).await;
    assert_eq!(told[0].event()["type"], "customer.created");
}

#[tokio::test]
async fn they_go_wrong_as_they_are_asked_to() {
    let bench = Bench::start().await;
    bench.control("faults", json!({ "drop_percent": 100 })).await;
    let made = bench.post("/v1/customers", &[("name", "Ada")]).await;
    let undelivered = bench.get("/v1/events?delivery_success=false").await;
    assert_eq!(undelivered["data"][0]["data"]["object"]["id"], made["id"]);
    bench.control("faults", json!({})).await;
    let event = text(&undelivered["data"][0]["id"]).to_owned();

    for (what, param) in [("webhooks", "copies"), ("faults", "duplicates")] {
        let (status, refused) = bench.control(what, json!({ param: 101 })).await;
        assert_eq!((status, text(&refused["error"]["param"])), (400, param));
    }
    let twice = json!({ "events": [event], "copies": 2, "secrets": ["whsec_old", SECRET] });
    assert_eq!(bench.control("webhooks", twice).await.1["deliveries"], 2);
    let all = bench.receiver.wait("both copies", |all| all.len() == 2).await;
    assert_eq!(all[0].body, all[1].body);
    assert_eq!(verified(&bench, &all[0], SECRET), Ok(()), "any of the two signatures counts");
    assert_eq!(verified(&bench, &all[0], "whsec_old"), Ok(()));

    bench.control("webhooks", json!({ "events": [event], "corrupt": true })).await;
    let all = bench.receiver.wait("the corrupt one", |all| all.len() == 3).await;
    assert_eq!(verified(&bench, &all[2], SECRET), Err(SignatureError::NoMatch));

    bench.post("/v1/customers", &[("name", "Bob")]).await;
    bench.receiver.wait("Bob", |all| all.len() == 4).await;
    bench.control("webhooks", json!({ "types": ["customer.created"], "order": "reversed" })).await;
    let all = bench.receiver.wait("both again", |all| all.len() == 6).await;
    assert_eq!(all[4].event()["data"]["object"]["name"], "Bob");
    assert_eq!(all[5].event()["data"]["object"]["name"], "Ada");
}

/// The fields of a recorded document that ours lacks, apart from those that no reader can need.
fn missing(recorded: &Value, ours: &Value) -> Vec<String> {
    const UNUSED: [&str; 8] = [
        "billing_thresholds",
        "payment_settings",
        "rendering",
        "shipping_details",
        "proration_details",
        "transfer_data",
        "receipt_number",
        "aggregate_usage",
    ];
    let recorded = recorded.as_object().unwrap().keys();
    recorded
        .filter(|name| !UNUSED.contains(&name.as_str()) && ours.get(name.as_str()).is_none())
        .cloned()
        .collect()
}

#[tokio::test]
async fn each_version_has_the_fields_of_its_recorded_documents() {
    for (version, folder) in [("2024-04-10", "2024-04-10"), ("2025-08-27.basil", "2025-basil")] {
        let bench = Bench::of_version(Some(version)).await;
        let customer = bench.customer("pm_card_visa").await;
        let price = bench.price("Basic", "999").await;
        let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
        let subscription = bench.post("/v1/subscriptions", &form).await;
        bench.advance("32 days").await;
        for (kind, file) in [
            ("customer.subscription.created", "customer.subscription.created.json"),
            ("customer.subscription.updated", "customer.subscription.updated.renewal.json"),
            ("invoice.paid", "invoice.paid.subscription_cycle.json"),
            ("charge.succeeded", "charge.succeeded.json"),
            ("payment_intent.succeeded", "payment_intent.succeeded.subscription.json"),
        ] {
            let recorded: Value = crate::support::documents::value(folder, file);
            let event = bench.told(kind).await;
            assert_eq!(event["api_version"], version);
            let (theirs, ours) = (&recorded["data"]["object"], &event["data"]["object"]);
            assert_eq!(missing(theirs, ours), Vec::<String>::new(), "{version} {kind}");
            if let Some(line) = theirs["lines"]["data"].get(0) {
                assert_eq!(missing(line, &ours["lines"]["data"][0]), Vec::<String>::new(), "{version} line");
            }
            if let Some(item) = theirs["items"]["data"].get(0) {
                assert_eq!(missing(item, &ours["items"]["data"][0]), Vec::<String>::new(), "{version} item");
            }
        }
        let invoice = bench.told("invoice.paid").await["data"]["object"].clone();
        let renewal = bench.told("customer.subscription.updated").await;
        if version < "2025-03-31" {
            assert_eq!(invoice["subscription"], subscription["id"]);
            assert!(invoice["payment_intent"].is_string() && invoice.get("parent").is_none());
            assert!(renewal["data"]["previous_attributes"]["current_period_end"].is_i64(), "{renewal:#}");
            assert!(renewal["data"]["previous_attributes"].get("items").is_none());
        } else {
            assert_eq!(invoice["parent"]["subscription_details"]["subscription"], subscription["id"]);
            assert!(invoice.get("subscription").is_none() && invoice.get("payment_intent").is_none());
        }
        let refunds = bench.receiver.types().iter().any(|kind| kind == "invoice_payment.paid");
        assert_eq!(refunds, version > "2025-05-28", "{version}");
    }
}

#[tokio::test]
async fn ids_of_events_can_say_nothing_of_their_time() {
    let bench = Bench::start().await;
    bench.control("settings", json!({ "event_ids": "random" })).await;
    for _ in 0..30 {
        bench.post("/v1/customers", &[("email", "ada@example.com")]).await;
    }
    let listed = bench.get("/v1/events?type=customer.created&limit=100").await;
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|event| text(&event["id"])).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(ids.len(), 30);
    assert!(ids != sorted && !ids.iter().rev().eq(sorted.iter()), "{ids:?}");
    assert_eq!(bench.control("settings", json!({ "event_ids": "other" })).await.0, 400);
}

/// How the webhooks of a customer that is made now arrive, and how long that takes.
async fn arrive(bench: &Bench, name: &str, copies: usize) -> (Vec<Received>, Duration) {
    let before = bench.receiver.all().len();
    let begun = Instant::now();
    bench.post("/v1/customers", &[("name", name)]).await;
    let all = bench.receiver.wait(name, |all| all.len() == before + copies).await;
    (all[before..].to_vec(), begun.elapsed())
}

#[tokio::test]
async fn from_here_on_they_are_doubled_delayed_and_damaged_until_that_is_ended() {
    let bench = Bench::start().await;
    bench.control("faults", json!({ "duplicates": 2 })).await;
    let (copies, _) = arrive(&bench, "Ada", 3).await;
    assert!(copies.iter().all(|copy| copy.body == copies[0].body));

    bench.control("faults", json!({ "delay_ms": 300 })).await;
    let (_, took) = arrive(&bench, "Bob", 1).await;
    assert!(took >= Duration::from_millis(300), "{took:?}");

    bench.control("faults", json!({ "corrupt_percent": 100 })).await;
    let (damaged, _) = arrive(&bench, "Eve", 1).await;
    assert_eq!(verified(&bench, &damaged[0], SECRET), Err(SignatureError::NoMatch));

    bench.control("faults", json!({})).await;
    let (whole, _) = arrive(&bench, "Ian", 1).await;
    assert_eq!(verified(&bench, &whole[0], SECRET), Ok(()));
}

#[tokio::test]
async fn they_overtake_each_other_where_that_is_asked_for() {
    const EVENTS: usize = 24;
    let bench = Bench::start().await;
    bench.control("faults", json!({ "reorder_ms": 500 })).await;
    for number in 0..EVENTS {
        bench.post("/v1/customers", &[("name", &format!("{number:02}"))]).await;
    }
    let all = bench.receiver.wait("all of them", |all| all.len() == EVENTS).await;
    let names: Vec<String> =
        all.iter().map(|received| text(&received.event()["data"]["object"]["name"]).to_owned()).collect();
    assert!(!names.is_sorted(), "{names:?}");
}

#[tokio::test]
async fn they_are_sent_again_elsewhere_later_and_in_another_version() {
    let bench = Bench::start().await;
    bench.post("/v1/customers", &[("name", "Ada")]).await;
    bench.receiver.wait("the customer", |all| all.len() == 1).await;
    let elsewhere = Receiver::start().await;
    let begun = Instant::now();
    let again = json!({ "url": elsewhere.url(), "delay_ms": 300, "api_version": "2024-04-10" });
    assert_eq!(bench.control("webhooks", again).await.1["deliveries"], 1);
    let all = elsewhere.wait("the copy", |all| all.len() == 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(all[0].event()["api_version"], "2024-04-10");
    assert_eq!(bench.receiver.all().len(), 1);
}

/// The later tries take too long to be waited for: the pauses are those that the page says, and the first two are seen.
#[tokio::test]
async fn a_try_that_fails_is_followed_by_others_after_longer_and_longer_pauses() {
    assert_eq!(RETRIES.map(|pause| pause.as_millis()), [500, 2_000, 10_000, 60_000, 300_000]);
    let bench = Bench::start().await;
    bench.receiver.fail(2);
    let (_, took) = arrive(&bench, "Ada", 1).await;
    assert!(took >= RETRIES[0] + RETRIES[1] && took < RETRIES[2], "{took:?}");
    let shown = bench.page("/_sandbox/deliveries").await.1;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let row = &shown["deliveries"][0];
    assert_eq!((&row["state"], &row["attempts"]), (&json!("delivered"), &json!(3)), "{row}");
}

#[tokio::test]
async fn no_more_than_all_of_them_go_wrong() {
    let bench = Bench::start().await;
    for (faults, param) in [
        (json!({ "drop_percent": 101 }), "drop_percent"),
        (json!({ "corrupt_percent": 101 }), "corrupt_percent"),
        (json!({ "duplicates": 101 }), "duplicates"),
    ] {
        let (status, refused) = bench.control("faults", faults).await;
        assert_eq!((status, &refused["error"]["param"]), (400, &json!(param)), "{refused}");
    }
    assert_eq!(bench.control("faults", json!({ "drop_percent": 100, "corrupt_percent": 100 })).await.0, 200);
}
