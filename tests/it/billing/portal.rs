//! Does a person get to the page where a subscription is looked after?

use reqwest::StatusCode;
use serde_json::json;

use super::shop::{ACME, Shop};

#[tokio::test]
async fn a_customer_gets_a_page_and_a_repetition_the_same_one() {
    let shop = Shop::start().await;
    let path = format!("{ACME}/portal-sessions");
    let ask = |key: &'static str, url: &str| {
        shop.server.post(&path, json!({ "return_url": url })).header("idempotency-key", key)
    };
    let home = "https://shop.example/account";
    ask("k1", home).send().await.is_problem(409, "no_customer");
    shop.become_customer().await;
    let opened = ask("k1", home).send().await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
    let page = reqwest::get(opened.body["url"].as_str().unwrap()).await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let again = ask("k1", home).send().await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&opened.body, Some("true")));
    ask("k1", "https://shop.example/other").send().await.is_problem(422, "idempotency_key_reused");
    ask("k2", "ftp://shop.example").send().await.is_problem(422, "invalid_request");
}
