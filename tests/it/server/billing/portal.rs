//! Does a person get to the page where a subscription is looked after?

use reqwest::StatusCode;
use serde_json::json;

use crate::support::shop::{ACME, Shop};

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

async fn confirm(shop: &Shop, page: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let shown = client.get(page).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("Confirm your updates"), "{shown}");
    let answer = client.post(page).form(&[("do", "confirm")]).send().await.unwrap();
    shop.settled().await;
    answer
}

#[tokio::test]
async fn a_link_leads_straight_to_a_chosen_plan() {
    let shop = Shop::subscribed().await;
    let path = format!("{ACME}/portal-sessions");
    let ask = |body: serde_json::Value| shop.server.post(&path, body).send();
    let home = "https://shop.example/account";
    let opened = ask(json!({ "return_url": home, "plan": "team" })).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
    assert_eq!(shop.server.get(ACME).send().await.body["plan"], "creator", "a link changes nothing");
    let answer = confirm(&shop, opened.body["url"].as_str().unwrap()).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], home);
    shop.until(ACME, |account| account["plan"] == "team").await;
    // What cannot be done is refused before there is a page.
    ask(json!({ "return_url": home, "plan": "team" })).await.is_problem(409, "nothing_to_change");
    ask(json!({ "return_url": home, "plan": "gold" })).await.is_problem(422, "unknown_plan");
    let other = json!({ "return_url": home, "plan": "basic", "subscription": "sub_of_another" });
    ask(other).await.is_problem(404, "subscription_not_found");
    ask(json!({ "return_url": home, "subscription": "sub_1" })).await.is_problem(422, "invalid_request");
}

#[tokio::test]
async fn a_link_needs_a_subscription_to_change() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    let path = format!("{ACME}/portal-sessions");
    let body = json!({ "return_url": "https://shop.example/account", "plan": "team" });
    shop.server.post(&path, body).send().await.is_problem(409, "no_subscription");
}
