//! Do subscriptions begin, change and end as at Stripe?

use reqwest::Method;
use serde_json::json;

use super::{Bench, text};

#[tokio::test]
async fn a_subscription_is_paid_and_told() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Basic", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("metadata[plan]", "basic")];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"], json!({ "plan": "basic" }));
    let item = &subscription["items"]["data"][0];
    // The 31st of January is followed by the 28th of February.
    assert_eq!(item["current_period_end"], 1_772_280_000);
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&subscription["latest_invoice"]))).await;
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(999)));
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"], subscription["id"]);
    bench.told("invoice_payment.paid").await;
    let types = bench.receiver.types();
    let place = |kind: &str| types.iter().position(|other| other == kind).unwrap_or_else(|| panic!("{kind}"));
    assert!(place("customer.subscription.created") < place("invoice.created"), "{types:?}");
    assert!(place("invoice.finalized") < place("invoice.paid"), "{types:?}");
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={}", text(&invoice["id"]))).await;
    assert_eq!(payments["data"][0]["status"], "paid");
}

#[tokio::test]
async fn an_upgrade_in_the_middle_of_a_month_is_prorated_by_the_second() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let (basic, creator) = (bench.price("Basic", "999").await, bench.price("Creator", "1999").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", &basic)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    let item = text(&subscription["items"]["data"][0]["id"]).to_owned();
    bench.advance("14 days").await;
    let id = text(&subscription["id"]);
    let preview = bench
        .post(
            "/v1/invoices/create_preview",
            &[
                ("subscription", id),
                ("subscription_details[items][0][id]", &item),
                ("subscription_details[items][0][price]", &creator),
                ("subscription_details[proration_behavior]", "always_invoice"),
            ],
        )
        .await;
    // Half of the 28 days are left: −500 (999 / 2, rounded away from zero) and 1000.
    assert_eq!(preview["total"], 500);
    let changed = bench
        .post(
            &format!("/v1/subscriptions/{id}"),
            &[
                ("items[0][id]", &item),
                ("items[0][price]", &creator),
                ("proration_behavior", "always_invoice"),
            ],
        )
        .await;
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&changed["latest_invoice"]))).await;
    assert_eq!(invoice["billing_reason"], "subscription_update");
    let amounts: Vec<i64> = invoice["lines"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(amounts, [-500, 1000]);
    assert_eq!(invoice["amount_paid"], 500);
    let event = bench.told("customer.subscription.updated").await;
    let previous = &event["data"]["previous_attributes"]["items"]["data"][0]["price"]["id"];
    assert_eq!(previous, &json!(basic));
}

#[tokio::test]
async fn a_deferred_proration_waits_for_the_next_invoice() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let (basic, creator) = (bench.price("Basic", "999").await, bench.price("Creator", "1999").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", &basic)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    let item = text(&subscription["items"]["data"][0]["id"]).to_owned();
    let path = format!("/v1/subscriptions/{}", text(&subscription["id"]));
    bench.advance("14 days").await;
    let changed = bench.post(&path, &[("items[0][id]", &item), ("items[0][price]", &creator)]).await;
    assert_eq!(changed["latest_invoice"], subscription["latest_invoice"], "nothing is asked for yet");
    bench.advance("15 days").await;
    let renewed = bench.get(&path).await;
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&renewed["latest_invoice"]))).await;
    assert_eq!(invoice["lines"]["total_count"], 3);
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(2499), &json!("paid")));
}

#[tokio::test]
async fn a_cancellation_is_scheduled_withdrawn_and_done() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Basic", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    let path = format!("/v1/subscriptions/{}", text(&subscription["id"]));
    let scheduled = bench.post(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!(scheduled["cancellation_details"]["reason"], "cancellation_requested");
    assert!(scheduled["cancel_at"].is_i64());
    let withdrawn = bench.post(&path, &[("cancel_at_period_end", "false")]).await;
    assert!(withdrawn["cancel_at"].is_null() && withdrawn["canceled_at"].is_null(), "{withdrawn:#}");
    bench.post(&path, &[("cancel_at_period_end", "true")]).await;
    bench.advance("1 month").await;
    assert_eq!(bench.get(&path).await["status"], "canceled");
    bench.told("customer.subscription.deleted").await;
    let price = bench.price("Other", "999").await;
    let now = bench.post("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", &price)]).await;
    let ended = bench.delete(&format!("/v1/subscriptions/{}", text(&now["id"]))).await;
    assert_eq!(ended["status"], "canceled");
    let (status, body) = bench.ask(Method::DELETE, &path, &[]).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")));
}

#[tokio::test]
async fn both_pauses_do_what_they_say() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Basic", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    let path = format!("/v1/subscriptions/{}", text(&subscription["id"]));
    bench.post(&path, &[("pause_collection[behavior]", "void")]).await;
    bench.advance("32 days").await;
    let row = bench.get(&path).await;
    assert_eq!(row["status"], "active", "collection alone is paused");
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await;
    assert_eq!(invoice["status"], "void");
    let cleared = bench.post(&path, &[("pause_collection", "")]).await;
    assert!(cleared["pause_collection"].is_null());

    let paused = bench.post(&format!("{path}/pause"), &[("type", "subscription")]).await;
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["status_details"]["paused"]["subscription"]["type"], "pause_requested");
    bench.told("customer.subscription.paused").await;
    let before = bench.get("/v1/invoices").await["data"].as_array().unwrap().len();
    bench.advance("3 months").await;
    assert_eq!(
        bench.get("/v1/invoices").await["data"].as_array().unwrap().len(),
        before,
        "nothing is asked for"
    );
    let resumed = bench.post(&format!("{path}/resume"), &[]).await;
    assert_eq!(resumed["status"], "active");
    bench.told("customer.subscription.resumed").await;
}
