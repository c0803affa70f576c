//! Does a billing page get all that it shows by one call, whatever Stripe does?

use counterfoil::{auth::keys::KeyScope, stripe::outbound::BillingMode};
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, TOO_LATE_MS, plan, serve, with};

const OVERVIEW: &str = "/v1/accounts/acme/overview";

#[tokio::test]
async fn a_subscribed_account_is_told_whole() {
    let shop = Shop::subscribed().await;
    let spent = json!({ "amount": 120 });
    assert_eq!(shop.server.post(&format!("{ACME}/deductions"), spent).send().await.status, 201);
    let told = shop.server.get(OVERVIEW).send().await;
    assert_eq!(told.status, 200, "{}", told.text);
    let (body, subscription) = (&told.body, &told.body["subscription"]);
    assert_eq!(body["plan"], json!({ "id": "creator", "name": "Creator", "credits_a_month": 1_500 }));
    assert_eq!(subscription["amount"], json!({ "minor": 1_999, "currency": "usd" }), "{}", told.text);
    assert_eq!((&subscription["interval"], &subscription["interval_count"]), (&json!("month"), &json!(1)));
    assert!(subscription["price"].as_str().unwrap().starts_with("price_"), "{subscription}");
    assert!(subscription["product"].as_str().unwrap().starts_with("prod_"), "{subscription}");
    assert_eq!(subscription["cancel_at"], Value::Null);
    let credits = &body["credits"];
    assert_eq!((&credits["allocated"], &credits["used"]), (&json!(1_500), &json!(120)), "{credits}");
    assert_eq!((&credits["available"], &credits["held"]), (&json!(1_430), &json!(0)));
    assert_eq!(credits["next_credits_at"], subscription["period"]["end"]);
    assert_eq!(body["paid_until"], subscription["period"]["end"]);
    let at_stripe = &body["at_stripe"];
    assert_eq!(at_stripe["next_invoice"]["total"], json!({ "minor": 1_999, "currency": "usd" }));
    assert_eq!(at_stripe["next_invoice"]["due_at"], subscription["period"]["end"], "{at_stripe}");
    assert_eq!(
        (&at_stripe["next_invoice_untold"], &at_stripe["invoices_untold"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(at_stripe["invoices"][0]["status"], "paid", "{at_stripe}");
    assert!(at_stripe["asked_at"].is_string());
    assert!(!told.text.contains("hosted_invoice_url"), "a page that names the person is not for every key");
    assert_eq!(told.header("counterfoil-lag-ms"), Some("0"));

    // What the parts say on their own is the same.
    let balance = shop.server.get(&format!("{ACME}/balance")).send().await.body;
    for figure in ["available", "held", "frozen", "debt", "allocated", "used", "next_credits_at", "scale"] {
        assert_eq!(credits[figure], balance[figure], "{figure}");
    }
    let alone = shop.server.get(&format!("{ACME}/subscription")).send().await.body;
    assert_eq!(*subscription, alone["subscription"]);
    let limits = shop.server.get(&format!("{ACME}/limits")).send().await.body;
    assert_eq!(body["limits"], limits["limits"]);
}

#[tokio::test]
async fn a_year_says_so() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &with(plan(), "interval", json!("year"))).await;
    shop.pay(&opened.body).await;
    let told = shop.until(OVERVIEW, |told| told["plan"]["id"] == "creator").await;
    assert_eq!(told["subscription"]["interval"], "year", "{told}");
    let told = shop.until(OVERVIEW, |told| told["credits"]["allocated"] == 1_500).await;
    assert!(told["credits"]["next_credits_at"].as_str() < told["subscription"]["period"]["end"].as_str());
}

#[tokio::test]
async fn who_leaves_is_told_that_nothing_is_due() {
    let shop = Shop::subscribed().await;
    assert_eq!(shop.amend("cancel", "k1", &json!({ "at": "period_end" })).await.status, 202);
    let told = shop.until(OVERVIEW, |told| told["subscription"]["cancel_at"].is_string()).await;
    assert_eq!(told["credits"]["next_credits_at"], Value::Null);
    assert_eq!(told["at_stripe"]["next_invoice_untold"], "nothing_due", "{told}");
    assert_eq!(told["at_stripe"]["invoices"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn who_is_no_customer_has_no_invoices_and_no_next_one() {
    let shop = Shop::start().await;
    let told = shop.server.get(OVERVIEW).send().await.body;
    assert_eq!(told["subscription"], Value::Null);
    assert_eq!((&told["plan"]["id"], &told["credits"]["available"]), (&json!("free"), &json!(50)));
    assert_eq!(told["at_stripe"]["next_invoice_untold"], "no_subscription", "{told}");
    assert_eq!(told["at_stripe"]["invoices"], json!([]));
}

#[tokio::test]
async fn without_stripe_the_rest_is_told_with_the_reason() {
    for (switch, why) in
        [(BillingMode::Off, "billing_off"), (BillingMode::NotConfigured, "billing_not_configured")]
    {
        let told = serve(switch).await.get(OVERVIEW).send().await;
        assert_eq!((told.status.as_u16(), &told.body["credits"]["available"]), (200, &json!(50)));
        let untold = json!({
            "asked_at": null, "next_invoice": null, "next_invoice_untold": why, "invoices": null,
            "invoices_untold": why,
        });
        assert_eq!(told.body["at_stripe"], untold);
    }
    let shop = Shop::subscribed().await;
    for fault in [json!({ "status": 500 }), json!({ "cut": true }), json!({ "delay_ms": TOO_LATE_MS })] {
        let mut always = fault.clone();
        always["times"] = json!(100);
        shop.fail(json!([always])).await;
        let told = shop.server.get(OVERVIEW).send().await;
        assert_eq!((told.status.as_u16(), &told.body["plan"]["id"]), (200, &json!("creator")), "{fault}");
        assert_eq!(told.body["at_stripe"]["next_invoice_untold"], "stripe_unavailable", "{fault}");
        assert_eq!(told.body["at_stripe"]["invoices_untold"], "stripe_unavailable", "{fault}");
        assert!(told.body["at_stripe"]["asked_at"].is_string());
        let quick = shop.server.get(&format!("{OVERVIEW}?ask_stripe=false")).send().await;
        assert_eq!(quick.body["at_stripe"]["invoices_untold"], "not_asked");
        assert_eq!(quick.body["subscription"], told.body["subscription"]);
    }
}

#[tokio::test]
async fn an_overview_is_for_whoever_reads_that_account() {
    let shop = Shop::start().await;
    let reader = shop.server.key([KeyScope::Read], Some(&["acme"])).await;
    assert_eq!(shop.server.get(OVERVIEW).key(&reader).send().await.status, 200);
    let other = shop.server.get("/v1/accounts/other/overview").key(&reader).send().await;
    other.is_problem(403, "account_not_allowed");
    let gone = shop.server.post(&format!("{ACME}/close"), json!({ "reason": "over" })).send().await;
    assert!(gone.status.is_success(), "{}", gone.text);
    let told = shop.server.get(OVERVIEW).send().await.body;
    assert_eq!((&told["status"], &told["credits"]["next_credits_at"]), (&json!("closed"), &Value::Null));
    shop.server
        .get(&format!("{OVERVIEW}?ask_stripe=perhaps"))
        .send()
        .await
        .is_problem(400, "invalid_parameter");
}
