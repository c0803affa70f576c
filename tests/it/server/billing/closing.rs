//! Is nobody charged for an account that is closed without a way to end it?

use serde_json::json;

use crate::support::shop::{ACME, Shop, plan};

#[tokio::test]
async fn a_subscription_of_a_closed_account_can_be_cancelled_and_nothing_else() {
    let shop = Shop::subscribed().await;
    close(&shop).await;
    can_only_be_cancelled(&shop).await;
    // One whose page is paid when the account is closed.
    let shop = Shop::start().await;
    let opened = shop.checkout("subscribe", &plan()).await;
    close(&shop).await;
    shop.pay(&opened.body).await;
    shop.settled().await;
    can_only_be_cancelled(&shop).await;
}

async fn close(shop: &Shop) {
    assert_eq!(
        shop.server.post(&format!("{ACME}/close"), json!({ "reason": "asked to" })).send().await.status,
        200
    );
}

async fn can_only_be_cancelled(shop: &Shop) {
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
