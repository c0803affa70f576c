//! What if a change is not paid?

use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::SUBSCRIPTION;
use crate::support::shop::{ACME, Shop};

#[tokio::test]
async fn a_card_that_is_declined_changes_nothing_and_is_said_to_be() {
    let shop = Shop::subscribed().await;
    let customer = shop.list("/v1/subscriptions").await[0]["customer"].as_str().unwrap().to_owned();
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let method = shop.at_stripe(Method::POST, attach, &[("customer", &customer)]).await;
    let method = method["id"].as_str().unwrap();
    shop.at_stripe(Method::POST, &shop.path().await, &[("default_payment_method", method)]).await;
    let order = json!({ "plan": "team" });
    let declined = shop.amend("change", "k1", &order).await;
    declined.is_problem(402, "stripe_declined");
    assert_eq!(declined.body["decline_code"], "generic_decline", "{}", declined.text);
    let price = &shop.list("/v1/subscriptions").await[0]["items"]["data"][0]["price"]["id"];
    assert_eq!(*price, "price_of_stripe_price_creator");
    // A repetition is answered from what is written down: a broken Stripe does not matter to it.
    shop.fail(json!([{ "status": 500, "times": 3 }])).await;
    shop.amend("change", "k1", &order).await.is_problem(402, "stripe_declined");
}

/// A subscription to `creator` that is changed to `team`, which a debit is to pay. Returns the invoice of the change.
async fn changed_by_debit(shop: &Shop, method: &str) -> Value {
    shop.pays_by(method).await;
    let changed = shop.amend("change", "k1", &json!({ "plan": "team" })).await;
    assert_eq!(changed.status, 202, "{}", changed.text);
    shop.settled().await;
    shop.list("/v1/invoices").await[0].clone()
}

/// Stripe would give back what is left of the larger plan, which nobody has paid for, and put it on the balance.
#[tokio::test]
async fn an_unpaid_change_is_not_changed_again_before_the_period_ends() {
    let shop = Shop::subscribed().await;
    let invoice = changed_by_debit(&shop, "pm_usBankAccount_failure").await;
    let order = json!({ "plan": "team", "quantity": 3 });
    let is_refused = async |key: &str, state: &str| {
        let refused = shop.amend("change", key, &order).await;
        refused.is_problem(409, "change_unpaid");
        let told = (&refused.body["invoice"], &refused.body["invoice_state"]);
        assert_eq!(told, (&invoice["id"], &json!(state)));
        let preview = shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), order.clone()).send().await;
        preview.is_problem(409, "change_unpaid");
        let page = json!({ "return_url": "https://example.com/", "plan": "team", "interval": "year" });
        let page = shop.server.post(&format!("{ACME}/portal-sessions"), page).send().await;
        page.is_problem(409, "change_unpaid");
    };
    is_refused("k2", "open").await;
    shop.advance("8 days").await;
    shop.settled().await;
    shop.amend("change", "k3", &order).await.is_problem(409, "subscription_state");
    let path = format!("/v1/invoices/{}/void", invoice["id"].as_str().unwrap());
    shop.at_stripe(Method::POST, &path, &[]).await;
    shop.settled().await;
    is_refused("k4", "void").await;
    assert_eq!(shop.server.get(ACME).send().await.body["plan"], "creator");
    // Less is charged for only when the period ends, and gives nothing back.
    let later = shop.amend("change", "k5", &json!({ "plan": "basic" })).await;
    assert_eq!(later.status, 202, "{}", later.text);
}

#[tokio::test]
async fn a_change_that_is_paid_late_can_be_changed_again() {
    let shop = Shop::subscribed().await;
    changed_by_debit(&shop, "pm_usBankAccount_success").await;
    shop.amend("change", "k2", &json!({ "quantity": 3 })).await.is_problem(409, "change_unpaid");
    shop.advance("8 days").await;
    shop.until(ACME, |account| account["plan"] == "team").await;
    let again = shop.amend("change", "k3", &json!({ "quantity": 3 })).await;
    assert_eq!(again.status, 202, "{}", again.text);
}
