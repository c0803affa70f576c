//! Does a subscription begin without a page, once, and only where it is paid?

use std::sync::Arc;

use counterfoil::domain::{amount::Credits, catalog::Trial};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    http::Answer,
    ledger::music_for_sale,
    shop::{ACME, Shop, plan},
};

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
    assert_eq!(made, 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is_problem(409, "subscription_active");
    }
    subscribe(&shop, "last", &creator()).await.is_problem(409, "subscription_active");
    shop.checkout("page", &plan()).await.is_problem(409, "subscription_active");
    assert_eq!(count(&shop).await, 1);
    // Its customer is not deleted either, with which it would end unasked.
    let customer = shop.server.call(Method::DELETE, &format!("{ACME}/customer")).send().await;
    customer.is_problem(409, "subscription_active");
}

/// Two keys, three times each, in one moment: whoever finds what another try has written down asks the rules again.
#[tokio::test]
async fn copies_of_two_requests_make_one_subscription() {
    let shop = Arc::new(customer("pm_card_visa").await);
    shop.server.stop_handling();
    let ask = |number: usize| {
        let shop = Arc::clone(&shop);
        let plan = ["creator", "team"][number % 2];
        let body = json!({ "plan": plan, "interval": "month" });
        async move { subscribe(&shop, plan, &body).await }
    };
    let answers = futures::future::join_all((0..6).map(ask)).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(
        made,
        3,
        "the copies of one: {:?}",
        answers.iter().map(|answer| &answer.text).collect::<Vec<_>>()
    );
    assert_eq!(count(&shop).await, 1);
}

/// Stripe was too busy, and the caller bought something else meanwhile.
#[tokio::test]
async fn a_key_that_was_never_asked_for_is_worked_out_anew() {
    let shop = customer("pm_card_visa").await;
    let busy = async |requests: u32| {
        let looked = json!({ "delay_ms": 0, "times": requests });
        shop.fail(json!([looked, { "status": 429, "times": 3 }])).await;
    };
    busy(1).await;
    let team = json!({ "plan": "team", "interval": "month" });
    subscribe(&shop, "k1", &team).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([])).await;
    shop.become_customer().await;
    busy(0).await;
    shop.checkout("page", &plan()).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([])).await;
    assert_eq!(subscribe(&shop, "k2", &creator()).await.status, 201);
    shop.settled().await;
    subscribe(&shop, "k1", &team).await.is_problem(409, "subscription_active");
    shop.checkout("page", &plan()).await.is_problem(409, "subscription_active");
    assert_eq!((count(&shop).await, shop.list("/v1/charges").await.len()), (1, 1));
}

/// Nobody is charged hours after they have gone away, and bought something else.
#[tokio::test]
async fn a_subscription_whose_outcome_is_unknown_is_looked_for_and_not_made_by_the_program() {
    let shop = customer("pm_card_visa").await;
    let looked = json!({ "delay_ms": 0, "times": 1 });
    shop.fail(json!([looked, { "cut": true, "times": 3 }])).await;
    let lost = subscribe(&shop, "k1", &creator()).await;
    lost.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    subscribe(&shop, "k2", &creator()).await.is_problem(429, "too_many_checkouts");
    shop.advance("5 minutes").await;
    shop.resolve().await;
    assert_eq!(count(&shop).await, 0);
    shop.advance("1 hour").await;
    shop.resolve().await;
    assert_eq!((count(&shop).await, shop.calls("subscription_create").await), (0, 0));
    assert_eq!(subscribe(&shop, "k2", &creator()).await.status, 201);
}

/// A trial that the ledger has not heard of is had all the same.
#[tokio::test]
async fn a_trial_is_not_had_again_while_its_webhook_is_on_its_way() {
    let mut catalog = music_for_sale();
    for plan in &mut Arc::make_mut(&mut catalog).plans {
        plan.trial = Some(Trial { days: 14, credits: Credits::ZERO });
    }
    let shop = Shop::selling(catalog).await;
    keep(&shop, "pm_card_visa").await;
    shop.server.stop_handling();
    let trying = |plan: &str| json!({ "plan": plan, "interval": "month", "trial": true });
    let made = subscribe(&shop, "k1", &trying("creator")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/v1/subscriptions/{}", made.body["at_stripe"]["subscription"].as_str().unwrap());
    shop.at_stripe(Method::DELETE, &path, &[]).await;
    subscribe(&shop, "k2", &trying("team")).await.is_problem(409, "no_trial");
    let page = crate::support::shop::with(plan(), "trial", json!(true));
    shop.checkout("page", &page).await.is_problem(409, "no_trial");
}

#[tokio::test]
async fn a_subscription_that_is_changed_all_the_time_has_to_wait() {
    let shop = customer("pm_card_visa").await;
    assert_eq!(subscribe(&shop, "k", &creator()).await.status, 201);
    shop.until(ACME, |account| account["plan"] == "creator").await;
    for number in 0..10 {
        let seats = json!({ "quantity": 2 + number });
        let changed = shop.amend("change", &format!("c{number}"), &seats).await;
        assert!(changed.status != 429, "{}", changed.text);
        shop.settled().await;
    }
    shop.amend("change", "c10", &json!({ "quantity": 50 })).await.is_problem(429, "too_many_checkouts");
    shop.advance("61 seconds").await;
    assert_eq!(shop.amend("change", "c11", &json!({ "quantity": 50 })).await.status, 202);
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
    let none = subscribe(&shop, "k2", &creator()).await;
    none.is_problem(404, "payment_method_not_found");
    assert!(none.text.contains("The account has no default payment method"), "{}", none.text);
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
    // The customer is looked at first.
    let looked = json!({ "delay_ms": 0, "times": 1 });
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

#[tokio::test]
async fn until_when_it_is_paid_is_told_without_what_was_given_back() {
    let shop = customer("pm_card_visa").await;
    let paid_until = async || {
        shop.settled().await;
        let now = shop.server.get(&format!("{ACME}/subscription")).send().await.body;
        (now["plan"].clone(), now["paid_until"].clone())
    };
    let made = subscribe(&shop, "k1", &creator()).await;
    let end = made.body["at_stripe"]["period_end"].clone();
    shop.until(ACME, |account| account["plan"] == "creator").await;
    assert_eq!(paid_until().await, (json!("creator"), end));
    let charge = shop.list("/v1/charges").await[0]["id"].as_str().unwrap().to_owned();
    shop.at_stripe(Method::POST, "/v1/refunds", &[("charge", &charge)]).await;
    shop.until(ACME, |account| account["plan"] == "free").await;
    assert_eq!(paid_until().await, (json!("free"), Value::Null));
}

/// Paid for and ended, beside a smaller one: the larger plan holds, and the answer says what it rests on.
#[tokio::test]
async fn the_subscription_that_gives_the_plan_is_the_one_that_is_shown() {
    let shop = customer("pm_card_visa").await;
    let made = subscribe(&shop, "k1", &json!({ "plan": "team", "interval": "month" })).await;
    let first = made.body["at_stripe"]["subscription"].clone();
    shop.until(ACME, |account| account["plan"] == "team").await;
    assert_eq!(shop.amend("cancel", "k2", &json!({ "at": "now" })).await.status, 202);
    shop.settled().await;
    let made = subscribe(&shop, "k3", &creator()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    shop.settled().await;
    let now = shop.server.get(&format!("{ACME}/subscription")).send().await.body;
    assert_eq!((&now["plan"], &now["subscription"]["id"]), (&json!("team"), &first));
    shop.advance("32 days").await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
}
