//! Does less come when the period ends, and not before; and can it be seen, replaced and withdrawn until then?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, TOO_LATE_MS};

const CHANGE: &str = "/v1/accounts/acme/subscription/change";
const BALANCE: &str = "/v1/accounts/acme/balance";

async fn pending(shop: &Shop) -> Value {
    let answer = shop.server.get(CHANGE).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["pending"].clone()
}

/// On `creator`, which is to become `basic`.
async fn waiting() -> Shop {
    let shop = Shop::subscribed().await;
    let changed = shop.amend("change", "k1", &json!({ "plan": "basic" })).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.body["at_stripe"]["plan"]),
        (202, &json!("creator")),
        "{}",
        changed.text
    );
    shop
}

async fn schedules(shop: &Shop) -> Vec<Value> {
    shop.list("/v1/subscription_schedules").await
}

async fn price(shop: &Shop) -> Value {
    shop.at_stripe(Method::GET, &shop.path().await, &[]).await["items"]["data"][0]["price"]["id"].clone()
}

#[tokio::test]
async fn a_smaller_plan_waits_for_the_end_of_the_period() {
    let shop = Shop::subscribed().await;
    let order = json!({ "plan": "basic" });
    let preview = shop.server.post(&format!("{CHANGE}/preview"), order.clone()).send().await;
    let shown = &preview.body;
    assert_eq!(
        (&shown["settlement"], &shown["proration_date"]),
        (&json!("period_end"), &Value::Null),
        "{}",
        preview.text
    );
    assert_eq!(shown["invoice"]["total"], json!({ "minor": 999, "currency": "usd" }));
    assert_eq!(
        (&shown["invoice"]["due_at"], &shown["credits"]["taken"]),
        (&shown["effective_at"], &json!(0))
    );
    assert_eq!(pending(&shop).await, Value::Null);

    let changed = shop.amend("change", "k1", &order).await;
    assert_eq!(changed.status, 202, "{}", changed.text);
    assert_eq!(shop.amend("change", "k1", &order).await.body, changed.body);
    let waits = pending(&shop).await;
    assert_eq!(
        (&waits["plan"], &waits["credits_a_month"], &waits["at"]),
        (&json!("basic"), &json!(500), &shown["effective_at"])
    );
    shop.settled().await;
    assert_eq!(shop.server.get(ACME).send().await.body["plan"], "creator", "until then nothing changes");
    assert_eq!(shop.server.balance("acme").await["available"], 1_550);

    shop.advance("32 days").await;
    shop.until(ACME, |account| account["plan"] == "basic").await;
    // The free credits, the new month, and what the smaller plan lets be carried.
    shop.until(BALANCE, |balance| balance["available"] == 1_050).await;
    assert_eq!(pending(&shop).await, Value::Null);
    assert_eq!(shop.list("/v1/invoices").await[0]["total"], 999);
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(price(&shop).await, "price_of_stripe_price_basic", "it stays so");
}

/// A year's plan by the month costs more in all, and is less all the same: it waits, and what waits is the next
/// invoice.
#[tokio::test]
async fn a_month_instead_of_a_year_waits_and_the_next_invoice_is_of_the_month() {
    let shop = Shop::subscribed().await;
    assert_eq!(shop.amend("change", "k1", &json!({ "interval": "year" })).await.status, 202);
    shop.settled().await;
    let changed = shop.amend("change", "k2", &json!({ "interval": "month" })).await;
    assert_eq!(changed.body["at_stripe"]["interval"], "year", "{}", changed.text);
    let waits = pending(&shop).await;
    assert_eq!((&waits["plan"], &waits["interval"]), (&json!("creator"), &json!("month")));
    let upcoming = format!("{ACME}/subscription/upcoming-invoice");
    let upcoming = shop.server.get(&upcoming).send().await;
    assert_eq!(
        (&upcoming.body["invoice"]["total"]["minor"], &upcoming.body["invoice"]["due_at"]),
        (&json!(1_999), &waits["at"]),
        "{}",
        upcoming.text
    );
    let credits = shop.server.balance("acme").await["available"].clone();
    shop.settled().await;
    assert_eq!(
        shop.server.balance("acme").await["available"],
        credits,
        "nothing comes back, nothing is taken"
    );
    let paid_until = shop.server.get(&format!("{ACME}/subscription")).send().await.body["paid_until"].clone();
    assert_eq!(paid_until, waits["at"]);
}

#[tokio::test]
async fn another_change_replaces_the_one_that_waits() {
    let shop = waiting().await;
    let order = json!({ "plan": "basic", "quantity": 2 });
    // Two of the smaller plan cost 19.98, which is less still.
    assert_eq!(shop.amend("change", "k2", &order).await.status, 202);
    let waits = pending(&shop).await;
    assert_eq!((&waits["plan"], &waits["quantity"]), (&json!("basic"), &json!(2)));
    assert_eq!(schedules(&shop).await.len(), 1);
    // More is at once, and nothing waits any longer.
    let more = shop.amend("change", "k3", &json!({ "plan": "team" })).await;
    assert_eq!(more.status, 202, "{}", more.text);
    shop.until(ACME, |account| account["plan"] == "team").await;
    assert_eq!(pending(&shop).await, Value::Null);
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(price(&shop).await, "price_of_stripe_price_team");
}

/// What one has now is another change, too, as long as something else is to come.
#[tokio::test]
async fn who_wants_to_stay_on_the_plan_replaces_the_change_that_waits() {
    let shop = waiting().await;
    let stay = shop.amend("change", "k2", &json!({ "plan": "creator" })).await;
    assert_eq!(stay.status, 202, "{}", stay.text);
    assert_eq!(pending(&shop).await, Value::Null);
    shop.amend("change", "k3", &json!({ "plan": "creator" })).await.is_problem(409, "nothing_to_change");
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(price(&shop).await, "price_of_stripe_price_creator");
}

#[tokio::test]
async fn a_change_that_waits_can_be_withdrawn() {
    let shop = waiting().await;
    let withdrawn = shop.amend("change/withdraw", "k2", &json!({})).await;
    assert_eq!(withdrawn.status, 202, "{}", withdrawn.text);
    assert_eq!(shop.amend("change/withdraw", "k2", &json!({})).await.body, withdrawn.body);
    shop.amend("change/withdraw", "k3", &json!({})).await.is_problem(409, "nothing_to_change");
    assert_eq!(pending(&shop).await, Value::Null);
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(price(&shop).await, "price_of_stripe_price_creator");
}

#[tokio::test]
async fn a_cancellation_takes_the_place_of_a_change_that_waits() {
    let shop = waiting().await;
    let cancelled = shop.amend("cancel", "k2", &json!({ "at": "period_end" })).await;
    assert_eq!(cancelled.status, 202, "{}", cancelled.text);
    assert_eq!(pending(&shop).await, Value::Null);
    shop.advance("32 days").await;
    shop.until(ACME, |account| account["plan"] == "free").await;
}

#[tokio::test]
async fn a_change_is_scheduled_once_whatever_goes_wrong() {
    for fault in [
        json!({ "status": 500, "after_work": true, "times": 3 }),
        json!({ "cut": true, "after_work": true, "times": 3 }),
        json!({ "delay_ms": TOO_LATE_MS, "times": 3 }),
        json!({ "status": 429, "times": 3 }),
    ] {
        let shop = Shop::subscribed().await;
        shop.fail(json!([fault])).await;
        let order = json!({ "plan": "basic" });
        assert_eq!(shop.amend("change", "k1", &order).await.status, 503);
        shop.fail(json!([])).await;
        let completed = shop.amend("change", "k1", &order).await;
        assert_eq!(completed.status, 202, "{}", completed.text);
        assert_eq!(schedules(&shop).await.len(), 1);
        assert_eq!(pending(&shop).await["plan"], "basic");
    }
}
