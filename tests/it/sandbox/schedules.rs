//! Do schedules change a subscription when their phases end, and does the portal make them?

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, text};

/// A month of Creator, of 31 January.
async fn creator(bench: &Bench) -> (String, String, String) {
    let customer = bench.customer("pm_card_visa").await;
    let (creator, basic) = (bench.price("Creator", "1999").await, bench.price("Basic", "999").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", &creator)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    (text(&subscription["id"]).to_owned(), creator, basic)
}

/// A schedule that goes over to `basic` when the first month of `creator` ends.
async fn downgraded(bench: &Bench, id: &str, creator: &str, basic: &str, last: &[(&str, &str)]) -> String {
    let schedule = bench.post("/v1/subscription_schedules", &[("from_subscription", id)]).await;
    let end = schedule["current_phase"]["end_date"].to_string();
    let start = schedule["current_phase"]["start_date"].to_string();
    let path = format!("/v1/subscription_schedules/{}", text(&schedule["id"]));
    let mut form = vec![
        ("phases[0][items][0][price]", creator),
        ("phases[0][start_date]", &start),
        ("phases[0][end_date]", &end),
        ("phases[1][items][0][price]", basic),
    ];
    form.extend_from_slice(last);
    bench.post(&path, &form).await;
    path
}

async fn types_since(bench: &Bench, count: usize) -> Vec<String> {
    bench.told("customer.subscription.updated").await;
    bench.receiver.types().split_off(count)
}

#[tokio::test]
async fn a_phase_that_ends_changes_the_plan_and_leaves_the_subscription_alone() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let path = downgraded(&bench, &id, &creator, &basic, &[]).await;

    let row = bench.get(&format!("/v1/subscriptions/{id}?expand[]=schedule")).await;
    assert_eq!(row["schedule"]["status"], "active");
    assert_eq!(row["items"]["data"][0]["price"]["id"], json!(creator), "nothing changes before");
    bench.advance("27 days").await;
    assert_eq!(
        bench.get(&format!("/v1/subscriptions/{id}")).await["items"]["data"][0]["price"]["id"],
        json!(creator)
    );

    bench.told("customer.subscription.updated").await;
    let before = bench.receiver.types().len();
    bench.advance("2 days").await;

    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["items"]["data"][0]["price"]["id"], json!(basic));
    assert_eq!((&row["schedule"], &row["status"]), (&Value::Null, &json!("active")));
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await;
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(999), &json!("paid")));
    let schedule = bench.get(&path).await;
    assert_eq!((&schedule["status"], &schedule["released_subscription"]), (&json!("released"), &json!(id)));
    let types = types_since(&bench, before).await;
    let place = |kind: &str| types.iter().position(|other| other == kind).unwrap_or_else(|| panic!("{kind}"));
    assert!(place("customer.subscription.updated") < place("subscription_schedule.updated"), "{types:?}");
    assert!(place("subscription_schedule.updated") < place("subscription_schedule.released"), "{types:?}");
}

#[tokio::test]
async fn a_last_phase_with_an_end_keeps_the_schedule_until_then() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let month = [("phases[1][duration][interval]", "month")];
    let path = downgraded(&bench, &id, &creator, &basic, &month).await;
    bench.advance("29 days").await;
    assert_eq!(bench.get(&path).await["status"], "active");
    bench.advance("1 month").await;
    assert_eq!(bench.get(&path).await["status"], "released");
    assert_eq!(bench.get(&format!("/v1/subscriptions/{id}")).await["status"], "active");
}

#[tokio::test]
async fn a_schedule_that_cancels_ends_the_subscription_with_its_last_phase() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let ends = [("phases[1][duration][interval]", "month"), ("end_behavior", "cancel")];
    let path = downgraded(&bench, &id, &creator, &basic, &ends).await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["cancel_at"], bench.get(&path).await["phases"][1]["end_date"]);
    bench.advance("2 months").await;
    assert_eq!(bench.get(&format!("/v1/subscriptions/{id}")).await["status"], "canceled");
    assert_eq!(bench.get(&path).await["status"], "completed");
}

#[tokio::test]
async fn a_schedule_is_released_canceled_and_in_charge_of_the_end() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let path = downgraded(&bench, &id, &creator, &basic, &[]).await;
    let subscription = format!("/v1/subscriptions/{id}");
    let (status, refused) = bench.ask(Method::POST, &subscription, &[("cancel_at_period_end", "true")]).await;
    assert_eq!(status, 400);
    assert!(text(&refused["error"]["message"]).contains("managed by the subscription schedule"));
    let (status, _) =
        bench.ask(Method::POST, "/v1/subscription_schedules", &[("from_subscription", &id)]).await;
    assert_eq!(status, 400, "there is one already");

    bench.post(&format!("{path}/release"), &[]).await;
    assert!(bench.get(&subscription).await["schedule"].is_null());
    bench.advance("29 days").await;
    assert_eq!(bench.get(&subscription).await["items"]["data"][0]["price"]["id"], json!(creator));
    let (status, _) = bench.ask(Method::POST, &format!("{path}/release"), &[]).await;
    assert_eq!(status, 400, "it was released before");

    let again = bench.post("/v1/subscription_schedules", &[("from_subscription", &id)]).await;
    let again = format!("/v1/subscription_schedules/{}", text(&again["id"]));
    assert_eq!(bench.post(&format!("{again}/cancel"), &[]).await["status"], "canceled");
    assert_eq!(bench.get(&subscription).await["status"], "canceled");
    bench.told("subscription_schedule.canceled").await;
}

#[tokio::test]
async fn a_phase_that_ends_inside_of_a_period_is_prorated() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let schedule = bench.post("/v1/subscription_schedules", &[("from_subscription", &id)]).await;
    let start = schedule["current_phase"]["start_date"].as_i64().unwrap();
    let half = (start + 14 * 86_400).to_string();
    let path = format!("/v1/subscription_schedules/{}", text(&schedule["id"]));
    let form = [
        ("phases[0][items][0][price]", creator.as_str()),
        ("phases[0][end_date]", &half),
        ("phases[1][items][0][price]", &basic),
        ("phases[1][proration_behavior]", "always_invoice"),
    ];
    bench.post(&path, &form).await;
    bench.advance("15 days").await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["items"]["data"][0]["price"]["id"], json!(basic));
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await;
    assert_eq!(invoice["total"], -500, "half of 19.99 is given back, half of 9.99 is asked for");
}

#[tokio::test]
async fn the_portal_keeps_a_downgrade_for_the_end_of_the_period() {
    let bench = Bench::start().await;
    let (id, creator, basic) = creator(&bench).await;
    let customer = text(&bench.get(&format!("/v1/subscriptions/{id}")).await["customer"]).to_owned();
    let conditions = "features[subscription_update][schedule_at_period_end][conditions]";
    let configuration = bench
        .post(
            "/v1/billing_portal/configurations",
            &[
                ("features[subscription_update][enabled]", "true"),
                (&format!("{conditions}[0][type]"), "decreasing_item_amount"),
                (&format!("{conditions}[1][type]"), "shortening_interval"),
            ],
        )
        .await;
    let features = &configuration["features"]["subscription_update"]["schedule_at_period_end"];
    assert_eq!(features["conditions"][0]["type"], "decreasing_item_amount");
    let form = [("customer", customer.as_str()), ("configuration", text(&configuration["id"]))];
    let session = bench.post("/v1/billing_portal/sessions", &form).await;
    let page = text(&session["url"]).split(&bench.sandbox.url()).last().unwrap().to_owned();

    let change = [("do", "change"), ("subscription", &id), ("price", &basic)];
    let (_, _, shown) = bench.submit(&page, &change).await;
    assert!(shown.contains("It changes on"), "{shown}");
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["items"]["data"][0]["price"]["id"], json!(creator));
    let event = bench.told("customer.subscription.updated").await;
    assert_eq!(event["data"]["previous_attributes"], json!({ "schedule": null }));

    bench.submit(&page, &[("do", "stay"), ("subscription", &id)]).await;
    assert!(bench.get(&format!("/v1/subscriptions/{id}")).await["schedule"].is_null());
    bench.submit(&page, &change).await;
    bench.advance("29 days").await;
    let row = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(row["items"]["data"][0]["price"]["id"], json!(basic));
    assert!(row["schedule"].is_null());
}
