//! What if two subscriptions were paid for, where only one is sold? Somebody is told, and the newer one taken back
//! where the catalog says so: once, whatever goes wrong.

use std::{collections::BTreeSet, sync::Arc};

use counterfoil::domain::catalog::SecondSubscription;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    ledger::music_for_sale,
    shop::{ACME, Shop},
};

/// An account that has a subscription, and another that was made a minute later.
async fn paid_twice(second: SecondSubscription) -> (Shop, String) {
    let mut catalog = (*music_for_sale()).clone();
    catalog.payments.second_subscription = second;
    let shop = Shop::selling(Arc::new(catalog)).await;
    shop.subscribe().await;
    shop.advance("1 minute").await;
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    let method = shop.list(&format!("/v1/customers/{customer}/payment_methods")).await[0]["id"].clone();
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", "price_of_stripe_price_team"),
        ("metadata[account_id]", "acme"),
        ("default_payment_method", method.as_str().unwrap()),
    ];
    let made = shop.at_stripe(Method::POST, "/v1/subscriptions", &form).await;
    assert_eq!(made["status"], "active", "{made}");
    shop.settled().await;
    (shop, made["id"].as_str().unwrap().to_owned())
}

async fn going(shop: &Shop) -> Vec<Value> {
    let all = shop.list("/v1/subscriptions").await;
    all.into_iter().filter(|row| row["status"] == "active").collect()
}

#[tokio::test]
async fn two_that_are_paid_are_noticed_once_and_kept_unless_the_catalog_says_otherwise() {
    let heard = Heard::begin();
    let (shop, _) = paid_twice(SecondSubscription::Keep).await;
    shop.advance("32 days").await;
    shop.settled().await;
    shop.resolve().await;
    assert_eq!((going(&shop).await.len(), shop.list("/v1/refunds").await.len()), (2, 0));
    let pool = shop.server.test.database.pool();
    let noticed: Vec<String> =
        sqlx::query_scalar("select state from ledger.stripe_calls where operation = 'second_subscription'")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(noticed, ["done"]);
    let line = heard.line("an account has paid for two subscriptions");
    assert_eq!((&line["level"], &line["account"]), (&json!("ERROR"), &json!("acme")));
    assert_eq!(line["will_be_cancelled"], false);
    let said = BTreeSet::from([line["subscription"].to_string(), line["other"].to_string()]);
    assert_eq!(said, going(&shop).await.iter().map(|row| row["id"].to_string()).collect());
    heard.has_counted(&["counterfoil_second_subscriptions_total 1"]);
}

/// Its money is not given back for credits that are used up.
#[tokio::test]
async fn a_newer_one_whose_credits_were_used_is_left_to_a_person() {
    let heard = Heard::begin();
    let (shop, newer) = paid_twice(SecondSubscription::CancelAndRefund).await;
    let available = shop.server.balance("acme").await["available"].as_i64().unwrap();
    let spent = shop.server.post(&format!("{ACME}/deductions"), json!({ "amount": available })).send().await;
    assert_eq!(spent.status, 201, "{}", spent.text);
    for _ in 0..3 {
        shop.advance("10 minutes").await;
        shop.resolve().await;
    }
    assert_eq!((going(&shop).await.len(), shop.list("/v1/refunds").await.len()), (2, 0));
    assert_eq!(heard.line("an account has paid for two subscriptions")["will_be_cancelled"], true);
    let line = heard.line("a second subscription was used, and is left");
    assert_eq!((&line["account"], &line["subscription"]), (&json!("acme"), &json!(newer)));
}

#[tokio::test]
async fn the_newer_one_is_cancelled_and_refunded_once_whatever_goes_wrong() {
    for fault in [
        json!([]),
        json!([{ "status": 500, "after_work": true, "times": 3 }]),
        json!([{ "cut": true, "times": 3 }]),
    ] {
        let (shop, newer) = paid_twice(SecondSubscription::CancelAndRefund).await;
        shop.fail(fault).await;
        for _ in 0..4 {
            shop.advance("10 minutes").await;
            shop.resolve().await;
        }
        shop.fail(json!([])).await;
        shop.advance("10 minutes").await;
        shop.resolve().await;
        let going = going(&shop).await;
        assert!(going.len() == 1 && going[0]["id"] != *newer, "{going:?}");
        let refunds = shop.list("/v1/refunds").await;
        assert_eq!((refunds.len(), &refunds[0]["amount"]), (1, &json!(2_999)));
        shop.until(ACME, |account| account["plan"] == "creator").await;
        shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_550).await;
    }
}
