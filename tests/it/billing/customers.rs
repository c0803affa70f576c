//! Is an account one customer, and nobody else's?

use reqwest::Method;
use serde_json::json;

use super::shop::{Shop, pack, with};

const EMAIL: &str = "ada@example.com";

async fn customer_of(shop: &Shop, session: &serde_json::Value) -> String {
    let path = format!("/v1/checkout/sessions/{}", session["checkout_session_id"].as_str().unwrap());
    shop.at_stripe(Method::GET, &path, &[]).await["customer"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_customer_with_the_address_is_found_and_becomes_the_accounts() {
    let shop = Shop::start().await;
    let known = shop.at_stripe(Method::POST, "/v1/customers", &[("email", EMAIL)]).await;
    let opened = shop.checkout("k1", &with(pack(), "email", json!(EMAIL))).await;
    assert_eq!(customer_of(&shop, &opened.body).await, known["id"]);
    let customers = shop.list("/v1/customers").await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0]["metadata"], json!({ "account_id": "acme" }));
}

#[tokio::test]
async fn a_customer_of_another_account_is_not_taken_over() {
    let shop = Shop::start().await;
    shop.server.open("other").await;
    let body = with(pack(), "email", json!(EMAIL));
    let ours = shop.checkout("k1", &body).await;
    let theirs = shop.checkout_of("other", "k1", &body).await;
    assert_ne!(customer_of(&shop, &ours.body).await, customer_of(&shop, &theirs.body).await);
}

#[tokio::test]
async fn an_address_is_passed_on_and_kept_nowhere() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &with(pack(), "email", json!(EMAIL))).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    assert_eq!(shop.list("/v1/customers").await[0]["email"], EMAIL);
    let pool = shop.server.test.database.pool();
    let kept: Vec<String> = sqlx::query_scalar(
        "select row_to_json(calls)::text from ledger.stripe_calls calls \
         union all select row_to_json(events)::text from ledger.events events",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(
        kept.len() >= 3 && !kept.iter().any(|row| row.contains("ada@") || row.contains("example.com")),
        "{kept:?}"
    );
}
