//! One tour over every operation that the sandbox says it has. Each answer is held against the schema on the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Bench, schema, text};

#[tokio::test]
async fn every_operation_answers_in_its_shape() {
    let bench = Bench::start().await;
    let customer = customers(&bench).await;
    let price = catalogue(&bench).await;
    let intent = payments(&bench, &customer).await;
    refunds_and_disputes(&bench, &intent).await;
    subscriptions(&bench, &customer, &price).await;
    pages(&bench, &customer, &price).await;
    endpoints_and_events(&bench).await;
    bench.delete(&format!("/v1/customers/{customer}")).await;

    let known: BTreeMap<String, Value> = serde_json::from_str(schema::PARAMETERS).unwrap();
    let called = bench.called.lock().unwrap().clone();
    let left: BTreeSet<&String> = known.keys().filter(|operation| !called.contains(*operation)).collect();
    assert!(left.is_empty(), "{left:#?}");
}

async fn customers(bench: &Bench) -> String {
    let customer = bench.customer("pm_card_visa").await;
    let path = format!("/v1/customers/{customer}");
    bench
        .post(&path, &[("address[city]", "Oslo"), ("shipping[name]", "A"), ("shipping[address][line1]", "1")])
        .await;
    bench.get(&path).await;
    bench.get("/v1/customers?email=ada@example.com&expand[]=data.subscriptions").await;
    let methods = bench.get(&format!("{path}/payment_methods")).await;
    let method = text(&methods["data"][0]["id"]).to_owned();
    bench.get(&format!("{path}/payment_methods/{method}")).await;
    bench.get(&format!("/v1/payment_methods/{method}?expand[]=customer")).await;
    bench.get(&format!("/v1/payment_methods?customer={customer}&type=card")).await;
    let form = [("type", "card"), ("card[token]", "tok_visa"), ("billing_details[name]", "A")];
    let made = bench.post("/v1/payment_methods", &form).await;
    let made = format!("/v1/payment_methods/{}", text(&made["id"]));
    bench.post(&format!("{made}/attach"), &[("customer", &customer)]).await;
    bench.post(&format!("{made}/detach"), &[]).await;
    customer
}

async fn catalogue(bench: &Bench) -> String {
    let form = [("name", "Basic"), ("marketing_features[0][name]", "fast"), ("metadata[plan]", "basic")];
    let product = bench.post("/v1/products", &form).await;
    let path = format!("/v1/products/{}", text(&product["id"]));
    bench.post(&path, &[("description", "The small one")]).await;
    bench.get(&path).await;
    bench.get("/v1/products?active=true").await;
    let form = [
        ("product", text(&product["id"])),
        ("unit_amount", "999"),
        ("currency", "usd"),
        ("recurring[interval]", "month"),
        ("lookup_key", "basic"),
    ];
    let price = text(&bench.post("/v1/prices", &form).await["id"]).to_owned();
    bench.post(&format!("/v1/prices/{price}"), &[("nickname", "Monthly")]).await;
    bench.get(&format!("/v1/prices/{price}")).await;
    let found = bench.get("/v1/prices?lookup_keys[]=basic").await;
    assert_eq!(found["data"][0]["id"], price);
    let unused = bench.post("/v1/products", &[("name", "Unused")]).await;
    bench.delete(&format!("/v1/products/{}", text(&unused["id"]))).await;
    price
}

async fn payments(bench: &Bench, customer: &str) -> String {
    let form =
        [("amount", "1000"), ("currency", "eur"), ("customer", customer), ("capture_method", "manual")];
    let intent = text(&bench.post("/v1/payment_intents", &form).await["id"]).to_owned();
    let path = format!("/v1/payment_intents/{intent}");
    bench.post(&path, &[("amount", "1200"), ("metadata[order]", "7")]).await;
    bench.post(&format!("{path}/confirm"), &[("payment_method", "pm_card_visa")]).await;
    bench.post(&format!("{path}/capture"), &[]).await;
    bench.get(&format!("{path}?expand[]=latest_charge&expand[]=payment_method")).await;
    bench.get(&format!("/v1/payment_intents?customer={customer}")).await;
    let charges = bench.get(&format!("/v1/charges?payment_intent={intent}")).await;
    bench.get(&format!("/v1/charges/{}", text(&charges["data"][0]["id"]))).await;
    let other = bench.post("/v1/payment_intents", &[("amount", "1000"), ("currency", "usd")]).await;
    let cancel = format!("/v1/payment_intents/{}/cancel", text(&other["id"]));
    bench.post(&cancel, &[("cancellation_reason", "abandoned")]).await;
    intent
}

async fn refunds_and_disputes(bench: &Bench, intent: &str) {
    let refund = bench.post("/v1/refunds", &[("payment_intent", intent), ("amount", "100")]).await;
    bench.get(&format!("/v1/refunds/{}?expand[]=charge", text(&refund["id"]))).await;
    bench.get(&format!("/v1/refunds?payment_intent={intent}")).await;
    bench.control("disputes", json!({ "payment_intent": intent, "amount": 200 })).await;
    let disputes = bench.get("/v1/disputes").await;
    let path = format!("/v1/disputes/{}", text(&disputes["data"][0]["id"]));
    bench.get(&path).await;
    bench.post(&path, &[("evidence[product_description]", "credits")]).await;
    bench.post(&format!("{path}/close"), &[]).await;
}

async fn subscriptions(bench: &Bench, customer: &str, price: &str) {
    let form = [("customer", customer), ("items[0][price]", price), ("items[0][quantity]", "2")];
    let made = bench.post("/v1/subscriptions", &form).await;
    let id = text(&made["id"]);
    let path = format!("/v1/subscriptions/{id}");
    bench.post(&path, &[("metadata[plan]", "basic"), ("description", "Two seats")]).await;
    bench.get(&format!("{path}?expand[]=latest_invoice.payments&expand[]=customer")).await;
    bench.get("/v1/subscriptions?status=all").await;
    bench.get(&format!("/v1/subscription_items?subscription={id}")).await;
    bench.post("/v1/invoices/create_preview", &[("subscription", id)]).await;
    let fresh = [("customer", customer), ("subscription_details[items][0][price]", price)];
    assert_eq!(bench.post("/v1/invoices/create_preview", &fresh).await["total"], 999);
    bench.post(&format!("{path}/pause"), &[]).await;
    bench.post(&format!("{path}/resume"), &[("billing_cycle_anchor[type]", "unchanged")]).await;
    bench.advance("2026-02-28T12:10:00Z").await;
    let draft = text(&bench.get(&path).await["latest_invoice"]).to_owned();
    bench.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await;
    bench.post(&format!("/v1/invoices/{draft}/pay"), &[]).await;
    bench.get(&format!("/v1/invoices/{draft}")).await;
    bench.get(&format!("/v1/invoices/{draft}/lines")).await;
    bench.get(&format!("/v1/invoices?subscription={id}&status=paid")).await;
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={draft}")).await;
    bench.get(&format!("/v1/invoice_payments/{}", text(&payments["data"][0]["id"]))).await;
    let waits =
        [("customer", customer), ("items[0][price]", price), ("payment_behavior", "default_incomplete")];
    let waits = bench.post("/v1/subscriptions", &waits).await;
    let invoice = format!("/v1/invoices/{}", text(&waits["latest_invoice"]));
    bench.post(&format!("{invoice}/mark_uncollectible"), &[]).await;
    bench.post(&format!("{invoice}/void"), &[]).await;
    bench.delete(&path).await;
    let other = [("customer", customer), ("items[0][price]", price)];
    schedules(bench, text(&bench.post("/v1/subscriptions", &other).await["id"])).await;
}

async fn schedules(bench: &Bench, subscription: &str) {
    let from = [("from_subscription", subscription)];
    let released = text(&bench.post("/v1/subscription_schedules", &from).await["id"]).to_owned();
    let path = format!("/v1/subscription_schedules/{released}");
    bench.post(&path, &[("metadata[why]", "a tour"), ("end_behavior", "release")]).await;
    bench.get(&format!("{path}?expand[]=subscription")).await;
    bench.get("/v1/subscription_schedules?scheduled=false").await;
    bench.post(&format!("{path}/release"), &[]).await;
    let canceled = text(&bench.post("/v1/subscription_schedules", &from).await["id"]).to_owned();
    bench.post(&format!("/v1/subscription_schedules/{canceled}/cancel"), &[]).await;
}

async fn pages(bench: &Bench, customer: &str, price: &str) {
    let form = [
        ("mode", "subscription"),
        ("customer", customer),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://example.com"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let path = format!("/v1/checkout/sessions/{}", text(&session["id"]));
    bench.get(&format!("{path}?expand[]=line_items")).await;
    bench.get(&format!("{path}/line_items")).await;
    bench.get(&format!("/v1/checkout/sessions?customer={customer}")).await;
    bench.post(&format!("{path}/expire"), &[]).await;
    let kept = [
        ("mode", "setup"),
        ("customer", customer),
        ("currency", "usd"),
        ("success_url", "https://example.com"),
    ];
    let kept = bench.post("/v1/checkout/sessions", &kept).await;
    let pay = format!("checkout/{}/pay", text(&kept["id"]));
    let (_, kept) = bench.control(&pay, json!({ "card": "pm_card_visa", "email": "a@example.com" })).await;
    bench.get(&format!("/v1/setup_intents/{}", text(&kept["setup_intent"]))).await;

    let form =
        [("features[invoice_history][enabled]", "true"), ("default_return_url", "https://example.com")];
    let configuration = bench.post("/v1/billing_portal/configurations", &form).await;
    let path = format!("/v1/billing_portal/configurations/{}", text(&configuration["id"]));
    bench.post(&path, &[("business_profile[headline]", "Hello")]).await;
    bench.get(&path).await;
    bench.get("/v1/billing_portal/configurations").await;
    let form = [("customer", customer), ("flow_data[type]", "payment_method_update")];
    bench.post("/v1/billing_portal/sessions", &form).await;
}

async fn endpoints_and_events(bench: &Bench) {
    let form = [
        ("url", "http://127.0.0.1:9/"),
        ("enabled_events[0]", "invoice.paid"),
        ("api_version", "2024-04-10"),
    ];
    let made = bench.post("/v1/webhook_endpoints", &form).await;
    let path = format!("/v1/webhook_endpoints/{}", text(&made["id"]));
    assert!(bench.get(&path).await.get("secret").is_none(), "it is shown once");
    bench.post(&path, &[("description", "ours"), ("enabled_events[0]", "*")]).await;
    bench.get("/v1/webhook_endpoints").await;
    bench.delete(&path).await;
    let events = bench.get("/v1/events?limit=100&types[]=invoice.paid&types[]=customer.created").await;
    assert!(events["data"].as_array().unwrap().len() > 2);
    bench.get(&format!("/v1/events/{}", text(&events["data"][0]["id"]))).await;
}
