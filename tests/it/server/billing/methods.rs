//! Is what an account pays with its own, and looked after once?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{http::Answer, shop::Shop};

const METHODS: &str = "/v1/accounts/acme/payment-methods";

pub async fn attach(shop: &Shop, key: &str, method: &str) -> Answer {
    attach_to(shop, "acme", key, method).await
}

async fn attach_to(shop: &Shop, account: &str, key: &str, method: &str) -> Answer {
    let path = format!("/v1/accounts/{account}/payment-methods");
    let body = json!({ "payment_method": method });
    shop.server.post(&path, body).header("idempotency-key", key).send().await
}

/// A method as a form of Stripe's would make it.
async fn typed_in(shop: &Shop, card: &str) -> String {
    let form = [("type", "card"), ("card[token]", card)];
    let made = shop.at_stripe(Method::POST, "/v1/payment_methods", &form).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn listed(shop: &Shop) -> Vec<Value> {
    shop.server.get(METHODS).send().await.body["payment_methods"].as_array().unwrap().clone()
}

async fn change(shop: &Shop, method: Method, path: &str) -> Answer {
    shop.server.call(method, &format!("{METHODS}/{path}")).send().await
}

#[tokio::test]
async fn a_card_is_attached_preferred_and_detached() {
    let shop = Shop::start().await;
    assert!(listed(&shop).await.is_empty(), "who is no customer has nothing");
    let card = typed_in(&shop, "tok_visa").await;
    let attached = attach(&shop, "k1", &card).await;
    assert_eq!(
        (attached.status.as_u16(), &attached.body["last4"]),
        (201, &json!("4242")),
        "{}",
        attached.text
    );
    assert_eq!(attached.body["is_default"], false);
    let preferred = change(&shop, Method::PUT, &format!("{card}/default")).await;
    assert_eq!((preferred.status.as_u16(), &preferred.body["is_default"]), (200, &json!(true)));
    let methods = listed(&shop).await;
    assert_eq!((methods.len(), &methods[0]), (1, &preferred.body));
    let customer = shop.server.get("/v1/accounts/acme/customer").send().await;
    assert_eq!(customer.body["default_payment_method"], card);
    let detached = change(&shop, Method::DELETE, &card).await;
    assert_eq!((detached.status.as_u16(), &detached.body["detached"]), (200, &json!(true)));
    assert_eq!(change(&shop, Method::DELETE, &card).await.body, detached.body, "as often as it is asked");
    assert!(listed(&shop).await.is_empty());
}

#[tokio::test]
async fn a_repetition_attaches_nothing_more() {
    let shop = Shop::start().await;
    let card = typed_in(&shop, "tok_visa").await;
    let first = attach(&shop, "k1", &card).await;
    let again = attach(&shop, "k1", &card).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    let other = typed_in(&shop, "tok_mastercard").await;
    attach(&shop, "k1", &other).await.is_problem(422, "idempotency_key_reused");
    assert_eq!(listed(&shop).await.len(), 1);
}

#[tokio::test]
async fn what_is_another_customers_is_neither_found_nor_taken() {
    let shop = Shop::start().await;
    shop.server.open("other").await;
    let card = typed_in(&shop, "tok_visa").await;
    attach_to(&shop, "other", "k1", &card).await;
    attach(&shop, "k1", &card).await.is_problem(409, "payment_method_taken");
    change(&shop, Method::DELETE, &card).await.is_problem(404, "payment_method_not_found");
    change(&shop, Method::PUT, &format!("{card}/default")).await.is_problem(404, "payment_method_not_found");
    attach(&shop, "k2", "pm_of_nobody").await.is_problem(404, "payment_method_not_found");
    let theirs = shop.server.get("/v1/accounts/other/payment-methods").send().await;
    assert_eq!(theirs.body["payment_methods"][0]["payment_method"], card, "{}", theirs.text);
}

#[tokio::test]
async fn a_card_that_the_bank_refuses_is_not_attached() {
    let shop = Shop::start().await;
    let refused = attach(&shop, "k1", &typed_in(&shop, "tok_chargeDeclined").await).await;
    refused.is_problem(402, "stripe_declined");
    assert_eq!(refused.body["decline_code"], "generic_decline");
    assert!(listed(&shop).await.is_empty());
}

#[tokio::test]
async fn a_long_list_is_given_in_pages() {
    let shop = Shop::start().await;
    for number in 0..3 {
        attach(&shop, &format!("k{number}"), &typed_in(&shop, "tok_visa").await).await;
    }
    let first = shop.server.get(&format!("{METHODS}?limit=2")).send().await;
    assert_eq!(first.body["payment_methods"].as_array().unwrap().len(), 2);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = shop.server.get(&format!("{METHODS}?limit=2&cursor={cursor}")).send().await;
    assert_eq!(second.body["payment_methods"].as_array().unwrap().len(), 1);
    assert_eq!(second.body["next_cursor"], Value::Null);
    let wrong = shop.server.get(&format!("{METHODS}?cursor=pm_gone")).send().await;
    wrong.is_problem(400, "invalid_parameter");
    assert_eq!(wrong.body["path"], "cursor");
    shop.server.get(&format!("{METHODS}?limit=101")).send().await.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn an_outage_after_the_work_leaves_one_method_and_the_truth() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    let card = typed_in(&shop, "tok_visa").await;
    // The method is looked up first; then the attachment is done, and its answer lost.
    let lost = json!({ "cut": true, "after_work": true, "times": 3 });
    shop.fail(json!([{ "delay_ms": 0 }, lost])).await;
    attach(&shop, "k1", &card).await.is_problem(503, "stripe_outcome_unknown");
    let completed = attach(&shop, "k1", &card).await;
    assert_eq!(completed.status, 201, "{}", completed.text);
    assert_eq!(listed(&shop).await.len(), 1);
    // What was done is not denied because it cannot be shown.
    let other = typed_in(&shop, "tok_mastercard").await;
    shop.fail(json!([{ "delay_ms": 0 }, { "delay_ms": 0 }, { "status": 500, "times": 3 }])).await;
    attach(&shop, "k2", &other).await.is_problem(503, "stripe_outcome_unknown");
    assert_eq!(attach(&shop, "k2", &other).await.header("idempotent-replayed"), Some("true"));
}

/// The subscription began on a page, so that it has a card of its own.
async fn subscribed_with_a_new_card() -> (Shop, String, String) {
    let shop = Shop::subscribed().await;
    let own = shop.at_stripe(Method::GET, &shop.path().await, &[]).await["default_payment_method"].clone();
    let card = typed_in(&shop, "tok_mastercard").await;
    assert_eq!(attach(&shop, "k1", &card).await.status, 201);
    let own = own.as_str().unwrap_or_else(|| panic!("{own}")).to_owned();
    assert_ne!(own, card);
    (shop, own, card)
}

/// What the last invoice was paid with.
async fn charged_with(shop: &Shop) -> Value {
    let payments = shop.list("/v1/payment_intents").await;
    payments[0]["payment_method"].clone()
}

#[tokio::test]
async fn the_card_that_is_preferred_is_the_one_that_is_charged() {
    let (shop, own, card) = subscribed_with_a_new_card().await;
    assert_eq!(charged_with(&shop).await, own);
    // A try that Stripe breaks off is made again.
    shop.fail(json!([{ "cut": true, "after_work": true }])).await;
    assert_eq!(change(&shop, Method::PUT, &format!("{card}/default")).await.status, 200);
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(charged_with(&shop).await, card);
}

#[tokio::test]
async fn a_card_that_is_detached_is_charged_nowhere() {
    let (shop, own, card) = subscribed_with_a_new_card().await;
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    let form = [("invoice_settings[default_payment_method]", card.as_str())];
    shop.at_stripe(Method::POST, &format!("/v1/customers/{customer}"), &form).await;
    assert_eq!(change(&shop, Method::DELETE, &own).await.status, 200);
    shop.advance("32 days").await;
    shop.settled().await;
    assert_eq!(charged_with(&shop).await, card);
}
