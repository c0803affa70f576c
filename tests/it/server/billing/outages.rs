//! What if Stripe is slow, busy, broken, or cut off after it did the work? Nothing twice, and the right one of the four
//! answers.

use std::time::Duration;

use counterfoil::stripe::{client::Patience, outbound::BillingMode};
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    http::Answer,
    shop::{ACME, Shop, TOO_LATE_MS, client, pack, plan, serve},
};

/// More tries than a client makes.
const ALL: usize = 3;

/// Fails with `code` while `fault` lasts, and is completed by the same request afterwards, with one session in all.
async fn fails_then_completes(fault: Value, code: &str) {
    let shop = Shop::start().await;
    shop.become_customer().await;
    shop.fail(json!([fault])).await;
    let failed = shop.checkout("k1", &plan()).await;
    failed.is_problem(503, code);
    assert!(failed.header("retry-after").is_some());
    shop.fail(json!([])).await;
    let completed = shop.checkout("k1", &plan()).await;
    assert_eq!(completed.status, 201, "{}", completed.text);
    assert_eq!(shop.sessions().await, 2, "the first one, and one for `k1`");
    let events = shop.server.get(&format!("{ACME}/events")).send().await;
    assert_eq!(events.text.matches("CheckoutStarted").count(), 2);
}

/// One failure is not noticed by the caller.
async fn passes(fault: Value) {
    let shop = Shop::start().await;
    shop.become_customer().await;
    let heard = Heard::begin();
    shop.fail(json!([fault])).await;
    let answer = shop.checkout("k1", &plan()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(heard.lines_of("a call to Stripe has failed").is_empty(), "{:#?}", heard.lines());
    assert_eq!(shop.sessions().await, 2);
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed() {
    for fault in [
        json!({ "status": 500 }),
        json!({ "status": 503, "after_work": true }),
        json!({ "status": 429 }),
        json!({ "cut": true }),
        json!({ "cut": true, "after_work": true }),
        json!({ "delay_ms": TOO_LATE_MS }),
        json!({ "status": 500, "times": ALL - 1 }),
    ] {
        passes(fault).await;
    }
}

/// As many as the tests' own client makes.
#[test]
fn a_try_has_ten_seconds_and_two_more_follow() {
    let patience = Patience::default();
    assert_eq!((patience.timeout, patience.pauses.len() + 1), (Duration::from_secs(10), ALL));
}

/// Whoever asks is told that there was no answer; why is for the log, once for all tries.
#[tokio::test]
async fn why_stripe_has_not_answered_is_logged_once_and_not_sent() {
    for (fault, cause) in [
        (json!({ "status": 500, "times": ALL }), "it answered 500, api_error"),
        (json!({ "status": 429, "times": ALL }), "it answered 429, api_error"),
        (json!({ "delay_ms": TOO_LATE_MS, "times": ALL }), "there was no answer in time"),
    ] {
        let shop = Shop::start().await;
        shop.become_customer().await;
        let heard = Heard::begin();
        shop.fail(json!([fault])).await;
        let failed = shop.checkout("k1", &pack()).await;
        assert!(failed.status == 503 && !failed.text.contains(cause), "{}", failed.text);
        let line = heard.line("a call to Stripe has failed");
        assert_eq!(
            (&line["level"], &line["method"], &line["path"]),
            (&json!("WARN"), &json!("Post"), &json!("/checkout/sessions"))
        );
        assert_eq!(line["cause"], cause);
    }
}

#[tokio::test]
async fn a_stripe_that_is_broken_leaves_the_outcome_unknown() {
    fails_then_completes(json!({ "status": 500, "times": ALL }), "stripe_outcome_unknown").await;
}

#[tokio::test]
async fn a_stripe_that_is_broken_after_the_work_leaves_the_outcome_unknown() {
    let fault = json!({ "status": 500, "after_work": true, "times": ALL });
    fails_then_completes(fault, "stripe_outcome_unknown").await;
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_work_leaves_the_outcome_unknown() {
    let fault = json!({ "cut": true, "after_work": true, "times": ALL });
    fails_then_completes(fault, "stripe_outcome_unknown").await;
}

#[tokio::test]
async fn a_stripe_that_is_too_slow_leaves_the_outcome_unknown() {
    fails_then_completes(json!({ "delay_ms": TOO_LATE_MS, "times": ALL }), "stripe_outcome_unknown").await;
}

#[tokio::test]
async fn a_stripe_that_is_too_busy_has_done_nothing() {
    fails_then_completes(json!({ "status": 429, "times": ALL }), "stripe_unavailable").await;
}

#[tokio::test]
async fn a_stripe_that_is_too_busy_to_say_what_became_of_it_leaves_it_unknown() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    shop.fail(json!([{ "cut": true, "after_work": true }, { "status": 429, "times": 2 }])).await;
    shop.checkout("k1", &plan()).await.is_problem(503, "stripe_outcome_unknown");
    assert_eq!(shop.checkout("k1", &plan()).await.status, 201);
    assert_eq!(shop.sessions().await, 2);
}

#[tokio::test]
async fn an_account_becomes_one_customer_whatever_happens() {
    let shop = Shop::start().await;
    shop.fail(json!([{ "cut": true, "after_work": true, "times": ALL }])).await;
    shop.checkout("k1", &plan()).await.is_problem(503, "stripe_outcome_unknown");
    assert_eq!(shop.checkout("k2", &pack()).await.status, 201);
    assert_eq!(shop.checkout("k1", &plan()).await.status, 201);
    assert_eq!(shop.list("/v1/customers").await.len(), 1);
}

#[tokio::test]
async fn what_stripe_refuses_is_said_with_its_code_and_not_asked_again() {
    let shop = Shop::start_without(|price| price.contains("creator")).await;
    let refused = shop.checkout("k1", &plan()).await;
    refused.is_problem(502, "stripe_rejected");
    assert_eq!(refused.body["stripe_code"], "resource_missing");
    assert_eq!(refused.body["stripe_parameter"], "line_items[0][price]");
    // A repetition is answered from what is written down: a broken Stripe does not matter to it.
    shop.fail(json!([{ "status": 500, "times": ALL }])).await;
    let again = shop.checkout("k1", &plan()).await;
    again.is_problem(502, "stripe_rejected");
    assert_eq!(again.body["stripe_code"], "resource_missing");
}

#[tokio::test]
async fn a_stripe_that_is_not_there_has_done_nothing() {
    // Nothing listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = serve(BillingMode::On(client("sk_test_shop", &format!("http://{gone}")))).await;
    let heard = Heard::begin();
    let answer = server.post(&format!("{ACME}/checkout-sessions"), plan()).send().await;
    answer.is_problem(503, "stripe_unavailable");
    assert_eq!(
        heard.line("a call to Stripe has failed")["cause"],
        "there is no connection: Connection refused (os error 111)"
    );
}

/// A change of the subscription that is asked of a Stripe which fails like that. The request that reads the
/// subscription first passes.
async fn change_amid(fault: Value) -> (Shop, Answer) {
    let shop = Shop::subscribed().await;
    shop.fail(json!([{}, fault])).await;
    let answer = shop.amend("change", "k1", &json!({ "plan": "team" })).await;
    shop.fail(json!([])).await;
    (shop, answer)
}

/// The same request completes it, and it was done once.
async fn is_completed_once(shop: &Shop) {
    let completed = shop.amend("change", "k1", &json!({ "plan": "team" })).await;
    assert_eq!(completed.status, 202, "{}", completed.text);
    shop.until(ACME, |account| account["plan"] == "team").await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 5_050).await;
    let invoices = shop.list("/v1/invoices").await;
    let totals: Vec<_> = invoices.iter().map(|invoice| invoice["total"].as_i64().unwrap()).collect();
    assert_eq!(totals, [1_000, 1_999], "charged once");
}

#[tokio::test]
async fn a_change_with_an_unknown_outcome_is_completed_by_its_key_and_charged_once() {
    for fault in [
        json!({ "cut": true, "after_work": true, "times": ALL }),
        json!({ "status": 500, "times": ALL }),
        json!({ "status": 503, "after_work": true, "times": ALL }),
        json!({ "delay_ms": TOO_LATE_MS, "times": ALL }),
    ] {
        let (shop, failed) = change_amid(fault).await;
        failed.is_problem(503, "stripe_outcome_unknown");
        is_completed_once(&shop).await;
    }
}

#[tokio::test]
async fn a_change_that_stripe_was_too_busy_for_has_not_happened() {
    let (shop, failed) = change_amid(json!({ "status": 429, "times": ALL })).await;
    failed.is_problem(503, "stripe_unavailable");
    assert_eq!(shop.list("/v1/invoices").await.len(), 1);
    is_completed_once(&shop).await;
}

#[tokio::test]
async fn while_a_persons_words_cannot_be_passed_on_nothing_is_cancelled() {
    let shop = Shop::subscribed().await;
    shop.fail(json!([{ "status": 500, "times": ALL }])).await;
    let cancel = json!({ "at": "now", "reason": "moved away" });
    shop.amend("cancel", "k1", &cancel).await.is_problem(503, "stripe_unavailable");
    assert_eq!(shop.calls("subscription_cancel").await, 0);
    assert_eq!(shop.list("/v1/subscriptions").await[0]["status"], "active");
    assert_eq!(shop.amend("cancel", "k1", &cancel).await.status, 202);
}
