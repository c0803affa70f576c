//! Does time bring what it brings at Stripe? Renewals, trials that end, payments that are tried again.

use serde_json::{Value, json};

use super::{Bench, text};

async fn subscribe(bench: &Bench, card: &str, more: &[(&str, &str)]) -> String {
    let customer = bench.customer(card).await;
    let price = bench.price("Basic", "999").await;
    let mut form = vec![("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    form.extend(more);
    let subscription = bench.post("/v1/subscriptions", &form).await;
    text(&subscription["id"]).to_owned()
}

async fn latest(bench: &Bench, subscription: &Value) -> Value {
    bench.get(&format!("/v1/invoices/{}", text(&subscription["latest_invoice"]))).await
}

#[tokio::test]
async fn a_year_has_twelve_renewals_on_the_last_of_each_month() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    bench.advance("1 year").await;
    bench.advance("2 hours").await;
    let invoices = bench.get(&format!("/v1/invoices?subscription={id}&limit=100")).await;
    let invoices = invoices["data"].as_array().unwrap();
    assert_eq!(invoices.len(), 13);
    assert!(invoices.iter().all(|invoice| invoice["status"] == "paid" && invoice["total"] == 999));
    let starts: Vec<i64> = invoices
        .iter()
        .rev()
        .map(|invoice| invoice["lines"]["data"][0]["period"]["start"].as_i64().unwrap())
        .collect();
    let ends: Vec<i64> = invoices
        .iter()
        .rev()
        .map(|invoice| invoice["lines"]["data"][0]["period"]["end"].as_i64().unwrap())
        .collect();
    assert_eq!(starts[1..], ends[..12], "each month begins where the last one ends");
    let day = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%m-%d").to_string();
    assert_eq!(ends[..3].iter().map(|at| day(*at)).collect::<Vec<_>>(), ["02-28", "03-31", "04-30"]);
}

#[tokio::test]
async fn a_renewal_is_a_draft_for_an_hour() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    bench.advance("2026-02-28T12:30:00Z").await;
    let subscription = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(latest(&bench, &subscription).await["status"], "draft");
    let event = bench.told("customer.subscription.updated").await;
    assert!(event["data"]["previous_attributes"]["items"].is_object(), "{event:#}");
    bench.advance("1 hour").await;
    let invoice = latest(&bench, &subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_cycle"))
    );
}

#[tokio::test]
async fn a_card_that_fails_is_tried_again_and_then_given_up() {
    for (after, end) in [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")] {
        let bench = Bench::start().await;
        bench.control("settings", json!({ "after_retries": after })).await;
        let id = subscribe(&bench, "pm_card_visa", &[]).await;
        let path = format!("/v1/subscriptions/{id}");
        let customer = text(&bench.get(&path).await["customer"]).to_owned();
        let bad = bench
            .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
            .await;
        bench.post(&path, &[("default_payment_method", text(&bad["id"]))]).await;
        bench.advance("29 days").await;
        let row = bench.get(&path).await;
        assert_eq!(row["status"], "past_due");
        let invoice = latest(&bench, &row).await;
        assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
        assert!(invoice["next_payment_attempt"].is_i64());
        bench.advance("23 days").await;
        let row = bench.get(&path).await;
        assert_eq!(row["status"], end);
        assert_eq!(latest(&bench, &row).await["attempt_count"], 5);
    }
}

#[tokio::test]
async fn a_late_payment_brings_it_back() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    let path = format!("/v1/subscriptions/{id}");
    let customer = text(&bench.get(&path).await["customer"]).to_owned();
    let bad =
        bench.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)]).await;
    bench.post(&path, &[("default_payment_method", text(&bad["id"]))]).await;
    bench.advance("29 days").await;
    let good = bench.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    bench.post(&path, &[("default_payment_method", text(&good["id"]))]).await;
    bench.advance("4 days").await;
    assert_eq!(bench.get(&path).await["status"], "active");
}

#[tokio::test]
async fn a_renewal_that_needs_the_person_says_so() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    let path = format!("/v1/subscriptions/{id}");
    let customer = text(&bench.get(&path).await["customer"]).to_owned();
    let asks = bench
        .post("/v1/payment_methods/pm_card_authenticationRequired/attach", &[("customer", &customer)])
        .await;
    bench.post(&path, &[("default_payment_method", text(&asks["id"]))]).await;
    bench.advance("29 days").await;
    bench.told("invoice.payment_action_required").await;
    assert_eq!(bench.get(&path).await["status"], "past_due");
    let invoice = text(&bench.get(&path).await["latest_invoice"]).to_owned();
    let payments = bench.get(&format!("/v1/invoice_payments?invoice={invoice}")).await;
    let intent = text(&payments["data"][0]["payment"]["payment_intent"]).to_owned();
    let (status, _, _) = bench.submit(&format!("/authenticate/{intent}"), &[("bank", "yes")]).await;
    assert_eq!(status, 200);
    assert_eq!(bench.get(&path).await["status"], "active");
    assert_eq!(bench.get(&format!("/v1/invoices/{invoice}")).await["status"], "paid");
}

#[tokio::test]
async fn trials_end_with_and_without_a_card() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[("trial_period_days", "14")]).await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["status"], "trialing");
    assert_eq!(latest(&bench, &row).await["total"], 0);
    bench.advance("12 days").await;
    bench.told("customer.subscription.trial_will_end").await;
    bench.advance("3 days").await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["status"], "active");
    assert_eq!(latest(&bench, &row).await["amount_paid"], 999);

    let price = bench.price("Team", "2999").await;
    for (ends, status) in [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")] {
        let customer = bench.post("/v1/customers", &[("email", "bob@example.com")]).await;
        let form = [
            ("customer", text(&customer["id"])),
            ("items[0][price]", &price),
            ("trial_period_days", "14"),
            ("trial_settings[end_behavior][missing_payment_method]", ends),
        ];
        let path = format!("/v1/subscriptions/{}", text(&bench.post("/v1/subscriptions", &form).await["id"]));
        bench.advance("15 days").await;
        assert_eq!(bench.get(&path).await["status"], status);
    }
}

#[tokio::test]
async fn an_incomplete_subscription_expires_and_a_balance_pays() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[("payment_behavior", "default_incomplete")]).await;
    bench.advance("1 day").await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["status"], "incomplete_expired");
    assert_eq!(latest(&bench, &row).await["status"], "void");

    let customer = bench.customer("pm_card_visa").await;
    bench.post(&format!("/v1/customers/{customer}"), &[("balance", "-1500")]).await;
    let price = bench.price("Basic", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let row = bench.post("/v1/subscriptions", &form).await;
    let invoice = latest(&bench, &row).await;
    assert_eq!(
        (&invoice["status"], &invoice["amount_paid"], &invoice["total"]),
        (&json!("paid"), &json!(0), &json!(999))
    );
    assert_eq!(bench.get(&format!("/v1/customers/{customer}")).await["balance"], -501);
}
