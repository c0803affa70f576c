//! Is a free amount of credits sold on a page and without one, at the price that the catalog has for each?

use std::sync::Arc;

use counterfoil::domain::{
    amount::{Credits, Currency},
    catalog::{Catalog, TopUp},
    fraction::Fraction,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ledger::music_for_sale,
    shop::{ACME, Shop},
};

const PAYMENTS: &str = "/v1/accounts/acme/payments";

/// 0.4 cents a credit.
pub fn catalog() -> Arc<Catalog> {
    let mut catalog = (*music_for_sale()).clone();
    catalog.top_up = Some(TopUp {
        name: "Credits".to_owned(),
        price_per_credit: Fraction::new(2, 5).unwrap(),
        currency: Currency::parse("usd").unwrap(),
        smallest: Credits::new(250).unwrap(),
        largest: Credits::new(100_000).unwrap(),
        expires_after_days: None,
        product_id: None,
        product_setting: None,
    });
    Arc::new(catalog)
}

fn page(credits: i64) -> Value {
    json!({
        "credits": credits, "success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/no",
    })
}

async fn until_available(shop: &Shop, credits: i64) {
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == credits).await;
}

#[tokio::test]
async fn credits_are_bought_on_a_page_and_go_back_by_their_share() {
    let shop = Shop::selling(catalog()).await;
    let opened = shop.checkout("k1", &page(2_501)).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let session = &shop.list("/v1/checkout/sessions").await[0];
    // 1,000.4 cents.
    assert_eq!(session["amount_total"], 1_001, "{session:#}");
    shop.pay(&opened.body).await;
    until_available(&shop, 50 + 2_501).await;
    let payment = shop.list("/v1/payment_intents").await[0]["id"].as_str().unwrap().to_owned();
    let seen = shop.server.get(&format!("{PAYMENTS}/{payment}")).send().await.body;
    assert_eq!((&seen["pack"], &seen["credits"]), (&json!("credits"), &json!(2_501)));
    shop.at_stripe(Method::POST, "/v1/refunds", &[("payment_intent", &payment), ("amount", "500")]).await;
    // 2,501 × 500 ÷ 1,001, rounded down, are taken back.
    until_available(&shop, 50 + 2_501 - 1_249).await;
    shop.settled().await;
    assert!(
        shop.kept().await.contains("\"credits\": 2501") || shop.kept().await.contains("\"credits\":2501")
    );
}

#[tokio::test]
async fn credits_are_bought_without_a_page() {
    let shop = Shop::selling(catalog()).await;
    let made = shop.server.post(PAYMENTS, json!({ "credits": 1_000 })).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["amount"], json!({ "minor": 400, "currency": "usd" }));
    let payment = made.body["payment"].as_str().unwrap();
    let card = json!({ "payment_method": "pm_card_visa", "return_url": "https://shop.example/paid" });
    let paid = shop.server.post(&format!("{PAYMENTS}/{payment}/confirm"), card).send().await;
    assert_eq!(paid.body["status"], "succeeded", "{}", paid.text);
    until_available(&shop, 1_050).await;
}

#[tokio::test]
async fn what_is_not_sold_is_refused_and_the_bounds_are_named() {
    let shop = Shop::selling(catalog()).await;
    let few = shop.checkout("k1", &page(249)).await;
    few.is_problem(422, "top_up_out_of_bounds");
    assert_eq!((&few.body["smallest"], &few.body["largest"]), (&json!(250), &json!(100_000)));
    let many = shop.server.post(PAYMENTS, json!({ "credits": 100_001 })).send().await;
    many.is_problem(422, "top_up_out_of_bounds");
    for wrong in [json!({ "credits": 500, "pack": "pack_500" }), json!({ "credits": 500, "quantity": 2 })] {
        shop.server.post(PAYMENTS, wrong).send().await.is_problem(422, "invalid_request");
    }
    let mut twice = page(500);
    twice["quantity"] = json!(2);
    shop.checkout("k2", &twice).await.is_problem(422, "invalid_request");
    assert_eq!(shop.sessions().await, 0);
    let other = Shop::start().await;
    let unsold = other.checkout("k1", &page(500)).await;
    unsold.is_problem(409, "not_for_sale");
    assert_eq!(unsold.body["reason"], "no_top_up");
}

/// A page that others have opened, on which so many credits are said to be bought for 4.00.
async fn pay_elsewhere(shop: &Shop, credits: &str) {
    let form = [
        ("mode", "payment"),
        ("success_url", "https://shop.example/thanks"),
        ("client_reference_id", "acme"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "400"),
        ("line_items[0][price_data][product_data][name]", "Credits"),
        ("line_items[0][quantity]", "1"),
        ("metadata[kind]", "topup"),
        ("metadata[topup_code]", "credits"),
        ("metadata[topup_credits]", credits),
    ];
    let session = shop.at_stripe(Method::POST, "/v1/checkout/sessions", &form).await;
    shop.pay(&json!({ "checkout_session_id": session["id"] })).await;
}

/// The page's opening was never recorded: what Stripe says is enough.
#[tokio::test]
async fn a_payment_that_says_what_it_was_for_needs_nothing_else() {
    let shop = Shop::selling(catalog()).await;
    pay_elsewhere(&shop, "1000").await;
    until_available(&shop, 1_050).await;
}

#[tokio::test]
async fn a_payment_that_does_not_say_how_many_is_held() {
    let shop = Shop::selling(catalog()).await;
    for credits in ["", "0", "-5", "1e9", "many"] {
        pay_elsewhere(&shop, credits).await;
    }
    shop.until("/v1/inbox?state=dead", |inbox| inbox["events"].as_array().unwrap().len() == 5).await;
    assert_eq!(shop.server.balance("acme").await["available"], 50);
}
