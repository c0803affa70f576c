//! Is nobody charged for an account that is closed without a way to end it?

use serde_json::json;

use super::shop::{ACME, Shop, plan};

#[tokio::test]
async fn an_account_that_is_subscribed_is_cancelled_before_it_is_closed() {
    let shop = Shop::subscribed().await;
    let close = || shop.server.post(&format!("{ACME}/close"), json!({ "reason": "asked to" })).send();
    let refused = close().await;
    refused.is_problem(409, "subscription_active");
    assert_eq!(refused.body["plan"], "creator");
    assert_eq!(shop.amend("cancel", "cancel", &json!({ "at": "now" })).await.status, 202);
    shop.settled().await;
    assert_eq!(close().await.status, 200);
}

/// Its page was paid after it had been closed.
#[tokio::test]
async fn a_subscription_of_a_closed_account_can_be_cancelled_and_nothing_else() {
    let shop = Shop::start().await;
    let opened = shop.checkout("subscribe", &plan()).await;
    assert_eq!(
        shop.server.post(&format!("{ACME}/close"), json!({ "reason": "asked to" })).send().await.status,
        200
    );
    shop.pay(&opened.body).await;
    shop.settled().await;
    let listed = shop.server.get(&format!("{ACME}/subscriptions")).send().await;
    assert_eq!(listed.body["subscriptions"][0]["allowed"], json!(["cancel"]), "{}", listed.text);
    let entitled = shop.server.get(&format!("{ACME}/entitlements")).send().await;
    let generations = entitled.body["generations"].as_array().unwrap();
    assert!(generations.iter().all(|generation| generation["included"] == false), "{}", entitled.text);
    for (what, body) in [("pause", json!({})), ("change", json!({ "plan": "team" }))] {
        shop.amend(what, what, &body).await.is_problem(409, "account_closed");
    }
    let cancelled = shop.amend("cancel", "cancel", &json!({ "at": "now" })).await;
    assert_eq!(
        (cancelled.status.as_u16(), &cancelled.body["at_stripe"]["status"]),
        (202, &json!("canceled"))
    );
    shop.settled().await;
    let listed = shop.server.get(&format!("{ACME}/subscriptions")).send().await;
    assert_eq!(listed.body["subscriptions"][0]["allowed"], json!([]), "{}", listed.text);
}
