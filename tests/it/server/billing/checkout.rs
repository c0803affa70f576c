//! Does a checkout lead to what was bought, and to nothing twice?

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::domain::{amount::Credits, catalog::Trial};
use reqwest::Method;
use serde_json::json;

use crate::support::{
    ledger::music_for_sale,
    shop::{ACME, Shop, TOO_LATE_MS, pack, plan, with},
};

#[tokio::test]
async fn a_plan_that_is_paid_for_on_the_page_holds_when_the_webhook_has_come() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &plan()).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    assert!(opened.body["url"].as_str().unwrap().contains("/checkout/"), "{}", opened.text);
    assert_eq!(shop.server.balance("acme").await["available"], 50, "nothing is granted before it is paid");
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let balance = shop.until(&format!("{ACME}/balance"), |balance| balance["available"] != 50).await;
    assert!(balance["available"].as_i64().unwrap() >= 1_500, "{balance}");
    let again = shop.checkout("k2", &plan()).await;
    again.is_problem(409, "subscription_active");
    assert_eq!(again.body["plan"], "creator");
}

#[tokio::test]
async fn packs_that_are_paid_for_are_granted_by_their_number() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &pack()).await;
    shop.pay(&opened.body).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_050).await;
}

#[tokio::test]
async fn trap_12_and_13_each_part_of_a_checkout_says_whose_it_is() {
    let shop = Shop::start().await;
    let of_plan = shop.checkout("k1", &plan()).await;
    let session = &shop.list("/v1/checkout/sessions").await[0];
    assert_eq!(session["client_reference_id"], "acme");
    assert_eq!(session["metadata"], json!({ "account_id": "acme", "plan_code": "creator" }));
    assert_eq!(
        session["success_url"],
        "https://shop.example/thanks?from=counterfoil&checkout_session_id={CHECKOUT_SESSION_ID}"
    );
    let of_pack = shop.checkout("k2", &pack()).await;
    shop.pay(&of_pack.body).await;
    shop.pay(&of_plan.body).await;
    let subscription = &shop.list("/v1/subscriptions").await[0];
    assert_eq!(subscription["metadata"], json!({ "account_id": "acme", "plan_code": "creator" }));
    let intents = shop.list("/v1/payment_intents").await;
    let bought = json!({ "account_id": "acme", "kind": "topup", "topup_code": "pack_500" });
    assert!(intents.iter().any(|intent| intent["metadata"] == bought), "{intents:?}");
    let customers = shop.list("/v1/customers").await;
    assert_eq!(customers.len(), 1, "both checkouts are of one customer");
    assert_eq!(customers[0]["metadata"], json!({ "account_id": "acme" }));
}

#[tokio::test]
async fn trap_38_a_repetition_is_answered_the_same_and_asks_nothing() {
    let shop = Shop::start().await;
    let first = shop.checkout("k1", &plan()).await;
    let again = shop.checkout("k1", &plan()).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    shop.checkout("k1", &pack()).await.is_problem(422, "idempotency_key_reused");
    assert_eq!(shop.sessions().await, 1);
    let other = shop.checkout("k2", &plan()).await;
    assert_ne!(other.body["checkout_session_id"], first.body["checkout_session_id"]);
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_session() {
    let shop = Shop::start().await;
    let body = plan();
    let answers = futures::future::join_all((0..8).map(|_| shop.checkout("k1", &body))).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (201, &answers[0].body), "{}", answer.text);
    }
    assert_eq!((shop.sessions().await, shop.list("/v1/customers").await.len()), (1, 1));
}

#[tokio::test]
async fn the_ledger_takes_note_of_a_start_once() {
    let shop = Shop::start().await;
    shop.checkout("k1", &plan()).await;
    shop.checkout("k1", &plan()).await;
    let events = shop.server.get(&format!("{ACME}/events")).send().await;
    assert_eq!(events.text.matches("CheckoutStarted").count(), 1, "{}", events.text);
}

#[tokio::test]
async fn five_a_minute_are_enough_for_an_account() {
    let shop = Shop::start().await;
    for number in 0..5 {
        assert_eq!(shop.checkout(&format!("k{number}"), &pack()).await.status, 201);
    }
    let sixth = shop.checkout("k5", &pack()).await;
    sixth.is_problem(429, "too_many_checkouts");
    assert_eq!(sixth.header("retry-after"), Some("60"));
    assert_eq!(shop.checkout("k0", &pack()).await.status, 201, "a repetition is none");
    shop.server.open("other").await;
    assert_eq!(shop.checkout_of("other", "k5", &pack()).await.status, 201);
    shop.server.test.clock.advance(TimeDelta::seconds(61));
    assert_eq!(shop.checkout("k5", &pack()).await.status, 201);
}

#[tokio::test]
async fn a_trial_is_the_catalogs_and_only_the_first() {
    let mut catalog = (*music_for_sale()).clone();
    let creator = catalog.plans.iter_mut().find(|plan| plan.id.as_str() == "creator").unwrap();
    creator.trial = Some(Trial { days: 14, credits: Credits::ZERO });
    let shop = Shop::selling(Arc::new(catalog)).await;
    let without = with(with(plan(), "trial", json!(true)), "plan", json!("basic"));
    shop.checkout("k0", &without).await.is_problem(409, "no_trial");
    let opened = shop.checkout("k1", &with(plan(), "trial", json!(true))).await;
    shop.pay(&opened.body).await;
    let account = format!("{ACME}/subscription");
    shop.until(&account, |found| found.to_string().contains("trialing")).await;
    let subscription = &shop.list("/v1/subscriptions").await[0];
    let days =
        (subscription["trial_end"].as_i64().unwrap() - subscription["created"].as_i64().unwrap()) / 86_400;
    assert_eq!(days, 14);
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap());
    shop.at_stripe(Method::DELETE, &path, &[]).await;
    shop.until(ACME, |account| account["plan"] == "free").await;
    let again = shop.checkout("k2", &with(plan(), "trial", json!(true))).await;
    again.is_problem(409, "no_trial");
    assert_eq!(shop.checkout("k3", &plan()).await.status, 201);
}

/// How the pages are that Stripe knows, the newest first.
async fn states(shop: &Shop) -> Vec<String> {
    let sessions = shop.list("/v1/checkout/sessions").await;
    sessions.iter().map(|session| session["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_page_for_a_plan_closes_the_older_ones_and_leaves_packs_alone() {
    let shop = Shop::start().await;
    let first = shop.checkout("k1", &plan()).await;
    shop.checkout("k2", &pack()).await;
    let second = shop.checkout("k3", &plan()).await;
    assert_eq!(second.status, 201, "{}", second.text);
    assert_eq!(states(&shop).await, ["open", "open", "expired"]);
    let again = shop.checkout("k3", &plan()).await;
    assert_eq!(again.body, second.body);
    assert_eq!(states(&shop).await, ["open", "open", "expired"], "a repetition closes nothing");
    assert_eq!(shop.checkout("k1", &plan()).await.body, first.body);
    shop.pay(&second.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
}

#[tokio::test]
async fn many_pages_at_once_under_one_key_do_not_close_each_other() {
    let shop = Shop::start().await;
    shop.checkout("old", &plan()).await;
    let body = plan();
    futures::future::join_all((0..8).map(|_| shop.checkout("k1", &body))).await;
    assert_eq!(states(&shop).await, ["open", "expired"]);
}

/// The webhook has not told of it yet, and Stripe knows.
#[tokio::test]
async fn a_page_that_was_paid_on_meanwhile_stands_in_the_way_of_another() {
    let shop = Shop::start().await;
    let first = shop.checkout("k1", &plan()).await;
    shop.control("faults", json!({ "drop_percent": 100 })).await;
    shop.pay(&first.body).await;
    let second = shop.checkout("k2", &plan()).await;
    second.is_problem(409, "subscription_active");
    assert_eq!(second.body["plan"], "creator");
    assert_eq!((states(&shop).await, shop.calls("checkout_session").await), (vec!["complete".to_owned()], 1));
    shop.checkout("k2", &plan()).await.is_problem(409, "subscription_active");
}

#[tokio::test]
async fn a_page_is_closed_once_and_before_the_next_is_opened_whatever_goes_wrong() {
    for fault in [
        json!({ "status": 500, "times": 3 }),
        json!({ "cut": true, "after_work": true, "times": 3 }),
        json!({ "delay_ms": TOO_LATE_MS, "times": 3 }),
        json!({ "status": 429, "times": 3 }),
    ] {
        let shop = Shop::start().await;
        shop.checkout("k1", &plan()).await;
        shop.fail(json!([fault])).await;
        let failed = shop.checkout("k2", &plan()).await;
        assert_eq!(failed.status, 503, "{}", failed.text);
        assert_eq!(shop.sessions().await, 1, "nothing is opened before the older one is closed");
        shop.fail(json!([])).await;
        assert_eq!(shop.checkout("k2", &plan()).await.status, 201);
        assert_eq!(states(&shop).await, ["open", "expired"]);
    }
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_without_asking_stripe() {
    let shop = Shop::start().await;
    let unknown = with(plan(), "plan", json!("gold"));
    shop.checkout("k1", &unknown).await.is_problem(422, "unknown_plan");
    shop.checkout("k2", &with(pack(), "pack", json!("pack_1"))).await.is_problem(422, "unknown_pack");
    shop.checkout("k3", &with(plan(), "plan", json!("free"))).await.is_problem(409, "not_for_sale");
    shop.checkout_of("nobody", "k4", &plan()).await.is_problem(404, "account_not_found");
    for (name, value) in [
        ("interval", json!("week")),
        ("quantity", json!(0)),
        ("success_url", json!("javascript:alert(1)")),
        ("cancel_url", json!("https://")),
        ("email", json!("ada")),
        ("pack", json!("pack_500")),
        ("price", json!("price_1")),
    ] {
        shop.checkout("k5", &with(plan(), name, value)).await.is_problem(422, "invalid_request");
    }
    assert_eq!((shop.sessions().await, shop.list("/v1/customers").await.len()), (0, 0));
}
