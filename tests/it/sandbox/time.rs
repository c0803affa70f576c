//! Does time bring what it brings at Stripe? Renewals, trials that end, payments that are tried again.

use serde_json::{Value, json};

use super::{Bench, text};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

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

/// When the events of a type were made, the oldest first.
async fn made(bench: &Bench, kind: &str) -> Vec<i64> {
    let listed = bench.get(&format!("/v1/events?type={kind}&limit=100")).await;
    let events = listed["data"].as_array().unwrap().iter().rev();
    events.map(|event| event["created"].as_i64().unwrap()).collect()
}

/// What is expected of `row` is not so a second before this time has passed, and is so then.
async fn happens_after(bench: &Bench, seconds: i64, path: &str, expected: impl Fn(&Value) -> bool) {
    bench.advance(&format!("{} seconds", seconds - 1)).await;
    let early = bench.get(path).await;
    assert!(!expected(&early), "a second too early: {early:#}");
    bench.advance("1 second").await;
    let row = bench.get(path).await;
    assert!(expected(&row), "{row:#}");
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

#[tokio::test]
async fn a_period_that_ends_is_renewed_sixteen_seconds_later_in_one_report() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    let path = format!("/v1/subscriptions/{id}");
    let end = |row: &Value| row["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    let first = end(&bench.get(&path).await);
    let before = made(&bench, "customer.subscription.updated").await.len();
    bench.control("clock", json!({ "to": first })).await;
    happens_after(&bench, 16, &path, |row| end(row) > first).await;
    let reports = made(&bench, "customer.subscription.updated").await;
    assert_eq!(reports[before..], [first + 16], "the period and its invoice are told at once");
    let draft = bench.get(&path).await["latest_invoice"].clone();
    happens_after(&bench, HOUR_S, &format!("/v1/invoices/{}", text(&draft)), |row| row["status"] == "paid")
        .await;
}

#[tokio::test]
async fn a_payment_that_fails_is_tried_again_after_three_five_seven_and_seven_days() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[]).await;
    let path = format!("/v1/subscriptions/{id}");
    let customer = text(&bench.get(&path).await["customer"]).to_owned();
    let bad =
        bench.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)]).await;
    bench.post(&path, &[("default_payment_method", text(&bad["id"]))]).await;
    bench.advance("52 days").await;
    let tries = made(&bench, "invoice.payment_failed").await;
    let days: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(days, [3 * DAY_S, 5 * DAY_S, 7 * DAY_S, 7 * DAY_S]);
    assert_eq!(made(&bench, "customer.subscription.deleted").await, tries[4..]);
}

#[tokio::test]
async fn a_trial_is_told_about_three_days_before_its_end() {
    let bench = Bench::start().await;
    let id = subscribe(&bench, "pm_card_visa", &[("trial_period_days", "14")]).await;
    let end = bench.get(&format!("/v1/subscriptions/{id}")).await["trial_end"].as_i64().unwrap();
    bench.advance("14 days").await;
    assert_eq!(made(&bench, "customer.subscription.trial_will_end").await, [end - 3 * DAY_S]);
}

#[tokio::test]
async fn a_session_is_open_for_a_day_and_a_first_payment_may_take_23_hours() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://example.com"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let path = format!("/v1/checkout/sessions/{}", text(&session["id"]));
    happens_after(&bench, DAY_S, &path, |row| row["status"] == "expired").await;

    let id = subscribe(&bench, "pm_card_visa", &[("payment_behavior", "default_incomplete")]).await;
    let path = format!("/v1/subscriptions/{id}");
    happens_after(&bench, 23 * HOUR_S, &path, |row| row["status"] == "incomplete_expired").await;
}

#[tokio::test]
async fn the_clock_is_not_moved_by_ages_at_once() {
    let bench = Bench::start().await;
    let (_, before) = bench.control("clock", json!({ "advance": "1 second" })).await;
    for far in
        [json!({ "to": 253_402_300_799_i64 }), json!({ "to": i64::MAX }), json!({ "advance": "21 years" })]
    {
        let (status, answer) = bench.control("clock", far.clone()).await;
        assert_eq!(status, 400, "{far}: {answer}");
    }
    let (status, after) = bench.control("clock", json!({ "advance": "20 years" })).await;
    assert_eq!(status, 200, "{after}");
    assert!(after["now"].as_i64() > before["now"].as_i64());
}
