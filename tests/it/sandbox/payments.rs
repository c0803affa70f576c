//! Payments, refunds and disputes: does the money add up?

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, text};

async fn pay(bench: &Bench, card: &str, amount: &str) -> Value {
    let form = [("amount", amount), ("currency", "usd"), ("payment_method", card), ("confirm", "true")];
    bench.post("/v1/payment_intents", &form).await
}

#[tokio::test]
async fn a_manual_capture_takes_what_it_says() {
    let bench = Bench::start().await;
    let form = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
    ];
    let held = bench.post("/v1/payment_intents", &form).await;
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("requires_capture"), &json!(2000)));
    let path = format!("/v1/payment_intents/{}", text(&held["id"]));
    let (status, _) =
        bench.ask(Method::POST, &format!("{path}/capture"), &[("amount_to_capture", "2001")]).await;
    assert_eq!(status, 400);
    let taken = bench.post(&format!("{path}/capture"), &[("amount_to_capture", "500")]).await;
    assert_eq!((&taken["status"], &taken["amount_received"]), (&json!("succeeded"), &json!(500)));
    let (status, body) = bench.ask(Method::POST, &format!("{path}/cancel"), &[]).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("payment_intent_unexpected_state")));
}

#[tokio::test]
async fn three_d_secure_asks_on_a_page() {
    let bench = Bench::start().await;
    for (answer, status) in [("yes", "succeeded"), ("no", "requires_payment_method")] {
        let form = [
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", "pm_card_threeDSecure2Required"),
            ("confirm", "true"),
            ("return_url", "https://example.com/back"),
        ];
        let asked = bench.post("/v1/payment_intents", &form).await;
        assert_eq!(asked["status"], "requires_action");
        let url = text(&asked["next_action"]["redirect_to_url"]["url"]).replace(&bench.sandbox.url(), "");
        assert!(bench.page(&url).await.1.contains("20.00 USD"));
        let (_, leads, _) = bench.submit(&url, &[("bank", answer)]).await;
        assert_eq!(leads.as_deref(), Some("https://example.com/back"));
        let after = bench.get(&format!("/v1/payment_intents/{}", text(&asked["id"]))).await;
        assert_eq!(after["status"], status, "{after:#}");
    }
}

#[tokio::test]
async fn a_declined_payment_is_a_402_that_carries_the_intent() {
    let bench = Bench::start().await;
    let form = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_chargeDeclinedInsufficientFunds"),
        ("confirm", "true"),
    ];
    let (status, body) = bench.ask(Method::POST, "/v1/payment_intents", &form).await;
    let error = &body["error"];
    assert_eq!(
        (status, &error["type"], &error["decline_code"]),
        (402, &json!("card_error"), &json!("insufficient_funds"))
    );
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let told = bench.told("payment_intent.payment_failed").await;
    assert_eq!(told["data"]["object"]["last_payment_error"]["code"], "card_declined");
    let path = format!("/v1/payment_intents/{}/confirm", text(&error["payment_intent"]["id"]));
    assert_eq!(bench.post(&path, &[("payment_method", "pm_card_visa")]).await["status"], "succeeded");
}

#[tokio::test]
async fn refunds_add_up_and_may_fail_later() {
    let bench = Bench::start().await;
    let intent = pay(&bench, "pm_card_visa", "1000").await;
    let of = [("payment_intent", text(&intent["id"]))];
    bench.post("/v1/refunds", &[of[0], ("amount", "300")]).await;
    let (status, _) = bench.ask(Method::POST, "/v1/refunds", &[of[0], ("amount", "701")]).await;
    assert_eq!(status, 400);
    bench.post("/v1/refunds", &of).await;
    let charge = bench.get(&format!("/v1/charges/{}", text(&intent["latest_charge"]))).await;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(1000), &json!(true)));
    let (status, body) = bench.ask(Method::POST, "/v1/refunds", &of).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("charge_already_refunded")));

    let other = pay(&bench, "pm_card_refundFail", "1000").await;
    let refund = bench.post("/v1/refunds", &[("payment_intent", text(&other["id"]))]).await;
    assert_eq!(refund["status"], "succeeded");
    bench.advance("172799 seconds").await;
    assert_eq!(bench.get(&format!("/v1/refunds/{}", text(&refund["id"]))).await["status"], "succeeded");
    bench.advance("1 second").await;
    bench.told("refund.failed").await;
    let charge = bench.get(&format!("/v1/charges/{}", text(&other["latest_charge"]))).await;
    assert_eq!(charge["amount_refunded"], 0, "a failed refund gives the amount back");
}

#[tokio::test]
async fn disputes_are_opened_won_lost_inquired_and_prevented() {
    let bench = Bench::start().await;
    let intent = pay(&bench, "pm_card_createDispute", "1000").await;
    let dispute =
        bench.get(&format!("/v1/disputes?payment_intent={}", text(&intent["id"]))).await["data"][0].clone();
    bench.told("charge.dispute.funds_withdrawn").await;
    assert_eq!(dispute["balance_transactions"][0]["net"], -2500);
    let (status, body) =
        bench.ask(Method::POST, "/v1/refunds", &[("payment_intent", text(&intent["id"]))]).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("charge_disputed")));
    let (_, won) =
        bench.control(&format!("disputes/{}", text(&dispute["id"])), json!({ "status": "won" })).await;
    assert_eq!(won["status"], "won");
    bench.told("charge.dispute.funds_reinstated").await;
    let (status, _) =
        bench.control(&format!("disputes/{}", text(&dispute["id"])), json!({ "status": "lost" })).await;
    assert_eq!(status, 400, "it is closed");

    let other = pay(&bench, "pm_card_visa", "1000").await;
    let inquiry = json!({ "payment_intent": other["id"], "status": "warning_needs_response", "amount": 400 });
    let (_, inquiry) = bench.control("disputes", inquiry).await;
    assert_eq!(inquiry["balance_transactions"], json!([]), "an inquiry moves no money");
    let closed = bench.post(&format!("/v1/disputes/{}/close", text(&inquiry["id"])), &[]).await;
    assert_eq!(closed["status"], "warning_closed");

    let third = pay(&bench, "pm_card_visa", "1000").await;
    let (_, prevented) =
        bench.control("disputes", json!({ "payment_intent": third["id"], "status": "prevented" })).await;
    assert_eq!(prevented["status"], "prevented");
}

#[tokio::test]
async fn what_was_refunded_is_not_disputed() {
    let bench = Bench::start().await;
    let intent = pay(&bench, "pm_card_visa", "1000").await;
    bench.post("/v1/refunds", &[("payment_intent", text(&intent["id"])), ("amount", "300")]).await;
    let (status, dispute) = bench
        .control("disputes", json!({ "payment_intent": intent["id"], "status": "needs_response" }))
        .await;
    assert_eq!((status, &dispute["amount"]), (200, &json!(700)), "{dispute}");
}

#[tokio::test]
async fn a_card_of_somebody_else_confirms_nothing() {
    let bench = Bench::start().await;
    let owner = bench.post("/v1/customers", &[]).await;
    let attached =
        bench.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", text(&owner["id"]))]).await;
    let other = bench.post("/v1/customers", &[]).await;
    let form = [("amount", "2000"), ("currency", "usd"), ("customer", text(&other["id"]))];
    let intent = bench.post("/v1/payment_intents", &form).await;
    let path = format!("/v1/payment_intents/{}/confirm", text(&intent["id"]));
    let (status, body) = bench.ask(Method::POST, &path, &[("payment_method", text(&attached["id"]))]).await;
    assert_eq!((status, &body["error"]["param"]), (400, &json!("payment_method")), "{body:#}");
}

#[tokio::test]
async fn cards_of_every_brand_say_what_they_are() {
    let bench = Bench::start().await;
    for (token, brand, funding) in [
        ("pm_card_amex", "amex", "credit"),
        ("pm_card_visa_debit", "visa", "debit"),
        ("pm_card_mastercard_prepaid", "mastercard", "prepaid"),
        ("pm_card_jcb", "jcb", "credit"),
    ] {
        let intent = pay(&bench, token, "1000").await;
        let charge = bench.get(&format!("/v1/charges/{}", text(&intent["latest_charge"]))).await;
        let card = &charge["payment_method_details"]["card"];
        assert_eq!((&card["brand"], &card["funding"]), (&json!(brand), &json!(funding)));
    }
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_chargeDeclinedStolenCard"),
        ("confirm", "true"),
    ];
    let (status, body) = bench.ask(Method::POST, "/v1/payment_intents", &form).await;
    assert_eq!((status, &body["error"]["decline_code"]), (402, &json!("stolen_card")));
}

#[tokio::test]
async fn amounts_are_shown_as_their_currency_has_them() {
    let bench = Bench::start().await;
    for (currency, amount, shown) in [
        ("jpy", "1000", "1000 JPY"),
        ("kwd", "5000", "5.000 KWD"),
        ("isk", "50000", "500 ISK"),
        ("eur", "999", "9.99 EUR"),
    ] {
        let form = [
            ("product_data[name]", currency),
            ("unit_amount", amount),
            ("currency", currency),
            ("recurring[interval]", "month"),
        ];
        let price = bench.post("/v1/prices", &form).await;
        let customer = bench.customer("pm_card_visa").await;
        let form = [("customer", customer.as_str()), ("items[0][price]", text(&price["id"]))];
        let row = bench.post("/v1/subscriptions", &form).await;
        let invoice = bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await;
        let line = text(&invoice["lines"]["data"][0]["description"]);
        assert!(line.contains(&format!("at {shown} / month")), "{line}");
    }
    for (currency, amount) in [("kwd", "5001"), ("isk", "550"), ("ugx", "99950")] {
        let form = [("product_data[name]", "x"), ("unit_amount", amount), ("currency", currency)];
        assert_eq!(bench.ask(Method::POST, "/v1/prices", &form).await.0, 400, "{currency}");
    }
}
