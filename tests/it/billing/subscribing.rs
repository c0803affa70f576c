//! Does a subscription begin without a page, once, and only where it is paid?

use std::sync::Arc;

use counterfoil::domain::{amount::Credits, catalog::Trial};
use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{ACME, Shop, plan};
use crate::{api::server::Answer, support::ledger::music_for_sale};

const SUBSCRIPTIONS: &str = "/v1/accounts/acme/subscriptions";

fn creator() -> Value {
    json!({ "plan": "creator", "interval": "month" })
}

async fn subscribe(shop: &Shop, key: &str, body: &Value) -> Answer {
    shop.server.post(SUBSCRIPTIONS, body.clone()).header("idempotency-key", key).send().await
}

/// A customer who pays with this card.
async fn customer(card: &str) -> Shop {
    let shop = Shop::start().await;
    keep(&shop, card).await;
    shop
}

async fn keep(shop: &Shop, card: &str) -> String {
    let attached = shop.server.post(&format!("{ACME}/payment-methods"), json!({ "payment_method": card }));
    let attached = attached.send().await;
    assert!(attached.status.is_success(), "{}", attached.text);
    let method = attached.body["payment_method"].as_str().unwrap().to_owned();
    let path = format!("{ACME}/payment-methods/{method}/default");
    let preferred = shop.server.call(Method::PUT, &path).send().await;
    assert!(preferred.status.is_success(), "{}", preferred.text);
    method
}

async fn count(shop: &Shop) -> usize {
    shop.list("/v1/subscriptions?status=all").await.len()
}

#[tokio::test]
async fn a_customer_with_a_card_is_subscribed_once() {
    let shop = customer("pm_card_visa").await;
    let made = subscribe(&shop, "k1", &creator()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let at_stripe = &made.body["at_stripe"];
    assert_eq!((&at_stripe["status"], &at_stripe["plan"]), (&json!("active"), &json!("creator")));
    let again = subscribe(&shop, "k1", &creator()).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&made.body, Some("true")));
    shop.until(ACME, |account| account["plan"] == "creator").await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_550).await;
    let other = json!({ "plan": "team", "interval": "month" });
    subscribe(&shop, "k1", &other).await.is_problem(422, "idempotency_key_reused");
    subscribe(&shop, "k2", &other).await.is_problem(409, "subscription_active");
    assert_eq!(count(&shop).await, 1);
    let charged: i64 =
        shop.list("/v1/charges").await.iter().map(|charge| charge["amount"].as_i64().unwrap()).sum();
    assert_eq!(charged, 1_999);
}

/// Before its webhooks have come, too: then only Stripe knows of the first.
#[tokio::test]
async fn of_many_requests_of_one_moment_one_subscribes() {
    let shop = Arc::new(customer("pm_card_visa").await);
    shop.server.stop_handling();
    let ask = |number: usize| {
        let shop = Arc::clone(&shop);
        async move { subscribe(&shop, &format!("k{number}"), &creator()).await }
    };
    let answers = futures::future::join_all((0..4).map(ask)).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(made <= 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let code = answer.body["code"].as_str().unwrap();
        assert!(["too_many_checkouts", "subscription_active"].contains(&code), "{}", answer.text);
    }
    let last = subscribe(&shop, "last", &creator()).await;
    assert!(if made == 1 { last.status == 409 } else { last.status == 201 }, "{}", last.text);
    assert_eq!(count(&shop).await, 1);
}

#[tokio::test]
async fn nothing_begins_where_the_card_is_refused_or_the_bank_wants_to_ask() {
    for (card, code) in [
        ("pm_card_chargeCustomerFail", "card_declined"),
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action"),
    ] {
        let shop = customer(card).await;
        let refused = subscribe(&shop, "k1", &creator()).await;
        refused.is_problem(402, "stripe_declined");
        assert!(refused.text.contains(code), "{}", refused.text);
        shop.settled().await;
        assert_eq!(count(&shop).await, 0);
        assert_eq!(shop.server.get(ACME).send().await.body["plan"], "free");
        // With another card, under another key.
        keep(&shop, "pm_card_visa").await;
        assert_eq!(subscribe(&shop, "k2", &creator()).await.status, 201);
    }
}

#[tokio::test]
async fn it_is_charged_to_the_method_that_is_named() {
    let shop = customer("pm_card_chargeCustomerFail").await;
    let attached =
        shop.server.post(&format!("{ACME}/payment-methods"), json!({ "payment_method": "pm_card_visa" }));
    let good = attached.send().await.body["payment_method"].clone();
    let body = json!({ "plan": "creator", "interval": "month", "payment_method": good });
    let made = subscribe(&shop, "k1", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let row = shop.at_stripe(Method::GET, &shop.path().await, &[]).await;
    assert_eq!(row["default_payment_method"], good);
}

#[tokio::test]
async fn who_has_nothing_to_pay_with_is_told_so() {
    let shop = Shop::start().await;
    subscribe(&shop, "k1", &creator()).await.is_problem(409, "no_customer");
    shop.become_customer().await;
    subscribe(&shop, "k2", &creator()).await.is_problem(404, "payment_method_not_found");
    let others = json!({ "plan": "creator", "interval": "month", "payment_method": "pm_of_another" });
    subscribe(&shop, "k3", &others).await.is_problem(404, "payment_method_not_found");
    let unknown = json!({ "plan": "gold", "interval": "month" });
    subscribe(&shop, "k4", &unknown).await.is_problem(422, "unknown_plan");
    subscribe(&shop, "k5", &json!({ "plan": "creator" })).await.is_problem(422, "invalid_request");
    assert_eq!(count(&shop).await, 0);
}

#[tokio::test]
async fn a_page_on_which_the_plan_could_be_paid_too_is_closed() {
    let shop = customer("pm_card_visa").await;
    let page = shop.checkout("page", &plan()).await;
    assert_eq!(page.status, 201);
    assert_eq!(subscribe(&shop, "k1", &creator()).await.status, 201);
    let page = page.body["checkout_session_id"].as_str().unwrap();
    let page = shop.at_stripe(Method::GET, &format!("/v1/checkout/sessions/{page}"), &[]).await;
    assert_eq!(page["status"], "expired");
}

/// Stripe has done it, and its answer is lost: the same key finds it, and nothing is paid twice.
#[tokio::test]
async fn an_answer_that_is_lost_is_found_again() {
    let shop = customer("pm_card_visa").await;
    // The customer and its subscriptions are looked at first.
    let looked = json!({ "delay_ms": 0, "times": 2 });
    shop.fail(json!([looked, { "cut": true, "after_work": true, "times": 3 }])).await;
    let lost = subscribe(&shop, "k1", &creator()).await;
    assert!(lost.status.is_server_error(), "{}", lost.text);
    let found = subscribe(&shop, "k1", &creator()).await;
    assert_eq!(found.status, 201, "{}", found.text);
    assert_eq!((count(&shop).await, shop.list("/v1/charges").await.len()), (1, 1));
}

#[tokio::test]
async fn a_trial_is_charged_when_it_ends_and_had_once() {
    let mut catalog = music_for_sale();
    let plans = &mut Arc::make_mut(&mut catalog).plans;
    let creator = plans.iter_mut().find(|plan| plan.id.as_str() == "creator").unwrap();
    creator.trial = Some(Trial { days: 14, credits: Credits::ZERO });
    let shop = Shop::selling(catalog).await;
    keep(&shop, "pm_card_visa").await;
    let body = json!({ "plan": "creator", "interval": "month", "trial": true });
    let made = subscribe(&shop, "k1", &body).await;
    assert_eq!(made.body["at_stripe"]["status"], "trialing", "{}", made.text);
    assert_eq!(shop.list("/v1/charges").await.len(), 0);
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let ended = shop.amend("cancel", "k2", &json!({ "at": "now" })).await;
    assert_eq!(ended.status, 202, "{}", ended.text);
    shop.until(ACME, |account| account["plan"] == "free").await;
    subscribe(&shop, "k3", &body).await.is_problem(409, "no_trial");
}
